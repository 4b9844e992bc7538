/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/cursor.h"
#include "lcp/element_layout.h"

enum lcp_error lcp_elements_next(struct lcp_elements *it, struct span *out)
{
	struct rd r = rd_init(it->left);
	uint32_t size = rd_le32(&r);

	if (r.bad || size > it->left.n || it->left.n < LCP_ELEMENT_HEADER_SIZE) {
		it->left.n = 0;
		return LCP_E_ELEMENT_TRUNCATED;
	}
	if (size < LCP_ELEMENT_HEADER_SIZE) {
		it->left.n = 0;
		return LCP_E_ELEMENT_SIZE;
	}
	*out = (struct span){ it->left.p, size };
	it->left.p += size;
	it->left.n -= size;
	return LCP_OK;
}

/* Reads one field of the body. Digests can be read only if their algorithm is known, and it always stands before them. */
static enum lcp_error read_field(struct rd *r, enum lcp_element_field field, struct lcp_element *e, size_t *reserved)
{
	struct span uuid;

	switch (field) {
	case LCP_FIELD_SINIT_MIN:
		e->sinit_min_version = rd_u8(r);
		break;
	case LCP_FIELD_RESERVED:
		e->reserved[(*reserved)++] = rd_u8(r);
		break;
	case LCP_FIELD_ALG_LEGACY:
		e->hash_alg = LCP_ALG_SHA1;
		if (rd_u8(r) != 0)
			return LCP_E_ELEMENT_HASH_ALG;
		break;
	case LCP_FIELD_ALG:
		e->hash_alg = rd_le16(r);
		if (!r->bad && lcp_digest_size(e->hash_alg) == 0)
			return LCP_E_ELEMENT_HASH_ALG;
		break;
	case LCP_FIELD_FALLBACK:
		e->fallback = rd_bytes(r, lcp_digest_size(e->hash_alg));
		break;
	case LCP_FIELD_COUNT:
		e->count = rd_le16(r);
		break;
	case LCP_FIELD_HASHES:
		e->hashes = rd_bytes(r, e->count * lcp_digest_size(e->hash_alg));
		break;
	case LCP_FIELD_PCR_INFOS:
		e->pcr_infos = rd_bytes(r, rd_left(r));
		break;
	case LCP_FIELD_UUID:
		uuid = rd_bytes(r, LCP_UUID_SIZE);
		if (uuid.p)
			memcpy(e->uuid, uuid.p, LCP_UUID_SIZE);
		break;
	case LCP_FIELD_DATA:
		e->data = rd_bytes(r, rd_left(r));
		break;
	default:
		break;
	}
	return LCP_OK;
}

/* The PCR infos must be as many as the count says; only walking them tells. */
static enum lcp_error check_pcr_infos(const struct lcp_element *e)
{
	struct lcp_pcr_infos it = lcp_pcr_infos_in(e);
	struct lcp_pcr_info info;
	size_t count = 0;

	for (; lcp_pcr_infos_left(&it); count++) {
		enum lcp_error error = lcp_pcr_infos_next(&it, &info);

		if (error)
			return error;
	}
	return count == e->count ? LCP_OK : LCP_E_ELEMENT_HASH_COUNT;
}

enum lcp_error lcp_element_decode(struct span bytes, struct lcp_element *out)
{
	struct lcp_elements it = lcp_elements_in(bytes);
	struct span whole;
	enum lcp_error error = lcp_elements_next(&it, &whole);

	if (error)
		return error;
	if (lcp_elements_left(&it))
		return LCP_E_ELEMENT_TRAILING;

	struct rd r = rd_init(whole);
	struct lcp_element e = { 0 };
	const struct lcp_element_layout *layout;
	size_t reserved = 0;

	(void)rd_le32(&r);
	e.type = rd_le32(&r);
	e.control = rd_le32(&r);
	layout = lcp_element_layout(e.type);
	if (!layout)
		layout = &lcp_element_unknown;
	for (size_t i = 0; layout->fields[i] != LCP_FIELD_END && !r.bad; i++) {
		error = read_field(&r, layout->fields[i], &e, &reserved);
		if (error)
			return r.bad ? LCP_E_ELEMENT_BODY : error;
	}
	if (r.bad)
		return LCP_E_ELEMENT_BODY;
	if (!rd_done(&r))
		return LCP_E_ELEMENT_TRAILING;
	if (lcp_element_has(layout, LCP_FIELD_PCR_INFOS)) {
		error = check_pcr_infos(&e);
		if (error)
			return error;
	}
	*out = e;
	return LCP_OK;
}

struct span lcp_element_hash(const struct lcp_element *e, unsigned i)
{
	size_t size = lcp_digest_size(e->hash_alg);

	if (size == 0 || i >= e->hashes.n / size)
		return (struct span){ NULL, 0 };
	return (struct span){ e->hashes.p + i * size, size };
}
