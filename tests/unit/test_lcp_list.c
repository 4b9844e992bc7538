/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lcp/list.h"
#include "lcp_samples.h"

static bool recode(struct span in, struct mspan out, size_t *n)
{
	struct lcp_list l;

	return lcp_list_decode(in, &l) == LCP_OK && lcp_list_encode(&l, out, n) == LCP_OK;
}

static size_t elements_size(uint16_t version)
{
	struct wr w = wr_measure();

	sample_elements(&w, version);
	return w.off;
}

static struct lcp_list decoded(size_t i)
{
	struct lcp_list l;

	memset(&l, 0, sizeof(l));
	assert_int_equal(lcp_list_decode(sample_list_bytes(i), &l), LCP_OK);
	return l;
}

/* The number of the sample with this name. */
static size_t sample(const char *name)
{
	for (size_t i = 0; i < SAMPLE_LISTS; i++)
		if (strcmp(sample_lists[i].name, name) == 0)
			return i;
	fail_msg("no sample %s", name);
	return 0;
}

static void test_mutations(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_LISTS; i++) {
		struct span s = sample_list_bytes(i);
		uint8_t copy[4096];

		memcpy(copy, s.p, s.n);
		assert_recodes_mutations((struct span){ copy, s.n }, recode);
	}
}

static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_LISTS; i++) {
		const struct sample_list *s = &sample_lists[i];
		struct span bytes = sample_list_bytes(i);
		struct lcp_list l = decoded(i);
		size_t elements = elements_size(s->version);
		bool ecc = s->sig_alg == LCP_ALG_ECDSA || s->sig_alg == LCP_ALG_SM2;
		bool new = s->version == LCP_LIST_3_0;
		size_t part = (ecc ? 2u : 1u) * (s->key_bits / 8u);

		assert_int_equal(l.version, s->version);
		assert_int_equal(l.sig_alg, s->sig_alg);
		assert_ptr_equal(l.elements.p, bytes.p + 8);
		assert_int_equal(l.elements.n, elements);
		assert_int_equal(lcp_list_validate(&l, NULL), LCP_OK);
		assert_int_equal(lcp_list_signed(&l), s->sig_alg != LCP_ALG_NULL);
		assert_int_equal(l.sig.key_bits, s->key_bits);
		if (!lcp_list_signed(&l)) {
			assert_int_equal(l.sig.key.n + l.sig.block.n + l.sig.key_alg + l.sig.revocation, 0);
			continue;
		}
		assert_int_equal(l.sig.revocation, 0x0705);
		assert_int_equal(l.sig.key_alg, ecc ? LCP_ALG_ECC : LCP_ALG_RSA);
		assert_int_equal(l.sig.hash_alg, s->hash_alg);
		assert_int_equal(l.sig.exponent, new && !ecc ? LCP_SIG_EXPONENT : 0);
		assert_int_equal(l.sig.version[1], new ? LCP_SIG_VERSION : 0);
		assert_int_equal(lcp_sig_part_size(l.sig.key_alg, l.sig.key_bits), part);
		assert_ptr_equal(l.sig.key.p, bytes.p + sample_key_offset(s, elements));
		assert_int_equal(l.sig.key.n, part);
		assert_ptr_equal(l.sig.block.p, bytes.p + sample_block_offset(s, elements));
		assert_int_equal(l.sig.block.n, part);
	}
}

