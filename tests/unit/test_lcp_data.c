/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "evp.h"
#include "lcp/custom.h"
#include "lcp/digest.h"
#include "lcp_samples.h"
#include "tboot-policy/vlp.h"

static uint8_t file[16384];

static bool recode(struct span in, struct mspan out, size_t *n)
{
	static struct lcp_data d;

	return lcp_data_decode(in, &d, NULL) == LCP_OK && lcp_data_encode(&d, out, n) == LCP_OK;
}

/* Policy data with `count` sample lists from number `first` on. */
static struct span bytes_of(size_t first, size_t count)
{
	struct wr w = wr_init((struct mspan){ file, sizeof(file) });

	wr_bytes(&w, SPAN_LITERAL("Intel(R) TXT LCP_POLICY_DATA\0\0\0\0\0\0\0"));
	wr_u8(&w, (uint8_t)count);
	for (size_t i = 0; i < count; i++)
		wr_bytes(&w, sample_list_bytes((first + i) % SAMPLE_LISTS));
	assert_false(w.bad);
	return wr_span(&w);
}

static struct lcp_data decoded(struct span bytes)
{
	static struct lcp_data d;

	memset(&d, 0, sizeof(d));
	assert_int_equal(lcp_data_decode(bytes, &d, NULL), LCP_OK);
	return d;
}

static void test_all_lists(void **state)
{
	(void)state;
	for (size_t first = 0; first < SAMPLE_LISTS; first++) {
		for (size_t count = 1; count <= LCP_MAX_LISTS; count += 7) {
			struct lcp_data d = decoded(bytes_of(first, count));
			static uint8_t out[sizeof(file)];
			size_t n = 0;

			assert_int_equal(d.list_count, count);
			for (size_t i = 0; i < count; i++) {
				assert_int_equal(d.lists[i].version, sample_lists[(first + i) % SAMPLE_LISTS].version);
				assert_int_equal(d.lists[i].sig_alg, sample_lists[(first + i) % SAMPLE_LISTS].sig_alg);
			}
			assert_int_equal(lcp_data_validate(&d, NULL), LCP_OK);
			assert_true(recode(bytes_of(first, count), (struct mspan){ out, sizeof(out) }, &n));
			assert_int_equal(n, bytes_of(first, count).n);
			assert_memory_equal(out, file, n);
		}
	}
}

static void test_mutations(void **state)
{
	(void)state;
	static uint8_t copy[sizeof(file)];
	/* unsigned, signed 2.0, signed 3.0 */
	static const size_t firsts[] = { 2, 5, 8, 13 };

	for (size_t i = 0; i < GL_COUNT(firsts); i++) {
		struct span s = bytes_of(firsts[i], 2);

		memcpy(copy, s.p, s.n);
		assert_recodes_mutations((struct span){ copy, s.n }, recode);
	}
}

static void test_refuses(void **state)
{
	(void)state;
	struct span s = bytes_of(2, 2);
	struct lcp_where where = { 7, 7 };
	static struct lcp_data d, untouched;
	size_t first = sample_list_bytes(2).n;

	memset(&d, 0x5a, sizeof(d));
	untouched = d;
	for (size_t n = 0; n < 36; n++)
		assert_int_equal(lcp_data_decode((struct span){ s.p, n }, &d, &where), LCP_E_DATA_TRUNCATED);
	assert_int_equal(where.list, -1);
	for (size_t n = 36; n < s.n; n++) {
		assert_int_not_equal(lcp_data_decode((struct span){ s.p, n }, &d, &where), LCP_OK);
		assert_int_equal(where.list, n < 36 + first ? 0 : 1);
		assert_int_equal(where.element, -1);
	}
	assert_memory_equal(&d, &untouched, sizeof(d));
	file[s.n] = 0;
	assert_int_equal(lcp_data_decode((struct span){ s.p, s.n + 1 }, &d, &where), LCP_E_DATA_TRAILING);
	assert_int_equal(where.list, -1);
	for (size_t i = 0; i < 32; i++) {
		s = bytes_of(2, 2);
		file[i] ^= 0x20;
		assert_int_equal(lcp_data_decode(s, &d, &where), LCP_E_DATA_SIGNATURE);
	}
	s = bytes_of(2, 2);
	file[35] = 9;
	assert_int_equal(lcp_data_decode(s, &d, &where), LCP_E_DATA_LISTS);
	file[35] = 3;
	assert_int_equal(lcp_data_decode(s, &d, &where), LCP_E_LIST_TRUNCATED);
	assert_int_equal(where.list, 2);
	file[35] = 1;
	assert_int_equal(lcp_data_decode(s, &d, &where), LCP_E_DATA_TRAILING);
	assert_memory_equal(&d, &untouched, sizeof(d));
}

