/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * app_run() in txt mode: from the firmware to the jump to tboot, and every way not to get there. With a TPM that fails: test_efi_txt_sweep.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_efi_txt.h"

#include <cmocka.h>

#include "tboot-policy/vlp.h"

static void test_good(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		efi_txt_good(type);
		(void)scene_run_unchecked();
		efi_txt_expect_started();
		assert_int_equal(efi_txt.exits, 1);
		assert_true(efi_txt_says("geolaunch: pre-flight passed; SINIT of "));
		/* Promised to the emulated platform, which finds us by it. */
		assert_int_equal(efi_txt.reads_before_didvid, 0);
		assert_int_equal(efi_txt.msrs_before_cpuid, 0);
	}
}

/* The map changed meanwhile: it is asked for again. */
static void test_exit_again(void **state)
{
	(void)state;
	efi_txt_good(VLP_HALT);
	efi_txt.exit_status[0] = efi_txt.exit_status[1] = EFI_INVALID_PARAMETER;
	(void)scene_run_unchecked();
	efi_txt_expect_started();
	assert_int_equal(efi_txt.exits, 3);
	assert_int_not_equal(efi_txt.changed, 0);
}

/* The firmware does not let us go: after the first try nothing of it may be used any more, and it is not (see fake_efi_txt.c). */
static void test_no_exit(void **state)
{
	(void)state;
	efi_txt_good(VLP_HALT);
	for (size_t i = 0; i < EFI_TXT_EXITS_MAX; i++)
		efi_txt.exit_status[i] = EFI_INVALID_PARAMETER;
	(void)scene_run_unchecked();
	assert_int_equal(fw.ended, FW_RESET);
	assert_int_equal(efi_txt.left, 0);
	assert_int_equal(efi_txt.exits, 4);
}

static void test_findings(void **state)
{
	(void)state;
	efi_txt_good(VLP_HALT);
	efi_txt.didvid = UINT64_MAX;
	(void)scene_run();
	assert_true(efi_txt_says("geolaunch: pre-flight chipset: "));
	efi_txt_expect_halted();
	efi_txt_good(VLP_HALT);
	efi_txt.features = 0;
	(void)scene_run();
	assert_true(efi_txt_says("geolaunch: pre-flight cpu-smx: "));
	efi_txt_expect_halted();
	efi_txt_good(VLP_HALT);
	efi_txt.dmar[0] = 'X';
	(void)scene_run();
	assert_true(efi_txt_says("geolaunch: pre-flight vtd: "));
	efi_txt_expect_halted();
	efi_txt_good(VLP_HALT);
	efi_txt_sinit(0xb002);
	(void)scene_run();
	assert_true(efi_txt_says("geolaunch: pre-flight sinit-match: "));
	efi_txt_expect_halted();
	efi_txt_good(VLP_HALT);
	scene.tpm.nv[0].index++;
	(void)scene_run();
	assert_true(efi_txt_says("geolaunch: pre-flight geo-missing: "));
	efi_txt_expect_halted();
	efi_txt_good(VLP_HALT);
	efi_txt.tboot[0x1000] ^= 1;
	(void)scene_run();
	assert_true(efi_txt_says("geolaunch: pre-flight tboot-image: "));
	efi_txt_expect_halted();
	/* No policy type lets tboot jump into a stage that it cannot load. */
	efi_txt_good(VLP_HALT);
	efi_txt.stage[52 + 16]++;
	(void)scene_run();
	assert_true(efi_txt_says("geolaunch: pre-flight stage-image: "));
	efi_txt_expect_halted();
	/* The firmware keeps a page where tboot goes, for good. */
	efi_txt_good(VLP_HALT);
	fw_low_reserve(0, FW_LOW_PAGES - 0x500);
	(void)scene_run_unchecked();
	assert_true(efi_txt_says("geolaunch: pre-flight memory"));
	assert_int_equal(efi_txt.left, 0);
}

/* A lax policy: the hypervisor is started by itself, and the PCRs say that nothing was launched. */
static void test_unmeasured(void **state)
{
	(void)state;
	efi_txt_good(VLP_NONFATAL);
	efi_txt_sinit(0xb002);
	(void)scene_run_unchecked();
	assert_int_equal(efi_txt.left, 0);
	assert_int_equal(fw.ended, FW_STARTED);
	assert_int_equal(fw.starts, 1);
	assert_true(efi_txt_says("geolaunch: NOT MEASURED: ") && efi_txt_says("geolaunch: verdict: NOT MEASURED"));
	scene_expect_cut("", 0, "caps:preflight");
	scene_expect_started(SCENE_ALL);
}

/* Files that fail, each in its own way, and at each place. */
static void test_files(void **state)
{
	static const char *const names[] = { "tboot", "stage", "linux", "initrd", "vmm", "file-0" };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(names); i++)
		for (unsigned how = 0; how < 3; how++) {
			char path[64];
			struct fw_file *f;

			efi_txt_good(VLP_HALT);
			(void)snprintf(path, sizeof(path), SCENE_FOLDER "%s", names[i]);
			f = fw_find_file(path);
			if (how == 0)
				f->open_status = EFI_NOT_FOUND;
			else if (how == 1)
				f->error_at = f->bytes.n / 2;
			else
				f->end_at = f->bytes.n - 1;
			(void)scene_run();
			assert_true(efi_txt_says("geolaunch: pre-flight module-file: "));
			efi_txt_expect_halted();
		}
}

/* No memory, at each request: no launch, nothing left, or a launch that is as it should be. */
static void test_memory(void **state)
{
	unsigned total;

	(void)state;
	efi_txt_good(VLP_HALT);
	(void)scene_run_unchecked();
	total = fw.allocations;
	assert_true(total > 8);
	for (unsigned at = 1; at <= total; at++) {
		efi_txt_good(VLP_HALT);
		fw.fail_allocation = at;
		(void)scene_run_unchecked();
		if (efi_txt.left) {
			efi_txt_expect_started();
			continue;
		}
		assert_true(fw.ended != FW_STARTED && efi_txt_says("geolaunch: halted: "));
		if (fw.ended == FW_RETURNED)
			fw_assert_nothing_left();
	}
}

/* Pages that somebody takes between the plan and us. */
static void test_map_fails(void **state)
{
	(void)state;
	efi_txt_good(VLP_HALT);
	fw.map_status = EFI_INVALID_PARAMETER;
	(void)scene_run();
	assert_true(efi_txt_says("geolaunch: pre-flight memory: "));
	efi_txt_expect_halted();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_exit_again),
		cmocka_unit_test(test_no_exit),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_unmeasured),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_map_fails),
	};

	return cmocka_run_group_tests_name("efi_txt", tests, NULL, NULL);
}
