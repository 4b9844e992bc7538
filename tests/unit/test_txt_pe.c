/* SPDX-License-Identifier: BSD-3-Clause */
/* UEFI images in memory, found from an address in their code: what is believed of their headers. */
#include <stdlib.h>
#include <string.h>

#include "evp.h"
#include "qemu/txt/pe.h"

#define BASE 0x100000000ull
#define RAM 0x40000u
#define IMAGE 0x10000u /* in RAM */
#define HEADER 0x80u
#define OPTIONAL (HEADER + 24)
#define SECTIONS (OPTIONAL + 112)
#define SIZE 0x8000u

static uint8_t ram[RAM];

static void put(size_t at, uint64_t v, size_t width)
{
	for (size_t i = 0; i < width; i++)
		ram[at + i] = (uint8_t)(v >> 8 * i);
}

static void section(unsigned i, uint32_t size, uint32_t at, uint32_t file, uint32_t flags)
{
	size_t to = IMAGE + SECTIONS + 40 * (size_t)i;

	put(to + 8, size, 4);
	put(to + 12, at, 4);
	put(to + 16, file, 4);
	put(to + 36, flags, 4);
}

/* Two sections of code and one of data, as gnu-efi's objcopy makes them. */
static void make(void)
{
	memset(ram, 0, sizeof(ram));
	put(IMAGE, 0x5a4d, 2);
	put(IMAGE + 0x3c, HEADER, 4);
	put(IMAGE + HEADER, 0x4550, 4);
	put(IMAGE + HEADER + 4, 0x8664, 2);
	put(IMAGE + HEADER + 6, 3, 2);
	put(IMAGE + HEADER + 20, 112, 2);
	put(IMAGE + OPTIONAL, 0x20b, 2);
	put(IMAGE + OPTIONAL + 16, 0x1000, 4);
	put(IMAGE + OPTIONAL + 56, SIZE, 4);
	put(IMAGE + OPTIONAL + 68, 10, 2);
	section(0, 0x1800, 0x1000, 0x1800, 0x60000020);
	section(1, 0x1000, 0x3000, 0x1000, 0xc0000040);
	section(2, 0, 0x5000, 0x200, 0x20000000);
}

static bool read_ram(void *ctx, uint64_t at, struct mspan out)
{
	(void)ctx;
	if (at < BASE || at - BASE > RAM || out.n > RAM - (at - BASE))
		return false;
	memcpy(out.p, ram + (at - BASE), out.n);
	return true;
}

static const struct txt_memory memory = { .read = read_ram };

static void test_find(void **state)
{
	struct pe_found f = { 0 };

	(void)state;
	make();
	assert_int_equal(pe_find(&memory, BASE + IMAGE + 0x1000, &f), PE_OK);
	assert_true(f.base == BASE + IMAGE);
	assert_int_equal(f.pe.size, SIZE);
	assert_int_equal(f.pe.entry, 0x1000);
	assert_int_equal(f.pe.code_count, 2);
	assert_int_equal(f.pe.code[0].size, 0x1800);
	/* A size of 0 in memory is that in the file. */
	assert_int_equal(f.pe.code[1].size, 0x200);
	assert_memory_equal(f.head, ram + IMAGE, PE_HEADERS);
	assert_int_equal(pe_find(&memory, BASE + IMAGE + 0x27ff, &f), PE_OK);
	assert_int_equal(pe_find(&memory, BASE + IMAGE + 0x51ff, &f), PE_OK);
	/* Data, headers, behind the image, in front of it; not in memory. */
	f.base = 7;
	assert_int_equal(pe_find(&memory, BASE + IMAGE + 0x2800, &f), PE_E_NONE);
	assert_int_equal(pe_find(&memory, BASE + IMAGE + 0x3000, &f), PE_E_NONE);
	assert_int_equal(pe_find(&memory, BASE + IMAGE, &f), PE_E_NONE);
	assert_int_equal(pe_find(&memory, BASE + IMAGE + SIZE, &f), PE_E_NONE);
	assert_int_equal(pe_find(&memory, BASE + 0x1000, &f), PE_E_NONE);
	assert_int_equal(pe_find(&memory, BASE - 1, &f), PE_E_NONE);
	assert_int_equal(pe_find(&memory, UINT64_MAX, &f), PE_E_NONE);
	assert_int_equal(pe_find(&memory, 0, &f), PE_E_NONE);
	assert_true(f.base == 7);
	/* Something that looks like headers in the image's own data, in front of its code. */
	section(0, 0x1000, 0x4000, 0x1000, 0x60000020);
	put(IMAGE + 0x3000, 0x5a4d, 2);
	assert_int_equal(pe_find(&memory, BASE + IMAGE + 0x4010, &f), PE_OK);
	assert_true(f.base == BASE + IMAGE);
}

