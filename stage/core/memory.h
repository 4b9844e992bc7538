/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_MEMORY_H
#define GL_STAGE_CORE_MEMORY_H

#include "txt/range.h"

/*
 * The free memory below 4 GiB, in pages: what is RAM by the memory map, less everything that must stay. All is done towards safety:
 * what is added is rounded inwards, what is removed outwards, and if the table gets full, free memory gets lost.
 */
#define STAGE_MEMORY_RANGES 256
#define STAGE_PAGE 4096u
#define STAGE_MEMORY_TOP (UINT64_C(1) << 32)

struct stage_memory {
	struct txt_range free[STAGE_MEMORY_RANGES]; /* by rising address, none touches another */
	size_t count;
};

/* `m` starts as { .count = 0 }. A range that wraps around is none for add, and everything from its base on for remove. */
void stage_memory_add(struct stage_memory *m, struct txt_range r);
void stage_memory_remove(struct stage_memory *m, struct txt_range r);

/* Where something is wanted. */
struct stage_want {
	uint64_t size;      /* bytes, not 0 */
	uint64_t align;     /* of the address, a power of two; less than a page counts as a page */
	uint64_t low, high; /* it lies in [low, high) */
	bool top;           /* as high as possible, else as low as possible */
};

/* Takes memory out of what is free. False, and nothing changed, if there is none of that kind. */
GL_MUST bool stage_memory_take(struct stage_memory *m, const struct stage_want *want, uint32_t *out);

/* Takes just this. */
GL_MUST bool stage_memory_take_at(struct stage_memory *m, struct txt_range r);

#endif
