/* SPDX-License-Identifier: BSD-3-Clause */
/* app_run() with a volume on which something is wrong. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "tboot-policy/vlp.h"

#define BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256))

static void set_up(uint8_t type)
{
	scene_init(&(struct scene_options){ .type = type, .banks = BANKS, .hash = ALG_SHA256 });
}

static struct fw_file *policy_file(void)
{
	return fw_find_file(SCENE_FOLDER "policy.vlp");
}

/* ---------------------------------------------------------------- description and policy */

/* clang-format off */
static void no_file_system(void) { fw.application_image.DeviceHandle = fw.application; }
static void no_device(void) { fw.application_image.DeviceHandle = NULL; }
static void no_volume(void) { fw.volume_status = EFI_VOLUME_CORRUPTED; }
static void no_folder(void) { fw.file_count = 0; }
static void no_description(void) { scene_file(SCENE_CONF)->path = SCENE_FOLDER "launch.con"; }
static void description_closed(void) { scene_file(SCENE_CONF)->open_status = EFI_ACCESS_DENIED; }
static void description_without_info(void) { scene_file(SCENE_CONF)->info_status = EFI_DEVICE_ERROR; }
static void description_unreadable(void) { scene_file(SCENE_CONF)->error_at = 0; }
static void description_short(void) { scene_file(SCENE_CONF)->end_at = scene_file(SCENE_CONF)->bytes.n - 1; }
static void description_empty(void) { scene_file(SCENE_CONF)->bytes.n = 0; }
static void description_huge(void) { scene_file(SCENE_CONF)->claimed_size = 64 * 1024 + 1; }
static void description_cut(void) { scene_file(SCENE_CONF)->claimed_size = scene_file(SCENE_CONF)->bytes.n - 1; }
static void description_bad(void) { scene_file(SCENE_CONF)->bytes = SPAN_LITERAL("geolaunch 2\n"); }
static void no_policy(void) { policy_file()->path = SCENE_FOLDER "policy"; }
static void policy_closed(void) { policy_file()->open_status = EFI_DEVICE_ERROR; }
static void policy_unreadable(void) { policy_file()->error_at = 7; }
static void policy_empty(void) { policy_file()->bytes.n = 0; }
static void policy_huge(void) { policy_file()->claimed_size = 64 * 1024 + 1; }
static void policy_cut(void) { policy_file()->claimed_size = policy_file()->bytes.n - 1; }
static void policy_not_valid(void) { ((uint8_t *)(uintptr_t)scene.policy.p)[3] = 5; }
static void policy_of_no_type(void) { ((uint8_t *)(uintptr_t)scene.policy.p)[1] = 3; }
/* clang-format on */

static const struct {
	void (*damage)(void);
	const char *reason;
	const char *line;
	bool described; /* the description says what to do */
} preparations[] = {
	{ no_file_system, "description-missing", "\\EFI\\geolaunch: no such folder on the volume", false },
	{ no_device, "description-missing", "\\EFI\\geolaunch: no such folder on the volume", false },
	{ no_volume, "description-missing", "\\EFI\\geolaunch: no such folder on the volume", false },
	{ no_folder, "description-missing", "\\EFI\\geolaunch: no such folder on the volume", false },
	{ no_description, "description-missing", "launch.conf: not found", false },
	{ description_closed, "description-missing", "launch.conf: cannot be read", false },
	{ description_without_info, "description-missing", "launch.conf: cannot be read", false },
	{ description_unreadable, "description-missing", "launch.conf: cannot be read", false },
	{ description_short, "description-missing", "launch.conf: cannot be read", false },
	{ description_empty, "description-missing", "launch.conf: cannot be read", false },
	{ description_huge, "description-missing", "launch.conf: cannot be read", false },
	{ description_cut, "description-invalid", "launch.conf:", false },
	{ description_bad, "description-invalid", "launch.conf:1: ", false },
	{ no_policy, "policy-missing", "policy.vlp: the launch policy is missing", true },
	{ policy_closed, "policy-missing", "policy.vlp: cannot be read", true },
	{ policy_unreadable, "policy-missing", "policy.vlp: cannot be read", true },
	{ policy_empty, "policy-missing", "policy.vlp: cannot be read", true },
	{ policy_huge, "policy-missing", "policy.vlp: cannot be read", true },
	{ policy_cut, "policy-invalid", "policy.vlp: ", true },
	{ policy_not_valid, "policy-invalid", "policy.vlp: policy_control", true },
	{ policy_of_no_type, "policy-invalid", "policy.vlp: the policy type", true },
};

/* Nobody knows then what may go on: whatever the policy would have said, the launch ends. */
static void test_preparation(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(preparations); i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			char steps[64];

			set_up(type);
			preparations[i].damage();
			(void)scene_run();
			(void)snprintf(steps, sizeof(steps), "caps:%s", preparations[i].reason);
			scene_expect(steps);
			scene_expect_log(6);
			assert_int_equal(fw_console_count(preparations[i].line), 1);
			scene_expect_halted(preparations[i].reason);
			assert_int_equal(fw.loads, 0);
			assert_int_equal(fw.ended, preparations[i].described ? FW_RETURNED : FW_RESET);
			/* Without a description: off, after a time to read. */
			assert_int_equal(fw.stalled_us, preparations[i].described ? 0 : 5000000);
		}
}

