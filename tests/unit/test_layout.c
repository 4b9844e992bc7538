/* SPDX-License-Identifier: BSD-3-Clause */
/* efi/core/efi_map.c and efi/core/layout.c: firmware's maps, known ones and random ones, and what tboot makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "efi/core/layout.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define PAGE UINT64_C(4096)
#define DESCRIPTOR 48 /* as edk2 makes them: 40 and something to come */

enum {
	LOADER_CODE = 1,
	LOADER_DATA,
	BOOT_CODE,
	BOOT_DATA,
	RUNTIME_CODE,
	RUNTIME_DATA,
	CONVENTIONAL,
	UNUSABLE,
	ACPI,
	NVS,
	MMIO,
	PERSISTENT = 14
};

static struct {
	uint8_t bytes[2048 * DESCRIPTOR];
	size_t n;
} raw;

static struct efi_map map, scratch, kept;

static void add(uint32_t type, uint64_t base, uint64_t end)
{
	struct wr w = wr_init((struct mspan){ raw.bytes + raw.n, DESCRIPTOR });

	wr_le32(&w, type);
	wr_le32(&w, 0xdeadbeef);
	wr_le64(&w, base);
	wr_le64(&w, 0x1234);
	wr_le64(&w, (end - base) / PAGE);
	wr_le64(&w, 0xf);
	raw.n += DESCRIPTOR;
}

static enum efi_map_error read_map(void)
{
	return efi_map_read((struct span){ raw.bytes, raw.n }, DESCRIPTOR, &map);
}

/* OVMF with 1 GiB, as the TXT platform has it. */
static void ovmf(void)
{
	raw.n = 0;
	add(BOOT_CODE, 0, PAGE);
	add(CONVENTIONAL, PAGE, 0xa0000);
	add(CONVENTIONAL, MIB, 0x800000);
	add(BOOT_DATA, 0x800000, 0x1600000);
	add(CONVENTIONAL, 0x1600000, 0x3bfde000);
	add(LOADER_DATA, 0x3bfde000, 0x3e3bd000);
	add(BOOT_DATA, 0x3e3bd000, 0x3eeb9000);
	add(RUNTIME_DATA, 0x3eeb9000, 0x3ef7a000);
	add(BOOT_DATA, 0x3ef7a000, 0x3f8ed000);
	add(RUNTIME_CODE, 0x3f8ed000, 0x3faed000);
	add(CONVENTIONAL, 0x3faed000, 0x3fb73000);
	add(ACPI, 0x3fb73000, 0x3fb7f000);
	add(NVS, 0x3fb7f000, 0x3fbff000);
	add(BOOT_DATA, 0x3fbff000, 0x3ffe0000);
	add(RUNTIME_DATA, 0x3ffe0000, GIB);
	add(MMIO, 0xb0000000, 0xc0000000);
	assert_int_equal(read_map(), EFI_MAP_OK);
}

static const struct layout_rules usual = { .tboot_low = 0x800000, .tboot_high = 0x2a8ad54, .moved = 16 * MIB, .min_ram = 0x2000000 };

static void test_read(void **state)
{
	(void)state;
	ovmf();
	/* 0-a0000: boot code and free; the loader's and boot data are kinds of their own. */
	assert_int_equal(map.regions[0].kind, EFI_MAP_BOOT);
	assert_int_equal(map.regions[1].kind, EFI_MAP_FREE);
	assert_int_equal(map.count, 16);
	/* Any order, neighbours of a kind become one. */
	raw.n = 0;
	add(CONVENTIONAL, 3 * MIB, 4 * MIB);
	add(CONVENTIONAL, MIB, 2 * MIB);
	add(MMIO, 8 * MIB, 9 * MIB);
	add(CONVENTIONAL, 2 * MIB, 3 * MIB);
	add(RUNTIME_CODE, 9 * MIB, 10 * MIB);
	add(CONVENTIONAL, 20 * MIB, 20 * MIB);
	assert_int_equal(read_map(), EFI_MAP_OK);
	assert_int_equal(map.count, 2);
	assert_int_equal(map.regions[0].base, MIB);
	assert_int_equal(map.regions[0].size, 3 * MIB);
	assert_int_equal(map.regions[1].kind, EFI_MAP_RESERVED);
	assert_int_equal(map.regions[1].size, 2 * MIB);
}

