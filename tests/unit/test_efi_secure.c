/* SPDX-License-Identifier: BSD-3-Clause */
/* Secure Boot: where the launch description comes from, and who may run without a signature of his own. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "efi/machine.h"
#include "efi/vouch.h"
#include "tboot-policy/vlp.h"

#define INSIDE "geolaunch: launch description and policy are those in geolaunch.efi"

static void set_up(uint8_t type, enum alg hash)
{
	scene_init(&(struct scene_options){ .type = type, .banks = ALG_SET_ALL, .hash = hash });
}

/* Secure Boot, with firmware that finds no signature on the kernel. */
static void secure(EFI_STATUS authentication)
{
	static CHAR16 name[] = u"SecureBoot";
	EFI_GUID guid = EFI_GLOBAL_VARIABLE;
	UINT8 on = 1;

	assert_int_equal(fw.rs.SetVariable(name, &guid, 6, 1, &on), EFI_SUCCESS);
	fw_add_security(authentication);
}

static void embed(void)
{
	sample_pe_application(scene.modules[SCENE_CONF].bytes, scene.policy, (struct mspan){ fw.application_memory, SAMPLE_PE_MEMORY });
}

/* The files on the volume say something else; nobody may even open them. */
static void spoil_files(void)
{
	fw_find_file(SCENE_FOLDER "launch.conf")->bytes = SPAN_LITERAL("geolaunch 2\n");
	fw_find_file(SCENE_FOLDER "policy.vlp")->bytes = SPAN_LITERAL("none");
}

static void expect_files_untouched(void)
{
	assert_int_equal(fw_find_file(SCENE_FOLDER "launch.conf")->served, 0);
	assert_int_equal(fw_find_file(SCENE_FOLDER "policy.vlp")->served, 0);
}

static void test_embedded_counts(void **state)
{
	(void)state;
	for (unsigned on = 0; on < 2; on++) {
		set_up(VLP_HALT, ALG_SHA256);
		embed();
		spoil_files();
		if (on)
			secure(EFI_SECURITY_VIOLATION);
		(void)scene_run();
		/* The same measurements as from files. */
		scene_expect(SCENE_GOOD);
		scene_expect_log(scene_count(SCENE_GOOD));
		scene_expect_started(SCENE_ALL);
		expect_files_untouched();
		assert_int_equal(fw_console_count(INSIDE), 1);
		assert_int_equal(fw.authentications, on);
		assert_true(!on || fw_security_is_own());
	}
}

static void test_unsigned_is_refused(void **state)
{
	(void)state;
	for (unsigned type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		set_up((uint8_t)type, ALG_SHA256);
		secure(EFI_SUCCESS);
		(void)scene_run();
		scene_expect("caps:description-unsigned");
		scene_expect_halted("description-unsigned");
		expect_files_untouched();
		assert_int_equal(fw.loads, 0);
		assert_int_equal(fw_console_count("Secure Boot is on, and no signature covers this file"), 1);
	}
}

/* Sections that are there but not as they should be never lead back to the files. */
static void test_damaged_is_refused(void **state)
{
	(void)state;
	for (unsigned what = 0; what < 4; what++) {
		set_up(VLP_NONFATAL, ALG_SHA256);
		embed();
		switch (what) {
		case 0: /* the policy has another name */
			fw.application_memory[SAMPLE_PE_TABLE + 120 + 1] ^= 1;
			break;
		case 1:
			fw.application_memory[0] = 'X';
			break;
		case 2:
			fw.application_image.ImageBase = NULL;
			break;
		default:
			fw.application_image.ImageSize = 0x300;
		}
		(void)scene_run();
		scene_expect("caps:description-invalid");
		scene_expect_halted("description-invalid");
		assert_int_equal(fw_console_count("geolaunch: geolaunch.efi in memory: "), 1);
	}
}

/* The sections are whole, what is in them is not. */
static void test_embedded_is_parsed(void **state)
{
	static const struct span conf = { (const uint8_t *)"geolaunch 2\n", 12 };

	(void)state;
	set_up(VLP_NONFATAL, ALG_SHA256);
	sample_pe_application(conf, scene.policy, (struct mspan){ fw.application_memory, SAMPLE_PE_MEMORY });
	(void)scene_run();
	scene_expect_halted("description-invalid");
	set_up(VLP_NONFATAL, ALG_SHA256);
	sample_pe_application(scene.modules[SCENE_CONF].bytes, conf, (struct mspan){ fw.application_memory, SAMPLE_PE_MEMORY });
	(void)scene_run();
	scene_expect_halted("policy-invalid");
}

static void expect_not_vouched_for(void)
{
	(void)scene_run();
	assert_int_equal(fw.authentications, 1);
	assert_int_equal(fw.starts, 0);
	assert_true(fw_security_is_own());
	scene_expect_halted("start-failed");
	assert_int_equal(fw_console_count("the firmware does not accept the hypervisor image"), 1);
}

