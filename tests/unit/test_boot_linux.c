/* SPDX-License-Identifier: BSD-3-Clause */
/* bzImage header, zero page, memory maps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/linux_params.h"
#include "boot/memory_map.h"
#include "tests/unit/boot_samples.h"

static uint8_t file[SAMPLE_BZIMAGE_SIZE];
#define FILE_SPAN ((struct span){ file, sizeof(file) })

static enum bzimage_error parse(size_t n, struct bzimage *b)
{
	uint8_t *copy = malloc(n ? n : 1);
	enum bzimage_error e;

	assert_non_null(copy);
	memcpy(copy, file, n);
	e = bzimage_parse((struct span){ copy, n }, b);
	free(copy);
	return e;
}

static void test_bzimage(void **state)
{
	struct bzimage b;

	(void)state;
	sample_bzimage(file);
	assert_int_equal(bzimage_parse(FILE_SPAN, &b), BZIMAGE_OK);
	assert_int_equal(b.protocol, 0x20f);
	assert_ptr_equal(b.header.p, file + 0x1f1);
	assert_int_equal(b.header.n, 0x26c - 0x1f1);
	assert_ptr_equal(b.kernel.p, file + 2048);
	assert_int_equal(b.kernel.n, sizeof(file) - 2048);
	assert_true(b.relocatable);
	assert_int_equal(b.alignment, 0x200000);
	assert_int_equal(b.min_alignment, 0x200000);
	assert_int_equal(b.pref_address, 0x1000000);
	assert_int_equal(b.init_size, 0x2000000);
	assert_int_equal(b.cmdline_size, 2047);
	assert_int_equal(b.initrd_max, 0x7fffffff);
	assert_int_equal(b.xloadflags, 0x7f);
}

static void test_bzimage_refused(void **state)
{
	/* clang-format off */
	static const struct {
		size_t at, width;
		uint64_t v;
		enum bzimage_error e;
	} rows[] = {
		{ 0x1fe, 2, 0x55aa, BZIMAGE_E_MAGIC }, { 0x202, 4, 0, BZIMAGE_E_MAGIC },
		{ 0x206, 2, 0x209, BZIMAGE_E_OLD }, { 0x206, 2, 0, BZIMAGE_E_OLD },
		{ 0x211, 1, 0xfe, BZIMAGE_E_LOW },
		{ 0x201, 1, 0x61, BZIMAGE_E_HEADER },
		{ 0x201, 1, 0xff, BZIMAGE_OK },         /* longer than we know: the rest is not copied */
		{ 0x1f1, 1, 15, BZIMAGE_E_SIZE }, { 0x1f1, 1, 255, BZIMAGE_E_SIZE }, { 0x1f4, 4, 0, BZIMAGE_E_SIZE },
		{ 0x1f4, 4, 0xffffffff, BZIMAGE_E_SIZE }, { 0x1f4, 4, 385, BZIMAGE_E_SIZE }, { 0x1f4, 4, 384, BZIMAGE_OK },
		{ 0x230, 4, 0, BZIMAGE_E_ALIGNMENT }, { 0x230, 4, 0x300000, BZIMAGE_E_ALIGNMENT }, { 0x230, 4, 0x100000, BZIMAGE_E_ALIGNMENT },
		{ 0x235, 1, 32, BZIMAGE_E_ALIGNMENT }, { 0x235, 1, 255, BZIMAGE_E_ALIGNMENT },
		{ 0x260, 4, SAMPLE_BZIMAGE_SIZE - 2048 - 1, BZIMAGE_E_INIT_SIZE }, { 0x260, 4, 0xffffffff, BZIMAGE_E_INIT_SIZE },
		{ 0x258, 8, 0x100000000, BZIMAGE_E_INIT_SIZE },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct bzimage b;

		sample_bzimage(file);
		sample_put(file, rows[i].at, rows[i].v, rows[i].width);
		if (parse(sizeof(file), &b) != rows[i].e)
			fail_msg("row %zu: %s", i, bzimage_strerror(parse(sizeof(file), &b)));
	}
	sample_bzimage(file);
	for (size_t n = 0; n < sizeof(file) - 15; n += n < 0x270 ? 1 : 101) {
		struct bzimage b;

		assert_int_not_equal(parse(n, &b), BZIMAGE_OK);
	}
	/* 0 setup sectors mean 4; protocol 2.11 has no xloadflags */
	struct bzimage b;

	sample_put(file, 0x1f1, 0, 1);
	sample_put(file, 0x1f4, 10, 4);
	sample_put(file, 0x206, 0x20b, 2);
	assert_int_equal(bzimage_parse(FILE_SPAN, &b), BZIMAGE_OK);
	assert_ptr_equal(b.kernel.p, file + 5 * 512);
	assert_int_equal(b.xloadflags, 0);
}

