/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_RULES_H
#define GL_TXT_RULES_H

#include "common/span.h"

/*
 * Every rule that SINIT checks: one value each, with a name, the document that has it, and what TXT.ERRORCODE says when it is broken.
 * The rules of the processor are in smx.h, those of launch control in lcp/evaluate.h.
 */
enum txt_rule {
	TXT_OK,

	/* module and chipset */
	TXT_RULE_ACM_FORMAT, /* not a module that can be taken apart */
	TXT_RULE_ACM_TYPE,   /* entered by SENTER, but not a SINIT */
	TXT_RULE_ACM_CHIPSET,
	TXT_RULE_ACM_PROCESSOR,
	TXT_RULE_ACM_AREA, /* does not lie in the SINIT area */
	TXT_RULE_RANGES,   /* heap, SINIT area or DPR: base or size is wrong */
	TXT_RULE_RANGES_SMALL,
	TXT_RULE_DPR_LOCK,
	TXT_RULE_DPR_COVERS, /* heap and SINIT area are not in it */
	TXT_RULE_WAKE_ERROR,
	TXT_RULE_DMA_REMAPPING,

	/* heap */
	TXT_RULE_HEAP_UNREADABLE,
	TXT_RULE_HEAP_TABLE_SIZE,
	TXT_RULE_HEAP_BIOS_VERSION,
	TXT_RULE_HEAP_OS_VERSION,
	TXT_RULE_HEAP_FULL, /* no room for SinitMleData */
	TXT_RULE_HEAP_ELEMENT_TYPE,
	TXT_RULE_HEAP_ELEMENT_SIZE,
	TXT_RULE_HEAP_ELEMENT_END,
	TXT_RULE_HEAP_LOG, /* pointer to the event log */
	TXT_RULE_HEAP_LOG_BANKS,
	TXT_RULE_HEAP_RSDP,
	TXT_RULE_PMR_LO_ALIGNMENT,
	TXT_RULE_PMR_HI_ALIGNMENT,
	TXT_RULE_PMR_RANGE, /* the low one reaches above, or the high one below, 4 GiB */
	TXT_RULE_TPR,
	TXT_RULE_CAPS_WAKE,
	TXT_RULE_CAPS_PCR_MAP,

	/* TPM */
	TXT_RULE_TPM_ERROR,
	TXT_RULE_TPM_SILENT,
	TXT_RULE_TPM_LOCALITY,
	TXT_RULE_TPM_BANKS,
	TXT_RULE_NV_AUX,
	TXT_RULE_NV_PO,
	TXT_RULE_NV_PS,
	TXT_RULE_LOG_SIZE,

	/* ACPI */
	TXT_RULE_RSDP,
	TXT_RULE_RSDP_CHECKSUM,
	TXT_RULE_XSDT,
	TXT_RULE_NO_DMAR,
	TXT_RULE_DMAR,

	/* MLE header */
	TXT_RULE_MLE_HEADER_ADDRESS, /* not in the pages of the MLE */
	TXT_RULE_MLE_UUID,
	TXT_RULE_MLE_VERSION,
	TXT_RULE_MLE_LENGTH,
	TXT_RULE_MLE_FIRST_PAGE,
	TXT_RULE_MLE_SIZE,
	TXT_RULE_MLE_RANGE, /* mle_start_off, mle_end_off */
	TXT_RULE_MLE_ENTRY,
	TXT_RULE_MLE_CMDLINE,
	TXT_RULE_MLE_CAPS_WAKE,

	/* MLE page tables */
	TXT_RULE_PT_BASE, /* alignment */
	TXT_RULE_PT_ABOVE_4G,
	TXT_RULE_PT_HOLE, /* directory or table is not there */
	TXT_RULE_PT_LARGE,
	TXT_RULE_PT_RESERVED,
	TXT_RULE_PT_ORDER,
	TXT_RULE_PT_MEMORY, /* not RAM */
	TXT_RULE_PT_UNPROTECTED,
	TXT_RULE_PT_IN_HEAP,
	TXT_RULE_PT_IN_SINIT,
	TXT_RULE_PAGE_HOLE,
	TXT_RULE_PAGE_ABOVE_4G,
	TXT_RULE_PAGE_ORDER,
	TXT_RULE_PAGE_TABLE_OVERLAP,
	TXT_RULE_PAGE_BELOW_TABLES,
	TXT_RULE_PAGE_MEMORY,
	TXT_RULE_PAGE_UNPROTECTED,
	TXT_RULE_PAGE_IN_HEAP,
	TXT_RULE_PAGE_IN_SINIT,
	TXT_RULE_PAGE_EXTRA, /* mapped behind the MLE's end */
	TXT_RULE_MLE_IN_LOG, /* a page or table where the event log will be written */

	/* launch control: the policy's evaluation has names and numbers of its own */
	TXT_RULE_LCP,

	/* the machine behind the model is gone */
	TXT_RULE_MACHINE,
	TXT_RULE_COUNT
};

struct txt_rule_info {
	const char *id;
	const char *text; /* what is wrong */
	const char *source;
	uint8_t class, major; /* of TXT.ERRORCODE, see lcp/txt_error.h */
	uint16_t minor;
	bool deduced; /* the document does not say just this, or not this number */
};

/* Never NULL. */
const struct txt_rule_info *txt_rule_info(enum txt_rule r);

/* TXT.ERRORCODE for it: valid, external, from SINIT. 0 for TXT_OK. */
uint32_t txt_rule_errorcode(enum txt_rule r);

/* The same for a class, major and minor that come from elsewhere; fields that do not fit are cut to their bits. */
uint32_t txt_sinit_errorcode(unsigned class, unsigned major, unsigned minor);

#endif
