/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_INSTALL_IMPL_H
#define GL_CLI_INSTALL_IMPL_H

#include "cli/bootentry.h"
#include "cli/install.h"

/* Between the parts of `install`. */

#define DEFAULT_FILE "BOOTX64.EFI"
#define KEPT_FILE INSTALL_KEPT

struct install {
	const struct install_options *options;
	struct install_report *out;
	struct cli_fault *fault;
	struct interrupt stop;
	struct esp_folder esp, efi, home, boot; /* ESP, \EFI, \EFI\geolaunch, \EFI\BOOT; as far as they are there */
	bool fat, top;
	enum slots_start start;
	bool has_record;
	struct slots record; /* slots.conf as it is */
	struct slots now;    /* what starts now: by BootOrder with boot entries, else by slots.conf */
	bool variables;      /* `entries` is filled */
	struct boot_entries entries;
	struct build_tree *build;
	bool keep; /* DEFAULT_FILE is another boot loader, to be kept before it is replaced */
	uint64_t keep_size;
	bool kept_made;                      /* KEPT_FILE was begun by this run */
	bool made_efi, made_home, made_boot; /* folders, by this run */
};

/* Opens the ESP and reads what is there. Changes nothing. */
GL_MUST bool install_look(struct install *in);

/* Whether a slot is there with a list of ours. */
GL_MUST bool install_has_slot(struct install *in, const char *slot, bool *out);

/* The fault of who wants to roll back and cannot; false. */
GL_MUST bool install_no_previous(struct install *in);

/* The label of a slot's build, "_" if it has none to be read. */
GL_MUST bool install_label(struct install *in, const char *slot, char out[SLOT_LABEL_MAX + 1]);

/* Says that a boot entry which we were told to leave alone still starts its slot. */
GL_MUST bool install_warn_started(struct install *in, const struct boot_entry *e);

/* Finds out whether such an entry comes before what was chosen, for the report, and says so. */
GL_MUST bool install_find_other(struct install *in);

/* Whether BOOTX64.EFI is one of ours: that of a slot, or that of a build copied by hand. `*there`: there is one at all. */
GL_MUST bool install_owns_default(struct install *in, bool *there, bool *ours);

/* Before anything is written: is DEFAULT_FILE, which is to be replaced, one to be kept? Refused if another one is kept already. */
GL_MUST bool install_plan_keep(struct install *in);

/* Keeps it, and takes that back, which is for when it was not replaced. */
GL_MUST bool install_keep(struct install *in);
void install_unkeep(struct install *in);

/* Whether one is kept, for the report. */
GL_MUST bool install_find_kept(struct install *in);

/* Puts what is kept back in the place of DEFAULT_FILE if this is ours or not there. `*done`: DEFAULT_FILE is what it was before us. */
GL_MUST bool install_put_back(struct install *in, bool ours, bool *done);

/* Makes boot entries and BootOrder (with boot entries), slots.conf and BOOTX64.EFI (if it is ours or to be) say `want`. */
GL_MUST bool install_select(struct install *in, const struct slots *want, bool with_default);

/*
 * Removes boot entries and slots of ours but for those of `keep`, which must hold everything that is still selected, and slot `also`
 * (NULL: none), which is not.
 */
GL_MUST bool install_prune(struct install *in, const struct slots *keep, const char *also);

GL_MUST bool install_uninstall(struct install *in);
GL_MUST bool install_status(struct install *in);

GL_MUST bool install_warn(struct install *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
