/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_HEAPLOG_H
#define GL_STAGE_CORE_HEAPLOG_H

#include "stage/core/error.h"
#include "stage/core/world.h"
#include "txt/range.h"

/*
 * The TCG event log of the TXT heap, which the stage continues after SINIT and tboot: OsSinitData, extended element 8 (txt/heap.h).
 * The log itself must lie in the heap, too, but not over what is the BIOS' or SINIT's there; tboot has it in OsMleData.
 */
/* More than any BIOS reserves. */
#define STAGE_HEAP_MAX (UINT64_C(256) << 20)

struct heaplog {
	struct mspan log;    /* all memory of the log */
	size_t next;         /* where the next record goes */
	alg_set banks;       /* those that the log's first event names */
	uint8_t *next_field; /* in the heap */
};

/*
 * Finds the log and checks that it can be read up to its end. STAGE_E_HEAP: the heap cannot be taken apart; STAGE_E_LOG: no such
 * element, or no crypto-agile log, or one that is broken or not in the heap. `out` on success only.
 */
GL_MUST enum stage_error heaplog_open(const struct stage_world *w, struct txt_range heap, struct heaplog *out);

/*
 * Appends one event with the digests for the banks that the log names and `d` has, and moves the heap's `next`. False, and nothing
 * changed, if there is no room or no common bank.
 */
GL_MUST bool heaplog_append(struct heaplog *l, uint32_t pcr, uint32_t type, const struct digests *d, struct span data);

#endif
