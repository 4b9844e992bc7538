/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/alg.h"

const struct alg_info alg_table[ALG_COUNT] = {
	[ALG_SHA1] = { .tpm_id = 0x0004, .size = 20, .block = 64, .name = "sha1" },
	[ALG_SHA256] = { .tpm_id = 0x000b, .size = 32, .block = 64, .name = "sha256" },
	[ALG_SHA384] = { .tpm_id = 0x000c, .size = 48, .block = 128, .name = "sha384" },
	[ALG_SHA512] = { .tpm_id = 0x000d, .size = 64, .block = 128, .name = "sha512" },
};

bool alg_by_id(uint16_t tpm_id, enum alg *out)
{
	for (size_t a = 0; a < ALG_COUNT; a++) {
		if (alg_table[a].tpm_id == tpm_id) {
			*out = (enum alg)a;
			return true;
		}
	}
	return false;
}

bool alg_by_name(struct span name, enum alg *out)
{
	for (size_t a = 0; a < ALG_COUNT; a++) {
		if (span_is_str(name, alg_table[a].name)) {
			*out = (enum alg)a;
			return true;
		}
	}
	return false;
}

bool digests_agree(const struct digests *a, const struct digests *b)
{
	for (enum alg i = 0; i < ALG_COUNT; i++)
		if (a->banks & b->banks & ALG_BIT(i) && !span_equal(digest_span(a, i), digest_span(b, i)))
			return false;
	return true;
}

bool digests_equal(const struct digests *a, const struct digests *b)
{
	return a->banks == b->banks && digests_agree(a, b);
}
