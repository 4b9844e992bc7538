/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_LIST_H
#define GL_LCP_LIST_H

#include "lcp/element.h"

/*
 * Policy lists: header, elements, and the public key and signature of whoever wrote the list, or none. Little-endian, packed.
 *
 *   1.0       LCP_POLICY_LIST     {u16 version, u8 reserved, u8 sig_alg, u32 size of the elements}, elements, LCP_SIGNATURE
 *   2.0, 2.1  LCP_POLICY_LIST2    {u16 version, u16 sig_alg, u32 size of the elements}, elements, LCP_RSA_SIGNATURE or
 *                                 LCP_ECC_SIGNATURE (SDG D.3.2.1)
 *   3.0       LCP_POLICY_LIST2_1  {u16 version, u16 KeySignatureOffset, u32 size of the elements}, elements, LCP_SIGNATURE2_1
 *                                 (tboot 1.10.5 include/lcp3.h)
 */
#define LCP_LIST_1_0 0x0100
#define LCP_LIST_2_0 0x0200
#define LCP_LIST_2_1 0x0201
#define LCP_LIST_3_0 0x0300
#define LCP_LIST_HEADER_SIZE 8

#define LCP_SIG_VERSION 0x10 /* of the three structures in LCP_SIGNATURE2_1 */
#define LCP_SIG_EXPONENT 65537

/* Keys and signatures are numbers in little-endian byte order, the other way round than OpenSSL has them. */
struct lcp_signature {
	uint16_t revocation; /* revocation counter */
	uint16_t key_alg;    /* RSA or ECC; below 3.0 it follows from the list's sig_alg */
	uint32_t key_bits;
	uint32_t exponent;  /* 3.0, RSA; else 0 */
	uint16_t hash_alg;  /* 3.0: what was signed; else 0, see lcp_list_sig_hash_alg() */
	uint32_t reserved;  /* 2.x, ECC; else 0 */
	uint8_t version[3]; /* 3.0: of key-and-signature, key, signature; else 0 */
	struct span key;    /* RSA: the modulus. ECC: Qx, Qy */
	struct span block;  /* RSA: the signature. ECC: r, s. Empty below 3.0: not signed yet */
};

/* A list taken apart; spans point into the bytes given to the decoder or, for a list put together, to the caller's. */
struct lcp_list {
	uint16_t version;
	uint16_t sig_alg;         /* NULL: not signed; RSASSA (1.0: LCP_POLSALG_RSA_PKCS_15), RSAPSS, ECDSA, SM2 */
	uint8_t reserved;         /* 1.0 only */
	struct span elements;     /* walk with lcp_elements_next() */
	struct lcp_signature sig; /* all 0 if sig_alg is NULL */
};

static inline bool lcp_list_signed(const struct lcp_list *l)
{
	return l->sig_alg != LCP_ALG_NULL;
}

/*
 * Takes a list apart, which must be all of `bytes`. Checked is what is needed to find the fields, and that the elements' sizes add
 * up; their bodies are not looked at. Below 3.0 a list may end behind the key: then it is still to be signed. `out` on success only.
 */
GL_MUST enum lcp_error lcp_list_decode(struct span bytes, struct lcp_list *out);

/* The same for a list that others follow (in policy data): it must be whole. `*used` is its size. */
GL_MUST enum lcp_error lcp_list_decode_prefix(struct span bytes, struct lcp_list *out, size_t *used);

/* Checks every rule, also of the elements. `where`, if not NULL, gets on failure the number of the element, or -1 for the list. */
GL_MUST enum lcp_error lcp_list_validate(const struct lcp_list *l, int *where);

/* The part of it that is about the signature's fields. Some of them neither the signature nor the policy's hash covers. */
GL_MUST enum lcp_error lcp_list_signature_validate(const struct lcp_list *l);

/*
 * Writes the list into `buf`; `*n` is its size (with buf.p NULL only the size is computed). encode(decode(b)) = b.
 * Checked is only what the bytes cannot express. On failure `*n` is untouched, but the buffer may have been.
 */
GL_MUST enum lcp_error lcp_list_encode(const struct lcp_list *l, struct mspan buf, size_t *n);

/* Prints it, one field a line, each line behind `indent` blanks. Elements that cannot be taken apart are said to be so. */
void lcp_list_print(const struct lcp_list *l, unsigned indent, struct text *t);

/*
 * The algorithm whose digest was signed: what the list says (3.0), or what follows from it (1.0: SHA-1; 2.x: ECDSA P-256 SHA-256, P-384
 * SHA-384, SM2 SM3). LCP_ALG_NULL: only the signature itself tells (2.x, RSASSA: the DigestInfo in its padding).
 */
uint16_t lcp_list_sig_hash_alg(const struct lcp_list *l);

/* "2.1" and so on, NULL if it is none. */
const char *lcp_list_version_name(uint16_t version);
GL_MUST bool lcp_list_version_by_name(struct span name, uint16_t *out);

/* Bytes of the key and of the signature block for a key of `key_bits`: RSA one number each, ECC two. 0 if the algorithm is neither. */
size_t lcp_sig_part_size(uint16_t key_alg, uint32_t key_bits);

/* Copies a number in the other byte order; n bytes each, which may not overlap. For those who sign and verify. */
void lcp_reverse(uint8_t *out, struct span in);

#endif
