/* SPDX-License-Identifier: BSD-3-Clause */

/* tboot's version and command line against policy and TPM. */

#include "cli/lint_impl.h"

#define CMDLINE_C "tboot 1.10.5 tboot/common/cmdline.c"
#define POLICY_C "tboot 1.10.5 tboot/common/policy.c"

/* CHANGELOG 1.11.0: "agile" removed. */
#define NO_AGILE LINT_VERSION(1, 11, 0)
/* CHANGELOG 1.9.12: SHA-384 and SHA-512, and SHA-256 as the default. */
#define LONG_HASHES LINT_VERSION(1, 9, 12)

static void at_option(struct lint_run *run, const struct lint_world *w)
{
	if (w->f->tboot.given)
		lint_where(run, "tboot command line, extpol=%s", w->f->tboot.extpol_text);
	else
		lint_where(run, "tboot command line (default), extpol=%s", w->f->tboot.extpol_text);
}

static const struct vlp *policy(const struct lint_world *w)
{
	if (w->has_effective)
		return &w->effective;
	return w->policy_error ? NULL : &w->policy;
}

static void check_alg(const struct lint_world *w, struct lint_run *run)
{
	const struct vlp *p = policy(w);
	bool verifies = false;

	if (!w->txt || !p || w->f->tboot.extpol != LINT_EXTPOL_FIXED || p->hash_alg == w->f->tboot.extpol_alg)
		return;
	for (unsigned i = 0; i < p->entry_count; i++)
		verifies |= !lint_entry_is_nv(&p->entries[i]) && p->entries[i].hash_type == VLP_HASH_IMAGE;
	at_option(run, w);
	lint_found(run, "The policy has %s, tboot hashes with %s.%s", lint_alg_name(p->hash_alg), lint_alg_name(w->f->tboot.extpol_alg),
		verifies ? "" : " This policy compares no module, so it is only a trap for the next one.");
}

static void check_embedded(const struct lint_world *w, struct lint_run *run)
{
	if (!w->txt || (w->f->tboot.extpol != LINT_EXTPOL_EMBEDDED &&
			       (w->f->tboot.extpol != LINT_EXTPOL_AGILE || w->f->tboot_version >= NO_AGILE)))
		return;
	at_option(run, w);
	lint_found(run, "%s", "");
}

static void check_agile(const struct lint_world *w, struct lint_run *run)
{
	if (!w->txt || w->f->tboot.extpol != LINT_EXTPOL_AGILE)
		return;
	at_option(run, w);
	lint_found(run, "%s", w->f->tboot_version >= NO_AGILE ? "This version does not know the value any more." : "");
}

static void check_unknown_extpol(const struct lint_world *w, struct lint_run *run)
{
	if (!w->txt || (w->f->tboot.extpol != LINT_EXTPOL_UNKNOWN &&
			       (w->f->tboot.extpol != LINT_EXTPOL_FIXED || w->f->tboot_version >= LONG_HASHES ||
				       (w->f->tboot.extpol_alg != LCP_ALG_SHA384 && w->f->tboot.extpol_alg != LCP_ALG_SHA512))))
		return;
	at_option(run, w);
	lint_found(run, "%s", "");
}

static void check_nv_ignored(const struct lint_world *w, struct lint_run *run)
{
	const struct vlp *p = policy(w);

	if (!w->txt || !p)
		return;
	for (unsigned i = 0; i < p->entry_count; i++)
		if (lint_entry_is_nv(&p->entries[i])) {
			lint_where(run, "policy, entry %u", i);
			lint_found(run, "NV index 0x%08x, PCR %u.", p->entries[i].nv_index, p->entries[i].pcr);
		}
}

static void check_measure_nv(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->tboot.given || !w->f->tboot.measure_nv)
		return;
	lint_where(run, "tboot command line, measure_nv=true");
	lint_found(run, "%s", "");
}

static void check_min_ram(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->tboot.given || w->f->tboot.min_ram)
		return;
	lint_where(run, "tboot command line");
	lint_found(run, "%s", "");
}

static void check_unknown_option(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->tboot.given || !w->f->tboot.unknown[0])
		return;
	lint_where(run, "tboot command line");
	lint_found(run, "The first one is '%s'.", w->f->tboot.unknown);
}

static void check_bank_missing(const struct lint_world *w, struct lint_run *run)
{
	enum alg alg;

	if (!w->txt || !w->f->has_tpm || !lint_extpol_alg(w->f, &alg) || w->f->banks & ALG_BIT(alg))
		return;
	at_option(run, w);
	lint_found(run, "The TPM has no active bank %s.", alg_table[alg].name);
}

