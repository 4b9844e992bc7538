/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_ELEMENT_LAYOUT_H
#define GL_LCP_ELEMENT_LAYOUT_H

#include "lcp/element.h"

/* What the bodies of elements are made of. */
enum lcp_element_field {
	LCP_FIELD_END,
	LCP_FIELD_SINIT_MIN,  /* u8 */
	LCP_FIELD_RESERVED,   /* u8 */
	LCP_FIELD_ALG_LEGACY, /* u8: LCP_POLHALG_SHA1 = 0 */
	LCP_FIELD_ALG,        /* u16 TPM_ALG_ID */
	LCP_FIELD_FALLBACK,   /* one digest */
	LCP_FIELD_COUNT,      /* u16 */
	LCP_FIELD_HASHES,     /* that many digests */
	LCP_FIELD_PCR_INFOS,  /* that many PCR infos, up to the element's end */
	LCP_FIELD_UUID,
	LCP_FIELD_DATA, /* up to the element's end */
	LCP_FIELD_KINDS
};

struct lcp_element_layout {
	uint32_t type;
	const char *name;
	uint8_t fields[10]; /* enum lcp_element_field, in the order of the bytes */
};

/* NULL if the type is none of ours. */
const struct lcp_element_layout *lcp_element_layout(uint32_t type);

/* For types that are none of ours: the whole body is data. */
extern const struct lcp_element_layout lcp_element_unknown;

/* True if the type has this field. */
GL_MUST bool lcp_element_has(const struct lcp_element_layout *layout, enum lcp_element_field field);

#endif
