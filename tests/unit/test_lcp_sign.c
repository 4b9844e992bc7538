/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "lcp/digest.h"
#include "lcp/host/sign.h"

enum { RSA2048, RSA3072, P256, P384, RSA1024, P521, ED25519, KEYS };

static EVP_PKEY *keys[KEYS];

static int make_keys(void **state)
{
	(void)state;
	keys[RSA2048] = EVP_RSA_gen(2048);
	keys[RSA3072] = EVP_RSA_gen(3072);
	keys[RSA1024] = EVP_RSA_gen(1024);
	keys[P256] = EVP_EC_gen("P-256");
	keys[P384] = EVP_EC_gen("P-384");
	keys[P521] = EVP_EC_gen("P-521");
	keys[ED25519] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (size_t i = 0; i < KEYS; i++)
		if (!keys[i])
			return -1;
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		EVP_PKEY_free(keys[i]);
	return 0;
}

/* A custom element; signing does not look inside. */
static const uint8_t elements[] = { 28, 0, 0, 0, 0x13, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static struct lcp_list fresh(uint16_t version)
{
	return (struct lcp_list){ .version = version, .sig_alg = LCP_ALG_NULL, .elements = SPAN_OF(elements) };
}

static const struct {
	uint16_t version;
	int key;
	uint16_t sig_alg;  /* asked for */
	uint16_t hash_alg; /* asked for */
	uint16_t made_sig_alg;
	uint16_t made_hash_alg;
} kinds[] = {
	{ LCP_LIST_2_0, RSA2048, 0, 0, LCP_ALG_RSASSA, LCP_ALG_SHA256 },
	{ LCP_LIST_2_0, RSA2048, LCP_ALG_RSASSA, LCP_ALG_SHA1, LCP_ALG_RSASSA, LCP_ALG_SHA1 },
	{ LCP_LIST_2_1, RSA3072, 0, LCP_ALG_SHA384, LCP_ALG_RSASSA, LCP_ALG_SHA384 },
	{ LCP_LIST_2_1, P256, 0, 0, LCP_ALG_ECDSA, LCP_ALG_SHA256 },
	{ LCP_LIST_2_1, P384, LCP_ALG_ECDSA, LCP_ALG_SHA384, LCP_ALG_ECDSA, LCP_ALG_SHA384 },
	{ LCP_LIST_3_0, RSA2048, 0, 0, LCP_ALG_RSAPSS, LCP_ALG_SHA256 },
	{ LCP_LIST_3_0, RSA3072, 0, LCP_ALG_SHA384, LCP_ALG_RSAPSS, LCP_ALG_SHA384 },
	{ LCP_LIST_3_0, RSA3072, LCP_ALG_RSASSA, 0, LCP_ALG_RSASSA, LCP_ALG_SHA256 },
	{ LCP_LIST_3_0, P256, 0, 0, LCP_ALG_ECDSA, LCP_ALG_SHA256 },
	{ LCP_LIST_3_0, P384, 0, 0, LCP_ALG_ECDSA, LCP_ALG_SHA384 },
};

static void sign_kind(size_t i, struct lcp_list *l, struct lcp_sign_room *room)
{
	struct lcp_sign_how how = { kinds[i].sig_alg, kinds[i].hash_alg, 0x1234 };
	struct lcp_key_error why = { "" };
	uint16_t hash_alg = 0;

	*l = fresh(kinds[i].version);
	if (!lcp_sign_prepare(l, keys[kinds[i].key], &how, room, &hash_alg, &why) ||
		!lcp_sign_list(l, keys[kinds[i].key], hash_alg, room, &why))
		fail_msg("kind %zu: %s", i, why.text);
	assert_int_equal(hash_alg, kinds[i].made_hash_alg);
}

/* Signed, encoded, decoded, valid, and the algorithms are what was asked for. */
static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(kinds); i++) {
		struct lcp_sign_room room;
		struct lcp_key_error why = { "" };
		struct lcp_list l, again;
		uint8_t bytes[2048];
		uint16_t hash_alg = 0;
		size_t n = 0;

		sign_kind(i, &l, &room);
		assert_int_equal(lcp_list_validate(&l, NULL), LCP_OK);
		assert_int_equal(l.sig_alg, kinds[i].made_sig_alg);
		assert_int_equal(l.sig.revocation, 0x1234);
		assert_int_equal(lcp_list_encode(&l, (struct mspan){ bytes, sizeof(bytes) }, &n), LCP_OK);
		assert_int_equal(lcp_list_decode((struct span){ bytes, n }, &again), LCP_OK);
		if (!lcp_sign_verify(&again, &hash_alg, &why))
			fail_msg("kind %zu: %s", i, why.text);
		assert_int_equal(hash_alg, kinds[i].made_hash_alg);
		for (int k = 0; k < KEYS; k++)
			assert_int_equal(lcp_sign_is_by(&again, keys[k]), k == kinds[i].key);
		hash_alg = 0;
		assert_true(lcp_openssl_verify.verify(lcp_openssl_verify.ctx, &again, &hash_alg));
		assert_int_equal(hash_alg, kinds[i].made_hash_alg);
	}
}

