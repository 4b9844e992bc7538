/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lcp_world.h"

/* How lists, elements and the policies of owner and supplier work together. Each rule by itself: test_lcp_evaluate.c. */

static void sinit_too_old_for_element(struct world *w)
{
	struct lcp_element e = { .type = LCP_ELEMENT_MLE2, .hash_alg = LCP_ALG_SHA256, .count = 1, .sinit_min_version = WORLD_SINIT + 1 };

	e.hashes = digest_span(&w->platform.mle, ALG_SHA256);
	world_element(w, LCP_PO, 0, &e);
}

static void assert_match(const struct world *w, enum lcp_subject s, struct lcp_at at, int index)
{
	const struct lcp_decision *d = &w->verdict.by[s];

	assert_int_equal(d->outcome, LCP_MATCH);
	world_assert_at(lcp_subject_name(s), d->at, at);
	assert_int_equal(d->index, index);
}

static void test_nothing_is_there(void **state)
{
	static struct lcp_platform p;
	struct lcp_verdict v;

	(void)state;
	lcp_evaluate(&p, &v);
	assert_true(v.allowed);
	assert_int_equal(lcp_verdict_code(&v), 0);
	for (unsigned s = 0; s < LCP_SUBJECTS; s++)
		assert_int_equal(v.by[s].outcome, LCP_NO_ELEMENT);
}

static void test_any(void **state)
{
	static struct world w;

	(void)state;
	world_good(&w);
	world_policy(&w, LCP_PO, LCP_POLICY_ANY);
	w.platform.mle.banks = 0;
	world_evaluate(&w);
	world_assert_rule(&w, "any", LCP_ALLOWED);
	assert_int_equal(w.verdict.by[LCP_SUBJECT_MLE].outcome, LCP_NO_ELEMENT);
	/* A policy of type any has no lists, whatever data comes along. */
	w.platform.data[LCP_PO] = SPAN_LITERAL("nonsense");
	world_evaluate(&w);
	world_assert_rule(&w, "any with data", LCP_ALLOWED);
}

/* One match in any list is enough; every subject that an element is about must be matched. */
static void test_subjects(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	world_give_stm(&w);
	world_give_bios(&w);
	world_mle(&w, LCP_PO, 0, LCP_ALG_SHA256, 0, false);
	world_mle(&w, LCP_PO, 1, LCP_ALG_SHA384, 0, true);
	world_pconf(&w, LCP_PO, 1, 0, true);
	world_stm(&w, LCP_PO, 2, 0, true);
	world_sbios(&w, LCP_PO, 2, false, true);
	world_evaluate(&w);
	world_assert_rule(&w, "all", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_MLE, (struct lcp_at){ LCP_PO, 1, 0 }, 1);
	assert_match(&w, LCP_SUBJECT_PCONF, (struct lcp_at){ LCP_PO, 1, 1 }, 1);
	assert_match(&w, LCP_SUBJECT_STM, (struct lcp_at){ LCP_PO, 2, 0 }, 1);
	assert_match(&w, LCP_SUBJECT_SBIOS, (struct lcp_at){ LCP_PO, 2, 1 }, -1);
	assert_int_equal(w.verdict.by[LCP_SUBJECT_PCONF_PS].outcome, LCP_NO_ELEMENT);
	/* No MLE element at all: nothing is said about the MLE. */
	world_begin(&w);
	world_pconf(&w, LCP_PO, 0, 0, true);
	w.platform.mle.banks = 0;
	world_evaluate(&w);
	world_assert_rule(&w, "no mle element", LCP_ALLOWED);
	assert_int_equal(w.verdict.by[LCP_SUBJECT_MLE].outcome, LCP_NO_ELEMENT);
}

