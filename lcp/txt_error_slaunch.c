/* SPDX-License-Identifier: BSD-3-Clause */
/* Linux Secure Launch: Documentation/security/launch-integrity/secure_launch_details.rst, "Error Codes"; include/linux/slaunch.h. */
#include "lcp/txt_error.h"

#define FIRST 0xc0008001u

/* clang-format off */
static const struct txt_slaunch rows[] = {
	{ 0xc0008001, "SL_ERROR_GENERIC", "general error; the kernel does not use it" },
	{ 0xc0008002, "SL_ERROR_TPM_INIT", "the kernel cannot reach the TPM: enable it, and build its driver into the kernel" },
	{ 0xc0008003, "SL_ERROR_TPM_INVALID_LOG20", "no descriptor of a TPM 2.0 event log, or a wrong one: do boot loader and kernel go together?" },
	{ 0xc0008004, "SL_ERROR_TPM_LOGGING_FAILED", "an event does not go into the event log: the loader's log area is wrong" },
	{ 0xc0008005, "SL_ERROR_REGION_STRADDLE_4GB", "a region crosses 4 GiB, where TXT cannot protect it from DMA" },
	{ 0xc0008006, "SL_ERROR_TPM_EXTEND", "a PCR could not be extended: enable the TPM, and build its driver into the kernel" },
	{ 0xc0008007, "SL_ERROR_MTRR_INV_VCNT", "the loader's number of variable MTRRs is wrong" },
	{ 0xc0008008, "SL_ERROR_MTRR_INV_DEF_TYPE", "the loader's default memory type is wrong" },
	{ 0xc0008009, "SL_ERROR_MTRR_INV_BASE", "the base of an MTRR from the loader is wrong" },
	{ 0xc000800a, "SL_ERROR_MTRR_INV_MASK", "the mask of an MTRR from the loader is wrong" },
	{ 0xc000800b, "SL_ERROR_MSR_INV_MISC_EN", "the loader's value of IA32_MISC_ENABLE is wrong" },
	{ 0xc000800c, "SL_ERROR_INV_AP_INTERRUPT", "a waiting processor got another interrupt than an NMI" },
	{ 0xc000800d, "SL_ERROR_INTEGER_OVERFLOW", "base and size of a buffer from the loader overflow" },
	{ 0xc000800e, "SL_ERROR_HEAP_WALK", "the TXT heap could not be walked: mapping it failed" },
	{ 0xc000800f, "SL_ERROR_HEAP_MAP", "the TXT heap could not be mapped" },
	{ 0xc0008010, "SL_ERROR_REGION_ABOVE_4GB", "a buffer that must lie below 4 GiB lies above" },
	{ 0xc0008011, "SL_ERROR_HEAP_INVALID_DMAR", "SINIT left no copy of the DMAR table in the heap" },
	{ 0xc0008012, "SL_ERROR_HEAP_DMAR_SIZE", "the copy of the DMAR table is too large" },
	{ 0xc0008013, "SL_ERROR_HEAP_DMAR_MAP", "the copy of the DMAR table could not be mapped" },
	{ 0xc0008014, "SL_ERROR_HI_PMR_BASE", "the high PMR does not begin at 4 GiB" },
	{ 0xc0008015, "SL_ERROR_HI_PMR_SIZE", "the high PMR does not cover all memory above 4 GiB" },
	{ 0xc0008016, "SL_ERROR_LO_PMR_BASE", "the low PMR does not begin at 0" },
	{ 0xc0008017, "SL_ERROR_LO_PMR_MLE", "the low PMR does not cover the kernel" },
	{ 0xc0008018, "SL_ERROR_INITRD_TOO_BIG", "the initrd is larger than 4 GiB" },
	{ 0xc0008019, "SL_ERROR_HEAP_ZERO_OFFSET", "a table of the TXT heap has size 0" },
	{ 0xc000801a, "SL_ERROR_WAKE_BLOCK_TOO_SMALL", "the loader's area for waking processors is too small" },
	{ 0xc000801b, "SL_ERROR_MLE_BUFFER_OVERLAP", "a buffer from the loader overlaps the kernel" },
	{ 0xc000801c, "SL_ERROR_BUFFER_BEYOND_PMR", "a buffer from the loader is not protected by a PMR" },
	{ 0xc000801d, "SL_ERROR_OS_SINIT_BAD_VERSION", "the OsSinitData table is older than version 6" },
	{ 0xc000801e, "SL_ERROR_EVENTLOG_MAP", "the event log could not be mapped" },
	{ 0xc000801f, "SL_ERROR_TPM_NUMBER_ALGS", "number of hash algorithms in the event log not supported (later kernels: "
		"SL_ERROR_TPM_INVALID_ALGS)" },
	{ 0xc0008020, "SL_ERROR_TPM_UNKNOWN_DIGEST", "hash algorithm in the event log not supported (later kernels: SL_ERROR_TPM_EVENT_COUNT, "
		"an event with another number of digests than the log has algorithms)" },
	{ 0xc0008021, "SL_ERROR_TPM_INVALID_EVENT", "an event of the log is malformed" },
	{ 0xc0008022, "SL_ERROR_INVALID_SLRT", "the Secure Launch Resource Table is wrong" },
	{ 0xc0008023, "SL_ERROR_SLRT_MISSING_ENTRY", "the Secure Launch Resource Table lacks an entry" },
	{ 0xc0008024, "SL_ERROR_SLRT_MAP", "the Secure Launch Resource Table could not be mapped" },
};
/* clang-format on */

const struct txt_slaunch *txt_error_slaunch(uint32_t code)
{
	/* the rows are in order and without gaps; a test says so */
	return code >= FIRST && code - FIRST < GL_COUNT(rows) ? &rows[code - FIRST] : NULL;
}
