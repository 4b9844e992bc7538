/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux by the 32-bit boot protocol: Linux, Documentation/arch/x86/boot.rst.
 *
 * What EFI left, its system table and its memory map, comes from whoever loaded tboot, and nothing measures it. A kernel that gets it maps
 * and calls the code that they name. So it gets the RSDP, by which it finds its ACPI tables, and of EFI nothing unless the rules say so.
 */
#include <string.h>

#include "stage/core/efi_map.h"
#include "stage/core/plan_impl.h"

/* Ranges that efi_map() sets besides those of the memory map: tboot, zero page, command line, initrd, the RSDP, the map itself. */
#define EFI_MAP_OWN 6
#define MEBIBYTE (1u << 20)

static bool take_anywhere(struct stage_memory *m, uint64_t size, uint32_t *out)
{
	return stage_memory_take(m, &(struct stage_want){ .size = size, .low = MEBIBYTE, .high = STAGE_MEMORY_TOP, .top = true }, out);
}

/*
 * The kernel unpacks itself within init_size bytes from its load address on, and does so at pref_address if it is loaded lower
 * (arch/x86/boot/compressed/head_64.S): no lower address will do.
 */
static bool take_kernel(struct stage_memory *m, const struct bzimage *image, uint32_t *out)
{
	uint64_t low = image->pref_address > MEBIBYTE ? image->pref_address : MEBIBYTE;

	if (image->pref_address <= UINT32_MAX && stage_memory_take_at(m, (struct txt_range){ image->pref_address, image->init_size })) {
		*out = (uint32_t)image->pref_address;
		return true;
	}
	if (!image->relocatable)
		return false;
	return stage_memory_take(
		m, &(struct stage_want){ .size = image->init_size, .align = image->alignment, .low = low, .high = STAGE_MEMORY_TOP }, out);
}

/*
 * tboot calls its memory unusable for an ELF image and reserved for Linux (tboot/common/tboot.c, is_kernel_linux()), and Linux looks at
 * the shared page only in reserved memory (arch/x86/kernel/tboot.c, tboot_probe()). The stage is an ELF image.
 */
static uint32_t type_for_linux(const struct handover *h, const struct mb2_memory *m)
{
	bool tboot = txt_range_overlaps((struct txt_range){ m->base, m->size }, h->shared.memory);

	return m->type == MB2_MEMORY_BAD && tboot ? MB2_MEMORY_RESERVED : m->type;
}

static bool push_e820(struct linux_plan *l, uint64_t base, uint64_t end, uint32_t type)
{
	struct linux_e820 *last = l->e820_count ? &l->e820[l->e820_count - 1] : NULL;

	if (base >= end)
		return true;
	if (last && last->type == type && last->base + last->size == base) {
		last->size += end - base;
		return true;
	}
	if (l->e820_count == LINUX_E820_MAX)
		return false;
	l->e820[l->e820_count++] = (struct linux_e820){ base, end - base, type };
	return true;
}

/* The memory map as tboot made it, with the RSDP's page as an ACPI table; neighbours of one type become one. */
static enum stage_error list_e820(const struct handover *h, struct linux_plan *l)
{
	const struct txt_range rsdp = { l->rsdp, l->rsdp ? STAGE_PAGE : 0 };

	l->e820_count = 0;
	for (size_t i = 0; i < h->mmap.count; i++) {
		struct mb2_memory m = mb2_mmap_entry(&h->mmap, i);
		uint64_t at = m.base, end = m.base + m.size;

		m.type = type_for_linux(h, &m);
		if (m.size == 0 || m.size > UINT64_MAX - m.base)
			continue;
		if (rsdp.size && txt_range_contains((struct txt_range){ m.base, m.size }, rsdp)) {
			if (!push_e820(l, at, rsdp.base, m.type) || !push_e820(l, rsdp.base, rsdp.base + rsdp.size, MB2_MEMORY_ACPI))
				return STAGE_E_E820;
			at = rsdp.base + rsdp.size;
		}
		if (!push_e820(l, at, end, m.type))
			return STAGE_E_E820;
	}
	return l->e820_count ? STAGE_OK : STAGE_E_MMAP;
}

/* Without an RSDP the kernel looks where a BIOS has it. */
static enum stage_error take_rsdp(const struct handover *h, struct stage_memory *m, struct linux_plan *l)
{
	if (h->rsdp.n == 0)
		return STAGE_OK;
	if (h->rsdp.n < STAGE_RSDP_MIN || h->rsdp.n > STAGE_RSDP_MAX)
		return STAGE_E_RSDP;
	return take_anywhere(m, STAGE_PAGE, &l->rsdp) ? STAGE_OK : STAGE_E_MEMORY;
}

enum stage_error linux_plan(const struct handover *h, struct stage_memory *m, struct stage_plan *p)
{
	struct linux_plan *l = &p->for_linux;
	struct span cmdline = h->modules[0].string;
	enum stage_error e;

