/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_UNIT_EVP_H
#define GL_TESTS_UNIT_EVP_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "common/alg.h"

/* What the tests believe instead of the code under test: OpenSSL's EVP over the parts one after the other. */
static inline void evp_parts(enum alg a, const struct span *parts, size_t count, uint8_t out[DIGEST_MAX])
{
	static const char *const names[ALG_COUNT] = { "SHA1", "SHA256", "SHA384", "SHA512" };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned n = 0;

	assert_non_null(ctx);
	assert_int_equal(EVP_DigestInit_ex(ctx, EVP_get_digestbyname(names[a]), NULL), 1);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(EVP_DigestUpdate(ctx, parts[i].p, parts[i].n), 1);
	assert_int_equal(EVP_DigestFinal_ex(ctx, out, &n), 1);
	EVP_MD_CTX_free(ctx);
	assert_int_equal(n, alg_table[a].size);
}

static inline void evp(enum alg a, struct span data, uint8_t out[DIGEST_MAX])
{
	evp_parts(a, &data, 1, out);
}

/* Bytes from hexadecimal digits, for golden values. */
static inline size_t from_hex(const char *hex, uint8_t *out, size_t cap)
{
	size_t n = 0;

	for (; hex[2 * n]; n++) {
		unsigned v = 0;

		assert_true(n < cap);
		for (unsigned k = 0; k < 2; k++) {
			char c = hex[2 * n + k];

			assert_true((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
			v = v << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		}
		out[n] = (uint8_t)v;
	}
	return n;
}

static inline void assert_hex(struct span s, const char *hex)
{
	uint8_t want[256];
	size_t n = from_hex(hex, want, sizeof(want));

	assert_int_equal(s.n, n);
	assert_memory_equal(s.p, want, n);
}

#endif
