/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_LCP_WORLD_H
#define GL_TESTS_LCP_WORLD_H

#include "lcp/evaluate.h"

/* A platform with launch control policies, put together from structures; for the tests of lcp_evaluate(). */

#define WORLD_LISTS LCP_MAX_LISTS
#define WORLD_SINIT 7 /* AcmVersion */

struct world {
	struct lcp_platform platform;
	struct lcp_verdict verdict;
	struct lcp_policy policy[LCP_OWNERS];
	bool has_policy[LCP_OWNERS];
	struct lcp_data data[LCP_OWNERS];
	/* Bytes that the platform points to. */
	uint8_t policy_bytes[LCP_OWNERS][LCP_POLICY_MAX_SIZE];
	uint8_t data_bytes[LCP_OWNERS][8192];
	uint8_t elements[LCP_OWNERS][WORLD_LISTS][2048];
	uint8_t keys[LCP_OWNERS][WORLD_LISTS][512];
	struct pcrs pcrs;
	/* What the digest in the policy is to be computed of; false: left as it is. */
	bool keep_hash[LCP_OWNERS];
	bool signature_is_wrong;
	uint16_t rsassa_hash; /* that verifying an RSASSA signature of 2.x finds */
	unsigned verified;    /* signatures that were looked at */
};

/* Owner policy of type list, one list without a signature, no elements yet; the MLE's digests known; PCR 0-7 known. */
void world_begin(struct world *w);
/* The same with an element that has the MLE: allowed. */
void world_good(struct world *w);
void world_no_owner_policy(struct world *w);
void world_give_stm(struct world *w);
void world_give_bios(struct world *w);

/* A policy of that type for the owner or supplier, and for the type list a list. */
void world_policy(struct world *w, enum lcp_owner o, uint8_t type);

/* Appends an element to a list, which is made if it is not there. */
void world_element(struct world *w, enum lcp_owner o, unsigned list, const struct lcp_element *e);

/* Elements that match the platform, with that algorithm, or do not match it. */
void world_mle(struct world *w, enum lcp_owner o, unsigned list, uint16_t alg, uint32_t control, bool matches);
void world_stm(struct world *w, enum lcp_owner o, unsigned list, uint32_t control, bool matches);
void world_sbios(struct world *w, enum lcp_owner o, unsigned list, bool matches, bool fallback);
void world_pconf(struct world *w, enum lcp_owner o, unsigned list, uint32_t control, bool matches);

/* Makes a list one that is signed; the signature holds unless world.signature_is_wrong. */
void world_sign(struct world *w, enum lcp_owner o, unsigned list, uint16_t sig_alg, uint32_t key_bits, uint16_t revocation);

/* Puts the digest of the policy data as it is encoded into the policy. */
void world_hash(struct world *w, enum lcp_owner o);

/* Fails with the test's name and the rule that was found. */
void world_assert_rule(const struct world *w, const char *name, enum lcp_rule rule);
void world_assert_at(const char *name, struct lcp_at at, struct lcp_at expected);

/* Encodes all, and evaluates. */
void world_evaluate(struct world *w);
/* Encodes only; for tests that spoil the bytes. */
void world_encode(struct world *w);

#endif
