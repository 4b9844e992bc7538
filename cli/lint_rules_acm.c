/* SPDX-License-Identifier: BSD-3-Clause */

/* The SINIT module against the platform, tboot and the policies. */

#include "cli/lint_impl.h"

#define ACMOD_C "tboot 1.10.5 tboot/txt/acmod.c"
#define SDG_A1 "Intel TXT SDG 315168-016 appendix A.1"

/* CHANGELOG 1.11.0: flexible ACM info table. */
#define READS_LISTS LINT_VERSION(1, 11, 0)

static bool at_sinit(const struct lint_world *w, struct lint_run *run)
{
	if (!w->f->sinit_file)
		return false;
	lint_where(run, "%s", w->f->sinit_file);
	return true;
}

static void check_match(const struct lint_world *w, struct lint_run *run)
{
	enum acm_match m;

	if (!at_sinit(w, run))
		return;
	m = acm_match(&w->f->sinit, &w->f->platform);
	if (m != ACM_MATCHES)
		lint_found(run, "Here: %s.", acm_match_text(m));
}

static void check_log(const struct lint_world *w, struct lint_run *run)
{
	if (at_sinit(w, run) && !(w->f->sinit.info.capabilities & ACM_CAP_TCG_EVENT_LOG))
		lint_found(run, "%s", "");
}

static void check_kind(const struct lint_world *w, struct lint_run *run)
{
	const char *name = acm_chipset_type_name(w->f->sinit.info.chipset_type);

	if (at_sinit(w, run) && w->f->sinit.info.chipset_type != ACM_SINIT)
		lint_found(run, "It is a module of the type %s.", name ? name : "unknown");
}

static void check_lists(const struct lint_world *w, struct lint_run *run)
{
	char buf[24];
	struct text version = TEXT_OF(buf);

	if (!at_sinit(w, run) || w->f->sinit.info.version < ACM_INFO_VERSION_LISTS || w->f->tboot_version >= READS_LISTS)
		return;
	lint_version_print(w->f->tboot_version, &version);
	lint_found(run, "Its info table has version %u, tboot %s.", w->f->sinit.info.version, buf);
}

static void check_debug(const struct lint_world *w, struct lint_run *run)
{
	unsigned flags = w->f->sinit.header.flags;

	if (at_sinit(w, run) && flags & (ACM_FLAG_DEBUG_SIGNED | ACM_FLAG_PRE_PRODUCTION))
		lint_found(run, "It is %s.", flags & ACM_FLAG_DEBUG_SIGNED ? "debug-signed" : "a pre-production module");
}

static void check_family(const struct lint_world *w, struct lint_run *run)
{
	if (!at_sinit(w, run))
		return;
	if (!w->f->sinit.tpm_algs.present)
		lint_found(run, "Its info table, version %u, has no list of TPMs.", w->f->sinit.info.version);
	else if (!(w->f->sinit.tpm.family & (ACM_TPM_DISCRETE_20 | ACM_TPM_PTT_20)))
		lint_found(run, "Its list of TPMs names none of version 2.0.");
}

static void check_alg(const struct lint_world *w, struct lint_run *run)
{
	const struct acm *a = &w->f->sinit;

	if (!at_sinit(w, run) || !a->tpm_algs.present || w->f->tboot.extpol != LINT_EXTPOL_FIXED)
		return;
	for (uint32_t i = 0; i < a->tpm_algs.count; i++)
		if (acm_tpm_alg_at(a, i) == w->f->tboot.extpol_alg)
			return;
	lint_found(run, "tboot extends %s.", lint_alg_name(w->f->tboot.extpol_alg));
}

static void check_sound(const struct lint_world *w, struct lint_run *run)
{
	enum acm_error e;

	if (!at_sinit(w, run))
		return;
	e = acm_validate(&w->f->sinit);
	/* A header that is newer than we are says nothing against the module. */
	if (e && e != ACM_E_HEADER_VERSION)
		lint_found(run, "Here: %s.", acm_strerror(e));
}

const struct lint_rule lint_acm_rules[] = {
	{ "GL-ACM-001", LINT_ERROR, "SINIT is for another platform",
		"tboot passes the module over and looks for the next one, also for one that the BIOS keeps. If there is none, it starts the host "
		"without measuring (nonfatal), or stops.",
		"Get the SINIT module for this chipset and processor; 'geolaunch acm show FILE --this-machine' tells whether one fits.",
		ACMOD_C " does_acmod_match_platform()", check_match },
	{ "GL-ACM-002", LINT_WARNING, "SINIT cannot write the TCG's event log",
		"The launch is logged in the legacy format only: geolaunch's stage cannot add its events, and a verifier has to do without a log of "
		"SINIT's measurements.",
		"Use a newer module, or verify by PCR values alone ('geolaunch verify --no-log').", SDG_A1 ", Capabilities, bit 9",
		check_log },
	{ "GL-ACM-003", LINT_ERROR, "the module is no SINIT", "tboot passes the module over: it cannot start a measured launch.",
		"Give the SINIT module of the platform.", SDG_A1 ", ChipsetACMType", check_kind },
	{ "GL-ACM-004", LINT_ERROR, "this tboot cannot read this SINIT",
		"From info table version 9 on the lists of chipsets and processors lie elsewhere. tboot before 1.11.0 does not find them and passes the "
		"module over.",
		"Use tboot 1.11.0 or newer.", "tboot CHANGELOG 1.11.0", check_lists },
	{ "GL-ACM-005", LINT_WARNING, "SINIT is not for production",
		"Launch control refuses such a module unless the policy allows it (PolicyControl bit 1), and a production platform does not run one that "
		"is debug-signed.",
		"Use the production module.", "Intel TXT SDG 315168-016 D.1.1, PolicyControl", check_debug },
	{ "GL-ACM-006", LINT_ERROR, "SINIT does not support a TPM 2.0",
		"The launch fails: tboot finds no TPM information in the module, or SINIT refuses the TPM.", "Use a newer module.",
		SDG_A1 ", TPM info list; tboot 1.10.5 tboot/common/tpm_20.c tpm20_init()", check_family },
	{ "GL-ACM-007", LINT_WARNING, "SINIT does not know the hash algorithm that tboot extends",
		"SINIT's own measurements and tboot's then are in different banks: no bank tells of the whole launch.",
		"Use an extpol that SINIT knows: 'geolaunch acm show FILE' lists them.", SDG_A1 ", TPM info list", check_alg },
	{ "GL-ACM-008", LINT_ERROR, "the SINIT file is not sound", "The processor refuses it in GETSEC[SENTER] and resets the platform.",
		"Get the file anew from its source.", SDG_A1, check_sound },
};
const size_t lint_acm_rule_count = GL_COUNT(lint_acm_rules);