static void test_validate(void **state)
{
	(void)state;
	struct lcp_data d = decoded(bytes_of(2, 3));
	struct lcp_where where = { 7, 7 };
	size_t n = 99;

	d.reserved[2] = 1;
	assert_int_equal(lcp_data_validate(&d, &where), LCP_E_DATA_RESERVED);
	d.reserved[2] = 0;
	d.list_count = 0;
	assert_int_equal(lcp_data_validate(&d, &where), LCP_E_DATA_LISTS);
	assert_int_equal(where.list, -1);
	assert_int_equal(lcp_data_encode(&d, (struct mspan){ NULL, 0 }, &n), LCP_OK);
	assert_int_equal(n, LCP_DATA_HEADER_SIZE);
	d.list_count = 9;
	assert_int_equal(lcp_data_validate(&d, &where), LCP_E_DATA_LISTS);
	assert_int_equal(lcp_data_encode(&d, (struct mspan){ NULL, 0 }, &n), LCP_E_DATA_LISTS);
	d.list_count = 3;
	d.lists[1].sig.block.n = 0;
	assert_int_equal(lcp_data_validate(&d, &where), LCP_E_SIG_UNSIGNED);
	assert_int_equal(where.list, 1);
	assert_int_equal(where.element, -1);
	assert_int_equal(lcp_data_encode(&d, (struct mspan){ NULL, 0 }, &n), LCP_E_SIG_UNSIGNED);
	d = decoded(bytes_of(2, 3));
	file[36 + 8 + 13] = 1; /* reserved byte of the first list's MLE2 */
	assert_int_equal(lcp_data_validate(&d, &where), LCP_E_ELEMENT_RESERVED);
	assert_int_equal(where.list, 0);
	assert_int_equal(where.element, 0);
}

static void test_encode_buffer(void **state)
{
	(void)state;
	static uint8_t out[sizeof(file)];
	struct span s = bytes_of(2, 2);
	struct lcp_data d = decoded(s);
	size_t n = 99;

	for (size_t cap = 0; cap < s.n; cap++)
		assert_int_equal(lcp_data_encode(&d, (struct mspan){ out, cap }, &n), LCP_E_BUFFER);
	assert_int_equal(n, 99);
	assert_int_equal(lcp_data_encode(&d, (struct mspan){ NULL, 0 }, &n), LCP_OK);
	assert_int_equal(n, s.n);
}

static void test_print(void **state)
{
	(void)state;
	static char buf[1 << 16];
	struct text t = TEXT_OF(buf);
	struct lcp_data d = decoded(bytes_of(2, 2));

	lcp_data_print(&d, &t);
	assert_false(t.cut);
	assert_memory_equal(buf, "num_lists: 2\nlist: 0\n  version: 2.0\n", 34);
	assert_non_null(strstr(buf, "\nlist: 1\n  version: 2.0\n  sig_alg: rsassa\n"));
}

/* ------------------------------------------------------------ digests */

static void test_list_hash(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_LISTS; i++) {
		const struct sample_list *s = &sample_lists[i];
		struct span bytes = sample_list_bytes(i), covered = bytes;
		struct lcp_list l;
		struct digests d;
		size_t elements;

		assert_int_equal(lcp_list_decode(bytes, &l), LCP_OK);
		elements = l.elements.n;
		if (lcp_list_signed(&l))
			covered = (struct span){ bytes.p + sample_key_offset(s, elements), l.sig.key.n };
		assert_int_equal(lcp_list_hash(&l, ALG_SET_ALL, &d), LCP_OK);
		assert_int_equal(d.banks, ALG_SET_ALL);
		for (enum alg a = 0; a < ALG_COUNT; a++) {
			uint8_t want[DIGEST_MAX];

			evp(a, covered, want);
			assert_memory_equal(d.d[a], want, alg_table[a].size);
		}
	}
}

static void test_signed_part(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_LISTS; i++) {
		const struct sample_list *s = &sample_lists[i];
		struct span bytes = sample_list_bytes(i);
		struct lcp_list l;
		struct digests d;
		size_t want;

		assert_int_equal(lcp_list_decode(bytes, &l), LCP_OK);
		want = s->version < LCP_LIST_3_0 ? sample_block_offset(s, l.elements.n) : 8 + l.elements.n + 2;
		if (!lcp_list_signed(&l)) {
			assert_int_equal(lcp_list_signed_size(&l), 0);
			assert_int_equal(lcp_list_signed_hash(&l, ALG_SET_ALL, &d), LCP_E_LIST_SIG_ALG);
			continue;
		}
		/* the block need not be there, in 3.0 the key neither */
		l.sig.block.n = 0;
		if (s->version == LCP_LIST_3_0)
			l.sig.key.n = 0;
		assert_int_equal(lcp_list_signed_size(&l), want);
		assert_int_equal(lcp_list_signed_hash(&l, ALG_SET_ALL, &d), LCP_OK);
		for (enum alg a = 0; a < ALG_COUNT; a++) {
			uint8_t digest[DIGEST_MAX];

			evp(a, (struct span){ bytes.p, want }, digest);
			assert_memory_equal(d.d[a], digest, alg_table[a].size);
		}
		l.version = 0x0500;
		assert_int_equal(lcp_list_signed_size(&l), 0);
		assert_int_equal(lcp_list_signed_hash(&l, ALG_SET_ALL, &d), LCP_E_LIST_VERSION);
		assert_int_equal(lcp_list_hash(&l, ALG_SET_ALL, &d), LCP_E_LIST_VERSION);
	}
}

