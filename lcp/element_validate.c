/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/element_layout.h"

#define PCR_LAST_SELECTABLE 7
#define SELECT_MAX 3

/* Localities 0-4, one at least. */
#define LOCALITIES 0x1f

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Values where the type has no field would be lost on the way through the bytes. */
static enum lcp_error check_absent(const struct lcp_element *e, const struct lcp_element_layout *l)
{
	bool alg = lcp_element_has(l, LCP_FIELD_ALG) || lcp_element_has(l, LCP_FIELD_ALG_LEGACY);
	size_t reserved = 0;

	for (size_t i = 0; l->fields[i] != LCP_FIELD_END; i++)
		reserved += l->fields[i] == LCP_FIELD_RESERVED;
	if ((e->sinit_min_version && !lcp_element_has(l, LCP_FIELD_SINIT_MIN)) || (e->hash_alg && !alg) ||
		(e->fallback.n && !lcp_element_has(l, LCP_FIELD_FALLBACK)) || (e->count && !lcp_element_has(l, LCP_FIELD_COUNT)) ||
		(e->hashes.n && !lcp_element_has(l, LCP_FIELD_HASHES)) || (e->pcr_infos.n && !lcp_element_has(l, LCP_FIELD_PCR_INFOS)) ||
		(e->data.n && !lcp_element_has(l, LCP_FIELD_DATA)) ||
		(!all_zero(e->uuid, LCP_UUID_SIZE) && !lcp_element_has(l, LCP_FIELD_UUID)) ||
		!all_zero(e->reserved + reserved, LCP_ELEMENT_RESERVED_MAX - reserved))
		return LCP_E_ELEMENT_FIELD;
	return LCP_OK;
}

static enum lcp_error check_pcr_info(const struct lcp_element *e, const struct lcp_pcr_info *info)
{
	uint32_t mask = lcp_pcr_info_mask(info);

	if (e->type == LCP_ELEMENT_PCONF && (info->locality == 0 || info->locality & ~LOCALITIES))
		return LCP_E_PCR_INFO_LOCALITY;
	if (e->type == LCP_ELEMENT_PCONF2 && info->hash_alg != e->hash_alg)
		return LCP_E_PCR_INFO_HASH_ALG;
	if (info->select.n > SELECT_MAX || mask == 0 || mask >> (PCR_LAST_SELECTABLE + 1))
		return LCP_E_PCR_INFO_SELECT;
	if (info->digest.n != lcp_digest_size(info->hash_alg))
		return LCP_E_PCR_INFO_DIGEST;
	return LCP_OK;
}

enum lcp_error lcp_pcr_infos_validate(const struct lcp_element *e)
{
	struct lcp_pcr_infos it = lcp_pcr_infos_in(e);
	struct lcp_pcr_info info;
	size_t count = 0;

	for (; lcp_pcr_infos_left(&it); count++) {
		enum lcp_error error = lcp_pcr_infos_next(&it, &info);

		if (!error)
			error = check_pcr_info(e, &info);
		if (error)
			return error;
	}
	return count == e->count ? LCP_OK : LCP_E_ELEMENT_HASH_COUNT;
}

enum lcp_error lcp_element_validate(const struct lcp_element *e)
{
	const struct lcp_element_layout *layout = lcp_element_layout(e->type);
	size_t size;
	enum lcp_error error;

	if (!layout)
		return LCP_E_ELEMENT_TYPE;
	error = lcp_element_encode(e, (struct mspan){ NULL, 0 }, &size);
	if (!error)
		error = check_absent(e, layout);
	if (error)
		return error;
	if (e->control & ~LCP_ELEMENT_CONTROL_ALL)
		return LCP_E_ELEMENT_CONTROL;
	if (!all_zero(e->reserved, LCP_ELEMENT_RESERVED_MAX))
		return LCP_E_ELEMENT_RESERVED;
	/* An SBIOS element has its fallback hash at least. */
	if (lcp_element_has(layout, LCP_FIELD_COUNT) && !lcp_element_has(layout, LCP_FIELD_FALLBACK) && e->count == 0)
		return LCP_E_ELEMENT_NO_HASHES;
	return lcp_element_has(layout, LCP_FIELD_PCR_INFOS) ? lcp_pcr_infos_validate(e) : LCP_OK;
}
