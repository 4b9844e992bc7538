/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TPM fault sweep of the stage: its measuring over registers over a real software TPM after a dynamic launch, each command of which goes
 * wrong, in each way, under each type of policy. What must come of it follows from rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/eventlog.h"
#include "common/hash.h"
#include "qemu/proxy/tpm_message.h"
#include "stage/measure.h"
#include "tests/unit/fake_tpm.h"
#include "tests/unit/faulty_tpm.h"
#include "tests/unit/stage_world.h"
#include "tests/unit/sweep_verdict.h"

#define INDEX 0x01c10110u
#define PATIENCE_US 180000000
#define EVTYPE_HASH_START 0x402u

static const uint8_t content[48] = "the tag of a host";
static struct faulty_tpm faulty;
static struct sweep_verdict verdict;
static struct stage_scene *scene; /* only its heap is of interest, made anew for each run */

static struct {
	unsigned count, last_extend; /* from 1 */
	uint32_t code[FAULTY_TRACE_MAX];
} good;

struct fault {
	unsigned at;
	enum fault_kind kind;
	bool late;
	const char *policy;
	enum fake_kind registers;
};

/* One run of the stage, as far as the TPM goes. */
struct room {
	struct fake_tpm registers;
	struct measure m;
	struct stage_rules rules;
	struct vlp policy;
	struct apply apply;
	bool has_tpm;
	enum vlp_action act;
	struct pcrs pcrs;
	uint8_t log_room[8192];
	struct eventlog log;
};

static void quiet(const char *text)
{
	assert_int_equal(strncmp(text, "geolaunch-stage: ", 17), 0);
}

static void no_delay(void *ctx, unsigned ms)
{
	(void)ctx;
	(void)ms;
}

/* What SINIT measured, then the stage's part of the heap's log. */
static void make_log(struct room *r, size_t skip)
{
	struct eventlog_reader reader;
	struct digests d;
	struct event e;

	assert_true(eventlog_begin(&r->log, (struct mspan){ r->log_room, sizeof(r->log_room) }, ALG_SET_ALL));
	hash_span(ALG_SET_ALL, SPAN_LITERAL("launch"), &d);
	assert_true(eventlog_append(&r->log, 17, EVTYPE_HASH_START, &d, SPAN_LITERAL("HASH_START")));
	if (!r->m.has_log)
		return;
	assert_int_equal(eventlog_open(&reader, (struct span){ r->m.log.log.p, r->m.log.next }), EVENTLOG_EVENT);
	while (eventlog_next(&reader, &e) == EVENTLOG_EVENT)
		if (e.offset >= skip && e.type != EV_NO_ACTION)
			assert_true(eventlog_append(&r->log, e.pcr, e.type, &e.digests, e.data));
	assert_null(reader.error);
}

/* As stage/main.c does it. */
static struct room *run(const struct fault *f)
{
	struct room *r = calloc(1, sizeof(*r));
	char line[512];
	struct text t = TEXT_OF(line);
	size_t skip;

	assert_non_null(r);
	skip = scene_heap(scene, ALG_SET_ALL);
	fake_tpm_init(&r->registers, f->registers, faulty_execute, &faulty);
	r->registers.active = -1;
	r->m.tpm.delay_ms = no_delay;
	text_str(&t, "geolaunch-stage 1 policy=");
	text_str(&t, f->policy);
	text_str(&t, " hypervisor=linux modules=hypervisor nv=0x01c10110,nv,22,any halt=poweroff,0");
	assert_int_equal(stage_rules_parse(span_str(line), &r->rules, NULL), STAGE_RULES_OK);
	faulty_reset(&faulty, &r->registers, true);
	faulty.at = f->at;
	faulty.kind = f->kind;
	faulty.late = f->late;

	r->act = VLP_ACT_HALT;
	r->has_tpm = measure_open(&r->m, &r->registers.mmio, quiet);
	if (r->has_tpm) {
		r->m.has_log = heaplog_open(&scene->world, (struct txt_range){ STAGE_HEAP, STAGE_HEAP_SIZE }, &r->m.log) == STAGE_OK;
		assert_true(r->m.has_log);
		r->act = measure_launch(&r->m, &r->rules, &r->policy, &r->apply);
	}
	measure_close(&r->m);
	faulty_pcrs(&faulty, &r->pcrs);
	make_log(r, skip);
	return r;
}