/* Every byte of the encoded list changed: either it is another list, or the signature no longer holds. */
static void test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(kinds); i++) {
		struct lcp_sign_room room;
		struct lcp_list l;
		uint8_t bytes[2048];
		unsigned wrong = 0;
		size_t n = 0;

		sign_kind(i, &l, &room);
		assert_int_equal(lcp_list_encode(&l, (struct mspan){ bytes, sizeof(bytes) }, &n), LCP_OK);
		for (size_t at = 0; at < n; at++) {
			struct lcp_key_error why = { "" };
			struct lcp_list changed;
			uint16_t hash_alg = 0;

			bytes[at] ^= 0x10;
			if (lcp_list_decode((struct span){ bytes, n }, &changed) == LCP_OK) {
				bool valid = lcp_sign_verify(&changed, &hash_alg, &why);

				/* 3.0 does not sign what stands around the key; none of that changes what was signed. */
				if (valid && changed.sig.version[0] == l.sig.version[0] && changed.sig.version[1] == l.sig.version[1] &&
					changed.sig.version[2] == l.sig.version[2])
					fail_msg("kind %zu: byte %zu", i, at);
				wrong += !valid;
			}
			bytes[at] ^= 0x10;
		}
		/* Elements, revocation counter, key and signature at least. */
		assert_true(wrong >= 16 + 2 + 2 * l.sig.key.n);
	}
}

/* Signatures made elsewhere, in both forms of ECDSA. */
static void test_external(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(kinds); i++) {
		struct lcp_sign_how how = { kinds[i].sig_alg, kinds[i].hash_alg, 0 };
		struct lcp_sign_room room, other_room;
		struct lcp_key_error why = { "" };
		struct lcp_list l = fresh(kinds[i].version), made;
		uint8_t signature[LCP_SIGN_PART_MAX], *data = NULL;
		uint16_t hash_alg = 0;
		size_t n = 0, part, covered = 0;

		assert_true(lcp_sign_prepare(&l, keys[kinds[i].key], &how, &room, &hash_alg, &why));
		assert_true(lcp_sign_data(&l, &data, &n, &why));
		made = l;
		memcpy(&other_room, &room, sizeof(room));
		made.sig.key.p = other_room.key;
		assert_true(lcp_sign_list(&made, keys[kinds[i].key], hash_alg, &other_room, &why));
		/* What was covered is the beginning of what comes out. */
		covered = lcp_list_signed_size(&made);
		assert_int_equal(covered, n);
		free(data);
		/* Turned round again as a token would give it. */
		part = l.sig.key_alg == LCP_ALG_RSA ? l.sig.key.n : l.sig.key.n / 2;
		for (size_t at = 0; at < l.sig.key.n; at += part)
			lcp_reverse(signature + at, (struct span){ made.sig.block.p + at, part });
		if (!lcp_sign_take(&l, (struct span){ signature, l.sig.key.n }, hash_alg, &room, &why))
			fail_msg("kind %zu: %s", i, why.text);
		assert_true(span_equal(l.sig.block, made.sig.block));
		/* Too short; and one that does not belong to the list. */
		assert_false(lcp_sign_take(&l, (struct span){ signature, l.sig.key.n - 1 }, hash_alg, &room, &why));
		assert_non_null(strstr(why.text, "bytes, the key takes"));
		l = fresh(kinds[i].version);
		how.revocation = 1;
		assert_true(lcp_sign_prepare(&l, keys[kinds[i].key], &how, &room, &hash_alg, &why));
		assert_false(lcp_sign_take(&l, (struct span){ signature, l.sig.key.n }, hash_alg, &room, &why));
		assert_string_equal(why.text, "the signature is wrong");
		assert_int_equal(l.sig.block.n, 0);
	}
}

