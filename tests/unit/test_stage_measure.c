/* SPDX-License-Identifier: BSD-3-Clause */
/* stage/measure.c in front of a software TPM behind registers and a TXT heap in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/eventlog.h"
#include "common/hash.h"
#include "stage/measure.h"
#include "tests/unit/boot_samples.h"
#include "tests/unit/fake_tpm.h"
#include "tests/unit/fake_tpm_mmio.h"
#include "tests/unit/stage_world.h"

#define INDEX 0x01c10110u
#define INDEX_RAW 0x01c10111u

static const uint8_t content[48] = "the tag of a host", raw[32] = "a digest";

struct room {
	struct soft_tpm soft;
	struct fake_tpm fake;
	struct stage_scene *scene;
	struct measure m;
	struct stage_rules rules;
	struct vlp policy;
	struct apply apply;
};

static char last_line[160];

static void quiet(const char *text)
{
	assert_int_equal(strncmp(text, "geolaunch-stage: ", 17), 0);
	assert_true(strlen(text) < sizeof(last_line));
	memcpy(last_line, text, strlen(text) + 1);
}

static void no_delay(void *ctx, unsigned ms)
{
	(void)ctx;
	(void)ms;
}

/* After tboot: D-RTM values, nobody holds the TPM. */
static struct room *room_new(enum fake_kind kind, alg_set banks, const char *policy)
{
	struct room *r = calloc(1, sizeof(*r));
	char line[512];
	struct text t = TEXT_OF(line);

	assert_non_null(r);
	r->scene = scene_new();
	(void)scene_heap(r->scene, ALG_SET_ALL);
	soft_tpm_init(&r->soft, banks);
	pcrs_reset_dynamic(&r->soft.pcrs, banks, true);
	soft_tpm_define(&r->soft, INDEX, SPAN_OF(content));
	soft_tpm_define(&r->soft, INDEX_RAW, SPAN_OF(raw));
	fake_tpm_init(&r->fake, kind, soft_tpm_execute, &r->soft);
	r->fake.active = -1;
	r->m.tpm.delay_ms = no_delay;
	text_str(&t, "geolaunch-stage 1 policy=");
	text_str(&t, policy);
	text_str(&t, " hypervisor=linux modules=hypervisor nv=0x01c10110,nv,22,any nv=0x01c10111,nv_raw,21,any halt=poweroff,0");
	assert_int_equal(stage_rules_parse(span_str(line), &r->rules, NULL), STAGE_RULES_OK);
	return r;
}

static void room_free(struct room *r)
{
	scene_free(r->scene);
	free(r);
}

static enum vlp_action room_run(struct room *r)
{
	enum vlp_action act = VLP_ACT_HALT;

	if (!measure_open(&r->m, &r->fake.mmio, quiet))
		return VLP_ACT_HALT;
	r->m.has_log = heaplog_open(&r->scene->world, (struct txt_range){ STAGE_HEAP, STAGE_HEAP_SIZE }, &r->m.log) == STAGE_OK;
	r->m.log_lost = !r->m.has_log;
	act = measure_launch(&r->m, &r->rules, &r->policy, &r->apply);
	return act;
}

/* What the PCRs must be after a good launch, computed step by step. */
static void expect_good(struct pcrs *p, alg_set banks)
{
	struct digests d;

	pcrs_reset_dynamic(p, banks, true);
	hash_span(banks, SPAN_OF(content), &d);
	assert_true(pcrs_extend(p, 22, &d));
	hash_span(banks, SPAN_OF(raw), &d);
	memcpy(d.d[ALG_SHA256], raw, 32);
	assert_true(pcrs_extend(p, 21, &d));
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		uint8_t four[4 * DIGEST_MAX];
		size_t n = alg_table[a].size;
		struct digests one;

		if (!(banks & ALG_BIT(a)))
			continue;
		for (unsigned i = 0; i < 4; i++)
			memcpy(four + i * n, p->v[a][19 + i], n);
		hash_span(ALG_BIT(a), (struct span){ four, 4 * n }, &one);
		memcpy(d.d[a], one.d[a], n);
	}
	assert_true(pcrs_extend(p, 17, &d));
}

static void assert_pcrs(const struct pcrs *a, const struct pcrs *b)
{
	for (enum alg i = 0; i < ALG_COUNT; i++)
		for (unsigned pcr = 17; pcr <= 22; pcr++)
			if (a->banks & ALG_BIT(i))
				assert_memory_equal(a->v[i][pcr], b->v[i][pcr], alg_table[i].size);
}

