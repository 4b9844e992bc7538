/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "tpm/tpm.h"

static void texts(void **state)
{
	static const struct {
		TSS2_RC rc;
		const char *text;
	} table[] = {
		{ 0, "success" },
		{ 0x907, "TPM_RC_LOCALITY (0x907)" },
		{ 0x18b, "TPM_RC_HANDLE, handle 1 (0x18b)" },
		{ 0x08b, "TPM_RC_HANDLE (0x8b)" },
		{ 0x98e, "TPM_RC_AUTH_FAIL, session 1 (0x98e)" },
		{ 0x9a2, "TPM_RC_BAD_AUTH, session 1 (0x9a2)" },
		{ 0x2d5, "TPM_RC_SIZE, parameter 2 (0x2d5)" },
		{ 0xfc4, "TPM_RC_VALUE, parameter 15 (0xfc4)" },
		{ 0x14a, "TPM_RC_NV_UNINITIALIZED (0x14a)" },
		{ 0x12e, "TPM_RC_TOO_MANY_CONTEXTS (0x12e)" },
		{ 0x922, "TPM_RC_RETRY (0x922)" },
		{ 0x01e, "TPM_RC_BAD_TAG: this is a TPM 1.2 (0x1e)" },
		{ 0x026, "error of a TPM 1.2 (0x26)" },
		{ 0x530, "vendor's TPM error (0x530)" },
		{ 0x17e, "unknown TPM error (0x17e)" },
		{ 0x1bf, "unknown TPM error (0x1bf)" },
		{ 0xf907, "unknown TPM error (0xf907)" },
		{ 0xf18b, "unknown TPM error (0xf18b)" },
		{ 0xb0143, "TPM_RC_COMMAND_CODE (0xb0143)" },
		{ 0xc018b, "TPM_RC_HANDLE, handle 1 (0xc018b)" },
		{ 0xb000b, "resource manager: bad value (0xb000b)" },
		{ 0xa000a, "TCTI: I/O error (0xa000a)" },
		{ 0xa0008, "TCTI: no connection (0xa0008)" },
		{ 0x80011, "SYS: malformed response (0x80011)" },
		{ 0x90006, "MU: buffer too small (0x90006)" },
		{ 0x70001, "ESYS: general failure (0x70001)" },
		{ 0x8ffff, "SYS: error (0x8ffff)" },
		{ 0xff000a, "TSS: I/O error (0xff000a)" },
		{ 0xffffffff, "TSS: error (0xffffffff)" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		char b[80];
		struct text t = TEXT_OF(b);

		tpm_rc_text(table[i].rc, &t);
		assert_string_equal(b, table[i].text);
	}
}

/* Every code that tpm2-tss knows for a TPM has its name here: checked for those the launch can meet. */
static void names_are_those_of_the_headers(void **state)
{
#define NAMED(n) \
	{ \
		TPM2_RC_##n, "TPM_RC_" #n \
	}
	/* clang-format off */
	static const struct {
		TSS2_RC rc;
		const char *name;
	} table[] = {
		NAMED(INITIALIZE), NAMED(FAILURE), NAMED(DISABLED), NAMED(PCR), NAMED(PCR_CHANGED), NAMED(UPGRADE),
		NAMED(AUTH_TYPE), NAMED(AUTH_MISSING), NAMED(AUTH_UNAVAILABLE), NAMED(REBOOT), NAMED(COMMAND_SIZE),
		NAMED(COMMAND_CODE), NAMED(AUTHSIZE), NAMED(NV_RANGE), NAMED(NV_SIZE), NAMED(NV_LOCKED), NAMED(NV_AUTHORIZATION),
		NAMED(NV_UNINITIALIZED), NAMED(NV_SPACE), NAMED(NV_DEFINED), NAMED(ATTRIBUTES), NAMED(HASH), NAMED(VALUE),
		NAMED(HIERARCHY), NAMED(HANDLE), NAMED(RANGE), NAMED(AUTH_FAIL), NAMED(SIZE), NAMED(INSUFFICIENT), NAMED(POLICY_FAIL),
		NAMED(BAD_AUTH), NAMED(RESERVED_BITS), NAMED(MEMORY), NAMED(LOCALITY), NAMED(YIELDED), NAMED(CANCELED), NAMED(TESTING),
		NAMED(NV_RATE), NAMED(LOCKOUT), NAMED(RETRY), NAMED(NV_UNAVAILABLE), NAMED(SESSION_MEMORY), NAMED(POLICY_CC),
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		char b[80];
		struct text t = TEXT_OF(b);
		size_t n = strlen(table[i].name);

		tpm_rc_text(table[i].rc, &t);
		assert_true(strncmp(b, table[i].name, n) == 0 && b[n] == ' ');
	}
}

/* No code reads past a table, and every one gives some text. */
static void all_codes_have_a_text(void **state)
{
	(void)state;
	for (uint32_t layer = 0; layer < 0x100; layer++) {
		for (uint32_t code = 0; code < 0x1100; code += layer == 0 ? 1 : 7) {
			char b[80];
			struct text t = TEXT_OF(b);

			tpm_rc_text(layer << 16 | code, &t);
			assert_true(t.n > 0 && !t.cut);
		}
	}
}

static void bases(void **state)
{
	/* clang-format off */
	static const TSS2_RC table[][2] = {
		{ 0, 0 }, { 0x18b, TPM2_RC_HANDLE }, { 0x9a2, TPM2_RC_BAD_AUTH }, { 0x2d5, TPM2_RC_SIZE }, { 0x907, TPM2_RC_LOCALITY },
		{ 0x14a, TPM2_RC_NV_UNINITIALIZED }, { 0xb0922, TPM2_RC_RETRY }, { 0xc018b, TPM2_RC_HANDLE }, { 0xa000a, 0xa000a },
		{ 0x80011, 0x80011 }, { 0xb000b, 0xb000b }, { 0x1e, TPM2_RC_BAD_TAG },
		{ 0xf18b, 0xf18b },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++)
		assert_int_equal(tpm_rc_base(table[i][0]), table[i][1]);
}

static void line_of_a_program(void **state)
{
	char b[80];
	struct text t = TEXT_OF(b);

	(void)state;
	tpm_rc_line("geolaunch", "the TPM refused to extend a PCR", TPM2_RC_LOCALITY, &t);
	assert_string_equal(b, "geolaunch: the TPM refused to extend a PCR: TPM_RC_LOCALITY (0x907)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(names_are_those_of_the_headers),
		cmocka_unit_test(all_codes_have_a_text),
		cmocka_unit_test(bases),
		cmocka_unit_test(line_of_a_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
