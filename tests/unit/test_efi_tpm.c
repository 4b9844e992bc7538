/* SPDX-License-Identifier: BSD-3-Clause */
/* app_run() with a TPM, a locality or a geo NV index that is not as it should be. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "tboot-policy/apply.h"
#include "tpm/mmio_regs.h"

#define BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256))

static void set_up(uint8_t type)
{
	scene_init(&(struct scene_options){ .type = type, .banks = BANKS, .hash = ALG_SHA256 });
}

/* ---------------------------------------------------------------- geo */

static uint8_t elsewhere[APPLY_NV_MAX + 1] = { 1, 2, 3 };

static void nv_content(size_t n)
{
	scene.geo = (struct span){ elsewhere, n };
	scene.tpm.nv[0].content = scene.geo;
}

/* clang-format off */
static void nv_undefined(void) { scene.tpm.nv_count = 0; }
static void nv_with_password(void) { scene.tpm.nv[0].password = true; }
static void nv_unwritten(void) { scene.tpm.nv[0].attributes &= ~SOFT_NV_WRITTEN; }
static void nv_locked(void) { scene.tpm.nv[0].attributes |= SOFT_NV_READLOCKED; }
static void nv_owner_only(void) { scene.tpm.nv[0].attributes &= ~SOFT_NV_AUTHREAD; }
static void nv_too_large(void) { nv_content(APPLY_NV_MAX + 1); }
static void nv_empty(void) { nv_content(0); }
static void nv_other(void) { nv_content(64); }
static void nv_longer(void) { nv_content(65); }
/* clang-format on */

static const struct {
	void (*damage)(void);
	const char *reason;
} geo_damage[] = {
	{ nv_undefined, "nv-missing" },
	{ nv_with_password, "nv-unreadable" },
	{ nv_unwritten, "nv-unreadable" },
	{ nv_locked, "nv-unreadable" },
	{ nv_owner_only, "nv-unreadable" },
	{ nv_too_large, "nv-size" },
	{ nv_empty, "nv-size" },
	{ nv_other, "nv-mismatch" },
	{ nv_longer, "nv-mismatch" },
};

static void test_geo(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(geo_damage); i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			bool mismatch = strcmp(geo_damage[i].reason, "nv-mismatch") == 0;
			char steps[128], cap[32] = "nv";

			set_up(type);
			geo_damage[i].damage();
			(void)scene_run();
			if (!mismatch)
				(void)snprintf(cap, sizeof(cap), "cap22:%s", geo_damage[i].reason);
			if (type == VLP_HALT) {
				(void)snprintf(steps, sizeof(steps), SCENE_MODULES " %s caps:%s", cap, geo_damage[i].reason);
				scene_expect_halted(geo_damage[i].reason);
				assert_int_equal(fw.loads, 0);
			} else {
				(void)snprintf(steps, sizeof(steps), SCENE_MODULES " %s closing", cap);
				scene_expect_started(SCENE_ALL);
				assert_int_equal(fw_console_count("geolaunch: verdict: measured, no D-RTM, with errors: "), 1);
			}
			scene_expect(steps);
			scene_expect_log(scene_count(steps));
		}
}

static void test_geo_raw(void **state)
{
	(void)state;
	/* 64 bytes: the content itself in the bank of SHA-512. */
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA512, .raw = true });
	(void)scene_run();
	scene_expect(SCENE_GOOD);
	scene_expect_started(SCENE_ALL);
	/* Not the size of a digest. */
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256, .raw = true });
	nv_content(63);
	(void)scene_run();
	scene_expect(SCENE_MODULES " cap22:nv-size caps:nv-size");
	scene_expect_halted("nv-size");
}

/* What has no room is not even read. */
static void test_geo_too_large(void **state)
{
	(void)state;
	set_up(VLP_HALT);
	nv_too_large();
	(void)scene_run();
	assert_int_equal(scene_commands(SOFT_NV_READ_PUBLIC), 1);
	assert_int_equal(scene_commands(SOFT_NV_READ), 0);
}

