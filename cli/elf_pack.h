/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_ELF_PACK_H
#define GL_CLI_ELF_PACK_H

#include "common/span.h"

/*
 * An ELF image without the long runs of zeros in its segments: tboot 1.10.5 has 28 MiB of them among 29, which a loader would read and copy. A
 * segment is cut there into several, each with more memory than bytes, so the image in memory is the same, byte for byte, and so is what
 * SINIT measures of it. Only what a loader looks at is kept: the header, and program headers of the type PT_LOAD. A
 * multiboot2 header keeps its place in the file, which is the first thing that counts for its loader.
 */

/* Runs shorter than this stay. */
#define ELF_PACK_RUN 65536u

/*
 * True if it was worth it: `*out`, with `*n` bytes, then is the caller's to free(). False and nothing if `file` is no ELF image that can be
 * loaded, if there is nothing to leave out, or if memory is short: the file as it is will do.
 */
GL_MUST bool elf_pack(struct span file, uint8_t **out, size_t *n);

#endif
