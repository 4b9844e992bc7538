/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Launch control over hostile policies, policy data and signatures. Input: flags, sizes of three parts (u16 LE), and the parts: owner policy,
 * supplier policy, the owner's data; what is left is the supplier's data. The digest in a policy is set right unless a flag says not to, as
 * nothing behind it would be reached. What allows a launch with OpenSSL's word for it has signatures in the form that lcp_list_validate()
 * demands; and what is measured of a decision is in the policies.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "lcp/digest.h"
#include "lcp/host/sign.h"
#include "lcp/measured.h"
#include "tests/fuzz/exact.h"

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

/* An index may be there and empty. */
static struct span policy_copy(struct exact *x, struct span s)
{
	return s.p && s.n == 0 ? (struct span){ exact_room(x, 0), 0 } : exact_copy(x, s);
}

/* The rules of a signature's fields, all of which come before those of elements. */
static void check_signature(const struct lcp_list *l)
{
	static const enum lcp_error about[] = { LCP_E_SIG_FIELD, LCP_E_SIG_RESERVED, LCP_E_SIG_VERSION, LCP_E_SIG_KEY_ALG, LCP_E_SIG_SCHEME,
		LCP_E_SIG_KEY_SIZE, LCP_E_SIG_KEY_MISMATCH, LCP_E_SIG_EXPONENT, LCP_E_SIG_HASH_ALG, LCP_E_SIG_UNSIGNED };
	enum lcp_error e = lcp_list_validate(l, NULL);

	for (size_t i = 0; i < GL_COUNT(about); i++)
		if (e == about[i])
			abort();
}

/* No list counts whose signature nobody would have made. */
static void check_lists(const struct lcp_platform *p, const struct lcp_verdict *v)
{
	for (enum lcp_owner o = LCP_PO; o < LCP_OWNERS; o++) {
		struct lcp_data d;

		if (!v->list_count[o])
			continue;
		if (lcp_data_decode(p->data[o], &d, NULL) || d.list_count != v->list_count[o])
			abort();
		for (unsigned i = 0; i < d.list_count; i++)
			if (lcp_list_signed(&d.lists[i]) && v->lists[o][i] == LCP_ALLOWED)
				check_signature(&d.lists[i]);
	}
}

static void check_measured(const struct lcp_platform *p, const struct lcp_verdict *v)
{
	static struct lcp_measured m;
	size_t matches = 0;

	lcp_measured(v, p->data, &m);
	for (unsigned s = 0; s < LCP_SUBJECTS; s++)
		matches += v->by[s].outcome == LCP_MATCH;
	if (m.details_size > LCP_MEASURED_MAX || m.authorities_size > LCP_MEASURED_MAX)
		abort();
	/* Every match is an element's digest and its list's. */
	if ((m.details_size != 0) != (matches != 0) || (m.authorities_size != 0) != (matches != 0))
		abort();
	if (m.details_size < matches * 20 || m.authorities_size < matches * 20 || m.authorities_size > matches * DIGEST_MAX)
		abort();
	if (m.control != (v->present[LCP_PO] ? v->policy[LCP_PO].control : v->present[LCP_PS] ? v->policy[LCP_PS].control : 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__attribute__((cleanup(exact_free))) struct exact exact = { .count = 0 };
	static struct lcp_platform p;
	static struct pcrs pcrs;
	uint8_t fixed[LCP_POLICY_MAX_SIZE];
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
			fix_digest(p.policy[o], p.data[o], fixed);
			p.policy[o].p = fixed;
		}
		p.policy[o] = policy_copy(&exact, p.policy[o]);
		p.data[o] = exact_copy(&exact, p.data[o]);
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
	check_measured(&p, &v);
	if (v.allowed && flags & OPENSSL)
		check_lists(&p, &v);
	return 0;
}
