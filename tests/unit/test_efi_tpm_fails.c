/* SPDX-License-Identifier: BSD-3-Clause */
/* app_run() with a TPM that fails on the way, whose localities do not change hands, or that is asked for more than the log holds. */
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

/* ---------------------------------------------------------------- a TPM that fails at one command */

/* What a good launch sends. */
static struct soft_command good[SOFT_TRACE_MAX];
static unsigned good_count;

static void learn_good(uint8_t type)
{
	set_up(type);
	(void)scene_run();
	scene_expect(SCENE_GOOD);
	memcpy(good, scene.tpm.trace, sizeof(good));
	good_count = scene.tpm.commands;
	for (unsigned i = 0; i < good_count; i++)
		assert_int_equal(good[i].locality, 2);
}

static bool is_before_last_extend(unsigned k)
{
	for (unsigned i = k; i < good_count; i++)
		if (good[i].code == SOFT_PCR_EXTEND)
			return true;
	return false;
}

/* What must come of a failure of command `k` (from 0) alone, or of it and all later ones. */
static void expect_after_failure(unsigned k, uint8_t type, bool for_good)
{
	unsigned extends = 0;

	for (unsigned i = 0; i < k; i++)
		extends += good[i].code == SOFT_PCR_EXTEND;
	if (k < 2) {
		/* It does not even say what it is. */
		assert_int_equal(good[k].code, SOFT_GET_CAPABILITY);
		scene_expect("");
		if (type == VLP_NONFATAL)
			scene_expect_started(SCENE_ALL);
		else
			scene_expect_halted("tpm-error");
		return;
	}
	if (!is_before_last_extend(k)) {
		/* The values could not be shown, but they are in. */
		scene_expect(SCENE_GOOD);
		scene_expect_started(SCENE_ALL);
		return;
	}
	if (for_good) {
		scene_expect_cut(SCENE_GOOD, extends, "");
		assert_int_not_equal(fw.ended, FW_STARTED);
		assert_int_equal(fw_console_count("geolaunch: halted: "), 1);
		assert_int_equal(fw.loads, 0);
		return;
	}
	switch (good[k].code) {
	case SOFT_PCR_EXTEND:
		scene_expect_cut(SCENE_GOOD, extends, "caps:tpm-error");
		scene_expect_halted("tpm-error");
		scene_expect_log(extends + 6);
		break;
	case SOFT_NV_READ_PUBLIC:
	case SOFT_NV_READ:
		if (type == VLP_HALT) {
			scene_expect(SCENE_MODULES " cap22:nv-unreadable caps:nv-unreadable");
			scene_expect_halted("nv-unreadable");
		} else {
			scene_expect(SCENE_MODULES " cap22:nv-unreadable closing");
			scene_expect_started(SCENE_ALL);
		}
		break;
	case SOFT_PCR_READ:
		scene_expect(SCENE_MODULES " nv cap17:tpm-error caps:tpm-error");
		scene_expect_halted("tpm-error");
		break;
	default:
		fail_msg("a command 0x%x in the middle of a launch", good[k].code);
	}
}

static void test_command_fails(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		learn_good(type);
		assert_true(good_count >= 2 + scene_count(SCENE_GOOD) + 4);
		for (unsigned k = 0; k < good_count; k++)
			for (int for_good = 0; for_good <= 1; for_good++) {
				set_up(type);
				scene.tpm.fail_at = k + 1;
				scene.tpm.fail_count = for_good ? 100000 : 1;
				scene.tpm.fail_rc = SOFT_RC_FAILURE;
				(void)scene_run();
				expect_after_failure(k, type, for_good);
			}
	}
}

/* The TPM did it, but said that it failed: too much was measured rather than too little. */
static void test_extend_done_but_refused(void **state)
{
	(void)state;
	learn_good(VLP_NONFATAL);
	for (unsigned k = 0, extends = 0; k < good_count; k++) {
		if (good[k].code != SOFT_PCR_EXTEND)
			continue;
		set_up(VLP_NONFATAL);
		scene.tpm.fail_at = k + 1;
		scene.tpm.fail_count = 1;
		scene.tpm.fail_rc = SOFT_RC_FAILURE;
		scene.tpm.fail_late = true;
		(void)scene_run();
		scene_expect_cut(SCENE_GOOD, ++extends, "caps:tpm-error");
		scene_expect_halted("tpm-error");
	}
}

