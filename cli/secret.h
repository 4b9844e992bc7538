/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_SECRET_H
#define GL_CLI_SECRET_H

#include "cli/cli.h"
#include "tpm/host/nv_admin.h"

/*
 * Gets a password: the content of a file, or for "-" a line from the terminal with echo off (from standard input as it is, if that is no
 * terminal). One line end behind it is no part of it. No copy is left in memory but the one in `out`, which the caller wipes.
 */
GL_MUST bool secret_get(const char *source, const char *prompt, struct nv_auth *out, struct cli_fault *fault);

#endif
