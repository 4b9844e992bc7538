/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/evaluate.h"

#include <string.h>

#include "lcp/evaluate_impl.h"

/* SDG D.1.3, LcpHashAlgMask: SHA-1, SHA-256, SHA-384; SHA-512 by tboot 1.10.5 include/lcp3.h. */
#define DEFAULT_HASH_MASK 0x00c9u
/* SDG D.1.3, LcpSignAlgMask: RSA 2048 SHA-1 and SHA-256, RSA 3072 SHA-256 and SHA-384, ECDSA P-256 and P-384, SM2. */
#define DEFAULT_SIGN_MASK 0x000130ccu
#define DEFAULT_LIST_MAX_MAJOR 3
#define LCP_MINOR_BITS 6

static struct lcp_acm with_defaults(const struct lcp_acm *given)
{
	struct lcp_acm acm = *given;

	if (!acm.policy_min)
		acm.policy_min = LCP_POLICY_3_0;
	if (!acm.policy_max)
		acm.policy_max = LCP_POLICY_3_2;
	if (!acm.list_max_major)
		acm.list_max_major = DEFAULT_LIST_MAX_MAJOR;
	if (!acm.hash_mask)
		acm.hash_mask = DEFAULT_HASH_MASK;
	if (!acm.sign_mask)
		acm.sign_mask = DEFAULT_SIGN_MASK;
	if (!acm.error_class)
		acm.error_class = TXT_CLASS_LCP;
	return acm;
}

bool lcp_eval_deny(struct lcp_eval *e, enum lcp_rule rule, struct lcp_at at)
{
	const struct lcp_rule_info *info = lcp_rule_info(rule);

	e->v->allowed = false;
	e->v->rule = rule;
	e->v->at = at;
	if (rule == LCP_RULE_INPUT)
		return false;
	e->v->error = (struct txt_error){
		.source = TXT_ERROR_ACM,
		.acm_type = TXT_ACM_SINIT,
		.class = info->launch_control ? e->acm.error_class : info->class,
		.major = info->major[at.owner],
		.minor = info->minor[at.owner],
	};
	/* The list's number stands above the six bits of the minor (tboot 1.10.5 tboot/include/txt/errorcode.h). */
	if (info->launch_control && at.list > 0)
		e->v->error.minor = (uint16_t)(e->v->error.minor | at.list << LCP_MINOR_BITS);
	return false;
}

static uint16_t hash_bit(uint16_t alg)
{
	const struct lcp_hash_info *h = lcp_hash_by_id(alg);

	return h ? h->mask : 0;
}

GL_MUST static bool check_aux_mask(struct lcp_eval *e, enum lcp_owner o)
{
	uint16_t mask = e->v->policy[o].aux_hash_mask;

	if (!e->acm.checks_aux_mask || e->v->policy[o].version >= LCP_POLICY_3_2)
		return true;
	if (mask == 0 || (mask & (mask - 1)) != 0)
		return lcp_eval_deny(e, LCP_RULE_AUX_MASK, LCP_AT_POLICY(o));
	return (mask & e->acm.hash_mask) != 0 || lcp_eval_deny(e, LCP_RULE_AUX_MASK_ALG, LCP_AT_POLICY(o));
}

GL_MUST static bool check_algorithms(struct lcp_eval *e, enum lcp_owner o)
{
	const struct lcp_policy *policy = &e->v->policy[o];
	uint16_t bit = hash_bit(policy->hash_alg);

	if (!(bit & e->acm.hash_mask))
		return lcp_eval_deny(e, LCP_RULE_POLICY_HASH_ALG, LCP_AT_POLICY(o));
	if (policy->hash_mask == 0)
		return lcp_eval_deny(e, LCP_RULE_NO_HASH_MASK, LCP_AT_POLICY(o));
	if (!(bit & policy->hash_mask))
		return lcp_eval_deny(e, LCP_RULE_HASH_NOT_APPROVED, LCP_AT_POLICY(o));
	if (policy->sign_mask == 0)
		return lcp_eval_deny(e, LCP_RULE_NO_SIGN_MASK, LCP_AT_POLICY(o));
	return check_aux_mask(e, o);
}

