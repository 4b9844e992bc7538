/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_ELEMENT_H
#define GL_LCP_ELEMENT_H

#include "common/pcr.h"
#include "lcp/alg.h"
#include "lcp/error.h"

/*
 * Policy elements, the rules of a policy list: LCP_POLICY_ELEMENT, SDG D.4. Little-endian, packed; a header of 12 bytes {size, type,
 * control} and a body by type. What the types consist of is in one table (element_layout.c).
 */
#define LCP_ELEMENT_HEADER_SIZE 12
#define LCP_UUID_SIZE 16

enum lcp_element_type {
	LCP_ELEMENT_MLE = 0x00,   /* D.4.4; 0x00-0x04 are the legacy types, with SHA-1 only */
	LCP_ELEMENT_PCONF = 0x01, /* D.4.5 */
	LCP_ELEMENT_SBIOS = 0x02,
	LCP_ELEMENT_CUSTOM = 0x03, /* D.4.6 */
	LCP_ELEMENT_STM = 0x04,
	LCP_ELEMENT_MLE2 = 0x10,   /* D.4.7 */
	LCP_ELEMENT_PCONF2 = 0x11, /* D.4.8 */
	LCP_ELEMENT_SBIOS2 = 0x12,
	LCP_ELEMENT_CUSTOM2 = 0x13, /* D.4.6 */
	LCP_ELEMENT_STM2 = 0x14,    /* D.4.9 */
};

/* PolEltControl, SDG D.4. */
#define LCP_ELEMENT_OVERRIDE_PS 0x00000001u  /* this element replaces the supplier's of the same type */
#define LCP_ELEMENT_STM_REQUIRED 0x00000002u /* STM elements */
#define LCP_ELEMENT_OEM_PCR 0x00000004u      /* PCR 18 stays the same with other elements that match */
#define LCP_ELEMENT_CONTROL_ALL (LCP_ELEMENT_OVERRIDE_PS | LCP_ELEMENT_STM_REQUIRED | LCP_ELEMENT_OEM_PCR)

/* Most reserved bytes that a type has (SBIOS). */
#define LCP_ELEMENT_RESERVED_MAX 5

/*
 * An element taken apart. Fields that the type does not have are 0 or empty. Spans point into the bytes given to the decoder or, for
 * an element put together, to the caller's.
 */
struct lcp_element {
	uint32_t type;
	uint32_t control;
	uint8_t sinit_min_version;                  /* MLE, MLE2 */
	uint16_t hash_alg;                          /* all but PCONF and CUSTOM; TPM_ALG_ID, SHA-1 in the legacy types */
	struct span fallback;                       /* SBIOS, SBIOS2: one digest */
	uint16_t count;                             /* of digests or PCR infos */
	struct span hashes;                         /* MLE, SBIOS, STM: count digests of hash_alg, one behind the other */
	struct span pcr_infos;                      /* PCONF, PCONF2: walk with lcp_pcr_infos_next() */
	uint8_t uuid[LCP_UUID_SIZE];                /* CUSTOM: as in the bytes, see lcp/custom.h */
	struct span data;                           /* CUSTOM: what the UUID says; a type that is none of the above: the whole body */
	uint8_t reserved[LCP_ELEMENT_RESERVED_MAX]; /* in the order of the bytes */
};

/* Takes one element apart, which must be all of `bytes`. A type that we do not know is no error here. `out` on success only. */
GL_MUST enum lcp_error lcp_element_decode(struct span bytes, struct lcp_element *out);

/* Checks every rule, also of the PCR infos inside. */
GL_MUST enum lcp_error lcp_element_validate(const struct lcp_element *e);

/*
 * Writes the element into `buf`; `*n` is its size (with buf.p NULL only the size is computed). encode(decode(b)) = b.
 * Checked is only what the bytes cannot express. On failure `*n` is untouched, but the buffer may have been.
 */
GL_MUST enum lcp_error lcp_element_encode(const struct lcp_element *e, struct mspan buf, size_t *n);

