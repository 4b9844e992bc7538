/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/esp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/slot_list.h"

GL_MUST static bool fail_at(struct cli_fault *fault, const char *what, const struct esp_folder *f, const char *name)
{
	if (errno == EROFS)
		return cli_fail(fault, CLI_IO,
			"the EFI system partition is mounted read-only: %s: remount it for writing (mount -o remount,rw)", f->path);
	return cli_fail(fault, CLI_IO, "cannot %s: %s/%s: %s", what, f->path, name, strerror(errno));
}

/* ---- folders ---- */

bool esp_open(const char *path, struct esp_folder *out, bool *fat, bool *top, struct cli_fault *fault)
{
	struct stat here, above;
	struct statfs fs;

	out->path = strdup(path);
	if (!out->path)
		return cli_fail(fault, CLI_IO, "out of memory: %s", path);
	out->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->fd < 0)
		return cli_fail(fault, errno == ENOTDIR ? CLI_USAGE : CLI_IO,
			"cannot open the EFI system partition: %s: %s: name the directory where it is mounted", path, strerror(errno));
	if (fstat(out->fd, &here) != 0 || fstatat(out->fd, "..", &above, 0) != 0 || fstatfs(out->fd, &fs) != 0)
		return cli_fail(fault, CLI_IO, "cannot look at: %s: %s", path, strerror(errno));
	*fat = fs.f_type == MSDOS_SUPER_MAGIC;
	/* The top of all is its own parent. */
	*top = here.st_dev != above.st_dev || here.st_ino == above.st_ino;
	if (flock(out->fd, LOCK_EX | LOCK_NB) != 0)
		return cli_fail(fault, CLI_IO,
			errno == EWOULDBLOCK ? "another 'geolaunch install' is at work: %s: wait for it%s" : "cannot lock: %s: %s", path,
			errno == EWOULDBLOCK ? "" : strerror(errno));
	return true;
}

static void close_dirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

GL_MUST static DIR *open_dir(const struct esp_folder *f, struct cli_fault *fault)
{
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		(void)cli_fail(fault, CLI_IO, "cannot look into: %s: %s", f->path, strerror(errno));
		cli_closep(&fd);
	}
	return d;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool esp_names(const struct esp_folder *f, char ***out, struct cli_fault *fault)
{
	CLEANUP(close_dirp) DIR *d = open_dir(f, fault);
	CLEANUP(esp_free_names) char **names = calloc(1, sizeof(*names));
	struct dirent *e;
	size_t n = 0;

	if (!d)
		return false;
	if (!names)
		return cli_fail(fault, CLI_IO, "out of memory: %s", f->path);
	while (errno = 0, (e = readdir(d))) {
		char **more;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		more = reallocarray(names, n + 2, sizeof(*names));
		if (!more)
			return cli_fail(fault, CLI_IO, "out of memory: %s", f->path);
		names = more;
		names[n + 1] = NULL;
		names[n] = strdup(e->d_name);
		if (!names[n++])
			return cli_fail(fault, CLI_IO, "out of memory: %s", f->path);
	}
	if (errno)
		return cli_fail(fault, CLI_IO, "cannot look into: %s: %s", f->path, strerror(errno));
	qsort(names, n, sizeof(*names), compare);
	*out = names;
	names = NULL;
	return true;
}

void esp_free_names(char ***names)
{
	for (size_t i = 0; *names && (*names)[i]; i++)
		free((*names)[i]);
	free(*names);
	*names = NULL;
}

/*
 * The name as it is spelled here: FAT finds it however it is spelled, other file systems do not. `*name` becomes `*own` if that is not
 * NULL afterwards.
 */
