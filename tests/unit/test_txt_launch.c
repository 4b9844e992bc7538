/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole launch in process: what is extended, logged and handed over, against an independent computation and a real machine's log. */
#include <stdio.h>
#include <stdlib.h>

#include "common/eventlog.h"
#include "eventlog_check.h"
#include "evp.h"
#include "txt_world.h"

#define MAX_EVENTS 32

static const uint8_t aux_policy[32] = { 0xef, 0x9a, 0x26, 0xfc };
static const uint8_t ps_policy[32] = { 0x9f, 0x97, 0x0e, 0x88 };

static void setup_world(struct world *w)
{
	world_init(w);
}

/* AUX and supplier index as the real machine has them; the supplier's policy allows all. */
static void define_indices(struct world *w)
{
	static const uint8_t aux[104], ps[70] = { 0x02, 0x03, 0x0b, 0x00, 0x01, [22] = 0, [28] = 0x08, 0x00, 0x08, 0x00, 0x00, 0x00, 0x08 };

	world_define(w, 0, 0x01c10102, 0x62044408, SPAN_OF(aux_policy), SPAN_OF(aux));
	world_define(w, 1, 0x01c10103, 0x62040408, SPAN_OF(ps_policy), SPAN_OF(ps));
}

struct seen {
	uint32_t pcr, type;
	size_t data;
	struct digests digests;
};

static size_t read_events(struct span log, struct seen *out)
{
	struct eventlog_reader r;
	struct event e;
	size_t n = 0;

	assert_int_equal(eventlog_open(&r, log), EVENTLOG_EVENT);
	while (eventlog_next(&r, &e) == EVENTLOG_EVENT) {
		assert_true(n < MAX_EVENTS);
		out[n++] = (struct seen){ e.pcr, e.type, e.data.n, e.digests };
	}
	return n;
}

static struct span world_log(struct world *w)
{
	return (struct span){ world_at(w, w->log, w->log_size), w->log_size };
}

static void launch(struct world *w)
{
	assert_int_equal(world_senter(w), SMX_OK);
	if (!w->result.launched)
		(void)!txt_trace_print(stderr, &w->trace);
	assert_true(w->result.launched);
	assert_int_equal(w->result.rule, TXT_OK);
	assert_int_equal(w->result.errorcode, 0);
	assert_null(txt_trace_failure(&w->trace));
}

static void test_hand_over(void **state)
{
	struct world w;
	struct heap_tables t;
	struct heap_sinit_mle s;
	enum heap_table where;
	struct span heap;

	(void)state;
	setup_world(&w);
	launch(&w);
	heap = (struct span){ world_at(&w, WORLD_HEAP, 0x100000), 0x100000 };
	assert_int_equal(w.result.entry, WORLD_MLE + WORLD_ENTRY);
	assert_int_equal(w.result.ptab, WORLD_PTAB);
	assert_int_equal(chipset_get(&w.chipset, CHIPSET_ERRORCODE), 0);
	assert_int_equal(
		chipset_sts(&w.chipset) & (CHIPSET_STS_SENTER_DONE | CHIPSET_STS_SEXIT_DONE | CHIPSET_STS_MEM_CONFIG_LOCK |
						  CHIPSET_STS_PRIVATE_OPEN | CHIPSET_STS_LOCALITY1_OPEN | CHIPSET_STS_LOCALITY2_OPEN),
		CHIPSET_STS_SENTER_DONE | CHIPSET_STS_MEM_CONFIG_LOCK | CHIPSET_STS_PRIVATE_OPEN | CHIPSET_STS_LOCALITY2_OPEN);

	assert_int_equal(heap_locate(heap, 4, &t, &where), TXT_OK);
	heap.p += t.table[HEAP_SINIT_MLE].offset;
	heap.n = t.table[HEAP_SINIT_MLE].content.n + 8;
	assert_int_equal(heap_sinit_mle_decode(heap, &s), TXT_OK);
	assert_int_equal(s.version, 9);
	assert_int_equal(s.rlp_wakeup, WORLD_TOP - 64);
	assert_int_equal(s.mdr_count, 2);
	assert_int_equal(heap_mdr_at(&s, 1).range.base, 0x100000);
	assert_int_equal(s.dmar.n, 100);
	assert_memory_equal(s.dmar.p, world_at(&w, WORLD_DMAR, 100), 100);
	/* Offsets count from the size field: DMAR behind 156 bytes of fields and the end element, MDRs behind it. */
	assert_int_equal(s.dmar.p - heap.p, 156 + 8);
	assert_int_equal(s.mdr_bytes.p - heap.p, 156 + 8 + 100);

	smx_enter_mle(&w.cpu, w.result.entry, w.result.ptab, WORLD_SINIT);
	assert_int_equal(w.cpu.eip, WORLD_MLE + WORLD_ENTRY);
	assert_int_equal(w.cpu.ebx, w.cpu.eip);
	assert_int_equal(w.cpu.ecx, WORLD_PTAB);
	assert_int_equal(w.cpu.ebp, WORLD_SINIT);
	assert_false(w.cpu.cr0 & SMX_CR0_PG);
	world_free(&w);
}

