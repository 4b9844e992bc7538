/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_VOLUME_H
#define GL_EFI_VOLUME_H

#include "env.h"

/*
 * The folder that a launch is read from, on the volume that the application was started from: the application's own folder, so that
 * every build lies in one with its own geolaunch.efi. Started as \EFI\BOOT\BOOTX64.EFI, or from a place that the firmware does not
 * tell, it is \EFI\geolaunch.
 */
struct volume {
	EFI_HANDLE device; /* with the file system */
	EFI_FILE_HANDLE folder;
	bool shared; /* it is \EFI\geolaunch because nothing says otherwise: there may be slots, see slots.h */
};

/* `out` is set on success only, but for `shared`. */
GL_MUST EFI_STATUS volume_open(struct efi_env *env, struct volume *out);
void volume_close(struct volume *v);

/* Opens a file of the folder; `name` is plain ASCII without separators (checked). `*size` as the file system says it. */
GL_MUST EFI_STATUS volume_open_file(struct volume *v, struct span name, EFI_FILE_HANDLE *file, uint64_t *size);

/* Reads exactly `n` further bytes; EFI_END_OF_FILE if there are fewer. */
GL_MUST EFI_STATUS volume_read(EFI_FILE_HANDLE file, uint8_t *buf, size_t n);

#endif