/* An index as large as the TPM has them, read in pieces. */
static void test_geo_large(void **state)
{
	(void)state;
	for (uint16_t piece = 100; piece <= 2048; piece = (uint16_t)(piece * 2)) {
		set_up(VLP_CONTINUE);
		scene.tpm.nv_buffer_max = piece;
		nv_content(APPLY_NV_MAX);
		(void)scene_run();
		scene_expect(SCENE_GOOD);
		scene_expect_started(SCENE_ALL);
	}
}

/* ---------------------------------------------------------------- platforms that cannot be measured on */

static const EFI_GUID tcg2_guid = TCG2_PROTOCOL_GUID, tcg_guid = TCG_PROTOCOL_GUID;

static void without_tcg2(void)
{
	for (size_t i = 0; i < FW_HANDLES; i++)
		if (fw_protocol(&fw.handles[i], &tcg2_guid))
			fw.handles[i] = (struct fw_handle){ .used = false };
	fw.firmware_ready = NULL;
}

static bool drop_request_of_2(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	(void)f;
	return offset == tpm_register(2, TIS_ACCESS) && v == TIS_ACCESS_REQUEST;
}

static void no_tpm(void)
{
	without_tcg2();
	for (size_t i = 0; i < FAKE_LOCALITIES; i++)
		scene.registers.gate[i] = FAKE_ONES;
}

static void tpm12_registers(void)
{
	without_tcg2();
	scene.registers.tpm12 = true;
}

static void tpm12_protocol(void)
{
	static int protocol;
	EFI_HANDLE h = NULL;

	without_tcg2();
	fw_install(&h, &tcg_guid, &protocol);
}

static void no_registers(void)
{
	for (size_t i = 0; i < FAKE_LOCALITIES; i++)
		scene.registers.gate[i] = FAKE_ONES;
}

static EFI_STATUS EFIAPI capability_without_tpm(struct tcg2_protocol *self, struct tcg2_capability *out)
{
	(void)self;
	*out = (struct tcg2_capability){ .size = sizeof(*out), .max_command_size = 4096, .max_response_size = 4096 };
	return EFI_SUCCESS;
}

/* The protocol is there, but says that it has no TPM. */
static void protocol_only(void)
{
	no_registers();
	scene.tcg2.get_capability = capability_without_tpm;
	fw.firmware_ready = NULL;
}

/* clang-format off */
static void closed_ones(void) { scene.registers.gate[2] = FAKE_ONES; }
static void closed_zeros(void) { scene.registers.gate[2] = FAKE_ZEROS; }
static void closed_without_tcg2(void) { without_tcg2(); closed_ones(); }
static void never_granted(void) { scene.registers.swallow = drop_request_of_2; }
static void nothing_granted(void) { without_tcg2(); scene.registers.never_grant = true; }
/* clang-format on */

static void tpm_fails(void)
{
	scene.tpm.fail_at = 1;
	scene.tpm.fail_count = 1000;
	scene.tpm.fail_rc = SOFT_RC_FAILURE;
}

/* At the registers only: the firmware gets answers. */
static void tpm_fails_first(void)
{
	tpm_fails();
	scene.tpm.fail_count = 1;
}

/* The registers let a command through, and the TPM refuses it. */
static void tpm_closes(void)
{
	tpm_fails_first();
	scene.tpm.fail_rc = TPM2_RC_LOCALITY;
}

static size_t no_response(void *ctx, uint8_t locality, struct span command, struct mspan out)
{
	(void)ctx;
	(void)locality;
	(void)command;
	(void)out;
	return FAKE_NO_RESPONSE;
}

/* The firmware must not be asked then: it would wait for ever (fw_stall()). */
static void tpm_silent(void)
{
	scene.registers.execute = no_response;
	scene.registers.stuck = true;
}

static void no_bank(void)
{
	scene.options.banks = 0;
	scene.tpm.banks = 0;
	scene.tpm.pcrs.banks = 0;
	scene.tpm.other_bank = 0x0012;
}

