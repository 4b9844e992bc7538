/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_LIST_LAYOUT_H
#define GL_LCP_LIST_LAYOUT_H

#include "common/cursor.h"
#include "lcp/list.h"

/* How the versions of lists differ on the wire. */
struct lcp_list_layout {
	uint8_t major;
	uint8_t last_minor;
	uint8_t sig_alg_width; /* of the field in the header; 0: KeySignatureOffset stands in its place */
};

/* NULL if the version's major number is none of ours. */
const struct lcp_list_layout *lcp_list_layout(uint16_t version);

/* The signature algorithms of a version. */
struct lcp_list_sig_alg {
	uint8_t major;
	uint16_t wire;    /* number in header (1.x, 2.x) or SigScheme (3.x) */
	uint16_t sig_alg; /* TPM_ALG_ID */
	uint16_t key_alg;
	bool ecc_head; /* 2.x: LCP_ECC_SIGNATURE, with a reserved field, instead of LCP_RSA_SIGNATURE */
};

/* NULL if the version does not have it. */
const struct lcp_list_sig_alg *lcp_list_sig_alg_by_wire(uint16_t version, uint16_t wire);
const struct lcp_list_sig_alg *lcp_list_sig_alg_by_id(uint16_t version, uint16_t sig_alg);

/* What stands before the key: revocation counter, and below 3.0 the key's size. */
#define LCP_SIG_HEAD_MAX 8
/* LCP_SIGNATURE2_1 up to KeyAndSignature. */
#define LCP_SIG_REVOCATION_SIZE 2

/* The parts of an encoded list, for those who write or hash it. The list must have passed lcp_list_encodable(). */
GL_MUST enum lcp_error lcp_list_encodable(const struct lcp_list *l);
void lcp_list_write_head(struct wr *w, const struct lcp_list *l);
void lcp_list_write_sig_head(struct wr *w, const struct lcp_list *l);

/* As lcp_list_encodable(), but the signature block, and from 3.0 the key, may be missing: what a signature covers can be known before. */
GL_MUST enum lcp_error lcp_list_signable(const struct lcp_list *l);

#endif
