/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_LAYOUT_H
#define GL_EFI_CORE_LAYOUT_H

#include "efi/core/efi_map.h"
#include "txt/range.h"

/*
 * Where everything of a TXT launch lies, as a plan: tboot at the address that it is linked to, and everything else where tboot will find it,
 * keep it, and not run over it. Pure: addresses in, addresses out.
 *
 * tboot 1.10.5 drops RAM below 4 GiB that lies above the first region that is no RAM (from 1 MiB on), but for what reaches up to the highest
 * region of at least its option min_ram (common/e820.c get_ram_ranges()), and what a DMA protected range in units of 2 MiB does not cover
 * (txt/verify.c set_vtd_pmrs()). A module in dropped memory ends the launch, after SENTER.
 *
 * For an ELF image as module 0 it then moves all modules to the end of the highest free region that is large enough for them, and, once the
 * image is in its place, those that are left down to its own end (common/loader.c, move_modules_to_high_memory() and
 * move_modules_above_elf_kernel()), without a look at where the information lies. So modules and information are one block, with the
 * information at its beginning: going up, the modules leave it behind, and going down, they must end before it.
 */

/* What has to be placed. */
struct layout_item {
	uint64_t size;    /* bytes, not 0 */
	uint64_t address; /* result: a multiple of a page */
};

#define LAYOUT_MAX_AVOID 4

struct layout_rules {
	uint32_t tboot_low, tboot_high;           /* [low, high): where tboot goes, and nothing else; high 0: not known yet */
	uint64_t moved;                           /* bytes that tboot moves to its own end: item 0, the block, has to lie behind them */
	uint64_t min_ram;                         /* tboot's option */
	struct txt_range avoid[LAYOUT_MAX_AVOID]; /* TXT heap and so on; empty ones count for nothing */
};

enum layout_error {
	LAYOUT_OK,
	LAYOUT_E_TBOOT,   /* tboot's place is no RAM, or not all of it */
	LAYOUT_E_ROOM,    /* not enough free memory below 4 GiB */
	LAYOUT_E_MIN_RAM, /* the same, but there would be enough if tboot had the option min_ram */
	LAYOUT_E_PLACE,   /* check: an item lies where it may not */
	LAYOUT_E_MAP,     /* the map has too many regions */
	LAYOUT_ERROR_COUNT
};

const char *layout_strerror(enum layout_error e);

/* min_ram that suits machines whose firmware keeps small parts of low memory to itself. */
#define LAYOUT_USUAL_MIN_RAM UINT64_C(0x2000000)

/*
 * The RAM below 4 GiB that tboot keeps: regions of `out` are of the kind EFI_MAP_FREE, whatever they are in `map`.
 */
GL_MUST bool layout_kept(const struct efi_map *map, uint64_t min_ram, struct efi_map *out);

/* True if tboot's place is RAM, all of it, and RAM that tboot keeps. */
GL_MUST bool layout_tboot_fits(const struct efi_map *map, const struct layout_rules *r);

/*
 * Gives each item an address in memory that is free now and that tboot keeps, from the highest address down in the order of the items. Nothing
 * is placed below 1 MiB or below tboot. After a failure the addresses mean nothing. `scratch` is of no use afterwards.
 */
GL_MUST enum layout_error layout_place(
	const struct efi_map *map, const struct layout_rules *r, struct layout_item *items, size_t count, struct efi_map *scratch);

/* The same rules for items that are in place, with the map of the last moment: all of it RAM, no two items in one place. */
GL_MUST enum layout_error layout_check(
	const struct efi_map *map, const struct layout_rules *r, const struct layout_item *items, size_t count, struct efi_map *scratch);

#endif
