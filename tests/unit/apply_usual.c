/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/apply_usual.h"

const struct machine_module modules[MODULES] = {
	{ ROLE_DESCRIPTION, "launch.conf", "", "geolaunch 1" },
	{ ROLE_HYPERVISOR, "linux", KERNEL_CMDLINE, "the kernel" },
	{ ROLE_INITRD, "initrd", "", "the initrd" },
	{ ROLE_VMM, "vmm", VMM_PATH, "the VM manager" },
	{ ROLE_FILE, "file-0", FILE_PATH, "the VM" },
};

/* clang-format off */
const alg_set bank_sets[4] = {
	ALG_BIT(ALG_SHA256), ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256), ALG_BIT(ALG_SHA384), ALG_SET_ALL,
};
/* clang-format on */

struct machine m;
struct listed good;
const uint8_t wrong[DIGEST_MAX] = { 0x5a };

struct span module_bytes(size_t i)
{
	return span_str(modules[i].bytes);
}

void set_up(uint8_t type, enum alg hash, alg_set banks)
{
	machine_init(&m, type, hash, banks);
	for (size_t i = 0; i < MODULES; i++)
		oracle_module_digest(hash, span_str(modules[i].cmdline), module_bytes(i), good.module[i]);
	oracle_hash(hash, m.nv, (struct span){ NULL, 0 }, (struct span){ NULL, 0 }, good.nv);
}

/* The policy that build writes. */
void usual_entries(void)
{
	static const uint8_t pcrs[] = { VLP_PCR_NONE, 19, 19, 20, 21 };

	for (uint8_t i = 0; i < MODULES; i++)
		machine_entry(&m, i, pcrs[i], i ? good.module[i] : NULL);
	machine_nv_entry(&m, false, GEO, good.nv);
}

void usual(uint8_t type)
{
	set_up(type, ALG_SHA256, ALG_BIT(ALG_SHA256));
	usual_entries();
}

enum vlp_action run_usual(void)
{
	return machine_run(&m, modules, MODULES);
}

void oracle_to_nv(struct oracle *o)
{
	oracle_reset(o, m.banks);
	oracle_policy(o, 17, 1, m.apply.policy_bytes);
	oracle_policy(o, 18, 1, m.apply.policy_bytes);
	oracle_module(o, 17, span_str(""), module_bytes(0));
	oracle_module(o, 19, span_str(KERNEL_CMDLINE), module_bytes(1));
	oracle_module(o, 19, span_str(""), module_bytes(2));
	oracle_module(o, 20, span_str(VMM_PATH), module_bytes(3));
	oracle_module(o, 21, span_str(FILE_PATH), module_bytes(4));
}

/* tboot 1.10.5, policy.c: continue, unmeasured, halt; a row per error number, a column per type nonfatal, continue, halt. */
static const char table[TB_ERR_MAX][4] = {
	[TB_ERR_NONE] = "ccc",
	[TB_ERR_FIXED] = "chh",
	[TB_ERR_GENERIC] = "chh",
	[TB_ERR_TPM_NOT_READY] = "uhh",
	[TB_ERR_SMX_NOT_SUPPORTED] = "uhh",
	[TB_ERR_VMX_NOT_SUPPORTED] = "uhh",
	[TB_ERR_VTD_NOT_SUPPORTED] = "uhh",
	[TB_ERR_TXT_NOT_SUPPORTED] = "uhh",
	[TB_ERR_MODULE_VERIFICATION_FAILED] = "cch",
	[TB_ERR_MODULES_NOT_IN_POLICY] = "chh",
	[TB_ERR_POLICY_INVALID] = "cch",
	[TB_ERR_POLICY_NOT_PRESENT] = "cch",
	[TB_ERR_SINIT_NOT_PRESENT] = "uhh",
	[TB_ERR_ACMOD_VERIFY_FAILED] = "uhh",
	[TB_ERR_POST_LAUNCH_VERIFICATION] = "chh",
	[TB_ERR_S3_INTEGRITY] = "chh",
	[TB_ERR_FATAL] = "hhh",
	[TB_ERR_NV_VERIFICATION_FAILED] = "cch",
	[TB_ERR_PREV_TXT_ERROR] = "uhh",
};

enum vlp_action action_of(enum tb_error e, uint8_t type)
{
	return table[e][type] == 'c' ? VLP_ACT_CONTINUE : table[e][type] == 'u' ? VLP_ACT_UNMEASURED : VLP_ACT_HALT;
}

bool goes_on(enum tb_error e, uint8_t type)
{
	return action_of(e, type) == VLP_ACT_CONTINUE;
}
