/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

static const struct span nothing = { NULL, 0 };

void oracle_hash(enum alg a, struct span x, struct span y, struct span z, uint8_t *out)
{
	static const char *const names[ALG_COUNT] = { "SHA1", "SHA256", "SHA384", "SHA512" };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned n = 0;

	assert_non_null(ctx);
	assert_int_equal(EVP_DigestInit_ex(ctx, EVP_get_digestbyname(names[a]), NULL), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, x.p, x.n), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, y.p, y.n), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, z.p, z.n), 1);
	assert_int_equal(EVP_DigestFinal_ex(ctx, out, &n), 1);
	assert_int_equal(n, alg_table[a].size);
	EVP_MD_CTX_free(ctx);
}

void oracle_reset(struct oracle *o, alg_set banks)
{
	memset(o, 0xff, sizeof(*o));
	o->banks = banks;
}

static struct span digest_of(enum alg a, const uint8_t *d)
{
	return (struct span){ d, alg_table[a].size };
}

static void extend(struct oracle *o, enum alg a, unsigned pcr, const uint8_t *d)
{
	assert_true(pcr < PCR_COUNT);
	oracle_hash(a, digest_of(a, o->pcr[a][pcr]), digest_of(a, d), nothing, o->pcr[a][pcr]);
}

#define EACH_BANK(o, a) \
	for (enum alg a = 0; a < ALG_COUNT; a++) \
		if ((o)->banks & ALG_BIT(a))

void oracle_policy(struct oracle *o, unsigned pcr, uint32_t control, struct span policy)
{
	const uint8_t le[4] = { (uint8_t)control, (uint8_t)(control >> 8), (uint8_t)(control >> 16), (uint8_t)(control >> 24) };

	EACH_BANK(o, a)
	{
		uint8_t d[DIGEST_MAX] = { 0 };

		if (control & 1)
			oracle_hash(a, policy, nothing, nothing, d);
		oracle_hash(a, SPAN_OF(le), digest_of(a, d), nothing, d);
		extend(o, a, pcr, d);
	}
}

void oracle_module_digest(enum alg a, struct span cmdline, struct span bytes, uint8_t *out)
{
	uint8_t line[DIGEST_MAX], image[DIGEST_MAX];

	oracle_hash(a, cmdline, nothing, nothing, line);
	oracle_hash(a, bytes, nothing, nothing, image);
	oracle_hash(a, digest_of(a, line), digest_of(a, image), nothing, out);
}

void oracle_module(struct oracle *o, unsigned pcr, struct span cmdline, struct span bytes)
{
	EACH_BANK(o, a)
	{
		uint8_t d[DIGEST_MAX];

		oracle_module_digest(a, cmdline, bytes, d);
		extend(o, a, pcr, d);
	}
}

void oracle_nv(struct oracle *o, unsigned pcr, bool raw, struct span content)
{
	EACH_BANK(o, a)
	{
		uint8_t d[DIGEST_MAX];

		if (raw && content.n == alg_table[a].size)
			memcpy(d, content.p, content.n);
		else
			oracle_hash(a, content, nothing, nothing, d);
		extend(o, a, pcr, d);
	}
}

void oracle_cap(struct oracle *o, unsigned pcr, const char *reason)
{
	EACH_BANK(o, a)
	{
		uint8_t d[DIGEST_MAX];

		oracle_hash(a, SPAN_LITERAL("cap "), span_str(reason), nothing, d);
		extend(o, a, pcr, d);
	}
}

void oracle_caps(struct oracle *o, const char *reason)
{
	for (unsigned pcr = 17; pcr <= 22; pcr++)
		oracle_cap(o, pcr, reason);
}

void oracle_closing(struct oracle *o)
{
	EACH_BANK(o, a)
	{
		uint8_t all[4 * DIGEST_MAX], d[DIGEST_MAX];
		size_t n = 0;

		for (unsigned pcr = 19; pcr <= 22; pcr++, n += alg_table[a].size)
			memcpy(all + n, o->pcr[a][pcr], alg_table[a].size);
		oracle_hash(a, (struct span){ all, n }, nothing, nothing, d);
		extend(o, a, 17, d);
	}
}

void oracle_assert(const struct oracle *o, const struct pcrs *p)
{
	assert_int_equal(p->banks, o->banks);
	EACH_BANK(o, a)
	for (unsigned pcr = 17; pcr <= 22; pcr++) {
		assert_true(pcr_known(p, a, pcr));
		if (memcmp(p->v[a][pcr], o->pcr[a][pcr], alg_table[a].size) != 0)
			fail_msg("PCR %u of %s is not what was predicted", pcr, alg_table[a].name);
	}
}
