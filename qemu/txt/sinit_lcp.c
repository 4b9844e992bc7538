/* SPDX-License-Identifier: BSD-3-Clause */
/* Launch control for SINIT by lcp/evaluate.h. */
#include <stdio.h>
#include <string.h>

#include "lcp/host/sign.h"
#include "lcp/measured.h"
#include "qemu/txt/sinit.h"

static_assert((int)SINIT_PO == (int)LCP_PO && (int)SINIT_PS == (int)LCP_PS, "owners are numbered alike");
static_assert(SINIT_POLICY_BYTES == LCP_MEASURED_MAX, "the answer has room for it");

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
		.acm = lcp_acm_of(q->acm),
		.mle = *q->mle,
		.pcrs = q->pcrs,
		.verify = lcp_openssl_verify,
	};
	struct lcp_verdict v;
	struct lcp_measured measured;

	(void)ctx;
	p.acm.npw = p.acm.npw || q->npw;
	for (unsigned o = 0; o < LCP_OWNERS; o++) {
		p.policy[o] = q->policy[o];
		p.data[o] = q->data[o];
	}
	lcp_evaluate(&p, &v);
	lcp_measured(&v, p.data, &measured);

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
		.control = measured.control,
	};
	/* The question stays open: an element asks for what is not there. SINIT would not find a match either. */
	if (!v.allowed && v.error.source == TXT_ERROR_NONE) {
		out->class = TXT_CLASS_LCP;
		out->major = TXT_LCP_ELEMENT_MISMATCH;
	}
	say_where(&v, out);
	if (!v.allowed)
		return;
	memcpy(out->details, measured.details, measured.details_size);
	out->details_size = measured.details_size;
	memcpy(out->authorities, measured.authorities, measured.authorities_size);
	out->authorities_size = measured.authorities_size;
}

const struct sinit_policy sinit_lcp = { .evaluate = evaluate };
