/* SPDX-License-Identifier: BSD-3-Clause */
#include "txt/heap.h"

#include "common/cursor.h"

#define SIZE_FIELD 8
/* Behind the version: BIOS ACM id. Behind the MSEG field: digests of SINIT, MLE, STM, policy. All TPM 1.2, zero since. */
#define BIOS_ACM_ID 20
#define OLD_DIGESTS ((size_t)4 * HEAP_OLD_DIGEST)
/* All fields of version 9 in front of the elements, with the size field. */
#define FIXED 156

static_assert(FIXED == SIZE_FIELD + 4 + BIOS_ACM_ID + 4 + 8 + OLD_DIGESTS + 4 + 4 + 4 + 16 + 4, "SinitMleData 9, SDG C.5");
/* Offsets of MDRs and DMAR are 32 bits wide. */
#define TABLE_MAX ((size_t)1 << 28)

static void put_element(struct wr *w, uint32_t type, struct span data)
{
	if (data.n == 0 && type != HEAP_EXT_END)
		return;
	wr_le32(w, type);
	wr_le32(w, (uint32_t)(HEAP_ELEMENT_HEADER + data.n));
	wr_bytes(w, data);
}

static size_t element_size(struct span data)
{
	return data.n ? HEAP_ELEMENT_HEADER + data.n : 0;
}

bool heap_sinit_mle_encode(const struct heap_sinit_mle *s, struct mspan out, size_t *n)
{
	static const uint8_t zero[OLD_DIGESTS];
	struct wr w = wr_init(out);

	if (s->dmar.n > TABLE_MAX || s->madt.n > TABLE_MAX || s->mcfg.n > TABLE_MAX || s->mdr_count > HEAP_MAX_MDRS)
		return false;

	size_t dmar = FIXED + element_size(s->madt) + element_size(s->mcfg) + HEAP_ELEMENT_HEADER;
	size_t mdrs = dmar + s->dmar.n;
	size_t total = mdrs + (size_t)s->mdr_count * HEAP_MDR_SIZE;

	wr_le64(&w, total);
	wr_le32(&w, HEAP_SINIT_MLE_VERSION);
	wr_bytes(&w, (struct span){ zero, BIOS_ACM_ID });
	wr_le32(&w, s->edx);
	wr_le64(&w, 0); /* MSEG is not valid: no STM */
	wr_bytes(&w, SPAN_OF(zero));
	wr_le32(&w, s->lcp_control);
	wr_le32(&w, s->rlp_wakeup);
	wr_le32(&w, 0);
	wr_le32(&w, s->mdr_count);
	wr_le32(&w, (uint32_t)mdrs);
	wr_le32(&w, (uint32_t)s->dmar.n);
	wr_le32(&w, (uint32_t)dmar);
	wr_le32(&w, s->scrtm);
	put_element(&w, HEAP_EXT_MADT, s->madt);
	put_element(&w, HEAP_EXT_MCFG, s->mcfg);
	put_element(&w, HEAP_EXT_END, (struct span){ NULL, 0 });
	wr_bytes(&w, s->dmar);
	for (uint32_t i = 0; i < s->mdr_count; i++) {
		wr_le64(&w, s->mdrs[i].range.base);
		wr_le64(&w, s->mdrs[i].range.size);
		wr_le64(&w, s->mdrs[i].type); /* a byte and seven reserved ones */
	}
	if (w.bad || w.off != total)
		return false;
	*n = total;
	return true;
}

/* A part of the table by offset and size. */
static bool part(struct span table, uint64_t offset, uint64_t size, struct span *out)
{
	if (offset > table.n || size > table.n - offset)
		return false;
	*out = (struct span){ table.p + offset, (size_t)size };
	return true;
}

static enum txt_rule take_elements(struct span table, size_t at, struct heap_sinit_mle *s)
{
	struct heap_elements it = heap_elements_in(table, at);

	for (;;) {
		struct heap_element e;
		enum txt_rule rule = heap_elements_next(&it, &e);

		if (rule || it.end)
			return rule;
		if (e.type == HEAP_EXT_MADT)
			s->madt = e.data;
		else if (e.type == HEAP_EXT_MCFG)
			s->mcfg = e.data;
	}
}

enum txt_rule heap_sinit_mle_decode(struct span table, struct heap_sinit_mle *out)
{
	struct heap_sinit_mle s = { .version = 0 };
	struct rd r = rd_init(table);
	uint64_t size = rd_le64(&r);

	s.version = rd_le32(&r);
	if (r.bad || size != table.n || s.version < HEAP_SINIT_MLE_MIN || s.version > HEAP_SINIT_MLE_VERSION)
		return TXT_RULE_HEAP_TABLE_SIZE;
	s.bios_acm_id = rd_bytes(&r, BIOS_ACM_ID);
	s.edx = rd_le32(&r);
	s.mseg_valid = rd_le64(&r);
	s.old_digests = rd_bytes(&r, OLD_DIGESTS);
	s.lcp_control = rd_le32(&r);
	s.rlp_wakeup = rd_le32(&r);
	(void)rd_le32(&r);
	s.mdr_count = rd_le32(&r);

	uint32_t mdrs = rd_le32(&r), dmar_size = rd_le32(&r), dmar = rd_le32(&r);

	if (s.version >= 8)
		s.scrtm = rd_le32(&r);
	if (r.bad || !part(table, mdrs, (uint64_t)s.mdr_count * HEAP_MDR_SIZE, &s.mdr_bytes) || !part(table, dmar, dmar_size, &s.dmar))
		return TXT_RULE_HEAP_TABLE_SIZE;
	if (s.version >= 9) {
		s.elements = r.off;

		enum txt_rule rule = take_elements(table, s.elements, &s);

		if (rule)
			return rule;
	}
	*out = s;
	return TXT_OK;
}

struct heap_mdr heap_mdr_at(const struct heap_sinit_mle *s, uint32_t i)
{
	struct rd r = rd_init((struct span){ s->mdr_bytes.p + (size_t)i * HEAP_MDR_SIZE, HEAP_MDR_SIZE });
	struct heap_mdr m;

	m.range.base = rd_le64(&r);
	m.range.size = rd_le64(&r);
	m.type = rd_u8(&r);
	return m;
}
