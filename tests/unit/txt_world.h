/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_UNIT_TXT_WORLD_H
#define GL_TESTS_UNIT_TXT_WORLD_H

#include "lcp/acm_make.h"
#include "qemu/txt/sinit.h"
#include "qemu/txt/smx.h"

/*
 * A machine in arrays, in which a launch succeeds: RAM, DPR with heap and module, ACPI tables, an MLE with page tables, a TPM. Tests change one thing
 * and look at what comes of it.
 */
#define WORLD_RAM 0x1000000u  /* RAM at 0 */
#define WORLD_TOP 0xcc000000u /* end of the DPR */
#define WORLD_DPR 0x400000u
#define WORLD_HEAP (WORLD_TOP - WORLD_DPR)
#define WORLD_SINIT (WORLD_TOP - 0x200000u)
#define WORLD_PTAB 0x400000u /* directory pointers, directory, two tables */
#define WORLD_MLE 0x408000u
#define WORLD_PAGES 600u /* more than one table */
#define WORLD_MLE_SIZE (WORLD_PAGES * 4096u)
#define WORLD_MLE_HEADER 0x1040u /* linear */
#define WORLD_ENTRY 0x2010u
#define WORLD_RSDP 0xf0000u
#define WORLD_XSDT 0x7f0000u
#define WORLD_DMAR 0x7f1000u
#define WORLD_MADT 0x7f2000u
#define WORLD_LOG_SIZE 8192u
#define WORLD_LCP 0x700000u /* where tests put policy data */

#define WORLD_NV 4

struct world_nv {
	bool exists;
	struct txt_nv_public public;
	uint8_t content[2048];
};

struct world {
	uint8_t *ram, *dpr;
	unsigned reads_left; /* memory reads and writes until all fail, and 1; 0: never */
	struct chipset chipset;
	struct smx_config smx;
	struct sinit_platform platform;
	struct txt_memory memory;
	struct txt_tpm tpm;
	struct txt_trace trace;
	struct sinit_policy policy;

	/* the TPM */
	alg_set banks;
	struct pcrs pcrs;
	bool drtm;
	unsigned commands, fail_at; /* the command that fails, from 1; 0: none */
	uint32_t fail_rc;
	unsigned extends;
	struct world_nv nv[WORLD_NV];

	/* what world_build() writes */
	struct acm_recipe recipe;
	struct mle_header header;
	uint32_t os_version, os_flags, os_capabilities;
	uint64_t ptab, mle_size, mle_header, rsdp;
	struct txt_range pmr_lo, pmr_hi, lcp;
	bool tcg_log;
	unsigned log_count; /* element 7 */
	uint16_t log_algs[4];
	size_t os_sinit, log; /* addresses in guest memory: content of OsSinitData, first log */
	uint32_t log_size;

	struct smx_cpu cpu;
	struct smx_machine machine;
	struct sinit_result result;
};

/* Fills `w` with defaults; memory is allocated. world_free() when done. */
void world_init(struct world *w);
void world_free(struct world *w);

/* Writes module, heap, tables, MLE to memory by the fields of `w`, and powers the chipset on. */
void world_build(struct world *w);

/* GETSEC[SENTER] and, if the processor accepts, SINIT. w->result.rule is TXT_RULE_COUNT if SINIT was not reached. */
enum smx_rule world_senter(struct world *w);

/* Guest memory, little-endian. */
void world_put(struct world *w, uint64_t at, uint64_t v, size_t width);
uint64_t world_get(struct world *w, uint64_t at, size_t width);
uint8_t *world_at(struct world *w, uint64_t at, size_t n);

/* Entry `page` of the MLE's page tables: its address in guest memory. */
uint64_t world_pte(unsigned page);

/* Defines an index with this content. */
void world_define(struct world *w, unsigned slot, uint32_t index, uint32_t attributes, struct span policy, struct span content);

#endif