static void check_bank_left_out(const struct lint_world *w, struct lint_run *run)
{
	char names[64];
	enum alg alg;

	if (!w->txt || !w->f->has_tpm || !lint_extpol_alg(w->f, &alg) || !(w->f->banks & ~ALG_BIT(alg)))
		return;
	lint_banks_text(w->f->banks & ~ALG_BIT(alg), names, sizeof(names));
	at_option(run, w);
	lint_found(run, "Left out: %s.", names);
}

static void check_pcr_map(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->tboot.given || !w->f->tboot.pcr_map_legacy)
		return;
	lint_where(run, "tboot command line, pcr_map=legacy");
	lint_found(run, "%s", "");
}

static void check_racm(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->tboot.given || !w->f->tboot.call_racm)
		return;
	lint_where(run, "tboot command line, call_racm");
	lint_found(run, "%s", "");
}

static void check_mle(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->mle_failed)
		return;
	lint_where(run, "tboot");
	lint_found(run, "Here: %s.", lcp_strerror(w->f->mle_error));
}

static void check_legacy_log(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->tboot.given || !w->f->tboot.legacy_log)
		return;
	lint_where(run, "tboot command line, force_tpm2_legacy_log=true");
	lint_found(run, "%s", "");
}

static void check_prev_err(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->tboot.given || w->f->tboot.ignore_prev_err)
		return;
	lint_where(run, "tboot command line, ignore_prev_err=false");
	lint_found(run, "%s", "");
}

/* A signed build is not said to be in danger: with Secure Boot on nobody else loads its tboot. */
static void check_pointers(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->mle_pointers || w->f->embedded == EMBEDDED_SAME)
		return;
	lint_where(run, "tboot");
	lint_found(run, "It has %zu such pointers.", w->f->mle_pointers);
}

