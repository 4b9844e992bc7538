/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_ACM_H
#define GL_LCP_ACM_H

#include "common/span.h"
#include "common/text.h"

/*
 * Authenticated code modules (SINIT, BIOS ACM) as files: what their header, info table and lists say. Little-endian, packed.
 * Sources: Intel TXT SDG 315168-016, appendix A.1; tboot 1.10.5, tboot/include/txt/acmod.h and tboot/txt/acmod.c; for the flexible lists
 * of info table version 9 the same files of tboot 1.11. Nothing here looks at the module's code or checks its signature: the CPU does.
 */

#define ACM_TYPE_CHIPSET 2
#define ACM_SUBTYPE_RESET 1
#define ACM_VENDOR_INTEL 0x8086u
#define ACM_FLAG_PRE_PRODUCTION 0x4000u
#define ACM_FLAG_DEBUG_SIGNED 0x8000u

/* Fields that every header version has, up to and with ScratchSize. */
#define ACM_COMMON_SIZE 128
/* tboot does not look at files shorter than a header 0.0 with its scratch area. */
#define ACM_MIN_SIZE 1216
/* Padding behind the module that tboot lets pass in a SINIT area. */
#define ACM_PADDING_MIN 0x10000u
#define ACM_PADDING_MAX 0x40000u
/* More than any module has; a limit for who reads files. */
#define ACM_MAX_SIZE (4u << 20)

#define ACM_UUID_SIZE 16
#define ACM_INFO_SIZE 48
/* From this version on the lists stand behind the info table, each with a header, instead of at offsets that it names. */
#define ACM_INFO_VERSION_LISTS 9

enum acm_chipset_type {
	ACM_BIOS = 0x00,
	ACM_SINIT = 0x01,
	ACM_BIOS_REVOCATION = 0x08,
	ACM_SINIT_REVOCATION = 0x09,
};

/* Info table, Capabilities (SDG A.1.2; tboot include/mle.h, txt_caps_t). */
#define ACM_CAP_RLP_WAKE_GETSEC 0x0001u
#define ACM_CAP_RLP_WAKE_MONITOR 0x0002u
#define ACM_CAP_ECX_PGTBL 0x0004u
#define ACM_CAP_STM 0x0008u
#define ACM_CAP_PCR_MAP_NO_LEGACY 0x0010u
#define ACM_CAP_PCR_MAP_DA 0x0020u
#define ACM_CAP_PLATFORM_TYPE 0x00c0u
#define ACM_CAP_MAX_PHY_ADDR 0x0100u
#define ACM_CAP_TCG_EVENT_LOG 0x0200u
#define ACM_CAP_CBNT 0x0400u
#define ACM_CAP_TPR 0x4000u
#define ACM_PLATFORM_CLIENT 1
#define ACM_PLATFORM_SERVER 2

/* TPM info list, TpmCapabilities (SDG A.1.2). */
#define ACM_TPM_EXTEND_AGILE 0x1u    /* of the extend policy: TPM2_PCR_Event and sequences */
#define ACM_TPM_EXTEND_EMBEDDED 0x2u /* the ACM hashes itself, TPM2_PCR_Extend */
#define ACM_TPM_DISCRETE_12 0x1u     /* of the family */
#define ACM_TPM_DISCRETE_20 0x2u
#define ACM_TPM_PTT_20 0x8u

struct acm_header {
	uint16_t type, subtype;
	uint32_t length;  /* of the header without scratch, in dwords */
	uint32_t version; /* major << 16 | minor */
	uint16_t chipset_id;
	uint16_t flags;
	uint32_t vendor;
	uint32_t date; /* BCD, yyyymmdd */
	uint32_t size; /* of the module, in dwords */
	uint16_t txt_svn, se_svn;
	uint32_t code_control;
	uint32_t error_entry_point, gdt_limit, gdt_base, seg_sel, entry_point;
	uint32_t key_size;     /* in dwords */
	uint32_t scratch_size; /* in dwords */
	/* Only for versions whose layout is known (acm_layout_known()); else empty and 0. */
	struct span public_key;
	uint32_t exponent; /* read from the header in version 0.0, 65537 by definition in the others */
	struct span signature;
	struct span second_key; /* XMSS in version 4.0 */
	struct span second_signature;
};

struct acm_info {
	uint8_t uuid[ACM_UUID_SIZE];
	uint8_t chipset_type; /* enum acm_chipset_type */
	uint8_t version;
	uint16_t length;       /* in bytes */
	uint32_t chipset_list; /* offsets from the beginning of the module */
	uint32_t os_sinit_data_version;
	uint32_t min_mle_header_version;
	uint32_t capabilities;
	uint8_t acm_version;
	uint8_t acm_revision[3]; /* version 7 and later */
	uint32_t processor_list; /* version 4 and later */
	uint32_t tpm_list;       /* version 5 and later */
};

struct acm_chipset {
	uint32_t flags; /* bit 0: revision_id is a mask */
	uint16_t vendor_id, device_id, revision_id;
	uint16_t register_mask; /* chipset 2 list (version 9): applied to the device's id; else reserved */
	uint32_t extended_id;
};

struct acm_processor {
	uint32_t fms, fms_mask;
	uint64_t platform_id, platform_mask;
};

struct acm_tpm {
	uint8_t extend_policy; /* 2 bits */
	uint8_t family;        /* 4 bits */
	uint8_t nv_index_set;  /* 0: 0x01200001 and so on; 1: 0x01c10131 and so on */
	uint32_t capabilities; /* as a whole */
};

/* An array in the module. */
struct acm_list {
	bool present;
	uint32_t offset; /* of the first element, from the beginning of the module */
	uint32_t count;
	struct span bytes; /* count elements */
};

