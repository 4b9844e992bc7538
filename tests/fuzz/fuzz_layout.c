/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The firmware's memory map and the places in it. Input: u8 size of a descriptor above 40, u32 tboot's low and size, u32 moved, u32 min_ram, three
 * u32 sizes of items, then descriptors. Whatever the map is, what is placed lies in memory that is free, apart, and above tboot, and the
 * check of the last moment agrees; a map that was joined is the same memory.
 */
#include <stdlib.h>
#include <string.h>

#include "efi/core/layout.h"
#include "tests/fuzz/exact.h"

#define MAX_MAP 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct efi_map map, joined, scratch;
static struct mb2_memory memory[EFI_MAP_MAX + 1];

static void check_order(const struct efi_map *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->regions[i].size == 0 || (i && m->regions[i].base < m->regions[i - 1].base + m->regions[i - 1].size))
			abort();
}

static void check_mb2(void)
{
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct mb2_memory *few;
	uint64_t ram = 0, told = 0;
	size_t n;

	if (!efi_map_to_mb2(&map, memory, EFI_MAP_MAX + 1, &n))
		abort();
	for (size_t i = 0; i < map.count; i++)
		ram += efi_map_is_ram(map.regions[i].kind) ? map.regions[i].size : 0;
	for (size_t i = 0; i < n; i++) {
		told += memory[i].type == MB2_MEMORY_AVAILABLE ? memory[i].size : 0;
		if (memory[i].base < UINT64_C(1) << 32 && memory[i].size > (UINT64_C(1) << 32) - memory[i].base)
			abort();
	}
	if (ram != told)
		abort();
	/* One place less than is needed: refused. */
	few = exact_room(&x, n * sizeof(*few));
	if (!efi_map_to_mb2(&map, few, n, &n))
		abort();
	few = exact_room(&x, (n ? n - 1 : 0) * sizeof(*few));
	if (n > 0 && efi_map_to_mb2(&map, few, n - 1, &n))
		abort();
}

static uint64_t ram_of(const struct efi_map *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->count; i++)
		sum += efi_map_is_ram(m->regions[i].kind) ? m->regions[i].size : 0;
	return sum;
}

static void check_join(struct span bytes, size_t descriptor)
{
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	uint8_t *copy = exact_room(&x, bytes.n);
	size_t n;

	if (bytes.n)
		memcpy(copy, bytes.p, bytes.n);
	n = efi_map_join((struct mspan){ copy, bytes.n }, descriptor);
	if (n > bytes.n || efi_map_read(exact_copy(&x, (struct span){ copy, n }), descriptor, &joined) != EFI_MAP_OK ||
		ram_of(&joined) != ram_of(&map))
		abort();
}

static bool is_free(uint64_t base, uint64_t n)
{
	for (size_t i = 0; i < map.count; i++)
		if (map.regions[i].kind == EFI_MAP_FREE &&
			txt_range_contains((struct txt_range){ map.regions[i].base, map.regions[i].size }, (struct txt_range){ base, n }))
			return true;
	return false;
}

static void check_places(const struct layout_rules *r, const struct layout_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_free(items[i].address, items[i].size) || items[i].address % EFI_PAGE || items[i].address < r->tboot_high)
			abort();
		for (size_t k = 0; k < i; k++)
			if (txt_range_overlaps((struct txt_range){ items[i].address, items[i].size },
				    (struct txt_range){ items[k].address, items[k].size }))
				abort();
	}
	if (items[0].address - r->tboot_high < r->moved)
		abort();
	/* As long as tboot's place is not known there is nothing to check. */
	if (r->tboot_high && layout_check(&map, r, items, count, &scratch) != LAYOUT_OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd rd = rd_init((struct span){ data, size });
	size_t descriptor = EFI_DESCRIPTOR_MIN + rd_u8(&rd) % 16;
	struct layout_rules r = { .tboot_low = rd_le32(&rd) };
	struct layout_item items[3];
	uint32_t n = rd_le32(&rd);
	struct span bytes;
	enum efi_map_error error;
	enum layout_error placed;

	r.tboot_high = n > UINT32_MAX - r.tboot_low ? UINT32_MAX : r.tboot_low + n;
	r.moved = rd_le32(&rd);
	r.min_ram = rd_le32(&rd);
	for (size_t i = 0; i < GL_COUNT(items); i++)
		items[i].size = (uint64_t)rd_le32(&rd) + 1;
	bytes = rd_bytes(&rd, rd_left(&rd));
	if (rd.bad || bytes.n > MAX_MAP)
		return 0;
	error = efi_map_read(bytes, descriptor, &map);
	if (!efi_map_strerror(error)[0])
		abort();
	if (error)
		return 0;
	check_order(&map);
	check_mb2();
	check_join(bytes, descriptor);
	if (!layout_kept(&map, r.min_ram, &scratch))
		abort();
	check_order(&scratch);
	placed = layout_place(&map, &r, items, GL_COUNT(items), &scratch);
	if (!layout_strerror(placed)[0])
		abort();
	if (placed == LAYOUT_OK)
		check_places(&r, items, GL_COUNT(items));
	return 0;
}
