/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/host/sign.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "lcp/digest.h"
#include "lcp/list_layout.h"

#define CLEANUP(f) __attribute__((cleanup(f)))
#define COORDINATE_MAX (384 / 8)
/* A DER-encoded pair of numbers of that size. */
#define DER_MAX (2 * (COORDINATE_MAX + 3) + 4)

static void free_md_ctx(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

static void free_pkey_ctx(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}

static void free_bn(BIGNUM **n)
{
	BN_free(*n);
}

static void free_params(OSSL_PARAM **p)
{
	OSSL_PARAM_free(*p);
}

static void free_build(OSSL_PARAM_BLD **b)
{
	OSSL_PARAM_BLD_free(*b);
}

static void free_ecdsa(ECDSA_SIG **s)
{
	ECDSA_SIG_free(*s);
}

static void free_bytes(uint8_t **p)
{
	free(*p);
}

static bool is_3(const struct lcp_list *l)
{
	return l->version >> 8 >= 3;
}

static const char *md_name(uint16_t hash_alg)
{
	enum alg a;

	return alg_by_id(hash_alg, &a) ? alg_table[a].name : NULL;
}

/* ---- keys ---- */

static const struct {
	const char *group;
	uint32_t bits;
} curves[] = {
	{ "prime256v1", 256 },
	{ "secp384r1", 384 },
};

static bool read_rsa(EVP_PKEY *key, struct lcp_signature *s, struct lcp_sign_room *room, struct lcp_key_error *why)
{
	CLEANUP(free_bn) BIGNUM *n = NULL;
	CLEANUP(free_bn) BIGNUM *e = NULL;
	int bits = EVP_PKEY_get_bits(key);

	if (bits != 2048 && bits != 3072)
		return lcp_key_fail(why, "the RSA key has %d bits: policy lists take 2048 or 3072", bits);
	if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) || !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e))
		return lcp_key_fail(why, "the RSA key does not show its modulus");
	if (!BN_is_word(e, LCP_SIG_EXPONENT))
		return lcp_key_fail(why, "the RSA key's exponent is not 65537, as SINIT takes it to be");
	if (BN_bn2lebinpad(n, room->key, bits / 8) < 0)
		return lcp_key_fail(why, "the RSA key's modulus is too large");
	s->key_alg = LCP_ALG_RSA;
	s->key_bits = (uint32_t)bits;
	return true;
}

static bool read_coordinates(EVP_PKEY *key, size_t half, struct lcp_sign_room *room)
{
	CLEANUP(free_bn) BIGNUM *x = NULL;
	CLEANUP(free_bn) BIGNUM *y = NULL;

	return EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) &&
	       BN_bn2lebinpad(x, room->key, (int)half) >= 0 && BN_bn2lebinpad(y, room->key + half, (int)half) >= 0;
}

static void free_openssl(uint8_t **p)
{
	OPENSSL_free(*p);
}

/* Keys of engines have no parameters for the coordinates, but show the point as a whole. */
static bool read_point(EVP_PKEY *key, size_t half, struct lcp_sign_room *room)
{
	CLEANUP(free_openssl) uint8_t *point = NULL;
	size_t n = EVP_PKEY_get1_encoded_public_key(key, &point);

	if (n != 1 + 2 * half || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return false;
	lcp_reverse(room->key, (struct span){ point + 1, half });
	lcp_reverse(room->key + half, (struct span){ point + 1 + half, half });
	return true;
}

static bool read_ec(EVP_PKEY *key, struct lcp_signature *s, struct lcp_sign_room *room, struct lcp_key_error *why)
{
	char group[64];
	size_t n;

	if (!EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &n))
		return lcp_key_fail(why, "the key is on no named curve: policy lists take P-256 or P-384");
	for (size_t i = 0; i < GL_COUNT(curves); i++)
		if (strcmp(curves[i].group, group) == 0)
			s->key_bits = curves[i].bits;
	if (!s->key_bits)
		return lcp_key_fail(why, "the key is on the curve %s: policy lists take P-256 or P-384", group);
	if (!read_coordinates(key, s->key_bits / 8, room) && !read_point(key, s->key_bits / 8, room))
		return lcp_key_fail(why, "the key does not show its public point");
	s->key_alg = LCP_ALG_ECC;
	return true;
}

static bool read_key(EVP_PKEY *key, struct lcp_signature *s, struct lcp_sign_room *room, struct lcp_key_error *why)
{
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		return read_rsa(key, s, room, why);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		return read_ec(key, s, room, why);
	return lcp_key_fail(why, "the key is neither RSA nor EC");
}

