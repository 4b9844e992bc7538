/* SPDX-License-Identifier: BSD-3-Clause */
/* efi/core/launch.c behind its operations: limits, sizes, time. Whole launches are in test_efi_*.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "efi/core/launch.h"

#define FILE_LIMIT (UINT64_C(4) * 1024 * 1024 * 1024 - 4096)
#define PIECE (256 * 1024)

struct file {
	const char *name;
	struct span bytes;
	uint64_t size; /* as told */
	size_t at;
	bool open;
	unsigned opened;
};

static struct {
	struct file files[8];
	size_t file_count;
	size_t asked; /* of the largest allocation */
	unsigned allocations, fail_allocation;
	void *memory[16];
	size_t memory_count;
	size_t largest_read;
	unsigned extends;
	uint64_t now_us, read_us;
	char text[16384];
	size_t text_n;
} fake;

static struct launch l;

static enum launch_io op_open(void *ctx, struct span name, void **file, uint64_t *size)
{
	(void)ctx;
	for (size_t i = 0; i < fake.file_count; i++) {
		struct file *f = &fake.files[i];

		if (!span_is_str(name, f->name))
			continue;
		assert_false(f->open);
		f->open = true;
		f->opened++;
		*file = f;
		*size = f->size;
		return LAUNCH_IO_OK;
	}
	return LAUNCH_IO_MISSING;
}

static enum launch_io op_read(void *ctx, struct span name, void *file, uint8_t *buf, size_t n)
{
	struct file *f = file;

	(void)ctx;
	assert_true(span_is_str(name, f->name));
	assert_true(f->open);
	assert_true(n > 0);
	if (n > fake.largest_read)
		fake.largest_read = n;
	fake.now_us += fake.read_us;
	if (n > f->bytes.n - f->at)
		return LAUNCH_IO_ERROR;
	memcpy(buf, f->bytes.p + f->at, n);
	f->at += n;
	return LAUNCH_IO_OK;
}

static void op_io_text(void *ctx, struct text *t)
{
	(void)ctx;
	text_str(t, "the reason");
}

static void op_close(void *ctx, void *file)
{
	struct file *f = file;

	(void)ctx;
	assert_true(f->open);
	f->open = false;
}

static uint8_t *op_alloc(void *ctx, size_t n)
{
	void *p;

	(void)ctx;
	assert_true(n > 0);
	fake.allocations++;
	if (n > fake.asked)
		fake.asked = n;
	if (fake.allocations == fake.fail_allocation || n > 64 * 1024 * 1024)
		return NULL;
	/* Exactly as large as asked for, so that the sanitizer sees a byte too many. */
	p = malloc(n);
	assert_non_null(p);
	fake.memory[fake.memory_count++] = p;
	return p;
}

static void say(const char *text, char end)
{
	size_t n = strlen(text);

	assert_true(fake.text_n + n + 2 < sizeof(fake.text));
	memcpy(fake.text + fake.text_n, text, n);
	fake.text_n += n;
	fake.text[fake.text_n++] = end;
	fake.text[fake.text_n] = 0;
}

static void op_line(void *ctx, const char *text)
{
	(void)ctx;
	say(text, '\n');
}

static void op_progress(void *ctx, const char *text)
{
	(void)ctx;
	say(text, '\r');
}

static uint64_t op_now_us(void *ctx)
{
	(void)ctx;
	return ++fake.now_us;
}

static bool op_extend(void *ctx, unsigned pcr, uint32_t type, struct span name, const struct digests *d)
{
	(void)ctx;
	(void)pcr;
	(void)type;
	(void)name;
	(void)d;
	fake.extends++;
	fake.now_us += 1000000;
	return true;
}

static bool op_read_pcrs(void *ctx, struct pcrs *out)
{
	(void)ctx;
	pcrs_reset_dynamic(out, ALG_SET_ALL, false);
	return true;
}

static enum apply_nv_status op_read_nv(void *ctx, uint32_t index, struct mspan buf, size_t *n)
{
	(void)ctx;
	(void)index;
	(void)buf;
	(void)n;
	return APPLY_NV_MISSING;
}

/* clang-format off */
static const struct launch_ops ops = {
	.open = op_open, .read = op_read, .io_text = op_io_text, .close = op_close, .alloc = op_alloc, .line = op_line, .progress = op_progress, .now_us = op_now_us,
	.tpm = { .extend = op_extend, .read_pcrs = op_read_pcrs, .read_nv = op_read_nv },
};
/* clang-format on */

static struct file *add(const char *name, struct span bytes)
{
	struct file *f = &fake.files[fake.file_count++];

	*f = (struct file){ .name = name, .bytes = bytes, .size = bytes.n };
	return f;
}

