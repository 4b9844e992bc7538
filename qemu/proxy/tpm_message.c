/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/proxy/tpm_message.h"

#include <string.h>
#include <strings.h>

#include "common/cursor.h"

struct command_name {
	uint32_t code;
	const char *name;
};

/* TPM 2.0 Library part 2, table 12; below it the TPM 1.2 ordinals that firmware and Linux use (TPM 1.2 Main part 2, 17). */
/* clang-format off */
static const struct command_name command_table[] = {
	{ 0x11F, "NV_UndefineSpaceSpecial" }, { 0x120, "EvictControl" }, { 0x121, "HierarchyControl" },
	{ 0x122, "NV_UndefineSpace" }, { 0x124, "ChangeEPS" }, { 0x125, "ChangePPS" }, { 0x126, "Clear" },
	{ 0x127, "ClearControl" }, { 0x128, "ClockSet" }, { 0x129, "HierarchyChangeAuth" }, { 0x12A, "NV_DefineSpace" },
	{ 0x12B, "PCR_Allocate" }, { 0x12C, "PCR_SetAuthPolicy" }, { 0x12D, "PP_Commands" }, { 0x12E, "SetPrimaryPolicy" },
	{ 0x12F, "FieldUpgradeStart" }, { 0x130, "ClockRateAdjust" }, { 0x131, "CreatePrimary" },
	{ 0x132, "NV_GlobalWriteLock" }, { 0x133, "GetCommandAuditDigest" }, { 0x134, "NV_Increment" },
	{ 0x135, "NV_SetBits" }, { 0x136, "NV_Extend" }, { 0x137, "NV_Write" }, { 0x138, "NV_WriteLock" },
	{ 0x139, "DictionaryAttackLockReset" }, { 0x13A, "DictionaryAttackParameters" }, { 0x13B, "NV_ChangeAuth" },
	{ 0x13C, "PCR_Event" }, { 0x13D, "PCR_Reset" }, { 0x13E, "SequenceComplete" }, { 0x13F, "SetAlgorithmSet" },
	{ 0x140, "SetCommandCodeAuditStatus" }, { 0x141, "FieldUpgradeData" }, { 0x142, "IncrementalSelfTest" },
	{ 0x143, "SelfTest" }, { 0x144, "Startup" }, { 0x145, "Shutdown" }, { 0x146, "StirRandom" },
	{ 0x147, "ActivateCredential" }, { 0x148, "Certify" }, { 0x149, "PolicyNV" }, { 0x14A, "CertifyCreation" },
	{ 0x14B, "Duplicate" }, { 0x14C, "GetTime" }, { 0x14D, "GetSessionAuditDigest" }, { 0x14E, "NV_Read" },
	{ 0x14F, "NV_ReadLock" }, { 0x150, "ObjectChangeAuth" }, { 0x151, "PolicySecret" }, { 0x152, "Rewrap" },
	{ 0x153, "Create" }, { 0x154, "ECDH_ZGen" }, { 0x155, "HMAC" }, { 0x156, "Import" }, { 0x157, "Load" },
	{ 0x158, "Quote" }, { 0x159, "RSA_Decrypt" }, { 0x15B, "HMAC_Start" }, { 0x15C, "SequenceUpdate" },
	{ 0x15D, "Sign" }, { 0x15E, "Unseal" }, { 0x160, "PolicySigned" }, { 0x161, "ContextLoad" },
	{ 0x162, "ContextSave" }, { 0x163, "ECDH_KeyGen" }, { 0x164, "EncryptDecrypt" }, { 0x165, "FlushContext" },
	{ 0x167, "LoadExternal" }, { 0x168, "MakeCredential" }, { 0x169, "NV_ReadPublic" }, { 0x16A, "PolicyAuthorize" },
	{ 0x16B, "PolicyAuthValue" }, { 0x16C, "PolicyCommandCode" }, { 0x16D, "PolicyCounterTimer" },
	{ 0x16E, "PolicyCpHash" }, { 0x16F, "PolicyLocality" }, { 0x170, "PolicyNameHash" }, { 0x171, "PolicyOR" },
	{ 0x172, "PolicyTicket" }, { 0x173, "ReadPublic" }, { 0x174, "RSA_Encrypt" }, { 0x176, "StartAuthSession" },
	{ 0x177, "VerifySignature" }, { 0x178, "ECC_Parameters" }, { 0x179, "FirmwareRead" }, { 0x17A, "GetCapability" },
	{ 0x17B, "GetRandom" }, { 0x17C, "GetTestResult" }, { 0x17D, "Hash" }, { 0x17E, "PCR_Read" },
	{ 0x17F, "PolicyPCR" }, { 0x180, "PolicyRestart" }, { 0x181, "ReadClock" }, { 0x182, "PCR_Extend" },
	{ 0x183, "PCR_SetAuthValue" }, { 0x184, "NV_Certify" }, { 0x185, "EventSequenceComplete" },
	{ 0x186, "HashSequenceStart" }, { 0x187, "PolicyPhysicalPresence" }, { 0x188, "PolicyDuplicationSelect" },
	{ 0x189, "PolicyGetDigest" }, { 0x18A, "TestParms" }, { 0x18B, "Commit" }, { 0x18C, "PolicyPassword" },
	{ 0x18D, "ZGen_2Phase" }, { 0x18E, "EC_Ephemeral" }, { 0x18F, "PolicyNvWritten" }, { 0x190, "PolicyTemplate" },
	{ 0x191, "CreateLoaded" }, { 0x192, "PolicyAuthorizeNV" }, { 0x193, "EncryptDecrypt2" },

	{ 0x0A, "TPM_OIAP" }, { 0x0B, "TPM_OSAP" }, { 0x14, "TPM_Extend" }, { 0x15, "TPM_PCRRead" }, { 0x16, "TPM_Quote" },
	{ 0x46, "TPM_GetRandom" }, { 0x50, "TPM_SelfTestFull" }, { 0x53, "TPM_ContinueSelfTest" }, { 0x54, "TPM_GetTestResult" },
	{ 0x5D, "TPM_ForceClear" }, { 0x65, "TPM_GetCapability" }, { 0x6F, "TPM_PhysicalEnable" },
	{ 0x70, "TPM_PhysicalDisable" }, { 0x72, "TPM_PhysicalSetDeactivated" }, { 0x7C, "TPM_ReadPubek" },
	{ 0x98, "TPM_SaveState" }, { 0x99, "TPM_Startup" }, { 0xC8, "TPM_PCR_Reset" }, { 0xCC, "TPM_NV_DefineSpace" },
	{ 0xCD, "TPM_NV_WriteValue" }, { 0xCF, "TPM_NV_ReadValue" }, { 0x4000000A, "TSC_PhysicalPresence" },
};
/* clang-format on */

