/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PCRFILE_H
#define GL_CLI_PCRFILE_H

#include "common/pcr.h"

/* More than any PCR file or result of a boot needs. */
#define PCRFILE_MAX (16u << 20)
/* What to do about a file that is wrong. */
#define PCRFILE_ADVICE "give what tpm2_pcrread prints, or the JSON of 'qemu/run --json'"

/*
 * PCR values from text, in one of two forms:
 *  - JSON, an object with a member "pcrs": { "sha256": { "0": "<hex>", ... }, ... }; other members are not looked at;
 *  - what tpm2_pcrread prints: a line "sha256:" per bank, below it lines "17: 0x<hex>".
 * Names of banks are of either case; those of SM3 and SHA-3 are passed over, and any other name is an error: a bank that nobody looks at
 * would hide what it holds. A bank without values is not active. A byte order mark in front is skipped.
 * False, nothing in `out`, and one line in `error` (capacity `cap`) if it is neither, or a value is malformed or given twice.
 */
GL_MUST bool pcrfile_parse(struct span bytes, struct pcrs *out, char *error, size_t cap);

#endif
