/* SPDX-License-Identifier: BSD-3-Clause */
/* From which folder a launch is read, and what app_run() does when it is started as \EFI\BOOT\BOOTX64.EFI with slots beside it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "efi/volume.h"
#include "tboot-policy/vlp.h"

#define A "0123456789abcdef"
#define B "fedcba9876543210"
#define SLOTS "\\EFI\\geolaunch\\slots.conf"
#define HEAD "geolaunch-slots 1\nstart removable\n"

/* ---------------------------------------------------------------- device paths */

struct path {
	uint8_t bytes[2048];
	size_t n;
};

static void add_node(struct path *p, uint8_t type, uint8_t subtype, const void *bytes, size_t n)
{
	assert_true(p->n + 4 + n <= sizeof(p->bytes));
	p->bytes[p->n++] = type;
	p->bytes[p->n++] = subtype;
	p->bytes[p->n++] = (uint8_t)(4 + n);
	p->bytes[p->n++] = (uint8_t)((4 + n) >> 8);
	memcpy(p->bytes + p->n, bytes, n);
	p->n += n;
}

/* A node's text; `end` with its zero. */
static void add_file(struct path *p, const char *text, bool end)
{
	uint8_t wide[1024];
	size_t n = strlen(text) + end;

	assert_true(2 * n <= sizeof(wide));
	for (size_t i = 0; i < n; i++) {
		wide[2 * i] = (uint8_t)text[i];
		wide[2 * i + 1] = 0;
	}
	add_node(p, MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, wide, 2 * n);
}

static void add_end(struct path *p)
{
	add_node(p, END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, "", 0);
}

static struct path own, disk;

static void started_as(const char *file)
{
	own.n = 0;
	add_file(&own, file, true);
	add_end(&own);
	fw.application_image.FilePath = (EFI_DEVICE_PATH *)(void *)own.bytes;
}

static void set_up(void)
{
	static const EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

	scene_init(&(struct scene_options){ .type = VLP_HALT, .banks = ALG_BIT(ALG_SHA256), .hash = ALG_SHA256 });
	disk.n = 0;
	add_node(&disk, 1, 1, "\x05\x06", 2);
	add_node(&disk, 4, 1, "partition", 9);
	add_end(&disk);
	fw_install(&fw.disk, &guid, disk.bytes);
	started_as("\\EFI\\BOOT\\BOOTX64.EFI");
}

/* The scene's files under another folder. */
static void move_to(const char *folder)
{
	static char paths[FW_FILES][128];

	for (size_t i = 0; i < fw.file_count; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "%s%s", folder, strrchr(fw.files[i].path, '\\'));
		fw.files[i].path = paths[i];
	}
}

static void expect_launched(void)
{
	(void)scene_run();
	scene_expect(SCENE_GOOD);
	scene_expect_started(SCENE_ALL);
}

/* ---------------------------------------------------------------- the folder */

