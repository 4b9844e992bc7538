/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PCRFILE_H
#define GL_CLI_PCRFILE_H

#include "common/pcr.h"

/* More than any PCR file or result of a boot needs. */
#define PCRFILE_MAX (16u << 20)

/*
 * PCR values from text, in one of two forms:
 *  - JSON, an object with a member "pcrs": { "sha256": { "0": "<hex>", ... }, ... }; other members are not looked at;
 *  - what tpm2_pcrread prints: a line "sha256:" per bank, below it lines "17: 0x<hex>".
 * Banks of algorithms that we do not know are passed over. A bank without values is not active.
 * False, nothing in `out`, and one line in `error` (capacity `cap`) if it is neither, or a value is malformed or given twice.
 */
GL_MUST bool pcrfile_parse(struct span bytes, struct pcrs *out, char *error, size_t cap);

#endif
