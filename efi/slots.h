/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_SLOTS_H
#define GL_EFI_SLOTS_H

#include "env.h"
#include "guard.h"
#include "volume.h"

/*
 * Started as \EFI\BOOT\BOOTX64.EFI, the application is not that of a build but the way to one: it starts the geolaunch.efi of the slot
 * that \EFI\geolaunch\slots.conf names (common/slots.h), so that a build is only ever launched by its own. Nothing is measured here
 * and the TPM is left alone; the firmware measures what it loads.
 */
enum slots_result {
	SLOTS_NONE,      /* no slots: the launch lies in the folder itself */
	SLOTS_CAME_BACK, /* a slot's geolaunch.efi ran and returned `*status`, an error */
	SLOTS_UNUSABLE,  /* slots.conf is not valid, or no slot can be loaded; `*status`. The console says so. */
};

/* If the current slot's application cannot be loaded the previous one's is, as firmware does with its boot entries. */
GL_MUST enum slots_result slots_start(struct efi_env *env, struct volume *v, struct guard *g, EFI_STATUS *status);

#endif