static bool push_rsa(const struct lcp_list *l, OSSL_PARAM_BLD *b, BIGNUM **n)
{
	*n = BN_lebin2bn(l->sig.key.p, (int)l->sig.key.n, NULL);
	return *n && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, *n) &&
	       OSSL_PARAM_BLD_push_uint(b, OSSL_PKEY_PARAM_RSA_E, LCP_SIG_EXPONENT);
}

static bool push_ec(const struct lcp_list *l, OSSL_PARAM_BLD *b, uint8_t point[1 + 2 * COORDINATE_MAX])
{
	size_t half = l->sig.key.n / 2;
	const char *group = NULL;

	for (size_t i = 0; i < GL_COUNT(curves); i++)
		if (curves[i].bits == l->sig.key_bits)
			group = curves[i].group;
	if (!group || half > COORDINATE_MAX)
		return false;
	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	lcp_reverse(point + 1, (struct span){ l->sig.key.p, half });
	lcp_reverse(point + 1 + half, (struct span){ l->sig.key.p + half, half });
	return OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) &&
	       OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * half);
}

/*
 * Neither the signature nor the policy's hash covers the exponent of a list of version 3.0: with 1, for example, everybody could sign.
 * 65537 is what every policy list has (lcp_list_validate()).
 */
static bool exponent_wrong(const struct lcp_list *l)
{
	return is_3(l) && l->sig.key_alg == LCP_ALG_RSA && l->sig.exponent != LCP_SIG_EXPONENT;
}

/* The key in the list; NULL if it is none, for example no point of its curve. */
static EVP_PKEY *list_key(const struct lcp_list *l)
{
	bool rsa = l->sig.key_alg == LCP_ALG_RSA;
	CLEANUP(free_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, rsa ? "RSA" : "EC", NULL);
	CLEANUP(free_build) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	CLEANUP(free_params) OSSL_PARAM *params = NULL;
	CLEANUP(free_bn) BIGNUM *n = NULL;
	uint8_t point[1 + 2 * COORDINATE_MAX];
	EVP_PKEY *key = NULL;

	if (!ctx || !build || exponent_wrong(l) || l->sig.key.n > LCP_SIGN_PART_MAX ||
		!(rsa ? push_rsa(l, build, &n) : push_ec(l, build, point)))
		return NULL;
	params = OSSL_PARAM_BLD_to_param(build);
	if (!params || EVP_PKEY_fromdata_init(ctx) <= 0 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		return NULL;
	return key;
}

bool lcp_sign_is_by(const struct lcp_list *l, EVP_PKEY *key)
{
	CLEANUP(lcp_key_freep) EVP_PKEY *own = lcp_list_signed(l) ? list_key(l) : NULL;
	bool equal = own && EVP_PKEY_eq(own, key) == 1;

	ERR_clear_error();
	return equal;
}

/* ---- preparing ---- */

static uint16_t usual_sig_alg(const struct lcp_list *l, uint16_t key_alg)
{
	if (key_alg == LCP_ALG_ECC)
		return LCP_ALG_ECDSA;
	return is_3(l) ? LCP_ALG_RSAPSS : LCP_ALG_RSASSA;
}

static bool check_scheme(const struct lcp_list *l, uint16_t hash_alg, struct lcp_key_error *why)
{
	const char *sig = lcp_alg_name(l->sig_alg), *hash = lcp_alg_name(hash_alg);
	enum lcp_error error = lcp_list_signable(l);

	if (error == LCP_E_LIST_SIG_ALG)
		return lcp_key_fail(
			why, "lists of version %s are not signed with %s", lcp_list_version_name(l->version), sig ? sig : "that");
	if (error)
		return lcp_key_fail(why, "%s", lcp_strerror(error));
	if (!lcp_sign_find(l->sig_alg, l->sig.key_bits, hash_alg))
		return lcp_key_fail(why, "no bit of LcpSignAlgMask stands for %s with %u bits and %s", sig ? sig : "that", l->sig.key_bits,
			hash ? hash : "that hash");
	return true;
}

bool lcp_sign_prepare(struct lcp_list *l, EVP_PKEY *key, const struct lcp_sign_how *how, struct lcp_sign_room *room, uint16_t *hash_alg,
	struct lcp_key_error *why)
{
	struct lcp_list out = { .version = l->version, .elements = l->elements };
	uint16_t hash = how->hash_alg ? how->hash_alg : LCP_ALG_SHA256;

	ERR_clear_error();
	if (!lcp_list_version_name(l->version))
		return lcp_key_fail(why, "%s", lcp_strerror(LCP_E_LIST_VERSION));
	if (l->version >> 8 < 2)
		return lcp_key_fail(why, "lists of version 1.0 are for TPM 1.2; signed are 2.0, 2.1 and 3.0");
	if (!read_key(key, &out.sig, room, why))
		return false;
	if (out.sig.key_bits == 384 && !how->hash_alg)
		hash = LCP_ALG_SHA384;
	out.sig_alg = how->sig_alg ? how->sig_alg : usual_sig_alg(l, out.sig.key_alg);
	out.sig.revocation = how->revocation;
	out.sig.key = (struct span){ room->key, lcp_sig_part_size(out.sig.key_alg, out.sig.key_bits) };
	if (is_3(l)) {
		out.sig.exponent = out.sig.key_alg == LCP_ALG_RSA ? LCP_SIG_EXPONENT : 0;
		out.sig.hash_alg = hash;
		memset(out.sig.version, LCP_SIG_VERSION, sizeof(out.sig.version));
	}
	if ((out.sig_alg == LCP_ALG_ECDSA) != (out.sig.key_alg == LCP_ALG_ECC))
		return lcp_key_fail(why, "the key is an %s key, which does not sign with %s", out.sig.key_alg == LCP_ALG_RSA ? "RSA" : "EC",
			lcp_alg_name(out.sig_alg) ? lcp_alg_name(out.sig_alg) : "that");
	if (!check_scheme(&out, hash, why))
		return false;
	*l = out;
	*hash_alg = hash;
	return true;
}

bool lcp_sign_data(const struct lcp_list *l, uint8_t **out, size_t *n, struct lcp_key_error *why)
{
	static const uint8_t blank[LCP_SIGN_PART_MAX];
	struct lcp_list whole = *l;
	size_t covered = lcp_list_signed_size(l), size = 0;
	uint8_t *buf;

	if (whole.sig.block.n == 0 && whole.sig.key.n <= sizeof(blank))
		whole.sig.block = (struct span){ blank, whole.sig.key.n };
	if (covered == 0 || lcp_list_encode(&whole, (struct mspan){ NULL, 0 }, &size) || covered > size)
		return lcp_key_fail(why, "the list cannot be signed");
	buf = malloc(size);
	if (!buf || lcp_list_encode(&whole, (struct mspan){ buf, size }, &size)) {
		free(buf);
		return lcp_key_fail(why, "out of memory");
	}
	*out = buf;
	*n = covered;
	return true;
}

/* ---- signatures ---- */

static bool set_padding(EVP_PKEY_CTX *ctx, const struct lcp_list *l, int salt)
{
	if (l->sig.key_alg != LCP_ALG_RSA)
		return true;
	if (l->sig_alg != LCP_ALG_RSAPSS)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) > 0;
}

