/* SPDX-License-Identifier: BSD-3-Clause */
/* Multiboot2 headers. Input: the file. The checksum is made right for a header at the input's beginning, so that tags are reached. */
#include <stdlib.h>
#include <string.h>

#include "boot/multiboot2_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct span file)
{
	struct mb2_header h;
	enum mb2_header_error error;

	memset(&h, 0, sizeof(h));
	error = mb2_header_parse(file, &h);
	if (!mb2_header_strerror(error)[0])
		abort();
	if (error)
		return;
	if (h.offset % MB2_HEADER_ALIGN != 0 || h.offset + 16 > file.n || h.offset + 16 > MB2_HEADER_SEARCH ||
		h.tags >> MB2_HEADER_TAG_COUNT != 0)
		abort();
	if (mb2_header_has(&h, MB2_HEADER_RELOCATABLE) &&
		(h.relocatable.min > h.relocatable.max || (h.relocatable.align & (h.relocatable.align - 1)) != 0 || !h.relocatable.align))
		abort();
	if (!mb2_header_has(&h, MB2_HEADER_REQUEST) && (h.required || h.wished))
		abort();
	if (!mb2_header_has(&h, MB2_HEADER_ENTRY_EFI64) && h.entry_efi64)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	uint32_t sum = 0, word;

	check((struct span){ data, size });
	if (size < 16)
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	for (size_t i = 0; i < 12; i += 4) {
		memcpy(&word, copy + i, 4);
		sum -= word;
	}
	memcpy(copy + 12, &sum, 4);
	check((struct span){ copy, size });
	free(copy);
	return 0;
}