static void test_external_der(void **state)
{
	struct lcp_sign_how how = { 0, 0, 0 };
	struct lcp_sign_room room;
	struct lcp_key_error why = { "" };
	struct lcp_list l = fresh(LCP_LIST_2_1);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[128], *data = NULL;
	uint16_t hash_alg = 0;
	size_t n = 0, size = sizeof(der);

	(void)state;
	assert_true(lcp_sign_prepare(&l, keys[P256], &how, &room, &hash_alg, &why));
	assert_true(lcp_sign_data(&l, &data, &n, &why));
	assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, keys[P256], NULL), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &size, data, n), 1);
	assert_true(lcp_sign_take(&l, (struct span){ der, size }, hash_alg, &room, &why));
	/* Bytes behind it make it none. */
	assert_false(lcp_sign_take(&l, (struct span){ der, size + 1 }, hash_alg, &room, &why));
	/* The algorithm that was agreed on. */
	assert_false(lcp_sign_take(&l, (struct span){ der, size }, LCP_ALG_SHA384, &room, &why));
	free(data);
	EVP_MD_CTX_free(ctx);
}

static void assert_refused(uint16_t version, int key, uint16_t sig_alg, uint16_t hash_alg, const char *text)
{
	struct lcp_sign_how how = { sig_alg, hash_alg, 0 };
	struct lcp_sign_room room;
	struct lcp_key_error why = { "" };
	struct lcp_list l = fresh(version), before = l;
	uint16_t out = 0x5555;

	assert_false(lcp_sign_prepare(&l, keys[key], &how, &room, &out, &why));
	if (!strstr(why.text, text))
		fail_msg("%s: not %s", why.text, text);
	assert_memory_equal(&l, &before, sizeof(l));
	assert_int_equal(out, 0x5555);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused(LCP_LIST_2_1, RSA1024, 0, 0, "1024 bits");
	assert_refused(LCP_LIST_2_1, P521, 0, 0, "secp521r1");
	assert_refused(LCP_LIST_2_1, ED25519, 0, 0, "neither RSA nor EC");
	assert_refused(LCP_LIST_1_0, RSA2048, 0, 0, "TPM 1.2");
	assert_refused(0x0900, RSA2048, 0, 0, "version");
	assert_refused(LCP_LIST_2_1, RSA2048, LCP_ALG_ECDSA, 0, "does not sign with ecdsa");
	assert_refused(LCP_LIST_2_1, P256, LCP_ALG_RSASSA, 0, "does not sign with rsassa");
	assert_refused(LCP_LIST_2_1, RSA2048, LCP_ALG_RSAPSS, 0, "not signed with rsapss");
	assert_refused(LCP_LIST_2_1, RSA3072, 0, LCP_ALG_SHA1, "LcpSignAlgMask");
	assert_refused(LCP_LIST_2_1, P256, 0, LCP_ALG_SHA384, "LcpSignAlgMask");
	assert_refused(LCP_LIST_3_0, P384, 0, LCP_ALG_SHA256, "LcpSignAlgMask");
}

/* RSA keys with another exponent would be taken for ones with 65537 by SINIT. */
static void test_exponent(void **state)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	struct lcp_sign_how how = { 0, 0, 0 };
	struct lcp_sign_room room;
	struct lcp_key_error why = { "" };
	struct lcp_list l = fresh(LCP_LIST_2_1);
	BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;
	uint16_t hash_alg = 0;

	(void)state;
	assert_int_equal(BN_set_word(e, 17), 1);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
	assert_false(lcp_sign_prepare(&l, key, &how, &room, &hash_alg, &why));
	assert_non_null(strstr(why.text, "65537"));
	EVP_PKEY_free(key);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
}