static const struct {
	size_t at, width;
	uint64_t value;
	enum pe_error error;
} broken[] = {
	{ 0, 2, 0x5a4e, PE_E_NONE },
	{ 0x3c, 4, 0xfff, PE_E_NONE },
	{ 0x3c, 4, 0x1001, PE_E_NONE },
	{ 0x3c, 4, 0xffffffff, PE_E_NONE },
	{ HEADER, 4, 0x4551, PE_E_NONE },
	{ HEADER + 4, 2, 0x14c, PE_E_MACHINE },
	{ HEADER + 6, 2, 0xffff, PE_E_SECTIONS },
	{ HEADER + 6, 2, 0, PE_E_NO_CODE },
	{ HEADER + 20, 2, 0xffff, PE_E_NONE },
	{ HEADER + 20, 2, 60, PE_E_OPTIONAL },
	{ OPTIONAL, 2, 0x10b, PE_E_OPTIONAL },
	{ OPTIONAL + 16, 4, SIZE, PE_E_SIZE },
	{ OPTIONAL + 56, 4, 0, PE_E_SIZE },
	{ OPTIONAL + 56, 4, 0x4000001, PE_E_SIZE },
	{ OPTIONAL + 56, 4, 0x27ff, PE_E_SECTIONS },
	{ OPTIONAL + 68, 2, 3, PE_E_SUBSYSTEM },
	{ OPTIONAL + 68, 2, 13, PE_E_SUBSYSTEM },
	{ SECTIONS + 8, 4, 0x7001, PE_E_SECTIONS },
	{ SECTIONS + 8, 4, 0xffffffff, PE_E_SECTIONS },
	{ SECTIONS + 12, 4, 0xfffff000, PE_E_SECTIONS },
};

static void test_broken(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(broken); i++) {
		struct pe_found f = { .base = 7 };
		struct pe pe = { .size = 7 };

		make();
		put(IMAGE + broken[i].at, broken[i].value, broken[i].width);
		if (pe_parse((struct span){ ram + IMAGE, PE_HEADERS }, &pe) != broken[i].error)
			fail_msg("row %zu", i);
		assert_int_equal(pe.size, 7);
		assert_int_equal(pe_find(&memory, BASE + IMAGE + 0x1000, &f), broken[i].error);
		assert_true(f.base == 7);
		assert_string_not_equal(pe_strerror(broken[i].error), pe_strerror(PE_OK));
	}
	assert_string_equal(pe_strerror(PE_ERRORS), "unknown error");
}

static void test_many_sections(void **state)
{
	struct pe pe;

	(void)state;
	make();
	for (unsigned i = 0; i < IMAGE_MAX_RANGES + 1; i++)
		section(i, 16, 0x1000 + 16 * i, 16, 0x20);
	put(IMAGE + HEADER + 6, IMAGE_MAX_RANGES, 2);
	assert_int_equal(pe_parse((struct span){ ram + IMAGE, PE_HEADERS }, &pe), PE_OK);
	assert_int_equal(pe.code_count, IMAGE_MAX_RANGES);
	put(IMAGE + HEADER + 6, IMAGE_MAX_RANGES + 1, 2);
	assert_int_equal(pe_parse((struct span){ ram + IMAGE, PE_HEADERS }, &pe), PE_E_MANY);
}

/* Cut off anywhere: never read past the end, and what is accepted lies in the image. */
static void test_truncated(void **state)
{
	const size_t whole = SECTIONS + 3 * 40;

	(void)state;
	make();
	for (size_t n = 0; n <= whole; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		struct pe pe;

		assert_non_null(exact);
		memcpy(exact, ram + IMAGE, n);
		assert_int_equal(pe_parse((struct span){ exact, n }, &pe) == PE_OK, n == whole);
		free(exact);
	}
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find), cmocka_unit_test(test_broken), cmocka_unit_test(test_many_sections), cmocka_unit_test(test_truncated),
	};
	/* clang-format on */

	return cmocka_run_group_tests_name("txt_pe", tests, NULL, NULL);
}
