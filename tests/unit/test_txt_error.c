/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lcp/txt_error.h"

static void fields(void **state)
{
	(void)state;
	struct txt_error e = txt_error_decode(0xc0000c71);

	assert_int_equal(e.source, TXT_ERROR_ACM);
	assert_int_equal(e.acm_type, TXT_ACM_SINIT);
	assert_int_equal(e.class, 7);
	assert_int_equal(e.major, 3);
	assert_int_equal(e.minor, 0);

	e = txt_error_decode(0xc0232901);
	assert_int_equal(e.class, 0x10);
	assert_int_equal(e.major, 0xa);
	assert_int_equal(e.minor, 0x23);

	e = txt_error_decode(0x80000007);
	assert_int_equal(e.source, TXT_ERROR_PROCESSOR);
	assert_int_equal(e.processor, 7);

	e = txt_error_decode(0xc0128006);
	assert_int_equal(e.source, TXT_ERROR_SOFTWARE);
	assert_int_equal(e.software, 6);
	assert_int_equal(e.software_high, 0x12);

	assert_int_equal(txt_error_decode(0x7fffffff).source, TXT_ERROR_NONE);
}

/* Every bit belongs to just one field. */
static void encode_undoes_decode(void **state)
{
	(void)state;
	uint32_t code = 1, back;

	for (unsigned i = 0; i < 1000000; i++) {
		struct txt_error e = txt_error_decode(code);

		assert_true(txt_error_encode(&e, &back));
		assert_int_equal(back, code & 0x80000000 ? code : 0);
		code = code * 1664525 + 1013904223;
	}
	for (unsigned bit = 0; bit < 32; bit++) {
		struct txt_error e = txt_error_decode(0x80000000 | 1u << bit);

		assert_true(txt_error_encode(&e, &back));
		assert_int_equal(back, 0x80000000 | 1u << bit);
	}
}

static void fields_that_are_too_large_are_refused(void **state)
{
	(void)state;
	static const struct txt_error rows[] = {
		{ .source = TXT_ERROR_PROCESSOR, .processor = 0x40000000 },
		{ .source = TXT_ERROR_ACM, .acm_type = 16 },
		{ .source = TXT_ERROR_ACM, .class = 64 },
		{ .source = TXT_ERROR_ACM, .major = 32 },
		{ .source = TXT_ERROR_ACM, .minor = 0x4000 },
		{ .source = TXT_ERROR_SOFTWARE, .software = 0x8000 },
		{ .source = TXT_ERROR_SOFTWARE, .software_high = 0x4000 },
		{ .source = (enum txt_error_source)9 },
	};

	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		uint32_t code = 42;

		assert_false(txt_error_encode(&rows[i], &code));
		assert_int_equal(code, 42);
	}
}

static void policy_codes(void **state)
{
	(void)state;
	/* clang-format off */
	struct txt_error e = {
		.source = TXT_ERROR_ACM, .acm_type = TXT_ACM_SINIT, .class = TXT_CLASS_LCP, .major = TXT_LCP_PO_INTEGRITY,
		.minor = TXT_LCP_DATA_DIGEST | 2 << 6,
	};
	/* clang-format on */
	unsigned minor, list;
	uint32_t code;

	assert_true(txt_error_encode(&e, &code));
	assert_int_equal(code, 0xc0841ee1);
	e = txt_error_decode(code);
	assert_true(txt_error_lcp_minor(&e, &minor, &list));
	assert_int_equal(minor, TXT_LCP_DATA_DIGEST);
	assert_int_equal(list, 2);
	e.class = TXT_CLASS_TPM;
	assert_false(txt_error_lcp_minor(&e, &minor, &list));
	assert_non_null(txt_error_major_text(TXT_CLASS_LCP, TXT_LCP_ELEMENT_MISMATCH));
	assert_non_null(txt_error_minor_text(TXT_CLASS_LCP, TXT_LCP_PS_INTEGRITY, TXT_LCP_PCONF_ENFORCED));
	assert_null(txt_error_minor_text(TXT_CLASS_LCP, TXT_LCP_PS_INTEGRITY, 0x20));
	assert_null(txt_error_minor_text(TXT_CLASS_LCP, TXT_LCP_ELEMENT_MISMATCH, TXT_LCP_DATA_DIGEST));
	for (unsigned m = TXT_LCP_DATA_SIGNATURE; m <= TXT_LCP_PCONF_ENFORCED; m++)
		assert_non_null(txt_error_minor_text(TXT_CLASS_LCP, TXT_LCP_PO_INTEGRITY, m));
}

