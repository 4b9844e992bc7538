/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "evp.h"

#include "eventlog_check.h"

#define TWO_BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256))

/* ---- a log put together by hand, with an algorithm that we do not know ---- */

/* clang-format off */
enum {
	/* offsets in agile_log[] */
	O_SPEC_SIZE = 28, O_SPEC_COUNT = 56, O_ALG0_ID = 60, O_ALG0_SIZE = 62, O_ALG1_ID = 64, O_ALG1_SIZE = 66, O_ALG2_ID = 68,
	O_ALG2_SIZE = 70, O_VENDOR = 72,
	E1 = 75, E1_PCR = E1, E1_COUNT = E1 + 8, E1_ID0 = E1 + 12, E1_ID1 = E1_ID0 + 22, E1_ID2 = E1_ID1 + 10, E1_SIZE = E1_ID2 + 34,
	E2 = E1_SIZE + 4 + 3, E2_COUNT = E2 + 8, E2_ID0 = E2 + 12, E2_SIZE = E2_ID0 + 34,
	E3 = E2_SIZE + 4, E3_COUNT = E3 + 8, E3_SIZE = E3 + 12,
	LOG_SIZE = E3_SIZE + 4 + 16
};
/* clang-format on */

static uint8_t agile_log[LOG_SIZE];

static void make_log(void)
{
	uint8_t *p = agile_log;

	memset(p, 0, LOG_SIZE);
	eventlog_put(p, 4, EV_NO_ACTION, 4);
	eventlog_put(p, O_SPEC_SIZE, 28 + 12 + 3, 4);
	memcpy(p + 32, "Spec ID Event03", 16);
	eventlog_put(p, O_SPEC_COUNT, 3, 4);
	eventlog_put(p, O_ALG0_ID, 0x0004, 2);
	eventlog_put(p, O_ALG0_SIZE, 20, 2);
	eventlog_put(p, O_ALG1_ID, 0x7fff, 2); /* nobody's, 8 bytes */
	eventlog_put(p, O_ALG1_SIZE, 8, 2);
	eventlog_put(p, O_ALG2_ID, 0x000b, 2);
	eventlog_put(p, O_ALG2_SIZE, 32, 2);
	eventlog_put(p, O_VENDOR, 2, 1);

	/* All three digests, three bytes of data. */
	eventlog_put(p, E1_PCR, 18, 4);
	eventlog_put(p, E1 + 4, 0x5a1, 4);
	eventlog_put(p, E1_COUNT, 3, 4);
	eventlog_put(p, E1_ID0, 0x0004, 2);
	memset(p + E1_ID0 + 2, 0x11, 20);
	eventlog_put(p, E1_ID1, 0x7fff, 2);
	memset(p + E1_ID1 + 2, 0x22, 8);
	eventlog_put(p, E1_ID2, 0x000b, 2);
	memset(p + E1_ID2 + 2, 0x33, 32);
	eventlog_put(p, E1_SIZE, 3, 4);
	memcpy(p + E1_SIZE + 4, "xyz", 3);

	/* SHA-256 only, no data. */
	eventlog_put(p, E2, 17, 4);
	eventlog_put(p, E2 + 4, 0x402, 4);
	eventlog_put(p, E2_COUNT, 1, 4);
	eventlog_put(p, E2_ID0, 0x000b, 2);
	memset(p + E2_ID0 + 2, 0x44, 32);

	/* No digest at all, on no PCR, data that end in zeros. */
	eventlog_put(p, E3, 0xffffffff, 4);
	eventlog_put(p, E3 + 4, EV_NO_ACTION, 4);
	eventlog_put(p, E3_SIZE, 16, 4);
	eventlog_put(p, E3_SIZE + 4, 1, 4);
}

