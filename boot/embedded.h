/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_EMBEDDED_H
#define GL_BOOT_EMBEDDED_H

#include "boot/pecoff.h"

/*
 * Launch description and policy as sections of geolaunch.efi, so that one signature covers program and policy. The sections hold the exact
 * bytes of launch.conf and policy.vlp; there are both of them or neither.
 */
#define EMBEDDED_DESCRIPTION ".launch"
#define EMBEDDED_POLICY ".policy"

/* Empty: there are none. Spans lie in the image. */
struct embedded {
	struct span description, policy;
};

/* Finds them in geolaunch.efi. `out` on success only, which is also that there are none; everything else is a damaged image. */
GL_MUST enum pecoff_error embedded_find(struct span image, enum pecoff_view view, struct embedded *out);

/* What is in a file, against what lies beside it. */
enum embedded_match {
	EMBEDDED_NONE, /* nothing: what lies beside it counts. Also of what is no PE file, which does not start either */
	EMBEDDED_SAME,
	EMBEDDED_OTHER_DESCRIPTION,
	EMBEDDED_OTHER_POLICY,
	EMBEDDED_DAMAGED, /* it stops */
};

GL_MUST enum embedded_match embedded_compare(struct span file, const struct embedded *beside);

/* The file with both put in, see pecoff_append(). */
GL_MUST enum pecoff_error embedded_put(struct span file, const struct embedded *e, struct mspan out, size_t *n);

#endif
