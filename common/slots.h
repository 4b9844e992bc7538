/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_SLOTS_H
#define GL_COMMON_SLOTS_H

#include "span.h"

/*
 * Slots on an EFI system partition: `geolaunch install` puts each build into a folder of its own, \EFI\geolaunch\<slot>\, and
 * \EFI\geolaunch\slots.conf says which of them is the current one. geolaunch.efi reads it when the firmware started it as
 * \EFI\BOOT\BOOTX64.EFI, which cannot lie in a slot.
 *
 * slots.conf is not measured: all that it can do is choose among builds, and what the chosen one loads is measured.
 *
 *   geolaunch-slots 1
 *   start entry|removable|none      how the host is started: boot entry, \EFI\BOOT\BOOTX64.EFI, or a boot manager of the owner's
 *   current SLOT
 *   previous SLOT                   left out if there is none; not the current one
 *
 * ASCII, every line ends in LF, nothing behind it; a state has one text only: write(parse(text)) = text.
 */
#define SLOTS_FILE "slots.conf"
#define SLOTS_MAX_SIZE 128

/* What geolaunch.efi starts, but for the digits. Every geolaunch.efi has this text inside, so it also tells one from other boot loaders. */
#define SLOTS_APPLICATION "\\EFI\\geolaunch\\0123456789abcdef\\geolaunch.efi"

/* A slot's name: the first digits of the SHA-256 of its list of files, in lower case. */
#define SLOT_NAME_SIZE 16

enum slots_start { SLOTS_ENTRY, SLOTS_REMOVABLE, SLOTS_NOTHING, SLOTS_START_COUNT };

struct slots {
	enum slots_start start;
	char current[SLOT_NAME_SIZE + 1];
	char previous[SLOT_NAME_SIZE + 1]; /* "": none */
};

const char *slots_start_name(enum slots_start start); /* "entry" */

/* 16 lower-case hexadecimal digits. */
GL_MUST bool slot_name_valid(struct span name);

/* Reads a whole file; `out` on success only. False if it is not exactly of this form. */
GL_MUST bool slots_parse(struct span text, struct slots *out);

/* Writes the text, at most SLOTS_MAX_SIZE bytes, without a NUL; its size, 0 if `s` is not valid or the buffer too small. */
GL_MUST size_t slots_write(const struct slots *s, struct mspan buf);

#endif
