/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/efi_map.h"

#include <string.h>

/* EFI_MEMORY_TYPE, UEFI 2.10, 7.2.1. */
enum {
	TYPE_LOADER_CODE = 1,
	TYPE_LOADER_DATA = 2,
	TYPE_BOOT_CODE = 3,
	TYPE_BOOT_DATA = 4,
	TYPE_CONVENTIONAL = 7,
	TYPE_UNUSABLE = 8,
	TYPE_ACPI = 9,
	TYPE_NVS = 10,
	TYPE_KNOWN = 11
};

#define PAGE_SHIFT 12
#define FOUR_GIB (UINT64_C(1) << 32)
/* EFI_MEMORY_SP: set aside for a purpose of its own. */
#define ATTRIBUTE_SPECIAL UINT64_C(0x40000)

static const enum efi_map_kind kinds[TYPE_KNOWN] = {
	[0] = EFI_MAP_RESERVED,
	[TYPE_LOADER_CODE] = EFI_MAP_LOADER,
	[TYPE_LOADER_DATA] = EFI_MAP_LOADER,
	[TYPE_BOOT_CODE] = EFI_MAP_BOOT,
	[TYPE_BOOT_DATA] = EFI_MAP_BOOT,
	[5] = EFI_MAP_RESERVED,         /* runtime services code, data */
	[6] = EFI_MAP_RESERVED,
	[TYPE_CONVENTIONAL] = EFI_MAP_FREE,
	[TYPE_UNUSABLE] = EFI_MAP_BAD,
	[TYPE_ACPI] = EFI_MAP_ACPI,
	[TYPE_NVS] = EFI_MAP_NVS,
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

struct descriptor {
	uint32_t type;
	uint64_t base, pages, attributes;
};

static struct descriptor read_descriptor(struct span bytes, size_t at)
{
	struct rd r = rd_init((struct span){ bytes.p + at, EFI_MAP_DESCRIPTOR_MIN });
	struct descriptor d;

	d.type = rd_le32(&r);
	(void)rd_le32(&r);
	d.base = rd_le64(&r);
	(void)rd_le64(&r);
	d.pages = rd_le64(&r);
	d.attributes = rd_le64(&r);
	return d;
}

static enum efi_map_kind kind_of(const struct descriptor *d)
{
	if (d->type >= TYPE_KNOWN || (d->type == TYPE_CONVENTIONAL && d->attributes & ATTRIBUTE_SPECIAL))
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
	if (descriptor_size < EFI_MAP_DESCRIPTOR_MIN || bytes.n % descriptor_size != 0)
		return EFI_MAP_E_DESCRIPTOR;
	for (size_t at = 0; at < bytes.n && e == EFI_MAP_OK; at += descriptor_size) {
		struct descriptor d = read_descriptor(bytes, at);
		struct efi_region r = { .base = d.base, .size = d.pages << PAGE_SHIFT, .kind = kind_of(&d) };

		if (d.pages == 0)
			continue;
		if (d.base % EFI_MAP_PAGE != 0 || d.pages > UINT64_MAX >> PAGE_SHIFT || r.size > UINT64_MAX - r.base)
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

static bool joinable(const struct descriptor *d)
{
	return (d->type == TYPE_LOADER_CODE || d->type == TYPE_LOADER_DATA || d->type == TYPE_CONVENTIONAL) &&
		!(d->attributes & ATTRIBUTE_SPECIAL);
}

static void put_le(uint8_t *p, uint64_t v, size_t width)
{
	struct wr w = wr_init((struct mspan){ p, width });

	wr_le(&w, v, width);
}

size_t efi_map_join(struct mspan bytes, size_t descriptor_size)
{
	size_t end = 0;

	for (size_t at = 0; at < bytes.n; at += descriptor_size) {
		struct descriptor d = read_descriptor((struct span){ bytes.p, bytes.n }, at);

		if (end > 0) {
			struct descriptor last = read_descriptor((struct span){ bytes.p, bytes.n }, end - descriptor_size);
			uint64_t stop = last.base + (last.pages << PAGE_SHIFT);

			if (joinable(&last) && joinable(&d) && last.attributes == d.attributes && stop == d.base && d.base != FOUR_GIB) {
				put_le(bytes.p + end - descriptor_size, TYPE_CONVENTIONAL, 4);
				put_le(bytes.p + end - descriptor_size + 24, last.pages + d.pages, 8);
				continue;
			}
		}
		if (end != at)
			memmove(bytes.p + end, bytes.p + at, descriptor_size);
		end += descriptor_size;
	}
	return end;
}
