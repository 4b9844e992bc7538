/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/error.h"

#define SDG "Intel TXT SDG 315168-016 "
#define TBOOT "tboot 1.10.5 "
#define LIST3 "(" TBOOT "include/lcp3.h, lcp_policy_list_t2_1)"
#define SIG3 "(" TBOOT "include/lcp3.h, lcp_signature_2_1)"

/* clang-format off */
static const char *const messages[LCP_ERROR_COUNT] = {
	[LCP_OK] = "no error",

	[LCP_E_POLICY_TRUNCATED] = "the policy ends inside its fields or its digest (" SDG "D.1.2, D.1.3)",
	[LCP_E_POLICY_TRAILING] = "there are bytes behind the policy's digest (" SDG "D.1.2, D.1.3)",
	[LCP_E_POLICY_VERSION] = "the policy's version is not 2.0-2.4 or 3.0-3.2 (" SDG "D.1.2, D.1.3, PolicyVersion)",
	[LCP_E_POLICY_HASH_ALG] = "the policy's hash algorithm is none of sha1, sha256, sm3_256, sha384, sha512, or in version 2.x not sha1 "
		"(" SDG "D.1.2, D.1.3, HashAlg)",
	[LCP_E_POLICY_HASH_SIZE] = "the policy's digest does not have the size of its hash algorithm (" SDG "D.1.3, PolicyHash)",
	[LCP_E_POLICY_TYPE] = "the policy's type is not list or any (" SDG "D.1.2, D.1.3, PolicyType)",
	[LCP_E_POLICY_RESERVED] = "a reserved field of the policy is not 0 (" SDG "D.1.2, D.1.3)",
	[LCP_E_POLICY_CONTROL] = "PolicyControl has reserved bits (" SDG "D.1.1)",
	[LCP_E_POLICY_HASH_MASK] = "LcpHashAlgMask has unknown bits (" SDG "D.1.3)",
	[LCP_E_POLICY_SIGN_MASK] = "LcpSignAlgMask has unknown bits (" SDG "D.1.3)",
	[LCP_E_POLICY_AUX_MASK] = "AuxHashAlgMask has unknown bits, or is not 0 in version 3.2, which reserves it (" SDG "D.1.3; " TBOOT
		"include/lcp3.h, lcp_policy_t2)",

	[LCP_E_ELEMENT_TRUNCATED] = "the element's header or size reaches past the end of the elements (" SDG "D.4, Size)",
	[LCP_E_ELEMENT_SIZE] = "the element's size is less than the 12 bytes of its header (" SDG "D.4, Size)",
	[LCP_E_ELEMENT_BODY] = "the fields of the element reach past its size (" SDG "D.4.4-D.4.9)",
	[LCP_E_ELEMENT_TRAILING] = "there are bytes behind the element's last field (" SDG "D.4.4-D.4.9)",
	[LCP_E_ELEMENT_TYPE] = "the element's type is none of 0x00-0x04, 0x10-0x14 (" SDG "D.4, Type)",
	[LCP_E_ELEMENT_CONTROL] = "PolEltControl has reserved bits (" SDG "D.4, PolEltControl)",
	[LCP_E_ELEMENT_HASH_ALG] = "the element's hash algorithm is none of sha1, sha256, sm3_256, sha384, sha512, or in a legacy element not sha1 "
		"(" SDG "D.4.4-D.4.9, HashAlg)",
	[LCP_E_ELEMENT_HASH_COUNT] = "the element's number of hashes or PCR infos does not fit their bytes (" SDG "D.4.4-D.4.9, NumHashes, "
		"NumPCRInfos)",
	[LCP_E_ELEMENT_NO_HASHES] = "the element has no hashes or PCR infos, so nothing satisfies it (" SDG "D.4.4-D.4.9, NumHashes, NumPCRInfos)",
	[LCP_E_ELEMENT_RESERVED] = "a reserved field of the element is not 0 (" SDG "D.4.4-D.4.9)",
	[LCP_E_ELEMENT_FIELD] = "the element has a value for a field that its type does not have (" SDG "D.4.4-D.4.9)",

	[LCP_E_PCR_INFO_TRUNCATED] = "the PCR info reaches past the end of its element (" SDG "D.4.5, D.4.8; TPM 2.0 Library part 2, 10.12.2, "
		"TPMS_QUOTE_INFO)",
	[LCP_E_PCR_INFO_SELECTIONS] = "the PCR info does not have exactly one selection (" SDG "D.4.8; TPM 2.0 Library part 2, 10.9.7, "
		"TPML_PCR_SELECTION)",
	[LCP_E_PCR_INFO_HASH_ALG] = "the PCR info's bank is not that of the element's hash algorithm (" SDG "D.4.8)",
	[LCP_E_PCR_INFO_SELECT] = "the PCR info selects no PCR, or others than 0-7, or its bitmap is longer than three bytes (" SDG "D.4.5, D.4.8; " TBOOT
		"lcptools-v2/pconf2_elt.c)",
	[LCP_E_PCR_INFO_LOCALITY] = "the PCR info's locality is not a set of localities 0-4 (" SDG "D.4.5; TPM 1.2 Main part 2, 8.6, "
		"TPM_LOCALITY_SELECTION)",
	[LCP_E_PCR_INFO_DIGEST] = "the PCR info's digest does not have the size of its hash algorithm (" SDG "D.4.8)",

	[LCP_E_LIST_TRUNCATED] = "the list ends inside its header or its elements (" SDG "D.3.2.1, PolicyElementsSize)",
	[LCP_E_LIST_TRAILING] = "there are bytes behind the list (" SDG "D.3.2.1)",
	[LCP_E_LIST_VERSION] = "the list's version is not 1.0, 2.0, 2.1 or 3.0 (" SDG "D.3.2.1, Version; " TBOOT "include/lcp3.h)",
	[LCP_E_LIST_RESERVED] = "the list's reserved field is not 0 (" TBOOT "include/lcp3.h, lcp_policy_list_t)",
	[LCP_E_LIST_SIG_ALG] = "the list's signature algorithm is not one of its version (" SDG "D.3.2.1, SigAlgorithm; " TBOOT "include/lcp3.h)",
	[LCP_E_LIST_SIG_OFFSET] = "KeySignatureOffset is not 0 and not where the elements and the revocation counter end " LIST3,
	[LCP_E_LIST_SIZE] = "the list is too large for PolicyElementsSize or KeySignatureOffset (" SDG "D.3.2.1; " TBOOT
		"include/lcp3.h, lcp_policy_list_t2_1)",
	[LCP_E_LIST_DUPLICATE] = "the list has an element of this type and hash algorithm already (" SDG "D.3.2.1, PolicyElements)",
	[LCP_E_LIST_EMPTY] = "the list has no elements (" SDG "D.3.2.1, PolicyElements)",

	[LCP_E_SIG_TRUNCATED] = "the list ends inside its key or signature (" SDG "D.3.2.1; " TBOOT "include/lcp3.h, lcp_signature_2_1)",
	[LCP_E_SIG_KEY_ALG] = "the key's algorithm is not RSA or ECC, or not that of the signature algorithm " SIG3,
	[LCP_E_SIG_SCHEME] = "the signature scheme is not one for the key: rsassa or rsapss for RSA, ecdsa or sm2 for ECC " SIG3,
	[LCP_E_SIG_KEY_SIZE] = "the key's size is not one that the algorithm has: RSA 2048 or 3072 bits (in old lists also 1024), ECDSA 256 or "
		"384, SM2 256 (" SDG "D.3.2.1, PubkeySize; " TBOOT "include/lcp3.h, lcp_signature_2_1)",
	[LCP_E_SIG_KEY_MISMATCH] = "the key and the signature name different key sizes " SIG3,
	[LCP_E_SIG_SIZE] = "the bytes of key or signature do not have the key's size (" SDG "D.3.2.1)",
	[LCP_E_SIG_HASH_ALG] = "the signature's hash algorithm is not sha256 or sha384, or for sm2 not sm3_256 " SIG3,
	[LCP_E_SIG_EXPONENT] = "the RSA exponent is not 65537 " SIG3,
	[LCP_E_SIG_VERSION] = "a version in the signature's structures is not 0x10 " SIG3,
	[LCP_E_SIG_RESERVED] = "the signature's reserved field is not 0 (" SDG "D.3.2.1, LCP_ECC_SIGNATURE)",
	[LCP_E_SIG_FIELD] = "the signature has a value for a field that lists of this version do not have (" SDG "D.3.2.1)",
	[LCP_E_SIG_UNSIGNED] = "the list has a key, but no signature: sign it first (" SDG "D.3.2.1, SigBlock)",

	[LCP_E_DATA_TRUNCATED] = "the policy data ends inside its header (" SDG "D.2)",
	[LCP_E_DATA_TRAILING] = "there are bytes behind the last list (" SDG "D.2, NumLists)",
	[LCP_E_DATA_SIGNATURE] = "the file does not begin with \"Intel(R) TXT LCP_POLICY_DATA\" and four zero bytes (" SDG "D.2, FileSignature)",
	[LCP_E_DATA_RESERVED] = "a reserved field of the policy data is not 0 (" SDG "D.2)",
	[LCP_E_DATA_LISTS] = "the policy data has no lists, or more than eight (" SDG "D.2, NumLists; LCP_MAX_LISTS)",

	[LCP_E_CUSTOM_UUID] = "a UUID looks like c3930641-e3cb-4f40-91d7-27f8b9e25c86: 36 characters, hexadecimal digits and dashes",
	[LCP_E_CUSTOM_MISSING] = "there is no custom element with this UUID (" SDG "D.4.6)",

	[LCP_E_MLE_ELF] = "the file is not a little-endian x86 ELF executable: is it compressed, or another file? (ELF specification, ELF header)",
	[LCP_E_MLE_SEGMENTS] = "the ELF program headers or segments reach outside of the file, overlap, are not in ascending order, or are none or "
		"more than 16 (ELF specification, program header)",
	[LCP_E_MLE_SIZE] = "the image needs more than 1 GiB of memory (a limit of this program; tboot 1.10.5 needs 35 MiB)",
	[LCP_E_MLE_HEADER] = "the image has no MLE header (" SDG "2.1; " TBOOT "include/mle.h, mle_hdr_t.uuid)",
	[LCP_E_MLE_RANGE] = "the MLE or its command line area lies outside of the image (" SDG "2.1; " TBOOT "include/mle.h, mle_hdr_t)",
	[LCP_E_MLE_CMDLINE] = "the command line and a NUL do not fit the area that the MLE header has for it, or there is no such area (" SDG
		"2.1; " TBOOT "include/mle.h, mle_hdr_t.cmdline_start_off, cmdline_end_off)",

	[LCP_E_ALG] = "the hash algorithm is one that this program cannot compute (it has sha1, sha256, sha384, sha512)",
	[LCP_E_BUFFER] = "the structure does not fit the buffer",
};
/* clang-format on */

const char *lcp_strerror(enum lcp_error e)
{
	return (unsigned)e < LCP_ERROR_COUNT ? messages[e] : "unknown launch control policy error";
}
