/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "evp.h"
#include "lcp/element.h"
#include "lcp_samples.h"

static uint8_t sample[256];

static struct lcp_element decoded(uint32_t type)
{
	struct wr w = wr_init((struct mspan){ sample, sizeof(sample) });
	struct lcp_element e;

	sample_element(&w, type, 0x20);
	assert_false(w.bad);
	assert_int_equal(lcp_element_decode(wr_span(&w), &e), LCP_OK);
	return e;
}

static void test_pcr_infos(void **state)
{
	(void)state;
	struct lcp_element e = decoded(LCP_ELEMENT_PCONF2);
	struct lcp_pcr_infos it = lcp_pcr_infos_in(&e);
	struct lcp_pcr_info info;

	assert_true(lcp_pcr_infos_left(&it));
	assert_int_equal(lcp_pcr_infos_next(&it, &info), LCP_OK);
	assert_int_equal(info.hash_alg, LCP_ALG_SHA256);
	assert_int_equal(lcp_pcr_info_mask(&info), 0x03);
	assert_int_equal(info.select.n, 3);
	assert_ptr_equal(info.digest.p, sample + 28);
	assert_int_equal(info.digest.n, 32);
	assert_int_equal(lcp_pcr_infos_next(&it, &info), LCP_OK);
	assert_int_equal(lcp_pcr_info_mask(&info), 0x06);
	assert_false(lcp_pcr_infos_left(&it));

	e = decoded(LCP_ELEMENT_PCONF);
	it = lcp_pcr_infos_in(&e);
	assert_int_equal(lcp_pcr_infos_next(&it, &info), LCP_OK);
	assert_int_equal(info.hash_alg, LCP_ALG_SHA1);
	assert_int_equal(lcp_pcr_info_mask(&info), 0x81);
	assert_int_equal(info.locality, 0x1f);
	assert_int_equal(info.digest.n, 20);
	assert_false(lcp_pcr_infos_left(&it));
	/* tboot's tool writes the size of the bitmap the other way round */
	sample[14] = 1;
	sample[15] = 0;
	it = lcp_pcr_infos_in(&e);
	assert_int_equal(lcp_pcr_infos_next(&it, &info), LCP_OK);
	assert_int_equal(lcp_pcr_info_mask(&info), 0x81);
	sample[15] = 1;
	it = lcp_pcr_infos_in(&e);
	assert_int_equal(lcp_pcr_infos_next(&it, &info), LCP_E_PCR_INFO_SELECT);
	assert_false(lcp_pcr_infos_left(&it));
}

/* A TPMS_QUOTE_INFO with a bitmap and a digest of these sizes, in an element. */
static struct lcp_element quote_info(uint8_t select, uint16_t digest)
{
	static uint8_t info[128];
	struct wr w = wr_init((struct mspan){ info, sizeof(info) });

	wr_be32(&w, 1);
	wr_be16(&w, 0x0b);
	wr_u8(&w, select);
	for (unsigned i = 0; i < select; i++)
		wr_u8(&w, i == 0);
	wr_be16(&w, digest);
	for (unsigned i = 0; i < digest; i++)
		wr_u8(&w, 0xdd);
	assert_false(w.bad);
	return (struct lcp_element){ .type = LCP_ELEMENT_PCONF2, .hash_alg = LCP_ALG_SHA256, .count = 1, .pcr_infos = wr_span(&w) };
}

