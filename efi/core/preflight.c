/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/preflight_impl.h"

#include <string.h>

const struct preflight_info preflight_table[PREFLIGHT_COUNT] = {
	[PREFLIGHT_CPU_VENDOR] = { "cpu-vendor", TB_ERR_SMX_NOT_SUPPORTED, true,
		"the processor is not Intel's, and TXT is: use an Intel host with TXT, or build in direct mode" },
	[PREFLIGHT_CPU_SMX] = { "cpu-smx", TB_ERR_SMX_NOT_SUPPORTED, true,
		"the processor has no SMX: take one with Intel TXT, or enable TXT in the firmware's setup if it can be hidden there" },
	[PREFLIGHT_CPU_VMX] = { "cpu-vmx", TB_ERR_VMX_NOT_SUPPORTED, true,
		"the processor has no VMX, with which tboot holds the other processors: enable VT-x in the firmware's setup, or give tboot ap_wake_mwait=true" },
	[PREFLIGHT_FEATURE_LOCK] = { "feature-lock", TB_ERR_SMX_NOT_SUPPORTED, true,
		"the firmware did not lock IA32_FEATURE_CONTROL, and tboot refuses that: enable TXT in the firmware's setup, or update the firmware" },
	[PREFLIGHT_FEATURE_VMX] = { "feature-vmx", TB_ERR_VMX_NOT_SUPPORTED, true,
		"the firmware does not allow VMX within SMX: enable VT-x together with TXT in the firmware's setup, or give tboot ap_wake_mwait=true" },
	[PREFLIGHT_FEATURE_SENTER] = { "feature-senter", TB_ERR_SMX_NOT_SUPPORTED, true,
		"the firmware does not allow GETSEC[SENTER], or not all of it: enable TXT in the firmware's setup" },
	[PREFLIGHT_CHIPSET] = { "chipset", TB_ERR_TXT_NOT_SUPPORTED, true,
		"no TXT chipset answers at 0xfed30000: the board or its firmware has no TXT; enable it in the firmware's setup if there is such a switch" },
	[PREFLIGHT_GETSEC] = { "getsec", TB_ERR_TXT_NOT_SUPPORTED, true,
		"the processor does not offer all that a launch needs (GETSEC[CAPABILITIES]): enable TXT in the firmware's setup" },
	[PREFLIGHT_TXT_RESET] = { "txt-reset", TB_ERR_SMX_NOT_SUPPORTED, true,
		"TXT_RESET.STS is set since a launch failed, and SENTER is disabled until power is off: switch the host off and on" },
	[PREFLIGHT_WAKE_ERROR] = { "wake-error", TB_ERR_TXT_NOT_SUPPORTED, true,
		"a reset left secrets in memory and the firmware has not cleared them: switch the host off and on" },
	[PREFLIGHT_TXT_RUNNING] = { "txt-running", TB_ERR_TXT_NOT_SUPPORTED, true,
		"a measured launch is under way already: restart the host" },
	[PREFLIGHT_PREVIOUS_ERROR] = { "previous-error", TB_ERR_PREV_TXT_ERROR, true,
		"the last launch failed, and tboot has ignore_prev_err=false: mend what the code says, then switch the host off and on" },
	[PREFLIGHT_PREVIOUS_ERROR_NOTE] = { "previous-error-note", TB_ERR_NONE, false,
		"the last launch failed; this goes on, the code stays until power is off" },
	[PREFLIGHT_HEAP] = { "heap", TB_ERR_TXT_NOT_SUPPORTED, true,
		"the firmware has set up no usable TXT heap or SINIT area: enable TXT in its setup, or update it" },
	[PREFLIGHT_HEAP_DATA] = { "heap-data", TB_ERR_TXT_NOT_SUPPORTED, true,
		"the firmware's data in the TXT heap (BiosData) are not valid: update the firmware" },
	[PREFLIGHT_VTD] = { "vtd", TB_ERR_VTD_NOT_SUPPORTED, true,
		"there is no ACPI table DMAR, so no VT-d, which TXT needs: enable VT-d in the firmware's setup" },
	[PREFLIGHT_ACPI] = { "acpi", TB_ERR_VTD_NOT_SUPPORTED, true,
		"the ACPI tables cannot be followed, so VT-d cannot be found: update the firmware" },
	[PREFLIGHT_SINIT_MISSING] = { "sinit-missing", TB_ERR_SINIT_NOT_PRESENT, true,
		"there is no SINIT module, neither in the build nor in the firmware: get the one for this chipset from Intel and name it in the manifest" },
	[PREFLIGHT_SINIT_FILE] = { "sinit-file", TB_ERR_SINIT_NOT_PRESENT, true,
		"the SINIT module's file is missing or cannot be read: install the build again" },
	[PREFLIGHT_SINIT_INVALID] = { "sinit-invalid", TB_ERR_ACMOD_VERIFY_FAILED, true,
		"the file is no SINIT module that can be launched: get the one for this chipset from Intel, build and install again" },
	[PREFLIGHT_SINIT_MATCH] = { "sinit-match", TB_ERR_SINIT_NOT_PRESENT, true,
		"the SINIT module is not for this platform: get the one for this chipset and processor from Intel, build and install again" },
	[PREFLIGHT_SINIT_SIZE] = { "sinit-size", TB_ERR_SINIT_NOT_PRESENT, true,
		"the SINIT module is larger than the area that the firmware set aside for it: update the firmware" },
	[PREFLIGHT_SINIT_TPM] = { "sinit-tpm", TB_ERR_ACMOD_VERIFY_FAILED, true,
		"the SINIT module cannot work with a TPM 2.0: get a later one for this chipset" },
	[PREFLIGHT_SINIT_BIOS_NOTE] = { "sinit-bios-note", TB_ERR_NONE, false,
		"tboot will take the firmware's SINIT module and not that of the build, as it is as new or newer: PCR 17 and 18 follow it" },
	[PREFLIGHT_TPM] = { "tpm", TB_ERR_TPM_NOT_READY, true, "no TPM 2.0 that a launch can use" },
	[PREFLIGHT_TPM_BANK] = { "tpm-bank", TB_ERR_TPM_NOT_READY, true,
		"the PCR bank that tboot extends is not active: activate it in the firmware's setup, or give tboot extpol= with an active one and build again" },
	[PREFLIGHT_VLP_MISSING] = { "vlp-missing", TB_ERR_POLICY_NOT_PRESENT, false,
		"the TPM has no launch policy, so tboot would take its default and not yours: run 'geolaunch provision' on this host" },
	[PREFLIGHT_VLP_UNREADABLE] = { "vlp-unreadable", TB_ERR_POLICY_NOT_PRESENT, false,
		"tboot cannot read the launch policy out of the TPM and would take its default: run 'geolaunch provision' on this host" },
	[PREFLIGHT_VLP_INVALID] = { "vlp-invalid", TB_ERR_POLICY_INVALID, false,
		"the launch policy in the TPM is none that tboot takes: run 'geolaunch provision' on this host" },
	[PREFLIGHT_VLP_DIFFERS] = { "vlp-differs", TB_ERR_POLICY_INVALID, false,
		"the launch policy in the TPM is not that of this build: run 'geolaunch provision' with it, or install the build that goes with the TPM" },
	[PREFLIGHT_LCP_FILE] = { "lcp-file", TB_ERR_ACMOD_VERIFY_FAILED, true,
		"the launch control policy's data file is missing, damaged or cannot be read: install the build again" },
	[PREFLIGHT_LCP_MISSING] = { "lcp-missing", TB_ERR_POLICY_NOT_PRESENT, false,
		"the build has launch control data, but the TPM has no owner policy that makes SINIT obey them: run 'geolaunch provision' on this host" },
	[PREFLIGHT_LCP_UNREADABLE] = { "lcp-unreadable", TB_ERR_ACMOD_VERIFY_FAILED, true,
		"the owner's launch control policy in the TPM cannot be read, SINIT would reset the host: run 'geolaunch provision' on this host" },
	[PREFLIGHT_LCP_INVALID] = { "lcp-invalid", TB_ERR_ACMOD_VERIFY_FAILED, true,
		"the owner's launch control policy in the TPM is not valid, SINIT would reset the host: run 'geolaunch provision' on this host" },
	[PREFLIGHT_LCP_NO_DATA] = { "lcp-no-data", TB_ERR_ACMOD_VERIFY_FAILED, true,
		"the owner's launch control policy wants lists, but the build has none, SINIT would reset the host: name the data in the manifest" },
	[PREFLIGHT_GEO_MISSING] = { "geo-missing", TB_ERR_NV_VERIFICATION_FAILED, false,
		"an NV index that the policy measures is not defined: run 'geolaunch geo define' and 'geolaunch geo write' on this host" },
	[PREFLIGHT_GEO_UNREADABLE] = { "geo-unreadable", TB_ERR_NV_VERIFICATION_FAILED, false,
		"an NV index that the policy measures cannot be read: 'geolaunch geo undefine' it, then define and write it" },
	[PREFLIGHT_GEO_SIZE] = { "geo-size", TB_ERR_NV_VERIFICATION_FAILED, false,
		"an NV index that the policy measures has a size that cannot be measured: 'geolaunch geo undefine' it, then define and write it" },
	[PREFLIGHT_GEO_DIFFERS] = { "geo-differs", TB_ERR_NV_VERIFICATION_FAILED, false,
		"an NV index has a content that the policy does not allow: write the right one, or build for this site" },
	[PREFLIGHT_TBOOT_LINE] = { "tboot-line", TB_ERR_TXT_NOT_SUPPORTED, true,
		"tboot's command line asks for something else than a launch (call_racm): take it out of the manifest and build again" },
	[PREFLIGHT_TBOOT_IMAGE] = { "tboot-image", TB_ERR_TXT_NOT_SUPPORTED, true, "tboot cannot be loaded: build and install again" },
	[PREFLIGHT_STAGE_IMAGE] = { "stage-image", TB_ERR_TXT_NOT_SUPPORTED, true,
		"the stage cannot be loaded, and tboot would jump into nothing: build and install again" },
	[PREFLIGHT_MEMORY_TBOOT] = { "memory-tboot", TB_ERR_TXT_NOT_SUPPORTED, true,
		"the firmware keeps memory at the address that tboot is linked to: look for ACPI S3 or for low memory options in its setup" },
	[PREFLIGHT_MEMORY] = { "memory", TB_ERR_TXT_NOT_SUPPORTED, true,
		"not enough free memory below 4 GiB for tboot and the modules: fit more, or use smaller files" },
	[PREFLIGHT_MEMORY_MIN_RAM] = { "memory-min-ram", TB_ERR_TXT_NOT_SUPPORTED, true,
		"tboot would drop the memory above a small region that the firmware keeps: give tboot min_ram=0x2000000 and build again" },
	[PREFLIGHT_MODULE_FILE] = { "module-file", TB_ERR_MODULE_VERIFICATION_FAILED, true,
		"a file of the launch is missing or cannot be read: install the build again" },
	[PREFLIGHT_MODULE_DIFFERS] = { "module-differs", TB_ERR_MODULE_VERIFICATION_FAILED, false,
		"a file or its command line is not what the policy allows: install the build again, or provision the policy that goes with it" },
	[PREFLIGHT_MODULE_UNLISTED] = { "module-unlisted", TB_ERR_MODULES_NOT_IN_POLICY, false,
		"the policy has no entry for a module: build and provision again" },
	[PREFLIGHT_MODULE_MISSING] = { "module-missing", TB_ERR_MODULE_VERIFICATION_FAILED, false,
		"the policy names a module that the launch does not have: install the build that goes with the policy" },
	[PREFLIGHT_TBOOT_DIFFERS] = { "tboot-differs", TB_ERR_FATAL, true,
		"tboot is not the one that the launch description names by its digest: install the build again" },
	[PREFLIGHT_FILE_DIFFERS] = { "file-differs", TB_ERR_FATAL, true,
		"this file is not the one that the launch description names by its digest: install the build again" },
	[PREFLIGHT_SECURE_BOOT] = { "secure-boot", TB_ERR_FATAL, true,
		"Secure Boot is on, and this file is not one that geolaunch.efi's signature covers by a digest of SHA-256 or better: build again with --sign, install that" },
};

