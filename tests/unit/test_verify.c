/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/verify_world.h"

/* ---- agreement ---- */

static void agree(void **state)
{
	static const alg_set sets[][2] = { { ALL, ALL }, { ALL, SHA256_ONLY }, { SHA256_ONLY, ALL },
		{ ALL, ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256) }, { ALG_BIT(ALG_SHA256) | ALG_BIT(ALG_SHA384), ALG_BIT(ALG_SHA384) } };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(sets) * 4; i++) {
		bool drtm = i & 1, with_log = i & 2;
		struct world *w = verify_world_new(sets[i / 4][0], sets[i / 4][1], drtm);

		verify_world_launch(w);
		verify_world_check(w, with_log);
		assert_verdicts(w, drtm ? V(TRUSTED) : V(NO_DRTM));
		assert_true(w->r.agree);
		assert_int_equal(w->r.drtm, drtm);
		assert_true(w->r.geo_agrees);
		assert_int_equal(verify_exit_code(&w->r), drtm ? 0 : 10);
		assert_int_equal(w->r.compared, sets[i / 4][0] & sets[i / 4][1]);
		assert_int_equal(w->r.inactive, sets[i / 4][0] & ~sets[i / 4][1]);
		assert_int_equal(w->r.unpredicted, sets[i / 4][1] & ~sets[i / 4][0]);
		assert_int_equal(verify_world_says(w, "Not active"), w->r.inactive != 0);
		assert_int_equal(verify_world_says(w, "without expected values"), w->r.unpredicted != 0);
		assert_int_equal(w->r.first.what, VERIFY_SAME);
		assert_false(w->r.capped);
		assert_modules(w, NO_MODULES);
		assert_int_equal(w->r.log.banks, with_log ? w->r.compared : 0);
		verify_world_free(w);
	}
}

static void nothing_measured(void **state)
{
	(void)state;
	for (int drtm = 0; drtm < 2; drtm++) {
		/* Where a launch was expected its lack is all there is to say; in direct mode no-drtm alone says that the rest agrees. */
		const unsigned verdicts = drtm ? V(NO_DRTM) : V(NO_DRTM) | V(POLICY_MISMATCH) | V(MODULE_MISMATCH) | V(GEO_MISSING);
		struct world *w = verify_world_new(ALL, ALL, drtm);

		pcrs_reset_dynamic(&w->tpm, ALL, false);
		for (int with_log = 0; with_log <= drtm; with_log++) {
			verify_world_check(w, with_log);
			assert_verdicts(w, verdicts);
			assert_false(w->r.agree);
			assert_false(w->r.drtm);
			assert_false(w->r.geo_agrees);
			assert_int_equal(w->r.modules.n, drtm ? 0 : 6);
			assert_int_equal(verify_exit_code(&w->r), drtm ? 10 : 14);
			assert_says(w, "PCR 17-22 are all FF");
			assert_int_equal(verify_world_says(w, "the values say nothing of the host's policy"), drtm);
			assert_false(verify_world_says(w, "same was measured"));
		}
		/* A good log beside it proves nothing. */
		verify_world_launch(w);
		pcrs_reset_dynamic(&w->tpm, ALL, false);
		verify_world_check(w, true);
		assert_verdicts(w, verdicts | V(LOG_MISMATCH));
		verify_world_free(w);
	}
}

static void nothing_measured_and_no_geo_expected(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, false);

	(void)state;
	for (size_t i = 0; i < w->expected.event_count; i++)
		free(w->events[i].name);
	verify_world_expect(w, ALL, false, GEO);
	verify_world_check(w, false);
	assert_verdicts(w, V(NO_DRTM) | V(POLICY_MISMATCH) | V(MODULE_MISMATCH));
	verify_world_free(w);
}

/* After a dynamic launch whose measured environment measured nothing. */
static void reset_and_nothing_measured(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, true);

	(void)state;
	verify_world_check(w, false);
	assert_verdicts(w, V(POLICY_MISMATCH) | V(MODULE_MISMATCH) | V(GEO_MISSING));
	assert_says(w, "PCR 22 is as it was at the start: not measured: \"nv 0x01c10110\"");
	verify_world_free(w);
}

