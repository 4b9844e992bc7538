/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/acm_layout.h"

#define SDG "Intel TXT SDG 315168-016 "
#define TBOOT "tboot 1.10.5 tboot/txt/acmod.c, "
#define MODULE_ALIGNMENT 64

static const char *const messages[ACM_ERROR_COUNT] = {
	[ACM_OK] = "no error",
	[ACM_E_TRUNCATED] = "the file is smaller than any module, 1216 bytes (" TBOOT "is_acmod)",
	[ACM_E_SIZE] = "the Size field does not go with the file's size, nor with 64 to 256 KiB of padding (" SDG "A.1.1, Size; " TBOOT
		       "are_sizes_equal_pad_adjusted)",
	[ACM_E_TYPE] = "ModuleType is not 2, chipset (" SDG "A.1.1, ModuleType)",
	[ACM_E_VENDOR] = "ModuleVendor is not 0x8086, Intel (" SDG "A.1.1, ModuleVendor)",
	[ACM_E_HEADER] = "the header's key or signature reaches past the end of the module (" SDG "A.1.1)",
	[ACM_E_INFO] = "the info table does not lie inside of the module (" SDG "A.1.2; " TBOOT "get_acmod_info_table)",
	[ACM_E_UUID] = "there is no info table behind header and scratch area: the UUID is not 7fc03aaa-46a7-18db-2eac-698f8d417f5a (" SDG
		       "A.1.2, UUID)",
	[ACM_E_INFO_VERSION] = "the info table's version is below 3 (" SDG "A.1.2, Version; " TBOOT "is_acmod)",
	[ACM_E_CHIPSETS] = "the chipset id list reaches past its end (" SDG "A.1.2, chipset ID list)",
	[ACM_E_PROCESSORS] = "the processor id list reaches past its end (" SDG "A.1.2, processor ID list)",
	[ACM_E_TPM] = "the TPM info list reaches past its end (" SDG "A.1.2, TPM info list)",
	[ACM_E_LISTS] = "the lists behind the info table have a wrong size or no end (tboot 1.11 tboot/txt/acmod.c, print_acm_hdr)",
	[ACM_E_LIST_TWICE] = "a list occurs twice (tboot 1.11 tboot/include/txt/acmod.h, list_header_t)",
	[ACM_E_HEADER_VERSION] = "the header version is not 0.0, 3.0 or 4.0: key and signature are not shown (" SDG "A.1.1, HeaderVersion)",
	[ACM_E_HEADER_LENGTH] = "HeaderLen is not that of the header version (" SDG "A.1.1, HeaderLen)",
	[ACM_E_KEY_SIZE] = "KeySize is not that of the header version (" SDG "A.1.1, KeySize)",
	[ACM_E_DATE] = "Date is no date in BCD (" SDG "A.1.1, Date)",
	[ACM_E_ALIGNMENT] =
		"the module's size is not a multiple of 64 bytes, and the CPU refuses it (" SDG "A.1.1, Size; " TBOOT "verify_acmod)",
	[ACM_E_ENTRY] = "EntryPoint lies outside of the module (" SDG "A.1.1, EntryPoint; " TBOOT "verify_acmod)",
	[ACM_E_SEGMENT] = "SegSel is 0, has its low bits set, or lies outside of the GDT (" SDG "A.1.1, SegSel; " TBOOT "verify_acmod)",
	[ACM_E_INFO_LENGTH] = "the info table's Length is less than its version has (" SDG "A.1.2, Length)",
	[ACM_E_CHIPSET_TYPE] = "ChipsetACMType is not BIOS, SINIT or a revocation of these (" SDG "A.1.2, ChipsetACMType)",
	[ACM_E_NO_CHIPSETS] = "no chipset is listed, so the module fits no platform (" SDG "A.1.2, chipset ID list)",
	[ACM_E_WAKE] = "Capabilities name no way to wake the other processors (" SDG "A.1.2, Capabilities; " TBOOT "verify_acmod)",
	[ACM_E_TPM_POLICY] = "the TPM info list names no extend policy or no TPM family (" SDG "A.1.2, TPM info list)",
	[ACM_E_BUFFER] = "the module does not fit the buffer or its own size",
};

const char *acm_strerror(enum acm_error e)
{
	return (unsigned)e < ACM_ERROR_COUNT ? messages[e] : "unknown error";
}

static bool is_date(uint32_t bcd)
{
	unsigned month, day;

	for (unsigned shift = 0; shift < 32; shift += 4)
		if ((bcd >> shift & 0xf) > 9)
			return false;
	month = (bcd >> 12 & 0xf) * 10 + (bcd >> 8 & 0xf);
	day = (bcd >> 4 & 0xf) * 10 + (bcd & 0xf);
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static enum acm_error check_header(const struct acm *a)
{
	const struct acm_header *h = &a->header;
	const struct acm_layout *l = acm_layout_of(h->version);

	if (!l)
		return ACM_E_HEADER_VERSION;
	if (h->length != l->length)
		return ACM_E_HEADER_LENGTH;
	if (h->key_size != l->key / 4)
		return ACM_E_KEY_SIZE;
	if (!is_date(h->date))
		return ACM_E_DATE;
	if (a->bytes.n % MODULE_ALIGNMENT != 0)
		return ACM_E_ALIGNMENT;
	if (h->entry_point >= a->bytes.n)
		return ACM_E_ENTRY;
	if (h->seg_sel == 0 || h->seg_sel % 8 != 0 || (uint64_t)h->seg_sel + 8 > h->gdt_limit)
		return ACM_E_SEGMENT;
	return ACM_OK;
}

/* What the table must have at least: its fields up to the last that the version has. */
static unsigned info_length_min(unsigned version)
{
	return version >= 5 ? ACM_INFO_SIZE : version == 4 ? ACM_INFO_SIZE - 4 : ACM_INFO_SIZE - 8;
}

static enum acm_error check_info(const struct acm *a)
{
	const struct acm_info *info = &a->info;

	if (info->length < info_length_min(info->version))
		return ACM_E_INFO_LENGTH;
	if (!acm_chipset_type_name(info->chipset_type))
		return ACM_E_CHIPSET_TYPE;
	if (a->chipsets.count == 0 && a->chipsets2.count == 0)
		return ACM_E_NO_CHIPSETS;
	if (info->chipset_type == ACM_SINIT && !(info->capabilities & (ACM_CAP_RLP_WAKE_GETSEC | ACM_CAP_RLP_WAKE_MONITOR)))
		return ACM_E_WAKE;
	if (a->tpm_algs.present && (a->tpm.extend_policy == 0 || a->tpm.family == 0))
		return ACM_E_TPM_POLICY;
	return ACM_OK;
}

enum acm_error acm_validate(const struct acm *a)
{
	enum acm_error e = check_header(a);

	return e ? e : check_info(a);
}