static void test_data_hash(void **state)
{
	(void)state;
	struct lcp_data d = decoded(bytes_of(2, 8));
	struct digests all, one;

	assert_int_equal(lcp_data_hash(&d, ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA384), &all), LCP_OK);
	assert_int_equal(all.banks, ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA384));
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		uint8_t lists[8][DIGEST_MAX], want[DIGEST_MAX];
		struct span parts[8];

		if (!(all.banks & ALG_BIT(a)))
			continue;
		for (unsigned i = 0; i < 8; i++) {
			assert_int_equal(lcp_list_hash(&d.lists[i], ALG_BIT(a), &one), LCP_OK);
			memcpy(lists[i], one.d[a], DIGEST_MAX);
			parts[i] = (struct span){ lists[i], alg_table[a].size };
		}
		evp_parts(a, parts, 8, want);
		assert_memory_equal(all.d[a], want, alg_table[a].size);
	}
	d.list_count = 9;
	assert_int_equal(lcp_data_hash(&d, ALG_SET_ALL, &all), LCP_E_DATA_LISTS);
	d.list_count = 2;
	d.lists[1].version = 0;
	assert_int_equal(lcp_data_hash(&d, ALG_SET_ALL, &all), LCP_E_LIST_VERSION);
}

static void test_matches(void **state)
{
	(void)state;
	struct lcp_data d = decoded(bytes_of(2, 2));
	struct lcp_policy p = { .version = LCP_POLICY_3_2, .hash_alg = LCP_ALG_SHA384, .hash_size = 48 };
	struct digests h;
	bool matches = false;

	assert_int_equal(lcp_data_hash(&d, ALG_BIT(ALG_SHA384), &h), LCP_OK);
	memcpy(p.hash, h.d[ALG_SHA384], 48);
	assert_int_equal(lcp_policy_matches_data(&p, &d, &matches), LCP_OK);
	assert_true(matches);
	p.hash[47] ^= 1;
	assert_int_equal(lcp_policy_matches_data(&p, &d, &matches), LCP_OK);
	assert_false(matches);
	p.hash_alg = LCP_ALG_SM3_256;
	assert_int_equal(lcp_policy_matches_data(&p, &d, &matches), LCP_E_ALG);
}

/* ------------------------------------------------------------ custom elements */

static void test_uuid(void **state)
{
	(void)state;
	char buf[64];
	struct text t = TEXT_OF(buf);
	uint8_t uuid[LCP_UUID_SIZE];

	lcp_uuid_print(lcp_uuid_tboot, &t);
	assert_string_equal(buf, "c3930641-e3cb-4f40-91d7-27f8b9e25c86");
	assert_int_equal(lcp_uuid_parse(span_str(buf), uuid), LCP_OK);
	assert_memory_equal(uuid, lcp_uuid_tboot, sizeof(uuid));
	assert_int_equal(lcp_uuid_parse(SPAN_LITERAL("C3930641-E3CB-4F40-91D7-27F8B9E25C86"), uuid), LCP_OK);
	assert_memory_equal(uuid, lcp_uuid_tboot, sizeof(uuid));
	memset(uuid, 0x5a, sizeof(uuid));
	for (size_t i = 0; i < LCP_UUID_TEXT_SIZE; i++) {
		char bad[LCP_UUID_TEXT_SIZE + 1];

		memcpy(bad, buf, sizeof(bad));
		bad[i] = buf[i] == '-' ? '0' : 'g';
		assert_int_equal(lcp_uuid_parse(span_str(bad), uuid), LCP_E_CUSTOM_UUID);
		bad[i] = '\0';
		assert_int_equal(lcp_uuid_parse(span_str(bad), uuid), LCP_E_CUSTOM_UUID);
	}
	assert_int_equal(lcp_uuid_parse(SPAN_LITERAL("c3930641-e3cb-4f40-91d7-27f8b9e25c860"), uuid), LCP_E_CUSTOM_UUID);
	assert_int_equal(uuid[0], 0x5a);
}