/* An element that another one stands in for does not stop the launch. */
static void test_a_second_element_helps(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	sinit_too_old_for_element(&w);
	world_mle(&w, LCP_PO, 1, LCP_ALG_SHA256, 0, true);
	world_evaluate(&w);
	world_assert_rule(&w, "revoked in one list", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_MLE, (struct lcp_at){ LCP_PO, 1, 0 }, 1);
	/* A digest that was not given does not matter either. */
	world_begin(&w);
	w.platform.mle.banks = ALG_BIT(ALG_SHA256);
	world_mle(&w, LCP_PO, 0, LCP_ALG_SHA384, 0, true);
	world_mle(&w, LCP_PO, 0, LCP_ALG_SHA256, 0, true);
	world_evaluate(&w);
	world_assert_rule(&w, "one digest is enough", LCP_ALLOWED);
}

/* All eight lists, the last of which matches, or none. */
static void test_eight_lists(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	for (unsigned i = 0; i < LCP_MAX_LISTS; i++)
		world_mle(&w, LCP_PO, i, LCP_ALG_SHA256, 0, i == LCP_MAX_LISTS - 1);
	world_evaluate(&w);
	world_assert_rule(&w, "eight", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_MLE, (struct lcp_at){ LCP_PO, 7, 0 }, 1);
	w.platform.mle.d[ALG_SHA256][0] ^= 1;
	world_evaluate(&w);
	world_assert_rule(&w, "none of eight", LCP_RULE_MLE);
}

static void test_lists_that_do_not_count(void **state)
{
	static struct world w;

	(void)state;
	world_good(&w);
	world_mle(&w, LCP_PO, 1, LCP_ALG_SHA256, 0, true);
	world_mle(&w, LCP_PO, 2, LCP_ALG_SHA256, 0, true);
	world_sign(&w, LCP_PO, 0, LCP_ALG_RSASSA, 2048, 4);
	world_sign(&w, LCP_PO, 1, LCP_ALG_ECDSA, 384, 0);
	w.policy[LCP_PO].revocation[0] = 5;
	w.policy[LCP_PO].sign_mask = 1u << 3;
	world_evaluate(&w);
	world_assert_rule(&w, "third list", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_MLE, (struct lcp_at){ LCP_PO, 2, 0 }, 1);
	assert_int_equal(w.verdict.lists[LCP_PO][0], LCP_RULE_LIST_REVOKED);
	assert_int_equal(w.verdict.lists[LCP_PO][1], LCP_RULE_LIST_NOT_APPROVED);
	assert_int_equal(w.verdict.lists[LCP_PO][2], LCP_ALLOWED);
	/* What is not approved anyway is not verified. */
	assert_int_equal(w.verified, 1);
	/* The counter that is reached is enough, and it is the one of the list's own number. */
	world_good(&w);
	world_sign(&w, LCP_PO, 0, LCP_ALG_RSASSA, 2048, 5);
	w.policy[LCP_PO].revocation[0] = 5;
	w.policy[LCP_PO].revocation[1] = 6;
	world_evaluate(&w);
	world_assert_rule(&w, "counter reached", LCP_ALLOWED);
	/* Elements that do not count still are what must be matched. */
	world_good(&w);
	world_pconf(&w, LCP_PO, 1, 0, false);
	world_sign(&w, LCP_PO, 1, LCP_ALG_RSASSA, 2048, 0);
	w.policy[LCP_PO].revocation[1] = 1;
	world_evaluate(&w);
	world_assert_rule(&w, "revoked pconf", LCP_RULE_PCONF);
}

/* The list's number goes into the code. */
static void test_list_number(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	world_pconf(&w, LCP_PO, 0, 0, true);
	world_pconf(&w, LCP_PO, 1, 0, true);
	world_mle(&w, LCP_PO, 2, LCP_ALG_SHA256, 0, false);
	w.platform.acm.error_class = TXT_CLASS_LCP_OLD;
	world_evaluate(&w);
	world_assert_rule(&w, "list 2", LCP_RULE_MLE);
	assert_int_equal(lcp_verdict_code(&w.verdict), 0xc0000001u | 0x10 << 4 | 0x04 << 10 | 2 << 22);
}

