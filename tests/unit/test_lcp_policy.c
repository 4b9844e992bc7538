/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lcp/policy.h"
#include "lcp_samples.h"

/* LCP_POLICY2 3.1: lcp2_crtpol --polver 3.1 --type list --minver 3 --max_sinit_min 9 --rev 1,2,3 --ctrl 2 and masks; digest counts up. */
/* clang-format off */
static const uint8_t good[70] = {
	0x01, 0x03, 0x0b, 0x00, 0x00, 0x03, 0x01, 0x00, 0x02, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x01,
	0x02, 0x00, 0x00, 0x00, 0x09, 0x00, 0x48, 0x00, 0x80, 0x10, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
	[38] = 0xa0, [69] = 0xa1,
};
/* clang-format on */

/* LCP_POLICY 2.4 as lcp2_crtpol --polver 2.4 --type any makes it, with a few fields set. */
/* clang-format off */
static const uint8_t old[54] = {
	0x04, 0x02, 0x00, 0x01, 0x07, 0x00, 0x05, 0x00, [20] = 0x06, 0x00, 0x02, 0x00, 0x00, 0x00, 0xff, 0x00, [34] = 0xb0, [53] = 0xb1,
};
/* clang-format on */

static bool recode(struct span in, struct mspan out, size_t *n)
{
	struct lcp_policy p;

	return lcp_policy_decode(in, &p) == LCP_OK && lcp_policy_encode(&p, out, n) == LCP_OK;
}

static struct lcp_policy decoded(struct span bytes)
{
	struct lcp_policy p;

	memset(&p, 0, sizeof(p));
	assert_int_equal(lcp_policy_decode(bytes, &p), LCP_OK);
	return p;
}

static void test_fields(void **state)
{
	(void)state;
	struct lcp_policy p = decoded(SPAN_OF(good));

	assert_int_equal(p.version, LCP_POLICY_3_1);
	assert_int_equal(p.hash_alg, LCP_ALG_SHA256);
	assert_int_equal(p.type, LCP_POLICY_LIST);
	assert_int_equal(p.sinit_min_version, 3);
	assert_int_equal(p.revocation[0], 1);
	assert_int_equal(p.revocation[2], 3);
	assert_int_equal(p.revocation[7], 0x0108);
	assert_int_equal(p.control, LCP_CONTROL_NPW);
	assert_int_equal(p.max_sinit_min_version, 9);
	assert_int_equal(p.hash_mask, 0x48);
	assert_int_equal(p.sign_mask, 0x1080);
	assert_int_equal(p.aux_hash_mask, 8);
	assert_int_equal(p.hash_size, 32);
	assert_int_equal(p.hash[0], 0xa0);
	assert_int_equal(p.hash[31], 0xa1);
	assert_false(lcp_policy_is_legacy(&p));
	assert_int_equal(lcp_policy_validate(&p), LCP_OK);
}

static void test_fields_legacy(void **state)
{
	(void)state;
	struct lcp_policy p = decoded(SPAN_OF(old));

	assert_int_equal(p.version, LCP_POLICY_2_4);
	assert_int_equal(p.hash_alg, LCP_ALG_SHA1);
	assert_int_equal(p.type, LCP_POLICY_ANY);
	assert_int_equal(p.sinit_min_version, 7);
	assert_int_equal(p.revocation[0], 5);
	assert_int_equal(p.revocation[7], 6);
	assert_int_equal(p.control, LCP_CONTROL_NPW);
	assert_int_equal(p.max_sinit_min_version, 0xff);
	assert_int_equal(p.hash_size, 20);
	assert_int_equal(p.hash[0], 0xb0);
	assert_int_equal(p.hash[19], 0xb1);
	assert_true(lcp_policy_is_legacy(&p));
	assert_int_equal(lcp_policy_validate(&p), LCP_OK);
}

static void test_mutations(void **state)
{
	(void)state;
	assert_recodes_mutations(SPAN_OF(good), recode);
	assert_recodes_mutations(SPAN_OF(old), recode);
}

static void test_cut_and_longer(void **state)
{
	(void)state;
	uint8_t longer[sizeof(good) + 1] = { 0 };
	struct lcp_policy p, untouched;
	size_t used = 7;

	memcpy(longer, good, sizeof(good));
	memset(&p, 0x5a, sizeof(p));
	untouched = p;
	for (size_t n = 0; n < sizeof(good); n++)
		assert_int_equal(lcp_policy_decode((struct span){ good, n }, &p), LCP_E_POLICY_TRUNCATED);
	for (size_t n = 0; n < sizeof(old); n++)
		assert_int_equal(lcp_policy_decode((struct span){ old, n }, &p), LCP_E_POLICY_TRUNCATED);
	assert_int_equal(lcp_policy_decode(SPAN_OF(longer), &p), LCP_E_POLICY_TRAILING);
	assert_int_equal(lcp_policy_decode_prefix((struct span){ good, 69 }, &p, &used), LCP_E_POLICY_TRUNCATED);
	assert_memory_equal(&p, &untouched, sizeof(p));
	assert_int_equal(used, 7);
	assert_int_equal(lcp_policy_decode_prefix(SPAN_OF(longer), &p, &used), LCP_OK);
	assert_int_equal(used, sizeof(good));
}

