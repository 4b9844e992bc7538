/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/verify.h"
#include "common/eventlog.h"
#include "common/hash.h"

/* ---- launches made up step by step ---- */

struct step {
	unsigned pcr;
	uint32_t type;
	const char *name;
	const char *content;    /* what is hashed; caps and the closing event make their own digests */
	enum cap why;
};

enum { POLICY17, POLICY18, DESCRIPTION, HYPERVISOR, INITRD, VMM, FILE0, FILE1, GEO, CLOSING, STEPS };

static const struct step good[STEPS] = {
	[POLICY17] = { 17, MEASURE_POLICY, "policy", "the policy", 0 },
	[POLICY18] = { 18, MEASURE_POLICY, "policy", "the policy", 0 },
	[DESCRIPTION] = { 17, MEASURE_MODULE, "module 0 description launch.conf", "geolaunch 1", 0 },
	[HYPERVISOR] = { 19, MEASURE_MODULE, "module 1 hypervisor linux", "MZ", 0 },
	[INITRD] = { 19, MEASURE_MODULE, "module 2 initrd initrd", "070701", 0 },
	[VMM] = { 20, MEASURE_MODULE, "module 3 vmm vmm", "qemu", 0 },
	[FILE0] = { 21, MEASURE_MODULE, "module 4 file file-0", "vm.json", 0 },
	[FILE1] = { 21, MEASURE_MODULE, "module 5 file file-1", "vm2.json", 0 },
	[GEO] = { 22, MEASURE_NV, "nv 0x01c10110", "DE", 0 },
	[CLOSING] = { 17, MEASURE_CLOSING, "closing", "", 0 },
};

struct world {
	struct pcrs tpm;
	struct eventlog log;
	uint8_t buf[64 * 1024];
	struct expected expected;
	struct expected_event events[STEPS];
	struct verify_result r;
	char error[256];
	struct step steps[64];
	size_t n;
};

static void digests_of(const struct step *s, const struct pcrs *now, alg_set banks, struct digests *d)
{
	if (s->type == MEASURE_CLOSING)
		assert_true(measure_closing(banks, now, d));
	else if (s->type == MEASURE_CAP)
		measure_cap(banks, s->why, d);
	else
		hash_span(banks, span_str(s->content), d);
}

static void take(struct world *w, const struct step *s)
{
	struct digests d;

	digests_of(s, &w->tpm, w->tpm.banks, &d);
	assert_true(pcrs_extend(&w->tpm, s->pcr, &d));
	assert_true(eventlog_append(&w->log, s->pcr, s->type, &d, span_str(s->name)));
}

static void expect(struct world *w, alg_set banks, bool drtm, size_t leave_out)
{
	static char mode[2][8] = { "direct", "txt" };
	struct expected *e = &w->expected;

	*e = (struct expected){ .mode = mode[drtm], .drtm = drtm, .country = "DE", .policy_type = 2, .policy_hash = ALG_SHA256, .banks = banks,
		.events = w->events };
	pcrs_reset_dynamic(&e->pcrs, banks, drtm);
	for (size_t i = 0; i < STEPS; i++) {
		struct expected_event *v = &w->events[e->event_count];

		if (i == leave_out)
			continue;
		*v = (struct expected_event){ .pcr = good[i].pcr, .type = good[i].type, .name = strdup(good[i].name) };
		assert_non_null(v->name);
		digests_of(&good[i], &e->pcrs, banks, &v->digests);
		assert_true(pcrs_extend(&e->pcrs, v->pcr, &v->digests));
		e->event_count++;
	}
}

/* A world whose launch is still to be made: the steps are the expected ones, to be changed by the test. */
static struct world *world_new(alg_set expected, alg_set active, bool drtm)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	expect(w, expected, drtm, STEPS);
	pcrs_reset_dynamic(&w->tpm, active, drtm);
	assert_true(eventlog_begin(&w->log, (struct mspan){ w->buf, sizeof(w->buf) }, active));
	memcpy(w->steps, good, sizeof(good));
	w->n = STEPS;
	return w;
}

static void world_free(struct world *w)
{
	for (size_t i = 0; i < w->expected.event_count; i++)
		free(w->events[i].name);
	verify_result_free(&w->r);
	free(w);
}