static uint8_t kernel[3 * PIECE + 5];

/* A halting, SHA-256 policy that takes any module. */
static const uint8_t policy[] = { 2, 2, 0x0b, 1, 0, 0, 0, 0, 0, 0, 0, 1, 129, 19, 0, 0, 0, 0, 0, 0 };
static const char conf[] =
	"geolaunch 1\nmode direct\npolicy policy\non-halt return\nhalt-delay 0\n"
	"module hypervisor\nfile linux\nmodule initrd\nfile initrd\nmodule vmm\nfile vmm\npath /vmm\nmode 0755\nend\n";
static struct file *linux_file, *initrd_file, *vmm_file;

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&l, 0, sizeof(l));
	l.ops = &ops;
	add("launch.conf", span_str(conf));
	add("policy", SPAN_OF(policy));
	linux_file = add("linux", SPAN_OF(kernel));
	initrd_file = add("initrd", SPAN_LITERAL("initrd"));
	vmm_file = add("vmm", SPAN_LITERAL("the VM manager"));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < fake.memory_count; i++)
		free(fake.memory[i]);
	for (size_t i = 0; i < fake.file_count; i++)
		if (fake.files[i].open)
			return -1;
	return 0;
}

static enum vlp_action launch(alg_set banks)
{
	assert_int_equal(launch_prepare(&l), LAUNCH_PREPARED);
	return launch_measure(&l, banks);
}

/* ---------------------------------------------------------------- sizes */

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(launch(ALG_SET_ALL), VLP_ACT_CONTINUE);
	assert_true(span_equal(launch_image(&l, ROLE_HYPERVISOR), SPAN_OF(kernel)));
	assert_int_equal(launch_cmdline(&l, ROLE_HYPERVISOR).n, 0);
	assert_memory_equal(launch_initrd(&l).p,
		"initrd\0\0"
		"070701",
		14);
	assert_int_equal(fake.largest_read, PIECE);
	for (size_t i = 0; i < fake.file_count; i++)
		assert_int_equal(fake.files[i].opened, 1);
	/* Two of policy, module 0 twice as the entry for any has a PCR, three modules, closing. */
	assert_int_equal(fake.extends, 8);
	assert_true(l.tpm_us >= 8 * 1000000 && l.tpm_us < 8 * 1000000 + 100);
}

static void test_unmeasured(void **state)
{
	(void)state;
	assert_int_equal(launch(0), VLP_ACT_CONTINUE);
	assert_true(span_equal(launch_image(&l, ROLE_HYPERVISOR), SPAN_OF(kernel)));
	assert_int_equal(fake.extends, 0);
	assert_false(l.measured);
	assert_non_null(strstr(fake.text, "  PCR --  module 1 hypervisor linux "));
}

/* A file of the largest size is asked for, a byte more is an error of that file. */
static void test_file_limit(void **state)
{
	struct file *const files[] = { linux_file, initrd_file, vmm_file };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(files); i++)
		for (int over = 0; over <= 1; over++) {
			assert_int_equal(tear_down(state), 0);
			(void)set_up(state);
			files[i]->size = FILE_LIMIT + (uint64_t)over;
			assert_int_equal(launch(ALG_SET_ALL), VLP_ACT_HALT);
			assert_int_equal(l.apply.why, over ? CAP_MODULE_UNREADABLE : CAP_START_FAILED);
			if (!over)
				assert_true(fake.asked >= FILE_LIMIT);
			else
				assert_true(fake.asked <= sizeof(kernel));
		}
}

static void test_empty_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		enum launch_prepared p;

		assert_int_equal(tear_down(state), 0);
		(void)set_up(state);
		fake.files[i].size = 0;
		p = launch_prepare(&l);
		if (i < 2) {
			assert_int_equal(p, i ? LAUNCH_NO_POLICY : LAUNCH_NO_DESCRIPTION);
			continue;
		}
		assert_int_equal(p, LAUNCH_PREPARED);
		assert_int_equal(launch_measure(&l, ALG_SET_ALL), VLP_ACT_HALT);
		assert_int_equal(l.apply.why, CAP_MODULE_UNREADABLE);
	}
}

/* Description and policy: 64 KiB are read (and are then no description or policy), a byte more is not. */
static void test_small_file_limit(void **state)
{
	static uint8_t large[65537];

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (size_t over = 0; over <= 1; over++) {
			assert_int_equal(tear_down(state), 0);
			(void)set_up(state);
			fake.files[i].bytes = (struct span){ large, 65536 + over };
			fake.files[i].size = 65536 + over;
			assert_int_equal(launch_prepare(&l),
				over ? (i ? LAUNCH_NO_POLICY : LAUNCH_NO_DESCRIPTION) : (i ? LAUNCH_BAD_POLICY : LAUNCH_BAD_DESCRIPTION));
			assert_int_equal(fake.files[i].at, over ? 0 : 65536);
		}
}