static void test_signatures_of_all_kinds(void **state)
{
	static const struct {
		uint16_t version, sig_alg;
		uint32_t bits;
		enum lcp_rule list;
	} kinds[] = {
		{ LCP_LIST_2_0, LCP_ALG_RSASSA, 2048, LCP_ALLOWED },
		{ LCP_LIST_2_1, LCP_ALG_RSASSA, 3072, LCP_ALLOWED },
		{ LCP_LIST_2_1, LCP_ALG_ECDSA, 256, LCP_ALLOWED },
		{ LCP_LIST_2_1, LCP_ALG_SM2, 256, LCP_ALLOWED },
		{ LCP_LIST_3_0, LCP_ALG_RSAPSS, 3072, LCP_ALLOWED },
		{ LCP_LIST_3_0, LCP_ALG_ECDSA, 256, LCP_ALLOWED },
		/* SHA-256 with P-384 has no bit. */
		{ LCP_LIST_3_0, LCP_ALG_ECDSA, 384, LCP_RULE_LIST_NOT_APPROVED },
	};
	static struct world w;

	(void)state;
	for (size_t i = 0; i < GL_COUNT(kinds); i++) {
		world_good(&w);
		w.data[LCP_PO].lists[0].version = kinds[i].version;
		world_sign(&w, LCP_PO, 0, kinds[i].sig_alg, kinds[i].bits, 0);
		world_evaluate(&w);
		assert_int_equal(w.verdict.lists[LCP_PO][0], kinds[i].list);
		assert_int_equal(w.verdict.allowed, kinds[i].list == LCP_ALLOWED);
		assert_int_equal(w.verified, kinds[i].list == LCP_ALLOWED);
	}
}

/* ---- owner and supplier ---- */

static void test_supplier_alone(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	world_no_owner_policy(&w);
	world_policy(&w, LCP_PS, LCP_POLICY_LIST);
	world_mle(&w, LCP_PS, 0, LCP_ALG_SHA256, 0, true);
	w.platform.acm.needs_ps = true;
	world_evaluate(&w);
	world_assert_rule(&w, "supplier", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_MLE, (struct lcp_at){ LCP_PS, 0, 0 }, 1);
}

/* Lists of both stand beside each other, unless an element says that it overrides. */
static void test_both_have_lists(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	world_mle(&w, LCP_PO, 0, LCP_ALG_SHA256, 0, false);
	world_policy(&w, LCP_PS, LCP_POLICY_LIST);
	world_mle(&w, LCP_PS, 0, LCP_ALG_SHA256, 0, true);
	world_evaluate(&w);
	world_assert_rule(&w, "beside", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_MLE, (struct lcp_at){ LCP_PS, 0, 0 }, 1);
	world_mle(&w, LCP_PO, 1, LCP_ALG_SHA384, LCP_ELEMENT_OVERRIDE_PS, false);
	world_evaluate(&w);
	world_assert_rule(&w, "overridden", LCP_RULE_MLE);
	/* Overriding is for the same subject. */
	world_begin(&w);
	world_pconf(&w, LCP_PO, 0, LCP_ELEMENT_OVERRIDE_PS, true);
	world_policy(&w, LCP_PS, LCP_POLICY_LIST);
	world_mle(&w, LCP_PS, 0, LCP_ALG_SHA256, 0, false);
	world_evaluate(&w);
	world_assert_rule(&w, "other subject", LCP_RULE_MLE);
	assert_int_equal(w.verdict.at.owner, LCP_PS);
}

