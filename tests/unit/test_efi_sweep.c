/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TPM fault sweep of a launch in mode direct: app_run() over registers over a real software TPM of which each command goes wrong, in
 * each way, under each type of policy. What must come of it follows from rules below; PCRs are checked against what was predicted
 * (oracle.h) and against what the TPM really took.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "common/eventlog.h"
#include "qemu/proxy/tpm_message.h"
#include "tboot-policy/vlp.h"
#include "tests/unit/faulty_tpm.h"
#include "tests/unit/sweep_verdict.h"

/* The longest that a launch may wait for a TPM in all, microseconds. */
#define PATIENCE_US 180000000

static struct faulty_tpm faulty;
static struct sweep_verdict verdict;
static const char *const type_name[] = { [VLP_NONFATAL] = "nonfatal", [VLP_CONTINUE] = "continue", [VLP_HALT] = "halt" };

/* What a good launch sends. */
static struct {
	unsigned count, last_extend; /* from 1 */
	uint32_t code[FAULTY_TRACE_MAX];
	unsigned extends_before[FAULTY_TRACE_MAX]; /* extends in front of that command */
} good;

struct fault {
	unsigned at;
	enum fault_kind kind;
	bool late;
	uint8_t type; /* of the policy */
	enum fake_kind registers;
};

static struct span log_of_launch(void)
{
	static const EFI_GUID guid = GEOLAUNCH_GUID;
	const struct fw_variable *v = fw_variable(u"GeolaunchEventLog", &guid);

	return v ? (struct span){ v->data, v->n } : (struct span){ NULL, 0 };
}

static unsigned events_logged(void)
{
	struct eventlog_reader r;
	struct event e;
	unsigned n = 0;

	assert_int_equal(eventlog_open(&r, log_of_launch()), EVENTLOG_EVENT);
	while (eventlog_next(&r, &e) == EVENTLOG_EVENT)
		n += e.type != EV_NO_ACTION;
	assert_null(r.error);
	return n;
}

