/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lcp_world.h"
#include "tests/unit/txt_rule_cases.h"

/*
 * Each rule of the evaluation, tripped. How policies and lists work together: test_lcp_evaluate_both.c.
 *
 * Each of these takes a platform whose launch is allowed and breaks one rule.
 */

static void ps_missing(struct world *w)
{
	w->platform.acm.needs_ps = true;
}

static void po_missing(struct world *w)
{
	world_no_owner_policy(w);
	world_policy(w, LCP_PS, LCP_POLICY_ANY);
	w->policy[LCP_PS].control = LCP_CONTROL_OWNER_ENFORCED;
}

static void data_without_po(struct world *w)
{
	world_no_owner_policy(w);
	w->platform.data[LCP_PO] = SPAN_LITERAL("x");
}

static void policy_short(struct world *w)
{
	world_encode(w);
	w->platform.policy[LCP_PO].n--;
	w->has_policy[LCP_PO] = false;
}

static void policy_long(struct world *w)
{
	world_encode(w);
	w->platform.policy[LCP_PO].n++;
	w->has_policy[LCP_PO] = false;
}

static void ps_short(struct world *w)
{
	world_policy(w, LCP_PS, LCP_POLICY_ANY);
	world_encode(w);
	w->platform.policy[LCP_PS].n--;
	w->has_policy[LCP_PS] = false;
}

static void policy_of_tpm12(struct world *w)
{
	w->policy[LCP_PO].version = 0x0204;
	w->policy[LCP_PO].hash_alg = LCP_ALG_SHA1;
	w->policy[LCP_PO].hash_size = 20;
	w->keep_hash[LCP_PO] = true;
}

static void policy_too_old(struct world *w)
{
	w->policy[LCP_PO].version = LCP_POLICY_3_0;
	w->platform.acm.policy_min = LCP_POLICY_3_1;
}

static void policy_too_new(struct world *w)
{
	w->policy[LCP_PO].version = 0x0303;
}

static void policy_hash_alg(struct world *w)
{
	w->policy[LCP_PO].hash_alg = LCP_ALG_SM3_256;
	w->policy[LCP_PO].hash_mask |= 0x0020;
}

static void policy_hash_alg_unknown(struct world *w)
{
	world_encode(w);
	w->policy_bytes[LCP_PO][2] = 0x99;
	w->has_policy[LCP_PO] = false;
}

static void policy_type(struct world *w)
{
	w->policy[LCP_PO].type = 2;
}

static void aux_deletion(struct world *w)
{
	w->policy[LCP_PO].control = LCP_CONTROL_AUX_DELETE;
}

static void ps_aux_deletion(struct world *w)
{
	world_policy(w, LCP_PS, LCP_POLICY_ANY);
	w->policy[LCP_PS].control = LCP_CONTROL_AUX_DELETE;
}

static void no_hash_mask(struct world *w)
{
	w->policy[LCP_PO].hash_mask = 0;
}

static void hash_not_approved(struct world *w)
{
	w->policy[LCP_PO].hash_mask = 0x0040;
}

static void no_sign_mask(struct world *w)
{
	w->policy[LCP_PO].sign_mask = 0;
}

static void aux_mask(struct world *w)
{
	w->policy[LCP_PO].version = LCP_POLICY_3_1;
	w->policy[LCP_PO].aux_hash_mask = 0x0048;
	w->platform.acm.checks_aux_mask = true;
}

static void aux_mask_alg(struct world *w)
{
	aux_mask(w);
	w->policy[LCP_PO].aux_hash_mask = 0x0020;
}

static void npw_no_policy(struct world *w)
{
	world_no_owner_policy(w);
	w->platform.acm.npw = true;
}

static void npw(struct world *w)
{
	w->platform.acm.npw = true;
}

/* The supplier's permission does not help where the owner has a policy. */
static void npw_by_supplier(struct world *w)
{
	npw(w);
	world_policy(w, LCP_PS, LCP_POLICY_ANY);
	w->policy[LCP_PS].control = LCP_CONTROL_NPW;
}

static void npw_ps_only(struct world *w)
{
	npw_no_policy(w);
	world_policy(w, LCP_PS, LCP_POLICY_ANY);
}

static void aux_revoked(struct world *w)
{
	w->platform.has_aux_version = true;
	w->platform.aux_version = WORLD_SINIT + 1;
}

