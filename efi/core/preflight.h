/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_PREFLIGHT_H
#define GL_EFI_CORE_PREFLIGHT_H

#include "common/description.h"
#include "efi/core/launch.h"
#include "lcp/acm.h"
#include "tboot-policy/action.h"
#include "txt/heap.h"

/*
 * What would make a TXT launch fail later, where nobody sees why (a reset, or a host that runs unmeasured), found before it begins and
 * said in sentences. Facts in, findings out; what reads registers, ACPI tables and the TPM is efi/preflight.c.
 */

/* ---------------------------------------------------------------- facts */

/* TXT's public registers, Intel TXT SDG 315168-016, appendix B.1. A platform without TXT reads as all ones. */
struct preflight_chipset {
	uint64_t didvid, sts;
	uint32_t fsbif, qpiif;
	uint8_t ests;
	uint32_t errorcode;
	uint64_t sinit_base, sinit_size, heap_base, heap_size;
};

struct preflight_processor {
	uint32_t vendor[3];           /* CPUID(0): EBX, EDX, ECX */
	uint32_t signature, features; /* CPUID(1): EAX, ECX */
	bool has_msrs;                /* the two below were read: it is Intel's, with SMX or VMX */
	uint64_t feature_control;     /* IA32_FEATURE_CONTROL, MSR 0x3A */
	uint64_t platform_id;         /* MSR 0x17 */
	bool has_capabilities;
	uint32_t capabilities; /* GETSEC[CAPABILITIES] */
};

enum preflight_acpi {
	PREFLIGHT_ACPI_OK,
	PREFLIGHT_ACPI_NO_RSDP,
	PREFLIGHT_ACPI_BROKEN, /* a table with a wrong checksum, or one that leaves the address space */
	PREFLIGHT_ACPI_NO_DMAR,
};

struct preflight_facts {
	struct preflight_processor processor;
	struct preflight_chipset chipset;
	struct span heap; /* its memory; empty if there is none at a possible address */
	struct span sinit_area;
	enum preflight_acpi acpi;
	const char *tpm_problem; /* NULL if there is a TPM 2.0 that answers; else why not */
	alg_set banks;
	const struct description *description;
	const struct vlp *policy; /* of the ESP */
	struct span policy_bytes;
	enum launch_io sinit_io; /* of description->txt.sinit, if it has one */
	struct span sinit;
	enum launch_io lcp_io;
	struct span lcp;
};

/* An NV index as tboot and the stage would find it: read with its own, empty authorization. */
enum preflight_nv_state {
	PREFLIGHT_NV_OK,
	PREFLIGHT_NV_MISSING,
	PREFLIGHT_NV_ATTRIBUTES, /* cannot be read that way; see attributes and size */
	PREFLIGHT_NV_ERROR,      /* the TPM refused */
};

struct preflight_nv {
	enum preflight_nv_state state;
	uint32_t attributes;
	size_t size;
	uint8_t content[APPLY_NV_MAX];
};

/* Memory to work in. */
struct preflight_room {
	struct preflight_nv nv;
	struct vlp vlp;
};

struct preflight_ops {
	void (*read_nv)(void *ctx, uint32_t index, struct preflight_nv *out);
};

/* ---------------------------------------------------------------- findings */

