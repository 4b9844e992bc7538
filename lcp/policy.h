/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_POLICY_H
#define GL_LCP_POLICY_H

#include "lcp/alg.h"
#include "lcp/error.h"

/*
 * The launch control policy as it lies in the TPM's NV index (owner 0x01c10106, supplier 0x01c10103): LCP_POLICY2, version 3.0-3.2, for
 * TPM 2.0 (SDG D.1.3: 38 bytes and a digest) and LCP_POLICY, version 2.0-2.4, for TPM 1.2 (SDG D.1.2: 54 bytes). Little-endian, packed.
 */
#define LCP_POLICY_3_0 0x0300
#define LCP_POLICY_3_1 0x0301
#define LCP_POLICY_3_2 0x0302
#define LCP_POLICY_2_0 0x0200
#define LCP_POLICY_2_4 0x0204

#define LCP_MAX_LISTS 8
#define LCP_POLICY2_HEADER_SIZE 38
#define LCP_POLICY_SIZE 54
#define LCP_POLICY_MAX_SIZE (LCP_POLICY2_HEADER_SIZE + LCP_DIGEST_MAX)

enum lcp_policy_type {
	LCP_POLICY_LIST = 0, /* LCP_POLTYPE_LIST: only what the lists of the policy data file allow */
	LCP_POLICY_ANY = 1,  /* LCP_POLTYPE_ANY */
};

/* PolicyControl, SDG D.1.1. */
#define LCP_CONTROL_NPW 0x00000002u            /* a non-production-worthy SINIT or BIOS ACM is allowed */
#define LCP_CONTROL_SINIT_CAPS 0x00000004u     /* OsSinitData.Capabilities is measured into PCR 17 */
#define LCP_CONTROL_OWNER_ENFORCED 0x00000008u /* an owner policy is required, or the supplier's PCONF is enforced */
#define LCP_CONTROL_AUX_DELETE 0x80000000u
#define LCP_CONTROL_ALL (LCP_CONTROL_NPW | LCP_CONTROL_SINIT_CAPS | LCP_CONTROL_OWNER_ENFORCED | LCP_CONTROL_AUX_DELETE)

struct lcp_policy {
	uint16_t version;
	uint16_t hash_alg; /* TPM_ALG_ID; always SHA-1 in 2.x */
	uint8_t type;      /* enum lcp_policy_type */
	uint8_t sinit_min_version;
	uint16_t revocation[LCP_MAX_LISTS];
	uint32_t control;
	uint8_t max_sinit_min_version;
	uint8_t max_biosac_min_version; /* 3.0, and 2.x below 2.4; reserved in the others */
	uint16_t hash_mask;             /* LcpHashAlgMask; reserved in 2.x */
	uint32_t sign_mask;             /* LcpSignAlgMask; reserved in 2.x */
	uint16_t aux_hash_mask;         /* AuxHashAlgMask; 3.x only, reserved in 3.2 */
	uint8_t reserved1;              /* 2.x only */
	uint16_t reserved2;             /* 3.x only */
	uint8_t hash_size;              /* of the digest, in bytes: that of hash_alg */
	uint8_t hash[LCP_DIGEST_MAX];   /* of the policy data; without meaning for the type any */
};

/* True for LCP_POLICY (TPM 1.2). */
static inline bool lcp_policy_is_legacy(const struct lcp_policy *p)
{
	return p->version >> 8 == 2;
}

static inline struct span lcp_policy_hash(const struct lcp_policy *p)
{
	return (struct span){ p->hash, p->hash_size };
}

/* Takes the bytes apart. Checked is only what is needed to find the fields: version, hash algorithm, length. `out` on success only. */
GL_MUST enum lcp_error lcp_policy_decode(struct span bytes, struct lcp_policy *out);

/* The same for the content of an NV index, which may be larger than the policy; `*used` is the policy's size. */
GL_MUST enum lcp_error lcp_policy_decode_prefix(struct span bytes, struct lcp_policy *out, size_t *used);

/* Checks every rule. */
GL_MUST enum lcp_error lcp_policy_validate(const struct lcp_policy *p);

/*
 * Writes the policy into `buf`; `*n` is its size (with buf.p NULL only the size is computed). encode(decode(b)) = b, also for 2.x.
 * Checked is only what the bytes cannot express. On failure `*n` is untouched, but the buffer may have been.
 */
GL_MUST enum lcp_error lcp_policy_encode(const struct lcp_policy *p, struct mspan buf, size_t *n);

/* Prints it, one field a line. */
void lcp_policy_print(const struct lcp_policy *p, struct text *t);

/* "list", "any"; NULL if it is neither. */
const char *lcp_policy_type_name(uint8_t type);
GL_MUST bool lcp_policy_type_by_name(struct span name, uint8_t *out);
/* "3.2" and so on. */
GL_MUST bool lcp_policy_version_by_name(struct span name, uint16_t *out);

#endif