/* ---- one thing differs, and the policy lets the launch go on ---- */

static void one_step_differs(void **state)
{
	static const struct {
		size_t step;
		unsigned verdict;
		const char *with_log, *module;
		const char *without_log;
		const char *candidates[3];
	} cases[] = {
		{ DESCRIPTION, V(MODULE_MISMATCH), "PCR 17: \"module 0 description launch.conf\" has another digest",
			"module 0 description launch.conf",
			"PCR 17 is not as expected: \"module 0 description launch.conf\" may differ (bytes or command line). Or none of these, and PCR 20-22",
			{ "module 0 description launch.conf" } },
		{ HYPERVISOR, V(MODULE_MISMATCH), "PCR 19: \"module 1 hypervisor linux\" has another digest", "module 1 hypervisor linux",
			"at least one differs", { "module 1 hypervisor linux", "module 2 initrd initrd" } },
		{ INITRD, V(MODULE_MISMATCH), "PCR 19: \"module 2 initrd initrd\" has another digest", "module 2 initrd initrd",
			"at least one differs", { "module 1 hypervisor linux", "module 2 initrd initrd" } },
		{ VMM, V(MODULE_MISMATCH), "PCR 20: \"module 3 vmm vmm\" has another digest", "module 3 vmm vmm",
			"PCR 20 is not as expected: \"module 3 vmm vmm\" differs", { "module 3 vmm vmm" } },
		{ FILE1, V(MODULE_MISMATCH), "PCR 21: \"module 5 file file-1\" has another digest", "module 5 file file-1",
			"at least one differs", { "module 4 file file-0", "module 5 file file-1" } },
		{ GEO, V(GEO_MISMATCH), "PCR 22: \"nv 0x01c10110\" has another digest", NULL, "the geo tag is another one", { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases) * 2; i++) {
		struct world *w = verify_world_new(ALL, i & 1 ? SHA256_ONLY : ALL, i & 1);
		unsigned base = i & 1 ? 0 : V(NO_DRTM);
		size_t c = i / 2;

		w->steps[cases[c].step].content = "something else";
		verify_world_launch(w);
		verify_world_check(w, true);
		assert_verdicts(w, base | cases[c].verdict);
		assert_says(w, cases[c].with_log);
		assert_modules(w, cases[c].module ? MODULES(cases[c].module) : NO_MODULES);
		assert_false(w->r.agree);
		/* What is not known to have been measured by those expected is no geo tag. */
		assert_int_equal(w->r.geo_agrees, cases[c].step != GEO && cases[c].step != DESCRIPTION);
		assert_int_equal(w->r.first.what, VERIFY_DIFF_DIGEST);
		assert_int_equal(w->r.first.pcr, verify_world_good[cases[c].step].pcr);
		assert_string_equal(w->r.first.name, verify_world_good[cases[c].step].name);
		assert_false(digests_equal(&w->r.first.expected, &w->r.first.log));

		verify_world_check(w, false);
		assert_verdicts(w, base | cases[c].verdict);
		assert_says(w, cases[c].without_log);
		assert_modules(w, cases[c].candidates);
		assert_int_equal(w->r.first.what, VERIFY_SAME);
		verify_world_free(w);
	}
}

static void policy_differs(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, false);

	(void)state;
	w->steps[POLICY17].content = w->steps[POLICY18].content = "another policy";
	verify_world_launch(w);
	verify_world_check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(POLICY_MISMATCH));
	assert_int_equal(w->r.first.pcr, 17);
	assert_int_equal(w->r.first.type, MEASURE_POLICY);
	assert_modules(w, NO_MODULES);
	assert_int_equal(verify_exit_code(&w->r), 14);
	verify_world_check(w, false);
	assert_verdicts(w, V(NO_DRTM) | V(POLICY_MISMATCH));
	assert_modules(w, NO_MODULES);
	verify_world_free(w);
}