/* Sizes that the rules refuse and the codec keeps nevertheless. */
static void test_pcr_info_sizes(void **state)
{
	(void)state;
	static const struct {
		uint8_t select;
		uint16_t digest;
		enum lcp_error error;
	} cases[] = {
		{ 1, 32, LCP_OK },
		{ 3, 32, LCP_OK },
		{ 4, 32, LCP_E_PCR_INFO_SELECT },
		{ 0, 32, LCP_E_PCR_INFO_SELECT },
		{ 3, 20, LCP_E_PCR_INFO_DIGEST },
		{ 3, 48, LCP_E_PCR_INFO_DIGEST },
		{ 3, 0, LCP_E_PCR_INFO_DIGEST },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct lcp_element e = quote_info(cases[i].select, cases[i].digest), back;
		uint8_t whole[256];
		size_t n = 0;

		assert_int_equal(lcp_element_validate(&e), cases[i].error);
		assert_int_equal(lcp_element_encode(&e, (struct mspan){ whole, sizeof(whole) }, &n), LCP_OK);
		assert_int_equal(lcp_element_decode((struct span){ whole, n }, &back), LCP_OK);
		assert_true(span_equal(back.pcr_infos, e.pcr_infos));
	}
}

/* lcp2_crtpolelt --create --type pconf2 --alg sha256 --pcr0 0..05 --pcr6 0..07 --out FILE --ctrl 1 */
static void test_composite(void **state)
{
	(void)state;
	static struct pcrs p;
	static const uint8_t theirs_head[] = { 0x00, 0x00, 0x00, 0x01, 0x00, 0x0b, 0x03, 0x41, 0x00, 0x00, 0x00, 0x20 };
	uint8_t digest[LCP_DIGEST_MAX], want[DIGEST_MAX], info[LCP_PCR_INFO_MAX];
	size_t n = 0;

	memset(&p, 0, sizeof(p));
	p.banks = ALG_BIT(ALG_SHA256);
	p.known[ALG_SHA256] = 0x41;
	p.v[ALG_SHA256][0][31] = 5;
	p.v[ALG_SHA256][6][31] = 7;
	assert_true(lcp_pcr_composite(&p, ALG_SHA256, 0x41, digest));
	evp_parts(ALG_SHA256, (struct span[]){ { p.v[ALG_SHA256][0], 32 }, { p.v[ALG_SHA256][6], 32 } }, 2, want);
	assert_memory_equal(digest, want, 32);
	assert_false(lcp_pcr_composite(&p, ALG_SHA256, 0x43, digest));
	assert_false(lcp_pcr_composite(&p, ALG_SHA384, 0x41, digest));
	assert_false(lcp_pcr_composite(&p, ALG_SHA256, 0, digest));
	assert_false(lcp_pcr_composite(&p, ALG_SHA256, 1u << 24, digest));

	struct span d = { digest, 32 };

	assert_int_equal(lcp_pcr_info_encode(LCP_ALG_SHA256, 0x41, d, (struct mspan){ info, sizeof(info) }, &n), LCP_OK);
	assert_int_equal(n, sizeof(theirs_head) + 32);
	assert_memory_equal(info, theirs_head, sizeof(theirs_head));
	assert_memory_equal(info + sizeof(theirs_head), want, 32);
	assert_int_equal(lcp_pcr_info_encode(0x99, 0x41, d, (struct mspan){ info, sizeof(info) }, &n), LCP_E_PCR_INFO_HASH_ALG);
	assert_int_equal(lcp_pcr_info_encode(LCP_ALG_SHA384, 0x41, d, (struct mspan){ info, sizeof(info) }, &n), LCP_E_PCR_INFO_DIGEST);
	assert_int_equal(lcp_pcr_info_encode(LCP_ALG_SHA256, 0, d, (struct mspan){ info, sizeof(info) }, &n), LCP_E_PCR_INFO_SELECT);
	assert_int_equal(lcp_pcr_info_encode(LCP_ALG_SHA256, 1u << 24, d, (struct mspan){ info, sizeof(info) }, &n), LCP_E_PCR_INFO_SELECT);
	assert_int_equal(lcp_pcr_info_encode(LCP_ALG_SHA256, 1, d, (struct mspan){ info, 43 }, &n), LCP_E_BUFFER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcr_infos),
		cmocka_unit_test(test_pcr_info_sizes),
		cmocka_unit_test(test_composite),
	};

	return cmocka_run_group_tests_name("lcp_pcr_info", tests, NULL, NULL);
}