static void test_decode_refuses(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		uint8_t value;
		enum lcp_error error;
	} cases[] = {
		{ 1, 0x01, LCP_E_POLICY_VERSION },
		{ 1, 0x04, LCP_E_POLICY_VERSION },
		{ 2, 0x14, LCP_E_POLICY_HASH_ALG },
		{ 3, 0x01, LCP_E_POLICY_HASH_ALG },
	};
	struct lcp_policy p;
	uint8_t b[sizeof(good)], o[sizeof(old)];

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		memcpy(b, good, sizeof(b));
		b[cases[i].at] = cases[i].value;
		assert_int_equal(lcp_policy_decode(SPAN_OF(b), &p), cases[i].error);
	}
	memcpy(o, old, sizeof(o));
	o[2] = 4; /* only LCP_POLHALG_SHA1 = 0 */
	assert_int_equal(lcp_policy_decode(SPAN_OF(o), &p), LCP_E_POLICY_HASH_ALG);
}

/* Every rule, by a change to the bytes that decode still takes. */
static void test_validate_rules(void **state)
{
	(void)state;
	static const struct {
		bool legacy;
		size_t at;
		uint8_t value;
		enum lcp_error error;
	} cases[] = {
		{ false, 0, 0x03, LCP_E_POLICY_VERSION },
		{ true, 0, 0x05, LCP_E_POLICY_VERSION },
		{ false, 4, 0x02, LCP_E_POLICY_TYPE },
		{ true, 3, 0x02, LCP_E_POLICY_TYPE },
		{ false, 22, 0x01, LCP_E_POLICY_CONTROL },
		{ false, 23, 0x01, LCP_E_POLICY_CONTROL },
		{ false, 27, 0x01, LCP_E_POLICY_RESERVED }, /* MaxBiosacMinVersion, which 3.1 does not have */
		{ false, 28, 0x02, LCP_E_POLICY_HASH_MASK },
		{ false, 29, 0x01, LCP_E_POLICY_HASH_MASK },
		{ false, 33, 0x01, LCP_E_POLICY_SIGN_MASK },
		{ false, 31, 0x80, LCP_E_POLICY_SIGN_MASK },
		{ false, 34, 0x02, LCP_E_POLICY_AUX_MASK },
		{ false, 0, 0x02, LCP_E_POLICY_AUX_MASK }, /* 3.2 reserves it */
		{ false, 36, 0x01, LCP_E_POLICY_RESERVED },
		{ true, 5, 0x01, LCP_E_POLICY_RESERVED },
		{ true, 27, 0x01, LCP_E_POLICY_RESERVED },
		{ true, 28, 0x01, LCP_E_POLICY_RESERVED },
		{ true, 33, 0x01, LCP_E_POLICY_RESERVED },
		{ false, 25, 0x80, LCP_OK }, /* AUX delete */
		{ false, 0, 0x00, LCP_OK },  /* 3.0 */
		{ true, 0, 0x00, LCP_OK },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		uint8_t b[sizeof(good)];
		size_t n = cases[i].legacy ? sizeof(old) : sizeof(good);
		struct lcp_policy p;

		memcpy(b, cases[i].legacy ? old : good, n);
		b[cases[i].at] = cases[i].value;
		p = decoded((struct span){ b, n });
		if (lcp_policy_validate(&p) != cases[i].error)
			fail_msg("case %zu: %d instead of %d", i, lcp_policy_validate(&p), cases[i].error);
	}
}

static void test_biosac_version(void **state)
{
	(void)state;
	struct lcp_policy p = decoded(SPAN_OF(good)), o = decoded(SPAN_OF(old));

	p.max_biosac_min_version = o.max_biosac_min_version = 1;
	p.version = LCP_POLICY_3_0;
	assert_int_equal(lcp_policy_validate(&p), LCP_OK);
	o.version = 0x0203;
	assert_int_equal(lcp_policy_validate(&o), LCP_OK);
}

static void assert_encode(struct lcp_policy p, enum lcp_error error)
{
	uint8_t buf[LCP_POLICY_MAX_SIZE];
	size_t n = 99;

	assert_int_equal(lcp_policy_encode(&p, (struct mspan){ buf, sizeof(buf) }, &n), error);
	assert_int_equal(lcp_policy_validate(&p), error);
	assert_int_equal(n, 99);
}

