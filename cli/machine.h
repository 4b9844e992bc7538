/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_MACHINE_H
#define GL_CLI_MACHINE_H

#include "cli/cli.h"
#include "lcp/acm.h"

/*
 * What this machine is, for acm_match(): CPUID, MSR 0x17 out of /dev/cpu/0/msr, TXT.DIDVID and TXT.VER.FSBIF or QPIIF out of /dev/mem.
 * Fault CLI_IO if one cannot be had: no SMX, no root, no msr module, kernel lockdown.
 */
GL_MUST bool machine_platform(struct acm_platform *out, struct cli_fault *fault);

#endif
