/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/layout.h"

#define ONE_MIB UINT64_C(0x100000)
#define TWO_MIB UINT64_C(0x200000)
#define FOUR_GIB (UINT64_C(1) << 32)

static const char *const texts[LAYOUT_ERROR_COUNT] = {
	[LAYOUT_OK] = "no error",
	[LAYOUT_E_TBOOT] = "the firmware keeps memory at the address that tboot is linked to",
	[LAYOUT_E_ROOM] = "not enough free memory below 4 GiB",
	[LAYOUT_E_MIN_RAM] = "tboot would drop the memory above a small region that the firmware keeps",
	[LAYOUT_E_PLACE] = "memory that was free is not any more",
	[LAYOUT_E_MAP] = "the firmware's memory map has too many regions",
};

const char *layout_strerror(enum layout_error e)
{
	return texts[(size_t)e < LAYOUT_ERROR_COUNT ? e : LAYOUT_E_ROOM];
}

static uint64_t end_of(const struct efi_region *r)
{
	return r->base + r->size;
}

/* Walks the map by what tboot can tell apart: RAM or not, with RAM's neighbours in one. False at the end. */
static bool next_block(const struct efi_map *map, size_t *i, struct txt_range *block, bool *ram)
{
	const struct efi_region *r;

	if (*i == map->count)
		return false;
	r = &map->regions[(*i)++];
	*ram = efi_map_is_ram(r->kind);
	*block = (struct txt_range){ r->base, r->size };
	while (*ram && *i < map->count && efi_map_is_ram(map->regions[*i].kind) && map->regions[*i].base == block->base + block->size &&
		map->regions[*i].base != FOUR_GIB)
		block->size += map->regions[(*i)++].size;
	/* RAM across 4 GiB is told as two blocks (efi_map_to_mb2()); what is above is of no interest here. */
	if (*ram && block->base < FOUR_GIB && block->size > FOUR_GIB - block->base)
		block->size = FOUR_GIB - block->base;
	return true;
}

/* get_highest_sized_ram(): the base of the highest block of RAM of that size. */
static uint64_t highest(const struct efi_map *map, uint64_t size)
{
	struct txt_range b;
	uint64_t found = 0;
	size_t i = 0;
	bool ram;

	while (size > 0 && next_block(map, &i, &b, &ram))
		if (ram && b.base < FOUR_GIB && size <= b.size)
			found = b.base;
	return found;
}

/* The range that DMA protection covers is a number of 2 MiB from a multiple of 2 MiB; tboot reserves what is behind. */
static void cut_to_protected(struct efi_map *out)
{
	uint64_t low, top;

	if (!out->count)
		return;
	low = out->regions[0].base & ~(TWO_MIB - 1);
	top = low + ((end_of(&out->regions[out->count - 1]) - low) & ~(TWO_MIB - 1));
	while (out->count && out->regions[out->count - 1].base >= top)
		out->count--;
	if (out->count && end_of(&out->regions[out->count - 1]) > top)
		out->regions[out->count - 1].size = top - out->regions[out->count - 1].base;
}

bool layout_kept(const struct efi_map *map, uint64_t min_ram, struct efi_map *out)
{
	uint64_t last = highest(map, min_ram);
	bool hole = false, any = false, ram;
	struct txt_range b;
	size_t i = 0;

	out->count = 0;
	while (next_block(map, &i, &b, &ram) && b.base < FOUR_GIB) {
		if (!ram) {
			hole = hole || (any && b.base + b.size > ONE_MIB);
			continue;
		}
		any = true;
		if (hole && b.base > last)
			continue;
		if (out->count == EFI_MAP_MAX)
			return false;
		out->regions[out->count++] = (struct efi_region){ b.base, b.size, EFI_MAP_FREE };
	}
	cut_to_protected(out);
	return true;
}

static bool inside(const struct efi_map *kept, uint64_t base, uint64_t size)
{
	for (size_t i = 0; i < kept->count; i++)
		if (txt_range_contains(
			    (struct txt_range){ kept->regions[i].base, kept->regions[i].size }, (struct txt_range){ base, size }))
			return true;
	return false;
}

static bool tboot_inside(const struct efi_map *kept, const struct layout_rules *r)
{
	return !r->tboot_high || inside(kept, r->tboot_low, r->tboot_high - r->tboot_low);
}

bool layout_tboot_fits(const struct efi_map *map, const struct layout_rules *r)
{
	struct txt_range b, tboot = { r->tboot_low, r->tboot_high - r->tboot_low };
	size_t i = 0;
	bool ram;

	while (next_block(map, &i, &b, &ram))
		if (ram && txt_range_contains(b, tboot))
			return r->tboot_low < r->tboot_high;
	return false;
}

