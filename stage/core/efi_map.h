/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_EFI_MAP_H
#define GL_STAGE_CORE_EFI_MAP_H

#include "boot/efi_memory.h"
#include "boot/multiboot2_info.h"
#include "stage/core/memory.h"

/*
 * The EFI memory map that Linux gets: the firmware's, with what tboot and the stage have put into memory. Linux takes free memory from
 * here (KASLR looks for EfiConventionalMemory only), so tboot must not be free in it.
 */
/*
 * Removes from the free memory what the map does not call loader's or conventional. Boot services memory is free by the letter, but
 * holds tables that Linux reads.
 */
void efi_map_remove_used(const struct mb2_efi_mmap *map, struct stage_memory *m);

/* A map that grows in the caller's buffer. */
struct efi_map {
	struct mspan buf;
	size_t n; /* bytes in use */
	uint32_t descriptor_size;
};

/* Copies a map. False if the buffer is too small. */
GL_MUST bool efi_map_copy(const struct mb2_efi_mmap *from, struct mspan buf, struct efi_map *out);

/*
 * Gives the pages of a range, as far as they are usable memory (types 1 to 4 and 7), another type. Descriptors are split where
 * needed. False if the buffer is too small; the map is then still valid, but only some of it is done.
 */
GL_MUST bool efi_map_set(struct efi_map *m, struct txt_range r, enum efi_memory_type type);

#endif
