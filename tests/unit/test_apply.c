/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/apply_usual.h"

static void test_good(void **state)
{
	(void)state;
	for (size_t b = 0; b < GL_COUNT(bank_sets); b++)
		for (enum alg hash = 0; hash < ALG_COUNT; hash++)
			for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
				struct oracle o;

				set_up(type, hash, bank_sets[b]);
				usual_entries();
				assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
				assert_int_equal(m.apply.error, TB_ERR_NONE);
				machine_expect(&m, EVENTS_ALL, NULL);
				oracle_to_nv(&o);
				oracle_nv(&o, 22, false, m.nv);
				oracle_closing(&o);
				oracle_assert(&o, &m.pcrs);
			}
}

static void test_good_reports(void **state)
{
	static const char *const want[] = { EVENTS_POLICY, EVENTS_MODULES, EVENT_NV, EVENT_CLOSING };

	(void)state;
	usual(VLP_HALT);
	assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
	assert_int_equal(m.report_n, GL_COUNT(want));
	for (size_t i = 0; i < GL_COUNT(want); i++)
		assert_string_equal(m.report[i], want[i]);
}

static void test_no_reports_wanted(void **state)
{
	struct apply_ops ops;

	(void)state;
	usual(VLP_NONFATAL);
	ops = *m.apply.ops;
	ops.report = NULL;
	m.apply.ops = &ops;
	m.nv = span_str("elsewhere");
	assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
	machine_expect(&m, EVENTS_ALL, NULL);
	assert_int_equal(m.report_n, 0);
}

static void test_control_bit_clear(void **state)
{
	struct oracle o;

	(void)state;
	usual(VLP_HALT);
	m.policy.control = 0;
	assert_int_equal(apply_policy(&m.apply), VLP_ACT_CONTINUE);
	oracle_reset(&o, m.banks);
	oracle_policy(&o, 17, 0, m.apply.policy_bytes);
	oracle_policy(&o, 18, 0, m.apply.policy_bytes);
	oracle_assert(&o, &m.pcrs);
}

static void test_every_error(void **state)
{
	(void)state;
	for (enum tb_error e = TB_ERR_FIXED; e < TB_ERR_MAX; e++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			struct oracle o;

			set_up(type, ALG_SHA256, ALG_SET_ALL);
			assert_int_equal(apply_error(&m.apply, e, CAP_START_FAILED), action_of(e, type));
			assert_int_equal(m.apply.error, e);
			assert_int_equal(m.apply.why, CAP_START_FAILED);
			oracle_reset(&o, m.banks);
			if (action_of(e, type) == VLP_ACT_HALT) {
				machine_expect_capped(&m, "start-failed", NULL);
				oracle_caps(&o, "start-failed");
			} else {
				machine_expect(&m, NULL);
			}
			oracle_assert(&o, &m.pcrs);
		}
}

/* What people are told: what stopped the launch, else what went wrong first. */
static void test_error_kept(void **state)
{
	(void)state;
	set_up(VLP_NONFATAL, ALG_SHA256, ALG_SET_ALL);
	assert_int_equal(apply_error(&m.apply, TB_ERR_MODULE_VERIFICATION_FAILED, CAP_MODULE_MISMATCH), VLP_ACT_CONTINUE);
	assert_int_equal(apply_error(&m.apply, TB_ERR_NV_VERIFICATION_FAILED, CAP_NV_MISMATCH), VLP_ACT_CONTINUE);
	assert_int_equal(m.apply.error, TB_ERR_MODULE_VERIFICATION_FAILED);
	assert_int_equal(m.apply.why, CAP_MODULE_MISMATCH);
	assert_int_equal(apply_error(&m.apply, TB_ERR_FATAL, CAP_START_FAILED), VLP_ACT_HALT);
	assert_int_equal(m.apply.error, TB_ERR_FATAL);
	assert_int_equal(m.apply.why, CAP_START_FAILED);
}

/* ---------------------------------------------------------------- modules */

