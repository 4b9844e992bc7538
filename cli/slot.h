/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_SLOT_H
#define GL_CLI_SLOT_H

#include "cli/buildtree.h"
#include "cli/esp.h"
#include "cli/slot_list.h"

/*
 * A slot on the ESP: \EFI\geolaunch\<slot>\ with the files of one build and their list. The list comes first and goes last, so a folder
 * that was only begun, or only begun to be removed, still tells what it is. A folder of such a name without that list is somebody else's.
 */
enum slot_state {
	SLOT_ABSENT,
	SLOT_OURS,  /* its list is the one that its name stands for; files may be missing or wrong */
	SLOT_BEGUN, /* nothing in it but, perhaps, an unfinished list */
	SLOT_FOREIGN,
};

/* Looks at a slot. `list` is filled for SLOT_OURS, and then `folder` is open, if they are not NULL. */
GL_MUST bool slot_look(const struct esp_folder *home, const char *slot, enum slot_state *state, struct slot_list *list,
	struct esp_folder *folder, struct cli_fault *fault);

/* Hashes every file. `*good` if all are there as the list says; else `bad` names the first that is not. */
GL_MUST bool slot_verify(const struct esp_folder *folder, const struct slot_list *list, const struct interrupt *stop, bool *good,
	char bad[DESCRIPTION_MAX_FILE + 1], struct cli_fault *fault);

/* Bytes that slot_fill() would need on a file system that gives space in pieces. */
GL_MUST bool slot_need(
	const struct esp_folder *home, const struct build_tree *build, uint64_t piece, uint64_t *need, struct cli_fault *fault);

/* Bytes that the files of a slot take there; 0 if it is none of ours. */
GL_MUST bool slot_size(const struct esp_folder *home, const char *slot, uint64_t piece, uint64_t *size, struct cli_fault *fault);

/*
 * Makes the slot of a build; one that is complete is left alone. What is written is checked against the list. With `in_use` (this slot
 * is the one that starts) only what is wrong is replaced, file by file; otherwise a slot that is not complete is made anew. `written`
 * counts the bytes.
 */
GL_MUST bool slot_fill(const struct esp_folder *home, struct build_tree *build, bool in_use, const struct interrupt *stop,
	uint64_t *written, struct cli_fault *fault);

/* Removes a slot of ours. `*left`: something in it is not ours, so that the folder stays. A foreign slot is none of ours to remove. */
GL_MUST bool slot_remove(const struct esp_folder *home, const char *slot, bool *removed, bool *left, struct cli_fault *fault);

#endif
