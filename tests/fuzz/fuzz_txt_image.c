/* SPDX-License-Identifier: BSD-3-Clause */
/* MLEs as the TXT platform reads them. Input: the file. What is accepted lies in the file, and so does every byte of its memory. */
#include <stdlib.h>

#include "qemu/txt/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(struct span file, const struct image_range *r, size_t count)
{
	if (count > IMAGE_MAX_RANGES)
		abort();
	for (size_t i = 0; i < count; i++)
		if (r[i].bytes.n == 0 || r[i].bytes.p < file.p || r[i].bytes.p + r[i].bytes.n > file.p + file.n ||
			r[i].at + r[i].bytes.n > (uint64_t)UINT32_MAX + 1)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct image m;
	struct span file = { data, size };
	enum image_error e = image_parse(file, &m);

	if (!image_strerror(e)[0])
		abort();
	if (e)
		return 0;
	check_ranges(file, m.segments, m.segment_count);
	check_ranges(file, m.code, m.code_count);
	if (m.code_count == 0 || image_at(&m, m.entry, 1).n != 1)
		abort();
	for (size_t i = 0; i < m.segment_count; i++) {
		const struct image_range *s = &m.segments[i];
		struct span last = image_at(&m, s->at + s->bytes.n - 1, 16);

		if (last.n == 0 || last.p < data || last.p + last.n > data + size)
			abort();
	}
	return 0;
}