static void launch(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		take(w, &w->steps[i]);
}

/* The launch stops behind its first `n` steps. */
static void halt_after(struct world *w, size_t n, enum cap why)
{
	static char name[CAP_COUNT][64];
	struct text t = TEXT_OF(name[why]);

	name_cap(&t, why, (struct span){ NULL, 0 });
	w->n = n;
	for (unsigned pcr = 17; pcr <= 22; pcr++)
		w->steps[w->n++] = (struct step){ pcr, MEASURE_CAP, name[why], NULL, why };
}

static void check(struct world *w, bool with_log)
{
	struct verify_input in = { .expected = &w->expected, .tpm = &w->tpm, .has_log = with_log, .log = eventlog_bytes(&w->log) };

	verify_result_free(&w->r);
	if (!verify(&in, &w->r, w->error, sizeof(w->error)))
		fail_msg("%s", w->error);
}

#define V(x) (1u << VERIFY_##x)

static void print_result(const struct world *w)
{
	for (unsigned v = 0; v < VERIFY_VERDICT_COUNT; v++)
		if (w->r.verdicts >> v & 1)
			print_message("verdict %s\n", verify_verdict_table[v].name);
	for (size_t i = 0; i < w->r.explanation.n; i++)
		print_message("%s\n", w->r.explanation.v[i]);
	for (size_t i = 0; i < w->r.modules.n; i++)
		print_message("module %s\n", w->r.modules.v[i]);
}

static void assert_verdicts_at(const struct world *w, unsigned verdicts, const char *file, int line)
{
	if (w->r.verdicts == verdicts)
		return;
	print_result(w);
	print_message("%s:%d: verdicts %#x, expected %#x\n", file, line, w->r.verdicts, verdicts);
	fail();
}
#define assert_verdicts(w, v) assert_verdicts_at(w, v, __FILE__, __LINE__)

static bool says(const struct world *w, const char *part)
{
	for (size_t i = 0; i < w->r.explanation.n; i++)
		if (strstr(w->r.explanation.v[i], part))
			return true;
	return false;
}

static void assert_says_at(const struct world *w, const char *part, const char *file, int line)
{
	if (says(w, part))
		return;
	print_result(w);
	print_message("%s:%d: nothing says: %s\n", file, line, part);
	fail();
}
#define assert_says(w, part) assert_says_at(w, part, __FILE__, __LINE__)

/* The modules, NULL-terminated. */
static void assert_modules(const struct world *w, const char *const *names)
{
	size_t n = 0;

	for (; names[n]; n++) {
		if (n >= w->r.modules.n || strcmp(w->r.modules.v[n], names[n]) != 0) {
			print_result(w);
			fail_msg("module %zu is not %s", n, names[n]);
		}
	}
	assert_int_equal(w->r.modules.n, n);
}
#define MODULES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_MODULES ((const char *const[]){ NULL })

#define ALL ALG_SET_ALL
#define SHA256_ONLY ALG_BIT(ALG_SHA256)

/* ---- agreement ---- */

static void agree(void **state)
{
	static const alg_set sets[][2] = { { ALL, ALL }, { ALL, SHA256_ONLY }, { SHA256_ONLY, ALL }, { ALL, ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256) },
		{ ALG_BIT(ALG_SHA256) | ALG_BIT(ALG_SHA384), ALG_BIT(ALG_SHA384) } };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(sets) * 4; i++) {
		bool drtm = i & 1, with_log = i & 2;
		struct world *w = world_new(sets[i / 4][0], sets[i / 4][1], drtm);

		launch(w);
		check(w, with_log);
		assert_verdicts(w, drtm ? V(TRUSTED) : V(NO_DRTM));
		assert_true(w->r.agree);
		assert_int_equal(w->r.drtm, drtm);
		assert_true(w->r.geo_agrees);
		assert_int_equal(verify_exit_code(&w->r), drtm ? 0 : 10);
		assert_int_equal(w->r.compared, sets[i / 4][0] & sets[i / 4][1]);
		assert_int_equal(w->r.inactive, sets[i / 4][0] & ~sets[i / 4][1]);
		assert_int_equal(w->r.unpredicted, sets[i / 4][1] & ~sets[i / 4][0]);
		assert_int_equal(says(w, "Not active"), w->r.inactive != 0);
		assert_int_equal(says(w, "without expected values"), w->r.unpredicted != 0);
		assert_int_equal(w->r.first.what, VERIFY_SAME);
		assert_false(w->r.capped);
		assert_modules(w, NO_MODULES);
		assert_int_equal(w->r.log.banks, with_log ? w->r.compared : 0);
		world_free(w);
	}
}

