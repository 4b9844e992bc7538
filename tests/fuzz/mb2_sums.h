/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_MB2_SUMS_H
#define GL_TESTS_MB2_SUMS_H

#include "boot/multiboot2_header.h"
#include "common/cursor.h"

/* Makes the checksum of a multiboot2 header right, wherever one may begin, so that a fuzzer gets behind it. */
static inline void mb2_sum_up(struct mspan m)
{
	for (size_t at = 0; m.n >= 16 && at <= m.n - 16 && at < MB2_HEADER_SEARCH; at += MB2_HEADER_ALIGN) {
		struct rd r = rd_init((struct span){ m.p + at, 12 });
		uint32_t magic = rd_le32(&r), architecture = rd_le32(&r), length = rd_le32(&r);

		if (magic == MB2_HEADER_MAGIC)
			put_le(m.p + at + 12, 0u - magic - architecture - length, 4);
	}
}

#endif
