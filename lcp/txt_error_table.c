/* SPDX-License-Identifier: BSD-3-Clause */
/* What the numbers in TXT.ERRORCODE stand for; sources in txt_error.h. */
#include "lcp/txt_error.h"

struct row {
	uint8_t class, major, minor;
	const char *text;
};

/* minor is not used */
static const struct row majors[] = {
	{ 0x01, 0x01, 0, "wrong conditions of entry" },
	{ 0x01, 0x02, 0, "no-eviction mode is on" },
	{ 0x01, 0x03, 0, "processor for clients on a server platform, or the reverse" },
	{ 0x01, 0x04, 0, "chipset not supported" },
	{ 0x01, 0x05, 0, "processor not supported" },
	{ 0x01, 0x06, 0, "no microcode update is loaded" },
	{ 0x01, 0x07, 0, "debug microcode with a production module" },
	{ 0x01, 0x08, 0, "DMI link is down" },
	{ 0x01, 0x09, 0, "module is revoked" },
	{ 0x01, 0x0a, 0, "TPM has both AUX indices" },
	{ 0x01, 0x0c, 0, "GETSEC instruction lies too near to the segment's limit" },
	{ 0x01, 0x0d, 0, "debug interface is on or not locked" },
	{ 0x01, 0x0e, 0, "supplier's index is not write-locked" },
	{ 0x01, 0x0f, 0, "locking of the configuration failed" },
	{ 0x01, 0x10, 0, "startup module failed" },
	{ 0x01, 0x11, 0, "fatal error" },
	{ 0x01, 0x12, 0, "processor and chipset do not go together" },
	{ 0x01, 0x13, 0, "the two headers of a module signed twice differ" },
	{ 0x01, 0x14, 0, "header is wrong" },
	{ 0x01, 0x15, 0, "probe mode was entered" },

	{ 0x02, 0x01, 0, "variable MTRRs off, fixed ones on, or default type not uncacheable" },
	{ 0x02, 0x02, 0, "an MTRR is not write-back" },
	{ 0x02, 0x03, 0, "MTRRs overlap" },
	{ 0x02, 0x04, 0, "an MTRR's base is not aligned to its size" },
	{ 0x02, 0x05, 0, "MTRRs cover more than the module" },
	{ 0x02, 0x06, 0, "gap between MTRRs" },
	{ 0x02, 0x07, 0, "high bits of an MTRR's mask" },
	{ 0x02, 0x08, 0, "module overlaps the TXT registers" },
	{ 0x02, 0x09, 0, "too many MTRRs" },

	{ 0x03, 0x01, 0, "a range's alignment, order or place is wrong" },
	{ 0x03, 0x02, 0, "ranges overlap" },
	{ 0x03, 0x03, 0, "ranges are in the wrong order" },
	{ 0x03, 0x04, 0, "a range is not inside of another" },
	{ 0x03, 0x05, 0, "a range differs between sockets" },

	{ 0x04, 0x01, 0, "TPM returned an error" },
	{ 0x04, 0x02, 0, "locality" },
	{ 0x04, 0x03, 0, "locality could not be taken or given back" },
	{ 0x04, 0x04, 0, "NV memory is not locked" },
	{ 0x04, 0x05, 0, "TPM is disabled" },
	{ 0x04, 0x06, 0, "TPM is deactivated" },
	{ 0x04, 0x07, 0, "an NV index is defined wrongly" },
	{ 0x04, 0x08, 0, "BIOS module does not go with this one" },
	{ 0x04, 0x09, 0, "AUX revision does not go with this module" },
	{ 0x04, 0x0a, 0, "input buffer too short" },
	{ 0x04, 0x0b, 0, "output buffer too short" },
	{ 0x04, 0x0c, 0, "secrets bit is set" },
	{ 0x04, 0x0d, 0, "interface not supported" },
	{ 0x04, 0x0e, 0, "TPM family not supported" },
	{ 0x04, 0x0f, 0, "too many PCR banks" },
	{ 0x04, 0x10, 0, "hash algorithm not supported (older modules: owner's index is defined wrongly)" },
	{ 0x04, 0x11, 0, "index is read-only" },
	{ 0x04, 0x12, 0, "index is too large or too small" },
	{ 0x04, 0x13, 0, "no TPM" },
	{ 0x04, 0x14, 0, "active PCR banks not supported with the embedded extend policy" },
	{ 0x04, 0x15, 0, "measurement at locality 3 failed" },
	{ 0x04, 0x1a, 0, "broken handshake" },
	{ 0x04, 0x1b, 0, "response is larger than its buffer" },
	{ 0x04, 0x1c, 0, "wrong parameter inside of the module" },
	{ 0x04, 0x1d, 0, "TPM does not take the command" },
	{ 0x04, 0x1e, 0, "TPM does not finish the command" },
	{ 0x04, 0x1f, 0, "TPM does not answer in time" },

	{ 0x05, 0x01, 0, "base or size of heap, SINIT area or DPR is wrong" },
	{ 0x05, 0x02, 0, "heap, SINIT area or DPR is too small" },
	{ 0x05, 0x03, 0, "graphics memory size" },
	{ 0x05, 0x04, 0, "GTT size" },
	{ 0x05, 0x05, 0, "graphics aperture size" },
	{ 0x05, 0x06, 0, "memory controller is not locked" },
	{ 0x05, 0x07, 0, "memory controller is locked" },
	{ 0x05, 0x08, 0, "TXT configuration is not locked" },
	{ 0x05, 0x09, 0, "remapping of memory" },
	{ 0x05, 0x0a, 0, "SMRR" },
	{ 0x05, 0x0b, 0, "module does not lie in the SINIT area" },
	{ 0x05, 0x0c, 0, "module was not started by the bootstrap processor" },
	{ 0x05, 0x0d, 0, "protected memory ranges" },
	{ 0x05, 0x0e, 0, "DPR" },
	{ 0x05, 0x0f, 0, "TOLUD is not locked" },
	{ 0x05, 0x10, 0, "memory of the management engine" },
	{ 0x05, 0x11, 0, "TOM" },
	{ 0x05, 0x12, 0, "GGC" },
	{ 0x05, 0x13, 0, "BDSM is not locked" },
	{ 0x05, 0x14, 0, "BGSM is not locked" },
	{ 0x05, 0x15, 0, "TSEGMB is not locked" },
	{ 0x05, 0x16, 0, "TOUUD" },
	{ 0x05, 0x17, 0, "PCIEXBAR" },
	{ 0x05, 0x18, 0, "wake error bit is set" },
	{ 0x05, 0x19, 0, "flash decoding" },
	{ 0x05, 0x1a, 0, "MCHBAR" },
	{ 0x05, 0x1b, 0, "SMRR2" },
	{ 0x05, 0x1c, 0, "Boot Guard profile not supported" },
	{ 0x05, 0x1d, 0, "GFXVTBAR" },
	{ 0x05, 0x1e, 0, "DLOCK bit" },
	{ 0x05, 0x1f, 0, "P2SB" },

	{ 0x06, 0x01, 0, "DMI" },
	{ 0x06, 0x02, 0, "IMR3 base" },
	{ 0x06, 0x03, 0, "IMR3 size" },
	{ 0x06, 0x04, 0, "REGBAR" },
	{ 0x06, 0x05, 0, "TPR" },

	{ 0x07, 0x01, 0, "other processors do not wake up in time" },
	{ 0x07, 0x02, 0, "another processor has no microcode update" },
	{ 0x07, 0x03, 0, "another processor has another SMRR" },
	{ 0x07, 0x04, 0, "another processor has another SMRR2" },

	{ 0x08, 0x01, 0, "exception inside of the module" },
	{ 0x08, 0x02, 0, "time is up" },
	{ 0x08, 0x03, 0, "a thread is missing or late" },
	{ 0x08, 0x04, 0, "internal" },
	{ 0x08, 0x05, 0, "error of an earlier launch is still recorded" },
	{ 0x08, 0x06, 0, "no random number" },
	{ 0x08, 0x07, 0, "copy out of bounds" },
	{ 0x08, 0x08, 0, "algorithm not supported" },
	{ 0x08, 0x09, 0, "error that cannot be corrected" },
	{ 0x08, 0x0a, 0, "other module" },
	{ 0x08, 0x0b, 0, "stack frame" },
	{ 0x08, 0x0c, 0, "fill out of bounds" },
	{ 0x08, 0x10, 0, "revocation forbidden by the owner (revocation module)" },
	{ 0x08, 0x13, 0, "revoked already (revocation module)" },

	{ 0x13, 0x01, 0, "PCR 17 has not the value it must have" },
	{ 0x13, 0x02, 0, "PCR 18 has not the value it must have" },
	{ 0x13, 0x03, 0, "PCR mapping not supported" },
	{ 0x13, 0x04, 0, "PCR not supported" },
	{ 0x13, 0x05, 0, "digest of the BIOS" },

	{ 0x14, 0x01, 0, "GUID of the log is wrong" },
	{ 0x14, 0x02, 0, "log version not supported" },
	{ 0x14, 0x03, 0, "offsets in the log's header" },
	{ 0x14, 0x04, 0, "log is too small" },
	{ 0x14, 0x05, 0, "version of a record not supported" },

	{ 0x19, 0x01, 0, "a TPR is configured wrongly" },
	{ 0x19, 0x02, 0, "requested TPRs are wrong" },
	{ 0x19, 0x04, 0, "number of TPRs" },
	{ 0x19, 0x09, 0, "MLE is not protected from DMA" },

	{ 0x22, 0x01, 0, "RSDP checksum" },
	{ 0x22, 0x02, 0, "no RSDT" },
	{ 0x22, 0x03, 0, "RSDT is wrong" },
	{ 0x22, 0x04, 0, "no DMAR table" },
	{ 0x22, 0x05, 0, "DMAR table is wrong" },
	{ 0x22, 0x06, 0, "no MADT" },
	{ 0x22, 0x07, 0, "MADT is wrong" },
	{ 0x22, 0x08, 0, "RSDP is wrong" },
	{ 0x22, 0x09, 0, "XSDT is wrong" },
	{ 0x22, 0x0a, 0, "no MCFG" },
	{ 0x22, 0x0d, 0, "no DTPR" },
	{ 0x22, 0x0f, 0, "MCFG is wrong" },
	{ 0x22, 0x10, 0, "DTPR is wrong" },

	{ 0x24, 0x01, 0, "unknown structure" },
	{ 0x24, 0x02, 0, "structure is wrong" },
	{ 0x24, 0x03, 0, "length" },
	{ 0x24, 0x04, 0, "interrupt remapping is required but not there" },
	{ 0x24, 0x05, 0, "address width" },
	{ 0x24, 0x06, 0, "device scope" },
	{ 0x24, 0x07, 0, "device configuration" },
	{ 0x24, 0x08, 0, "DRHD" },
	{ 0x24, 0x09, 0, "RMRR" },
	{ 0x24, 0x0a, 0, "ATSR" },
	{ 0x24, 0x0b, 0, "RHSA" },

	{ 0x26, 0x01, 0, "DMA remapping is on" },
	{ 0x26, 0x02, 0, "low PMR is not as requested" },
	{ 0x26, 0x03, 0, "high PMR is not as requested" },

	{ 0x28, 0x01, 0, "linear address of the header" },
	{ 0x28, 0x02, 0, "UUID of the header" },
	{ 0x28, 0x03, 0, "version" },
	{ 0x28, 0x04, 0, "first valid page" },
	{ 0x28, 0x05, 0, "size" },
	{ 0x28, 0x06, 0, "entry point" },
	{ 0x28, 0x07, 0, "capabilities" },

	{ 0x2a, 0x01, 0, "a page lies where none may lie" },
	{ 0x2a, 0x02, 0, "order of the pages" },
	{ 0x2a, 0x03, 0, "large page" },
	{ 0x2a, 0x04, 0, "order of directories and tables" },
	{ 0x2a, 0x05, 0, "hashed size" },
	{ 0x2a, 0x06, 0, "entry point of the other processors" },

	{ 0x2b, 0x01, 0, "place or alignment" },
	{ 0x2b, 0x02, 0, "MSEG base" },
	{ 0x2b, 0x03, 0, "SMRAM base not found" },
	{ 0x2b, 0x04, 0, "IED range" },
	{ 0x2b, 0x05, 0, "cannot be switched on as requested" },
	{ 0x2b, 0x06, 0, "is required, but no policy element names one" },
	{ 0x2b, 0x07, 0, "MSEG size" },

	{ 0x2e, 0x02, 0, "SINIT's version is below what a policy or the AUX index demands" },
	{ 0x2e, 0x03, 0, "BIOS module's version is below what is demanded" },
	{ 0x2e, 0x04, 0, "no policy element fits" },
	{ 0x2e, 0x05, 0, "BIOS hash differs from the one in the AUX index" },
	{ 0x2e, 0x06, 0, "fail-safe mode failed" },
	{ 0x2e, 0x07, 0, "owner's policy or its data are wrong" },
	{ 0x2e, 0x08, 0, "supplier's policy or its data are wrong" },
	{ 0x2e, 0x09, 0, "module is not for production, and no policy allows that" },
	{ 0x2e, 0x0a, 0, "TPM lacks an NV index that TXT needs" },
	{ 0x2e, 0x10, 0, "there is policy data, but no owner's index" },

	{ 0x30, 0x01, 0, "size of a table" },
	{ 0x30, 0x02, 0, "version of a table" },
	{ 0x30, 0x03, 0, "alignment of the low PMR" },
	{ 0x30, 0x04, 0, "alignment of the high PMR" },
	{ 0x30, 0x05, 0, "MLE or its page table lies above 4 GiB" },
	{ 0x30, 0x06, 0, "MLE requests capabilities that SINIT does not have" },
	{ 0x30, 0x07, 0, "heap is too small" },
	{ 0x30, 0x08, 0, "type of an extended element" },
	{ 0x30, 0x09, 0, "size of an extended element" },
	{ 0x30, 0x0a, 0, "extended elements have no end" },
	{ 0x30, 0x0b, 0, "pointer to the event log" },
	{ 0x30, 0x0c, 0, "pointer to RSDP or RSDT is above 4 GiB" },
};

