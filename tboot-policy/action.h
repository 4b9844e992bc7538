/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TBOOT_POLICY_ACTION_H
#define GL_TBOOT_POLICY_ACTION_H

#include "vlp.h"

/*
 * tboot's error numbers, include/tb_error.h, as Debian's tboot 1.10.5 has them. Later ones have TB_ERR_DMA_CORRUPTION_DETECTED as 3, and all
 * others one higher.
 */
enum tb_error {
	TB_ERR_NONE = 0,
	TB_ERR_FIXED = 1,
	TB_ERR_GENERIC = 2,
	TB_ERR_TPM_NOT_READY = 3,
	TB_ERR_SMX_NOT_SUPPORTED = 4,
	TB_ERR_VMX_NOT_SUPPORTED = 5,
	TB_ERR_VTD_NOT_SUPPORTED = 6,
	TB_ERR_TXT_NOT_SUPPORTED = 7,
	TB_ERR_MODULE_VERIFICATION_FAILED = 8,
	TB_ERR_MODULES_NOT_IN_POLICY = 9,
	TB_ERR_POLICY_INVALID = 10,
	TB_ERR_POLICY_NOT_PRESENT = 11,
	TB_ERR_SINIT_NOT_PRESENT = 12,
	TB_ERR_ACMOD_VERIFY_FAILED = 13,
	TB_ERR_POST_LAUNCH_VERIFICATION = 14,
	TB_ERR_S3_INTEGRITY = 15,
	TB_ERR_FATAL = 16,
	TB_ERR_NV_VERIFICATION_FAILED = 17,
	TB_ERR_PREV_TXT_ERROR = 18,
	TB_ERR_MAX
};

/* tboot's policy actions, policy.c tb_policy_action_t. */
enum vlp_action {
	VLP_ACT_CONTINUE,
	VLP_ACT_UNMEASURED, /* start the host without measuring */
	VLP_ACT_HALT,
};

/* What a policy of this type says about an error (policy.c g_policy_map, evaluate_error()); an unknown type or error halts. */
GL_MUST enum vlp_action vlp_action(uint8_t policy_type, enum tb_error error);

const char *tb_error_name(enum tb_error error);

#endif
