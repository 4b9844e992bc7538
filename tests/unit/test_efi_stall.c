/* SPDX-License-Identifier: BSD-3-Clause */
/* app_run() with a disk that stops answering, or says what is wrong with a file. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "tboot-policy/vlp.h"

#define BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256))
#define STALLED ": the disk has not answered for 30 seconds"
#define TPM_STALLED "geolaunch: TPM: it has not answered the firmware for 30 seconds"

static void set_up(uint8_t type)
{
	scene_init(&(struct scene_options){ .type = type, .banks = BANKS, .hash = ALG_SHA256, .halt_delay = 7 });
}

/* Stops for good: off, and nothing asked of the firmware that it cannot do now. */
static void expect_timeout(const char *why, const char *reason)
{
	char line[128];

	assert_int_equal(fw.ended, FW_RESET);
	assert_int_equal(fw.reset_type, EfiResetShutdown);
	assert_int_equal(fw.reset_status, EFI_TIMEOUT);
	assert_int_equal(fw_console_count(why), 1);
	(void)snprintf(line, sizeof(line), "geolaunch: halted: %s: ", reason);
	assert_int_equal(fw_console_count(line), 1);
	assert_int_equal(fw_console_count("(EFI_TIMEOUT)"), 1);
}

/* PCR 17-22 are capped besides. */
static void expect_off(const char *file, const char *reason, const char *steps)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "geolaunch: %s" STALLED, file);
	expect_timeout(line, reason);
	scene_expect(steps);
}

static const struct {
	const char *file;
	const char *reason;
	const char *steps;
	UINTN delay; /* seconds before power-off; the description's if there is one */
} stalls[] = {
	{ "launch.conf", "description-missing", "caps:description-missing", 5 },
	{ "policy.vlp", "policy-missing", "caps:policy-missing", 7 },
	{ "linux", "module-unreadable", "policy m0 caps:module-unreadable", 7 },
	{ "initrd", "module-unreadable", "policy m0 m1 caps:module-unreadable", 7 },
	{ "vmm", "module-unreadable", "policy m0 m1 m2 caps:module-unreadable", 7 },
	{ "file-0", "module-unreadable", "policy m0 m1 m2 m3 caps:module-unreadable", 7 },
};

static struct fw_file *file_of(size_t i)
{
	char path[64];

	(void)snprintf(path, sizeof(path), SCENE_FOLDER "%s", stalls[i].file);
	return fw_find_file(path);
}

/* Whatever the policy lets pass, and whatever `on-halt` says: nobody can go back to a firmware that hangs. */
static void test_read_stalls(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(stalls); i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			set_up(type);
			file_of(i)->stalls = true;
			file_of(i)->error_at = file_of(i)->bytes.n / 2;
			(void)scene_run_unchecked();
			expect_off(stalls[i].file, stalls[i].reason, stalls[i].steps);
			assert_int_equal(fw.stalled_us, stalls[i].delay * 1000000);
			assert_int_equal(fw.loads, 0);
		}
}

static void test_open_stalls(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(stalls); i++) {
		set_up(VLP_NONFATAL);
		file_of(i)->stalls = true;
		(void)scene_run_unchecked();
		/* All files are opened before the first is measured. */
		expect_off(stalls[i].file, stalls[i].reason, i < 2 ? stalls[i].steps : "policy caps:module-unreadable");
	}
}

/* The TPM was not touched yet: PCR 17-22 are as without a launch. */
static void test_file_system_stalls(void **state)
{
	(void)state;
	set_up(VLP_NONFATAL);
	fw.volume_stalls = true;
	(void)scene_run_unchecked();
	expect_off("file system", "description-missing", "");
	assert_int_equal(scene.tpm.commands, 0);
}

static EFI_STATUS EFIAPI load_stalls(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH *path, void *source, UINTN size, EFI_HANDLE *out)
{
	(void)policy;
	(void)parent;
	(void)path;
	(void)source;
	(void)size;
	(void)out;
	fw_stall();
}

static void test_slots_stall(void **state)
{
	static const char text[] = "geolaunch-slots 1\nstart removable\ncurrent 0123456789abcdef\n";
	static const uint8_t nodes[] = { 0x7f, 0xff, 4, 0 };
	static const EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
	struct fw_file *f;

	(void)state;
	set_up(VLP_NONFATAL);
	f = fw_add_file(SCENE_FOLDER "slots.conf", span_str(text));
	f->stalls = true;
	f->error_at = 3;
	(void)scene_run_unchecked();
	expect_off("slots.conf", "description-missing", "");

	set_up(VLP_NONFATAL);
	(void)fw_add_file(SCENE_FOLDER "slots.conf", span_str(text));
	fw_install(&fw.disk, &guid, (void *)(uintptr_t)nodes);
	fw.bs.LoadImage = load_stalls;
	(void)scene_run_unchecked();
	/* The firmware measures it, too. */
	expect_timeout(
		"geolaunch: geolaunch.efi of the build: the disk, or the TPM into which the firmware measures it, has not answered for 30 seconds",
		"description-missing");
	scene_expect("");
}