/* A revoked list overrides nothing. */
static void test_override_in_revoked_list(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	world_mle(&w, LCP_PO, 0, LCP_ALG_SHA256, LCP_ELEMENT_OVERRIDE_PS, false);
	world_sign(&w, LCP_PO, 0, LCP_ALG_RSASSA, 2048, 0);
	w.policy[LCP_PO].revocation[0] = 1;
	world_policy(&w, LCP_PS, LCP_POLICY_LIST);
	world_mle(&w, LCP_PS, 0, LCP_ALG_SHA256, 0, true);
	world_evaluate(&w);
	world_assert_rule(&w, "override in a revoked list", LCP_ALLOWED);
}

static void test_owner_any_over_supplier_list(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	world_policy(&w, LCP_PO, LCP_POLICY_ANY);
	world_policy(&w, LCP_PS, LCP_POLICY_LIST);
	world_mle(&w, LCP_PS, 0, LCP_ALG_SHA256, 0, false);
	world_pconf(&w, LCP_PS, 0, 0, false);
	world_evaluate(&w);
	world_assert_rule(&w, "any over list", LCP_ALLOWED);
	/* But its PCONF elements can be enforced. */
	w.policy[LCP_PO].control = LCP_CONTROL_OWNER_ENFORCED;
	world_evaluate(&w);
	world_assert_rule(&w, "enforced pconf", LCP_RULE_PCONF);
	assert_int_equal(w.verdict.at.owner, LCP_PS);
}

static void test_supplier_pconf(void **state)
{
	static struct world w;

	(void)state;
	/* Not enforced: the owner's match is enough. */
	world_begin(&w);
	world_policy(&w, LCP_PS, LCP_POLICY_LIST);
	world_pconf(&w, LCP_PS, 0, 0, false);
	world_pconf(&w, LCP_PO, 0, 0, true);
	world_evaluate(&w);
	world_assert_rule(&w, "not enforced", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_PCONF, (struct lcp_at){ LCP_PO, 0, 0 }, 1);
	/* Or the supplier's. */
	world_begin(&w);
	world_policy(&w, LCP_PS, LCP_POLICY_LIST);
	world_pconf(&w, LCP_PS, 0, 0, true);
	world_pconf(&w, LCP_PO, 0, 0, false);
	world_evaluate(&w);
	world_assert_rule(&w, "supplier's match", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_PCONF, (struct lcp_at){ LCP_PS, 0, 0 }, 1);
	/* Enforced: both must match. */
	world_begin(&w);
	world_policy(&w, LCP_PS, LCP_POLICY_LIST);
	world_pconf(&w, LCP_PS, 0, 0, true);
	world_pconf(&w, LCP_PO, 0, 0, true);
	w.policy[LCP_PO].control = LCP_CONTROL_OWNER_ENFORCED;
	world_evaluate(&w);
	world_assert_rule(&w, "both", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_PCONF_PS, (struct lcp_at){ LCP_PS, 0, 0 }, 1);
	/* The supplier's match does not stand for the owner's then. */
	world_begin(&w);
	world_policy(&w, LCP_PS, LCP_POLICY_LIST);
	world_pconf(&w, LCP_PS, 0, 0, true);
	world_pconf(&w, LCP_PO, 0, 0, false);
	w.policy[LCP_PO].control = LCP_CONTROL_OWNER_ENFORCED;
	world_evaluate(&w);
	world_assert_rule(&w, "owner's own", LCP_RULE_PCONF);
	assert_int_equal(w.verdict.at.owner, LCP_PO);
}

/* ---- versions ---- */

static void test_aux_version_is_limited(void **state)
{
	static struct world w;

	(void)state;
	world_good(&w);
	w.platform.has_aux_version = true;
	w.platform.aux_version = WORLD_SINIT + 1;
	w.policy[LCP_PO].max_sinit_min_version = WORLD_SINIT;
	world_evaluate(&w);
	world_assert_rule(&w, "limited", LCP_ALLOWED);
	/* The supplier's limit is none. */
	world_no_owner_policy(&w);
	world_policy(&w, LCP_PS, LCP_POLICY_ANY);
	w.policy[LCP_PS].max_sinit_min_version = 0;
	world_evaluate(&w);
	world_assert_rule(&w, "supplier's limit", LCP_RULE_AUX_REVOKED);
}

