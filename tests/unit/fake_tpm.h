/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_FAKE_TPM_H
#define GL_TESTS_FAKE_TPM_H

#include "common/pcr.h"

/*
 * A software TPM 2.0 that knows the commands of a launch: GetCapability (PCRs, properties), PCR_Extend, PCR_Read, NV_ReadPublic,
 * NV_Read. It obeys localities as a PC Client TPM does, counts and records what it was asked, and fails when told to.
 * Responses: TPM 2.0 Library part 3; behaviour compared with swtpm.
 */

#define SOFT_NV_MAX 256
#define SOFT_TRACE_MAX 1024

#define SOFT_RC_FAILURE 0x101u
#define SOFT_RC_RETRY 0x922u

/* TPMA_NV */
#define SOFT_NV_AUTHREAD (1u << 18)
#define SOFT_NV_READLOCKED (1u << 28)
#define SOFT_NV_WRITTEN (1u << 29)

struct soft_nv {
	uint32_t index;
	uint32_t attributes;
	struct span content;
	bool password; /* a password is needed */
};

struct soft_command {
	uint32_t code;
	uint8_t locality;
	unsigned pcr; /* of an extend */
};

struct soft_tpm {
	alg_set banks;       /* active */
	uint16_t other_bank; /* TPM_ALG_ID of an active bank that geolaunch does not know; 0 none */
	struct pcrs pcrs;
	uint16_t nv_buffer_max;
	struct soft_nv nv[SOFT_NV_MAX];
	size_t nv_count;
	/* Commands fail_at..fail_at + fail_count - 1 (counted from 1) are answered with fail_rc; 0 none. */
	unsigned fail_at, fail_count;
	uint32_t fail_rc;
	bool fail_late; /* the command is executed, only its answer is fail_rc */
	/* what happened */
	unsigned commands;
	struct soft_command trace[SOFT_TRACE_MAX];
};

enum { SOFT_GET_CAPABILITY = 0x17a, SOFT_PCR_EXTEND = 0x182, SOFT_PCR_READ = 0x17e, SOFT_NV_READ_PUBLIC = 0x169, SOFT_NV_READ = 0x14e };

/* Started, dynamic PCRs all ones, no NV index. */
void soft_tpm_init(struct soft_tpm *t, alg_set banks);

struct soft_nv *soft_tpm_define(struct soft_tpm *t, uint32_t index, struct span content);

/* Executes a command at a locality (ctx is the soft_tpm); gives the size of the response. */
size_t soft_tpm_execute(void *ctx, uint8_t locality, struct span command, struct mspan out);

#endif
