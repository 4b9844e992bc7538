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

	if (!slot_list_parse(text, &l))
		return;
	if (slot_list_write(&l, (struct mspan){ back, sizeof(back) }) != text.n || memcmp(back, text.p, text.n) != 0)
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
	static void (*const checks[])(struct span) = { check_slots, check_list, check_option };

	if (size > 0)
		checks[data[0] % GL_COUNT(checks)]((struct span){ data + 1, size - 1 });
	return 0;
}
