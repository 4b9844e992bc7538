/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_ACM_MEASURE_H
#define GL_LCP_ACM_MEASURE_H

#include "common/alg.h"
#include "lcp/acm.h"

/* What a launch by a SINIT module measures of it. */

/* SHA-256 of what the processor measures of a module: without key, signature and scratch area (SDM 2D 7.3; SDG A.1). */
void acm_module_digest(const struct acm *a, uint8_t out[32]);

/* What GETSEC[SENTER] sends to the TPM at locality 4: that digest and EDX, its parameter, little-endian. */
#define ACM_DRTM_SIZE 36
void acm_drtm_data(const struct acm *a, uint32_t edx, uint8_t out[ACM_DRTM_SIZE]);

/*
 * The banks out of `active` that the module extends: with the agile policy the TPM hashes, and all are; with the embedded one, which
 * OsSinitData can ask for (`embedded`) and old modules know alone, those whose algorithm the module has. SDG A.1.2, appendix J.
 */
alg_set acm_banks(const struct acm *a, bool embedded, alg_set active);

#endif
