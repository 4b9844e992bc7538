/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_ALG_H
#define GL_COMMON_ALG_H

#include "span.h"

/* The hash algorithms that geolaunch knows, in the order in which banks are printed. */
enum alg { ALG_SHA1, ALG_SHA256, ALG_SHA384, ALG_SHA512, ALG_COUNT };

#define DIGEST_MAX 64

/* A set of algorithms (PCR banks): bit 1 << enum alg. */
typedef uint32_t alg_set;
#define ALG_SET_ALL ((alg_set)((1u << ALG_COUNT) - 1))
#define ALG_BIT(a) ((alg_set)1 << (a))

/* TPM_ALG_ID: TCG Algorithm Registry, table 3. */
struct alg_info {
	uint16_t tpm_id;
	uint8_t size;     /* of a digest, in bytes */
	uint8_t block;    /* of the compression function, in bytes */
	const char *name; /* as tpm2-tools and the kernel's sysfs print it: "sha256" */
};

extern const struct alg_info alg_table[ALG_COUNT];

/* Finds an algorithm by TPM_ALG_ID or by name; false if it is none of ours (the output is then not written). */
GL_MUST bool alg_by_id(uint16_t tpm_id, enum alg *out);
GL_MUST bool alg_by_name(struct span name, enum alg *out);

/* One digest per algorithm of `banks`; the bytes of the others are undefined. */
struct digests {
	alg_set banks;
	uint8_t d[ALG_COUNT][DIGEST_MAX];
};

static inline struct span digest_span(const struct digests *d, enum alg a)
{
	return (struct span){ d->d[a], alg_table[a].size };
}

/* True if no algorithm for which both hold a digest has two different ones; also if there is none such. */
GL_MUST bool digests_agree(const struct digests *a, const struct digests *b);

/* True if both hold digests for the same algorithms and these are equal. */
GL_MUST bool digests_equal(const struct digests *a, const struct digests *b);

#endif
