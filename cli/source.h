/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_SOURCE_H
#define GL_CLI_SOURCE_H

#include "cli/interrupt.h"
#include "cli/manifest.h"

/* A file that goes into a build: opened and checked before anything is written, then read once. */
struct source {
	char *path; /* as opened */
	int fd;
	uint64_t size;
};

#define SOURCE_NONE ((struct source){ .fd = -1 })

/* Opens a regular, non-empty file that fits a FAT file system. `file` is relative to the manifest; faults name its line. */
GL_MUST bool source_open(const struct manifest *m, const struct yaml_text *file, struct source *out, struct cli_fault *fault);

/* The same for a file that no manifest names; `advice` says what to do if it is not there. */
GL_MUST bool source_open_plain(const char *path, const char *advice, struct source *out, struct cli_fault *fault);

void source_close(struct source *s);

/* What kind of program a file begins with, looking at its headers loosely: the loader of the target looks again. */
enum source_kind {
	SOURCE_OTHER,
	SOURCE_PE,    /* MZ and PE headers for x86-64 */
	SOURCE_LINUX, /* the same, and a Linux setup header (Documentation/arch/x86/boot.rst, "HdrS" at 0x202) */
	SOURCE_GZIP,
	SOURCE_ELF,
};

enum source_kind source_kind(const struct source *s);

/*
 * Reads the file once, from its beginning to its end: hashes it for `algs` and writes it to the `out_count` descriptors of `out`.
 * Shows progress on stderr if that is a terminal and it takes over a second. Fails if the file changes meanwhile, or on a signal.
 */
GL_MUST bool source_copy(const struct source *s, const int *out, size_t out_count, alg_set algs, struct digests *digests,
	const struct interrupt *stop, struct cli_fault *fault);

#endif