static const struct row minors[] = {
	{ 0x04, 0x07, 0x01, "AUX index" },
	{ 0x04, 0x07, 0x02, "AUX index: attributes" },
	{ 0x04, 0x07, 0x03, "AUX index: name algorithm" },
	{ 0x04, 0x07, 0x04, "AUX index: size of the policy digest" },
	{ 0x04, 0x07, 0x05, "AUX index: policy digest" },
	{ 0x04, 0x07, 0x06, "AUX index: size" },
	{ 0x04, 0x07, 0x07, "owner's index (PO)" },
	{ 0x04, 0x07, 0x08, "owner's index (PO): attributes" },
	{ 0x04, 0x07, 0x09, "owner's index (PO): name algorithm" },
	{ 0x04, 0x07, 0x0a, "owner's index (PO): size of the policy digest" },
	{ 0x04, 0x07, 0x0b, "owner's index (PO): policy digest" },
	{ 0x04, 0x07, 0x0c, "owner's index (PO): size" },
	{ 0x04, 0x07, 0x0d, "supplier's index (PS)" },
	{ 0x04, 0x07, 0x0e, "supplier's index (PS): attributes" },
	{ 0x04, 0x07, 0x0f, "supplier's index (PS): name algorithm" },
	{ 0x04, 0x07, 0x10, "supplier's index (PS): size of the policy digest" },
	{ 0x04, 0x07, 0x11, "supplier's index (PS): policy digest" },
	{ 0x04, 0x07, 0x12, "supplier's index (PS): size" },
	{ 0x28, 0x07, 0x01, "no common way to wake the other processors" },
	{ 0x2e, 0x02, TXT_LCP_REVOKED_COUNTER, "revocation counter" },
	{ 0x2e, 0x02, TXT_LCP_REVOKED_PS, "the supplier's policy demands a newer SINIT" },
	{ 0x2e, 0x02, TXT_LCP_REVOKED_PO, "the owner's policy demands a newer SINIT" },
	{ 0x30, 0x02, 0x01, "BiosData" },
	{ 0x30, 0x02, 0x02, "OsSinitData" },
	{ 0x30, 0x06, 0x01, "waking of the other processors" },
	{ 0x30, 0x06, 0x02, "PCR mapping" },
	{ 0x30, 0x0b, 0x01, "logs do not go with the TPM's banks" },
};

