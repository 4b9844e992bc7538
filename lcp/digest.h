/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_DIGEST_H
#define GL_LCP_DIGEST_H

#include "common/hash.h"
#include "lcp/data.h"

/*
 * The digests of launch control policy; each computed for all algorithms of `banks`. Sources: SDG D.1.3, D.3.2.1; tboot
 * 1.10.5 lcptools-v2/poldata.c calc_policy_data_hash(), pollist2.c calc_tpm20_policy_list_hash(), pollist2_1.c
 * calc_tpm20_policy_list_2_1_hash().
 */

/*
 * What stands for a list in the policy's digest: of a list without signature all its bytes, of a signed one only the public key (RSA: the
 * modulus, ECC: Qx and Qy, as in the list), so that the signer can change the list. Errors: those of lcp_list_encode().
 */
GL_MUST enum lcp_error lcp_list_hash(const struct lcp_list *l, alg_set banks, struct digests *out);

/* LCP_POLICY2.PolicyHash: H over the lists' digests one behind the other, all with the same algorithm. */
GL_MUST enum lcp_error lcp_data_hash(const struct lcp_data *d, alg_set banks, struct digests *out);

/* The same with the policy's own algorithm, compared with its digest: does `d` belong to `p`? LCP_E_ALG if we do not have the algorithm. */
GL_MUST enum lcp_error lcp_policy_matches_data(const struct lcp_policy *p, const struct lcp_data *d, bool *matches);

/*
 * How many bytes from the beginning of the encoded list the signature covers. 1.0, 2.x: all but the signature block, so with the key;
 * 3.0: KeySignatureOffset, so up to and with the revocation counter, without the key. The block itself need not be there yet.
 * 0 if the list has no signature structure.
 */
size_t lcp_list_signed_size(const struct lcp_list *l);

/* The digest of those bytes. LCP_E_LIST_SIG_ALG if the list has no signature structure. */
GL_MUST enum lcp_error lcp_list_signed_hash(const struct lcp_list *l, alg_set banks, struct digests *out);

#endif
