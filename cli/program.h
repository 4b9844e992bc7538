/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PROGRAM_H
#define GL_CLI_PROGRAM_H

#include "cli/cli.h"
#include "cli/interrupt.h"

#define PROGRAM_OUTPUT_MAX 4096

/* How another program ended. */
struct program_end {
	int code;                            /* its exit status; -1 if a signal ended it */
	char output[PROGRAM_OUTPUT_MAX + 1]; /* what it wrote to standard output and standard error, from the beginning */
};

/*
 * Runs a program that is found by PATH, without a shell, and waits for its end; a signal that is held back ends it. Standard input is empty.
 * `package` is what to install if it is not there. False, with a fault, if it could not be run or was interrupted; not if it failed.
 */
GL_MUST bool program_run(
	const char *const *argv, const char *package, const struct interrupt *stop, struct program_end *out, struct cli_fault *fault);

#endif
