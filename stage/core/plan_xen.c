/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Xen by the multiboot2 protocol, although the firmware was EFI. Xen refuses to start outside of boot services as long as it finds EFI's
 * tags, so these are left out; without them it looks for its ACPI tables as under a BIOS, so the RSDP is put into an EBDA made for it.
 * Xen 4.17: xen/arch/x86/boot/head.S, reloc.c; the search: ACPI 6.4, 5.2.5.1.
 */
#include <string.h>

#include "boot/multiboot2_header.h"
#include "stage/core/plan_impl.h"

#define KIBIBYTE 1024u
/* Xen takes an EBDA in this range only, and the 64 KiB below it for its trampoline. */
#define EBDA_LOWEST 0x40000u
#define EBDA_END 0xa0000u
#define TRAMPOLINE 0x10000u
/* Segment of the EBDA in the BIOS data area. */
#define BDA_EBDA 0x40e
/* The first 1 KiB of the EBDA is searched, at multiples of 16; its first byte is its size in KiB. */
#define RSDP_AT 16u

/* Tags that are written anew, or that make Xen expect boot services. */
#define BIT(t) (UINT32_C(1) << (t))
#define DROPPED \
	(BIT(MB2_CMDLINE) | BIT(MB2_LOADER_NAME) | BIT(MB2_MODULE) | BIT(MB2_BASIC_MEMINFO) | BIT(MB2_MMAP) | BIT(MB2_EFI32) | \
		BIT(MB2_EFI64) | BIT(MB2_EFI_MMAP) | BIT(MB2_EFI_BOOT_SERVICES) | BIT(MB2_EFI32_IMAGE) | BIT(MB2_EFI64_IMAGE) | \
		BIT(MB2_LOAD_BASE) | BIT(MB2_VBE) | BIT(MB2_FRAMEBUFFER))
#define WRITTEN (BIT(MB2_CMDLINE) | BIT(MB2_LOADER_NAME) | BIT(MB2_MODULE) | BIT(MB2_BASIC_MEMINFO) | BIT(MB2_MMAP))

/* From any loader but GRUB Xen expects an image name as the first word, and takes it off. */
#define LOADER_NAME "geolaunch-stage"
#define XEN_NAME "xen "
#define KERNEL_NAME "kernel "

#define KERNEL 1 /* index of the kernel's module: modules_take() has it so */

/* ---------------------------------------------------------------- plan */

/* Nothing is required that will not be in the information. */
static bool wants_too_much(const struct handover *h, const struct mb2_header *header)
{
	uint32_t there = WRITTEN | (h->has_framebuffer ? BIT(MB2_FRAMEBUFFER) : 0);
	struct mb2_tags it = { .info = &h->info };
	struct mb2_tag t;

	while (mb2_next(&it, &t))
		if (t.type < 32 && !(DROPPED & BIT(t.type)))
			there |= BIT(t.type);
	return (header->required & ~there) != 0 || mb2_header_has(header, MB2_HEADER_ADDRESS);
}

static enum stage_error place_image(const struct mb2_header *header, struct stage_memory *m, struct xen_plan *x)
{
	uint64_t size = x->elf.high - x->elf.low;
	struct stage_want want = { .size = size };

	if (stage_memory_take_at(m, (struct txt_range){ x->elf.low, size })) {
		x->load = (uint32_t)x->elf.low;
		return STAGE_OK;
	}
	if (!mb2_header_has(header, MB2_HEADER_RELOCATABLE))
		return STAGE_E_KERNEL_PLACE;
	want.align = header->relocatable.align;
	want.low = header->relocatable.min;
	want.high = (uint64_t)header->relocatable.max + 1;
	want.top = header->relocatable.preference == MB2_PREFER_HIGH;
	x->relocated = true;
	return stage_memory_take(m, &want, &x->load) ? STAGE_OK : STAGE_E_KERNEL_PLACE;
}

static enum stage_error plan_image(const struct handover *h, struct stage_memory *m, struct xen_plan *x)
{
	struct mb2_header header;
	uint64_t entry;
	enum stage_error e;

