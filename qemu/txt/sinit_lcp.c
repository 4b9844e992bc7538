/* SPDX-License-Identifier: BSD-3-Clause */
/* Launch control for SINIT by lcp/evaluate.h. */
#include <stdio.h>
#include <string.h>

#include "lcp/digest.h"
#include "lcp/evaluate.h"
#include "lcp/host/sign.h"
#include "qemu/txt/sinit.h"

static_assert((int)SINIT_PO == (int)LCP_PO && (int)SINIT_PS == (int)LCP_PS, "owners are numbered alike");

static void add(uint8_t *buf, size_t *n, struct span s)
{
	if (s.n <= SINIT_POLICY_BYTES - *n) {
		memcpy(buf + *n, s.p, s.n);
		*n += s.n;
	}
}

/* The digest that matched: a hash of the element, its fallback, or a PCR info's. Empty if it cannot be found again. */
static struct span matched_digest(struct span bytes, int index)
{
	struct lcp_element e;
	struct lcp_pcr_info info;

	if (lcp_element_decode(bytes, &e))
		return (struct span){ NULL, 0 };
	if (e.pcr_infos.n == 0)
		return index < 0 ? e.fallback : lcp_element_hash(&e, (unsigned)index);

	struct lcp_pcr_infos it = lcp_pcr_infos_in(&e);

	for (int i = 0; lcp_pcr_infos_left(&it); i++) {
		if (lcp_pcr_infos_next(&it, &info))
			break;
		if (i == index)
			return info.digest;
	}
	return (struct span){ NULL, 0 };
}

static struct span element_bytes(const struct lcp_list *l, int number)
{
	struct lcp_elements it = lcp_elements_in(l->elements);
	struct span bytes = { NULL, 0 };

	for (int i = 0; i <= number; i++)
		if (!lcp_elements_left(&it) || lcp_elements_next(&it, &bytes))
			return (struct span){ NULL, 0 };
	return bytes;
}

/* Details and authorities: for each subject that an element decided, in the order of the subjects. */
static void collect(const struct sinit_policy_question *q, const struct lcp_verdict *v, struct sinit_policy_answer *out)
{
	for (enum lcp_subject i = 0; i < LCP_SUBJECTS; i++) {
		const struct lcp_decision *by = &v->by[i];
		struct digests d;
		struct lcp_data data;
		enum alg a;

		if (by->outcome != LCP_MATCH || lcp_data_decode(q->data[by->at.owner], &data, NULL) || by->at.list < 0 ||
		    by->at.list >= data.list_count)
			continue;

		const struct lcp_list *l = &data.lists[by->at.list];
		struct span element = element_bytes(l, by->at.element);

		if (element.n)
			add(out->details, &out->details_size, matched_digest(element, by->index));
		/* A list is named as the policy names it: by the digest that goes into PolicyHash. */
		if (alg_by_id(v->policy[by->at.owner].hash_alg, &a) && !lcp_list_hash(l, ALG_BIT(a), &d))
			add(out->authorities, &out->authorities_size, digest_span(&d, a));
	}
}

static void say_where(const struct lcp_verdict *v, struct sinit_policy_answer *out)
{
	const struct lcp_decision *mle = &v->by[LCP_SUBJECT_MLE];

	if (!v->allowed && v->at.list >= 0)
		snprintf(out->why, sizeof(out->why), "policy of the %s, list %d, element %d%s%s", lcp_owner_name(v->at.owner), v->at.list,
			v->at.element, v->format ? ": " : "", v->format ? lcp_strerror(v->format) : "");
	else if (!v->allowed)
		snprintf(out->why, sizeof(out->why), "policy of the %s%s%s", lcp_owner_name(v->at.owner), v->format ? ": " : "",
			v->format ? lcp_strerror(v->format) : "");
	else if (!v->present[LCP_PO] && !v->present[LCP_PS])
		snprintf(out->why, sizeof(out->why), "there is no policy");
	else if (mle->outcome == LCP_MATCH)
		snprintf(out->why, sizeof(out->why), "policy of the %s, list %d, element %d has the MLE", lcp_owner_name(mle->at.owner),
			mle->at.list, mle->at.element);
	else
		snprintf(out->why, sizeof(out->why), "no policy names MLEs");
}

static void evaluate(void *ctx, const struct sinit_policy_question *q, struct sinit_policy_answer *out)
{
	struct lcp_platform p = {
		.policy = { { NULL, 0 } },
		.acm = { .version = q->acm->info.acm_version, .npw = q->npw },
		.mle = *q->mle,
		.pcrs = q->pcrs,
		.verify = lcp_openssl_verify,
	};
	struct lcp_verdict v;

	(void)ctx;
	for (unsigned o = 0; o < LCP_OWNERS; o++) {
		p.policy[o] = q->policy[o];
		p.data[o] = q->data[o];
	}
	lcp_evaluate(&p, &v);

	const struct lcp_rule_info *rule = lcp_rule_info(v.rule);

	*out = (struct sinit_policy_answer){
		.allowed = v.allowed,
		.rule = rule->id,
		.text = rule->text,
		.source = rule->source,
		.deduced = rule->deduced,
		.class = v.error.class,
		.major = v.error.major,
		.minor = v.error.minor,
		.control = v.present[LCP_PO] ? v.policy[LCP_PO].control : v.present[LCP_PS] ? v.policy[LCP_PS].control : 0,
	};
	/* The question stays open: an element asks for what is not there. SINIT would not find a match either. */
	if (!v.allowed && v.error.source == TXT_ERROR_NONE) {
		out->class = TXT_CLASS_LCP;
		out->major = TXT_LCP_ELEMENT_MISMATCH;
	}
	say_where(&v, out);
	if (v.allowed)
		collect(q, &v, out);
}

const struct sinit_policy sinit_lcp = { .evaluate = evaluate };
