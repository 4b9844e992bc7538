/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_SLOT_LIST_H
#define GL_CLI_SLOT_LIST_H

#include "common/description.h"
#include "common/slots.h"

/*
 * The list of files of a slot (common/slots.h), \EFI\geolaunch\<slot>\SHA256SUMS. `sha256sum -c` reads it, too:
 *
 *   # geolaunch 1 LABEL
 *   <64 hexadecimal digits>  NAME
 *   ...
 *
 * Sorted by name in bytes; no two names that FAT would take for one. The slot's name is the beginning of the list's own SHA-256, so the
 * same build has the same name everywhere, and a folder can tell whether it is what its name says.
 */
#define SLOT_LIST_FILE "SHA256SUMS"
#define SLOT_APPLICATION "geolaunch.efi"
/* What a file is called until it is complete. */
#define SLOT_TEMPORARY "geolaunch.new"
#define SLOT_LIST_MAX_FILES 256
#define SLOT_LIST_MAX_SIZE 65536
#define SLOT_LABEL_MAX 48

struct slot_file {
	char name[DESCRIPTION_MAX_FILE + 1];
	uint8_t digest[32];
};

struct slot_list {
	char label[SLOT_LABEL_MAX + 1]; /* the manifest's name, for people */
	struct slot_file files[SLOT_LIST_MAX_FILES];
	size_t count;
};

/* Takes a text as label: what is not A-Z a-z 0-9 . _ - becomes '_', what is too long is cut off. */
void slot_list_label(struct slot_list *l, const char *text);

/* Adds a file in its place. False if the name cannot be that of a file in a slot, or is taken, or the list is full. */
GL_MUST bool slot_list_add(struct slot_list *l, struct span name, const uint8_t digest[32]);

/* The bytes written, never more than SLOT_LIST_MAX_SIZE; 0 if the buffer is too small. */
GL_MUST size_t slot_list_write(const struct slot_list *l, struct mspan buf);

/* Reads a whole list; false if it is not exactly of the form above. `out` is undefined then. */
GL_MUST bool slot_list_parse(struct span text, struct slot_list *out);

/* The name of the slot that has this list. */
void slot_list_slot(struct span text, char out[SLOT_NAME_SIZE + 1]);

#endif