static void test_module_mismatch(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		bool on = goes_on(TB_ERR_MODULE_VERIFICATION_FAILED, type);

		usual(type);
		m.policy.entries[2].hashes.p = wrong;
		assert_int_equal(run_usual(), on ? VLP_ACT_CONTINUE : VLP_ACT_HALT);
		assert_int_equal(m.apply.error, TB_ERR_MODULE_VERIFICATION_FAILED);
		assert_int_equal(m.apply.why, CAP_MODULE_MISMATCH);
		assert_string_equal(m.report[4], EVENT_2 " ! module-mismatch");
		/* Measured as it is, right or wrong. */
		if (on)
			machine_expect(&m, EVENTS_ALL, NULL);
		else
			machine_expect_capped(&m, "module-mismatch", EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, NULL);
	}
}

static void test_module_unreadable(void **state)
{
	struct machine_module some[MODULES];

	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		usual(type);
		memcpy(some, modules, sizeof(modules));
		some[3].bytes = NULL;
		if (goes_on(TB_ERR_MODULE_VERIFICATION_FAILED, type)) {
			assert_int_equal(machine_run(&m, some, GL_COUNT(some)), VLP_ACT_CONTINUE);
			machine_expect(&m, EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, "20 cap module-unreadable module 3 vmm vmm", EVENT_4,
				EVENT_NV, EVENT_CLOSING, NULL);
		} else {
			assert_int_equal(machine_run(&m, some, GL_COUNT(some)), VLP_ACT_HALT);
			machine_expect_capped(&m, "module-unreadable", EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2,
				"20 cap module-unreadable module 3 vmm vmm", NULL);
		}
		assert_int_equal(m.apply.why, CAP_MODULE_UNREADABLE);
		assert_string_equal(m.report[5], "20 cap module-unreadable module 3 vmm vmm ! module-unreadable");
	}
}

static void test_module_unlisted(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		set_up(type, ALG_SHA256, ALG_SET_ALL);
		for (uint8_t i = 0; i < 4; i++)
			machine_entry(&m, i, i ? 19 : VLP_PCR_NONE, NULL);
		if (goes_on(TB_ERR_MODULES_NOT_IN_POLICY, type)) {
			assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
			machine_expect(&m, EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, "19 module 3 vmm vmm",
				"21 cap module-unlisted module 4 file file-0", EVENT_CLOSING, NULL);
		} else {
			assert_int_equal(run_usual(), VLP_ACT_HALT);
			machine_expect_capped(&m, "module-unlisted", EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, "19 module 3 vmm vmm",
				"21 cap module-unlisted module 4 file file-0", NULL);
		}
		assert_int_equal(m.apply.error, TB_ERR_MODULES_NOT_IN_POLICY);
	}
}

static void test_module_missing(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		usual(type);
		machine_entry(&m, 5, 20, good.module[1]);
		machine_entry(&m, 127, VLP_PCR_NONE, NULL);
		machine_entry(&m, 6, 21, NULL);
		if (goes_on(TB_ERR_MODULE_VERIFICATION_FAILED, type)) {
			assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
			machine_expect(&m, EVENTS_POLICY, EVENTS_MODULES, "20 cap module-missing module 5",
				"21 cap module-missing module 6", EVENT_NV, EVENT_CLOSING, NULL);
			assert_string_equal(m.report[8], "-- cap module-missing module 127 ! module-missing");
		} else {
			assert_int_equal(run_usual(), VLP_ACT_HALT);
			machine_expect_capped(&m, "module-missing", EVENTS_POLICY, EVENTS_MODULES, "20 cap module-missing module 5", NULL);
		}
		assert_int_equal(m.apply.why, CAP_MODULE_MISSING);
	}
}

/* Also one whose entry names no PCR stops the launch. */
static void test_module_missing_without_pcr(void **state)
{
	(void)state;
	usual(VLP_HALT);
	machine_entry(&m, 5, VLP_PCR_NONE, NULL);
	assert_int_equal(run_usual(), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-missing", EVENTS_POLICY, EVENTS_MODULES, NULL);
}

/* An entry for any module or an NV index is none that could be missing. */
static void test_nothing_missing(void **state)
{
	(void)state;
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, VLP_MODULE_ANY, 20, NULL);
	machine_nv_entry(&m, true, GEO, NULL);
	assert_int_equal(apply_policy(&m.apply), VLP_ACT_CONTINUE);
	assert_int_equal(apply_modules_end(&m.apply), VLP_ACT_CONTINUE);
	machine_expect(&m, EVENTS_POLICY, NULL);
}

