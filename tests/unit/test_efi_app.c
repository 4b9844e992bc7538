/* SPDX-License-Identifier: BSD-3-Clause */
/* app_run() from start to end: a launch as it should be, and all that can go wrong around it but for files and TPM. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "common/eventlog.h"
#include "tboot-policy/vlp.h"

static const alg_set bank_sets[] = {
	ALG_BIT(ALG_SHA256),
	ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256),
	ALG_BIT(ALG_SHA384) | ALG_BIT(ALG_SHA512),
	ALG_SET_ALL,
};

static void start(const struct scene_options *o)
{
	scene_init(o);
	(void)scene_run();
}

static void test_good(void **state)
{
	(void)state;
	for (size_t b = 0; b < GL_COUNT(bank_sets); b++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++)
			for (enum alg hash = 0; hash < ALG_COUNT; hash++) {
				start(&(struct scene_options){ .type = type, .banks = bank_sets[b], .hash = hash });
				scene_expect(SCENE_GOOD);
				scene_expect_log(scene_count(SCENE_GOOD));
				scene_expect_started(SCENE_ALL);
				assert_int_equal(fw.loads, 1);
				assert_int_equal(fw_console_count("FAILED"), 0);
				assert_int_equal(fw_console_count("geolaunch: verdict: measured, no D-RTM"), 1);
			}
}

static void test_events(void **state)
{
	/* clang-format off */
	static const char *const names[] = {
		"policy", "policy", "module 0 description launch.conf", "module 1 hypervisor linux", "module 2 initrd initrd", "module 3 vmm vmm",
		"module 4 file file-0", "nv 0x01c10110", "closing",
	};
	/* clang-format on */
	static const CHAR16 variable[] = u"GeolaunchEventLog";
	static const EFI_GUID guid = GEOLAUNCH_GUID;
	const struct fw_variable *v;
	struct eventlog_reader r;
	struct event e;

	(void)state;
	start(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
	v = fw_variable(variable, &guid);
	assert_non_null(v);
	assert_int_equal(eventlog_open(&r, (struct span){ v->data, v->n }), EVENTLOG_EVENT);
	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
	assert_int_equal(e.type, EV_NO_ACTION);
	for (size_t i = 0; i < GL_COUNT(names); i++) {
		assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
		assert_true(span_is_str(e.data, names[i]));
		assert_int_equal(e.digests.banks, ALG_SET_ALL);
	}
	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_END);
}

