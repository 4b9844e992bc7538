/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_INITRD_H
#define GL_EFI_INITRD_H

#include "env.h"

/*
 * Offers bytes in memory as the initrd of a Linux EFI stub: LoadFile2 on the vendor media device path 5568e427-68fc-4f3d-ac74-ca555231cc68
 * (Linux Documentation/admin-guide/efi-stub.rst, "LINUX_EFI_INITRD_MEDIA_GUID").
 * The bytes must stay until initrd_withdraw() or the end of boot services. EFI_ALREADY_STARTED if someone else offers one, also if there
 * are no bytes, when nothing is offered.
 */
GL_MUST EFI_STATUS initrd_offer(struct efi_env *env, struct span bytes);

/* False if the firmware keeps the offer: then it points to code and bytes that go away with the application. */
GL_MUST bool initrd_withdraw(struct efi_env *env);

#endif
