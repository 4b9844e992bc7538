/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_BUILDTREE_H
#define GL_CLI_BUILDTREE_H

#include "cli/esp.h"
#include "cli/expected.h"
#include "cli/slot_list.h"

/*
 * A directory that `geolaunch build` made, looked at by those who copy it: every file of esp/EFI/geolaunch is open and hashed, and what
 * expected.json expects to be measured is what these files would make the launch measure.
 */
struct build_tree {
	struct expected expected;
	struct slot_list list;
	struct source sources[SLOT_LIST_MAX_FILES]; /* of list.files[i]; read to their ends */
	uint8_t text[SLOT_LIST_MAX_SIZE];           /* of the list */
	size_t text_size;
	char slot[SLOT_NAME_SIZE + 1];
};

/*
 * Reads each file once. Refuses, with a line that says what to do, a directory in which something is missing, is there that no build
 * makes, or does not agree with expected.json. `out` must be zeroed and is to be closed in any case; it is too large for a stack.
 */
GL_MUST bool build_tree_open(const char *path, const struct interrupt *stop, struct build_tree *out, struct cli_fault *fault);

/* Whether a directory looks like one. */
GL_MUST bool build_tree_is(const char *path);

/* The directory itself. */
GL_MUST bool build_tree_top(const char *path, struct esp_folder *out, struct cli_fault *fault);

/* The size of the file with this name in the list. */
uint64_t build_tree_size(const struct build_tree *b, size_t i);

void build_tree_close(struct build_tree *b);

#endif