static unsigned answers; /* of the TPM, before it falls silent */

static size_t falls_silent(void *ctx, uint8_t locality, struct span command, struct mspan out)
{
	if (answers == 0)
		return FAKE_NO_RESPONSE;
	answers--;
	return soft_tpm_execute(ctx, locality, command, out);
}

/* Locality 2 is closed, so the firmware is asked, which would wait for minutes. */
static void test_tpm_stalls(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++)
		/* While it is asked for its banks, and for the geo index by a launch without measurements. */
		for (unsigned n = 0; n < (type == VLP_NONFATAL ? 4 : 2); n++) {
			set_up(type);
			scene.registers.gate[2] = FAKE_ONES;
			scene.registers.execute = falls_silent;
			answers = n;
			(void)scene_run_unchecked();
			expect_timeout(TPM_STALLED, "tpm-error");
			scene_expect("");
			assert_int_equal(fw.loads, 0);
		}
}

/* Without a timer the firmware's watchdog has to do: a reset, but an end. */
static void test_watchdog_instead(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		set_up(VLP_NONFATAL);
		*(i ? &fw.event_status : &fw.timer_status) = EFI_OUT_OF_RESOURCES;
		file_of(2)->stalls = true;
		file_of(2)->error_at = 1;
		(void)scene_run_unchecked();
		assert_int_equal(fw.ended, FW_RESET);
		assert_int_equal(fw.reset_type, EfiResetCold);
		assert_int_equal(fw.watchdog, 30);

		/* And while nothing is read it is off: a good launch. */
		set_up(VLP_HALT);
		*(i ? &fw.event_status : &fw.timer_status) = EFI_OUT_OF_RESOURCES;
		(void)scene_run();
		scene_expect(SCENE_GOOD);
		scene_expect_started(SCENE_ALL);
		assert_int_equal(fw.watchdog, 0);
	}
}

/* ---------------------------------------------------------------- one line that names file and error */

/* clang-format off */
static void error_in_the_middle(struct fw_file *f) { f->error_at = f->bytes.n / 2; }
static void closed(struct fw_file *f) { f->open_status = EFI_ACCESS_DENIED; }
static void corrupted(struct fw_file *f) { f->info_status = EFI_VOLUME_CORRUPTED; }
static void shorter(struct fw_file *f) { f->end_at = f->bytes.n - 1; }
static void empty(struct fw_file *f) { f->bytes.n = 0; }
static void claims_4_gib(struct fw_file *f) { f->claimed_size = UINT32_MAX; }
/* clang-format on */

static const struct {
	void (*damage)(struct fw_file *f);
	const char *line;
} errors[] = {
	{ error_in_the_middle, "cannot be read (EFI_DEVICE_ERROR): check the disk and its file system" },
	{ closed, "cannot be read (EFI_ACCESS_DENIED): check the disk" },
	{ corrupted, "cannot be read (EFI_VOLUME_CORRUPTED): check the disk" },
	{ shorter, "cannot be read (EFI_END_OF_FILE): check the disk" },
	{ empty, "cannot be read: it is empty" },
	{ claims_4_gib, "cannot be read: larger than a file of " },
};

static void test_line_of_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(stalls); i++)
		for (size_t e = 0; e < GL_COUNT(errors); e++) {
			char line[128];

			set_up(VLP_CONTINUE);
			errors[e].damage(file_of(i));
			(void)scene_run();
			(void)snprintf(line, sizeof(line), "geolaunch: %s: %s", stalls[i].file, errors[e].line);
			assert_int_equal(fw_console_count(line), 1);
			assert_int_equal(fw_console_count(": cannot be read"), 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_stalls),
		cmocka_unit_test(test_open_stalls),
		cmocka_unit_test(test_file_system_stalls),
		cmocka_unit_test(test_slots_stall),
		cmocka_unit_test(test_tpm_stalls),
		cmocka_unit_test(test_watchdog_instead),
		cmocka_unit_test(test_line_of_error),
	};

	return cmocka_run_group_tests_name("efi_stall", tests, NULL, NULL);
}
