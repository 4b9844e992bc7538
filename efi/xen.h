/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_XEN_H
#define GL_EFI_XEN_H

#include "host.h"

/*
 * Starts Xen from its ELF image by the multiboot2 protocol with boot services kept, at its 64-bit EFI entry (Multiboot2 Specification
 * 2.0, 3.1.9, 3.1.11, 3.5), with the kernel of its first domain and the initrd as modules. All of these must lie below 4 GiB. Refused under
 * Secure Boot unless pinned (host.h): an ELF image has no signature that the firmware could check.
 * As host_start(): returns only after a failure, and nothing of it is left in the firmware then.
 */
GL_MUST EFI_STATUS xen_start(struct efi_env *env, const struct host *h);

#endif
