/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TXT heap's event log, continued. Input: the heap, which lies at HEAP and may name a log anywhere in memory. Events that were taken
 * can be read again, and nothing but the log's rest and its one field in the heap changes.
 */
#include <stdlib.h>
#include <string.h>

#include "common/eventlog.h"
#include "common/hash.h"
#include "stage/core/heaplog.h"

#define RAM 0x10000u
#define HEAP 0x1000u
#define EVENTS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t ram[RAM], before[RAM];

static uint8_t *memory_at(void *ctx, uint64_t address, size_t n)
{
	(void)ctx;
	return address < RAM && n <= RAM - address ? ram + address : NULL;
}

static const struct stage_world world = { .at = memory_at };

/* Events in the log; aborts if it cannot be read. */
static size_t count(const struct heaplog *l, size_t first)
{
	struct eventlog_reader r;
	struct event e;
	size_t n = 0;

	if (eventlog_open(&r, (struct span){ l->log.p + first, l->next - first }) == EVENTLOG_MALFORMED)
		abort();
	while (eventlog_next(&r, &e) == EVENTLOG_EVENT)
		n++;
	if (r.error)
		abort();
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heaplog l;
	struct digests d;
	size_t start, taken = 0, field;

	if (size == 0 || size > RAM - HEAP)
		return 0;
	memset(ram, 0, RAM);
	memcpy(ram + HEAP, data, size);
	if (heaplog_open(&world, (struct txt_range){ HEAP, size }, &l) != STAGE_OK)
		return 0;
	memcpy(before, ram, RAM);
	start = l.next;
	field = (size_t)(l.next_field - ram);
	hash_span(ALG_SET_ALL, SPAN_LITERAL("event"), &d);
	for (unsigned i = 0; i < EVENTS; i++)
		taken += heaplog_append(&l, 22, 0x5a2, &d, SPAN_LITERAL("nv 0x01c10110"));
	for (size_t i = 0; i < RAM; i++) {
		size_t in_log = i - (size_t)(l.log.p - ram);

		if (ram[i] != before[i] && !(i >= field && i < field + 4) && !(in_log >= start && in_log < l.next))
			abort();
	}
	/* The log may lie over the heap's own tables: then what was written there counts. */
	if (taken && l.log.p + start > l.next_field + 4 && (size_t)(l.log.p - ram) + start > HEAP + 512)
		(void)count(&l, 0);
	return 0;
}
