/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/csv.h"

struct row {
	const char *line;
	enum csv_error error;
	const char *fields[5];
};

static const struct row rows[] = {
	{ "", CSV_OK, { "" } },
	{ "a", CSV_OK, { "a" } },
	{ ",", CSV_OK, { "", "" } },
	{ "a,b", CSV_OK, { "a", "b" } },
	{ " a , b ", CSV_OK, { " a ", " b " } },
	{ "a,,b,", CSV_OK, { "a", "", "b", "" } },
	{ "\"\"", CSV_OK, { "" } },
	{ "\"\",\"\"", CSV_OK, { "", "" } },
	{ "\"a,b\",c", CSV_OK, { "a,b", "c" } },
	{ "\"a\"\"b\"", CSV_OK, { "a\"b" } },
	{ "\"\"\"\",\"\"\"a\"\"\"", CSV_OK, { "\"", "\"a\"" } },
	{ "~ ,\"~ \"", CSV_OK, { "~ ", "~ " } },
	{ "\"", CSV_E_OPEN, { 0 } },
	{ "a,\"", CSV_E_OPEN, { 0 } },
	{ "\"a\"\"", CSV_E_OPEN, { 0 } },
	{ "\"a,b", CSV_E_OPEN, { 0 } },
	{ "a\"b", CSV_E_QUOTE, { 0 } },
	{ "a\"", CSV_E_QUOTE, { 0 } },
	{ " \"a\"", CSV_E_QUOTE, { 0 } },
	{ "\"a\"b", CSV_E_BEHIND, { 0 } },
	{ "\"a\" ,b", CSV_E_BEHIND, { 0 } },
	{ "\"\"a", CSV_E_BEHIND, { 0 } },
	{ "a\tb", CSV_E_BYTE, { 0 } },
	{ "a\rb", CSV_E_BYTE, { 0 } },
	{ "\x7f", CSV_E_BYTE, { 0 } },
	{ "\xc3\xbc", CSV_E_BYTE, { 0 } },
};

static void test_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		size_t n = strlen(rows[i].line), count = 0, wanted = 0;
		char *line = malloc(n + 1); /* no byte more, for the sanitizer */
		char *fields[CSV_MAX_FIELDS];

		memcpy(line, rows[i].line, n);
		assert_int_equal(csv_split(line, n, fields, &count), rows[i].error);
		while (wanted < GL_COUNT(rows[i].fields) && rows[i].fields[wanted])
			wanted++;
		if (!rows[i].error)
			assert_int_equal(count, wanted);
		for (size_t k = 0; k < wanted; k++)
			assert_string_equal(fields[k], rows[i].fields[k]);
		free(line);
	}
}

static void test_field_count(void **state)
{
	char line[CSV_MAX_FIELDS + 1];
	char *fields[CSV_MAX_FIELDS];
	size_t count;

	(void)state;
	memset(line, ',', sizeof(line));
	assert_int_equal(csv_split(line, CSV_MAX_FIELDS - 1, fields, &count), CSV_OK);
	assert_int_equal(count, CSV_MAX_FIELDS);
	memset(line, ',', sizeof(line));
	assert_int_equal(csv_split(line, CSV_MAX_FIELDS, fields, &count), CSV_E_FIELDS);
}

static void test_lines(void **state)
{
	static const struct {
		const char *text;
		const char *lines[4];
	} texts[] = {
		{ "", { 0 } },
		{ "a", { "a" } },
		{ "a\n", { "a" } },
		{ "a\r\n", { "a" } },
		{ "a\nb", { "a", "b" } },
		{ "\n\r\n\n", { "", "", "" } },
		{ "a\rb\r", { "a\rb" } },
		{ "\r\r\n", { "\r" } },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(texts); i++) {
		struct span rest = span_str(texts[i].text), line;
		size_t k = 0;

		for (; csv_line(&rest, &line); k++) {
			assert_true(k < GL_COUNT(texts[i].lines) && texts[i].lines[k]);
			assert_true(span_is_str(line, texts[i].lines[k]));
		}
		assert_true(k == GL_COUNT(texts[i].lines) || !texts[i].lines[k]);
	}
}

static void test_texts(void **state)
{
	(void)state;
	for (unsigned e = 0; e < CSV_ERROR_COUNT; e++)
		assert_true(strlen(csv_strerror((enum csv_error)e)) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_field_count),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