/* Another command line changes the launch description and the hypervisor's digest; a geo tag moved as well. */
static void several_differ(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, false);

	(void)state;
	w->steps[DESCRIPTION].content = "other";
	w->steps[HYPERVISOR].content = "other";
	w->steps[GEO].content = "FR";
	verify_world_launch(w);
	verify_world_check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH) | V(GEO_MISMATCH));
	assert_modules(w, MODULES("module 0 description launch.conf", "module 1 hypervisor linux"));
	assert_string_equal(w->r.first.name, "module 0 description launch.conf");
	verify_world_check(w, false);
	assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH) | V(GEO_MISMATCH));
	assert_modules(w, MODULES("module 0 description launch.conf", "module 1 hypervisor linux", "module 2 initrd initrd"));
	verify_world_free(w);
}

static void event_missing(void **state)
{
	static const struct {
		size_t step;
		unsigned verdict;
	} cases[] = { { FILE0, V(MODULE_MISMATCH) }, { VMM, V(MODULE_MISMATCH) }, { GEO, V(GEO_MISSING) }, { POLICY18, V(POLICY_MISMATCH) },
		{ CLOSING, V(LOG_MISMATCH) } };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct world *w = verify_world_new(ALL, ALL, false);

		verify_world_remove_step(w, cases[i].step);
		verify_world_launch(w);
		verify_world_check(w, true);
		assert_verdicts(w, V(NO_DRTM) | cases[i].verdict);
		assert_int_equal(w->r.first.what, VERIFY_DIFF_MISSING);
		assert_string_equal(w->r.first.name, verify_world_good[cases[i].step].name);
		assert_int_equal(w->r.first.log.banks, 0);
		assert_says(w, "is missing from the log");
		verify_world_check(w, false);
		if (cases[i].step == GEO)
			assert_verdicts(w, V(NO_DRTM) | V(GEO_MISSING));
		else if (cases[i].step == POLICY18)
			assert_verdicts(w, V(NO_DRTM) | V(POLICY_MISMATCH));
		else if (cases[i].step == CLOSING)
			assert_verdicts(w, V(NO_DRTM) | V(LOG_MISMATCH));
		else
			assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH));
		verify_world_free(w);
	}
}

static void event_extra(void **state)
{
	static const struct step extra = { 20, MEASURE_MODULE, "module 9 file evil", "evil", 0 };
	static const struct step foreign = { 22, 0x502, "linux", "x", 0 };
	struct world *w = verify_world_new(ALL, ALL, false);

	(void)state;
	verify_world_insert_step(w, VMM, extra);
	verify_world_launch(w);
	verify_world_check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH));
	assert_modules(w, MODULES("module 9 file evil"));
	assert_int_equal(w->r.first.what, VERIFY_DIFF_EXTRA);
	assert_int_equal(w->r.first.pcr, 20);
	verify_world_free(w);

	/* Behind the closing event, and not of ours. */
	w = verify_world_new(ALL, ALL, false);
	verify_world_insert_step(w, STEPS, foreign);
	verify_world_launch(w);
	verify_world_check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH));
	assert_says(w, "it came after the launch was closed");
	verify_world_check(w, false);
	assert_verdicts(w, V(NO_DRTM) | V(GEO_MISMATCH));
	assert_says(w, "PCR 22 was changed after the launch");
	verify_world_free(w);
}

/* Several modules replaced by others under other names. */
static void renamed_and_changed(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, false);

	(void)state;
	w->steps[FILE0].name = "module 4 file other-0";
	w->steps[FILE0].content = "x";
	w->steps[FILE1].name = "module 5 file other-1";
	w->steps[FILE1].content = "y";
	verify_world_launch(w);
	verify_world_check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH));
	assert_modules(w, MODULES("module 4 file file-0", "module 5 file file-1"));
	assert_string_equal(w->r.first.found, "module 4 file other-0");
	verify_world_free(w);
}

/* Names are not measured: a log that changes one lies. */
static void renamed_only(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, true);

	(void)state;
	w->steps[VMM].name = "module 3 vmm \x1b[31mevil";
	verify_world_launch(w);
	verify_world_check(w, true);
	assert_verdicts(w, V(LOG_MISMATCH));
	assert_false(w->r.agree);
	assert_int_equal(w->r.first.what, VERIFY_DIFF_NAME);
	assert_says(w, "by another name, \"module 3 vmm ?[31mevil\"");
	verify_world_free(w);
}

