/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_HASH_H
#define GL_COMMON_HASH_H

#include "alg.h"

/*
 * SHA-1 and SHA-2 (FIPS 180-4) of one stream for several PCR banks in one pass: each piece of input is taken through all
 * algorithms while it is in the cache.
 */
struct hash {
	alg_set banks;
	uint64_t total; /* bytes taken so far */
	union {
		uint32_t w32[8];
		uint64_t w64[8];
	} state[ALG_COUNT];
	uint8_t buf[128]; /* the unfinished block; both block sizes divide 128 */
	size_t fill;      /* bytes in buf */
};

/* Starts a stream for the algorithms in `banks` (unknown bits are ignored). */
void hash_init(struct hash *h, alg_set banks);
void hash_update(struct hash *h, struct span data);
/* Ends the stream; `out->banks` is what hash_init() was given. `h` is then to be started anew. */
void hash_final(struct hash *h, struct digests *out);

/* One call for bytes that are all there. */
void hash_span(alg_set banks, struct span data, struct digests *out);

#endif