static void nothing_measured(void **state)
{
	const unsigned verdicts = V(NO_DRTM) | V(POLICY_MISMATCH) | V(MODULE_MISMATCH) | V(GEO_MISSING);

	(void)state;
	for (int drtm = 0; drtm < 2; drtm++) {
		struct world *w = world_new(ALL, ALL, drtm);

		pcrs_reset_dynamic(&w->tpm, ALL, false);
		check(w, false);
		assert_verdicts(w, verdicts);
		assert_false(w->r.agree);
		assert_false(w->r.drtm);
		assert_false(w->r.geo_agrees);
		assert_int_equal(w->r.modules.n, 6);
		assert_int_equal(verify_exit_code(&w->r), 14);
		/* A good log beside it proves nothing. */
		launch(w);
		pcrs_reset_dynamic(&w->tpm, ALL, false);
		check(w, true);
		assert_verdicts(w, verdicts | V(LOG_MISMATCH));
		world_free(w);
	}
}

static void nothing_measured_and_no_geo_expected(void **state)
{
	struct world *w = world_new(ALL, ALL, false);

	(void)state;
	for (size_t i = 0; i < w->expected.event_count; i++)
		free(w->events[i].name);
	expect(w, ALL, false, GEO);
	check(w, false);
	assert_verdicts(w, V(NO_DRTM) | V(POLICY_MISMATCH) | V(MODULE_MISMATCH));
	world_free(w);
}

/* After a dynamic launch whose measured environment measured nothing. */
static void reset_and_nothing_measured(void **state)
{
	struct world *w = world_new(ALL, ALL, true);

	(void)state;
	check(w, false);
	assert_verdicts(w, V(POLICY_MISMATCH) | V(MODULE_MISMATCH) | V(GEO_MISSING));
	assert_says(w, "PCR 22 is as it was at the start: no geo tag was measured");
	world_free(w);
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
		{ DESCRIPTION, V(MODULE_MISMATCH), "PCR 17: \"module 0 description launch.conf\" has another digest", "module 0 description launch.conf",
			"PCR 17 is not as expected: \"module 0 description launch.conf\" differs", { "module 0 description launch.conf" } },
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
		struct world *w = world_new(ALL, i & 1 ? SHA256_ONLY : ALL, i & 1);
		unsigned base = i & 1 ? 0 : V(NO_DRTM);
		size_t c = i / 2;

		w->steps[cases[c].step].content = "something else";
		launch(w);
		check(w, true);
		assert_verdicts(w, base | cases[c].verdict);
		assert_says(w, cases[c].with_log);
		assert_modules(w, cases[c].module ? MODULES(cases[c].module) : NO_MODULES);
		assert_false(w->r.agree);
		assert_int_equal(w->r.geo_agrees, cases[c].step != GEO);
		assert_int_equal(w->r.first.what, VERIFY_DIFF_DIGEST);
		assert_int_equal(w->r.first.pcr, good[cases[c].step].pcr);
		assert_string_equal(w->r.first.name, good[cases[c].step].name);
		assert_false(digests_equal(&w->r.first.expected, &w->r.first.log));

		check(w, false);
		assert_verdicts(w, base | cases[c].verdict);
		assert_says(w, cases[c].without_log);
		assert_modules(w, cases[c].candidates);
		assert_int_equal(w->r.first.what, VERIFY_SAME);
		world_free(w);
	}
}

