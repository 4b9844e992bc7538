/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/bootentry.h"

#include <efivar/efiboot.h>
#include <efivar/efivar.h>
#include <errno.h>
#include <string.h>

#include "common/cursor.h"
#include "common/text.h"

#define ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define ACTIVE 1u /* LOAD_OPTION_ACTIVE */
#define MAX_PATH 4096
#define MAX_OPTION 8192

/* UEFI 2.10, 10.3 */
#define MEDIA 4
#define MEDIA_FILE 4
#define END 0x7f

#define BEFORE_SLOT "\\EFI\\geolaunch\\"
#define BEHIND_SLOT "\\geolaunch.efi"
#define FILE_CHARS (sizeof(BEFORE_SLOT) - 1 + SLOT_NAME_SIZE + sizeof(BEHIND_SLOT))

bool boot_available(void)
{
	return efi_variables_supported() == 1;
}

void boot_free(struct boot_entries *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->entries[i].option);
	free(b->entries);
	free(b->order);
	free(b->partition);
	*b = (struct boot_entries){ .partition = NULL };
}

static void variable_name(uint16_t number, char out[9])
{
	(void)snprintf(out, 9, "Boot%04X", number);
}

/* ---- device paths ---- */

/* The nodes of a device path up to, and without, the first one for a file; false if there is none. */
GL_MUST static bool nodes_before_file(struct span path, size_t *out)
{
	struct rd r = rd_init(path);

	while (!r.bad) {
		size_t at = r.off;
		uint8_t type = rd_u8(&r), subtype = rd_u8(&r);
		uint16_t size = rd_le16(&r);

		if (r.bad || size < 4 || type == END)
			return false;
		if (type == MEDIA && subtype == MEDIA_FILE) {
			*out = at;
			return at > 0;
		}
		(void)rd_bytes(&r, size - 4u);
	}
	return false;
}

/*
 * libefiboot looks for the path's beginning in the list of mounts, so it must be a real one. What it makes of the file does not matter
 * here, only the partition before it.
 */
GL_MUST static bool find_partition(const char *esp, struct boot_entries *out, struct cli_fault *fault)
{
	CLEANUP_FREE char *real = realpath(esp, NULL);
	CLEANUP_FREE char *file = NULL;
	CLEANUP_FREE uint8_t *path = malloc(MAX_PATH);
	ssize_t n;

	if (!path || !real || asprintf(&file, "%s/.", real) < 0) {
		file = NULL;
		return cli_fail(fault, CLI_IO, "cannot find the place of: %s: %s", esp, strerror(errno));
	}
	errno = 0;
	n = efi_generate_file_device_path(path, MAX_PATH, file, EFIBOOT_ABBREV_HD);
	if (n < 0 || !nodes_before_file((struct span){ path, (size_t)n }, &out->partition_size))
		return cli_fail(fault, CLI_IO,
			"cannot find the partition that is mounted at: %s (%s): no boot entry can name it: use --removable or "
			"--no-boot-entry",
			esp, errno ? strerror(errno) : "libefiboot knows no such device");
	out->partition = path;
	path = NULL;
	return true;
}

/* The path of a slot's application as a file node, and the end. */
static void write_file_node(struct wr *w, const char *slot)
{
	char path[FILE_CHARS];

	(void)snprintf(path, sizeof(path), BEFORE_SLOT "%s" BEHIND_SLOT, slot);
	wr_u8(w, MEDIA);
	wr_u8(w, MEDIA_FILE);
	wr_le16(w, 4 + 2 * FILE_CHARS);
	for (size_t i = 0; i < FILE_CHARS; i++)
		wr_le16(w, (uint8_t)path[i]);
	wr_u8(w, END);
	wr_u8(w, 0xff);
	wr_le16(w, 4);
}

/* FAT tells no cases apart, and somebody may have written the entry by hand. */
static char lower(uint16_t c)
{
	if (c >= 'A' && c <= 'Z')
		c = (uint16_t)(c - 'A' + 'a');
	return c < 0x80 ? (char)c : '?';
}

