/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_MEASURED_H
#define GL_LCP_MEASURED_H

#include "lcp/evaluate.h"

/*
 * What SINIT measures of launch control in TPM 2.0 mode, with details and authorities (SDG 1.10): into PCR 17 the digests of the elements
 * that matched, into PCR 18 those of the lists that they are in, both in the order of the subjects; a zero byte where there are none.
 */
#define LCP_MEASURED_MAX 1024

struct lcp_measured {
	uint32_t control; /* PolicyControl that counts: the owner's, else the supplier's, else 0 */
	uint8_t details[LCP_MEASURED_MAX];
	size_t details_size; /* 0: none did */
	uint8_t authorities[LCP_MEASURED_MAX];
	size_t authorities_size;
};

/* `v` is the verdict of lcp_evaluate() on a launch with this policy data. */
void lcp_measured(const struct lcp_verdict *v, const struct span data[LCP_OWNERS], struct lcp_measured *out);

#endif