static void successes(void **state)
{
	(void)state;
	assert_true(txt_error_is_success(0));
	assert_true(txt_error_is_success(0xc0000001));
	assert_true(txt_error_is_success(0xc0000009));
	assert_false(txt_error_is_success(0xc0000000));
	assert_false(txt_error_is_success(0xc0000011));
	assert_false(txt_error_is_success(0x80000000));
}

static void secure_launch_codes_have_no_gap(void **state)
{
	(void)state;
	assert_null(txt_error_slaunch(0xc0008000));
	for (uint32_t code = 0xc0008001; code <= 0xc0008024; code++) {
		const struct txt_slaunch *s = txt_error_slaunch(code);

		assert_non_null(s);
		assert_int_equal(s->code, code);
		assert_int_equal(strncmp(s->name, "SL_ERROR_", 9), 0);
	}
	assert_null(txt_error_slaunch(0xc0008025));
	assert_null(txt_error_slaunch(0xc0018001));
	assert_string_equal(txt_error_slaunch(0xc000801b)->name, "SL_ERROR_MLE_BUFFER_OVERLAP");
}

/* A text for every code, none cut, nothing unprintable. */
static void every_code_has_words(void **state)
{
	(void)state;
	char buf[2048];

	for (uint32_t low = 0; low < 0x10000; low++) {
		static const uint32_t highs[] = { 0, 0x80000000, 0xc0000000, 0xc0010000, 0xffff0000 };

		for (size_t i = 0; i < GL_COUNT(highs); i++) {
			struct text t = TEXT_OF(buf);

			txt_error_print(highs[i] | low, &t);
			assert_false(t.cut);
			assert_true(t.n > 30 && buf[t.n - 1] == '\n');
		}
	}
}

static void text(void **state)
{
	(void)state;
	static const struct {
		uint32_t code;
		const char *part;
	} rows[] = {
		{ 0, "no error is recorded" },
		{ 0xc0000001, "ran to its end" },
		{ 0x40000000, "not valid" },
		{ 0x80000000, "code 0x0 (legacy shutdown" },
		{ 0x80000007, "signature" },
		{ 0x80000001, "not documented" },
		{ 0xc0000c71, "class 0x7 (leaving the module, other processors); in older modules: MLE page table" },
		{ 0xc00412e1, "major 0x4 (no policy element fits)" },
		{ 0xc0841ee1, "minor 0x4 (data file has another digest than the policy in the TPM names), policy list 2" },
		{ 0xc0008006, "SL_ERROR_TPM_EXTEND" },
		{ 0xc0128fff, "0xfff, 0x12" },
	};
	char buf[2048];

	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct text t = TEXT_OF(buf);

		txt_error_print(rows[i].code, &t);
		if (!strstr(buf, rows[i].part))
			fail_msg("0x%08x: %s", rows[i].code, buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(encode_undoes_decode),
		cmocka_unit_test(fields_that_are_too_large_are_refused),
		cmocka_unit_test(policy_codes),
		cmocka_unit_test(successes),
		cmocka_unit_test(secure_launch_codes_have_no_gap),
		cmocka_unit_test(every_code_has_words),
		cmocka_unit_test(text),
	};

	return cmocka_run_group_tests_name("txt_error", tests, NULL, NULL);
}
