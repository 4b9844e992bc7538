/* SPDX-License-Identifier: BSD-3-Clause */
#include "apply.h"

#define NAME_MAX 160

/* People need to see what stopped the launch; if nothing does, the first error, as later ones are mostly its consequences. */
static void note_error(struct apply *a, enum tb_error error, enum cap why, enum vlp_action act)
{
	if (a->error == TB_ERR_NONE || act == VLP_ACT_HALT) {
		a->error = error;
		a->why = why;
	}
}

static void report(struct apply *a, const struct apply_report *r)
{
	if (a->ops->report)
		a->ops->report(a->ctx, r);
}

bool apply_cap_all(const struct apply_ops *ops, void *ctx, alg_set banks, enum cap why)
{
	char buf[NAME_MAX];
	struct text name = TEXT_OF(buf);
	struct digests d;
	bool ok = true;

	measure_cap(banks, why, &d);
	name_cap(&name, why, (struct span){ NULL, 0 });
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++)
		if (!ops->extend(ctx, pcr, MEASURE_CAP, span_str(buf), &d))
			ok = false;
	return ok;
}

enum vlp_action apply_error(struct apply *a, enum tb_error error, enum cap why)
{
	enum vlp_action act = vlp_action(a->policy->type, error);

	note_error(a, error, why, act);
	/* A cap that the TPM refuses changes nothing about the decision: the launch stops either way. */
	if (act == VLP_ACT_HALT)
		(void)!apply_cap_all(a->ops, a->ctx, a->banks, why);
	return act;
}

/* One extend; a TPM that does not take it leaves a PCR that says nothing, and no policy type may go on from there. */
static enum vlp_action extend(struct apply *a, unsigned pcr, uint32_t type, struct span name, const struct digests *d)
{
	if (pcr == VLP_PCR_NONE || a->ops->extend(a->ctx, pcr, type, name, d))
		return VLP_ACT_CONTINUE;
	report(a, &(struct apply_report){
			  .type = type, .pcr = pcr, .name = name, .digests = d, .error = TB_ERR_FATAL, .why = CAP_TPM_ERROR });
	return apply_error(a, TB_ERR_FATAL, CAP_TPM_ERROR);
}

/* Extends a cap in place of something that could not be measured and asks the policy. */
static enum vlp_action cap(struct apply *a, unsigned pcr, enum tb_error error, enum cap why, struct span subject)
{
	char buf[NAME_MAX];
	struct text name = TEXT_OF(buf);
	struct digests d;

	measure_cap(a->banks, why, &d);
	name_cap(&name, why, subject);
	if (extend(a, pcr, MEASURE_CAP, span_str(buf), &d) != VLP_ACT_CONTINUE)
		return VLP_ACT_HALT;
	report(a, &(struct apply_report){
			  .type = MEASURE_CAP, .pcr = pcr, .name = span_str(buf), .digests = &d, .error = error, .why = why });
	return apply_error(a, error, why);
}

alg_set apply_algs(const struct apply *a)
{
	enum alg own;
	alg_set algs = a->banks;

	if (alg_by_id(a->policy->hash_alg, &own))
		algs |= ALG_BIT(own);
	return algs;
}

/* The digests of the banks only: what is extended must not carry the policy's algorithm if it is no bank. */
static struct digests for_banks(const struct apply *a, const struct digests *d)
{
	struct digests out = *d;

	out.banks &= a->banks;
	return out;
}

enum vlp_action apply_policy(struct apply *a)
{
	char buf[NAME_MAX];
	struct text name = TEXT_OF(buf);
	struct digests d;

	a->error = TB_ERR_NONE;
	a->modules = 0;
	name_policy(&name);
	measure_policy(a->banks, a->policy->control, a->policy_bytes, &d);
	/* verify_g_policy() with details/authorities mapping, which TPM 2.0 always has: PCR 17 and PCR 18. */
	for (unsigned pcr = 17; pcr <= 18; pcr++) {
		enum vlp_action act = extend(a, pcr, MEASURE_POLICY, span_str(buf), &d);

		if (act != VLP_ACT_CONTINUE)
			return act;
		report(a, &(struct apply_report){ .type = MEASURE_POLICY, .pcr = pcr, .name = span_str(buf), .digests = &d });
	}
	return VLP_ACT_CONTINUE;
}

/* verify_all_modules(): module 0 goes to PCR 17 whatever its entry says. */
static enum vlp_action apply_module_zero(struct apply *a, struct span name, const struct digests *d)
{
	enum vlp_action act = extend(a, 17, MEASURE_MODULE, name, d);

	if (act == VLP_ACT_CONTINUE)
		report(a, &(struct apply_report){ .type = MEASURE_MODULE, .pcr = 17, .name = name, .digests = d });
	return act;
}

enum vlp_action apply_module(struct apply *a, const struct apply_module *m)
{
	char buf[NAME_MAX];
	struct text text = TEXT_OF(buf);
	const struct vlp_entry *e = vlp_find_module(a->policy, m->number);
	uint8_t pcr = e ? e->pcr : role_table[m->role].pcr;
	struct digests d, banks;
	struct span name;
	enum vlp_action act;

