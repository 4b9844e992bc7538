/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <zlib.h>

#include "cli/files.h"
#include "cli/lcp.h"
#include "cli/tboot_file.h"

#define IMAGE_MAX ((size_t)256 << 20)
#define PIECE ((size_t)1 << 18)

void lcp_bytes_free(struct lcp_bytes *b)
{
	free(b->p);
	*b = (struct lcp_bytes){ NULL, 0 };
}

bool lcp_read(const char *path, struct lcp_bytes *out, struct cli_fault *fault)
{
	return read_file(path, LCP_FILE_MAX, &out->p, &out->n, fault);
}

bool lcp_append(struct lcp_bytes *b, struct span s, struct cli_fault *fault)
{
	uint8_t *p;
	size_t n;

	if (__builtin_add_overflow(b->n, s.n, &n) || !(p = realloc(b->p, n + 1)))
		return cli_fail(fault, CLI_IO, "out of memory");
	if (s.n > 0)
		memcpy(p + b->n, s.p, s.n);
	p[n] = 0;
	*b = (struct lcp_bytes){ p, n };
	return true;
}

static void end_inflate(z_stream *z)
{
	(void)inflateEnd(z);
}

static bool damaged(const char *path, struct cli_fault *fault)
{
	return cli_fail(fault, CLI_INPUT, "%s: the gzip data is damaged or cut off", path);
}

/* All members; bytes that are no member behind the last one are left out, as gzip(1) does. */
static bool unpack(const char *path, struct span packed, struct lcp_bytes *out, struct cli_fault *fault)
{
	CLEANUP(end_inflate) z_stream z = { .next_in = (uint8_t *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n };
	CLEANUP_FREE uint8_t *piece = malloc(PIECE);
	int rc = Z_OK;

	/* 16: gzip only */
	if (!piece || inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return cli_fail(fault, CLI_IO, "out of memory");
	for (;;) {
		z.next_out = piece;
		z.avail_out = (uInt)PIECE;
		rc = inflate(&z, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END)
			return damaged(path, fault);
		if (!lcp_append(out, (struct span){ piece, PIECE - z.avail_out }, fault))
			return false;
		if (out->n > IMAGE_MAX)
			return cli_fail(fault, CLI_INPUT, "%s: unpacked it has more than %zu MiB", path, IMAGE_MAX >> 20);
		if (rc != Z_STREAM_END)
			continue;
		if (z.avail_in < 2 || z.next_in[0] != 0x1f || z.next_in[1] != 0x8b)
			return true;
		(void)inflateReset(&z);
	}
}

bool lcp_read_image(const char *path, struct lcp_bytes *out, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes file = { NULL, 0 };

	if (!read_file(path, IMAGE_MAX, &file.p, &file.n, fault))
		return false;
	if (file.n >= 2 && file.p[0] == 0x1f && file.p[1] == 0x8b)
		return unpack(path, lcp_bytes_span(&file), out, fault);
	*out = file;
	file = (struct lcp_bytes){ NULL, 0 };
	return true;
}

bool lcp_read_mle(const char *path, struct lcp_bytes *out, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes file = { NULL, 0 };

	if (!lcp_read_image(path, &file, fault))
		return false;
	if (tboot_file_elf(lcp_bytes_span(&file), &out->p, &out->n))
		return true;
	*out = file;
	file = (struct lcp_bytes){ NULL, 0 };
	return true;
}

bool lcp_check_output(const char *output, const char *changed, bool force, struct cli_fault *fault)
{
	return !output || output_check(output, force || (changed && !strcmp(output, changed)), fault);
}

bool lcp_refuse(struct cli_fault *fault, const char *what, enum lcp_error error)
{
	return cli_fail(fault, CLI_INPUT, "%s: %s", what, lcp_strerror(error));
}

bool lcp_refuse_file(struct cli_fault *fault, const char *path, const struct lcp_bytes *bytes, enum file_kind wanted, enum lcp_error error)
{
	return file_kind_refuse(fault, path, lcp_bytes_span(bytes), wanted, lcp_strerror(error));
}

bool lcp_read_list(const char *path, struct lcp_bytes *bytes, struct lcp_list *out, struct cli_fault *fault)
{
	enum lcp_error error;

	if (!lcp_read(path, bytes, fault))
		return false;
	error = lcp_list_decode(lcp_bytes_span(bytes), out);
	return error == LCP_OK || lcp_refuse_file(fault, path, bytes, FILE_LCP_LIST, error);
}

/* Where the encoders' bytes go. */
static bool take_room(size_t n, struct lcp_bytes *room, struct cli_fault *fault)
{
	room->p = malloc(n + 1);
	room->n = n;
	return room->p || cli_fail(fault, CLI_IO, "out of memory");
}

bool lcp_put_element(const char *path, const struct lcp_element *e, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes room = { NULL, 0 };
	enum lcp_error error = lcp_element_validate(e);
	size_t n = 0;

	if (!error)
		error = lcp_element_encode(e, (struct mspan){ NULL, 0 }, &n);
	if (error)
		return lcp_refuse(fault, "the element is not written", error);
	if (!take_room(n, &room, fault))
		return false;
	error = lcp_element_encode(e, (struct mspan){ room.p, room.n }, &n);
	return error ? lcp_refuse(fault, "the element is not written", error) : output_write(path, (struct span){ room.p, n }, fault);
}

bool lcp_put_list(const char *output, const char *changed, const struct lcp_list *l, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes room = { NULL, 0 };
	char what[64] = "the list is not written";
	int element = -1;
	enum lcp_error error = lcp_list_validate(l, &element);
	size_t n = 0;

	if (element >= 0)
		(void)snprintf(what, sizeof(what), "the list is not written: element %d", element);
	if (!error)
		error = lcp_list_encode(l, (struct mspan){ NULL, 0 }, &n);
	if (error)
		return lcp_refuse(fault, what, error);
	if (!take_room(n, &room, fault))
		return false;
	error = lcp_list_encode(l, (struct mspan){ room.p, room.n }, &n);
	if (error)
		return lcp_refuse(fault, what, error);
	room.n = n;
	return changed && (!output || !strcmp(output, changed)) ? change_file_atomic(changed, lcp_bytes_span(&room), fault)
	                                                        : output_write(output, lcp_bytes_span(&room), fault);
}
