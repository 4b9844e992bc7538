/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LD_PRELOAD for tests of `geolaunch install` and of all that is written to disk: counts every call that changes something below some directories, can end the process at
 * one of them or make it fail, and stands in for what a test machine has not: a FAT file system, a mount, a partition, firmware variables.
 *
 *   GL_SHIM_ROOTS   directories, ':' between them; calls elsewhere do not count
 *   GL_SHIM_VARS    the directory (also a root) that stands for efivarfs: a write replaces the whole variable
 *   GL_SHIM_LOG     file to which each call is added as a line: "number what path"
 *   GL_SHIM_AT      the number of the call, from 1, at which ...
 *   GL_SHIM_HOW     ... kill: the process ends before it; torn: after half of what is written; eio: it fails; full: from here on
 *                   nothing can be made or written; readonly: from here on nothing can be changed; term: SIGTERM comes, and it is made
 *   GL_SHIM_FAT     set: everything is on FAT, directories of ESPs are tops of mounts, and there is a partition
 *   GL_SHIM_FREE    bytes that are free
 *   GL_SHIM_CHANGE  a file whose first byte changes when all of it was read by pread()
 *   GL_SHIM_TYPES   unknown: folders tell the names only
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t efi_generate_file_device_path(uint8_t *buf, ssize_t size, const char *path, uint32_t options, ...);

static unsigned calls;

static bool below(const char *path, const char *roots)
{
	while (roots && *roots) {
		size_t n = strcspn(roots, ":");

		if (n > 0 && !strncmp(path, roots, n) && (path[n] == '/' || !path[n]))
			return true;
		roots += n + (roots[n] == ':');
	}
	return false;
}

static void path_of(int fd, char out[PATH_MAX])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	out[n < 0 ? 0 : n] = 0;
}

static void path_at(int fd, const char *name, char out[PATH_MAX])
{
	char folder[PATH_MAX];

	if (*name == '/') {
		(void)snprintf(out, PATH_MAX, "%s", name);
		return;
	}
	if (fd == AT_FDCWD)
		(void)!getcwd(folder, sizeof(folder));
	else
		path_of(fd, folder);
	(void)snprintf(out, PATH_MAX, "%.2000s/%.2000s", folder, name);
}

static void log_call(const char *what, const char *path)
{
	const char *log = getenv("GL_SHIM_LOG");
	char line[PATH_MAX + 64];
	int fd, n;

	if (!log)
		return;
	fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	n = snprintf(line, sizeof(line), "%u %s %s\n", calls, what, path);
	(void)!REAL(write)(fd, line, (size_t)n);
	(void)close(fd);
}

enum verdict { GO_ON, FAIL, TEAR };

/* Called before the call is made. `makes`: it needs space. */
static enum verdict change(const char *what, const char *path, bool makes)
{
	const char *at = getenv("GL_SHIM_AT"), *how = getenv("GL_SHIM_HOW");
	unsigned n = at ? (unsigned)atoi(at) : 0;

	if (!below(path, getenv("GL_SHIM_ROOTS")))
		return GO_ON;
	calls++;
	log_call(what, path);
	if (n == 0 || !how || calls < n)
		return GO_ON;
	if (calls == n && !strcmp(how, "kill"))
		_exit(137);
	if (calls == n && !strcmp(how, "torn")) {
		if (strcmp(what, "write") != 0 || below(path, getenv("GL_SHIM_VARS")))
			_exit(137);
		return TEAR;
	}
	if (calls == n && !strcmp(how, "term"))
		(void)raise(SIGTERM);
	errno = EIO;
	if (calls == n && !strcmp(how, "eio"))
		return FAIL;
	errno = ENOSPC;
	if (makes && !strcmp(how, "full"))
		return FAIL;
	errno = EROFS;
	return !strcmp(how, "readonly") ? FAIL : GO_ON;
}

/* ---- calls that change something ---- */

static mode_t mode_of(int flags, va_list args)
{
	return flags & O_CREAT ? (mode_t)va_arg(args, int) : 0;
}

static int shim_openat(int (*real)(int, const char *, int, ...), int fd, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];

	path_at(fd, name, path);
	if (flags & O_CREAT && change("create", path, true) != GO_ON)
		return -1;
	return real(fd, name, flags, mode);
}

int openat(int fd, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return shim_openat(REAL(openat), fd, name, flags, mode);
}

/* Files are opened as large ones in any case. */
int openat64(int fd, const char *name, int flags, ...) __attribute__((alias("openat")));

