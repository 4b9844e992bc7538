/* SPDX-License-Identifier: BSD-3-Clause */
#include "evp.h"

static void test_table(void **state)
{
	(void)state;
	/* TCG Algorithm Registry, table 3; sizes from FIPS 180-4, figure 1. */
	static const struct {
		uint16_t id;
		uint8_t size, block;
		const char *name;
	} want[] = {
		{ 0x0004, 20, 64, "sha1" },
		{ 0x000b, 32, 64, "sha256" },
		{ 0x000c, 48, 128, "sha384" },
		{ 0x000d, 64, 128, "sha512" },
	};

	assert_int_equal(GL_COUNT(want), ALG_COUNT);
	for (unsigned i = 0; i < ALG_COUNT; i++) {
		enum alg a = ALG_COUNT;

		assert_int_equal(alg_table[i].tpm_id, want[i].id);
		assert_int_equal(alg_table[i].size, want[i].size);
		assert_int_equal(alg_table[i].block, want[i].block);
		assert_string_equal(alg_table[i].name, want[i].name);
		assert_true(alg_by_id(want[i].id, &a));
		assert_int_equal(a, i);
		a = ALG_COUNT;
		assert_true(alg_by_name(span_str(want[i].name), &a));
		assert_int_equal(a, i);
	}
	assert_int_equal(ALG_SET_ALL, 0xf);
}

static void test_unknown(void **state)
{
	(void)state;
	enum alg a = ALG_SHA384;
	static const uint16_t ids[] = { 0, 3, 5, 0x0012, 0x0027, 0x0400, 0x0b00, 0xffff };
	static const char *const names[] = { "", "sha", "sha2", "sha2566", "SHA256", "sm3_256", "sha-256" };

	for (size_t i = 0; i < GL_COUNT(ids); i++)
		assert_false(alg_by_id(ids[i], &a));
	for (size_t i = 0; i < GL_COUNT(names); i++)
		assert_false(alg_by_name(span_str(names[i]), &a));
	assert_int_equal(a, ALG_SHA384);
}

static void test_digests_equal(void **state)
{
	(void)state;
	struct digests a = { .banks = ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA384) }, b;

	memset(a.d, 7, sizeof(a.d));
	b = a;
	assert_true(digests_equal(&a, &b));

	/* What is not in use does not count, be it another bank or behind the digest. */
	b.d[ALG_SHA256][0]++;
	b.d[ALG_SHA1][20]++;
	b.d[ALG_SHA384][48]++;
	assert_true(digests_equal(&a, &b));

	b.d[ALG_SHA1][19]++;
	assert_false(digests_equal(&a, &b));
	b = a;
	b.d[ALG_SHA384][47]++;
	assert_false(digests_equal(&a, &b));
	b = a;
	b.banks |= ALG_BIT(ALG_SHA256);
	assert_false(digests_equal(&a, &b));
	b.banks = ALG_BIT(ALG_SHA1);
	assert_false(digests_equal(&a, &b));
	assert_false(digests_equal(&b, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_digests_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
