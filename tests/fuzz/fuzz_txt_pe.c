/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers of a UEFI image in the guest's memory. What is accepted lies in the image, and within the limits. */
#include <stdlib.h>
#include <string.h>

#include "qemu/txt/pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	const uint8_t *p;
	size_t n;
};

static bool read_memory(void *ctx, uint64_t at, struct mspan out)
{
	const struct memory *m = ctx;

	if (at > m->n || out.n > m->n - at)
		return false;
	memcpy(out.p, m->p + at, out.n);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory bytes = { data, size };
	const struct txt_memory m = { .read = read_memory, .ctx = &bytes };
	struct pe_found f;
	struct pe pe;
	enum pe_error error;

	error = pe_parse((struct span){ data, size }, &pe);
	if (!pe_strerror(error)[0])
		abort();
	if (error == PE_OK) {
		if (pe.size == 0 || pe.size > PE_MAX_IMAGE || pe.entry >= pe.size || pe.code_count == 0 || pe.code_count > IMAGE_MAX_RANGES)
			abort();
		for (size_t i = 0; i < pe.code_count; i++)
			if (pe.code[i].size == 0 || pe.code[i].at > pe.size || pe.code[i].size > pe.size - pe.code[i].at)
				abort();
	}
	if (pe_find(&m, size, &f) == PE_OK && (f.base % PE_PAGE || f.base >= size || !pe_has_code(&f.pe, size - f.base)))
		abort();
	return 0;
}