/* ---- caps ---- */

static const unsigned cap_verdicts[CAP_COUNT] = {
	[CAP_POLICY_MISSING] = V(POLICY_MISMATCH),
	[CAP_POLICY_INVALID] = V(POLICY_MISMATCH),
	[CAP_DESCRIPTION_MISSING] = V(MODULE_MISMATCH),
	[CAP_DESCRIPTION_INVALID] = V(MODULE_MISMATCH),
	[CAP_MODULE_MISSING] = V(MODULE_MISMATCH),
	[CAP_MODULE_UNREADABLE] = V(MODULE_MISMATCH),
	[CAP_MODULE_UNLISTED] = V(MODULE_MISMATCH),
	[CAP_MODULE_MISMATCH] = V(MODULE_MISMATCH),
	[CAP_NV_MISSING] = V(GEO_MISSING),
	[CAP_NV_UNREADABLE] = V(GEO_MISMATCH),
	[CAP_NV_SIZE] = V(GEO_MISMATCH),
	[CAP_NV_MISMATCH] = V(GEO_MISMATCH),
	[CAP_TPM_ERROR] = 0,
	[CAP_START_FAILED] = 0,
	[CAP_PREFLIGHT] = 0,
};

/* Stopped behind each step, for each reason, with all before it as expected. */
static void halted(void **state)
{
	(void)state;
	for (unsigned why = 0; why < CAP_COUNT; why++)
		for (size_t n = 0; n <= STEPS; n++) {
			struct world *w = verify_world_new(ALL, why & 1 ? ALL : SHA256_ONLY, false);
			/* Behind the closing event the log is that of a whole launch with caps too many. */
			bool closed = n == STEPS;

			verify_world_halt_after(w, n, (enum cap)why);
			verify_world_launch(w);
			for (int with_log = 0; with_log < 2; with_log++) {
				verify_world_check(w, with_log);
				assert_verdicts(w, V(NO_DRTM) | V(CAPPED) | cap_verdicts[why]);
				assert_true(w->r.capped);
				assert_int_equal(w->r.why, why);
				assert_int_equal(verify_exit_code(&w->r), 16);
				assert_false(w->r.agree);
				if (with_log)
					assert_int_equal(w->r.first.what, VERIFY_DIFF_CAP);
				else
					assert_says(w, "(PCR 17, 18, 19, 20, 21, 22)");
			}
			if (!closed && why == CAP_MODULE_MISMATCH && n == VMM) {
				verify_world_check(w, false);
				assert_says(w, "It stopped at \"module 3 vmm vmm\"");
				assert_modules(w, MODULES("module 3 vmm vmm"));
			}
			verify_world_free(w);
		}
}

/* The module that does not match is measured, then all is capped. */
static void halted_by_mismatch(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, false);

	(void)state;
	w->steps[VMM].content = "evil";
	verify_world_halt_after(w, VMM + 1, CAP_MODULE_MISMATCH);
	verify_world_launch(w);
	verify_world_check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(CAPPED) | V(MODULE_MISMATCH));
	assert_modules(w, MODULES("module 3 vmm vmm"));
	assert_int_equal(w->r.first.what, VERIFY_DIFF_DIGEST);
	assert_string_equal(w->r.first.name, "module 3 vmm vmm");
	verify_world_check(w, false);
	assert_verdicts(w, V(NO_DRTM) | V(CAPPED) | V(MODULE_MISMATCH));
	assert_modules(w, MODULES("module 3 vmm vmm"));
	assert_int_equal(w->r.why, CAP_MODULE_MISMATCH);
	verify_world_free(w);

	w = verify_world_new(ALL, ALL, false);
	w->steps[GEO].content = "FR";
	verify_world_halt_after(w, GEO + 1, CAP_NV_MISMATCH);
	verify_world_launch(w);
	for (int with_log = 0; with_log < 2; with_log++) {
		verify_world_check(w, with_log);
		assert_verdicts(w, V(NO_DRTM) | V(CAPPED) | V(GEO_MISMATCH));
		assert_modules(w, NO_MODULES);
	}
	verify_world_free(w);
}

