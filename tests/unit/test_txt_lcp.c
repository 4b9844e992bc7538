/* SPDX-License-Identifier: BSD-3-Clause */
/* Launches under launch control policies: owner and supplier, unsigned and signed lists, MLE and PCONF elements. */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "common/eventlog.h"
#include "evp.h"
#include "lcp/digest.h"
#include "lcp/host/sign.h"
#include "txt_world.h"

static struct world w;
static EVP_PKEY *key;

/* The policy that a test puts together; encode() writes it to index and memory. */
static uint8_t elements[1024], data_bytes[4096], policy_bytes[128];
static struct lcp_data data;
static struct lcp_sign_room room;
static struct lcp_policy policy;
static size_t element_bytes;
static uint8_t mle_digest[DIGEST_MAX];

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	element_bytes = 0;
	memset(&data, 0, sizeof(data));
	policy = (struct lcp_policy){ .version = LCP_POLICY_3_2,
		.hash_alg = LCP_ALG_SHA256,
		.type = LCP_POLICY_LIST,
		.hash_mask = LCP_HASH_MASK_ALL,
		.sign_mask = LCP_SIGN_MASK_ALL,
		.hash_size = 32 };
	evp(ALG_SHA256, (struct span){ w.ram + WORLD_MLE + 0x1000, WORLD_MLE_SIZE - 100 - 0x1000 }, mle_digest);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(&w);
	return 0;
}

static int make_key(void **state)
{
	(void)state;
	key = EVP_RSA_gen(2048);
	return key ? 0 : -1;
}

