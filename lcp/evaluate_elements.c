/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/evaluate_impl.h"

/* Legacy types have the same low digit. */
#define KIND(type) ((type)&0x0fu)
#define LEGACY(type) ((type) < LCP_ELEMENT_MLE2)

static const uint8_t kinds[LCP_SUBJECTS] = {
	[LCP_SUBJECT_MLE] = LCP_ELEMENT_MLE,
	[LCP_SUBJECT_PCONF] = LCP_ELEMENT_PCONF,
	[LCP_SUBJECT_PCONF_PS] = LCP_ELEMENT_PCONF,
	[LCP_SUBJECT_STM] = LCP_ELEMENT_STM,
	[LCP_SUBJECT_SBIOS] = LCP_ELEMENT_SBIOS,
};

static bool is_about(const struct lcp_element *element, enum lcp_subject subject)
{
	return lcp_element_type_name(element->type) && KIND(element->type) == kinds[subject];
}

/* A walk over the elements about one subject, in all lists of one policy. lcp_eval_data() has decoded them all once. */
struct walk {
	const struct lcp_eval *e;
	enum lcp_subject subject;
	struct lcp_at at;
	struct lcp_elements it;
	struct lcp_element element;
};

static struct walk walk_from(const struct lcp_eval *e, enum lcp_owner o, enum lcp_subject subject)
{
	return (struct walk){ .e = e, .subject = subject, .at = { o, -1, -1 } };
}

GL_MUST static bool walk_next(struct walk *w)
{
	const struct lcp_data *d = &w->e->data[w->at.owner];

	if (!w->e->has_data[w->at.owner])
		return false;
	for (;;) {
		struct span bytes;

		if (!lcp_elements_left(&w->it)) {
			if (w->at.list + 1 >= (int)d->list_count)
				return false;
			w->at.list++;
			w->at.element = -1;
			w->it = lcp_elements_in(d->lists[w->at.list].elements);
			continue;
		}
		w->at.element++;
		if (lcp_elements_next(&w->it, &bytes) || lcp_element_decode(bytes, &w->element))
			continue;
		if (is_about(&w->element, w->subject))
			return true;
	}
}

static bool list_counts(const struct walk *w)
{
	return w->e->v->lists[w->at.owner][w->at.list] == LCP_ALLOWED;
}

static bool hash_approved(const struct walk *w)
{
	const struct lcp_hash_info *h = lcp_hash_by_id(w->element.type == LCP_ELEMENT_PCONF ? LCP_ALG_SHA1 : w->element.hash_alg);

	return h && h->mask & w->e->v->hash_mask;
}

enum match {
	NO,
	YES,
	UNKNOWN, /* what the element asks for was not given */
};

static enum match match_digest(const struct lcp_element *element, const struct digests *given, int *index)
{
	enum alg a;

	if (!alg_by_id(element->hash_alg, &a) || !(given->banks & ALG_BIT(a)))
		return UNKNOWN;
	for (int i = 0; i < element->count; i++) {
		if (span_equal(lcp_element_hash(element, (unsigned)i), digest_span(given, a))) {
			*index = i;
			return YES;
		}
	}
	*index = -1;
	return element->fallback.n > 0 && span_equal(element->fallback, digest_span(given, a)) ? YES : NO;
}

/* What TPM 1.2 hashes over PCRs is not what TPM 2.0 hashes: a PCONF element of the legacy type matches nothing here. */
static enum match match_pcr_infos(const struct lcp_element *element, const struct pcrs *pcrs, int *index)
{
	struct lcp_pcr_infos it = lcp_pcr_infos_in(element);
	struct lcp_pcr_info info;
	enum match result = NO;

	if (LEGACY(element->type))
		return NO;
	for (*index = 0; lcp_pcr_infos_left(&it); (*index)++) {
		uint8_t digest[LCP_DIGEST_MAX];
		enum alg a;

		if (lcp_pcr_infos_next(&it, &info))
			return NO;
		if (!pcrs || !alg_by_id(info.hash_alg, &a) || !lcp_pcr_composite(pcrs, a, lcp_pcr_info_mask(&info), digest))
			result = UNKNOWN;
		else if (span_equal(info.digest, (struct span){ digest, alg_table[a].size }))
			return YES;
	}
	return result;
}

