/* SPDX-License-Identifier: BSD-3-Clause */
#include "evp.h"

#include "common/text.h"

static void test_numbers(void **state)
{
	(void)state;
	char buf[200];
	struct text t = TEXT_OF(buf);

	text_u64(&t, 0);
	text_char(&t, ' ');
	text_u64(&t, 10);
	text_char(&t, ' ');
	text_u64(&t, UINT64_MAX);
	assert_string_equal(buf, "0 10 18446744073709551615");

	t = TEXT_OF(buf);
	text_hex(&t, 0, 0);
	text_char(&t, ' ');
	text_hex(&t, 0, 1);
	text_char(&t, ' ');
	text_hex(&t, 0x1c10110, 8);
	text_char(&t, ' ');
	text_hex(&t, 0x1c10110, 2);
	text_char(&t, ' ');
	text_hex(&t, UINT64_MAX, 4);
	text_char(&t, ' ');
	text_hex(&t, 1, 18);
	assert_string_equal(buf, "0x0 0x0 0x01c10110 0x1c10110 0xffffffffffffffff 0x000000000000000001");
	assert_false(t.cut);
	assert_int_equal(t.n, strlen(buf));
}

static void test_span_is_safe_for_terminals(void **state)
{
	(void)state;
	char buf[40];
	struct text t = TEXT_OF(buf);
	static const uint8_t s[] = { 'a', 0, 27, '[', 0x7e, 0x7f, 0x80, 0xff, '\n', ' ' };

	text_span(&t, SPAN_OF(s));
	assert_string_equal(buf,
		"a??[~????"
		" ");

	t = TEXT_OF(buf);
	text_bytes(&t, SPAN_OF(s));
	assert_string_equal(buf, "61001b5b7e7f80ff0a20");
}

static void test_empty_still_ends(void **state)
{
	(void)state;
	char buf[4];
	struct text t;

	memset(buf, 'x', sizeof(buf));
	t = TEXT_OF(buf);
	text_str(&t, "");
	assert_string_equal(buf, "");
	memset(buf, 'x', sizeof(buf));
	text_span(&t, (struct span){ NULL, 0 });
	assert_string_equal(buf, "");
	memset(buf, 'x', sizeof(buf));
	text_bytes(&t, (struct span){ NULL, 0 });
	assert_string_equal(buf, "");
	memset(buf, 'x', sizeof(buf));
	text_str(&t, NULL);
	assert_string_equal(buf, "");
	assert_false(t.cut);
}

static void test_cut(void **state)
{
	(void)state;
	char buf[6] = "zzzzz";
	struct text t = { .p = buf, .cap = 5 };

	text_str(&t, "abcd");
	assert_false(t.cut);
	assert_string_equal(buf, "abcd");
	text_str(&t, "");
	assert_false(t.cut);
	text_char(&t, 'e');
	assert_true(t.cut);
	assert_string_equal(buf, "abcd");
	assert_int_equal(t.n, 4);
	text_u64(&t, 12);
	text_pad(&t, 100);
	assert_string_equal(buf, "abcd");
	assert_int_equal(buf[5], '\0');

	/* Room for the NUL only, and for nothing at all. */
	t = (struct text){ .p = buf, .cap = 1 };
	text_char(&t, 'a');
	assert_true(t.cut);
	assert_string_equal(buf, "");
	t = (struct text){ .p = NULL, .cap = 0 };
	text_str(&t, "abc");
	assert_true(t.cut);
	assert_int_equal(t.n, 0);
}

static void test_pad(void **state)
{
	(void)state;
	char buf[64];
	struct text t = TEXT_OF(buf);

	text_str(&t, "ab");
	text_pad(&t, 5);
	text_str(&t, "abcde");
	text_pad(&t, 5);
	text_str(&t, "x\nab");
	text_pad(&t, 4);
	text_char(&t, '|');
	assert_string_equal(buf, "ab   abcde x\nab  |");
}

static void test_size(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *want;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1075, "1.0 KiB" },
		{ 1076, "1.1 KiB" },
		{ 1048575, "1.0 MiB" }, /* not 1024.0 KiB */
		{ 1048576, "1.0 MiB" },
		{ 8598324, "8.2 MiB" },
		{ UINT64_C(1) << 30, "1.0 GiB" },
		{ (UINT64_C(1) << 40) - 1, "1.0 TiB" },
		{ UINT64_C(5) << 49, "2.5 PiB" },
		{ UINT64_C(1) << 60, "1.0 EiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		char buf[32];
		struct text t = TEXT_OF(buf);

		text_size(&t, cases[i].bytes);
		assert_string_equal(buf, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_span_is_safe_for_terminals),
		cmocka_unit_test(test_empty_still_ends),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_pad),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
