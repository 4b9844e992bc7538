/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Launch control over hostile policies, policy data and signatures. Input: flags, sizes of three parts (u16 LE), and the parts: owner policy,
 * supplier policy, the owner's data; what is left is the supplier's data. The digest in a policy is set right unless a flag says not to, as
 * nothing behind it would be reached.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "lcp/digest.h"
#include "lcp/host/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEEP_DIGEST = 1, OPENSSL = 2, NO_PO = 4, NO_PS = 8, HAS_STM = 16, NPW = 32, NO_PCRS = 64, HAS_AUX = 128 };

static bool take_all(void *ctx, const struct lcp_list *l, uint16_t *hash_alg)
{
	(void)ctx;
	(void)l;
	*hash_alg = LCP_ALG_SHA256;
	return true;
}

/* Makes the policy one of this data. */
static void fix_digest(struct span policy, struct span bytes, uint8_t out[LCP_POLICY_MAX_SIZE])
{
	struct lcp_policy p;
	struct lcp_data d;
	struct digests digests;
	enum alg a;
	size_t n;

	memcpy(out, policy.p, policy.n);
	if (lcp_policy_decode(policy, &p) || lcp_data_decode(bytes, &d, NULL) || !alg_by_id(p.hash_alg, &a))
		return;
	if (lcp_data_hash(&d, ALG_BIT(a), &digests))
		return;
	memcpy(p.hash, digests.d[a], alg_table[a].size);
	if (lcp_policy_encode(&p, (struct mspan){ out, LCP_POLICY_MAX_SIZE }, &n) || n != policy.n)
		abort();
}

static void check_at(const struct lcp_verdict *v, struct lcp_at at)
{
	if (at.owner != LCP_PO && at.owner != LCP_PS)
		abort();
	/* Data that could not be taken apart has no number of lists. */
	if (at.list < -1 || at.list >= LCP_MAX_LISTS || (v->list_count[at.owner] && at.list >= v->list_count[at.owner]) || at.element < -1)
		abort();
}

static void check(const struct lcp_verdict *v)
{
	uint32_t code = lcp_verdict_code(v);

	if (v->allowed != (v->rule == LCP_ALLOWED) || v->rule >= LCP_RULE_COUNT)
		abort();
	if ((code != 0) != (!v->allowed && v->rule != LCP_RULE_INPUT))
		abort();
	if (v->rule == LCP_RULE_LIST_REVOKED || v->rule == LCP_RULE_LIST_NOT_APPROVED)
		abort();
	check_at(v, v->at);
	for (unsigned s = 0; s < LCP_SUBJECTS; s++) {
		const struct lcp_decision *d = &v->by[s];

		if (v->allowed && d->outcome != LCP_MATCH && d->outcome != LCP_NO_ELEMENT)
			abort();
		if (d->outcome != LCP_MATCH)
			continue;
		check_at(v, d->at);
		/* What counts not does not match. */
		if (d->at.list < 0 || d->at.element < 0 || v->lists[d->at.owner][d->at.list] != LCP_ALLOWED)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lcp_platform p;
	static struct pcrs pcrs;
	static uint8_t fixed[LCP_OWNERS][LCP_POLICY_MAX_SIZE];
	struct rd r = rd_init((struct span){ data, size });
	struct lcp_verdict v;
	uint8_t flags = rd_u8(&r);
	uint16_t sizes[3];

	memset(&p, 0, sizeof(p));
	for (size_t i = 0; i < GL_COUNT(sizes); i++)
		sizes[i] = rd_le16(&r);
	p.policy[LCP_PO] = rd_bytes(&r, sizes[0]);
	p.policy[LCP_PS] = rd_bytes(&r, sizes[1]);
	p.data[LCP_PO] = rd_bytes(&r, sizes[2]);
	p.data[LCP_PS] = rd_bytes(&r, rd_left(&r));
	if (r.bad)
		return 0;
	for (enum lcp_owner o = LCP_PO; o < LCP_OWNERS; o++) {
		if (flags & (o == LCP_PO ? NO_PO : NO_PS)) {
			p.policy[o] = (struct span){ NULL, 0 };
		} else if (!(flags & KEEP_DIGEST) && p.policy[o].n <= LCP_POLICY_MAX_SIZE) {
			fix_digest(p.policy[o], p.data[o], fixed[o]);
			p.policy[o].p = fixed[o];
		}
	}
	hash_span(ALG_SET_ALL, SPAN_LITERAL("mle"), &p.mle);
	hash_span(ALG_SET_ALL, SPAN_LITERAL("bios"), &p.bios);
	hash_span(ALG_SET_ALL, SPAN_LITERAL("stm"), &p.stm);
	pcrs.banks = ALG_SET_ALL;
	for (enum alg a = 0; a < ALG_COUNT; a++)
		pcrs.known[a] = 0xff;
	p.pcrs = flags & NO_PCRS ? NULL : &pcrs;
	p.has_stm = flags & HAS_STM;
	p.acm.npw = flags & NPW;
	p.has_aux_version = flags & HAS_AUX;
	p.acm.version = 7;
	p.aux_version = 8;
	p.verify = flags & OPENSSL ? lcp_openssl_verify : (struct lcp_verify_ops){ take_all, NULL };
	lcp_evaluate(&p, &v);
	check(&v);
	return 0;
}
