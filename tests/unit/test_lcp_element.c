/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lcp/element.h"
#include "lcp_samples.h"

static bool recode(struct span in, struct mspan out, size_t *n)
{
	struct lcp_element e;

	return lcp_element_decode(in, &e) == LCP_OK && lcp_element_encode(&e, out, n) == LCP_OK;
}

static uint8_t sample[256];
static size_t sample_size;

static struct span bytes_of(uint32_t type)
{
	struct wr w = wr_init((struct mspan){ sample, sizeof(sample) });

	sample_element(&w, type, 0x20);
	assert_false(w.bad);
	sample_size = w.off;
	return wr_span(&w);
}

static struct lcp_element decoded(uint32_t type)
{
	struct lcp_element e;

	memset(&e, 0, sizeof(e));
	assert_int_equal(lcp_element_decode(bytes_of(type), &e), LCP_OK);
	return e;
}

static void test_mutations(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_TYPES; i++)
		assert_recodes_mutations(bytes_of(sample_types[i]), recode);
}

static void test_samples_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_TYPES; i++) {
		struct lcp_element e = decoded(sample_types[i]);
		bool known = lcp_element_type_name(e.type);

		assert_int_equal(lcp_element_validate(&e), known ? LCP_OK : LCP_E_ELEMENT_TYPE);
	}
}

static void test_fields(void **state)
{
	(void)state;
	struct lcp_element e = decoded(LCP_ELEMENT_MLE2);

	assert_int_equal(e.type, 0x10);
	assert_int_equal(e.control, LCP_ELEMENT_OVERRIDE_PS);
	assert_int_equal(e.sinit_min_version, 0x11);
	assert_int_equal(e.hash_alg, LCP_ALG_SHA256);
	assert_int_equal(e.count, 2);
	assert_ptr_equal(e.hashes.p, sample + 18);
	assert_int_equal(e.hashes.n, 64);
	assert_ptr_equal(lcp_element_hash(&e, 1).p, sample + 18 + 32);
	assert_int_equal(lcp_element_hash(&e, 1).n, 32);
	assert_int_equal(lcp_element_hash(&e, 2).n, 0);

	e = decoded(LCP_ELEMENT_MLE);
	assert_int_equal(e.hash_alg, LCP_ALG_SHA1);
	assert_int_equal(e.sinit_min_version, 0x11);
	assert_int_equal(e.hashes.n, 40);

	e = decoded(LCP_ELEMENT_SBIOS2);
	assert_ptr_equal(e.fallback.p, sample + 16);
	assert_int_equal(e.fallback.n, 32);
	assert_int_equal(e.count, 1);
	assert_ptr_equal(e.hashes.p, sample + 52);

	e = decoded(LCP_ELEMENT_SBIOS);
	assert_ptr_equal(e.fallback.p, sample + 16);
	assert_int_equal(e.fallback.n, 20);
	assert_ptr_equal(e.hashes.p, sample + 40);

	e = decoded(LCP_ELEMENT_STM2);
	assert_ptr_equal(e.hashes.p, sample + 16);
	assert_int_equal(e.hashes.n, 64);
	e = decoded(LCP_ELEMENT_STM);
	assert_ptr_equal(e.hashes.p, sample + 16);
	assert_int_equal(e.hashes.n, 40);

	e = decoded(LCP_ELEMENT_CUSTOM2);
	assert_memory_equal(e.uuid, sample + 12, 16);
	assert_ptr_equal(e.data.p, sample + 28);
	assert_int_equal(e.data.n, 5);
	e = decoded(LCP_ELEMENT_CUSTOM);
	assert_int_equal(e.data.n, 5);

	e = decoded(0x77);
	assert_ptr_equal(e.data.p, sample + 12);
	assert_int_equal(e.data.n, 21);
}