/* Its own one, wherever that is and however the firmware puts it into nodes; what is measured does not depend on it. */
static void test_own_folder(void **state)
{
	static const struct {
		const char *file, *folder;
	} cases[] = {
		{ "\\EFI\\geolaunch\\" A "\\geolaunch.efi", "\\EFI\\geolaunch\\" A },
		{ "\\EFI\\geolaunch\\geolaunch.efi", "\\EFI\\geolaunch" },
		{ "\\efi\\GEOLAUNCH\\geolaunch.efi", "\\EFI\\geolaunch" },
		{ "\\other\\x.efi", "\\other" },
		{ "other\\x.efi", "\\other" },
		{ "\\EFI\\BOOT\\sub\\x.efi", "\\EFI\\BOOT\\sub" },
		{ "\\EFI\\BOOTS\\x.efi", "\\EFI\\BOOTS" },
		{ "\\x.efi", "" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		set_up();
		started_as(cases[i].file);
		move_to(cases[i].folder);
		expect_launched();
	}
}

static void test_nodes(void **state)
{
	(void)state;
	set_up();
	move_to("\\a\\b");
	own.n = 0;
	add_file(&own, "\\a", false);
	add_file(&own, "\\b", true);
	add_file(&own, "x.efi", true);
	add_end(&own);
	expect_launched();
}

/* Nobody tells from where, or by default: the folder for all. */
static void test_shared_folder(void **state)
{
	static const char *const files[] = { "\\EFI\\BOOT\\BOOTX64.EFI", "\\efi\\Boot\\bootx64.efi", "EFI\\BOOT\\BOOTX64.EFI" };
	char long_name[300];

	(void)state;
	for (size_t i = 0; i < GL_COUNT(files); i++) {
		set_up();
		started_as(files[i]);
		expect_launched();
	}
	set_up();
	fw.application_image.FilePath = NULL;
	expect_launched();
	/* too long, empty, of another kind, without an end, of no size */
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[0] = '\\';
	long_name[sizeof(long_name) - 1] = 0;
	set_up();
	started_as(long_name);
	expect_launched();
	set_up();
	own.n = 0;
	add_end(&own);
	expect_launched();
	set_up();
	own.n = 0;
	add_node(&own, 4, 6, "0123456789abcdef", 16);
	add_end(&own);
	expect_launched();
	set_up();
	own.n = 0;
	for (unsigned i = 0; i < 40; i++)
		add_file(&own, "\\x", true);
	add_end(&own);
	expect_launched();
	set_up();
	own.bytes[2] = 3;
	expect_launched();
}

static void test_own_folder_is_gone(void **state)
{
	(void)state;
	set_up();
	started_as("\\gone\\x.efi");
	(void)scene_run();
	scene_expect("caps:description-missing");
	scene_expect_halted("description-missing");
	assert_int_equal(fw_console_count("no folder to be opened at the place"), 1);
}

/* ---------------------------------------------------------------- slots */

/* What LoadImage() is to say to one slot's application after the other, and what StartImage() does then. */
static struct {
	EFI_STATUS load[2];
	bool handle_in_spite; /* a handle comes with the failure */
	bool launches;        /* the application is geolaunch.efi */
	EFI_STATUS returns;
	unsigned loads, starts, unloads;
	char asked[2][128];
	EFI_HANDLE image;
	struct path path;
} slot;

static EFI_STATUS EFIAPI load_image(
	BOOLEAN boot_policy, EFI_HANDLE parent, EFI_DEVICE_PATH *path, void *source, UINTN size, EFI_HANDLE *out)
{
	const uint8_t *p = (const uint8_t *)path;
	EFI_STATUS s = slot.load[slot.loads];
	size_t n;

	assert_false(boot_policy);
	assert_ptr_equal(parent, fw.application);
	assert_null(source);
	assert_int_equal(size, 0);
	/* The disk's nodes, one for the file, the end. */
	assert_memory_equal(p, disk.bytes, disk.n - 4);
	p += disk.n - 4;
	assert_int_equal(p[0], MEDIA_DEVICE_PATH);
	assert_int_equal(p[1], MEDIA_FILEPATH_DP);
	n = (size_t)p[2] | (size_t)p[3] << 8;
	assert_memory_equal(p + n, "\x7f\xff\x04\x00", 4);
	for (size_t i = 4; i < n; i += 2)
		slot.asked[slot.loads][(i - 4) / 2] = (char)p[i];
	slot.loads++;
	slot.path.n = n + 4;
	memcpy(slot.path.bytes, p, n + 4);
	if (!EFI_ERROR(s) || slot.handle_in_spite)
		*out = slot.image = fw_new_handle();
	return s;
}

static EFI_STATUS EFIAPI unload_image(EFI_HANDLE h)
{
	assert_ptr_equal(h, slot.image);
	fw_handle(h)->used = false;
	slot.unloads++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI start_image(EFI_HANDLE h, UINTN *exit_size, CHAR16 **exit_data)
{
	assert_ptr_equal(h, slot.image);
	assert_null(exit_size);
	assert_null(exit_data);
	/* Nothing of ours is open or held meanwhile. */
	assert_int_equal(fw.open_files, 0);
	assert_int_equal(scene.registers.active, 0);
	fw_handle(h)->used = false;
	slot.starts++;
	if (!slot.launches)
		return slot.returns;
	/* The kernel comes back from here on; the application is another one, from another place. */
	fw_init_images();
	fw.application_image.FilePath = (EFI_DEVICE_PATH *)(void *)slot.path.bytes;
	return app_run(&scene.env);
}

static struct fw_file *set_up_slots(const char *text)
{
	set_up();
	memset(&slot, 0, sizeof(slot));
	fw.bs.LoadImage = load_image;
	fw.bs.StartImage = start_image;
	fw.bs.UnloadImage = unload_image;
	return fw_add_file(SLOTS, span_str(text));
}

static void expect_refused(unsigned loads)
{
	(void)scene_run();
	assert_int_equal(slot.loads, loads);
	assert_int_equal(slot.starts, 0);
	scene_expect("caps:description-missing");
	scene_expect_halted("description-missing");
}

static void test_current_is_launched(void **state)
{
	struct fw_file *f;

	(void)state;
	f = set_up_slots(HEAD "current " A "\nprevious " B "\n");
	move_to("\\EFI\\geolaunch\\" A);
	f->path = SLOTS;
	slot.launches = true;
	expect_launched();
	assert_int_equal(slot.loads, 1);
	assert_string_equal(slot.asked[0], "\\EFI\\geolaunch\\" A "\\geolaunch.efi");
	assert_int_equal(fw_console_count("geolaunch: build " A), 1);
}

/* Flat files beside slots.conf are not what is launched, and a slot's own application asks no slots.conf. */
static void test_slot_is_not_left(void **state)
{
	(void)state;
	(void)set_up_slots(HEAD "current " A "\n");
	started_as("\\EFI\\geolaunch\\" B "\\geolaunch.efi");
	move_to("\\EFI\\geolaunch\\" B);
	(void)fw_add_file(SLOTS, span_str(HEAD "current " A "\n"));
	fw_init_images();
	expect_launched();
	assert_int_equal(slot.loads, 0);
}

static void test_it_came_back(void **state)
{
	static const EFI_STATUS returned[] = { EFI_SUCCESS, EFI_SECURITY_VIOLATION };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(returned); i++) {
		(void)set_up_slots(HEAD "current " A "\nprevious " B "\n");
		slot.returns = returned[i];
		assert_int_equal(scene_run(), FW_RETURNED);
		/* Its end is its own affair: nothing is measured, no other one is tried. */
		assert_int_equal(slot.loads, 1);
		scene_expect("");
		assert_int_equal(fw.status, EFI_ERROR(returned[i]) ? returned[i] : EFI_ABORTED);
		assert_int_equal(fw_console_count("halted"), 0);
	}
}

static void test_previous_is_launched(void **state)
{
	struct fw_file *f;

	(void)state;
	for (unsigned handle = 0; handle < 2; handle++) {
		f = set_up_slots(HEAD "current " A "\nprevious " B "\n");
		move_to("\\EFI\\geolaunch\\" B);
		f->path = SLOTS;
		slot.load[0] = handle ? EFI_SECURITY_VIOLATION : EFI_NOT_FOUND;
		slot.handle_in_spite = handle;
		slot.launches = true;
		expect_launched();
		assert_int_equal(slot.loads, 2);
		assert_int_equal(slot.unloads, handle);
		assert_string_equal(slot.asked[1], "\\EFI\\geolaunch\\" B "\\geolaunch.efi");
		assert_int_equal(fw_console_count("the current build cannot be loaded"), 1);
		assert_int_equal(fw_console_count("geolaunch: build " B ", the previous one"), 1);
	}
}

static void test_none_can_be_loaded(void **state)
{
	(void)state;
	(void)set_up_slots(HEAD "current " A "\nprevious " B "\n");
	slot.load[0] = slot.load[1] = EFI_NOT_FOUND;
	expect_refused(2);
	(void)set_up_slots(HEAD "current " A "\n");
	slot.load[0] = EFI_NOT_FOUND;
	expect_refused(1);
	assert_int_equal(fw_console_count("previous"), 0);
}

static void test_slots_of_nonsense(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		"", "x", HEAD, HEAD "current " A, HEAD "current 0123456789ABCDEF\n", HEAD "current ..\\..\\evil\\12345\n", HEAD "current " A "\nmore\n",
	};
	/* clang-format on */
	static char big[200];
	struct fw_file *f;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	for (size_t i = 0; i < GL_COUNT(bad); i++) {
		(void)set_up_slots(bad[i]);
		expect_refused(0);
	}
	(void)set_up_slots(big);
	expect_refused(0);
	/* It is there, but cannot be opened, asked or read: not the same as not being there. */
	f = set_up_slots(HEAD "current " A "\n");
	f->open_status = EFI_DEVICE_ERROR;
	expect_refused(0);
	f = set_up_slots(HEAD "current " A "\n");
	f->info_status = EFI_DEVICE_ERROR;
	expect_refused(0);
	f = set_up_slots(HEAD "current " A "\n");
	f->error_at = 3;
	expect_refused(0);
	f = set_up_slots(HEAD "current " A "\n");
	f->end_at = 3;
	expect_refused(0);
	f = set_up_slots(HEAD "current " A "\n");
	f->claimed_size = UINT64_MAX;
	expect_refused(0);
}

