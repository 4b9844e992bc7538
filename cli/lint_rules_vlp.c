/* SPDX-License-Identifier: BSD-3-Clause */

/* The launch policy of the build by itself, and against the modules of the build. */

#include "cli/lint_impl.h"
#include "geo/geo.h"

#define TB_POLICY_H "tboot 1.10.5 include/tb_policy.h"
#define POLICY_C "tboot 1.10.5 tboot/common/policy.c"

/* Extends that tboot remembers and carries out: policy.c and integrity.h, MAX_VL_HASHES. */
#define TBOOT_EXTENDS_MAX 32

static void at_entry(struct lint_run *run, int entry)
{
	if (entry < 0)
		lint_where(run, "policy.vlp");
	else
		lint_where(run, "policy.vlp, entry %d", entry);
}

/* Rules of the format that have lint rules of their own. */
static bool told_elsewhere(const struct lint_world *w, enum vlp_error error, int part)
{
	return error == VLP_OK || error == VLP_E_SHADOWED || error == VLP_E_SIZE ||
	       (error == VLP_E_NV_INDEX && part >= 0 && w->policy.entries[part].nv_index == GEO_INDEX_TPM12);
}

static void check_format(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error) {
		at_entry(run, -1);
		lint_found(run, "Here: %s.", vlp_strerror(w->policy_error));
		return;
	}
	for (int part = -1; part < w->policy.entry_count; part++) {
		enum vlp_error error = vlp_validate_part(&w->policy, part);

		if (told_elsewhere(w, error, part))
			continue;
		at_entry(run, part);
		lint_found(run, "Here: %s.", vlp_strerror(error));
	}
}

/* Number of the entry for any module; the number of entries if there is none. */
static unsigned any_entry(const struct vlp *p)
{
	unsigned i = 0;

	while (i < p->entry_count && p->entries[i].module != VLP_MODULE_ANY)
		i++;
	return i;
}

static void check_shadowed(const struct lint_world *w, struct lint_run *run)
{
	unsigned any;

	if (w->policy_error)
		return;
	any = any_entry(&w->policy);
	for (unsigned i = any + 1; i < w->policy.entry_count; i++) {
		if (lint_entry_is_nv(&w->policy.entries[i]))
			continue;
		at_entry(run, (int)i);
		lint_found(run, "The entry for any module is entry %u.", any);
	}
}

static void check_size(const struct lint_world *w, struct lint_run *run)
{
	if (w->f->policy_bytes.n <= VLP_MAX_SIZE)
		return;
	at_entry(run, -1);
	lint_found(run, "It has %zu bytes.", w->f->policy_bytes.n);
}

static void check_nonfatal(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error || w->policy.type != VLP_NONFATAL)
		return;
	at_entry(run, -1);
	lint_found(run, "%s",
		w->txt ? "If TXT or the TPM does not work, or there is no SINIT, tboot starts the host without measuring anything."
		       : "If the TPM does not work, geolaunch.efi starts the host without measuring anything.");
}

static void check_verifies_nothing(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error || !w->policy.entry_count)
		return;
	for (unsigned i = 0; i < w->policy.entry_count; i++)
		if (w->policy.entries[i].hash_type != VLP_HASH_ANY)
			return;
	at_entry(run, -1);
	lint_found(run, "The type is %s.", vlp_type_name(w->policy.type) ? vlp_type_name(w->policy.type) : "unknown");
}

static void check_not_extended(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error || w->policy.control & VLP_CONTROL_EXTEND_PCR17)
		return;
	at_entry(run, -1);
	lint_found(run, "%s", "");
}

static void check_static_pcr(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error)
		return;
	for (unsigned i = 0; i < w->policy.entry_count; i++) {
		unsigned pcr = w->policy.entries[i].pcr;

		if (pcr == VLP_PCR_NONE || (pcr >= PCR_DRTM_FIRST && pcr <= PCR_DRTM_LAST))
			continue;
		at_entry(run, (int)i);
		lint_found(run, "It names PCR %u.", pcr);
	}
}

