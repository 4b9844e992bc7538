/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Initrd members. Input: u16 initrd size; per member u16 mode, u8 shift, u16 size (shifted left by shift % 64), u8 length of the path,
 * path. The archive is walked by its headers: it must be whole, and every member's data must lie where the layout says.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "boot/cpio.h"
#include "tests/fuzz/exact.h"

#define MAX_MEMBERS 64
#define MAX_TOTAL ((size_t)1 << 20)
#define HEADER_SIZE 110

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cpio_member members[MAX_MEMBERS];

static size_t read_members(struct rd *r)
{
	size_t count = 0;

	while (count < MAX_MEMBERS && rd_left(r) > 0) {
		struct cpio_member *m = &members[count];

		m->mode = rd_le16(r);
		m->size = rd_u8(r) % 64;
		m->size = (uint64_t)rd_le16(r) << m->size;
		m->path = rd_bytes(r, rd_u8(r));
		m->offset = 0;
		if (r->bad)
			break;
		count++;
	}
	return count;
}

static size_t hex(const uint8_t *p)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t v = 0;

	for (unsigned i = 0; i < 8; i++) {
		const char *digit = memchr(digits, p[i], 16);

		if (!digit)
			abort();
		v = v << 4 | (size_t)(digit - digits);
	}
	return v;
}

static void walk(const uint8_t *whole, size_t at, size_t total, size_t count)
{
	for (size_t next = 0;;) {
		at = (at + 3) / 4 * 4;
		if (at + HEADER_SIZE > total || memcmp(whole + at, "070701", 6) != 0)
			abort();

		size_t file_size = hex(whole + at + 54), name_size = hex(whole + at + 94), mode = hex(whole + at + 14);
		const uint8_t *name = whole + at + HEADER_SIZE;
		size_t file = (at + HEADER_SIZE + name_size + 3) / 4 * 4;

		if (file > total || name[name_size - 1] != 0)
			abort();
		if (strcmp((const char *)name, "TRAILER!!!") == 0) {
			if (file != total || next != count)
				abort();
			return;
		}
		if ((mode & 0170000) == 0100000) {
			const struct cpio_member *m = &members[next];

			if (next++ >= count || m->offset != file || m->size != file_size || m->path.n != name_size ||
				memcmp(m->path.p + 1, name, name_size - 1) != 0)
				abort();
		}
		at = file + file_size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct span){ data, size });
	size_t initrd_size = rd_le16(&r), count = read_members(&r), total = 0;
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct mspan whole;

	if (cpio_layout(initrd_size, members, count, &total) || total > MAX_TOTAL)
		return 0;
	whole = exact_span(&x, total);
	if (cpio_write(whole, initrd_size, members, count))
		abort();
	for (size_t i = 0; i < initrd_size; i++)
		if (whole.p[i] != 0xaa)
			abort();
	/* A byte less than that is refused. */
	if (total && !cpio_write(exact_span(&x, total - 1), initrd_size, members, count))
		abort();
	if (count == 0 && total != initrd_size)
		abort();
	if (count > 0)
		walk(whole.p, initrd_size, total, count);
	return 0;
}