/* Big-endian pair of numbers in the list's order of bytes. */
static void set_pair(struct lcp_list *l, const uint8_t *be, struct lcp_sign_room *room)
{
	size_t half = l->sig.key.n / 2;

	lcp_reverse(room->block, (struct span){ be, half });
	lcp_reverse(room->block + half, (struct span){ be + half, half });
}

static bool take_der(struct lcp_list *l, struct span der, struct lcp_sign_room *room)
{
	CLEANUP(free_ecdsa) ECDSA_SIG *sig = NULL;
	const uint8_t *p = der.p;
	int half = (int)(l->sig.key.n / 2);

	sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	return sig && p == der.p + der.n && BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), room->block, half) == half &&
	       BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), room->block + half, half) == half;
}

/* `raw`: r and s one behind the other are taken too. */
static bool take(struct lcp_list *l, struct span signature, bool raw, struct lcp_sign_room *room)
{
	if (l->sig.key_alg == LCP_ALG_RSA) {
		if (signature.n != l->sig.key.n)
			return false;
		lcp_reverse(room->block, signature);
	} else if (!take_der(l, signature, room)) {
		if (!raw || signature.n != l->sig.key.n)
			return false;
		set_pair(l, signature.p, room);
	}
	l->sig.block = (struct span){ room->block, l->sig.key.n };
	return true;
}