/* A cap in place of the measurement, and the launch goes on or stops. */
static void cap_in_place(void **state)
{
	static const struct {
		size_t step;
		enum cap why;
		const char *name, *module;
	} cases[] = {
		{ GEO, CAP_NV_MISSING, "cap nv-missing nv 0x01c10110", NULL },
		{ GEO, CAP_NV_UNREADABLE, "cap nv-unreadable nv 0x01c10110", NULL },
		{ HYPERVISOR, CAP_MODULE_UNREADABLE, "cap module-unreadable module 1 hypervisor linux", "module 1 hypervisor linux" },
		{ INITRD, CAP_MODULE_UNLISTED, "cap module-unlisted module 2 initrd initrd", "module 2 initrd initrd" },
		{ VMM, CAP_MODULE_UNREADABLE, "cap module-unreadable module 3 vmm vmm", "module 3 vmm vmm" },
		{ DESCRIPTION, CAP_DESCRIPTION_INVALID, "cap description-invalid module 0 description launch.conf",
			"module 0 description launch.conf" },
		{ FILE1, CAP_MODULE_MISSING, "cap module-missing module 5", "module 5 file file-1" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases) * 2; i++) {
		struct world *w = verify_world_new(ALL, ALL, i & 1);
		unsigned base = i & 1 ? 0 : V(NO_DRTM);
		size_t c = i / 2;
		struct step *s = &w->steps[cases[c].step];

		*s = (struct step){ s->pcr, MEASURE_CAP, cases[c].name, NULL, cases[c].why };
		verify_world_launch(w);
		for (int with_log = 0; with_log < 2; with_log++) {
			verify_world_check(w, with_log);
			assert_verdicts(w, base | V(CAPPED) | cap_verdicts[cases[c].why]);
			assert_int_equal(w->r.why, cases[c].why);
			assert_modules(w, cases[c].module ? MODULES(cases[c].module) : NO_MODULES);
			assert_says(w, "in place of");
		}
		verify_world_free(w);

		w = verify_world_new(ALL, ALL, i & 1);
		s = &w->steps[cases[c].step];
		*s = (struct step){ s->pcr, MEASURE_CAP, cases[c].name, NULL, cases[c].why };
		verify_world_halt_after(w, cases[c].step + 1, cases[c].why);
		verify_world_launch(w);
		for (int with_log = 0; with_log < 2; with_log++) {
			verify_world_check(w, with_log);
			assert_verdicts(w, base | V(CAPPED) | cap_verdicts[cases[c].why]);
			assert_modules(w, cases[c].module ? MODULES(cases[c].module) : NO_MODULES);
		}
		verify_world_free(w);
	}
}

/* The reason in the event's text is not measured; its digest is. */
static void cap_with_wrong_digest(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, false);

	(void)state;
	w->steps[GEO] = (struct step){ 22, MEASURE_CAP, "cap tpm-error nv 0x01c10110", NULL, CAP_NV_MISSING };
	verify_world_launch(w);
	verify_world_check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(LOG_MISMATCH) | V(GEO_MISSING));
	assert_false(w->r.capped);
	assert_says(w, "is not that of its reason");
	verify_world_free(w);

	w = verify_world_new(ALL, ALL, false);
	w->steps[GEO] = (struct step){ 22, MEASURE_CAP, "cap nv-missingx", NULL, CAP_NV_MISSING };
	verify_world_launch(w);
	verify_world_check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(LOG_MISMATCH) | V(GEO_MISSING));
	verify_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agree),
		cmocka_unit_test(nothing_measured),
		cmocka_unit_test(nothing_measured_and_no_geo_expected),
		cmocka_unit_test(reset_and_nothing_measured),
		cmocka_unit_test(one_step_differs),
		cmocka_unit_test(policy_differs),
		cmocka_unit_test(several_differ),
		cmocka_unit_test(event_missing),
		cmocka_unit_test(event_extra),
		cmocka_unit_test(renamed_and_changed),
		cmocka_unit_test(renamed_only),
		cmocka_unit_test(halted),
		cmocka_unit_test(halted_by_mismatch),
		cmocka_unit_test(cap_in_place),
		cmocka_unit_test(cap_with_wrong_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
