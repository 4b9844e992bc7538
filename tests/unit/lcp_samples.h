/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_LCP_SAMPLES_H
#define GL_TESTS_LCP_SAMPLES_H

#include "common/cursor.h"

/*
 * Launch control policy structures written byte by byte from their description, with nothing of lcp/; and what every codec
 * of theirs must hold.
 */

/* Element types 0x00-0x04, 0x10-0x14, and one that nobody knows. */
#define SAMPLE_TYPES 11
extern const uint32_t sample_types[SAMPLE_TYPES];

/* Appends an element of the type: SHA-256, but SHA-1 in the legacy ones; two hashes; digest bytes count up from `seed`. */
void sample_element(struct wr *w, uint32_t type, uint8_t seed);

struct sample_list {
	const char *name;
	uint16_t version;
	uint16_t sig_alg; /* TPM_ALG_ID; 0x10: not signed */
	uint16_t key_bits;
	uint16_t hash_alg; /* 3.0 */
};

#define SAMPLE_LISTS 16
extern const struct sample_list sample_lists[SAMPLE_LISTS];

/* Appends the list, with the elements given. */
void sample_list(struct wr *w, const struct sample_list *l, struct span elements);

/* The elements of the samples: MLE2, CUSTOM2, PCONF2, STM2; in a list 1.0 MLE, CUSTOM, PCONF. */
void sample_elements(struct wr *w, uint16_t list_version);

/* List number `i` with those elements. The bytes are static; each call overwrites them. */
struct span sample_list_bytes(size_t i);

/* Bytes where the key begins, and where the signature block begins. */
size_t sample_key_offset(const struct sample_list *l, size_t elements);
size_t sample_block_offset(const struct sample_list *l, size_t elements);

/* Decodes and encodes: false if either refuses. */
typedef bool (*sample_recoder)(struct span in, struct mspan out, size_t *n);

/*
 * Every byte of `good` changed in several ways, all prefixes, and some bytes more: the codec refuses it or gives it back byte for
 * byte. The input lies in a block of its exact size, so that a sanitizer sees any reading outside.
 */
void assert_recodes_mutations(struct span good, sample_recoder recode);

/* A generator that gives the same numbers each time. */
uint32_t sample_random(uint32_t *state);

#endif