/*
 * Lists of version 3.0 carry an exponent that neither signature nor policy hash covers. With 1 the padded digest itself, which needs no
 * key, would be a good signature.
 */
static void test_forged_exponent(void **state)
{
	static const uint8_t sha256_info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
		0x05, 0x00, 0x04, 0x20 }; /* RFC 8017, 9.2, note 1 */
	static const uint32_t exponents[] = { 1, 3, 0, 65537 };
	struct lcp_sign_how how = { LCP_ALG_RSASSA, LCP_ALG_SHA256, 0 };
	struct lcp_sign_room room;
	struct lcp_key_error why = { "" };
	struct lcp_list l = fresh(LCP_LIST_3_0);
	uint8_t *data = NULL, padded[384];
	size_t n = 0, at = sizeof(padded) - 32;
	uint16_t hash_alg = 0;

	(void)state;
	assert_true(lcp_sign_prepare(&l, keys[RSA3072], &how, &room, &hash_alg, &why));
	assert_true(lcp_sign_data(&l, &data, &n, &why));
	assert_int_equal(EVP_Digest(data, n, padded + at, NULL, EVP_sha256(), NULL), 1);
	free(data);
	memset(padded, 0xff, at);
	padded[0] = 0;
	padded[1] = 1;
	padded[at - sizeof(sha256_info) - 1] = 0;
	memcpy(padded + at - sizeof(sha256_info), sha256_info, sizeof(sha256_info));
	for (size_t i = 0; i < sizeof(padded); i++)
		room.block[i] = padded[sizeof(padded) - 1 - i];
	l.sig.block = (struct span){ room.block, sizeof(padded) };
	for (size_t i = 0; i < GL_COUNT(exponents); i++) {
		l.sig.exponent = exponents[i];
		assert_false(lcp_sign_verify(&l, &hash_alg, &why));
		assert_non_null(strstr(why.text, exponents[i] == 65537 ? "the signature is wrong" : "exponent in the list is not 65537"));
		assert_int_equal(lcp_sign_is_by(&l, keys[RSA3072]), exponents[i] == 65537);
	}
}

static void test_nothing_to_verify(void **state)
{
	struct lcp_sign_how how = { 0, 0, 0 };
	struct lcp_sign_room room;
	struct lcp_key_error why = { "" };
	struct lcp_list l = fresh(LCP_LIST_2_1);
	uint16_t hash_alg = 0;

	(void)state;
	assert_false(lcp_sign_verify(&l, &hash_alg, &why));
	assert_string_equal(why.text, "the list is not signed");
	assert_false(lcp_sign_is_by(&l, keys[P256]));
	assert_true(lcp_sign_prepare(&l, keys[P256], &how, &room, &hash_alg, &why));
	assert_false(lcp_sign_verify(&l, &hash_alg, &why));
	assert_string_equal(why.text, "the list has a key, but no signature");
	/* A key that is no point of the curve. */
	assert_true(lcp_sign_list(&l, keys[P256], hash_alg, &room, &why));
	room.key[0] ^= 1;
	assert_false(lcp_sign_verify(&l, &hash_alg, &why));
	assert_non_null(strstr(why.text, "no key of its kind"));
	l.sig_alg = LCP_ALG_SM2;
	assert_false(lcp_sign_verify(&l, &hash_alg, &why));
	assert_non_null(strstr(why.text, "SM2"));
}