/* The slot that a device path leads to; false if it is not one on this partition. */
GL_MUST static bool slot_of_path(const struct boot_entries *b, struct span path, char out[SLOT_NAME_SIZE + 1])
{
	const size_t before = sizeof(BEFORE_SLOT) - 1;
	char text[FILE_CHARS], expected[FILE_CHARS], slot[SLOT_NAME_SIZE + 1] = "";
	struct rd r = rd_init(path);

	if (!span_equal(rd_bytes(&r, b->partition_size), (struct span){ b->partition, b->partition_size }) || rd_u8(&r) != MEDIA ||
		rd_u8(&r) != MEDIA_FILE || rd_le16(&r) != 4 + 2 * FILE_CHARS)
		return false;
	for (size_t i = 0; i < FILE_CHARS; i++)
		text[i] = lower(rd_le16(&r));
	if (rd_le32(&r) != (END | 0xff << 8 | 4 << 16) || !rd_done(&r))
		return false;
	if (!slot_name_valid((struct span){ (const uint8_t *)text + before, SLOT_NAME_SIZE }))
		return false;
	memcpy(slot, text + before, SLOT_NAME_SIZE);
	(void)snprintf(expected, sizeof(expected), BEFORE_SLOT "%s" BEHIND_SLOT, slot);
	for (size_t i = 0; i < FILE_CHARS; i++)
		if (lower((uint8_t)expected[i]) != text[i])
			return false;
	memcpy(out, slot, sizeof(slot));
	return true;
}

/* EFI_LOAD_OPTION, UEFI 2.10, 3.1.3: attributes, size of the path, description up to a zero, path, anything. */
bool boot_slot(const struct boot_entries *b, struct span option, char out[SLOT_NAME_SIZE + 1])
{
	struct rd r = rd_init(option);
	uint16_t size;

	(void)rd_le32(&r);
	size = rd_le16(&r);
	while (!r.bad && rd_le16(&r) != 0)
		;
	return !r.bad && slot_of_path(b, rd_bytes(&r, size), out);
}

/* ---- reading ---- */

GL_MUST static bool is_boot_name(const char *name, uint16_t *number)
{
	uint8_t v[2];

	if (strlen(name) != 8 || strncmp(name, "Boot", 4) != 0 || strspn(name + 4, "0123456789ABCDEF") != 4 || !cli_unhex(name + 4, v, 2))
		return false;
	*number = (uint16_t)(v[0] << 8 | v[1]);
	return true;
}

GL_MUST static bool add_entry(
	struct boot_entries *b, uint16_t number, const char *slot, const uint8_t *option, size_t size, struct cli_fault *fault)
{
	struct boot_entry *more = reallocarray(b->entries, b->count + 1, sizeof(*more));
	size_t at = b->count;

	if (!more)
		return cli_fail(fault, CLI_IO, "out of memory: boot entries");
	b->entries = more;
	for (; at > 0 && more[at - 1].number > number; at--)
		more[at] = more[at - 1];
	more[at] = (struct boot_entry){ .number = number, .option = malloc(size ? size : 1), .size = size };
	b->count++;
	b->used[number / 8] |= (uint8_t)(1u << number % 8);
	memcpy(more[at].slot, slot, sizeof(more[at].slot));
	if (!more[at].option)
		return cli_fail(fault, CLI_IO, "out of memory: boot entries");
	memcpy(more[at].option, option, size);
	return true;
}

/* What cannot be read (the kernel shows the empty shell of a variable whose writer was killed) is not ours, but has its number. */
GL_MUST static bool look_at(struct boot_entries *b, const char *name, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *data = NULL;
	char slot[SLOT_NAME_SIZE + 1];
	uint32_t attributes;
	uint16_t number;
	size_t n = 0;

	if (!is_boot_name(name, &number))
		return true;
	b->used[number / 8] |= (uint8_t)(1u << number % 8);
	if (efi_get_variable(efi_guid_global, name, &data, &n, &attributes) != 0 || !boot_slot(b, (struct span){ data, n }, slot))
		return true;
	return add_entry(b, number, slot, data, n, fault);
}

