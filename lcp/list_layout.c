/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/list_layout.h"

static const struct lcp_list_layout layouts[] = {
	{ .major = 1, .last_minor = 0, .sig_alg_width = 1 },
	{ .major = 2, .last_minor = 1, .sig_alg_width = 2 },
	{ .major = 3, .last_minor = 0, .sig_alg_width = 0 },
};

static const struct lcp_list_sig_alg sig_algs[] = {
	{ 1, 0, LCP_ALG_NULL, 0, false },
	{ 1, 1, LCP_ALG_RSASSA, LCP_ALG_RSA, false },
	{ 2, LCP_ALG_NULL, LCP_ALG_NULL, 0, false },
	{ 2, LCP_ALG_RSASSA, LCP_ALG_RSASSA, LCP_ALG_RSA, false },
	{ 2, LCP_ALG_ECDSA, LCP_ALG_ECDSA, LCP_ALG_ECC, true },
	{ 2, LCP_ALG_SM2, LCP_ALG_SM2, LCP_ALG_ECC, true },
	{ 3, LCP_ALG_RSASSA, LCP_ALG_RSASSA, LCP_ALG_RSA, false },
	{ 3, LCP_ALG_RSAPSS, LCP_ALG_RSAPSS, LCP_ALG_RSA, false },
	{ 3, LCP_ALG_ECDSA, LCP_ALG_ECDSA, LCP_ALG_ECC, false },
	{ 3, LCP_ALG_SM2, LCP_ALG_SM2, LCP_ALG_ECC, false },
};

static const struct {
	const char *name;
	uint16_t version;
} versions[] = {
	{ "1.0", LCP_LIST_1_0 },
	{ "2.0", LCP_LIST_2_0 },
	{ "2.1", LCP_LIST_2_1 },
	{ "3.0", LCP_LIST_3_0 },
};

const struct lcp_list_layout *lcp_list_layout(uint16_t version)
{
	for (size_t i = 0; i < GL_COUNT(layouts); i++)
		if (layouts[i].major == version >> 8)
			return &layouts[i];
	return NULL;
}

const struct lcp_list_sig_alg *lcp_list_sig_alg_by_wire(uint16_t version, uint16_t wire)
{
	for (size_t i = 0; i < GL_COUNT(sig_algs); i++)
		if (sig_algs[i].major == version >> 8 && sig_algs[i].wire == wire)
			return &sig_algs[i];
	return NULL;
}

const struct lcp_list_sig_alg *lcp_list_sig_alg_by_id(uint16_t version, uint16_t sig_alg)
{
	for (size_t i = 0; i < GL_COUNT(sig_algs); i++)
		if (sig_algs[i].major == version >> 8 && sig_algs[i].sig_alg == sig_alg)
			return &sig_algs[i];
	return NULL;
}

const char *lcp_list_version_name(uint16_t version)
{
	for (size_t i = 0; i < GL_COUNT(versions); i++)
		if (versions[i].version == version)
			return versions[i].name;
	return NULL;
}

bool lcp_list_version_by_name(struct span name, uint16_t *out)
{
	for (size_t i = 0; i < GL_COUNT(versions); i++) {
		if (span_is_str(name, versions[i].name)) {
			*out = versions[i].version;
			return true;
		}
	}
	return false;
}

size_t lcp_sig_part_size(uint16_t key_alg, uint32_t key_bits)
{
	switch (key_alg) {
	case LCP_ALG_RSA:
		return key_bits / 8;
	case LCP_ALG_ECC:
		return (size_t)2 * (key_bits / 8);
	default:
		return 0;
	}
}

void lcp_reverse(uint8_t *out, struct span in)
{
	for (size_t i = 0; i < in.n; i++)
		out[i] = in.p[in.n - 1 - i];
}

uint16_t lcp_list_sig_hash_alg(const struct lcp_list *l)
{
	if (l->version >> 8 >= 3)
		return l->sig.hash_alg;
	if (l->version >> 8 == 1)
		return l->sig_alg == LCP_ALG_RSASSA ? LCP_ALG_SHA1 : LCP_ALG_NULL;
	if (l->sig_alg == LCP_ALG_SM2)
		return LCP_ALG_SM3_256;
	if (l->sig_alg == LCP_ALG_ECDSA)
		return l->sig.key_bits == 256 ? LCP_ALG_SHA256 : LCP_ALG_SHA384;
	return LCP_ALG_NULL;
}