/* Everything short of the whole list is refused, but what ends right behind the key below 3.0. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_LISTS; i++) {
		const struct sample_list *s = &sample_lists[i];
		struct span bytes = sample_list_bytes(i);
		size_t elements = elements_size(s->version), used = 0, unsigned_size = SIZE_MAX;
		struct lcp_list l, untouched;

		memset(&l, 0x5a, sizeof(l));
		untouched = l;
		if (s->sig_alg != LCP_ALG_NULL && s->version < LCP_LIST_3_0)
			unsigned_size = sample_block_offset(s, elements);
		for (size_t n = 0; n < bytes.n; n++) {
			struct span cut = { bytes.p, n };
			enum lcp_error want = n < 8 + elements ? LCP_E_LIST_TRUNCATED : LCP_E_SIG_TRUNCATED;

			assert_int_equal(lcp_list_decode_prefix(cut, &l, &used), want);
			assert_memory_equal(&l, &untouched, sizeof(l));
			if (n != unsigned_size) {
				assert_int_equal(lcp_list_decode(cut, &l), want);
				assert_memory_equal(&l, &untouched, sizeof(l));
				continue;
			}
			assert_int_equal(lcp_list_decode(cut, &l), LCP_OK);
			assert_int_equal(l.sig.block.n, 0);
			assert_int_equal(lcp_list_validate(&l, NULL), LCP_OK);
			assert_true(recode(cut, (struct mspan){ (uint8_t[4096]){ 0 }, 4096 }, &used));
			assert_int_equal(used, n);
			l = untouched;
		}
	}
}

static void test_trailing(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_LISTS; i++) {
		struct span s = sample_list_bytes(i);
		uint8_t longer[4096] = { 0 };
		struct lcp_list l;
		size_t used = 0;

		memcpy(longer, s.p, s.n);
		assert_int_equal(lcp_list_decode((struct span){ longer, s.n + 1 }, &l), LCP_E_LIST_TRAILING);
		assert_int_equal(lcp_list_decode_prefix((struct span){ longer, s.n + 1 }, &l, &used), LCP_OK);
		assert_int_equal(used, s.n);
	}
}

/* Bytes that decode refuses; offsets count from the key's beginning if `key` is set. */
static void test_decode_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *sample;
		int at;
		uint8_t value;
		bool key;
		enum lcp_error error;
	} cases[] = {
		{ "2.0", 1, 0x00, false, LCP_E_LIST_VERSION },
		{ "2.0", 1, 0x04, false, LCP_E_LIST_VERSION },
		{ "2.0", 2, 0x16, false, LCP_E_LIST_SIG_ALG },
		{ "2.0", 3, 0x01, false, LCP_E_LIST_SIG_ALG },
		{ "1.0", 3, 0x02, false, LCP_E_LIST_SIG_ALG },
		{ "2.0", 7, 0xff, false, LCP_E_LIST_TRUNCATED },
		{ "2.0", 4, 0x0b, false, LCP_E_ELEMENT_TRUNCATED }, /* elements end inside the first header */
		{ "2.0", 8, 0x00, false, LCP_E_ELEMENT_SIZE },
		{ "2.0", 8, 0xff, false, LCP_E_ELEMENT_TRUNCATED },
		{ "2.0 rsassa 2048", -1, 0x00, true, LCP_E_SIG_KEY_SIZE },
		{ "2.0 rsassa 2048", -1, 0x03, true, LCP_E_SIG_TRUNCATED },
		{ "3.0", 2, 0x01, false, LCP_E_LIST_SIG_OFFSET },
		{ "3.0 rsapss 2048", 3, 0x00, false, LCP_E_LIST_SIG_OFFSET },
		{ "3.0 rsapss 2048", -9, 0x02, true, LCP_E_SIG_KEY_ALG },
		{ "3.0 rsapss 2048", -9, 0x23, true, LCP_E_SIG_SCHEME }, /* an ECC key of 2048 bits finds junk */
		{ "3.0 rsapss 2048", -6, 0x01, true, LCP_E_SIG_KEY_SIZE },
		{ "3.0 rsapss 2048", -5, 0x00, true, LCP_E_SIG_KEY_SIZE },
		{ "3.0 rsapss 2048", 256, 0x18, true, LCP_E_SIG_SCHEME },
		{ "3.0 rsapss 2048", 256, 0x10, true, LCP_E_SIG_SCHEME },
		{ "3.0 rsapss 2048", 260, 0x0c, true, LCP_E_SIG_KEY_MISMATCH },
		{ "3.0 ecdsa 256", 64, 0x14, true, LCP_E_SIG_SCHEME },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		size_t number = sample(cases[i].sample);
		const struct sample_list *s = &sample_lists[number];
		struct span bytes = sample_list_bytes(number);
		size_t base = cases[i].key ? sample_key_offset(s, elements_size(s->version)) : 0;
		uint8_t copy[4096];
		struct lcp_list l;
		enum lcp_error error;

		memcpy(copy, bytes.p, bytes.n);
		copy[base + (size_t)cases[i].at] = cases[i].value;
		error = lcp_list_decode((struct span){ copy, bytes.n }, &l);
		if (error != cases[i].error)
			fail_msg("case %zu: %s", i, lcp_strerror(error));
	}
}

