/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_LAUNCH_FILE_H
#define GL_EFI_CORE_LAUNCH_FILE_H

#include "efi/core/launch.h"

/* How both launch modes read their files; only for efi/core. */

/* Opens a file of the launch folder and looks at its size: `io` says how that went, LAUNCH_IO_ERROR also if it is empty or too large.
 * Here and below a line says what is wrong, but for a file that is not there. */
struct launch_file launch_open_file(struct launch *l, struct span name);

void launch_close_file(struct launch *l, struct launch_file *f);

/*
 * Reads the whole file into its place, each piece hashed while it is at hand, and closes it. `out` may be NULL. Whatever is still to
 * come of a file that failed is in f->io.
 */
enum launch_io launch_read_file(struct launch *l, struct launch_file *f, struct span name, alg_set algs, struct digests *out);

/* A small file as a whole, into memory of its own. `*out` on success only. */
GL_MUST enum launch_io launch_read_small(struct launch *l, struct span name, size_t max, struct span *out);

#endif
