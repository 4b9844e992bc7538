/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/core/policy.h"

#include <string.h>

static_assert((int)STAGE_NONFATAL == (int)VLP_NONFATAL && (int)STAGE_CONTINUE == (int)VLP_CONTINUE && (int)STAGE_HALT == (int)VLP_HALT,
	"policy types");
static_assert(STAGE_RULES_MAX_NV <= VLP_MAX_ENTRIES, "entries");

void stage_policy(const struct stage_rules *rules, struct vlp *out)
{
	memset(out, 0, sizeof(*out));
	out->version = VLP_VERSION;
	out->type = (uint8_t)rules->policy;
	out->hash_alg = alg_table[rules->hashes_size ? rules->hash_alg : ALG_SHA256].tpm_id;
	out->control = VLP_CONTROL_EXTEND_PCR17;
	for (size_t i = 0; i < rules->nv_count; i++) {
		const struct stage_nv *nv = &rules->nv[i];

		out->entries[out->entry_count++] = (struct vlp_entry){
			.module = nv->raw ? VLP_MODULE_NV_RAW : VLP_MODULE_NV,
			.pcr = nv->pcr,
			.hash_type = nv->any ? VLP_HASH_ANY : VLP_HASH_IMAGE,
			.nv_index = nv->index,
			.hash_count = nv->hash_count,
			.hashes = stage_rules_hashes(rules, nv),
		};
	}
}
