/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_LAUNCH_REPORT_H
#define GL_EFI_CORE_LAUNCH_REPORT_H

#include "efi/core/launch.h"

/* What a launch tells people, apart from what it does. */

/* Puts the launch's operations behind l->apply: times the TPM, prints a line per measurement. */
void report_bind(struct launch *l);

/* "geolaunch: launch.conf: <what>" and with the line number "geolaunch: launch.conf:12: <what>". */
void report_file(struct launch *l, struct span file, const char *what);
void report_file_line(struct launch *l, struct span file, size_t line, const char *what);

/* "geolaunch: linux: cannot be read (EFI_DEVICE_ERROR): <what to do>", after an operation for this file failed. */
void report_unreadable(struct launch *l, struct span file);

/* "geolaunch: linux: no memory for its 8.0 MiB" */
void report_no_memory(struct launch *l, struct span file, size_t size);

/*
 * Progress of a file, once it takes more than a second and then four times a second. `elapsed_us` since its start, `*shown` when it was
 * shown last. True if a line was painted.
 */
bool report_progress(struct launch *l, struct span file, size_t done, size_t size, uint64_t elapsed_us, const uint64_t *shown);

#endif
