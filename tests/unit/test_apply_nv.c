/* SPDX-License-Identifier: BSD-3-Clause */
/* apply.c: NV indices, and a TPM that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/apply_usual.h"

/* ---------------------------------------------------------------- NV */

static uint8_t nv_bytes[APPLY_NV_MAX + 1];

static bool raw_size(size_t n)
{
	return n == 32 || n == 48 || n == 64;
}

static void test_nv_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 20, 31, 32, 33, 48, 63, 64, 65, APPLY_NV_MAX, APPLY_NV_MAX + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(nv_bytes); i++)
		nv_bytes[i] = (uint8_t)(i * 7 + 1);
	for (size_t s = 0; s < GL_COUNT(sizes); s++)
		for (size_t b = 0; b < GL_COUNT(bank_sets); b++)
			for (int raw = 0; raw <= 1; raw++) {
				bool fits = sizes[s] > 0 && sizes[s] <= APPLY_NV_MAX && (!raw || raw_size(sizes[s]));
				struct oracle o;

				set_up(VLP_CONTINUE, ALG_SHA256, bank_sets[b]);
				machine_nv_entry(&m, raw, GEO, NULL);
				m.nv = (struct span){ nv_bytes, sizes[s] };
				oracle_reset(&o, m.banks);
				assert_int_equal(apply_nv(&m.apply), VLP_ACT_CONTINUE);
				if (fits) {
					oracle_nv(&o, 22, raw, m.nv);
					machine_expect(&m, raw ? "22 nv-raw 0x01c10110" : EVENT_NV, NULL);
					assert_int_equal(m.apply.error, TB_ERR_NONE);
				} else {
					oracle_cap(&o, 22, "nv-size");
					machine_expect(&m, raw ? "22 cap nv-size nv-raw 0x01c10110" : "22 cap nv-size nv 0x01c10110", NULL);
					assert_int_equal(m.apply.error, TB_ERR_NV_VERIFICATION_FAILED);
					assert_int_equal(m.apply.why, CAP_NV_SIZE);
				}
				oracle_assert(&o, &m.pcrs);
			}
}

/* NV_RAW: compared is what the policy's own bank gets, also if that bank is not active. */
static void test_nv_raw_compared(void **state)
{
	(void)state;
	for (size_t b = 0; b < GL_COUNT(bank_sets); b++)
		for (size_t n = 32; n <= 64; n += 16)
			for (enum alg hash = 0; hash < ALG_COUNT; hash++) {
				uint8_t d[DIGEST_MAX];

				memset(nv_bytes, 0xee, n);
				if (n == alg_table[hash].size)
					memcpy(d, nv_bytes, n);
				else
					oracle_hash(hash, (struct span){ nv_bytes, n }, span_str(""), span_str(""), d);
				for (int right = 1; right >= 0; right--) {
					set_up(VLP_HALT, hash, bank_sets[b]);
					machine_nv_entry(&m, true, GEO, d);
					m.nv = (struct span){ nv_bytes, n };
					d[0] ^= (uint8_t)!right;
					assert_int_equal(apply_nv(&m.apply), right ? VLP_ACT_CONTINUE : VLP_ACT_HALT);
					if (right)
						machine_expect(&m, "22 nv-raw 0x01c10110", NULL);
					else
						machine_expect_capped(&m, "nv-mismatch", "22 nv-raw 0x01c10110", NULL);
				}
			}
}

