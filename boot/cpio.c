/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/cpio.h"

#include "common/cursor.h"
#include "common/description.h"

/* Magic and 13 fields of 8 hexadecimal digits. */
#define HEADER_SIZE 110
#define ALIGNMENT 4
#define TYPE_DIRECTORY 0040000u
#define TYPE_FILE 0100000u
#define DIRECTORY_MODE 0755u

static_assert(HEADER_SIZE == 6 + 13 * 8, "newc header");

static const char *const messages[CPIO_ERROR_COUNT] = {
	[CPIO_OK] = "no error",
	[CPIO_E_PATH] = "the path cannot be that of a member of the initrd",
	[CPIO_E_PATH_TAKEN] = "the path is that of another member of the initrd, or above or below it",
	[CPIO_E_MODE] = "the mode has other bits than permissions",
	[CPIO_E_SIZE] = "a member of the initrd must be smaller than 4 GiB, and all of them must fit the memory",
	[CPIO_E_BUFFER] = "the buffer for the initrd does not have the size that was computed",
	[CPIO_E_LAYOUT] = "the members of the initrd have changed since their places were computed",
};

const char *cpio_strerror(enum cpio_error e)
{
	return (unsigned)e < CPIO_ERROR_COUNT ? messages[e] : "unknown cpio error";
}

/* Goes over bytes that others write. */
static void skip(struct wr *w, uint64_t n)
{
	if (w->bad || n > w->s.n - w->off)
		w->bad = true;
	else
		w->off += (size_t)n;
}

static void pad(struct wr *w)
{
	while (!w->bad && w->off % ALIGNMENT)
		wr_u8(w, 0);
}

static void put_hex(struct wr *w, uint32_t v)
{
	for (unsigned shift = 32; shift > 0; shift -= 4)
		wr_u8(w, (uint8_t) "0123456789ABCDEF"[v >> (shift - 4) & 0xf]);
}

struct entry {
	uint32_t inode;
	uint32_t mode;
	uint32_t links;
	uint32_t size;
};

static void put_entry(struct wr *w, const struct entry *e, struct span name)
{
	pad(w);
	wr_bytes(w, SPAN_LITERAL("070701"));
	put_hex(w, e->inode);
	put_hex(w, e->mode);
	put_hex(w, 0); /* uid */
	put_hex(w, 0); /* gid */
	put_hex(w, e->links);
	put_hex(w, 0); /* mtime */
	put_hex(w, e->size);
	put_hex(w, 0); /* device major, minor */
	put_hex(w, 0);
	put_hex(w, 0); /* of a device file: major, minor */
	put_hex(w, 0);
	put_hex(w, (uint32_t)name.n + 1);
	put_hex(w, 0); /* checksum, of 070702 only */
	wr_bytes(w, name);
	wr_u8(w, 0);
	pad(w);
}

/* How much of the path the directories that both have take up: the offset of the last slash up to which they are the same. */
static size_t shared_directories(struct span a, struct span b)
{
	size_t shared = 0;

	for (size_t i = 0; i < a.n && i < b.n && a.p[i] == b.p[i]; i++)
		if (a.p[i] == '/')
			shared = i;
	return shared;
}

/* The directories above member `i` that no earlier member had. */
static void put_directories(struct wr *w, const struct cpio_member *members, size_t i, uint32_t *inode)
{
	struct span path = members[i].path;
	size_t done = 0;

	for (size_t j = 0; j < i; j++) {
		size_t shared = shared_directories(members[j].path, path);

		if (shared > done)
			done = shared;
	}
	for (size_t at = done + 1; at < path.n; at++) {
		if (path.p[at] == '/') {
			struct entry e = { .inode = ++*inode, .mode = TYPE_DIRECTORY | DIRECTORY_MODE, .links = 2 };

			put_entry(w, &e, (struct span){ path.p + 1, at - 1 });
		}
	}
}

/*
 * Writes, or with a measuring `w` only counts. True if the members' offsets were those where the data have to go; `place`, if not
 * NULL, gets them (and may be the members themselves).
 */
static bool emit(struct wr *w, size_t initrd_size, const struct cpio_member *members, size_t count, struct cpio_member *place)
{
	uint32_t inode = 0;
	bool same = true;

	skip(w, initrd_size);
	if (count == 0)
		return true;
	for (size_t i = 0; i < count; i++) {
		put_directories(w, members, i, &inode);

		struct entry e = {
			.inode = inode + 1,
			.mode = TYPE_FILE | members[i].mode,
			.links = 1,
			.size = (uint32_t)members[i].size,
		};

		inode++;
		put_entry(w, &e, (struct span){ members[i].path.p + 1, members[i].path.n - 1 });
		same = same && members[i].offset == w->off;
		if (place)
			place[i].offset = w->off;
		skip(w, members[i].size);
	}

	struct entry trailer = { .links = 1 };

	put_entry(w, &trailer, SPAN_LITERAL("TRAILER!!!"));
	return same;
}

static enum cpio_error check(const struct cpio_member *members, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!description_path_valid(members[i].path))
			return CPIO_E_PATH;
		for (size_t j = 0; j < i; j++)
			if (description_paths_conflict(members[j].path, members[i].path))
				return CPIO_E_PATH_TAKEN;
		if (members[i].mode & ~CPIO_MODE_MAX)
			return CPIO_E_MODE;
		if (members[i].size > UINT32_MAX)
			return CPIO_E_SIZE;
	}
	return CPIO_OK;
}

enum cpio_error cpio_layout(size_t initrd_size, struct cpio_member *members, size_t count, size_t *total)
{
	struct wr probe = wr_measure(), w = wr_measure();
	enum cpio_error error = check(members, count);

	if (error)
		return error;
	(void)emit(&probe, initrd_size, members, count, NULL);
	if (probe.bad)
		return CPIO_E_SIZE;
	(void)emit(&w, initrd_size, members, count, members);
	*total = w.off;
	return CPIO_OK;
}

enum cpio_error cpio_write(struct mspan whole, size_t initrd_size, const struct cpio_member *members, size_t count)
{
	struct wr probe = wr_measure(), w = wr_init(whole);
	enum cpio_error error = check(members, count);

	if (error)
		return error;

	bool same = emit(&probe, initrd_size, members, count, NULL);

	if (probe.bad)
		return CPIO_E_SIZE;
	if (probe.off != whole.n)
		return CPIO_E_BUFFER;
	if (!same)
		return CPIO_E_LAYOUT;
	(void)emit(&w, initrd_size, members, count, NULL);
	return w.bad ? CPIO_E_BUFFER : CPIO_OK;
}
