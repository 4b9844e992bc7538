/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_ACM_SAMPLES_H
#define GL_TESTS_ACM_SAMPLES_H

#include "lcp/acm_make.h"

#define ACM_SAMPLE_SIZE 2048

/* Offsets in a module of header 0.0 with its usual scratch area; the maker puts the lists behind the info table, 16 bytes aligned. */
#define ACM_SAMPLE_INFO 1216
#define ACM_SAMPLE_CHIPSETS 1264
#define ACM_SAMPLE_PROCESSORS (ACM_SAMPLE_CHIPSETS + 48)
#define ACM_SAMPLE_TPM (ACM_SAMPLE_PROCESSORS + 64)

extern const struct acm_chipset acm_sample_chipsets[2];

/* A SINIT with two chipsets and two processors. */
struct acm_recipe acm_sample(void);

/* In memory of just its size, so that a sanitizer sees a read behind it. The caller frees it. */
uint8_t *acm_sample_bytes(const struct acm_recipe *r);

/* Little-endian. */
void acm_sample_put(uint8_t *p, size_t width, uint64_t v);

#endif