static void test_no_memory(void **state)
{
	(void)state;
	assert_int_equal(launch(ALG_SET_ALL), VLP_ACT_CONTINUE);
	assert_int_equal(fake.allocations, 4);
	for (unsigned k = 1; k <= 4; k++) {
		enum launch_prepared p;

		assert_int_equal(tear_down(state), 0);
		(void)set_up(state);
		fake.fail_allocation = k;
		p = launch_prepare(&l);
		assert_int_equal(p, k == 1 ? LAUNCH_NO_DESCRIPTION : k == 2 ? LAUNCH_NO_POLICY : LAUNCH_PREPARED);
		if (p != LAUNCH_PREPARED)
			continue;
		assert_int_equal(launch_measure(&l, ALG_SET_ALL), VLP_ACT_HALT);
		assert_int_equal(l.apply.why, CAP_START_FAILED);
	}
}

static void test_caps(void **state)
{
	(void)state;
	assert_int_equal(launch_cap(LAUNCH_NO_DESCRIPTION), CAP_DESCRIPTION_MISSING);
	assert_int_equal(launch_cap(LAUNCH_BAD_DESCRIPTION), CAP_DESCRIPTION_INVALID);
	assert_int_equal(launch_cap(LAUNCH_NO_POLICY), CAP_POLICY_MISSING);
	assert_int_equal(launch_cap(LAUNCH_BAD_POLICY), CAP_POLICY_INVALID);
	assert_int_equal(launch_cap(LAUNCH_PREPARED_COUNT), CAP_POLICY_INVALID);
}

/* ---------------------------------------------------------------- what is shown */

static unsigned count(const char *text)
{
	unsigned n = 0;

	for (const char *at = fake.text; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/* Four pieces of the kernel: 0.3 s each are not worth a line until a second has passed. */
static void test_progress(void **state)
{
	static const struct {
		uint64_t read_us;
		unsigned lines;
		const char *first;
	} cases[] = {
		{ 100, 0, NULL },
		{ 249000, 0, NULL },
		{ 300000, 1, "  reading linux 100 % of 768.0 KiB\r" },
		{ 350000, 2, "  reading linux 99 % of 768.0 KiB\r" },
		{ 600000, 3, "  reading linux 66 % of 768.0 KiB\r" },
		{ 1000000, 4, "  reading linux 33 % of 768.0 KiB\r" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		assert_int_equal(tear_down(state), 0);
		(void)set_up(state);
		fake.read_us = cases[i].read_us;
		assert_int_equal(launch(ALG_SET_ALL), VLP_ACT_CONTINUE);
		assert_int_equal(count("  reading linux "), cases[i].lines);
		assert_true(l.read_us >= cases[i].read_us * 8 && l.read_us < cases[i].read_us * 8 + 100);
		if (cases[i].lines) {
			const char *at = strstr(fake.text, "  reading linux ");

			assert_int_equal(strncmp(at, cases[i].first, strlen(cases[i].first)), 0);
			assert_int_equal(count("  reading linux 100 % of 768.0 KiB\r"), 1);
		}
	}
}

/* Not more than four lines a second. */
static void test_progress_rate(void **state)
{
	static uint8_t large[40 * PIECE];

	(void)state;
	linux_file->bytes = SPAN_OF(large);
	linux_file->size = sizeof(large);
	fake.read_us = 100000;
	assert_int_equal(launch(ALG_SET_ALL), VLP_ACT_CONTINUE);
	/* From 1 s to 4 s, every third piece, and the end. */
	assert_in_range(count("  reading linux "), 11, 12);
	assert_int_equal(count("  reading linux 100 % of 10.0 MiB\r"), 1);
}

static void test_pcrs_shown(void **state)
{
	static struct pcrs p;

	(void)state;
	pcrs_reset_dynamic(&p, ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA512), false);
	p.known[ALG_SHA1] &= ~(UINT32_C(1) << 20);
	launch_print_pcrs(&l, &p);
	assert_int_equal(count(" PCR "), 11);
	assert_int_equal(count("  sha1 PCR 20 "), 0);
	assert_int_equal(count("  sha1 PCR 17 ffffffffffffffffffffffffffffffffffffffff\n"), 1);
	assert_int_equal(count("  sha512 PCR 22 "), 1);
	assert_int_equal(count("sha256"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unmeasured, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_file_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_small_file_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_caps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_progress, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_progress_rate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pcrs_shown, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