/* Only what the signed policy names by a strong digest gets past the firmware, and only under Secure Boot. */
static void test_who_is_vouched_for(void **state)
{
	static uint8_t other[64];

	(void)state;
	/* another kernel, and a policy that lets it pass */
	set_up(VLP_NONFATAL, ALG_SHA256);
	embed();
	secure(EFI_SECURITY_VIOLATION);
	scene_file(SCENE_LINUX)->bytes = SPAN_OF(other);
	expect_not_vouched_for();
	/* ... but its own signature is good */
	set_up(VLP_NONFATAL, ALG_SHA256);
	embed();
	secure(EFI_SUCCESS);
	scene_file(SCENE_LINUX)->bytes = SPAN_OF(other);
	assert_int_equal(scene_run(), FW_STARTED);
	/* the right one, named by SHA-1 */
	set_up(VLP_NONFATAL, ALG_SHA1);
	embed();
	secure(EFI_SECURITY_VIOLATION);
	expect_not_vouched_for();
	/* no Secure Boot: whatever the firmware has against it is none of ours to overrule */
	set_up(VLP_HALT, ALG_SHA256);
	embed();
	fw_add_security(EFI_ACCESS_DENIED);
	expect_not_vouched_for();
	/* firmware without the protocol */
	set_up(VLP_HALT, ALG_SHA256);
	embed();
	secure(EFI_SUCCESS);
	fw.has_security = false;
	fw.load_status = EFI_SECURITY_VIOLATION;
	(void)scene_run();
	scene_expect_halted("start-failed");
	assert_int_equal(fw.starts, 0);
}

typedef EFI_STATUS(EFIAPI *authenticate_fn)(const void *self, const void *path, void *file, UINTN size, BOOLEAN boot_policy);

/* For these bytes at this address and of this size alone; and everything is as it was afterwards. */
static void test_vouch(void **state)
{
	EFI_GUID guid = { 0x94ab2f58, 0x1438, 0x4ef1, { 0x91, 0x52, 0x18, 0x94, 0x1a, 0x3a, 0x0e, 0x68 } };
	static uint8_t image[64], copy[64];
	authenticate_fn *protocol = NULL;

	(void)state;
	set_up(VLP_HALT, ALG_SHA256);
	vouch_end();
	vouch_begin(&scene.env, SPAN_OF(image)); /* no such protocol */
	vouch_end();
	fw_add_security(EFI_SECURITY_VIOLATION);
	assert_int_equal(fw.bs.LocateProtocol(&guid, NULL, (void **)&protocol), EFI_SUCCESS);
	vouch_begin(&scene.env, SPAN_OF(image));
	assert_false(fw_security_is_own());
	assert_int_equal((*protocol)(protocol, "path", image, sizeof(image), FALSE), EFI_SUCCESS);
	assert_int_equal((*protocol)(protocol, "path", image, sizeof(image) - 1, FALSE), EFI_SECURITY_VIOLATION);
	assert_int_equal((*protocol)(protocol, "path", image + 1, sizeof(image), FALSE), EFI_SECURITY_VIOLATION);
	assert_int_equal((*protocol)(protocol, "path", copy, sizeof(copy), FALSE), EFI_SECURITY_VIOLATION);
	/* The firmware was asked each time, so it can measure. */
	assert_int_equal(fw.authentications, 4);
	vouch_end();
	vouch_end();
	assert_true(fw_security_is_own());
	assert_int_equal((*protocol)(protocol, "path", image, sizeof(image), FALSE), EFI_SECURITY_VIOLATION);
}

static EFI_STATUS EFIAPI broken_variables(CHAR16 *name, EFI_GUID *guid, UINT32 *attributes, UINTN *size, void *data)
{
	(void)name, (void)guid, (void)attributes, (void)size, (void)data;
	return EFI_DEVICE_ERROR;
}

/* What cannot be told counts as on. */
static void test_is_it_on(void **state)
{
	static CHAR16 name[] = u"SecureBoot";
	static const struct {
		UINTN n;
		UINT8 bytes[2];
		bool on;
	} rows[] = { { 1, { 0 }, false }, { 1, { 1 }, true }, { 1, { 2 }, true }, { 2, { 0, 0 }, true }, { 0, { 0 }, false } };
	EFI_GUID guid = EFI_GLOBAL_VARIABLE;

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		set_up(VLP_HALT, ALG_SHA256);
		if (rows[i].n) {
			UINT8 bytes[2] = { rows[i].bytes[0], rows[i].bytes[1] };

			assert_int_equal(fw.rs.SetVariable(name, &guid, 6, rows[i].n, bytes), EFI_SUCCESS);
		}
		assert_int_equal(machine_secure_boot(&scene.env), rows[i].on);
	}
	fw.rs.GetVariable = broken_variables;
	assert_true(machine_secure_boot(&scene.env));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embedded_counts),
		cmocka_unit_test(test_unsigned_is_refused),
		cmocka_unit_test(test_damaged_is_refused),
		cmocka_unit_test(test_embedded_is_parsed),
		cmocka_unit_test(test_who_is_vouched_for),
		cmocka_unit_test(test_vouch),
		cmocka_unit_test(test_is_it_on),
	};

	return cmocka_run_group_tests_name("efi secure boot", tests, NULL, NULL);
}
