/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_CURSOR_H
#define GL_COMMON_CURSOR_H

#include "span.h"

/*
 * Bounds-checked cursors over wire bytes.
 *
 * Both fail sticky: after the first access that does not fit, `bad` is set, the position stays where it was, reads give 0
 * (or an empty span) and writes do nothing. A codec is therefore a column of calls with one check at its end.
 */

/* Reader. Make one with rd_init(); the bytes stay the caller's. */
struct rd {
	struct span s;
	size_t off;
	bool bad;
};

static inline struct rd rd_init(struct span s)
{
	return (struct rd){ .s = s };
}

/* Bytes not yet read; 0 once the reader is bad. */
static inline size_t rd_left(const struct rd *r)
{
	return r->bad ? 0 : r->s.n - r->off;
}

/* The next `n` bytes, which stay the caller's. */
static inline struct span rd_bytes(struct rd *r, size_t n)
{
	struct span out = { NULL, 0 };

	if (r->bad || n > r->s.n - r->off) {
		r->bad = true;
		return out;
	}
	if (r->s.p) /* nothing may be added to NULL, not even 0 */
		out = (struct span){ r->s.p + r->off, n };
	r->off += n;
	return out;
}

static inline uint64_t rd_le(struct rd *r, size_t width)
{
	struct span b = rd_bytes(r, width);
	uint64_t v = 0;

	for (size_t i = b.n; i > 0; i--)
		v = v << 8 | b.p[i - 1];
	return v;
}

static inline uint64_t rd_be(struct rd *r, size_t width)
{
	struct span b = rd_bytes(r, width);
	uint64_t v = 0;

	for (size_t i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	return v;
}

/* clang-format off */
static inline uint8_t rd_u8(struct rd *r) { return (uint8_t)rd_le(r, 1); }
static inline uint16_t rd_le16(struct rd *r) { return (uint16_t)rd_le(r, 2); }
static inline uint32_t rd_le32(struct rd *r) { return (uint32_t)rd_le(r, 4); }
static inline uint64_t rd_le64(struct rd *r) { return rd_le(r, 8); }
static inline uint16_t rd_be16(struct rd *r) { return (uint16_t)rd_be(r, 2); }
static inline uint32_t rd_be32(struct rd *r) { return (uint32_t)rd_be(r, 4); }
static inline uint64_t rd_be64(struct rd *r) { return rd_be(r, 8); }
/* clang-format on */

/* True if everything was read and nothing failed. */
GL_MUST static inline bool rd_done(const struct rd *r)
{
	return !r->bad && r->off == r->s.n;
}

/* Writer. With wr_measure() it only counts, so one encoder gives the size and the bytes. */
struct wr {
	struct mspan s;
	size_t off;
	bool bad;
};

static inline struct wr wr_init(struct mspan s)
{
	return (struct wr){ .s = s };
}

static inline struct wr wr_measure(void)
{
	return (struct wr){ .s = { NULL, SIZE_MAX } };
}

static inline void wr_bytes(struct wr *w, struct span b)
{
	if (w->bad || b.n > w->s.n - w->off) {
		w->bad = true;
		return;
	}
	for (size_t i = 0; w->s.p && i < b.n; i++)
		w->s.p[w->off + i] = b.p[i];
	w->off += b.n;
}

static inline void wr_le(struct wr *w, uint64_t v, size_t width)
{
	uint8_t b[8];

	for (size_t i = 0; i < width && i < sizeof(b); i++)
		b[i] = (uint8_t)(v >> 8 * i);
	wr_bytes(w, (struct span){ b, width });
}

static inline void wr_be(struct wr *w, uint64_t v, size_t width)
{
	uint8_t b[8];

	for (size_t i = 0; i < width && i < sizeof(b); i++)
		b[i] = (uint8_t)(v >> 8 * (width - 1 - i));
	wr_bytes(w, (struct span){ b, width });
}

/* Writes the low `width` bytes of the value to `at`, little-endian; for fields at a place that is known to be there. */
static inline void put_le(uint8_t *at, uint64_t v, size_t width)
{
	struct wr w = wr_init((struct mspan){ at, width });

	wr_le(&w, v, width);
}

/* clang-format off */
static inline void wr_u8(struct wr *w, uint8_t v) { wr_le(w, v, 1); }
static inline void wr_le16(struct wr *w, uint16_t v) { wr_le(w, v, 2); }
static inline void wr_le32(struct wr *w, uint32_t v) { wr_le(w, v, 4); }
static inline void wr_le64(struct wr *w, uint64_t v) { wr_le(w, v, 8); }
static inline void wr_be16(struct wr *w, uint16_t v) { wr_be(w, v, 2); }
static inline void wr_be32(struct wr *w, uint32_t v) { wr_be(w, v, 4); }
/* clang-format on */

/* What was written so far. */
static inline struct span wr_span(const struct wr *w)
{
	return (struct span){ w->s.p, w->off };
}

#endif
