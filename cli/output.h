/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_OUTPUT_H
#define GL_CLI_OUTPUT_H

#include "cli/cli.h"

/* The file that a command makes: a path, or "-" for standard output. What it holds is binary. */

/*
 * Before any work: a file that exists is refused unless it may be replaced, and so is a terminal. What is no regular file, a device say, is
 * refused in any case. Fault CLI_USAGE. Who changes a file that is named as input asks with `force`.
 */
GL_MUST bool output_check(const char *path, bool force, struct cli_fault *fault);

/* The same of a file that is written beside a report: "-" is no standard output, which the report goes to, but a name as any. */
GL_MUST bool output_check_file(const char *path, bool force, struct cli_fault *fault);

/* Makes or replaces the file at once, or writes to standard output. */
GL_MUST bool output_write(const char *path, struct span bytes, struct cli_fault *fault);

#endif
