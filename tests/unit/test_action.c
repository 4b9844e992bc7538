/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tboot-policy/action.h"

/* The whole of tboot's table spelled out, one letter per policy type: continue, unmeasured, halt. */
static const struct {
	enum tb_error error;
	const char *name;
	const char *actions; /* nonfatal, continue, halt */
} expected[] = {
	{ TB_ERR_NONE, "TB_ERR_NONE", "ccc" },
	{ TB_ERR_FIXED, "TB_ERR_FIXED", "chh" },
	{ TB_ERR_GENERIC, "TB_ERR_GENERIC", "chh" },
	{ TB_ERR_TPM_NOT_READY, "TB_ERR_TPM_NOT_READY", "uhh" },
	{ TB_ERR_SMX_NOT_SUPPORTED, "TB_ERR_SMX_NOT_SUPPORTED", "uhh" },
	{ TB_ERR_VMX_NOT_SUPPORTED, "TB_ERR_VMX_NOT_SUPPORTED", "uhh" },
	{ TB_ERR_VTD_NOT_SUPPORTED, "TB_ERR_VTD_NOT_SUPPORTED", "uhh" },
	{ TB_ERR_TXT_NOT_SUPPORTED, "TB_ERR_TXT_NOT_SUPPORTED", "uhh" },
	{ TB_ERR_MODULE_VERIFICATION_FAILED, "TB_ERR_MODULE_VERIFICATION_FAILED", "cch" },
	{ TB_ERR_MODULES_NOT_IN_POLICY, "TB_ERR_MODULES_NOT_IN_POLICY", "chh" },
	{ TB_ERR_POLICY_INVALID, "TB_ERR_POLICY_INVALID", "cch" },
	{ TB_ERR_POLICY_NOT_PRESENT, "TB_ERR_POLICY_NOT_PRESENT", "cch" },
	{ TB_ERR_SINIT_NOT_PRESENT, "TB_ERR_SINIT_NOT_PRESENT", "uhh" },
	{ TB_ERR_ACMOD_VERIFY_FAILED, "TB_ERR_ACMOD_VERIFY_FAILED", "uhh" },
	{ TB_ERR_POST_LAUNCH_VERIFICATION, "TB_ERR_POST_LAUNCH_VERIFICATION", "chh" },
	{ TB_ERR_S3_INTEGRITY, "TB_ERR_S3_INTEGRITY", "chh" },
	{ TB_ERR_FATAL, "TB_ERR_FATAL", "hhh" },
	{ TB_ERR_NV_VERIFICATION_FAILED, "TB_ERR_NV_VERIFICATION_FAILED", "cch" },
	{ TB_ERR_PREV_TXT_ERROR, "TB_ERR_PREV_TXT_ERROR", "uhh" },
};

static void test_table(void **state)
{
	(void)state;
	static const char letters[] = { [VLP_ACT_CONTINUE] = 'c', [VLP_ACT_UNMEASURED] = 'u', [VLP_ACT_HALT] = 'h' };

	assert_int_equal(GL_COUNT(expected), TB_ERR_MAX);
	for (unsigned i = 0; i < TB_ERR_MAX; i++) {
		/* tboot's numbers are written to NV and read by others */
		assert_int_equal(expected[i].error, i);
		assert_string_equal(tb_error_name(expected[i].error), expected[i].name);
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++)
			if (letters[vlp_action(type, expected[i].error)] != expected[i].actions[type])
				fail_msg("%s, type %s", expected[i].name, vlp_type_name(type));
	}
}

static void test_unknown_halts(void **state)
{
	(void)state;
	static const int errors[] = { TB_ERR_MAX, TB_ERR_MAX + 1, 1000, -1 };

	for (unsigned i = 0; i < GL_COUNT(errors); i++) {
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++)
			assert_int_equal(vlp_action(type, (enum tb_error)errors[i]), VLP_ACT_HALT);
		assert_string_equal(tb_error_name((enum tb_error)errors[i]), "unknown error");
	}
	for (unsigned type = VLP_HALT + 1; type < 256; type++) {
		assert_int_equal(vlp_action((uint8_t)type, TB_ERR_NONE), VLP_ACT_CONTINUE);
		for (int e = TB_ERR_FIXED; e < TB_ERR_MAX; e++)
			assert_int_equal(vlp_action((uint8_t)type, (enum tb_error)e), VLP_ACT_HALT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_unknown_halts),
	};

	return cmocka_run_group_tests_name("action", tests, NULL, NULL);
}
