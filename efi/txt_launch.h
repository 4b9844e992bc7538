/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_TXT_LAUNCH_H
#define GL_EFI_TXT_LAUNCH_H

#include "efi/core/launch.h"
#include "env.h"
#include "platform.h"
#include "volume.h"

/* How a TXT launch did not come about. */
enum txt_end {
	TXT_UNMEASURED, /* the policy lets the host start without one */
	TXT_HALT,       /* it does not */
};

/*
 * The launch in txt mode, of a description and policy that are read (launch_prepare()): looks whether it can succeed, loads tboot and
 * its modules, leaves the firmware and starts tboot. Returns only if the firmware is still there and has its memory back; after
 * TXT_UNMEASURED the volume is still open.
 * `status` gets the first firmware call's error, if one was the reason.
 */
GL_MUST enum txt_end txt_launch(struct efi_env *env, struct launch *l, struct platform *p, struct volume *v, EFI_STATUS *status);

#endif
