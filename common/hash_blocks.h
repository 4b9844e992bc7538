/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_HASH_BLOCKS_H
#define GL_COMMON_HASH_BLOCKS_H

#include "span.h"

/*
 * The compression functions under hash.c (FIPS 180-4, 6.1.2, 6.2.2, 6.4.2). Each takes `blocks` whole blocks at `data` (64 bytes each,
 * 128 for SHA-512; any alignment) through `state`, whose words are in the machine's order. SHA-384 uses SHA-512's.
 */

/* Finds out which instructions this processor and its system offer. To be called before any of the others; cheap after the first time. */
void hash_blocks_init(void);

void hash_blocks_sha1(void *state, const void *data, size_t blocks);
void hash_blocks_sha256(void *state, const void *data, size_t blocks);
void hash_blocks_sha512(void *state, const void *data, size_t blocks);

/*
 * What the choice of code rests on, for the benchmark and the tests: words as in OpenSSL's OPENSSL_ia32cap(3).
 * hash_blocks_set_cpu() replaces them; to claim what the processor does not have ends in an invalid opcode.
 */
struct hash_cpu {
	uint32_t word[4];
};

struct hash_cpu hash_blocks_cpu(void);
void hash_blocks_set_cpu(struct hash_cpu cpu);

/* As probed, and as probed with what may not be used inside of firmware left out (see hash_openssl.c). */
struct hash_cpu hash_blocks_probe(bool firmware);

#endif
