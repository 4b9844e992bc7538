/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tboot as a file, its command line, and ACPI tables. Input: u8 what; 0 command line, 1 ACPI tables in memory of their own, else an image.
 * A plan's segments lie in the file and apart; nothing outside of the memory is looked at. Tables and image are looked at once as they are and
 * once with right checksums. What the launch reads in the command line, lint reads too.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/tboot_image.h"
#include "cli/lint.h"
#include "cli/tboot_file.h"
#include "efi/core/acpi_find.h"
#include "lcp/alg.h"
#include "tests/fuzz/acpi_sums.h"
#include "tests/fuzz/mb2_sums.h"
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

static void line(struct span in)
{
	struct tboot_line t;
	struct lint_tboot l;
	char *text;
	uint16_t alg;

	tboot_line_parse(in, &t);
	if (t.min_ram > UINT32_MAX || (t.known && t.extpol >= ALG_COUNT))
		abort();
	/* Strings end at a zero. */
	if (in.n && memchr(in.p, 0, in.n))
		return;
	text = strndup(in.n ? (const char *)in.p : "", in.n);
	if (!text)
		abort();
	/* The launch knows the options of tboot 1.10.5, which is older than force_pmrs. */
	lint_tboot_parse(text, LINT_VERSION(1, 10, 5), &l);
	free(text);
	if (l.call_racm != t.racm || l.ignore_prev_err != t.ignore_previous_error || l.min_ram != t.min_ram)
		abort();
	if ((l.extpol == LINT_EXTPOL_AGILE || l.extpol == LINT_EXTPOL_EMBEDDED) == t.fixed)
		abort();
	alg = t.known ? alg_table[t.extpol].tpm_id : 0;
	if (t.known && (l.extpol != LINT_EXTPOL_FIXED || l.extpol_alg != alg))
		abort();
	if (!t.known && l.extpol == LINT_EXTPOL_FIXED && l.extpol_alg != LCP_ALG_SM3_256)
		abort();
}

static void tables(struct span in)
{
	struct acpi_found found;

	(void)acpi_find(memory, &in, BASE, &found);
	if ((found.rsdp_old.n && found.rsdp_old.n != ACPI_RSDP_OLD) || (found.rsdp_new.n && found.rsdp_new.n < ACPI_RSDP_NEW))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in;
	uint8_t *copy;

	if (size == 0)
		return 0;
	in = (struct span){ data + 1, size - 1 };
	if (data[0] == 0) {
		line(in);
		return 0;
	}
	copy = malloc(in.n ? in.n : 1);
	if (!copy)
		return 0;
	memcpy(copy, in.p, in.n);
	for (unsigned i = 0; i < 2; i++) {
		if (data[0] == 1)
			tables((struct span){ copy, in.n });
		else
			image((struct span){ copy, in.n });
		acpi_sum_up((struct mspan){ copy, data[0] == 1 ? in.n : 0 });
		mb2_sum_up((struct mspan){ copy, data[0] == 1 ? 0 : in.n });
	}
	free(copy);
	return 0;
}
