/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_CPIO_H
#define GL_BOOT_CPIO_H

#include "common/span.h"

/*
 * Appends files to an initrd in memory, as members of a second cpio archive behind it. Linux unpacks archives that follow each
 * other one after the other, later ones over earlier ones. Format: Linux, Documentation/driver-api/early-userspace/buffer-format.rst
 * ("newc", magic 070701).
 *
 *   initrd as it is | 0 to 3 NUL | directories and files | TRAILER!!! | 0 to 3 NUL
 *
 * Headers, names and data begin at multiples of 4 from the start of the whole, as Linux counts. Everything belongs to root and has the
 * time 0, so the bytes depend on nothing but the arguments.
 *
 * The directories above a member are named too, each once, before the first member that needs it, since Linux makes none by itself.
 * What that does to the initrd's own files (Linux, init/initramfs.c, do_name() and clean_path()):
 * - an existing directory keeps its files, but gets mode 0755 and owner root: no member belongs into a /tmp with mode 1777;
 * - a symbolic link or file that stands where a directory is needed is removed for an empty directory. With an initrd whose /bin is
 *   a link to usr/bin, a member /bin/x would take all of /bin away; its path must be /usr/bin/x;
 * - an existing file is replaced.
 */

#define CPIO_MODE_MAX 07777u

struct cpio_member {
	struct span path; /* absolute and normalised, description_path_valid() */
	uint32_t mode;    /* permission bits */
	uint64_t size;    /* of the data, in bytes, under 4 GiB */
	size_t offset;    /* where the data begin in the whole; set by cpio_layout() */
};

enum cpio_error {
	CPIO_OK,
	CPIO_E_PATH,       /* not one that can be a member */
	CPIO_E_PATH_TAKEN, /* the path of another member, above or below it */
	CPIO_E_MODE,
	CPIO_E_SIZE,   /* a member of 4 GiB or more, or the whole is too large for memory */
	CPIO_E_BUFFER, /* write: the buffer does not have the size that cpio_layout() gave */
	CPIO_E_LAYOUT, /* write: the members are not those of cpio_layout() */
	CPIO_ERROR_COUNT
};

const char *cpio_strerror(enum cpio_error e);

/*
 * Computes where all goes: sets each member's offset, and `*total`, the size of the whole in bytes. Without members the whole is the
 * initrd alone. Nothing is set on failure.
 */
GL_MUST enum cpio_error cpio_layout(size_t initrd_size, struct cpio_member *members, size_t count, size_t *total);

/*
 * Writes all but the initrd and the members' data into `whole`: padding, headers, names, trailer. The data are put to their offsets
 * by whoever reads the files, before or after, so that nothing is copied. Members and initrd size are those of cpio_layout().
 * Nothing is written on failure.
 */
GL_MUST enum cpio_error cpio_write(struct mspan whole, size_t initrd_size, const struct cpio_member *members, size_t count);

#endif
