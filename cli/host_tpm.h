/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_HOST_TPM_H
#define GL_CLI_HOST_TPM_H

#include "cli/cli.h"
#include "tpm/tpm.h"

/* A TPM in use by a subcommand; zeroed when not open. */
struct host_tpm {
	TSS2_TCTI_CONTEXT *tcti;
	struct tpm tpm;
};

/* Opens the TPM that `conf` names (NULL: the kernel's device) and asks it for banks and sizes. Fault: CLI_TPM. */
GL_MUST bool host_tpm_open(struct host_tpm *h, const char *conf, struct cli_fault *fault);

/* Safe on a zeroed structure; fit for CLEANUP(). */
void host_tpm_close(struct host_tpm *h);

/* Whether the owner hierarchy has a password: without one, who reaches the TPM is its owner. */
enum host_owner {
	HOST_OWNER_UNKNOWN, /* nobody looked, or the TPM does not tell */
	HOST_OWNER_OPEN,    /* the empty password */
	HOST_OWNER_PASSWORD,
};

/* Asks for the TPM's permanent attributes (TPM 2.0 Library part 2, 8.6). */
GL_MUST enum host_owner host_tpm_owner(struct host_tpm *h);

/* Fault CLI_TPM: what was tried, the TPM's answer by name, and what to do where that is known. Returns false. */
bool host_tpm_fail(struct cli_fault *fault, const char *what, TSS2_RC rc);

#endif