/* A module taken apart; spans point into the bytes given to acm_decode(). */
struct acm {
	struct span bytes; /* the module without padding */
	size_t padding;    /* bytes behind it */
	struct acm_header header;
	struct acm_info info;
	struct acm_list chipsets;
	struct acm_list chipsets2;  /* version 9 and later, may be missing */
	struct acm_list processors; /* version 4 and later */
	struct acm_list tpm_algs;   /* version 5 and later: u16 TPM_ALG_IDs */
	struct acm_tpm tpm;         /* if tpm_algs.present */
};

/* One value per violated rule; acm_strerror() says what, and where the rule is written. */
enum acm_error {
	ACM_OK,
	/* acm_decode() */
	ACM_E_TRUNCATED, /* smaller than any module */
	ACM_E_SIZE,      /* Size is not the file's, nor with padding as tboot lets pass */
	ACM_E_TYPE,
	ACM_E_VENDOR,
	ACM_E_HEADER, /* header, key or scratch reach past the end */
	ACM_E_INFO,   /* the info table reaches past the end */
	ACM_E_UUID,
	ACM_E_INFO_VERSION,
	ACM_E_CHIPSETS, /* a list reaches past the end */
	ACM_E_PROCESSORS,
	ACM_E_TPM,
	ACM_E_LISTS, /* version 9: a list's header or size is wrong, or there is no end */
	ACM_E_LIST_TWICE,
	/* acm_validate() */
	ACM_E_HEADER_VERSION, /* layout unknown to us */
	ACM_E_HEADER_LENGTH,  /* not that of the version */
	ACM_E_KEY_SIZE,       /* not that of the version */
	ACM_E_DATE,
	ACM_E_ALIGNMENT, /* size is no multiple of 64 */
	ACM_E_ENTRY,
	ACM_E_SEGMENT,
	ACM_E_INFO_LENGTH,
	ACM_E_CHIPSET_TYPE,
	ACM_E_NO_CHIPSETS,
	ACM_E_WAKE,       /* SINIT without any way to wake the other processors */
	ACM_E_TPM_POLICY, /* extend policy or family 0 */
	/* acm_make() */
	ACM_E_BUFFER,
	ACM_ERROR_COUNT
};

const char *acm_strerror(enum acm_error e);

/* True if we know where the keys lie: versions 0.0, 3.0, 4.0. */
GL_MUST bool acm_layout_known(uint32_t header_version);

/*
 * Takes a file apart. All that tboot demands before it reads a module is demanded (size, type, vendor, UUID, info table version), and every
 * list must lie inside. `out` on success only.
 */
GL_MUST enum acm_error acm_decode(struct span file, struct acm *out);

/* Checks the rules that a sound module keeps beyond that; a module that breaks one decodes, but launches nothing. */
GL_MUST enum acm_error acm_validate(const struct acm *a);

/* Elements of the lists; `i` must be below count. */
struct acm_chipset acm_chipset_at(const struct acm_list *l, uint32_t i);
struct acm_processor acm_processor_at(const struct acm *a, uint32_t i);
uint16_t acm_tpm_alg_at(const struct acm *a, uint32_t i);

/* ---- does it fit a platform? ---- */

/* What is known of the platform; parts not given are not compared. */
struct acm_platform {
	bool has_didvid; /* TXT.DIDVID (SDG appendix B) */
	uint16_t vendor_id, device_id, revision_id;
	bool has_cpu;
	uint32_t fms; /* CPUID(1).EAX */
	bool has_platform_id;
	uint64_t platform_id; /* MSR 0x17 as a whole */
	bool has_fusing;
	bool production;       /* TXT.VER.FSBIF or QPIIF, bit 31 */
	uint8_t platform_type; /* BiosData flags: ACM_PLATFORM_CLIENT, _SERVER; 0: not known */
};

enum acm_match {
	ACM_MATCHES,
	ACM_NO_MATCH_PLATFORM_TYPE, /* client module on a server platform or the reverse */
	ACM_NO_MATCH_FUSING,        /* debug-signed module on production hardware or the reverse */
	ACM_NO_MATCH_CHIPSET,
	ACM_NO_MATCH_CHIPSET2,
	ACM_NO_MATCH_PROCESSOR,
	ACM_MATCH_COUNT
};

/*
 * tboot's does_acmod_match_platform(): the first thing that does not fit, in its order. A chipset fits if vendor and device are equal and
 * the revision is equal, or, with flag bit 0, has a bit in common. A processor fits if family/model/stepping and platform id, each under
 * its mask, are equal; without has_platform_id only the former is compared.
 */
GL_MUST enum acm_match acm_match(const struct acm *a, const struct acm_platform *p);

/* A sentence for people. */
const char *acm_match_text(enum acm_match m);

/* ---- printing ---- */

/* Everything but key and signature bytes, one field a line. About 30 lines and 6 per list element. */
void acm_print(const struct acm *a, struct text *t);

/* In the usual notation, whose first three numbers are little-endian in memory. tboot writes the fourth one swapped (ac2e). */
void acm_print_uuid(const uint8_t uuid[ACM_UUID_SIZE], struct text *t);

/* One row for each bit or field of Capabilities, for printers. */
struct acm_cap {
	const char *name; /* as txt-acminfo calls it */
	uint8_t shift, bits;
};

extern const struct acm_cap acm_caps[];
extern const size_t acm_cap_count;

const char *acm_chipset_type_name(uint8_t type); /* "BIOS", "SINIT", ...; NULL */
const char *acm_platform_name(unsigned type);    /* "any", "client", "server", NULL */

#endif