static void test_read_agile(void **state)
{
	(void)state;
	struct eventlog_reader r;
	struct event e;
	uint8_t want[DIGEST_MAX];

	assert_int_equal(eventlog_open(&r, SPAN_OF(agile_log)), EVENTLOG_EVENT);
	assert_int_equal(r.banks, TWO_BANKS);
	assert_int_equal(r.alg_count, 3);
	assert_int_equal(r.algs[1].id, 0x7fff);
	assert_int_equal(r.algs[1].size, 8);

	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
	assert_int_equal(e.type, EV_NO_ACTION);
	assert_int_equal(e.data.n, 43);

	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
	assert_int_equal(e.offset, E1);
	assert_int_equal(e.pcr, 18);
	assert_int_equal(e.digests.banks, TWO_BANKS);
	memset(want, 0x11, sizeof(want));
	assert_memory_equal(e.digests.d[ALG_SHA1], want, 20);
	memset(want, 0x33, sizeof(want));
	assert_memory_equal(e.digests.d[ALG_SHA256], want, 32);
	assert_true(span_is_str(e.data, "xyz"));

	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
	assert_int_equal(e.offset, E2);
	assert_int_equal(e.digests.banks, ALG_BIT(ALG_SHA256));
	assert_int_equal(e.data.n, 0);

	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
	assert_int_equal(e.offset, E3);
	assert_int_equal(e.digests.banks, 0);
	assert_int_equal(e.data.n, 16);
	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_END);
}

