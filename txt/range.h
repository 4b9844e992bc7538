/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_RANGE_H
#define GL_TXT_RANGE_H

#include "common/span.h"

/* A part of the physical address space; empty if size is 0. */
struct txt_range {
	uint64_t base, size;
};

/* All of `in` lies in `r`. An `in` that wraps around lies in nothing. */
GL_MUST static inline bool txt_range_contains(struct txt_range r, struct txt_range in)
{
	return in.base >= r.base && in.size <= r.size && in.base - r.base <= r.size - in.size;
}

GL_MUST static inline bool txt_range_overlaps(struct txt_range a, struct txt_range b)
{
	if (a.size == 0 || b.size == 0)
		return false;
	return a.base <= b.base ? b.base - a.base < a.size : a.base - b.base < b.size;
}

#endif
