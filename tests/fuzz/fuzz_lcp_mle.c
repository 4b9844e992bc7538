/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MLE images. Input: u8 length of the command line (255: none), the command line, an ELF file. The streamed hash must be that of
 * the image put together in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "lcp/mle_image.h"
#include "tests/fuzz/exact.h"

/* Largest MLE that is put together here. */
#define MLE_MAX (1 << 15)
#define NO_CMDLINE 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The MLE's bytes [start, end) with the command line in them; false if that cannot be. */
static bool put_together(const struct lcp_mle *m, const struct span *cmdline, uint8_t *image)
{
	if (!lcp_mle_read(m, m->start, (struct mspan){ image, m->end - m->start }))
		abort();
	if (!cmdline)
		return true;
	if (cmdline->n >= m->cmdline_end - m->cmdline_start || memchr(cmdline->p, 0, cmdline->n))
		return false;
	/* Only what is in the MLE: the space may be a GiB. */
	for (uint32_t at = m->cmdline_start > m->start ? m->cmdline_start : m->start; at < m->cmdline_end && at < m->end; at++)
		image[at - m->start] = at - m->cmdline_start < cmdline->n ? cmdline->p[at - m->cmdline_start] : 0;
	return true;
}

static void check_segments(const struct lcp_mle *m)
{
	uint64_t last = 0;
	size_t words = 0;

	for (size_t i = 0; i < m->segment_count; i++) {
		const struct lcp_mle_segment *s = &m->segments[i];

		if (s->offset < last || s->file.n > s->size || s->size == 0)
			abort();
		last = s->offset + s->size;
		words += s->file.n / 4;
	}
	if (last != m->size || m->size > LCP_MLE_MAX_IMAGE || m->start >= m->end || m->end > m->size || m->header % 16)
		abort();
	if (lcp_mle_unmeasured_pointers(m) > words)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct span){ data, size });
	uint8_t length = rd_u8(&r);
	struct span cmdline = rd_bytes(&r, length == NO_CMDLINE ? 0 : length), elf = rd_bytes(&r, rd_left(&r));
	const struct span *given = length == NO_CMDLINE ? NULL : &cmdline;
	struct digests have, want;
	struct lcp_mle m;

	if (r.bad || lcp_mle_find(elf, &m))
		return 0;
	check_segments(&m);
	if (m.end - m.start > MLE_MAX)
		return 0;

	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	uint8_t *image = exact_room(&x, m.end - m.start);
	bool fits = put_together(&m, given, image);
	enum lcp_error e = lcp_mle_digest(&m, given, ALG_BIT(ALG_SHA256), &have);

	if ((e == LCP_OK) != fits)
		abort();
	if (!fits)
		return 0;
	hash_span(ALG_BIT(ALG_SHA256), (struct span){ image, m.end - m.start }, &want);
	if (!digests_equal(&have, &want))
		abort();
	return 0;
}
