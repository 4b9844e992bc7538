/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_ERROR_H
#define GL_LCP_ERROR_H

/*
 * Everything that can be wrong with a launch control policy: one value per violated rule, for all of lcp/.
 * lcp_strerror() says what is wrong and where the rule is written. "SDG" there is Intel's Trusted Execution Technology Software
 * Development Guide, document 315168-016; what it does not have (list version 3.0) is cited by tboot 1.10.5's include/lcp3.h.
 */
enum lcp_error {
	LCP_OK,

	/* LCP_POLICY, LCP_POLICY2 */
	LCP_E_POLICY_TRUNCATED,
	LCP_E_POLICY_TRAILING,
	LCP_E_POLICY_VERSION, /* not 2.0-2.4 or 3.0-3.2 */
	LCP_E_POLICY_HASH_ALG,
	LCP_E_POLICY_HASH_SIZE, /* encode: the digest is not of the algorithm's size */
	LCP_E_POLICY_TYPE,
	LCP_E_POLICY_RESERVED,
	LCP_E_POLICY_CONTROL,
	LCP_E_POLICY_HASH_MASK,
	LCP_E_POLICY_SIGN_MASK,
	LCP_E_POLICY_AUX_MASK,

	/* LCP_POLICY_ELEMENT */
	LCP_E_ELEMENT_TRUNCATED, /* the header, or the size in it, reaches past the end */
	LCP_E_ELEMENT_SIZE,      /* less than the header has */
	LCP_E_ELEMENT_BODY,      /* the fields of the type reach past the element's end */
	LCP_E_ELEMENT_TRAILING,
	LCP_E_ELEMENT_TYPE, /* validate: not a type of the guide's */
	LCP_E_ELEMENT_CONTROL,
	LCP_E_ELEMENT_HASH_ALG,
	LCP_E_ELEMENT_HASH_COUNT, /* encode: count and bytes do not go together */
	LCP_E_ELEMENT_NO_HASHES,
	LCP_E_ELEMENT_RESERVED,
	LCP_E_ELEMENT_FIELD, /* a field that the type does not have */

	/* TPMS_QUOTE_INFO, TPM_PCR_INFO_SHORT in PCONF elements */
	LCP_E_PCR_INFO_TRUNCATED,
	LCP_E_PCR_INFO_SELECTIONS, /* not exactly one selection */
	LCP_E_PCR_INFO_HASH_ALG,
	LCP_E_PCR_INFO_SELECT, /* bitmap too long, none selected, or another PCR than 0-7 */
	LCP_E_PCR_INFO_LOCALITY,
	LCP_E_PCR_INFO_DIGEST, /* size */

	/* LCP_POLICY_LIST, LCP_POLICY_LIST2, LCP_POLICY_LIST2_1 */
	LCP_E_LIST_TRUNCATED,
	LCP_E_LIST_TRAILING,
	LCP_E_LIST_VERSION,
	LCP_E_LIST_RESERVED,
	LCP_E_LIST_SIG_ALG,
	LCP_E_LIST_SIG_OFFSET, /* KeySignatureOffset is not where the elements end */
	LCP_E_LIST_SIZE,       /* encode: does not fit the size or offset field */
	LCP_E_LIST_DUPLICATE,  /* a second element of this type and algorithm */
	LCP_E_LIST_EMPTY,

	/* LCP_SIGNATURE, LCP_RSA_SIGNATURE, LCP_ECC_SIGNATURE, LCP_SIGNATURE2_1 */
	LCP_E_SIG_TRUNCATED,
	LCP_E_SIG_KEY_ALG,
	LCP_E_SIG_SCHEME, /* not a scheme of the key's algorithm */
	LCP_E_SIG_KEY_SIZE,
	LCP_E_SIG_KEY_MISMATCH, /* key and signature name different sizes */
	LCP_E_SIG_SIZE,         /* encode: the bytes of key or signature are not of the size that key_bits gives */
	LCP_E_SIG_HASH_ALG,
	LCP_E_SIG_EXPONENT,
	LCP_E_SIG_VERSION,
	LCP_E_SIG_RESERVED,
	LCP_E_SIG_FIELD,    /* a field that the list version does not have */
	LCP_E_SIG_UNSIGNED, /* the list names a key, but has no signature (yet) */

	/* LCP_POLICY_DATA */
	LCP_E_DATA_TRUNCATED,
	LCP_E_DATA_TRAILING,
	LCP_E_DATA_SIGNATURE,
	LCP_E_DATA_RESERVED,
	LCP_E_DATA_LISTS, /* none, or more than eight */

	/* Custom elements */
	LCP_E_CUSTOM_UUID,    /* the text is no UUID */
	LCP_E_CUSTOM_MISSING, /* no custom element with this UUID */

	/* Hash of an MLE image */
	LCP_E_MLE_ELF,
	LCP_E_MLE_SEGMENTS, /* program headers or segments reach outside, overlap, are out of order or too many */
	LCP_E_MLE_SIZE,
	LCP_E_MLE_HEADER,
	LCP_E_MLE_RANGE,   /* start and end of the MLE, or of its command line, lie outside of the image */
	LCP_E_MLE_CMDLINE, /* does not fit the area */

	LCP_E_ALG,    /* a hash algorithm that we cannot compute */
	LCP_E_BUFFER, /* encode: does not fit the caller's buffer */
	LCP_ERROR_COUNT
};

const char *lcp_strerror(enum lcp_error e);

#endif