static void revoked_by_ps(struct world *w)
{
	world_policy(w, LCP_PS, LCP_POLICY_ANY);
	w->policy[LCP_PS].sinit_min_version = WORLD_SINIT + 1;
}

static void revoked_by_po(struct world *w)
{
	w->policy[LCP_PO].sinit_min_version = WORLD_SINIT + 1;
}

/* Removes the elements that world_begin()'s caller put in. */
static void empty_list(struct world *w)
{
	w->data[LCP_PO].lists[0].elements.n = 0;
}

static void revoked_by_element(struct world *w)
{
	struct lcp_element e = { .type = LCP_ELEMENT_MLE2, .hash_alg = LCP_ALG_SHA256, .count = 1, .sinit_min_version = WORLD_SINIT + 1 };

	empty_list(w);
	e.hashes = digest_span(&w->platform.mle, ALG_SHA256);
	world_element(w, LCP_PO, 0, &e);
}

static void no_data(struct world *w)
{
	world_encode(w);
	w->platform.data[LCP_PO] = (struct span){ NULL, 0 };
	w->has_policy[LCP_PO] = false;
}

/* The rest of these spoils bytes of the policy data. */
static void spoil(struct world *w, size_t at, uint8_t value)
{
	world_encode(w);
	w->data_bytes[LCP_PO][at] = value;
	w->has_policy[LCP_PO] = false;
}

/* The same, with the digest of what came out: the owner signed nonsense. */
static void spoil_and_hash(struct world *w, size_t at, uint8_t value)
{
	size_t n = 0;

	spoil(w, at, value);
	world_hash(w, LCP_PO);
	assert_int_equal(lcp_policy_encode(&w->policy[LCP_PO], (struct mspan){ w->policy_bytes[LCP_PO], LCP_POLICY_MAX_SIZE }, &n), LCP_OK);
}

#define LIST_AT LCP_DATA_HEADER_SIZE
#define ELEMENT_AT (LIST_AT + LCP_LIST_HEADER_SIZE)

static void data_signature(struct world *w)
{
	spoil(w, 0, 'i');
}

static void data_reserved(struct world *w)
{
	spoil(w, 32, 1);
}

static void data_reserved_last(struct world *w)
{
	spoil(w, 34, 1);
}

static void data_no_lists(struct world *w)
{
	world_encode(w);
	w->data_bytes[LCP_PO][35] = 0;
	w->platform.data[LCP_PO].n = LCP_DATA_HEADER_SIZE;
	w->has_policy[LCP_PO] = false;
}

static void data_nine_lists(struct world *w)
{
	spoil(w, 35, 9);
}

static void data_trailing(struct world *w)
{
	world_encode(w);
	w->platform.data[LCP_PO].n++;
	w->has_policy[LCP_PO] = false;
}

static void data_truncated(struct world *w)
{
	world_encode(w);
	w->platform.data[LCP_PO].n = 35;
	w->has_policy[LCP_PO] = false;
}

static void data_digest(struct world *w)
{
	w->policy[LCP_PO].hash[31] ^= 1;
	w->keep_hash[LCP_PO] = true;
}

static void ps_data_digest(struct world *w)
{
	world_policy(w, LCP_PS, LCP_POLICY_LIST);
	world_mle(w, LCP_PS, 0, LCP_ALG_SHA256, 0, true);
	w->keep_hash[LCP_PS] = true;
}

static void list_version_1(struct world *w)
{
	w->data[LCP_PO].lists[0].version = LCP_LIST_1_0;
}

static void list_version_unknown(struct world *w)
{
	spoil(w, LIST_AT + 1, 9);
}

static void list_version_minor(struct world *w)
{
	w->data[LCP_PO].lists[0].version = 0x0202;
}

static void list_version_3(struct world *w)
{
	w->data[LCP_PO].lists[0].version = LCP_LIST_3_0;
	w->platform.acm.list_max_major = 2;
}

static void list_size(struct world *w)
{
	spoil(w, LIST_AT + 6, 0xff);
}

static void list_sig_alg(struct world *w)
{
	spoil(w, LIST_AT + 2, 0x77);
}

static void key_size_rsa(struct world *w)
{
	world_sign(w, LCP_PO, 0, LCP_ALG_RSASSA, 1024, 0);
}

static void key_size_ecdsa(struct world *w)
{
	world_sign(w, LCP_PO, 0, LCP_ALG_ECDSA, 512, 0);
}

