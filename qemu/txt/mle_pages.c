/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/mle_pages.h"

#define ENTRIES 512u
#define PRESENT 0x1u
#define LARGE 0x80u
#define ADDRESS 0x000ffffffffff000ull
/* Bits 52-63: with the no-execute bit off (SINIT runs with IA32_EFER 0) all of them are reserved. */
#define RESERVED 0xfff0000000000000ull
#define FOUR_GIB 0x100000000ull
#define PT_SPAN ((uint64_t)ENTRIES * MLE_PAGE)

/* A table in memory and where it lies. */
struct table {
	uint64_t at;
	uint8_t bytes[MLE_PAGE];
};

struct walk {
	const struct txt_memory *m;
	const struct mle_request *q;
	struct mle_where *where;
	uint64_t last_table; /* highest table so far */
	uint64_t last_page;
	bool have_page;
};

static uint64_t entry_of(const struct table *t, unsigned i)
{
	struct rd r = rd_init((struct span){ t->bytes + 8 * (size_t)i, 8 });

	return rd_le64(&r);
}

static enum txt_rule fail(const struct walk *w, enum txt_rule rule, uint64_t linear, uint64_t physical)
{
	*w->where = (struct mle_where){ linear, physical };
	return rule;
}

static bool inside_any(const struct txt_range *list, unsigned count, uint64_t page)
{
	for (unsigned i = 0; i < count; i++)
		if (txt_range_contains(list[i], (struct txt_range){ page, MLE_PAGE }))
			return true;
	return false;
}

static bool touches(struct txt_range r, uint64_t page)
{
	return txt_range_overlaps(r, (struct txt_range){ page, MLE_PAGE });
}

static bool in_log(const struct mle_request *q, uint64_t page)
{
	for (unsigned i = 0; i < q->log_count; i++)
		if (touches(q->logs[i], page))
			return true;
	return false;
}

/* The rules that hold for each table, in the order in which they are reached, and for the place of its page. */
static enum txt_rule check_table(struct walk *w, uint64_t at, uint64_t linear)
{
	if (at >= FOUR_GIB)
		return fail(w, TXT_RULE_PT_ABOVE_4G, linear, at);
	if (touches(w->q->heap, at))
		return fail(w, TXT_RULE_PT_IN_HEAP, linear, at);
	if (touches(w->q->sinit, at))
		return fail(w, TXT_RULE_PT_IN_SINIT, linear, at);
	if (in_log(w->q, at))
		return fail(w, TXT_RULE_MLE_IN_LOG, linear, at);
	if (!inside_any(w->q->ram, w->q->ram_count, at))
		return fail(w, TXT_RULE_PT_MEMORY, linear, at);
	if (!inside_any(w->q->protect, w->q->protect_count, at))
		return fail(w, TXT_RULE_PT_UNPROTECTED, linear, at);
	return TXT_OK;
}

/* A table below the top level: named by an entry of the table above it. */
static enum txt_rule enter(struct walk *w, uint64_t entry, bool large_forbidden, uint64_t linear, struct table *out)
{
	uint64_t at = entry & ADDRESS;

	if (!(entry & PRESENT))
		return fail(w, TXT_RULE_PT_HOLE, linear, 0);
	if (large_forbidden && (entry & LARGE))
		return fail(w, TXT_RULE_PT_LARGE, linear, at);
	if (entry & RESERVED)
		return fail(w, TXT_RULE_PT_RESERVED, linear, at);
	if (at <= w->last_table)
		return fail(w, TXT_RULE_PT_ORDER, linear, at);

	enum txt_rule rule = check_table(w, at, linear);

	if (rule)
		return rule;
	w->last_table = at;
	out->at = at;
	if (!w->m->read(w->m->ctx, at, (struct mspan){ out->bytes, MLE_PAGE }))
		return fail(w, TXT_RULE_MACHINE, linear, at);
	return TXT_OK;
}

static enum txt_rule check_page(struct walk *w, uint64_t entry, uint64_t linear, uint64_t *first)
{
	uint64_t at = entry & ADDRESS;

	if (!(entry & PRESENT))
		return fail(w, TXT_RULE_PAGE_HOLE, linear, 0);
	if (entry & RESERVED)
		return fail(w, TXT_RULE_PT_RESERVED, linear, at);
	if (at >= FOUR_GIB)
		return fail(w, TXT_RULE_PAGE_ABOVE_4G, linear, at);
	if (w->have_page && at <= w->last_page)
		return fail(w, TXT_RULE_PAGE_ORDER, linear, at);
	if (touches(w->q->heap, at))
		return fail(w, TXT_RULE_PAGE_IN_HEAP, linear, at);
	if (touches(w->q->sinit, at))
		return fail(w, TXT_RULE_PAGE_IN_SINIT, linear, at);
	if (in_log(w->q, at))
		return fail(w, TXT_RULE_MLE_IN_LOG, linear, at);
	if (!inside_any(w->q->ram, w->q->ram_count, at))
		return fail(w, TXT_RULE_PAGE_MEMORY, linear, at);
	if (!inside_any(w->q->protect, w->q->protect_count, at))
		return fail(w, TXT_RULE_PAGE_UNPROTECTED, linear, at);
	if (!w->have_page)
		*first = at;
	w->have_page = true;
	w->last_page = at;
	return TXT_OK;
}

