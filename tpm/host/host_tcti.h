/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TPM_HOST_HOST_TCTI_H
#define GL_TPM_HOST_HOST_TCTI_H

#include <tss2/tss2_tcti.h>

#include "common/text.h"

/*
 * Opens the TPM of a host by a TCTI configuration as tpm2-tools take it: "device:/dev/tpm0", "swtpm:path=SOCKET", "mssim".
 * NULL means the kernel's device: /dev/tpmrm0, else /dev/tpm0. The TCTI is the caller's, who ends it with host_tcti_close().
 * On failure one line for the user, without a line end, is added to `error`: what was tried, why it failed, what to do.
 * The libraries' own messages are off unless the user has set TSS2_LOG.
 */
GL_MUST TSS2_RC host_tcti_open(const char *conf, TSS2_TCTI_CONTEXT **out, struct text *error);

/* Ends the TCTI and sets the pointer to NULL; fit for __attribute__((cleanup)). */
void host_tcti_close(TSS2_TCTI_CONTEXT **tcti);

/* For tpm.delay_ms; `ctx` is not used. */
void host_delay_ms(void *ctx, unsigned ms);

#endif