static void test_any_entry_first(void **state)
{
	(void)state;
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, 1, 19, good.module[1]);
	machine_entry(&m, VLP_MODULE_ANY, 20, NULL);
	/* Never looked at: the entry before matches. */
	machine_entry(&m, 2, 19, wrong);
	assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
	machine_expect(&m, EVENTS_POLICY, EVENT_0, "20 module 0 description launch.conf", EVENT_1, "20 module 2 initrd initrd", EVENT_3,
		"20 module 4 file file-0", EVENT_CLOSING, NULL);
}

static void test_any_entry_with_hashes(void **state)
{
	uint8_t two[64];

	(void)state;
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	memcpy(two, good.module[2], 32);
	memcpy(two + 32, good.module[1], 32);
	machine_entry(&m, 0, VLP_PCR_NONE, NULL);
	machine_entry(&m, VLP_MODULE_ANY, 19, two);
	m.policy.entries[1].hash_count = 2;
	m.policy.entries[1].hashes.n = sizeof(two);
	assert_int_equal(run_usual(), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-mismatch", EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, "19 module 3 vmm vmm", NULL);
}

static void test_pcr_of_the_entry_counts(void **state)
{
	(void)state;
	usual(VLP_HALT);
	m.policy.entries[1].pcr = 22;
	m.policy.entries[3].pcr = VLP_PCR_NONE;
	assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
	machine_expect(&m, EVENTS_POLICY, EVENT_0, "22 module 1 hypervisor linux", EVENT_2, EVENT_4, EVENT_NV, EVENT_CLOSING, NULL);
	/* Compared all the same. */
	usual(VLP_HALT);
	m.policy.entries[3].pcr = VLP_PCR_NONE;
	m.policy.entries[3].hashes.p = wrong;
	assert_int_equal(run_usual(), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-mismatch", EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, NULL);
}

/* ---------------------------------------------------------------- module 0 */

static void test_module_zero(void **state)
{
	static const struct machine_module unreadable = { ROLE_DESCRIPTION, "launch.conf", "", NULL };

	(void)state;
	/* Its entry may name another PCR: both are extended. */
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, 0, 18, good.module[0]);
	assert_int_equal(machine_run(&m, modules, 1), VLP_ACT_CONTINUE);
	machine_expect(&m, EVENTS_POLICY, EVENT_0, "18 module 0 description launch.conf", EVENT_CLOSING, NULL);
	/* Listed with another digest. */
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, 0, VLP_PCR_NONE, wrong);
	assert_int_equal(machine_run(&m, modules, 1), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-mismatch", EVENTS_POLICY, EVENT_0, NULL);
	/* Not listed. */
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, 1, 19, NULL);
	assert_int_equal(machine_run(&m, modules, 1), VLP_ACT_HALT);
	machine_expect_capped(
		&m, "module-unlisted", EVENTS_POLICY, EVENT_0, "17 cap module-unlisted module 0 description launch.conf", NULL);
	/* Unreadable: capped in PCR 17 whatever the entry says. */
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, 0, VLP_PCR_NONE, NULL);
	assert_int_equal(machine_run(&m, &unreadable, 1), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-unreadable", EVENTS_POLICY, "17 cap module-unreadable module 0 description launch.conf", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_good_reports),
		cmocka_unit_test(test_no_reports_wanted),
		cmocka_unit_test(test_control_bit_clear),
		cmocka_unit_test(test_every_error),
		cmocka_unit_test(test_error_kept),
		cmocka_unit_test(test_module_mismatch),
		cmocka_unit_test(test_module_unreadable),
		cmocka_unit_test(test_module_unlisted),
		cmocka_unit_test(test_module_missing),
		cmocka_unit_test(test_module_missing_without_pcr),
		cmocka_unit_test(test_nothing_missing),
		cmocka_unit_test(test_any_entry_first),
		cmocka_unit_test(test_any_entry_with_hashes),
		cmocka_unit_test(test_pcr_of_the_entry_counts),
		cmocka_unit_test(test_module_zero),
	};

	return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