void preflight_add(struct preflight_report *r, enum preflight_id id, const struct text *detail)
{
	struct preflight_finding *f;
	struct text t;

	if (r->count == PREFLIGHT_MAX_FINDINGS) {
		r->more |= UINT64_C(1) << id;
		return;
	}
	f = &r->findings[r->count++];
	f->id = id;
	t = TEXT_OF(f->detail);
	f->detail[0] = 0;
	if (detail)
		text_span(&t, (struct span){ (const uint8_t *)detail->p, detail->n });
}

void preflight_line(const struct preflight_finding *f, struct text *t)
{
	const struct preflight_info *i = &preflight_table[f->id < PREFLIGHT_COUNT ? f->id : 0];

	text_str(t, "geolaunch: pre-flight ");
	text_str(t, i->name);
	text_str(t, ": ");
	text_str(t, i->text);
	if (f->detail[0]) {
		text_str(t, " (");
		text_str(t, f->detail);
		text_char(t, ')');
	}
}

static_assert(VLP_ACT_CONTINUE < VLP_ACT_UNMEASURED && VLP_ACT_UNMEASURED < VLP_ACT_HALT, "the most that is asked for");
static_assert(PREFLIGHT_COUNT <= 64, "preflight_report.more");

static enum vlp_action action_of(const struct preflight_report *r, enum preflight_id id)
{
	enum vlp_action act = vlp_action(r->policy_type, preflight_table[id].error);

