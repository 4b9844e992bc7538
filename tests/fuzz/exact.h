/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_EXACT_H
#define GL_TESTS_EXACT_H

#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"

/*
 * Memory of just the size that the product is told, each piece for itself: what reads or writes behind a piece of one large buffer goes
 * unseen, behind one of these the sanitizer stops it. New memory is full of 0xaa, so that nothing looks as if it were set.
 */
#define EXACT_MAX 128

struct exact {
	size_t count;
	void *p[EXACT_MAX];
};

static inline void *exact_room(struct exact *x, size_t n)
{
	void *p = x->count < EXACT_MAX ? malloc(n ? n : 1) : NULL;

	if (!p)
		abort();
	memset(p, 0xaa, n ? n : 1);
	x->p[x->count++] = p;
	return p;
}

static inline struct mspan exact_span(struct exact *x, size_t n)
{
	return (struct mspan){ (uint8_t *)exact_room(x, n), n };
}

/* A copy; of nothing, nothing: { NULL, 0 }. */
static inline struct span exact_copy(struct exact *x, struct span s)
{
	uint8_t *p = s.n ? (uint8_t *)exact_room(x, s.n) : NULL;

	if (p)
		memcpy(p, s.p, s.n);
	return (struct span){ p, s.n };
}

/* The next piece of an input: a u16 size, then as many bytes. */
static inline struct span exact_piece(struct exact *x, struct rd *r)
{
	size_t n = rd_le16(r);

	return exact_copy(x, rd_bytes(r, n));
}

/* All that was given out; fit for the cleanup attribute. */
static inline void exact_free(struct exact *x)
{
	while (x->count)
		free(x->p[--x->count]);
}

#endif
