/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/vlp_image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/hash.h"

#define PIECE ((size_t)1 << 18)

static void gz_closep(gzFile *gz)
{
	if (*gz)
		(void)gzclose_r(*gz);
}

/* Not blocking: a FIFO is refused instead of waited for. */
static int open_regular(const char *path, struct cli_fault *fault)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int out;

	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)cli_fail(fault, CLI_IO, "cannot open: %s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)cli_fail(fault, CLI_INPUT, "not a regular file: %s: name the module's file", path);
		return -1;
	}
	out = fd;
	fd = -1;
	return out;
}

static bool is_gzip(int fd)
{
	uint8_t magic[2];

	return pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) && magic[0] == 0x1f && magic[1] == 0x8b;
}

static bool hash_plain(const char *path, int fd, uint8_t *piece, struct hash *h, struct cli_fault *fault)
{
	for (;;) {
		ssize_t n = read(fd, piece, PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cli_fail(fault, CLI_IO, "cannot read: %s: %s", path, strerror(errno));
		if (n == 0)
			return true;
		hash_update(h, (struct span){ piece, (size_t)n });
	}
}

static bool gzip_failed(const char *path, gzFile gz, struct cli_fault *fault)
{
	int code;
	const char *what = gzerror(gz, &code);
	int error = errno;

	if (code == Z_ERRNO)
		return cli_fail(fault, CLI_IO, "cannot read: %s: %s", path, strerror(error));
	if (code == Z_MEM_ERROR)
		return cli_fail(fault, CLI_IO, "out of memory: %s", path);
	return cli_fail(fault, CLI_INPUT, "the gzip data is damaged (%s): %s: get the file anew, or hash it as it is with --no-decompress",
		code == Z_BUF_ERROR    ? "cut off"
		: code == Z_DATA_ERROR ? "wrong bytes"
				       : what,
		path);
}

/* `*fd` belongs to zlib afterwards. */
static bool hash_unpacked(const char *path, int *fd, uint8_t *piece, struct hash *h, struct cli_fault *fault)
{
	CLEANUP(gz_closep) gzFile gz = gzdopen(*fd, "rb");
	int code;

	if (!gz)
		return cli_fail(fault, CLI_IO, "out of memory: %s", path);
	*fd = -1;
	(void)gzbuffer(gz, PIECE);
	for (;;) {
		int n = gzread(gz, piece, PIECE);

		if (n < 0)
			return gzip_failed(path, gz, fault);
		if (n == 0)
			break;
		hash_update(h, (struct span){ piece, (size_t)n });
	}
	/* An end before the end of a member is no error to gzread(), only a state. */
	(void)gzerror(gz, &code);
	return code == Z_OK || gzip_failed(path, gz, fault);
}

bool vlp_image_hash(const char *path, bool decompress, alg_set algs, struct digests *out, struct cli_fault *fault)
{
	CLEANUP_FD int fd = open_regular(path, fault);
	CLEANUP_FREE uint8_t *piece = malloc(PIECE);
	struct hash h;

	if (fd < 0)
		return false;
	if (!piece)
		return cli_fail(fault, CLI_IO, "out of memory: %s", path);
	hash_init(&h, algs);
	if (!(decompress && is_gzip(fd) ? hash_unpacked(path, &fd, piece, &h, fault) : hash_plain(path, fd, piece, &h, fault)))
		return false;
	hash_final(&h, out);
	return true;
}