static const struct linux_e820 e820[] = { { 0, 0x9f000, 1 }, { 0x100000, 0x3ff00000, 1 }, { 0xfed20000, 0x20000, 2 } };

static void test_params(void **state)
{
	static uint8_t page[LINUX_PARAMS_SIZE + 1];
	const struct linux_efi efi = { true, 0x123456789a, 0x1fedcba98, 960, 48, 1 };
	const struct linux_screen screen = { .address = 0x180000000,
		.size = 3145728,
		.width = 1024,
		.height = 768,
		.pitch = 4096,
		.depth = 32,
		.efi = true,
		.red = { 16, 8 },
		.green = { 8, 8 },
		.blue = { 0, 8 },
		.reserved = { 24, 8 } };
	struct bzimage b;
	/* clang-format off */
	struct linux_params p = {
		.image = &b, .load_address = 0x1000000, .cmdline = 0x90000, .initrd = 0x8000000, .initrd_size = 0x123456, .e820 = e820,
		.e820_count = GL_COUNT(e820), .efi = &efi, .screen = &screen, .tboot = 0x803000, .rsdp = 0xf0010,
	};
	/* clang-format on */

	(void)state;
	sample_bzimage(file);
	assert_int_equal(bzimage_parse(FILE_SPAN, &b), BZIMAGE_OK);
	memset(page, 0xa5, sizeof(page));
	assert_true(linux_params_write(&p, (struct mspan){ page, LINUX_PARAMS_SIZE }));
	assert_int_equal(page[LINUX_PARAMS_SIZE], 0xa5);
	/* clang-format off */
	static const struct {
		size_t at, width;
		uint64_t v;
	} rows[] = {
		{ 0x00f, 1, 0x70 }, { 0x012, 2, 1024 }, { 0x014, 2, 768 }, { 0x016, 2, 32 }, { 0x018, 4, 0x80000000 }, { 0x01c, 4, 3145728 },
		{ 0x024, 2, 4096 }, { 0x026, 1, 8 }, { 0x027, 1, 16 }, { 0x02b, 1, 0 }, { 0x02c, 1, 8 }, { 0x02d, 1, 24 }, { 0x036, 4, 2 },
		{ 0x03a, 4, 1 }, { 0x058, 8, 0x803000 }, { 0x070, 8, 0xf0010 }, { 0x1c0, 4, 0x34364c45 }, { 0x1c4, 4, 0x3456789a },
		{ 0x1c8, 4, 48 }, { 0x1cc, 4, 1 }, { 0x1d0, 4, 0xfedcba98 }, { 0x1d4, 4, 960 }, { 0x1d8, 4, 0x12 }, { 0x1dc, 4, 1 },
		{ 0x1e0, 4, 0x3ff00000 / 1024 }, { 0x1e8, 1, 3 }, { 0x1ef, 1, 0 }, { 0x1f1, 1, 3 }, { 0x202, 4, 0x53726448 },
		{ 0x206, 2, 0x20f }, { 0x210, 1, 0xff }, { 0x211, 1, 1 }, { 0x214, 4, 0x1000000 }, { 0x218, 4, 0x8000000 },
		{ 0x21c, 4, 0x123456 }, { 0x228, 4, 0x90000 }, { 0x260, 4, 0x2000000 }, { 0x26c, 8, 0 }, { 0x2d0, 8, 0 }, { 0x2d8, 8, 0x9f000 },
		{ 0x2e0, 4, 1 }, { 0x2d0 + 40, 8, 0xfed20000 }, { 0x2d0 + 56, 4, 2 }, { 0x2d0 + 60, 8, 0 },
	};
	/* clang-format on */
	for (size_t i = 0; i < GL_COUNT(rows); i++)
		if (sample_get(page, rows[i].at, rows[i].width) != rows[i].v)
			fail_msg("offset 0x%zx: 0x%llx", rows[i].at, (unsigned long long)sample_get(page, rows[i].at, rows[i].width));
}

