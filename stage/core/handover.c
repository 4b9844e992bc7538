/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/core/handover.h"

#include <string.h>

#include "stage/core/efi_map.h"

/* Real mode's interrupt table and the BIOS data area: part of it is written for Xen, nothing is to be loaded there. */
#define LOWEST 0x1000

/* I/O APICs, HPET, TXT, TPM and local APICs (Intel chipset datasheets, "Fixed Memory Address Ranges"; TXT SDG, Appendix B). */
#define REGISTERS 0xfec00000u
#define REGISTERS_END 0xff000000u

/*
 * When tboot puts its memory map into the information it moves what is behind, up to the end of the end tag, whose size the loader wrote: a
 * longer one would take modules along that are measured already. grow_mb2_tag() of tboot 1.10.5, tboot/common/loader.c.
 */
static bool ends_with_end(const struct mb2_info *info, size_t size)
{
	size_t end = MB2_FIXED + info->tags.n;
	struct rd r = rd_init((struct span){ info->tags.p + info->tags.n, size - end });

	(void)rd_le32(&r);
	return size - end == MB2_TAG_FIXED && rd_le32(&r) == MB2_TAG_FIXED;
}

enum stage_error handover_open(const struct stage_world *w, uint32_t magic, uint32_t info, struct handover *out)
{
	struct handover h;
	struct mb2_tag tag;
	struct span line;
	uint32_t size;
	enum stage_error e;

	memset(&h, 0, sizeof(h));
	if (magic != MB2_MAGIC)
		return STAGE_E_MAGIC;
	size = mb2_info_size(stage_bytes(w, info, MB2_FIXED));
	if (info % MB2_ALIGN != 0 || size == 0 || size > STAGE_INFO_MAX ||
		mb2_info_open(stage_bytes(w, info, size), &h.info) != MB2_INFO_OK || !ends_with_end(&h.info, size))
		return STAGE_E_INFO;
	h.info_range = (struct txt_range){ info, size };
	if (mb2_find(&h.info, MB2_ACPI_NEW, &tag) || mb2_find(&h.info, MB2_ACPI_OLD, &tag))
		h.rsdp = tag.content;
	if (!mb2_find(&h.info, MB2_CMDLINE, &tag) || !mb2_get_text(&tag, &line))
		return STAGE_E_LINE;
	h.measured = stage_rules_split(line, &h.line, &h.shared_address) == STAGE_RULES_OK;
	if (!h.measured) {
		h.line = line;
		*out = h;
		return STAGE_OK;
	}
	e = tboot_shared_read(stage_bytes(w, h.shared_address, TBOOT_SHARED_SIZE), h.shared_address, &h.shared);
	if (e == STAGE_OK)
		*out = h;
	return e;
}

enum stage_error handover_rules(struct handover *h, enum stage_rules_error *why, size_t *at)
{
	*why = stage_rules_parse(h->line, &h->rules, at);
	return *why == STAGE_RULES_OK ? STAGE_OK : STAGE_E_RULES;
}

static enum stage_error read_modules(const struct stage_world *w, struct handover *h)
{
	struct mb2_tags it = { .info = &h->info };
	struct mb2_tag t;

	h->module_count = 0;
	while (mb2_next(&it, &t)) {
		struct mb2_module *m = &h->modules[h->module_count];

		if (t.type != MB2_MODULE)
			continue;
		if (h->module_count == h->rules.module_count)
			return STAGE_E_MODULE_COUNT;
		if (!mb2_get_module(&t, m) || m->end == m->start)
			return STAGE_E_MODULE;
		h->module_bytes[h->module_count] = stage_bytes(w, m->start, m->end - m->start);
		if (!h->module_bytes[h->module_count++].p)
			return STAGE_E_MODULE;
	}
	return h->module_count == h->rules.module_count ? STAGE_OK : STAGE_E_MODULE_COUNT;
}

static void read_efi(struct handover *h)
{
	struct mb2_tag t;

	h->efi64 = mb2_find(&h->info, MB2_EFI64, &t);
	if (!h->efi64 && !mb2_find(&h->info, MB2_EFI32, &t))
		return;
	if (!mb2_get_number(&t, &h->efi_table))
		h->efi_table = 0;
	h->has_efi_mmap = mb2_find(&h->info, MB2_EFI_MMAP, &t) && mb2_get_efi_mmap(&t, &h->efi_mmap);
}

enum stage_error handover_modules(const struct stage_world *w, struct handover *h)
{
	struct mb2_tag t;

	if (!mb2_find(&h->info, MB2_MMAP, &t) || !mb2_get_mmap(&t, &h->mmap) || h->mmap.count == 0 || h->mmap.count > STAGE_MMAP_MAX)
		return STAGE_E_MMAP;
	read_efi(h);
	return read_modules(w, h);
}

static bool over_any(struct txt_range r, const struct txt_range *others, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (txt_range_overlaps(r, others[i]))
			return true;
	return false;
}

