/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/files.h"
#include "common/cursor.h"
#include "common/hash.h"
#include "common/text.h"

#define PIECE ((size_t)1 << 20)
#define FAT_FILE_MAX UINT32_MAX

/*
 * NULL, or what is wrong with the file; `*code` is CLI_IO if it cannot be opened. Not blocking: a FIFO is seen as none of ours instead of
 * waited for.
 */
static const char *open_regular(const char *path, struct source *out, enum cli_exit *code)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	*code = CLI_IO;
	if (fd < 0 || fstat(fd, &st) != 0)
		return strerror(errno);
	*code = CLI_INPUT;
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_size == 0)
		return "the file is empty";
	if ((uint64_t)st.st_size > FAT_FILE_MAX)
		return "the file is larger than a FAT file system can hold";
	out->path = strdup(path);
	if (!out->path)
		return "out of memory";
	out->size = (uint64_t)st.st_size;
	out->fd = fd;
	fd = -1;
	return NULL;
}

bool source_open(const struct manifest *m, const struct yaml_text *file, struct source *out, struct cli_fault *fault)
{
	const char *slash = strrchr(m->file, '/');
	CLEANUP_FREE char *path = NULL;
	enum cli_exit code; /* the manifest is wrong in any case */
	const char *wrong;

	if (asprintf(&path, "%.*s%s", *file->s != '/' && slash ? (int)(slash + 1 - m->file) : 0, m->file, file->s) < 0) {
		path = NULL;
		return cli_fail(fault, CLI_IO, "out of memory: %s", m->file);
	}
	wrong = open_regular(path, out, &code);
	return !wrong || manifest_fail(m, file->line, "name a file with content, relative to the manifest", fault,
				 "cannot use \"%.200s\" (%s)", file->s, wrong);
}

bool source_open_plain(const char *path, const char *advice, struct source *out, struct cli_fault *fault)
{
	enum cli_exit code;
	const char *wrong = open_regular(path, out, &code);

	return !wrong || cli_fail(fault, code, "cannot use the file (%s): %s: %s", wrong, path, advice);
}

void source_close(struct source *s)
{
	cli_closep(&s->fd);
	free(s->path);
	*s = SOURCE_NONE;
}

static bool has(const struct source *s, uint64_t at, struct span what)
{
	uint8_t got[8];

	return what.n <= sizeof(got) && pread(s->fd, got, what.n, (off_t)at) == (ssize_t)what.n &&
	       span_equal((struct span){ got, what.n }, what);
}

enum source_kind source_kind(const struct source *s)
{
	uint8_t head[0x40];
	struct rd r = rd_init(SPAN_OF(head));
	uint32_t pe;

	if (has(s, 0, SPAN_LITERAL("\x1f\x8b")))
		return SOURCE_GZIP;
	if (has(s, 0,
		    SPAN_LITERAL("\x7f"
				 "ELF")))
		return SOURCE_ELF;
	if (!has(s, 0, SPAN_LITERAL("MZ")) || pread(s->fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return SOURCE_OTHER;
	/* PE/COFF, 2.1 and 3.3: offset of the signature at 0x3c; behind the signature the machine, 0x8664. */
	(void)rd_bytes(&r, 0x3c);
	pe = rd_le32(&r);
	if (!has(s, pe, SPAN_LITERAL("PE\0\0\x64\x86")))
		return SOURCE_OTHER;
	return has(s, 0x202, SPAN_LITERAL("HdrS")) ? SOURCE_LINUX : SOURCE_PE;
}

/* ---- progress ---- */

struct progress {
	const char *name;
	uint64_t total;
	struct timespec last;
	bool terminal, shown;
};

static struct progress progress_begin(const struct source *s)
{
	struct progress p = { .name = name_in_folder(s->path), .total = s->size, .terminal = isatty(STDERR_FILENO) == 1 };

	(void)clock_gettime(CLOCK_MONOTONIC, &p.last);
	return p;
}

/* Nothing for the first second, then one line a second at most. */
static void progress_show(struct progress *p, uint64_t done)
{
	char buf[32];
	struct text size = TEXT_OF(buf);
	struct timespec now;

	if (!p->terminal || clock_gettime(CLOCK_MONOTONIC, &now) != 0 || now.tv_sec - p->last.tv_sec - (now.tv_nsec < p->last.tv_nsec) < 1)
		return;
	p->last = now;
	p->shown = true;
	text_size(&size, p->total);
	(void)fprintf(stderr, "\r%-40.40s %3u%% of %s", p->name, (unsigned)(done * 100 / p->total), buf);
}

static void progress_end(struct progress *p)
{
	if (p->shown)
		(void)fprintf(stderr, "\r\033[K");
}

/* ---- copying ---- */

static bool write_to_all(const int *out, size_t out_count, struct span bytes)
{
	for (size_t i = 0; i < out_count; i++)
		if (!write_all(out[i], bytes))
			return false;
	return true;
}

bool source_copy(const struct source *s, const int *out, size_t out_count, alg_set algs, struct digests *digests,
	const struct interrupt *stop, struct cli_fault *fault)
{
	CLEANUP(progress_end) struct progress p = progress_begin(s);
	CLEANUP_FREE uint8_t *piece = malloc(PIECE);
	struct hash h;
	uint64_t done = 0;

	if (!piece)
		return cli_fail(fault, CLI_IO, "out of memory: %s", s->path);
	hash_init(&h, algs);
	for (;;) {
		ssize_t n = read(s->fd, piece, PIECE);
		struct span bytes = { piece, n > 0 ? (size_t)n : 0 };

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cli_fail(fault, CLI_IO, "cannot read: %s: %s", s->path, strerror(errno));
		if (n == 0)
			break;
		hash_update(&h, bytes);
		if (!write_to_all(out, out_count, bytes))
			return cli_fail(fault, CLI_IO, "cannot write the copy of: %s: %s", s->path, strerror(errno));
		done += bytes.n;
		if (interrupted(stop))
			return cli_fail(fault, CLI_IO, "interrupted: %s: this was not finished: run the command again", s->path);
		progress_show(&p, done < p.total ? done : p.total);
	}
	if (done != s->size)
		return cli_fail(fault, CLI_IO, "the file changed while it was read: %s: try again when it is finished", s->path);
	hash_final(&h, digests);
	return true;
}
