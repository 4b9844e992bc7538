/* SPDX-License-Identifier: BSD-3-Clause */
/* Response codes: TPM 2.0 Library part 2, 6.6; layers: TCG TSS 2.0 Overview and Common Structures, table of response code layers. */
#include "tpm/tpm.h"

#define FORMAT_1 0x080u
#define FORMAT_1_CODE 0x0bfu /* without P (bit 6) and N (bits 8-11) */
#define FORMAT_1_PARAMETER 0x040u
#define FORMAT_0_TPM20 0x100u /* clear: a TPM 1.2 */
#define FORMAT_0_VENDOR 0x400u
#define TPM_CODE_MAX 0xfffu

/* The name without "TPM_RC_". An array, not a pointer: no relocation in the EFI image. */
struct code {
	uint16_t code;
	char name[18];
};

static const struct code codes[] = {
	/* format 0, errors */
	{ 0x100, "INITIALIZE" },
	{ 0x101, "FAILURE" },
	{ 0x103, "SEQUENCE" },
	{ 0x10b, "PRIVATE" },
	{ 0x119, "HMAC" },
	{ 0x120, "DISABLED" },
	{ 0x121, "EXCLUSIVE" },
	{ 0x124, "AUTH_TYPE" },
	{ 0x125, "AUTH_MISSING" },
	{ 0x126, "POLICY" },
	{ 0x127, "PCR" },
	{ 0x128, "PCR_CHANGED" },
	{ 0x12d, "UPGRADE" },
	{ 0x12e, "TOO_MANY_CONTEXTS" },
	{ 0x12f, "AUTH_UNAVAILABLE" },
	{ 0x130, "REBOOT" },
	{ 0x131, "UNBALANCED" },
	{ 0x142, "COMMAND_SIZE" },
	{ 0x143, "COMMAND_CODE" },
	{ 0x144, "AUTHSIZE" },
	{ 0x145, "AUTH_CONTEXT" },
	{ 0x146, "NV_RANGE" },
	{ 0x147, "NV_SIZE" },
	{ 0x148, "NV_LOCKED" },
	{ 0x149, "NV_AUTHORIZATION" },
	{ 0x14a, "NV_UNINITIALIZED" },
	{ 0x14b, "NV_SPACE" },
	{ 0x14c, "NV_DEFINED" },
	{ 0x150, "BAD_CONTEXT" },
	{ 0x151, "CPHASH" },
	{ 0x152, "PARENT" },
	{ 0x153, "NEEDS_TEST" },
	{ 0x154, "NO_RESULT" },
	{ 0x155, "SENSITIVE" },
	/* format 1 */
	{ 0x081, "ASYMMETRIC" },
	{ 0x082, "ATTRIBUTES" },
	{ 0x083, "HASH" },
	{ 0x084, "VALUE" },
	{ 0x085, "HIERARCHY" },
	{ 0x087, "KEY_SIZE" },
	{ 0x088, "MGF" },
	{ 0x089, "MODE" },
	{ 0x08a, "TYPE" },
	{ 0x08b, "HANDLE" },
	{ 0x08c, "KDF" },
	{ 0x08d, "RANGE" },
	{ 0x08e, "AUTH_FAIL" },
	{ 0x08f, "NONCE" },
	{ 0x090, "PP" },
	{ 0x092, "SCHEME" },
	{ 0x095, "SIZE" },
	{ 0x096, "SYMMETRIC" },
	{ 0x097, "TAG" },
	{ 0x098, "SELECTOR" },
	{ 0x09a, "INSUFFICIENT" },
	{ 0x09b, "SIGNATURE" },
	{ 0x09c, "KEY" },
	{ 0x09d, "POLICY_FAIL" },
	{ 0x09f, "INTEGRITY" },
	{ 0x0a0, "TICKET" },
	{ 0x0a1, "RESERVED_BITS" },
	{ 0x0a2, "BAD_AUTH" },
	{ 0x0a3, "EXPIRED" },
	{ 0x0a4, "POLICY_CC" },
	{ 0x0a5, "BINDING" },
	{ 0x0a6, "CURVE" },
	{ 0x0a7, "ECC_POINT" },
	/* format 0, warnings */
	{ 0x901, "CONTEXT_GAP" },
	{ 0x902, "OBJECT_MEMORY" },
	{ 0x903, "SESSION_MEMORY" },
	{ 0x904, "MEMORY" },
	{ 0x905, "SESSION_HANDLES" },
	{ 0x906, "OBJECT_HANDLES" },
	{ 0x907, "LOCALITY" },
	{ 0x908, "YIELDED" },
	{ 0x909, "CANCELED" },
	{ 0x90a, "TESTING" },
	{ 0x910, "REFERENCE_H0" },
	{ 0x911, "REFERENCE_H1" },
	{ 0x912, "REFERENCE_H2" },
	{ 0x918, "REFERENCE_S0" },
	{ 0x920, "NV_RATE" },
	{ 0x921, "LOCKOUT" },
	{ 0x922, "RETRY" },
	{ 0x923, "NV_UNAVAILABLE" },
};