static void test_same_structure_as_a_real_machine(void **state)
{
	static uint8_t real[REAL_LOG_SIZE];
	static struct seen want[MAX_EVENTS], have[MAX_EVENTS];
	struct world w;
	size_t n, m;

	(void)state;
	eventlog_load_real(real);
	setup_world(&w);
	w.banks = REAL_LOG_BANKS;
	world_build(&w);
	define_indices(&w);
	launch(&w);
	n = read_events(SPAN_OF(real), want);
	m = read_events(world_log(&w), have);
	/* All of SINIT's events; behind them the real log has tboot's. */
	assert_int_equal(m, 16);
	for (size_t i = 0; i < m; i++) {
		assert_int_equal(have[i].pcr, want[i].pcr);
		assert_int_equal(have[i].type, want[i].type);
		assert_int_equal(have[i].data, want[i].data);
		assert_int_equal(have[i].digests.banks, want[i].digests.banks);
	}
	assert_int_equal(want[m].type, 0x501);
	assert_true(n > m);
	/* The same bytes up to the first event: the Spec ID event. */
	assert_memory_equal(world_log(&w).p, real, 0x45);
	/* These have the same data on both machines. */
	for (size_t i = 0; i < m; i++) {
		if (have[i].type == 0x40b || have[i].type == 0x40c || have[i].type == 0x412 || have[i].type == 0x40e ||
			have[i].type == 0x413)
			assert_memory_equal(have[i].digests.d[ALG_SHA256], want[i].digests.d[ALG_SHA256], 32);
		if (have[i].type == 0x40a)
			assert_memory_equal(have[i].digests.d[ALG_SHA1], want[i].digests.d[ALG_SHA1], 20);
	}
	world_free(&w);
}

/* PCR := H(PCR || H(data)), by OpenSSL. */
static void extend(enum alg a, uint8_t pcr[DIGEST_MAX], const uint8_t *digest)
{
	const struct span parts[] = { { pcr, alg_table[a].size }, { digest, alg_table[a].size } };
	uint8_t out[DIGEST_MAX];

	evp_parts(a, parts, 2, out);
	memcpy(pcr, out, alg_table[a].size);
}

static void extend_data(enum alg a, uint8_t pcr[DIGEST_MAX], const void *p, size_t n)
{
	uint8_t digest[DIGEST_MAX];

	evp(a, (struct span){ p, n }, digest);
	extend(a, pcr, digest);
}