static void learn_good(void)
{
	struct room *r = run(&(struct fault){ .policy = "halt" });

	assert_int_equal(r->act, VLP_ACT_CONTINUE);
	sweep_expect(&verdict, &r->pcrs, eventlog_bytes(&r->log), true);
	assert_int_equal(verify_exit_code(&verdict.r), 0);
	good.count = faulty.count;
	for (unsigned i = 0; i < good.count; i++) {
		assert_int_equal(faulty.trace[i].locality, 2);
		good.code[i] = faulty.trace[i].code;
		if (good.code[i] == SOFT_PCR_EXTEND)
			good.last_extend = i + 1;
	}
	/* The stage asks for nothing more once all is measured. */
	assert_int_equal(good.last_extend, good.count);
	assert_true(good.count >= 7);
	free(r);
}

static int start_tpm(void **state)
{
	(void)state;
	assert_int_equal(setenv("TSS2_LOG", "all+none", 1), 0);
	scene = scene_new();
	faulty_start(&faulty);
	faulty_define(&faulty, INDEX, SPAN_OF(content));
	learn_good();
	return 0;
}

static int stop_tpm(void **state)
{
	(void)state;
	verify_result_free(&verdict.r);
	faulty_stop(&faulty);
	scene_free(scene);
	return 0;
}

/* ---------------------------------------------------------------- the rules */

/* As SINIT left them; then what the word says: nv, closing, capPCR:.., caps:.. in their order. */
static void predict(struct oracle *o, bool nv, const char *cap_nv, bool closing, const char *cap17, const char *caps)
{
	struct pcrs p;

	o->banks = ALG_SET_ALL;
	pcrs_reset_dynamic(&p, ALG_SET_ALL, true);
	memcpy(o->pcr, p.v, sizeof(o->pcr));
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		uint8_t d[DIGEST_MAX];

		oracle_hash(a, SPAN_LITERAL("launch"), span_str(""), span_str(""), d);
		oracle_hash(a, (struct span){ o->pcr[a][17], alg_table[a].size }, (struct span){ d, alg_table[a].size }, span_str(""),
			o->pcr[a][17]);
	}
	if (nv)
		oracle_nv(o, 22, false, SPAN_OF(content));
	if (cap_nv)
		oracle_cap(o, 22, cap_nv);
	if (closing)
		oracle_closing(o);
	if (cap17)
		oracle_cap(o, 17, cap17);
	if (caps)
		oracle_caps(o, caps);
}

#define BIT(v) (1u << VERIFY_##v)

static const char *expect_whole(const struct room *r)
{
	struct oracle o;

	predict(&o, true, NULL, true, NULL, NULL);
	oracle_assert(&o, &r->pcrs);
	assert_int_equal(r->act, VLP_ACT_CONTINUE);
	sweep_expect_verdicts(&verdict, BIT(TRUSTED));
	return "recovered";
}

/* The TPM takes nothing any more, no cap either: what is missing has a name. `late`: the log lacks what was extended last. */
static const char *expect_broken_off(const struct room *r, bool nv, bool closing, bool late)
{
	struct oracle o;

	predict(&o, nv, NULL, closing, NULL, NULL);
	oracle_assert(&o, &r->pcrs);
	assert_int_equal(r->act, VLP_ACT_HALT);
	/* HASH_START is the first event. */
	sweep_expect_verdicts(&verdict, sweep_missing(&verdict, 1u + nv + closing) | (late ? BIT(LOG_MISMATCH) : 0));
	return "broken-off";
}

static const char *expect_capped(const struct room *r, bool nv, bool cap_nv, bool closing, const char *cap17, enum cap halt, bool late)
{
	bool halted = halt != CAP_COUNT;
	struct oracle o;

	predict(&o, nv, cap_nv ? "nv-unreadable" : NULL, closing, cap17, halted ? cap_table[halt].name : NULL);
	oracle_assert(&o, &r->pcrs);
	sweep_expect_verdicts(&verdict, BIT(CAPPED) | (cap_nv ? BIT(GEO_MISMATCH) : 0) | (late ? BIT(LOG_MISMATCH) : 0));
	assert_int_equal(verdict.r.why, cap_nv ? CAP_NV_UNREADABLE : CAP_TPM_ERROR);
	assert_int_equal(verdict.r.modules.n, 0);
	assert_int_equal(r->act, halted ? VLP_ACT_HALT : VLP_ACT_CONTINUE);
	return halted ? "capped-halted" : "capped-started";
}

