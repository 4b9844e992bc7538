/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/files.h"

#define FIRST_PIECE 65536

bool read_file(const char *path, size_t max, uint8_t **out, size_t *n, struct cli_fault *fault)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE uint8_t *buf = NULL;
	size_t have = 0, room = 0;

	if (fd < 0)
		return cli_fail(fault, CLI_IO, "cannot open: %s: %s", path, strerror(errno));
	for (;;) {
		ssize_t got;

		if (have == room) {
			uint8_t *more;

			/* `max` and one byte more, to see that there is more. The NUL behind the bytes is not counted. */
			if (room > max)
				return cli_fail(fault, CLI_INPUT, "file is larger than %zu bytes: %s: is this the right file?", max, path);
			room = room ? room * 2 : FIRST_PIECE;
			if (room > max)
				room = max + 1;
			more = realloc(buf, room + 1);
			if (!more)
				return cli_fail(fault, CLI_IO, "out of memory: %s", path);
			buf = more;
		}
		got = read(fd, buf + have, room - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cli_fail(fault, CLI_IO, "cannot read: %s: %s", path, strerror(errno));
		if (got == 0)
			break;
		have += (size_t)got;
	}
	if (have > max)
		return cli_fail(fault, CLI_INPUT, "file is larger than %zu bytes: %s: is this the right file?", max, path);
	buf[have] = 0;
	*out = buf;
	buf = NULL;
	*n = have;
	return true;
}

bool write_all(int fd, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t done = write(fd, bytes.p, bytes.n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		bytes.p += done;
		bytes.n -= (size_t)done;
	}
	return true;
}

bool check_folder(const char *path, const char *advice, struct cli_fault *fault)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 || cli_fail(fault, errno == ENOTDIR ? CLI_INPUT : CLI_IO, "cannot open: %s: %s: %s", path, strerror(errno), advice);
}

const char *name_in_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int open_folder_of(const char *path)
{
	size_t n = (size_t)(name_in_folder(path) - path);
	CLEANUP_FREE char *folder = n > 0 ? strndup(path, n) : strdup(".");

	return folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

bool sync_folder(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL;
}

/* A file system without flags (EINVAL) still has rename(), which does not replace a directory that holds something. */
static bool rename_in(int folder, const char *tmp, const char *name, unsigned flags)
{
	if (flags && renameat2(folder, tmp, folder, name, flags) == 0)
		return true;
	if (flags && (errno != EINVAL || flags != RENAME_NOREPLACE))
		return false;
	return renameat(folder, tmp, folder, name) == 0;
}

/*
 * On Linux's FAT what was renamed has size 0 on disk, a directory no content, until it is itself brought there once more: syncing the
 * folder writes the name only. What is replaced keeps its clusters as long as it is open, so that until then the old content is all there.
 */
enum placed put_in_place(int fd, int folder, const char *tmp, const char *name, unsigned flags)
{
	CLEANUP_FD int old = -1;

	if (!sync_folder(fd))
		return PLACED_NOT;
	old = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (!rename_in(folder, tmp, name, flags))
		return PLACED_NOT;
	return sync_folder(fd) && sync_folder(folder) ? PLACED : PLACED_UNSURE;
}

/* Removes the temporary file unless it was renamed (then the name is empty). */
static void remove_tmp(char **tmp)
{
	if (*tmp && **tmp)
		(void)unlink(*tmp);
	free(*tmp);
}

bool check_replaceable(const char *path, struct cli_fault *fault)
{
	struct stat st;

	/* Where a link leads: /dev/stdout is one. */
	return stat(path, &st) != 0 || S_ISREG(st.st_mode) ||
	       cli_fail(fault, CLI_USAGE, "this is no regular file, and is not replaced: %s: name another", path);
}

/* The modes of a file made anew. mkostemp() makes it 0600; what is written here is no secret. */
static mode_t new_mode(void)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	return 0666 & ~mask;
}

/* `like`: the owner and the modes that it gets; NULL: those of a file made anew. Only root can give a file away; others own what they make. */
GL_MUST static bool set_rights(int fd, const struct stat *like)
{
	if (like)
		(void)!fchown(fd, like->st_uid, like->st_gid);
	return fchmod(fd, like ? like->st_mode & 07777 : new_mode()) == 0;
}

GL_MUST static bool replace_file(const char *path, const struct stat *like, struct span bytes, struct cli_fault *fault)
{
	CLEANUP(remove_tmp) char *tmp = NULL;
	CLEANUP_FD int fd = -1, folder = -1;
	const char *name = name_in_folder(path);
	enum placed placed;

	folder = open_folder_of(path);
	if (folder < 0)
		return cli_fail(fault, CLI_IO, "cannot write: %s: %s", path, strerror(errno));
	if (asprintf(&tmp, "%s.XXXXXX", path) < 0) {
		tmp = NULL;
		return cli_fail(fault, CLI_IO, "out of memory: %s", path);
	}
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0) {
		int error = errno;

		*tmp = 0;
		return cli_fail(fault, CLI_IO, "cannot write: %s: %s", path, strerror(error));
	}
	if (!set_rights(fd, like) || !write_all(fd, bytes))
		return cli_fail(fault, CLI_IO, "cannot write: %s: %s", path, strerror(errno));
	placed = put_in_place(fd, folder, tmp + (name - path), name, 0);
	if (placed != PLACED_NOT)
		*tmp = 0;
	return placed == PLACED || cli_fail(fault, CLI_IO, "cannot write: %s: %s", path, strerror(errno));
}

bool write_file_atomic(const char *path, struct span bytes, struct cli_fault *fault)
{
	return check_replaceable(path, fault) && replace_file(path, NULL, bytes, fault);
}

bool change_file_atomic(const char *path, struct span bytes, struct cli_fault *fault)
{
	CLEANUP_FREE char *real = realpath(path, NULL);
	struct stat st;

	if (!real || stat(real, &st) != 0)
		return cli_fail(fault, CLI_IO, "cannot write: %s: %s", path, strerror(errno));
	return check_replaceable(path, fault) && replace_file(real, &st, bytes, fault);
}

bool cli_flush(struct cli_fault *fault)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return cli_fail(fault, CLI_IO, "cannot write: standard output: %s", strerror(errno));
	return true;
}