static void test_kinds(void **state)
{
	/* clang-format off */
	static const struct { uint32_t type; enum efi_map_kind kind; uint32_t mb2; } rows[] = {
		{ 0, EFI_MAP_RESERVED, 2 }, { LOADER_CODE, EFI_MAP_LOADER, 1 }, { LOADER_DATA, EFI_MAP_LOADER, 1 }, { BOOT_CODE, EFI_MAP_BOOT, 1 },
		{ BOOT_DATA, EFI_MAP_BOOT, 1 }, { RUNTIME_CODE, EFI_MAP_RESERVED, 2 }, { RUNTIME_DATA, EFI_MAP_RESERVED, 2 },
		{ CONVENTIONAL, EFI_MAP_FREE, 1 }, { UNUSABLE, EFI_MAP_BAD, 5 }, { ACPI, EFI_MAP_ACPI, 3 }, { NVS, EFI_MAP_NVS, 4 },
		{ MMIO, EFI_MAP_RESERVED, 2 }, { 12, EFI_MAP_RESERVED, 2 }, { 13, EFI_MAP_RESERVED, 2 }, { PERSISTENT, EFI_MAP_RESERVED, 2 },
		{ 15, EFI_MAP_RESERVED, 2 }, { 0x80000000, EFI_MAP_RESERVED, 2 }, { UINT32_MAX, EFI_MAP_RESERVED, 2 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct mb2_memory m[2];
		size_t n;

		raw.n = 0;
		add(rows[i].type, MIB, 2 * MIB);
		assert_int_equal(read_map(), EFI_MAP_OK);
		assert_int_equal(map.regions[0].kind, rows[i].kind);
		assert_true(efi_map_to_mb2(&map, m, 2, &n));
		assert_int_equal(n, 1);
		assert_int_equal(m[0].type, rows[i].mb2);
	}
	/* Conventional, but for a special purpose. */
	raw.n = 0;
	add(CONVENTIONAL, MIB, 2 * MIB);
	raw.bytes[32 + 2] |= 0x4;
	assert_int_equal(read_map(), EFI_MAP_OK);
	assert_int_equal(map.regions[0].kind, EFI_MAP_RESERVED);
}

static void test_broken_maps(void **state)
{
	(void)state;
	ovmf();
	assert_int_equal(efi_map_read((struct span){ raw.bytes, raw.n }, 39, &map), EFI_MAP_E_DESCRIPTOR);
	assert_int_equal(efi_map_read((struct span){ raw.bytes, raw.n }, 0, &map), EFI_MAP_E_DESCRIPTOR);
	assert_int_equal(efi_map_read((struct span){ raw.bytes, raw.n - 1 }, DESCRIPTOR, &map), EFI_MAP_E_DESCRIPTOR);
	add(CONVENTIONAL, 0x1700000, 0x1701000);
	assert_int_equal(read_map(), EFI_MAP_E_OVERLAP);
	raw.n = 0;
	add(CONVENTIONAL, 3 * MIB, 5 * MIB);
	add(CONVENTIONAL, 2 * MIB, 4 * MIB);
	assert_int_equal(read_map(), EFI_MAP_E_OVERLAP);
	raw.n = 0;
	add(CONVENTIONAL, MIB + 1, MIB + 1 + PAGE);
	assert_int_equal(read_map(), EFI_MAP_E_RANGE);
	raw.n = 0;
	add(CONVENTIONAL, UINT64_MAX - PAGE + 1, 0);
	assert_int_equal(read_map(), EFI_MAP_E_RANGE);
	raw.n = 0;
	add(CONVENTIONAL, MIB, 2 * MIB);
	memset(raw.bytes + 24, 0xff, 8);
	assert_int_equal(read_map(), EFI_MAP_E_RANGE);
	raw.n = 0;
	for (uint64_t i = 0; i <= EFI_MAP_MAX; i++)
		add(CONVENTIONAL, MIB + 2 * i * PAGE, MIB + 2 * i * PAGE + PAGE);
	assert_int_equal(read_map(), EFI_MAP_E_MANY);
	for (enum efi_map_error e = 0; e < EFI_MAP_ERROR_COUNT; e++)
		assert_non_null(efi_map_strerror(e));
}

static void test_mb2(void **state)
{
	struct mb2_memory m[32];
	size_t n;

	(void)state;
	ovmf();
	assert_true(efi_map_to_mb2(&map, m, 32, &n));
	/* What OVMF's map looks like to tboot. */
	assert_int_equal(n, 11);
	assert_int_equal(m[1].base, MIB);
	assert_int_equal(m[1].size, 0x3eeb9000 - MIB);
	assert_false(efi_map_to_mb2(&map, m, n - 1, &n));
	/* RAM around 4 GiB is two entries: tboot takes one for an error. */
	raw.n = 0;
	add(CONVENTIONAL, GIB, 3 * GIB);
	add(BOOT_DATA, 3 * GIB, 5 * GIB);
	assert_int_equal(read_map(), EFI_MAP_OK);
	assert_true(efi_map_to_mb2(&map, m, 32, &n));
	assert_int_equal(n, 2);
	assert_int_equal(m[0].size, 3 * GIB);
	assert_int_equal(m[1].base, 4 * GIB);
	assert_int_equal(m[1].size, GIB);
}

static void test_join(void **state)
{
	struct efi_map before;
	size_t n;

	(void)state;
	ovmf();
	before = map;
	n = efi_map_join((struct mspan){ raw.bytes, raw.n }, DESCRIPTOR);
	assert_int_equal(n, raw.n - DESCRIPTOR);
	raw.n = n;
	assert_int_equal(read_map(), EFI_MAP_OK);
	/* The loader's part became free, all else is as it was. */
	for (size_t i = 0; i < map.count; i++)
		if (map.regions[i].base == 0x1600000)
			assert_int_equal(map.regions[i].size, 0x3e3bd000 - 0x1600000);
	assert_int_equal(map.count, before.count - 1);
	/* Other attributes are not joined. */
	raw.n = 0;
	add(CONVENTIONAL, MIB, 2 * MIB);
	add(LOADER_DATA, 2 * MIB, 3 * MIB);
	raw.bytes[DESCRIPTOR + 32] = 7;
	assert_int_equal(efi_map_join((struct mspan){ raw.bytes, raw.n }, DESCRIPTOR), raw.n);
	assert_int_equal(efi_map_join((struct mspan){ raw.bytes, 0 }, DESCRIPTOR), 0);
}

static void test_kept(void **state)
{
	(void)state;
	ovmf();
	/* Without min_ram: up to the first hole above 1 MiB, cut to 2 MiB. */
	assert_true(layout_kept(&map, 0, &kept));
	assert_int_equal(kept.count, 2);
	assert_int_equal(kept.regions[1].base + kept.regions[1].size, 0x3ee00000);
	/* A block of the size min_ram behind it keeps what lies before it, and itself. */
	raw.n = 0;
	add(CONVENTIONAL, MIB, 0x806000);
	add(NVS, 0x806000, 0x808000);
	add(CONVENTIONAL, 0x808000, 0x30000000);
	add(NVS, 0x30000000, 0x30001000);
	add(CONVENTIONAL, 0x30001000, 0x31000000);
	assert_int_equal(read_map(), EFI_MAP_OK);
	assert_true(layout_kept(&map, 0, &kept));
	assert_int_equal(kept.count, 1);
	assert_int_equal(kept.regions[0].size, 7 * MIB);
	assert_true(layout_kept(&map, 0x2000000, &kept));
	assert_int_equal(kept.count, 2);
	assert_int_equal(kept.regions[1].base, 0x808000);
	assert_int_equal(kept.regions[1].base + kept.regions[1].size, 0x30000000);
	/* Nothing above 4 GiB. */
	raw.n = 0;
	add(CONVENTIONAL, MIB, 5 * GIB);
	assert_int_equal(read_map(), EFI_MAP_OK);
	assert_true(layout_kept(&map, 0, &kept));
	assert_int_equal(kept.regions[0].base + kept.regions[0].size, 4 * GIB);
	raw.n = 0;
	assert_int_equal(read_map(), EFI_MAP_OK);
	assert_true(layout_kept(&map, 1, &kept));
	assert_int_equal(kept.count, 0);
}

static struct layout_item items[3];

static void sizes(uint64_t block, uint64_t handoff, uint64_t file)
{
	items[0] = (struct layout_item){ .size = block };
	items[1] = (struct layout_item){ .size = handoff };
	items[2] = (struct layout_item){ .size = file };
}

static void test_place(void **state)
{
	(void)state;
	ovmf();
	sizes(17 * MIB, 8192, 29840208);
	assert_int_equal(layout_place(&map, &usual, items, 3, &scratch), LAYOUT_OK);
	assert_int_equal(items[0].address, 0x3bfde000 - 17 * MIB);
	assert_int_equal(items[1].address, items[0].address - 8192);
	assert_true(items[2].address + 29840208 <= items[1].address);
	assert_int_equal(layout_check(&map, &usual, items, 3, &scratch), LAYOUT_OK);
}

static void test_refusals(void **state)
{
	struct layout_rules r = usual;

	(void)state;
	/* The firmware keeps ACPI NVS where tboot goes, as OVMF with S3 does. */
	ovmf();
	raw.n = 0;
	add(CONVENTIONAL, MIB, 0x806000);
	add(NVS, 0x806000, 0x808000);
	add(CONVENTIONAL, 0x808000, 0x30000000);
	assert_int_equal(read_map(), EFI_MAP_OK);
	sizes(17 * MIB, 8192, 30 * MIB);
	assert_int_equal(layout_place(&map, &usual, items, 3, &scratch), LAYOUT_E_TBOOT);
	/* A hole below, and no min_ram. */
	raw.n = 0;
	add(CONVENTIONAL, MIB, 0x700000);
	add(NVS, 0x700000, 0x701000);
	add(CONVENTIONAL, 0x701000, 0x30000000);
	assert_int_equal(read_map(), EFI_MAP_OK);
	r.min_ram = 0;
	assert_int_equal(layout_place(&map, &r, items, 3, &scratch), LAYOUT_E_MIN_RAM);
	assert_int_equal(layout_place(&map, &usual, items, 3, &scratch), LAYOUT_OK);
	/* Too much, and just not too much. */
	sizes(0x30000000, 8192, 30 * MIB);
	assert_int_equal(layout_place(&map, &usual, items, 3, &scratch), LAYOUT_E_ROOM);
	/* Modules that tboot would move over the information. */
	raw.n = 0;
	add(CONVENTIONAL, MIB, 0x4a00000);
	assert_int_equal(read_map(), EFI_MAP_OK);
	sizes(17 * MIB, 8192, 8192);
	assert_int_equal(layout_place(&map, &usual, items, 3, &scratch), LAYOUT_E_ROOM);
	r = usual;
	r.moved = 8 * MIB;
	assert_int_equal(layout_place(&map, &r, items, 3, &scratch), LAYOUT_OK);
	assert_int_equal(layout_check(&map, &usual, items, 3, &scratch), LAYOUT_E_PLACE);
	for (enum layout_error e = 0; e < LAYOUT_ERROR_COUNT; e++)
		assert_non_null(layout_strerror(e));
}

static void test_avoid(void **state)
{
	struct layout_rules r = usual;

	(void)state;
	ovmf();
	r.avoid[0] = (struct txt_range){ 0x3b000000, MIB };
	r.avoid[1] = (struct txt_range){ 0x3bf00000, 0x10000 };
	sizes(17 * MIB, 8192, 30 * MIB);
	assert_int_equal(layout_place(&map, &r, items, 3, &scratch), LAYOUT_OK);
	assert_int_equal(items[0].address, 0x3b000000 - 17 * MIB);
	/* The small one fits between. */
	assert_int_equal(items[1].address, 0x3bfde000 - 8192);
	r.avoid[2] = (struct txt_range){ items[1].address, 1 };
	assert_int_equal(layout_check(&map, &r, items, 3, &scratch), LAYOUT_E_PLACE);
}

/* ---- random maps against the rules, said once more by single pages ---- */

static uint32_t seed;

static uint32_t next(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

#define RANDOM_PAGES 24576 /* 96 MiB */
static uint8_t types[RANDOM_PAGES];

static void random_map(void)
{
	uint64_t at = 0;

	raw.n = 0;
	memset(types, MMIO, sizeof(types));
	while (at < RANDOM_PAGES && raw.n < sizeof(raw.bytes) - DESCRIPTOR) {
		static const uint8_t some[] = { CONVENTIONAL, CONVENTIONAL, CONVENTIONAL, BOOT_DATA, LOADER_DATA, NVS, RUNTIME_DATA, ACPI };
		uint64_t n = next() % 4 ? next() % 9000 + 1 : next() % 8 + 1;
		uint8_t type = some[next() % (n > 8 ? 5 : sizeof(some))];

		if (n > RANDOM_PAGES - at)
			n = RANDOM_PAGES - at;
		if (next() % 32) {
			add(type, at * PAGE, (at + n) * PAGE);
			memset(types + at, type, n);
		}
		at += n;
	}
	assert_int_equal(read_map(), EFI_MAP_OK);
}

static bool ram(uint64_t page)
{
	return page < RANDOM_PAGES && (types[page] == CONVENTIONAL || types[page] == BOOT_DATA || types[page] == LOADER_DATA);
}

static void test_random(void **state)
{
	unsigned placed = 0, refused = 0;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct layout_rules r = { .tboot_low = 0x200000,
			.tboot_high = 0x200000 + next() % 0x800000 + 1,
			.moved = next() % 0x800000,
			.min_ram = next() % 2 ? 0 : 0x400000,
			.avoid = { { next() % RANDOM_PAGES * PAGE, next() % 64 * PAGE } } };

		random_map();
		sizes(next() % 0xc00000 + 1, 8192, next() % 0x800000 + 1);
		if (layout_place(&map, &r, items, 3, &scratch) != LAYOUT_OK) {
			refused++;
			continue;
		}
		placed++;
		assert_int_equal(layout_check(&map, &r, items, 3, &scratch), LAYOUT_OK);
		assert_true(layout_kept(&map, r.min_ram, &kept));
		for (uint64_t p = r.tboot_low / PAGE; p * PAGE < r.tboot_high; p++)
			assert_true(ram(p));
		for (size_t i = 0; i < 3; i++) {
			struct txt_range at = { items[i].address, items[i].size };
			bool inside = false;

			assert_int_equal(at.base % PAGE, 0);
			assert_true(at.base >= r.tboot_high + (i == 0 ? r.moved : 0));
			for (uint64_t p = at.base / PAGE; p * PAGE < at.base + at.size; p++)
				assert_int_equal(types[p], CONVENTIONAL);
			for (size_t k = 0; k < kept.count; k++)
				inside = inside || txt_range_contains((struct txt_range){ kept.regions[k].base, kept.regions[k].size }, at);
			assert_true(inside);
			assert_false(txt_range_overlaps(at, r.avoid[0]));
			for (size_t k = 0; k < i; k++)
				assert_false(txt_range_overlaps(at, (struct txt_range){ items[k].address, items[k].size }));
		}
	}
	/* Both ways are taken often. */
	assert_in_range(placed, 300, 2700);
	assert_int_equal(placed + refused, 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_broken_maps),
		cmocka_unit_test(test_mb2),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_avoid),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
