/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/cursor.h"
#include "lcp/policy_layout.h"

enum lcp_error lcp_policy_decode_prefix(struct span bytes, struct lcp_policy *out, size_t *used)
{
	struct rd r = rd_init(bytes);
	struct lcp_policy p = { .version = rd_le16(&r) };
	const struct lcp_policy_layout *layout = lcp_policy_layout(p.version);

	if (r.bad)
		return LCP_E_POLICY_TRUNCATED;
	if (!layout)
		return LCP_E_POLICY_VERSION;
	p.hash_alg = (uint16_t)rd_le(&r, layout->hash_alg_width);
	p.type = rd_u8(&r);
	p.sinit_min_version = rd_u8(&r);
	p.reserved1 = layout->reserved1 ? rd_u8(&r) : 0;
	for (unsigned i = 0; i < LCP_MAX_LISTS; i++)
		p.revocation[i] = rd_le16(&r);
	p.control = rd_le32(&r);
	p.max_sinit_min_version = rd_u8(&r);
	p.max_biosac_min_version = rd_u8(&r);
	p.hash_mask = rd_le16(&r);
	p.sign_mask = rd_le32(&r);
	p.aux_hash_mask = layout->tail ? rd_le16(&r) : 0;
	p.reserved2 = layout->tail ? rd_le16(&r) : 0;
	if (r.bad)
		return LCP_E_POLICY_TRUNCATED;
	if (layout->hash_alg_width == 1) {
		if (p.hash_alg != 0)
			return LCP_E_POLICY_HASH_ALG;
		p.hash_alg = LCP_ALG_SHA1;
	}
	p.hash_size = (uint8_t)lcp_digest_size(p.hash_alg);
	if (p.hash_size == 0)
		return LCP_E_POLICY_HASH_ALG;

	struct span hash = rd_bytes(&r, p.hash_size);

	if (r.bad)
		return LCP_E_POLICY_TRUNCATED;
	memcpy(p.hash, hash.p, hash.n);
	*out = p;
	*used = r.off;
	return LCP_OK;
}

enum lcp_error lcp_policy_decode(struct span bytes, struct lcp_policy *out)
{
	struct lcp_policy p;
	size_t used;
	enum lcp_error error = lcp_policy_decode_prefix(bytes, &p, &used);

	if (error)
		return error;
	if (used != bytes.n)
		return LCP_E_POLICY_TRAILING;
	*out = p;
	return LCP_OK;
}
