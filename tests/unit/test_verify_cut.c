/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Launches that broke off: the TPM took the first measurements and nothing after them, not even a cap. What is missing has to be named,
 * and what is there must not be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/hash.h"
#include "tests/unit/verify_world.h"

/* By the table of the steps alone: a verdict for each kind of thing that is missing, and the closing event only if nothing else is. */
static unsigned missing_from(size_t cut)
{
	unsigned v = 0;

	for (size_t i = cut; i < CLOSING; i++)
		v |= i <= POLICY18 ? V(POLICY_MISMATCH) : i == GEO ? V(GEO_MISSING) : V(MODULE_MISMATCH);
	return v ? v : V(LOG_MISMATCH);
}

/* In the order in which they are looked at: by PCR. */
static void assert_modules_from(const struct world *w, size_t cut)
{
	const char *names[STEPS + 1] = { NULL };
	size_t n = 0;

	for (size_t i = cut; i < STEPS; i++)
		if (verify_world_good[i].type == MEASURE_MODULE)
			names[n++] = verify_world_good[i].name;
	assert_modules(w, names);
}

static int code_of(unsigned verdicts)
{
	const struct verify_result r = { .verdicts = verdicts };

	return verify_exit_code(&r);
}

static void check(struct world *w, size_t cut, unsigned verdicts, bool with_log)
{
	verify_world_check(w, with_log);
	assert_verdicts(w, verdicts);
	assert_int_equal(verify_exit_code(&w->r), code_of(verdicts));
	assert_modules_from(w, cut);
	assert_false(w->r.agree);
	assert_false(w->r.geo_agrees);
	assert_false(w->r.capped);
}

static void values_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * CLOSING + 2; i++) {
		const bool drtm = i & 1;
		struct world *w = verify_world_new(ALL, i & 2 ? ALL : SHA256_ONLY, drtm);
		const size_t cut = i / 2;

		w->n = cut;
		verify_world_launch(w);
		check(w, cut, missing_from(cut) | (drtm ? 0 : V(NO_DRTM)), false);
		assert_int_equal(w->r.drtm, drtm);
		assert_false(verify_world_says(w, "differs"));
		assert_false(verify_world_says(w, "another one"));
		assert_int_equal(verify_world_says(w, "the launch was not closed"), cut == CLOSING);
		if (cut == INITRD)
			assert_says(w, "PCR 19 is as expected up to where it breaks off: not measured: \"module 2 initrd initrd\".");
		if (cut > POLICY17 && cut < DESCRIPTION)
			assert_says(w, "PCR 18 is as it was at the start: not measured: \"policy\".");
		verify_world_free(w);
	}
}

/* Its log lacks the closing event, which a log that nothing halted never does. */
static void with_its_log(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * CLOSING + 2; i++) {
		const bool drtm = i & 1;
		struct world *w = verify_world_new(ALL, ALL, drtm);
		const size_t cut = i / 2;

		w->n = cut;
		verify_world_launch(w);
		check(w, cut, missing_from(cut) | V(LOG_MISMATCH) | (drtm ? 0 : V(NO_DRTM)), true);
		verify_world_free(w);
	}
}

/* The TPM executed the last extend and died before it could say so: the log has one event less than the PCRs. */
static void with_a_log_that_is_shorter(void **state)
{
	(void)state;
	for (size_t i = 2; i < 2 * STEPS + 2; i++) {
		const bool drtm = i & 1;
		struct world *w = verify_world_new(ALL, ALL, drtm);
		const size_t cut = i / 2;
		struct digests d;

		w->n = cut - 1;
		verify_world_launch(w);
		if (cut == STEPS)
			assert_true(measure_closing(ALL, &w->tpm, &d));
		else
			hash_span(ALL, span_str(verify_world_good[cut - 1].content), &d);
		assert_true(pcrs_extend(&w->tpm, verify_world_good[cut - 1].pcr, &d));
		check(w, cut, (cut == STEPS ? 0 : missing_from(cut)) | V(LOG_MISMATCH) | (drtm ? 0 : V(NO_DRTM)), true);
		verify_world_free(w);
	}
}

/* tboot extends one bank: in the others nobody sees what is missing of its events, and they must not contradict the one that tells. */
static void tboot_broke_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * CLOSING + 2; i++) {
		const bool geo_beside = i & 1; /* in a PCR of a module that tboot measures */
		struct world *w = verify_world_new(ALL, ALL, true);
		struct expected *e = &w->expected;
		const size_t cut = i / 2;
		struct pcrs *p = &e->pcrs;

		pcrs_reset_dynamic(p, ALL, true);
		for (size_t k = 0; k < STEPS; k++) {
			struct expected_event *v = &w->events[k];

			if (k <= FILE1) {
				v->type = EV_TBOOT;
				v->digests.banks = SHA256_ONLY;
			}
			if (k == GEO && geo_beside)
				v->pcr = 20;
			if (k == CLOSING)
				assert_true(measure_closing(ALL, p, &v->digests));
			assert_true(pcrs_extend(p, v->pcr, &v->digests));
			if (k < cut)
				assert_true(pcrs_extend(&w->tpm, v->pcr, &v->digests));
		}
		check(w, cut, missing_from(cut), false);
		assert_false(verify_world_says(w, "The banks disagree"));
		verify_world_free(w);
	}
}

/* No prefix: something else stands at the end, so it may well be the module that differs. */
static void not_a_prefix(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, true);

	(void)state;
	w->steps[INITRD].content = "evil";
	w->n = VMM;
	verify_world_launch(w);
	verify_world_check(w, false);
	assert_verdicts(w, V(MODULE_MISMATCH) | V(GEO_MISSING));
	assert_says(w, "PCR 19 is not as expected: of \"module 1 hypervisor linux\", \"module 2 initrd initrd\" at least one differs");
	verify_world_free(w);
}

/* All is there but the closing event, and PCR 20 is not what it was: that is what has to be said. */
static void not_closed_and_changed(void **state)
{
	struct world *w = verify_world_new(ALL, ALL, true);

	(void)state;
	w->steps[VMM].content = "evil";
	w->n = CLOSING;
	verify_world_launch(w);
	verify_world_check(w, false);
	assert_verdicts(w, V(MODULE_MISMATCH));
	assert_modules(w, MODULES("module 3 vmm vmm"));
	assert_false(verify_world_says(w, "the launch was not closed"));
	verify_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_alone),
		cmocka_unit_test(with_its_log),
		cmocka_unit_test(with_a_log_that_is_shorter),
		cmocka_unit_test(tboot_broke_off),
		cmocka_unit_test(not_a_prefix),
		cmocka_unit_test(not_closed_and_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
