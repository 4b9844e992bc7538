/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_EVALUATE_IMPL_H
#define GL_LCP_EVALUATE_IMPL_H

#include "lcp/evaluate.h"

/* What the evaluation keeps between its steps; shared by its files only. */
struct lcp_eval {
	const struct lcp_platform *p;
	struct lcp_acm acm; /* with defaults filled in */
	struct lcp_verdict *v;
	struct lcp_data data[LCP_OWNERS];
	bool has_data[LCP_OWNERS]; /* the type is list and the data was decoded */
};

/* Ends the evaluation: notes the rule and the error code. Returns false, so that failing is one statement. */
bool lcp_eval_deny(struct lcp_eval *e, enum lcp_rule rule, struct lcp_at at);

/* The steps. False: the launch is denied. */
GL_MUST bool lcp_eval_policies(struct lcp_eval *e);
GL_MUST bool lcp_eval_data(struct lcp_eval *e);
GL_MUST bool lcp_eval_elements(struct lcp_eval *e);

#define LCP_AT_POLICY(o) ((struct lcp_at){ (o), -1, -1 })

#endif
