/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/alg.h"

const struct lcp_hash_info lcp_hashes[] = {
	{ LCP_ALG_SHA1, 20, 0x0001, "sha1" },
	{ LCP_ALG_SHA256, 32, 0x0008, "sha256" },
	{ LCP_ALG_SM3_256, 32, 0x0020, "sm3_256" },
	{ LCP_ALG_SHA384, 48, 0x0040, "sha384" },
	{ LCP_ALG_SHA512, 64, 0x0080, "sha512" },
};
const size_t lcp_hash_count = GL_COUNT(lcp_hashes);

/* Rows without a key size are known by name only. */
const struct lcp_sign_info lcp_signs[] = {
	{ 1u << 0, LCP_ALG_RSASSA, 1024, LCP_ALG_SHA1, "rsa-1024-sha1" },
	{ 1u << 1, LCP_ALG_RSASSA, 1024, LCP_ALG_SHA256, "rsa-1024-sha256" },
	{ 1u << 2, LCP_ALG_RSASSA, 2048, LCP_ALG_SHA1, "rsa-2048-sha1" },
	{ 1u << 3, LCP_ALG_RSASSA, 2048, LCP_ALG_SHA256, "rsa-2048-sha256" },
	{ 1u << 4, LCP_ALG_RSASSA, 2048, LCP_ALG_SHA384, "rsa-2048-sha384" },
	{ 1u << 5, LCP_ALG_RSASSA, 2048, LCP_ALG_SHA512, "rsa-2048-sha512" },
	{ 1u << 6, LCP_ALG_RSASSA, 3072, LCP_ALG_SHA256, "rsa-3072-sha256" },
	{ 1u << 7, LCP_ALG_RSASSA, 3072, LCP_ALG_SHA384, "rsa-3072-sha384" },
	{ 1u << 8, LCP_ALG_RSASSA, 3072, LCP_ALG_SHA512, "rsa-3072-sha512" },
	{ 1u << 9, LCP_ALG_RSASSA, 4096, LCP_ALG_SHA256, "rsa-4096-sha256" },
	{ 1u << 10, LCP_ALG_RSASSA, 4096, LCP_ALG_SHA384, "rsa-4096-sha384" },
	{ 1u << 11, LCP_ALG_RSASSA, 4096, LCP_ALG_SHA512, "rsa-4096-sha512" },
	{ 1u << 12, LCP_ALG_ECDSA, 256, LCP_ALG_SHA256, "ecdsa-p256" },
	{ 1u << 13, LCP_ALG_ECDSA, 384, LCP_ALG_SHA384, "ecdsa-p384" },
	{ 1u << 14, 0, 0, 0, "lms-p56b" },
	{ 1u << 16, LCP_ALG_SM2, 256, LCP_ALG_SM3_256, "sm2" },
	{ 1u << 17, 0, 0, 0, "lms-sha256-m32-h20" },
	{ 1u << 18, 0, 0, 0, "ml-dsa-87" },
};
const size_t lcp_sign_count = GL_COUNT(lcp_signs);

static const struct {
	uint16_t tpm_id;
	const char *name;
} others[] = {
	{ LCP_ALG_RSA, "rsa" },
	{ LCP_ALG_NULL, "null" },
	{ LCP_ALG_RSASSA, "rsassa" },
	{ LCP_ALG_RSAPSS, "rsapss" },
	{ LCP_ALG_ECDSA, "ecdsa" },
	{ LCP_ALG_SM2, "sm2" },
	{ LCP_ALG_ECC, "ecc" },
};

const struct lcp_hash_info *lcp_hash_by_id(uint16_t tpm_id)
{
	for (size_t i = 0; i < lcp_hash_count; i++)
		if (lcp_hashes[i].tpm_id == tpm_id)
			return &lcp_hashes[i];
	return NULL;
}

const struct lcp_hash_info *lcp_hash_by_name(struct span name)
{
	for (size_t i = 0; i < lcp_hash_count; i++)
		if (span_is_str(name, lcp_hashes[i].name))
			return &lcp_hashes[i];
	return NULL;
}

size_t lcp_digest_size(uint16_t tpm_id)
{
	const struct lcp_hash_info *h = lcp_hash_by_id(tpm_id);

	return h ? h->size : 0;
}

const struct lcp_sign_info *lcp_sign_by_name(struct span name)
{
	for (size_t i = 0; i < lcp_sign_count; i++)
		if (span_is_str(name, lcp_signs[i].name))
			return &lcp_signs[i];
	return NULL;
}

const struct lcp_sign_info *lcp_sign_find(uint16_t sig_alg, uint32_t key_bits, uint16_t hash_alg)
{
	if (sig_alg == LCP_ALG_RSAPSS)
		sig_alg = LCP_ALG_RSASSA;
	for (size_t i = 0; i < lcp_sign_count && key_bits; i++) {
		const struct lcp_sign_info *s = &lcp_signs[i];

		if (s->sig_alg == sig_alg && s->key_bits == key_bits && s->hash_alg == hash_alg)
			return s;
	}
	return NULL;
}

const char *lcp_alg_name(uint16_t tpm_id)
{
	const struct lcp_hash_info *h = lcp_hash_by_id(tpm_id);

	if (h)
		return h->name;
	for (size_t i = 0; i < GL_COUNT(others); i++)
		if (others[i].tpm_id == tpm_id)
			return others[i].name;
	return NULL;
}

static void print_bit(struct text *t, bool *first, const char *name)
{
	if (!*first)
		text_char(t, ',');
	*first = false;
	text_str(t, name);
}

static void print_rest(struct text *t, bool *first, uint32_t rest)
{
	if (rest) {
		print_bit(t, first, "");
		text_hex(t, rest, 1);
	}
	if (*first)
		text_str(t, "none");
}

void lcp_hash_mask_print(uint16_t mask, struct text *t)
{
	uint32_t rest = mask;
	bool first = true;

	for (size_t i = 0; i < lcp_hash_count; i++) {
		if (mask & lcp_hashes[i].mask)
			print_bit(t, &first, lcp_hashes[i].name);
		rest &= ~(uint32_t)lcp_hashes[i].mask;
	}
	print_rest(t, &first, rest);
}

void lcp_sign_mask_print(uint32_t mask, struct text *t)
{
	uint32_t rest = mask;
	bool first = true;

	for (size_t i = 0; i < lcp_sign_count; i++) {
		if (mask & lcp_signs[i].mask)
			print_bit(t, &first, lcp_signs[i].name);
		rest &= ~lcp_signs[i].mask;
	}
	print_rest(t, &first, rest);
}
