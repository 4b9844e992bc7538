/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/core/heaplog.h"

#include "common/cursor.h"
#include "common/eventlog.h"
#include "txt/heap.h"

static enum stage_error read_log(struct heaplog *l, size_t first)
{
	struct eventlog_reader r;
	struct event e;
	enum eventlog_status s = eventlog_open(&r, (struct span){ l->log.p + first, l->next - first });

	if (s == EVENTLOG_MALFORMED || r.format != EVENTLOG_CRYPTO_AGILE)
		return STAGE_E_LOG;
	do
		s = eventlog_next(&r, &e);
	while (s == EVENTLOG_EVENT);
	/* Nothing but events may stand in front of ours, or nobody will find them. */
	if (s != EVENTLOG_END || r.off != l->next - first)
		return STAGE_E_LOG;
	l->banks = r.banks;
	return STAGE_OK;
}

/*
 * Who launched chose the place. Outside of the heap events could be written over modules that are measured already, or over the stage; in it,
 * over what SINIT left for the kernel.
 */
static bool place_is_good(struct txt_range heap, const uint8_t *room, const struct heap_tables *tables, struct txt_range log)
{
	if (!txt_range_contains(heap, log))
		return false;
	for (unsigned t = 0; t < HEAP_TABLES; t++) {
		struct span content = tables->table[t].content;

		/* tboot has its log in a table of its own. */
		if (t != HEAP_OS_MLE && txt_range_overlaps(log, (struct txt_range){ heap.base + (size_t)(content.p - room), content.n }))
			return false;
	}
	return true;
}

enum stage_error heaplog_open(const struct stage_world *w, struct txt_range heap, struct heaplog *out)
{
	struct heap_tables tables;
	struct heap_os_sinit os;
	struct heap_location *table = &tables.table[HEAP_OS_SINIT];
	struct heaplog l = { .next = 0 };
	enum heap_table where;
	enum stage_error e;
	struct mspan room;

	if (heap.size == 0 || heap.size > STAGE_HEAP_MAX)
		return STAGE_E_HEAP;
	room = stage_room(w, heap.base, (size_t)heap.size);
	if (!room.p || heap_locate((struct span){ room.p, room.n }, HEAP_TABLES, &tables, &where) != TXT_OK ||
		heap_os_sinit_decode(table->content, &os) != TXT_OK)
		return STAGE_E_HEAP;
	if (!os.has_tcg_log || os.tcg_log.first > os.tcg_log.next || os.tcg_log.next > os.tcg_log.size)
		return STAGE_E_LOG;
	if (!place_is_good(heap, room.p, &tables, (struct txt_range){ os.tcg_log.base, os.tcg_log.size }))
		return STAGE_E_LOG;
	l.log = stage_room(w, os.tcg_log.base, os.tcg_log.size);
	if (!l.log.p)
		return STAGE_E_LOG;
	l.next = os.tcg_log.next;
	l.next_field = room.p + (size_t)(table->content.p - room.p) + os.tcg_log.next_at;
	e = read_log(&l, os.tcg_log.first);
	if (e == STAGE_OK)
		*out = l;
	return e;
}

bool heaplog_append(struct heaplog *l, uint32_t pcr, uint32_t type, const struct digests *d, struct span data)
{
	struct eventlog log = { .buf = l->log, .n = l->next, .banks = l->banks & d->banks };
	struct wr w = wr_init((struct mspan){ l->next_field, 4 });

	if (log.banks == 0 || !eventlog_append(&log, pcr, type, d, data))
		return false;
	l->next = log.n;
	wr_le32(&w, (uint32_t)l->next);
	return true;
}