/* Bytes that decode refuses. */
static void test_decode_refuses(void **state)
{
	(void)state;
	static const struct {
		uint32_t type;
		size_t at;
		uint8_t value;
		enum lcp_error error;
	} cases[] = {
		{ 0x10, 0, 0x00, LCP_E_ELEMENT_SIZE },
		{ 0x10, 0, 0x0b, LCP_E_ELEMENT_SIZE },
		{ 0x10, 0, 0x0c, LCP_E_ELEMENT_TRAILING }, /* the element ends early, its rest is left over */
		{ 0x10, 0, 0xff, LCP_E_ELEMENT_TRUNCATED },
		{ 0x10, 3, 0xff, LCP_E_ELEMENT_TRUNCATED },
		{ 0x10, 14, 0x99, LCP_E_ELEMENT_HASH_ALG },
		{ 0x00, 13, 0x01, LCP_E_ELEMENT_HASH_ALG },
		{ 0x10, 16, 0x03, LCP_E_ELEMENT_BODY },
		{ 0x10, 17, 0xff, LCP_E_ELEMENT_BODY },
		{ 0x10, 16, 0x01, LCP_E_ELEMENT_TRAILING },
		{ 0x12, 50, 0x02, LCP_E_ELEMENT_BODY },
		{ 0x11, 14, 0x01, LCP_E_ELEMENT_HASH_COUNT },
		{ 0x11, 14, 0x03, LCP_E_ELEMENT_HASH_COUNT },
		{ 0x11, 19, 0x02, LCP_E_PCR_INFO_SELECTIONS },
		{ 0x11, 19, 0x00, LCP_E_PCR_INFO_SELECTIONS },
		{ 0x11, 22, 0xff, LCP_E_PCR_INFO_TRUNCATED },
		{ 0x11, 26, 0xff, LCP_E_PCR_INFO_TRUNCATED },
		{ 0x01, 12, 0x02, LCP_E_ELEMENT_HASH_COUNT },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct lcp_element e;
		struct span bytes = bytes_of(cases[i].type);

		sample[cases[i].at] = cases[i].value;
		if (lcp_element_decode(bytes, &e) != cases[i].error)
			fail_msg("case %zu: %s", i, lcp_strerror(lcp_element_decode(bytes, &e)));
	}
}

static void test_decode_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_TYPES; i++) {
		struct span bytes = bytes_of(sample_types[i]);
		struct lcp_element e, untouched;

		memset(&e, 0x5a, sizeof(e));
		untouched = e;
		for (size_t n = 0; n < bytes.n; n++)
			assert_int_equal(lcp_element_decode((struct span){ bytes.p, n }, &e), LCP_E_ELEMENT_TRUNCATED);
		/* the size says less: the body ends early */
		for (size_t n = 12; n < bytes.n; n++) {
			sample[0] = (uint8_t)n;
			if (lcp_element_decode((struct span){ bytes.p, n }, &e) == LCP_OK)
				assert_true(e.type == 0x77 || ((e.type & 0xf) == 3 && n >= 28));
			memcpy(&e, &untouched, sizeof(e));
		}
	}
}

/* Bytes that decode takes and validate refuses. */
static void test_validate_bytes(void **state)
{
	(void)state;
	static const struct {
		uint32_t type;
		size_t at;
		uint8_t value;
		enum lcp_error error;
	} cases[] = {
		{ 0x10, 8, 0x08, LCP_E_ELEMENT_CONTROL },
		{ 0x10, 11, 0x80, LCP_E_ELEMENT_CONTROL },
		{ 0x10, 13, 0x01, LCP_E_ELEMENT_RESERVED },
		{ 0x12, 15, 0x01, LCP_E_ELEMENT_RESERVED },
		{ 0x12, 49, 0x01, LCP_E_ELEMENT_RESERVED },
		{ 0x02, 15, 0x01, LCP_E_ELEMENT_RESERVED },
		{ 0x04, 13, 0x01, LCP_E_ELEMENT_RESERVED },
		{ 0x11, 21, 0x0c, LCP_E_PCR_INFO_HASH_ALG },
		{ 0x11, 24, 0x01, LCP_E_PCR_INFO_SELECT }, /* PCR 8 */
		{ 0x11, 23, 0x00, LCP_E_PCR_INFO_SELECT }, /* none */
		{ 0x01, 16, 0x00, LCP_E_PCR_INFO_SELECT },
		{ 0x01, 17, 0x00, LCP_E_PCR_INFO_LOCALITY },
		{ 0x01, 17, 0x20, LCP_E_PCR_INFO_LOCALITY },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct lcp_element e;
		struct span bytes = bytes_of(cases[i].type);

		sample[cases[i].at] = cases[i].value;
		assert_int_equal(lcp_element_decode(bytes, &e), LCP_OK);
		if (lcp_element_validate(&e) != cases[i].error)
			fail_msg("case %zu: %s", i, lcp_strerror(lcp_element_validate(&e)));
	}
}

