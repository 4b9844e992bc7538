/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/cursor.h"
#include "lcp/element_layout.h"

/* Writes one field of the body. */
static enum lcp_error write_field(struct wr *w, enum lcp_element_field field, const struct lcp_element *e, size_t *reserved)
{
	size_t digest_size = lcp_digest_size(e->hash_alg);

	switch (field) {
	case LCP_FIELD_SINIT_MIN:
		wr_u8(w, e->sinit_min_version);
		break;
	case LCP_FIELD_RESERVED:
		wr_u8(w, e->reserved[(*reserved)++]);
		break;
	case LCP_FIELD_ALG_LEGACY:
		wr_u8(w, 0);
		return e->hash_alg == LCP_ALG_SHA1 ? LCP_OK : LCP_E_ELEMENT_HASH_ALG;
	case LCP_FIELD_ALG:
		wr_le16(w, e->hash_alg);
		return digest_size ? LCP_OK : LCP_E_ELEMENT_HASH_ALG;
	case LCP_FIELD_FALLBACK:
		wr_bytes(w, e->fallback);
		return e->fallback.n == digest_size ? LCP_OK : LCP_E_ELEMENT_HASH_COUNT;
	case LCP_FIELD_COUNT:
		wr_le16(w, e->count);
		break;
	case LCP_FIELD_HASHES:
		wr_bytes(w, e->hashes);
		return e->hashes.n == e->count * digest_size ? LCP_OK : LCP_E_ELEMENT_HASH_COUNT;
	case LCP_FIELD_PCR_INFOS:
		wr_bytes(w, e->pcr_infos);
		break;
	case LCP_FIELD_UUID:
		wr_bytes(w, (struct span){ e->uuid, LCP_UUID_SIZE });
		break;
	case LCP_FIELD_DATA:
		wr_bytes(w, e->data);
		break;
	default:
		break;
	}
	return LCP_OK;
}

enum lcp_error lcp_element_encode(const struct lcp_element *e, struct mspan buf, size_t *n)
{
	const struct lcp_element_layout *layout = lcp_element_layout(e->type);
	struct wr size = wr_measure();
	struct wr w = buf.p ? wr_init(buf) : wr_measure();

	if (!layout)
		layout = &lcp_element_unknown;

	/* The size stands first, so the body is written twice: once to measure it. */
	struct wr *passes[] = { &size, &w };

	for (size_t pass = 0; pass < GL_COUNT(passes); pass++) {
		size_t reserved = 0;

		wr_le32(passes[pass], (uint32_t)size.off);
		wr_le32(passes[pass], e->type);
		wr_le32(passes[pass], e->control);
		for (size_t i = 0; layout->fields[i] != LCP_FIELD_END; i++) {
			enum lcp_error error = write_field(passes[pass], layout->fields[i], e, &reserved);

			if (error)
				return error;
		}
		if (passes[pass]->bad || passes[pass]->off > UINT32_MAX)
			return LCP_E_BUFFER;
	}
	*n = w.off;
	return LCP_OK;
}
