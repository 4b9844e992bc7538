/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/core/memory.h"

#include <string.h>

#define PAGE_MASK (~(uint64_t)(STAGE_PAGE - 1))

static uint64_t end_of(struct txt_range r)
{
	return r.base + r.size;
}

static void drop(struct stage_memory *m, size_t i)
{
	m->count--;
	memmove(&m->free[i], &m->free[i + 1], (m->count - i) * sizeof(m->free[0]));
}

static void insert(struct stage_memory *m, size_t i, struct txt_range r)
{
	if (m->count == STAGE_MEMORY_RANGES)
		return;
	memmove(&m->free[i + 1], &m->free[i], (m->count - i) * sizeof(m->free[0]));
	m->free[i] = r;
	m->count++;
}

void stage_memory_add(struct stage_memory *m, struct txt_range r)
{
	uint64_t base, end;
	size_t i = 0;

	if (r.base >= STAGE_MEMORY_TOP || r.size > UINT64_MAX - r.base)
		return;
	end = end_of(r) < STAGE_MEMORY_TOP ? end_of(r) : STAGE_MEMORY_TOP;
	base = (r.base + STAGE_PAGE - 1) & PAGE_MASK;
	end &= PAGE_MASK;
	if (base >= end)
		return;
	/* What touches the new range becomes part of it. */
	while (i < m->count) {
		if (m->free[i].base > end)
			break;
		if (end_of(m->free[i]) < base) {
			i++;
			continue;
		}
		base = m->free[i].base < base ? m->free[i].base : base;
		end = end_of(m->free[i]) > end ? end_of(m->free[i]) : end;
		drop(m, i);
	}
	insert(m, i, (struct txt_range){ base, end - base });
}

void stage_memory_remove(struct stage_memory *m, struct txt_range r)
{
	uint64_t base = r.base & PAGE_MASK, end = STAGE_MEMORY_TOP;

	if (r.size == 0 || r.base >= STAGE_MEMORY_TOP)
		return;
	if (r.size < STAGE_MEMORY_TOP - r.base)
		end = (end_of(r) + STAGE_PAGE - 1) & PAGE_MASK;
	for (size_t i = 0; i < m->count;) {
		struct txt_range f = m->free[i];

		if (end_of(f) <= base || f.base >= end) {
			i++;
			continue;
		}
		drop(m, i);
		if (f.base < base)
			insert(m, i++, (struct txt_range){ f.base, base - f.base });
		if (end_of(f) > end)
			insert(m, i++, (struct txt_range){ end, end_of(f) - end });
	}
}

/* The best address in one free range. */
static bool fit(struct txt_range f, const struct stage_want *w, uint64_t align, uint64_t size, uint64_t *out)
{
	uint64_t low = f.base > w->low ? f.base : w->low;
	uint64_t high = end_of(f) < w->high ? end_of(f) : w->high;
	uint64_t at;

	if (low >= high || size > high - low)
		return false;
	at = w->top ? (high - size) & ~(align - 1) : (low + align - 1) & ~(align - 1);
	if (at < low || at > high - size)
		return false;
	*out = at;
	return true;
}

bool stage_memory_take(struct stage_memory *m, const struct stage_want *want, uint32_t *out)
{
	uint64_t align = want->align > STAGE_PAGE ? want->align : STAGE_PAGE;
	uint64_t size, at = 0;
	bool found = false;

	if (want->size == 0 || want->size > STAGE_MEMORY_TOP || align > STAGE_MEMORY_TOP)
		return false;
	size = (want->size + STAGE_PAGE - 1) & PAGE_MASK;
	for (size_t i = 0; i < m->count && !(found && !want->top); i++)
		found = fit(m->free[i], want, align, size, &at) || found;
	if (!found)
		return false;
	stage_memory_remove(m, (struct txt_range){ at, size });
	*out = (uint32_t)at;
	return true;
}

bool stage_memory_take_at(struct stage_memory *m, struct txt_range r)
{
	for (size_t i = 0; i < m->count; i++)
		if (r.size > 0 && txt_range_contains(m->free[i], r)) {
			stage_memory_remove(m, r);
			return true;
		}
	return false;
}