const struct lint_rule lint_tboot_rules[] = {
	{ "GL-TBOOT-001", LINT_ERROR, "the policy's hash algorithm is not the one that tboot hashes with",
		"tboot hashes modules with the algorithm of its option extpol (sha256 if not given) and compares the result with the policy's hashes, "
		"whatever theirs is. They never agree: the type halt stops every launch, the others report every module.",
		"Give tboot extpol=ALG with the policy's algorithm, or build with 'hash: sha256'.",
		POLICY_C " hash_module(), verify_module()", check_alg },
	{ "GL-TBOOT-002", LINT_ERROR, "tboot's extend policy switches verification off",
		"With any extpol but one algorithm tboot returns from verifying a module before it compares: the policy's hashes count for nothing, "
		"and every module starts.",
		"Use extpol=sha256, or the policy's algorithm.", POLICY_C " verify_module(): extpol != TB_EXTPOL_FIXED", check_embedded },
	{ "GL-TBOOT-003", LINT_WARNING, "extpol=agile is deprecated", "tboot 1.11.0 removed it. It was slow, as the TPM does the hashing.",
		"Use extpol=sha256, or the policy's algorithm.", "tboot CHANGELOG 1.11.0", check_agile },
	{ "GL-TBOOT-004", LINT_ERROR, "tboot does not know this value of extpol",
		"tboot does not complain and leaves its setting as it was: which banks it extends is not what was asked for.",
		"Use sha256, sha384 or sha512 (from 1.9.12 on), sha1 or sm3.", CMDLINE_C " get_tboot_extpol()", check_unknown_extpol },
	{ "GL-TBOOT-005", LINT_INFO, "tboot ignores the policy's NV entries",
		"No version of tboot measures an NV index on TPM 2.0: it shows the entry and passes it over. geolaunch's stage, which tboot starts as "
		"module 0, or geolaunch.efi in direct mode measures it.",
		"Start geolaunch's stage as module 0. A hypervisor as module 0 leaves the geo tag unmeasured.",
		"tboot 1.10.5 tboot/common/tboot.c, verify_all_nvindices() for TPM 1.2 only; docs/howto_use.md", check_nv_ignored },
	{ "GL-TBOOT-006", LINT_WARNING, "measure_nv has no effect on TPM 2.0", "tboot looks at the option on TPM 1.2 only.",
		"Leave it out: the command line is part of the MLE's digest, and the option promises what does not happen.",
		"tboot 1.10.5 tboot/common/tboot.c; docs/howto_use.md", check_measure_nv },
	{ "GL-TBOOT-007", LINT_WARNING, "min_ram is not set",
		"UEFI firmware keeps small reserved regions in low memory. Without min_ram tboot takes the first of them for the end of memory below "
		"4 GiB: the host loses most of it, or has no room for its modules.",
		"Give tboot min_ram=0x2000000.", "tboot docs/howto_use.md, min_ram", check_min_ram },
	{ "GL-TBOOT-008", LINT_WARNING, "tboot does not know an option of its command line",
		"tboot passes unknown options over in silence. A spelling mistake so becomes the default.",
		"Compare with tboot's docs/howto_use.md for this version (--tboot-version).", CMDLINE_C " g_tboot_cmdline_options",
		check_unknown_option },
	{ "GL-TBOOT-009", LINT_ERROR, "the bank that tboot extends is not active",
		"tboot extends one bank only, and the TPM drops digests for banks that are not active: policy and modules leave no trace in any PCR.",
		"Activate the bank (tpm2_pcrallocate, then a reboot), or use an extpol whose bank is active.",
		"TPM 2.0 Library part 3, TPM2_PCR_Extend; " POLICY_C " hash_module()", check_bank_missing },
	{ "GL-TBOOT-010", LINT_WARNING, "tboot leaves active banks out",
		"tboot extends the bank of extpol only. In the others PCR 17 and 18 keep what SINIT measured, PCR 19-21 stay zero until somebody at "
		"locality 2 extends them: what tboot started cannot be seen there.",
		"Quote and seal to the bank of extpol only, or deactivate the others.", POLICY_C " hash_module(): hl->count = 1",
		check_bank_left_out },
	{ "GL-TBOOT-011", LINT_INFO, "pcr_map=legacy has no effect on TPM 2.0",
		"With TPM 2.0 tboot always uses the details and authorities mapping: module 0 goes to PCR 17.", "Leave it out.",
		"tboot 1.10.5 tboot/txt/txt.c, g_using_da", check_pcr_map },
	{ "GL-TBOOT-012", LINT_ERROR, "tboot is asked to revoke, not to launch",
		"With call_racm=true tboot runs a revocation ACM and resets the machine, with call_racm=check it shows the result and halts. Nothing is "
		"launched.",
		"Leave the option out.", "tboot docs/howto_use.md, call_racm", check_racm },
	{ "GL-TBOOT-013", LINT_ERROR, "the digest of this tboot cannot be computed",
		"What SINIT will compute over tboot and its command line is not known, so it cannot be said whether launch control allows it. If the "
		"command line does not fit, tboot cuts it off.",
		"Give the tboot file that will be started (tboot.gz), and a shorter command line.",
		"Intel TXT SDG 315168-016 2.1, MLE header", check_mle },
	{ "GL-TBOOT-014", LINT_WARNING, "tboot asks SINIT for the legacy log",
		"With force_tpm2_legacy_log=true the launch is logged in a format of TXT's own instead of the TCG's: geolaunch's stage cannot add its "
		"events, and common tools cannot read it.",
		"Leave it out, unless this SINIT is known to leave the MLE's digest out of the TCG log.",
		"tboot docs/howto_use.md, force_tpm2_legacy_log", check_legacy_log },
	{ "GL-TBOOT-015", LINT_WARNING, "after a failed launch tboot starts the host unmeasured",
		"With ignore_prev_err=false tboot looks for the error of the last launch. If there is one, a nonfatal policy lets it start the host "
		"without measuring, until the machine is powered off.",
		"Leave it out where an unmeasured start is not wanted.",
		"tboot docs/howto_use.md, ignore_prev_err; tboot/common/tboot.c, TB_ERR_PREV_TXT_ERROR", check_prev_err },
	{ "GL-TBOOT-016", LINT_WARNING, "tboot's data, which nobody measures, points into its code",
		"SINIT measures tboot's code and constants only. tboot follows pointers that lie outside of them, in tables of functions for example: "
		"who runs before tboot can change one, and has code of his own run in the measured environment, with the PCR values of a good launch.",
		"Keep other loaders from running: sign the build ('geolaunch build --sign') and turn Secure Boot on. Or take a tboot that keeps its tables "
		"among its constants; Debian's 1.10.5 does not.",
		"docs/THREAT-MODEL.md, A loader that changes tboot's data", check_pointers },
};
const size_t lint_tboot_rule_count = GL_COUNT(lint_tboot_rules);
