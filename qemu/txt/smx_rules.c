/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/smx.h"

#define SDM "Intel SDM 2D "
#define SENTER SDM "7.3 GETSEC[SENTER]"
#define ACCS SDM "7.3 GETSEC[ENTERACCS], [SENTER]"

#define UD(id_, text_, source_) \
	{ \
		.id = id_, .text = text_, .source = source_, .fault = SMX_UD \
	}
#define GP(id_, text_, source_) \
	{ \
		.id = id_, .text = text_, .source = source_, .fault = SMX_GP \
	}
#define DOWN(id_, code_, text_, source_) \
	{ \
		.id = id_, .text = text_, .source = source_, .fault = SMX_SHUTDOWN, .shutdown = code_ \
	}

/* Processor codes of TXT.ERRORCODE, SDG B.1.3; tboot include/txt/errorcode.h. */
enum shutdown_code {
	BAD_MEMORY_TYPE = 5,
	UNSUPPORTED_ACM = 6,
	AUTHENTICATE_FAIL = 7,
	BAD_ACM_FORMAT = 8,
	BAD_JOIN_FORMAT = 11,
};

/* clang-format off */
static const struct smx_rule_info rules[SMX_RULES] = {
	[SMX_OK] = { .id = "smx-ok", .text = "no rule is broken", .source = "" },
	[SMX_RULE_NO_SMX] = UD("smx-cpuid", "the processor has no SMX", SDM "7.2"),
	[SMX_RULE_SMXE] = UD("smx-smxe", "CR4.SMXE is 0", SDM "7.2"),
	[SMX_RULE_LEAF] = UD("smx-leaf", "the leaf is not among the processor's capabilities", SDM "7.2, 7.3 GETSEC[CAPABILITIES]"),
	[SMX_RULE_CHIPSET] = GP("smx-chipset", "there is no TXT chipset", SENTER),
	[SMX_RULE_VMX] = GP("smx-vmx", "the processor is in VMX operation", SENTER),
	[SMX_RULE_PE] = GP("smx-cr0-pe", "CR0.PE is 0: not in protected mode", SENTER),
	[SMX_RULE_CD] = GP("smx-cr0-cd", "CR0.CD is 1: the cache is off", SENTER),
	[SMX_RULE_NW] = GP("smx-cr0-nw", "CR0.NW is 1", SENTER),
	[SMX_RULE_NE] = GP("smx-cr0-ne", "CR0.NE is 0", SENTER),
	[SMX_RULE_CPL] = GP("smx-cpl", "CPL is not 0", SENTER),
	[SMX_RULE_VM86] = GP("smx-eflags-vm", "EFLAGS.VM is 1", SENTER),
	[SMX_RULE_BSP] = GP("smx-bsp", "IA32_APIC_BASE.BSP is 0: not the bootstrap processor", SENTER),
	[SMX_RULE_IN_MLE] = GP("smx-in-mle", "already in a measured environment", SENTER),
	[SMX_RULE_NOT_IN_MLE] = GP("smx-not-in-mle", "not in a measured environment", SDM "7.3 GETSEC[SEXIT], [SMCTRL], [WAKEUP]"),
	[SMX_RULE_NOT_IN_ACM] = GP("smx-not-in-acm", "EXITAC is for authenticated code modules", SDM "7.3 GETSEC[EXITAC]"),
	[SMX_RULE_SMM] = GP("smx-smm", "the processor is in SMM", SENTER),
	[SMX_RULE_TPM] = GP("smx-tpm", "there is no TPM", SENTER),
	[SMX_RULE_EDX] = GP("smx-edx", "EDX asks for functions that SENTER does not have (PARAMETERS type 4)", SENTER),
	[SMX_RULE_FEATURE_LOCK] = GP("smx-feature-lock", "IA32_FEATURE_CONTROL is not locked", SENTER),
	[SMX_RULE_FEATURE_SENTER] = GP("smx-feature-senter", "IA32_FEATURE_CONTROL bit 15: SENTER is not enabled", SENTER),
	[SMX_RULE_FEATURE_FUNCTIONS] = GP("smx-feature-functions", "IA32_FEATURE_CONTROL bits 14:8 do not enable what EDX asks for", SENTER),
	[SMX_RULE_TXT_RESET] = { .id = "smx-txt-reset", .text = "TXT.ESTS.TXT_RESET is set: no launch until the next power cycle", .source =
		"Intel TXT SDG 315168-016 B.1.2", .fault = SMX_GP, .deduced = true },
	[SMX_RULE_MCE] = GP("smx-mce", "an uncorrected machine check error is logged (IA32_MCi_STATUS)", SENTER),
	[SMX_RULE_MCIP] = GP("smx-mcip", "IA32_MCG_STATUS.MCIP is 1: a machine check is in progress", SENTER),
	[SMX_RULE_ACM_ALIGNMENT] = GP("smx-acm-alignment", "EBX, the module's address, is not 4 KiB-aligned", ACCS),
	[SMX_RULE_ACM_SIZE] = GP("smx-acm-size", "ECX, the module's size, is no multiple of 64", ACCS),
	[SMX_RULE_ACM_SMALL] = GP("smx-acm-small", "ECX is below the smallest module", ACCS),
	[SMX_RULE_ACM_LARGE] = GP("smx-acm-large", "ECX is above the largest module (PARAMETERS type 2)", ACCS),
	[SMX_RULE_ACM_4G] = GP("smx-acm-4g", "the module reaches above 4 GiB", ACCS),
	[SMX_RULE_SMCTRL_EBX] = GP("smx-smctrl-ebx", "EBX is not 0", SDM "7.3 GETSEC[SMCTRL]"),

	[SMX_RULE_ACM_MEMORY] = DOWN("smx-acm-memory", BAD_MEMORY_TYPE, "the module cannot be loaded from there: no memory", ACCS),
	[SMX_RULE_ACM_VERSION] = DOWN("smx-acm-version", UNSUPPORTED_ACM, "the module's header version is not one of PARAMETERS type 1", ACCS),
	[SMX_RULE_ACM_MODULE_TYPE] = DOWN("smx-acm-module-type", UNSUPPORTED_ACM, "ModuleType is not 2", ACCS),
	[SMX_RULE_ACM_HEADER] = DOWN("smx-acm-header", BAD_ACM_FORMAT, "HeaderLen, KeySize or ScratchSize is wrong", ACCS),
	[SMX_RULE_ACM_CLAIMED_SIZE] = DOWN("smx-acm-claimed-size", BAD_ACM_FORMAT, "the module's Size is not ECX", ACCS),
	[SMX_RULE_ACM_KEY] = DOWN("smx-acm-key", AUTHENTICATE_FAIL, "the module's key is not the chipset's (TXT.PUBLIC.KEY)", ACCS),
	[SMX_RULE_ACM_CONTROL] = DOWN("smx-acm-control", BAD_ACM_FORMAT, "reserved bits of CodeControl are set", ACCS),
	[SMX_RULE_ACM_GDT] = DOWN("smx-acm-gdt", BAD_ACM_FORMAT, "the GDT lies outside of the module's user area, or its limit is above 64 KiB", ACCS),
	[SMX_RULE_ACM_ENTRY] = DOWN("smx-acm-entry", BAD_ACM_FORMAT, "the entry point lies outside of the module's user area", ACCS),
	[SMX_RULE_ACM_SEGMENT] = DOWN("smx-acm-segment", BAD_ACM_FORMAT, "SegSel is no selector of the module's GDT", ACCS),
	[SMX_RULE_JOIN_MEMORY] = DOWN("smx-join-memory", BAD_JOIN_FORMAT, "TXT.MLE.JOIN points to no memory", SDM "7.3 GETSEC[WAKEUP]"),
	[SMX_RULE_JOIN_LIMIT] = DOWN("smx-join-limit", BAD_JOIN_FORMAT, "join data: the GDT's limit is above 64 KiB", SDM "7.3 GETSEC[WAKEUP]"),
	[SMX_RULE_JOIN_SELECTOR] = DOWN("smx-join-selector", BAD_JOIN_FORMAT, "join data: the selector is not one of the GDT", SDM
		"7.3 GETSEC[WAKEUP]"),

	[SMX_RULE_CR4] = GP("cr4-smxe", "CR4.SMXE cannot be set: the processor has no SMX", SDM "7.2"),
	[SMX_RULE_MSR_LOCKED] = GP("msr-feature-control", "IA32_FEATURE_CONTROL is locked", "Intel SDM 4, table 2-2"),
	[SMX_RULE_MSR_READ_ONLY] = GP("msr-read-only", "the MSR is read-only", "Intel SDM 4, table 2-2"),
};
/* clang-format on */

const struct smx_rule_info *smx_rule_info(enum smx_rule r)
{
	return &rules[r < SMX_RULES ? r : SMX_OK];
}
