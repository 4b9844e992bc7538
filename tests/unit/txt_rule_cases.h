/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_RULE_CASES_H
#define GL_TXT_RULE_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Which case breaks which rule: one list, from which the tests make their tables and the document (docs/TXT-RULES.md) its column of tests. A case is the
 * name of a function that makes one change.
 */

/* test_txt_smx.c: CASE(function, SMX_RULE_.., code of the TXT shutdown or 0). */
#define SMX_CASES(CASE) \
	CASE(no_smx, NO_SMX, 0) \
	CASE(smxe, SMXE, 0) \
	CASE(leaf_1, LEAF, 0) \
	CASE(leaf_9, LEAF, 0) \
	CASE(leaf_huge, LEAF, 0) \
	CASE(leaf_not_had, LEAF, 0) \
	CASE(chipset, CHIPSET, 0) \
	CASE(vmx, VMX, 0) \
	CASE(pe, PE, 0) \
	CASE(cd, CD, 0) \
	CASE(nw, NW, 0) \
	CASE(ne, NE, 0) \
	CASE(cpl, CPL, 0) \
	CASE(vm86, VM86, 0) \
	CASE(bsp, BSP, 0) \
	CASE(in_mle_already, IN_MLE, 0) \
	CASE(smm, SMM, 0) \
	CASE(tpm, TPM, 0) \
	CASE(edx, EDX, 0) \
	CASE(feature_lock, FEATURE_LOCK, 0) \
	CASE(feature_senter, FEATURE_SENTER, 0) \
	CASE(feature_functions, FEATURE_FUNCTIONS, 0) \
	CASE(txt_reset, TXT_RESET, 0) \
	CASE(mce, MCE, 0) \
	CASE(mcip, MCIP, 0) \
	CASE(acm_alignment, ACM_ALIGNMENT, 0) \
	CASE(acm_size, ACM_SIZE, 0) \
	CASE(acm_small, ACM_SMALL, 0) \
	CASE(acm_zero, ACM_SMALL, 0) \
	CASE(acm_large, ACM_LARGE, 0) \
	CASE(acm_4g, ACM_4G, 0) \
	CASE(acm_nowhere, ACM_MEMORY, 5) \
	CASE(acm_module_type, ACM_MODULE_TYPE, 6) \
	CASE(acm_claimed, ACM_CLAIMED_SIZE, 8) \
	CASE(acm_header, ACM_HEADER, 8) \
	CASE(acm_scratch, ACM_HEADER, 8) \
	CASE(acm_key_size, ACM_HEADER, 8) \
	CASE(acm_key, ACM_KEY, 7) \
	CASE(acm_version, ACM_VERSION, 6) \
	CASE(acm_control, ACM_CONTROL, 8) \
	CASE(acm_gdt_low, ACM_GDT, 8) \
	CASE(acm_gdt_high, ACM_GDT, 8) \
	CASE(acm_gdt_limit, ACM_GDT, 8) \
	CASE(acm_entry_low, ACM_ENTRY, 8) \
	CASE(acm_entry_high, ACM_ENTRY, 8) \
	CASE(acm_sel_null, ACM_SEGMENT, 8) \
	CASE(acm_sel_rpl, ACM_SEGMENT, 8) \
	CASE(acm_sel_limit, ACM_SEGMENT, 8) \
	CASE(sexit_outside, NOT_IN_MLE, 0) \
	CASE(wakeup_outside, NOT_IN_MLE, 0) \
	CASE(smctrl_outside, NOT_IN_MLE, 0) \
	CASE(sexit_vmx, VMX, 0) \
	CASE(sexit_cpl, CPL, 0) \
	CASE(wakeup_ap, BSP, 0) \
	CASE(smctrl_ebx, SMCTRL_EBX, 0) \
	CASE(exitac, NOT_IN_ACM, 0) \
	CASE(enteraccs_key, ACM_KEY, 7)

