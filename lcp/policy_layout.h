/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_POLICY_LAYOUT_H
#define GL_LCP_POLICY_LAYOUT_H

#include "lcp/policy.h"

/* How LCP_POLICY and LCP_POLICY2 differ on the wire; all other fields are the same, in the same order. */
struct lcp_policy_layout {
	uint8_t major; /* of the version */
	uint8_t last_minor;
	uint8_t hash_alg_width; /* 1: LCP_POLHALG_SHA1 = 0 only; 2: TPM_ALG_ID */
	bool reserved1;         /* there is a byte behind SINITMinVersion */
	bool tail;              /* AuxHashAlgMask and a reserved field stand before the digest */
};

/* NULL if the version's major number is none of ours. */
const struct lcp_policy_layout *lcp_policy_layout(uint16_t version);

#endif
