/* SPDX-License-Identifier: BSD-3-Clause */
#include "txt/heap.h"

#include "common/cursor.h"

/* Where elements begin, from the version field: SDG C.4; versions 6 and 7. */
#define ELEMENTS_AT 92
/* Element 8: base, allocated size, first and next record's offset. Packed, whatever C makes of tboot's structure. */
#define LOG_TCG_SIZE 20
/* Element 7: algorithm, reserved, base, size, first and next event's offset. */
#define LOG_2_SIZE 24
#define TPR_SIZE 16

static_assert(ELEMENTS_AT == 4 + 4 + 9 * 8 + 4 + 8, "OsSinitData, SDG C.4");
static_assert(LOG_TCG_SIZE == 8 + 4 + 4 + 4, "HEAP_EVENT_LOG_POINTER_ELEMENT2_1");
static_assert(LOG_2_SIZE == 2 + 2 + 8 + 4 + 4 + 4, "HEAP_EVENT_LOG_DESCR");

static struct txt_range take_range(struct rd *r)
{
	struct txt_range out;

	out.base = rd_le64(r);
	out.size = rd_le64(r);
	return out;
}

/* The fields that both elements end with; `at` is where the element's data begin in the table. */
static void take_log(struct rd *r, size_t at, struct heap_log *out)
{
	out->base = rd_le64(r);
	out->size = rd_le32(r);
	out->first_at = at + r->off;
	out->first = rd_le32(r);
	out->next_at = at + r->off;
	out->next = rd_le32(r);
}

static enum txt_rule take_tcg(const struct heap_element *e, struct heap_os_sinit *o)
{
	struct rd r = rd_init(e->data);

	if (o->has_tcg_log)
		return TXT_RULE_HEAP_LOG;
	if (e->data.n != LOG_TCG_SIZE)
		return TXT_RULE_HEAP_ELEMENT_SIZE;
	take_log(&r, e->offset + HEAP_ELEMENT_HEADER, &o->tcg_log);
	o->has_tcg_log = true;
	return TXT_OK;
}

static enum txt_rule take_logs(const struct heap_element *e, struct heap_os_sinit *o)
{
	struct rd r = rd_init(e->data);
	uint32_t count = rd_le32(&r);

	if (o->log_count)
		return TXT_RULE_HEAP_LOG;
	if (r.bad || count == 0 || count > HEAP_MAX_LOGS || e->data.n != 4 + (size_t)count * LOG_2_SIZE)
		return TXT_RULE_HEAP_ELEMENT_SIZE;
	for (uint32_t i = 0; i < count; i++) {
		struct heap_log *l = &o->logs[i];

		l->alg = rd_le16(&r);
		(void)rd_le16(&r);
		take_log(&r, e->offset + HEAP_ELEMENT_HEADER, l);
		for (uint32_t k = 0; k < i; k++)
			if (o->logs[k].alg == l->alg)
				return TXT_RULE_HEAP_LOG_BANKS;
	}
	o->log_count = count;
	return TXT_OK;
}

static enum txt_rule take_tprs(const struct heap_element *e, struct heap_os_sinit *o)
{
	struct rd r = rd_init(e->data);
	uint32_t count = rd_le32(&r);

	if (o->has_tpr)
		return TXT_RULE_TPR;
	if (e->data.n == 0) { /* asks for TPRs, but names none */
		o->has_tpr = true;
		return TXT_OK;
	}
	if (r.bad || count > HEAP_MAX_TPRS || e->data.n != 4 + (size_t)count * TPR_SIZE)
		return TXT_RULE_HEAP_ELEMENT_SIZE;
	for (uint32_t i = 0; i < count; i++)
		o->tprs[i] = take_range(&r);
	o->has_tpr = true;
	o->tpr_count = count;
	return TXT_OK;
}

static enum txt_rule take_element(const struct heap_element *e, struct heap_os_sinit *o)
{
	switch (e->type) {
	case HEAP_EXT_LOG_TCG:
		return take_tcg(e, o);
	case HEAP_EXT_LOG_2:
		return take_logs(e, o);
	case HEAP_EXT_TPR:
		return take_tprs(e, o);
	case HEAP_EXT_CUSTOM:
		return TXT_OK;
	default:
		return TXT_RULE_HEAP_ELEMENT_TYPE;
	}
}

static enum txt_rule take_elements(struct span content, struct heap_os_sinit *o)
{
	struct heap_elements it = heap_elements_in(content, ELEMENTS_AT);

	for (;;) {
		struct heap_element e;
		enum txt_rule rule = heap_elements_next(&it, &e);

		if (rule || it.end)
			return rule;
		rule = take_element(&e, o);
		if (rule)
			return rule;
	}
}

enum txt_rule heap_os_sinit_decode(struct span content, struct heap_os_sinit *out)
{
	struct heap_os_sinit o = { .version = 0 };
	struct rd r = rd_init(content);

	o.version = rd_le32(&r);
	o.flags = rd_le32(&r);
	o.ptab = rd_le64(&r);
	o.mle_size = rd_le64(&r);
	o.mle_header = rd_le64(&r);
	o.pmr_lo = take_range(&r);
	o.pmr_hi = take_range(&r);
	o.lcp = take_range(&r);
	o.capabilities = rd_le32(&r);
	if (!r.bad && (o.version < HEAP_OS_SINIT_MIN || o.version > HEAP_OS_SINIT_MAX))
		return TXT_RULE_HEAP_OS_VERSION;
	if (o.version >= 5)
		o.rsdp = rd_le64(&r);
	if (r.bad)
		return TXT_RULE_HEAP_TABLE_SIZE;
	if (o.version >= 6) {
		o.elements = ELEMENTS_AT;

		enum txt_rule rule = take_elements(content, &o);

		if (rule)
			return rule;
	}
	*out = o;
	return TXT_OK;
}