static const struct {
	uint8_t layer;
	char name[18];
} layers[] = {
	{ 6, "FAPI" },
	{ 7, "ESYS" },
	{ 8, "SYS" },
	{ 9, "MU" },
	{ 10, "TCTI" },
	{ 11, "resource manager" },
	{ 12, "resource manager" },
};

/* Base codes of the TSS layers, TSS2_BASE_RC_*; index is the code. */
static const char base_codes[][22] = {
	[1] = "general failure",
	[2] = "not implemented",
	[3] = "bad context",
	[4] = "ABI mismatch",
	[5] = "bad reference",
	[6] = "buffer too small",
	[7] = "wrong order of calls",
	[8] = "no connection",
	[9] = "timed out",
	[10] = "I/O error",
	[11] = "bad value",
	[12] = "not permitted",
	[13] = "invalid sessions",
	[16] = "bad size",
	[17] = "malformed response",
	[18] = "context too small",
	[19] = "response too short",
	[20] = "unusable TCTI",
	[21] = "not supported",
	[22] = "bad TCTI structure",
	[23] = "out of memory",
};

/* A code of the TPM itself, without layer. Linux's resource manager answers in the TPM's place in layer 11. */
static bool tpm_code(TSS2_RC rc, TSS2_RC *out)
{
	TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;
	TSS2_RC code = rc & ~TSS2_RC_LAYER_MASK;
	bool manager = layer == TSS2_RESMGR_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER;

	if (layer != TSS2_TPM_RC_LAYER && !(manager && code & (FORMAT_1 | FORMAT_0_TPM20)))
		return false;
	*out = code;
	return true;
}

TSS2_RC tpm_rc_base(TSS2_RC rc)
{
	TSS2_RC code;

	if (!tpm_code(rc, &code))
		return rc;
	return code <= TPM_CODE_MAX && code & FORMAT_1 ? code & FORMAT_1_CODE : code;
}

static void layer_text(TSS2_RC rc, struct text *t)
{
	TSS2_RC code = rc & ~TSS2_RC_LAYER_MASK;
	const char *name = NULL;

	for (size_t i = 0; i < GL_COUNT(layers); i++)
		if (layers[i].layer == (rc & TSS2_RC_LAYER_MASK) >> TSS2_RC_LAYER_SHIFT)
			name = layers[i].name;
	text_str(t, name ? name : "TSS");
	text_str(t, ": ");
	if (code < GL_COUNT(base_codes) && base_codes[code][0])
		text_str(t, base_codes[code]);
	else
		text_str(t, "error");
}

/* Where a format 1 code points to: N has 4 bits for parameters; for handles and sessions bit 11 tells them apart. */
static void subject_text(TSS2_RC code, struct text *t)
{
	unsigned n = code >> 8 & 0xf;
	const char *what = code & FORMAT_1_PARAMETER ? ", parameter " : n & 8 ? ", session " : ", handle ";

	if (!(code & FORMAT_1_PARAMETER))
		n &= 7;
	if (n == 0)
		return;
	text_str(t, what);
	text_u64(t, n);
}

static void code_text(TSS2_RC code, struct text *t)
{
	TSS2_RC base = tpm_rc_base(code);

	for (size_t i = 0; i < GL_COUNT(codes); i++) {
		if (codes[i].code != base)
			continue;
		text_str(t, "TPM_RC_");
		text_str(t, codes[i].name);
		if (code & FORMAT_1)
			subject_text(code, t);
		return;
	}
	if (code == TPM2_RC_BAD_TAG)
		text_str(t, "TPM_RC_BAD_TAG: this is a TPM 1.2");
	else if (code <= TPM_CODE_MAX && !(code & (FORMAT_1 | FORMAT_0_TPM20)))
		text_str(t, "error of a TPM 1.2");
	else if (code <= TPM_CODE_MAX && !(code & FORMAT_1) && code & FORMAT_0_VENDOR)
		text_str(t, "vendor's TPM error");
	else
		text_str(t, "unknown TPM error");
}

void tpm_rc_text(TSS2_RC rc, struct text *t)
{
	TSS2_RC code;

	if (rc == TSS2_RC_SUCCESS) {
		text_str(t, "success");
		return;
	}
	if (tpm_code(rc, &code))
		code_text(code, t);
	else
		layer_text(rc, t);
	text_str(t, " (");
	text_hex(t, rc, 1);
	text_char(t, ')');
}

void tpm_rc_line(const char *program, const char *what, TSS2_RC rc, struct text *t)
{
	text_str(t, program);
	text_str(t, ": ");
	text_str(t, what);
	text_str(t, ": ");
	tpm_rc_text(rc, t);
}
