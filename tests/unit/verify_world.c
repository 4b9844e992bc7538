/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/hash.h"
#include "tests/unit/verify_world.h"

const struct step verify_world_good[STEPS] = {
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

void verify_world_expect(struct world *w, alg_set banks, bool drtm, size_t leave_out)
{
	static char mode[2][8] = { "direct", "txt" };
	struct expected *e = &w->expected;

	*e = (struct expected){ .mode = mode[drtm],
		.drtm = drtm,
		.country = "DE",
		.policy_type = 2,
		.policy_hash = ALG_SHA256,
		.banks = banks,
		.events = w->events };
	pcrs_reset_dynamic(&e->pcrs, banks, drtm);
	for (size_t i = 0; i < STEPS; i++) {
		struct expected_event *v = &w->events[e->event_count];

		if (i == leave_out)
			continue;
		*v = (struct expected_event){
			.pcr = verify_world_good[i].pcr, .type = verify_world_good[i].type, .name = strdup(verify_world_good[i].name)
		};
		assert_non_null(v->name);
		digests_of(&verify_world_good[i], &e->pcrs, banks, &v->digests);
		assert_true(pcrs_extend(&e->pcrs, v->pcr, &v->digests));
		e->event_count++;
	}
}

struct world *verify_world_new(alg_set expected, alg_set active, bool drtm)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	verify_world_expect(w, expected, drtm, STEPS);
	pcrs_reset_dynamic(&w->tpm, active, drtm);
	assert_true(eventlog_begin(&w->log, (struct mspan){ w->buf, sizeof(w->buf) }, active));
	memcpy(w->steps, verify_world_good, sizeof(verify_world_good));
	w->n = STEPS;
	return w;
}

void verify_world_free(struct world *w)
{
	for (size_t i = 0; i < w->expected.event_count; i++)
		free(w->events[i].name);
	verify_result_free(&w->r);
	free(w);
}

void verify_world_launch(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		take(w, &w->steps[i]);
}

void verify_world_halt_after(struct world *w, size_t n, enum cap why)
{
	static char name[CAP_COUNT][64];
	struct text t = TEXT_OF(name[why]);

	name_cap(&t, why, (struct span){ NULL, 0 });
	w->n = n;
	for (unsigned pcr = 17; pcr <= 22; pcr++)
		w->steps[w->n++] = (struct step){ pcr, MEASURE_CAP, name[why], NULL, why };
}

void verify_world_check(struct world *w, bool with_log)
{
	struct verify_input in = { .expected = &w->expected, .tpm = &w->tpm, .has_log = with_log, .log = eventlog_bytes(&w->log) };

	verify_result_free(&w->r);
	if (!verify(&in, &w->r, w->error, sizeof(w->error)))
		fail_msg("%s", w->error);
}

void verify_world_print(const struct world *w)
{
	for (unsigned v = 0; v < VERIFY_VERDICT_COUNT; v++)
		if (w->r.verdicts >> v & 1)
			print_message("verdict %s\n", verify_verdict_table[v].name);
	for (size_t i = 0; i < w->r.explanation.n; i++)
		print_message("%s\n", w->r.explanation.v[i]);
	for (size_t i = 0; i < w->r.modules.n; i++)
		print_message("module %s\n", w->r.modules.v[i]);
}

void verify_world_assert_verdicts(const struct world *w, unsigned verdicts, const char *file, int line)
{
	if (w->r.verdicts == verdicts)
		return;
	verify_world_print(w);
	print_message("%s:%d: verdicts %#x, expected %#x\n", file, line, w->r.verdicts, verdicts);
	fail();
}

bool verify_world_says(const struct world *w, const char *part)
{
	for (size_t i = 0; i < w->r.explanation.n; i++)
		if (strstr(w->r.explanation.v[i], part))
			return true;
	return false;
}

void verify_world_assert_says(const struct world *w, const char *part, const char *file, int line)
{
	if (verify_world_says(w, part))
		return;
	verify_world_print(w);
	print_message("%s:%d: nothing says: %s\n", file, line, part);
	fail();
}

void assert_modules(const struct world *w, const char *const *names)
{
	size_t n = 0;

	for (; names[n]; n++) {
		if (n >= w->r.modules.n || strcmp(w->r.modules.v[n], names[n]) != 0) {
			verify_world_print(w);
			fail_msg("module %zu is not %s", n, names[n]);
		}
	}
	assert_int_equal(w->r.modules.n, n);
}

void verify_world_remove_step(struct world *w, size_t i)
{
	memmove(&w->steps[i], &w->steps[i + 1], (w->n - i - 1) * sizeof(w->steps[0]));
	w->n--;
}

void verify_world_insert_step(struct world *w, size_t i, struct step s)
{
	memmove(&w->steps[i + 1], &w->steps[i], (w->n - i) * sizeof(w->steps[0]));
	w->steps[i] = s;
	w->n++;
}