static void check_unlisted_module(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error)
		return;
	for (size_t i = 0; i < w->f->module_count; i++) {
		const struct lint_module *m = &w->f->modules[i];

		if (vlp_find_module(&w->policy, m->number))
			continue;
		lint_where(run, "policy.vlp, module %u", m->number);
		lint_found(run, "Module %u is %s (%s).", m->number, m->file, role_table[m->role].name);
	}
}

static void check_absent_module(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error || !w->f->module_count)
		return;
	for (unsigned i = 0; i < w->policy.entry_count; i++) {
		unsigned number = w->policy.entries[i].module;

		if (number > VLP_MODULE_MAX || lint_module(w->f, number))
			continue;
		at_entry(run, (int)i);
		lint_found(run, "It is for module %u.", number);
	}
}

static void check_sha1(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error || w->policy.hash_alg != LCP_ALG_SHA1)
		return;
	at_entry(run, -1);
	lint_found(run, "%s", w->txt ? "tboot's development version has no SHA-1 any more." : "");
}

static void check_unmeasured(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error)
		return;
	for (unsigned i = 0; i < w->policy.entry_count; i++) {
		/* Module 0 goes to PCR 17 without its entry. */
		if (w->policy.entries[i].pcr != VLP_PCR_NONE || w->policy.entries[i].module == 0)
			continue;
		at_entry(run, (int)i);
		lint_found(run, "%s", "");
	}
}

static void check_no_closing(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error)
		return;
	for (size_t i = 0; i < w->f->expected->event_count; i++)
		if (w->f->expected->events[i].type == MEASURE_CLOSING)
			return;
	for (unsigned i = 0; i < w->policy.entry_count; i++)
		if (w->policy.entries[i].pcr >= 20 && w->policy.entries[i].pcr <= PCR_DRTM_LAST) {
			at_entry(run, (int)i);
			lint_found(run, "It names PCR %u, and expected.json has no closing event.", w->policy.entries[i].pcr);
			return;
		}
}

static void check_digest(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error)
		return;
	for (size_t i = 0; i < w->f->module_count; i++) {
		const struct lint_module *m = &w->f->modules[i];
		const struct vlp_entry *e = vlp_find_module(&w->policy, m->number);

		if (!m->measured.banks || !e || vlp_entry_allows(&w->policy, e, &m->measured))
			continue;
		at_entry(run, (int)(e - w->policy.entries));
		lint_found(run, "Module %u is %s (%s).", m->number, m->file, role_table[m->role].name);
	}
}

static void check_too_many(const struct lint_world *w, struct lint_run *run)
{
	size_t n = 3; /* the policy to PCR 17 and 18, module 0 to PCR 17 */

	if (!w->txt || w->policy_error)
		return;
	for (size_t i = 0; i < w->f->module_count; i++) {
		const struct vlp_entry *e = vlp_find_module(&w->policy, w->f->modules[i].number);

		n += e && e->pcr != VLP_PCR_NONE;
	}
	if (n <= TBOOT_EXTENDS_MAX)
		return;
	at_entry(run, -1);
	lint_found(run, "This build needs %zu.", n);
}

