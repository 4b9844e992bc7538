/* SPDX-License-Identifier: BSD-3-Clause */
/* Multiboot2 headers. Input: the file, once as it is and once with the checksum of every header made right, so that tags are reached. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/mb2_sums.h"

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

	check((struct span){ data, size });
	copy = malloc(size ? size : 1);
	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	mb2_sum_up((struct mspan){ copy, size });
	check((struct span){ copy, size });
	free(copy);
	return 0;
}
