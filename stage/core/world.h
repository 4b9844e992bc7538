/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_WORLD_H
#define GL_STAGE_CORE_WORLD_H

#include "common/span.h"

/* How the stage reaches physical memory: all of it is there under i386 without paging; a test gives what it likes. */
struct stage_world {
	void *ctx;
	/* The memory of `n` bytes from a physical address on; NULL if it is not all memory below 4 GiB. */
	uint8_t *(*at)(void *ctx, uint64_t address, size_t n);
};

/* Its bytes for reading; p is NULL if they are not to be had. */
static inline struct span stage_bytes(const struct stage_world *w, uint64_t address, size_t n)
{
	const uint8_t *p = n ? w->at(w->ctx, address, n) : NULL;

	return (struct span){ p, p ? n : 0 };
}

static inline struct mspan stage_room(const struct stage_world *w, uint64_t address, size_t n)
{
	uint8_t *p = n ? w->at(w->ctx, address, n) : NULL;

	return (struct mspan){ p, p ? n : 0 };
}

#endif