/* One value per finding; docs/PREFLIGHT.md has the table. */
enum preflight_id {
	PREFLIGHT_CPU_VENDOR,
	PREFLIGHT_CPU_SMX,
	PREFLIGHT_CPU_VMX,
	PREFLIGHT_FEATURE_LOCK,
	PREFLIGHT_FEATURE_VMX,
	PREFLIGHT_FEATURE_SENTER,
	PREFLIGHT_CHIPSET,
	PREFLIGHT_GETSEC,
	PREFLIGHT_TXT_RESET,
	PREFLIGHT_WAKE_ERROR,
	PREFLIGHT_TXT_RUNNING,
	PREFLIGHT_PREVIOUS_ERROR,
	PREFLIGHT_PREVIOUS_ERROR_NOTE,
	PREFLIGHT_HEAP,
	PREFLIGHT_HEAP_DATA,
	PREFLIGHT_VTD,
	PREFLIGHT_ACPI,
	PREFLIGHT_SINIT_MISSING,
	PREFLIGHT_SINIT_FILE,
	PREFLIGHT_SINIT_INVALID,
	PREFLIGHT_SINIT_MATCH,
	PREFLIGHT_SINIT_SIZE,
	PREFLIGHT_SINIT_TPM,
	PREFLIGHT_SINIT_BIOS_NOTE,
	PREFLIGHT_TPM,
	PREFLIGHT_TPM_BANK,
	PREFLIGHT_VLP_MISSING,
	PREFLIGHT_VLP_UNREADABLE,
	PREFLIGHT_VLP_INVALID,
	PREFLIGHT_VLP_DIFFERS,
	PREFLIGHT_LCP_FILE,
	PREFLIGHT_LCP_MISSING,
	PREFLIGHT_LCP_UNREADABLE,
	PREFLIGHT_LCP_INVALID,
	PREFLIGHT_LCP_NO_DATA,
	PREFLIGHT_GEO_MISSING,
	PREFLIGHT_GEO_UNREADABLE,
	PREFLIGHT_GEO_SIZE,
	PREFLIGHT_GEO_DIFFERS,
	PREFLIGHT_TBOOT_LINE,
	PREFLIGHT_TBOOT_IMAGE,
	PREFLIGHT_STAGE_IMAGE,
	PREFLIGHT_MEMORY_TBOOT,
	PREFLIGHT_MEMORY,
	PREFLIGHT_MEMORY_MIN_RAM,
	PREFLIGHT_MODULE_FILE,
	PREFLIGHT_MODULE_DIFFERS,
	PREFLIGHT_MODULE_UNLISTED,
	PREFLIGHT_MODULE_MISSING,
	PREFLIGHT_TBOOT_DIFFERS,
	PREFLIGHT_FILE_DIFFERS,
	PREFLIGHT_SECURE_BOOT,
	PREFLIGHT_COUNT
};

struct preflight_info {
	const char *name;    /* "geo-missing" */
	enum tb_error error; /* what tboot or the stage would call it; TB_ERR_NONE: only said */
	bool stops;          /* there can be no launch at all, whatever else the policy would let pass */
	const char *text;    /* what is wrong and what to do */
};

extern const struct preflight_info preflight_table[PREFLIGHT_COUNT];

#define PREFLIGHT_MAX_FINDINGS 32
#define PREFLIGHT_DETAIL 160

struct preflight_finding {
	enum preflight_id id;
	char detail[PREFLIGHT_DETAIL]; /* where, and which values; may be empty */
};

struct preflight_report {
	size_t count;
	uint64_t more; /* those that had no room: a bit for each enum preflight_id */
	struct preflight_finding findings[PREFLIGHT_MAX_FINDINGS];
	/* What tboot will take, for who goes on. */
	bool has_sinit;
	bool sinit_of_bios;
	struct acm sinit;    /* its spans lie in the facts' bytes */
	uint8_t policy_type; /* of the policy that tboot obeys, if it is in the TPM; else the strictest of those in the TPM and the ESP's */
};

/* ---------------------------------------------------------------- decisions */

/* Everything but memory and modules. `out` is all new. */
void preflight_check(const struct preflight_facts *f, const struct preflight_ops *ops, void *ctx, struct preflight_room *room,
	struct preflight_report *out);

/* Adds a finding. The text for its detail, which may be NULL, is copied. */
void preflight_add(struct preflight_report *r, enum preflight_id id, const struct text *detail);

/* "geolaunch: pre-flight geo-missing: <sentence> (<detail>)" */
void preflight_line(const struct preflight_finding *f, struct text *t);

/*
 * What the policy makes of all findings from number `from` on: the most that one of them asks for. Where tboot would go on after an error,
 * VLP_ACT_CONTINUE; where no launch can come of it, VLP_ACT_UNMEASURED at least.
 */
GL_MUST enum vlp_action preflight_action(const struct preflight_report *r, size_t from);

/* The chipset's range registers as ranges, for who lays out memory; empty without a chipset. */
struct txt_range preflight_heap_range(const struct preflight_chipset *c);
struct txt_range preflight_sinit_range(const struct preflight_chipset *c);
/* True if there is a chipset with TXT behind the registers. */
GL_MUST bool preflight_has_chipset(const struct preflight_chipset *c);

#endif
