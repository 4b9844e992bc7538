/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_TXT_LOAD_H
#define GL_EFI_CORE_TXT_LOAD_H

#include "efi/core/layout.h"
#include "efi/core/preflight.h"
#include "boot/tboot_image.h"

/*
 * Loads what a TXT launch is made of: tboot, and the modules that it gets, in its order: stage, numbered modules, SINIT, LCP data. Each file
 * is read once, into the memory where tboot will find it, and compared with the policy on the way. Nothing is extended: SENTER resets the
 * PCRs, and tboot measures the modules behind it.
 */
#define TXT_LOAD_MODULES (1 + DESCRIPTION_MAX_MODULES + 2)

enum txt_load_kind {
	TXT_LOAD_NUMBERED, /* measured by tboot: stage and the modules of the policy */
	TXT_LOAD_COPY,     /* SINIT, LCP data: read before, no matter of the policy */
};

struct txt_load_module {
	const struct description_module *module;
	enum txt_load_kind kind;
	struct span bytes;       /* TXT_LOAD_COPY: where they are now */
	struct launch_file file; /* its size; `place` is set by who lays out memory */
};

struct txt_load {
	struct launch *l;
	struct preflight_report *report;
	size_t count;
	struct txt_load_module modules[TXT_LOAD_MODULES];
	struct launch_file tboot_file;
	struct tboot_image tboot; /* after txt_load_read() */
};

/*
 * Opens all files and looks at their sizes; `t` must be zeroed but for `l` and `report`. Files that cannot be had become findings, and SINIT
 * or LCP data that are not what the description names.
 */
void txt_load_open(struct txt_load *t, struct span sinit, struct span lcp);

/* Closes what is still open. */
void txt_load_close(struct txt_load *t);

/*
 * Reads everything into its places and prints a line per module. What differs from the policy, or cannot be read, becomes a finding.
 */
void txt_load_read(struct txt_load *t);

/*
 * True if tboot will not measure the module itself: SINIT and LCP data, which it knows by their content and takes out of its list.
 */
static inline bool txt_load_is_copy(const struct txt_load_module *m)
{
	return m->kind == TXT_LOAD_COPY;
}

#endif