static void policy_differs(void **state)
{
	struct world *w = world_new(ALL, ALL, false);

	(void)state;
	w->steps[POLICY17].content = w->steps[POLICY18].content = "another policy";
	launch(w);
	check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(POLICY_MISMATCH));
	assert_int_equal(w->r.first.pcr, 17);
	assert_int_equal(w->r.first.type, MEASURE_POLICY);
	assert_modules(w, NO_MODULES);
	assert_int_equal(verify_exit_code(&w->r), 14);
	check(w, false);
	assert_verdicts(w, V(NO_DRTM) | V(POLICY_MISMATCH));
	assert_modules(w, NO_MODULES);
	world_free(w);
}

/* Another command line changes the launch description and the hypervisor's digest; a geo tag moved as well. */
static void several_differ(void **state)
{
	struct world *w = world_new(ALL, ALL, false);

	(void)state;
	w->steps[DESCRIPTION].content = "other";
	w->steps[HYPERVISOR].content = "other";
	w->steps[GEO].content = "FR";
	launch(w);
	check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH) | V(GEO_MISMATCH));
	assert_modules(w, MODULES("module 0 description launch.conf", "module 1 hypervisor linux"));
	assert_string_equal(w->r.first.name, "module 0 description launch.conf");
	check(w, false);
	assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH) | V(GEO_MISMATCH));
	assert_modules(w, MODULES("module 0 description launch.conf", "module 1 hypervisor linux", "module 2 initrd initrd"));
	world_free(w);
}

static void remove_step(struct world *w, size_t i)
{
	memmove(&w->steps[i], &w->steps[i + 1], (w->n - i - 1) * sizeof(w->steps[0]));
	w->n--;
}

static void insert_step(struct world *w, size_t i, struct step s)
{
	memmove(&w->steps[i + 1], &w->steps[i], (w->n - i) * sizeof(w->steps[0]));
	w->steps[i] = s;
	w->n++;
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
		struct world *w = world_new(ALL, ALL, false);

		remove_step(w, cases[i].step);
		launch(w);
		check(w, true);
		assert_verdicts(w, V(NO_DRTM) | cases[i].verdict);
		assert_int_equal(w->r.first.what, VERIFY_DIFF_MISSING);
		assert_string_equal(w->r.first.name, good[cases[i].step].name);
		assert_int_equal(w->r.first.log.banks, 0);
		assert_says(w, "is missing from the log");
		check(w, false);
		if (cases[i].step == GEO)
			assert_verdicts(w, V(NO_DRTM) | V(GEO_MISSING));
		else if (cases[i].step == POLICY18)
			assert_verdicts(w, V(NO_DRTM) | V(POLICY_MISMATCH));
		else
			assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH));
		world_free(w);
	}
}

static void event_extra(void **state)
{
	static const struct step extra = { 20, MEASURE_MODULE, "module 9 file evil", "evil", 0 };
	static const struct step foreign = { 22, 0x502, "linux", "x", 0 };
	struct world *w = world_new(ALL, ALL, false);

	(void)state;
	insert_step(w, VMM, extra);
	launch(w);
	check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH));
	assert_modules(w, MODULES("module 9 file evil"));
	assert_int_equal(w->r.first.what, VERIFY_DIFF_EXTRA);
	assert_int_equal(w->r.first.pcr, 20);
	world_free(w);

	/* Behind the closing event, and not of ours. */
	w = world_new(ALL, ALL, false);
	insert_step(w, STEPS, foreign);
	launch(w);
	check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH));
	assert_says(w, "it came after the launch was closed");
	check(w, false);
	assert_verdicts(w, V(NO_DRTM) | V(GEO_MISMATCH));
	assert_says(w, "PCR 22 was changed after the launch");
	world_free(w);
}

/* Several modules replaced by others under other names. */
static void renamed_and_changed(void **state)
{
	struct world *w = world_new(ALL, ALL, false);

	(void)state;
	w->steps[FILE0].name = "module 4 file other-0";
	w->steps[FILE0].content = "x";
	w->steps[FILE1].name = "module 5 file other-1";
	w->steps[FILE1].content = "y";
	launch(w);
	check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(MODULE_MISMATCH));
	assert_modules(w, MODULES("module 4 file file-0", "module 5 file file-1"));
	assert_string_equal(w->r.first.found, "module 4 file other-0");
	world_free(w);
}

