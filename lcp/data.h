/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_DATA_H
#define GL_LCP_DATA_H

#include "lcp/list.h"
#include "lcp/policy.h"

/*
 * The policy data file, which the loader gives to SINIT: LCP_POLICY_DATA, SDG D.2. A signature of 32 bytes, 3 reserved bytes, the number of
 * lists, and up to eight lists, whose versions may differ.
 */
#define LCP_DATA_HEADER_SIZE 36
#define LCP_DATA_SIGNATURE "Intel(R) TXT LCP_POLICY_DATA\0\0\0\0"

struct lcp_data {
	uint8_t reserved[3];
	uint8_t list_count;
	struct lcp_list lists[LCP_MAX_LISTS];
};

/* Where a rule is violated: number of the list and of the element in it, from 0; -1: in what stands before or around them. */
struct lcp_where {
	int list;
	int element;
};

/*
 * Takes the file apart, as the decoders of lists do. `out` on success only. `where`, if not NULL, gets on failure the number of the
 * list that cannot be taken apart.
 */
GL_MUST enum lcp_error lcp_data_decode(struct span bytes, struct lcp_data *out, struct lcp_where *where);

/* Checks every rule, also of lists and elements. Lists must be signed or unsigned, not still to be signed. `where` as above. */
GL_MUST enum lcp_error lcp_data_validate(const struct lcp_data *d, struct lcp_where *where);

/* As lcp_list_encode(). A list that is still to be signed is refused (LCP_E_SIG_UNSIGNED): nobody could tell where it ends. */
GL_MUST enum lcp_error lcp_data_encode(const struct lcp_data *d, struct mspan buf, size_t *n);

void lcp_data_print(const struct lcp_data *d, struct text *t);

#endif