static enum match match(const struct walk *w, int *index)
{
	const struct lcp_platform *p = w->e->p;

	switch (w->subject) {
	case LCP_SUBJECT_MLE:
		return match_digest(&w->element, &p->mle, index);
	case LCP_SUBJECT_STM:
		return match_digest(&w->element, &p->stm, index);
	case LCP_SUBJECT_SBIOS:
		return match_digest(&w->element, &p->bios, index);
	default:
		return match_pcr_infos(&w->element, p->pcrs, index);
	}
}

/* What a search came to, for the error in the end. */
struct search {
	bool present;
	bool disallowed;
	bool revoked;
	bool open;
	struct lcp_at disallowed_at;
	struct lcp_at revoked_at;
	struct lcp_at open_at;
	struct lcp_at first; /* element about the subject */
	struct lcp_decision decision;
};

static void look_at(struct search *s, const struct walk *w)
{
	bool counts = list_counts(w) && hash_approved(w);
	int index = -1;
	enum match m = match(w, &index);

	if (!s->present)
		s->first = w->at;
	s->present = true;
	if (m == UNKNOWN && counts && !s->open) {
		s->open = true;
		s->open_at = w->at;
	}
	if (m != YES)
		return;
	if (!counts) {
		s->disallowed = true;
		s->disallowed_at = w->at;
	} else if (w->subject == LCP_SUBJECT_MLE && w->e->acm.version < w->element.sinit_min_version) {
		s->revoked = true;
		s->revoked_at = w->at;
	} else {
		s->decision = (struct lcp_decision){ LCP_MATCH, w->at, index };
	}
}

static void search_policy(const struct lcp_eval *e, enum lcp_owner o, enum lcp_subject subject, struct search *s)
{
	struct walk w = walk_from(e, o, subject);

	while (s->decision.outcome != LCP_MATCH && walk_next(&w))
		look_at(s, &w);
}

/* An element of the owner's that counts says that it stands in the place of the supplier's. */
static bool overrides(const struct lcp_eval *e, enum lcp_subject subject, struct lcp_at *at)
{
	struct walk w = walk_from(e, LCP_PO, subject);

	while (walk_next(&w)) {
		if (w.element.control & LCP_ELEMENT_OVERRIDE_PS && list_counts(&w)) {
			*at = w.at;
			return true;
		}
	}
	return false;
}

static bool enforces_ps_pconf(const struct lcp_eval *e)
{
	return e->v->present[LCP_PO] && e->v->policy[LCP_PO].control & LCP_CONTROL_OWNER_ENFORCED;
}

/* Do the supplier's elements stand beside the owner's? An owner's policy of type any leaves nothing for them to say. */
static bool ps_joins(const struct lcp_eval *e, enum lcp_subject subject)
{
	struct lcp_at at;

	if (!e->v->present[LCP_PO])
		return true;
	if (e->v->policy[LCP_PO].type == LCP_POLICY_ANY || (subject == LCP_SUBJECT_PCONF && enforces_ps_pconf(e)))
		return false;
	return !overrides(e, subject, &at);
}

static struct search search(const struct lcp_eval *e, enum lcp_subject subject)
{
	struct search s = { .present = false };

	if (subject != LCP_SUBJECT_PCONF_PS)
		search_policy(e, LCP_PO, subject, &s);
	if (subject == LCP_SUBJECT_PCONF_PS ? enforces_ps_pconf(e) : ps_joins(e, subject))
		search_policy(e, LCP_PS, subject, &s);
	return s;
}

