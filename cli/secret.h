/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_SECRET_H
#define GL_CLI_SECRET_H

#include "cli/cli.h"
#include "tpm/host/nv_admin.h"

/* What OpenSSL takes for the passphrase of a PEM file: PEM_BUFSIZE. */
#define SECRET_MAX 1024

struct secret {
	size_t n;
	uint8_t bytes[SECRET_MAX];
};

/* Fit for CLEANUP(). */
void secret_wipe(struct secret *s);

/*
 * Gets a password of at most `max` bytes: the content of a file, or for "-" a line from the terminal with echo off (from standard input as
 * it is, if that is no terminal). One line end behind it, LF or CR LF, is no part of it. No copy is left in memory but the one in `out`,
 * which the caller wipes.
 */
GL_MUST bool secret_get(const char *source, const char *prompt, size_t max, struct secret *out, struct cli_fault *fault);

/* The same for a TPM, which takes 64 bytes. */
GL_MUST bool secret_auth(const char *source, const char *prompt, struct nv_auth *out, struct cli_fault *fault);

#endif
