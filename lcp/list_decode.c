/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/list_layout.h"

static enum lcp_error check_elements(struct span elements)
{
	struct lcp_elements it = lcp_elements_in(elements);
	struct span bytes;

	while (lcp_elements_left(&it)) {
		enum lcp_error error = lcp_elements_next(&it, &bytes);

		if (error)
			return error;
	}
	return LCP_OK;
}

/* LCP_SIGNATURE, LCP_RSA_SIGNATURE, LCP_ECC_SIGNATURE. `rest`: the list is all that is left, so it may end behind the key. */
static enum lcp_error read_signature(struct rd *r, const struct lcp_list_sig_alg *alg, bool rest, struct lcp_signature *s)
{
	size_t size;

	s->key_alg = alg->key_alg;
	s->revocation = rd_le16(r);
	s->key_bits = 8 * (uint32_t)rd_le16(r);
	s->reserved = alg->ecc_head ? rd_le32(r) : 0;
	if (!r->bad && s->key_bits == 0)
		return LCP_E_SIG_KEY_SIZE;
	size = lcp_sig_part_size(s->key_alg, s->key_bits);
	s->key = rd_bytes(r, size);
	if (!rest || rd_left(r) > 0)
		s->block = rd_bytes(r, size);
	return r->bad ? LCP_E_SIG_TRUNCATED : LCP_OK;
}

/* LCP_SIGNATURE2_1. */
static enum lcp_error read_signature_3(struct rd *r, struct lcp_list *l)
{
	struct lcp_signature *s = &l->sig;
	const struct lcp_list_sig_alg *alg;
	size_t size;

	s->revocation = rd_le16(r);
	s->version[0] = rd_u8(r);
	s->key_alg = rd_le16(r);
	s->version[1] = rd_u8(r);
	s->key_bits = rd_le16(r);
	if (r->bad)
		return LCP_E_SIG_TRUNCATED;
	size = lcp_sig_part_size(s->key_alg, s->key_bits);
	if (size == 0 && s->key_alg != LCP_ALG_RSA && s->key_alg != LCP_ALG_ECC)
		return LCP_E_SIG_KEY_ALG;
	if (s->key_bits == 0 || s->key_bits % 8)
		return LCP_E_SIG_KEY_SIZE;
	s->exponent = s->key_alg == LCP_ALG_RSA ? rd_le32(r) : 0;
	s->key = rd_bytes(r, size);
	l->sig_alg = rd_le16(r);
	s->version[2] = rd_u8(r);

	uint16_t sig_bits = rd_le16(r);

	s->hash_alg = rd_le16(r);
	if (r->bad)
		return LCP_E_SIG_TRUNCATED;
	alg = lcp_list_sig_alg_by_wire(l->version, l->sig_alg);
	if (!alg || alg->key_alg != s->key_alg)
		return LCP_E_SIG_SCHEME;
	if (sig_bits != s->key_bits)
		return LCP_E_SIG_KEY_MISMATCH;
	s->block = rd_bytes(r, size);
	return r->bad ? LCP_E_SIG_TRUNCATED : LCP_OK;
}

static enum lcp_error read_list(struct rd *r, bool rest, struct lcp_list *out)
{
	size_t start = r->off;
	struct lcp_list l = { .version = rd_le16(r), .sig_alg = LCP_ALG_NULL };
	const struct lcp_list_layout *layout = lcp_list_layout(l.version);
	const struct lcp_list_sig_alg *alg = NULL;
	uint16_t offset = 0;
	enum lcp_error error;

	if (r->bad)
		return LCP_E_LIST_TRUNCATED;
	if (!layout)
		return LCP_E_LIST_VERSION;
	l.reserved = layout->sig_alg_width == 1 ? rd_u8(r) : 0;

	uint16_t field = (uint16_t)rd_le(r, layout->sig_alg_width ? layout->sig_alg_width : sizeof(offset));

	l.elements = rd_bytes(r, rd_le32(r));
	if (r->bad)
		return LCP_E_LIST_TRUNCATED;
	error = check_elements(l.elements);
	if (error)
		return error;
	if (layout->sig_alg_width) {
		alg = lcp_list_sig_alg_by_wire(l.version, field);
		if (!alg)
			return LCP_E_LIST_SIG_ALG;
		l.sig_alg = alg->sig_alg;
		if (lcp_list_signed(&l))
			error = read_signature(r, alg, rest, &l.sig);
	} else if (field != 0) {
		if (field != r->off - start + LCP_SIG_REVOCATION_SIZE)
			return LCP_E_LIST_SIG_OFFSET;
		error = read_signature_3(r, &l);
	}
	if (error)
		return error;
	*out = l;
	return LCP_OK;
}

enum lcp_error lcp_list_decode_prefix(struct span bytes, struct lcp_list *out, size_t *used)
{
	struct rd r = rd_init(bytes);
	enum lcp_error error = read_list(&r, false, out);

	if (!error)
		*used = r.off;
	return error;
}

enum lcp_error lcp_list_decode(struct span bytes, struct lcp_list *out)
{
	struct rd r = rd_init(bytes);
	struct lcp_list l;
	enum lcp_error error = read_list(&r, true, &l);

	if (error)
		return error;
	if (!rd_done(&r))
		return LCP_E_LIST_TRAILING;
	*out = l;
	return LCP_OK;
}