GL_MUST static bool decode_policy(struct lcp_eval *e, enum lcp_owner o)
{
	struct lcp_policy *policy = &e->v->policy[o];
	enum lcp_error error = lcp_policy_decode(e->p->policy[o], policy);

	e->v->format = error;
	if (error == LCP_E_POLICY_VERSION)
		return lcp_eval_deny(e, LCP_RULE_POLICY_VERSION, LCP_AT_POLICY(o));
	if (error == LCP_E_POLICY_HASH_ALG)
		return lcp_eval_deny(e, LCP_RULE_POLICY_HASH_ALG, LCP_AT_POLICY(o));
	if (error)
		return lcp_eval_deny(e, LCP_RULE_POLICY_SIZE, LCP_AT_POLICY(o));
	e->v->present[o] = true;
	if (policy->version < e->acm.policy_min || policy->version > e->acm.policy_max)
		return lcp_eval_deny(e, LCP_RULE_POLICY_VERSION, LCP_AT_POLICY(o));
	if (policy->type != LCP_POLICY_LIST && policy->type != LCP_POLICY_ANY)
		return lcp_eval_deny(e, LCP_RULE_POLICY_TYPE, LCP_AT_POLICY(o));
	if (policy->control & LCP_CONTROL_AUX_DELETE)
		return lcp_eval_deny(e, LCP_RULE_AUX_DELETION, LCP_AT_POLICY(o));
	return check_algorithms(e, o);
}

/* The owner's policy rules where only one can; without it the supplier's. */
static enum lcp_owner ruling(const struct lcp_eval *e)
{
	return e->v->present[LCP_PO] ? LCP_PO : LCP_PS;
}

GL_MUST static bool check_npw(struct lcp_eval *e)
{
	enum lcp_owner o = ruling(e);

	if (!e->acm.npw)
		return true;
	if (!e->v->present[o])
		return lcp_eval_deny(e, LCP_RULE_NPW_NO_POLICY, LCP_AT_POLICY(LCP_PO));
	return (e->v->policy[o].control & LCP_CONTROL_NPW) != 0 || lcp_eval_deny(e, LCP_RULE_NPW, LCP_AT_POLICY(o));
}

/* The owner can limit how far the AUX index revokes. */
GL_MUST static bool check_aux_version(struct lcp_eval *e)
{
	uint8_t least = e->p->aux_version;

	if (!e->p->has_aux_version)
		return true;
	if (e->v->present[LCP_PO] && e->v->policy[LCP_PO].max_sinit_min_version < least)
		least = e->v->policy[LCP_PO].max_sinit_min_version;
	return e->acm.version >= least || lcp_eval_deny(e, LCP_RULE_AUX_REVOKED, LCP_AT_POLICY(LCP_PO));
}

GL_MUST static bool check_sinit_version(struct lcp_eval *e)
{
	static const enum lcp_rule revoked[LCP_OWNERS] = { LCP_RULE_SINIT_REVOKED_PO, LCP_RULE_SINIT_REVOKED_PS };

	for (int o = LCP_OWNERS - 1; o >= 0; o--)
		if (e->v->present[o] && e->acm.version < e->v->policy[o].sinit_min_version)
			return lcp_eval_deny(e, revoked[o], LCP_AT_POLICY((enum lcp_owner)o));
	return true;
}

bool lcp_eval_policies(struct lcp_eval *e)
{
	struct lcp_verdict *v = e->v;

	if (e->acm.needs_ps && !e->p->policy[LCP_PS].p)
		return lcp_eval_deny(e, LCP_RULE_PS_MISSING, LCP_AT_POLICY(LCP_PS));
	for (int o = LCP_OWNERS - 1; o >= 0; o--)
		if (e->p->policy[o].p && !decode_policy(e, (enum lcp_owner)o))
			return false;
	if (e->p->data[LCP_PO].n > 0 && !v->present[LCP_PO])
		return lcp_eval_deny(e, LCP_RULE_DATA_WITHOUT_PO, LCP_AT_POLICY(LCP_PO));
	if (v->present[LCP_PS] && v->policy[LCP_PS].control & LCP_CONTROL_OWNER_ENFORCED && !v->present[LCP_PO])
		return lcp_eval_deny(e, LCP_RULE_PO_MISSING, LCP_AT_POLICY(LCP_PS));
	v->hash_mask = e->acm.hash_mask;
	v->sign_mask = e->acm.sign_mask;
	if (v->present[ruling(e)]) {
		v->hash_mask &= v->policy[ruling(e)].hash_mask;
		v->sign_mask &= v->policy[ruling(e)].sign_mask;
	}
	return check_npw(e) && check_aux_version(e) && check_sinit_version(e);
}

void lcp_evaluate(const struct lcp_platform *p, struct lcp_verdict *out)
{
	struct lcp_eval e = { .p = p, .acm = with_defaults(&p->acm), .v = out };

	memset(out, 0, sizeof(*out));
	out->at = LCP_AT_POLICY(LCP_PO);
	if (!lcp_eval_policies(&e) || !lcp_eval_data(&e) || !lcp_eval_elements(&e))
		return;
	out->allowed = true;
	out->rule = LCP_ALLOWED;
}

uint32_t lcp_verdict_code(const struct lcp_verdict *v)
{
	uint32_t code = 0;

	return v->error.source != TXT_ERROR_NONE && txt_error_encode(&v->error, &code) ? code : 0;
}
