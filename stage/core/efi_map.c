/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/core/efi_map.h"

#include <string.h>

#define PAGE_SHIFT 12
#define AT_TYPE 0
#define AT_PHYSICAL 8
#define AT_PAGES 24

static_assert(AT_PAGES == 4 + 4 + 8 + 8, "type, padding, PhysicalStart, VirtualStart");

struct piece {
	uint64_t base, end;     /* end is the first byte behind it */
	uint32_t type;
};

static uint64_t get(const uint8_t *descriptor, size_t at, size_t width)
{
	struct rd r = rd_init((struct span){ descriptor + at, width });

	return rd_le(&r, width);
}

static void put(uint8_t *descriptor, size_t at, uint64_t v, size_t width)
{
	struct wr w = wr_init((struct mspan){ descriptor + at, width });

	wr_le(&w, v, width);
}

static struct piece read_piece(const uint8_t *d)
{
	uint64_t base = get(d, AT_PHYSICAL, 8), pages = get(d, AT_PAGES, 8);
	uint64_t room = (UINT64_MAX - base) >> PAGE_SHIFT;

	/* What would wrap reaches up to the end. */
	return (struct piece){ base, base + ((pages < room ? pages : room) << PAGE_SHIFT), (uint32_t)get(d, AT_TYPE, 4) };
}

static bool is_usable(uint32_t type)
{
	return (type >= EFI_LOADER_CODE && type <= EFI_BOOT_DATA) || type == EFI_CONVENTIONAL;
}

static bool is_free(uint32_t type)
{
	return type == EFI_LOADER_CODE || type == EFI_LOADER_DATA || type == EFI_CONVENTIONAL;
}

void efi_map_remove_used(const struct mb2_efi_mmap *map, struct stage_memory *m)
{
	for (size_t at = 0; at < map->map.n; at += map->descriptor_size) {
		struct piece p = read_piece(map->map.p + at);

		if (!is_free(p.type))
			stage_memory_remove(m, (struct txt_range){ p.base, p.end - p.base });
	}
}

bool efi_map_copy(const struct mb2_efi_mmap *from, struct mspan buf, struct efi_map *out)
{
	if (from->map.n > buf.n || from->map.n == 0)
		return false;
	memcpy(buf.p, from->map.p, from->map.n);
	*out = (struct efi_map){ buf, from->map.n, from->descriptor_size };
	return true;
}

/* Replaces the descriptor at `at` by one for each piece, with its attributes. */
static bool replace(struct efi_map *m, size_t at, const struct piece *pieces, size_t count)
{
	size_t more = (count - 1) * m->descriptor_size;

	if (more > m->buf.n - m->n)
		return false;
	memmove(m->buf.p + at + more, m->buf.p + at, m->n - at);
	m->n += more;
	for (size_t i = 0; i < count; i++) {
		uint8_t *d = m->buf.p + at + i * m->descriptor_size;

		memmove(d, m->buf.p + at + more, m->descriptor_size);
		put(d, AT_TYPE, pieces[i].type, 4);
		put(d, AT_PHYSICAL, pieces[i].base, 8);
		put(d, AT_PAGES, (pieces[i].end - pieces[i].base) >> PAGE_SHIFT, 8);
	}
	return true;
}

bool efi_map_set(struct efi_map *m, struct txt_range r, enum efi_memory_type type)
{
	const uint64_t page = UINT64_C(1) << PAGE_SHIFT;
	uint64_t base = r.base & ~(page - 1), end;

	if (r.size == 0)
		return true;
	end = r.size > UINT64_MAX - page - r.base ? ~(page - 1) : (r.base + r.size + page - 1) & ~(page - 1);
	for (size_t at = 0; at < m->n; at += m->descriptor_size) {
		struct piece p = read_piece(m->buf.p + at), pieces[3];
		size_t count = 0;

		if (!is_usable(p.type) || p.type == type || p.end <= base || p.base >= end)
			continue;
		if (p.base < base)
			pieces[count++] = (struct piece){ p.base, base, p.type };
		pieces[count++] = (struct piece){ p.base > base ? p.base : base, p.end < end ? p.end : end, type };
		if (p.end > end)
			pieces[count++] = (struct piece){ end, p.end, p.type };
		if (!replace(m, at, pieces, count))
			return false;
		at += (count - 1) * m->descriptor_size;
	}
	return true;
}
