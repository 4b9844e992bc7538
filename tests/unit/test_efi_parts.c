/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of efi/, as far as whole launches do not reach into their corners. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "efi/console.h"
#include "efi/initrd.h"
#include "efi/linux.h"
#include "efi/platform.h"
#include "efi/publish.h"
#include "efi/volume.h"
#include "tboot-policy/vlp.h"

#define BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256))

static int set_up(void **state)
{
	(void)state;
	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = BANKS, .hash = ALG_SHA256 });
	return 0;
}

/* ---------------------------------------------------------------- console */

static void expect_screen(const char *text)
{
	assert_string_equal(fw.console, text);
	fw.console_n = 0;
	fw.console[0] = 0;
}

static void test_console(void **state)
{
	static const char long_line[] =
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"01234567890123456789012345678901234567890123456789012345678";

	(void)state;
	console_line(&scene.env, "");
	expect_screen("\n");
	console_line(&scene.env, "one \x1b[31m\x80\xff\t two\x7f");
	expect_screen("one ?[31m??? two?\n");
	for (size_t n = 60; n < sizeof(long_line); n++) {
		char text[sizeof(long_line)], want[sizeof(long_line) + 1];

		memcpy(text, long_line, n);
		text[n] = 0;
		(void)snprintf(want, sizeof(want), "%s\n", text);
		console_line(&scene.env, text);
		expect_screen(want);
	}
}

