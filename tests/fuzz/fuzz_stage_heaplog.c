/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TXT heap's event log, continued. Input: the heap, which lies at HEAP and may name a log anywhere in memory. Events that were taken
 * can be read again behind those that were there, nothing but the log's rest and its one field in the heap changes, and nothing outside of the
 * heap is touched.
 */
#include <stdlib.h>
#include <string.h>

#include "common/eventlog.h"
#include "common/hash.h"
#include "stage/core/heaplog.h"
#include "tests/fuzz/guest.h"
#include "txt/heap.h"

#define RAM 0x10000u
#define HEAP 0x1000u
#define EVENTS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t ram[RAM] __attribute__((aligned(8))), before[RAM];
static struct guest guest = { .ram = ram, .size = RAM };

static uint8_t *memory_at(void *ctx, uint64_t address, size_t n)
{
	return guest_at(ctx, address, n);
}

static const struct stage_world world = { .ctx = &guest, .at = memory_at };

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Where OsSinitData lies in the heap, and what it says. */
static struct heap_os_sinit read_table(struct span heap, struct txt_range *table)
{
	struct heap_tables tables;
	struct heap_os_sinit os = { .version = 0 };
	enum heap_table where;
	const struct heap_location *l = &tables.table[HEAP_OS_SINIT];

	check(heap_locate(heap, HEAP_TABLES, &tables, &where) == TXT_OK && heap_os_sinit_decode(l->content, &os) == TXT_OK);
	*table = (struct txt_range){ HEAP + l->offset, l->content.n + 8 };
	return os;
}

/* Events in the log. */
static size_t count(const struct heaplog *l, size_t first)
{
	struct eventlog_reader r;
	struct event e;
	size_t n = 0;

	check(eventlog_open(&r, (struct span){ l->log.p + first, l->next - first }) != EVENTLOG_MALFORMED);
	while (eventlog_next(&r, &e) == EVENTLOG_EVENT)
		n++;
	check(!r.error && r.off == l->next - first);
	return n;
}

static void check_same(size_t from, size_t to)
{
	check(from >= to || memcmp(ram + HEAP + from, before + from, to - from) == 0);
}

/* Only [start, l->next) of the log and the field may have changed. */
static void check_rest(const struct heaplog *l, size_t start, size_t field, size_t size)
{
	size_t log = (size_t)(l->log.p - ram) - HEAP, a = field < log + start ? field : log + start,
	       a_end = field < log + start ? field + 4 : log + l->next, b = field < log + start ? log + start : field,
	       b_end = field < log + start ? log + l->next : field + 4;

	check_same(0, a);
	check_same(a_end, b);
	check_same(a_end > b_end ? a_end : b_end, size);
}

/* The log may lie over the heap's own tables: then what was written there counts, and there is nothing to read again. */
static void check_log(const struct heaplog *l, const struct heap_os_sinit *os, struct txt_range table, size_t events, size_t size)
{
	struct heaplog again;

	if (txt_range_overlaps(
		    (struct txt_range){ HEAP, table.base + table.size - HEAP }, (struct txt_range){ os->tcg_log.base, os->tcg_log.size }))
		return;
	check(count(l, os->tcg_log.first) == events);
	check(heaplog_open(&world, (struct txt_range){ HEAP, size }, &again) == STAGE_OK);
	check(again.next == l->next && again.log.p == l->log.p && again.log.n == l->log.n && again.banks == l->banks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heap_os_sinit os;
	struct txt_range table;
	struct heaplog l;
	struct digests d;
	size_t start, events, field;

	if (size == 0 || size > RAM - HEAP)
		return 0;
	guest_reset(&guest);
	guest_put(&guest, HEAP, (struct span){ data, size });
	if (heaplog_open(&world, (struct txt_range){ HEAP, size }, &l) != STAGE_OK)
		return 0;
	os = read_table((struct span){ ram + HEAP, size }, &table);
	check(l.log.p == ram + os.tcg_log.base && l.log.n == os.tcg_log.size && l.next == os.tcg_log.next);
	memcpy(before, ram + HEAP, size);
	start = l.next;
	events = count(&l, os.tcg_log.first);
	field = (size_t)(l.next_field - ram) - HEAP;
	hash_span(ALG_SET_ALL, SPAN_LITERAL("event"), &d);
	for (unsigned i = 0; i < EVENTS; i++)
		events += heaplog_append(&l, 22, 0x5a2, &d, SPAN_LITERAL("nv 0x01c10110"));
	check_rest(&l, start, field, size);
	check_log(&l, &os, table, events, size);
	return 0;
}