static void test_command_retried(void **state)
{
	(void)state;
	learn_good(VLP_HALT);
	for (unsigned k = 0; k < good_count; k++)
		for (unsigned times = 1; times <= 3; times++) {
			set_up(VLP_HALT);
			scene.tpm.fail_at = k + 1;
			scene.tpm.fail_count = times;
			scene.tpm.fail_rc = SOFT_RC_RETRY;
			(void)scene_run();
			scene_expect(SCENE_GOOD);
			scene_expect_log(scene_count(SCENE_GOOD));
			scene_expect_started(SCENE_ALL);
			assert_true(fw.stalled_us > 0);
		}
}

/* A TPM that wants to be asked again for ever: an end comes all the same. */
static void test_command_retried_for_ever(void **state)
{
	(void)state;
	learn_good(VLP_HALT);
	for (unsigned k = 0; k < good_count; k++) {
		set_up(VLP_HALT);
		scene.tpm.fail_at = k + 1;
		scene.tpm.fail_count = 100000;
		scene.tpm.fail_rc = SOFT_RC_RETRY;
		(void)scene_run();
		assert_true(fw.stalled_us >= 1000000);
		fw.stalled_us = 0; /* all of it between the tries */
		expect_after_failure(k, VLP_HALT, true);
	}
}

/* ---------------------------------------------------------------- other registers */

/* CRB with all localities; and as QEMU has it, with locality 0 only. */
static void test_crb(void **state)
{
	(void)state;
	for (int one_locality = 0; one_locality <= 1; one_locality++) {
		set_up(VLP_HALT);
		fake_tpm_init(&scene.registers, FAKE_CRB, soft_tpm_execute, &scene.tpm);
		for (size_t i = 1; i < FAKE_LOCALITIES && one_locality; i++)
			scene.registers.gate[i] = FAKE_ZEROS;
		(void)scene_run();
		if (one_locality) {
			scene_expect("");
			scene_expect_halted("tpm-error");
			assert_true(fw_console_count("TPM locality 2 is closed") > 0);
		} else {
			scene_expect(SCENE_GOOD);
			scene_expect_log(scene_count(SCENE_GOOD));
			scene_expect_started(SCENE_ALL);
		}
	}
}

/* ---------------------------------------------------------------- the firmware's locality */

static bool drop_request_of_0(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	(void)f;
	return offset == tpm_register(0, TIS_ACCESS) && v == TIS_ACCESS_REQUEST;
}

static void test_locality_0_does_not_come_back(void **state)
{
	(void)state;
	set_up(VLP_HALT);
	fw.firmware_ready = NULL;
	scene.registers.swallow = drop_request_of_0;
	(void)scene_run_unchecked();
	scene_expect(SCENE_GOOD);
	scene_expect_started(SCENE_ALL);
	assert_int_equal(fw_console_count("geolaunch: the firmware's TPM locality did not come back"), 1);
	assert_int_equal(scene.registers.active, -1);
}

/*
 * Locality 2 is gone when the kernel comes back: there is no way to cap, and that is said. The PCRs are those of a good launch, so
 * nothing else may be started on this boot, though the description has "on-halt return".
 */
static bool close_locality_2(void)
{
	scene.registers.gate[2] = FAKE_ONES;
	return true;
}

static void test_no_second_turn(void **state)
{
	(void)state;
	set_up(VLP_HALT);
	fw.firmware_ready = close_locality_2;
	fw.kernel_returns = true;
	assert_int_equal(scene_run(), FW_RESET);
	scene_expect(SCENE_GOOD);
	scene_expect_halted("start-failed");
	assert_int_equal(fw_console_count("geolaunch: TPM locality 2 could not be taken again, PCR 17-22 keep their values"), 1);
}

