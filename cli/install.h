/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_INSTALL_H
#define GL_CLI_INSTALL_H

#include "cli/cli.h"
#include "cli/slot.h"
#include "common/slots.h"

/*
 * Puts builds on an EFI system partition, each into a slot of its own (common/slots.h), and chooses which of them the firmware starts:
 *
 *   \EFI\geolaunch\<slot>\...           a build: its files and their list
 *   \EFI\geolaunch\slots.conf           which slot is the current one, which the one before it
 *   \EFI\BOOT\BOOTX64.EFI               with --removable only: geolaunch.efi, which goes by slots.conf
 *   \EFI\BOOT\geolaunch.old             ... and what was there before, if it was another boot loader
 *   Boot####, BootOrder                 with boot entries: one per slot, the current one first
 *
 * What starts is changed by one write: BootOrder with boot entries, else the rename of slots.conf. Everything that it leads to is
 * complete and on disk before, and nothing that was started before is removed until after it. So whenever the work is cut off, one
 * complete build starts, the old one or the new one, and doing it again finishes it.
 */

enum install_action {
	INSTALL_BUILD,
	INSTALL_ROLLBACK,  /* the previous build becomes the current one, and the other way round */
	INSTALL_UNINSTALL, /* removes everything of ours */
	INSTALL_STATUS,
};

struct install_options {
	enum install_action action;
	const char *esp;   /* where it is mounted */
	const char *build; /* INSTALL_BUILD only */
	bool start_given;  /* else as slots.conf says, else boot entries */
	enum slots_start start;
	bool force; /* replace a BOOTX64.EFI that is not ours */
};

/* A slot as INSTALL_STATUS finds it. */
struct install_slot {
	char slot[SLOT_NAME_SIZE + 1];
	char label[SLOT_LABEL_MAX + 1];
	size_t files;
	bool good;
	char bad[DESCRIPTION_MAX_FILE + 1]; /* the first file that is not */
	int entry;                          /* number of its boot entry; -1 none */
	bool ordered;                       /* ... and BootOrder has it */
};

/* What BOOTX64.EFI was before it became ours, in the same folder. Not *.efi: boot managers list these. */
#define INSTALL_KEPT "geolaunch.old"

/* What `install --rollback` would find. */
enum install_rollback {
	INSTALL_ROLLBACK_NONE, /* there was no build before */
	INSTALL_ROLLBACK_POSSIBLE,
	INSTALL_ROLLBACK_DAMAGED, /* the previous build is not complete */
	INSTALL_ROLLBACK_GONE,    /* ... or not there any more */
};

struct install_report {
	enum slots_start start;
	struct slots now;           /* after the action; current "" if nothing is installed */
	bool changed;               /* something was written or removed */
	size_t files;               /* of the current slot */
	uint64_t written;           /* bytes copied */
	int entry;                  /* boot entry of the current slot; -1 none */
	bool removable;             /* BOOTX64.EFI is ours */
	struct install_slot *slots; /* INSTALL_STATUS */
	size_t slot_count;
	bool healthy;                   /* INSTALL_STATUS: the current build is complete and is what starts */
	int other_entry;                /* the boot entry of ours that starts another build all the same; -1 none */
	char other[SLOT_NAME_SIZE + 1]; /* ... and its slot */
	enum install_rollback rollback; /* INSTALL_STATUS */
	bool kept;                      /* the boot loader that BOOTX64.EFI was before is kept beside it */
	bool restored;                  /* INSTALL_UNINSTALL: ... and is BOOTX64.EFI again */
	json_t *removed;                /* slots that went */
	json_t *warnings;               /* lines for people */
};

/* Does it. `out` must be zeroed and is to be freed in any case. */
GL_MUST bool install_run(const struct install_options *options, struct install_report *out, struct cli_fault *fault);

void install_free(struct install_report *r);

#endif