/* One of the tables that were walked: `page` is the directory pointers' page, the directory's or that of one of its tables. */
static bool is_table(const struct table *pdpt, const struct table *pd, uint64_t tables, uint64_t page)
{
	uint64_t low = 0, high = tables;

	if (page == pdpt->at || page == pd->at)
		return true;
	/* Tables ascend: that was checked. */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2, at = entry_of(pd, (unsigned)middle) & ADDRESS;

		if (at == page)
			return true;
		if (at < page)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/*
 * All pages must lie above all tables. If the first one does not, either a page is a table, or it only lies in the wrong order; which of the two
 * decides the error code.
 */
static enum txt_rule check_tables_below(struct walk *w, const struct table *pdpt, const struct table *pd, uint64_t pages, uint64_t first)
{
	uint64_t tables = (pages + ENTRIES - 1) / ENTRIES;
	struct table pt;

	if (first > w->last_table)
		return TXT_OK;
	for (uint64_t i = 0; i < pages; i++) {
		if (i % ENTRIES == 0) {
			pt.at = entry_of(pd, (unsigned)(i / ENTRIES)) & ADDRESS;
			if (!w->m->read(w->m->ctx, pt.at, (struct mspan){ pt.bytes, MLE_PAGE }))
				return fail(w, TXT_RULE_MACHINE, i * MLE_PAGE, pt.at);
		}

		uint64_t page = entry_of(&pt, (unsigned)(i % ENTRIES)) & ADDRESS;

		if (is_table(pdpt, pd, tables, page))
			return fail(w, TXT_RULE_PAGE_TABLE_OVERLAP, i * MLE_PAGE, page);
	}
	return fail(w, TXT_RULE_PAGE_BELOW_TABLES, 0, first);
}

static enum txt_rule check_rest(struct walk *w, const struct table *t, unsigned from, uint64_t linear, uint64_t span)
{
	for (unsigned i = from; i < ENTRIES; i++)
		if (entry_of(t, i) & PRESENT)
			return fail(w, TXT_RULE_PAGE_EXTRA, linear + (i - from) * span, entry_of(t, i) & ADDRESS);
	return TXT_OK;
}

enum txt_rule mle_check_pages(const struct txt_memory *m, const struct mle_request *q, uint64_t *first, struct mle_where *where)
{
	struct walk w = { .m = m, .q = q, .where = where };
	uint64_t pages = (q->size + MLE_PAGE - 1) / MLE_PAGE, tables = (pages + ENTRIES - 1) / ENTRIES;
	struct table pdpt = { .at = q->ptab }, pd, pt;
	uint64_t lowest = 0;

	if (q->size == 0 || q->size > MLE_MAX_SIZE)
		return fail(&w, TXT_RULE_MLE_SIZE, q->size, 0);
	if (q->ptab % MLE_PAGE)
		return fail(&w, TXT_RULE_PT_BASE, 0, q->ptab);

	enum txt_rule rule = check_table(&w, q->ptab, 0);

	if (rule)
		return rule;
	w.last_table = q->ptab;
	if (!m->read(m->ctx, q->ptab, (struct mspan){ pdpt.bytes, MLE_PAGE }))
		return fail(&w, TXT_RULE_MACHINE, 0, q->ptab);
	rule = enter(&w, entry_of(&pdpt, 0), false, 0, &pd);
	for (uint64_t t = 0; !rule && t < tables; t++) {
		rule = enter(&w, entry_of(&pd, (unsigned)t), true, t * PT_SPAN, &pt);
		for (uint64_t i = t * ENTRIES; !rule && i < pages && i < (t + 1) * ENTRIES; i++)
			rule = check_page(&w, entry_of(&pt, (unsigned)(i % ENTRIES)), i * MLE_PAGE, &lowest);
	}
	if (!rule)
		rule = check_tables_below(&w, &pdpt, &pd, pages, lowest);
	if (!rule && pages % ENTRIES)
		rule = check_rest(&w, &pt, (unsigned)(pages % ENTRIES), pages * MLE_PAGE, MLE_PAGE);
	if (!rule)
		rule = check_rest(&w, &pd, (unsigned)tables, tables * PT_SPAN, PT_SPAN);
	if (rule)
		return rule;
	*first = lowest;
	return TXT_OK;
}

enum txt_rule mle_translate(const struct txt_memory *m, uint64_t ptab, uint64_t linear, uint64_t *out)
{
	static const unsigned shifts[] = { 30, 21, 12 };
	uint64_t at = ptab;

	for (size_t level = 0; level < GL_COUNT(shifts); level++) {
		uint64_t entry;

		if (!txt_read_le(m, at + 8 * (linear >> shifts[level] & (ENTRIES - 1)), 8, &entry))
			return TXT_RULE_MACHINE;
		if (!(entry & PRESENT))
			return TXT_RULE_PAGE_HOLE;
		at = entry & ADDRESS;
	}
	*out = at | linear % MLE_PAGE;
	return TXT_OK;
}
