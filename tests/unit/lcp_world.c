/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/lcp_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lcp/digest.h"

static void set_digests(struct digests *d, const char *text)
{
	hash_span(ALG_SET_ALL, span_str(text), d);
}

static bool verify(void *ctx, const struct lcp_list *l, uint16_t *hash_alg)
{
	struct world *w = ctx;

	w->verified++;
	if (w->signature_is_wrong)
		return false;
	if (lcp_list_sig_hash_alg(l) == LCP_ALG_NULL)
		*hash_alg = w->rsassa_hash;
	return true;
}

void world_begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->rsassa_hash = LCP_ALG_SHA256;
	w->platform.acm.version = WORLD_SINIT;
	w->platform.verify = (struct lcp_verify_ops){ verify, w };
	set_digests(&w->platform.mle, "mle");
	w->pcrs.banks = ALG_SET_ALL;
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		w->pcrs.known[a] = 0xff;
		for (unsigned i = 0; i < 8; i++)
			memset(w->pcrs.v[a][i], (int)(16 * a + i + 1), DIGEST_MAX);
	}
	w->platform.pcrs = &w->pcrs;
	world_policy(w, LCP_PO, LCP_POLICY_LIST);
}

void world_good(struct world *w)
{
	world_begin(w);
	world_mle(w, LCP_PO, 0, LCP_ALG_SHA256, 0, true);
}

void world_no_owner_policy(struct world *w)
{
	w->has_policy[LCP_PO] = false;
	w->platform.policy[LCP_PO] = (struct span){ NULL, 0 };
	w->platform.data[LCP_PO] = (struct span){ NULL, 0 };
}

void world_give_stm(struct world *w)
{
	w->platform.has_stm = true;
	set_digests(&w->platform.stm, "stm");
}

void world_give_bios(struct world *w)
{
	set_digests(&w->platform.bios, "bios");
}

void world_policy(struct world *w, enum lcp_owner o, uint8_t type)
{
	w->has_policy[o] = true;
	w->policy[o] = (struct lcp_policy){
		.version = LCP_POLICY_3_2,
		.hash_alg = LCP_ALG_SHA256,
		.hash_size = 32,
		.type = type,
		.max_sinit_min_version = 0xff,
		.hash_mask = 0x00c9,
		.sign_mask = 0x000130cc,
	};
	w->data[o].list_count = type == LCP_POLICY_LIST;
	w->data[o].lists[0] = (struct lcp_list){ .version = LCP_LIST_2_1, .sig_alg = LCP_ALG_NULL };
}

void world_element(struct world *w, enum lcp_owner o, unsigned list, const struct lcp_element *e)
{
	struct lcp_list *l = &w->data[o].lists[list];
	uint8_t *bytes = w->elements[o][list];
	size_t n = 0;

	while (w->data[o].list_count <= list)
		w->data[o].lists[w->data[o].list_count++] = (struct lcp_list){ .version = LCP_LIST_2_1, .sig_alg = LCP_ALG_NULL };
	assert_int_equal(
		lcp_element_encode(e, (struct mspan){ bytes + l->elements.n, sizeof(w->elements[o][list]) - l->elements.n }, &n), LCP_OK);
	l->elements = (struct span){ bytes, l->elements.n + n };
}

/* Two digests of which the second is the one that counts. */
static void digest_element(struct world *w, enum lcp_owner o, unsigned list, struct lcp_element e, const char *text)
{
	struct digests first, second;
	uint8_t both[2 * DIGEST_MAX];
	size_t size = lcp_digest_size(e.hash_alg);
	enum alg a = ALG_SHA1;

	if (!alg_by_id(e.hash_alg, &a))
		fail();
	set_digests(&first, "something else");
	set_digests(&second, text);
	memcpy(both, first.d[a], size);
	memcpy(both + size, second.d[a], size);
	e.hashes = (struct span){ both, 2 * size };
	e.count = 2;
	world_element(w, o, list, &e);
}

void world_mle(struct world *w, enum lcp_owner o, unsigned list, uint16_t alg, uint32_t control, bool matches)
{
	struct lcp_element e = { .type = LCP_ELEMENT_MLE2, .control = control, .hash_alg = alg };

	digest_element(w, o, list, e, matches ? "mle" : "other mle");
}

void world_stm(struct world *w, enum lcp_owner o, unsigned list, uint32_t control, bool matches)
{
	struct lcp_element e = { .type = LCP_ELEMENT_STM2, .control = control, .hash_alg = LCP_ALG_SHA256 };

	digest_element(w, o, list, e, matches ? "stm" : "other stm");
}

void world_sbios(struct world *w, enum lcp_owner o, unsigned list, bool matches, bool fallback)
{
	struct digests d;
	struct lcp_element e = { .type = LCP_ELEMENT_SBIOS2, .hash_alg = LCP_ALG_SHA256 };

	set_digests(&d, fallback ? "bios" : "other bios");
	e.fallback = digest_span(&d, ALG_SHA256);
	digest_element(w, o, list, e, matches ? "bios" : "other bios");
}