static void test_device_path_of_nonsense(void **state)
{
	(void)state;
	(void)set_up_slots(HEAD "current " A "\n");
	disk.bytes[2] = 0;
	expect_refused(0);
	/* no end in sight */
	(void)set_up_slots(HEAD "current " A "\n");
	memset(disk.bytes, 4, sizeof(disk.bytes));
	for (size_t i = 3; i < sizeof(disk.bytes); i += 4)
		disk.bytes[i] = 0;
	expect_refused(0);
	/* the volume has none */
	(void)set_up_slots(HEAD "current " A "\n");
	for (size_t i = 0; i < FW_INTERFACES; i++)
		if (fw_handle(fw.disk)->protocols[i].interface == disk.bytes)
			fw_handle(fw.disk)->protocols[i].interface = NULL;
	expect_refused(0);
}

static void test_no_memory_for_the_path(void **state)
{
	(void)state;
	(void)set_up_slots(HEAD "current " A "\n");
	/* the application's own page first, then the device path */
	fw.fail_allocation = 2;
	expect_refused(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_folder),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_shared_folder),
		cmocka_unit_test(test_own_folder_is_gone),
		cmocka_unit_test(test_current_is_launched),
		cmocka_unit_test(test_slot_is_not_left),
		cmocka_unit_test(test_it_came_back),
		cmocka_unit_test(test_previous_is_launched),
		cmocka_unit_test(test_none_can_be_loaded),
		cmocka_unit_test(test_slots_of_nonsense),
		cmocka_unit_test(test_device_path_of_nonsense),
		cmocka_unit_test(test_no_memory_for_the_path),
	};

	return cmocka_run_group_tests_name("efi_slots", tests, NULL, NULL);
}
