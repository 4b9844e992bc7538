/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/acm_measure.h"

#include <string.h>

#include "common/cursor.h"
#include "common/hash.h"

void acm_module_digest(const struct acm *a, uint8_t out[32])
{
	size_t user = 4 * ((size_t)a->header.length + a->header.scratch_size);
	struct digests d;
	struct hash h;

	hash_init(&h, ALG_BIT(ALG_SHA256));
	hash_update(&h, (struct span){ a->bytes.p, ACM_COMMON_SIZE });
	hash_update(&h, (struct span){ a->bytes.p + user, a->bytes.n - user });
	hash_final(&h, &d);
	memcpy(out, d.d[ALG_SHA256], 32);
}

void acm_drtm_data(const struct acm *a, uint32_t edx, uint8_t out[ACM_DRTM_SIZE])
{
	struct wr w = wr_init((struct mspan){ out + 32, 4 });

	acm_module_digest(a, out);
	wr_le32(&w, edx);
}

alg_set acm_banks(const struct acm *a, bool embedded, alg_set active)
{
	alg_set known = 0;

	if (a->tpm.extend_policy & ACM_TPM_EXTEND_AGILE && !(embedded && a->tpm.extend_policy & ACM_TPM_EXTEND_EMBEDDED))
		return active;
	for (uint32_t i = 0; a->tpm_algs.present && i < a->tpm_algs.count; i++) {
		enum alg alg;

		if (alg_by_id(acm_tpm_alg_at(a, i), &alg))
			known |= ALG_BIT(alg);
	}
	return active & known;
}
