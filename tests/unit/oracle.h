/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_ORACLE_H
#define GL_TESTS_ORACLE_H

#include "common/pcr.h"

/*
 * PCR values computed a second time, from the written rules (docs/MEASUREMENTS.md) with OpenSSL's EVP: of the product only the table of
 * algorithms is used, so that a mistake in its hashes, rules or extends shows as a difference.
 */
struct oracle {
	alg_set banks;
	uint8_t pcr[ALG_COUNT][PCR_COUNT][DIGEST_MAX];
};

/* The hash of up to three pieces; `out` gets alg_table[a].size bytes. */
void oracle_hash(enum alg a, struct span x, struct span y, struct span z, uint8_t *out);

/* Dynamic PCRs of a host without a dynamic launch: all ones. */
void oracle_reset(struct oracle *o, alg_set banks);

void oracle_policy(struct oracle *o, unsigned pcr, uint32_t control, struct span policy);
void oracle_module(struct oracle *o, unsigned pcr, struct span cmdline, struct span bytes);
void oracle_nv(struct oracle *o, unsigned pcr, bool raw, struct span content);
void oracle_cap(struct oracle *o, unsigned pcr, const char *reason);
void oracle_caps(struct oracle *o, const char *reason); /* PCR 17-22 */
void oracle_closing(struct oracle *o);

/* The module rule alone: what a policy lists. */
void oracle_module_digest(enum alg a, struct span cmdline, struct span bytes, uint8_t *out);

/* Fails the test, naming bank and PCR, unless PCR 17-22 of `p` are those of the oracle in exactly its banks. */
void oracle_assert(const struct oracle *o, const struct pcrs *p);

#endif
