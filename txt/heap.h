/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_HEAP_H
#define GL_TXT_HEAP_H

#include "common/alg.h"
#include "txt/range.h"
#include "txt/rules.h"

/*
 * The TXT heap: four tables one behind the other, each a u64 that is the table's size with itself, and the table. Little-endian, packed.
 * Intel TXT SDG 315168-016, appendix C; tboot 1.10.5, tboot/include/txt/heap.h. Whoever launches writes all but the first table, so
 * every byte is hostile. Offsets are bytes from the heap's base.
 */
enum heap_table { HEAP_BIOS, HEAP_OS_MLE, HEAP_OS_SINIT, HEAP_SINIT_MLE, HEAP_TABLES };

/* A table's content, without the size field; `offset` is that of the size field. */
struct heap_location {
	size_t offset;
	struct span content; /* in the bytes given to heap_locate() */
};

struct heap_tables {
	struct heap_location table[HEAP_TABLES];
};

/*
 * Finds the tables. Before SENTER there are three of them: `count` says how many must be there (1 to 4). The offset of the next one is
 * known then, its content empty. TXT_RULE_HEAP_TABLE_SIZE if one does not fit; `where` gets its number. `out` on success only.
 */
GL_MUST enum txt_rule heap_locate(struct span heap, unsigned count, struct heap_tables *out, enum heap_table *where);

const char *heap_table_name(enum heap_table t);

/* ---- extended elements (BiosData 4+, OsSinitData 6+, SinitMleData 8+) ---- */

enum heap_element_type {
	HEAP_EXT_END = 0,
	HEAP_EXT_BIOS_SPEC_VERSION = 1,
	HEAP_EXT_ACM = 2,
	HEAP_EXT_STM = 3,
	HEAP_EXT_CUSTOM = 4,
	HEAP_EXT_LOG_12 = 5, /* TPM 1.2 */
	HEAP_EXT_MADT = 6,
	HEAP_EXT_LOG_2 = 7,   /* one log per algorithm */
	HEAP_EXT_LOG_TCG = 8, /* one log, crypto-agile */
	HEAP_EXT_MCFG = 9,
	HEAP_EXT_TPR = 13,
	HEAP_EXT_DTPR = 14,
};

#define HEAP_ELEMENT_HEADER 8
/* No table has more. */
#define HEAP_MAX_ELEMENTS 32

struct heap_element {
	uint32_t type;
	size_t offset;    /* of its header in the table's content */
	struct span data; /* behind the header */
};

/* Walks the elements that begin at `offset` of the table's content, up to and without the one that ends them. */
struct heap_elements {
	struct span content;
	size_t offset;
	unsigned count;
	bool end; /* the end element was found */
};

static inline struct heap_elements heap_elements_in(struct span content, size_t offset)
{
	return (struct heap_elements){ content, offset, 0, false };
}

/*
 * TXT_OK with the next element, or with it->end set and `out` untouched. Else TXT_RULE_HEAP_ELEMENT_SIZE or _END, and the walk is over.
 */
GL_MUST enum txt_rule heap_elements_next(struct heap_elements *it, struct heap_element *out);

/* ---- BiosData ---- */

#define HEAP_BIOS_MIN 2
#define HEAP_BIOS_MAX 6
/* Flags of the BIOS, versions 5 and 6: mle_flags. */
#define HEAP_BIOS_MLE_PPI 0x1u
#define HEAP_BIOS_MLE_CLIENT 0x2u
#define HEAP_BIOS_MLE_SERVER 0x4u

struct heap_bios {
	uint32_t version;
	uint32_t bios_sinit_size;    /* of a SINIT that the BIOS put into the SINIT area; 0: none */
	uint64_t lcp_base, lcp_size; /* the supplier's policy data; 0: none */
	uint32_t processors;         /* logical ones */
	uint32_t sinit_flags;        /* version 3 and later */
	uint32_t mle_flags;
	uint16_t bios_version[3]; /* major, minor, revision of the specification; version 4 and later, element 1; encoder only */
	size_t elements;          /* where they begin; 0: none */
};

GL_MUST enum txt_rule heap_bios_decode(struct span content, struct heap_bios *out);
/* With the size field. `*n` is the size. False if the version is none of ours or `out` too small. */
GL_MUST bool heap_bios_encode(const struct heap_bios *b, struct mspan out, size_t *n);