/* tboot's policy into a list, into policy data, and out again. */
static void test_wrap_vlp(void **state)
{
	(void)state;
	static struct vlp policy, back;
	static uint8_t vlp_bytes[64], element_bytes[128], list_bytes[2048], data_bytes[4096];
	struct wr w = wr_init((struct mspan){ list_bytes, sizeof(list_bytes) });
	struct lcp_element e;
	struct lcp_list l = { .version = LCP_LIST_2_0, .sig_alg = LCP_ALG_NULL };
	struct lcp_data d = { .list_count = 2 };
	struct lcp_where where = { 7, 7 };
	struct span payload = { NULL, 0 };
	size_t n = 0;

	policy.version = VLP_VERSION;
	policy.type = VLP_HALT;
	policy.hash_alg = LCP_ALG_SHA256;
	policy.control = VLP_CONTROL_EXTEND_PCR17;
	policy.entry_count = 1;
	policy.entries[0] = (struct vlp_entry){ .module = VLP_MODULE_ANY, .pcr = 19 };
	assert_int_equal(vlp_encode(&policy, (struct mspan){ vlp_bytes, sizeof(vlp_bytes) }, &n), VLP_OK);
	lcp_custom_wrap(lcp_uuid_tboot, LCP_ELEMENT_OVERRIDE_PS, (struct span){ vlp_bytes, n }, &e);
	assert_int_equal(e.type, LCP_ELEMENT_CUSTOM2);
	assert_int_equal(e.control, LCP_ELEMENT_OVERRIDE_PS);
	assert_int_equal(lcp_element_validate(&e), LCP_OK);
	assert_int_equal(lcp_element_encode(&e, (struct mspan){ element_bytes, sizeof(element_bytes) }, &n), LCP_OK);

	/* behind another custom element and one that cannot be taken apart */
	sample_element(&w, LCP_ELEMENT_CUSTOM2, 9);
	sample_element(&w, LCP_ELEMENT_MLE2, 9);
	list_bytes[33 + 14] = 0x99;
	wr_bytes(&w, (struct span){ element_bytes, n });
	l.elements = wr_span(&w);
	assert_int_equal(lcp_list_decode(sample_list_bytes(2), &d.lists[0]), LCP_OK);
	d.lists[1] = l;
	assert_int_equal(lcp_data_encode(&d, (struct mspan){ data_bytes, sizeof(data_bytes) }, &n), LCP_OK);
	d = decoded((struct span){ data_bytes, n });
	assert_int_equal(lcp_custom_find_data(&d, lcp_uuid_tboot, &payload, &where), LCP_OK);
	assert_int_equal(where.list, 1);
	assert_int_equal(where.element, 2);
	assert_int_equal(vlp_decode(payload, &back), VLP_OK);
	assert_int_equal(back.type, VLP_HALT);
	assert_int_equal(back.entries[0].pcr, 19);
}

static void test_unwrap_refuses(void **state)
{
	(void)state;
	struct lcp_data d = decoded(bytes_of(2, 2));
	struct lcp_element e = { .type = LCP_ELEMENT_MLE2 };
	struct span payload = { file, 7 };
	uint8_t uuid[LCP_UUID_SIZE];

	memcpy(e.uuid, lcp_uuid_tboot, sizeof(uuid));
	assert_int_equal(lcp_custom_unwrap(&e, lcp_uuid_tboot, &payload), LCP_E_CUSTOM_MISSING);
	e.type = LCP_ELEMENT_CUSTOM;
	assert_int_equal(lcp_custom_unwrap(&e, lcp_uuid_tboot, &payload), LCP_OK);
	assert_int_equal(payload.n, 0);
	payload.n = 7;
	memcpy(uuid, lcp_uuid_tboot, sizeof(uuid));
	uuid[15] ^= 1;
	assert_int_equal(lcp_custom_unwrap(&e, uuid, &payload), LCP_E_CUSTOM_MISSING);
	assert_int_equal(lcp_custom_find_data(&d, lcp_uuid_tboot, &payload, NULL), LCP_E_CUSTOM_MISSING);
	/* elements that do not add up: found out, not walked past */
	d.lists[1].elements.n -= 1;
	assert_int_equal(lcp_custom_find_data(&d, lcp_uuid_tboot, &payload, NULL), LCP_E_ELEMENT_TRUNCATED);
	assert_int_equal(payload.n, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_lists),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_validate),
		cmocka_unit_test(test_encode_buffer),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_list_hash),
		cmocka_unit_test(test_signed_part),
		cmocka_unit_test(test_data_hash),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_wrap_vlp),
		cmocka_unit_test(test_unwrap_refuses),
	};

	return cmocka_run_group_tests_name("lcp_data", tests, NULL, NULL);
}
