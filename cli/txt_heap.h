/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_TXT_HEAP_H
#define GL_CLI_TXT_HEAP_H

#include "cli/cli.h"
#include "txt/heap.h"

/* A dump of the TXT heap, taken apart; spans point into the bytes given. */
struct txt_heap {
	struct span bytes;
	struct heap_tables tables;
	struct heap_bios bios;
	struct heap_os_sinit os;
	bool launched;             /* there is a SinitMleData: SENTER took place */
	struct heap_sinit_mle mle; /* only then */
	uint64_t base;             /* physical address of the first byte; 0 if offsets are meant */
};

/* `file` names the dump in messages. Fault CLI_INPUT with the table and the rule that it breaks. */
GL_MUST bool txt_heap_decode(const char *file, struct span bytes, uint64_t base, struct txt_heap *out, struct cli_fault *fault);

/* The memory of an event log, as far as it lies in the dump; no bytes if it does not. */
struct span txt_heap_log(const struct txt_heap *h, const struct heap_log *l);

/* All of it; NULL if memory runs out. */
json_t *txt_heap_json(const struct txt_heap *h);

/* Each log of OsSinitData; NULL: there are no more. */
const struct heap_log *txt_heap_nth_log(const struct txt_heap *h, unsigned i);

#endif
