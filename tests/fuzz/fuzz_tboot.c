/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tboot as a file, its command line, and ACPI tables. Input: u8 what; 0 command line, 1 ACPI tables in memory of their own, else an image.
 * A plan's segments lie in the file and apart; nothing outside of the memory is looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "efi/core/acpi_find.h"
#include "boot/tboot_image.h"
#include "cli/tboot_file.h"
#include "efi/core/tboot_line.h"

#define BASE 0x100000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span memory(void *ctx, uint64_t base, size_t n)
{
	const struct span *s = ctx;

	if (base < BASE || base - BASE > s->n || n > s->n - (base - BASE))
		return (struct span){ NULL, 0 };
	return (struct span){ s->p + (base - BASE), n };
}

/* tboot.mb2 as an ELF file: what lies in memory is the same. */
static void as_elf(struct span file, const struct tboot_image *t)
{
	struct elf_plan plan;
	uint8_t *elf;
	size_t n;

	if (!tboot_file_elf(file, &elf, &n))
		return;
	if (!t->flat)
		abort();
	if (elf_plan((struct span){ elf, n }, &plan) == ELF_OK) {
		const struct elf_segment *a = &t->segments[0], *b = &plan.segments[0];
		size_t below = (size_t)(b->address - a->address);

		if (plan.count != 1 || plan.high != t->high || b->file_size != a->file_size - below ||
			(b->file_size && memcmp(elf + b->offset, file.p + a->offset + below, b->file_size) != 0))
			abort();
	}
	free(elf);
}

static void image(struct span file)
{
	struct tboot_image t;
	uint64_t end = 0;
	enum tboot_image_error error;
	const char *why = NULL;

	error = tboot_image_plan(file, &t, &why);
	if (!tboot_image_strerror(error)[0])
		abort();
	if (error)
		return;
	if (t.count == 0 || t.count > ELF_MAX_SEGMENTS || t.low < TBOOT_LOW || t.entry < t.low || t.entry >= t.high)
		abort();
	for (size_t i = 0; i < t.count; i++) {
		const struct elf_segment *s = &t.segments[i];

		if (s->offset > file.n || s->file_size > file.n - s->offset || s->file_size > s->memory_size)
			abort();
		if (s->address < end || s->address < t.low || s->address > t.high || s->memory_size > t.high - s->address)
			abort();
		end = s->address + s->memory_size;
	}
	as_elf(file, &t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in;

	if (size == 0)
		return 0;
	in = (struct span){ data + 1, size - 1 };
	if (data[0] == 0) {
		struct tboot_line line;

		tboot_line_parse(in, &line);
		if (line.min_ram > UINT32_MAX || (line.known && line.extpol >= ALG_COUNT))
			abort();
	} else if (data[0] == 1) {
		struct acpi_found found;

		(void)acpi_find(memory, &in, BASE, &found);
		if ((found.rsdp_old.n && found.rsdp_old.n != ACPI_RSDP_OLD) || (found.rsdp_new.n && found.rsdp_new.n < ACPI_RSDP_NEW))
			abort();
	} else {
		image(in);
	}
	return 0;
}
