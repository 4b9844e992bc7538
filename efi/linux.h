/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_LINUX_H
#define GL_EFI_LINUX_H

#include "env.h"

/*
 * Starts a Linux kernel by its EFI stub from the bytes in memory (Linux Documentation/x86/boot.rst, EFI handover by the PE entry).
 * `cmdline` is ASCII without NUL. With `vouched` the image runs even if the
 * firmware finds no signature on it that it trusts (vouch.h). Two steps, so that the caller can tell a kernel that is no image from one that came back.
 */
struct linux_kernel {
	EFI_HANDLE image;
	CHAR16 *options; /* from the firmware's pool */
};

GL_MUST EFI_STATUS linux_load(struct efi_env *env, struct span image, struct span cmdline, bool vouched, struct linux_kernel *out);

/*
 * Does not return if the kernel takes over; otherwise the kernel's status, EFI_ABORTED if that was success. The kernel is unloaded
 * then, its command line freed.
 */
GL_MUST EFI_STATUS linux_start(struct efi_env *env, struct linux_kernel *kernel);

#endif