void world_pconf(struct world *w, enum lcp_owner o, unsigned list, uint32_t control, bool matches)
{
	struct lcp_element e = { .type = LCP_ELEMENT_PCONF2, .control = control, .hash_alg = LCP_ALG_SHA256, .count = 2 };
	uint8_t infos[2 * LCP_PCR_INFO_MAX], digest[LCP_DIGEST_MAX];
	size_t n = 0, more = 0;

	/* The first never matches. */
	memset(digest, 0x55, sizeof(digest));
	assert_int_equal(
		lcp_pcr_info_encode(LCP_ALG_SHA256, 0x03, (struct span){ digest, 32 }, (struct mspan){ infos, sizeof(infos) }, &n), LCP_OK);
	assert_true(lcp_pcr_composite(&w->pcrs, ALG_SHA256, 0x91, digest));
	digest[0] ^= !matches;
	assert_int_equal(lcp_pcr_info_encode(
				 LCP_ALG_SHA256, 0x91, (struct span){ digest, 32 }, (struct mspan){ infos + n, sizeof(infos) - n }, &more),
		LCP_OK);
	e.pcr_infos = (struct span){ infos, n + more };
	world_element(w, o, list, &e);
}

void world_sign(struct world *w, enum lcp_owner o, unsigned list, uint16_t sig_alg, uint32_t key_bits, uint16_t revocation)
{
	struct lcp_list *l = &w->data[o].lists[list];
	bool rsa = sig_alg == LCP_ALG_RSASSA || sig_alg == LCP_ALG_RSAPSS;
	uint8_t *key = w->keys[o][list];

	l->sig_alg = sig_alg;
	l->sig.key_alg = rsa ? LCP_ALG_RSA : LCP_ALG_ECC;
	l->sig.key_bits = key_bits;
	l->sig.revocation = revocation;
	l->sig.key = (struct span){ key, lcp_sig_part_size(l->sig.key_alg, key_bits) };
	l->sig.block = l->sig.key;
	memset(key, (int)(0x40 + list), l->sig.key.n);
	if (l->version >> 8 < 3)
		return;
	memset(l->sig.version, LCP_SIG_VERSION, sizeof(l->sig.version));
	l->sig.exponent = rsa ? LCP_SIG_EXPONENT : 0;
	l->sig.hash_alg = LCP_ALG_SHA256;
}

void world_hash(struct world *w, enum lcp_owner o)
{
	struct lcp_data data;
	struct digests d;
	enum alg a = ALG_SHA256;

	if (!alg_by_id(w->policy[o].hash_alg, &a))
		return;
	assert_int_equal(lcp_data_decode(w->platform.data[o], &data, NULL), LCP_OK);
	assert_int_equal(lcp_data_hash(&data, ALG_BIT(a), &d), LCP_OK);
	memcpy(w->policy[o].hash, d.d[a], alg_table[a].size);
}

static void encode_data(struct world *w, enum lcp_owner o)
{
	size_t n = 0;

	assert_int_equal(lcp_data_encode(&w->data[o], (struct mspan){ w->data_bytes[o], sizeof(w->data_bytes[o]) }, &n), LCP_OK);
	w->platform.data[o] = (struct span){ w->data_bytes[o], n };
	if (!w->keep_hash[o])
		world_hash(w, o);
}

void world_encode(struct world *w)
{
	for (enum lcp_owner o = LCP_PO; o < LCP_OWNERS; o++) {
		size_t n = 0;

		if (!w->has_policy[o])
			continue;
		if (w->policy[o].type == LCP_POLICY_LIST)
			encode_data(w, o);
		assert_int_equal(
			lcp_policy_encode(&w->policy[o], (struct mspan){ w->policy_bytes[o], sizeof(w->policy_bytes[o]) }, &n), LCP_OK);
		w->platform.policy[o] = (struct span){ w->policy_bytes[o], n };
	}
}

void world_evaluate(struct world *w)
{
	world_encode(w);
	lcp_evaluate(&w->platform, &w->verdict);
}

void world_assert_rule(const struct world *w, const char *name, enum lcp_rule rule)
{
	if (w->verdict.rule != rule)
		fail_msg("%s: %s, not %s", name, lcp_rule_info(w->verdict.rule)->id, lcp_rule_info(rule)->id);
	assert_int_equal(w->verdict.allowed, rule == LCP_ALLOWED);
}

void world_assert_at(const char *name, struct lcp_at at, struct lcp_at expected)
{
	if (at.owner != expected.owner || at.list != expected.list || at.element != expected.element)
		fail_msg("%s: at %d %d %d", name, (int)at.owner, at.list, at.element);
}