/* The same with a TPM that takes no cap, or not all of them. */
static void test_caps_refused_after_good(void **state)
{
	(void)state;
	learn_good(VLP_HALT);
	for (unsigned refused = 0; refused < 6; refused++) {
		set_up(VLP_HALT);
		scene.tpm.fail_at = good_count + 1 + refused;
		scene.tpm.fail_count = 1;
		scene.tpm.fail_rc = SOFT_RC_FAILURE;
		fw.kernel_returns = true;
		assert_int_equal(scene_run(), FW_RESET);
		scene_expect_halted("start-failed");
		assert_int_equal(fw_console_count("geolaunch: the TPM refused to cap all of PCR 17-22"), 1);
		scene_expect_log(scene_count(SCENE_GOOD) + 5);
	}
	set_up(VLP_HALT);
	fw.kernel_returns = true;
	assert_int_equal(scene_run(), FW_RETURNED);
}

/* ---------------------------------------------------------------- the log */

/* All that was extended is in the log, and the last six are the caps of a halt. */
static void expect_capped_at_end(void)
{
	unsigned seen = 0, extends = scene_commands(SOFT_PCR_EXTEND);

	scene_expect_log(extends);
	for (unsigned i = 0; i < scene.tpm.commands; i++)
		if (scene.tpm.trace[i].code == SOFT_PCR_EXTEND && ++seen > extends - 6)
			assert_int_equal(scene.tpm.trace[i].pcr, 17 + seen - (extends - 6) - 1);
}

/* Names as long as they get, and so many indices that the log ends before them: the launch ends, all that was extended is in the log. */
static void test_log_full(void **state)
{
	(void)state;

	scene_init(&(struct scene_options){
		.type = VLP_NONFATAL, .banks = ALG_SET_ALL, .hash = ALG_SHA256, .more_files = 123, .more_nv = 220, .short_policy = true });
	(void)scene_run();
	scene_expect_halted("tpm-error");
	assert_int_equal(fw_console_count("geolaunch: the event log is full"), 1);
	assert_true(scene_commands(SOFT_PCR_EXTEND) > 200);
	expect_capped_at_end();
}

/* Wherever it ends, also at a cap: all of PCR 17-22 are capped, and the next boot entry finds no values of a good launch. */
static void test_log_full_anywhere(void **state)
{
	(void)state;
	unsigned full = 0;

	for (unsigned more_nv = 155; more_nv <= 180; more_nv++) {
		scene_init(&(struct scene_options){ .type = VLP_NONFATAL,
			.banks = ALG_SET_ALL,
			.hash = ALG_SHA256,
			.more_files = 123,
			.more_nv = more_nv,
			.short_policy = true });
		fw.kernel_returns = true;
		assert_int_equal(scene_run(), FW_RETURNED);
		full += fw_console_count("geolaunch: the event log is full");
		assert_int_equal(fw_console_count("geolaunch: the TPM refused"), 0);
		expect_capped_at_end();
	}
	assert_true(full > 0 && full < 26);
}

/* ---------------------------------------------------------------- firmware that does not power off */

static unsigned waits;

static EFI_STATUS EFIAPI wait_long(UINTN us)
{
	(void)us;
	if (fw.idle_resets && ++waits == 1000)
		fw_leave(FW_RESET);
	return EFI_SUCCESS;
}

/* PCR 17-22 are those of a good launch and could not be capped: nobody gets the machine back. */
static void test_no_poweroff_uncapped(void **state)
{
	(void)state;
	waits = 0;
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = BANKS, .hash = ALG_SHA256, .poweroff = true });
	fw.firmware_ready = close_locality_2;
	fw.kernel_returns = true;
	fw.rs.ResetSystem = (EFI_RESET_SYSTEM)fw_idle_reset;
	fw.bs.Stall = wait_long;
	assert_int_equal(scene_run_unchecked(), FW_RESET);
	scene_expect(SCENE_GOOD);
	assert_int_equal(fw.idle_resets, 1);
	assert_int_equal(waits, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_fails),
		cmocka_unit_test(test_extend_done_but_refused),
		cmocka_unit_test(test_command_retried),
		cmocka_unit_test(test_command_retried_for_ever),
		cmocka_unit_test(test_crb),
		cmocka_unit_test(test_locality_0_does_not_come_back),
		cmocka_unit_test(test_no_second_turn),
		cmocka_unit_test(test_caps_refused_after_good),
		cmocka_unit_test(test_log_full),
		cmocka_unit_test(test_log_full_anywhere),
		cmocka_unit_test(test_no_poweroff_uncapped),
	};

	return cmocka_run_group_tests_name("efi_tpm_fails", tests, NULL, NULL);
}