/* Prints it, one field a line, each line behind `indent` blanks. */
void lcp_element_print(const struct lcp_element *e, unsigned indent, struct text *t);

/* "mle2" and so on, NULL if the type is none of the above. */
const char *lcp_element_type_name(uint32_t type);
GL_MUST bool lcp_element_type_by_name(struct span name, uint32_t *out);

/* Digest number `i` of the element; empty if there is none. */
struct span lcp_element_hash(const struct lcp_element *e, unsigned i);

/*
 * Walks elements that lie one behind the other. Each step either gives an element of at least 12 bytes and moves behind it, or
 * fails and ends the walk:
 *
 *   struct lcp_elements it = lcp_elements_in(list.elements);
 *   struct span bytes;
 *
 *   while (lcp_elements_left(&it)) {
 *           enum lcp_error e = lcp_elements_next(&it, &bytes);
 *           ...
 */
struct lcp_elements {
	struct span left;
};

static inline struct lcp_elements lcp_elements_in(struct span elements)
{
	return (struct lcp_elements){ elements };
}

static inline bool lcp_elements_left(const struct lcp_elements *it)
{
	return it->left.n > 0;
}

/* The bytes of the next element, header included; its body is not looked at. `out` on success only. */
GL_MUST enum lcp_error lcp_elements_next(struct lcp_elements *it, struct span *out);

/*
 * What PCONF elements compare: a selection of PCRs and the hash of their values. TPMS_QUOTE_INFO (TPM 2.0 Library part 2, 10.12.2) in
 * PCONF2, big-endian, with one selection; TPM_PCR_INFO_SHORT (TPM 1.2 part 2, 8.4) in PCONF.
 */
struct lcp_pcr_info {
	uint16_t hash_alg;  /* of the selection; SHA-1 in PCONF */
	struct span select; /* bitmap: PCR i is bit i % 8 of byte i / 8 */
	uint8_t locality;   /* PCONF only: localityAtRelease */
	struct span digest;
};

struct lcp_pcr_infos {
	struct span left;
	bool legacy;
};

static inline struct lcp_pcr_infos lcp_pcr_infos_in(const struct lcp_element *e)
{
	return (struct lcp_pcr_infos){ e->pcr_infos, e->type == LCP_ELEMENT_PCONF };
}

static inline bool lcp_pcr_infos_left(const struct lcp_pcr_infos *it)
{
	return it->left.n > 0;
}

/* As lcp_elements_next(). */
GL_MUST enum lcp_error lcp_pcr_infos_next(struct lcp_pcr_infos *it, struct lcp_pcr_info *out);

/* Every rule of the PCR infos of an element that has them. Called by lcp_element_validate(). */
GL_MUST enum lcp_error lcp_pcr_infos_validate(const struct lcp_element *e);

/* The selection as a number: bit i is PCR i. PCRs above 31 are left out. */
uint32_t lcp_pcr_info_mask(const struct lcp_pcr_info *info);

/* Largest size of what lcp_pcr_info_encode() writes. */
#define LCP_PCR_INFO_MAX (4 + 2 + 1 + 3 + 2 + LCP_DIGEST_MAX)

/*
 * Writes one TPMS_QUOTE_INFO as tboot's lcp2_crtpolelt does: one selection with a bitmap of three bytes for the PCRs of `mask`
 * (0-23), and the digest. `*n` as above.
 */
GL_MUST enum lcp_error lcp_pcr_info_encode(uint16_t hash_alg, uint32_t mask, struct span digest, struct mspan buf, size_t *n);

/*
 * The digest for a TPMS_QUOTE_INFO: H over the values of the PCRs of `mask`, lowest first, in bank `a` with the bank's own algorithm
 * (TPM 2.0 Library part 1, 17.5). False if `p` does not know one of them. `out` gets the digest's bytes.
 */
GL_MUST bool lcp_pcr_composite(const struct pcrs *p, enum alg a, uint32_t mask, uint8_t out[LCP_DIGEST_MAX]);

#endif
