/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tboot as a file, its command line, and ACPI tables. Input: u8 what; 0 command line, 1 ACPI tables in memory of their own, else an image.
 * A plan's segments lie in the file and apart; nothing outside of the memory is looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/tboot_image.h"
#include "cli/tboot_file.h"
#include "efi/core/acpi_find.h"
#include "txt/tboot_line.h"

#define BASE 0x100000u
#define TBOOT_BASE 0x800000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span memory(void *ctx, uint64_t base, size_t n)
{
	const struct span *s = ctx;

	if (base < BASE || base - BASE > s->n || n > s->n - (base - BASE))
		return (struct span){ NULL, 0 };
	return (struct span){ s->p + (base - BASE), n };
}

/* The ELF file made of a flat image is one that can be loaded, enters at the same place and has the same bytes. */
static void check_elf(struct span file, const struct tboot_image *t)
{
	struct elf_plan plan;
	enum elf_error error;
	uint8_t *bytes = NULL;
	size_t n = 0;

	if (tboot_file_is_flat(file) != t->flat)
		abort();
	if (!tboot_file_elf(file, &bytes, &n))
		return;
	error = elf_plan((struct span){ bytes, n }, &plan);
	/* What lies below tboot's base is left out, and the entry may lie there. */
	if (!t->flat || (error && (error != ELF_E_ENTRY || t->entry >= TBOOT_BASE)))
		abort();
	if (error) {
		free(bytes);
		return;
	}
	if (plan.count != 1 || plan.entry != t->entry || plan.segments[0].address < t->low || plan.high != t->high)
		abort();
	for (size_t i = 0; i < plan.segments[0].file_size; i++)
		if (bytes[plan.segments[0].offset + i] !=
			file.p[t->segments[0].offset + (plan.segments[0].address - t->segments[0].address) + i])
			abort();
	free(bytes);
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
	check_elf(file, &t);
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
