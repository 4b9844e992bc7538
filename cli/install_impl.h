/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_INSTALL_IMPL_H
#define GL_CLI_INSTALL_IMPL_H

#include "cli/bootentry.h"
#include "cli/install.h"

/* Between the parts of `install`. */

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
};

/* Opens the ESP and reads what is there. Changes nothing. */
GL_MUST bool install_look(struct install *in);

/* Whether a slot is there with a list of ours. */
GL_MUST bool install_has_slot(struct install *in, const char *slot, bool *out);

/* The label of a slot's build, "_" if it has none to be read. */
GL_MUST bool install_label(struct install *in, const char *slot, char out[SLOT_LABEL_MAX + 1]);

/* Whether BOOTX64.EFI is one of ours: that of a slot, or that of a build copied by hand. `*there`: there is one at all. */
GL_MUST bool install_owns_default(struct install *in, bool *there, bool *ours);

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
