/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_CUSTOM_H
#define GL_LCP_CUSTOM_H

#include "lcp/data.h"

/*
 * Custom elements: bytes of somebody else's in a policy list, named by a UUID. tboot looks for its Verified Launch Policy under
 * LCP_UUID_TBOOT (tboot 1.10.5 include/lcp3.h LCP_CUSTOM_ELEMENT_TBOOT_UUID).
 *
 * The text of a UUID is c3930641-e3cb-4f40-91d7-27f8b9e25c86. On the wire it is tboot's uuid_t: u32, u16, u16, u16 little-endian
 * and six bytes; so the fourth group is turned round too, other than in an EFI GUID.
 */
extern const uint8_t lcp_uuid_tboot[LCP_UUID_SIZE];

#define LCP_UUID_TEXT_SIZE 36

/* Lower or upper case digits. `out` on success only. */
GL_MUST enum lcp_error lcp_uuid_parse(struct span text, uint8_t out[LCP_UUID_SIZE]);
void lcp_uuid_print(const uint8_t uuid[LCP_UUID_SIZE], struct text *t);

/* An element CUSTOM2 with this payload, which stays the caller's; control as given. To be written with lcp_element_encode(). */
void lcp_custom_wrap(const uint8_t uuid[LCP_UUID_SIZE], uint32_t control, struct span payload, struct lcp_element *out);

/* The payload of a custom element (CUSTOM2 or CUSTOM): LCP_E_CUSTOM_MISSING if the element is of another type or UUID. */
GL_MUST enum lcp_error lcp_custom_unwrap(const struct lcp_element *e, const uint8_t uuid[LCP_UUID_SIZE], struct span *payload);

/* The payload of the first such element of a list, or of policy data; `where` (may be NULL) says where it was. */
GL_MUST enum lcp_error lcp_custom_find(const struct lcp_list *l, const uint8_t uuid[LCP_UUID_SIZE], struct span *payload, int *where);
GL_MUST enum lcp_error lcp_custom_find_data(
	const struct lcp_data *d, const uint8_t uuid[LCP_UUID_SIZE], struct span *payload, struct lcp_where *where);

#endif