/* Sizes that a list can name, but that no policy list has. */
static void test_strange_keys(void **state)
{
	static uint8_t bytes[8192];
	/* clang-format off */
	static const struct {
		uint16_t sig_alg, key_alg;
		uint32_t bits;
	} keys_of_lists[] = {
		{ LCP_ALG_RSASSA, LCP_ALG_RSA, 4096 }, { LCP_ALG_RSASSA, LCP_ALG_RSA, 65528 }, { LCP_ALG_ECDSA, LCP_ALG_ECC, 512 },
		{ LCP_ALG_ECDSA, LCP_ALG_ECC, 8 }, { LCP_ALG_ECDSA, LCP_ALG_ECC, 1536 },
	};
	/* clang-format on */

	(void)state;
	memset(bytes, 0xa5, sizeof(bytes));
	for (size_t i = 0; i < GL_COUNT(keys_of_lists); i++) {
		struct lcp_list l = fresh(LCP_LIST_2_1);
		struct lcp_key_error why = { "" };
		uint16_t hash_alg = 0;

		l.sig_alg = keys_of_lists[i].sig_alg;
		l.sig.key_alg = keys_of_lists[i].key_alg;
		l.sig.key_bits = keys_of_lists[i].bits;
		l.sig.key = (struct span){ bytes, lcp_sig_part_size(l.sig.key_alg, l.sig.key_bits) };
		l.sig.block = l.sig.key;
		assert_false(lcp_sign_verify(&l, &hash_alg, &why));
		assert_string_equal(why.text, "the list's key is no key of its kind and size");
		assert_false(lcp_sign_is_by(&l, keys[RSA2048]));
		/* A block of another size than the key. */
		l.sig.block.n--;
		assert_false(lcp_sign_verify(&l, &hash_alg, &why));
	}
}

/* ---- where keys come from ---- */

static char path[] = "/tmp/test_lcp_sign.XXXXXX";

static void write_key(EVP_PKEY *key, const char *passphrase)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, key, passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
				 passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
		1);
	assert_int_equal(fclose(f), 0);
}

static void test_pem(void **state)
{
	struct lcp_key_source source = { .name = path };
	struct lcp_key_error why = { "" };
	EVP_PKEY *key = NULL;
	FILE *f;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	write_key(keys[P256], NULL);
	assert_true(lcp_key_private(&source, &key, &why));
	assert_int_equal(EVP_PKEY_eq(key, keys[P256]), 1);
	EVP_PKEY_free(key);
	key = NULL;
	/* A private key has a public one in it. */
	assert_true(lcp_key_public(&source, &key, &why));
	EVP_PKEY_free(key);
	key = NULL;
	/* With a passphrase: wrong, none, right. */
	write_key(keys[P256], "secret");
	assert_false(lcp_key_private(&source, &key, &why));
	source.passphrase = SPAN_LITERAL("wrong");
	assert_false(lcp_key_private(&source, &key, &why));
	assert_null(key);
	source.passphrase = SPAN_LITERAL("secret");
	assert_true(lcp_key_private(&source, &key, &why));
	EVP_PKEY_free(key);
	key = NULL;
	/* A public key is no private one. */
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_PUBKEY(f, keys[RSA2048]), 1);
	assert_int_equal(fclose(f), 0);
	assert_true(lcp_key_public(&source, &key, &why));
	assert_int_equal(EVP_PKEY_eq(key, keys[RSA2048]), 1);
	EVP_PKEY_free(key);
	key = NULL;
	assert_false(lcp_key_private(&source, &key, &why));
	assert_non_null(strstr(why.text, "no private key in it"));
	assert_int_equal(unlink(path), 0);
	assert_false(lcp_key_private(&source, &key, &why));
	source.engine = "no-such-engine";
	assert_false(lcp_key_private(&source, &key, &why));
	assert_non_null(strstr(why.text, "no engine no-such-engine"));
	source.engine = NULL;
	source.provider = "no-such-provider";
	assert_false(lcp_key_private(&source, &key, &why));
	assert_non_null(strstr(why.text, "no provider no-such-provider"));
	assert_null(key);
}

int main(void)
{
	/* clang-format off */
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds), cmocka_unit_test(test_changes), cmocka_unit_test(test_external), cmocka_unit_test(test_external_der),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_exponent),
		cmocka_unit_test(test_forged_exponent), cmocka_unit_test(test_nothing_to_verify), cmocka_unit_test(test_strange_keys),
		cmocka_unit_test(test_pem),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
