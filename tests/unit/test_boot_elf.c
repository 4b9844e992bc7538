/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/elf.h"
#include "tests/unit/boot_samples.h"

static uint8_t file[SAMPLE_XEN_SIZE];
#define FILE_SPAN ((struct span){ file, sizeof(file) })

static enum elf_error plan_of(size_t n, struct elf_plan *p)
{
	/* Of just that size, so that the sanitizer sees what lies behind it. */
	uint8_t *copy = malloc(n ? n : 1);
	enum elf_error e;

	assert_non_null(copy);
	memcpy(copy, file, n);
	e = elf_plan((struct span){ copy, n }, p);
	free(copy);
	return e;
}

static void test_plan32(void **state)
{
	struct elf_plan p;

	(void)state;
	sample_xen(file);
	assert_true(elf_is(FILE_SPAN));
	assert_int_equal(plan_of(sizeof(file), &p), ELF_OK);
	assert_false(p.is64);
	assert_int_equal(p.entry, SAMPLE_XEN_LINK);
	assert_int_equal(p.low, SAMPLE_XEN_LINK);
	assert_int_equal(p.high, SAMPLE_XEN_LINK + SAMPLE_XEN_MEMORY);
	assert_int_equal(p.align, 0x40);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.segments[0].file_size, sizeof(file));
}

/* Each row spoils one field of the good image. */
static void test_refused(void **state)
{
	static const struct {
		size_t at, width;
		uint64_t v;
		enum elf_error e;
	} rows[] = {
		{ 0, 1, 0, ELF_E_MAGIC }, { 3, 1, 'G', ELF_E_MAGIC }, { 4, 1, 0, ELF_E_CLASS }, { 4, 1, 3, ELF_E_CLASS },
		{ 5, 1, 2, ELF_E_DATA }, { 6, 1, 0, ELF_E_VERSION }, { 20, 4, 2, ELF_E_VERSION }, { 16, 2, 1, ELF_E_TYPE },
		{ 16, 2, 4, ELF_E_TYPE }, { 18, 2, 183, ELF_E_MACHINE }, { 28, 4, SAMPLE_XEN_SIZE - 63, ELF_E_HEADERS },
		{ 28, 4, 0xffffffff, ELF_E_HEADERS }, { 42, 2, 56, ELF_E_HEADERS }, { 44, 2, 0, ELF_E_HEADERS },
		{ 44, 2, ELF_MAX_HEADERS + 1, ELF_E_HEADERS }, { 52 + 4, 4, 0x40, ELF_E_SEGMENT_FILE },
		{ 52 + 4, 4, 0xffffffc0, ELF_E_SEGMENT_FILE }, { 52 + 16, 4, SAMPLE_XEN_MEMORY + 1, ELF_E_SEGMENT_SIZE },
		{ 52 + 12, 4, 0xfffff000, ELF_E_SEGMENT_WRAP }, { 52 + 8, 4, 0xffffffc0, ELF_E_SEGMENT_WRAP },
		{ 52 + 20, 4, 0xffffffff, ELF_E_SEGMENT_WRAP }, { 52 + 28, 4, 3, ELF_E_SEGMENT_ALIGN },
		{ 52 + 28, 4, 0x400000, ELF_E_SEGMENT_ALIGN }, { 52, 4, 6, ELF_E_EMPTY }, { 24, 4, SAMPLE_XEN_LINK - 1, ELF_E_ENTRY },
		{ 24, 4, SAMPLE_XEN_LINK + SAMPLE_XEN_MEMORY, ELF_E_ENTRY }, { 84, 4, 1, ELF_OK }, /* the note as a second segment */
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct elf_plan p, untouched;

		memset(&p, 0xa5, sizeof(p));
		untouched = p;
		sample_xen(file);
		sample_put(file, rows[i].at, rows[i].v, rows[i].width);
		if (plan_of(sizeof(file), &p) != rows[i].e)
			fail_msg("row %zu: %s", i, elf_strerror(plan_of(sizeof(file), &p)));
		if (rows[i].e != ELF_OK)
			assert_memory_equal(&p, &untouched, sizeof(p));
	}
}

static void test_truncated(void **state)
{
	struct elf_plan p;

	(void)state;
	sample_xen(file);
	for (size_t n = 0; n < sizeof(file); n += n < 200 ? 1 : 97)
		assert_int_not_equal(plan_of(n, &p), ELF_OK);
}