static void test_nv_failures(void **state)
{
	static const struct {
		enum apply_nv_status status;
		enum cap why;
		const char *event;
	} cases[] = {
		{ APPLY_NV_MISSING, CAP_NV_MISSING, "22 cap nv-missing nv 0x01c10110" },
		{ APPLY_NV_UNREADABLE, CAP_NV_UNREADABLE, "22 cap nv-unreadable nv 0x01c10110" },
		{ APPLY_NV_SIZE, CAP_NV_SIZE, "22 cap nv-size nv 0x01c10110" },
		{ (enum apply_nv_status)77, CAP_NV_UNREADABLE, "22 cap nv-unreadable nv 0x01c10110" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			const char *why = cap_table[cases[i].why].name;

			usual(type);
			m.nv_status = cases[i].status;
			if (goes_on(TB_ERR_NV_VERIFICATION_FAILED, type)) {
				assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
				machine_expect(&m, EVENTS_POLICY, EVENTS_MODULES, cases[i].event, EVENT_CLOSING, NULL);
			} else {
				assert_int_equal(run_usual(), VLP_ACT_HALT);
				machine_expect_capped(&m, why, EVENTS_POLICY, EVENTS_MODULES, cases[i].event, NULL);
			}
			assert_int_equal(m.apply.error, TB_ERR_NV_VERIFICATION_FAILED);
			assert_int_equal(m.apply.why, cases[i].why);
		}
}

static void test_nv_mismatch(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		struct oracle o;

		usual(type);
		m.nv = span_str("elsewhere");
		oracle_to_nv(&o);
		oracle_nv(&o, 22, false, m.nv);
		if (goes_on(TB_ERR_NV_VERIFICATION_FAILED, type)) {
			assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
			oracle_closing(&o);
		} else {
			assert_int_equal(run_usual(), VLP_ACT_HALT);
			oracle_caps(&o, "nv-mismatch");
		}
		oracle_assert(&o, &m.pcrs);
		assert_int_equal(m.apply.why, CAP_NV_MISMATCH);
		assert_string_equal(m.report[7], EVENT_NV " ! nv-mismatch");
	}
}

/* ---------------------------------------------------------------- a TPM that fails */

static void test_extend_fails(void **state)
{
	/* The extends of a good launch. */
	static const char *const all[] = { EVENTS_ALL };

	(void)state;
	for (unsigned k = 1; k <= GL_COUNT(all); k++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++)
			for (int for_good = 0; for_good <= 1; for_good++) {
				usual(type);
				m.fail_at = k;
				m.fail_on = for_good;
				assert_int_equal(run_usual(), VLP_ACT_HALT);
				assert_int_equal(m.apply.error, TB_ERR_FATAL);
				assert_int_equal(m.apply.why, CAP_TPM_ERROR);
				/* Every cap is tried, even if the TPM takes none. */
				assert_int_equal(m.extends, k + 6);
				assert_int_equal(m.trace_n, k - 1 + (for_good ? 0 : 6));
				for (unsigned i = 0; i < m.trace_n; i++) {
					char cap[32];

					(void)snprintf(cap, sizeof(cap), "%u cap tpm-error", 17 + i - (k - 1));
					assert_string_equal(m.trace[i], i < k - 1 ? all[i] : cap);
				}
				assert_non_null(strstr(m.report[m.report_n - 1], " ! tpm-error"));
			}
}

/* Also if it is a cap that fails, and if that cap would have been no reason to stop. */
static void test_cap_fails(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		usual(type);
		m.nv_status = APPLY_NV_MISSING;
		m.fail_at = 8;
		assert_int_equal(run_usual(), VLP_ACT_HALT);
		machine_expect_capped(&m, "tpm-error", EVENTS_POLICY, EVENTS_MODULES, NULL);
		assert_int_equal(m.apply.why, CAP_TPM_ERROR);
	}
}

static void test_read_pcrs_fails(void **state)
{
	(void)state;
	for (int incomplete = 0; incomplete <= 1; incomplete++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			usual(type);
			m.read_fails = !incomplete;
			m.read_incomplete = incomplete;
			assert_int_equal(run_usual(), VLP_ACT_HALT);
			machine_expect_capped(&m, "tpm-error", EVENTS_POLICY, EVENTS_MODULES, EVENT_NV, "17 cap tpm-error closing", NULL);
			assert_int_equal(m.apply.error, TB_ERR_FATAL);
		}
}

static void test_cap_all(void **state)
{
	(void)state;
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	assert_true(apply_cap_all(m.apply.ops, &m, m.banks, CAP_POLICY_INVALID));
	machine_expect_capped(&m, "policy-invalid", NULL);
	for (unsigned k = 1; k <= 6; k++) {
		set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
		m.fail_at = k;
		assert_false(apply_cap_all(m.apply.ops, &m, m.banks, CAP_POLICY_INVALID));
		assert_int_equal(m.extends, 6);
		assert_int_equal(m.trace_n, 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nv_sizes),
		cmocka_unit_test(test_nv_raw_compared),
		cmocka_unit_test(test_nv_failures),
		cmocka_unit_test(test_nv_mismatch),
		cmocka_unit_test(test_extend_fails),
		cmocka_unit_test(test_cap_fails),
		cmocka_unit_test(test_read_pcrs_fails),
		cmocka_unit_test(test_cap_all),
	};

	return cmocka_run_group_tests_name("apply_nv", tests, NULL, NULL);
}