/* Every length, count, offset and identifier, changed to what it must not be. */
static void test_mutations(void **state)
{
	(void)state;
	enum { ANY = 0xffff }; /* where the error is found depends on what the shifted fields happen to say */
	static const struct {
		size_t at;
		size_t width;
		uint32_t value;
		size_t error_offset;
	} cases[] = {
		{ O_SPEC_SIZE, 4, 42, O_VENDOR }, /* vendor information cut off */
		{ O_SPEC_SIZE, 4, 44, O_VENDOR },
		{ O_SPEC_SIZE, 4, 41, O_VENDOR },
		{ O_SPEC_SIZE, 4, 40, O_VENDOR }, /* not even its size */
		{ O_SPEC_SIZE, 4, 39, O_ALG2_ID },
		{ O_SPEC_SIZE, 4, 28, O_ALG0_ID },
		{ O_SPEC_SIZE, 4, 27, O_SPEC_COUNT },
		{ O_SPEC_SIZE, 4, 16, 48 },
		{ O_SPEC_SIZE, 4, LOG_SIZE, 0 },
		{ O_SPEC_SIZE, 4, 0x7fffffff, 0 },
		{ O_SPEC_SIZE, 4, 0xffffffff, 0 },
		{ O_SPEC_COUNT, 4, 0, O_SPEC_COUNT },
		{ O_SPEC_COUNT, 4, 2, O_ALG2_ID },
		{ O_SPEC_COUNT, 4, 4, O_VENDOR },
		{ O_SPEC_COUNT, 4, 16, ANY },
		{ O_SPEC_COUNT, 4, 17, O_SPEC_COUNT },
		{ O_SPEC_COUNT, 4, 0x40000001, O_SPEC_COUNT }, /* times 4 wraps */
		{ O_SPEC_COUNT, 4, 0xffffffff, O_SPEC_COUNT },
		{ O_ALG0_ID, 2, 0x000b, O_ALG0_ID }, /* 20 bytes of SHA-256 */
		{ O_ALG0_ID, 2, 0x7fff, O_ALG1_ID }, /* twice */
		{ O_ALG0_SIZE, 2, 0, O_ALG0_ID },
		{ O_ALG0_SIZE, 2, 19, O_ALG0_ID },
		{ O_ALG0_SIZE, 2, 21, O_ALG0_ID },
		{ O_ALG0_SIZE, 2, 0xffff, O_ALG0_ID },
		{ O_ALG1_ID, 2, 0x7ffe, E1_ID1 }, /* the events use another */
		{ O_ALG1_SIZE, 2, 0, O_ALG1_ID },
		{ O_ALG1_SIZE, 2, 7, E1_ID2 - 1 },
		{ O_ALG1_SIZE, 2, 9, E1_ID2 + 1 },
		{ O_ALG1_SIZE, 2, 0xffff, E1_ID1 },
		{ O_ALG2_ID, 2, 0x000c, O_ALG2_ID },
		{ O_ALG2_ID, 2, 0x0004, O_ALG2_ID },
		{ O_ALG2_SIZE, 2, 33, O_ALG2_ID },
		{ O_VENDOR, 1, 1, O_VENDOR },
		{ O_VENDOR, 1, 3, O_VENDOR },
		{ O_VENDOR, 1, 0xff, O_VENDOR },
		{ E1_PCR, 4, 24, E1 },
		{ E1_PCR, 4, 0xffffffff, E1 },
		{ E1_COUNT, 4, 0, ANY },
		{ E1_COUNT, 4, 1, ANY },
		{ E1_COUNT, 4, 2, ANY },
		{ E1_COUNT, 4, 4, E1_COUNT },
		{ E1_COUNT, 4, 0x80000000, E1_COUNT },
		{ E1_COUNT, 4, 0xffffffff, E1_COUNT },
		{ E1_ID0, 2, 0x7fff, ANY },
		{ E1_ID0, 2, 0x000c, E1_ID0 }, /* known to us, but not to the log */
		{ E1_ID1, 2, 0x0004, E1_ID1 }, /* twice */
		{ E1_ID2, 2, 0x0004, E1_ID2 },
		{ E1_ID2, 2, 0x0000, E1_ID2 },
		{ E1_SIZE, 4, 2, ANY },
		{ E1_SIZE, 4, 4, ANY },
		{ E1_SIZE, 4, LOG_SIZE - E1_SIZE - 3, E1_SIZE },
		{ E1_SIZE, 4, 0x80000000, E1_SIZE },
		{ E1_SIZE, 4, 0xffffffff, E1_SIZE },
		{ E2, 4, 24, E2 },
		{ E2_COUNT, 4, 2, ANY },
		{ E2_COUNT, 4, 4, E2_COUNT },
		{ E2_ID0, 2, 0x0005, E2_ID0 },
		{ E2_SIZE, 4, 33, E2_SIZE }, /* past the end by one */
		{ E2_SIZE, 4, 0xffffffff, E2_SIZE },
		{ E3 + 4, 4, 4, E3 }, /* a measured event on PCR 0xffffffff */
		{ E3_COUNT, 4, 1, E3_COUNT + 4 },
		{ E3_COUNT, 4, 4, E3_COUNT },
		{ E3_SIZE, 4, 17, E3_SIZE },
		{ E3_SIZE, 4, 0xfffffffc, E3_SIZE },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		/* An allocation of its own, so that the sanitizer sees a byte too far. */
		uint8_t *log = malloc(LOG_SIZE);
		struct eventlog_reader r;
		size_t count;

		assert_non_null(log);
		memcpy(log, agile_log, LOG_SIZE);
		eventlog_put(log, cases[i].at, cases[i].value, cases[i].width);

		struct span s = { log, LOG_SIZE };
		struct pcrs p;

		if (eventlog_read_all(s, &r, &count) != EVENTLOG_MALFORMED)
			fail_msg("case %zu was accepted", i);
		if (cases[i].error_offset != ANY && r.error_offset != cases[i].error_offset)
			fail_msg("case %zu: error at %zu: %s", i, r.error_offset, r.error);
		pcrs_reset_dynamic(&p, ALG_SET_ALL, true);
		assert_int_equal(eventlog_replay(s, &p), EVENTLOG_MALFORMED);
		free(log);
	}
}

