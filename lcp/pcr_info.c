/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/cursor.h"
#include "common/hash.h"
#include "lcp/element.h"

/* Bytes of the bitmap that is written: 24 PCRs. */
#define SELECT_SIZE 3

static_assert(LCP_PCR_INFO_MAX == 9 + SELECT_SIZE + LCP_DIGEST_MAX, "TPMS_QUOTE_INFO");

/* TPML_PCR_SELECTION with one TPMS_PCR_SELECTION, TPM2B_DIGEST; big-endian as all of the TPM's structures. */
static enum lcp_error read_quote_info(struct rd *r, struct lcp_pcr_info *out)
{
	uint32_t selections = rd_be32(r);

	if (!r->bad && selections != 1)
		return LCP_E_PCR_INFO_SELECTIONS;
	out->hash_alg = rd_be16(r);
	out->select = rd_bytes(r, rd_u8(r));
	out->digest = rd_bytes(r, rd_be16(r));
	return r->bad ? LCP_E_PCR_INFO_TRUNCATED : LCP_OK;
}

/*
 * TPM_PCR_INFO_SHORT. The TPM has the size of the bitmap big-endian, tboot's tool writes it little-endian; as it is below 256, one of
 * its two bytes is 0.
 */
static enum lcp_error read_info_short(struct rd *r, struct lcp_pcr_info *out)
{
	uint8_t a = rd_u8(r), b = rd_u8(r);

	if (a && b)
		return LCP_E_PCR_INFO_SELECT;
	out->hash_alg = LCP_ALG_SHA1;
	out->select = rd_bytes(r, a ? a : b);
	out->locality = rd_u8(r);
	out->digest = rd_bytes(r, lcp_digest_size(LCP_ALG_SHA1));
	return r->bad ? LCP_E_PCR_INFO_TRUNCATED : LCP_OK;
}

enum lcp_error lcp_pcr_infos_next(struct lcp_pcr_infos *it, struct lcp_pcr_info *out)
{
	struct rd r = rd_init(it->left);
	struct lcp_pcr_info info = { 0 };
	enum lcp_error error = it->legacy ? read_info_short(&r, &info) : read_quote_info(&r, &info);

	if (error) {
		it->left.n = 0;
		return error;
	}
	it->left.p += r.off;
	it->left.n -= r.off;
	*out = info;
	return LCP_OK;
}

uint32_t lcp_pcr_info_mask(const struct lcp_pcr_info *info)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < info->select.n && i < sizeof(mask); i++)
		mask |= (uint32_t)info->select.p[i] << 8 * i;
	return mask;
}

enum lcp_error lcp_pcr_info_encode(uint16_t hash_alg, uint32_t mask, struct span digest, struct mspan buf, size_t *n)
{
	struct wr w = buf.p ? wr_init(buf) : wr_measure();

	if (lcp_digest_size(hash_alg) == 0)
		return LCP_E_PCR_INFO_HASH_ALG;
	if (digest.n != lcp_digest_size(hash_alg))
		return LCP_E_PCR_INFO_DIGEST;
	if (mask == 0 || mask >> 8 * SELECT_SIZE)
		return LCP_E_PCR_INFO_SELECT;
	wr_be32(&w, 1);
	wr_be16(&w, hash_alg);
	wr_u8(&w, SELECT_SIZE);
	wr_le(&w, mask, SELECT_SIZE);
	wr_be16(&w, (uint16_t)digest.n);
	wr_bytes(&w, digest);
	if (w.bad)
		return LCP_E_BUFFER;
	*n = w.off;
	return LCP_OK;
}

bool lcp_pcr_composite(const struct pcrs *p, enum alg a, uint32_t mask, uint8_t out[LCP_DIGEST_MAX])
{
	struct hash h;
	struct digests d;

	if (mask == 0 || mask >> PCR_COUNT)
		return false;
	for (unsigned i = 0; i < PCR_COUNT; i++)
		if (mask >> i & 1 && !pcr_known(p, a, i))
			return false;
	hash_init(&h, ALG_BIT(a));
	for (unsigned i = 0; i < PCR_COUNT; i++)
		if (mask >> i & 1)
			hash_update(&h, pcr_value(p, a, i));
	hash_final(&h, &d);
	memcpy(out, d.d[a], alg_table[a].size);
	return true;
}
