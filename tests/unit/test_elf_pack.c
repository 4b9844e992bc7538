/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/elf_pack.c: another file, the same image in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/elf.h"
#include "boot/multiboot2_header.h"
#include "cli/elf_pack.h"
#include "tests/unit/boot_samples.h"

#define MAX (3u << 20)
#define BASE 0x800000u

static uint8_t file[MAX], before[MAX], after[MAX];

struct part {
	uint32_t address, bytes, memory;
};

/* An ELF file with these segments, of random bytes that are not zero; returns its size. */
static size_t make(bool is64, const struct part *parts, size_t count)
{
	const size_t header = is64 ? 64 : 52, entry = is64 ? 56 : 32, word = is64 ? 8 : 4;
	size_t at = 0x1000;

	memset(file, 0, sizeof(file));
	memcpy(file, "\177ELF", 4);
	file[4] = is64 ? 2 : 1;
	file[5] = file[6] = 1;
	sample_put(file, 16, 2, 2);
	sample_put(file, 18, 3, 2);
	sample_put(file, 20, 1, 4);
	sample_put(file, 24, parts[0].address, word);
	sample_put(file, 24 + word, header, word);
	sample_put(file, 24 + 3 * word + 6, entry, 2);
	sample_put(file, 24 + 3 * word + 8, count, 2);
	sample_put(file, 24 + 2 * word, 0x12345, word); /* e_shoff and what goes with it must not survive */
	sample_put(file, 24 + 3 * word + 12, 7, 4);
	for (size_t i = 0; i < count; i++) {
		size_t h = header + i * entry;

		at = (at + 0xfff) / 0x1000 * 0x1000 + parts[i].address % 0x1000;
		sample_put(file, h, 1, 4);
		h += is64 ? 8 : 4;
		sample_put(file, h, at, word);
		sample_put(file, h + word, parts[i].address, word);
		sample_put(file, h + 2 * word, parts[i].address, word);
		sample_put(file, h + 3 * word, parts[i].bytes, word);
		sample_put(file, h + 4 * word, parts[i].memory, word);
		for (size_t k = 0; k < parts[i].bytes; k++)
			file[at + k] = (uint8_t)(1 + rand() % 255);
		at += parts[i].bytes;
	}
	return at;
}

/* Packs; 0 if it is not worth it. The image in memory must be that of the file before. */
static size_t check(size_t n, size_t *segments)
{
	/* Of just that size, so that the sanitizer sees what lies behind it. */
	uint8_t *copy = malloc(n), *packed = NULL, *again = NULL;
	struct elf_plan a, b;
	size_t m = 0, k;

	assert_non_null(copy);
	memcpy(copy, file, n);
	assert_int_equal(elf_plan((struct span){ copy, n }, &a), ELF_OK);
	if (elf_pack((struct span){ copy, n }, &packed, &m)) {
		assert_int_equal(elf_plan((struct span){ packed, m }, &b), ELF_OK);
		assert_true(a.entry == b.entry && a.low == b.low && a.high == b.high && a.is64 == b.is64);
		assert_true(m + ELF_PACK_RUN <= n);
		memset(before, 0xaa, sizeof(before));
		memset(after, 0xaa, sizeof(after));
		assert_true(elf_load((struct span){ copy, n }, &a, (struct mspan){ before, sizeof(before) }));
		assert_true(elf_load((struct span){ packed, m }, &b, (struct mspan){ after, sizeof(after) }));
		assert_memory_equal(before, after, sizeof(before));
		for (size_t i = 0; i < b.count; i++)
			assert_int_equal((b.segments[i].address - b.segments[i].virtual_address), 0);
		assert_int_equal(sample_get(packed, a.is64 ? 40 : 32, a.is64 ? 8 : 4), 0);
		assert_int_equal(sample_get(packed, a.is64 ? 60 : 48, 4), 0);
		if (segments)
			*segments = b.count;
		/* What is packed stays as it is. */
		assert_false(elf_pack((struct span){ packed, m }, &again, &k));
	}
	free(packed);
	free(copy);
	return m;
}

static void test_like_tboot(void **state)
{
	static const struct part one = { BASE, 0x180220, 0x200d54 };
	size_t segments, n;

	(void)state;
	for (unsigned is64 = 0; is64 < 2; is64++) {
		n = make(is64, &one, 1);
		assert_int_equal(check(n, NULL), 0); /* no zeros */
		memset(file + 0x1000 + 0x52c92, 0, 0x120000);
		assert_int_equal(check(n, &segments), n - 0x172000 + 0x53000 - ((0x52c92 + 0x120000) - 0x172000) + 0xc92);
		assert_int_equal(segments, 2);
	}
}