	if (elf_plan(h->module_bytes[0], &x->elf) != ELF_OK || mb2_header_parse(h->module_bytes[0], &header) != MB2_HEADER_OK ||
		x->elf.high > STAGE_MEMORY_TOP)
		return STAGE_E_KERNEL;
	if (wants_too_much(h, &header))
		return STAGE_E_KERNEL_WANTS;
	if (!elf_physical(&x->elf, mb2_header_has(&header, MB2_HEADER_ENTRY) ? header.entry : x->elf.entry, &entry))
		return STAGE_E_KERNEL;
	e = place_image(&header, m, x);
	x->entry = (uint32_t)(entry - x->elf.low) + x->load;
	return e;
}

/* A page for the EBDA with the trampoline's room below it. */
static enum stage_error plan_ebda(const struct handover *h, struct stage_memory *m, struct xen_plan *x)
{
	struct stage_want want = { .size = TRAMPOLINE + STAGE_PAGE, .low = EBDA_LOWEST - TRAMPOLINE, .high = EBDA_END, .top = true };
	uint32_t at;

	if (h->rsdp.n < STAGE_RSDP_MIN || h->rsdp.n > STAGE_RSDP_MAX)
		return STAGE_E_RSDP;
	if (!stage_memory_take(m, &want, &at))
		return STAGE_E_LOW_MEMORY;
	x->ebda = at + TRAMPOLINE;
	return STAGE_OK;
}

static bool push_mmap(struct xen_plan *x, uint64_t base, uint64_t end, uint32_t type)
{
	if (base >= end)
		return true;
	if (x->mmap_count == GL_COUNT(x->mmap))
		return false;
	x->mmap[x->mmap_count++] = (struct mb2_memory){ base, end - base, type };
	return true;
}

/* An entry with two pages of it reserved. `cuts` is by rising address. */
static bool push_cut(struct xen_plan *x, const struct mb2_memory *m, const uint64_t *cuts, size_t count)
{
	uint64_t at = m->base, end = m->base + m->size;

	for (size_t i = 0; i < count && m->type == MB2_MEMORY_AVAILABLE; i++) {
		uint64_t from = cuts[i] > at ? cuts[i] : at, to = cuts[i] + STAGE_PAGE < end ? cuts[i] + STAGE_PAGE : end;

		if (from >= to)
			continue;
		if (!push_mmap(x, at, from, m->type) || !push_mmap(x, from, to, MB2_MEMORY_RESERVED))
			return false;
		at = to;
	}
	return push_mmap(x, at, end, m->type);
}

/*
 * The memory map with the EBDA and the BIOS data area reserved. Both: what is RAM to Xen is not itself in dom0's address space, and dom0
 * looks for the RSDP as Xen does, through the word in the BIOS data area.
 */
static enum stage_error plan_mmap(const struct handover *h, struct xen_plan *x)
{
	const uint64_t cuts[] = { 0, x->ebda };

	for (size_t i = 0; i < h->mmap.count; i++) {
		struct mb2_memory m = mb2_mmap_entry(&h->mmap, i);

		if (m.size <= UINT64_MAX - m.base && !push_cut(x, &m, cuts, GL_COUNT(cuts)))
			return STAGE_E_MMAP;
	}
	return STAGE_OK;
}

/* Xen takes modules at page boundaries only. */
static enum stage_error plan_kernel(const struct handover *h, struct stage_memory *m, struct xen_plan *x)
{
	struct stage_want want = { .size = h->module_bytes[KERNEL].n, .low = 1u << 20, .high = STAGE_MEMORY_TOP, .top = true };

	x->kernel = h->modules[KERNEL].start;
	x->kernel_moved = x->kernel % STAGE_PAGE != 0;
	return !x->kernel_moved || stage_memory_take(m, &want, &x->kernel) ? STAGE_OK : STAGE_E_MEMORY;
}

/* A text made of two, in the writer's memory; longer ones are cut and reported by `ok`. */
struct joined {
	char text[3072];
	bool ok;
};

static struct span join(struct joined *j, const char *a, struct span b, struct span c)
{
	struct wr w = wr_init((struct mspan){ (uint8_t *)j->text, sizeof(j->text) });

	wr_bytes(&w, span_str(a));
	wr_bytes(&w, b);
	wr_bytes(&w, c);
	j->ok = j->ok && !w.bad;
	return wr_span(&w);
}

static uint32_t upper_kib(const struct handover *h)
{
	struct mb2_tag t;
	uint32_t lower, upper;

	return mb2_find(&h->info, MB2_BASIC_MEMINFO, &t) && mb2_get_basic_meminfo(&t, &lower, &upper) ? upper : 0;
}