static void key_size_sm2(struct world *w)
{
	world_sign(w, LCP_PO, 0, LCP_ALG_SM2, 384, 0);
}

static void list_signature(struct world *w)
{
	world_sign(w, LCP_PO, 0, LCP_ALG_RSASSA, 2048, 0);
	w->signature_is_wrong = true;
}

/* Right, but in a structure that no signature covers and nobody writes so. */
static void list_signature_version(struct world *w)
{
	w->data[LCP_PO].lists[0].version = LCP_LIST_3_0;
	world_sign(w, LCP_PO, 0, LCP_ALG_RSASSA, 2048, 0);
	w->data[LCP_PO].lists[0].sig.version[1]++;
}

/* Nobody can verify: no signature is valid. */
static void list_signature_no_ops(struct world *w)
{
	world_sign(w, LCP_PO, 0, LCP_ALG_RSASSA, 2048, 0);
	w->platform.verify.verify = NULL;
}

static void element_size(struct world *w)
{
	spoil(w, ELEMENT_AT, 4);
}

static void element_count(struct world *w)
{
	spoil_and_hash(w, ELEMENT_AT + LCP_ELEMENT_HEADER_SIZE + 4, 3);
}

static void element_hash_alg(struct world *w)
{
	spoil_and_hash(w, ELEMENT_AT + LCP_ELEMENT_HEADER_SIZE + 2, 0x99);
}

/* The first PCR info: count of selections, algorithm, size of the selection, selection. The second would match. */
static void spoil_pcr_info(struct world *w, size_t at, uint8_t value)
{
	empty_list(w);
	world_pconf(w, LCP_PO, 0, 0, true);
	spoil_and_hash(w, ELEMENT_AT + LCP_ELEMENT_HEADER_SIZE + 4 + at, value);
}

/* clang-format off */
static void pcr_info(struct world *w) { spoil_pcr_info(w, 3, 2); }
static void pcr_info_of_another_bank(struct world *w) { spoil_pcr_info(w, 5, LCP_ALG_SHA1); }
static void pcr_info_of_pcr_8(struct world *w) { spoil_pcr_info(w, 8, 1); }
/* clang-format on */

static void revoked_list(struct world *w)
{
	world_sign(w, LCP_PO, 0, LCP_ALG_RSASSA, 2048, 4);
	w->policy[LCP_PO].revocation[0] = 5;
}

static void unapproved_list(struct world *w)
{
	world_sign(w, LCP_PO, 0, LCP_ALG_ECDSA, 256, 0);
	w->policy[LCP_PO].sign_mask = 1u << 3;
}

static void unapproved_hash_of_signature(struct world *w)
{
	world_sign(w, LCP_PO, 0, LCP_ALG_RSASSA, 2048, 0);
	w->rsassa_hash = LCP_ALG_SHA384;
}

static void unapproved_element(struct world *w)
{
	empty_list(w);
	world_mle(w, LCP_PO, 0, LCP_ALG_SHA384, 0, true);
	w->policy[LCP_PO].hash_mask = 0x0008;
}

static void mle(struct world *w)
{
	empty_list(w);
	world_mle(w, LCP_PO, 0, LCP_ALG_SHA256, 0, false);
}

static void mle_legacy(struct world *w)
{
	struct digests d;
	struct lcp_element e = { .type = LCP_ELEMENT_MLE, .hash_alg = LCP_ALG_SHA1, .count = 1 };

	hash_span(ALG_SET_ALL, SPAN_LITERAL("x"), &d);
	e.hashes = digest_span(&d, ALG_SHA1);
	empty_list(w);
	world_element(w, LCP_PO, 0, &e);
}

static void pconf(struct world *w)
{
	world_pconf(w, LCP_PO, 0, 0, false);
}

/* What TPM 1.2 compared cannot match. */
static void pconf_legacy(struct world *w)
{
	static const uint8_t info[] = { 0, 3, 1, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };
	struct lcp_element e = { .type = LCP_ELEMENT_PCONF, .count = 1, .pcr_infos = SPAN_OF(info) };

	world_element(w, LCP_PO, 0, &e);
}

static void pconf_of_supplier(struct world *w)
{
	world_policy(w, LCP_PS, LCP_POLICY_LIST);
	world_pconf(w, LCP_PS, 0, 0, false);
	world_pconf(w, LCP_PO, 0, 0, true);
	w->policy[LCP_PO].control = LCP_CONTROL_OWNER_ENFORCED;
}