GL_MUST static bool spelling(const struct esp_folder *in, const char **name, char **own, struct cli_fault *fault)
{
	CLEANUP(esp_free_names) char **names = NULL;
	struct stat st;

	*own = NULL;
	if (fstatat(in->fd, *name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	if (!esp_names(in, &names, fault))
		return false;
	for (size_t i = 0; names[i] && !*own; i++)
		if (!strcasecmp(names[i], *name)) {
			*own = strdup(names[i]);
			if (!*own)
				return cli_fail(fault, CLI_IO, "out of memory: %s", in->path);
			*name = *own;
		}
	return true;
}

GL_MUST static bool make_folder(const struct esp_folder *in, const char *name, struct cli_fault *fault)
{
	if (mkdirat(in->fd, name, 0755) != 0)
		return fail_at(fault, "make", in, name);
	return esp_sync(in, fault);
}

bool esp_enter(const struct esp_folder *in, const char *name, bool make, struct esp_folder *out, struct cli_fault *fault)
{
	CLEANUP_FREE char *own = NULL;

	if (!spelling(in, &name, &own, fault))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		int fd = openat(in->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0) {
			out->fd = fd;
			if (asprintf(&out->path, "%s/%s", in->path, name) >= 0)
				return true;
			out->path = NULL;
			return cli_fail(fault, CLI_IO, "out of memory: %s", in->path);
		}
		if (errno != ENOENT)
			return fail_at(fault, "open as a folder", in, name);
		if (!make)
			return true;
		if (i == 0 && !make_folder(in, name, fault))
			return false;
	}
	return fail_at(fault, "open as a folder", in, name);
}

void esp_leave(struct esp_folder *f)
{
	cli_closep(&f->fd);
	free(f->path);
	*f = ESP_NO_FOLDER;
}

bool esp_sync(const struct esp_folder *f, struct cli_fault *fault)
{
	return sync_folder(f->fd) || cli_fail(fault, CLI_IO, "cannot bring to disk: %s: %s", f->path, strerror(errno));
}

bool esp_space(const struct esp_folder *f, uint64_t *left, uint64_t *piece, struct cli_fault *fault)
{
	struct statvfs v;

	if (fstatvfs(f->fd, &v) != 0)
		return cli_fail(fault, CLI_IO, "cannot ask for the space left: %s: %s", f->path, strerror(errno));
	*piece = v.f_frsize ? v.f_frsize : 512;
	if (__builtin_mul_overflow((uint64_t)v.f_bavail, *piece, left))
		*left = UINT64_MAX;
	return true;
}

/* ---- files ---- */

bool esp_source(const struct esp_folder *f, const char *name, struct source *out, struct cli_fault *fault)
{
	CLEANUP_FREE char *own = NULL;
	CLEANUP_FD int fd = -1;
	struct stat st;

	if (!spelling(f, &name, &own, fault))
		return false;
	fd = openat(f->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || fail_at(fault, "open", f, name);
	if (fstat(fd, &st) != 0)
		return fail_at(fault, "look at", f, name);
	if (!S_ISREG(st.st_mode))
		return cli_fail(fault, CLI_INPUT, "not a regular file: %s/%s: remove it yourself", f->path, name);
	if (asprintf(&out->path, "%s/%s", f->path, name) < 0) {
		out->path = NULL;
		return cli_fail(fault, CLI_IO, "out of memory: %s", f->path);
	}
	out->size = (uint64_t)st.st_size;
	out->fd = fd;
	fd = -1;
	return true;
}

bool esp_read(const struct esp_folder *f, const char *name, size_t max, uint8_t **out, size_t *n, struct cli_fault *fault)
{
	CLEANUP(source_close) struct source s = SOURCE_NONE;
	CLEANUP_FREE uint8_t *buf = NULL;

	*out = NULL;
	if (!esp_source(f, name, &s, fault))
		return false;
	if (s.fd < 0)
		return true;
	if (s.size > max)
		return cli_fail(fault, CLI_INPUT, "file is larger than %zu bytes: %s: it is not ours", max, s.path);
	buf = malloc((size_t)s.size + 1);
	if (!buf)
		return cli_fail(fault, CLI_IO, "out of memory: %s", s.path);
	if (pread(s.fd, buf, (size_t)s.size, 0) != (ssize_t)s.size)
		return fail_at(fault, "read", f, name);
	*n = (size_t)s.size;
	*out = buf;
	buf = NULL;
	return true;
}

GL_MUST static int create(const struct esp_folder *f, const char *name, struct cli_fault *fault)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		(void)!fail_at(fault, "make", f, name);
	return fd;
}

bool esp_finish(const struct esp_folder *f, int *fd, const char *name, struct cli_fault *fault)
{
	CLEANUP_FREE char *own = NULL;

	if (!spelling(f, &name, &own, fault))
		return false;
	if (put_in_place(*fd, f->fd, SLOT_TEMPORARY, name, 0) != PLACED)
		return fail_at(fault, "write", f, name);
	cli_closep(fd);
	return true;
}

int esp_begin(const struct esp_folder *f, struct cli_fault *fault)
{
	/* left by one that was ended */
	return esp_remove(f, SLOT_TEMPORARY, NULL, fault) ? create(f, SLOT_TEMPORARY, fault) : -1;
}

bool esp_write(const struct esp_folder *f, const char *name, struct span bytes, struct cli_fault *fault)
{
	CLEANUP_FD int fd = esp_begin(f, fault);

	if (fd < 0)
		return false;
	if ((write_all(fd, bytes) || fail_at(fault, "write", f, SLOT_TEMPORARY)) && esp_finish(f, &fd, name, fault))
		return true;
	/* If the rename was made and could not be brought to disk, there is none. */
	(void)unlinkat(f->fd, SLOT_TEMPORARY, 0);
	return false;
}

bool esp_remove(const struct esp_folder *f, const char *name, bool *removed, struct cli_fault *fault)
{
	CLEANUP_FREE char *own = NULL;

	if (!spelling(f, &name, &own, fault))
		return false;
	if (unlinkat(f->fd, name, 0) != 0)
		return errno == ENOENT || fail_at(fault, "remove", f, name);
	if (removed)
		*removed = true;
	return true;
}

bool esp_remove_folder(const struct esp_folder *in, const char *name, bool *removed, struct cli_fault *fault)
{
	CLEANUP_FREE char *own = NULL;

	if (!spelling(in, &name, &own, fault))
		return false;
	if (unlinkat(in->fd, name, AT_REMOVEDIR) != 0)
		return errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST || fail_at(fault, "remove", in, name);
	*removed = true;
	return esp_sync(in, fault);
}
