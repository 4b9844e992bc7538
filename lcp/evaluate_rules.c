/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/evaluate.h"

#define SDG "Intel TXT SDG 315168-016 "
/* The only public list of launch control's errors. */
#define ACM "Intel NP-SEAMLDR 1.5 Core/Include/AcmErr.h "
#define ACM_LCP "Intel NP-SEAMLDR 1.5 Core/Include/Lcp.h "

#define BOTH(n) \
	{ \
		(n), (n) \
	}
/* Major numbers of errors in the owner's and the supplier's policy. */
#define INTEGRITY \
	{ \
		TXT_LCP_PO_INTEGRITY, TXT_LCP_PS_INTEGRITY \
	}
#define LCP_CODE(majors, minors) .launch_control = true, .major = majors, .minor = minors

/* clang-format off */
static const struct lcp_rule_info rules[LCP_RULE_COUNT] = {
	[LCP_ALLOWED] = { .id = "allowed", .text = "the policies allow the launch", .source = "" },

	[LCP_RULE_PS_MISSING] = { "ps-missing", "there is no supplier policy, and this SINIT does not work without", ACM
		"ERR_TPM_NOT_PROVISIONED, ERR_PS_INDEX_NOT_DEFINED", LCP_CODE(BOTH(TXT_LCP_NOT_PROVISIONED), BOTH(0)) },
	[LCP_RULE_PO_MISSING] = { "po-missing", "the supplier's policy demands an owner policy (Owner_Enforced), and there is none", SDG
		"D.1.1, PolicyControl; " ACM "ERR_TPM_NOT_PROVISIONED", .deduced = true, LCP_CODE(BOTH(TXT_LCP_NOT_PROVISIONED), BOTH(0)) },
	[LCP_RULE_DATA_WITHOUT_PO] = { "data-without-po", "there is policy data of the owner, but no owner policy in the TPM", ACM
		"ERR_NO_PO_INDEX", LCP_CODE(BOTH(TXT_LCP_NO_PO_INDEX), BOTH(0)) },
	[LCP_RULE_POLICY_SIZE] = { "policy-size", "the NV index does not have just the size of the policy in it", ACM
		"ERR_TPM_NV_INDEX_INVALID_PO_SIZE, _PS_SIZE", .class = TXT_CLASS_TPM, .major = BOTH(0x07), .minor = { 0x0c, 0x12 } },
	[LCP_RULE_POLICY_VERSION] = { "policy-version", "SINIT does not know this version of the policy", ACM "ERR_POL_WRONG_VERSION; " ACM_LCP
		"LCP_POLICY_VER3_MIN_MINOR", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_POLICY_VERSION)) },
	[LCP_RULE_POLICY_HASH_ALG] = { "policy-hash-alg", "SINIT does not have the policy's hash algorithm", ACM "ERR_POL_WRONG_HASH_ALG",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_POLICY_HASH_ALG)) },
	[LCP_RULE_POLICY_TYPE] = { "policy-type", "the policy's type is neither list nor any", ACM "ERR_POL_UNKNOWN_POLICY_TYPE",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_POLICY_TYPE)) },
	[LCP_RULE_AUX_DELETION] = { "aux-deletion", "PolicyControl asks for the AUX index to be deleted", ACM "ERR_POL_AUX_DELETION_EN",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_POLICY_AUX_DELETE)) },
	[LCP_RULE_NO_HASH_MASK] = { "no-hash-mask", "LcpHashAlgMask approves no hash algorithm", ACM "ERR_POL_NO_HASH_ALG",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_POLICY_NO_HASH_ALG)) },
	[LCP_RULE_HASH_NOT_APPROVED] = { "hash-not-approved", "LcpHashAlgMask does not approve the policy's own hash algorithm", ACM
		"ERR_POL_UNSUPPORTED_HASH_ALG", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_POLICY_HASH_MASK)) },
	[LCP_RULE_NO_SIGN_MASK] = { "no-sign-mask", "LcpSignAlgMask approves no signature algorithm", ACM "ERR_POL_NO_SIGNATURE_ALG",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_POLICY_NO_SIGN_ALG)) },
	[LCP_RULE_AUX_MASK] = { "aux-mask", "AuxHashAlgMask does not name just one hash algorithm", ACM "ERR_POL_AUXHASH_INVALID_ALGMASK",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_POLICY_AUX_MASK)) },
	[LCP_RULE_AUX_MASK_ALG] = { "aux-mask-alg", "AuxHashAlgMask names a hash algorithm that SINIT does not have", ACM
		"ERR_POL_AUXHASH_UNSUPPORTED_ALG", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_POLICY_AUX_ALG)) },

	[LCP_RULE_NPW_NO_POLICY] = { "npw-no-policy", "an ACM is not production worthy (NPW), and there is no policy to permit that", ACM
		"ERR_NPW_REQ_POL", LCP_CODE(BOTH(TXT_LCP_NPW), BOTH(0)) },
	[LCP_RULE_NPW] = { "npw", "an ACM is not production worthy (NPW), and the policy does not permit that", SDG "D.1.1, PolicyControl; " ACM
		"ERR_POL_NPW_NOT_ALLOW", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_POLICY_NPW)) },
	[LCP_RULE_AUX_REVOKED] = { "aux-revoked", "SINIT is older than the AUX index permits", SDG "D.1.3, MaxSinitMinVersion; " ACM
		"ERR_ACM_REVOKED", .deduced = true, .class = 0x01, .major = BOTH(0x09), .minor = BOTH(0x00) },
	[LCP_RULE_SINIT_REVOKED_PS] = { "sinit-revoked-ps", "SINIT is older than the supplier's policy permits (SINITMinVersion)", SDG
		"D.1.3, SINITMinVersion; " ACM "ERR_SINIT_REVOKED_PS", LCP_CODE(BOTH(TXT_LCP_SINIT_REVOKED), BOTH(TXT_LCP_REVOKED_PS)) },
	[LCP_RULE_SINIT_REVOKED_PO] = { "sinit-revoked-po", "SINIT is older than the owner's policy permits (SINITMinVersion)", SDG
		"D.1.3, SINITMinVersion; " ACM "ERR_SINIT_REVOKED_PO", LCP_CODE(BOTH(TXT_LCP_SINIT_REVOKED), BOTH(TXT_LCP_REVOKED_PO)) },
	[LCP_RULE_SINIT_REVOKED_ELEMENT] = { "sinit-revoked-element", "the MLE is in an element, but SINIT is older than that element permits", SDG
		"D.4.7, SINITMinVersion; " ACM "ERR_SINIT_REVOKED_POL_CTR; " ACM_LCP "MODULE_REVOKED",
		LCP_CODE(BOTH(TXT_LCP_SINIT_REVOKED), BOTH(TXT_LCP_REVOKED_COUNTER)) },

	[LCP_RULE_NO_DATA] = { "no-data", "the policy is of type list, and there is no policy data", SDG "D.1.3, PolicyType; " ACM
		"ERR_NO_POLICY_DATA", .deduced = true, LCP_CODE(INTEGRITY, BOTH(TXT_LCP_NOT_ALLOWED)) },
	[LCP_RULE_DATA_SIGNATURE] = { "data-signature", "the policy data does not begin with its signature", SDG "D.2, FileSignature; " ACM
		"ERR_POLDATA_WRONG_SIGNATURE", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_DATA_SIGNATURE)) },
	[LCP_RULE_DATA_HEADER] = { "data-header", "the policy data has reserved fields that are not 0, no lists, or more than eight", SDG
		"D.2, NumLists; " ACM "ERR_POLDATA_WRONG_NUMLISTS", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_DATA_LISTS)) },
	[LCP_RULE_DATA_SIZE] = { "data-size", "the policy data does not have the size that its lists add up to", ACM "ERR_POLDATA_SIZE",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_DATA_SIZE)) },
	[LCP_RULE_DATA_DIGEST] = { "data-digest", "the policy data is not the one whose digest the policy has", SDG "3.3.4, D.1.3, PolicyHash; " ACM
		"ERR_POLDATA_DIGEST_MISMATCH", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_DATA_DIGEST)) },
	[LCP_RULE_LIST_VERSION] = { "list-version", "SINIT does not know this version of the list", ACM "ERR_LIST_WRONG_VERSION",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_LIST_VERSION)) },
	[LCP_RULE_LIST_SIZE] = { "list-size", "the list's fields do not add up to its size", ACM "ERR_LIST_WRONG_SIZE",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_LIST_SIZE)) },
	[LCP_RULE_LIST_SIG_ALG] = { "list-sig-alg", "the list's signature algorithm is not one of its version", ACM
		"ERR_LIST_WRONG_SIGNATURE_ALG", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_LIST_SIGNATURE_ALG)) },
	[LCP_RULE_LIST_KEY_SIZE] = { "list-key-size", "the list's RSA key has not 2048 or 3072 bits", ACM "ERR_LIST_RSA_WRONG_KEY_SIZE",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_LIST_RSA_KEY_SIZE)) },
	[LCP_RULE_LIST_KEY_SIZE_ECDSA] = { "list-key-size-ecdsa", "the list's ECDSA key has not 256 or 384 bits", ACM
		"ERR_LIST_ECDSA_WRONG_KEY_SIZE", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_LIST_ECDSA_KEY_SIZE)) },
	[LCP_RULE_LIST_KEY_SIZE_SM2] = { "list-key-size-sm2", "the list's SM2 key has not 256 bits", ACM "ERR_LIST_SM2_WRONG_KEY_SIZE",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_LIST_SM2_KEY_SIZE)) },
	[LCP_RULE_LIST_SIGNATURE] = { "list-signature", "the list's signature is wrong", SDG "D.3.2.1; " ACM "ERR_LIST_SIGNATURE_FAILURE",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_LIST_SIGNATURE)) },
	[LCP_RULE_LIST_REVOKED] = { "list-revoked", "the list's revocation counter is below that of the policy", SDG
		"D.1.3, DataRevocationCounters; " ACM "ERR_LIST_REVOKED; " ACM_LCP "InvalidListsMask", .deduced = true,
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_LIST_REVOKED)) },
	[LCP_RULE_LIST_NOT_APPROVED] = { "list-not-approved", "LcpSignAlgMask, or SINIT, does not approve the list's signature algorithm", SDG
		"D.1.3, LcpSignAlgMask; " ACM "ERR_LIST_UNSUPPORTED_HASH_ALG; " ACM_LCP "InvalidListsMask", .deduced = true,
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_LIST_SIGN_MASK)) },
	[LCP_RULE_ELEMENT_HASH_ALG] = { "element-hash-alg", "the element's hash algorithm is none of launch control's", ACM
		"ERR_ELT_WRONG_HASH_ALG", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_ELEMENT_HASH_ALG)) },
	[LCP_RULE_ELEMENT_SIZE] = { "element-size", "the element's fields do not add up to its size", ACM "ERR_ELT_WRONG_SIZE",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_ELEMENT_SIZE)) },
	[LCP_RULE_PCR_INFO] = { "pcr-info", "a PCR info of the element is malformed", ACM "ERR_PCRINFO_INTEGRITY_FAIL",
		LCP_CODE(INTEGRITY, BOTH(TXT_LCP_PCR_INFO)) },

	[LCP_RULE_ELEMENT_DISALLOWED] = { "element-disallowed", "the element that matches is in a list that is revoked or not approved, or its "
		"hash algorithm is not approved", ACM "ERR_NO_POLICY_DATA; " ACM_LCP "InvalidListsMask", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_NOT_ALLOWED)) },
	[LCP_RULE_MLE] = { "mle-mismatch", "no MLE element has the digest of this MLE", SDG "3.3, D.4.7; " ACM "ERR_ELT_MISMATCH",
		LCP_CODE(BOTH(TXT_LCP_ELEMENT_MISMATCH), BOTH(0)) },
	[LCP_RULE_PCONF] = { "pconf-mismatch", "no PCONF element has these PCR values", SDG "3.3, D.4.8; " ACM "ERR_ELT_MISMATCH",
		LCP_CODE(BOTH(TXT_LCP_ELEMENT_MISMATCH), BOTH(0)) },
	[LCP_RULE_PCONF_OVERRIDE] = { "pconf-override", "a PCONF element of the owner overrides the supplier's, while the owner's policy enforces "
		"them", ACM "ERR_PCONF_ENFORCE", LCP_CODE(INTEGRITY, BOTH(TXT_LCP_PCONF_ENFORCED)) },
	[LCP_RULE_STM] = { "stm-mismatch", "no STM element has the digest of this STM", SDG "3.3, D.4.9; " ACM "ERR_ELT_MISMATCH",
		LCP_CODE(BOTH(TXT_LCP_ELEMENT_MISMATCH), BOTH(0)) },
	[LCP_RULE_STM_REQUIRED] = { "stm-required", "the element asks for an STM, and there is none", SDG "D.4, PolEltControl; " ACM
		"ERR_STM_IS_REQUIRED", .class = 0x2b, .major = BOTH(0x06), .minor = BOTH(0x00) },
	[LCP_RULE_SBIOS] = { "sbios-mismatch", "no SBIOS element has the digest of this BIOS", SDG "3.3; " ACM "ERR_ELT_MISMATCH",
		LCP_CODE(BOTH(TXT_LCP_ELEMENT_MISMATCH), BOTH(0)) },
	[LCP_RULE_AUTOPROMOTION] = { "autopromotion", "the BIOS's digest is not the one that the AUX index has", ACM "ERR_AUTOPROMOTE_FAIL",
		LCP_CODE(BOTH(TXT_LCP_AUTOPROMOTION), BOTH(0)) },

	[LCP_RULE_INPUT] = { .id = "input", .text = "a digest or PCR value that matters was not given", .source = "" },
};
/* clang-format on */

const struct lcp_rule_info *lcp_rule_info(enum lcp_rule rule)
{
	return &rules[(unsigned)rule < LCP_RULE_COUNT ? rule : LCP_RULE_INPUT];
}

const char *lcp_owner_name(enum lcp_owner owner)
{
	return owner == LCP_PO ? "owner" : "supplier";
}

const char *lcp_subject_name(enum lcp_subject subject)
{
	static const char *const names[LCP_SUBJECTS] = { "mle", "pconf", "pconf-supplier", "stm", "sbios" };

	return (unsigned)subject < LCP_SUBJECTS ? names[subject] : "unknown";
}
