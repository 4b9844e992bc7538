/* SPDX-License-Identifier: BSD-3-Clause */
/* What TXT.ERRORCODE says in its coarse parts; sources in txt_error.h. Apart from the finer ones, for who has little room. */
#include "lcp/txt_error.h"

/* Intel TXT SDG 315168-016, appendix B; tboot errorcode.h. */
static const char *const processor_texts[] = {
	[0] = "legacy shutdown: triple fault, or shutdown while TXT was active",
	[5] = "memory type of the ACM's area cannot be loaded from",
	[6] = "ACM of a kind that this processor does not know",
	[7] = "ACM's signature is wrong",
	[8] = "ACM's header is wrong",
	[9] = "unexpected snoop hit while the ACM was loaded",
	[10] = "event that is not allowed while entering the ACM",
	[11] = "data for joining processors are wrong",
	[12] = "machine check that cannot be recovered from",
	[13] = "VMX abort",
	[14] = "ACM's memory was changed while it ran",
	[15] = "voltage or bus ratio is not allowed",
};

static const char *const class_texts[64] = {
	[0x00] = "progress",
	[0x01] = "entry into the module",
	[0x02] = "MTRRs",
	[0x03] = "memory ranges",
	[0x04] = "TPM",
	[0x05] = "chipset configuration",
	[0x06] = "chipset configuration, second part",
	[0x07] = "leaving the module, other processors",
	[0x08] = "miscellaneous",
	[0x09] = "memory scrubbing",
	[0x0a] = "reset of the establishment bit",
	[0x0b] = "alias check of memory",
	[0x0c] = "startup module",
	[0x0d] = "reset of the AUX index",
	[0x0e] = "locking of the configuration",
	[0x0f] = "loader of the initial boot block",
	[0x10] = "Boot Guard",
	[0x11] = "integrity of the boot policy",
	[0x12] = "platform firmware resilience",
	[0x13] = "PCR values",
	[0x14] = "event log",
	[0x15] = "making of heap tables",
	[0x16] = "SINIT in 64-bit mode",
	[0x17] = "access policies of the chipset",
	[0x18] = "CXL",
	[0x19] = "DMA protection by TPR",
	[0x20] = "internal",
	[0x21] = "memory reference code",
	[0x22] = "ACPI tables",
	[0x23] = "clearing of secrets",
	[0x24] = "DMAR table",
	[0x25] = "SCHECK",
	[0x26] = "DMA protection by PMR",
	[0x27] = "BIOS properties",
	[0x28] = "MLE header",
	[0x29] = "locking of the configuration",
	[0x2a] = "MLE page table",
	[0x2b] = "SMI transfer monitor",
	[0x2c] = "graphics and memory configuration",
	[0x2d] = "extended chipset configuration",
	[0x2e] = "launch control policy",
	[0x2f] = "sanity checks",
	[0x30] = "heap tables",
};

/* tboot tboot/txt/errors.c, and what users reported of older modules. */
static const char *const old_class_texts[64] = {
	[0x07] = "MLE page table",
	[0x0d] = "TPM",
	[0x10] = "launch control policy",
};

const char *txt_error_processor_text(uint32_t code)
{
	return code < GL_COUNT(processor_texts) ? processor_texts[code] : NULL;
}

const char *txt_error_class_text(unsigned class)
{
	return class < GL_COUNT(class_texts) ? class_texts[class] : NULL;
}

const char *txt_error_old_class_text(unsigned class)
{
	return class < GL_COUNT(old_class_texts) ? old_class_texts[class] : NULL;
}

void txt_error_print_part(struct text *t, const char *name, uint64_t v, const char *meaning)
{
	text_str(t, name);
	text_hex(t, v, 1);
	if (meaning) {
		text_str(t, " (");
		text_str(t, meaning);
		text_char(t, ')');
	}
}
