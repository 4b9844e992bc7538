/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/custom.h"
#include "common/hex.h"

#include <string.h>

/* c3930641-e3cb-4f40-91d7-27f8b9e25c86 */
const uint8_t lcp_uuid_tboot[LCP_UUID_SIZE] = { 0x41, 0x06, 0x93, 0xc3, 0xcb, 0xe3, 0x40, 0x4f, 0xd7, 0x91, 0x27, 0xf8, 0xb9, 0xe2, 0x5c,
	0x86 };

/* Which byte of the wire form is number i in the text. */
static const uint8_t order[LCP_UUID_SIZE] = { 3, 2, 1, 0, 5, 4, 7, 6, 9, 8, 10, 11, 12, 13, 14, 15 };

/* A dash stands before these bytes of the text. */
static bool dash_before(size_t i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

enum lcp_error lcp_uuid_parse(struct span text, uint8_t out[LCP_UUID_SIZE])
{
	uint8_t uuid[LCP_UUID_SIZE] = { 0 };
	size_t at = 0;

	if (text.n != LCP_UUID_TEXT_SIZE)
		return LCP_E_CUSTOM_UUID;
	for (size_t i = 0; i < LCP_UUID_SIZE; i++) {
		if (dash_before(i) && text.p[at++] != '-')
			return LCP_E_CUSTOM_UUID;

		int high = hex_digit(text.p[at]), low = hex_digit(text.p[at + 1]);

		if (high < 0 || low < 0)
			return LCP_E_CUSTOM_UUID;
		uuid[order[i]] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	memcpy(out, uuid, LCP_UUID_SIZE);
	return LCP_OK;
}

void lcp_uuid_print(const uint8_t uuid[LCP_UUID_SIZE], struct text *t)
{
	for (size_t i = 0; i < LCP_UUID_SIZE; i++) {
		if (dash_before(i))
			text_char(t, '-');
		text_bytes(t, (struct span){ &uuid[order[i]], 1 });
	}
}

void lcp_custom_wrap(const uint8_t uuid[LCP_UUID_SIZE], uint32_t control, struct span payload, struct lcp_element *out)
{
	*out = (struct lcp_element){ .type = LCP_ELEMENT_CUSTOM2, .control = control, .data = payload };
	memcpy(out->uuid, uuid, LCP_UUID_SIZE);
}

enum lcp_error lcp_custom_unwrap(const struct lcp_element *e, const uint8_t uuid[LCP_UUID_SIZE], struct span *payload)
{
	if ((e->type != LCP_ELEMENT_CUSTOM2 && e->type != LCP_ELEMENT_CUSTOM) || memcmp(e->uuid, uuid, LCP_UUID_SIZE) != 0)
		return LCP_E_CUSTOM_MISSING;
	*payload = e->data;
	return LCP_OK;
}

/* An element that cannot be taken apart hides none that comes behind it. */
enum lcp_error lcp_custom_find(const struct lcp_list *l, const uint8_t uuid[LCP_UUID_SIZE], struct span *payload, int *where)
{
	struct lcp_elements it = lcp_elements_in(l->elements);
	struct lcp_element e;
	struct span bytes;

	for (int i = 0; lcp_elements_left(&it); i++) {
		enum lcp_error error = lcp_elements_next(&it, &bytes);

		if (error)
			return error;
		if (lcp_element_decode(bytes, &e) || lcp_custom_unwrap(&e, uuid, payload))
			continue;
		if (where)
			*where = i;
		return LCP_OK;
	}
	return LCP_E_CUSTOM_MISSING;
}

enum lcp_error lcp_custom_find_data(
	const struct lcp_data *d, const uint8_t uuid[LCP_UUID_SIZE], struct span *payload, struct lcp_where *where)
{
	for (unsigned i = 0; i < d->list_count && i < LCP_MAX_LISTS; i++) {
		int element = -1;
		enum lcp_error error = lcp_custom_find(&d->lists[i], uuid, payload, &element);

		if (error == LCP_E_CUSTOM_MISSING)
			continue;
		if (!error && where)
			*where = (struct lcp_where){ .list = (int)i, .element = element };
		return error;
	}
	return LCP_E_CUSTOM_MISSING;
}