/* What PCR 17 and 18 must be, from the guide's list and nothing of the code under test. */
static void expect_pcrs(struct world *w, enum alg a, uint8_t pcr17[DIGEST_MAX], uint8_t pcr18[DIGEST_MAX])
{
	const uint8_t *acm = world_at(w, WORLD_SINIT, w->recipe.size);
	const struct span measured[] = { { acm, 128 }, { acm + 1216, w->recipe.size - 1216 } };
	const uint8_t le_one[4] = { 1 }, le_zero[4] = { 0 }, caps[4] = { 0x02, 0x02 }, zero = 0;
	uint8_t drtm[DIGEST_MAX] = { 0 }, nv[95], mle[DIGEST_MAX];
	struct span linear = { w->ram + WORLD_MLE + 0x1000, WORLD_MLE_SIZE - 100 - 0x1000 };

	memset(pcr17, 0, DIGEST_MAX);
	memset(pcr18, 0, DIGEST_MAX);
	/* SHA-256 of the module without key, signature and scratch, then EDX, which is 0. */
	evp_parts(ALG_SHA256, measured, 2, drtm);
	memset(drtm + 32, 0, 4);
	evp(a, linear, mle);
	/* AUX, PS, no PO; big-endian */
	memcpy(nv, "\x01\x01\xc1\x01\x02\x00\x0b\x62\x04\x44\x08\x00\x20", 13);
	memcpy(nv + 13, aux_policy, 32);
	memcpy(nv + 45, "\x00\x68\x01\x01\xc1\x01\x03\x00\x0b\x62\x04\x04\x08\x00\x20", 15);
	memcpy(nv + 60, ps_policy, 32);
	memcpy(nv + 92, "\x00\x46\x00", 3);

	extend_data(a, pcr17, drtm, 36);
	extend_data(a, pcr17, w->platform.bios_acm, 32);
	extend_data(a, pcr17, le_one, 4);
	extend_data(a, pcr17, le_zero, 4);
	extend_data(a, pcr17, &zero, 1);
	extend_data(a, pcr17, &zero, 1);
	extend_data(a, pcr17, caps, 4);
	extend(a, pcr17, mle);
	extend_data(a, pcr17, nv, sizeof(nv));

	extend_data(a, pcr18, acm + 128, 256);
	extend_data(a, pcr18, le_one, 4);
	extend_data(a, pcr18, caps, 4);
	extend_data(a, pcr18, le_zero, 4);
	extend_data(a, pcr18, &zero, 1);
	extend_data(a, pcr18, nv, sizeof(nv));
}

static void test_pcrs(void **state)
{
	struct world w;
	uint8_t pcr17[DIGEST_MAX], pcr18[DIGEST_MAX];

	(void)state;
	setup_world(&w);
	define_indices(&w);
	launch(&w);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		expect_pcrs(&w, a, pcr17, pcr18);
		assert_memory_equal(w.pcrs.v[a][17], pcr17, alg_table[a].size);
		assert_memory_equal(w.pcrs.v[a][18], pcr18, alg_table[a].size);
		for (unsigned i = 19; i <= 22; i++)
			assert_true(pcr_is_all(&w.pcrs, a, i, 0));
	}
	world_free(&w);
}

static void test_log_replays_to_the_pcrs(void **state)
{
	struct world w;
	struct pcrs p;

	(void)state;
	setup_world(&w);
	define_indices(&w);
	launch(&w);
	pcrs_reset_dynamic(&p, ALG_SET_ALL, true);
	assert_int_equal(eventlog_replay(world_log(&w), &p), EVENTLOG_END);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		assert_true(pcr_known(&p, a, 17) && pcr_known(&p, a, 18));
		assert_memory_equal(p.v[a][17], w.pcrs.v[a][17], alg_table[a].size);
		assert_memory_equal(p.v[a][18], w.pcrs.v[a][18], alg_table[a].size);
	}
	world_free(&w);
}

/* The element's last field is the offset behind the last event; everything behind it is untouched. */
static void test_next_offset(void **state)
{
	struct world w;
	uint32_t next;

	(void)state;
	setup_world(&w);
	memset(world_at(&w, w.log, w.log_size), 0xee, w.log_size);
	launch(&w);
	next = (uint32_t)world_get(&w, w.os_sinit + 92 + 8 + 16, 4);
	assert_in_range(next, 1000, 3000);
	assert_int_equal(world_get(&w, w.log + next, 4), 0xeeeeeeee);
	assert_int_not_equal(world_get(&w, w.log + next - 1, 1), 0xee);
	world_free(&w);
}