	name_module(&text, m->number, m->role, m->file);
	name = span_str(buf);
	a->modules = m->number + 1;
	if (!m->image)
		return cap(a, m->number == 0 ? 17 : pcr, TB_ERR_MODULE_VERIFICATION_FAILED, CAP_MODULE_UNREADABLE, name);
	measure_module(apply_algs(a), m->cmdline, m->image, &d);
	banks = for_banks(a, &d);
	if (m->number == 0) {
		act = apply_module_zero(a, name, &banks);
		if (act != VLP_ACT_CONTINUE)
			return act;
	}
	if (!e)
		return cap(a, pcr, TB_ERR_MODULES_NOT_IN_POLICY, CAP_MODULE_UNLISTED, name);
	/* What is there is measured, right or wrong; tboot does the same. */
	act = extend(a, pcr, MEASURE_MODULE, name, &banks);
	if (act != VLP_ACT_CONTINUE)
		return act;
	if (vlp_entry_allows(a->policy, e, &d)) {
		if (pcr != VLP_PCR_NONE || m->number != 0)
			report(a, &(struct apply_report){ .type = MEASURE_MODULE, .pcr = pcr, .name = name, .digests = &banks });
		return VLP_ACT_CONTINUE;
	}
	report(a, &(struct apply_report){ .type = MEASURE_MODULE,
			  .pcr = pcr,
			  .name = name,
			  .digests = &banks,
			  .error = TB_ERR_MODULE_VERIFICATION_FAILED,
			  .why = CAP_MODULE_MISMATCH });
	return apply_error(a, TB_ERR_MODULE_VERIFICATION_FAILED, CAP_MODULE_MISMATCH);
}

enum vlp_action apply_modules_end(struct apply *a)
{
	for (unsigned i = 0; i < a->policy->entry_count; i++) {
		const struct vlp_entry *e = &a->policy->entries[i];
		char buf[32];
		struct text subject = TEXT_OF(buf);
		enum vlp_action act;

		if (e->module > VLP_MODULE_MAX || e->module < a->modules)
			continue;
		text_str(&subject, "module ");
		text_u64(&subject, e->module);
		act = cap(a, e->pcr, TB_ERR_MODULE_VERIFICATION_FAILED, CAP_MODULE_MISSING, span_str(buf));
		if (act != VLP_ACT_CONTINUE)
			return act;
	}
	return VLP_ACT_CONTINUE;
}

static const enum cap nv_caps[] = {
	[APPLY_NV_MISSING] = CAP_NV_MISSING,
	[APPLY_NV_UNREADABLE] = CAP_NV_UNREADABLE,
	[APPLY_NV_SIZE] = CAP_NV_SIZE,
};

/* NV_RAW content is extended as a digest, so it must be one (verify_nvindex()). */
static bool is_digest_size(size_t n)
{
	for (unsigned i = 0; i < ALG_COUNT; i++)
		if (i != ALG_SHA1 && alg_table[i].size == n)
			return true;
	return false;
}

static enum vlp_action apply_nv_entry(struct apply *a, const struct vlp_entry *e)
{
	bool raw = e->module == VLP_MODULE_NV_RAW;
	char buf[NAME_MAX];
	struct text text = TEXT_OF(buf);
	struct span name, content;
	struct digests d, banks;
	size_t n = 0;
	enum apply_nv_status status = a->ops->read_nv(a->ctx, e->nv_index, (struct mspan){ a->nv, sizeof(a->nv) }, &n);
	enum vlp_action act;

	name_nv(&text, raw, e->nv_index);
	name = span_str(buf);
	if (status == APPLY_NV_OK && (n > sizeof(a->nv) || n == 0 || (raw && !is_digest_size(n))))
		status = APPLY_NV_SIZE;
	if (status != APPLY_NV_OK)
		return cap(a, e->pcr, TB_ERR_NV_VERIFICATION_FAILED,
			(size_t)status < GL_COUNT(nv_caps) ? nv_caps[status] : CAP_NV_UNREADABLE, name);
	content = (struct span){ a->nv, n };
	measure_nv(apply_algs(a), raw, content, &d);
	banks = for_banks(a, &d);
	act = extend(a, e->pcr, MEASURE_NV, name, &banks);
	if (act != VLP_ACT_CONTINUE)
		return act;
	if (vlp_entry_allows(a->policy, e, &d)) {
		report(a, &(struct apply_report){ .type = MEASURE_NV, .pcr = e->pcr, .name = name, .digests = &banks });
		return VLP_ACT_CONTINUE;
	}
	report(a, &(struct apply_report){ .type = MEASURE_NV,
			  .pcr = e->pcr,
			  .name = name,
			  .digests = &banks,
			  .error = TB_ERR_NV_VERIFICATION_FAILED,
			  .why = CAP_NV_MISMATCH });
	return apply_error(a, TB_ERR_NV_VERIFICATION_FAILED, CAP_NV_MISMATCH);
}

enum vlp_action apply_nv(struct apply *a)
{
	for (unsigned i = 0; i < a->policy->entry_count; i++) {
		const struct vlp_entry *e = &a->policy->entries[i];
		enum vlp_action act;

		if (e->module != VLP_MODULE_NV && e->module != VLP_MODULE_NV_RAW)
			continue;
		act = apply_nv_entry(a, e);
		if (act != VLP_ACT_CONTINUE)
			return act;
	}
	return VLP_ACT_CONTINUE;
}

enum vlp_action apply_closing(struct apply *a)
{
	char buf[NAME_MAX];
	struct text text = TEXT_OF(buf);
	struct digests d;
	enum vlp_action act;

	name_closing(&text);
	if (!a->ops->read_pcrs(a->ctx, &a->pcrs) || !measure_closing(a->banks, &a->pcrs, &d))
		return cap(a, 17, TB_ERR_FATAL, CAP_TPM_ERROR, span_str(buf));
	act = extend(a, 17, MEASURE_CLOSING, span_str(buf), &d);
	if (act == VLP_ACT_CONTINUE)
		report(a, &(struct apply_report){ .type = MEASURE_CLOSING, .pcr = 17, .name = span_str(buf), .digests = &d });
	return act;
}