/* Writes the information, or only counts. */
static bool write_info(const struct handover *h, const struct stage_plan *p, struct mb2_writer *w, size_t *n)
{
	const struct xen_plan *x = &p->for_xen;
	struct joined j = { .ok = true };
	char tboot[24] = "";
	struct text t = TEXT_OF(tboot);
	struct mb2_module kernel = { .start = x->kernel, .end = x->kernel + (uint32_t)h->module_bytes[KERNEL].n };

	if (h->measured) {
		text_str(&t, " tboot=");
		text_hex(&t, h->shared_address, 8);
	}
	mb2_put_cmdline(w, join(&j, XEN_NAME, h->modules[0].string, span_str(tboot)));
	mb2_put_loader_name(w, SPAN_LITERAL(LOADER_NAME));
	kernel.string = join(&j, KERNEL_NAME, h->modules[KERNEL].string, (struct span){ NULL, 0 });
	mb2_put_module(w, &kernel);
	if (p->initrd.size)
		mb2_put_module(w, &(struct mb2_module){ .start = p->initrd.address, .end = p->initrd.address + p->initrd.size });
	mb2_put_basic_meminfo(w, x->ebda / KIBIBYTE, upper_kib(h));
	mb2_put_mmap(w, x->mmap, x->mmap_count);
	if (x->relocated)
		mb2_put_number(w, MB2_LOAD_BASE, x->load);
	if (h->has_framebuffer)
		mb2_put_framebuffer(w, &h->framebuffer);
	mb2_copy_without(w, &h->info, DROPPED);
	return mb2_end(w, n) && j.ok;
}

enum stage_error xen_plan(const struct handover *h, struct stage_memory *m, struct stage_plan *p)
{
	struct xen_plan *x = &p->for_xen;
	struct mb2_writer w;
	enum stage_error e;

	if (h->module_count <= KERNEL)
		return STAGE_E_KERNEL;
	e = plan_image(h, m, x);
	if (e == STAGE_OK)
		e = plan_ebda(h, m, x);
	if (e == STAGE_OK)
		e = plan_mmap(h, x);
	if (e == STAGE_OK)
		e = plan_kernel(h, m, x);
	if (e == STAGE_OK)
		e = initrd_plan(h, STAGE_MEMORY_TOP - STAGE_PAGE, m, &p->initrd);
	if (e != STAGE_OK)
		return e;
	mb2_begin_measure(&w);
	if (!write_info(h, p, &w, &x->info_room))
		return STAGE_E_CMDLINE;
	return stage_memory_take(
		       m, &(struct stage_want){ .size = x->info_room, .low = 1u << 20, .high = STAGE_MEMORY_TOP, .top = true }, &x->info)
	               ? STAGE_OK
	               : STAGE_E_MEMORY;
}

/* ---------------------------------------------------------------- load */

static bool load_ebda(const struct stage_world *w, const struct handover *h, const struct xen_plan *x)
{
	struct mspan page = stage_room(w, x->ebda, STAGE_PAGE), bda = stage_room(w, BDA_EBDA, 2);
	struct wr segment = wr_init(bda);

	if (!page.p || !bda.p)
		return false;
	memset(page.p, 0, page.n);
	page.p[0] = STAGE_PAGE / KIBIBYTE;
	memcpy(page.p + RSDP_AT, h->rsdp.p, h->rsdp.n);
	wr_le16(&segment, (uint16_t)(x->ebda >> 4));
	return true;
}

enum stage_error xen_load(const struct stage_world *w, const struct handover *h, const struct stage_plan *p, struct stage_jump *out)
{
	const struct xen_plan *x = &p->for_xen;
	struct mb2_writer info;
	size_t n;

	if (x->kernel_moved && !plan_copy(w, x->kernel, h->module_bytes[KERNEL]))
		return STAGE_E_MEMORY;
	mb2_begin(&info, stage_room(w, x->info, x->info_room));
	if (!write_info(h, p, &info, &n) || !load_ebda(w, h, x) ||
		!elf_load(h->module_bytes[0], &x->elf, stage_room(w, x->load, (size_t)(x->elf.high - x->elf.low))))
		return STAGE_E_MEMORY;
	*out = (struct stage_jump){ .entry = x->entry, .eax = MB2_MAGIC, .ebx = x->info };
	return STAGE_OK;
}
