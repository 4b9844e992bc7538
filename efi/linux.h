/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_LINUX_H
#define GL_EFI_LINUX_H

#include "env.h"

/*
 * Starts a Linux kernel by its EFI stub from the bytes in memory (Linux Documentation/x86/boot.rst, EFI handover by the PE entry).
 * `cmdline` is ASCII without NUL. Two steps, so that the caller can tell a kernel that is no image from one that came back.
 */
GL_MUST EFI_STATUS linux_load(struct efi_env *env, struct span image, struct span cmdline, EFI_HANDLE *kernel);

/* Does not return if the kernel takes over; otherwise the kernel's status, EFI_ABORTED if that was success. */
GL_MUST EFI_STATUS linux_start(struct efi_env *env, EFI_HANDLE kernel);

#endif
