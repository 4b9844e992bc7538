/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux kernel images. Input: u8 number of e820 entries, u32 initrd, u32 initrd size, then the file, from whose bytes what else is said about the
 * machine is made: e820 entries, a screen, EFI's places. What is accepted lies inside of the file, and its zero page carries the header and what was
 * asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/linux_params.h"
#include "common/cursor.h"
#include "tests/fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *page;

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

/* Numbers out of the file's end, or 0. */
static void read_machine(struct rd *r, struct linux_e820 *e820, size_t count, struct linux_screen *s, struct linux_efi *e)
{
	for (size_t i = 0; i < count; i++)
		e820[i] = (struct linux_e820){ rd_le32(r), rd_le64(r), rd_u8(r) % 6u };
	*s = (struct linux_screen){
		.address = rd_le64(r), .size = rd_le64(r), .width = rd_le16(r), .height = rd_le16(r), .pitch = rd_le16(r), .depth = rd_u8(r)
	};
	s->efi = s->depth & 1;
	s->red.position = rd_u8(r);
	s->red.size = rd_u8(r);
	*e = (struct linux_efi){
		.is64 = rd_u8(r) & 1, .system_table = rd_le64(r), .map = rd_le64(r), .map_size = rd_le32(r), .descriptor_size = rd_le32(r)
	};
}

static void check_machine(const struct linux_params *p)
{
	const struct linux_screen *s = p->screen;
	const struct linux_efi *e = p->efi;

	for (size_t i = 0; i < p->e820_count; i++)
		check(get(0x2d0 + 20 * i, 8) == p->e820[i].base && get(0x2d8 + 20 * i, 8) == p->e820[i].size &&
			get(0x2e0 + 20 * i, 4) == p->e820[i].type);
	/* What lies behind the table is not part of it. */
	check(p->e820_count == LINUX_E820_MAX || get(0x2d0 + 20 * p->e820_count, 8) == 0);
	check(get(0x0f, 1) == (s->efi ? 0x70 : 0x23) && get(0x12, 2) == s->width && get(0x14, 2) == s->height && get(0x16, 2) == s->depth);
	check(get(0x18, 4) == (uint32_t)s->address && get(0x3a, 4) == s->address >> 32 && get(0x24, 2) == s->pitch);
	check(get(0x26, 1) == s->red.size && get(0x27, 1) == s->red.position);
	check(get(0x1c0, 4) == (e->is64 ? 0x34364c45 : 0x32334c45) && (get(0x1c4, 4) | get(0x1d8, 4) << 32) == e->system_table);
	check((get(0x1d0, 4) | get(0x1dc, 4) << 32) == e->map && get(0x1d4, 4) == e->map_size && get(0x1c8, 4) == e->descriptor_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct span){ data, size });
	struct bzimage b;
	struct linux_screen screen;
	struct linux_efi efi;
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct linux_params p = { .image = &b, .cmdline = 0x1234, .tboot = 0x5678, .rsdp = 0x9abc, .screen = &screen, .efi = &efi };
	struct linux_e820 *e820;
	struct rd machine;
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

	e820 = exact_room(&x, p.e820_count * sizeof(*e820));
	p.e820 = e820;
	machine = rd_init((struct span){ b.kernel.p, b.kernel.n });
	read_machine(&machine, e820, p.e820_count, &screen, &efi);
	page = exact_room(&x, LINUX_PARAMS_SIZE);
	check(!linux_params_write(&p, exact_span(&x, LINUX_PARAMS_SIZE - 1)));
	if (!linux_params_write(&p, (struct mspan){ page, LINUX_PARAMS_SIZE })) {
		check(page[0] == 0xaa && page[LINUX_PARAMS_SIZE - 1] == 0xaa);
		return 0;
	}
	check(p.e820_count > 0 && p.e820_count <= LINUX_E820_MAX);
	check(get(0x1e8, 1) == p.e820_count && get(0x228, 4) == 0x1234 && get(0x58, 8) == 0x5678);
	check(get(0x21c, 4) == p.initrd_size && (p.initrd_size == 0 || (uint64_t)p.initrd + p.initrd_size - 1 <= b.initrd_max));
	check(get(0x202, 4) == 0x53726448 && get(0x206, 2) == b.protocol && get(0x70, 8) == 0x9abc);
	check_machine(&p);
	return 0;
}