GL_MUST static bool decide(struct lcp_eval *e, enum lcp_subject subject, enum lcp_rule mismatch)
{
	struct search s = search(e, subject);
	struct lcp_decision *d = &e->v->by[subject];

	if (!s.present) {
		d->outcome = LCP_NO_ELEMENT;
		return true;
	}
	if (s.decision.outcome == LCP_MATCH) {
		*d = s.decision;
		return true;
	}
	d->outcome = LCP_NO_MATCH;
	if (s.open)
		return lcp_eval_deny(e, LCP_RULE_INPUT, s.open_at);
	if (s.revoked)
		return lcp_eval_deny(e, LCP_RULE_SINIT_REVOKED_ELEMENT, s.revoked_at);
	if (s.disallowed)
		return lcp_eval_deny(e, LCP_RULE_ELEMENT_DISALLOWED, s.disallowed_at);
	return lcp_eval_deny(e, mismatch, s.first);
}

GL_MUST static bool decide_pconf(struct lcp_eval *e)
{
	struct lcp_at at;

	if (enforces_ps_pconf(e) && overrides(e, LCP_SUBJECT_PCONF, &at))
		return lcp_eval_deny(e, LCP_RULE_PCONF_OVERRIDE, at);
	return decide(e, LCP_SUBJECT_PCONF, LCP_RULE_PCONF) && decide(e, LCP_SUBJECT_PCONF_PS, LCP_RULE_PCONF);
}

/* True if the element that `at` names has this control bit. */
static bool has_control(const struct lcp_eval *e, struct lcp_at at, enum lcp_subject subject, uint32_t bit)
{
	struct walk w = walk_from(e, at.owner, subject);

	while (walk_next(&w))
		if (w.at.list == at.list && w.at.element == at.element)
			return w.element.control & bit;
	return false;
}

/* The MLE's element may ask for an STM, and so may any STM element that counts. */
static bool stm_required(const struct lcp_eval *e, struct lcp_at *at)
{
	const struct lcp_decision *mle = &e->v->by[LCP_SUBJECT_MLE];

	if (mle->outcome == LCP_MATCH && has_control(e, mle->at, LCP_SUBJECT_MLE, LCP_ELEMENT_STM_REQUIRED)) {
		*at = mle->at;
		return true;
	}
	for (enum lcp_owner o = LCP_PO; o < LCP_OWNERS; o++) {
		struct walk w = walk_from(e, o, LCP_SUBJECT_STM);

		if (o == LCP_PS && !ps_joins(e, LCP_SUBJECT_STM))
			break;
		while (walk_next(&w)) {
			if (w.element.control & LCP_ELEMENT_STM_REQUIRED && list_counts(&w)) {
				*at = w.at;
				return true;
			}
		}
	}
	return false;
}

GL_MUST static bool decide_stm(struct lcp_eval *e)
{
	struct lcp_at at;

	if (e->p->has_stm)
		return decide(e, LCP_SUBJECT_STM, LCP_RULE_STM);
	e->v->by[LCP_SUBJECT_STM].outcome = LCP_NO_ELEMENT;
	return !stm_required(e, &at) || lcp_eval_deny(e, LCP_RULE_STM_REQUIRED, at);
}

/* Without SBIOS elements the BIOS is held against its digest of last time, in the banks that both have. */
GL_MUST static bool decide_sbios(struct lcp_eval *e)
{
	if (!decide(e, LCP_SUBJECT_SBIOS, LCP_RULE_SBIOS))
		return false;
	if (e->v->by[LCP_SUBJECT_SBIOS].outcome == LCP_MATCH)
		return true;
	if (e->p->aux_bios.banks && !(e->p->aux_bios.banks & e->p->bios.banks))
		return lcp_eval_deny(e, LCP_RULE_INPUT, LCP_AT_POLICY(LCP_PO));
	return digests_agree(&e->p->bios, &e->p->aux_bios) || lcp_eval_deny(e, LCP_RULE_AUTOPROMOTION, LCP_AT_POLICY(LCP_PO));
}

bool lcp_eval_elements(struct lcp_eval *e)
{
	return decide(e, LCP_SUBJECT_MLE, LCP_RULE_MLE) && decide_pconf(e) && decide_stm(e) && decide_sbios(e);
}