const struct lint_rule lint_vlp_rules[] = {
	{ "GL-VLP-001", LINT_ERROR, "the policy breaks a rule of its format",
		"geolaunch.efi refuses the policy, caps PCR 17-22 and stops. tboot looks at less: it obeys the policy in its own way, or passes it "
		"over for its default policy, which verifies nothing.",
		"Make the policy anew with 'geolaunch build' or 'geolaunch vlp'.", TB_POLICY_H " verify_policy()", check_format },
	{ "GL-VLP-002", LINT_ERROR, "an entry stands behind the one for any module",
		"The first entry that fits counts, and the one for any module fits every module: this entry is never looked at, its hashes are "
		"never compared, and its module goes to the other entry's PCR.",
		"Move the entry for any module to the end.", TB_POLICY_H " find_policy_entry()", check_shadowed },
	{ "GL-VLP-003", LINT_ERROR, "the policy has more than 2124 bytes",
		"tboot reads 2124 bytes of it into its buffer, finds that it ends too early, and takes its default policy, which verifies nothing. "
		"geolaunch.efi refuses it.",
		"Launch fewer modules or give fewer hashes, or use sha256: 32 bytes a hash.",
		TB_POLICY_H " MAX_TB_POLICY_SIZE; " POLICY_C " read_policy_from_tpm()", check_size },
	{ "GL-VLP-004", LINT_WARNING, "the policy type is nonfatal",
		"A module that does not match is started all the same, another geo tag stops nothing either, and only the PCR values tell.",
		"Use the type halt, once the launch works.", POLICY_C " g_policy_map", check_nonfatal },
	{ "GL-VLP-005", LINT_WARNING, "the policy verifies nothing",
		"Every entry is of type any: all is measured, nothing is compared, so whatever the policy type, no other module or geo tag stops "
		"the launch.",
		"Give the entries hashes: in the manifest leave 'verify: true', with 'geolaunch vlp add' name the images.",
		POLICY_C " is_hash_in_policy_entry()", check_verifies_nothing },
	{ "GL-VLP-006", LINT_WARNING, "the policy is not measured",
		"Bit 0 of policy_control is clear: zeros are measured in place of the policy's digest, so PCR 17 and 18 do not show another "
		"policy.",
		"Set policy_control to 1.", POLICY_C " verify_g_policy()", check_not_extended },
	{ "GL-VLP-007", LINT_ERROR, "an entry names a PCR other than 17-22",
		"A dynamic launch does not reset that PCR, so its value depends on what firmware and boot loader did before, and no prediction "
		"is possible.",
		"Use one of PCR 17-22: 19 hypervisor, 20 VM manager, 21 files, 22 geo tag.", "TCG PC Client Platform TPM Profile, 4.6.2",
		check_static_pcr },
	{ "GL-VLP-008", LINT_ERROR, "a module of the build has no entry in the policy",
		"The module is in the launch but not in the policy: with the types continue and halt the launch stops (TB_ERR_MODULES_NOT_IN_POLICY), "
		"with nonfatal it goes on; tboot then measures nothing of it, geolaunch.efi a cap.",
		"Build again, or add the entry with 'geolaunch vlp add'.", POLICY_C " verify_all_modules()", check_unlisted_module },
	{ "GL-VLP-009", LINT_ERROR, "an entry is for a module that the build does not have",
		"geolaunch.efi takes the module for missing, caps its PCR, and stops with the type halt. tboot does not notice: it looks "
		"only at modules that came.",
		"Remove the entry, or build with the module.", POLICY_C " verify_all_modules(); docs/MEASUREMENTS.md, caps",
		check_absent_module },
	{ "GL-VLP-010", LINT_WARNING, "the policy's hash algorithm is SHA-1", "Other files with the same hash can be made.",
		"Use 'hash: sha256'.", "NIST SP 800-131A; tboot CHANGELOG 1.10.0", check_sha1 },
	{ "GL-VLP-011", LINT_WARNING, "an entry names no PCR",
		"What the entry is for is compared, but leaves no trace in any PCR: a verifier cannot see it.",
		"Give the entry a PCR of 17-22.", TB_POLICY_H " TB_POL_PCR_NONE", check_unmeasured },
	{ "GL-VLP-012", LINT_WARNING, "PCR 20-22 are used without a closing event",
		"Whoever holds locality 2 after the launch can reset PCR 20-22 and extend them to the expected values. Only the closing event, "
		"which binds them to PCR 17, would show it.",
		"Use geolaunch's own stage or EFI application, which close, or PCR 17-19.",
		"TCG PC Client Platform TPM Profile, 4.6.2; docs/MEASUREMENTS.md, order of the events", check_no_closing },
	{ "GL-VLP-013", LINT_ERROR, "a module of the build does not have the digest that its entry demands",
		"At launch the comparison fails (TB_ERR_MODULE_VERIFICATION_FAILED): the type halt stops, nonfatal and continue go on with what the "
		"PCRs then tell.",
		"Build again, so that policy and modules belong together.", POLICY_C " verify_module()", check_digest },
	{ "GL-VLP-014", LINT_ERROR, "tboot cannot measure that many modules",
		"tboot remembers 32 extends; what comes behind them is compared but not measured.",
		"Put files together, so that policy (2), module 0 and all modules with a PCR are no more than 32.",
		POLICY_C " MAX_VL_HASHES", check_too_many },
};
const size_t lint_vlp_rule_count = GL_COUNT(lint_vlp_rules);