/* A record that is measured nowhere fills the log but for so many bytes. */
static void test_log_room(void **state)
{
	static struct seen have[MAX_EVENTS];
	struct world w;
	uint32_t next;
	size_t n;

	(void)state;
	setup_world(&w);
	w.platform.fill_log = true;
	w.platform.log_room = 100;
	launch(&w);
	next = (uint32_t)world_get(&w, w.os_sinit + 92 + 8 + 16, 4);
	assert_int_equal(next, w.log_size - 100);
	n = read_events((struct span){ world_log(&w).p, next }, have);
	assert_int_equal(n, 17);
	assert_int_equal(have[n - 1].pcr, 0);
	assert_int_equal(have[n - 1].type, EV_NO_ACTION);
	world_free(&w);
}

/* The older format: one log per algorithm. */
static void test_log_per_algorithm(void **state)
{
	struct world w;
	uint8_t pcr[2][DIGEST_MAX];
	const enum alg order[] = { ALG_SHA256, ALG_SHA1 };

	(void)state;
	setup_world(&w);
	w.banks = ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256);
	w.tcg_log = false;
	w.os_capabilities = ACM_CAP_RLP_WAKE_GETSEC | ACM_CAP_TCG_EVENT_LOG;
	w.log_count = 2;
	w.log_algs[0] = 0x000b;
	w.log_algs[1] = 0x0004;
	w.log_size = 4096;
	world_build(&w);
	define_indices(&w);
	launch(&w);
	for (size_t k = 0; k < 2; k++) {
		uint32_t next = (uint32_t)world_get(&w, w.os_sinit + 92 + 8 + 4 + 24 * k + 20, 4);
		struct rd r = rd_init((struct span){ world_at(&w, w.log + 4096 * k, 4096), next });
		enum alg a = order[k];
		size_t events = 0;

		if (a != ALG_SHA1) {
			assert_int_equal(rd_le32(&r), 0);
			assert_int_equal(rd_le32(&r), EV_NO_ACTION);
			(void)rd_bytes(&r, 20);
			assert_int_equal(rd_le32(&r), 28);
			assert_true(span_equal(rd_bytes(&r, 16), SPAN_OF("FRMT ID EVENT00")));
			assert_int_equal(rd_le32(&r), 1);
			assert_int_equal(rd_le32(&r), 2);
			assert_int_equal(rd_le32(&r), 32);
		}
		memset(pcr, 0, sizeof(pcr));
		while (rd_left(&r)) {
			uint32_t number = rd_le32(&r);

			assert_in_range(number, 17, 18);
			(void)rd_le32(&r);
			extend(a, pcr[number - 17], rd_bytes(&r, alg_table[a].size).p);
			(void)rd_bytes(&r, rd_le32(&r));
			events++;
		}
		assert_false(r.bad);
		assert_int_equal(events, 15);
		assert_memory_equal(pcr[0], w.pcrs.v[a][17], alg_table[a].size);
		assert_memory_equal(pcr[1], w.pcrs.v[a][18], alg_table[a].size);
	}
	world_free(&w);
}

/* With the embedded policy, banks that the module does not have are capped: neither open nor logged. */
static void test_foreign_bank_is_capped(void **state)
{
	struct world w;
	struct seen seen[MAX_EVENTS];
	uint8_t want[DIGEST_MAX] = { 0 };
	const uint8_t one[DIGEST_MAX] = { 1 };

	(void)state;
	setup_world(&w);
	w.os_flags = HEAP_OS_SINIT_EMBEDDED;
	w.recipe.tpm_alg_count = 2; /* SHA-1, SHA-256 */
	world_build(&w);
	launch(&w);
	assert_int_equal(w.result.banks, ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256));
	assert_int_equal(read_events(world_log(&w), seen), 16);
	assert_int_equal(seen[1].digests.banks, w.result.banks);
	extend(ALG_SHA384, want, one);
	assert_memory_equal(w.pcrs.v[ALG_SHA384][18], want, 48);
	assert_false(pcr_is_all(&w.pcrs, ALG_SHA512, 17, 0));
	world_free(&w);
}

