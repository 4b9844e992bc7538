/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux kernel images. Input: u8 number of e820 entries, u32 initrd, u32 initrd size, then the file. What is accepted lies inside of the
 * file, and its zero page carries the header and what was asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/linux_params.h"
#include "common/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t page[LINUX_PARAMS_SIZE];
static struct linux_e820 e820[256];

static void check(bool ok)
{
	if (!ok)
		abort();
}

static uint64_t get(size_t at, size_t width)
{
	struct rd r = rd_init((struct span){ page + at, width });

	return rd_le(&r, width);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct span){ data, size });
	struct bzimage b;
	struct linux_params p = { .image = &b, .e820 = e820, .cmdline = 0x1234, .tboot = 0x5678 };
	struct span file;

	p.e820_count = rd_u8(&r);
	p.initrd = rd_le32(&r);
	p.initrd_size = rd_le32(&r);
	if (r.bad)
		return 0;
	file = rd_bytes(&r, rd_left(&r));
	enum bzimage_error error = bzimage_parse(file, &b);

	check(bzimage_strerror(error)[0] != 0);
	if (error)
		return 0;
	check(bzimage_is(file) && b.protocol >= BZIMAGE_MIN_PROTOCOL);
	check(b.header.p == file.p + BZIMAGE_HEADER_OFFSET && b.header.n <= BZIMAGE_HEADER_MAX);
	check(b.kernel.n > 0 && b.kernel.p >= b.header.p + b.header.n && b.kernel.p + b.kernel.n == file.p + file.n);
	check(b.init_size >= b.kernel.n && b.pref_address + b.init_size <= UINT32_MAX);
	check(!b.relocatable || (b.alignment & (b.alignment - 1)) == 0);

	memset(page, 0xaa, sizeof(page));
	if (!linux_params_write(&p, (struct mspan){ page, sizeof(page) })) {
		check(page[0] == 0xaa && page[LINUX_PARAMS_SIZE - 1] == 0xaa);
		return 0;
	}
	check(p.e820_count > 0 && p.e820_count <= LINUX_E820_MAX);
	check(get(0x1e8, 1) == p.e820_count && get(0x228, 4) == 0x1234 && get(0x58, 8) == 0x5678);
	check(get(0x21c, 4) == p.initrd_size && (p.initrd_size == 0 || (uint64_t)p.initrd + p.initrd_size - 1 <= b.initrd_max));
	check(get(0x202, 4) == 0x53726448 && get(0x206, 2) == b.protocol);
	return 0;
}