static void test_equal_versions_launch(void **state)
{
	static struct world w;

	(void)state;
	world_good(&w);
	world_policy(&w, LCP_PS, LCP_POLICY_ANY);
	w.policy[LCP_PS].sinit_min_version = WORLD_SINIT;
	w.policy[LCP_PO].sinit_min_version = WORLD_SINIT;
	w.platform.has_aux_version = true;
	w.platform.aux_version = WORLD_SINIT;
	w.platform.acm.npw = true;
	w.policy[LCP_PO].control = LCP_CONTROL_NPW;
	world_evaluate(&w);
	world_assert_rule(&w, "equal", LCP_ALLOWED);
	/* In an element too. */
	world_begin(&w);
	w.platform.acm.version = WORLD_SINIT + 1;
	sinit_too_old_for_element(&w);
	world_evaluate(&w);
	world_assert_rule(&w, "equal in an element", LCP_ALLOWED);
}

static void test_aux_mask_only_where_it_is(void **state)
{
	static struct world w;

	(void)state;
	/* One algorithm that SINIT has. */
	world_good(&w);
	w.policy[LCP_PO].version = LCP_POLICY_3_1;
	w.policy[LCP_PO].aux_hash_mask = 0x0008;
	w.platform.acm.checks_aux_mask = true;
	world_evaluate(&w);
	world_assert_rule(&w, "one", LCP_ALLOWED);
	/* 3.2 has no such field. */
	w.policy[LCP_PO].aux_hash_mask = 0;
	w.policy[LCP_PO].version = LCP_POLICY_3_2;
	world_evaluate(&w);
	world_assert_rule(&w, "3.2", LCP_ALLOWED);
	/* Nor do most SINITs look at it. */
	w.policy[LCP_PO].version = LCP_POLICY_3_0;
	w.platform.acm.checks_aux_mask = false;
	world_evaluate(&w);
	world_assert_rule(&w, "not looked at", LCP_ALLOWED);
}

static void test_stm(void **state)
{
	static struct world w;

	(void)state;
	world_good(&w);
	/* Without an STM there is nothing to match. */
	world_stm(&w, LCP_PO, 0, 0, false);
	world_evaluate(&w);
	world_assert_rule(&w, "no stm", LCP_ALLOWED);
	/* An STM that no element is about. */
	world_good(&w);
	world_give_stm(&w);
	world_evaluate(&w);
	world_assert_rule(&w, "free stm", LCP_ALLOWED);
	/* Required and there. */
	world_begin(&w);
	world_give_stm(&w);
	world_mle(&w, LCP_PO, 0, LCP_ALG_SHA256, LCP_ELEMENT_STM_REQUIRED, true);
	world_evaluate(&w);
	world_assert_rule(&w, "required", LCP_ALLOWED);
	/* The supplier may require one, but not beside an owner's policy of type any. */
	world_good(&w);
	world_policy(&w, LCP_PS, LCP_POLICY_LIST);
	world_stm(&w, LCP_PS, 0, LCP_ELEMENT_STM_REQUIRED, true);
	world_evaluate(&w);
	world_assert_rule(&w, "required by the supplier", LCP_RULE_STM_REQUIRED);
	assert_int_equal(w.verdict.at.owner, LCP_PS);
	w.policy[LCP_PO].type = LCP_POLICY_ANY;
	world_evaluate(&w);
	world_assert_rule(&w, "any beside the supplier", LCP_ALLOWED);
	/* An MLE element that does not match requires nothing. */
	world_begin(&w);
	world_mle(&w, LCP_PO, 0, LCP_ALG_SHA256, LCP_ELEMENT_STM_REQUIRED, false);
	world_mle(&w, LCP_PO, 1, LCP_ALG_SHA256, 0, true);
	world_evaluate(&w);
	world_assert_rule(&w, "other element", LCP_ALLOWED);
}

