/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/hash.h"
#include "tests/unit/verify_world.h"

/* ---- log, TPM and themselves ---- */

/* The log of a good launch beside the values of a bad one. */
static void log_of_another_launch(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, false);
	struct pcrs tpm;

	(void)state;
	w->steps[HYPERVISOR].content = "evil";
	verify_world_launch(w);
	tpm = w->tpm;
	pcrs_reset_dynamic(&w->tpm, ALL, false);
	assert_true(eventlog_begin(&w->log, (struct mspan){ w->buf, sizeof(w->buf) }, ALL));
	memcpy(w->steps, verify_world_good, sizeof(verify_world_good));
	verify_world_launch(w);
	w->tpm = tpm;
	verify_world_check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(LOG_MISMATCH) | V(MODULE_MISMATCH));
	assert_says(w, "The log does not lead to the TPM's values of PCR 17, 19 (sha1, sha256, sha384, sha512).");
	verify_world_free(w);
}

/* A log that the TPM does not confirm accuses nobody. */
static void lying_log(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, true);
	struct pcrs tpm;

	(void)state;
	verify_world_launch(w);
	tpm = w->tpm;
	pcrs_reset_dynamic(&w->tpm, ALL, true);
	assert_true(eventlog_begin(&w->log, (struct mspan){ w->buf, sizeof(w->buf) }, ALL));
	w->steps[VMM].content = "evil";
	verify_world_halt_after(w, VMM + 1, CAP_MODULE_MISMATCH);
	verify_world_launch(w);
	w->tpm = tpm;
	verify_world_check(w, true);
	assert_verdicts(w, V(LOG_MISMATCH));
	assert_modules(w, NO_MODULES);
	assert_false(w->r.capped);
	assert_false(w->r.agree);
	assert_int_equal(w->r.first.what, VERIFY_DIFF_DIGEST);
	assert_string_equal(w->r.first.name, "module 3 vmm vmm");
	verify_world_free(w);
}

static void changed_after_launch(void **state)
{
	struct digests d;

	(void)state;
	for (unsigned pcr = 20; pcr <= 22; pcr++) {
		struct world *w = verify_world_new(ALL, ALL, true);

		verify_world_launch(w);
		hash_span(ALL, SPAN_LITERAL("later"), &d);
		assert_true(pcrs_extend(&w->tpm, pcr, &d));
		verify_world_check(w, true);
		assert_verdicts(w, V(LOG_MISMATCH));
		assert_says(w, "PCR 20-22 were changed after the launch");
		assert_false(w->r.geo_agrees);
		verify_world_check(w, false);
		assert_verdicts(w, pcr == 22 ? V(GEO_MISMATCH) : V(MODULE_MISMATCH));
		assert_says(w, "was changed after the launch: the closing event in PCR 17 still binds the expected value");
		verify_world_free(w);
	}
	/* Or reset, as 20 to 22 can be at locality 2: what they had is not said to be unmeasured. */
	for (unsigned pcr = 20; pcr <= 22; pcr++) {
		struct world *w = verify_world_new(ALL, ALL, true);
		verify_world_launch(w);
		for (unsigned a = 0; a < ALG_COUNT; a++)
			memset(w->tpm.v[a][pcr], 0, sizeof(w->tpm.v[a][pcr]));
		verify_world_check(w, false);
		assert_verdicts(w, pcr == 22 ? V(GEO_MISSING) : V(MODULE_MISMATCH));
		assert_says(w, "was changed after the launch");
		assert_false(verify_world_says(w, "not measured"));
		verify_world_free(w);
	}
	/* PCR 19 cannot be reset or changed unseen: the log is not believed then. */
	{
		struct world *w = verify_world_new(ALL, ALL, true);

		verify_world_launch(w);
		assert_true(pcrs_extend(&w->tpm, 19, &d));
		verify_world_check(w, true);
		assert_verdicts(w, V(LOG_MISMATCH) | V(MODULE_MISMATCH));
		assert_false(verify_world_says(w, "PCR 20-22 were changed"));
		verify_world_free(w);
	}
}

static void wrong_closing(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, false);
	struct digests d;

	(void)state;
	w->n = CLOSING;
	verify_world_launch(w);
	hash_span(ALL, SPAN_LITERAL("not the closing digest"), &d);
	assert_true(pcrs_extend(&w->tpm, 17, &d));
	assert_true(eventlog_append(&w->log, 17, MEASURE_CLOSING, &d, SPAN_LITERAL("closing")));
	verify_world_check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(LOG_MISMATCH));
	assert_says(w, "The closing event does not bind");
	verify_world_free(w);
}