static void test_validate(void **state)
{
	(void)state;
	const struct lcp_list old = decoded(sample("1.0"));
	int where = 7;
	struct lcp_list l = old;

	l.version = 0x0101;
	assert_int_equal(lcp_list_validate(&l, &where), LCP_E_LIST_VERSION);
	assert_int_equal(where, -1);
	l = old;
	l.reserved = 1;
	assert_int_equal(lcp_list_validate(&l, &where), LCP_E_LIST_RESERVED);
	l = decoded(sample("2.0"));
	l.version = 0x0202;
	assert_int_equal(lcp_list_validate(&l, &where), LCP_E_LIST_VERSION);
	l = decoded(sample("2.0"));
	l.elements.n = 0;
	assert_int_equal(lcp_list_validate(&l, &where), LCP_E_LIST_EMPTY);
	l = decoded(sample("2.0"));
	l.sig.revocation = 1;
	assert_int_equal(lcp_list_validate(&l, &where), LCP_E_SIG_FIELD);
	l = decoded(sample("2.0"));
	l.reserved = 1;
	assert_int_equal(lcp_list_validate(&l, &where), LCP_E_LIST_RESERVED);
	l = decoded(sample("2.0"));
	l.sig_alg = LCP_ALG_RSAPSS;
	assert_int_equal(lcp_list_validate(&l, &where), LCP_E_LIST_SIG_ALG);
}

static void test_validate_old_signature(void **state)
{
	(void)state;
	const struct lcp_list rsa = decoded(sample("2.0 rsassa 2048"));
	struct lcp_list l = rsa;

	l.sig.exponent = 3;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_FIELD);
	l = rsa;
	l.sig.hash_alg = LCP_ALG_SHA256;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_FIELD);
	l = rsa;
	l.sig.version[2] = 0x10;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_FIELD);
	l = rsa;
	l.sig.reserved = 1;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_FIELD);
	l = rsa;
	l.sig.key_alg = LCP_ALG_ECC;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_KEY_ALG);
	l = rsa;
	l.sig.key_bits = 3072;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_SIZE);
	l = rsa;
	l.sig.block.n--;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_SIZE);
	l = rsa;
	l.sig.key_bits = 1024;
	l.sig.key.n = l.sig.block.n = 128;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_OK);
	l.sig.key_bits = 512;
	l.sig.key.n = l.sig.block.n = 64;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_KEY_SIZE);
	l = decoded(sample("2.1 ecdsa 256"));
	l.sig.reserved = 1;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_RESERVED);
	l = decoded(sample("2.1 ecdsa 384"));
	l.sig_alg = LCP_ALG_SM2;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_KEY_SIZE);
}

static void test_validate_signature_3(void **state)
{
	(void)state;
	const struct lcp_list pss = decoded(sample("3.0 rsapss 2048"));
	struct lcp_list l = pss;

	for (unsigned i = 0; i < 3; i++) {
		l = pss;
		l.sig.version[i] = 0x11;
		assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_VERSION);
	}
	l = pss;
	l.sig.exponent = 3;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_EXPONENT);
	l = pss;
	l.sig.hash_alg = LCP_ALG_SHA1;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_HASH_ALG);
	l = pss;
	l.sig.reserved = 1;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_FIELD);
	l = pss;
	l.sig.key_bits = 1024;
	l.sig.key.n = l.sig.block.n = 128;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_KEY_SIZE);
	l = pss;
	l.sig.block.n = 0;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_SIZE);
	l = decoded(sample("3.0 ecdsa 256"));
	l.sig.exponent = 1;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_FIELD);
	l = decoded(sample("3.0 sm2"));
	l.sig.hash_alg = LCP_ALG_SHA256;
	assert_int_equal(lcp_list_validate(&l, NULL), LCP_E_SIG_HASH_ALG);
}

