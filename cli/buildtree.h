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

/* Where a directory is with regard to builds. */
enum build_tree_place {
	BUILD_TREE_APART,
	BUILD_TREE_TOP,    /* a build, or the output for a fleet */
	BUILD_TREE_INSIDE, /* ... below one, esp/ say, however the path is spelled */
};

/* What is mounted in a build is apart from it. `build`, or NULL: one that esp/ of may be bound to another place. */
GL_MUST enum build_tree_place build_tree_place(const char *path, const char *build);

/* The directory itself. */
GL_MUST bool build_tree_top(const char *path, struct esp_folder *out, struct cli_fault *fault);

/* The size of the file with this name in the list. */
uint64_t build_tree_size(const struct build_tree *b, size_t i);

void build_tree_close(struct build_tree *b);

#endif