/* ---- OsSinitData ---- */

#define HEAP_OS_SINIT_MIN 4
#define HEAP_OS_SINIT_MAX 7
/* Flags: the extend policy that is asked for. */
#define HEAP_OS_SINIT_EMBEDDED 0x1u
#define HEAP_MAX_LOGS 8
#define HEAP_MAX_TPRS 8

/* One event log: element 8 describes one, element 7 one per algorithm. */
struct heap_log {
	uint16_t alg; /* TPM_ALG_ID; 0 in element 8 */
	uint64_t base;
	uint32_t size;        /* of the memory for it */
	uint32_t first, next; /* offsets of the first record, and behind the last */
	size_t next_at;       /* where `next` stands in the table's content: SINIT writes it */
	size_t first_at;
};

struct heap_os_sinit {
	uint32_t version, flags;
	uint64_t ptab, mle_size, mle_header;
	struct txt_range pmr_lo, pmr_hi;
	struct txt_range lcp;  /* the owner's policy data */
	uint32_t capabilities; /* what the MLE wants, bits as in ACM_CAP_* */
	uint64_t rsdp;         /* version 5 and later; 0: legacy boot, SINIT looks for it */
	bool has_tcg_log;
	struct heap_log tcg_log;
	unsigned log_count; /* of element 7; 0 if there is none */
	struct heap_log logs[HEAP_MAX_LOGS];
	bool has_tpr; /* element 13 */
	unsigned tpr_count;
	struct txt_range tprs[HEAP_MAX_TPRS];
	size_t elements; /* where they begin in the content; 0: none */
};

/* Takes the table apart, with its elements; checks what is needed for that. `out` on success only. */
GL_MUST enum txt_rule heap_os_sinit_decode(struct span content, struct heap_os_sinit *out);

/* ---- SinitMleData ---- */

enum heap_mdr_type {
	HEAP_MDR_GOOD = 0,
	HEAP_MDR_SMM_OVERLAY = 1,
	HEAP_MDR_SMM_NO_OVERLAY = 2,
	HEAP_MDR_PCIE_CONFIG = 3,
};

#define HEAP_MDR_SIZE 24
#define HEAP_SINIT_MLE_MIN 6
#define HEAP_SINIT_MLE_VERSION 9
#define HEAP_MAX_MDRS 64

struct heap_mdr {
	struct txt_range range;
	uint8_t type;
};

/* Version 9. The TPM 1.2 fields are zero, as real modules write them. */
struct heap_sinit_mle {
	uint32_t version;
	uint32_t edx;
	uint32_t lcp_control;
	uint32_t rlp_wakeup;         /* where a write wakes the processors that wait with MONITOR */
	uint32_t scrtm;              /* processor-based S-CRTM */
	const struct heap_mdr *mdrs; /* encoder; the decoder fills mdr_bytes */
	uint32_t mdr_count;
	struct span dmar;       /* copies of ACPI tables */
	struct span madt, mcfg; /* elements 6 and 9; empty: none */
	struct span mdr_bytes;
	/* decoder only: */
	struct span bios_acm_id; /* 20 bytes */
	uint64_t mseg_valid;     /* MSR IA32_SMM_MONITOR_CTL, bits that concern an STM */
	struct span old_digests; /* of SINIT, MLE, STM and policy, 20 bytes each: TPM 1.2 */
	size_t elements;         /* where they begin in the table with its size field; 0: none */
};

#define HEAP_OLD_DIGEST 20

/*
 * With the size field: fixed fields, elements, DMAR, MDRs, as real modules order them. Offsets in it count from the size field. False if it
 * does not fit.
 */
GL_MUST bool heap_sinit_mle_encode(const struct heap_sinit_mle *s, struct mspan out, size_t *n);

/*
 * `table` is the whole table with its size field. Versions 6-9. Spans point into it. TXT_RULE_HEAP_TABLE_SIZE, _ELEMENT_SIZE, _END if
 * something reaches outside.
 */
GL_MUST enum txt_rule heap_sinit_mle_decode(struct span table, struct heap_sinit_mle *out);

/* Number `i` of the decoded MDRs; `i` must be below mdr_count. */
struct heap_mdr heap_mdr_at(const struct heap_sinit_mle *s, uint32_t i);

#endif