/* Rules that a test of their own breaks: HERE(SMX_RULE_.., test). */
#define SMX_ELSEWHERE(HERE) \
	HERE(JOIN_MEMORY, test_join_rules) \
	HERE(JOIN_LIMIT, test_join_rules) \
	HERE(JOIN_SELECTOR, test_join_rules) \
	HERE(CR4, test_cr4) \
	HERE(MSR_LOCKED, test_msrs) \
	HERE(MSR_READ_ONLY, test_msrs)

/*
 * test_txt_rules.c: BEFORE(function, TXT_RULE_..) changes fields before memory is built, AFTER() bytes in memory; BOTH(name, before, after,
 * TXT_RULE_.., TXT.ERRORCODE or 0 for that of the rule).
 */
#define SINIT_CASES(BEFORE, AFTER, BOTH) \
	AFTER(acm_damaged, ACM_FORMAT) \
	BEFORE(acm_type, ACM_TYPE) \
	BEFORE(acm_chipset, ACM_CHIPSET) \
	BEFORE(acm_area, ACM_AREA) \
	BEFORE(ranges, RANGES) \
	BEFORE(ranges_overlap, RANGES) \
	BEFORE(no_dpr, RANGES) \
	BEFORE(ranges_small, RANGES_SMALL) \
	BEFORE(dpr_lock, DPR_LOCK) \
	BEFORE(dpr_covers, DPR_COVERS) \
	AFTER(wake_error, WAKE_ERROR) \
	BEFORE(dma_remapping, DMA_REMAPPING) \
	AFTER(bios_size, HEAP_TABLE_SIZE) \
	AFTER(bios_tiny, HEAP_TABLE_SIZE) \
	AFTER(bios_short, HEAP_TABLE_SIZE) \
	AFTER(os_size, HEAP_TABLE_SIZE) \
	AFTER(os_past, HEAP_TABLE_SIZE) \
	AFTER(bios_version, HEAP_BIOS_VERSION) \
	AFTER(bios_element, HEAP_ELEMENT_SIZE) \
	AFTER(bios_element_end, HEAP_ELEMENT_END) \
	BEFORE(os_version_4, HEAP_OS_VERSION) \
	BEFORE(os_version_8, HEAP_OS_VERSION) \
	BEFORE(os_version_acm, HEAP_OS_VERSION) \
	AFTER(os_full, HEAP_FULL) \
	AFTER(os_element_type, HEAP_ELEMENT_TYPE) \
	BEFORE(log_element_8, HEAP_ELEMENT_TYPE) \
	AFTER(os_element_size, HEAP_ELEMENT_SIZE) \
	AFTER(os_element_huge, HEAP_ELEMENT_SIZE) \
	AFTER(os_element_end, HEAP_ELEMENT_END) \
	AFTER(os_tpr, TPR) \
	BEFORE(no_log, HEAP_LOG) \
	BEFORE(log_small, HEAP_LOG) \
	AFTER(log_in_sinit, HEAP_LOG) \
	AFTER(log_in_table, HEAP_LOG) \
	AFTER(log_high, HEAP_LOG) \
	AFTER(log_first, HEAP_LOG) \
	BEFORE(log_banks, HEAP_LOG_BANKS) \
	BEFORE(log_twice, HEAP_LOG_BANKS) \
	BEFORE(log_full, LOG_SIZE) \
	BEFORE(rsdp_high, HEAP_RSDP) \
	BEFORE(pmr_lo_base, PMR_LO_ALIGNMENT) \
	BEFORE(pmr_lo_size, PMR_LO_ALIGNMENT) \
	BEFORE(pmr_hi, PMR_HI_ALIGNMENT) \
	BEFORE(pmr_lo_4g, PMR_RANGE) \
	BEFORE(pmr_hi_low, PMR_RANGE) \
	BEFORE(caps_no_wake, CAPS_WAKE) \
	BEFORE(caps_both, CAPS_WAKE) \
	BEFORE(caps_not_had, CAPS_WAKE) \
	BEFORE(caps_pcr_map, CAPS_PCR_MAP) \
	BEFORE(tpm_banks, TPM_BANKS) \
	BEFORE(no_aux, NV_AUX) \
	AFTER(nv_set, NV_AUX) \
	BEFORE(no_ps, NV_PS) \
	AFTER(nv_ps, NV_PS) \
	AFTER(nv_po, NV_PO) \
	BEFORE(rsdp_wrong, RSDP) \
	AFTER(rsdp_sum, RSDP_CHECKSUM) \
	AFTER(xsdt_sum, XSDT) \
	AFTER(no_dmar, NO_DMAR) \
	AFTER(dmar_sum, DMAR) \
	BEFORE(mle_header_behind, MLE_HEADER_ADDRESS) \
	BEFORE(mle_header_end, MLE_HEADER_ADDRESS) \
	BEFORE(mle_header_wrap, MLE_HEADER_ADDRESS) \
	BEFORE(mle_uuid, MLE_UUID) \
	BEFORE(mle_old, MLE_VERSION) \
	BEFORE(mle_new, MLE_VERSION) \
	BEFORE(mle_length, MLE_LENGTH) \
	BEFORE(mle_length_past, MLE_LENGTH) \
	BEFORE(mle_first_page, MLE_FIRST_PAGE) \
	BEFORE(mle_first_page_behind, MLE_FIRST_PAGE) \
	BEFORE(mle_size_zero, MLE_SIZE) \
	BEFORE(mle_size_large, MLE_SIZE) \
	BEFORE(mle_end_page, MLE_SIZE) \
	BEFORE(mle_start, MLE_RANGE) \
	BEFORE(mle_end, MLE_RANGE) \
	BEFORE(mle_entry_before, MLE_ENTRY) \
	BEFORE(mle_entry_behind, MLE_ENTRY) \
	BEFORE(mle_cmdline, MLE_CMDLINE) \
	BEFORE(mle_cmdline_order, MLE_CMDLINE) \
	BEFORE(mle_wake, MLE_CAPS_WAKE) \
	BEFORE(pt_base, PT_BASE) \
	BEFORE(pt_4g, PT_ABOVE_4G) \
	BEFORE(pt_memory, PT_MEMORY) \
	BEFORE(pt_heap, PT_IN_HEAP) \
	BEFORE(pt_sinit, PT_IN_SINIT) \
	BEFORE(pt_unprotected, PT_UNPROTECTED) \
	AFTER(pt_pd_hole, PT_HOLE) \
	AFTER(pt_hole, PT_HOLE) \
	AFTER(pt_large, PT_LARGE) \
	AFTER(pt_reserved, PT_RESERVED) \
	AFTER(page_reserved, PT_RESERVED) \
	AFTER(pt_order, PT_ORDER) \
	AFTER(pt_order_pd, PT_ORDER) \
	AFTER(page_hole, PAGE_HOLE) \
	AFTER(page_first_hole, PAGE_HOLE) \
	AFTER(page_4g, PAGE_ABOVE_4G) \
	AFTER(page_order, PAGE_ORDER) \
	AFTER(page_twice, PAGE_ORDER) \
	AFTER(page_table, PAGE_TABLE_OVERLAP) \
	AFTER(page_table_pdpt, PAGE_TABLE_OVERLAP) \
	AFTER(page_below, PAGE_BELOW_TABLES) \
	AFTER(page_memory, PAGE_MEMORY) \
	AFTER(page_heap, PAGE_IN_HEAP) \
	AFTER(page_sinit, PAGE_IN_SINIT) \
	BEFORE(page_unprotected, PAGE_UNPROTECTED) \
	AFTER(page_extra, PAGE_EXTRA) \
	AFTER(page_extra_table, PAGE_EXTRA) \
	AFTER(xsdt_length, XSDT) \
	AFTER(dmar_huge, XSDT) \
	BOTH(tpr_wraps, acm_has_tpr, acm_tpr_wraps, TPR, 0) \
	BOTH(log_7_unusable, log_7, log_7_unusable, HEAP_LOG, 0) \
	BEFORE(log_7_small, LOG_SIZE) \
	BEFORE(embedded_only, TPM_BANKS) \
	AFTER(log_in_mle, MLE_IN_LOG) \
	AFTER(log_in_pt, MLE_IN_LOG) \
	BOTH(lcp_high, lcp_high, NULL, LCP, 0xc0031ee1) \
	BOTH(lcp_large, lcp_large, NULL, LCP, 0xc0031ee1) \
	BEFORE(lcp_nowhere, MACHINE)

