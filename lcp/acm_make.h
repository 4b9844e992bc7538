/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_ACM_MAKE_H
#define GL_LCP_ACM_MAKE_H

#include "lcp/acm.h"

/*
 * Makes a module with correct header, info table and lists and no code, for tests and for a platform whose SENTER is not the CPU's:
 * tboot accepts it, a real CPU does not, for nobody has signed it.
 */
struct acm_recipe {
	uint32_t header_version; /* 0, 0x30000 or 0x40000 */
	uint32_t size;           /* of the module in bytes, a multiple of 4 */
	uint32_t scratch;        /* in dwords; 0: as much as the header version has */
	uint16_t subtype, chipset_id, flags;
	uint32_t date; /* BCD, yyyymmdd */
	uint16_t txt_svn, se_svn;
	uint32_t code_control;
	uint32_t error_entry_point, gdt_limit, gdt_base, seg_sel, entry_point;
	uint8_t fill; /* value of all bytes of key and signature; the exponent is 65537 */

	uint8_t chipset_type; /* enum acm_chipset_type */
	uint8_t info_version; /* 3 and later */
	uint32_t os_sinit_data_version, min_mle_header_version, capabilities;
	uint8_t acm_version, acm_revision[3];

	const struct acm_chipset *chipsets;
	size_t chipset_count;
	const struct acm_chipset *chipsets2; /* version 9 and later */
	size_t chipset2_count;
	const struct acm_processor *processors; /* version 4 and later */
	size_t processor_count;
	uint8_t tpm_extend_policy, tpm_family, tpm_nv_index_set; /* version 5 and later */
	const uint16_t *tpm_algs;
	size_t tpm_alg_count;
};

/*
 * What a launch needs and nothing surprising: SINIT, header 0.0, info table 5, 64 KiB, OsSinitData 7, capabilities as tboot likes them, a
 * firmware TPM 2.0 with SHA-1, SHA-256, SHA-384, the given index set; no chipsets and processors: the caller adds them.
 */
struct acm_recipe acm_recipe_sinit(uint8_t tpm_nv_index_set);

/*
 * Writes the module: r->size bytes, all of `out` must be as large. Errors: ACM_E_HEADER_VERSION, ACM_E_INFO_VERSION, ACM_E_BUFFER (out.n is
 * not size, size is no multiple of 4 or below ACM_MIN_SIZE, or tables do not fit); `out` may have been written then.
 */
GL_MUST enum acm_error acm_make(const struct acm_recipe *r, struct mspan out);

#endif
