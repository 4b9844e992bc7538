/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PROVISION_TPM_H
#define GL_CLI_PROVISION_TPM_H

#include "cli/host_tpm.h"
#include "cli/provision.h"
#include "tpm/host/nv_admin.h"

/* The part of provisioning that talks to a TPM. */

/* Reads the public area and, where it is as wanted, the content, as tboot reads it. Nothing is changed, no lockout counter either. */
GL_MUST bool provision_look(struct host_tpm *h, const struct provision_index *wanted, struct provision_found *out, struct cli_fault *fault);

/*
 * Carries out one action (not PROVISION_BLOCKED) and looks again: the index must then be as wanted. It may be interrupted after any
 * command; a new look then leads to the actions that are still missing.
 */
GL_MUST bool provision_do(struct host_tpm *h, const struct provision_index *wanted, enum provision_action action,
	const struct nv_auth *owner, struct cli_fault *fault);

#endif