bool tpm_header(struct span in, struct tpm_header *out)
{
	struct rd r = rd_init(in);
	struct tpm_header h;

	h.tag = rd_be16(&r);
	h.size = rd_be32(&r);
	h.code = rd_be32(&r);
	if (r.bad)
		return false;
	*out = h;
	return true;
}

enum frame tpm_frame(struct span in, size_t *size)
{
	struct tpm_header h;

	if (!tpm_header(in, &h))
		return FRAME_MORE;
	if (h.size < TPM_HEADER_SIZE || h.size > TPM_MESSAGE_MAX)
		return FRAME_BAD;
	if (in.n < h.size)
		return FRAME_MORE;
	*size = h.size;
	return FRAME_WHOLE;
}

const char *tpm_command_name(uint32_t code)
{
	for (size_t i = 0; i < GL_COUNT(command_table); i++)
		if (command_table[i].code == code)
			return command_table[i].name;
	return "unknown";
}

bool tpm_command_by_name(struct span name, uint32_t *code)
{
	for (size_t i = 0; i < GL_COUNT(command_table); i++) {
		const char *own = command_table[i].name;

		if (strlen(own) == name.n && strncasecmp(own, (const char *)name.p, name.n) == 0) {
			*code = command_table[i].code;
			return true;
		}
	}
	return false;
}
