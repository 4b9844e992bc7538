/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/predict_nv.h"

#include <string.h>

#include "cli/provision.h"

#define NAME_ALG_SHA256 0x000bu
#define NV_WRITTEN 0x20000000u /* TPMA_NV_WRITTEN: the owner's policy is there */

bool predict_nv_split(struct span data, struct span out[PREDICT_NV_ENTRIES])
{
	struct rd r = rd_init(data);

	for (size_t i = 0; i < PREDICT_NV_ENTRIES; i++) {
		size_t at = r.off;
		uint8_t exists = rd_u8(&r);

		if (exists > 1)
			return false;
		if (exists) {
			uint16_t policy;

			(void)rd_bytes(&r, 4 + 2 + 4);
			policy = rd_be16(&r);
			(void)rd_bytes(&r, policy);
			(void)rd_be16(&r);
			if (policy > DIGEST_MAX)
				return false;
		}
		out[i] = (struct span){ data.p + at, r.off - at };
	}
	return rd_done(&r);
}

struct span predict_nv_given(const struct manifest_nv *nv, uint8_t out[1 + MANIFEST_NV_PUBLIC_MAX])
{
	out[0] = nv->n > 0;
	memcpy(out + 1, nv->bytes, nv->n);
	return (struct span){ out, 1 + nv->n };
}

struct span predict_nv_owner(struct span policy, const struct acm *sinit, uint8_t out[SINIT_NV_INFO_MAX])
{
	const struct provision_use_info *use = &provision_uses[PROVISION_LCP];
	const struct sinit_nv_public nv[PREDICT_NV_ENTRIES] = { {
		.exists = policy.p != NULL,
		.index = use->index[sinit && sinit->tpm.nv_index_set == 0 ? 0 : 1],
		.name_alg = NAME_ALG_SHA256,
		.attributes = use->attributes | NV_WRITTEN,
		.size = (uint16_t)policy.n,
	} };

	/* the other two are a zero byte each */
	return (struct span){ out, sinit_nv_info(nv, out) - 2 };
}
