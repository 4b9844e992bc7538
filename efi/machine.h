/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_MACHINE_H
#define GL_EFI_MACHINE_H

#include "efi/core/efi_map.h"
#include "env.h"

/* What the firmware tells about the machine, for those who start an image by themselves. */

/* The memory map at this time. EFI_DEVICE_ERROR if it is none that can be. `out` counts on success only. */
GL_MUST EFI_STATUS machine_memory(struct efi_env *env, struct efi_map *out);

/* The RSDP that the firmware's tables name: UEFI 2.9, 4.6; ACPI 6.4, 5.2.5.3. 36 bytes or more, or the 20 of ACPI 1.0; none if there is none. */
struct span machine_rsdp(struct efi_env *env, bool *acpi2);

/* The framebuffer that the firmware's graphics output shows now (UEFI 2.9, 12.9). False if there is none that can be written directly. */
GL_MUST bool machine_framebuffer(struct efi_env *env, struct mb2_framebuffer *out);

/* geolaunch.efi as it lies in memory: headers and sections at their addresses. False if the firmware does not tell. */
GL_MUST bool machine_own_image(struct efi_env *env, struct span *out);

/* True if the firmware starts signed images only (UEFI 2.10, 32.3): then nobody may start others in its place. What
 * cannot be read counts as on. */
bool machine_secure_boot(struct efi_env *env);

#endif