/* Structures that no bytes give. */
static void test_validate_structs(void **state)
{
	(void)state;
	static const uint8_t five[5];
	const struct span some = SPAN_OF(five);
	struct lcp_element e = decoded(LCP_ELEMENT_MLE2);
	size_t n;

	e.count = 1;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_HASH_COUNT);
	assert_int_equal(lcp_element_encode(&e, (struct mspan){ NULL, 0 }, &n), LCP_E_ELEMENT_HASH_COUNT);
	e = decoded(LCP_ELEMENT_MLE2);
	e.count = 0;
	e.hashes.n = 0;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_NO_HASHES);
	e = decoded(LCP_ELEMENT_PCONF2);
	e.count = 0;
	e.pcr_infos.n = 0;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_NO_HASHES);
	e = decoded(LCP_ELEMENT_PCONF2);
	e.count = 1;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_HASH_COUNT);
	e = decoded(LCP_ELEMENT_SBIOS2);
	e.count = 0;
	e.hashes.n = 0;
	assert_int_equal(lcp_element_validate(&e), LCP_OK);
	e.fallback.n = 20;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_HASH_COUNT);
	e = decoded(LCP_ELEMENT_MLE2);
	e.hash_alg = 0x99;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_HASH_ALG);
	e = decoded(LCP_ELEMENT_MLE);
	e.hash_alg = LCP_ALG_SHA256;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_HASH_ALG);

	/* fields that the type does not have */
	e = decoded(LCP_ELEMENT_STM2);
	e.sinit_min_version = 1;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_FIELD);
	e = decoded(LCP_ELEMENT_CUSTOM2);
	e.hash_alg = LCP_ALG_SHA256;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_FIELD);
	e = decoded(LCP_ELEMENT_CUSTOM2);
	e.count = 1;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_FIELD);
	e = decoded(LCP_ELEMENT_CUSTOM2);
	e.hashes = some;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_FIELD);
	e = decoded(LCP_ELEMENT_CUSTOM2);
	e.pcr_infos = some;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_FIELD);
	e = decoded(LCP_ELEMENT_MLE2);
	e.fallback = some;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_FIELD);
	e = decoded(LCP_ELEMENT_MLE2);
	e.data = some;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_FIELD);
	e = decoded(LCP_ELEMENT_MLE2);
	e.uuid[15] = 1;
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_FIELD);
	e = decoded(LCP_ELEMENT_MLE2);
	e.reserved[1] = 1; /* the type has one reserved byte */
	assert_int_equal(lcp_element_validate(&e), LCP_E_ELEMENT_FIELD);
}

static void test_encode_buffer(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_TYPES; i++) {
		struct lcp_element e = decoded(sample_types[i]);
		uint8_t buf[sizeof(sample)];
		size_t n = 99;

		for (size_t cap = 0; cap < sample_size; cap++)
			assert_int_equal(lcp_element_encode(&e, (struct mspan){ buf, cap }, &n), LCP_E_BUFFER);
		assert_int_equal(n, 99);
		assert_int_equal(lcp_element_encode(&e, (struct mspan){ NULL, 0 }, &n), LCP_OK);
		assert_int_equal(n, sample_size);
	}
}

