/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/tboot_image.h"

#include <string.h>

static const char *const texts[TBOOT_IMAGE_ERROR_COUNT] = {
	[TBOOT_IMAGE_OK] = "no error",
	[TBOOT_IMAGE_E_HEADER] = "no multiboot2 header that this loader can obey",
	[TBOOT_IMAGE_E_ELF] = "neither an ELF image nor one with a multiboot2 address tag (is it still compressed?)",
	[TBOOT_IMAGE_E_ADDRESS] = "the multiboot2 address tag does not fit the file: it is cut off or damaged",
	[TBOOT_IMAGE_E_ENTRY] = "the entry point does not lie in what is loaded",
	[TBOOT_IMAGE_E_BOOT_SERVICES] = "it wants EFI boot services, which tboot does not",
	[TBOOT_IMAGE_E_RANGE] = "it wants memory below 1 MiB, above 4 GiB or more than 512 MiB",
};

const char *tboot_image_strerror(enum tboot_image_error e)
{
	return texts[(size_t)e < TBOOT_IMAGE_ERROR_COUNT ? e : TBOOT_IMAGE_E_HEADER];
}

/* 3.1.5: the file is loaded from where `load` lies in it; load_end 0 means up to the file's end, bss_end 0 means no zeroed memory. */
static enum tboot_image_error plan_flat(struct span file, const struct mb2_header *h, struct tboot_image *out)
{
	struct elf_segment *s = &out->segments[0];
	uint64_t before, size, end;

	if (h->address.load > h->address.header)
		return TBOOT_IMAGE_E_ADDRESS;
	before = h->address.header - h->address.load;
	if (before > h->offset)
		return TBOOT_IMAGE_E_ADDRESS;
	s->offset = h->offset - (size_t)before;
	size = file.n - s->offset;
	if (h->address.load_end) {
		if (h->address.load_end <= h->address.load || h->address.load_end - h->address.load > size)
			return TBOOT_IMAGE_E_ADDRESS;
		size = h->address.load_end - h->address.load;
	}
	end = h->address.load + size;
	if (h->address.bss_end) {
		if (h->address.bss_end < end)
			return TBOOT_IMAGE_E_ADDRESS;
		end = h->address.bss_end;
	}
	if (end > UINT64_C(1) << 32)
		return TBOOT_IMAGE_E_RANGE;
	s->file_size = (size_t)size;
	s->address = h->address.load;
	s->memory_size = end - h->address.load;
	s->virtual_address = s->address;
	out->count = 1;
	out->flat = true;
	return TBOOT_IMAGE_OK;
}

static enum tboot_image_error plan_elf(struct span file, struct tboot_image *out, uint64_t *entry, const char **why)
{
	struct elf_plan plan;
	enum elf_error e = elf_plan(file, &plan);

	if (e != ELF_OK) {
		*why = elf_strerror(e);
		return TBOOT_IMAGE_E_ELF;
	}
	if (!elf_physical(&plan, plan.entry, entry))
		return TBOOT_IMAGE_E_ENTRY;
	out->count = plan.count;
	memcpy(out->segments, plan.segments, sizeof(out->segments));
	return TBOOT_IMAGE_OK;
}

static bool in_segments(const struct tboot_image *t, uint64_t address)
{
	for (size_t i = 0; i < t->count; i++)
		if (address >= t->segments[i].address && address - t->segments[i].address < t->segments[i].memory_size)
			return true;
	return false;
}

enum tboot_image_error tboot_image_plan(struct span file, struct tboot_image *out, const char **why)
{
	struct tboot_image t = { .count = 0 };
	const struct elf_segment *last;
	const char *part = NULL;
	struct mb2_header h;
	enum mb2_header_error he = mb2_header_parse(file, &h);
	enum tboot_image_error e;
	uint64_t entry = 0;

	if (!why)
		why = &part;
	*why = NULL;
	if (he != MB2_HEADER_OK) {
		*why = mb2_header_strerror(he);
		return TBOOT_IMAGE_E_HEADER;
	}
	if (mb2_header_has(&h, MB2_HEADER_EFI_BOOT_SERVICES))
		return TBOOT_IMAGE_E_BOOT_SERVICES;
	if (mb2_header_has(&h, MB2_HEADER_ADDRESS))
		e = plan_flat(file, &h, &t);
	else
		e = plan_elf(file, &t, &entry, why);
	if (e != TBOOT_IMAGE_OK)
		return e;
	if (mb2_header_has(&h, MB2_HEADER_ENTRY))
		entry = h.entry;
	else if (t.flat)
		return TBOOT_IMAGE_E_ENTRY;
	if (!in_segments(&t, entry))
		return TBOOT_IMAGE_E_ENTRY;
	last = &t.segments[t.count - 1];
	if (t.segments[0].address < TBOOT_LOW || last->address > UINT32_MAX || last->memory_size > UINT32_MAX - last->address ||
		last->address + last->memory_size - t.segments[0].address > TBOOT_MAX_SIZE)
		return TBOOT_IMAGE_E_RANGE;
	t.entry = (uint32_t)entry;
	t.low = (uint32_t)t.segments[0].address;
	t.high = (uint32_t)(last->address + last->memory_size);
	*out = t;
	return TBOOT_IMAGE_OK;
}
