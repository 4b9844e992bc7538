/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/mle_hash.h"

#include <string.h>

#include "lcp/mle_image.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

const uint8_t *lcp_mle_piece(const struct lcp_mle *m, uint64_t at, uint64_t max, uint64_t *n)
{
	for (size_t i = 0; i < m->segment_count; i++) {
		const struct lcp_mle_segment *s = &m->segments[i];

		if (at < s->offset) {
			*n = least(max, s->offset - at);
			return NULL;
		}
		if (at < s->offset + s->file.n) {
			*n = least(max, s->offset + s->file.n - at);
			return s->file.p + (at - s->offset);
		}
		if (at < s->offset + s->size) {
			*n = least(max, s->offset + s->size - at);
			return NULL;
		}
	}
	*n = max;
	return NULL;
}

bool lcp_mle_read(const struct lcp_mle *m, uint64_t at, struct mspan out)
{
	if (at > m->size || out.n > m->size - at)
		return false;
	for (size_t done = 0; done < out.n;) {
		uint64_t n;
		const uint8_t *p = lcp_mle_piece(m, at + done, out.n - done, &n);

		if (p)
			memcpy(out.p + done, p, (size_t)n);
		else
			memset(out.p + done, 0, (size_t)n);
		done += (size_t)n;
	}
	return true;
}

static void hash_zeros(struct hash *h, uint64_t n)
{
	static const uint8_t zeros[4096];

	while (n > 0) {
		size_t step = (size_t)least(n, sizeof(zeros));

		hash_update(h, (struct span){ zeros, step });
		n -= step;
	}
}

/* [from, to) of the image; nothing if that is empty or turned round. */
static void hash_image(struct hash *h, const struct lcp_mle *m, uint64_t from, uint64_t to)
{
	while (from < to) {
		uint64_t n;
		const uint8_t *p = lcp_mle_piece(m, from, to - from, &n);

		if (p)
			hash_update(h, (struct span){ p, (size_t)n });
		else
			hash_zeros(h, n);
		from += n;
	}
}

/* That part of the command line area which lies in the MLE: the text, zeros behind it. */
static void hash_cmdline(struct hash *h, const struct lcp_mle *m, struct span text)
{
	uint64_t from = m->cmdline_start > m->start ? m->cmdline_start : m->start;
	uint64_t to = least(m->cmdline_end, m->end);
	uint64_t text_end = (uint64_t)m->cmdline_start + text.n;

	if (from < to && from < text_end) {
		uint64_t n = least(to, text_end) - from;

		hash_update(h, (struct span){ text.p + (from - m->cmdline_start), (size_t)n });
		from += n;
	}
	if (from < to)
		hash_zeros(h, to - from);
}

enum lcp_error lcp_mle_digest(const struct lcp_mle *m, const struct span *cmdline, alg_set banks, struct digests *out)
{
	struct hash h;

	if (cmdline && cmdline->n >= m->cmdline_end - m->cmdline_start)
		return LCP_E_MLE_CMDLINE;
	for (size_t i = 0; cmdline && i < cmdline->n; i++)
		if (cmdline->p[i] == 0)
			return LCP_E_MLE_CMDLINE;
	hash_init(&h, banks);
	if (cmdline) {
		hash_image(&h, m, m->start, least(m->end, m->cmdline_start));
		hash_cmdline(&h, m, *cmdline);
		hash_image(&h, m, m->start > m->cmdline_end ? m->start : m->cmdline_end, m->end);
	} else {
		hash_image(&h, m, m->start, m->end);
	}
	hash_final(&h, out);
	return LCP_OK;
}

enum lcp_error lcp_mle_hash(struct span elf, const struct span *cmdline, alg_set banks, struct digests *out)
{
	struct lcp_mle m;
	enum lcp_error error = lcp_mle_find(elf, &m);

	return error ? error : lcp_mle_digest(&m, cmdline, banks, out);
}
