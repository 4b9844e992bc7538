/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/policy_layout.h"

/* max_biosac_min_version has a meaning in these only. */
static bool has_biosac_version(uint16_t version)
{
	return version == LCP_POLICY_3_0 || (version >> 8 == 2 && version < LCP_POLICY_2_4);
}

/* 3.2 reserves the mask of the auto-promotion hash. */
static uint16_t aux_mask_bits(uint16_t version)
{
	return version < LCP_POLICY_3_2 ? LCP_HASH_MASK_ALL : 0;
}

static enum lcp_error check_masks(const struct lcp_policy *p)
{
	if (lcp_policy_is_legacy(p))
		return p->hash_mask || p->sign_mask ? LCP_E_POLICY_RESERVED : LCP_OK;
	if (p->hash_mask & ~LCP_HASH_MASK_ALL)
		return LCP_E_POLICY_HASH_MASK;
	if (p->sign_mask & ~LCP_SIGN_MASK_ALL)
		return LCP_E_POLICY_SIGN_MASK;
	if (p->aux_hash_mask & ~aux_mask_bits(p->version))
		return LCP_E_POLICY_AUX_MASK;
	return LCP_OK;
}

enum lcp_error lcp_policy_validate(const struct lcp_policy *p)
{
	const struct lcp_policy_layout *layout = lcp_policy_layout(p->version);
	size_t size;
	enum lcp_error error;

	if (!layout || (p->version & 0xff) > layout->last_minor)
		return LCP_E_POLICY_VERSION;
	error = lcp_policy_encode(p, (struct mspan){ NULL, 0 }, &size);
	if (error)
		return error;
	if (p->type != LCP_POLICY_LIST && p->type != LCP_POLICY_ANY)
		return LCP_E_POLICY_TYPE;
	if (p->reserved1 || p->reserved2 || (p->max_biosac_min_version && !has_biosac_version(p->version)))
		return LCP_E_POLICY_RESERVED;
	if (p->control & ~LCP_CONTROL_ALL)
		return LCP_E_POLICY_CONTROL;
	return check_masks(p);
}