	if (bzimage_parse(h->module_bytes[0], &l->image) != BZIMAGE_OK)
		return STAGE_E_KERNEL;
	if (cmdline.n > l->image.cmdline_size)
		return STAGE_E_CMDLINE;
	if (!take_kernel(m, &l->image, &l->load))
		return STAGE_E_KERNEL_PLACE;
	e = initrd_plan(h, (uint64_t)l->image.initrd_max + 1, m, &p->initrd);
	if (e != STAGE_OK)
		return e;
	if (h->rules.efi_runtime && h->has_efi_mmap && h->efi_table)
		l->efi_map_room = h->efi_mmap.map.n + 2 * (h->mmap.count + EFI_MAP_OWN) * h->efi_mmap.descriptor_size;
	if (!take_anywhere(m, LINUX_PARAMS_SIZE, &l->params) || !take_anywhere(m, cmdline.n + 1, &l->cmdline) ||
		(l->efi_map_room && !take_anywhere(m, l->efi_map_room, &l->efi_map)))
		return STAGE_E_MEMORY;
	e = take_rsdp(h, m, l);
	return e == STAGE_OK ? list_e820(h, l) : e;
}

/* What the memory map does not call available, and what is put into memory here, is not free in the EFI map. */
static bool mark_efi_map(const struct handover *h, const struct stage_plan *p, struct efi_map *map)
{
	const struct linux_plan *l = &p->for_linux;
	const struct txt_range own[] = {
		{ l->params, LINUX_PARAMS_SIZE },
		{ l->cmdline, h->modules[0].string.n + 1 },
		{ p->initrd.address, p->initrd.size },
		{ l->efi_map, l->efi_map_room },
	};

	static_assert(GL_COUNT(own) + 2 <= EFI_MAP_OWN, "room in the map");
	for (size_t i = 0; i < h->mmap.count; i++) {
		struct mb2_memory m = mb2_mmap_entry(&h->mmap, i);

		if (m.type != MB2_MEMORY_AVAILABLE && !efi_map_set(map, (struct txt_range){ m.base, m.size }, EFI_RESERVED))
			return false;
	}
	if (!efi_map_set(map, h->shared.memory, EFI_RESERVED) ||
		!efi_map_set(map, (struct txt_range){ l->rsdp, l->rsdp ? STAGE_PAGE : 0 }, EFI_ACPI_RECLAIM))
		return false;
	for (size_t i = 0; i < GL_COUNT(own); i++)
		if (!efi_map_set(map, own[i], EFI_LOADER_DATA))
			return false;
	return true;
}

static enum stage_error load_efi(const struct stage_world *w, const struct handover *h, const struct stage_plan *p, struct linux_efi *out)
{
	struct efi_map map;

	if (!efi_map_copy(&h->efi_mmap, stage_room(w, p->for_linux.efi_map, p->for_linux.efi_map_room), &map) || !mark_efi_map(h, p, &map))
		return STAGE_E_EFI_MAP;
	*out = (struct linux_efi){
		.is64 = h->efi64,
		.system_table = h->efi_table,
		.map = p->for_linux.efi_map,
		.map_size = (uint32_t)map.n,
		.descriptor_size = map.descriptor_size,
		.descriptor_version = h->efi_mmap.descriptor_version,
	};
	return STAGE_OK;
}

/* False if it is no picture that Linux could draw on. */
static bool screen(const struct handover *h, struct linux_screen *out)
{
	const struct mb2_framebuffer *f = &h->framebuffer;

	if (!h->has_framebuffer || f->type != MB2_FRAMEBUFFER_RGB || f->width > UINT16_MAX || f->height > UINT16_MAX ||
		f->pitch > UINT16_MAX)
		return false;
	*out = (struct linux_screen){
		.address = f->address,
		.size = (uint64_t)f->pitch * f->height,
		.width = (uint16_t)f->width,
		.height = (uint16_t)f->height,
		.pitch = (uint16_t)f->pitch,
		.depth = f->bits,
		.efi = h->efi_table != 0,
		.red = { f->red.position, f->red.size },
		.green = { f->green.position, f->green.size },
		.blue = { f->blue.position, f->blue.size },
	};
	return true;
}

enum stage_error linux_load(const struct stage_world *w, const struct handover *h, const struct stage_plan *p, struct stage_jump *out)
{
	const struct linux_plan *l = &p->for_linux;
	struct span cmdline = h->modules[0].string;
	struct mspan line = stage_room(w, l->cmdline, cmdline.n + 1), rsdp = stage_room(w, l->rsdp, l->rsdp ? STAGE_PAGE : 0);
	struct linux_efi efi;
	struct linux_screen scr;
	/* clang-format off */
	struct linux_params params = {
		.image = &l->image, .load_address = l->load, .cmdline = l->cmdline, .initrd = p->initrd.size ? p->initrd.address : 0,
		.initrd_size = p->initrd.size, .e820 = l->e820, .e820_count = l->e820_count, .screen = screen(h, &scr) ? &scr : NULL,
		.tboot = h->shared_address, .rsdp = l->rsdp,
	};
	/* clang-format on */

	if (l->efi_map_room) {
		enum stage_error e = load_efi(w, h, p, &efi);

		if (e != STAGE_OK)
			return e;
		params.efi = &efi;
	}
	if (!line.p || (l->rsdp && !rsdp.p))
		return STAGE_E_MEMORY;
	if (rsdp.p) {
		memset(rsdp.p, 0, rsdp.n);
		memcpy(rsdp.p, h->rsdp.p, h->rsdp.n);
	}
	memcpy(line.p, cmdline.p, cmdline.n);
	line.p[cmdline.n] = 0;
	if (!linux_params_write(&params, stage_room(w, l->params, LINUX_PARAMS_SIZE)) || !plan_copy(w, l->load, l->image.kernel))
		return STAGE_E_MEMORY;
	*out = (struct stage_jump){ .entry = l->load, .esi = l->params };
	return STAGE_OK;
}
