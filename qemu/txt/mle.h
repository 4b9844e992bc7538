/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_MLE_H
#define GL_TXT_MLE_H

#include "common/hash.h"
#include "qemu/txt/ops.h"
#include "txt/rules.h"

/*
 * The measured launch environment as SINIT finds it: three levels of PAE page tables, which map the MLE's linear addresses from 0 on, and
 * the header in it. Intel TXT SDG 315168-016, 2.1 and 2.2; tboot 1.10.5, tboot/txt/txt.c build_mle_pagetable() and include/uuid.h.
 * All of it is the guest's and hostile.
 */
#define MLE_PAGE 4096u
#define MLE_HEADER_SIZE 52
/* Headers below version 2 end before the command line area. */
#define MLE_HEADER_SIZE_OLD 44
#define MLE_UUID_SIZE 16
/* What one page directory maps. */
#define MLE_MAX_SIZE ((uint64_t)1 << 30)

#define MLE_MAX_PROTECTED 12
#define MLE_MAX_RAM 64
#define MLE_MAX_LOGS 8

/* What SINIT knows before it looks at the MLE. */
struct mle_request {
	uint64_t ptab, size, header; /* OsSinitData: page table, MleSize, linear address of the header */
	uint32_t min_version;        /* of the header: info table of the module */
	uint32_t capabilities;       /* of the module, ACM_CAP_* */
	struct txt_range heap, sinit;
	struct txt_range logs[MLE_MAX_LOGS]; /* will be written after the MLE was hashed: no part of it may lie there */
	unsigned log_count;
	struct txt_range protect[MLE_MAX_PROTECTED]; /* from DMA: PMRs, DPR, TPRs */
	unsigned protect_count;
	struct txt_range ram[MLE_MAX_RAM]; /* good memory */
	unsigned ram_count;
};

struct mle_header {
	uint8_t uuid[MLE_UUID_SIZE];
	uint32_t length, version;
	uint32_t entry, first_page;
	uint32_t start, end; /* what is hashed, linear; first byte behind it */
	uint32_t capabilities;
	uint32_t cmdline_start, cmdline_end; /* 0 if the header has no such fields */
};

struct mle {
	struct mle_header header;
	uint64_t ptab, size;
	uint64_t pages;
	uint64_t first_physical; /* of linear address 0 */
	uint64_t entry_physical;
};

/* Where a rule is broken: the linear address in question and the physical one; 0 if there is none. */
struct mle_where {
	uint64_t linear, physical;
};

/* Checks every rule for page tables and header, tables first. `out` on success, `where` on failure. TXT_RULE_MACHINE: memory cannot be read. */
GL_MUST enum txt_rule mle_check(const struct txt_memory *m, const struct mle_request *q, struct mle *out, struct mle_where *where);

/* The digest of [start, end) in the order of linear addresses, for an MLE that was checked. False if memory cannot be read. */
GL_MUST bool mle_hash(const struct txt_memory *m, const struct mle *mle, alg_set banks, struct digests *out);

/* Copies linear addresses of an MLE that was checked; false if they are not all in it, or memory cannot be read. */
GL_MUST bool mle_read(const struct txt_memory *m, const struct mle *mle, uint64_t linear, struct mspan out);

#endif