static void broken_log(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, true);
	struct verify_input in = { .expected = &w->expected, .tpm = &w->tpm, .has_log = true };
	struct span whole;

	(void)state;
	verify_world_launch(w);
	whole = eventlog_bytes(&w->log);
	/* Cut anywhere: never trusted, and no reading past the end. */
	for (size_t n = 0; n < whole.n; n++) {
		uint8_t *cut = malloc(n ? n : 1);
		bool ok;

		assert_non_null(cut);
		memcpy(cut, whole.p, n);
		in.log = (struct span){ cut, n };
		verify_result_free(&w->r);
		ok = verify(&in, &w->r, w->error, sizeof(w->error));
		if (ok && !verify_has(&w->r, VERIFY_LOG_MISMATCH)) {
			verify_world_print(w);
			fail_msg("cut at %zu of %zu", n, whole.n);
		}
		if (ok)
			assert_false(w->r.agree);
		free(cut);
	}
	verify_world_free(w);
}

static void no_log_at_all(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, true);
	struct verify_input in = { .expected = &w->expected, .tpm = &w->tpm, .has_log = true, .log = SPAN_LITERAL("hello") };

	(void)state;
	verify_world_launch(w);
	assert_false(verify(&in, &w->r, w->error, sizeof(w->error)));
	assert_non_null(strstr(w->error, "no event log"));
	verify_world_free(w);
}

/* The log has no digests for a bank that is active. */
static void log_lacks_bank(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, true);

	(void)state;
	verify_world_launch(w);
	assert_true(eventlog_begin(&w->log, (struct mspan){ w->buf, sizeof(w->buf) }, ALL & ~ALG_BIT(ALG_SHA384)));
	pcrs_reset_dynamic(&w->tpm, ALL, true);
	verify_world_launch(w);
	verify_world_check(w, true);
	assert_verdicts(w, V(LOG_MISMATCH));
	assert_says(w, "cannot be replayed for PCR 17, 18, 19, 20, 21, 22 (sha384)");
	assert_false(pcr_known(&w->r.log, ALG_SHA384, 19));
	assert_true(pcr_known(&w->r.log, ALG_SHA256, 19));
	verify_world_free(w);
}

static void banks_disagree(void **state)
{
	struct digests d;
	struct world *w = verify_world_new(ALL, ALL, true);

	(void)state;
	verify_world_launch(w);
	hash_span(ALG_BIT(ALG_SHA1), SPAN_LITERAL("x"), &d);
	assert_true(pcrs_extend(&w->tpm, 19, &d));
	verify_world_check(w, false);
	assert_verdicts(w, V(LOG_MISMATCH) | V(MODULE_MISMATCH));
	assert_says(w, "The banks disagree: sha1 says module-mismatch");
	assert_says(w, "The banks disagree: sha256 says as expected");
	verify_world_free(w);
}

/* A host whose better banks were switched off, or left out of what it tells, is not compared by SHA-1 alone unless that was meant. */
static void sha1_alone(void **state)
{
	struct world *w = verify_world_new(ALL, ALG_BIT(ALG_SHA1), true);
	struct verify_input in = { .expected = &w->expected, .tpm = &w->tpm };

	(void)state;
	verify_world_launch(w);
	assert_false(verify(&in, &w->r, w->error, sizeof(w->error)));
	assert_non_null(strstr(w->error, "the only PCR bank in common is sha1"));
	assert_non_null(strstr(w->error, "activate one of sha256, sha384, sha512 in the TPM"));
	verify_world_free(w);

	w = verify_world_new(ALG_BIT(ALG_SHA1), ALL, true);
	verify_world_launch(w);
	verify_world_check(w, false);
	assert_verdicts(w, V(TRUSTED));
	verify_world_free(w);
}

/*
 * tboot extends the bank of the policy's hash alone. Where that bank is switched off, or left out of what is told, the other ones hold
 * nothing of what tboot measured: any hypervisor leads to their values.
 */
