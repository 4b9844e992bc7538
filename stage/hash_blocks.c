/* SPDX-License-Identifier: BSD-3-Clause */
/* The compression functions of hash.h for the stage: libtomcrypt's in C. docs/HASHING.md says why. */
#include "common/hash_blocks.h"

#include <string.h>
#include <tomcrypt.h>

static_assert(sizeof(((hash_state *)0)->sha1.state) == 5 * 4, "sha1");
static_assert(sizeof(((hash_state *)0)->sha256.state) == 8 * 4, "sha256");
static_assert(sizeof(((hash_state *)0)->sha512.state) == 8 * 8, "sha512");

/* Nothing is chosen at run time. */
void hash_blocks_init(void)
{
}

/*
 * An unfinished hash that stands at a block's boundary is its state alone. The calls cannot fail: they check their arguments and the
 * length so far, which is 0.
 */
void hash_blocks_sha1(void *state, const void *data, size_t blocks)
{
	hash_state s = { .sha1 = { .length = 0 } };

	memcpy(s.sha1.state, state, sizeof(s.sha1.state));
	(void)sha1_process(&s, data, blocks * 64);
	memcpy(state, s.sha1.state, sizeof(s.sha1.state));
}

void hash_blocks_sha256(void *state, const void *data, size_t blocks)
{
	hash_state s = { .sha256 = { .length = 0 } };

	memcpy(s.sha256.state, state, sizeof(s.sha256.state));
	(void)sha256_process(&s, data, blocks * 64);
	memcpy(state, s.sha256.state, sizeof(s.sha256.state));
}

void hash_blocks_sha512(void *state, const void *data, size_t blocks)
{
	hash_state s = { .sha512 = { .length = 0 } };

	memcpy(s.sha512.state, state, sizeof(s.sha512.state));
	(void)sha512_process(&s, data, blocks * 128);
	memcpy(state, s.sha512.state, sizeof(s.sha512.state));
}
