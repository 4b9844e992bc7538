/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/mle.h"

#include <stdlib.h>
#include <string.h>

#include "lcp/acm.h"
#include "qemu/txt/mle_pages.h"

#define WAKES (ACM_CAP_RLP_WAKE_GETSEC | ACM_CAP_RLP_WAKE_MONITOR)
/* Most bytes that are asked for in one read. */
#define CHUNK ((size_t)1 << 18)

/* 9082ac5a-476f-74a7-5c0f-55a2cb51b642 as the guide writes it, in the order of the bytes. */
static const uint8_t uuid[MLE_UUID_SIZE] = { 0x5a, 0xac, 0x82, 0x90, 0x6f, 0x47, 0xa7, 0x74, 0x0f, 0x5c, 0x55, 0xa2, 0xcb, 0x51, 0xb6,
	0x42 };

/*
 * The longest piece at `linear` that is contiguous in physical memory, at most `max` bytes (above 0). Looks at one page table entry per page.
 */
static bool piece(const struct txt_memory *m, const struct mle *mle, uint64_t linear, size_t max, uint64_t *at, size_t *n)
{
	uint64_t next;

	if (mle_translate(m, mle->ptab, linear, at))
		return false;
	*n = MLE_PAGE - (size_t)(linear % MLE_PAGE);
	while (*n < max) {
		if (mle_translate(m, mle->ptab, linear + *n, &next) || next != *at + *n)
			break;
		*n += MLE_PAGE;
	}
	if (*n > max)
		*n = max;
	return true;
}

bool mle_read(const struct txt_memory *m, const struct mle *mle, uint64_t linear, struct mspan out)
{
	if (linear > mle->size || out.n > mle->size - linear)
		return false;
	while (out.n) {
		uint64_t at;
		size_t n;

		if (!piece(m, mle, linear, out.n, &at, &n) || !m->read(m->ctx, at, (struct mspan){ out.p, n }))
			return false;
		out = (struct mspan){ out.p + n, out.n - n };
		linear += n;
	}
	return true;
}

static void free_bytes(uint8_t **p)
{
	free(*p);
}

bool mle_hash(const struct txt_memory *m, const struct mle *mle, alg_set banks, struct digests *out)
{
	__attribute__((cleanup(free_bytes))) uint8_t *buf = malloc(CHUNK);
	uint64_t at = mle->header.start;
	struct hash h;

	if (!buf)
		return false;
	hash_init(&h, banks);
	while (at < mle->header.end) {
		uint64_t left = mle->header.end - at;
		size_t n = left < CHUNK ? (size_t)left : CHUNK;

		if (!mle_read(m, mle, at, (struct mspan){ buf, n }))
			return false;
		hash_update(&h, (struct span){ buf, n });
		at += n;
	}
	hash_final(&h, out);
	return true;
}

static struct mle_header take_header(struct span bytes)
{
	struct mle_header h = { .length = 0 };
	struct rd r = rd_init(bytes);
	struct span id = rd_bytes(&r, MLE_UUID_SIZE);

	memcpy(h.uuid, id.p, MLE_UUID_SIZE);
	h.length = rd_le32(&r);
	h.version = rd_le32(&r);
	h.entry = rd_le32(&r);
	h.first_page = rd_le32(&r);
	h.start = rd_le32(&r);
	h.end = rd_le32(&r);
	h.capabilities = rd_le32(&r);
	if (h.length >= MLE_HEADER_SIZE) {
		h.cmdline_start = rd_le32(&r);
		h.cmdline_end = rd_le32(&r);
	}
	return h;
}

/*
 * Start, end and command line are offsets in the MLE's image (SDG 2.1), the entry is linear. The image's first page need not be mapped: tboot maps
 * its pages from start to end at linear 0 (tboot/txt/txt.c, MleSize is end - start; tboot/common/tboot.c, g_mle_hdr), and SINITs take that.
 */
static void to_linear(struct mle_header *h, uint64_t size)
{
	if (h->start == 0 || h->end < h->start || h->end - h->start != size)
		return;
	if (h->cmdline_end >= h->cmdline_start && h->cmdline_start >= h->start) {
		h->cmdline_start -= h->start;
		h->cmdline_end -= h->start;
	}
	h->end -= h->start;
	h->start = 0;
}

/* Version 2.0 of the header brought the command line area. */
static uint32_t length_of_version(uint32_t version)
{
	return version >> 16 >= 2 ? MLE_HEADER_SIZE : MLE_HEADER_SIZE_OLD;
}

static enum txt_rule check_header(const struct mle_header *h, const struct mle_request *q, struct mle_where *where)
{
	uint64_t mapped = (q->size + MLE_PAGE - 1) / MLE_PAGE * MLE_PAGE;

	where->linear = q->header;
	if (memcmp(h->uuid, uuid, sizeof(uuid)) != 0)
		return TXT_RULE_MLE_UUID;
	/* The minimum is the module's; a newer minor version adds capabilities only. */
	if (h->version < q->min_version || h->version >> 16 > 2)
		return TXT_RULE_MLE_VERSION;
	if (h->length < length_of_version(h->version) || h->length > q->size - q->header)
		return TXT_RULE_MLE_LENGTH;
	where->linear = h->first_page;
	if (h->first_page % MLE_PAGE || h->first_page > h->start)
		return TXT_RULE_MLE_FIRST_PAGE;
	where->linear = h->end;
	if (h->start >= h->end || h->end > q->size)
		return TXT_RULE_MLE_RANGE;
	if (h->end + (uint64_t)MLE_PAGE <= mapped)
		return TXT_RULE_MLE_SIZE;
	where->linear = h->entry;
	if (h->entry < h->start || h->entry >= h->end)
		return TXT_RULE_MLE_ENTRY;
	where->linear = h->cmdline_start;
	if (h->cmdline_start > h->cmdline_end || h->cmdline_end > q->size)
		return TXT_RULE_MLE_CMDLINE;
	if (!(h->capabilities & q->capabilities & WAKES))
		return TXT_RULE_MLE_CAPS_WAKE;
	return TXT_OK;
}

enum txt_rule mle_check(const struct txt_memory *m, const struct mle_request *q, struct mle *out, struct mle_where *where)
{
	struct mle mle = { .ptab = q->ptab, .size = q->size };
	uint8_t bytes[MLE_HEADER_SIZE] = { 0 };
	enum txt_rule rule;

	*where = (struct mle_where){ 0, 0 };
	rule = mle_check_pages(m, q, &mle.first_physical, where);
	if (rule)
		return rule;
	mle.pages = (q->size + MLE_PAGE - 1) / MLE_PAGE;
	*where = (struct mle_where){ q->header, 0 };
	if (q->header > q->size || q->size - q->header < MLE_HEADER_SIZE_OLD)
		return TXT_RULE_MLE_HEADER_ADDRESS;

	size_t n = q->size - q->header < sizeof(bytes) ? (size_t)(q->size - q->header) : sizeof(bytes);

	if (!mle_read(m, &mle, q->header, (struct mspan){ bytes, n }))
		return TXT_RULE_MACHINE;
	mle.header = take_header(SPAN_OF(bytes));
	to_linear(&mle.header, q->size);
	rule = check_header(&mle.header, q, where);
	if (rule)
		return rule;
	rule = mle_translate(m, q->ptab, mle.header.entry, &mle.entry_physical);
	if (rule)
		return rule;
	*out = mle;
	*where = (struct mle_where){ 0, 0 };
	return TXT_OK;
}
