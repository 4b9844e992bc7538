/* SPDX-License-Identifier: BSD-3-Clause */
#include "txt/rules.h"

#include "lcp/txt_error.h"

#define SDG "Intel TXT SDG 315168-016 "
/* The names of the errors in the only ACM sources that are public; they also name the rules. */
#define ACM "Intel NP-SEAMLDR 1.5 Core/Include/AcmErr.h "

#define ROW(id_, class_, major_, minor_, text_, source_) \
	{ \
		.id = id_, .class = class_, .major = major_, .minor = minor_, .text = text_, .source = source_ \
	}
/* The rule, or its number, is not written anywhere public just so. */
#define GUESS(id_, class_, major_, minor_, text_, source_) \
	{ \
		.id = id_, .class = class_, .major = major_, .minor = minor_, .text = text_, .source = source_, .deduced = true \
	}

/* clang-format off */
static const struct txt_rule_info rules[TXT_RULE_COUNT] = {
	[TXT_OK] = ROW("ok", 0, 0, 0, "no rule is broken", ""),

	[TXT_RULE_ACM_FORMAT] = ROW("acm-format", 0x01, 0x14, 0, "the module's header or tables are wrong", SDG "A.1; " ACM "ERR_INVALID_HEADER"),
	[TXT_RULE_ACM_TYPE] = ROW("acm-type", 0x01, 0x01, 0x03, "SENTER was given a module that is no SINIT", SDG "A.1.2; " ACM "ERR_LAUNCH_SENTER"),
	[TXT_RULE_ACM_CHIPSET] = ROW("acm-chipset", 0x01, 0x04, 0, "the module is not for this chipset", SDG "A.1.2; " ACM "ERR_DEV_ID"),
	[TXT_RULE_ACM_PROCESSOR] = ROW("acm-processor", 0x01, 0x05, 0, "the module is not for this processor", SDG "A.1.2; " ACM "ERR_CPU_ID"),
	[TXT_RULE_ACM_AREA] = ROW("acm-area", 0x05, 0x0b, 0, "the module does not lie in the SINIT area", SDG "B.1; " ACM "ERR_SINIT_CONFIG"),
	[TXT_RULE_RANGES] = ROW("txt-ranges", 0x05, 0x01, 0, "base or size of heap, SINIT area or DPR is wrong", SDG "B.1; " ACM
		"ERR_TXT_RANGE_ENABLES"),
	[TXT_RULE_RANGES_SMALL] = ROW("txt-ranges-small", 0x05, 0x02, 0, "heap, SINIT area or DPR is too small", ACM "ERR_TXT_RANGE_SIZES"),
	[TXT_RULE_DPR_LOCK] = ROW("dpr-lock", 0x05, 0x0e, 0x01, "the DPR is not locked", SDG "B.1; " ACM "ERR_DPR_CONFIG_EN"),
	[TXT_RULE_DPR_COVERS] = ROW("dpr-covers", 0x05, 0x0e, 0x02, "heap and SINIT area do not lie in the DPR", SDG "B.1; " ACM
		"ERR_DPR_CONFIG_SZ"),
	[TXT_RULE_WAKE_ERROR] = ROW("wake-error", 0x05, 0x18, 0, "a reset with secrets in memory is still recorded (TXT.ESTS, WAKE_ERROR)", SDG
		"B.1.2; " ACM "ERR_WAKE_ERR_BIT_SET"),
	[TXT_RULE_DMA_REMAPPING] = ROW("dma-remapping", 0x26, 0x01, 0, "DMA remapping is on", SDG "2.2; " ACM "ERR_DMA_REMAP"),

	[TXT_RULE_HEAP_UNREADABLE] = GUESS("heap-unreadable", 0x30, 0x07, 0, "the heap cannot be read", SDG "C"),
	[TXT_RULE_HEAP_TABLE_SIZE] = ROW("heap-table-size", 0x30, 0x01, 0, "a table's size reaches past the heap, or is too small for the table",
		SDG "C; " ACM "ERR_SIZE"),
	[TXT_RULE_HEAP_BIOS_VERSION] = ROW("heap-bios-version", 0x30, 0x02, 0x01, "version of BiosData", SDG "C.2; " ACM "ERR_VERSION"),
	[TXT_RULE_HEAP_OS_VERSION] = ROW("heap-os-version", 0x30, 0x02, 0x02, "version of OsSinitData", SDG "C.4; " ACM "ERR_VERSION"),
	[TXT_RULE_HEAP_FULL] = ROW("heap-full", 0x30, 0x07, 0, "there is no room for SinitMleData", SDG "C.5; " ACM "ERR_HEAPMEM_SIZE_OVER"),
	[TXT_RULE_HEAP_ELEMENT_TYPE] = ROW("heap-element-type", 0x30, 0x08, 0, "type of an extended element", SDG "C.4; " ACM "ERR_BAD_EXT_ELT_TYPE"),
	[TXT_RULE_HEAP_ELEMENT_SIZE] = ROW("heap-element-size", 0x30, 0x09, 0, "size of an extended element", SDG "C.4; " ACM "ERR_BAD_EXT_ELT_SIZE"),
	[TXT_RULE_HEAP_ELEMENT_END] = ROW("heap-element-end", 0x30, 0x0a, 0, "the extended elements have no end", SDG "C.4; " ACM
		"ERR_NOT_TERMINATED"),
	[TXT_RULE_HEAP_LOG] = ROW("heap-log", 0x30, 0x0b, 0x02, "there is no event log element, or what it points to cannot be used", SDG
		"C.4, F; " ACM "ERR_BAD_LOG_POINTER"),
	[TXT_RULE_HEAP_LOG_BANKS] = ROW("heap-log-banks", 0x30, 0x0b, 0x01, "the logs are not those of the TPM's banks", SDG "C.4, F; " ACM
		"ERR_BAD_LOG_POINTER"),
	[TXT_RULE_HEAP_RSDP] = ROW("heap-rsdp", 0x30, 0x0c, 0, "the pointer to the RSDP is above 4 GiB", SDG "C.4; " ACM "ERR_BAD_ACPI_POINTER"),
	[TXT_RULE_PMR_LO_ALIGNMENT] = ROW("pmr-lo-alignment", 0x30, 0x03, 0, "base or size of the low PMR is no multiple of 2 MiB", SDG "C.4; " ACM
		"ERR_PMRL_ALIGNMENT"),
	[TXT_RULE_PMR_HI_ALIGNMENT] = ROW("pmr-hi-alignment", 0x30, 0x04, 0, "base or size of the high PMR is no multiple of 2 MiB", SDG "C.4; " ACM
		"ERR_PMRH_ALIGNMENT"),
	[TXT_RULE_PMR_RANGE] = ROW("pmr-range", 0x03, 0x01, 0x04, "the low PMR does not end below, or the high one begin at or above, 4 GiB", SDG
		"C.4; " ACM "ERR_BASIC_RANGE_CHECK, ERR_PMR"),
	[TXT_RULE_TPR] = GUESS("tpr", 0x19, 0x02, 0, "a requested TPR is wrong", ACM "ERR_REQ_TPR"),
	[TXT_RULE_CAPS_WAKE] = ROW("caps-wake", 0x30, 0x06, 0x01, "OsSinitData requests no, or no supported, way to wake the other processors", SDG
		"C.4, 2.1; " ACM "ERR_REQ_CAPABILITIES"),
	[TXT_RULE_CAPS_PCR_MAP] = ROW("caps-pcr-map", 0x30, 0x06, 0x02, "OsSinitData requests a PCR mapping that TPM 2.0 does not have", SDG
		"C.4, 2.1; " ACM "ERR_REQ_CAPABILITIES"),

	[TXT_RULE_TPM_ERROR] = ROW("tpm-error", 0x04, 0x01, 0, "the TPM returned an error", ACM "ERR_TPM_ERROR"),
	[TXT_RULE_TPM_SILENT] = ROW("tpm-silent", 0x04, 0x1f, 0, "the TPM did not answer", ACM "ERR_RESPONSE_TIMEOUT"),
	[TXT_RULE_TPM_LOCALITY] = ROW("tpm-locality", 0x04, 0x02, 0, "the TPM refused the locality", ACM "ERR_LOCALITY"),
	[TXT_RULE_TPM_BANKS] = ROW("tpm-banks", 0x04, 0x14, 0, "the TPM has no PCR bank that the module can extend", ACM
		"ERR_PCR_BANKS_NOT_SUPPORTED"),
	[TXT_RULE_NV_AUX] = ROW("nv-aux", 0x04, 0x07, 0x01, "the AUX index is defined wrongly", SDG "J; " ACM "ERR_TPM_NV_INDEX_INVALID_AUX"),
	[TXT_RULE_NV_PO] = ROW("nv-po", 0x04, 0x07, 0x0c, "the owner's index is too large for a policy", SDG "J; " ACM
		"ERR_TPM_NV_INDEX_INVALID_PO_SIZE"),
	[TXT_RULE_NV_PS] = ROW("nv-ps", 0x04, 0x07, 0x12, "the supplier's index is too large for a policy", SDG "J; " ACM
		"ERR_TPM_NV_INDEX_INVALID_PS_SIZE"),
	[TXT_RULE_LOG_SIZE] = ROW("log-size", 0x14, 0x04, 0, "the event log has no room for an event", ACM "ERR_LOG_SIZE"),

	[TXT_RULE_RSDP] = ROW("acpi-rsdp", 0x22, 0x08, 0, "no RSDP where one must be", ACM "ERR_INVALID_RSDP"),
	[TXT_RULE_RSDP_CHECKSUM] = ROW("acpi-rsdp-checksum", 0x22, 0x01, 0, "checksum of the RSDP", ACM "ERR_RSDP_CHKSM"),
	[TXT_RULE_XSDT] = ROW("acpi-xsdt", 0x22, 0x09, 0, "the table of tables is wrong", ACM "ERR_INVALID_XSDT, ERR_INVALID_RSDT"),
	[TXT_RULE_NO_DMAR] = ROW("acpi-no-dmar", 0x22, 0x04, 0, "there is no DMAR table", ACM "ERR_NO_DMAR"),
	[TXT_RULE_DMAR] = ROW("acpi-dmar", 0x22, 0x05, 0, "the DMAR table is wrong", ACM "ERR_INVALID_DMAR"),

	[TXT_RULE_MLE_HEADER_ADDRESS] = ROW("mle-header-address", 0x28, 0x01, 0, "the MLE header does not lie in the MLE", SDG "2.1, C.4; " ACM
		"ERR_MLE_HEADER_LIN_ADDR"),
	[TXT_RULE_MLE_UUID] = ROW("mle-uuid", 0x28, 0x02, 0, "there is no MLE header: the UUID is another", SDG "2.1; " ACM "ERR_MLE_GUID"),
	[TXT_RULE_MLE_VERSION] = ROW("mle-version", 0x28, 0x03, 0, "SINIT does not know this version of the MLE header", SDG "2.1, A.1.2; " ACM
		"ERR_MLE_VERSION"),
	[TXT_RULE_MLE_LENGTH] = GUESS("mle-length", 0x28, 0x03, 0, "the MLE header is shorter than its version", SDG "2.1"),
	[TXT_RULE_MLE_FIRST_PAGE] = ROW("mle-first-page", 0x28, 0x04, 0, "FirstValidPage is not page-aligned or lies behind the MLE's start", SDG
		"2.1; " ACM "ERR_MLE_FIRST_PAGE"),
	[TXT_RULE_MLE_SIZE] = ROW("mle-size", 0x28, 0x05, 0, "MleSize is 0, above 1 GiB, or not that of the header", SDG "2.1, C.4; " ACM
		"ERR_MLE_SIZE"),
	[TXT_RULE_MLE_RANGE] = ROW("mle-range", 0x28, 0x05, 0, "MLE start and end are not in order, or the end lies behind MleSize", SDG "2.1; " ACM
		"ERR_MLE_SIZE"),
	[TXT_RULE_MLE_ENTRY] = ROW("mle-entry", 0x28, 0x06, 0, "the entry point lies outside of the MLE", SDG "2.1; " ACM "ERR_MLE_ENTRY_PT"),
	[TXT_RULE_MLE_CMDLINE] = GUESS("mle-cmdline", 0x28, 0x05, 0, "the command line area lies outside of the MLE", SDG "2.1"),
	[TXT_RULE_MLE_CAPS_WAKE] = ROW("mle-caps-wake", 0x28, 0x07, 0x01, "MLE and SINIT have no common way to wake the other processors", SDG
		"2.1; " ACM "ERR_MONITOR_GETSEC_WAKEUP"),

	[TXT_RULE_PT_BASE] = ROW("mle-pt-base", 0x2a, 0x01, 0, "the page table is not 4 KiB-aligned", SDG "2.2, C.4; " ACM "ERR_MLE_RANGE_CHECK"),
	[TXT_RULE_PT_ABOVE_4G] = ROW("mle-pt-4g", 0x30, 0x05, 0, "a page table lies above 4 GiB", SDG "2.2, C.4; " ACM "ERR_MLE_LOCATION"),
	[TXT_RULE_PT_HOLE] = ROW("mle-pt-hole", 0x2a, 0x01, 0, "a page directory or table is not present", SDG "2.2; " ACM "ERR_MLE_RANGE_CHECK"),
	[TXT_RULE_PT_LARGE] = ROW("mle-pt-large", 0x2a, 0x03, 0, "a large page is mapped", SDG "2.2; " ACM "ERR_MLE_PT_BIG_PAGE"),
	[TXT_RULE_PT_RESERVED] = GUESS("mle-pt-reserved", 0x2a, 0x01, 0, "reserved bits of an entry are set", SDG "2.2"),
	[TXT_RULE_PT_ORDER] = ROW("mle-pt-order", 0x2a, 0x04, 0, "page directory pointers, directory and tables do not ascend", SDG "2.2; " ACM
		"ERR_MLE_PAGE_PD_PT_RULE_FAIL"),
	[TXT_RULE_PT_MEMORY] = ROW("mle-pt-memory", 0x03, 0x01, 0x0c, "a page table is not in memory", SDG "2.2; " ACM "ERR_MLE_PT_PAGE"),
	[TXT_RULE_PT_UNPROTECTED] = ROW("mle-pt-unprotected", 0x03, 0x04, 0x0c, "a page table is not protected from DMA", SDG "2.2; " ACM
		"ERR_RANGE_NOT_CONTAINED"),
	[TXT_RULE_PT_IN_HEAP] = ROW("mle-pt-heap", 0x03, 0x02, 0x0c, "a page table lies in the heap", SDG "2.2; " ACM "ERR_RANGE_OVERLAPPING"),
	[TXT_RULE_PT_IN_SINIT] = ROW("mle-pt-sinit", 0x03, 0x02, 0x0c, "a page table lies in the SINIT area", SDG "2.2; " ACM
		"ERR_RANGE_OVERLAPPING"),
	[TXT_RULE_PAGE_HOLE] = ROW("mle-page-hole", 0x2a, 0x02, 0, "a page of the MLE is not present", SDG "2.2; " ACM "ERR_MLE_PAGE_RULE_FAIL"),
	[TXT_RULE_PAGE_ABOVE_4G] = ROW("mle-page-4g", 0x03, 0x01, 0x0d, "a page of the MLE lies above 4 GiB", SDG "2.2; " ACM
		"ERR_BASIC_RANGE_CHECK, ERR_MLE_PAGE"),
	[TXT_RULE_PAGE_ORDER] = ROW("mle-page-order", 0x2a, 0x02, 0, "the MLE's pages do not ascend", SDG "2.2; " ACM "ERR_MLE_PAGE_RULE_FAIL"),
	[TXT_RULE_PAGE_TABLE_OVERLAP] = ROW("mle-page-table", 0x03, 0x02, 0x0d, "a page of the MLE is a page table", SDG "2.2; " ACM
		"ERR_RANGE_OVERLAPPING, ERR_MLE_PAGE"),
	[TXT_RULE_PAGE_BELOW_TABLES] = ROW("mle-page-below-tables", 0x2a, 0x04, 0, "a page of the MLE lies below the page tables", SDG
		"2.2; " ACM "ERR_MLE_PAGE_PD_PT_RULE_FAIL"),
	[TXT_RULE_PAGE_MEMORY] = ROW("mle-page-memory", 0x03, 0x01, 0x0d, "a page of the MLE is not in memory", SDG "2.2; " ACM
		"ERR_BASIC_RANGE_CHECK, ERR_MLE_PAGE"),
	[TXT_RULE_PAGE_UNPROTECTED] = ROW("mle-page-unprotected", 0x03, 0x04, 0x0d, "a page of the MLE is not protected from DMA", SDG
		"2.2; " ACM "ERR_RANGE_NOT_CONTAINED, ERR_MLE_PAGE"),
	[TXT_RULE_PAGE_IN_HEAP] = ROW("mle-page-heap", 0x03, 0x02, 0x0d, "a page of the MLE lies in the heap", SDG "2.2; " ACM
		"ERR_RANGE_OVERLAPPING, ERR_MLE_PAGE"),
	[TXT_RULE_PAGE_IN_SINIT] = ROW("mle-page-sinit", 0x03, 0x02, 0x0d, "a page of the MLE lies in the SINIT area", SDG "2.2; " ACM
		"ERR_RANGE_OVERLAPPING, ERR_MLE_PAGE"),
	[TXT_RULE_PAGE_EXTRA] = GUESS("mle-page-extra", 0x2a, 0x05, 0, "pages are mapped behind the end of the MLE", SDG "2.2; " ACM
		"ERR_MLE_PT_HASED_SIZE"),

	[TXT_RULE_MLE_IN_LOG] = GUESS("mle-in-log", 0x03, 0x02, 0x0d, "a page or page table of the MLE lies where the event log will be written", SDG
		"2.2, F; " ACM "ERR_RANGE_OVERLAPPING, ERR_MLE_PAGE"),

	[TXT_RULE_LCP] = ROW("lcp", TXT_CLASS_LCP, TXT_LCP_ELEMENT_MISMATCH, 0, "the launch control policy forbids the launch", SDG "3.2"),
	[TXT_RULE_MACHINE] = GUESS("machine", 0x08, 0x09, 0, "the machine's memory cannot be read or written", ""),
};
/* clang-format on */

const struct txt_rule_info *txt_rule_info(enum txt_rule r)
{
	return &rules[r < TXT_RULE_COUNT ? r : TXT_RULE_MACHINE];
}

uint32_t txt_sinit_errorcode(unsigned class, unsigned major, unsigned minor)
{
	const struct txt_error e = {
		.source = TXT_ERROR_ACM, .acm_type = TXT_ACM_SINIT, .class = class & 0x3f, .major = major & 0x1f, .minor = minor & 0x3fff
	};
	uint32_t word = 0;

	return txt_error_encode(&e, &word) ? word : 0;
}

uint32_t txt_rule_errorcode(enum txt_rule r)
{
	const struct txt_rule_info *info = txt_rule_info(r);

	return r == TXT_OK ? 0 : txt_sinit_errorcode(info->class, info->major, info->minor);
}