static void pconf_override(struct world *w)
{
	world_pconf(w, LCP_PO, 0, LCP_ELEMENT_OVERRIDE_PS, true);
	w->policy[LCP_PO].control = LCP_CONTROL_OWNER_ENFORCED;
}

static void stm(struct world *w)
{
	world_give_stm(w);
	world_stm(w, LCP_PO, 0, 0, false);
}

static void stm_required_by_mle(struct world *w)
{
	empty_list(w);
	world_mle(w, LCP_PO, 0, LCP_ALG_SHA256, LCP_ELEMENT_STM_REQUIRED, true);
}

static void stm_required_by_stm(struct world *w)
{
	world_stm(w, LCP_PO, 0, LCP_ELEMENT_STM_REQUIRED, true);
}

static void sbios(struct world *w)
{
	world_give_bios(w);
	world_sbios(w, LCP_PO, 0, false, false);
}

static void autopromotion(struct world *w)
{
	world_give_bios(w);
	hash_span(ALG_BIT(ALG_SHA256), SPAN_LITERAL("bios of last time"), &w->platform.aux_bios);
}

static void mle_not_given(struct world *w)
{
	w->platform.mle.banks = ALG_BIT(ALG_SHA384);
}

static void pcrs_not_given(struct world *w)
{
	world_pconf(w, LCP_PO, 0, 0, false);
	w->platform.pcrs = NULL;
}

static void pcr_not_known(struct world *w)
{
	world_pconf(w, LCP_PO, 0, 0, true);
	w->pcrs.known[ALG_SHA256] &= ~0x10u;
}

static void bios_in_another_bank(struct world *w)
{
	hash_span(ALG_BIT(ALG_SHA384), SPAN_LITERAL("bios"), &w->platform.bios);
	hash_span(ALG_BIT(ALG_SHA256), SPAN_LITERAL("bios"), &w->platform.aux_bios);
}

/* Class 0: that of launch control. Element -1, list -1: not in one. */
static const struct {
	const char *name;
	void (*breaks)(struct world *w);
	enum lcp_rule rule;
	uint8_t class, major, minor;
	struct lcp_at at;
} cases[] = {
#define CASE(f, r, class, major, minor, owner, list, element) { #f, f, LCP_RULE_##r, class, major, minor, { LCP_##owner, list, element } },
	LCP_CASES(CASE)
};

static void test_rules(void **state)
{
	static struct world w;

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		uint8_t class = cases[i].class ? cases[i].class : TXT_CLASS_LCP;

		world_good(&w);
		world_evaluate(&w);
		world_assert_rule(&w, "before", LCP_ALLOWED);
		cases[i].breaks(&w);
		world_evaluate(&w);
		world_assert_rule(&w, cases[i].name, cases[i].rule);
		world_assert_at(cases[i].name, w.verdict.at, cases[i].at);
		if (cases[i].rule == LCP_RULE_INPUT) {
			assert_int_equal(w.verdict.error.source, TXT_ERROR_NONE);
			assert_int_equal(lcp_verdict_code(&w.verdict), 0);
			continue;
		}
		if (w.verdict.error.class != class || w.verdict.error.major != cases[i].major || w.verdict.error.minor != cases[i].minor)
			fail_msg("%s: error %x %x %x", cases[i].name, w.verdict.error.class, w.verdict.error.major, w.verdict.error.minor);
		assert_int_equal(lcp_verdict_code(&w.verdict),
			0xc0000001u | (uint32_t) class << 4 | (uint32_t)cases[i].major << 10 | (uint32_t)cases[i].minor << 16);
	}
}

/* No rule is without a case; two only stand for lists. */
static void test_every_rule_has_a_case(void **state)
{
#define THERE(r, file, f) || rule == LCP_RULE_##r
	(void)state;
	for (enum lcp_rule rule = LCP_ALLOWED + 1; rule < LCP_RULE_COUNT; rule++) {
		bool found = false LCP_ELSEWHERE(THERE);

		for (size_t i = 0; i < GL_COUNT(cases); i++)
			found = found || cases[i].rule == rule;
		if (!found)
			fail_msg("%s", lcp_rule_info(rule)->id);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_every_rule_has_a_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