static void launch(const struct fault *f)
{
	scene_init(&(struct scene_options){ .type = f->type, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
	fake_tpm_init(&scene.registers, f->registers, faulty_execute, &faulty);
	faulty_reset(&faulty, &scene.registers, false);
	faulty.at = f->at;
	faulty.kind = f->kind;
	faulty.late = f->late;
	(void)scene_run();
	faulty_pcrs(&faulty, &scene.tpm.pcrs);
}

/* The policy's type is measured with it. */
static void learn_good(uint8_t type)
{
	launch(&(struct fault){ .type = type });
	scene_expect(SCENE_GOOD);
	scene_expect_log(scene_count(SCENE_GOOD));
	scene_expect_started(SCENE_ALL);
	sweep_expect(&verdict, &scene.tpm.pcrs, log_of_launch(), false);
	assert_int_equal(verify_exit_code(&verdict.r), 10);
	good.count = faulty.count;
	good.last_extend = 0;
	for (unsigned i = 0, extends = 0; i < good.count; i++) {
		assert_int_equal(faulty.trace[i].locality, 2);
		good.code[i] = faulty.trace[i].code;
		good.extends_before[i] = extends;
		if (good.code[i] != SOFT_PCR_EXTEND)
			continue;
		extends++;
		good.last_extend = i + 1;
	}
	assert_true(good.last_extend > 10 && good.last_extend < good.count);
}

static int start_tpm(void **state)
{
	(void)state;
	assert_int_equal(setenv("TSS2_LOG", "all+none", 1), 0);
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
	faulty_start(&faulty);
	faulty_define(&faulty, SCENE_GEO, scene.geo);
	return 0;
}

static int stop_tpm(void **state)
{
	(void)state;
	verify_result_free(&verdict.r);
	faulty_stop(&faulty);
	return 0;
}

/* ---------------------------------------------------------------- the rules */

#define BIT(v) (1u << VERIFY_##v)

/* Nothing of the launch is missing: the values are those predicted, and the host runs. */
static const char *expect_whole(void)
{
	scene_expect(SCENE_GOOD);
	scene_expect_log(scene_count(SCENE_GOOD));
	scene_expect_started(SCENE_ALL);
	sweep_expect_verdicts(&verdict, BIT(NO_DRTM) | sweep_missing(&verdict, scene_count(SCENE_GOOD)));
	return "recovered";
}

/* The TPM does not say what it is: nothing is measured, and there is no log that could lack its end. */
static const char *expect_no_tpm(const struct fault *f)
{
	scene_expect("");
	assert_int_equal(log_of_launch().n, 0);
	sweep_expect_verdicts(&verdict, BIT(NO_DRTM) | (sweep_missing(&verdict, 0) & ~BIT(LOG_MISMATCH)));
	if (f->type == VLP_NONFATAL) {
		scene_expect_started(SCENE_ALL);
		return "unmeasured";
	}
	scene_expect_halted("tpm-error");
	return "halted";
}

/*
 * Halted, and the TPM takes nothing any more, no cap either: what was extended before is all there is. `late`: that is one more than the
 * log has.
 */
static const char *expect_broken_off(const char *steps, unsigned extends, bool late)
{
	scene_expect_cut(steps, extends, "");
	assert_int_equal(events_logged(), extends - late);
	scene_expect_halted("tpm-error");
	sweep_expect_verdicts(&verdict, BIT(NO_DRTM) | sweep_missing(&verdict, extends) | (late ? BIT(LOG_MISMATCH) : 0));
	return "broken-off";
}

/* What the reason of a cap says of the content; and what the log does not have though the TPM executed it. */
static const char *expect_capped(const char *steps, unsigned extends, const char *then, enum cap why, bool late, bool halted)
{
	scene_expect_cut(steps, extends, then);
	sweep_expect_verdicts(
		&verdict, BIT(NO_DRTM) | BIT(CAPPED) | (why == CAP_NV_UNREADABLE ? BIT(GEO_MISMATCH) : 0) | (late ? BIT(LOG_MISMATCH) : 0));
	assert_int_equal(verdict.r.why, why);
	assert_int_equal(verdict.r.modules.n, 0);
	if (!halted) {
		scene_expect_started(SCENE_ALL);
		return "capped-started";
	}
	scene_expect_halted(cap_table[why].name);
	return "capped-halted";
}

static const char *expect_after(const struct fault *f)
{
	unsigned before = good.extends_before[f->at - 1], modules = scene_count(SCENE_MODULES);
	bool lasts = fault_kind_lasts(f->kind);

	if (f->kind == FAULT_KIND_RETRY)
		return expect_whole();
	if (f->at <= 2) {
		assert_int_equal(good.code[f->at - 1], SOFT_GET_CAPABILITY);
		return expect_no_tpm(f);
	}
	/* The values could not be shown, but they are in. */
	if (f->at > good.last_extend) {
		(void)expect_whole();
		return "no-influence";
	}
	switch (good.code[f->at - 1]) {
	case SOFT_PCR_EXTEND:
		if (lasts)
			return expect_broken_off(SCENE_GOOD, before + f->late, f->late);
		return expect_capped(SCENE_GOOD, before + f->late, "caps:tpm-error", CAP_TPM_ERROR, f->late, true);
	case SOFT_NV_READ_PUBLIC:
	case SOFT_NV_READ:
		if (lasts)
			return expect_broken_off(SCENE_MODULES, modules, false);
		if (f->type == VLP_HALT)
			return expect_capped(
				SCENE_MODULES, modules, "cap22:nv-unreadable caps:nv-unreadable", CAP_NV_UNREADABLE, false, true);
		return expect_capped(SCENE_MODULES, modules, "cap22:nv-unreadable closing", CAP_NV_UNREADABLE, false, false);
	case SOFT_PCR_READ:
		if (lasts)
			return expect_broken_off(SCENE_MODULES " nv", modules + 1, false);
		return expect_capped(SCENE_MODULES " nv", modules + 1, "cap17:tpm-error caps:tpm-error", CAP_TPM_ERROR, false, true);
	default:
		fail_msg("a command 0x%x in the middle of a launch", good.code[f->at - 1]);
		return NULL;
	}
}

/* ---------------------------------------------------------------- the sweep */

static void try_fault(const struct fault *f)
{
	struct sweep_record r;

	print_message("# %s %s of command %u, %s, %s%s\n", f->registers == FAKE_TIS ? "fifo" : "crb", fault_kind_name[f->kind], f->at,
		tpm_command_name(good.code[f->at - 1]), type_name[f->type], f->late ? ", late" : "");
	launch(f);
	sweep_verify(&verdict, &scene.tpm.pcrs, log_of_launch());
	/* clang-format off */
	r = (struct sweep_record){
		.mode = f->registers == FAKE_TIS ? "direct-core" : "direct-core-crb", .command = tpm_command_name(good.code[f->at - 1]),
		.index = f->at, .kind = fault_kind_name[f->kind], .policy = type_name[f->type], .outcome = expect_after(f), .late = f->late,
		.locality0_back = scene.registers.active == 0,
	};
	/* clang-format on */
	assert_true(faulty.count >= f->at);
	assert_true(r.locality0_back);
	assert_true(scene.registers.now_us < PATIENCE_US);
	assert_true(fw_console_count("geolaunch: halted: ") <= 1);
	sweep_record(&verdict, &r);
}

static void sweep(enum fake_kind registers, uint8_t type, bool late)
{
	learn_good(type);
	for (enum fault_kind kind = 0; kind < FAULT_KIND_COUNT; kind++)
		for (unsigned at = 1; at <= good.count; at++) {
			/* Whether the TPM executes it makes a difference for extends only; RC_RETRY says that it did not. */
			if (late && (kind == FAULT_KIND_RETRY || good.code[at - 1] != SOFT_PCR_EXTEND))
				continue;
			try_fault(&(struct fault){ .at = at, .kind = kind, .late = late, .type = type, .registers = registers });
		}
}

static void test_nonfatal(void **state)
{
	(void)state;
	sweep(FAKE_TIS, VLP_NONFATAL, false);
}

static void test_continue(void **state)
{
	(void)state;
	sweep(FAKE_TIS, VLP_CONTINUE, false);
}

static void test_halt(void **state)
{
	(void)state;
	sweep(FAKE_TIS, VLP_HALT, false);
}

static void test_executed_all_the_same(void **state)
{
	(void)state;
	sweep(FAKE_TIS, VLP_NONFATAL, true);
	sweep(FAKE_TIS, VLP_HALT, true);
}

static void test_crb(void **state)
{
	(void)state;
	sweep(FAKE_CRB, VLP_NONFATAL, false);
	sweep(FAKE_CRB, VLP_HALT, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nonfatal),
		cmocka_unit_test(test_continue),
		cmocka_unit_test(test_halt),
		cmocka_unit_test(test_executed_all_the_same),
		cmocka_unit_test(test_crb),
	};

	return cmocka_run_group_tests_name("efi_sweep", tests, start_tpm, stop_tpm);
}