/* HERE(TXT_RULE_.., test), THERE(TXT_RULE_.., file, test). */
#define SINIT_ELSEWHERE(HERE, THERE) \
	HERE(ACM_PROCESSOR, test_processor) \
	HERE(HEAP_UNREADABLE, test_heap_unreadable) \
	THERE(TPM_ERROR, test_txt_launch, test_tpm_fails) \
	THERE(TPM_SILENT, test_txt_launch, test_tpm_fails) \
	THERE(TPM_LOCALITY, test_txt_launch, test_tpm_fails)

/*
 * test_lcp_evaluate.c: CASE(function, LCP_RULE_.., class of the error or 0 for launch control's, major, minor, whose policy, list, element), -1: not in
 * a list or element.
 */
#define LCP_CASES(CASE) \
	CASE(ps_missing, PS_MISSING, 0, 0x0a, 0x00, PS, -1, -1) \
	CASE(po_missing, PO_MISSING, 0, 0x0a, 0x00, PS, -1, -1) \
	CASE(data_without_po, DATA_WITHOUT_PO, 0, 0x10, 0x00, PO, -1, -1) \
	CASE(policy_short, POLICY_SIZE, 0x04, 0x07, 0x0c, PO, -1, -1) \
	CASE(policy_long, POLICY_SIZE, 0x04, 0x07, 0x0c, PO, -1, -1) \
	CASE(ps_short, POLICY_SIZE, 0x04, 0x07, 0x12, PS, -1, -1) \
	CASE(policy_of_tpm12, POLICY_VERSION, 0, 0x07, 0x06, PO, -1, -1) \
	CASE(policy_too_old, POLICY_VERSION, 0, 0x07, 0x06, PO, -1, -1) \
	CASE(policy_too_new, POLICY_VERSION, 0, 0x07, 0x06, PO, -1, -1) \
	CASE(policy_hash_alg, POLICY_HASH_ALG, 0, 0x07, 0x07, PO, -1, -1) \
	CASE(policy_hash_alg_unknown, POLICY_HASH_ALG, 0, 0x07, 0x07, PO, -1, -1) \
	CASE(policy_type, POLICY_TYPE, 0, 0x07, 0x08, PO, -1, -1) \
	CASE(aux_deletion, AUX_DELETION, 0, 0x07, 0x0a, PO, -1, -1) \
	CASE(ps_aux_deletion, AUX_DELETION, 0, 0x08, 0x0a, PS, -1, -1) \
	CASE(no_hash_mask, NO_HASH_MASK, 0, 0x07, 0x19, PO, -1, -1) \
	CASE(hash_not_approved, HASH_NOT_APPROVED, 0, 0x07, 0x1a, PO, -1, -1) \
	CASE(no_sign_mask, NO_SIGN_MASK, 0, 0x07, 0x1b, PO, -1, -1) \
	CASE(aux_mask, AUX_MASK, 0, 0x07, 0x1c, PO, -1, -1) \
	CASE(aux_mask_alg, AUX_MASK_ALG, 0, 0x07, 0x1d, PO, -1, -1) \
	CASE(npw_no_policy, NPW_NO_POLICY, 0, 0x09, 0x00, PO, -1, -1) \
	CASE(npw, NPW, 0, 0x07, 0x09, PO, -1, -1) \
	CASE(npw_by_supplier, NPW, 0, 0x07, 0x09, PO, -1, -1) \
	CASE(npw_ps_only, NPW, 0, 0x08, 0x09, PS, -1, -1) \
	CASE(aux_revoked, AUX_REVOKED, 0x01, 0x09, 0x00, PO, -1, -1) \
	CASE(revoked_by_ps, SINIT_REVOKED_PS, 0, 0x02, 0x02, PS, -1, -1) \
	CASE(revoked_by_po, SINIT_REVOKED_PO, 0, 0x02, 0x03, PO, -1, -1) \
	CASE(revoked_by_element, SINIT_REVOKED_ELEMENT, 0, 0x02, 0x01, PO, 0, 0) \
	CASE(no_data, NO_DATA, 0, 0x07, 0x14, PO, -1, -1) \
	CASE(data_signature, DATA_SIGNATURE, 0, 0x07, 0x01, PO, -1, -1) \
	CASE(data_reserved, DATA_HEADER, 0, 0x07, 0x02, PO, -1, -1) \
	CASE(data_reserved_last, DATA_HEADER, 0, 0x07, 0x02, PO, -1, -1) \
	CASE(data_no_lists, DATA_HEADER, 0, 0x07, 0x02, PO, -1, -1) \
	CASE(data_nine_lists, DATA_HEADER, 0, 0x07, 0x02, PO, -1, -1) \
	CASE(data_trailing, DATA_SIZE, 0, 0x07, 0x05, PO, -1, -1) \
	CASE(data_truncated, DATA_SIZE, 0, 0x07, 0x05, PO, -1, -1) \
	CASE(data_digest, DATA_DIGEST, 0, 0x07, 0x04, PO, -1, -1) \
	CASE(ps_data_digest, DATA_DIGEST, 0, 0x08, 0x04, PS, -1, -1) \
	CASE(list_version_1, LIST_VERSION, 0, 0x07, 0x0c, PO, 0, -1) \
	CASE(list_version_unknown, LIST_VERSION, 0, 0x07, 0x0c, PO, 0, -1) \
	CASE(list_version_minor, LIST_VERSION, 0, 0x07, 0x0c, PO, 0, -1) \
	CASE(list_version_3, LIST_VERSION, 0, 0x07, 0x0c, PO, 0, -1) \
	CASE(list_size, LIST_SIZE, 0, 0x07, 0x0d, PO, 0, -1) \
	CASE(list_sig_alg, LIST_SIG_ALG, 0, 0x07, 0x0e, PO, 0, -1) \
	CASE(key_size_rsa, LIST_KEY_SIZE, 0, 0x07, 0x0b, PO, 0, -1) \
	CASE(key_size_ecdsa, LIST_KEY_SIZE_ECDSA, 0, 0x07, 0x15, PO, 0, -1) \
	CASE(key_size_sm2, LIST_KEY_SIZE_SM2, 0, 0x07, 0x16, PO, 0, -1) \
	CASE(list_signature, LIST_SIGNATURE, 0, 0x07, 0x0f, PO, 0, -1) \
	CASE(list_signature_version, LIST_SIGNATURE, 0, 0x07, 0x0f, PO, 0, -1) \
	CASE(list_signature_no_ops, LIST_SIGNATURE, 0, 0x07, 0x0f, PO, 0, -1) \
	CASE(element_size, ELEMENT_SIZE, 0, 0x07, 0x12, PO, 0, -1) \
	CASE(element_count, ELEMENT_SIZE, 0, 0x07, 0x12, PO, 0, 0) \
	CASE(element_hash_alg, ELEMENT_HASH_ALG, 0, 0x07, 0x11, PO, 0, 0) \
	CASE(pcr_info, PCR_INFO, 0, 0x07, 0x13, PO, 0, 0) \
	CASE(pcr_info_of_another_bank, PCR_INFO, 0, 0x07, 0x13, PO, 0, 0) \
	CASE(pcr_info_of_pcr_8, PCR_INFO, 0, 0x07, 0x13, PO, 0, 0) \
	CASE(revoked_list, ELEMENT_DISALLOWED, 0, 0x07, 0x14, PO, 0, 0) \
	CASE(unapproved_list, ELEMENT_DISALLOWED, 0, 0x07, 0x14, PO, 0, 0) \
	CASE(unapproved_hash_of_signature, ELEMENT_DISALLOWED, 0, 0x07, 0x14, PO, 0, 0) \
	CASE(unapproved_element, ELEMENT_DISALLOWED, 0, 0x07, 0x14, PO, 0, 0) \
	CASE(mle, MLE, 0, 0x04, 0x00, PO, 0, 0) \
	CASE(mle_legacy, MLE, 0, 0x04, 0x00, PO, 0, 0) \
	CASE(pconf, PCONF, 0, 0x04, 0x00, PO, 0, 1) \
	CASE(pconf_legacy, PCONF, 0, 0x04, 0x00, PO, 0, 1) \
	CASE(pconf_of_supplier, PCONF, 0, 0x04, 0x00, PS, 0, 0) \
	CASE(pconf_override, PCONF_OVERRIDE, 0, 0x07, 0x1f, PO, 0, 1) \
	CASE(stm, STM, 0, 0x04, 0x00, PO, 0, 1) \
	CASE(stm_required_by_mle, STM_REQUIRED, 0x2b, 0x06, 0x00, PO, 0, 0) \
	CASE(stm_required_by_stm, STM_REQUIRED, 0x2b, 0x06, 0x00, PO, 0, 1) \
	CASE(sbios, SBIOS, 0, 0x04, 0x00, PO, 0, 1) \
	CASE(autopromotion, AUTOPROMOTION, 0, 0x05, 0x00, PO, -1, -1) \
	CASE(mle_not_given, INPUT, 0, 0, 0, PO, 0, 0) \
	CASE(pcrs_not_given, INPUT, 0, 0, 0, PO, 0, 1) \
	CASE(pcr_not_known, INPUT, 0, 0, 0, PO, 0, 1) \
	CASE(bios_in_another_bank, INPUT, 0, 0, 0, PO, -1, -1)