/* Names are not measured: a log that changes one lies. */
static void renamed_only(void **state)
{
	struct world *w = world_new(ALL, ALL, true);

	(void)state;
	w->steps[VMM].name = "module 3 vmm \x1b[31mevil";
	launch(w);
	check(w, true);
	assert_verdicts(w, V(LOG_MISMATCH));
	assert_false(w->r.agree);
	assert_int_equal(w->r.first.what, VERIFY_DIFF_NAME);
	assert_says(w, "by another name, \"module 3 vmm ?[31mevil\"");
	world_free(w);
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
};

/* Stopped behind each step, for each reason, with all before it as expected. */
static void halted(void **state)
{
	(void)state;
	for (unsigned why = 0; why < CAP_COUNT; why++)
		for (size_t n = 0; n <= STEPS; n++) {
			struct world *w = world_new(ALL, why & 1 ? ALL : SHA256_ONLY, false);
			/* Behind the closing event the log is that of a whole launch with caps too many. */
			bool closed = n == STEPS;

			halt_after(w, n, (enum cap)why);
			launch(w);
			for (int with_log = 0; with_log < 2; with_log++) {
				check(w, with_log);
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
				check(w, false);
				assert_says(w, "It stopped at \"module 3 vmm vmm\"");
				assert_modules(w, MODULES("module 3 vmm vmm"));
			}
			world_free(w);
		}
}

/* The module that does not match is measured, then all is capped. */
static void halted_by_mismatch(void **state)
{
	struct world *w = world_new(ALL, ALL, false);

	(void)state;
	w->steps[VMM].content = "evil";
	halt_after(w, VMM + 1, CAP_MODULE_MISMATCH);
	launch(w);
	check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(CAPPED) | V(MODULE_MISMATCH));
	assert_modules(w, MODULES("module 3 vmm vmm"));
	assert_int_equal(w->r.first.what, VERIFY_DIFF_DIGEST);
	assert_string_equal(w->r.first.name, "module 3 vmm vmm");
	check(w, false);
	assert_verdicts(w, V(NO_DRTM) | V(CAPPED) | V(MODULE_MISMATCH));
	assert_modules(w, MODULES("module 3 vmm vmm"));
	assert_int_equal(w->r.why, CAP_MODULE_MISMATCH);
	world_free(w);

	w = world_new(ALL, ALL, false);
	w->steps[GEO].content = "FR";
	halt_after(w, GEO + 1, CAP_NV_MISMATCH);
	launch(w);
	for (int with_log = 0; with_log < 2; with_log++) {
		check(w, with_log);
		assert_verdicts(w, V(NO_DRTM) | V(CAPPED) | V(GEO_MISMATCH));
		assert_modules(w, NO_MODULES);
	}
	world_free(w);
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
		{ DESCRIPTION, CAP_DESCRIPTION_INVALID, "cap description-invalid module 0 description launch.conf", "module 0 description launch.conf" },
		{ FILE1, CAP_MODULE_MISSING, "cap module-missing module 5", "module 5 file file-1" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases) * 2; i++) {
		struct world *w = world_new(ALL, ALL, i & 1);
		unsigned base = i & 1 ? 0 : V(NO_DRTM);
		size_t c = i / 2;
		struct step *s = &w->steps[cases[c].step];

		*s = (struct step){ s->pcr, MEASURE_CAP, cases[c].name, NULL, cases[c].why };
		launch(w);
		for (int with_log = 0; with_log < 2; with_log++) {
			check(w, with_log);
			assert_verdicts(w, base | V(CAPPED) | cap_verdicts[cases[c].why]);
			assert_int_equal(w->r.why, cases[c].why);
			assert_modules(w, cases[c].module ? MODULES(cases[c].module) : NO_MODULES);
			assert_says(w, "in place of");
		}
		world_free(w);

		w = world_new(ALL, ALL, i & 1);
		s = &w->steps[cases[c].step];
		*s = (struct step){ s->pcr, MEASURE_CAP, cases[c].name, NULL, cases[c].why };
		halt_after(w, cases[c].step + 1, cases[c].why);
		launch(w);
		for (int with_log = 0; with_log < 2; with_log++) {
			check(w, with_log);
			assert_verdicts(w, base | V(CAPPED) | cap_verdicts[cases[c].why]);
			assert_modules(w, cases[c].module ? MODULES(cases[c].module) : NO_MODULES);
		}
		world_free(w);
	}
}

