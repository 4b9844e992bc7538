/* SPDX-License-Identifier: BSD-3-Clause */
#include "evp.h"

#include "common/eventlog.h"
#include "common/measure.h"

#define TWO_BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256))

static void fill_digests(struct digests *d, alg_set banks, uint8_t seed)
{
	d->banks = banks;
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned i = 0; i < DIGEST_MAX; i++)
			d->d[a][i] = (uint8_t)(seed + 16 * a + i);
}

static void test_write_golden(void **state)
{
	(void)state;
	uint8_t buf[256];
	struct eventlog l;
	struct digests d;

	fill_digests(&d, ALG_SET_ALL, 0);
	assert_true(eventlog_begin(&l, (struct mspan){ buf, sizeof(buf) }, TWO_BANKS));
	assert_hex(eventlog_bytes(&l),
		"00000000"
		"03000000"
		"0000000000000000000000000000000000000000"
		"25000000"
		"53706563204944204576656e74303300"
		"00000000"
		"00"
		"02"
		"00"
		"02"
		"02000000"
		"04001400"
		"0b002000"
		"00");

	size_t n = l.n;

	assert_true(eventlog_append(&l, 22, 0x5a2, &d, SPAN_LITERAL("nv")));
	assert_hex((struct span){ buf + n, l.n - n },
		"16000000"
		"a2050000"
		"02000000"
		"0400"
		"000102030405060708090a0b0c0d0e0f10111213"
		"0b00"
		"101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
		"02000000"
		"6e76");
}

static void test_write_fails_whole(void **state)
{
	(void)state;
	uint8_t buf[256], before[256];
	struct eventlog l;
	struct digests d;
	size_t begin, event;

	fill_digests(&d, ALG_SET_ALL, 0);
	assert_true(eventlog_begin(&l, (struct mspan){ buf, sizeof(buf) }, TWO_BANKS));
	begin = l.n;
	assert_true(eventlog_append(&l, 17, 0x5a0, &d, SPAN_LITERAL("policy")));
	event = l.n - begin;

	for (size_t n = 0; n < begin; n++)
		assert_false(eventlog_begin(&l, (struct mspan){ buf, n }, TWO_BANKS));
	assert_false(eventlog_begin(&l, (struct mspan){ buf, sizeof(buf) }, 0));
	assert_false(eventlog_begin(&l, (struct mspan){ buf, sizeof(buf) }, 0x10));
	assert_false(eventlog_begin(&l, (struct mspan){ NULL, 0 }, TWO_BANKS));

	memset(buf, 0, sizeof(buf));
	for (size_t n = begin; n < begin + event; n++) {
		assert_true(eventlog_begin(&l, (struct mspan){ buf, n }, TWO_BANKS));
		memcpy(before, buf, sizeof(buf));
		assert_false(eventlog_append(&l, 17, 0x5a0, &d, SPAN_LITERAL("policy")));
		assert_int_equal(l.n, begin);
		assert_memory_equal(buf, before, sizeof(buf));
	}

	/* A digest of one of the log's banks is missing. */
	assert_true(eventlog_begin(&l, (struct mspan){ buf, sizeof(buf) }, TWO_BANKS));
	d.banks = ALG_BIT(ALG_SHA256) | ALG_BIT(ALG_SHA512);
	assert_false(eventlog_append(&l, 17, 0x5a0, &d, SPAN_LITERAL("policy")));
	assert_int_equal(l.n, begin);
	/* Data that the size field cannot hold. */
	d.banks = ALG_SET_ALL;
	assert_false(eventlog_append(&l, 17, 0x5a0, &d, (struct span){ buf, (size_t)UINT32_MAX + 1 }));
	assert_int_equal(l.n, begin);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (alg_set banks = 1; banks <= ALG_SET_ALL; banks++) {
		uint8_t buf[4096] = { 0 };
		struct eventlog l;
		struct eventlog_reader r;
		struct event e;
		struct digests d[5];

		assert_true(eventlog_begin(&l, (struct mspan){ buf, sizeof(buf) }, banks));
		for (uint8_t i = 0; i < 5; i++) {
			fill_digests(&d[i], ALG_SET_ALL, i);
			assert_true(eventlog_append(&l, 17u + i, MEASURE_POLICY + i, &d[i], (struct span){ (const uint8_t *)"abcde", i }));
			d[i].banks = banks;
		}
		/* With the rest of the buffer, as a host finds it. */
		assert_int_equal(eventlog_open(&r, SPAN_OF(buf)), EVENTLOG_EVENT);
		assert_int_equal(r.format, EVENTLOG_CRYPTO_AGILE);
		assert_int_equal(r.banks, banks);
		assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
		assert_int_equal(e.type, EV_NO_ACTION);
		assert_int_equal(e.offset, 0);
		assert_int_equal(e.digests.banks, 0);
		for (uint8_t i = 0; i < 5; i++) {
			assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
			assert_int_equal(e.pcr, 17u + i);
			assert_int_equal(e.type, MEASURE_POLICY + i);
			assert_true(digests_equal(&e.digests, &d[i]));
			assert_true(span_equal(e.data, (struct span){ (const uint8_t *)"abcde", i }));
		}
		assert_int_equal(eventlog_next(&r, &e), EVENTLOG_END);
		assert_int_equal(eventlog_next(&r, &e), EVENTLOG_END);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_golden),
		cmocka_unit_test(test_write_fails_whole),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
