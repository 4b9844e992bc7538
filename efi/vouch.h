/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_VOUCH_H
#define GL_EFI_VOUCH_H

#include "env.h"

/*
 * Secure Boot asks for a signature on every image that LoadImage() gets. A kernel that carries none is covered by ours all the same, where
 * the signed policy names its digest and the bytes in memory have that digest. Then this puts itself before the firmware's judgement (the
 * Security2 protocol of UEFI Platform Initialization 1.7, volume 2, 12.9.2), for these bytes at this address alone. The firmware is asked
 * first, so that it logs what it always does. It measures into PCR 4 only what it approves of (edk2 ends with the first handler that refuses): a
 * kernel that needs us is in PCR 19 alone. Without that protocol nothing happens: the kernel has to be signed then.
 */
void vouch_begin(struct efi_env *env, struct span image);

/* Takes it back; also without vouch_begin(). To be called before anything else is loaded or started. */
void vouch_end(void);

#endif
