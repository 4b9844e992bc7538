/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_REPORT_H
#define GL_EFI_REPORT_H

#include "efi/core/launch.h"
#include "platform.h"

/* Lines on the console for people, one each. */

/* The TPM and its banks, or what is wrong with it. `txt`: the launch is one in txt mode, for which locality 2 may still be closed. */
void report_platform(struct efi_env *env, const struct platform *p, bool txt);

/* How long reading, hashing and the TPM took, and all since the start. */
void report_times(struct efi_env *env, const struct launch *l);

/* What the launch comes to, in mode direct. */
void report_verdict(struct efi_env *env, const struct launch *l);

#endif