/* Two segments at all distances: they may touch, but not overlap; the plan is sorted. */
static void test_overlap(void **state)
{
	(void)state;
	for (uint32_t at = SAMPLE_XEN_LINK - 0x2000; at < SAMPLE_XEN_LINK + SAMPLE_XEN_MEMORY + 0x1000; at += 0x800) {
		struct elf_plan p;
		bool apart = at + 0x1000 <= SAMPLE_XEN_LINK || at >= SAMPLE_XEN_LINK + SAMPLE_XEN_MEMORY;

		sample_xen(file);
		sample_put(file, 84, 1, 4);
		sample_put(file, 84 + 4, 0x800, 4);
		sample_put(file, 84 + 8, at, 4);
		sample_put(file, 84 + 12, at, 4);
		sample_put(file, 84 + 16, 0x10, 4);
		sample_put(file, 84 + 20, 0x1000, 4);
		assert_int_equal(plan_of(sizeof(file), &p), apart ? ELF_OK : ELF_E_OVERLAP);
		if (!apart)
			continue;
		assert_int_equal(p.count, 2);
		assert_true(p.segments[0].address < p.segments[1].address);
		assert_int_equal(p.low, at < SAMPLE_XEN_LINK ? at : SAMPLE_XEN_LINK);
		assert_int_equal(p.high, at < SAMPLE_XEN_LINK ? SAMPLE_XEN_LINK + SAMPLE_XEN_MEMORY : at + 0x1000);
	}
}

static void test_load(void **state)
{
	static uint8_t memory[0x9000];
	struct elf_plan p;

	(void)state;
	sample_xen(file);
	/* A second segment behind a gap. */
	sample_put(file, 84, 1, 4);
	sample_put(file, 84 + 4, 0x800, 4);
	sample_put(file, 84 + 8, SAMPLE_XEN_LINK + 0x6000, 4);
	sample_put(file, 84 + 12, SAMPLE_XEN_LINK + 0x6000, 4);
	sample_put(file, 84 + 16, 0x10, 4);
	sample_put(file, 84 + 20, 0x1000, 4);
	assert_int_equal(plan_of(sizeof(file), &p), ELF_OK);
	memset(memory, 0xa5, sizeof(memory));
	assert_false(elf_load(FILE_SPAN, &p, (struct mspan){ memory, 0x6fff }));
	assert_false(elf_load((struct span){ file, sizeof(file) - 1 }, &p, (struct mspan){ memory, sizeof(memory) }));
	for (size_t i = 0; i < sizeof(memory); i++)
		assert_int_equal(memory[i], 0xa5);
	assert_true(elf_load(FILE_SPAN, &p, (struct mspan){ memory, sizeof(memory) }));
	assert_memory_equal(memory, file, sizeof(file));
	for (size_t i = sizeof(file); i < 0x6000; i++)
		assert_int_equal(memory[i], 0);
	assert_memory_equal(memory + 0x6000, file + 0x800, 0x10);
	for (size_t i = 0x6010; i < 0x7000; i++)
		assert_int_equal(memory[i], 0);
	assert_int_equal(memory[0x7000], 0xa5);
}

/* ELF64 with virtual addresses that differ from the physical ones, as kernels have them. */
static void test_elf64(void **state)
{
	struct wr w = wr_init((struct mspan){ file, sizeof(file) });
	struct elf_plan p;
	uint64_t at = 0;

	(void)state;
	memset(file, 0, sizeof(file));
	wr_bytes(&w, SPAN_LITERAL("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0"));
	wr_le16(&w, 2);
	wr_le16(&w, 62);
	wr_le32(&w, 1);
	wr_le64(&w, 0xffff82d040200010);
	wr_le64(&w, 64);
	wr_le64(&w, 0);
	wr_le32(&w, 0);
	wr_le16(&w, 64);
	wr_le16(&w, 56);
	wr_le16(&w, 1);
	wr_le16(&w, 0);
	wr_le32(&w, 0);
	wr_le32(&w, 1);
	wr_le32(&w, 7);
	wr_le64(&w, 0x1000);
	wr_le64(&w, 0xffff82d040200000);
	wr_le64(&w, 0x200000);
	wr_le64(&w, 0x1000);
	wr_le64(&w, 0x3000);
	wr_le64(&w, 0x1000);
	assert_int_equal(plan_of(sizeof(file), &p), ELF_OK);
	assert_true(p.is64);
	assert_int_equal(p.low, 0x200000);
	assert_int_equal(p.high, 0x203000);
	assert_true(elf_physical(&p, p.entry, &at));
	assert_int_equal(at, 0x200010);
	assert_true(elf_physical(&p, 0x202fff, &at));
	assert_int_equal(at, 0x202fff);
	assert_false(elf_physical(&p, 0x203000, &at));
	assert_false(elf_physical(&p, 0xffff82d040203000, &at));
	/* memory beyond the end of the address space */
	sample_put(file, 64 + 24, UINT64_MAX - 0x1000, 8);
	assert_int_equal(plan_of(sizeof(file), &p), ELF_E_SEGMENT_WRAP);
}

static void test_strings(void **state)
{
	(void)state;
	for (enum elf_error e = 0; e < ELF_ERROR_COUNT; e++)
		assert_true(strlen(elf_strerror(e)) > 5);
	assert_non_null(elf_strerror((enum elf_error) - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan32),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_elf64),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