static struct txt_range module_range(const struct handover *h, size_t i)
{
	return (struct txt_range){ h->modules[i].start, h->modules[i].end - h->modules[i].start };
}

static bool holds(const struct stage_memory *ram, struct txt_range r)
{
	for (size_t i = 0; i < ram->count; i++)
		if (txt_range_contains(ram->free[i], r))
			return true;
	return false;
}

/*
 * What tboot measured has to lie in memory that its map calls available: that alone is protected from DMA. tboot looks at the modules, but
 * not at its information, which holds their command lines. The map is part of that information, so this finds mistakes of a loader, not a
 * loader that has a device as its accomplice.
 */
static enum stage_error check_places(const struct handover *h, const struct txt_range *taken, size_t count, const struct stage_memory *ram)
{
	if (txt_range_overlaps(h->info_range, h->shared.memory) || over_any(h->info_range, taken, count))
		return STAGE_E_OVERLAP;
	for (size_t i = 0; i < h->module_count; i++) {
		struct txt_range r = module_range(h, i);

		if (txt_range_overlaps(r, h->shared.memory) || over_any(r, taken, count) || txt_range_overlaps(r, h->info_range))
			return STAGE_E_OVERLAP;
	}
	for (size_t i = 0; i < h->module_count; i++)
		if (!holds(ram, module_range(h, i)))
			return STAGE_E_MODULE;
	return holds(ram, h->info_range) ? STAGE_OK : STAGE_E_MODULE;
}

enum stage_error handover_memory(const struct handover *h, const struct txt_range *taken, size_t count, struct stage_memory *out)
{
	enum stage_error e;

	out->count = 0;
	for (size_t i = 0; i < h->mmap.count; i++) {
		struct mb2_memory m = mb2_mmap_entry(&h->mmap, i);

		if (m.type == MB2_MEMORY_AVAILABLE)
			stage_memory_add(out, (struct txt_range){ m.base, m.size });
	}
	/* Entries may overlap: then the stricter one counts. */
	for (size_t i = 0; i < h->mmap.count; i++) {
		struct mb2_memory m = mb2_mmap_entry(&h->mmap, i);

		if (m.type != MB2_MEMORY_AVAILABLE)
			stage_memory_remove(out, (struct txt_range){ m.base, m.size });
	}
	stage_memory_remove(out, (struct txt_range){ 0, LOWEST });
	e = check_places(h, taken, count, out);
	if (e != STAGE_OK)
		return e;
	if (h->has_efi_mmap)
		efi_map_remove_used(&h->efi_mmap, out);
	stage_memory_remove(out, h->shared.memory);
	for (size_t i = 0; i < count; i++)
		stage_memory_remove(out, taken[i]);
	stage_memory_remove(out, h->info_range);
	for (size_t i = 0; i < h->module_count; i++)
		stage_memory_remove(out, module_range(h, i));
	return STAGE_OK;
}

/* Pixels within their line and colours within their pixel: kernels take the picture's size from the one and write by the other. */
static bool is_picture(const struct mb2_framebuffer *f)
{
	uint64_t line = (uint64_t)f->width * ((f->bits + 7u) / 8);

	return f->type == MB2_FRAMEBUFFER_RGB && f->width && f->height &&
	       (f->bits == 15 || f->bits == 16 || f->bits == 24 || f->bits == 32) && line <= f->pitch &&
	       f->red.position + f->red.size <= f->bits && f->green.position + f->green.size <= f->bits &&
	       f->blue.position + f->blue.size <= f->bits;
}

/*
 * A kernel draws where this says. A picture over what the memory map knows as anything but reserved, over TXT's memory or over registers
 * would be a write of its own choosing for whoever loaded tboot.
 */
static bool is_harmless(const struct handover *h, struct txt_range picture, const struct txt_range *taken, size_t count)
{
	const struct txt_range registers = { REGISTERS, REGISTERS_END - REGISTERS };

	if (picture.size > UINT64_MAX - picture.base || txt_range_overlaps(picture, registers) || over_any(picture, taken, count) ||
		txt_range_overlaps(picture, h->shared.memory))
		return false;
	for (size_t i = 0; i < h->mmap.count; i++) {
		struct mb2_memory m = mb2_mmap_entry(&h->mmap, i);

		if (m.type != MB2_MEMORY_RESERVED && txt_range_overlaps(picture, (struct txt_range){ m.base, m.size }))
			return false;
	}
	return true;
}

void handover_picture(struct handover *h, const struct txt_range *taken, size_t count)
{
	struct mb2_framebuffer f;
	struct mb2_tag t;

	h->has_framebuffer = mb2_find(&h->info, MB2_FRAMEBUFFER, &t) && mb2_get_framebuffer(&t, &f) && is_picture(&f) &&
	                     is_harmless(h, (struct txt_range){ f.address, (uint64_t)f.pitch * f.height }, taken, count);
	if (h->has_framebuffer)
		h->framebuffer = f;
}