static void test_params_refused(void **state)
{
	static uint8_t page[LINUX_PARAMS_SIZE];
	static struct linux_e820 many[LINUX_E820_MAX + 1];
	struct bzimage b;
	const struct linux_params good = {
		.image = &b, .e820 = many, .e820_count = LINUX_E820_MAX, .initrd = 0x7ffff000, .initrd_size = 0x1000
	};
	struct linux_params p = good;

	(void)state;
	sample_bzimage(file);
	assert_int_equal(bzimage_parse(FILE_SPAN, &b), BZIMAGE_OK);
	assert_true(linux_params_write(&p, (struct mspan){ page, sizeof(page) }));
	memset(page, 0xa5, sizeof(page));
	assert_false(linux_params_write(&p, (struct mspan){ page, sizeof(page) - 1 }));
	p.initrd_size++;
	assert_false(linux_params_write(&p, (struct mspan){ page, sizeof(page) }));
	p.initrd = 0x80000000;
	p.initrd_size = 1;
	assert_false(linux_params_write(&p, (struct mspan){ page, sizeof(page) }));
	p.initrd = 0x1000;
	p.initrd_size = UINT32_MAX;
	assert_false(linux_params_write(&p, (struct mspan){ page, sizeof(page) }));
	p = good;
	p.e820_count = 0;
	assert_false(linux_params_write(&p, (struct mspan){ page, sizeof(page) }));
	p.e820_count = LINUX_E820_MAX + 1;
	assert_false(linux_params_write(&p, (struct mspan){ page, sizeof(page) }));
	for (size_t i = 0; i < sizeof(page); i++)
		assert_int_equal(page[i], 0xa5);
}

/* ---------------------------------------------------------------- memory maps */

/* clang-format off */
static const struct mb2_memory map[] = {
	{ 0, 0x9f000, 1 }, { 0x9f000, 0x61000, 2 }, { 0x100000, 0x700000, 1 }, { 0x800000, 0x8000, 4 }, { 0x808000, 0x3000000, 1 },
	{ 0x100000000, 0x40000000, 1 },
};
/* clang-format on */

static void test_find(void **state)
{
	static const struct {
		struct memory_request r;
		uint64_t at; /* 0: none */
	} rows[] = {
		{ { 0x1000, 0x1000, 1, UINT32_MAX, false }, 0x1000 },
		{ { 0x1000, 0x1000, 0, UINT32_MAX, true }, 0x3807000 },
		{ { 0x200000, 0x200000, 0x200000, UINT32_MAX, true }, 0x3600000 },
		{ { 0x200000, 0x200000, 0, UINT32_MAX, false }, 0x200000 },
		{ { 0x200000, 0x200000, 0, 0x7fffff, true }, 0x600000 },
		{ { 0x200000, 0x200000, 0, 0x7ffffe, true }, 0x400000 },
		{ { 0x700000, 0x100000, 0, 0x7fffff, false }, 0x100000 },
		{ { 0x700001, 0x100000, 0, 0x7fffff, false }, 0 },
		{ { 0x3000000, 1, 0, UINT32_MAX, false }, 0x808000 },
		{ { 0x3000001, 1, 0, UINT32_MAX, false }, 0 },
		{ { 0x3000000, 0x1000000, 0, UINT64_MAX, false }, 0x100000000 },
		{ { 0x1000, 0x1000, 0, UINT64_MAX, true }, 0x13ffff000 },
		{ { 0x1000, 0x1000, 0x9f000, 0xfffff, false }, 0 },
		{ { 0, 0x1000, 1, UINT32_MAX, false }, 0 },
		{ { 1, 3, 1, UINT32_MAX, false }, 0 },
		{ { 1, 0, 1, UINT32_MAX, false }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		uint64_t at = 0;
		bool found = memory_find(map, GL_COUNT(map), &rows[i].r, &at);

		if (found != (rows[i].at != 0) || at != rows[i].at)
			fail_msg("row %zu: 0x%llx", i, (unsigned long long)at);
	}
}

static void test_basic(void **state)
{
	static const struct mb2_memory split[] = { { 0x1000, 0x1000, 1 }, { 0x2000, 0x1000, 1 }, { 0x3000, 0x1000, 2 } };
	uint32_t lower, upper;

	(void)state;
	memory_basic(map, GL_COUNT(map), &lower, &upper);
	assert_int_equal(lower, 0x9f000 / 1024);
	assert_int_equal(upper, 0x700000 / 1024);
	memory_basic(split, GL_COUNT(split), &lower, &upper);
	assert_int_equal(lower, 0);
	assert_int_equal(upper, 0);
}

static void test_strings(void **state)
{
	(void)state;
	for (enum bzimage_error e = 0; e < BZIMAGE_ERROR_COUNT; e++)
		assert_true(strlen(bzimage_strerror(e)) > 5);
	assert_non_null(bzimage_strerror((enum bzimage_error) - 1));
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bzimage), cmocka_unit_test(test_bzimage_refused), cmocka_unit_test(test_params),
		cmocka_unit_test(test_params_refused), cmocka_unit_test(test_find), cmocka_unit_test(test_basic),
		cmocka_unit_test(test_strings),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