/* THERE(LCP_RULE_.., file, test). */
#define LCP_ELSEWHERE(THERE) \
	THERE(LIST_REVOKED, test_lcp_evaluate_both, test_lists_that_do_not_count) \
	THERE(LIST_NOT_APPROVED, test_lcp_evaluate_both, test_lists_that_do_not_count)

/*
 * Rules that a guest breaks in a machine that boots: BOOT(rule). tests/boot/test_txt_mle.py compares what the platform reported with the document.
 */
#define BOOT_CASES(BOOT) \
	BOOT("msr-feature-control") \
	BOOT("msr-read-only") \
	BOOT("smx-smxe") \
	BOOT("smx-leaf") \
	BOOT("smx-not-in-acm") \
	BOOT("smx-not-in-mle") \
	BOOT("smx-cpl") \
	BOOT("smx-cr0-ne") \
	BOOT("smx-cr0-cd") \
	BOOT("smx-mcip") \
	BOOT("smx-edx") \
	BOOT("smx-tpm") \
	BOOT("tpm-error") \
	BOOT("smx-acm-alignment") \
	BOOT("smx-acm-size") \
	BOOT("smx-acm-small") \
	BOOT("smx-acm-large") \
	BOOT("smx-acm-4g") \
	BOOT("heap-table-size") \
	BOOT("smx-in-mle") \
	BOOT("smx-smctrl-ebx") \
	BOOT("smx-bsp") \
	BOOT("smx-acm-key") \
	BOOT("smx-acm-version") \
	BOOT("smx-acm-claimed-size") \
	BOOT("smx-acm-memory") \
	BOOT("acm-format") \
	BOOT("heap-os-version") \
	BOOT("heap-element-size") \
	BOOT("heap-log") \
	BOOT("pmr-lo-alignment") \
	BOOT("mle-page-unprotected") \
	BOOT("caps-wake") \
	BOOT("acpi-rsdp") \
	BOOT("mle-page-hole") \
	BOOT("mle-page-order") \
	BOOT("mle-page-sinit") \
	BOOT("mle-pt-large") \
	BOOT("mle-uuid") \
	BOOT("mle-entry") \
	BOOT("mle-size") \
	BOOT("smx-join-memory") \
	BOOT("smx-join-limit") \
	BOOT("smx-join-selector") \
	BOOT("smx-txt-reset")

/* Whether a test is among those that are run: one that only a table here names proves nothing. */
static inline bool is_listed(const struct CMUnitTest *tests, size_t n, CMUnitTestFunction test)
{
	for (size_t i = 0; i < n; i++)
		if (tests[i].test_func == test)
			return true;
	return false;
}

#endif
