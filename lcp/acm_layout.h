/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_ACM_LAYOUT_H
#define GL_LCP_ACM_LAYOUT_H

#include "lcp/acm.h"

/* Shared by the decoder and the maker of modules; not for others. */

/* What follows the common fields, by header version, in this order. Sizes in bytes unless said otherwise. */
struct acm_layout {
	uint32_t version;
	uint32_t length; /* HeaderLen, in dwords: everything before the scratch area */
	uint32_t key, exponent, signature;
	uint32_t second_key, second_signature, reserved;
	uint32_t scratch; /* in dwords */
};

/* NULL if the version's layout is not known. */
const struct acm_layout *acm_layout_of(uint32_t header_version);

extern const uint8_t acm_uuid[ACM_UUID_SIZE];

#define ACM_CHIPSET_SIZE 16
#define ACM_PROCESSOR_SIZE 24
#define ACM_TPM_ALG_SIZE 2
#define ACM_LIST_HEADER_SIZE 12

/* Names of the lists of info table version 9, four letters as a big-endian number (tboot acmod.h). */
#define ACM_LIST_CHIPSETS 0x4353314cu   /* CS1L */
#define ACM_LIST_CHIPSETS2 0x4353324cu  /* CS2L */
#define ACM_LIST_PROCESSORS 0x4350554cu /* CPUL */
#define ACM_LIST_TPM 0x54504d4cu        /* TPML */
#define ACM_LIST_END 0x4e554c4cu        /* NULL */

#endif