static const char *expect_after(const struct fault *f, const struct room *r)
{
	bool lasts = fault_kind_lasts(f->kind), last = f->at == good.last_extend;

	if (f->kind == FAULT_KIND_RETRY)
		return expect_whole(r);
	if (f->at <= 2) {
		assert_int_equal(good.code[f->at - 1], SOFT_GET_CAPABILITY);
		assert_false(r->has_tpm);
		return expect_broken_off(r, false, false, false);
	}
	switch (good.code[f->at - 1]) {
	case SOFT_NV_READ_PUBLIC:
	case SOFT_NV_READ:
		if (lasts)
			return expect_broken_off(r, false, false, false);
		if (strcmp(f->policy, "halt") == 0)
			return expect_capped(r, false, true, false, NULL, CAP_NV_UNREADABLE, false);
		return expect_capped(r, false, true, true, NULL, CAP_COUNT, false);
	case SOFT_PCR_READ:
		return lasts ? expect_broken_off(r, true, false, false)
		             : expect_capped(r, true, false, false, "tpm-error", CAP_TPM_ERROR, false);
	case SOFT_PCR_EXTEND:
		if (lasts)
			return expect_broken_off(r, last || f->late, last && f->late, f->late);
		return expect_capped(r, last || f->late, false, last && f->late, NULL, CAP_TPM_ERROR, f->late);
	default:
		fail_msg("a command 0x%x in the stage", good.code[f->at - 1]);
		return NULL;
	}
}

/* ---------------------------------------------------------------- the sweep */

static void try_fault(const struct fault *f)
{
	const char *command = tpm_command_name(good.code[f->at - 1]);
	struct sweep_record record;
	struct room *r;

	print_message("# %s %s of command %u, %s, %s%s\n", f->registers == FAKE_TIS ? "fifo" : "crb", fault_kind_name[f->kind], f->at,
		command, f->policy, f->late ? ", late" : "");
	r = run(f);
	sweep_verify(&verdict, &r->pcrs, eventlog_bytes(&r->log));
	/* clang-format off */
	record = (struct sweep_record){
		.mode = f->registers == FAKE_TIS ? "stage-core" : "stage-core-crb", .command = command, .index = f->at,
		.kind = fault_kind_name[f->kind], .policy = f->policy, .outcome = expect_after(f, r), .late = f->late,
		.locality0_back = r->registers.active == -1,
	};
	/* clang-format on */
	assert_true(faulty.count >= f->at);
	/* Nobody holds the TPM: whoever wants locality 0 gets it. */
	assert_true(record.locality0_back);
	assert_true(r->registers.now_us < PATIENCE_US);
	sweep_record(&verdict, &record);
	free(r);
}

static void sweep(enum fake_kind registers, const char *policy, bool late)
{
	for (enum fault_kind kind = 0; kind < FAULT_KIND_COUNT; kind++)
		for (unsigned at = 1; at <= good.count; at++) {
			if (late && (kind == FAULT_KIND_RETRY || good.code[at - 1] != SOFT_PCR_EXTEND))
				continue;
			try_fault(&(struct fault){ .at = at, .kind = kind, .late = late, .policy = policy, .registers = registers });
		}
}

static void test_each_policy(void **state)
{
	(void)state;
	sweep(FAKE_TIS, "nonfatal", false);
	sweep(FAKE_TIS, "continue", false);
	sweep(FAKE_TIS, "halt", false);
}

static void test_executed_all_the_same(void **state)
{
	(void)state;
	sweep(FAKE_TIS, "nonfatal", true);
	sweep(FAKE_TIS, "halt", true);
}

static void test_crb(void **state)
{
	(void)state;
	sweep(FAKE_CRB, "nonfatal", false);
	sweep(FAKE_CRB, "halt", true);
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_policy), cmocka_unit_test(test_executed_all_the_same), cmocka_unit_test(test_crb),
	};
	/* clang-format on */

	return cmocka_run_group_tests_name("stage_sweep", tests, start_tpm, stop_tpm);
}
