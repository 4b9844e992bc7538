/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/efi_map.h"

#include <string.h>

#define FOUR_GIB (UINT64_C(1) << 32)
/* EFI_MEMORY_SP: set aside for a purpose of its own. */
#define ATTRIBUTE_SPECIAL UINT64_C(0x40000)

static const enum efi_map_kind kinds[EFI_MEMORY_TYPES] = {
	[EFI_RESERVED] = EFI_MAP_RESERVED,
	[EFI_LOADER_CODE] = EFI_MAP_LOADER,
	[EFI_LOADER_DATA] = EFI_MAP_LOADER,
	[EFI_BOOT_CODE] = EFI_MAP_BOOT,
	[EFI_BOOT_DATA] = EFI_MAP_BOOT,
	[EFI_RUNTIME_CODE] = EFI_MAP_RESERVED,
	[EFI_RUNTIME_DATA] = EFI_MAP_RESERVED,
	[EFI_CONVENTIONAL] = EFI_MAP_FREE,
	[EFI_UNUSABLE] = EFI_MAP_BAD,
	[EFI_ACPI_RECLAIM] = EFI_MAP_ACPI,
	[EFI_ACPI_NVS] = EFI_MAP_NVS,
};

static const char *const texts[EFI_MAP_ERROR_COUNT] = {
	[EFI_MAP_OK] = "no error",
	[EFI_MAP_E_DESCRIPTOR] = "the firmware's memory map has descriptors of an impossible size",
	[EFI_MAP_E_RANGE] = "the firmware's memory map has a region outside of the address space",
	[EFI_MAP_E_OVERLAP] = "the firmware's memory map has regions that overlap",
	[EFI_MAP_E_MANY] = "the firmware's memory map has too many regions",
};

const char *efi_map_strerror(enum efi_map_error e)
{
	return texts[(size_t)e < EFI_MAP_ERROR_COUNT ? e : EFI_MAP_E_DESCRIPTOR];
}

static enum efi_map_kind kind_of(const struct efi_descriptor *d)
{
	if (d->type >= EFI_MEMORY_TYPES || (d->type == EFI_CONVENTIONAL && d->attributes & ATTRIBUTE_SPECIAL))
		return EFI_MAP_RESERVED;
	return kinds[d->type];
}

/* Inserts by address. */
static enum efi_map_error insert(struct efi_map *m, const struct efi_region *r)
{
	size_t at = m->count;

	while (at > 0 && m->regions[at - 1].base > r->base)
		at--;
	if (at > 0 && r->base - m->regions[at - 1].base < m->regions[at - 1].size)
		return EFI_MAP_E_OVERLAP;
	if (at < m->count && m->regions[at].base - r->base < r->size)
		return EFI_MAP_E_OVERLAP;
	if (at > 0 && m->regions[at - 1].kind == r->kind && m->regions[at - 1].base + m->regions[at - 1].size == r->base) {
		m->regions[at - 1].size += r->size;
		if (at < m->count && m->regions[at].kind == r->kind && r->base + r->size == m->regions[at].base) {
			m->regions[at - 1].size += m->regions[at].size;
			memmove(&m->regions[at], &m->regions[at + 1], (m->count - at - 1) * sizeof(*r));
			m->count--;
		}
		return EFI_MAP_OK;
	}
	if (at < m->count && m->regions[at].kind == r->kind && r->base + r->size == m->regions[at].base) {
		m->regions[at].base = r->base;
		m->regions[at].size += r->size;
		return EFI_MAP_OK;
	}
	if (m->count == EFI_MAP_MAX)
		return EFI_MAP_E_MANY;
	memmove(&m->regions[at + 1], &m->regions[at], (m->count - at) * sizeof(*r));
	m->regions[at] = *r;
	m->count++;
	return EFI_MAP_OK;
}

enum efi_map_error efi_map_read(struct span bytes, size_t descriptor_size, struct efi_map *out)
{
	enum efi_map_error e = EFI_MAP_OK;

	out->count = 0;
	if (descriptor_size < EFI_DESCRIPTOR_MIN || bytes.n % descriptor_size != 0)
		return EFI_MAP_E_DESCRIPTOR;
	for (size_t at = 0; at < bytes.n && e == EFI_MAP_OK; at += descriptor_size) {
		struct efi_descriptor d = efi_descriptor_read(bytes.p + at);
		struct efi_region r = { .base = d.base, .size = d.pages << EFI_PAGE_BITS, .kind = kind_of(&d) };

		if (d.pages == 0)
			continue;
		if (d.base % EFI_PAGE != 0 || d.pages > UINT64_MAX >> EFI_PAGE_BITS || r.size > UINT64_MAX - r.base)
			return EFI_MAP_E_RANGE;
		e = insert(out, &r);
	}
	return e;
}

static const uint32_t mb2_types[EFI_MAP_KIND_COUNT] = {
	[EFI_MAP_FREE] = MB2_MEMORY_AVAILABLE,
	[EFI_MAP_LOADER] = MB2_MEMORY_AVAILABLE,
	[EFI_MAP_BOOT] = MB2_MEMORY_AVAILABLE,
	[EFI_MAP_ACPI] = MB2_MEMORY_ACPI,
	[EFI_MAP_NVS] = MB2_MEMORY_NVS,
	[EFI_MAP_BAD] = MB2_MEMORY_BAD,
	[EFI_MAP_RESERVED] = MB2_MEMORY_RESERVED,
};

static bool append(struct mb2_memory *out, size_t max, size_t *count, uint64_t base, uint64_t size, uint32_t type)
{
	struct mb2_memory *last = *count ? &out[*count - 1] : NULL;

	if (last && last->type == type && last->base + last->size == base && base != FOUR_GIB) {
		last->size += size;
		return true;
	}
	if (*count == max)
		return false;
	out[(*count)++] = (struct mb2_memory){ .base = base, .size = size, .type = type };
	return true;
}

bool efi_map_to_mb2(const struct efi_map *map, struct mb2_memory *out, size_t max, size_t *count)
{
	size_t n = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct efi_region *r = &map->regions[i];
		uint32_t type = mb2_types[r->kind];
		uint64_t low = r->size;

		if (r->base < FOUR_GIB && r->size > FOUR_GIB - r->base)
			low = FOUR_GIB - r->base;
		if (!append(out, max, &n, r->base, low, type))
			return false;
		if (low < r->size && !append(out, max, &n, FOUR_GIB, r->size - low, type))
			return false;
	}
	*count = n;
	return true;
}

static bool joinable(const struct efi_descriptor *d)
{
	return efi_memory_is_free(d->type) && !(d->attributes & ATTRIBUTE_SPECIAL);
}

size_t efi_map_join(struct mspan bytes, size_t descriptor_size)
{
	size_t end = 0;

	for (size_t at = 0; at < bytes.n; at += descriptor_size) {
		struct efi_descriptor d = efi_descriptor_read(bytes.p + at);

		if (end > 0) {
			struct efi_descriptor last = efi_descriptor_read(bytes.p + end - descriptor_size);
			uint64_t stop = last.base + (last.pages << EFI_PAGE_BITS);

			if (joinable(&last) && joinable(&d) && last.attributes == d.attributes && stop == d.base && d.base != FOUR_GIB) {
				efi_descriptor_set(bytes.p + end - descriptor_size, EFI_CONVENTIONAL, last.base, last.pages + d.pages);
				continue;
			}
		}
		if (end != at)
			memmove(bytes.p + end, bytes.p + at, descriptor_size);
		end += descriptor_size;
	}
	return end;
}