/* A line of progress is blanked out before the next line, to its full width. */
static void test_console_progress(void **state)
{
	char wide[400], blanks[254];

	(void)state;
	console_progress(&scene.env, "12 %");
	console_progress(&scene.env, "5 %");
	expect_screen("12 %5 %");
	console_line(&scene.env, "done");
	expect_screen("    done\n");
	console_line(&scene.env, "more");
	expect_screen("more\n");
	memset(wide, 'x', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = 0;
	console_progress(&scene.env, wide);
	expect_screen(wide);
	console_line(&scene.env, "");
	memset(blanks, ' ', 253);
	blanks[253] = 0;
	assert_int_equal(strncmp(fw.console, blanks, 253), 0);
	assert_string_equal(fw.console + 253, "\n");
}

static void test_console_status(void **state)
{
	static const struct {
		EFI_STATUS status;
		const char *text;
	} cases[] = {
		{ EFI_NOT_FOUND, "EFI_NOT_FOUND" },
		{ EFI_SECURITY_VIOLATION, "EFI_SECURITY_VIOLATION" },
		{ EFI_END_OF_FILE, "EFI_END_OF_FILE" },
		{ EFI_ALREADY_STARTED, "EFI_ALREADY_STARTED" },
		{ EFIERR(77), "EFI status 0x800000000000004d" },
		{ 5, "EFI status 0x5" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		char buf[64];
		struct text t = TEXT_OF(buf);

		console_status(cases[i].status, &t);
		assert_string_equal(buf, cases[i].text);
	}
}

/* ---------------------------------------------------------------- env */

static void test_env(void **state)
{
	UINTN pages = 77;

	(void)state;
	assert_true(env_pages(0, &pages));
	assert_int_equal(pages, 0);
	assert_true(env_pages(1, &pages));
	assert_int_equal(pages, 1);
	assert_true(env_pages(4096, &pages));
	assert_int_equal(pages, 1);
	assert_true(env_pages(4097, &pages));
	assert_int_equal(pages, 2);
	assert_true(env_pages(SIZE_MAX - 4095, &pages));
	assert_int_equal(pages, SIZE_MAX / 4096);
	assert_false(env_pages(SIZE_MAX - 4094, &pages));
	assert_false(env_pages(SIZE_MAX, &pages));
	assert_int_equal(pages, SIZE_MAX / 4096);

	scene.env.ticks_start = fw_ticks();
	scene.env.ticks_per_ms = 500;
	fw.clock_us += 999;
	assert_int_equal(env_now_us(&scene.env), 2000);
}

/* ---------------------------------------------------------------- initrd */

struct load_file2 {
	EFI_STATUS(EFIAPI *load)(struct load_file2 *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy, UINTN *size, void *buffer);
};

static struct load_file2 *find_loader(void)
{
	EFI_GUID guid = { 0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } };
	void *p = NULL;

	return EFI_ERROR(fw.bs.LocateProtocol(&guid, NULL, &p)) ? NULL : p;
}

static void test_initrd(void **state)
{
	static const struct span bytes = { (const uint8_t *)"0123456789", 10 };
	EFI_DEVICE_PATH end = { 0x7f, 0xff, { 4, 0 } };
	struct load_file2 *l;
	char room[12];
	UINTN n;

	(void)state;
	assert_null(find_loader());
	assert_true(initrd_withdraw(&scene.env));
	assert_int_equal(initrd_offer(&scene.env, (struct span){ NULL, 0 }), EFI_SUCCESS);
	assert_null(find_loader());
	assert_int_equal(initrd_offer(&scene.env, bytes), EFI_SUCCESS);
	l = find_loader();
	assert_non_null(l);
	/* As UEFI has it: the size is asked for with no buffer, or with one that is too small. */
	for (n = 0; n < 10; n++) {
		UINTN size = n;

		assert_int_equal(l->load(l, &end, FALSE, &size, n & 1 ? room : NULL), EFI_BUFFER_TOO_SMALL);
		assert_int_equal(size, 10);
	}
	n = 100;
	assert_int_equal(l->load(l, &end, FALSE, &n, NULL), EFI_BUFFER_TOO_SMALL);
	assert_int_equal(n, 10);
	for (n = 10; n <= 12; n++) {
		UINTN size = n;

		memset(room, 'x', sizeof(room));
		assert_int_equal(l->load(l, &end, FALSE, &size, room), EFI_SUCCESS);
		assert_int_equal(size, 10);
		assert_memory_equal(room, "0123456789xx", 12);
	}
	assert_int_equal(l->load(l, &end, TRUE, &n, room), EFI_UNSUPPORTED);
	assert_int_equal(l->load(NULL, &end, FALSE, &n, room), EFI_INVALID_PARAMETER);
	assert_int_equal(l->load(l, NULL, FALSE, &n, room), EFI_INVALID_PARAMETER);
	assert_int_equal(l->load(l, &end, FALSE, NULL, room), EFI_INVALID_PARAMETER);
	/* There can be one only, and that stays as it is. */
	assert_int_equal(initrd_offer(&scene.env, SPAN_LITERAL("other")), EFI_ALREADY_STARTED);
	assert_int_equal(initrd_offer(&scene.env, (struct span){ NULL, 0 }), EFI_ALREADY_STARTED);
	n = sizeof(room);
	assert_int_equal(l->load(l, &end, FALSE, &n, room), EFI_SUCCESS);
	assert_int_equal(n, 10);
	assert_true(initrd_withdraw(&scene.env));
	assert_null(find_loader());
	assert_true(initrd_withdraw(&scene.env));
	assert_int_equal(initrd_offer(&scene.env, bytes), EFI_SUCCESS);
	assert_true(initrd_withdraw(&scene.env));
}

/* Linux finds an initrd in this table, too, if it got none: then the host is not started. One of ours comes before it. */
static void test_initrd_in_table(void **state)
{
	EFI_GUID guid = { 0x5568e427, 0x68fc, 0x4f3d, { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } };
	uint64_t table[2] = { 0x1000, 0x1000 };

	(void)state;
	assert_int_equal(initrd_offer(&scene.env, (struct span){ NULL, 0 }), EFI_SUCCESS);
	assert_int_equal(fw.bs.InstallConfigurationTable(&guid, table), EFI_SUCCESS);
	assert_int_equal(initrd_offer(&scene.env, (struct span){ NULL, 0 }), EFI_ALREADY_STARTED);
	assert_int_equal(initrd_offer(&scene.env, SPAN_LITERAL("ours")), EFI_SUCCESS);
	assert_true(initrd_withdraw(&scene.env));
}

/* ---------------------------------------------------------------- kernel */

static void test_linux_cmdline(void **state)
{
	struct linux_kernel k;

	(void)state;
	assert_int_equal(linux_load(&scene.env, SPAN_LITERAL("MZ"), SPAN_LITERAL(""), false, &k), EFI_SUCCESS);
	fw.kernel_returns = true;
	assert_int_equal(linux_start(&scene.env, &k), EFI_ABORTED);
	assert_string_equal(fw.options, "");
	assert_int_equal(fw.initrd_status, EFI_NOT_FOUND);
	assert_int_equal(fw.kernel_n, 2);
	assert_memory_equal(fw.kernel, "MZ", 2);
	/* LoadOptionsSize has 32 bits. */
	assert_int_equal(linux_load(&scene.env, SPAN_LITERAL("MZ"), (struct span){ (const uint8_t *)"", UINT32_MAX / 2 }, false, &k),
		EFI_INVALID_PARAMETER);
	assert_int_equal(linux_load(&scene.env, SPAN_LITERAL("MZ"), (struct span){ (const uint8_t *)"", SIZE_MAX }, false, &k),
		EFI_INVALID_PARAMETER);
	assert_int_equal(fw.loads, 1);
	assert_null(fw.memory);
}

/* ---------------------------------------------------------------- volume */

static void test_volume_names(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		"", " ", "a b", "..\\x", "\\EFI", "a/b", "a\n", "\x80", "a\x7f",
		"0123456789012345678901234567890123456789012345678901234567890123456",
	};
	/* clang-format on */
	char name[65];
	struct volume v = { NULL };
	EFI_FILE_HANDLE f = NULL;
	uint64_t size = 77;

	(void)state;
	assert_int_equal(volume_open(&scene.env, &v), EFI_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(bad); i++)
		assert_int_equal(volume_open_file(&v, span_str(bad[i]), &f, &size), EFI_INVALID_PARAMETER);
	assert_int_equal(volume_open_file(&v, (struct span){ (const uint8_t *)"linux\0x", 7 }, &f, &size), EFI_INVALID_PARAMETER);
	assert_int_equal(volume_open_file(&v, span_str("gone"), &f, &size), EFI_NOT_FOUND);
	assert_null(f);
	assert_int_equal(size, 77);
	/* The longest name. */
	memset(name, 'n', sizeof(name) - 1);
	name[64] = 0;
	assert_int_equal(volume_open_file(&v, span_str(name), &f, &size), EFI_NOT_FOUND);
	assert_int_equal(volume_open_file(&v, SPAN_LITERAL("initrd"), &f, &size), EFI_SUCCESS);
	assert_int_equal(size, scene.modules[SCENE_INITRD].bytes.n);
	f->Close(f);
	volume_close(&v);
	volume_close(&v);
	assert_int_equal(fw.open_files, 0);
}

