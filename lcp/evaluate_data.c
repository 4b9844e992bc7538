/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/digest.h"
#include "lcp/evaluate_impl.h"

/* What SINIT says to a format error. Those that are not here make the sizes of the list wrong. */
static const struct {
	enum lcp_error error;
	enum lcp_rule rule;
} format_rules[] = {
	{ LCP_E_DATA_TRUNCATED, LCP_RULE_DATA_SIZE },
	{ LCP_E_DATA_TRAILING, LCP_RULE_DATA_SIZE },
	{ LCP_E_DATA_SIGNATURE, LCP_RULE_DATA_SIGNATURE },
	{ LCP_E_DATA_RESERVED, LCP_RULE_DATA_HEADER },
	{ LCP_E_DATA_LISTS, LCP_RULE_DATA_HEADER },
	{ LCP_E_LIST_VERSION, LCP_RULE_LIST_VERSION },
	{ LCP_E_LIST_SIG_ALG, LCP_RULE_LIST_SIG_ALG },
	{ LCP_E_SIG_KEY_ALG, LCP_RULE_LIST_SIG_ALG },
	{ LCP_E_SIG_SCHEME, LCP_RULE_LIST_SIG_ALG },
	{ LCP_E_SIG_KEY_SIZE, LCP_RULE_LIST_KEY_SIZE },
	{ LCP_E_SIG_KEY_MISMATCH, LCP_RULE_LIST_KEY_SIZE },
	{ LCP_E_SIG_HASH_ALG, LCP_RULE_LIST_SIG_ALG },
	{ LCP_E_SIG_EXPONENT, LCP_RULE_LIST_SIGNATURE },
	{ LCP_E_SIG_VERSION, LCP_RULE_LIST_SIGNATURE },
	{ LCP_E_SIG_RESERVED, LCP_RULE_LIST_SIGNATURE },
	{ LCP_E_SIG_FIELD, LCP_RULE_LIST_SIGNATURE },
	{ LCP_E_ELEMENT_TRUNCATED, LCP_RULE_ELEMENT_SIZE },
	{ LCP_E_ELEMENT_SIZE, LCP_RULE_ELEMENT_SIZE },
	{ LCP_E_ELEMENT_BODY, LCP_RULE_ELEMENT_SIZE },
	{ LCP_E_ELEMENT_TRAILING, LCP_RULE_ELEMENT_SIZE },
	{ LCP_E_ELEMENT_HASH_COUNT, LCP_RULE_ELEMENT_SIZE },
	{ LCP_E_ELEMENT_HASH_ALG, LCP_RULE_ELEMENT_HASH_ALG },
	{ LCP_E_PCR_INFO_TRUNCATED, LCP_RULE_PCR_INFO },
	{ LCP_E_PCR_INFO_SELECTIONS, LCP_RULE_PCR_INFO },
	{ LCP_E_PCR_INFO_HASH_ALG, LCP_RULE_PCR_INFO },
	{ LCP_E_PCR_INFO_SELECT, LCP_RULE_PCR_INFO },
	{ LCP_E_PCR_INFO_LOCALITY, LCP_RULE_PCR_INFO },
	{ LCP_E_PCR_INFO_DIGEST, LCP_RULE_PCR_INFO },
};

static bool deny_format(struct lcp_eval *e, enum lcp_error error, struct lcp_at at)
{
	enum lcp_rule rule = LCP_RULE_LIST_SIZE;

	for (size_t i = 0; i < GL_COUNT(format_rules); i++)
		if (format_rules[i].error == error)
			rule = format_rules[i].rule;
	e->v->format = error;
	return lcp_eval_deny(e, rule, at);
}

/* Key sizes that have a bit in LcpSignAlgMask and that the guide has (D.3.2.1). */
static enum lcp_rule key_size_rule(const struct lcp_list *l)
{
	static const struct {
		uint16_t sig_alg;
		uint16_t bits[2];
		enum lcp_rule rule;
	} sizes[] = {
		{ LCP_ALG_RSASSA, { 2048, 3072 }, LCP_RULE_LIST_KEY_SIZE },
		{ LCP_ALG_RSAPSS, { 2048, 3072 }, LCP_RULE_LIST_KEY_SIZE },
		{ LCP_ALG_ECDSA, { 256, 384 }, LCP_RULE_LIST_KEY_SIZE_ECDSA },
		{ LCP_ALG_SM2, { 256, 256 }, LCP_RULE_LIST_KEY_SIZE_SM2 },
	};

	for (size_t i = 0; i < GL_COUNT(sizes); i++)
		if (sizes[i].sig_alg == l->sig_alg)
			return l->sig.key_bits == sizes[i].bits[0] || l->sig.key_bits == sizes[i].bits[1] ? LCP_ALLOWED : sizes[i].rule;
	return LCP_RULE_LIST_SIG_ALG;
}

static bool approved(const struct lcp_eval *e, const struct lcp_list *l, uint16_t hash_alg)
{
	const struct lcp_sign_info *s = lcp_sign_find(l->sig_alg, l->sig.key_bits, hash_alg);

	return s && s->mask & e->v->sign_mask;
}

