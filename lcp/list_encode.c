/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/list_layout.h"

static_assert(LCP_LIST_HEADER_SIZE == 2 + 2 + 4, "LCP_POLICY_LIST2");

static bool is_list_3(const struct lcp_list *l)
{
	return l->version >> 8 >= 3;
}

/* What the header's fields must be able to say. */
static enum lcp_error check_head(const struct lcp_list *l)
{
	const struct lcp_list_layout *layout = lcp_list_layout(l->version);

	if (!layout)
		return LCP_E_LIST_VERSION;
	if (l->reserved && layout->sig_alg_width != 1)
		return LCP_E_LIST_RESERVED;
	if (lcp_list_signed(l) || layout->sig_alg_width)
		if (!lcp_list_sig_alg_by_id(l->version, l->sig_alg))
			return LCP_E_LIST_SIG_ALG;
	if (l->elements.n > UINT32_MAX)
		return LCP_E_LIST_SIZE;
	if (is_list_3(l) && lcp_list_signed(l) && l->elements.n > UINT16_MAX - LCP_LIST_HEADER_SIZE - LCP_SIG_REVOCATION_SIZE)
		return LCP_E_LIST_SIZE;
	return LCP_OK;
}

static enum lcp_error check_key(const struct lcp_list *l)
{
	const struct lcp_list_sig_alg *alg = lcp_list_sig_alg_by_id(l->version, l->sig_alg);
	const struct lcp_signature *s = &l->sig;

	if (!alg || s->key_alg != alg->key_alg)
		return LCP_E_SIG_KEY_ALG;
	if (s->key_bits == 0 || s->key_bits % 8 || (is_list_3(l) ? s->key_bits : s->key_bits / 8) > UINT16_MAX)
		return LCP_E_SIG_KEY_SIZE;
	return s->key.n == lcp_sig_part_size(s->key_alg, s->key_bits) ? LCP_OK : LCP_E_SIG_SIZE;
}

enum lcp_error lcp_list_signable(const struct lcp_list *l)
{
	enum lcp_error error = check_head(l);

	if (error || !lcp_list_signed(l) || is_list_3(l))
		return error;
	return check_key(l);
}

enum lcp_error lcp_list_encodable(const struct lcp_list *l)
{
	enum lcp_error error = check_head(l);

	if (error || !lcp_list_signed(l))
		return error;
	error = check_key(l);
	if (error)
		return error;
	if (l->sig.block.n == 0 && !is_list_3(l))
		return LCP_OK;
	return l->sig.block.n == l->sig.key.n ? LCP_OK : LCP_E_SIG_SIZE;
}

void lcp_list_write_head(struct wr *w, const struct lcp_list *l)
{
	const struct lcp_list_layout *layout = lcp_list_layout(l->version);
	const struct lcp_list_sig_alg *alg = lcp_list_sig_alg_by_id(l->version, l->sig_alg);
	size_t offset = 0;

	if (lcp_list_signed(l))
		offset = LCP_LIST_HEADER_SIZE + l->elements.n + LCP_SIG_REVOCATION_SIZE;
	wr_le16(w, l->version);
	if (layout->sig_alg_width == 1)
		wr_u8(w, l->reserved);
	if (layout->sig_alg_width)
		wr_le(w, alg->wire, layout->sig_alg_width);
	else
		wr_le16(w, (uint16_t)offset);
	wr_le32(w, (uint32_t)l->elements.n);
}

void lcp_list_write_sig_head(struct wr *w, const struct lcp_list *l)
{
	const struct lcp_list_sig_alg *alg = lcp_list_sig_alg_by_id(l->version, l->sig_alg);

	wr_le16(w, l->sig.revocation);
	if (is_list_3(l))
		return;
	wr_le16(w, (uint16_t)(l->sig.key_bits / 8));
	if (alg->ecc_head)
		wr_le32(w, l->sig.reserved);
}

/* KeyAndSignature of LCP_SIGNATURE2_1. */
static void write_key_and_signature(struct wr *w, const struct lcp_list *l)
{
	const struct lcp_signature *s = &l->sig;

	wr_u8(w, s->version[0]);
	wr_le16(w, s->key_alg);
	wr_u8(w, s->version[1]);
	wr_le16(w, (uint16_t)s->key_bits);
	if (s->key_alg == LCP_ALG_RSA)
		wr_le32(w, s->exponent);
	wr_bytes(w, s->key);
	wr_le16(w, l->sig_alg);
	wr_u8(w, s->version[2]);
	wr_le16(w, (uint16_t)s->key_bits);
	wr_le16(w, s->hash_alg);
	wr_bytes(w, s->block);
}

enum lcp_error lcp_list_encode(const struct lcp_list *l, struct mspan buf, size_t *n)
{
	struct wr w = buf.p ? wr_init(buf) : wr_measure();
	enum lcp_error error = lcp_list_encodable(l);

	if (error)
		return error;
	lcp_list_write_head(&w, l);
	wr_bytes(&w, l->elements);
	if (lcp_list_signed(l)) {
		lcp_list_write_sig_head(&w, l);
		if (is_list_3(l)) {
			write_key_and_signature(&w, l);
		} else {
			wr_bytes(&w, l->sig.key);
			wr_bytes(&w, l->sig.block);
		}
	}
	if (w.bad)
		return LCP_E_BUFFER;
	*n = w.off;
	return LCP_OK;
}