/* The stage's part of the log gives the TPM's values, from zeros on. */
static void assert_log(const struct room *r, size_t skip)
{
	struct eventlog_reader reader;
	struct event e;
	struct pcrs p;

	pcrs_reset_dynamic(&p, r->soft.banks, true);
	assert_int_equal(eventlog_open(&reader, (struct span){ r->m.log.log.p, r->m.log.next }), EVENTLOG_EVENT);
	while (eventlog_next(&reader, &e) == EVENTLOG_EVENT)
		if (e.offset >= skip && e.type != EV_NO_ACTION)
			assert_true(pcrs_extend(&p, e.pcr, &e.digests));
	assert_null(reader.error);
	assert_pcrs(&p, &r->soft.pcrs);
}

static void test_good(void **state)
{
	static const alg_set banks[] = { ALG_SET_ALL, ALG_BIT(ALG_SHA256), ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA384) };

	(void)state;
	for (unsigned kind = 0; kind < 2; kind++)
		for (size_t i = 0; i < GL_COUNT(banks); i++) {
			struct room *r = room_new(kind ? FAKE_CRB : FAKE_TIS, banks[i], "halt");
			size_t before = scene_heap(r->scene, ALG_SET_ALL);
			struct pcrs want;

			assert_int_equal(room_run(r), VLP_ACT_CONTINUE);
			assert_int_equal(r->apply.error, TB_ERR_NONE);
			expect_good(&want, banks[i]);
			assert_pcrs(&want, &r->soft.pcrs);
			assert_log(r, before);
			for (unsigned c = 0; c < r->soft.commands; c++)
				assert_int_equal(r->soft.trace[c].locality, 2);
			assert_int_equal(r->fake.active, 2);
			measure_close(&r->m);
			assert_int_equal(r->fake.active, -1);
			measure_close(&r->m);
			room_free(r);
		}
}

/*
 * Every command fails, one after the other, for good or once. What goes on has every PCR extended as it should be, or a cap in its place; what
 * stops has caps wherever the TPM took them.
 */
static void test_fault_sweep(void **state)
{
	static const char *const policies[] = { "nonfatal", "continue", "halt" };
	unsigned commands, goes_on = 0, stops = 0;
	struct room *r = room_new(FAKE_TIS, ALG_SET_ALL, "halt");
	struct pcrs good;

	(void)state;
	assert_int_equal(room_run(r), VLP_ACT_CONTINUE);
	commands = r->soft.commands;
	good = r->soft.pcrs;
	room_free(r);
	assert_true(commands >= 9);
	for (size_t p = 0; p < GL_COUNT(policies); p++)
		for (unsigned at = 1; at <= commands; at++)
			for (unsigned late = 0; late < 2; late++) {
				enum vlp_action act;
				bool nv;

				r = room_new(FAKE_TIS, ALG_SET_ALL, policies[p]);
				r->soft.fail_at = at;
				r->soft.fail_count = 1;
				r->soft.fail_rc = SOFT_RC_FAILURE;
				r->soft.fail_late = late;
				act = room_run(r);
				assert_int_not_equal(act, VLP_ACT_UNMEASURED);
				nv = r->soft.trace[at - 1].code == SOFT_NV_READ_PUBLIC || r->soft.trace[at - 1].code == SOFT_NV_READ;
				/* Only what the policy lets pass may go on, and not with the values of a good launch. */
				assert_int_equal(act, nv && p < 2 ? VLP_ACT_CONTINUE : VLP_ACT_HALT);
				if (act == VLP_ACT_CONTINUE) {
					goes_on++;
					assert_int_equal(r->apply.error, TB_ERR_NV_VERIFICATION_FAILED);
				} else {
					stops++;
				}
				assert_memory_not_equal(good.v[ALG_SHA256][17], r->soft.pcrs.v[ALG_SHA256][17], 32);
				room_free(r);
			}
	assert_true(goes_on > 0 && stops > goes_on);
}

