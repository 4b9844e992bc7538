/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TPM_TPM_RUN_H
#define GL_TPM_TPM_RUN_H

#include "tpm/tpm.h"

/* What tpm.c shares with other code that sends commands of its own over a struct tpm; not for users of tpm.h. */

/*
 * Runs one command with its SYS call in `op`. RC_RETRY, RC_YIELDED, RC_TESTING and NV_RATE are tried again, a bounded number of
 * times. After an error that is not the TPM's answer, the TCTI is told to drop the exchange and SYS starts afresh, so that the next
 * command can work. TPM2_RC_BAD_TAG: a TPM 1.2 answered.
 */
GL_MUST TSS2_RC tpm_run(struct tpm *t, TSS2_RC (*op)(TSS2_SYS_CONTEXT *sys, void *args), void *args);

/* True if the parameters of the response that SYS just took apart are `n` bytes: it reads on past their end without saying so. */
GL_MUST bool tpm_parameters_are(TSS2_SYS_CONTEXT *sys, size_t n);

/* True if the answer to a command with one password session ends as it must. */
GL_MUST bool tpm_password_answered(const TSS2L_SYS_AUTH_RESPONSE *r);

/* The PCRs that a selection names, a bit each. False if it is longer than selections get. */
GL_MUST bool tpm_selection_mask(const TPMS_PCR_SELECTION *s, uint32_t *out);

/* Bytes of a TPML_PCR_SELECTION on the wire; 0 if it cannot be one. */
size_t tpm_selections_size(const TPML_PCR_SELECTION *l);

/* One password session. A password that is too long for any TPM (over 64 bytes) becomes the empty one. */
void tpm_password(TSS2L_SYS_AUTH_COMMAND *out, struct span password);

/* tpm_nv_read() with the authority given: `auth` is the index, TPM2_RH_OWNER or TPM2_RH_PLATFORM. */
GL_MUST TSS2_RC tpm_nv_read_as(struct tpm *t, TPMI_RH_NV_AUTH auth, struct span password, uint32_t index, struct mspan out);

/* Wipes all that is left of commands and responses in the SYS context. */
void tpm_scrub(struct tpm *t);

/* memset() that the compiler cannot leave out. */
static inline void tpm_wipe(void *p, size_t n)
{
	volatile uint8_t *b = p;

	while (n-- > 0)
		*b++ = 0;
}

#endif
