/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_BUILDTREE_IMPL_H
#define GL_CLI_BUILDTREE_IMPL_H

#include "cli/buildtree.h"
#include "tboot-policy/vlp.h"

/* Between the parts of buildtree: one look at a build. */
struct build_check {
	struct build_tree *out;
	const char *path;
	const struct interrupt *stop;
	struct cli_fault *fault;
	struct digests images[SLOT_LIST_MAX_FILES]; /* as out->list.files, for every bank of expected.json and SHA-256 */
	struct description description;
	struct vlp policy;
	uint8_t description_text[DESCRIPTION_MAX_SIZE];
	uint8_t policy_bytes[VLP_MAX_SIZE];
	size_t policy_size;
	size_t matched; /* modules found in expected.json */
};

/* The fault of a file in esp/EFI/geolaunch. */
GL_MUST bool build_check_wrong(struct build_check *c, const char *file, const char *what);

/* Its place in the list; false if it is not there. */
GL_MUST bool build_check_find(const struct build_check *c, struct span name, size_t *out);

/* The bytes that were hashed, not what may be there by now. */
GL_MUST bool build_check_read(struct build_check *c, struct span name, struct mspan buf, size_t *n);

/* Whether an event of expected.json, or an alternative of it, carries these digests, in every bank that it has. */
GL_MUST bool build_check_expects(const struct expected *e, const struct digests *d);

/* A module that is measured by the rule for modules. */
GL_MUST bool build_check_module(struct build_check *c, const struct description_module *m);

/* What SINIT measures of a launch in txt mode: tboot, SINIT itself, launch control policy. */
GL_MUST bool build_check_txt(struct build_check *c);

#endif
