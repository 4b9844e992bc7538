/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lcp/evaluate.h"
#include "lcp/txt_error.h"

/* What the table of rules says of each. */
static void test_table(void **state)
{
	(void)state;
	for (enum lcp_rule a = LCP_ALLOWED; a < LCP_RULE_COUNT; a++) {
		const struct lcp_rule_info *info = lcp_rule_info(a);

		assert_non_null(info->id);
		assert_true(strlen(info->text) > 10);
		assert_true(a == LCP_ALLOWED || a == LCP_RULE_INPUT || strlen(info->source) > 10);
		for (enum lcp_rule b = LCP_ALLOWED; b < a; b++)
			assert_string_not_equal(info->id, lcp_rule_info(b)->id);
		/* What we say agrees with the table of TXT errors. */
		if (info->launch_control) {
			assert_non_null(txt_error_major_text(TXT_CLASS_LCP, info->major[LCP_PO]));
			assert_non_null(txt_error_major_text(TXT_CLASS_LCP, info->major[LCP_PS]));
		}
		if (info->launch_control && info->minor[LCP_PO])
			assert_non_null(txt_error_minor_text(TXT_CLASS_LCP, info->major[LCP_PO], info->minor[LCP_PO]));
	}
	assert_string_equal(lcp_rule_info(LCP_RULE_COUNT)->id, "input");
	assert_string_equal(lcp_owner_name(LCP_PS), "supplier");
	assert_string_equal(lcp_subject_name(LCP_SUBJECTS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
