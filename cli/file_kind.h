/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_FILE_KIND_H
#define GL_CLI_FILE_KIND_H

#include "cli/cli.h"

/* What a file is that was named where another one belongs. */
enum file_kind {
	FILE_UNKNOWN,
	FILE_LCP_POLICY,
	FILE_LCP_LIST,
	FILE_LCP_ELEMENT,
	FILE_LCP_DATA,
	FILE_VLP,
	FILE_ACM,
	FILE_ELF,
	FILE_PE,
	FILE_GZIP,
	FILE_KIND_COUNT
};

/* By magic numbers, or by being sound: no bytes are two of these. */
enum file_kind file_kind(struct span bytes);

/* "a policy list"; NULL for FILE_UNKNOWN. */
const char *file_kind_name(enum file_kind kind);

/* Fault CLI_INPUT: path, what is wrong with it, and if it is a file of another kind, which, and which one is wanted. Returns false. */
bool file_kind_refuse(struct cli_fault *fault, const char *path, struct span bytes, enum file_kind wanted, const char *wrong);

#endif
