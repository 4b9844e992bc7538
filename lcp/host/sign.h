/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_HOST_SIGN_H
#define GL_LCP_HOST_SIGN_H

#include "lcp/evaluate.h"
#include "lcp/host/key.h"

/*
 * Signatures of policy lists, by OpenSSL. RSASSA (PKCS#1 v1.5) and RSAPSS with 2048 or 3072 bits, ECDSA on P-256 and P-384; not SM2.
 * Lists hold keys and signatures as little-endian numbers; here they are turned round.
 */
#define LCP_SIGN_PART_MAX (3072 / 8)

/* The bytes that a list points to while it is being signed. */
struct lcp_sign_room {
	uint8_t key[LCP_SIGN_PART_MAX];
	uint8_t block[LCP_SIGN_PART_MAX];
};

struct lcp_sign_how {
	uint16_t sig_alg;  /* RSASSA, RSAPSS or ECDSA; 0: the key's usual one for the list's version */
	uint16_t hash_alg; /* TPM_ALG_ID; 0: SHA-256, P-384 SHA-384 */
	uint16_t revocation;
};

/*
 * Makes the list one that is to be signed with this key: algorithms, sizes, the key itself, the revocation counter; an old signature is
 * forgotten. `hash_alg` is what will be hashed with. False if list version, key and algorithms do not go together.
 */
GL_MUST bool lcp_sign_prepare(struct lcp_list *l, EVP_PKEY *key, const struct lcp_sign_how *how, struct lcp_sign_room *room,
	uint16_t *hash_alg, struct lcp_key_error *why);

/* The bytes that the signature covers, of a prepared list or one with a signature; `*out` is to be freed. */
GL_MUST bool lcp_sign_data(const struct lcp_list *l, uint8_t **out, size_t *n, struct lcp_key_error *why);

/* Signs a prepared list. */
GL_MUST bool lcp_sign_list(struct lcp_list *l, EVP_PKEY *key, uint16_t hash_alg, struct lcp_sign_room *room, struct lcp_key_error *why);

/*
 * Puts a signature that somebody else made into a prepared list, and verifies it. Big-endian as OpenSSL and tokens have them: RSA one
 * number, ECDSA DER or r and s one behind the other.
 */
GL_MUST bool lcp_sign_take(
	struct lcp_list *l, struct span signature, uint16_t hash_alg, struct lcp_sign_room *room, struct lcp_key_error *why);

/*
 * Verifies a list's signature with the key in the list. `*hash_alg` is what was hashed with: told by the list, or for RSASSA below 3.0
 * found by trying SHA-1, SHA-256, SHA-384, SHA-512.
 */
GL_MUST bool lcp_sign_verify(const struct lcp_list *l, uint16_t *hash_alg, struct lcp_key_error *why);

/* True if the list was signed with this key. */
GL_MUST bool lcp_sign_is_by(const struct lcp_list *l, EVP_PKEY *key);

/* For lcp_evaluate(). */
extern const struct lcp_verify_ops lcp_openssl_verify;

#endif