static void test_shapes(void **state)
{
	static const struct part one = { BASE + 0x123, 0x100000, 0x100000 };
	size_t segments, n;

	(void)state;
	/* Zeros at the end, at the beginning, everywhere. */
	n = make(false, &one, 1);
	memset(file + 0x1123 + 0x80000, 0, 0x80000);
	assert_int_equal(check(n, &segments), 0x1123 + 0x80000);
	assert_int_equal(segments, 1);
	n = make(false, &one, 1);
	memset(file + 0x1123, 0, 0x80000);
	assert_true(check(n, &segments) < 0x83000);
	assert_int_equal(segments, 2);
	n = make(true, &one, 1);
	memset(file + 0x1123, 0, 0x100000);
	assert_true(check(n, &segments) <= 0x1123);
	assert_int_equal(segments, 1);
	/* One byte too few. */
	n = make(false, &one, 1);
	memset(file + 0x2000, 0, ELF_PACK_RUN - 1);
	assert_int_equal(check(n, NULL), 0);
	/* More runs than there can be segments. */
	n = make(false, &one, 1);
	for (size_t at = 0; at + 0x11000 < 0x100000; at += 0x11000)
		memset(file + 0x1123 + at, 0, 0x10800);
	assert_true(check(n, &segments) > 0);
	assert_true(segments <= ELF_MAX_SEGMENTS);
}

static void test_random(void **state)
{
	(void)state;
	srand(5);
	for (unsigned round = 0; round < 60; round++) {
		struct part parts[4];
		size_t count = 1 + (size_t)rand() % 4, n, holes = (size_t)rand() % 6;
		uint32_t at = BASE;

		for (size_t i = 0; i < count; i++) {
			at += (uint32_t)rand() % 0x3000;
			parts[i].address = at;
			parts[i].bytes = (uint32_t)rand() % 0x80000;
			parts[i].memory = parts[i].bytes + 1 + (uint32_t)rand() % 0x20000;
			at += parts[i].memory;
		}
		n = make(rand() % 2, parts, count);
		for (size_t i = 0; i < holes && n > 0x32000; i++) {
			size_t from = 0x1000 + (size_t)rand() % (n - 0x31000);

			memset(file + from, 0, (size_t)rand() % 0x30000);
		}
		(void)check(n, NULL);
	}
}

static void test_header(void **state)
{
	static const struct part parts[] = { { BASE, 0x20000, 0x20000 }, { BASE + 0x20000, 0x20, 0x40 } };
	uint8_t image[SAMPLE_XEN_SIZE], *out = NULL;
	size_t n = make(false, parts, 2), m;
	struct mb2_header h;

	(void)state;
	sample_xen(image);
	memcpy(file + 0x2000, image + SAMPLE_MB2_OFFSET, SAMPLE_MB2_END + 8 - SAMPLE_MB2_OFFSET);
	memset(file + 0x3000, 0, 0x18000);
	assert_int_equal(mb2_header_parse((struct span){ file, n }, &h), MB2_HEADER_OK);
	assert_true(elf_pack((struct span){ file, n }, &out, &m));
	assert_int_equal(mb2_header_parse((struct span){ out, m }, &h), MB2_HEADER_OK);
	assert_int_equal(h.offset, 0x2000);
	free(out);
	/* In a segment that would move: the file stays as it is. */
	memset(file + 0x2000, 1, 0x200);
	memset(file + 0x1000, 0, 0x4000);
	sample_put(file, 52 + 4, 0x8000, 4);
	sample_put(file, 52 + 16, 0x14000, 4);
	sample_put(file, 52 + 20, 0x14000, 4);
	sample_put(file, 52 + 32 + 4, 0x6000, 4);
	sample_put(file, 52 + 32 + 16, 0x1000, 4);
	sample_put(file, 52 + 32 + 20, 0x1000, 4);
	memset(file + 0x8000, 0, 0x14000);
	memcpy(file + 0x6000, image + SAMPLE_MB2_OFFSET, SAMPLE_MB2_END + 8 - SAMPLE_MB2_OFFSET);
	assert_int_equal(mb2_header_parse((struct span){ file, n }, &h), MB2_HEADER_OK);
	if (elf_pack((struct span){ file, n }, &out, &m)) {
		assert_int_equal(mb2_header_parse((struct span){ out, m }, &h), MB2_HEADER_OK);
		assert_int_equal(h.offset, 0x6000);
		free(out);
	}
	/* No ELF at all. */
	assert_false(elf_pack((struct span){ image + 1, sizeof(image) - 1 }, &out, &m));
	assert_false(elf_pack((struct span){ image, 0 }, &out, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_tboot),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_header),
	};

	return cmocka_run_group_tests_name("elf_pack", tests, NULL, NULL);
}