static void test_index_missing(void **state)
{
	static const struct {
		const char *policy;
		enum vlp_action act;
	} rows[] = { { "nonfatal", VLP_ACT_CONTINUE }, { "continue", VLP_ACT_CONTINUE }, { "halt", VLP_ACT_HALT } };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct room *r = room_new(FAKE_TIS, ALG_SET_ALL, rows[i].policy);
		size_t before = scene_heap(r->scene, ALG_SET_ALL);
		struct digests d;
		struct pcrs want;

		r->soft.nv_count = 0;
		assert_int_equal(room_run(r), rows[i].act);
		assert_int_equal(r->apply.why, CAP_NV_MISSING);
		pcrs_reset_dynamic(&want, ALG_SET_ALL, true);
		measure_cap(ALG_SET_ALL, CAP_NV_MISSING, &d);
		assert_true(pcrs_extend(&want, 22, &d));
		if (rows[i].act == VLP_ACT_HALT)
			assert_true(pcrs_extend(&want, 22, &d));
		assert_memory_equal(want.v[ALG_SHA1][22], r->soft.pcrs.v[ALG_SHA1][22], 20);
		assert_log(r, before);
		room_free(r);
	}
}

/* A log that is full: nothing is lost in the PCRs, and the policy decides. */
static void test_log_full(void **state)
{
	static const struct {
		const char *policy;
		enum vlp_action act;
	} rows[] = { { "nonfatal", VLP_ACT_CONTINUE }, { "continue", VLP_ACT_HALT }, { "halt", VLP_ACT_HALT } };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++)
		for (size_t room = 0; room < 3; room++) {
			struct room *r = room_new(FAKE_TIS, ALG_SET_ALL, rows[i].policy);
			size_t next = scene_heap(r->scene, ALG_SET_ALL);
			struct pcrs want;

			/* No event fits, one does, or there is no log. */
			sample_put(r->scene->ram, STAGE_HEAP + 40 + 116, room == 2 ? 0 : next + room * 230, 4);
			assert_int_equal(room_run(r), rows[i].act);
			assert_int_equal(r->m.has_log, room != 2);
			assert_true(r->m.log_lost);
			expect_good(&want, ALG_SET_ALL);
			if (rows[i].act == VLP_ACT_CONTINUE) {
				assert_int_equal(r->apply.error, TB_ERR_POST_LAUNCH_VERIFICATION);
				assert_pcrs(&want, &r->soft.pcrs);
			} else {
				assert_memory_not_equal(want.v[ALG_SHA512][17], r->soft.pcrs.v[ALG_SHA512][17], 64);
			}
			room_free(r);
		}
}

/* Why nothing can be measured is said in one line. */
static void test_not_opened(void **state)
{
	static const char closed[] = "geolaunch-stage: TPM locality 2 is closed, as it always is before a dynamic launch";
	static const struct {
		enum fake_kind kind;
		enum fake_gate gate;
		bool never_grant, tpm12, no_banks;
		uint32_t rc;
		const char *line;
	} rows[] = {
		{ .gate = FAKE_ONES, .line = closed },
		{ .kind = FAKE_CRB, .gate = FAKE_ONES, .line = closed },
		{ .rc = TPM2_RC_LOCALITY, .line = closed },
		{ .kind = FAKE_CRB, .rc = TPM2_RC_LOCALITY, .line = closed },
		{ .kind = FAKE_CRB, .never_grant = true, .line = "geolaunch-stage: TPM locality 2 was requested but never granted" },
		{ .rc = SOFT_RC_FAILURE, .line = "geolaunch-stage: the TPM does not answer as a TPM 2.0 should: TPM_RC_FAILURE (0x101)" },
		{ .tpm12 = true, .line = "geolaunch-stage: no TPM 2.0 at 0xfed40000" },
		{ .no_banks = true, .line = "geolaunch-stage: no PCR bank with SHA-1, SHA-256, SHA-384 or SHA-512 is active" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct room *r = room_new(rows[i].kind, rows[i].no_banks ? 0 : ALG_SET_ALL, "halt");

		r->fake.gate[2] = rows[i].gate;
		r->fake.never_grant = rows[i].never_grant;
		r->fake.tpm12 = rows[i].tpm12;
		r->soft.fail_at = rows[i].rc ? 1 : 0;
		r->soft.fail_count = 1000;
		r->soft.fail_rc = rows[i].rc;
		last_line[0] = 0;
		assert_int_equal(room_run(r), VLP_ACT_HALT);
		assert_string_equal(last_line, rows[i].line);
		measure_close(&r->m);
		assert_int_equal(r->fake.active, -1);
		room_free(r);
	}
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_fault_sweep), cmocka_unit_test(test_index_missing),
		cmocka_unit_test(test_log_full), cmocka_unit_test(test_not_opened),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
