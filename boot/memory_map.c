/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/memory_map.h"

#include "boot/align.h"

/* KiB that are available from `from` up to the first hole; the map is in the order of addresses. */
static uint32_t available_from(const struct mb2_memory *map, size_t count, uint64_t from)
{
	uint64_t end = from;

	for (size_t i = 0; i < count; i++)
		if (map[i].type == MB2_MEMORY_AVAILABLE && map[i].base <= end && end - map[i].base < map[i].size)
			end = map[i].base + map[i].size;
	return (end - from) / 1024 > UINT32_MAX ? UINT32_MAX : (uint32_t)((end - from) / 1024);
}

void memory_basic(const struct mb2_memory *map, size_t count, uint32_t *lower, uint32_t *upper)
{
	uint32_t low = available_from(map, count, 0);

	/* 3.6.4: the lower number is at most 640. */
	*lower = low < 640 ? low : 640;
	*upper = available_from(map, count, (uint64_t)1 << 20);
}

/* The place in [first, last] nearest to the wished end. */
static bool place_in(uint64_t first, uint64_t last, const struct memory_request *r, uint64_t *out)
{
	uint64_t at;

	if (first < r->min)
		first = r->min;
	if (last > r->max)
		last = r->max;
	if (last < first || last - first < r->size - 1)
		return false;
	if (r->high) {
		at = (last - (r->size - 1)) & ~(r->align - 1);
		if (at < first)
			return false;
	} else {
		if (first > UINT64_MAX - (r->align - 1))
			return false;
		at = (first + (r->align - 1)) & ~(r->align - 1);
		if (at > last || last - at < r->size - 1)
			return false;
	}
	*out = at;
	return true;
}

bool memory_find(const struct mb2_memory *map, size_t count, const struct memory_request *r, uint64_t *out)
{
	uint64_t best = 0, at;
	bool found = false;

	if (r->size == 0 || !align_is_power(r->align))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (map[i].type != MB2_MEMORY_AVAILABLE || map[i].size == 0 || map[i].size - 1 > UINT64_MAX - map[i].base)
			continue;
		if (!place_in(map[i].base, map[i].base + (map[i].size - 1), r, &at))
			continue;
		if (!found || (r->high ? at > best : at < best))
			best = at;
		found = true;
	}
	if (found)
		*out = best;
	return found;
}