static void test_autopromotion(void **state)
{
	static struct world w;

	(void)state;
	world_good(&w);
	world_give_bios(&w);
	hash_span(ALG_BIT(ALG_SHA256), SPAN_LITERAL("bios"), &w.platform.aux_bios);
	world_evaluate(&w);
	world_assert_rule(&w, "same bios", LCP_ALLOWED);
	/* An SBIOS element decides instead. */
	hash_span(ALG_BIT(ALG_SHA256), SPAN_LITERAL("another"), &w.platform.aux_bios);
	world_sbios(&w, LCP_PO, 0, true, false);
	world_evaluate(&w);
	world_assert_rule(&w, "element", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_SBIOS, (struct lcp_at){ LCP_PO, 0, 1 }, 1);
}

static void test_custom_and_unknown_elements_are_passed_over(void **state)
{
	static struct world w;
	struct lcp_element custom = { .type = LCP_ELEMENT_CUSTOM2, .data = SPAN_LITERAL("x") };
	struct lcp_element unknown = { .type = 0x77, .data = SPAN_LITERAL("y") };

	(void)state;
	world_begin(&w);
	world_element(&w, LCP_PO, 0, &custom);
	world_element(&w, LCP_PO, 0, &unknown);
	world_mle(&w, LCP_PO, 0, LCP_ALG_SHA256, 0, true);
	world_evaluate(&w);
	world_assert_rule(&w, "custom", LCP_ALLOWED);
	assert_match(&w, LCP_SUBJECT_MLE, (struct lcp_at){ LCP_PO, 0, 2 }, 1);
}

static void test_algorithms_of_sinit(void **state)
{
	static struct world w;

	(void)state;
	/* One algorithm is enough if it is the element's. */
	world_good(&w);
	w.platform.acm.hash_mask = 0x0008;
	world_evaluate(&w);
	world_assert_rule(&w, "sha256 only", LCP_ALLOWED);
	/* A SINIT without SHA-384 does not see the element that would match. */
	world_begin(&w);
	world_mle(&w, LCP_PO, 0, LCP_ALG_SHA384, 0, true);
	w.platform.acm.hash_mask = 0x0008;
	world_evaluate(&w);
	world_assert_rule(&w, "no sha384", LCP_RULE_ELEMENT_DISALLOWED);
	assert_int_equal(w.verdict.hash_mask, 0x0008);
	/* Nor does one that cannot verify RSA with 3072 bits. */
	world_good(&w);
	world_sign(&w, LCP_PO, 0, LCP_ALG_RSASSA, 3072, 0);
	w.platform.acm.sign_mask = 1u << 3;
	world_evaluate(&w);
	world_assert_rule(&w, "no rsa 3072", LCP_RULE_ELEMENT_DISALLOWED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_there),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_a_second_element_helps),
		cmocka_unit_test(test_eight_lists),
		cmocka_unit_test(test_lists_that_do_not_count),
		cmocka_unit_test(test_list_number),
		cmocka_unit_test(test_signatures_of_all_kinds),
		cmocka_unit_test(test_supplier_alone),
		cmocka_unit_test(test_both_have_lists),
		cmocka_unit_test(test_override_in_revoked_list),
		cmocka_unit_test(test_owner_any_over_supplier_list),
		cmocka_unit_test(test_supplier_pconf),
		cmocka_unit_test(test_aux_version_is_limited),
		cmocka_unit_test(test_equal_versions_launch),
		cmocka_unit_test(test_aux_mask_only_where_it_is),
		cmocka_unit_test(test_stm),
		cmocka_unit_test(test_autopromotion),
		cmocka_unit_test(test_custom_and_unknown_elements_are_passed_over),
		cmocka_unit_test(test_algorithms_of_sinit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
