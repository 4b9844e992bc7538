/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_TREE_H
#define GL_CLI_TREE_H

#include "cli/cli.h"

/*
 * A directory that appears complete or not at all: made beside its final place, brought to disk, then renamed. With `force` it takes
 * the place of an existing one in one step (renameat2() with RENAME_EXCHANGE), which is then removed.
 */
enum tree_kind { TREE_BUILD, TREE_FLEET };

struct tree {
	char *target;
	char *tmp;    /* NULL if there is nothing to remove */
	int fd;       /* of tmp */
	bool replace; /* something of ours is at the target */
};

#define TREE_NONE ((struct tree){ .fd = -1 })

/*
 * Looks at the target and changes nothing. An existing one is refused; with `force` it may be an empty directory, or an earlier output of
 * this kind with nothing added at any depth, so that a slip of the hand removes nobody's home.
 */
GL_MUST bool tree_check(struct tree *t, const char *target, bool force, enum tree_kind kind, struct cli_fault *fault);

/* tree_made.c: the last of it, for tree_check(). */
GL_MUST bool tree_check_made(const struct tree *t, enum tree_kind kind, struct cli_fault *fault);

/* Makes the temporary directory. */
GL_MUST bool tree_begin(struct tree *t, struct cli_fault *fault);

/* Names are relative to the directory; those above them must have been made. */
GL_MUST bool tree_mkdir(struct tree *t, const char *name, struct cli_fault *fault);
/* A new file, opened for writing; -1 after a fault. */
GL_MUST int tree_create(struct tree *t, const char *name, struct cli_fault *fault);
/* Brings the file to disk and closes it; `*fd` becomes -1. */
GL_MUST bool tree_close(struct tree *t, const char *name, int *fd, struct cli_fault *fault);
GL_MUST bool tree_write(struct tree *t, const char *name, struct span bytes, struct cli_fault *fault);

/* Puts the directory in place. After success a leftover of the old one is only warned about through `*leftover` (a path, or NULL). */
#define TREE_LEFTOVER "the replaced directory could not be removed: %s: remove it yourself"
GL_MUST bool tree_commit(struct tree *t, char **leftover, struct cli_fault *fault);

/* Removes what was not put in place and frees all; also after tree_commit(). */
void tree_end(struct tree *t);

#endif
