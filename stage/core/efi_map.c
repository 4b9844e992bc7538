/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/core/efi_map.h"

#include <string.h>

struct piece {
	uint64_t base, end; /* end is the first byte behind it */
	uint32_t type;
};

static struct piece read_piece(const uint8_t *at)
{
	struct efi_descriptor d = efi_descriptor_read(at);
	uint64_t room = (UINT64_MAX - d.base) >> EFI_PAGE_BITS;

	/* What would wrap reaches up to the end. */
	return (struct piece){ d.base, d.base + ((d.pages < room ? d.pages : room) << EFI_PAGE_BITS), d.type };
}

static bool is_usable(uint32_t type)
{
	return (type >= EFI_LOADER_CODE && type <= EFI_BOOT_DATA) || type == EFI_CONVENTIONAL;
}

void efi_map_remove_used(const struct mb2_efi_mmap *map, struct stage_memory *m)
{
	for (size_t at = 0; at < map->map.n; at += map->descriptor_size) {
		struct piece p = read_piece(map->map.p + at);

		if (!efi_memory_is_free(p.type))
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
		efi_descriptor_set(d, pieces[i].type, pieces[i].base, (pieces[i].end - pieces[i].base) >> EFI_PAGE_BITS);
	}
	return true;
}

bool efi_map_set(struct efi_map *m, struct txt_range r, enum efi_memory_type type)
{
	const uint64_t page = EFI_PAGE;
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
