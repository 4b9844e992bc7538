/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/fleet.h"

#define TRIES 100
#define OPEN_MAX_WALK 16

/* What rename() could put in place: a name of its own at the end, no slash behind it. */
static bool take_target(struct tree *t, const char *target, struct cli_fault *fault)
{
	const char *last;
	size_t n = strlen(target);

	while (n > 1 && target[n - 1] == '/')
		n--;
	t->target = strndup(target, n);
	if (!t->target)
		return cli_fail(fault, CLI_IO, "out of memory: %s", target);
	last = name_in_folder(t->target);
	if (!*last || !strcmp(last, ".") || !strcmp(last, ".."))
		return cli_fail(fault, CLI_USAGE, "this cannot be made: \"%s\": name a new directory", target);
	return true;
}

/* A new one needs a directory to be in. */
GL_MUST static bool check_parent(const struct tree *t, struct cli_fault *fault)
{
	int n = (int)(name_in_folder(t->target) - t->target);
	CLEANUP_FD int fd = open_folder_of(t->target);

	if (fd >= 0)
		return true;
	if (errno == ENOENT)
		return cli_fail(fault, CLI_IO, "cannot make: %s: %.*s: %s: make it first", t->target, n > 1 ? n - 1 : n, t->target,
			strerror(errno));
	return cli_fail(fault, CLI_IO, "cannot look into: %.*s: %s", n, t->target, strerror(errno));
}

bool tree_check(struct tree *t, const char *target, bool force, enum tree_kind kind, struct cli_fault *fault)
{
	struct stat st;

	if (!take_target(t, target, fault))
		return false;
	if (lstat(t->target, &st) != 0)
		return errno == ENOENT ? check_parent(t, fault)
		                       : cli_fail(fault, CLI_IO, "cannot look at: %s: %s", t->target, strerror(errno));
	/* It looks like a host's build, and the fleet is lost without it. */
	if (fleet_is_common(t->target))
		return cli_fail(fault, CLI_USAGE,
			"this is what the hosts of a fleet have in common: %s: --force does not replace it either: name another directory",
			t->target);
	if (!force)
		return cli_fail(fault, CLI_USAGE, "it exists already: %s: remove it, name another, or replace it with --force", t->target);
	if (!S_ISDIR(st.st_mode))
		return cli_fail(
			fault, CLI_USAGE, "it is no directory: %s: --force replaces earlier output only; remove it yourself", t->target);
	t->replace = true;
	return tree_check_made(t, kind, fault);
}

bool tree_begin(struct tree *t, struct cli_fault *fault)
{
	for (unsigned i = 0; i < TRIES; i++) {
		char *tmp = NULL;

		if (asprintf(&tmp, "%s.tmp-%d-%u", t->target, (int)getpid(), i) < 0)
			return cli_fail(fault, CLI_IO, "out of memory: %s", t->target);
		if (mkdir(tmp, 0777) == 0) {
			t->tmp = tmp;
			t->fd = open(tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			return t->fd >= 0 || cli_fail(fault, CLI_IO, "cannot open: %s: %s", tmp, strerror(errno));
		}
		free(tmp);
		if (errno != EEXIST)
			break;
	}
	return cli_fail(fault, CLI_IO, "cannot make a directory beside: %s: %s", t->target, strerror(errno));
}

bool tree_mkdir(struct tree *t, const char *name, struct cli_fault *fault)
{
	return mkdirat(t->fd, name, 0777) == 0 || cli_fail(fault, CLI_IO, "cannot make: %s/%s: %s", t->tmp, name, strerror(errno));
}

int tree_create(struct tree *t, const char *name, struct cli_fault *fault)
{
	int fd = openat(t->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		(void)cli_fail(fault, CLI_IO, "cannot make: %s/%s: %s", t->tmp, name, strerror(errno));
	return fd;
}

bool tree_close(struct tree *t, const char *name, int *fd, struct cli_fault *fault)
{
	bool ok = fsync(*fd) == 0;

	ok = close(*fd) == 0 && ok;
	*fd = -1;
	return ok || cli_fail(fault, CLI_IO, "cannot write: %s/%s: %s", t->tmp, name, strerror(errno));
}

bool tree_write(struct tree *t, const char *name, struct span bytes, struct cli_fault *fault)
{
	CLEANUP_FD int fd = tree_create(t, name, fault);

	if (fd < 0)
		return false;
	if (!write_all(fd, bytes))
		return cli_fail(fault, CLI_IO, "cannot write: %s/%s: %s", t->tmp, name, strerror(errno));
	return tree_close(t, name, &fd, fault);
}

static int sync_directory(const char *path, const struct stat *st, int type, struct FTW *where)
{
	CLEANUP_FD int fd = -1;

	(void)st;
	(void)where;
	if (type != FTW_DP)
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || !sync_folder(fd);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static bool remove_tree(const char *path)
{
	return nftw(path, remove_entry, OPEN_MAX_WALK, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0;
}

bool tree_commit(struct tree *t, char **leftover, struct cli_fault *fault)
{
	CLEANUP_FD int folder = open_folder_of(t->target);
	enum placed placed;

	*leftover = NULL;
	if (folder < 0 || nftw(t->tmp, sync_directory, OPEN_MAX_WALK, FTW_DEPTH | FTW_PHYS) != 0)
		return cli_fail(fault, CLI_IO, "cannot bring to disk: %s: %s", t->tmp, strerror(errno));
	placed = put_in_place(
		t->fd, folder, name_in_folder(t->tmp), name_in_folder(t->target), t->replace ? RENAME_EXCHANGE : RENAME_NOREPLACE);
	if (placed == PLACED_NOT)
		return cli_fail(fault, CLI_IO, "cannot put in place: %s: %s", t->target, strerror(errno));
	/* From here on it is there; after an exchange `tmp` is the old one, which goes only when the new one is on disk. */
	if (placed == PLACED_UNSURE)
		(void)!cli_fail(fault, CLI_IO, "it is in place, but cannot be brought to disk: %s: %s%s%s", t->target, strerror(errno),
			t->replace ? ": the one before is " : "", t->replace ? t->tmp : "");
	else if (t->replace && !remove_tree(t->tmp)) {
		*leftover = t->tmp;
		t->tmp = NULL;
	}
	free(t->tmp);
	t->tmp = NULL;
	return placed == PLACED;
}

void tree_end(struct tree *t)
{
	if (t->tmp)
		(void)remove_tree(t->tmp);
	cli_closep(&t->fd);
	free(t->tmp);
	free(t->target);
	*t = TREE_NONE;
}
