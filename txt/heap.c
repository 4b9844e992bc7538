/* SPDX-License-Identifier: BSD-3-Clause */
#include "txt/heap.h"

#include "common/cursor.h"

#define SIZE_FIELD 8

static const char *const table_names[HEAP_TABLES] = {
	[HEAP_BIOS] = "BiosData",
	[HEAP_OS_MLE] = "OsMleData",
	[HEAP_OS_SINIT] = "OsSinitData",
	[HEAP_SINIT_MLE] = "SinitMleData",
};

const char *heap_table_name(enum heap_table t)
{
	return table_names[t];
}

enum txt_rule heap_locate(struct span heap, unsigned count, struct heap_tables *out, enum heap_table *where)
{
	struct heap_tables t = { .table = { { .offset = 0 } } };
	struct rd r = rd_init(heap);

	for (unsigned i = 0; i < HEAP_TABLES; i++) {
		struct heap_location *l = &t.table[i];

		l->offset = r.off;
		if (i >= count) {
			l->content = (struct span){ NULL, 0 };
			continue;
		}

		uint64_t size = rd_le64(&r);

		/* rd_bytes() would take a size that was cut to size_t. */
		if (size < SIZE_FIELD || size - SIZE_FIELD > rd_left(&r)) {
			*where = (enum heap_table)i;
			return TXT_RULE_HEAP_TABLE_SIZE;
		}
		l->content = rd_bytes(&r, (size_t)(size - SIZE_FIELD));
	}
	*out = t;
	return TXT_OK;
}

enum txt_rule heap_elements_next(struct heap_elements *it, struct heap_element *out)
{
	struct rd r = rd_init(it->content);

	(void)rd_bytes(&r, it->offset);
	uint32_t type = rd_le32(&r), size = rd_le32(&r);

	if (r.bad || it->count++ >= HEAP_MAX_ELEMENTS)
		return TXT_RULE_HEAP_ELEMENT_END;
	if (size < HEAP_ELEMENT_HEADER)
		return TXT_RULE_HEAP_ELEMENT_SIZE;

	struct span data = rd_bytes(&r, size - HEAP_ELEMENT_HEADER);

	if (r.bad)
		return TXT_RULE_HEAP_ELEMENT_SIZE;
	if (type == HEAP_EXT_END) {
		it->end = true;
		return TXT_OK;
	}
	*out = (struct heap_element){ type, it->offset, data };
	it->offset = r.off;
	return TXT_OK;
}

/* ---- BiosData ---- */

enum txt_rule heap_bios_decode(struct span content, struct heap_bios *out)
{
	struct heap_bios b = { .version = 0 };
	struct rd r = rd_init(content);

	b.version = rd_le32(&r);
	b.bios_sinit_size = rd_le32(&r);
	b.lcp_base = rd_le64(&r);
	b.lcp_size = rd_le64(&r);
	b.processors = rd_le32(&r);
	if (r.bad)
		return TXT_RULE_HEAP_TABLE_SIZE;
	if (b.version < HEAP_BIOS_MIN || b.version > HEAP_BIOS_MAX)
		return TXT_RULE_HEAP_BIOS_VERSION;
	if (b.version >= 3) {
		b.sinit_flags = rd_le32(&r);
		b.mle_flags = rd_le32(&r);
	}
	if (r.bad)
		return TXT_RULE_HEAP_TABLE_SIZE;
	if (b.version >= 4) {
		struct heap_elements it = heap_elements_in(content, r.off);
		struct heap_element e;

		b.elements = r.off;
		while (!it.end) {
			enum txt_rule rule = heap_elements_next(&it, &e);

			if (rule)
				return rule;
		}
	}
	*out = b;
	return TXT_OK;
}

static void put_bios(struct wr *w, const struct heap_bios *b, uint64_t size)
{
	wr_le64(w, size);
	wr_le32(w, b->version);
	wr_le32(w, b->bios_sinit_size);
	wr_le64(w, b->lcp_base);
	wr_le64(w, b->lcp_size);
	wr_le32(w, b->processors);
	if (b->version >= 3) {
		wr_le32(w, b->sinit_flags);
		wr_le32(w, b->mle_flags);
	}
	if (b->version < 4)
		return;
	wr_le32(w, HEAP_EXT_BIOS_SPEC_VERSION);
	wr_le32(w, HEAP_ELEMENT_HEADER + 6);
	for (size_t i = 0; i < GL_COUNT(b->bios_version); i++)
		wr_le16(w, b->bios_version[i]);
	wr_le32(w, HEAP_EXT_END);
	wr_le32(w, HEAP_ELEMENT_HEADER);
}

bool heap_bios_encode(const struct heap_bios *b, struct mspan out, size_t *n)
{
	struct wr size = wr_measure(), w = wr_init(out);

	if (b->version < HEAP_BIOS_MIN || b->version > HEAP_BIOS_MAX)
		return false;
	put_bios(&size, b, 0);
	put_bios(&w, b, size.off);
	if (w.bad)
		return false;
	*n = w.off;
	return true;
}
