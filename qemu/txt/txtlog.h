/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_TXTLOG_H
#define GL_TXT_TXTLOG_H

#include "common/eventlog.h"
#include "qemu/txt/ops.h"
#include "txt/heap.h"

/*
 * The event log that SINIT writes to where OsSinitData points: one crypto-agile log (element 8; TCG PC Client Platform Firmware Profile 1.05,
 * 10.2 and 10.4.5) or one log per algorithm (element 7; SDG 315168-016 appendix F; tboot 1.10.5 tboot/txt/heap.c). Kept here until it is stored.
 */

/* Largest log that is kept, whatever the element claims; tboot offers 8 KiB, and 4 KiB per algorithm. */
#define TXTLOG_MAX 0x40000u

/* The record that begins a log of element 7 for another algorithm than SHA-1. */
#define TXTLOG_DESCRIPTOR_SIGNATURE "FRMT ID EVENT00" /* with its NUL */

struct txtlog_one {
	const struct heap_log *where; /* in the heap_os_sinit given to txtlog_open() */
	enum alg alg;                 /* of a log of element 7 */
	struct mspan bytes;           /* from the first record on */
	size_t n;
	struct eventlog tcg;
};

struct txtlog {
	bool tcg;
	alg_set banks;
	unsigned count;
	struct txtlog_one logs[HEAP_MAX_LOGS];
	struct mspan memory;
};

/*
 * Starts the log(s) for `banks`; `tcg` chooses the element. TXT_RULE_HEAP_LOG: element or place cannot be used (the place must be below 4 GiB and
 * large enough for the first record), TXT_RULE_HEAP_LOG_BANKS: a bank has no log of element 7. txtlog_free() in any case.
 */
GL_MUST enum txt_rule txtlog_open(struct txtlog *l, const struct heap_os_sinit *o, bool tcg, alg_set banks);

/* Adds an event with the digests of the log's banks. TXT_RULE_LOG_SIZE: no room. */
GL_MUST enum txt_rule txtlog_append(struct txtlog *l, uint32_t pcr, uint32_t type, const struct digests *d, struct span data);

/*
 * Leaves `room` bytes: an EV_NO_ACTION record that is measured nowhere fills what is more. Nothing happens to a log that has less, and to
 * those of element 7.
 */
void txtlog_fill(struct txtlog *l, size_t room);

/*
 * Writes the log(s) to guest memory, and the offsets behind the last record to OsSinitData, whose content begins at `table`.
 * TXT_RULE_MACHINE if that fails.
 */
GL_MUST enum txt_rule txtlog_store(const struct txtlog *l, const struct txt_memory *m, uint64_t table);

/* Where the logs lie in guest memory; `i` below count. */
struct txt_range txtlog_range(const struct txtlog *l, unsigned i);

void txtlog_free(struct txtlog *l);

#endif