bool lcp_sign_list(struct lcp_list *l, EVP_PKEY *key, uint16_t hash_alg, struct lcp_sign_room *room, struct lcp_key_error *why)
{
	CLEANUP(free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	CLEANUP(free_bytes) uint8_t *data = NULL;
	uint8_t signature[LCP_SIGN_PART_MAX];
	EVP_PKEY_CTX *how = NULL;
	size_t n = 0, size = sizeof(signature);

	ERR_clear_error();
	if (!lcp_sign_data(l, &data, &n, why))
		return false;
	if (!ctx || EVP_DigestSignInit_ex(ctx, &how, md_name(hash_alg), NULL, NULL, key, NULL) <= 0 ||
		!set_padding(how, l, RSA_PSS_SALTLEN_DIGEST) || EVP_DigestSign(ctx, signature, &size, data, n) <= 0)
		return lcp_key_fail(why, "the key does not sign");
	return take(l, (struct span){ signature, size }, false, room) || lcp_key_fail(why, "the signature has not the size of the key");
}

/* The signature block as OpenSSL takes it. */
static bool give(const struct lcp_list *l, uint8_t out[LCP_SIGN_PART_MAX], size_t *n)
{
	CLEANUP(free_ecdsa) ECDSA_SIG *sig = NULL;
	int half = (int)(l->sig.block.n / 2);
	BIGNUM *r, *s;
	uint8_t *p = out;

	if (l->sig.key_alg == LCP_ALG_RSA) {
		lcp_reverse(out, l->sig.block);
		*n = l->sig.block.n;
		return true;
	}
	static_assert(DER_MAX <= LCP_SIGN_PART_MAX, "the DER form fits");
	if (half > COORDINATE_MAX)
		return false;
	sig = ECDSA_SIG_new();
	r = BN_lebin2bn(l->sig.block.p, half, NULL);
	s = BN_lebin2bn(l->sig.block.p + half, half, NULL);
	if (!sig || !r || !s || !ECDSA_SIG_set0(sig, r, s)) {
		BN_free(r);
		BN_free(s);
		return false;
	}
	*n = (size_t)i2d_ECDSA_SIG(sig, &p);
	return true;
}

static bool verify_with(const struct lcp_list *l, EVP_PKEY *key, uint16_t hash_alg, struct span data, struct span signature)
{
	CLEANUP(free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how = NULL;

	return ctx && md_name(hash_alg) && EVP_DigestVerifyInit_ex(ctx, &how, md_name(hash_alg), NULL, NULL, key, NULL) > 0 &&
	       set_padding(how, l, RSA_PSS_SALTLEN_AUTO) && EVP_DigestVerify(ctx, signature.p, signature.n, data.p, data.n) == 1;
}

static bool verify_any(const struct lcp_list *l, EVP_PKEY *key, struct span data, struct span signature, uint16_t *hash_alg)
{
	uint16_t told = lcp_list_sig_hash_alg(l);

	for (enum alg a = 0; a < ALG_COUNT; a++) {
		if (told != LCP_ALG_NULL && told != alg_table[a].tpm_id)
			continue;
		if (verify_with(l, key, alg_table[a].tpm_id, data, signature)) {
			*hash_alg = alg_table[a].tpm_id;
			return true;
		}
	}
	return false;
}

bool lcp_sign_verify(const struct lcp_list *l, uint16_t *hash_alg, struct lcp_key_error *why)
{
	CLEANUP(lcp_key_freep) EVP_PKEY *key = NULL;
	CLEANUP(free_bytes) uint8_t *data = NULL;
	uint8_t signature[LCP_SIGN_PART_MAX];
	size_t n = 0, size = 0;

	ERR_clear_error();
	if (!lcp_list_signed(l))
		return lcp_key_fail(why, "the list is not signed");
	if (l->sig.block.n == 0)
		return lcp_key_fail(why, "the list has a key, but no signature");
	if (l->sig_alg == LCP_ALG_SM2)
		return lcp_key_fail(why, "SM2 signatures cannot be verified here");
	if (exponent_wrong(l))
		return lcp_key_fail(why, "the RSA exponent in the list is not 65537");
	key = l->sig.block.n == l->sig.key.n ? list_key(l) : NULL;
	if (!key)
		return lcp_key_fail(why, "the list's key is no key of its kind and size");
	if (!lcp_sign_data(l, &data, &n, why))
		return false;
	if (!give(l, signature, &size) || !verify_any(l, key, (struct span){ data, n }, (struct span){ signature, size }, hash_alg)) {
		ERR_clear_error();
		return lcp_key_fail(why, "the signature is wrong");
	}
	ERR_clear_error();
	return true;
}

bool lcp_sign_take(struct lcp_list *l, struct span signature, uint16_t hash_alg, struct lcp_sign_room *room, struct lcp_key_error *why)
{
	struct lcp_list out = *l;
	uint16_t found = LCP_ALG_NULL;

	ERR_clear_error();
	if (!take(&out, signature, true, room)) {
		ERR_clear_error();
		return lcp_key_fail(why, "the signature has %zu bytes, the key takes %zu%s", signature.n, out.sig.key.n,
			out.sig.key_alg == LCP_ALG_ECC ? " or DER" : "");
	}
	if (!lcp_sign_verify(&out, &found, why))
		return false;
	if (found != hash_alg)
		return lcp_key_fail(why, "the signature was made with %s, not %s", lcp_alg_name(found), lcp_alg_name(hash_alg));
	*l = out;
	return true;
}

static bool verify_for_evaluation(void *ctx, const struct lcp_list *l, uint16_t *hash_alg)
{
	struct lcp_key_error why;

	(void)ctx;
	return lcp_sign_verify(l, hash_alg, &why);
}

const struct lcp_verify_ops lcp_openssl_verify = { verify_for_evaluation, NULL };
