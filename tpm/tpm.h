/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TPM_TPM_H
#define GL_TPM_TPM_H

#include <tss2/tss2_sys.h>

#include "common/alg.h"
#include "common/pcr.h"
#include "common/text.h"

/*
 * The few TPM 2.0 operations that a launch needs, over tpm2-tss SYS and any TCTI. No allocation, no C library: builds for the host,
 * for EFI and freestanding. Results are TSS2_RCs: TPM response codes (layer 0) or those of SYS and TCTI; 0 is success.
 */

/* Room for a SYS context; Tss2_Sys_GetContextSize(0) is 4176 bytes in tpm2-tss 4.1.3. */
#define TPM_SYS_CONTEXT_MAX 8192

struct tpm {
	TSS2_SYS_CONTEXT *sys;                    /* inside `room` */
	alg_set banks;                            /* active banks of known algorithms: all of PCR 17-22 are selected */
	bool unknown_banks;                       /* there are banks of other algorithms, or with some of 17-22 only */
	uint16_t nv_buffer_max;                   /* TPM_PT_NV_BUFFER_MAX: largest piece of one NV_Read */
	void (*delay_ms)(void *ctx, unsigned ms); /* between retries; may be NULL */
	void *delay_ctx;
	_Alignas(16) uint8_t room[TPM_SYS_CONTEXT_MAX];
};

/*
 * Prepares `t` over a TCTI (which stays the caller's and must outlive it) and asks for banks and NV buffer size.
 * `t->delay_ms` must be set (or NULL) before. TPM2_RC_BAD_TAG: a TPM 1.2 answered.
 */
GL_MUST TSS2_RC tpm_init(struct tpm *t, TSS2_TCTI_CONTEXT *tcti);

/* Ends the SYS context; not the TCTI. Safe on a zeroed structure. */
void tpm_done(struct tpm *t);

/*
 * TPM2_PCR_Extend with the digests of all t->banks in one command; TSS2_SYS_RC_BAD_VALUE if `d` has none for one of them (others are
 * left out). RC_RETRY, RC_YIELDED, RC_TESTING and NV_RATE are retried with a bound, here and in all that follows.
 */
GL_MUST TSS2_RC tpm_extend(struct tpm *t, unsigned pcr, const struct digests *d);

/*
 * Values of PCR `first`..`last` in all of t->banks; the others in `out` become unknown. As many TPM2_PCR_Read as it takes; all
 * over again if PCRs changed meanwhile, and TSS2_TCTI_RC_TRY_AGAIN if they never stand still. After a failure nothing in `out` is known.
 */
GL_MUST TSS2_RC tpm_read_pcrs(struct tpm *t, unsigned first, unsigned last, struct pcrs *out);

/* Public area of an NV index. */
struct tpm_nv_public {
	uint32_t attributes; /* TPMA_NV */
	uint16_t size;       /* of the content in bytes */
	uint16_t name_alg;
	uint16_t policy_size;
	uint8_t policy[DIGEST_MAX];
};

GL_MUST TSS2_RC tpm_nv_public(struct tpm *t, uint32_t index, struct tpm_nv_public *out);

/*
 * Reads `size` bytes from the beginning, with `auth` = the index itself and an empty password, in pieces the TPM allows. After a
 * failure `buf` is all zero.
 */
GL_MUST TSS2_RC tpm_nv_read(struct tpm *t, uint32_t index, uint8_t *buf, size_t size);

/* A result in words: "TPM_RC_LOCALITY (0x907)" or, for transport errors, "TCTI: I/O error (0xa000a)". */
void tpm_rc_text(TSS2_RC rc, struct text *t);

/* A line about a call that failed: "geolaunch: the TPM refused to extend a PCR: TPM_RC_LOCALITY (0x907)". */
void tpm_rc_line(const char *program, const char *what, TSS2_RC rc, struct text *t);

/* The TPM's own code without handle, session and parameter numbers (0x18B -> TPM2_RC_HANDLE); transport errors as they are. */
TSS2_RC tpm_rc_base(TSS2_RC rc);

#endif