static void test_walk(void **state)
{
	(void)state;
	static uint8_t bytes[2048];
	struct wr w = wr_init((struct mspan){ bytes, sizeof(bytes) });
	struct lcp_elements it;
	struct span one;
	unsigned count = 0;

	for (size_t i = 0; i < SAMPLE_TYPES; i++)
		sample_element(&w, sample_types[i], (uint8_t)i);
	it = lcp_elements_in(wr_span(&w));
	while (lcp_elements_left(&it)) {
		struct lcp_element e;

		assert_int_equal(lcp_elements_next(&it, &one), LCP_OK);
		assert_int_equal(lcp_element_decode(one, &e), LCP_OK);
		assert_int_equal(e.type, sample_types[count++]);
	}
	assert_int_equal(count, SAMPLE_TYPES);
}

/* A size of zero, one that wraps, one over the end: an error, and the walk is over. */
static void test_walk_ends(void **state)
{
	(void)state;
	static const struct {
		uint32_t size;
		enum lcp_error error;
	} cases[] = {
		{ 0, LCP_E_ELEMENT_SIZE },
		{ 11, LCP_E_ELEMENT_SIZE },
		{ 25, LCP_E_ELEMENT_TRUNCATED },
		{ 0x80000000, LCP_E_ELEMENT_TRUNCATED },
		{ 0xffffffff, LCP_E_ELEMENT_TRUNCATED },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		uint8_t bytes[24] = { 0 };
		struct wr w = wr_init((struct mspan){ bytes, sizeof(bytes) });
		struct lcp_elements it = lcp_elements_in(SPAN_OF(bytes));
		struct span one = { bytes, 7 };

		wr_le32(&w, cases[i].size);
		assert_int_equal(lcp_elements_next(&it, &one), cases[i].error);
		assert_int_equal(one.n, 7);
		assert_false(lcp_elements_left(&it));
	}
}

static void test_print(void **state)
{
	(void)state;
	static char buf[4096];
	struct text t = TEXT_OF(buf);
	struct lcp_element e = decoded(LCP_ELEMENT_PCONF);

	lcp_element_print(&e, 2, &t);
	assert_string_equal(buf,
		"  type: pconf (0x01)\n"
		"  control: 0x00000001\n"
		"  num_pcr_infos: 1\n"
		"    pcr_info: 0\n"
		"      hash_alg: sha1\n"
		"      pcrs: 0,7\n"
		"      locality: 0x1f\n"
		"      digest: 202122232425262728292a2b2c2d2e2f30313233\n");
	t = TEXT_OF(buf);
	e = decoded(LCP_ELEMENT_CUSTOM2);
	lcp_element_print(&e, 0, &t);
	assert_string_equal(buf,
		"type: custom2 (0x13)\n"
		"control: 0x00000001\n"
		"uuid: 23222120-2524-2726-2928-2a2b2c2d2e2f\n"
		"data_size: 5\n"
		"data: 3031323334\n");
	t = TEXT_OF(buf);
	e = decoded(LCP_ELEMENT_SBIOS);
	e.reserved[2] = 9;
	lcp_element_print(&e, 0, &t);
	assert_non_null(strstr(buf, "fallback_hash: 20212223"));
	assert_non_null(strstr(buf, "num_hashes: 1\n  hash: 3435"));
	assert_non_null(strstr(buf, "reserved: 0000090000\n"));
	for (size_t i = 0; i < SAMPLE_TYPES; i++) {
		e = decoded(sample_types[i]);
		t = TEXT_OF(buf);
		lcp_element_print(&e, 0, &t);
		assert_false(t.cut);
		assert_non_null(strstr(buf, lcp_element_type_name(e.type) ? lcp_element_type_name(e.type) : "unknown (0x77)"));
	}
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i + 1 < SAMPLE_TYPES; i++) {
		uint32_t type = 99;

		assert_true(lcp_element_type_by_name(span_str(lcp_element_type_name(sample_types[i])), &type));
		assert_int_equal(type, sample_types[i]);
	}
	assert_null(lcp_element_type_name(0x05));
	assert_false(lcp_element_type_by_name(SPAN_LITERAL("mle3"), &(uint32_t){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_samples_valid),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_decode_refuses),
		cmocka_unit_test(test_decode_cut),
		cmocka_unit_test(test_validate_bytes),
		cmocka_unit_test(test_validate_structs),
		cmocka_unit_test(test_encode_buffer),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_walk_ends),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("lcp_element", tests, NULL, NULL);
}
