/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/policy_layout.h"

static const struct lcp_policy_layout layouts[] = {
	{ .major = 2, .last_minor = 4, .hash_alg_width = 1, .reserved1 = true, .tail = false },
	{ .major = 3, .last_minor = 2, .hash_alg_width = 2, .reserved1 = false, .tail = true },
};

/* version, hash algorithm, type, minimum, [reserved], counters, control, two bytes, two masks, [tail] */
static_assert(2 + 1 + 1 + 1 + 1 + 2 * LCP_MAX_LISTS + 4 + 1 + 1 + 2 + 4 + 20 == LCP_POLICY_SIZE, "LCP_POLICY");
static_assert(2 + 2 + 1 + 1 + 2 * LCP_MAX_LISTS + 4 + 1 + 1 + 2 + 4 + 2 + 2 == LCP_POLICY2_HEADER_SIZE, "LCP_POLICY2");

const struct lcp_policy_layout *lcp_policy_layout(uint16_t version)
{
	for (size_t i = 0; i < GL_COUNT(layouts); i++)
		if (layouts[i].major == version >> 8)
			return &layouts[i];
	return NULL;
}