static void bank_of_tboot_is_not_told(void **state)
{
	struct world *w = verify_world_new(ALL, ALL & ~SHA256_ONLY, true);
	struct verify_input in = { .expected = &w->expected, .tpm = &w->tpm, .has_log = true };
	struct expected *e = &w->expected;

	(void)state;
	pcrs_reset_dynamic(&e->pcrs, ALL, true);
	for (size_t i = POLICY17; i < STEPS; i++) {
		struct expected_event *v = &w->events[i];

		if (i <= FILE1) {
			v->type = EV_TBOOT;
			v->digests.banks = SHA256_ONLY;
		}
		if (i == CLOSING)
			assert_true(measure_closing(ALL, &e->pcrs, &v->digests));
		assert_true(pcrs_extend(&e->pcrs, v->pcr, &v->digests));
	}
	/* What tboot did, with whatever modules, is nowhere. */
	for (size_t i = 0; i < GEO; i++)
		verify_world_remove_step(w, 0);
	verify_world_launch(w);
	in.log = eventlog_bytes(&w->log);
	for (unsigned log = 0; log < 2; log++) {
		in.has_log = log;
		assert_false(verify(&in, &w->r, w->error, sizeof(w->error)));
		assert_non_null(strstr(w->error, "\"policy\" is measured in bank sha256 only"));
	}
	verify_world_free(w);
}

/* Whoever is started instead can reset PCR 22 and extend the digest of the expected tag. PCR 17 tells what it was. */
static void geo_made_anew(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct world *w = verify_world_new(ALL, ALL, true);
		bool with_log = i & 1, forged = i & 2;
		struct pcrs reset;
		struct digests d;

		w->steps[HYPERVISOR].content = "evil";
		w->steps[GEO].content = forged ? "FR" : "DE";
		verify_world_launch(w);
		pcrs_reset_dynamic(&reset, ALL, true);
		hash_span(ALL, SPAN_LITERAL("DE"), &d);
		assert_true(pcrs_extend(&reset, 22, &d));
		for (unsigned a = 0; a < ALG_COUNT; a++)
			memcpy(w->tpm.v[a][22], reset.v[a][22], sizeof(reset.v[a][22]));
		verify_world_check(w, with_log);
		assert_true(verify_has(&w->r, VERIFY_MODULE_MISMATCH));
		assert_int_equal(w->r.geo_agrees, !forged);
		assert_true(w->r.drtm);
		verify_world_free(w);
	}
}

/* A host that measured the same without a dynamic launch. */
static void no_dynamic_launch(void **state)
{
	(void)state;
	for (unsigned with_log = 0; with_log < 2; with_log++) {
		struct world *w = verify_world_new(ALL, ALL, true);

		pcrs_reset_dynamic(&w->tpm, ALL, false);
		verify_world_launch(w);
		verify_world_check(w, with_log);
		assert_verdicts(w, V(NO_DRTM));
		assert_false(w->r.agree);
		assert_false(w->r.drtm);
		assert_false(w->r.geo_agrees);
		assert_modules(w, NO_MODULES);
		assert_int_equal(w->r.first.what, VERIFY_SAME);
		assert_int_equal(verify_exit_code(&w->r), 10);
		assert_says(w, "No dynamic launch took place: PCR 17-22 begin with all FF");
		assert_says(w, "the same was measured as expected, but without a dynamic launch");
		if (with_log)
			assert_memory_equal(w->r.log.v[ALG_SHA256][17], w->tpm.v[ALG_SHA256][17], 32);
		verify_world_free(w);
	}
}

/* One thing differs as well: it alone is told, beside the lack of a launch. */
static void no_dynamic_launch_and_more(void **state)
{
	static const struct {
		size_t step;
		unsigned verdicts;
		bool missing;
	} cases[] = {
		{ POLICY18, V(POLICY_MISMATCH), false },
		{ HYPERVISOR, V(MODULE_MISMATCH), false },
		{ FILE1, V(MODULE_MISMATCH), false },
		{ GEO, V(GEO_MISMATCH), false },
		{ GEO, V(GEO_MISSING), true },
	};

	(void)state;
	for (size_t i = 0; i < 2 * GL_COUNT(cases); i++) {
		struct world *w = verify_world_new(ALL, ALL, true);
		const bool with_log = i & 1;

		if (cases[i / 2].missing)
			verify_world_remove_step(w, cases[i / 2].step);
		else
			w->steps[cases[i / 2].step].content = "evil";
		pcrs_reset_dynamic(&w->tpm, ALL, false);
		verify_world_launch(w);
		verify_world_check(w, with_log);
		assert_verdicts(w, V(NO_DRTM) | cases[i / 2].verdicts);
		assert_says(w, "No dynamic launch took place: PCR 17-22 begin with all FF");
		assert_false(verify_world_says(w, "same was measured"));
		assert_false(w->r.drtm);
		verify_world_free(w);
	}
}

