/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TBOOT_POLICY_VLP_H
#define GL_TBOOT_POLICY_VLP_H

#include "common/alg.h"
#include "common/text.h"

/*
 * tboot's Verified Launch Policy. Source of format and rules: tboot 1.10.5, include/tb_policy.h and tboot/common/policy.c.
 * Packed, little-endian: header 12 bytes, entries of 8 bytes, each followed by its hashes.
 */

#define VLP_VERSION 2
#define VLP_HEADER_SIZE 12
#define VLP_ENTRY_SIZE 8
#define VLP_MAX_ENTRIES 255
/* tboot's MAX_TB_POLICY_SIZE: what its NV buffer holds (8 entries of 4 SHA-512 hashes). */
#define VLP_MAX_SIZE 2124

enum vlp_type {
	VLP_NONFATAL = 0, /* TB_POLTYPE_CONT_NON_FATAL */
	VLP_CONTINUE = 1, /* TB_POLTYPE_CONT_VERIFY_FAIL */
	VLP_HALT = 2,     /* TB_POLTYPE_HALT */
};

#define VLP_CONTROL_EXTEND_PCR17 0x1u

/* mod_num */
#define VLP_MODULE_MAX 127
#define VLP_MODULE_ANY 129
#define VLP_MODULE_NV 130
#define VLP_MODULE_NV_RAW 131

#define VLP_PCR_NONE 255

enum vlp_hash_type {
	VLP_HASH_ANY = 0,
	VLP_HASH_IMAGE = 1,
};

struct vlp_entry {
	uint8_t module;
	uint8_t pcr;
	uint8_t hash_type;
	uint32_t nv_index; /* only for NV and NV_RAW, else 0 */
	uint8_t hash_count;
	struct span hashes; /* hash_count * size of hash_alg bytes, the owner's */
};

/* A policy taken apart. Spans point into the bytes given to vlp_decode() or, for one put together, to the caller's. */
struct vlp {
	uint8_t version;
	uint8_t type;
	uint16_t hash_alg; /* TPM_ALG_ID; one byte on the wire */
	uint32_t control;
	uint32_t reserved;
	uint8_t entry_count;
	struct vlp_entry entries[VLP_MAX_ENTRIES];
};

/* One value per violated rule; vlp_strerror() says what, and where the rule is written. */
enum vlp_error {
	VLP_OK,
	VLP_E_TRUNCATED, /* header, an entry or its hashes reach past the end */
	VLP_E_TRAILING,  /* bytes behind the last entry */
	VLP_E_VERSION,
	VLP_E_TYPE,
	VLP_E_ALG,     /* not an algorithm that tboot and we know */
	VLP_E_CONTROL, /* unknown control bits */
	VLP_E_RESERVED,
	VLP_E_NO_ENTRIES,
	VLP_E_MODULE, /* mod_num out of range */
	VLP_E_PCR,
	VLP_E_HASH_TYPE,
	VLP_E_HASH_COUNT, /* hashes with "any", none with "image" */
	VLP_E_NV_INDEX,   /* NV entry without an NV handle (0x01xxxxxx), or another entry with one */
	VLP_E_DUPLICATE,  /* a module number or NV index twice */
	VLP_E_SHADOWED,   /* a module's entry behind the one for any module, which matches first */
	VLP_E_SIZE,       /* over VLP_MAX_SIZE */
	VLP_E_BUFFER,     /* encode: does not fit the caller's buffer */
	VLP_ERROR_COUNT
};

const char *vlp_strerror(enum vlp_error e);

/* Takes the bytes apart: only what is needed to find the fields is checked (lengths, algorithm). `out` on success only. */
GL_MUST enum vlp_error vlp_decode(struct span bytes, struct vlp *out);

/*
 * The same for a policy with anything behind it, as in an NV index that is larger: tboot counts entries, and hashes and measures only these
 * (policy.c calc_policy_size()). `*used` is the policy's size.
 */
GL_MUST enum vlp_error vlp_decode_prefix(struct span bytes, struct vlp *out, size_t *used);

/* Checks every rule. `where`, if not NULL, gets on failure the number of the offending entry, or -1 for the header. */
GL_MUST enum vlp_error vlp_validate(const struct vlp *p, int *where);

/* The same rules for one entry, or with `part` -1 for the header and the whole; to find all that is wrong, not only the first. */
GL_MUST enum vlp_error vlp_validate_part(const struct vlp *p, int part);

/*
 * Writes the policy into `buf`; `*n` is its size (with buf.p NULL only the size is computed). encode(decode(b)) = b.
 * Checked is only what the bytes cannot express: VLP_E_ALG, VLP_E_HASH_COUNT (hash_count and the span do not go together),
 * VLP_E_BUFFER. On failure `*n` is untouched, but the buffer may have been.
 */
GL_MUST enum vlp_error vlp_encode(const struct vlp *p, struct mspan buf, size_t *n);

/* Prints it, one line per entry, as tb_polgen --show would name the fields. */
void vlp_print(const struct vlp *p, struct text *t);

/* Names of the fields' values, NULL if out of range. */
const char *vlp_type_name(uint8_t type); /* "nonfatal", "continue", "halt" */
GL_MUST bool vlp_type_by_name(struct span name, uint8_t *out);

/* tboot's find_policy_entry(): the first entry for the module number or for any module; NULL if there is none. */
const struct vlp_entry *vlp_find_module(const struct vlp *p, unsigned module);

/* tboot's is_hash_in_policy_entry(): "any", or one of the hashes is `digest` (of the policy's algorithm). */
GL_MUST bool vlp_entry_allows(const struct vlp *p, const struct vlp_entry *e, const struct digests *d);

#endif
