/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/evaluate.h"

struct lcp_acm lcp_acm_of(const struct acm *sinit)
{
	struct lcp_acm out = { .version = UINT8_MAX };

	if (!sinit)
		return out;
	out.version = sinit->info.acm_version;
	out.npw = (sinit->header.flags & (ACM_FLAG_PRE_PRODUCTION | ACM_FLAG_DEBUG_SIGNED)) != 0;
	for (uint32_t i = 0; sinit->tpm_algs.present && i < sinit->tpm_algs.count; i++) {
		const struct lcp_hash_info *h = lcp_hash_by_id(acm_tpm_alg_at(sinit, i));

		if (h)
			out.hash_mask |= h->mask;
	}
	return out;
}