/* Errors of an element come with its number; two of a kind are one too many, but for custom elements. */
static void test_validate_elements(void **state)
{
	(void)state;
	static const struct {
		uint32_t types[3];
		size_t spoil; /* byte that is set to 0x77, if not 0 */
		enum lcp_error error;
		int where;
	} cases[] = {
		{ { 0x10, 0x14, 0x11 }, 0, LCP_OK, 9 },
		{ { 0x10, 0x00, 0x04 }, 0, LCP_OK, 9 },
		{ { 0x13, 0x13, 0x03 }, 0, LCP_OK, 9 },
		{ { 0x10, 0x14, 0x10 }, 0, LCP_E_LIST_DUPLICATE, 2 },
		{ { 0x11, 0x11, 0x10 }, 0, LCP_E_LIST_DUPLICATE, 1 },
		{ { 0x10, 0x77, 0x11 }, 0, LCP_E_ELEMENT_TYPE, 1 },
		{ { 0x10, 0x14, 0x11 }, 13, LCP_E_ELEMENT_RESERVED, 0 },
		{ { 0x13, 0x10, 0x11 }, 33 + 14, LCP_E_ELEMENT_HASH_ALG, 1 },
		{ { 0x13, 0x10, 0x11 }, 33 + 82 + 19, LCP_E_PCR_INFO_SELECTIONS, 2 },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		uint8_t elements[1024];
		struct wr w = wr_init((struct mspan){ elements, sizeof(elements) });
		struct lcp_list l = { .version = LCP_LIST_2_1, .sig_alg = LCP_ALG_NULL };
		int where = 9;
		enum lcp_error error;

		for (unsigned k = 0; k < 3; k++)
			sample_element(&w, cases[i].types[k], (uint8_t)k);
		if (cases[i].spoil)
			elements[cases[i].spoil] = 0x77;
		l.elements = wr_span(&w);
		error = lcp_list_validate(&l, &where);
		if (error != cases[i].error || where != cases[i].where)
			fail_msg("case %zu: element %d: %s", i, where, lcp_strerror(error));
	}
}

static void test_encode_limits(void **state)
{
	(void)state;
	static uint8_t big[70000];
	struct lcp_list l = decoded(sample("3.0 ecdsa 256"));
	uint8_t buf[4096];
	size_t n = 99;

	l.elements = (struct span){ big, UINT16_MAX - 10 };
	assert_int_equal(lcp_list_encode(&l, (struct mspan){ NULL, 0 }, &n), LCP_OK);
	l.elements.n++;
	n = 99;
	assert_int_equal(lcp_list_encode(&l, (struct mspan){ NULL, 0 }, &n), LCP_E_LIST_SIZE);
	assert_int_equal(n, 99);
	l = decoded(sample("3.0"));
	l.elements = SPAN_OF(big);
	assert_int_equal(lcp_list_encode(&l, (struct mspan){ NULL, 0 }, &n), LCP_OK);
	l.elements.n = (size_t)UINT32_MAX + 1; /* measured only: nothing is read */
	assert_int_equal(lcp_list_encode(&l, (struct mspan){ NULL, 0 }, &n), LCP_E_LIST_SIZE);
	l = decoded(sample("2.0 rsassa 2048"));
	l.sig.key_bits = 8 * 65536;
	assert_int_equal(lcp_list_encode(&l, (struct mspan){ NULL, 0 }, &n), LCP_E_SIG_KEY_SIZE);
	l.sig.key_bits = 2047;
	assert_int_equal(lcp_list_encode(&l, (struct mspan){ NULL, 0 }, &n), LCP_E_SIG_KEY_SIZE);
	l = decoded(sample("3.0"));
	l.version = 0x0400;
	assert_int_equal(lcp_list_encode(&l, (struct mspan){ NULL, 0 }, &n), LCP_E_LIST_VERSION);
	for (size_t i = 0; i < SAMPLE_LISTS; i++) {
		size_t size = sample_list_bytes(i).n;

		l = decoded(i);
		n = 99;
		for (size_t cap = 0; cap < size; cap += cap < 16 ? 1 : 31)
			assert_int_equal(lcp_list_encode(&l, (struct mspan){ buf, cap }, &n), LCP_E_BUFFER);
		assert_int_equal(lcp_list_encode(&l, (struct mspan){ buf, size - 1 }, &n), LCP_E_BUFFER);
		assert_int_equal(n, 99);
		assert_int_equal(lcp_list_encode(&l, (struct mspan){ buf, size }, &n), LCP_OK);
		assert_int_equal(n, size);
	}
}

