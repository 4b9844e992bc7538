/* SPDX-License-Identifier: BSD-3-Clause */
/* TCG_PCR_EVENT, by itself and in TXT's container. */
#include "evp.h"

#include "eventlog_check.h"

#define TWO_BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256))

static size_t make_sha1_events(uint8_t *p)
{
	memset(p, 0, 200);
	eventlog_put(p, 0, 17, 4);
	eventlog_put(p, 4, 0x402, 4);
	memset(p + 8, 0x11, 20);
	eventlog_put(p, 28, 5, 4);
	memcpy(p + 32, "start", 5);
	eventlog_put(p, 37, 18, 4);
	eventlog_put(p, 41, 0x501, 4);
	memset(p + 45, 0x22, 20);
	eventlog_put(p, 65, 0, 4);
	return 69;
}

static void check_sha1_events(struct span log, enum eventlog_format format, size_t first)
{
	struct eventlog_reader r;
	struct event e;
	uint8_t want[DIGEST_MAX];
	uint8_t zero[20] = { 0 };
	struct pcrs p;

	assert_int_equal(eventlog_open(&r, log), EVENTLOG_EVENT);
	assert_int_equal(r.format, format);
	assert_int_equal(r.banks, ALG_BIT(ALG_SHA1));
	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
	assert_int_equal(e.offset, first);
	assert_int_equal(e.pcr, 17);
	assert_int_equal(e.type, 0x402);
	assert_int_equal(e.digests.banks, ALG_BIT(ALG_SHA1));
	assert_true(span_is_str(e.data, "start"));
	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
	assert_int_equal(e.pcr, 18);
	memset(want, 0x22, sizeof(want));
	assert_memory_equal(e.digests.d[ALG_SHA1], want, 20);
	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_END);

	pcrs_reset_dynamic(&p, TWO_BANKS, true);
	assert_int_equal(eventlog_replay(log, &p), EVENTLOG_END);

	struct span parts[] = { SPAN_OF(zero), { want, 20 } };

	evp_parts(ALG_SHA1, parts, 2, want);
	assert_memory_equal(p.v[ALG_SHA1][18], want, 20);
	assert_true(pcr_known(&p, ALG_SHA1, 17) && pcr_known(&p, ALG_SHA1, 18) && pcr_known(&p, ALG_SHA256, 19));
	assert_false(pcr_known(&p, ALG_SHA256, 17) || pcr_known(&p, ALG_SHA256, 18));
}

static void test_read_sha1(void **state)
{
	(void)state;
	uint8_t log[200];
	size_t n = make_sha1_events(log);
	struct eventlog_reader r;
	size_t count;

	check_sha1_events((struct span){ log, n }, EVENTLOG_SHA1, 0);
	check_sha1_events(SPAN_OF(log), EVENTLOG_SHA1, 0);
	for (size_t k = 0; k <= n; k++)
		assert_int_equal(
			eventlog_read_all((struct span){ log, k }, &r, &count), k == 37 || k == n ? EVENTLOG_END : EVENTLOG_MALFORMED);

	static const struct {
		size_t at;
		uint32_t value;
	} bad[] = { { 0, 24 }, { 28, 169 }, { 28, 0xffffffff }, { 37, 24 }, { 65, 132 }, { 65, 0x80000000 } };

	for (size_t i = 0; i < GL_COUNT(bad); i++) {
		(void)make_sha1_events(log);
		eventlog_put(log, bad[i].at, bad[i].value, 4);
		assert_int_equal(eventlog_read_all(SPAN_OF(log), &r, &count), EVENTLOG_MALFORMED);
	}
}

static size_t make_container(uint8_t *p, size_t cap)
{
	size_t n = 48 + 4 + make_sha1_events(p + 48 + 4);

	memset(p, 0, 48 + 4);
	memcpy(p, "TXT Event Container", 20);
	eventlog_put(p, 32, 1, 1);
	eventlog_put(p, 34, 1, 1);
	eventlog_put(p, 36, (uint32_t)cap, 4);
	eventlog_put(p, 40, 48 + 4, 4);
	eventlog_put(p, 44, (uint32_t)n, 4);
	return n;
}

static void test_read_container(void **state)
{
	(void)state;
	uint8_t log[300];
	size_t n = make_container(log, sizeof(log));
	struct eventlog_reader r;
	size_t count;
	/* clang-format off */
	static const struct {
		size_t at;
		uint32_t value;
		size_t error_offset; /* 0: where depends on the bytes that are taken for events */
	} bad[] = {
		{ 36, 301, 36 }, { 36, 120, 40 }, { 36, 0, 40 }, { 36, 0xffffffff, 36 },
		{ 40, 47, 40 }, { 40, 0, 40 }, { 40, 122, 40 }, { 40, 301, 40 }, { 40, 0xffffffff, 40 }, { 40, 53, 0 },
		{ 44, 51, 40 }, { 44, 120, 117 }, { 44, 122, 121 }, { 44, 301, 40 }, { 44, 0xffffffff, 40 }, { 44, 0, 40 },
		{ 52 + 28, 6000, 80 }, { 52 + 65, 1, 117 },
	};
	/* clang-format on */

	check_sha1_events(SPAN_OF(log), EVENTLOG_TXT_CONTAINER, 52);
	for (size_t i = 0; i < GL_COUNT(bad); i++) {
		make_container(log, sizeof(log));
		eventlog_put(log, bad[i].at, bad[i].value, 4);
		if (eventlog_read_all(SPAN_OF(log), &r, &count) != EVENTLOG_MALFORMED)
			fail_msg("case %zu was accepted", i);
		if (bad[i].error_offset != 0 && r.error_offset != bad[i].error_offset)
			fail_msg("case %zu: error at %zu: %s", i, r.error_offset, r.error);
	}
	for (size_t k = 0; k < sizeof(log); k++) {
		make_container(log, sizeof(log));
		assert_int_equal(eventlog_read_all((struct span){ log, k }, &r, &count), EVENTLOG_MALFORMED);
	}

	/* No events yet; and what lies behind the last one is none. */
	make_container(log, sizeof(log));
	eventlog_put(log, 44, 52, 4);
	assert_int_equal(eventlog_read_all(SPAN_OF(log), &r, &count), EVENTLOG_END);
	assert_int_equal(count, 0);
	make_container(log, sizeof(log));
	memset(log + n, 0xff, sizeof(log) - n);
	assert_int_equal(eventlog_read_all(SPAN_OF(log), &r, &count), EVENTLOG_END);
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_sha1),
		cmocka_unit_test(test_read_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