/* What people see of a good launch. */
static void test_screen(void **state)
{
	static const char *const lines[] = {
		"geolaunch " GEOLAUNCH_VERSION,
		"geolaunch: TPM 2.0, locality 2 open; banks sha1 sha256 sha384 sha512",
		"  PCR 17  policy ",
		"  PCR 18  policy ",
		"  PCR 17  module 0 description launch.conf ",
		"  PCR 19  module 1 hypervisor linux         700.0 KiB  sha256 ",
		"  PCR 19  module 2 initrd initrd            9.8 KiB ",
		"  PCR 20  module 3 vmm vmm ",
		"  PCR 21  module 4 file file-0 ",
		"  PCR 22  nv 0x01c10110                     64 B ",
		"  PCR 17  closing ",
		"  sha1 PCR 17 ",
		"  sha512 PCR 22 ",
		"geolaunch: time: read ",
		"geolaunch: verdict: measured, no D-RTM",
		"geolaunch: starting the hypervisor",
	};
	const char *at;

	(void)state;
	start(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
	at = fw.console;
	for (size_t i = 0; i < GL_COUNT(lines); i++) {
		const char *line = strstr(at, lines[i]);

		if (!line)
			fail_msg("no \"%s\" in:\n%s", lines[i], at);
		assert_true(line == fw.console || line[-1] == '\n');
		at = line + 1;
	}
	assert_int_equal(fw_console_count(" PCR "), 9 + 4 * 6);
	assert_int_equal(fw_console_count("  ok"), 9);
}

/* Nobody looks: nothing else changes. */
static void test_no_console(void **state)
{
	(void)state;
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
	fw.st.ConOut = NULL;
	(void)scene_run();
	scene_expect(SCENE_GOOD);
	scene_expect_started(SCENE_ALL);
}

static void test_progress(void **state)
{
	(void)state;
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
	fw.read_us = 600000;
	(void)scene_run();
	scene_expect_started(SCENE_ALL);
	assert_non_null(strstr(fw.console, "  reading linux 73 % of 700.0 KiB"));
	assert_non_null(strstr(fw.console, "geolaunch: time: read 4.8"));
}

/* ---------------------------------------------------------------- the log */

static void test_log_by_one_way_only(void **state)
{
	static const EFI_GUID guid = GEOLAUNCH_GUID;
	static const CHAR16 variable[] = u"GeolaunchEventLog";

	(void)state;
	for (unsigned ways = 0; ways < 4; ways++) {
		scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
		fw.table_status = ways & 1 ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
		fw.variable_status = ways & 2 ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
		(void)scene_run();
		scene_expect(SCENE_GOOD);
		scene_expect_started(SCENE_ALL);
		assert_int_equal(fw_table(&guid) != NULL, (ways & 1) != 0);
		assert_int_equal(fw_variable(variable, &guid) != NULL, (ways & 2) != 0);
		assert_int_equal(fw_console_count("geolaunch: the event log could not be handed to the host"), !(ways & 2));
	}
}

/* ---------------------------------------------------------------- start */

static void expect_capped_after_good(const char *status)
{
	static const char steps[] = SCENE_GOOD " caps:start-failed";

	scene_expect(steps);
	scene_expect_log(scene_count(steps));
	scene_expect_halted("start-failed");
	if (!strstr(fw.console + fw.console_n - 40, status))
		fail_msg("no %s in:\n%s", status, fw.console);
}

static void test_load_fails(void **state)
{
	static const struct {
		EFI_STATUS status;
		const char *name;
	} cases[] = {
		{ EFI_LOAD_ERROR, "(EFI_LOAD_ERROR)" },
		{ EFI_UNSUPPORTED, "(EFI_UNSUPPORTED)" },
		{ EFI_ACCESS_DENIED, "(EFI_ACCESS_DENIED)" },
		{ EFI_SECURITY_VIOLATION, "(EFI_SECURITY_VIOLATION)" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			scene_init(&(struct scene_options){ .type = type, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
			fw.load_status = cases[i].status;
			(void)scene_run();
			expect_capped_after_good(cases[i].name);
			assert_int_equal(fw.status, cases[i].status);
			assert_int_equal(fw.starts, 0);
			assert_int_equal(fw_console_count("geolaunch: the firmware does not accept the hypervisor image"), 1);
		}
}

static void test_image_is_no_image(void **state)
{
	(void)state;
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
	fw.loaded_image_status = EFI_UNSUPPORTED;
	(void)scene_run();
	expect_capped_after_good("(EFI_UNSUPPORTED)");
	assert_int_equal(fw.starts, 0);
}

/* A file that the policy did without is not why the host does not run. */
static void test_earlier_error(void **state)
{
	(void)state;
	scene_init(&(struct scene_options){ .type = VLP_NONFATAL, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
	scene_file(SCENE_FILE)->open_status = EFI_NOT_FOUND;
	fw.kernel_returns = true;
	(void)scene_run();
	assert_int_equal(fw_console_count("geolaunch: halted: start-failed: the host could not be started (EFI_ABORTED)"), 1);
	assert_int_equal(fw.status, EFI_ABORTED);
}

static void test_kernel_returns(void **state)
{
	static const struct {
		EFI_STATUS status, told;
		const char *name;
	} cases[] = {
		{ EFI_SUCCESS, EFI_ABORTED, "(EFI_ABORTED)" },
		{ EFI_LOAD_ERROR, EFI_LOAD_ERROR, "(EFI_LOAD_ERROR)" },
		{ EFI_OUT_OF_RESOURCES, EFI_OUT_OF_RESOURCES, "(EFI_OUT_OF_RESOURCES)" },
		/* A warning is no error, but the host does not run. */
		{ 3, EFI_ABORTED, "(EFI_ABORTED)" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			scene_init(&(struct scene_options){ .type = type, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
			fw.kernel_returns = true;
			fw.kernel_status = cases[i].status;
			(void)scene_run();
			expect_capped_after_good(cases[i].name);
			assert_int_equal(fw.status, cases[i].told);
			assert_int_equal(fw_console_count("geolaunch: the hypervisor came back"), 1);
		}
}

/* clang-format off */
static const uint8_t initrd_path[24] = {
	4, 3, 20, 0, 0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f, 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68, 0x7f, 0xff, 4, 0,
};
/* clang-format on */
static const EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static const EFI_GUID load_guid = { 0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } };

static EFI_STATUS EFIAPI load_other(void)
{
	fail_msg("the kernel took an initrd that nobody measured");
	return EFI_LOAD_ERROR;
}

static EFI_STATUS(EFIAPI *other_loader)(void) = load_other;

/* Some other loader offers an initrd already: the kernel would take that one. */
static void test_initrd_taken(void **state)
{
	(void)state;
	/* Once with a loader, once with the path alone, which is then taken too. */
	for (int with_loader = 0; with_loader <= 1; with_loader++) {
		EFI_HANDLE h = NULL;

		scene_init(&(struct scene_options){ .type = VLP_NONFATAL, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
		fw_install(&h, &path_guid, (void *)(uintptr_t)initrd_path);
		if (with_loader)
			fw_install(&h, &load_guid, &other_loader);
		(void)scene_run();
		expect_capped_after_good("(EFI_ALREADY_STARTED)");
		assert_int_equal(fw_console_count("geolaunch: the initrd cannot be offered to the kernel"), 1);
		assert_int_equal(fw.loads, 0);
	}
}

/* A launch without an initrd of its own must not get somebody else's either. */
static void test_foreign_initrd(void **state)
{
	EFI_HANDLE h = NULL;

	(void)state;
	scene_init(&(struct scene_options){ .type = VLP_NONFATAL, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
	for (unsigned i = SCENE_INITRD; i < SCENE_MODULE_COUNT; i++)
		scene_file(i)->error_at = 0;
	fw_install(&h, &path_guid, (void *)(uintptr_t)initrd_path);
	fw_install(&h, &load_guid, &other_loader);
	(void)scene_run();
	scene_expect_halted("start-failed");
	assert_int_equal(fw.loads, 0);
}

/* ---------------------------------------------------------------- ends */

static void test_poweroff(void **state)
{
	static const unsigned delays[] = { 0, 1, 5, 300 };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(delays); i++) {
		scene_init(&(struct scene_options){
			.type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256, .poweroff = true, .halt_delay = delays[i] });
		scene_file(SCENE_VMM)->error_at = 0;
		assert_int_equal(scene_run(), FW_RESET);
		scene_expect("policy m0 m1 m2 cap20:module-unreadable caps:module-unreadable");
		scene_expect_log(12);
		scene_expect_halted("module-unreadable");
		assert_int_equal(fw.stalled_us, delays[i] * UINT64_C(1000000));
	}
}

static void test_poweroff_after_start(void **state)
{
	(void)state;
	scene_init(
		&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256, .poweroff = true, .halt_delay = 7 });
	fw.kernel_returns = true;
	assert_int_equal(scene_run(), FW_RESET);
	expect_capped_after_good("(EFI_ABORTED)");
	assert_int_equal(fw.stalled_us, 7000000);
}

/* Firmware that does not switch off gets an error back. */
static void test_no_poweroff(void **state)
{
	(void)state;
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256, .poweroff = true });
	fw.rs.ResetSystem = (EFI_RESET_SYSTEM)fw_idle_reset;
	fw.kernel_returns = true;
	assert_int_equal(scene_run(), FW_RETURNED);
	expect_capped_after_good("(EFI_ABORTED)");
}

/* A boot manager may start it again in the same boot. The first try has left its caps. */
static void test_twice(void **state)
{
	(void)state;
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
	scene.tpm.nv_count = 0;
	assert_int_equal(scene_run(), FW_RETURNED);
	scene_expect(SCENE_MODULES " cap22:nv-missing caps:nv-missing");
	scene.tpm.nv_count = 1;
	for (size_t i = 0; i < fw.file_count; i++)
		fw.files[i].served = fw.files[i].opened = 0;
	assert_int_equal(scene_run(), FW_STARTED);
	scene_expect(SCENE_MODULES " cap22:nv-missing caps:nv-missing " SCENE_GOOD);
}

/* ---------------------------------------------------------------- memory */

/* What becomes of a launch when its allocation number k fails. */
static const struct {
	const char *steps;
	const char *halted; /* NULL: it goes on */
	unsigned events;
} without_memory[] = {
	{ "", "no memory to start with", 0 },
	{ "caps:start-failed", "start-failed: ", 0 },
	{ "caps:description-missing", "description-missing: ", 6 },
	{ "caps:policy-missing", "policy-missing: ", 6 },
	{ "policy caps:start-failed", "start-failed: ", 8 },
	{ "policy caps:start-failed", "start-failed: ", 8 },
	{ SCENE_GOOD, NULL, 0 },
	{ SCENE_GOOD " caps:start-failed", "start-failed: ", 15 },
};

static void test_no_memory(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		start(&(struct scene_options){ .type = type, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
		assert_int_equal(fw.allocations, GL_COUNT(without_memory));
		for (unsigned k = 0; k < GL_COUNT(without_memory); k++) {
			char line[80];

			scene_init(&(struct scene_options){ .type = type, .banks = ALG_SET_ALL, .hash = ALG_SHA256 });
			fw.fail_allocation = k + 1;
			(void)scene_run();
			scene_expect(without_memory[k].steps);
			if (!without_memory[k].halted) {
				scene_expect_started(SCENE_ALL);
				continue;
			}
			(void)snprintf(line, sizeof(line), "geolaunch: halted: %s", without_memory[k].halted);
			assert_int_equal(fw_console_count(line), 1);
			assert_int_not_equal(fw.ended, FW_STARTED);
			if (fw.ended == FW_RETURNED)
				assert_int_equal(fw.status, EFI_OUT_OF_RESOURCES);
			if (without_memory[k].events)
				scene_expect_log(without_memory[k].events);
			else
				scene_expect_no_log();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_screen),
		cmocka_unit_test(test_no_console),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_log_by_one_way_only),
		cmocka_unit_test(test_load_fails),
		cmocka_unit_test(test_image_is_no_image),
		cmocka_unit_test(test_earlier_error),
		cmocka_unit_test(test_kernel_returns),
		cmocka_unit_test(test_initrd_taken),
		cmocka_unit_test(test_foreign_initrd),
		cmocka_unit_test(test_poweroff),
		cmocka_unit_test(test_poweroff_after_start),
		cmocka_unit_test(test_no_poweroff),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("efi_app", tests, NULL, NULL);
}