/* The first thing in [base, base + size) that must be kept clear: its base, or `none`. */
static uint64_t conflict(const struct layout_rules *r, const struct layout_item *placed, size_t count, struct txt_range at, uint64_t none)
{
	uint64_t lowest = none;

	for (size_t i = 0; i < LAYOUT_MAX_AVOID; i++)
		if (txt_range_overlaps(r->avoid[i], at) && r->avoid[i].base < lowest)
			lowest = r->avoid[i].base;
	for (size_t i = 0; i < count; i++)
		if (txt_range_overlaps((struct txt_range){ placed[i].address, placed[i].size }, at) && placed[i].address < lowest)
			lowest = placed[i].address;
	return lowest;
}

/* The lowest address that item `n` may have: above tboot and all that it treats as its own. */
static uint64_t floor_of(const struct layout_rules *r, size_t n)
{
	uint64_t f = ((uint64_t)r->tboot_high + EFI_PAGE - 1) & ~(uint64_t)(EFI_PAGE - 1);

	if (f < ONE_MIB)
		f = ONE_MIB;
	return n == 0 && r->moved < FOUR_GIB ? f + r->moved : n == 0 ? FOUR_GIB : f;
}

/* The highest place for item `n` in [low, top) that nothing else needs. */
static bool place_in(const struct layout_rules *r, struct layout_item *items, size_t n, uint64_t low, uint64_t top)
{
	uint64_t size = items[n].size;

	while (top > low && size <= top - low) {
		uint64_t at = (top - size) & ~(uint64_t)(EFI_PAGE - 1), other;

		if (at < low)
			return false;
		other = conflict(r, items, n, (struct txt_range){ at, size }, UINT64_MAX);
		if (other == UINT64_MAX) {
			items[n].address = at;
			return true;
		}
		top = other;
	}
	return false;
}

static bool place_one(
	const struct efi_map *map, const struct efi_map *kept, const struct layout_rules *r, struct layout_item *items, size_t n)
{
	uint64_t low = floor_of(r, n);

	for (size_t i = map->count; i > 0; i--) {
		const struct efi_region *free = &map->regions[i - 1];

		if (free->kind != EFI_MAP_FREE)
			continue;
		for (size_t k = kept->count; k > 0; k--) {
			const struct efi_region *keep = &kept->regions[k - 1];
			uint64_t from = free->base > keep->base ? free->base : keep->base;
			uint64_t to = end_of(free) < end_of(keep) ? end_of(free) : end_of(keep);

			if (place_in(r, items, n, from > low ? from : low, to))
				return true;
		}
	}
	return false;
}

static bool place_all(
	const struct efi_map *map, const struct efi_map *kept, const struct layout_rules *r, struct layout_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!place_one(map, kept, r, items, i))
			return false;
	return true;
}

enum layout_error layout_place(
	const struct efi_map *map, const struct layout_rules *r, struct layout_item *items, size_t count, struct efi_map *scratch)
{
	if (r->tboot_high && !layout_tboot_fits(map, r))
		return LAYOUT_E_TBOOT;
	if (!layout_kept(map, r->min_ram, scratch))
		return LAYOUT_E_MAP;
	if (tboot_inside(scratch, r) && place_all(map, scratch, r, items, count))
		return LAYOUT_OK;
	if (r->min_ram >= LAYOUT_USUAL_MIN_RAM)
		return LAYOUT_E_ROOM;
	if (!layout_kept(map, LAYOUT_USUAL_MIN_RAM, scratch))
		return LAYOUT_E_MAP;
	return tboot_inside(scratch, r) && place_all(map, scratch, r, items, count) ? LAYOUT_E_MIN_RAM : LAYOUT_E_ROOM;
}

enum layout_error layout_check(
	const struct efi_map *map, const struct layout_rules *r, const struct layout_item *items, size_t count, struct efi_map *scratch)
{
	if (!layout_tboot_fits(map, r))
		return LAYOUT_E_TBOOT;
	if (!layout_kept(map, r->min_ram, scratch))
		return LAYOUT_E_MAP;
	if (!tboot_inside(scratch, r))
		return LAYOUT_E_MIN_RAM;
	for (size_t i = 0; i < count; i++) {
		struct txt_range at = { items[i].address, items[i].size };

		if (at.base % EFI_PAGE != 0 || at.base < floor_of(r, i) || !inside(scratch, at.base, at.size))
			return LAYOUT_E_PLACE;
		if (conflict(r, items, i, at, UINT64_MAX) != UINT64_MAX)
			return LAYOUT_E_PLACE;
	}
	return LAYOUT_OK;
}