/* ---------------------------------------------------------------- modules */

static const char *folder_instead(const char *path)
{
	static char inside[64];

	(void)snprintf(inside, sizeof(inside), "%s\\x", path);
	return inside;
}

/* clang-format off */
static void file_missing(struct fw_file *f) { f->path = SCENE_FOLDER "gone"; }
static void file_closed(struct fw_file *f) { f->open_status = EFI_ACCESS_DENIED; }
static void file_is_folder(struct fw_file *f) { f->path = folder_instead(f->path); }
static void file_without_info(struct fw_file *f) { f->info_status = EFI_VOLUME_CORRUPTED; }
static void file_empty(struct fw_file *f) { f->bytes.n = 0; }
static void error_at_start(struct fw_file *f) { f->error_at = 0; }
static void error_in_the_middle(struct fw_file *f) { f->error_at = f->bytes.n / 2; }
static void error_at_end(struct fw_file *f) { f->error_at = f->bytes.n - 1; }
static void shorter(struct fw_file *f) { f->end_at = f->bytes.n - 1; }
static void nothing_comes(struct fw_file *f) { f->end_at = 0; }
static void claims_more(struct fw_file *f) { f->claimed_size = f->bytes.n + 1; }
static void claims_5_gib(struct fw_file *f) { f->claimed_size = UINT64_C(5) << 30; }
static void claims_everything(struct fw_file *f) { f->claimed_size = UINT64_MAX; }
/* clang-format on */

/* clang-format off */
static void (*const module_damage[])(struct fw_file *f) = {
	file_missing, file_closed, file_is_folder, file_without_info, file_empty, error_at_start, error_in_the_middle, error_at_end, shorter,
	nothing_comes, claims_more, claims_5_gib, claims_everything,
};
/* clang-format on */

/* Steps with a cap instead of module `i`; cut behind it if the launch stops there. */
static void steps_without(char *out, size_t room, unsigned i, const char *reason, bool stops)
{
	size_t n = (size_t)snprintf(out, room, "policy");

	for (unsigned k = 0; k < SCENE_MODULE_COUNT && (k <= i || !stops); k++)
		n += k == i ? (size_t)snprintf(out + n, room - n, " cap%u:%s", scene.modules[k].pcr, reason)
		            : (size_t)snprintf(out + n, room - n, " m%u", k);
	(void)snprintf(out + n, room - n, stops ? " caps:%s" : " nv", reason);
}

static void test_module_unreadable(void **state)
{
	(void)state;
	for (unsigned i = SCENE_LINUX; i < SCENE_MODULE_COUNT; i++)
		for (size_t d = 0; d < GL_COUNT(module_damage); d++)
			for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
				char steps[256];

				set_up(type);
				module_damage[d](scene_file(i));
				(void)scene_run();
				steps_without(steps, sizeof(steps), i, "module-unreadable", type == VLP_HALT);
				if (type == VLP_HALT) {
					scene_expect_halted("module-unreadable");
				} else if (i == SCENE_LINUX) {
					/* There is nothing that could be started. */
					strcat(steps, " caps:start-failed");
					scene_expect_halted("start-failed");
				} else {
					strcat(steps, " closing");
					scene_expect_started(SCENE_ALL & ~(1u << i));
				}
				scene_expect(steps);
				scene_expect_log(scene_count(steps));
				assert_int_equal(fw_console_count("FAILED: the file of a module could not be read"), 1);
			}
}

/* All that could be members or initrd are gone: the kernel finds no initrd. */
static void test_nothing_but_the_kernel(void **state)
{
	(void)state;
	set_up(VLP_CONTINUE);
	for (unsigned i = SCENE_INITRD; i < SCENE_MODULE_COUNT; i++)
		error_in_the_middle(scene_file(i));
	(void)scene_run();
	scene_expect("policy m0 m1 cap19:module-unreadable cap20:module-unreadable cap21:module-unreadable nv closing");
	scene_expect_started(1u << SCENE_LINUX);
	set_up(VLP_CONTINUE);
	for (unsigned i = SCENE_INITRD; i < SCENE_MODULE_COUNT; i++)
		file_missing(scene_file(i));
	(void)scene_run();
	scene_expect("policy m0 m1 cap19:module-unreadable cap20:module-unreadable cap21:module-unreadable nv closing");
	scene_expect_started(1u << SCENE_LINUX);
}

/* Members that move up over ones that failed, also with directories of their own. */
static void test_members_move_up(void **state)
{
	(void)state;
	for (unsigned which = 1; which < 8; which++) {
		set_up(VLP_NONFATAL);
		for (unsigned i = SCENE_INITRD; i < SCENE_MODULE_COUNT; i++)
			if (which >> (i - SCENE_INITRD) & 1)
				shorter(scene_file(i));
		(void)scene_run();
		scene_expect_started(SCENE_ALL & ~(which << SCENE_INITRD));
	}
}