static void test_encode_refuses(void **state)
{
	(void)state;
	struct lcp_policy p = decoded(SPAN_OF(good)), q = p, o = decoded(SPAN_OF(old));
	uint8_t buf[sizeof(good)];
	size_t n = 99;

	q.version = 0x0400;
	assert_encode(q, LCP_E_POLICY_VERSION);
	q = p;
	q.hash_alg = 0x99;
	assert_encode(q, LCP_E_POLICY_HASH_ALG);
	q = p;
	q.hash_size = 20;
	assert_encode(q, LCP_E_POLICY_HASH_SIZE);
	q = p;
	q.reserved1 = 1;
	assert_encode(q, LCP_E_POLICY_RESERVED);
	o.hash_alg = LCP_ALG_SHA256;
	o.hash_size = 32;
	assert_encode(o, LCP_E_POLICY_HASH_ALG);
	o = decoded(SPAN_OF(old));
	o.aux_hash_mask = 8;
	assert_encode(o, LCP_E_POLICY_RESERVED);
	o = decoded(SPAN_OF(old));
	o.reserved2 = 8;
	assert_encode(o, LCP_E_POLICY_RESERVED);
	for (size_t cap = 0; cap < sizeof(good); cap++)
		assert_int_equal(lcp_policy_encode(&p, (struct mspan){ buf, cap }, &n), LCP_E_BUFFER);
	assert_int_equal(n, 99);
	assert_int_equal(lcp_policy_encode(&p, (struct mspan){ NULL, 0 }, &n), LCP_OK);
	assert_int_equal(n, sizeof(good));
}

/* decode(encode(x)) = x for values all over the ranges. */
static void test_random(void **state)
{
	(void)state;
	uint32_t dice = 1;

	for (unsigned i = 0; i < 2000; i++) {
		struct lcp_policy p, q;
		uint8_t buf[LCP_POLICY_MAX_SIZE];
		size_t n = 0;

		memset(&p, 0, sizeof(p));
		memset(&q, 0, sizeof(q));
		p.version = (uint16_t)((i % 3 ? 0x0300 : 0x0200) | (sample_random(&dice) & 0xff));
		p.hash_alg = i % 3 ? lcp_hashes[sample_random(&dice) % lcp_hash_count].tpm_id : LCP_ALG_SHA1;
		p.hash_size = (uint8_t)lcp_digest_size(p.hash_alg);
		p.type = (uint8_t)sample_random(&dice);
		p.sinit_min_version = (uint8_t)sample_random(&dice);
		for (unsigned k = 0; k < LCP_MAX_LISTS; k++)
			p.revocation[k] = (uint16_t)sample_random(&dice);
		p.control = sample_random(&dice) << 8 ^ sample_random(&dice);
		p.max_sinit_min_version = (uint8_t)sample_random(&dice);
		p.max_biosac_min_version = (uint8_t)sample_random(&dice);
		p.hash_mask = (uint16_t)sample_random(&dice);
		p.sign_mask = sample_random(&dice) << 8 ^ sample_random(&dice);
		if (i % 3) {
			p.aux_hash_mask = (uint16_t)sample_random(&dice);
			p.reserved2 = (uint16_t)sample_random(&dice);
		} else {
			p.reserved1 = (uint8_t)sample_random(&dice);
		}
		for (unsigned k = 0; k < p.hash_size; k++)
			p.hash[k] = (uint8_t)sample_random(&dice);
		assert_int_equal(lcp_policy_encode(&p, (struct mspan){ buf, sizeof(buf) }, &n), LCP_OK);
		assert_int_equal(lcp_policy_decode((struct span){ buf, n }, &q), LCP_OK);
		assert_memory_equal(&p, &q, sizeof(p));
	}
}

static void test_print(void **state)
{
	(void)state;
	char buf[2048];
	struct text t = TEXT_OF(buf);
	struct lcp_policy p = decoded(SPAN_OF(good)), o = decoded(SPAN_OF(old));

	p.control |= LCP_CONTROL_AUX_DELETE;
	lcp_policy_print(&p, &t);
	assert_string_equal(buf,
		"version: 3.1\n"
		"hash_alg: sha256\n"
		"policy_type: list\n"
		"sinit_min_version: 0x03\n"
		"data_revocation_counters: 1,2,3,0,0,0,0,264\n"
		"policy_control: 0x80000002 npw aux-delete\n"
		"max_sinit_min_version: 0x09\n"
		"max_biosac_min_version: 0x00\n"
		"lcp_hash_alg_mask: 0x0048 sha256,sha384\n"
		"lcp_sign_alg_mask: 0x00001080 rsa-3072-sha384,ecdsa-p256\n"
		"aux_hash_alg_mask: 0x0008 sha256\n"
		"policy_hash: a0000000000000000000000000000000000000000000000000000000000000a1\n");
	t = TEXT_OF(buf);
	o.type = 9;
	lcp_policy_print(&o, &t);
	assert_non_null(strstr(buf, "version: 2.4\nhash_alg: sha1\npolicy_type: unknown (9)\n"));
	assert_null(strstr(buf, "lcp_hash_alg_mask"));
}

