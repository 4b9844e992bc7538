/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_MEMORY_MAP_H
#define GL_BOOT_MEMORY_MAP_H

#include "boot/multiboot2_info.h"

/* Questions to a memory map as multiboot2 and e820 have it. */

/* The numbers of the multiboot2 tag "basic memory information": KiB from 0, and KiB from 1 MiB, up to the first that is not available. */
void memory_basic(const struct mb2_memory *map, size_t count, uint32_t *lower, uint32_t *upper);

struct memory_request {
	uint64_t size;     /* bytes, not 0 */
	uint64_t align;    /* of the first byte; a power of two */
	uint64_t min, max; /* lowest first byte, highest last byte */
	bool high;         /* the highest place that fits, else the lowest */
};

/* Finds room in what is available. False if there is none. */
GL_MUST bool memory_find(const struct mb2_memory *map, size_t count, const struct memory_request *r, uint64_t *out);

#endif
