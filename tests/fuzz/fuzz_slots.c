/* SPDX-License-Identifier: BSD-3-Clause */
/* What `install` and geolaunch.efi read from an ESP and NVRAM: slots.conf, a slot's list, a load option. The first byte says which. */
#include <stdlib.h>
#include <string.h>

#include "cli/bootentry.h"
#include "cli/slot_list.h"
#include "common/slots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_slots(struct span text)
{
	uint8_t back[SLOTS_MAX_SIZE];
	struct slots s;

	if (!slots_parse(text, &s))
		return;
	if (slots_write(&s, (struct mspan){ back, sizeof(back) }) != text.n || memcmp(back, text.p, text.n) != 0)
		abort();
}

static void check_list(struct span text)
{
	static uint8_t back[SLOT_LIST_MAX_SIZE];
	static struct slot_list l;

	char slot[SLOT_NAME_SIZE + 1];

	slot_list_slot(text, slot);
	if (!slot_name_valid(span_str(slot)))
		abort();
	if (!slot_list_parse(text, &l))
		return;
	if (slot_list_write(&l, (struct mspan){ back, sizeof(back) }) != text.n || memcmp(back, text.p, text.n) != 0)
		abort();
}

/* Lines: a manifest's name, then names of files. Whatever was taken makes a list that can be read and says the same. */
static void check_names(struct span text)
{
	static uint8_t bytes[SLOT_LIST_MAX_SIZE];
	static struct slot_list l, back;
	const uint8_t digest[32] = { 1, 2, 3 };
	char name[256] = "";
	size_t n = 0;

	while (n < text.n && n < sizeof(name) - 1 && text.p[n] != '\n')
		n++;
	if (n)
		memcpy(name, text.p, n);
	memset(&l, 0, sizeof(l));
	memset(&back, 0, sizeof(back));
	slot_list_label(&l, name);
	for (size_t at = n + 1; at < text.n; at += n + 1) {
		for (n = 0; at + n < text.n && text.p[at + n] != '\n';)
			n++;
		(void)!slot_list_add(&l, (struct span){ text.p + at, n }, digest);
	}
	n = slot_list_write(&l, (struct mspan){ bytes, sizeof(bytes) });
	if (l.count == 0)
		return;
	if (n == 0 || !slot_list_parse((struct span){ bytes, n }, &back) || memcmp(&l, &back, sizeof(l)) != 0)
		abort();
}

static void check_option(struct span option)
{
	uint8_t partition[] = { 4, 1, 4, 0 };
	const struct boot_entries b = { .partition = partition, .partition_size = sizeof(partition) };
	char slot[SLOT_NAME_SIZE + 1];

	if (boot_slot(&b, option, slot) && !slot_name_valid(span_str(slot)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct span) = { check_slots, check_list, check_option, check_names };

	if (size > 0)
		checks[data[0] % GL_COUNT(checks)]((struct span){ data + 1, size - 1 });
	return 0;
}
