/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_TXT_ERROR_H
#define GL_LCP_TXT_ERROR_H

#include "common/span.h"
#include "common/text.h"

/*
 * TXT.ERRORCODE, the register at 0xFED30030 that outlives a TXT reset, taken apart, put together and in words.
 *
 *   31 valid, 30 external
 *   external = 0: bits 29-0 are the processor's code
 *   external = 1, bit 15 = 0, an ACM: 0-3 module type, 4-9 class, 10-14 major, 16-29 minor
 *   external = 1, bit 15 = 1, software: bits 14-0 and 29-16 are its own
 *
 * Sources: Intel TXT SDG 315168-016, appendices B and I; tboot 1.10.5, tboot/include/txt/errorcode.h, where class is "progress" and major
 * "error". What a class means is the module's business: the names here are those of the ACM sources that Intel published in 2023 (MIT
 * licence, AcmErr.h), and, marked as older, those that tboot knows. The list that comes with a SINIT module decides.
 */
enum txt_error_source {
	TXT_ERROR_NONE, /* valid is 0: nothing was recorded */
	TXT_ERROR_PROCESSOR,
	TXT_ERROR_ACM,
	TXT_ERROR_SOFTWARE, /* the MLE: tboot, Linux Secure Launch */
};

struct txt_error {
	enum txt_error_source source;
	uint32_t processor;     /* 30 bits */
	uint8_t acm_type;       /* 4 bits, enum txt_acm_type */
	uint8_t class;          /* 6 bits */
	uint8_t major;          /* 5 bits */
	uint16_t minor;         /* 14 bits */
	uint16_t software;      /* bits 14-0 */
	uint16_t software_high; /* bits 29-16 */
};

enum txt_acm_type {
	TXT_ACM_BIOS = 0,
	TXT_ACM_SINIT = 1,
	TXT_ACM_RACM = 9, /* revocation; tboot tboot/txt/errors.c */
};

/* Classes that have a meaning for policies. */
#define TXT_CLASS_TPM 0x04
#define TXT_CLASS_LCP 0x2e
#define TXT_CLASS_LCP_OLD 0x10 /* in the modules for which tboot prints "LCP2 error" */
#define TXT_CLASS_TPM_OLD 0x0d

/* Majors of TXT_CLASS_LCP. */
enum txt_lcp_major {
	TXT_LCP_SINIT_REVOKED = 0x02,
	TXT_LCP_BIOSAC_REVOKED = 0x03,
	TXT_LCP_ELEMENT_MISMATCH = 0x04, /* no element of the type fits */
	TXT_LCP_AUTOPROMOTION = 0x05,
	TXT_LCP_FAILSAFE = 0x06,
	TXT_LCP_PO_INTEGRITY = 0x07, /* owner's policy or data; minor: enum txt_lcp_minor */
	TXT_LCP_PS_INTEGRITY = 0x08, /* supplier's */
	TXT_LCP_NPW = 0x09,
	TXT_LCP_NOT_PROVISIONED = 0x0a,
	TXT_LCP_NO_PO_INDEX = 0x10,
};

/* Minors of TXT_LCP_SINIT_REVOKED. */
enum txt_lcp_revoked {
	TXT_LCP_REVOKED_COUNTER = 0x01,
	TXT_LCP_REVOKED_PS = 0x02,
	TXT_LCP_REVOKED_PO = 0x03,
};

/* Minors of TXT_LCP_PO_INTEGRITY and TXT_LCP_PS_INTEGRITY. */
enum txt_lcp_minor {
	TXT_LCP_DATA_SIGNATURE = 0x01,
	TXT_LCP_DATA_LISTS = 0x02,
	TXT_LCP_DATA_ADDRESS = 0x03,
	TXT_LCP_DATA_DIGEST = 0x04,
	TXT_LCP_DATA_SIZE = 0x05,
	TXT_LCP_POLICY_VERSION = 0x06,
	TXT_LCP_POLICY_HASH_ALG = 0x07,
	TXT_LCP_POLICY_TYPE = 0x08,
	TXT_LCP_POLICY_NPW = 0x09,
	TXT_LCP_POLICY_AUX_DELETE = 0x0a,
	TXT_LCP_LIST_RSA_KEY_SIZE = 0x0b,
	TXT_LCP_LIST_VERSION = 0x0c,
	TXT_LCP_LIST_SIZE = 0x0d,
	TXT_LCP_LIST_SIGNATURE_ALG = 0x0e,
	TXT_LCP_LIST_SIGNATURE = 0x0f,
	TXT_LCP_LIST_REVOKED = 0x10,
	TXT_LCP_ELEMENT_HASH_ALG = 0x11,
	TXT_LCP_ELEMENT_SIZE = 0x12,
	TXT_LCP_PCR_INFO = 0x13,
	TXT_LCP_NOT_ALLOWED = 0x14, /* fits, but its list or algorithm is not approved */
	TXT_LCP_LIST_ECDSA_KEY_SIZE = 0x15,
	TXT_LCP_LIST_SM2_KEY_SIZE = 0x16,
	TXT_LCP_LIST_KEY_SIZE = 0x17,
	TXT_LCP_LIST_SIGN_MASK = 0x18,
	TXT_LCP_POLICY_NO_HASH_ALG = 0x19,
	TXT_LCP_POLICY_HASH_MASK = 0x1a,
	TXT_LCP_POLICY_NO_SIGN_ALG = 0x1b,
	TXT_LCP_POLICY_AUX_MASK = 0x1c,
	TXT_LCP_POLICY_AUX_ALG = 0x1d,
	TXT_LCP_POLICY_AUX_BANK = 0x1e,
	TXT_LCP_PCONF_ENFORCED = 0x1f,
};

/* Takes a code apart; any 32 bits are a code. */
struct txt_error txt_error_decode(uint32_t code);

/*
 * Puts a code together; encode(decode(c)) = c for all valid c, and 0 for those whose bit 31 is 0. False, and nothing written, if a field
 * does not fit its bits.
 */
GL_MUST bool txt_error_encode(const struct txt_error *e, uint32_t *out);

/* A code that means no failure: tboot takes these three for success (0, 0xC0000001, 0xC0000009). */
GL_MUST bool txt_error_is_success(uint32_t code);

/*
 * Minor and list index of an LCP class: 6 and 3 bits (tboot's acmod_error_t). For other classes the whole minor, and no index.
 */
GL_MUST bool txt_error_lcp_minor(const struct txt_error *e, unsigned *minor, unsigned *list);

/* Prints a part of a code: `name`, the value in hexadecimal, and in parentheses its meaning unless that is NULL. */
void txt_error_print_part(struct text *t, const char *name, uint64_t v, const char *meaning);

/* What the parts are called; NULL if that is not public. */
const char *txt_error_acm_type_name(unsigned type);
const char *txt_error_processor_text(uint32_t code);
const char *txt_error_class_text(unsigned class);
const char *txt_error_old_class_text(unsigned class); /* the other meaning that older modules give the class */
const char *txt_error_major_text(unsigned class, unsigned major);
const char *txt_error_minor_text(unsigned class, unsigned major, unsigned minor);

/* Linux Secure Launch (TrenchBoot): 0xC0008001 and following; NULL if the code is none of these. */
struct txt_slaunch {
	uint32_t code;
	const char *name; /* "SL_ERROR_TPM_INIT" */
	const char *text;
};

const struct txt_slaunch *txt_error_slaunch(uint32_t code);

/* All of it as one to four lines for people. */
void txt_error_print(uint32_t code, struct text *t);

#endif