int open(const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return shim_openat(REAL(openat), AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...) __attribute__((alias("open")));

ssize_t write(int fd, const void *p, size_t n)
{
	char path[PATH_MAX];
	enum verdict v;
	ssize_t done;

	path_of(fd, path);
	v = change("write", path, true);
	if (v == FAIL)
		return -1;
	done = REAL(write)(fd, p, v == TEAR ? n / 2 : n);
	if (v == TEAR)
		_exit(137);
	if (done >= 0 && below(path, getenv("GL_SHIM_VARS")))
		(void)!ftruncate(fd, done);
	return done;
}

int fsync(int fd)
{
	char path[PATH_MAX];

	path_of(fd, path);
	if (change("sync", path, false) != GO_ON)
		return -1;
	/* Takes its time, and who looks at the files here sees no difference. */
	return below(path, getenv("GL_SHIM_ROOTS")) ? 0 : REAL(fsync)(fd);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	char path[PATH_MAX];

	path_at(to_fd, to, path);
	return change("rename", path, false) == GO_ON ? REAL(renameat)(from_fd, from, to_fd, to) : -1;
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	char path[PATH_MAX];

	path_at(to_fd, to, path);
	return change(flags & RENAME_EXCHANGE ? "exchange" : "rename", path, false) == GO_ON
	               ? REAL(renameat2)(from_fd, from, to_fd, to, flags)
	               : -1;
}

int unlinkat(int fd, const char *name, int flags)
{
	char path[PATH_MAX];
	struct stat st;

	path_at(fd, name, path);
	/* What is not there is not changed. */
	if (lstat(path, &st) == 0 && change(flags & AT_REMOVEDIR ? "rmdir" : "unlink", path, false) != GO_ON)
		return -1;
	return REAL(unlinkat)(fd, name, flags);
}

int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int remove(const char *name)
{
	struct stat st;

	return unlinkat(AT_FDCWD, name, lstat(name, &st) == 0 && S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
}

int mkostemp(char *name, int flags)
{
	char path[PATH_MAX];

	path_at(AT_FDCWD, name, path);
	return change("create", path, true) == GO_ON ? REAL(mkostemp)(name, flags) : -1;
}

int mkdirat(int fd, const char *name, mode_t mode)
{
	char path[PATH_MAX];

	path_at(fd, name, path);
	return change("mkdir", path, true) == GO_ON ? REAL(mkdirat)(fd, name, mode) : -1;
}

int mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}

/* ---- what the test machine has not ---- */

int fstatfs(int fd, struct statfs *out)
{
	int rc = REAL(fstatfs)(fd, out);

	if (rc == 0 && getenv("GL_SHIM_FAT"))
		out->f_type = MSDOS_SUPER_MAGIC;
	return rc;
}

int fstatat(int fd, const char *name, struct stat *out, int flags)
{
	int rc = REAL(fstatat)(fd, name, out, flags);

	if (rc == 0 && getenv("GL_SHIM_FAT") && !strcmp(name, ".."))
		out->st_dev++;
	return rc;
}

int fstatvfs(int fd, struct statvfs *out)
{
	int rc = REAL(fstatvfs)(fd, out);

	if (rc == 0 && getenv("GL_SHIM_FREE")) {
		out->f_frsize = out->f_bsize = 4096;
		out->f_bavail = strtoull(getenv("GL_SHIM_FREE"), NULL, 10) / 4096;
	}
	return rc;
}

/* A partition (UEFI 2.10, 10.3.5.1): number 1, 2048 sectors from 2048 on, GUID of bytes 0x47. Then a file, and the end. */
ssize_t efi_generate_file_device_path(uint8_t *buf, ssize_t size, const char *path, uint32_t options, ...)
{
	uint8_t out[42 + 8 + 4] = { 4, 1, 42, 0, 1, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0 };

	(void)options;
	if (!getenv("GL_SHIM_FAT") || *path != '/' || access(path, F_OK) != 0 || size < (ssize_t)sizeof(out)) {
		errno = ENODEV;
		return -1;
	}
	memset(out + 24, 0x47, 16);
	out[40] = out[41] = 2;
	memcpy(out + 42, "\x04\x04\x08\x00.\0\0", 8);
	memcpy(out + 50, "\x7f\xff\x04\x00", 4);
	memcpy(buf, out, sizeof(out));
	return sizeof(out);
}

struct dirent *readdir(DIR *d)
{
	struct dirent *e = REAL(readdir)(d);

	if (e && getenv("GL_SHIM_TYPES"))
		e->d_type = DT_UNKNOWN;
	return e;
}

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
	const char *change = getenv("GL_SHIM_CHANGE");
	ssize_t got = REAL(pread)(fd, buf, n, at);
	struct stat a, b;
	uint8_t byte;

	if (!change || stat(change, &a) != 0 || fstat(fd, &b) != 0 || a.st_ino != b.st_ino || got != a.st_size)
		return got;
	fd = open(change, O_RDWR | O_CLOEXEC);
	if (fd < 0 || REAL(pread)(fd, &byte, 1, 0) != 1)
		abort();
	byte ^= 1;
	if (pwrite(fd, &byte, 1, 0) != 1)
		abort();
	close(fd);
	return got;
}
