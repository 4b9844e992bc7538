/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_GUEST_H
#define GL_TESTS_GUEST_H

#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

#include "common/span.h"

/*
 * Memory of a machine, from address 0 on, of which the product may touch what it has asked for and nothing else: the rest is poisoned for
 * the address sanitizer (without it all is as ever). What was asked for is cleared again before the next run; to clear all of it would take
 * longer than the run itself.
 */
#define GUEST_OPEN_MAX 1024       /* that the product may ask for; what is one too many is no memory */
#define GUEST_LOOK_MAX 1024       /* and the checks after it */
#define GUEST_GRANULE ((size_t)8) /* of the sanitizer: what begins in the middle of one has it all */

struct guest {
	uint8_t *ram; /* at a multiple of 8 */
	size_t size;
	bool poisoned;
	size_t count;
	struct {
		size_t from, to;
		bool put; /* by guest_put(), not asked for */
	} open[GUEST_OPEN_MAX + GUEST_LOOK_MAX];
};

static inline void guest_poison(const struct guest *g, size_t from, size_t to)
{
	from = from / GUEST_GRANULE * GUEST_GRANULE;
	to = (to + GUEST_GRANULE - 1) / GUEST_GRANULE * GUEST_GRANULE;
	(void)g;
	ASAN_POISON_MEMORY_REGION(g->ram + from, (to < g->size ? to : g->size) - from);
}

/* All memory is 0 again, and none may be touched. */
static inline void guest_reset(struct guest *g)
{
	if (!g->poisoned)
		guest_poison(g, 0, g->size);
	g->poisoned = true;
	for (size_t i = 0; i < g->count; i++) {
		ASAN_UNPOISON_MEMORY_REGION(g->ram + g->open[i].from, g->open[i].to - g->open[i].from);
		memset(g->ram + g->open[i].from, 0, g->open[i].to - g->open[i].from);
	}
	for (size_t i = 0; i < g->count; i++)
		guest_poison(g, g->open[i].from, g->open[i].to);
	g->count = 0;
}

GL_MUST static inline bool guest_note(struct guest *g, size_t from, size_t to, bool put, size_t max)
{
	size_t i = 0;

	while (i < g->count && (g->open[i].put != put || g->open[i].from > from || g->open[i].to < to))
		i++;
	if (i < g->count)
		return true;
	if (i >= max)
		return false;
	g->open[i].from = from;
	g->open[i].to = to;
	g->open[i].put = put;
	g->count++;
	return true;
}

static inline uint8_t *guest_open(struct guest *g, uint64_t address, size_t n, size_t max)
{
	if (address >= g->size || n > g->size - (size_t)address || !guest_note(g, (size_t)address, (size_t)address + n, false, max))
		return NULL;
	ASAN_UNPOISON_MEMORY_REGION(g->ram + address, n);
	return g->ram + address;
}

/* `n` bytes from an address on, which from now on may be touched; NULL if they are not all memory. */
static inline uint8_t *guest_at(struct guest *g, uint64_t address, size_t n)
{
	return guest_open(g, address, n, GUEST_OPEN_MAX);
}

/* The same for a check of what the product has left. */
static inline struct span guest_look(struct guest *g, uint64_t address, size_t n)
{
	const uint8_t *p = guest_open(g, address, n, GUEST_OPEN_MAX + GUEST_LOOK_MAX);

	if (!p)
		abort();
	return (struct span){ p, n };
}

/* Bytes of the input, put where the product has to ask for them: as the first thing in a run. */
static inline void guest_put(struct guest *g, uint64_t address, struct span bytes)
{
	if (address >= g->size || bytes.n > g->size - (size_t)address || bytes.n == 0 ||
		!guest_note(g, (size_t)address, (size_t)address + bytes.n, true, GUEST_OPEN_MAX))
		return;
	ASAN_UNPOISON_MEMORY_REGION(g->ram + address, bytes.n);
	memcpy(g->ram + address, bytes.p, bytes.n);
	guest_poison(g, (size_t)address, (size_t)address + bytes.n);
}

/* False if something that was asked for is not as in `then`, a copy of all memory. */
GL_MUST static inline bool guest_same(const struct guest *g, const uint8_t *then)
{
	for (size_t i = 0; i < g->count; i++)
		if (!g->open[i].put && memcmp(g->ram + g->open[i].from, then + g->open[i].from, g->open[i].to - g->open[i].from) != 0)
			return false;
	return true;
}

#endif