/*
 * A wrong signature stops the launch. A list that is revoked, or signed in a way that is not approved, only does not count any more.
 * Which hash algorithm an RSASSA signature was made with is known once it is verified. What then is wrong with its other fields is no format
 * that any signer makes.
 */
GL_MUST static bool check_signature(struct lcp_eval *e, enum lcp_owner o, unsigned number)
{
	const struct lcp_list *l = &e->data[o].lists[number];
	const struct lcp_verify_ops *ops = &e->p->verify;
	struct lcp_at at = { o, (int)number, -1 };
	enum lcp_rule rule = key_size_rule(l);
	uint16_t hash_alg = lcp_list_sig_hash_alg(l);
	enum lcp_error error;

	if (rule)
		return lcp_eval_deny(e, rule, at);
	if (hash_alg != LCP_ALG_NULL && !approved(e, l, hash_alg)) {
		e->v->lists[o][number] = LCP_RULE_LIST_NOT_APPROVED;
		return true;
	}
	if (!ops->verify || !ops->verify(ops->ctx, l, &hash_alg))
		return lcp_eval_deny(e, LCP_RULE_LIST_SIGNATURE, at);
	error = lcp_list_signature_validate(l);
	if (error)
		return deny_format(e, error, at);
	if (!approved(e, l, hash_alg))
		e->v->lists[o][number] = LCP_RULE_LIST_NOT_APPROVED;
	else if (l->sig.revocation < e->v->policy[o].revocation[number])
		e->v->lists[o][number] = LCP_RULE_LIST_REVOKED;
	return true;
}

/*
 * Every element is decoded here once, PCR infos included; those who look at them later need not look for errors. In PCONF2 the bank of the PCR
 * infos is that of the element, or the masks of algorithms would say nothing about it.
 */
GL_MUST static bool check_elements(struct lcp_eval *e, enum lcp_owner o, unsigned number)
{
	struct lcp_elements it = lcp_elements_in(e->data[o].lists[number].elements);
	struct lcp_at at = { o, (int)number, 0 };

	for (; lcp_elements_left(&it); at.element++) {
		struct span bytes = { NULL, 0 };
		struct lcp_element element;
		enum lcp_error error = lcp_elements_next(&it, &bytes);

		if (!error)
			error = lcp_element_decode(bytes, &element);
		if (!error && element.type == LCP_ELEMENT_PCONF2)
			error = lcp_pcr_infos_validate(&element);
		if (error)
			return deny_format(e, error, at);
	}
	return true;
}

GL_MUST static bool check_list(struct lcp_eval *e, enum lcp_owner o, unsigned number)
{
	const struct lcp_list *l = &e->data[o].lists[number];
	uint8_t major = (uint8_t)(l->version >> 8);

	/* Lists of version 1 are for TPM 1.2. */
	if (major < 2 || major > e->acm.list_max_major || !lcp_list_version_name(l->version))
		return lcp_eval_deny(e, LCP_RULE_LIST_VERSION, (struct lcp_at){ o, (int)number, -1 });
	return check_elements(e, o, number) && (!lcp_list_signed(l) || check_signature(e, o, number));
}

/* Reserved fields are what lcp_data_decode() does not look at. */
GL_MUST static bool check_header(struct lcp_eval *e, enum lcp_owner o)
{
	const struct lcp_data *d = &e->data[o];

	if (d->reserved[0] || d->reserved[1] || d->reserved[2])
		return deny_format(e, LCP_E_DATA_RESERVED, LCP_AT_POLICY(o));
	return d->list_count > 0 || deny_format(e, LCP_E_DATA_LISTS, LCP_AT_POLICY(o));
}

GL_MUST static bool check_digest(struct lcp_eval *e, enum lcp_owner o)
{
	bool matches = false;

	if (lcp_policy_matches_data(&e->v->policy[o], &e->data[o], &matches))
		return lcp_eval_deny(e, LCP_RULE_INPUT, LCP_AT_POLICY(o));
	return matches || lcp_eval_deny(e, LCP_RULE_DATA_DIGEST, LCP_AT_POLICY(o));
}

GL_MUST static bool check_data(struct lcp_eval *e, enum lcp_owner o)
{
	struct lcp_where where = { -1, -1 };
	enum lcp_error error;

	if (e->p->data[o].n == 0)
		return lcp_eval_deny(e, LCP_RULE_NO_DATA, LCP_AT_POLICY(o));
	error = lcp_data_decode(e->p->data[o], &e->data[o], &where);
	if (error)
		return deny_format(e, error, (struct lcp_at){ o, where.list, where.element });
	e->has_data[o] = true;
	e->v->list_count[o] = e->data[o].list_count;
	if (!check_header(e, o) || !check_digest(e, o))
		return false;
	for (unsigned i = 0; i < e->data[o].list_count; i++)
		if (!check_list(e, o, i))
			return false;
	return true;
}

bool lcp_eval_data(struct lcp_eval *e)
{
	for (int o = LCP_OWNERS - 1; o >= 0; o--)
		if (e->v->present[o] && e->v->policy[o].type == LCP_POLICY_LIST && !check_data(e, (enum lcp_owner)o))
			return false;
	return true;
}