/* A driver that tells of more bytes than were asked for. */
static EFI_STATUS EFIAPI read_too_much(EFI_FILE_HANDLE self, UINTN *size, void *buffer)
{
	(void)self;
	(void)buffer;
	assert_int_equal(*size, 32);
	++*size;
	return EFI_SUCCESS;
}

static void test_volume_read(void **state)
{
	EFI_FILE liar = { .Read = read_too_much };
	struct volume v = { NULL };
	EFI_FILE_HANDLE f = NULL;
	uint8_t buf[32];
	uint64_t size;

	(void)state;
	assert_int_equal(volume_read(&liar, buf, sizeof(buf)), EFI_END_OF_FILE);
	assert_int_equal(volume_read(&liar, buf, 0), EFI_SUCCESS);
	fw_find_file(SCENE_FOLDER "file-0")->piece = 4;
	assert_int_equal(volume_open(&scene.env, &v), EFI_SUCCESS);
	assert_int_equal(volume_open_file(&v, SPAN_LITERAL("file-0"), &f, &size), EFI_SUCCESS);
	assert_int_equal(volume_read(f, buf, 5), EFI_SUCCESS);
	assert_int_equal(volume_read(f, buf + 5, size - 5), EFI_SUCCESS);
	assert_memory_equal(buf, scene.modules[SCENE_FILE].bytes.p, size);
	assert_int_equal(volume_read(f, buf, 1), EFI_END_OF_FILE);
	f->Close(f);
	volume_close(&v);
}

/* ---------------------------------------------------------------- publish */

#define AT_BOOT_AND_RUNTIME ((UINT32)(EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS))

static void test_publish(void **state)
{
	static const EFI_GUID guid = GEOLAUNCH_GUID;
	static const CHAR16 name[] = u"GeolaunchEventLog";
	const struct fw_variable *v;
	void *table = NULL, *first;

	(void)state;
	assert_int_equal(publish_log(&scene.env, SPAN_LITERAL("log"), &table), EFI_SUCCESS);
	assert_ptr_equal(fw_table(&guid), table);
	assert_memory_equal(table, "\x01\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0log", 19);
	assert_int_equal(fw.memory->type, EfiACPIReclaimMemory);
	first = table;
	/* Without memory the old table stays, the variable is new. */
	fw.fail_allocation = fw.allocations + 1;
	assert_int_equal(publish_log(&scene.env, SPAN_LITERAL("longer"), &table), EFI_SUCCESS);
	assert_ptr_equal(table, first);
	v = fw_variable(name, &guid);
	assert_non_null(v);
	assert_int_equal(v->attributes, AT_BOOT_AND_RUNTIME);
	assert_int_equal(v->n, 6);
	assert_memory_equal(v->data, "longer", 6);
	fw.table_status = EFI_OUT_OF_RESOURCES;
	assert_int_equal(publish_log(&scene.env, SPAN_LITERAL("longest"), &table), EFI_SUCCESS);
	assert_ptr_equal(table, first);
	fw.table_status = EFI_SUCCESS;
	assert_int_equal(publish_log(&scene.env, SPAN_LITERAL("last"), &table), EFI_SUCCESS);
	assert_ptr_equal(fw_table(&guid), table);
	assert_memory_equal((uint8_t *)table + 16, "last", 4);
	/* One table, the others were freed. */
	assert_null(fw.memory->next);
}

