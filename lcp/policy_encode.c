/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/cursor.h"
#include "lcp/policy_layout.h"

enum lcp_error lcp_policy_encode(const struct lcp_policy *p, struct mspan buf, size_t *n)
{
	struct wr w = buf.p ? wr_init(buf) : wr_measure();
	const struct lcp_policy_layout *layout = lcp_policy_layout(p->version);
	bool short_alg;

	if (!layout)
		return LCP_E_POLICY_VERSION;
	short_alg = layout->hash_alg_width == 1;
	if (lcp_digest_size(p->hash_alg) == 0 || (short_alg && p->hash_alg != LCP_ALG_SHA1))
		return LCP_E_POLICY_HASH_ALG;
	if (p->hash_size != lcp_digest_size(p->hash_alg))
		return LCP_E_POLICY_HASH_SIZE;
	if ((!layout->reserved1 && p->reserved1) || (!layout->tail && (p->reserved2 || p->aux_hash_mask)))
		return LCP_E_POLICY_RESERVED;
	wr_le16(&w, p->version);
	wr_le(&w, short_alg ? 0 : p->hash_alg, layout->hash_alg_width);
	wr_u8(&w, p->type);
	wr_u8(&w, p->sinit_min_version);
	if (layout->reserved1)
		wr_u8(&w, p->reserved1);
	for (unsigned i = 0; i < LCP_MAX_LISTS; i++)
		wr_le16(&w, p->revocation[i]);
	wr_le32(&w, p->control);
	wr_u8(&w, p->max_sinit_min_version);
	wr_u8(&w, p->max_biosac_min_version);
	wr_le16(&w, p->hash_mask);
	wr_le32(&w, p->sign_mask);
	if (layout->tail) {
		wr_le16(&w, p->aux_hash_mask);
		wr_le16(&w, p->reserved2);
	}
	wr_bytes(&w, lcp_policy_hash(p));
	if (w.bad)
		return LCP_E_BUFFER;
	*n = w.off;
	return LCP_OK;
}
