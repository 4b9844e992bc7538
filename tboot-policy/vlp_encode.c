/* SPDX-License-Identifier: BSD-3-Clause */
#include "tboot-policy/vlp.h"

#include "common/cursor.h"

enum vlp_error vlp_encode(const struct vlp *p, struct mspan buf, size_t *n)
{
	struct wr w = buf.p ? wr_init(buf) : wr_measure();
	enum alg alg;

	if (p->hash_alg > UINT8_MAX || !alg_by_id(p->hash_alg, &alg))
		return VLP_E_ALG;
	wr_u8(&w, p->version);
	wr_u8(&w, p->type);
	wr_u8(&w, (uint8_t)p->hash_alg);
	wr_le32(&w, p->control);
	wr_le32(&w, p->reserved);
	wr_u8(&w, p->entry_count);
	for (unsigned i = 0; i < p->entry_count; i++) {
		const struct vlp_entry *e = &p->entries[i];

		if (e->hashes.n != (size_t)e->hash_count * alg_table[alg].size)
			return VLP_E_HASH_COUNT;
		wr_u8(&w, e->module);
		wr_u8(&w, e->pcr);
		wr_u8(&w, e->hash_type);
		wr_le32(&w, e->nv_index);
		wr_u8(&w, e->hash_count);
		wr_bytes(&w, e->hashes);
	}
	if (w.bad)
		return VLP_E_BUFFER;
	*n = w.off;
	return VLP_OK;
}