/* The reason in the event's text is not measured; its digest is. */
static void cap_with_wrong_digest(void **state)
{
	struct world *w = world_new(ALL, ALL, false);

	(void)state;
	w->steps[GEO] = (struct step){ 22, MEASURE_CAP, "cap tpm-error nv 0x01c10110", NULL, CAP_NV_MISSING };
	launch(w);
	check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(LOG_MISMATCH) | V(GEO_MISSING));
	assert_false(w->r.capped);
	assert_says(w, "is not that of its reason");
	world_free(w);

	w = world_new(ALL, ALL, false);
	w->steps[GEO] = (struct step){ 22, MEASURE_CAP, "cap nv-missingx", NULL, CAP_NV_MISSING };
	launch(w);
	check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(LOG_MISMATCH) | V(GEO_MISSING));
	world_free(w);
}

/* ---- log, TPM and themselves ---- */

/* The log of a good launch beside the values of a bad one. */
static void log_of_another_launch(void **state)
{
	struct world *w = world_new(ALL, ALL, false);
	struct pcrs tpm;

	(void)state;
	w->steps[HYPERVISOR].content = "evil";
	launch(w);
	tpm = w->tpm;
	pcrs_reset_dynamic(&w->tpm, ALL, false);
	assert_true(eventlog_begin(&w->log, (struct mspan){ w->buf, sizeof(w->buf) }, ALL));
	memcpy(w->steps, good, sizeof(good));
	launch(w);
	w->tpm = tpm;
	check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(LOG_MISMATCH) | V(MODULE_MISMATCH));
	assert_says(w, "The log does not lead to the TPM's value of PCR 17 (sha1, sha256, sha384, sha512)");
	assert_says(w, "The log does not lead to the TPM's value of PCR 19");
	assert_false(says(w, "value of PCR 20"));
	world_free(w);
}

static void changed_after_launch(void **state)
{
	struct digests d;

	(void)state;
	for (unsigned pcr = 20; pcr <= 22; pcr++) {
		struct world *w = world_new(ALL, ALL, true);

		launch(w);
		hash_span(ALL, SPAN_LITERAL("later"), &d);
		assert_true(pcrs_extend(&w->tpm, pcr, &d));
		check(w, true);
		assert_verdicts(w, V(LOG_MISMATCH));
		assert_says(w, "PCR 20-22 were changed after the launch");
		assert_false(w->r.geo_agrees);
		check(w, false);
		assert_verdicts(w, pcr == 22 ? V(GEO_MISMATCH) : V(MODULE_MISMATCH));
		assert_says(w, "was changed after the launch: the closing event in PCR 17 still binds the expected value");
		world_free(w);
	}
	/* PCR 19 cannot be reset or changed unseen: the log is not believed then. */
	{
		struct world *w = world_new(ALL, ALL, true);

		launch(w);
		assert_true(pcrs_extend(&w->tpm, 19, &d));
		check(w, true);
		assert_verdicts(w, V(LOG_MISMATCH) | V(MODULE_MISMATCH));
		assert_false(says(w, "PCR 20-22 were changed"));
		world_free(w);
	}
}

static void wrong_closing(void **state)
{
	struct world *w = world_new(ALL, ALL, false);

	(void)state;
	w->steps[CLOSING].type = MEASURE_NV;    /* makes its digest from its content */
	w->steps[CLOSING].content = "not the closing digest";
	for (size_t i = 0; i < CLOSING; i++)
		take(w, &w->steps[i]);
	{
		struct digests d;

		hash_span(ALL, SPAN_LITERAL("not the closing digest"), &d);
		assert_true(pcrs_extend(&w->tpm, 17, &d));
		assert_true(eventlog_append(&w->log, 17, MEASURE_CLOSING, &d, SPAN_LITERAL("closing")));
	}
	check(w, true);
	assert_verdicts(w, V(NO_DRTM) | V(LOG_MISMATCH));
	assert_says(w, "The closing event does not bind");
	world_free(w);
}

