/* SPDX-License-Identifier: BSD-3-Clause */
#include "evp.h"

#include "common/pcr.h"

static void test_reset(void **state)
{
	(void)state;
	alg_set banks = ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA512);

	for (int drtm = 0; drtm < 2; drtm++) {
		struct pcrs p;
		uint8_t byte = drtm ? 0x00 : 0xff;

		memset(&p, 0x5a, sizeof(p));
		pcrs_reset_dynamic(&p, banks | 0x100, drtm);
		assert_int_equal(p.banks, banks);
		for (unsigned a = 0; a < ALG_COUNT; a++) {
			for (unsigned i = 0; i < PCR_COUNT + 8; i++) {
				bool want = (a == ALG_SHA1 || a == ALG_SHA512) && i >= 17 && i <= 22;

				assert_int_equal(pcr_known(&p, a, i), want);
				assert_int_equal(pcr_is_all(&p, a, i, byte), want);
				assert_false(pcr_is_all(&p, a, i, (uint8_t)~byte));
			}
		}
		assert_int_equal(pcr_value(&p, ALG_SHA1, 17).n, 20);
		assert_int_equal(pcr_value(&p, ALG_SHA512, 22).n, 64);
	}
}

static void test_is_all_looks_at_every_byte(void **state)
{
	(void)state;
	struct pcrs p;

	pcrs_reset_dynamic(&p, ALG_SET_ALL, true);
	for (unsigned i = 0; i < 48; i++) {
		p.v[ALG_SHA384][18][i] = 1;
		assert_false(pcr_is_all(&p, ALG_SHA384, 18, 0));
		p.v[ALG_SHA384][18][i] = 0;
	}
	p.v[ALG_SHA384][18][48] = 1; /* behind the value */
	assert_true(pcr_is_all(&p, ALG_SHA384, 18, 0));
}

static void test_extend(void **state)
{
	(void)state;
	struct pcrs p;
	uint8_t want[ALG_COUNT][DIGEST_MAX];
	struct digests d = { .banks = ALG_SET_ALL };

	pcrs_reset_dynamic(&p, ALG_SET_ALL, false);
	memset(want, 0xff, sizeof(want));
	for (unsigned round = 0; round < 3; round++) {
		for (enum alg a = 0; a < ALG_COUNT; a++) {
			memset(d.d[a], (int)(round * 16 + a), sizeof(d.d[a]));

			struct span parts[] = { { want[a], alg_table[a].size }, { d.d[a], alg_table[a].size } };

			evp_parts(a, parts, 2, want[a]);
		}
		assert_true(pcrs_extend(&p, 19, &d));
		for (enum alg a = 0; a < ALG_COUNT; a++) {
			assert_memory_equal(p.v[a][19], want[a], alg_table[a].size);
			assert_true(pcr_is_all(&p, a, 18, 0xff));
			assert_true(pcr_is_all(&p, a, 20, 0xff));
		}
	}
}

/* swtpm after _TPM_Hash_Start, _Data("abc"), _End: PCR 17 = H( 0 || H("abc") ). */
static void test_extend_golden(void **state)
{
	(void)state;
	struct pcrs p;
	struct digests d = { .banks = ALG_BIT(ALG_SHA256) };

	pcrs_reset_dynamic(&p, ALG_BIT(ALG_SHA256), true);
	evp(ALG_SHA256, SPAN_LITERAL("abc"), d.d[ALG_SHA256]);
	assert_true(pcrs_extend(&p, 17, &d));
	assert_hex(pcr_value(&p, ALG_SHA256, 17), "589f9ffed4c477966bfb8d41f37895b08c69047df8f911d6f3b57fbe08faee8d");
}

static void test_extend_needs_both(void **state)
{
	(void)state;
	struct pcrs p, before;
	struct digests d = { .banks = ALG_BIT(ALG_SHA256) | ALG_BIT(ALG_SHA512) };

	memset(d.d, 3, sizeof(d.d));
	pcrs_reset_dynamic(&p, ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256), false);
	before = p;

	/* Out of range: nothing happens. PCR 0 is in range but has no value. */
	assert_false(pcrs_extend(&p, PCR_COUNT, &d));
	assert_false(pcrs_extend(&p, 0xffffffff, &d));
	assert_true(pcrs_extend(&p, 0, &d));
	assert_memory_equal(&p, &before, sizeof(p));

	assert_true(pcrs_extend(&p, 17, &d));
	assert_true(pcr_is_all(&p, ALG_SHA1, 17, 0xff)); /* no digest given */
	assert_false(pcr_is_all(&p, ALG_SHA256, 17, 0xff));
	assert_false(pcr_known(&p, ALG_SHA512, 17)); /* no such bank */
	assert_memory_equal(p.v[ALG_SHA512], before.v[ALG_SHA512], sizeof(p.v[ALG_SHA512]));
}

static void test_equal(void **state)
{
	static struct pcrs x, y;
	const alg_set banks = ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256);

	(void)state;
	pcrs_reset_dynamic(&x, banks, true);
	y = x;
	assert_true(pcrs_equal(&x, &y, banks, PCR_DRTM_FIRST, PCR_DRTM_LAST));
	y.v[ALG_SHA256][19][31] ^= 1;
	assert_false(pcrs_equal(&x, &y, banks, PCR_DRTM_FIRST, PCR_DRTM_LAST));
	assert_false(pcrs_equal(&x, &y, ALG_BIT(ALG_SHA256), 19, 19));
	/* Neither another bank nor another PCR, nor what lies behind the digest. */
	assert_true(pcrs_equal(&x, &y, ALG_BIT(ALG_SHA1), PCR_DRTM_FIRST, PCR_DRTM_LAST));
	assert_true(pcrs_equal(&x, &y, banks, 20, PCR_DRTM_LAST) && pcrs_equal(&x, &y, banks, PCR_DRTM_FIRST, 18));
	y = x;
	y.v[ALG_SHA256][19][32] ^= 1;
	assert_true(pcrs_equal(&x, &y, banks, PCR_DRTM_FIRST, PCR_DRTM_LAST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_is_all_looks_at_every_byte),
		cmocka_unit_test(test_extend),
		cmocka_unit_test(test_extend_golden),
		cmocka_unit_test(test_extend_needs_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