static void test_names(void **state)
{
	(void)state;
	static const char *const versions[] = { "2.0", "2.1", "2.2", "2.3", "2.4", "3.0", "3.1", "3.2" };
	uint8_t type = 9;
	uint16_t version = 9;

	assert_true(lcp_policy_type_by_name(SPAN_LITERAL("any"), &type));
	assert_int_equal(type, LCP_POLICY_ANY);
	assert_true(lcp_policy_type_by_name(SPAN_LITERAL("list"), &type));
	assert_int_equal(type, LCP_POLICY_LIST);
	assert_false(lcp_policy_type_by_name(SPAN_LITERAL("lists"), &type));
	assert_null(lcp_policy_type_name(2));
	for (size_t i = 0; i < GL_COUNT(versions); i++) {
		assert_true(lcp_policy_version_by_name(span_str(versions[i]), &version));
		assert_int_equal(version >> 8, versions[i][0] - '0');
		assert_int_equal(version & 0xff, versions[i][2] - '0');
	}
	assert_false(lcp_policy_version_by_name(SPAN_LITERAL("3.3"), &version));
}

static void test_algorithms(void **state)
{
	(void)state;
	char buf[400];
	struct text t = TEXT_OF(buf);
	uint32_t signs = 0, hashes = 0;

	for (size_t i = 0; i < lcp_sign_count; i++) {
		const struct lcp_sign_info *s = &lcp_signs[i];

		assert_int_equal(s->mask & (s->mask - 1), 0);
		assert_int_equal(signs & s->mask, 0);
		signs |= s->mask;
		assert_ptr_equal(lcp_sign_by_name(span_str(s->name)), s);
		if (s->key_bits)
			assert_ptr_equal(lcp_sign_find(s->sig_alg, s->key_bits, s->hash_alg), s);
	}
	assert_int_equal(signs, LCP_SIGN_MASK_ALL);
	for (size_t i = 0; i < lcp_hash_count; i++) {
		enum alg a;

		hashes |= lcp_hashes[i].mask;
		assert_ptr_equal(lcp_hash_by_name(span_str(lcp_hashes[i].name)), &lcp_hashes[i]);
		assert_ptr_equal(lcp_hash_by_id(lcp_hashes[i].tpm_id), &lcp_hashes[i]);
		if (alg_by_id(lcp_hashes[i].tpm_id, &a))
			assert_int_equal(alg_table[a].size, lcp_hashes[i].size);
	}
	assert_int_equal(hashes, LCP_HASH_MASK_ALL);
	assert_int_equal(lcp_sign_by_name(SPAN_LITERAL("rsa-3072-sha384"))->mask, 0x80);
	assert_int_equal(lcp_sign_find(LCP_ALG_RSAPSS, 3072, LCP_ALG_SHA256)->mask, 0x40);
	assert_int_equal(lcp_sign_find(LCP_ALG_ECDSA, 384, LCP_ALG_SHA384)->mask, 0x2000);
	assert_null(lcp_sign_find(LCP_ALG_ECDSA, 384, LCP_ALG_SHA256));
	assert_null(lcp_sign_find(0, 0, 0));
	assert_null(lcp_sign_by_name(SPAN_LITERAL("rsa")));
	assert_int_equal(lcp_digest_size(0x10), 0);
	assert_string_equal(lcp_alg_name(0x0b), "sha256");
	assert_string_equal(lcp_alg_name(0x16), "rsapss");
	assert_null(lcp_alg_name(0x99));
	lcp_hash_mask_print(0, &t);
	text_char(&t, ' ');
	lcp_hash_mask_print(0x0102, &t);
	text_char(&t, ' ');
	lcp_sign_mask_print(0x80010004, &t);
	assert_string_equal(buf, "none 0x102 rsa-2048-sha1,sm2,0x80000000");
}

static void test_messages(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LCP_ERROR_COUNT; i++) {
		const char *m = lcp_strerror((enum lcp_error)i);

		assert_non_null(m);
		if (i && i != LCP_E_BUFFER && i != LCP_E_CUSTOM_UUID && !strchr(m, '('))
			fail_msg("no source: %s", m);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(m, lcp_strerror((enum lcp_error)k));
	}
	assert_non_null(lcp_strerror(LCP_ERROR_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_fields_legacy),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_cut_and_longer),
		cmocka_unit_test(test_decode_refuses),
		cmocka_unit_test(test_validate_rules),
		cmocka_unit_test(test_biosac_version),
		cmocka_unit_test(test_encode_refuses),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests_name("lcp_policy", tests, NULL, NULL);
}
