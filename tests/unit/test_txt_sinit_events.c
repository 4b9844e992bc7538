/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of SINIT's events, against the log of a real machine (tests/data/real-txt). */
#include <stdio.h>

#include "eventlog_check.h"
#include "evp.h"

#include "common/eventlog.h"
#include "txt/sinit_events.h"

static uint8_t real[REAL_LOG_SIZE];

/* PCRs, types, order, data and digests of the real log come out of the table again, given the values. */
static void test_real_log(void **state)
{
	(void)state;
	struct eventlog_reader r;
	struct event e;

	eventlog_load_real(real);
	assert_int_equal(eventlog_open(&r, SPAN_OF(real)), EVENTLOG_EVENT);
	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
	for (size_t i = 0; i < sinit_event_count; i++) {
		const struct sinit_event *want = &sinit_events[i];
		struct sinit_values v = { .mle = &e.digests };
		struct digests d;
		struct span data;

		assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
		assert_int_equal(e.pcr, want->pcr);
		assert_int_equal(e.type, want->type);
		assert_ptr_equal(sinit_event_find(e.pcr, e.type), want);
		assert_int_equal(e.data.n == 0, want->silent);
		v.data[want->value] = e.data;
		data = sinit_event_data(want, &v);
		assert_true(span_equal(data, e.data));
		sinit_event_digest(want, &v, REAL_LOG_BANKS, &d);
		/* The module's key is not in the log. */
		if (want->value != SINIT_PUBLIC_KEY)
			assert_true(digests_equal(&d, &e.digests));
	}
	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
	assert_int_equal(e.type, 0x501);
	assert_null(sinit_event_find(17, 0x501));
	assert_null(sinit_event_find(18, 0x402));
}

/* What is not there is measured as a zero byte, and logged as one. */
static void test_nothing(void **state)
{
	(void)state;
	static const uint8_t zero;
	struct sinit_values v = { .mle = NULL };
	const struct sinit_event *stm = sinit_event_find(17, 0x40e);
	uint8_t md[DIGEST_MAX];
	struct digests d;

	sinit_event_digest(stm, &v, ALG_SET_ALL, &d);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		evp(a, SPAN_OF(zero), md);
		assert_memory_equal(d.d[a], md, alg_table[a].size);
	}
	assert_true(span_equal(sinit_event_data(stm, &v), SPAN_OF(zero)));
}

/* The MLE's digests are taken as they are, for the banks asked for. */
static void test_mle(void **state)
{
	(void)state;
	struct digests mle = { .banks = ALG_SET_ALL }, d;
	const struct sinit_values v = { .mle = &mle };

	memset(mle.d, 0x5a, sizeof(mle.d));
	sinit_event_digest(sinit_event_find(17, 0x404), &v, REAL_LOG_BANKS, &d);
	assert_int_equal(d.banks, REAL_LOG_BANKS);
	assert_memory_equal(d.d[ALG_SHA256], mle.d[ALG_SHA256], 32);
}

/* NV_INFO of the real machine: AUX and PS, no PO. */
static void test_nv_info(void **state)
{
	(void)state;
	static const uint8_t aux[] = { 0xEF, 0x9A, 0x26, 0xFC, 0x22, 0xD1, 0xAE, 0x8C, 0xEC, 0xFF, 0x59, 0xE9, 0x48, 0x1A, 0xC1, 0xEC, 0x53,
		0x3D, 0xBE, 0x22, 0x8B, 0xEC, 0x6D, 0x17, 0x93, 0x0F, 0x4C, 0xB2, 0xCC, 0x5B, 0x97, 0x24 };
	static const uint8_t ps[] = { 0x9F, 0x97, 0x0E, 0x88, 0x34, 0x0B, 0x83, 0x6B, 0x76, 0x8E, 0x68, 0x2D, 0xB1, 0xBE, 0x76, 0xEC, 0x3F,
		0x42, 0x84, 0x28, 0x2F, 0xDD, 0xF6, 0x4B, 0x05, 0xAC, 0xF8, 0xFD, 0x26, 0x99, 0xA7, 0x1C };
	struct sinit_nv_public nv[3] = {
		{ true, 0x01c10102, 0x000b, 0x62044408, SPAN_OF(aux), 104 },
		{ true, 0x01c10103, 0x000b, 0x62040408, SPAN_OF(ps), 70 },
	};
	uint8_t out[SINIT_NV_INFO_MAX], big[DIGEST_MAX + 1] = { 0 };
	struct eventlog_reader r;
	struct event e;
	size_t n = sinit_nv_info(nv, out);

	eventlog_load_real(real);
	assert_int_equal(eventlog_open(&r, SPAN_OF(real)), EVENTLOG_EVENT);
	do
		assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
	while (e.type != 0x414);
	assert_true(span_equal(e.data, (struct span){ out, n }));
	nv[2] = (struct sinit_nv_public){ true, 0x01c10106, 0x000b, 0x2204000a, { NULL, 0 }, 70 };
	assert_int_equal(sinit_nv_info(nv, out), n + 14);
	nv[2].policy = (struct span){ big, DIGEST_MAX };
	assert_int_equal(sinit_nv_info(nv, out), n + 14 + DIGEST_MAX);
	nv[2].policy.n++;
	assert_int_equal(sinit_nv_info(nv, out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_log),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_mle),
		cmocka_unit_test(test_nv_info),
	};

	return cmocka_run_group_tests_name("txt_sinit_events", tests, NULL, NULL);
}
