/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_VOLUME_H
#define GL_EFI_VOLUME_H

#include "env.h"

/* The folder \EFI\geolaunch\ of the volume that the application was started from. */
struct volume {
	EFI_FILE_HANDLE folder;
};

GL_MUST EFI_STATUS volume_open(struct efi_env *env, struct volume *out);
void volume_close(struct volume *v);

/* Opens a file of the folder; `name` is plain ASCII without separators (checked). `*size` as the file system says it. */
GL_MUST EFI_STATUS volume_open_file(struct volume *v, struct span name, EFI_FILE_HANDLE *file, uint64_t *size);

/* Reads exactly `n` further bytes; EFI_END_OF_FILE if there are fewer. */
GL_MUST EFI_STATUS volume_read(EFI_FILE_HANDLE file, uint8_t *buf, size_t n);

#endif