/* Cut off anywhere: whole events only, and no reading behind the end; they are replayed all the same. */
static void test_truncation(void **state)
{
	(void)state;
	for (size_t n = 0; n <= LOG_SIZE; n++) {
		uint8_t *log = malloc(n > 0 ? n : 1);
		struct eventlog_reader r;
		struct pcrs p, want;
		size_t count;

		assert_non_null(log);
		memcpy(log, agile_log, n);
		pcrs_reset_dynamic(&p, ALG_SET_ALL, true);
		want = p;

		bool whole = n == E1 || n == E2 || n == E3 || n == LOG_SIZE;
		enum eventlog_status status = eventlog_read_all((struct span){ log, n }, &r, &count);

		assert_int_equal(status, whole ? EVENTLOG_END : EVENTLOG_MALFORMED);
		if (n >= E1)
			assert_int_equal(count, 1u + (n >= E2) + (n >= E3) + (n >= LOG_SIZE));
		assert_int_equal(eventlog_replay((struct span){ log, n }, &p), status);
		if (n >= E2)
			assert_int_equal(eventlog_replay((struct span){ agile_log, n >= LOG_SIZE ? LOG_SIZE
										   : n >= E3     ? E3
												 : E2 },
						 &want),
				EVENTLOG_END);
		assert_memory_equal(&p, &want, sizeof(p));
		free(log);
	}
}

/* Any one byte wrong: the checks are in eventlog_read_all() and in the sanitizers. */
static void test_any_byte(void **state)
{
	(void)state;
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };

	for (size_t at = 0; at < LOG_SIZE; at++) {
		for (size_t i = 0; i < GL_COUNT(flips); i++) {
			uint8_t log[LOG_SIZE];
			struct eventlog_reader r;
			struct pcrs p;
			size_t count;

			memcpy(log, agile_log, LOG_SIZE);
			log[at] ^= flips[i];
			pcrs_reset_dynamic(&p, ALG_SET_ALL, true);

			enum eventlog_status status = eventlog_read_all(SPAN_OF(log), &r, &count);

			assert_int_equal(eventlog_replay(SPAN_OF(log), &p), status);
		}
	}
}

static void test_padding(void **state)
{
	(void)state;
	uint8_t log[LOG_SIZE + 100] = { 0 };
	struct eventlog_reader r;
	size_t count;

	memcpy(log, agile_log, LOG_SIZE);
	for (size_t n = LOG_SIZE; n <= sizeof(log); n++) {
		assert_int_equal(eventlog_read_all((struct span){ log, n }, &r, &count), EVENTLOG_END);
		assert_int_equal(count, 4);
	}
	/* Something behind the padding: then it was none, and the zeros are events until they end wrongly. */
	log[sizeof(log) - 1] = 1;
	assert_int_equal(eventlog_read_all(SPAN_OF(log), &r, &count), EVENTLOG_MALFORMED);

	memset(log, 0, sizeof(log));
	assert_int_equal(eventlog_open(&r, SPAN_OF(log)), EVENTLOG_MALFORMED);
	assert_int_equal(eventlog_open(&r, (struct span){ NULL, 0 }), EVENTLOG_MALFORMED);
	memset(log, 'x', sizeof(log));
	assert_int_equal(eventlog_open(&r, SPAN_OF(log)), EVENTLOG_MALFORMED);
}

/* ---- replay ---- */