	return act == VLP_ACT_CONTINUE && preflight_table[id].stops ? VLP_ACT_UNMEASURED : act;
}

enum vlp_action preflight_action(const struct preflight_report *r, size_t from)
{
	enum vlp_action most = VLP_ACT_CONTINUE;

	for (size_t i = from; i < r->count; i++)
		if (action_of(r, r->findings[i].id) > most)
			most = action_of(r, r->findings[i].id);
	for (unsigned id = 0; id < PREFLIGHT_COUNT; id++)
		if (r->more >> id & 1 && action_of(r, (enum preflight_id)id) > most)
			most = action_of(r, (enum preflight_id)id);
	return most;
}

void preflight_check(const struct preflight_facts *f, const struct preflight_ops *ops, void *ctx, struct preflight_room *room,
	struct preflight_report *out)
{
	struct preflight p = { .f = f, .ops = ops, .ctx = ctx, .nv = &room->nv, .vlp = &room->vlp, .out = out };

	memset(out, 0, sizeof(*out));
	out->policy_type = f->policy->type;
	tboot_line_parse(f->description->txt.tboot.cmdline, &p.line);
	if (p.line.racm)
		preflight_found(&p, PREFLIGHT_TBOOT_LINE);
	preflight_check_processor(&p);
	preflight_check_chipset(&p);
	preflight_check_sinit(&p);
	preflight_check_tpm(&p);
}