/* clang-format off */
static const char *const changed_steps[SCENE_MODULE_COUNT] = {
	[SCENE_LINUX] = "policy m0 m1", [SCENE_INITRD] = "policy m0 m1 m2", [SCENE_VMM] = "policy m0 m1 m2 m3", [SCENE_FILE] = SCENE_MODULES,
};
/* clang-format on */

/* Measured is what is there, and that is what runs. */
static void expect_changed(unsigned i, uint8_t type)
{
	char steps[128];

	if (type == VLP_HALT) {
		(void)snprintf(steps, sizeof(steps), "%s caps:module-mismatch", changed_steps[i]);
		scene_expect_halted("module-mismatch");
	} else {
		(void)snprintf(steps, sizeof(steps), SCENE_GOOD);
		scene_expect_started(SCENE_ALL);
		assert_int_equal(fw_console_count("geolaunch: verdict: measured, no D-RTM, with errors: the digest of a module"), 1);
	}
	scene_expect(steps);
	scene_expect_log(scene_count(steps));
	assert_int_equal(fw_console_count("FAILED: the digest of a module is not one"), 1);
}

static void test_module_changed(void **state)
{
	static uint8_t other[700 * 1024 + 37];

	(void)state;
	for (unsigned i = SCENE_LINUX; i < SCENE_MODULE_COUNT; i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			struct span *bytes;

			set_up(type);
			bytes = &scene.modules[i].bytes;
			memcpy(other, bytes->p, bytes->n);
			other[bytes->n - 1] ^= 1;
			bytes->p = other;
			scene_file(i)->bytes = *bytes;
			(void)scene_run();
			expect_changed(i, type);
		}
}

/* A file system that tells a smaller size: what is read counts. */
static void test_module_claims_less(void **state)
{
	(void)state;
	for (unsigned i = SCENE_LINUX; i < SCENE_MODULE_COUNT; i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			set_up(type);
			scene_file(i)->claimed_size = scene.modules[i].bytes.n - 1;
			scene.modules[i].bytes.n--;
			(void)scene_run();
			expect_changed(i, type);
		}
}

static void test_module_unlisted(void **state)
{
	static const char *const steps[] = {
		[VLP_NONFATAL] = "policy m0 m1 cap19:module-unlisted cap20:module-unlisted cap21:module-unlisted nv closing",
		[VLP_CONTINUE] = "policy m0 m1 cap19:module-unlisted caps:module-unlisted",
		[VLP_HALT] = "policy m0 m1 cap19:module-unlisted caps:module-unlisted",
	};

	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		scene_init(&(struct scene_options){ .type = type, .banks = BANKS, .hash = ALG_SHA256, .short_policy = true });
		(void)scene_run();
		scene_expect(steps[type]);
		scene_expect_log(scene_count(steps[type]));
		if (type == VLP_NONFATAL)
			scene_expect_started(SCENE_ALL);
		else
			scene_expect_halted("module-unlisted");
	}
}

static void test_module_missing(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		scene_init(&(struct scene_options){ .type = type, .banks = BANKS, .hash = ALG_SHA256, .long_policy = true });
		(void)scene_run();
		if (type == VLP_HALT) {
			scene_expect(SCENE_MODULES " cap20:module-missing caps:module-missing");
			scene_expect_halted("module-missing");
		} else {
			scene_expect(SCENE_MODULES " cap20:module-missing nv closing");
			scene_expect_started(SCENE_ALL);
		}
	}
}

/* Files that come in small pieces, and more of them than usual. */
static void test_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 100000; piece = piece * 7 + 3) {
		set_up(VLP_HALT);
		for (size_t i = 0; i < fw.file_count; i++)
			fw.files[i].piece = piece;
		(void)scene_run();
		scene_expect(SCENE_GOOD);
		scene_expect_started(SCENE_ALL);
	}
}

static void test_many_files(void **state)
{
	(void)state;
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = BANKS, .hash = ALG_SHA256, .more_files = 123 });
	(void)scene_run();
	scene_expect_started(SCENE_ALL);
	scene_expect_log(scene_count(SCENE_GOOD) + 123);
}

/* A size that no memory holds: nothing was read yet, and nothing can be. */
static void test_too_large(void **state)
{
	(void)state;
	for (unsigned i = SCENE_LINUX; i < SCENE_MODULE_COUNT; i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			set_up(type);
			scene_file(i)->claimed_size = UINT64_C(3) << 30;
			(void)scene_run();
			scene_expect("policy caps:start-failed");
			scene_expect_log(scene_count("policy caps:start-failed"));
			scene_expect_halted("start-failed");
			assert_int_equal(fw_console_count("geolaunch: not enough memory for the modules"), 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preparation),
		cmocka_unit_test(test_module_unreadable),
		cmocka_unit_test(test_nothing_but_the_kernel),
		cmocka_unit_test(test_members_move_up),
		cmocka_unit_test(test_module_changed),
		cmocka_unit_test(test_module_claims_less),
		cmocka_unit_test(test_module_unlisted),
		cmocka_unit_test(test_module_missing),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_many_files),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests_name("efi_files", tests, NULL, NULL);
}
