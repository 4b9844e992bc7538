/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "qemu/proxy/report.h"

static const uint8_t command[] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0 };
static const uint8_t response[] = { 0x80, 0x01, 0, 0, 0, 10, 0, 0, 1, 0 };

static json_t *traced(const struct trace_entry *e)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	json_t *line;

	assert_non_null(f);
	assert_true(trace_write(f, e));
	fclose(f);
	assert_int_equal(strcspn(text, "\n"), size - 1); /* one line, ended */
	line = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(line);
	return line;
}

static const char *text_of(json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	assert_non_null(s);
	return s;
}

static void test_trace(void **state)
{
	/* clang-format off */
	struct trace_entry e = {
		.seq = 7, .at_us = 5000000000, .us = 12, .locality = 2, .command = SPAN_OF(command), .response = SPAN_OF(response),
	};
	/* clang-format on */
	json_t *j = traced(&e);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(j, "seq")), 7);
	assert_int_equal(json_integer_value(json_object_get(j, "at_us")), 5000000000);
	assert_int_equal(json_integer_value(json_object_get(j, "us")), 12);
	assert_int_equal(json_integer_value(json_object_get(j, "locality")), 2);
	assert_int_equal(json_integer_value(json_object_get(j, "command_size")), 12);
	assert_int_equal(json_integer_value(json_object_get(j, "response_size")), 10);
	assert_string_equal(text_of(j, "cc"), "0x00000144");
	assert_string_equal(text_of(j, "name"), "Startup");
	assert_string_equal(text_of(j, "rc"), "0x00000100");
	assert_string_equal(text_of(j, "command"), "80010000000c000001440000");
	assert_string_equal(text_of(j, "response"), "80010000000a00000100");
	assert_null(json_object_get(j, "fault"));
	json_decref(j);

	e.response = (struct span){ NULL, 0 };
	e.fault = "silent";
	j = traced(&e);
	assert_true(json_is_null(json_object_get(j, "rc")));
	assert_string_equal(text_of(j, "response"), "");
	assert_string_equal(text_of(j, "fault"), "silent");
	json_decref(j);
}

static void test_trace_full_disk(void **state)
{
	struct trace_entry e = { .command = SPAN_OF(command), .response = SPAN_OF(response) };
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(f);
	assert_false(trace_write(f, &e));
	fclose(f);
}

static void test_pcrs(void **state)
{
	struct pcrs p = { .banks = ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA512) };
	json_t *j, *banks;
	char *text;

	(void)state;
	p.known[ALG_SHA1] = 1u << 17 | 1;
	memset(p.v[ALG_SHA1][17], 0xFF, 20);
	text = pcrs_json(&p, "shutdown", 41, NULL);
	assert_non_null(text);
	assert_null(strchr(text, '\n'));
	j = json_loads(text, 0, NULL);
	free(text);
	banks = json_object_get(j, "pcrs");
	assert_int_equal(json_object_size(banks), 2);
	assert_int_equal(json_object_size(json_object_get(banks, "sha512")), 0);
	assert_int_equal(json_object_size(json_object_get(banks, "sha1")), 2);
	assert_string_equal(text_of(json_object_get(banks, "sha1"), "17"), "ffffffffffffffffffffffffffffffffffffffff");
	assert_string_equal(text_of(json_object_get(banks, "sha1"), "0"), "0000000000000000000000000000000000000000");
	assert_string_equal(text_of(j, "when"), "shutdown");
	assert_int_equal(json_integer_value(json_object_get(j, "commands")), 41);
	json_decref(j);

	text = pcrs_json(&p, "reset", 0, "no \"answer\"");
	j = json_loads(text, 0, NULL);
	free(text);
	assert_string_equal(text_of(j, "error"), "no \"answer\"");
	assert_int_equal(json_object_size(json_object_get(j, "pcrs")), 0);
	json_decref(j);
}

static void test_file_replace(void **state)
{
	char dir[] = "/tmp/geolaunch-test-XXXXXX", path[64], missing[80], line[16];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	snprintf(missing, sizeof(missing), "%s/no/f", dir);
	assert_true(file_replace(path, "old and longer"));
	assert_true(file_replace(path, "new"));
	assert_false(file_replace(missing, "x"));
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "new\n");
	assert_null(fgets(line, sizeof(line), f));
	fclose(f);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0); /* nothing else was left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_trace_full_disk),
		cmocka_unit_test(test_pcrs),
		cmocka_unit_test(test_file_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