/* It was stopped: what geolaunch.efi extended before the caps begins with FF, too. */
static void no_dynamic_launch_and_halted(void **state)
{
	(void)state;
	for (unsigned with_log = 0; with_log < 2; with_log++) {
		struct world *w = verify_world_new(ALL, ALL, true);

		verify_world_halt_after(w, GEO, CAP_NV_MISSING);
		pcrs_reset_dynamic(&w->tpm, ALL, false);
		verify_world_launch(w);
		verify_world_check(w, with_log);
		assert_verdicts(w, V(NO_DRTM) | V(GEO_MISSING) | V(CAPPED));
		assert_says(w, "No dynamic launch took place: PCR 17-22 begin with all FF");
		assert_false(w->r.drtm);
		verify_world_free(w);
	}
}

/* SINIT and tboot were to measure, tboot in one bank only; geolaunch.efi measured instead, in all. */
static void direct_launch_in_place_of_tboot(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct world *w = verify_world_new(ALL, ALL, true);
		const bool with_log = i & 1, evil = i & 2;
		struct expected *e = &w->expected;

		pcrs_reset_dynamic(&e->pcrs, ALL, true);
		for (size_t k = POLICY17; k < STEPS; k++) {
			struct expected_event *v = &w->events[k];

			if (k == DESCRIPTION)
				v->type = 0x404;
			else if (k <= FILE1) {
				v->type = EV_TBOOT;
				v->digests.banks = SHA256_ONLY;
			}
			if (k == CLOSING)
				assert_true(measure_closing(ALL, &e->pcrs, &v->digests));
			assert_true(pcrs_extend(&e->pcrs, v->pcr, &v->digests));
		}
		if (evil)
			w->steps[VMM].content = "evil";
		verify_world_remove_step(w, DESCRIPTION);
		pcrs_reset_dynamic(&w->tpm, ALL, false);
		verify_world_launch(w);
		verify_world_check(w, with_log);
		assert_verdicts(w, evil ? V(NO_DRTM) | V(MODULE_MISMATCH) : V(NO_DRTM));
		assert_modules(w, evil ? MODULES("module 3 vmm vmm") : NO_MODULES);
		assert_int_equal(verify_world_says(w, "What SINIT measures is missing with the launch."), with_log);
		verify_world_free(w);
	}
}

/* A value that began with zeros in one bank, and one that began with FF in another: no TPM makes both. */
static void both_beginnings(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, true);
	struct pcrs tpm;

	(void)state;
	pcrs_reset_dynamic(&w->tpm, ALL, false);
	verify_world_launch(w);
	tpm = w->tpm;
	pcrs_reset_dynamic(&w->tpm, ALL, true);
	assert_true(eventlog_begin(&w->log, (struct mspan){ w->buf, sizeof(w->buf) }, ALL));
	verify_world_launch(w);
	memcpy(w->tpm.v[ALG_SHA1], tpm.v[ALG_SHA1], sizeof(tpm.v[ALG_SHA1]));
	for (unsigned with_log = 0; with_log < 2; with_log++) {
		verify_world_check(w, with_log);
		assert_true(verify_has(&w->r, VERIFY_LOG_MISMATCH));
		assert_false(verify_has(&w->r, VERIFY_TRUSTED));
		assert_false(w->r.agree);
	}
	verify_world_free(w);
}

/*
 * What the closing event is there for: the launch measured another geo tag, and whoever holds locality 2 then made PCR 22 as it should be.
 * Without a log the modules of PCR 17 are only under suspicion.
 */
static void blamed_for_a_reset(void **state)
{
	(void)state;
	for (unsigned drtm = 0; drtm < 2; drtm++) {
		struct world *w = verify_world_new(ALL, ALL, drtm);

		w->steps[GEO].content = "FR";
		verify_world_launch(w);
		for (unsigned a = 0; a < ALG_COUNT; a++)
			memcpy(w->tpm.v[a][22], w->expected.pcrs.v[a][22], DIGEST_MAX);
		verify_world_check(w, false);
		assert_verdicts(w, V(MODULE_MISMATCH) | (drtm ? 0 : V(NO_DRTM)));
		assert_int_equal(verify_exit_code(&w->r), 13);
		assert_says(w,
			"PCR 17 is not as expected: \"module 0 description launch.conf\" may differ (bytes or command line). Or none of these, "
			"and PCR 20-22 were others when the launch was closed: they can be made anew.");
		assert_false(verify_world_says(w, "differs"));
		assert_false(w->r.geo_agrees);
		verify_world_free(w);
	}
}