static void test_sig_hash_alg(void **state)
{
	(void)state;
	static const struct {
		const char *sample;
		uint16_t alg;
	} cases[] = {
		{ "1.0", LCP_ALG_NULL },
		{ "1.0 rsassa 2048", LCP_ALG_SHA1 },
		{ "2.0 rsassa 2048", LCP_ALG_NULL },
		{ "2.1 ecdsa 256", LCP_ALG_SHA256 },
		{ "2.1 ecdsa 384", LCP_ALG_SHA384 },
		{ "2.1 sm2", LCP_ALG_SM3_256 },
		{ "3.0 rsapss 3072", LCP_ALG_SHA384 },
		{ "3.0 ecdsa 256", LCP_ALG_SHA256 },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct lcp_list l = decoded(sample(cases[i].sample));

		assert_int_equal(lcp_list_sig_hash_alg(&l), cases[i].alg);
	}
}

static void test_reverse(void **state)
{
	(void)state;
	static const uint8_t in[] = { 1, 2, 3 }, want[] = { 3, 2, 1 };
	uint8_t out[3];

	lcp_reverse(out, SPAN_OF(in));
	assert_memory_equal(out, want, 3);
}

static void test_print(void **state)
{
	(void)state;
	static char buf[1 << 16];
	struct text t = TEXT_OF(buf);
	struct lcp_list l = decoded(sample("2.1 ecdsa 256"));

	lcp_list_print(&l, 2, &t);
	assert_non_null(strstr(buf, "  version: 2.1\n  sig_alg: ecdsa\n"));
	assert_non_null(strstr(buf, "  element: 0\n    type: mle2 (0x10)\n"));
	assert_non_null(strstr(buf,
		"  signature: \n    revocation_counter: 1797\n    key_alg: ecc\n    key_bits: 256\n    hash_alg: sha256\n    qx: 3031"));
	assert_non_null(strstr(buf, "\n    qy: 5051"));
	assert_non_null(strstr(buf, "\n    r: 9091"));
	assert_non_null(strstr(buf, "\n    s: b0b1"));
	t = TEXT_OF(buf);
	l = decoded(sample("3.0 rsapss 3072"));
	lcp_list_print(&l, 0, &t);
	assert_non_null(strstr(buf, "exponent: 65537\n  hash_alg: sha384\n  modulus: 3031"));
	assert_non_null(strstr(buf, "\n  signature: 9091"));
	t = TEXT_OF(buf);
	l = decoded(sample("2.0 rsassa 2048"));
	l.sig.block.n = 0;
	l.elements.n--;
	lcp_list_print(&l, 0, &t);
	assert_non_null(strstr(buf, "error: the element's header or size"));
	assert_non_null(strstr(buf, "signature: none yet\n"));
	assert_false(t.cut);
}

static void test_names(void **state)
{
	(void)state;
	static const char *const names[] = { "1.0", "2.0", "2.1", "3.0" };
	uint16_t version = 0;

	for (size_t i = 0; i < GL_COUNT(names); i++) {
		assert_true(lcp_list_version_by_name(span_str(names[i]), &version));
		assert_string_equal(lcp_list_version_name(version), names[i]);
	}
	assert_false(lcp_list_version_by_name(SPAN_LITERAL("2.2"), &version));
	assert_null(lcp_list_version_name(0x0202));
	assert_int_equal(lcp_sig_part_size(0x99, 256), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_decode_refuses),
		cmocka_unit_test(test_validate),
		cmocka_unit_test(test_validate_old_signature),
		cmocka_unit_test(test_validate_signature_3),
		cmocka_unit_test(test_validate_elements),
		cmocka_unit_test(test_encode_limits),
		cmocka_unit_test(test_sig_hash_alg),
		cmocka_unit_test(test_reverse),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("lcp_list", tests, NULL, NULL);
}
