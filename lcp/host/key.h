/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_HOST_KEY_H
#define GL_LCP_HOST_KEY_H

#include <openssl/evp.h>

#include "common/span.h"

/* Room for why something failed. */
#define LCP_KEY_ERROR_MAX 512

struct lcp_key_error {
	char text[LCP_KEY_ERROR_MAX];
};

/* Where a key is. */
struct lcp_key_source {
	const char *name;       /* a PEM file, or a URI (RFC 7512 "pkcs11:...", "file:...") for what follows */
	const char *engine;     /* OpenSSL engine that has the key ("pkcs11"); NULL: none */
	const char *provider;   /* OpenSSL provider to load beside the default one; NULL: none */
	struct span passphrase; /* of the PEM file, or the token's PIN; p NULL: none, and nobody is asked */
};

/* Opens a private key for signing, or a public one (from a public key, a certificate or a private key). `*out` is to be freed. */
GL_MUST bool lcp_key_private(const struct lcp_key_source *s, EVP_PKEY **out, struct lcp_key_error *why);
GL_MUST bool lcp_key_public(const struct lcp_key_source *s, EVP_PKEY **out, struct lcp_key_error *why);

/* Safe on NULL; fit for a cleanup attribute. */
void lcp_key_freep(EVP_PKEY **key);

/* Writes "WHAT: what OpenSSL said last" and empties OpenSSL's queue. Returns false. */
bool lcp_key_fail(struct lcp_key_error *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