/* The reverse: a good launch, and its PCR changed later. That the content was another one is not said. */
static void changed_later(void **state)
{
	static const struct {
		size_t step;
		unsigned verdict;
	} cases[] = { { VMM, V(MODULE_MISMATCH) }, { GEO, V(GEO_MISMATCH) } };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct world *w = verify_world_new(ALL, ALL, true);
		const unsigned pcr = verify_world_good[cases[i].step].pcr;
		struct digests d;

		verify_world_launch(w);
		hash_span(ALL, SPAN_LITERAL("more"), &d);
		assert_true(pcrs_extend(&w->tpm, pcr, &d));
		verify_world_check(w, false);
		assert_verdicts(w, cases[i].verdict);
		assert_int_equal(w->r.explanation.n, 1);
		assert_says(w, "was changed after the launch: the closing event in PCR 17 still binds the expected value.");
		verify_world_free(w);
	}
}

/* What nobody expects is the first difference, not the closing event that follows from it. */
static void extra_event_first(void **state)
{
	static const struct {
		size_t at;
		unsigned pcr;
	} cases[] = { { CLOSING, 19 }, { CLOSING, 22 }, { CLOSING, 17 }, { HYPERVISOR, 20 } };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct world *w = verify_world_new(ALL, ALL, true);

		verify_world_insert_step(w, cases[i].at, (struct step){ cases[i].pcr, EV_TBOOT, "", "extra", 0 });
		verify_world_launch(w);
		verify_world_check(w, true);
		assert_int_equal(w->r.first.what, VERIFY_DIFF_EXTRA);
		assert_int_equal(w->r.first.pcr, cases[i].pcr);
		assert_int_equal(w->r.first.type, EV_TBOOT);
		verify_world_free(w);
	}
}

static void input_errors(void **state)
{
	struct world *w = verify_world_new(SHA256_ONLY, ALG_BIT(ALG_SHA1), true);
	struct verify_input in = { .expected = &w->expected, .tpm = &w->tpm };

	(void)state;
	assert_false(verify(&in, &w->r, w->error, sizeof(w->error)));
	assert_non_null(strstr(w->error, "no PCR bank in common: expected values are for sha256, the TPM's active banks are sha1"));
	in.file = "pcrs.txt";
	assert_false(verify(&in, &w->r, w->error, sizeof(w->error)));
	assert_non_null(strstr(w->error, "no PCR bank in common: expected values are for sha256, those of the file are sha1"));
	verify_world_free(w);

	w = verify_world_new(ALL, ALL, true);
	in = (struct verify_input){ .expected = &w->expected, .tpm = &w->tpm };
	verify_world_launch(w);
	w->tpm.known[ALG_SHA384] &= ~(1u << 20);
	assert_false(verify(&in, &w->r, w->error, sizeof(w->error)));
	assert_non_null(strstr(w->error, "PCR 20 in bank sha384 is not given"));
	verify_world_free(w);
}

static void fixed_names(void **state)
{
	static const struct {
		const char *name;
		int code;
	} names[VERIFY_VERDICT_COUNT] = { { "trusted", 0 }, { "no-drtm", 10 }, { "geo-missing", 11 }, { "geo-mismatch", 12 },
		{ "module-mismatch", 13 }, { "policy-mismatch", 14 }, { "log-mismatch", 15 }, { "capped", 16 } };
	struct verify_result r = { 0 };

	(void)state;
	for (unsigned i = 0; i < VERIFY_VERDICT_COUNT; i++) {
		assert_string_equal(verify_verdict_table[i].name, names[i].name);
		r.verdicts |= 1u << i;
		assert_int_equal(verify_exit_code(&r), names[i].code);
	}
	/* No verdict at all must never look like success. */
	r.verdicts = 0;
	assert_int_not_equal(verify_exit_code(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_of_another_launch),
		cmocka_unit_test(lying_log),
		cmocka_unit_test(changed_after_launch),
		cmocka_unit_test(wrong_closing),
		cmocka_unit_test(broken_log),
		cmocka_unit_test(no_log_at_all),
		cmocka_unit_test(log_lacks_bank),
		cmocka_unit_test(banks_disagree),
		cmocka_unit_test(sha1_alone),
		cmocka_unit_test(bank_of_tboot_is_not_told),
		cmocka_unit_test(geo_made_anew),
		cmocka_unit_test(no_dynamic_launch),
		cmocka_unit_test(no_dynamic_launch_and_more),
		cmocka_unit_test(no_dynamic_launch_and_halted),
		cmocka_unit_test(direct_launch_in_place_of_tboot),
		cmocka_unit_test(both_beginnings),
		cmocka_unit_test(blamed_for_a_reset),
		cmocka_unit_test(changed_later),
		cmocka_unit_test(extra_event_first),
		cmocka_unit_test(input_errors),
		cmocka_unit_test(fixed_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