/* Somebody stored a log for good, so that every boot would show it. */
static void test_publish_over_stored(void **state)
{
	static EFI_GUID guid = GEOLAUNCH_GUID;
	static CHAR16 name[] = u"GeolaunchEventLog";
	static char stale[] = "stale";
	const struct fw_variable *v;
	void *table = NULL;

	(void)state;
	assert_int_equal(fw.rs.SetVariable(name, &guid, AT_BOOT_AND_RUNTIME | EFI_VARIABLE_NON_VOLATILE, 5, stale), EFI_SUCCESS);
	assert_int_equal(publish_log(&scene.env, SPAN_LITERAL("log"), &table), EFI_SUCCESS);
	v = fw_variable(name, &guid);
	assert_non_null(v);
	assert_int_equal(v->attributes, AT_BOOT_AND_RUNTIME);
	assert_int_equal(v->n, 3);
	assert_memory_equal(v->data, "log", 3);
}

/* ---------------------------------------------------------------- platform */

static void test_platform_texts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PLATFORM_STATE_COUNT; i++)
		assert_true(strlen(platform_text((enum platform_state)i)) > 10);
	assert_non_null(platform_text(PLATFORM_STATE_COUNT));
}

static struct platform platform;
static struct guard guard;

static void never(void *ctx)
{
	(void)ctx;
	fail_msg("the TPM answers");
}

static void test_platform_turns(void **state)
{
	(void)state;
	guard_open(&guard, &scene.env, never, NULL);
	assert_int_equal(platform_open(&scene.env, &guard, &platform), PLATFORM_READY);
	assert_int_equal(platform.tpm.banks, BANKS);
	assert_true(platform.holding);
	assert_int_equal(scene.registers.active, 2);
	/* What is held need not be taken. */
	assert_true(platform_take_again(&scene.env, &platform));
	assert_true(platform_give_back(&scene.env, &platform));
	assert_int_equal(scene.registers.active, 0);
	assert_true(platform_give_back(&scene.env, &platform));
	assert_int_equal(scene.registers.active, 0);
	assert_true(platform_take_again(&scene.env, &platform));
	assert_int_equal(scene.registers.active, 2);
	/* Never granted again: the firmware keeps its locality. */
	assert_true(platform_give_back(&scene.env, &platform));
	scene.registers.gate[2] = FAKE_ZEROS;
	assert_false(platform_take_again(&scene.env, &platform));
	assert_false(platform.holding);
	assert_int_equal(scene.registers.active, 0);
}

static void test_platform_not_ready(void **state)
{
	(void)state;
	scene.registers.gate[2] = FAKE_ONES;
	guard_open(&guard, &scene.env, never, NULL);
	assert_int_equal(platform_open(&scene.env, &guard, &platform), PLATFORM_LOCALITY_CLOSED);
	assert_true(platform.firmware_tpm);
	assert_false(platform_take_again(&scene.env, &platform));
	assert_true(platform_give_back(&scene.env, &platform));
	assert_int_equal(scene.registers.active, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_console, set_up),
		cmocka_unit_test_setup(test_console_progress, set_up),
		cmocka_unit_test_setup(test_console_status, set_up),
		cmocka_unit_test_setup(test_env, set_up),
		cmocka_unit_test_setup(test_initrd, set_up),
		cmocka_unit_test_setup(test_initrd_in_table, set_up),
		cmocka_unit_test_setup(test_linux_cmdline, set_up),
		cmocka_unit_test_setup(test_volume_names, set_up),
		cmocka_unit_test_setup(test_volume_read, set_up),
		cmocka_unit_test_setup(test_publish, set_up),
		cmocka_unit_test_setup(test_publish_over_stored, set_up),
		cmocka_unit_test_setup(test_platform_texts, set_up),
		cmocka_unit_test_setup(test_platform_turns, set_up),
		cmocka_unit_test_setup(test_platform_not_ready, set_up),
	};

	return cmocka_run_group_tests_name("efi_parts", tests, NULL, NULL);
}
