/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_ALG_H
#define GL_LCP_ALG_H

#include "common/alg.h"
#include "common/text.h"

/*
 * Algorithms as launch control policies name them: TCG Algorithm Registry, table 3, for the identifiers; SDG D.1.3 for the masks.
 * In memory an algorithm is always its TPM_ALG_ID, also where the format has another number (LCP_POLHALG_SHA1 = 0,
 * LCP_POLSALG_RSA_PKCS_15 = 1).
 */
#define LCP_ALG_RSA 0x0001
#define LCP_ALG_SHA1 0x0004
#define LCP_ALG_SHA256 0x000b
#define LCP_ALG_SHA384 0x000c
#define LCP_ALG_SHA512 0x000d
#define LCP_ALG_NULL 0x0010
#define LCP_ALG_SM3_256 0x0012
#define LCP_ALG_RSASSA 0x0014
#define LCP_ALG_RSAPSS 0x0016
#define LCP_ALG_ECDSA 0x0018
#define LCP_ALG_SM2 0x001b
#define LCP_ALG_ECC 0x0023

#define LCP_DIGEST_MAX DIGEST_MAX

/* Hash algorithms that policies may name; more than common/ can compute (sm3_256). */
struct lcp_hash_info {
	uint16_t tpm_id;
	uint8_t size;     /* of a digest, in bytes */
	uint16_t mask;    /* bit in LcpHashAlgMask and AuxHashAlgMask */
	const char *name; /* "sha256" */
};

extern const struct lcp_hash_info lcp_hashes[];
extern const size_t lcp_hash_count;

/* NULL if the algorithm is none of LCP's. */
const struct lcp_hash_info *lcp_hash_by_id(uint16_t tpm_id);
const struct lcp_hash_info *lcp_hash_by_name(struct span name);

/* Size of a digest in bytes; 0 if the algorithm is unknown. */
size_t lcp_digest_size(uint16_t tpm_id);

/* All bits of the hash masks that are defined. */
#define LCP_HASH_MASK_ALL 0x00e9
/* All bits of LcpSignAlgMask that document or tools define. */
#define LCP_SIGN_MASK_ALL 0x00077fffu

/* Signature algorithms: what LcpSignAlgMask can approve. */
struct lcp_sign_info {
	uint32_t mask;
	uint16_t sig_alg; /* RSASSA, ECDSA, SM2; the RSASSA bits stand for RSAPSS too */
	uint16_t key_bits;
	uint16_t hash_alg;
	const char *name; /* "rsa-2048-sha256" as lcp2_crtpol --sign takes it */
};

extern const struct lcp_sign_info lcp_signs[];
extern const size_t lcp_sign_count;

const struct lcp_sign_info *lcp_sign_by_name(struct span name);
/* RSAPSS finds the row of RSASSA. NULL if no bit stands for the combination. */
const struct lcp_sign_info *lcp_sign_find(uint16_t sig_alg, uint32_t key_bits, uint16_t hash_alg);

/* Name of any of the TPM_ALG_IDs above, NULL if it is none. */
const char *lcp_alg_name(uint16_t tpm_id);

/* Names of the bits that are set, with commas between; "none" for 0; unknown bits as a hexadecimal number. */
void lcp_hash_mask_print(uint16_t mask, struct text *t);
void lcp_sign_mask_print(uint32_t mask, struct text *t);

#endif
