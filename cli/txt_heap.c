/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/txt_heap.h"

#include "common/cursor.h"

static bool broken(const char *file, enum heap_table t, enum txt_rule rule, struct cli_fault *fault)
{
	const struct txt_rule_info *info = txt_rule_info(rule);

	return cli_fail(fault, CLI_INPUT, "%s: %s (%s): %s: give the heap from TXT.HEAP.BASE on", heap_table_name(t), info->text,
		info->source, file);
}

/* Before SENTER there is nothing, or zeros, where the last table would begin. */
static bool is_empty(struct span heap, size_t at)
{
	struct rd r = rd_init(heap);

	(void)rd_bytes(&r, at);
	return rd_le64(&r) == 0;
}

bool txt_heap_decode(const char *file, struct span bytes, uint64_t base, struct txt_heap *out, struct cli_fault *fault)
{
	struct txt_heap h = { .bytes = bytes, .base = base };
	enum heap_table where = HEAP_BIOS;
	enum txt_rule rule = heap_locate(bytes, HEAP_SINIT_MLE, &h.tables, &where);

	if (rule)
		return broken(file, where, rule, fault);
	rule = heap_bios_decode(h.tables.table[HEAP_BIOS].content, &h.bios);
	if (rule)
		return broken(file, HEAP_BIOS, rule, fault);
	rule = heap_os_sinit_decode(h.tables.table[HEAP_OS_SINIT].content, &h.os);
	if (rule)
		return broken(file, HEAP_OS_SINIT, rule, fault);
	h.launched = !is_empty(bytes, h.tables.table[HEAP_SINIT_MLE].offset);
	if (h.launched) {
		const struct heap_location *l = &h.tables.table[HEAP_SINIT_MLE];

		rule = heap_locate(bytes, HEAP_TABLES, &h.tables, &where);
		if (rule)
			return broken(file, where, rule, fault);
		rule = heap_sinit_mle_decode((struct span){ bytes.p + l->offset, l->content.n + 8 }, &h.mle);
		if (rule)
			return broken(file, HEAP_SINIT_MLE, rule, fault);
	}
	*out = h;
	return true;
}

struct span txt_heap_log(const struct txt_heap *h, const struct heap_log *l)
{
	const struct txt_range dump = { h->base, h->bytes.n };

	if (l->size == 0 || !txt_range_contains(dump, (struct txt_range){ l->base, l->size }))
		return (struct span){ NULL, 0 };
	return (struct span){ h->bytes.p + (l->base - h->base), l->size };
}

const struct heap_log *txt_heap_nth_log(const struct txt_heap *h, unsigned i)
{
	if (h->os.has_tcg_log && i-- == 0)
		return &h->os.tcg_log;
	return i < h->os.log_count ? &h->os.logs[i] : NULL;
}