GL_MUST static bool read_entries(struct boot_entries *b, struct cli_fault *fault)
{
	efi_guid_t *guid = NULL;
	char *name = NULL;
	int more;

	/* To its end in any case: libefivar keeps the folder open until then. */
	while ((more = efi_get_next_variable_name(&guid, &name)) > 0)
		if (!efi_guid_cmp(guid, &efi_guid_global) && !look_at(b, name, fault)) {
			while (efi_get_next_variable_name(&guid, &name) > 0)
				;
			return false;
		}
	return more == 0 || cli_fail(fault, CLI_IO, "cannot read the firmware's variables: %s: are you root?", strerror(errno));
}

GL_MUST static bool read_order(struct boot_entries *b, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *data = NULL;
	uint32_t attributes;
	struct rd r;
	size_t n = 0;

	if (efi_get_variable(efi_guid_global, "BootOrder", &data, &n, &attributes) != 0) {
		if (errno != ENOENT)
			return cli_fail(fault, CLI_IO, "cannot read the firmware's variable BootOrder: %s: are you root?", strerror(errno));
		n = 0;
	}
	if (n % 2 != 0)
		return cli_fail(fault, CLI_INPUT,
			"the firmware's variable BootOrder has %zu bytes, which is no list of entries: set it with efibootmgr -o", n);
	r = rd_init((struct span){ data, n });
	b->order = calloc(n / 2 + 1, sizeof(*b->order));
	if (!b->order)
		return cli_fail(fault, CLI_IO, "out of memory: boot entries");
	for (b->order_count = 0; b->order_count < n / 2; b->order_count++)
		b->order[b->order_count] = rd_le16(&r);
	return true;
}

bool boot_read(const char *esp, struct boot_entries *out, struct cli_fault *fault)
{
	return find_partition(esp, out, fault) && read_entries(out, fault) && read_order(out, fault);
}

static const struct boot_entry *by_number(const struct boot_entries *b, uint16_t number)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->entries[i].number == number)
			return &b->entries[i];
	return NULL;
}

const struct boot_entry *boot_next(const struct boot_entries *b, size_t *at)
{
	while (*at < b->order_count) {
		const struct boot_entry *e = by_number(b, b->order[(*at)++]);

		if (e)
			return e;
	}
	return NULL;
}

const struct boot_entry *boot_find(const struct boot_entries *b, const char *slot)
{
	const struct boot_entry *e;

	for (size_t at = 0; (e = boot_next(b, &at));)
		if (!strcmp(e->slot, slot))
			return e;
	for (size_t i = 0; i < b->count; i++)
		if (!strcmp(b->entries[i].slot, slot))
			return &b->entries[i];
	return NULL;
}

/* ---- writing ---- */

GL_MUST static bool set_variable(const char *name, uint8_t *data, size_t n, struct cli_fault *fault)
{
	return efi_set_variable(efi_guid_global, name, data, n, ATTRIBUTES, 0644) == 0 ||
	       cli_fail(fault, CLI_IO, "cannot write the firmware's variable %s: %s%s", name, strerror(errno),
		       errno == ENOSPC ? ": remove boot entries that are of no use with efibootmgr" : "");
}

GL_MUST static bool make_option(
	const struct boot_entries *b, const char *slot, const char *label, uint8_t buf[MAX_OPTION], size_t *n, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *path = malloc(MAX_PATH);
	struct wr w = wr_init((struct mspan){ path, MAX_PATH });
	unsigned char text[96];
	ssize_t size;

	if (!path)
		return cli_fail(fault, CLI_IO, "out of memory: boot entries");
	(void)snprintf((char *)text, sizeof(text), "geolaunch %s %.8s", label, slot);
	wr_bytes(&w, (struct span){ b->partition, b->partition_size });
	write_file_node(&w, slot);
	size = w.bad ? -1 : efi_loadopt_create(buf, MAX_OPTION, ACTIVE, (efidp)(void *)path, (ssize_t)w.off, text, NULL, 0);
	*n = size < 0 ? 0 : (size_t)size;
	return size > 0 || cli_fail(fault, CLI_IO, "cannot put together the boot entry of: %s: %s", slot, strerror(errno));
}