static void broken_log(void **state)
{
	struct world *w = world_new(ALL, ALL, true);
	struct verify_input in = { .expected = &w->expected, .tpm = &w->tpm, .has_log = true };
	struct span whole;

	(void)state;
	launch(w);
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
			print_result(w);
			fail_msg("cut at %zu of %zu", n, whole.n);
		}
		if (ok)
			assert_false(w->r.agree);
		free(cut);
	}
	world_free(w);
}

static void no_log_at_all(void **state)
{
	struct world *w = world_new(ALL, ALL, true);
	struct verify_input in = { .expected = &w->expected, .tpm = &w->tpm, .has_log = true, .log = SPAN_LITERAL("hello") };

	(void)state;
	launch(w);
	assert_false(verify(&in, &w->r, w->error, sizeof(w->error)));
	assert_non_null(strstr(w->error, "no event log"));
	world_free(w);
}

/* The log has no digests for a bank that is active. */
static void log_lacks_bank(void **state)
{
	struct world *w = world_new(ALL, ALL, true);

	(void)state;
	launch(w);
	assert_true(eventlog_begin(&w->log, (struct mspan){ w->buf, sizeof(w->buf) }, ALL & ~ALG_BIT(ALG_SHA384)));
	pcrs_reset_dynamic(&w->tpm, ALL, true);
	launch(w);
	check(w, true);
	assert_verdicts(w, V(LOG_MISMATCH));
	assert_says(w, "in bank sha384: some event has no digest there");
	assert_false(pcr_known(&w->r.log, ALG_SHA384, 19));
	assert_true(pcr_known(&w->r.log, ALG_SHA256, 19));
	world_free(w);
}

static void banks_disagree(void **state)
{
	struct digests d;
	struct world *w = world_new(ALL, ALL, true);

	(void)state;
	launch(w);
	hash_span(ALG_BIT(ALG_SHA1), SPAN_LITERAL("x"), &d);
	assert_true(pcrs_extend(&w->tpm, 19, &d));
	check(w, false);
	assert_verdicts(w, V(LOG_MISMATCH) | V(MODULE_MISMATCH));
	assert_says(w, "The banks disagree: sha1 says module-mismatch");
	assert_says(w, "The banks disagree: sha256 says as expected");
	world_free(w);
}

static void input_errors(void **state)
{
	struct world *w = world_new(SHA256_ONLY, ALG_BIT(ALG_SHA1), true);
	struct verify_input in = { .expected = &w->expected, .tpm = &w->tpm };

	(void)state;
	assert_false(verify(&in, &w->r, w->error, sizeof(w->error)));
	assert_non_null(strstr(w->error, "no PCR bank in common: expected values are for sha256, the TPM's active banks are sha1"));
	world_free(w);

	w = world_new(ALL, ALL, true);
	in = (struct verify_input){ .expected = &w->expected, .tpm = &w->tpm };
	launch(w);
	w->tpm.known[ALG_SHA384] &= ~(1u << 20);
	assert_false(verify(&in, &w->r, w->error, sizeof(w->error)));
	assert_non_null(strstr(w->error, "PCR 20 in bank sha384 is not given"));
	world_free(w);
}

static void fixed_names(void **state)
{
	static const struct {
		const char *name;
		int code;
	} names[VERIFY_VERDICT_COUNT] = { { "trusted", 0 }, { "no-drtm", 10 }, { "geo-missing", 11 }, { "geo-mismatch", 12 }, { "module-mismatch", 13 },
		{ "policy-mismatch", 14 }, { "log-mismatch", 15 }, { "capped", 16 } };
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
		cmocka_unit_test(log_of_another_launch),
		cmocka_unit_test(changed_after_launch),
		cmocka_unit_test(wrong_closing),
		cmocka_unit_test(broken_log),
		cmocka_unit_test(no_log_at_all),
		cmocka_unit_test(log_lacks_bank),
		cmocka_unit_test(banks_disagree),
		cmocka_unit_test(input_errors),
		cmocka_unit_test(fixed_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
