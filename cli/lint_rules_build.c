/* SPDX-License-Identifier: BSD-3-Clause */

/* Is the build directory still what was built, and does the TPM have the PCR banks that it predicts? */

#include <stdio.h>
#include <string.h>

#include "cli/lint_impl.h"
#include "common/hash.h"

/* True if the digests agree in every bank that both know. */
GL_MUST static bool agree(const struct digests *a, const struct digests *b)
{
	for (unsigned i = 0; i < ALG_COUNT; i++)
		if (a->banks & b->banks & ALG_BIT(i) && !span_equal(digest_span(a, i), digest_span(b, i)))
			return false;
	return true;
}

/* The first event of a module's number; its name begins with "module N ". */
static const struct expected_event *module_event(const struct lint_facts *f, unsigned number)
{
	char prefix[24];
	int n = snprintf(prefix, sizeof(prefix), "module %u ", number);

	for (size_t i = 0; i < f->expected->event_count; i++)
		if (f->expected->events[i].type == MEASURE_MODULE && !strncmp(f->expected->events[i].name, prefix, (size_t)n))
			return &f->expected->events[i];
	return NULL;
}

static void check_missing_file(const struct lint_world *w, struct lint_run *run)
{
	for (size_t i = 0; i < w->f->module_count; i++)
		if (!w->f->modules[i].present) {
			lint_where(run, "%s", w->f->modules[i].file);
			lint_found(run, "It is module %u, %s.", w->f->modules[i].number, role_table[w->f->modules[i].role].name);
		}
}

static void check_changed_file(const struct lint_world *w, struct lint_run *run)
{
	for (size_t i = 0; i < w->f->module_count; i++) {
		const struct lint_module *m = &w->f->modules[i];
		const struct expected_event *e = module_event(w->f, m->number);

		if (!m->present || !e || agree(&m->measured, &e->digests))
			continue;
		lint_where(run, "%s", m->file);
		lint_found(run, "It is module %u, %s.", m->number, role_table[m->role].name);
	}
}

static void check_changed_policy(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_facts *f = w->f;
	struct digests d;

	if (w->policy_error)
		return;
	measure_policy(f->expected->banks, w->policy.control, f->policy_bytes, &d);
	for (size_t i = 0; i < f->expected->event_count; i++)
		if (f->expected->events[i].type == MEASURE_POLICY && !agree(&d, &f->expected->events[i].digests)) {
			lint_where(run, "policy.vlp");
			lint_found(run, "%s", "");
			return;
		}
}

static void check_inactive_bank(const struct lint_world *w, struct lint_run *run)
{
	alg_set missing = w->f->expected->banks & ~w->f->banks;
	char names[64];

	if (!w->f->has_tpm || !missing)
		return;
	lint_banks_text(missing, names, sizeof(names));
	lint_where(run, "expected.json");
	lint_found(run, "Not active: %s.", names);
}

static void check_unexpected_bank(const struct lint_world *w, struct lint_run *run)
{
	alg_set more = w->f->banks & ~w->f->expected->banks;
	char names[64];

	if (!w->f->has_tpm || !more)
		return;
	lint_banks_text(more, names, sizeof(names));
	lint_where(run, "TPM");
	lint_found(run, "Active, but not predicted: %s.", names);
}

static void check_unknown_bank(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->has_tpm || !w->f->unknown_banks)
		return;
	lint_where(run, "TPM");
	lint_found(run, "%s", "");
}

static void check_no_bank(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->has_tpm || w->f->banks & w->f->expected->banks)
		return;
	lint_where(run, "TPM");
	lint_found(run, "%s", "");
}

const struct lint_rule lint_build_rules[] = {
	{ "GL-BUILD-001", LINT_ERROR, "a file of the build is missing",
		"The launch needs a module that is not in the build directory: a cap is measured in its place, and with the policy types continue "
		"and halt the launch may stop there.",
		"Build again: 'geolaunch build'.",
		"docs/MEASUREMENTS.md, caps", check_missing_file },
	{ "GL-BUILD-002", LINT_ERROR, "a file of the build was changed",
		"What lies in the build directory does not have the digest that expected.json predicts: the PCRs will end in other values, "
		"'geolaunch verify' will say module-mismatch, and the policy's entry does not fit either.",
		"Build again after every change of a file.",
		"docs/MEASUREMENTS.md, events", check_changed_file },
	{ "GL-BUILD-003", LINT_ERROR, "policy.vlp is not the one that expected.json was made from",
		"The policy is measured into PCR 17 and 18, so these will end in other values than predicted, and 'geolaunch verify' will say "
		"policy-mismatch.",
		"Build again instead of editing policy.vlp in the build directory.",
		"docs/MEASUREMENTS.md, events", check_changed_policy },
	{ "GL-BUILD-004", LINT_WARNING, "a predicted PCR bank is not active in the TPM",
		"expected.json predicts values for banks that this TPM does not have; 'geolaunch verify' cannot compare these.",
		"Activate the bank (tpm2_pcrallocate, then a reboot), or leave it out of 'banks' in the manifest.",
		"geolaunch-manifest(5), banks", check_inactive_bank },
	{ "GL-BUILD-005", LINT_WARNING, "an active PCR bank is not predicted",
		"The TPM has an active bank that expected.json says nothing about. Who quotes this bank has nothing to compare it with.",
		"Add the bank to 'banks' in the manifest, or deactivate it.",
		"geolaunch-manifest(5), banks", check_unexpected_bank },
	{ "GL-BUILD-006", LINT_WARNING, "the TPM has PCR banks of an algorithm that geolaunch does not know",
		"Only SHA-1, SHA-256, SHA-384 and SHA-512 banks are extended. Any other bank keeps its start values, and whoever holds locality 2 "
		"later can extend it to a wanted value.",
		"Deactivate the bank, or never trust a quote of it.",
		"docs/MEASUREMENTS.md, rules", check_unknown_bank },
	{ "GL-BUILD-007", LINT_ERROR, "no predicted PCR bank is active in the TPM",
		"There is no bank in which the launch could be compared with the prediction.",
		"Activate one of the predicted banks, or change 'banks' in the manifest and build again.",
		"geolaunch-manifest(5), banks", check_no_bank },
};
const size_t lint_build_rule_count = GL_COUNT(lint_build_rules);
