/* SPDX-License-Identifier: BSD-3-Clause */
#include "tboot-policy/action.h"

/*
 * tboot 1.10.5, tboot/common/policy.c, g_policy_map: what a type says of errors without an exception. tests/cli/test_tboot_table.py reads the
 * table out of Debian's binary.
 */
static const enum vlp_action defaults[] = {
	[VLP_NONFATAL] = VLP_ACT_CONTINUE,
	[VLP_CONTINUE] = VLP_ACT_HALT,
	[VLP_HALT] = VLP_ACT_HALT,
};

static const struct {
	uint8_t type;
	enum tb_error error;
	enum vlp_action action;
} exceptions[] = {
	{ VLP_NONFATAL, TB_ERR_FATAL, VLP_ACT_HALT },
	{ VLP_NONFATAL, TB_ERR_PREV_TXT_ERROR, VLP_ACT_UNMEASURED },
	{ VLP_NONFATAL, TB_ERR_TPM_NOT_READY, VLP_ACT_UNMEASURED },
	{ VLP_NONFATAL, TB_ERR_SMX_NOT_SUPPORTED, VLP_ACT_UNMEASURED },
	{ VLP_NONFATAL, TB_ERR_VMX_NOT_SUPPORTED, VLP_ACT_UNMEASURED },
	{ VLP_NONFATAL, TB_ERR_VTD_NOT_SUPPORTED, VLP_ACT_UNMEASURED },
	{ VLP_NONFATAL, TB_ERR_TXT_NOT_SUPPORTED, VLP_ACT_UNMEASURED },
	{ VLP_NONFATAL, TB_ERR_SINIT_NOT_PRESENT, VLP_ACT_UNMEASURED },
	{ VLP_NONFATAL, TB_ERR_ACMOD_VERIFY_FAILED, VLP_ACT_UNMEASURED },
	{ VLP_CONTINUE, TB_ERR_MODULE_VERIFICATION_FAILED, VLP_ACT_CONTINUE },
	{ VLP_CONTINUE, TB_ERR_NV_VERIFICATION_FAILED, VLP_ACT_CONTINUE },
	{ VLP_CONTINUE, TB_ERR_POLICY_NOT_PRESENT, VLP_ACT_CONTINUE },
	{ VLP_CONTINUE, TB_ERR_POLICY_INVALID, VLP_ACT_CONTINUE },
};

enum vlp_action vlp_action(uint8_t policy_type, enum tb_error error)
{
	if (error == TB_ERR_NONE)
		return VLP_ACT_CONTINUE;
	/* tboot lets a nonfatal policy go on after an error that it has no number for; we cannot know what happened then. */
	if (policy_type >= GL_COUNT(defaults) || (unsigned)error >= TB_ERR_MAX)
		return VLP_ACT_HALT;
	for (size_t i = 0; i < GL_COUNT(exceptions); i++)
		if (exceptions[i].type == policy_type && exceptions[i].error == error)
			return exceptions[i].action;
	return defaults[policy_type];
}

static const char *const names[TB_ERR_MAX] = {
	[TB_ERR_NONE] = "TB_ERR_NONE",
	[TB_ERR_FIXED] = "TB_ERR_FIXED",
	[TB_ERR_GENERIC] = "TB_ERR_GENERIC",
	[TB_ERR_TPM_NOT_READY] = "TB_ERR_TPM_NOT_READY",
	[TB_ERR_SMX_NOT_SUPPORTED] = "TB_ERR_SMX_NOT_SUPPORTED",
	[TB_ERR_VMX_NOT_SUPPORTED] = "TB_ERR_VMX_NOT_SUPPORTED",
	[TB_ERR_VTD_NOT_SUPPORTED] = "TB_ERR_VTD_NOT_SUPPORTED",
	[TB_ERR_TXT_NOT_SUPPORTED] = "TB_ERR_TXT_NOT_SUPPORTED",
	[TB_ERR_MODULE_VERIFICATION_FAILED] = "TB_ERR_MODULE_VERIFICATION_FAILED",
	[TB_ERR_MODULES_NOT_IN_POLICY] = "TB_ERR_MODULES_NOT_IN_POLICY",
	[TB_ERR_POLICY_INVALID] = "TB_ERR_POLICY_INVALID",
	[TB_ERR_POLICY_NOT_PRESENT] = "TB_ERR_POLICY_NOT_PRESENT",
	[TB_ERR_SINIT_NOT_PRESENT] = "TB_ERR_SINIT_NOT_PRESENT",
	[TB_ERR_ACMOD_VERIFY_FAILED] = "TB_ERR_ACMOD_VERIFY_FAILED",
	[TB_ERR_POST_LAUNCH_VERIFICATION] = "TB_ERR_POST_LAUNCH_VERIFICATION",
	[TB_ERR_S3_INTEGRITY] = "TB_ERR_S3_INTEGRITY",
	[TB_ERR_FATAL] = "TB_ERR_FATAL",
	[TB_ERR_NV_VERIFICATION_FAILED] = "TB_ERR_NV_VERIFICATION_FAILED",
	[TB_ERR_PREV_TXT_ERROR] = "TB_ERR_PREV_TXT_ERROR",
};

const char *tb_error_name(enum tb_error error)
{
	return (unsigned)error < TB_ERR_MAX ? names[error] : "unknown error";
}