/* Minors of 0x2e, majors 7 and 8. */
static const char *const integrity_texts[] = {
	[TXT_LCP_DATA_SIGNATURE] = "data file does not begin with its signature",
	[TXT_LCP_DATA_LISTS] = "data file has no lists, more than eight, or a reserved field that is not 0",
	[TXT_LCP_DATA_ADDRESS] = "data file lies above 4 GiB",
	[TXT_LCP_DATA_DIGEST] = "data file has another digest than the policy in the TPM names",
	[TXT_LCP_DATA_SIZE] = "data file's size is not that of its lists",
	[TXT_LCP_POLICY_VERSION] = "version of the policy in the TPM not supported",
	[TXT_LCP_POLICY_HASH_ALG] = "hash algorithm of the policy in the TPM not supported",
	[TXT_LCP_POLICY_TYPE] = "type of the policy in the TPM is unknown",
	[TXT_LCP_POLICY_NPW] = "the policy forbids a module that is not for production",
	[TXT_LCP_POLICY_AUX_DELETE] = "the policy has the bit that deletes the AUX index",
	[TXT_LCP_LIST_RSA_KEY_SIZE] = "RSA key size of a list not supported",
	[TXT_LCP_LIST_VERSION] = "version of a list not supported",
	[TXT_LCP_LIST_SIZE] = "size of a list is wrong",
	[TXT_LCP_LIST_SIGNATURE_ALG] = "signature algorithm of a list not supported",
	[TXT_LCP_LIST_SIGNATURE] = "signature of a list is wrong",
	[TXT_LCP_LIST_REVOKED] = "a list is revoked",
	[TXT_LCP_ELEMENT_HASH_ALG] = "hash algorithm of an element not supported",
	[TXT_LCP_ELEMENT_SIZE] = "size of an element is wrong",
	[TXT_LCP_PCR_INFO] = "PCR info of a PCONF element is wrong",
	[TXT_LCP_NOT_ALLOWED] =
		"no policy data for a policy of type list, or an element fits, but its algorithm is not approved or its list is revoked",
	[TXT_LCP_LIST_ECDSA_KEY_SIZE] = "ECDSA key size of a list not supported",
	[TXT_LCP_LIST_SM2_KEY_SIZE] = "SM2 key size of a list not supported",
	[TXT_LCP_LIST_KEY_SIZE] = "key size of a list not supported",
	[TXT_LCP_LIST_SIGN_MASK] = "hash algorithm is not in LcpSignAlgMask",
	[TXT_LCP_POLICY_NO_HASH_ALG] = "LcpHashAlgMask is 0",
	[TXT_LCP_POLICY_HASH_MASK] = "hash algorithm is not in LcpHashAlgMask",
	[TXT_LCP_POLICY_NO_SIGN_ALG] = "LcpSignAlgMask is 0",
	[TXT_LCP_POLICY_AUX_MASK] = "AuxHashAlgMask does not select exactly one algorithm",
	[TXT_LCP_POLICY_AUX_ALG] = "algorithm of AuxHashAlgMask not supported",
	[TXT_LCP_POLICY_AUX_BANK] = "TPM has no bank for the algorithm of AuxHashAlgMask",
	[TXT_LCP_PCONF_ENFORCED] = "owner's PCONF element overrides one that the policy enforces",
};

const char *txt_error_acm_type_name(unsigned type)
{
	switch (type) {
	case TXT_ACM_BIOS:
		return "BIOS";
	case TXT_ACM_SINIT:
		return "SINIT";
	case TXT_ACM_RACM:
		return "revocation";
	default:
		return NULL;
	}
}

const char *txt_error_major_text(unsigned class, unsigned major)
{
	for (size_t i = 0; i < GL_COUNT(majors); i++)
		if (majors[i].class == class && majors[i].major == major)
			return majors[i].text;
	return NULL;
}

const char *txt_error_minor_text(unsigned class, unsigned major, unsigned minor)
{
	if (class == TXT_CLASS_LCP && (major == TXT_LCP_PO_INTEGRITY || major == TXT_LCP_PS_INTEGRITY))
		return minor < GL_COUNT(integrity_texts) ? integrity_texts[minor] : NULL;
	for (size_t i = 0; i < GL_COUNT(minors); i++)
		if (minors[i].class == class && minors[i].major == major && minors[i].minor == minor)
			return minors[i].text;
	return NULL;
}