/* Every command of SENTER fails in turn, in three ways: no launch, the right error code, an end of it. */
static void test_tpm_fails(void **state)
{
	static const struct {
		uint32_t rc;
		enum txt_rule rule;
		uint32_t code;
	} ways[] = {
		{ 0x101, TXT_RULE_TPM_ERROR, 0xc0000441 },
		{ TXT_TPM_SILENT, TXT_RULE_TPM_SILENT, 0xc0007c41 },
		{ TXT_TPM_RC_LOCALITY, TXT_RULE_TPM_LOCALITY, 0xc0000841 },
	};
	struct world w;
	unsigned commands;

	(void)state;
	setup_world(&w);
	define_indices(&w);
	launch(&w);
	commands = w.commands;
	assert_int_equal(commands, 1 + 1 + 3 + 1 + 1 + 14); /* hash, banks, three indices, PS, PCRs, extends */
	for (unsigned i = 1; i <= commands; i++) {
		for (size_t k = 0; k < GL_COUNT(ways); k++) {
			world_build(&w);
			w.fail_at = i;
			w.fail_rc = ways[k].rc;
			assert_int_equal(world_senter(&w), SMX_OK);
			assert_false(w.result.launched);
			assert_int_equal(w.result.rule, ways[k].rule);
			assert_int_equal(w.result.errorcode, ways[k].code);
			assert_int_equal(chipset_get(&w.chipset, CHIPSET_ERRORCODE), ways[k].code);
			assert_int_equal(w.result.measured, i > 1);
			assert_int_equal(w.result.capped, i > 1);
			assert_false(w.chipset.private_open);
		}
	}
	world_free(&w);
}

/* The machine dies at any read or write: the same. */
static void test_memory_fails(void **state)
{
	struct world w;
	unsigned i;

	(void)state;
	setup_world(&w);
	for (i = 1; i < 20000; i++) {
		world_build(&w);
		w.reads_left = i;
		(void)world_senter(&w);
		if (w.result.launched)
			break;
		if (w.result.rule != TXT_RULE_COUNT)
			assert_int_not_equal(w.result.errorcode, 0);
		w.reads_left = 0;
		txt_trace_free(&w.trace);
		if (i > 60)
			i += 7;
	}
	assert_in_range(i, 20, 19000);
	world_free(&w);
}

static void test_trace_output(void **state)
{
	struct world w;
	char *json, *text = NULL;
	size_t n = 0;
	FILE *f;

	(void)state;
	setup_world(&w);
	w.header.uuid[0] ^= 1;
	world_build(&w);
	(void)world_senter(&w);
	assert_non_null(txt_trace_failure(&w.trace));
	assert_string_equal(txt_trace_failure(&w.trace)->rule, "mle-uuid");
	json = txt_trace_json(&w.trace);
	assert_non_null(json);
	assert_non_null(strstr(json, "{\"who\":\"sinit\",\"verdict\":\"fail\",\"rule\":\"mle-uuid\""));
	free(json);
	f = open_memstream(&text, &n);
	assert_non_null(f);
	assert_true(txt_trace_print(f, &w.trace));
	fclose(f);
	assert_non_null(strstr(text, "sinit    FAIL  mle-uuid: there is no MLE header"));
	assert_non_null(strstr(text, "TXT.ERRORCODE 0xc0000a81, TXT reset"));
	free(text);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hand_over),
		cmocka_unit_test(test_same_structure_as_a_real_machine),
		cmocka_unit_test(test_pcrs),
		cmocka_unit_test(test_log_replays_to_the_pcrs),
		cmocka_unit_test(test_next_offset),
		cmocka_unit_test(test_log_room),
		cmocka_unit_test(test_log_per_algorithm),
		cmocka_unit_test(test_foreign_bank_is_capped),
		cmocka_unit_test(test_tpm_fails),
		cmocka_unit_test(test_memory_fails),
		cmocka_unit_test(test_trace_output),
	};

	return cmocka_run_group_tests_name("txt_launch", tests, NULL, NULL);
}
