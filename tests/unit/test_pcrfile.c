/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/pcrfile.h"

#define HEX20(c) c c c c c c c c c c c c c c c c c c c c
#define HEX32(c) HEX20(c) c c c c c c c c c c c c
#define HEX64(c) HEX32(c) HEX32(c)

static char error[256];

static bool parse(const char *text, struct pcrs *p)
{
	/* A copy of just this size: reading past its end is seen by the sanitizer. */
	size_t n = strlen(text);
	uint8_t *bytes = malloc(n ? n : 1);
	bool ok;

	assert_non_null(bytes);
	memcpy(bytes, text, n);
	error[0] = 0;
	ok = pcrfile_parse((struct span){ bytes, n }, p, error, sizeof(error));
	free(bytes);
	return ok;
}

static void json(void **state)
{
	struct pcrs p;

	(void)state;
	assert_true(parse("{\"ended\":\"poweroff\",\"pcrs\":{\"sha256\":{\"0\":\"" HEX32("00") "\",\"22\":\"" HEX32(
				  "Ab") "\"},"
					"\"sha1\":{\"17\":\"0x" HEX20("ff") "\"},\"sm3_256\":{\"17\":\"x\"},\"sha384\":{}}}",
		&p));
	assert_int_equal(p.banks, ALG_BIT(ALG_SHA256) | ALG_BIT(ALG_SHA1));
	assert_int_equal(p.known[ALG_SHA256], 1u | 1u << 22);
	assert_int_equal(p.known[ALG_SHA1], 1u << 17);
	assert_int_equal(p.v[ALG_SHA256][22][31], 0xab);
	assert_true(pcr_is_all(&p, ALG_SHA1, 17, 0xff));
}

static void tpm2_pcrread(void **state)
{
	struct pcrs p;

	(void)state;
	assert_true(parse("  sha1:\n    0 : 0x" HEX20("00") "\n    17: 0x" HEX20("FF") "\n  sha256:\n    9 : 0x" HEX32(
				  "1e") "\r\n\n"
					"  sm3_256:\n    17: 0x00\n  sha384:\n  sha512:\n    23: 0x" HEX64("7B"),
		&p));
	assert_int_equal(p.banks, ALG_BIT(ALG_SHA256) | ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA512));
	assert_int_equal(p.known[ALG_SHA1], 1u | 1u << 17);
	assert_int_equal(p.known[ALG_SHA256], 1u << 9);
	assert_int_equal(p.v[ALG_SHA256][9][0], 0x1e);
	assert_int_equal(p.v[ALG_SHA512][23][63], 0x7b);
}

/* A byte order mark in front, names in capitals: the same values. */
static void other_spellings(void **state)
{
	static const char *const texts[] = {
		"\xef\xbb\xbfsha256:\n 17: 0x" HEX32("1e") "\nSM3_256:\n 17: 0x00\nsha1:\n",
		"\xef\xbb\xbf\n  SHA256:\r\n 17: 0x" HEX32("1E"),
		"sha3_256:\n 17: 0x00\nsha3_384:\nsha3_512:\nSha256 :\n 17 : " HEX32("1e"),
		"\xef\xbb\xbf{\"pcrs\":{\"sha256\":{\"17\":\"" HEX32("1e") "\"}}}",
		"{\"pcrs\":{\"SHA256\":{\"17\":\"" HEX32("1e") "\"},\"sha256\":{},\"SHA3_512\":7}}",
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(texts); i++) {
		struct pcrs p;

		if (!parse(texts[i], &p))
			fail_msg("%s: %s", texts[i], error);
		assert_int_equal(p.banks, ALG_BIT(ALG_SHA256));
		assert_int_equal(p.known[ALG_SHA256], 1u << 17);
		assert_true(pcr_is_all(&p, ALG_SHA256, 17, 0x1e));
	}
}

