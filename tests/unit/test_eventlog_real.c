/* SPDX-License-Identifier: BSD-3-Clause */
/* The event log of a real machine with Intel TXT, see tests/data/real-txt. */
#include <stdio.h>

#include "eventlog_check.h"
#include "evp.h"

#include "common/eventlog.h"
#include "common/measure.h"

static uint8_t real[REAL_LOG_SIZE];

static void test_events(void **state)
{
	(void)state;
	/* The order in which SINIT and tboot measure; PCR and type of each event. */
	/* clang-format off */
	static const struct {
		uint32_t pcr, type;
	} want[] = {
		{ 0, 0x3 },
		{ 17, 0x402 }, { 17, 0x40a }, { 17, 0x40b }, { 17, 0x40c }, { 17, 0x412 }, { 17, 0x40e }, { 17, 0x40f }, { 17, 0x404 },
		{ 17, 0x414 },
		{ 18, 0x410 }, { 18, 0x40b }, { 18, 0x40f }, { 18, 0x40c }, { 18, 0x413 }, { 18, 0x414 },
		{ 17, 0x501 }, { 18, 0x501 }, { 17, 0x501 }, { 17, 0x501 },
	};
	/* clang-format on */
	struct eventlog_reader r;
	struct event e;

	eventlog_load_real(real);
	assert_int_equal(eventlog_open(&r, SPAN_OF(real)), EVENTLOG_EVENT);
	assert_int_equal(r.format, EVENTLOG_CRYPTO_AGILE);
	assert_int_equal(r.banks, REAL_LOG_BANKS);
	for (size_t i = 0; i < GL_COUNT(want); i++) {
		assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
		assert_int_equal(e.pcr, want[i].pcr);
		assert_int_equal(e.type, want[i].type);
		/* SINIT logs both banks, tboot the one that it extends. */
		assert_int_equal(e.digests.banks, i == 0 ? 0 : e.type == 0x501 ? ALG_BIT(ALG_SHA256) : REAL_LOG_BANKS);

		/* SINIT's events with data: the digest is that of the data; but HASH_START measures the ACM itself. */
		for (enum alg a = 0; a < ALG_COUNT && e.data.n > 0 && e.type != 0x402; a++) {
			uint8_t md[DIGEST_MAX];

			if (!(e.digests.banks & ALG_BIT(a)))
				continue;
			evp(a, e.data, md);
			assert_memory_equal(e.digests.d[a], md, alg_table[a].size);
		}
	}
	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_END);
}

/* Golden: replayed by an independent program. No quote of this machine is known. */
static void test_replay(void **state)
{
	(void)state;
	struct pcrs p;

	eventlog_load_real(real);
	pcrs_reset_dynamic(&p, REAL_LOG_BANKS, true);
	assert_int_equal(eventlog_replay(SPAN_OF(real), &p), EVENTLOG_END);
	assert_hex(pcr_value(&p, ALG_SHA256, 17), "ff8a57bf4a600950af3a52bd832741cf4c282300b526021fd12aacfb7fe22d5a");
	assert_hex(pcr_value(&p, ALG_SHA256, 18), "ad82584b09f51b928d15168785a0f7a2ff82d2da1520e57534dff391cb4aeb95");
	assert_true(pcr_known(&p, ALG_SHA256, 17) && pcr_known(&p, ALG_SHA256, 18));
	/* tboot extended one bank only: the other one has SINIT's events alone. Golden, too. */
	assert_true(pcr_known(&p, ALG_SHA1, 17) && pcr_known(&p, ALG_SHA1, 18));
	assert_hex(pcr_value(&p, ALG_SHA1, 17), "dc15ba215e2c6efc4a2be94eee141e217b1da04e");
	assert_hex(pcr_value(&p, ALG_SHA1, 18), "d45891728a449c3be27b0d07a8c6d2c9d6ea34da");
	assert_true(pcr_is_all(&p, ALG_SHA256, 19, 0));
}

/* Another machine of the same make, from the same project: its log as digests and the PCR 18 that its TPM quoted. */
static void test_replay_quoted(void **state)
{
	(void)state;
	static const struct {
		uint32_t type;
		const char *sha256;
	} events[] = {
		{ 0x410, "da256395df4046319ef0af857d377a729e5bc0693429ac827002ffafe485b2e7" },
		{ 0x40b, "67abdd721024f0ff4e0b3f4c2fc13bc5bad42d0b7851d456d88d203d15aaa450" },
		{ 0x40f, "d81fe96dc500bc43e1cd5800bef9d72b3d030bdb7e860e10c522e4246b30bd93" },
		{ 0x40c, "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119" },
		{ 0x413, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
		{ 0x414, "0f6e0c7a5944963d7081ea494ddff1e9afa689e148e39f684db06578869ea38b" },
		{ 0x501, "27808f64e6383982cd3bcc10cfcb3457c0b65f465f779d89b668839eaf263a67" },
	};
	uint8_t buf[1024] = { 0 };
	struct eventlog l;
	struct pcrs p;

	assert_true(eventlog_begin(&l, (struct mspan){ buf, sizeof(buf) }, ALG_BIT(ALG_SHA256)));
	for (size_t i = 0; i < GL_COUNT(events); i++) {
		struct digests d = { .banks = ALG_BIT(ALG_SHA256) };

		(void)from_hex(events[i].sha256, d.d[ALG_SHA256], DIGEST_MAX);
		assert_true(eventlog_append(&l, 18, events[i].type, &d, (struct span){ NULL, 0 }));
	}
	pcrs_reset_dynamic(&p, ALG_BIT(ALG_SHA256), true);
	assert_int_equal(eventlog_replay(SPAN_OF(buf), &p), EVENTLOG_END);
	assert_hex(pcr_value(&p, ALG_SHA256, 18), "d9e55bd1c570a6408fb1368f3663ae92747241fc4d2a3622cef0efadae284d75");
}

/* tboot's event on PCR 18 is its built-in policy by the rule that we follow, too. */
static void test_policy_event(void **state)
{
	(void)state;
	/* clang-format off */
	static const uint8_t policy[36] = {
		2, 0, 0x0b, 1, 0, 0, 0, 0, 0, 0, 0, 3,
		0, 255, 0, 0, 0, 0, 0, 0,
		129, 17, 0, 0, 0, 0, 0, 0,
		131, 22, 0, 0x10, 0, 0, 0x40, 0,
	};
	/* clang-format on */
	struct eventlog_reader r;
	struct event e;
	struct digests d;
	unsigned found = 0;

	eventlog_load_real(real);
	measure_policy(ALG_BIT(ALG_SHA256), 1, SPAN_OF(policy), &d);
	assert_hex(digest_span(&d, ALG_SHA256), "71be5852a14eabefebf0df0e1acc5da291883b6d4c5ab20914ed987c1daf3f91");
	assert_int_equal(eventlog_open(&r, SPAN_OF(real)), EVENTLOG_EVENT);
	while (eventlog_next(&r, &e) == EVENTLOG_EVENT)
		if (e.type == 0x501 && digests_equal(&e.digests, &d))
			found |= 1u << e.pcr;
	assert_int_equal(found, 1u << 17 | 1u << 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_replay_quoted),
		cmocka_unit_test(test_policy_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
