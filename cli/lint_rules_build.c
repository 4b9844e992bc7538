/* SPDX-License-Identifier: BSD-3-Clause */

/* Is the build directory still what was built, and does the TPM have the PCR banks that it predicts? */

#include <stdio.h>
#include <string.h>

#include "cli/lint_impl.h"
#include "cli/manifest.h"
#include "common/hash.h"
#include "lcp/acm_measure.h"
#include "txt/sinit_events.h"

/* The first event of a module's number; its name begins with "module N ". */
static const struct expected_event *module_event(const struct lint_facts *f, unsigned number)
{
	char prefix[24];
	int n = snprintf(prefix, sizeof(prefix), "module %u ", number);

	for (size_t i = 0; i < f->expected->event_count; i++)
		if (lint_is_module(&f->expected->events[i]) && !strncmp(f->expected->events[i].name, prefix, (size_t)n))
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
	for (size_t i = 0; w->f->missing && w->f->missing[i]; i++) {
		lint_where(run, "%s", w->f->missing[i]);
		lint_found(run, "%s", "");
	}
}

static void check_changed_file(const struct lint_world *w, struct lint_run *run)
{
	for (size_t i = 0; i < w->f->module_count; i++) {
		const struct lint_module *m = &w->f->modules[i];
		const struct expected_event *e = module_event(w->f, m->number);

		if (!m->present || !e || digests_agree(&m->measured, &e->digests))
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
		if (lint_is_policy(&f->expected->events[i]) && !digests_agree(&d, &f->expected->events[i].digests)) {
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

static bool rule_fits(const struct vlp *p, const struct vlp_entry *e, const struct stage_rules *r, const struct stage_nv *nv)
{
	enum alg alg;

	if (nv->index != e->nv_index || nv->raw != (e->module == VLP_MODULE_NV_RAW) || nv->pcr != e->pcr ||
		nv->any != (e->hash_type == VLP_HASH_ANY))
		return false;
	return nv->any || (alg_by_id(p->hash_alg, &alg) && alg == r->hash_alg && span_equal(stage_rules_hashes(r, nv), e->hashes));
}

/* tboot obeys the policy, but ignores its NV entries; the stage obeys its rules. */
static void check_rules(const struct lint_world *w, struct lint_run *run)
{
	const struct stage_rules *r = w->f->rules;
	size_t entries = 0;

	if (w->direct || w->policy_error || w->f->no_description)
		return;
	lint_where(run, "launch.conf");
	if (!r) {
		lint_found(run, "The stage's rules cannot be read.");
		return;
	}
	if ((unsigned)r->policy != w->policy.type)
		lint_found(run, "The types differ.");
	for (unsigned i = 0; i < w->policy.entry_count; i++) {
		const struct vlp_entry *e = &w->policy.entries[i];
		bool fits = false;

		if (!lint_entry_is_nv(e))
			continue;
		entries++;
		for (size_t k = 0; k < r->nv_count; k++)
			fits |= rule_fits(&w->policy, e, r, &r->nv[k]);
		if (!fits)
			lint_found(run, "No rule is that of the policy's entry %u, NV index 0x%08x.", i, e->nv_index);
	}
	if (r->nv_count > entries)
		lint_found(run, "There are rules for %zu NV indices, and %zu entries.", r->nv_count, entries);
}

static void check_tboot(const struct lint_world *w, struct lint_run *run)
{
	const struct expected_event *e = lint_sinit_event(w->f, SINIT_EVTYPE_MLE_HASH);

	if (!e || digests_agree(&w->f->mle, &e->digests))
		return;
	lint_where(run, "tboot");
	lint_found(run, "%s", "");
}

static void check_sinit(const struct lint_world *w, struct lint_run *run)
{
	const struct expected_event *e = lint_sinit_event(w->f, SINIT_EVTYPE_HASH_START);
	uint8_t data[ACM_DRTM_SIZE];
	struct digests d;

	if (!e || !w->f->sinit_file)
		return;
	acm_drtm_data(&w->f->sinit, 0, data);
	hash_span(ALG_SET_ALL, SPAN_OF(data), &d);
	if (digests_agree(&d, &e->digests))
		return;
	lint_where(run, "%s", w->f->sinit_file);
	lint_found(run, "%s", "");
}

static void check_other_sinit(const struct lint_world *w, struct lint_run *run)
{
	const struct expected *x = w->f->expected;

	for (size_t i = 0; i < x->event_count; i++)
		for (size_t k = 0; k < x->events[i].from_count; k++)
			if (expected_of_other_sinit(x->events[i].from[k])) {
				lint_where(run, "expected.json");
				lint_found(run, "%s is expected from %s.", x->events[i].name, x->events[i].from[k]);
				return;
			}
}

static void check_efi_runtime(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->rules || !w->f->rules->efi_runtime)
		return;
	lint_where(run, "launch.conf");
	lint_found(run, "The stage's rules have efi=runtime.");
}

static void check_embedded(const struct lint_world *w, struct lint_run *run)
{
	static const char *const what[] = {
		[EMBEDDED_OTHER_DESCRIPTION] = "The launch description in it is not launch.conf.",
		[EMBEDDED_OTHER_POLICY] = "The policy in it is not policy.vlp.",
		[EMBEDDED_DAMAGED] = "Its sections are damaged: it stops.",
	};

	if ((size_t)w->f->embedded >= GL_COUNT(what) || !what[w->f->embedded])
		return;
	lint_where(run, "geolaunch.efi");
	lint_found(run, "%s", what[w->f->embedded]);
}

static void check_others(const struct lint_world *w, struct lint_run *run)
{
	for (size_t i = 0; w->f->others && w->f->others[i]; i++) {
		lint_where(run, "%s", w->f->others[i]);
		lint_found(run, "%s", "");
	}
}

static void check_zeros(const struct lint_world *w, struct lint_run *run)
{
	static const uint8_t zeros[MANIFEST_BIOS_ACM_SIZE];
	const struct expected_event *e = lint_sinit_event(w->f, SINIT_EVTYPE_BIOSAC);
	const struct sinit_event *measured = sinit_event_find(SINIT_PCR_DETAILS, SINIT_EVTYPE_BIOSAC);
	const struct sinit_values values = { .data[SINIT_BIOS_ACM] = SPAN_OF(zeros) };
	struct digests d;

	if (!e || !measured || !e->digests.banks)
		return;
	sinit_event_digest(measured, &values, e->digests.banks, &d);
	if (!digests_agree(&d, &e->digests))
		return;
	lint_where(run, "expected.json");
	lint_found(run, "%s", "");
}

/* In direct mode a launch.conf that is missing is a module that is missing. */
static void check_description(const struct lint_world *w, struct lint_run *run)
{
	char why[LINT_DESCRIPTION_TEXT];

	if (!w->f->no_description || (w->direct && !w->f->description_error))
		return;
	lint_where(run, "launch.conf");
	lint_description_text(w->f, why, sizeof(why));
	lint_found(run, "Here: %s.", why);
}

static void check_geo(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_facts *f = w->f;
	bool expected = false;

	if (w->policy_error || !f->geo_content.p)
		return;
	for (unsigned i = 0; i < w->policy.entry_count; i++) {
		const struct vlp_entry *e = &w->policy.entries[i];
		const struct expected_event *event = lint_entry_is_nv(e) ? lint_expected_nv(f, e) : NULL;
		struct digests d;

		if (!event)
			continue;
		measure_nv(ALG_SET_ALL, e->module == VLP_MODULE_NV_RAW, f->geo_content, &d);
		if (digests_agree(&d, &event->digests))
			return;
		expected = true;
	}
	if (!expected)
		return;
	lint_where(run, "geo.bin");
	lint_found(run, "%s", "");
}

/* The last one: what another rule tells better is not told twice. */
static void check_refusal(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->refusal || lint_found_error(run, lint_build_rules, lint_build_rule_count))
		return;
	lint_where(run, "esp");
	lint_found(run, "Here: %s.", w->f->refusal);
}

const struct lint_rule lint_build_rules[] = {
	{ "GL-BUILD-001", LINT_ERROR, "a file of the build is missing",
		"The launch needs a file that is not in the build directory. In mode direct a cap is measured in place of a module, and the launch "
		"stops with the type halt, without hypervisor or kernel with any type. In mode txt there is no launch without a module: the host is "
		"started without one, or with the type halt not at all. Nor is there one without any other file. 'geolaunch install' refuses the "
		"build.",
		"Build again: 'geolaunch build'.", "docs/MEASUREMENTS.md, caps", check_missing_file },
	{ "GL-BUILD-002", LINT_ERROR, "a file of the build was changed",
		"What lies in the build directory does not have the digest that expected.json predicts: the PCRs will end in other values, "
		"'geolaunch verify' will say module-mismatch, and an entry of the policy that demands a digest does not fit either.",
		"Build again after every change of a file.", "docs/MEASUREMENTS.md, events", check_changed_file },
	{ "GL-BUILD-003", LINT_ERROR, "policy.vlp is not the one that expected.json was made from",
		"The policy is measured into PCR 17 and 18, so these will end in other values than predicted, and 'geolaunch verify' will say "
		"policy-mismatch.",
		"Build again instead of editing policy.vlp in the build directory.", "docs/MEASUREMENTS.md, events", check_changed_policy },
	{ "GL-BUILD-004", LINT_WARNING, "a predicted PCR bank is not active in the TPM",
		"expected.json predicts values for banks that this TPM does not have; 'geolaunch verify' cannot compare these.",
		"Activate the bank (tpm2_pcrallocate, then a reboot), or leave it out of 'banks' in the manifest.",
		"geolaunch-manifest(5), banks", check_inactive_bank },
	{ "GL-BUILD-005", LINT_WARNING, "an active PCR bank is not predicted",
		"The TPM has an active bank that expected.json says nothing about. Who quotes this bank has nothing to compare it with.",
		"Add the bank to 'banks' in the manifest, or deactivate it.", "geolaunch-manifest(5), banks", check_unexpected_bank },
	{ "GL-BUILD-006", LINT_WARNING, "the TPM has PCR banks of an algorithm that geolaunch does not know",
		"Only SHA-1, SHA-256, SHA-384 and SHA-512 banks are extended. Any other bank keeps its start values, and whoever holds locality 2 "
		"later can extend it to a wanted value.",
		"Deactivate the bank, or never trust a quote of it.", "docs/MEASUREMENTS.md, rules", check_unknown_bank },
	{ "GL-BUILD-007", LINT_ERROR, "no predicted PCR bank is active in the TPM",
		"There is no bank in which the launch could be compared with the prediction.",
		"Activate one of the predicted banks, or change 'banks' in the manifest and build again.", "geolaunch-manifest(5), banks",
		check_no_bank },
	{ "GL-BUILD-008", LINT_ERROR, "the stage's rules are not those of the policy",
		"tboot measures and compares the modules by the policy and ignores its NV entries; the stage measures NV indices by the rules on its "
		"command line. If the two differ, the geo tag is measured or compared otherwise than the policy says, or not at all.",
		"Build again instead of editing launch.conf or policy.vlp in the build directory.", "geolaunch-manifest(5), mode txt",
		check_rules },
	{ "GL-BUILD-009", LINT_ERROR, "tboot or its command line is not the one that expected.json was made from",
		"SINIT measures both into PCR 17, which will end in another value than predicted: 'geolaunch verify' will name MLE_HASH. A launch "
		"control policy with the old digest denies the launch.",
		"Build again after every change of tboot or its command line, and give lint the tboot and the command line of the host.",
		"Intel TXT SDG 315168-016 1.10", check_tboot },
	{ "GL-BUILD-010", LINT_ERROR, "the SINIT module is not the one that expected.json was made from",
		"The processor measures the module into PCR 17, which will end in another value than predicted: 'geolaunch verify' will name "
		"HASH_START.",
		"Build again after every change of the module. One in the firmware wins if it is newer: then build with a log of such a host.",
		"Intel SDM volume 2D, GETSEC[SENTER]; tboot 1.10.5 tboot/txt/acmod.c copy_sinit()", check_sinit },
	{ "GL-BUILD-011", LINT_WARNING, "the launched kernel gets EFI's tables and runtime services",
		"The stage hands the kernel EFI's system table and memory map as it got them from the loader, and nothing measures either. Who "
		"starts the same tboot by a loader of his own can put code of his own there: the kernel calls it with all its rights, after the "
		"launch, and the PCRs are those of the build.",
		"Remove 'efi_runtime' from the manifest, or give Linux efi=noruntime in its command line if only EFI's tables are needed.",
		"docs/THREAT-MODEL.md", check_efi_runtime },
	{ "GL-BUILD-012", LINT_WARNING, "the prediction has values of a log that was captured with another SINIT module",
		"What SINIT measures of the platform was taken from the log of a host that used another module. Modules of another version may "
		"measure other things, or the same ones otherwise: PCR 17 and 18 may end in other values than predicted.",
		"After the first launch with this module, capture its log, name it in the manifest and build again.",
		"docs/REAL-HARDWARE.md", check_other_sinit },
	{ "GL-BUILD-013", LINT_ERROR, "geolaunch.efi brings another launch description or policy than the files",
		"A signed geolaunch.efi obeys what was signed with it, and nothing else. The files beside it, which this report, 'geolaunch provision' "
		"and people go by, say something that does not count at boot.",
		"Build again with --sign instead of editing launch.conf, policy.vlp or geolaunch.efi in the build directory.",
		"geolaunch-build(1), Secure Boot", check_embedded },
	{ "GL-BUILD-014", LINT_ERROR, "a file lies in the build that launch.conf does not name",
		"No build makes it, no launch reads or measures it, and expected.json says nothing of it: 'geolaunch install' refuses the build.",
		"Remove the file, or build again.", "geolaunch-install(1)", check_others },
	{ "GL-BUILD-015", LINT_ERROR, "launch.conf cannot be read",
		"geolaunch.efi refuses the launch description and stops: a host that does not start. Nothing is said here about what depends on it, "
		"which are the modules' command lines and digests, tboot's options and the stage's rules.",
		"Build again instead of editing launch.conf in the build directory.", "common/description.h", check_description },
	{ "GL-BUILD-016", LINT_WARNING, "PCR 17 is not predicted: the build knows nothing of the BIOS ACM",
		"The manifest's platform.bios_acm is all zeros, a stand-in until there is a log. No host measures that: PCR 17 will end in another "
		"value than predicted, and 'geolaunch verify' will say module-mismatch for BIOSAC_REG_DATA.",
		"After the first launch capture its log, name it in the manifest in place of bios_acm, and build again.",
		"docs/REAL-HARDWARE.md", check_zeros },
	{ "GL-BUILD-017", LINT_ERROR, "geo.bin is not what the build expects",
		"'geolaunch provision' writes geo.bin into the geo index. What the launch then measures is not what expected.json predicts, nor what "
		"an entry of the policy demands that has a digest.",
		"Build again instead of editing geo.bin in the build directory.", "geolaunch-provision(1)", check_geo },
	{ "GL-BUILD-018", LINT_ERROR, "'geolaunch install' refuses the build",
		"The build directory is not as a build leaves it, so the build is not put on any EFI system partition.",
		"Do what is said above, or build again.", "geolaunch-install(1)", check_refusal },
};
const size_t lint_build_rule_count = GL_COUNT(lint_build_rules);
