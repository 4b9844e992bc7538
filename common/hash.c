/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/hash.h"

#include <string.h>

#include "common/hash_blocks.h"

/* Input is taken in pieces of this size through one algorithm after the other; see docs/HASHING.md for the choice. */
#define PIECE ((size_t)4 * 1024)

#define BLOCK_MAX sizeof(((struct hash *)NULL)->buf)
static_assert(PIECE % BLOCK_MAX == 0, "pieces are whole blocks of every algorithm");
static_assert(BLOCK_MAX == 128, "the longest block, SHA-512's");

/* FIPS 180-4, 5.3: what hashing starts from; 5.1: how the message length is written behind it. */
struct engine {
	void (*blocks)(void *state, const void *data, size_t blocks);
	uint8_t word; /* of the state and the digest, in bytes */
	union {
		uint32_t w32[8];
		uint64_t w64[8];
	} start;
};

static const struct engine engines[ALG_COUNT] = {
	[ALG_SHA1] = { hash_blocks_sha1, 4, { .w32 = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 } } },
	[ALG_SHA256] = { hash_blocks_sha256, 4,
		{ .w32 = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } } },
	[ALG_SHA384] = { hash_blocks_sha512, 8,
		{ .w64 = { 0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939, 0x67332667ffc00b31,
			  0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4 } } },
	[ALG_SHA512] = { hash_blocks_sha512, 8,
		{ .w64 = { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1,
			  0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 } } },
};

/* `n` is a multiple of BLOCK_MAX. */
static void take_blocks(struct hash *h, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t piece = n < PIECE ? n : PIECE;

		for (enum alg a = 0; a < ALG_COUNT; a++)
			if (h->banks & ALG_BIT(a))
				engines[a].blocks(&h->state[a], p, piece / alg_table[a].block);
		p += piece;
		n -= piece;
	}
}

void hash_init(struct hash *h, alg_set banks)
{
	hash_blocks_init();
	memset(h, 0, sizeof(*h));
	h->banks = banks & ALG_SET_ALL;
	for (enum alg a = 0; a < ALG_COUNT; a++)
		memcpy(&h->state[a], &engines[a].start, sizeof(h->state[a]));
}

void hash_update(struct hash *h, struct span data)
{
	if (data.n == 0)
		return;
	h->total += data.n;

	if (h->fill > 0) {
		size_t room = BLOCK_MAX - h->fill;
		size_t n = data.n < room ? data.n : room;

		memcpy(h->buf + h->fill, data.p, n);
		h->fill += n;
		data = (struct span){ data.p + n, data.n - n };
		if (h->fill < BLOCK_MAX)
			return;
		take_blocks(h, h->buf, BLOCK_MAX);
	}

	size_t whole = data.n - data.n % BLOCK_MAX;

	take_blocks(h, data.p, whole);
	h->fill = data.n - whole;
	if (h->fill > 0)
		memcpy(h->buf, data.p + whole, h->fill);
}

static void put_be(uint8_t *p, uint64_t v, size_t width)
{
	for (size_t i = width; i > 0; i--) {
		p[i - 1] = (uint8_t)v;
		v >>= 8;
	}
}

/* The last one or two blocks of an algorithm: the rest of the message, a one bit, zeros, the length in bits. */
static void pad(struct hash *h, enum alg a)
{
	uint8_t tail[2 * BLOCK_MAX] = { 0 };
	size_t block = alg_table[a].block;
	size_t length = (size_t)2 * engines[a].word;
	size_t n = (h->fill + 1 + length + block - 1) / block * block;

	memcpy(tail, h->buf, h->fill);
	tail[h->fill] = 0x80;
	put_be(tail + n - 8, h->total << 3, 8);
	if (length > 8)
		put_be(tail + n - length, h->total >> 61, length - 8);
	engines[a].blocks(&h->state[a], tail, n / block);
}

void hash_final(struct hash *h, struct digests *out)
{
	out->banks = h->banks;
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		size_t word = engines[a].word;

		if (!(h->banks & ALG_BIT(a)))
			continue;
		pad(h, a);
		for (size_t i = 0; i < alg_table[a].size / word; i++)
			put_be(out->d[a] + i * word, word == 8 ? h->state[a].w64[i] : h->state[a].w32[i], word);
	}
}

void hash_span(alg_set banks, struct span data, struct digests *out)
{
	struct hash h;

	hash_init(&h, banks);
	hash_update(&h, data);
	hash_final(&h, out);
}
