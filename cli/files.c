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

/* The directory entry must be on disk, too. A file system that cannot sync directories is none of our business. */
bool sync_folder_of(const char *path)
{
	CLEANUP_FREE char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	CLEANUP_FD int fd = -1;

	if (!folder)
		return false;
	if (slash == folder)
		slash[1] = 0;
	else if (slash)
		*slash = 0;
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
}

/* Removes the temporary file unless it was renamed (then the name is empty). */
static void remove_tmp(char **tmp)
{
	if (*tmp && **tmp)
		(void)unlink(*tmp);
	free(*tmp);
}

bool write_file_atomic(const char *path, struct span bytes, struct cli_fault *fault)
{
	CLEANUP(remove_tmp) char *tmp = NULL;
	CLEANUP_FD int fd = -1;
	mode_t mask;

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
	/* mkostemp() makes it 0600; what is written here is no secret. */
	mask = umask(0);
	(void)umask(mask);
	if (fchmod(fd, 0666 & ~mask) != 0 || !write_all(fd, bytes) || fsync(fd) != 0 || rename(tmp, path) != 0)
		return cli_fail(fault, CLI_IO, "cannot write: %s: %s", path, strerror(errno));
	*tmp = 0;
	if (!sync_folder_of(path))
		return cli_fail(fault, CLI_IO, "cannot sync the folder of: %s: %s", path, strerror(errno));
	return true;
}

bool cli_flush(struct cli_fault *fault)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return cli_fail(fault, CLI_IO, "cannot write: standard output: %s", strerror(errno));
	return true;
}