static int drop_key(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

static void add_element(const struct lcp_element *e)
{
	size_t n;

	assert_int_equal(lcp_element_encode(e, (struct mspan){ elements + element_bytes, sizeof(elements) - element_bytes }, &n), LCP_OK);
	element_bytes += n;
}

static void add_mle(const uint8_t digest[32], uint8_t sinit_min)
{
	const struct lcp_element e = {
		.type = LCP_ELEMENT_MLE2, .hash_alg = LCP_ALG_SHA256, .count = 1, .hashes = { digest, 32 }, .sinit_min_version = sinit_min
	};

	add_element(&e);
}

/* PCR 0 and 7 in the SHA-256 bank. */
static void add_pconf(bool right)
{
	static uint8_t values[64];
	uint8_t digest[DIGEST_MAX], info[LCP_PCR_INFO_MAX];
	size_t n;

	memset(values, 1, 32);
	memset(values + 32, right ? 8 : 9, 32);
	evp(ALG_SHA256, SPAN_OF(values), digest);
	assert_int_equal(
		lcp_pcr_info_encode(LCP_ALG_SHA256, 0x81, (struct span){ digest, 32 }, (struct mspan){ info, sizeof(info) }, &n), LCP_OK);

	const struct lcp_element e = { .type = LCP_ELEMENT_PCONF2, .hash_alg = LCP_ALG_SHA256, .count = 1, .pcr_infos = { info, n } };

	add_element(&e);
}

/* One list with the elements so far; signed, if `revocation` is not negative. */
static void close_list(int revocation)
{
	struct lcp_list l = { .version = LCP_LIST_2_1, .sig_alg = LCP_ALG_NULL, .elements = { elements, element_bytes } };
	const struct lcp_sign_how how = { .hash_alg = LCP_ALG_SHA256, .revocation = (uint16_t)revocation };
	struct lcp_key_error why;
	uint16_t alg;

	if (revocation >= 0) {
		assert_true(lcp_sign_prepare(&l, key, &how, &room, &alg, &why));
		assert_true(lcp_sign_list(&l, key, alg, &room, &why));
	}
	data.lists[data.list_count++] = l;
}

/* Writes policy data to memory and the policy to the owner's index. */
static void install(void)
{
	struct digests d;
	size_t n;

	if (data.list_count) {
		assert_int_equal(lcp_data_hash(&data, ALG_BIT(ALG_SHA256), &d), LCP_OK);
		memcpy(policy.hash, d.d[ALG_SHA256], 32);
		assert_int_equal(lcp_data_encode(&data, (struct mspan){ data_bytes, sizeof(data_bytes) }, &n), LCP_OK);
		w.lcp = (struct txt_range){ WORLD_LCP, n };
	}
	world_build(&w);
	if (data.list_count)
		memcpy(world_at(&w, WORLD_LCP, n), data_bytes, n);
	assert_int_equal(lcp_policy_encode(&policy, (struct mspan){ policy_bytes, sizeof(policy_bytes) }, &n), LCP_OK);
	world_define(&w, 2, 0x01c10106, 0x2204000a, SPAN_LITERAL(""), (struct span){ policy_bytes, n });
}

static void allowed(void)
{
	assert_int_equal(world_senter(&w), SMX_OK);
	if (!w.result.launched)
		(void)!txt_trace_print(stderr, &w.trace);
	assert_true(w.result.launched);
}

static void refused(const char *rule, uint32_t code)
{
	assert_int_equal(world_senter(&w), SMX_OK);
	if (w.result.errorcode != code)
		(void)!txt_trace_print(stderr, &w.trace);
	assert_false(w.result.launched);
	assert_int_equal(w.result.rule, TXT_RULE_LCP);
	assert_int_equal(w.result.errorcode, code);
	assert_int_equal(chipset_get(&w.chipset, CHIPSET_ERRORCODE), code);
	assert_string_equal(txt_trace_failure(&w.trace)->rule, rule);
	assert_true(w.result.capped);
}

/* The data of the first event of this type. */
static struct span event_data(uint32_t type)
{
	struct eventlog_reader r;
	struct event e;

	assert_int_equal(eventlog_open(&r, (struct span){ world_at(&w, w.log, w.log_size), w.log_size }), EVENTLOG_EVENT);
	while (eventlog_next(&r, &e) == EVENTLOG_EVENT)
		if (e.type == type)
			return e.data;
	fail();
	return (struct span){ NULL, 0 };
}

static void test_any(void **state)
{
	(void)state;
	policy.type = LCP_POLICY_ANY;
	policy.control = LCP_CONTROL_SINIT_CAPS;
	install();
	allowed();
	/* PolicyControl is measured, and no element. */
	assert_true(span_equal(event_data(0x40c), SPAN_LITERAL("\x04\0\0\0")));
	assert_true(span_equal(event_data(0x412), SPAN_LITERAL("\0")));
	assert_int_equal(event_data(0x414).n, 1 + 1 + 1 + 4 + 2 + 4 + 2 + 2);
}

static void test_mle_allowed(void **state)
{
	struct digests d;

	(void)state;
	add_mle(mle_digest, 0);
	close_list(-1);
	install();
	allowed();
	assert_true(span_equal(event_data(0x412), (struct span){ mle_digest, 32 }));
	assert_int_equal(lcp_list_hash(&data.lists[0], ALG_BIT(ALG_SHA256), &d), LCP_OK);
	assert_true(span_equal(event_data(0x413), digest_span(&d, ALG_SHA256)));
}

static void test_other_mle(void **state)
{
	(void)state;
	mle_digest[0]++;
	add_mle(mle_digest, 0);
	close_list(-1);
	install();
	refused("mle-mismatch", 0xc00012e1);
}

static void test_signed(void **state)
{
	struct digests d;

	(void)state;
	add_mle(mle_digest, 0);
	close_list(3);
	install();
	allowed();
	assert_int_equal(lcp_list_hash(&data.lists[0], ALG_BIT(ALG_SHA256), &d), LCP_OK);
	assert_true(span_equal(event_data(0x413), digest_span(&d, ALG_SHA256)));
}

static void test_bad_signature(void **state)
{
	(void)state;
	add_mle(mle_digest, 0);
	close_list(3);
	room.block[17] ^= 1;
	install();
	refused("list-signature", 0xc00f1ee1);
}

static void test_revoked_list(void **state)
{
	(void)state;
	add_mle(mle_digest, 0);
	close_list(3);
	policy.revocation[0] = 4;
	install();
	refused("element-disallowed", 0xc0141ee1);
}

static void test_data_changed(void **state)
{
	(void)state;
	add_mle(mle_digest, 0);
	close_list(-1);
	install();
	w.ram[WORLD_LCP + w.lcp.size - 1] ^= 1;
	refused("data-digest", 0xc0041ee1);
}

static void test_sinit_too_old(void **state)
{
	(void)state;
	policy.sinit_min_version = 0x11;
	policy.type = LCP_POLICY_ANY;
	install();
	refused("sinit-revoked-po", 0xc0030ae1);
}

static void test_pconf(void **state)
{
	(void)state;
	add_mle(mle_digest, 0);
	add_pconf(true);
	close_list(-1);
	install();
	allowed();
	assert_int_equal(event_data(0x412).n, 64);
}

static void test_other_pconf(void **state)
{
	(void)state;
	add_mle(mle_digest, 0);
	add_pconf(false);
	close_list(-1);
	install();
	refused("pconf-mismatch", 0xc00012e1);
}

static void test_data_without_policy(void **state)
{
	(void)state;
	add_mle(mle_digest, 0);
	close_list(-1);
	install();
	w.nv[2].exists = false;
	refused("data-without-po", 0xc00042e1);
}

static void test_npw(void **state)
{
	(void)state;
	w.platform.npw = true;
	install();
	w.nv[2].exists = false;
	refused("npw-no-policy", 0xc00026e1);
}

/* What the module says of itself counts as in `geolaunch lcp evaluate --sinit`: flags and algorithms. */
static void test_npw_module(void **state)
{
	(void)state;
	w.recipe.flags = ACM_FLAG_PRE_PRODUCTION;
	policy.type = LCP_POLICY_ANY;
	install();
	refused("npw", 0xc0091ee1);
}

static void test_algorithm_of_no_module(void **state)
{
	(void)state;
	policy.type = LCP_POLICY_ANY;
	policy.hash_alg = LCP_ALG_SHA512;
	policy.hash_size = 64;
	w.recipe.tpm_alg_count--;
	install();
	refused("policy-hash-alg", 0xc0071ee1);
}

static void test_garbage_in_the_index(void **state)
{
	static const uint8_t garbage[70] = { 0x77, 0x77 };

	(void)state;
	install();
	world_define(&w, 2, 0x01c10106, 0x2204000a, SPAN_LITERAL(""), SPAN_OF(garbage));
	refused("policy-version", 0xc0061ee1);
}

static void test_index_set_0(void **state)
{
	(void)state;
	w.recipe.tpm_nv_index_set = 0;
	mle_digest[5]++;
	add_mle(mle_digest, 0);
	close_list(-1);
	install();
	/* The module looks at 0x01400001 and finds nothing there. */
	w.lcp = (struct txt_range){ 0, 0 };
	world_build(&w);
	allowed();
	world_build(&w);
	w.nv[2].public.index = 0x01400001;
	txt_trace_free(&w.trace);
	w.cpu.eax = SMX_SENTER;
	refused("no-data", 0xc0141ee1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_any),
		TEST(test_mle_allowed),
		TEST(test_other_mle),
		TEST(test_signed),
		TEST(test_bad_signature),
		TEST(test_revoked_list),
		TEST(test_data_changed),
		TEST(test_sinit_too_old),
		TEST(test_pconf),
		TEST(test_other_pconf),
		TEST(test_data_without_policy),
		TEST(test_npw),
		TEST(test_npw_module),
		TEST(test_algorithm_of_no_module),
		TEST(test_garbage_in_the_index),
		TEST(test_index_set_0),
	};

	return cmocka_run_group_tests_name("txt_lcp", tests, make_key, drop_key);
}