bool boot_make(struct boot_entries *b, const char *slot, const char *label, bool *changed, struct cli_fault *fault)
{
	const struct boot_entry *have = boot_find(b, slot);
	CLEANUP_FREE uint8_t *option = malloc(MAX_OPTION);
	unsigned number = 0;
	char name[9];
	size_t n = 0;

	if (!option)
		return cli_fail(fault, CLI_IO, "out of memory: boot entries");
	if (!make_option(b, slot, label, option, &n, fault))
		return false;
	if (have && span_equal((struct span){ have->option, have->size }, (struct span){ option, n }))
		return true;
	while (!have && number < 65536 && b->used[number / 8] & 1u << number % 8)
		number++;
	if (number == 65536)
		return cli_fail(fault, CLI_IO, "the firmware has no number left for a boot entry: remove some with efibootmgr");
	variable_name(have ? have->number : (uint16_t)number, name);
	*changed = true;
	if (!set_variable(name, option, n, fault))
		return false;
	if (!have)
		return add_entry(b, (uint16_t)number, slot, option, n, fault);
	/* Only what is ours is written over, so the path is the same; what differs is label or flags. */
	return true;
}

GL_MUST static bool write_order(struct boot_entries *b, const uint16_t *order, size_t n, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *data = malloc(2 * n + 1);
	struct wr w = wr_init((struct mspan){ data, 2 * n });

	if (!data)
		return cli_fail(fault, CLI_IO, "out of memory: boot entries");
	for (size_t i = 0; i < n; i++)
		wr_le16(&w, order[i]);
	if (n > 0)
		return set_variable("BootOrder", data, 2 * n, fault);
	/* A variable of no bytes is none. */
	return b->order_count == 0 || efi_del_variable(efi_guid_global, "BootOrder") == 0 ||
	       cli_fail(fault, CLI_IO, "cannot remove the firmware's variable BootOrder: %s", strerror(errno));
}

bool boot_order(struct boot_entries *b, const char *const *slots, size_t n, bool *changed, struct cli_fault *fault)
{
	CLEANUP_FREE uint16_t *order = calloc(b->order_count + n + 1, sizeof(*order));
	size_t first = 0, count = 0;
	uint16_t *old = b->order;

	if (!order)
		return cli_fail(fault, CLI_IO, "out of memory: boot entries");
	while (first < b->order_count && !by_number(b, b->order[first]))
		first++;
	if (first == b->order_count)
		first = 0;
	for (size_t i = 0; i <= b->order_count; i++) {
		for (size_t k = 0; i == first && k < n; k++) {
			const struct boot_entry *e = boot_find(b, slots[k]);

			if (e)
				order[count++] = e->number;
		}
		if (i < b->order_count && !by_number(b, b->order[i]))
			order[count++] = b->order[i];
	}
	if (count == b->order_count && memcmp(order, b->order, count * sizeof(*order)) == 0)
		return true;
	*changed = true;
	if (!write_order(b, order, count, fault))
		return false;
	b->order = order;
	b->order_count = count;
	order = old;
	return true;
}

static bool kept(const struct boot_entries *b, const struct boot_entry *e, const char *const *slots, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (boot_find(b, slots[i]) == e)
			return true;
	return false;
}

bool boot_forget(struct boot_entries *b, const char *const *slots, size_t n, bool *changed, struct cli_fault *fault)
{
	for (size_t i = b->count; i-- > 0;) {
		struct boot_entry *e = &b->entries[i];
		char name[9];

		if (kept(b, e, slots, n))
			continue;
		variable_name(e->number, name);
		*changed = true;
		if (efi_del_variable(efi_guid_global, name) != 0)
			return cli_fail(fault, CLI_IO, "cannot remove the firmware's variable %s: %s", name, strerror(errno));
		b->used[e->number / 8] &= (uint8_t) ~(1u << e->number % 8);
		free(e->option);
		memmove(e, e + 1, (b->count - i - 1) * sizeof(*e));
		b->count--;
	}
	return true;
}
