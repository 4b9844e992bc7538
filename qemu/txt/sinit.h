/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_SINIT_H
#define GL_TXT_SINIT_H

#include "lcp/acm.h"
#include "qemu/txt/chipset.h"
#include "txt/heap.h"
#include "qemu/txt/mle.h"

/*
 * What happens between the processor's checks of SENTER and the first instruction of the MLE: the processor measures the module, SINIT checks module,
 * chipset, heap, TPM, ACPI tables and MLE, asks the launch control policies, extends PCR 17 and 18 in TPM 2.0 mode with details and authorities,
 * writes event log and SinitMleData, and opens the private space. Sources are with each rule (rules.c); the order of events and their data are
 * those of a real machine's log (tests/data/real-txt).
 */

/* TPM NV indices by the set that the module's TPM info list names (tboot 1.10.5 tpm_20.c; SDG appendix J). */
struct sinit_indices {
	uint32_t aux, ps, po;
};

GL_MUST bool sinit_indices(uint8_t set, struct sinit_indices *out);

/* Who wrote a policy; order as in lcp/evaluate.h. */
enum sinit_owner { SINIT_PO, SINIT_PS, SINIT_OWNERS };

/* The question to launch control. */
struct sinit_policy_question {
	struct span policy[SINIT_OWNERS]; /* content of the NV index; p NULL: there is none */
	struct span data[SINIT_OWNERS];   /* policy data; empty: none */
	const struct acm *acm;
	bool npw;                  /* module or BIOS ACM is not production worthy */
	const struct digests *mle; /* all algorithms */
	const struct pcrs *pcrs;
};

#define SINIT_POLICY_BYTES 1024

/* The answer. Strings are constants. */
struct sinit_policy_answer {
	bool allowed;
	const char *rule, *text, *source; /* if not allowed: which rule, in words, where it is written */
	bool deduced;
	uint8_t class, major; /* of TXT.ERRORCODE */
	uint16_t minor;
	char why[160];                           /* what matched, or where it is wrong; printable */
	uint32_t control;                        /* PolicyControl that counts */
	uint8_t details[SINIT_POLICY_BYTES];     /* what PCR 17 gets for the policy: digests of the elements that matched */
	size_t details_size;                     /* 0: none did; a zero byte is measured then */
	uint8_t authorities[SINIT_POLICY_BYTES]; /* PCR 18: digests of the lists that these are in */
	size_t authorities_size;
};

/* Launch control; sinit_lcp is lcp/evaluate.h's. NULL for evaluate: every policy allows every launch, and the trace says so. */
struct sinit_policy {
	void (*evaluate)(void *ctx, const struct sinit_policy_question *q, struct sinit_policy_answer *out);
	void *ctx;
};

extern const struct sinit_policy sinit_lcp;

/* What the platform is, besides the registers of the chipset. */
struct sinit_platform {
	struct heap_mdr mdrs[HEAP_MAX_MDRS]; /* memory, in ascending order; HEAP_MDR_GOOD is RAM */
	uint32_t mdr_count;
	uint8_t bios_acm[32]; /* BIOSAC_REG_DATA, what the BIOS ACM left; sinit_bios_acm() */
	bool scrtm;           /* processor-based S-CRTM, as PARAMETERS says */
	uint32_t rlp_wakeup;  /* physical address in memory of the firmware that a MONITOR wake-up writes to */
	bool dma_remapping;   /* DMA remapping is on at the time of SENTER */
	bool npw;
	bool fill_log; /* leave log_room bytes of the event log to those who come after */
	uint32_t log_room;
	bool needs_aux, needs_ps;  /* refuse to launch without these indices; real SINITs do */
	uint32_t fms;              /* CPUID(1).EAX */
	uint64_t platform_id;      /* MSR 0x17 */
	bool copy_madt, copy_mcfg; /* into SinitMleData, as servers do */
};

/* The layout of a real machine's 32 bytes: date, chipset id, SVN, code control of the BIOS ACM. */
void sinit_bios_acm(uint8_t out[32], uint32_t date, uint16_t chipset, uint32_t svn, uint32_t control);

struct sinit_input {
	struct span acm;        /* the module as the processor loaded it */
	uint32_t acm_base, edx; /* EBX, EDX of SENTER */
	const struct sinit_platform *platform;
	struct chipset *chipset;
	const struct txt_memory *memory;
	const struct txt_tpm *tpm;
	const struct sinit_policy *policy;
	struct txt_trace *trace; /* may be NULL */
};

struct sinit_result {
	bool launched;      /* else: TXT.ERRORCODE is set; do a TXT reset */
	enum txt_rule rule; /* TXT_OK, or the first one that is broken */
	uint32_t errorcode; /* 0 if launched */
	bool measured;      /* the D-RTM sequence took place: PCR 17 is no longer FF or what it was */
	bool capped;        /* failed after that: PCR 17 and 18 were extended with the cap value */
	/* if launched */
	uint32_t entry, ptab; /* physical; for smx_enter_mle() */
	alg_set banks;        /* extended and logged */
	/* as far as known */
	bool has_mle_hash;
	struct digests mle_hash; /* all algorithms */
};

/* Runs all of it. `out` is always filled. Guest memory changes only in the event log and in the heap. */
void sinit_run(const struct sinit_input *in, struct sinit_result *out);

#endif