static void refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "empty" },
		{ " \n\t ", "empty" },
		{ "{", "line 1" },
		{ "{}", "no object \"pcrs\"" },
		{ "{\"pcrs\":[]}", "no object \"pcrs\"" },
		{ "{\"pcrs\":{}}", "no values" },
		{ "{\"pcrs\":{\"sha256\":[]}}", "not an object" },
		{ "{\"pcrs\":{\"sha256\":{\"24\":\"" HEX32("00") "\"}}}", "\"24\" is not a PCR number" },
		{ "{\"pcrs\":{\"sha256\":{\"01\":\"" HEX32("00") "\"}}}", "\"01\" is not a PCR number" },
		{ "{\"pcrs\":{\"sha256\":{\"0x1\":\"" HEX32("00") "\"}}}", "\"0x1\" is not a PCR number" },
		{ "{\"pcrs\":{\"sha256\":{\"-1\":\"" HEX32("00") "\"}}}", "not a PCR number" },
		{ "{\"pcrs\":{\"sha256\":{\"\":\"" HEX32("00") "\"}}}", "not a PCR number" },
		{ "{\"pcrs\":{\"sha256\":{\"1\":1}}}", "not a string" },
		{ "{\"pcrs\":{\"sha256\":{\"1\":\"" HEX20("00") "\"}}}", "not 64 hexadecimal digits" },
		{ "{\"pcrs\":{\"sha1\":{\"1\":\"" HEX20("0g") "\"}}}", "not 40 hexadecimal digits" },
		{ "{\"pcrs\":{\"sha1\":{\"1\":\"" HEX20("00") "\",\"1\":\"" HEX20("00") "\"}}}", "duplicate" },
		{ "{\"pcrs\":{\"sha1\":{\"1\":\"" HEX20("00") "\"}}} x", "line 1" },
		{ "hello\n", "line 1: neither JSON" },
		{ "17: 0x00\n", "line 1: a value before the name" },
		{ "sha1:\n17: 0x00\n", "line 2: PCR 17 of bank sha1: the value is not 40" },
		{ "sha1:\n24: 0x" HEX20("00"), "line 2: no PCR number" },
		{ "sha1:\n1: " HEX20("00") "\n1: " HEX20("00"), "line 3: PCR 1 of bank sha1 is given twice" },
		{ "sha1:\n1: " HEX20("00") "\nsha256:\nsha1:\n1: " HEX20("00"), "line 5: PCR 1 of bank sha1 is given twice" },
		{ "sha1:\n1: " HEX64("00") HEX64("00"), "line 2: PCR 1 of bank sha1: the value is too long" },
		{ ":\n", "line 1: a bank without a name" },
		{ "sm3_256:\n 17: 0x00\n", "no values of a bank" },
		{ "\xef\xbb\xbf", "empty" },
		/* what nobody would look at */
		{ "sha1:\n1: " HEX20("00") "\nsha265:\n1: 0x00", "line 3: no PCR bank is called \"sha265\"" },
		{ "sha1:\n\xef\xbb\xbfsha256:\n", "line 2: no PCR bank" },
		{ "sha256 (0x0b):\n", "line 1: no PCR bank is called \"sha256 (0x0b)\"" },
		{ "sha1:\n" HEX64("41") ":\n", "line 2: no PCR bank is called \"4141414141414141414141414141414141414141\"" },
		{ "{\"pcrs\":{\n\"sha1\":{},\n\"sha265\":{}}}", "line 3: no PCR bank is called \"sha265\"" },
		{ "{\"pcrs\":{\n\"sha\\u0032\":{}}}", "no PCR bank is called \"sha2\"" },
		{ "{\"pcrs\":{\"\":{}}}", "line 1: no PCR bank is called \"\"" },
		{ "{\"pcrs\":{\"sha1\":{\"1\":\"" HEX20("00") "\"},\"SHA1\":{\"1\":\"" HEX20("00") "\"}}}",
			"PCR 1 of bank sha1 is given twice" },
		{ "sha256:\n", "no values of a bank" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct pcrs p, before;

		memset(&p, 0x5a, sizeof(p));
		before = p;
		if (parse(cases[i].text, &p))
			fail_msg("accepted: %s", cases[i].text);
		if (!strstr(error, cases[i].error))
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].text, error, cases[i].error);
		assert_memory_equal(&p, &before, sizeof(p));
		assert_null(strchr(error, '\n'));
	}
}

/* Every prefix of a good file is either refused or holds a part of its values; nothing is invented. */
static void prefixes(void **state)
{
	static const char *const texts[] = {
		"{\"pcrs\":{\"sha256\":{\"17\":\"" HEX32("17") "\",\"18\":\"" HEX32("18") "\"},\"sha1\":{\"17\":\"" HEX20("11") "\"}}}",
		"sha1:\n  17: 0x" HEX20("11") "\n  18: 0x" HEX20("18") "\nsha256:\n  17: 0x" HEX32("17") "\n",
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(texts); i++) {
		struct pcrs whole;
		char *cut = strdup(texts[i]);

		assert_non_null(cut);
		assert_true(parse(cut, &whole));
		for (size_t n = strlen(cut); n > 0; n--) {
			struct pcrs p;

			cut[n - 1] = 0;
			if (!parse(cut, &p))
				continue;
			for (unsigned a = 0; a < ALG_COUNT; a++) {
				assert_int_equal(p.known[a] & ~whole.known[a], 0);
				for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
					if (pcr_known(&p, (enum alg)a, pcr))
						assert_memory_equal(p.v[a][pcr], whole.v[a][pcr], alg_table[a].size);
			}
		}
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(tpm2_pcrread),
		cmocka_unit_test(other_spellings),
		cmocka_unit_test(refused),
		cmocka_unit_test(prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