static const struct {
	void (*damage)(void);
	const char *line;
	bool geo; /* the NV index can be read through the firmware */
} platforms[] = {
	{ no_tpm, "no TPM found", false },
	{ tpm12_registers, "the TPM is a TPM 1.2", false },
	{ tpm12_protocol, "the TPM is a TPM 1.2", false },
	{ no_registers, "the TPM has no registers at 0xfed40000", true },
	{ protocol_only, "no TPM found", false },
	{ closed_ones, "TPM locality 2 is closed", true },
	{ closed_zeros, "TPM locality 2 is closed", true },
	{ closed_without_tcg2, "TPM locality 2 is closed", false },
	{ never_granted, "TPM locality 2 was requested but never granted", true },
	{ nothing_granted, "TPM locality 2 was requested but never granted", false },
	{ tpm_closes, "TPM locality 2 is closed, so PCR 17-22 cannot be extended: this host needs txt mode", true },
	{ tpm_fails, "the TPM does not answer as a TPM 2.0 should: TPM_RC_FAILURE (0x101)", false },
	{ tpm_fails_first, "the TPM does not answer as a TPM 2.0 should: TPM_RC_FAILURE (0x101)", true },
	{ tpm_silent, "the TPM took a command and does not answer: power the host off and on", false },
	{ no_bank, "no PCR bank with SHA-1, SHA-256, SHA-384 or SHA-512 is active", true },
};

static void test_platform(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(platforms); i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			set_up(type);
			platforms[i].damage();
			(void)scene_run();
			scene_expect("");
			scene_expect_no_log();
			assert_int_equal(scene_commands(SOFT_PCR_EXTEND), 0);
			assert_true(fw_console_count(platforms[i].line) > 0);
			if (type != VLP_NONFATAL) {
				scene_expect_halted("tpm-error");
				assert_int_equal(fw_console_count("geolaunch: the policy does not allow an unmeasured launch: "), 1);
				assert_int_equal(fw.loads, 0);
				continue;
			}
			scene_expect_started(SCENE_ALL);
			assert_int_equal(fw_console_count("geolaunch: verdict: NOT MEASURED"), 1);
			assert_int_equal(fw_console_count("may wait for this TPM for some minutes"), scene.registers.stuck);
			/* Compared with the policy as far as can be. */
			assert_int_equal(fw_console_count("FAILED"), platforms[i].geo ? 0 : 1);
			assert_int_equal(scene_commands(SOFT_NV_READ) > 0, platforms[i].geo);
		}
}

/* Unmeasured or not: what cannot be started is not. */
static void test_unmeasured_without_kernel(void **state)
{
	(void)state;
	set_up(VLP_NONFATAL);
	closed_ones();
	scene_file(SCENE_LINUX)->error_at = 5;
	(void)scene_run();
	scene_expect("");
	scene_expect_halted("start-failed");
}

static void test_unmeasured_kernel_returns(void **state)
{
	(void)state;
	set_up(VLP_NONFATAL);
	closed_ones();
	fw.kernel_returns = true;
	(void)scene_run();
	scene_expect("");
	scene_expect_no_log();
	scene_expect_halted("start-failed");
}

static void test_unknown_bank_beside(void **state)
{
	(void)state;
	set_up(VLP_HALT);
	scene.tpm.other_bank = 0x0012;
	(void)scene_run();
	scene_expect(SCENE_GOOD);
	assert_int_equal(fw_console_count("; another bank is active that cannot be extended"), 1);
}

/* A policy algorithm whose bank is not active. */
static void test_policy_of_another_bank(void **state)
{
	(void)state;
	for (int damaged = 0; damaged <= 1; damaged++) {
		scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_BIT(ALG_SHA256), .hash = ALG_SHA384 });
		if (damaged)
			nv_content(64);
		(void)scene_run();
		scene_expect(damaged ? SCENE_MODULES " nv caps:nv-mismatch" : SCENE_GOOD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_geo),
		cmocka_unit_test(test_geo_raw),
		cmocka_unit_test(test_geo_too_large),
		cmocka_unit_test(test_geo_large),
		cmocka_unit_test(test_platform),
		cmocka_unit_test(test_unmeasured_without_kernel),
		cmocka_unit_test(test_unmeasured_kernel_returns),
		cmocka_unit_test(test_unknown_bank_beside),
		cmocka_unit_test(test_policy_of_another_bank),
	};

	return cmocka_run_group_tests_name("efi_tpm", tests, NULL, NULL);
}