static void test_replay(void **state)
{
	(void)state;
	static const uint32_t missing[ALG_COUNT] = { [ALG_SHA1] = 1u << 17, [ALG_SHA384] = 3u << 17, [ALG_SHA512] = 3u << 17 };
	struct pcrs p;
	uint8_t want[DIGEST_MAX];
	uint8_t zero[DIGEST_MAX] = { 0 };

	pcrs_reset_dynamic(&p, ALG_SET_ALL, true);
	assert_int_equal(eventlog_replay(SPAN_OF(agile_log), &p), EVENTLOG_END);

	struct span event1[] = { { zero, 32 }, { agile_log + E1_ID2 + 2, 32 } };
	struct span event2[] = { { zero, 32 }, { agile_log + E2_ID0 + 2, 32 } };
	struct span event1_sha1[] = { { zero, 20 }, { agile_log + E1_ID0 + 2, 20 } };

	evp_parts(ALG_SHA256, event1, 2, want);
	assert_memory_equal(p.v[ALG_SHA256][18], want, 32);
	/* EVTYPE_HASH_START is extended like any other. */
	evp_parts(ALG_SHA256, event2, 2, want);
	assert_memory_equal(p.v[ALG_SHA256][17], want, 32);
	evp_parts(ALG_SHA1, event1_sha1, 2, want);
	assert_memory_equal(p.v[ALG_SHA1][18], want, 20);
	assert_true(pcr_is_all(&p, ALG_SHA256, 19, 0));

	/* The second event has no SHA-1, the log has no SHA-384 and SHA-512: not wrong, but not known. */
	for (enum alg a = 0; a < ALG_COUNT; a++)
		for (unsigned i = 17; i <= 22; i++)
			assert_int_equal(pcr_known(&p, a, i), !(missing[a] >> i & 1));
}

/* tboot extends just the banks that it logs: no hole in the others. */
static void test_replay_of_tboots_events(void **state)
{
	(void)state;
	struct pcrs p;
	uint8_t log[LOG_SIZE];
	const uint8_t tboot[4] = { 0x01, 0x05 };

	memcpy(log, agile_log, LOG_SIZE);
	memcpy(log + E2 + 4, tboot, 4);
	pcrs_reset_dynamic(&p, ALG_SET_ALL, true);
	assert_int_equal(eventlog_replay(SPAN_OF(log), &p), EVENTLOG_END);
	assert_true(pcr_known(&p, ALG_SHA384, 17) && !pcr_known(&p, ALG_SHA384, 18));
	assert_true(pcr_known(&p, ALG_SHA1, 17) && pcr_is_all(&p, ALG_SHA1, 17, 0));
	assert_false(pcr_is_all(&p, ALG_SHA256, 17, 0));
}

static void test_type_names(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		uint32_t type;
		const char *name;
	} want[] = {
		{ 0x0, "EV_PREBOOT_CERT" }, { 0x1, "EV_POST_CODE" }, { 0x3, "EV_NO_ACTION" }, { 0x4, "EV_SEPARATOR" },
		{ 0x8, "EV_S_CRTM_VERSION" }, { 0xd, "EV_IPL" }, { 0x12, "EV_OMIT_BOOT_DEVICE_EVENTS" },
		{ 0x400, "EVTYPE_BASE" }, { 0x402, "EVTYPE_HASH_START" }, { 0x404, "EVTYPE_MLE_HASH" },
		{ 0x410, "EVTYPE_SINIT_PUBKEY_HASH" }, { 0x41a, "EVTYPE_BOOT_POL_HASH" }, { 0x4ff, "EVTYPE_CAP_VALUE" },
		{ 0x501, "TBOOT_MEASUREMENT" }, { 0x502, "SLAUNCH" }, { 0x503, "SLAUNCH_START" }, { 0x504, "SLAUNCH_END" },
		{ 0x5a0, "EV_GEOLAUNCH_POLICY" }, { 0x5a4, "EV_GEOLAUNCH_CAP" },
		{ 0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG" }, { 0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION" },
		{ 0x800000e0, "EV_EFI_VARIABLE_AUTHORITY" },
	};
	/* clang-format on */
	static const uint32_t unknown[] = { 0x14, 0x405, 0x500, 0x505, 0x59f, 0x5a5, 0x7fffffff, 0x8000000e, 0xffffffff };

	for (size_t i = 0; i < GL_COUNT(want); i++) {
		const char *name = event_type_name(want[i].type);

		assert_non_null(name);
		assert_string_equal(name, want[i].name);
	}
	for (size_t i = 0; i < GL_COUNT(unknown); i++)
		assert_null(event_type_name(unknown[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_agile),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_any_byte),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_replay_of_tboots_events),
		cmocka_unit_test(test_type_names),
	};

	make_log();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
