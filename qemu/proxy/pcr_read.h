/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_PROXY_PCR_READ_H
#define GL_PROXY_PCR_READ_H

#include "common/cursor.h"
#include "common/pcr.h"

/*
 * Reads PCR 0-23 of all active banks with commands of our own. Works for TPM 2.0 (GetCapability, PCR_Read) and TPM 1.2
 * (PCRRead); which one it is, the first answer tells.
 */

/*
 * Sends one TPM command and receives its response into `room`. Sets `response` to the part of `room` that was filled.
 * Returns false if the TPM gave no answer in time.
 */
typedef bool pcr_exchange(void *context, struct span command, struct mspan room, struct span *response);

/*
 * Values and banks go to `out`, which is written only on success. On failure `why` holds one line, at most `why_size` bytes
 * with its NUL. Source: TPM 2.0 Library part 3, 22.4 (PCR_Read) and 30.2 (GetCapability); TPM 1.2 Main part 3, 16.2.
 */
GL_MUST bool pcr_read_all(pcr_exchange *exchange, void *context, struct pcrs *out, char *why, size_t why_size);

/* Takes a TPML_PCR_SELECTION from `r`: the PCRs 0-23 of each known bank as a bit mask; unknown banks are skipped. */
GL_MUST bool pcr_selection_take(struct rd *r, uint32_t mask[ALG_COUNT]);

#endif
