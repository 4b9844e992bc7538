/* SPDX-License-Identifier: BSD-3-Clause */
/* boot/pecoff*.c and boot/embedded.c: what they take, what they refuse, and that no byte of a file leads them astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/embedded.h"
#include "tests/unit/boot_samples.h"
#include "tests/unit/pe_sample.h"

#define TEXT "geolaunch 1\nmode direct\n"
#define POLICY "\x02policy"

static uint8_t file[SAMPLE_PE_SIZE];
static uint8_t put[SAMPLE_PE_SIZE + 0x400], memory[SAMPLE_PE_MEMORY];
static const struct embedded good = { { (const uint8_t *)TEXT, sizeof(TEXT) - 1 }, { (const uint8_t *)POLICY, sizeof(POLICY) - 1 } };

/* On memory of just that size, so that the sanitizer sees what lies behind it. */
static enum pecoff_error find_in(const uint8_t *bytes, size_t n, enum pecoff_view view, struct embedded *out)
{
	uint8_t *copy = malloc(n ? n : 1);
	struct embedded found = { { NULL, 0 }, { NULL, 0 } };
	enum pecoff_error e;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	e = embedded_find((struct span){ copy, n }, view, &found);
	if (e == PECOFF_OK) {
		/* Every byte can be read, and lies behind the headers. */
		for (unsigned k = 0; k < 2; k++) {
			struct span s = k ? found.policy : found.description;

			assert_true(s.n == 0 || (s.p >= copy + 0x100 && s.p + s.n <= copy + n));
			for (size_t i = 0; i < s.n; i++)
				assert_true(s.p[i] == copy[(size_t)(s.p - copy) + i]);
		}
		*out = found;
		/* As offsets: the copy goes. */
		out->description.p = found.description.n ? bytes + (found.description.p - copy) : NULL;
		out->policy.p = found.policy.n ? bytes + (found.policy.p - copy) : NULL;
	}
	free(copy);
	return e;
}

static void make(void)
{
	size_t n = 0;

	sample_pe(file);
	assert_int_equal(embedded_put(SPAN_OF(file), &good, (struct mspan){ NULL, 0 }, &n), PECOFF_OK);
	assert_int_equal(n, sizeof(put));
	assert_int_equal(embedded_put(SPAN_OF(file), &good, (struct mspan){ put, n - 1 }, &n), PECOFF_E_BUFFER);
	assert_int_equal(embedded_put(SPAN_OF(file), &good, (struct mspan){ put, n }, &n), PECOFF_OK);
	sample_pe_load(SPAN_OF(put), (struct mspan){ memory, sizeof(memory) });
}

static void test_there_and_back(void **state)
{
	struct embedded e;

	(void)state;
	make();
	assert_int_equal(find_in(put, sizeof(put), PECOFF_FILE, &e), PECOFF_OK);
	assert_true(span_equal(e.description, good.description) && span_equal(e.policy, good.policy));
	assert_int_equal(find_in(memory, sizeof(memory), PECOFF_LOADED, &e), PECOFF_OK);
	assert_true(span_equal(e.description, good.description) && span_equal(e.policy, good.policy));
	sample_pe_load(SPAN_OF(file), (struct mspan){ memory, sizeof(memory) });
	assert_int_equal(find_in(file, sizeof(file), PECOFF_FILE, &e), PECOFF_OK);
	assert_true(e.description.n == 0 && e.policy.n == 0);
	assert_int_equal(find_in(memory, SAMPLE_PE_IMAGE_SIZE, PECOFF_LOADED, &e), PECOFF_OK);
	assert_true(e.description.n == 0 && e.policy.n == 0);
}

/* All that the program had is where it was; the sections follow one another; only these header fields differ. */
static void test_what_append_writes(void **state)
{
	struct pecoff pe;
	struct pecoff_section s;

	(void)state;
	make();
	assert_int_equal(pecoff_parse(SPAN_OF(put), &pe), PECOFF_OK);
	assert_int_equal(pe.section_count, 4);
	assert_int_equal(pe.image_size, 0x5000);
	assert_int_equal(pe.data_size, 0x600);
	assert_int_equal(pe.symbols, sizeof(put) - SAMPLE_PE_TAIL);
	assert_memory_equal(put + 0x400, file + 0x400, 0x800);
	assert_memory_equal(put + sizeof(put) - SAMPLE_PE_TAIL, file + sizeof(file) - SAMPLE_PE_TAIL, SAMPLE_PE_TAIL);
	assert_true(pecoff_section(SPAN_OF(put), &pe, 2, &s));
	assert_int_equal(s.address, 0x3000);
	assert_int_equal(s.raw_offset, 0xc00);
	assert_int_equal(s.characteristics, PECOFF_READ | PECOFF_INITIALIZED_DATA);
	assert_true(pecoff_section(SPAN_OF(put), &pe, 3, &s));
	assert_int_equal(s.address, 0x4000);
	assert_int_equal(s.raw_offset, 0xe00);
	assert_int_equal(s.virtual_size, good.policy.n);
	assert_false(pecoff_section(SPAN_OF(put), &pe, 4, &s));
	for (size_t i = 0xe00 + good.policy.n; i < 0x1000; i++)
		assert_int_equal(put[i], 0);
	for (size_t i = 0; i < 0x400; i++) {
		bool may = (i >= SAMPLE_PE_COFF + 2 && i < SAMPLE_PE_COFF + 12) ||
		           (i >= SAMPLE_PE_OPTIONAL + 8 && i < SAMPLE_PE_OPTIONAL + 12) ||
		           (i >= SAMPLE_PE_OPTIONAL + 56 && i < SAMPLE_PE_OPTIONAL + 68) ||
		           (i >= SAMPLE_PE_TABLE + 80 && i < SAMPLE_PE_TABLE + 160);

		assert_true(may || put[i] == file[i]);
	}
}

static void test_append_refuses(void **state)
{
	static const struct {
		size_t at, width;
		uint64_t v;
		enum pecoff_error e;
	} rows[] = {
		{ 0, 1, 'X', PECOFF_E_MAGIC }, { SAMPLE_PE_OPTIONAL + 144, 4, 0x1000, PECOFF_E_SIGNED },
		{ SAMPLE_PE_OPTIONAL + 148, 4, 8, PECOFF_E_SIGNED },
		{ SAMPLE_PE_OPTIONAL + 60, 4, 0x600, PECOFF_E_LAYOUT },     /* .text begins inside the headers */
		{ SAMPLE_PE_TABLE + 40 + 20, 4, 0xc00, PECOFF_E_LAYOUT },   /* a gap before .data */
		{ SAMPLE_PE_TABLE + 40 + 20, 4, 0x800, PECOFF_E_LAYOUT },   /* .data over .text */
		{ SAMPLE_PE_TABLE + 40 + 16, 4, 0x400, PECOFF_E_SIZE },     /* .data is cut off */
		{ SAMPLE_PE_TABLE + 40 + 12, 4, 0x1000, PECOFF_E_SECTION }, /* .data over .text in memory */
		{ SAMPLE_PE_TABLE + 40 + 12, 4, 0xfffff000, PECOFF_E_SECTION },
		{ SAMPLE_PE_TABLE + 40 + 8, 4, 0xfffff000, PECOFF_E_SECTION },
		{ SAMPLE_PE_TABLE + 40 + 8, 4, PECOFF_MAX_SIZE, PECOFF_E_SECTION },
		{ SAMPLE_PE_COFF + 8, 4, 0x500, PECOFF_E_LAYOUT }, /* symbols among the sections */
		{ SAMPLE_PE_TABLE + 80, 1, 1, PECOFF_E_ROOM },     /* something behind the table */
		{ SAMPLE_PE_TABLE + 159, 1, 1, PECOFF_E_ROOM }, { SAMPLE_PE_TABLE + 160, 1, 1, PECOFF_OK },
		{ SAMPLE_PE_TABLE, 8, 0x68636e75616c2e, PECOFF_E_TWICE }, /* ".launch" is there */
		{ SAMPLE_PE_COFF + 8, 4, 0, PECOFF_OK },
		{ SAMPLE_PE_TABLE + 40 + 16, 8, 0xc0200000000, PECOFF_OK }, /* .data has nothing in the file, at a place that is taken */
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		size_t n = 77;
		enum pecoff_error e;

		sample_pe(file);
		sample_put(file, rows[i].at, rows[i].v, rows[i].width);
		e = embedded_put(SPAN_OF(file), &good, (struct mspan){ put, sizeof(put) }, &n);
		if (e != rows[i].e)
			fail_msg("row %zu: %s", i, pecoff_strerror(e));
		assert_true(e == PECOFF_OK || n == 77);
	}
	/* No room: one section less than the headers could take, then none. */
	sample_pe(file);
	struct pecoff_new_section many[20];
	char names[GL_COUNT(many)][PECOFF_NAME_SIZE + 1];
	size_t n = 0;

	for (size_t i = 0; i < GL_COUNT(many); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "s%zu", i);
		many[i] = (struct pecoff_new_section){ names[i], good.policy };
	}
	/* 0x400 - 0x188 - 2 * 40 = 552 bytes: 13 sections. */
	assert_int_equal(pecoff_append(SPAN_OF(file), many, 13, (struct mspan){ NULL, 0 }, &n), PECOFF_OK);
	assert_int_equal(pecoff_append(SPAN_OF(file), many, 14, (struct mspan){ NULL, 0 }, &n), PECOFF_E_ROOM);
	many[0].name = "longer than";
	assert_int_equal(pecoff_append(SPAN_OF(file), many, 1, (struct mspan){ NULL, 0 }, &n), PECOFF_E_KIND);
	many[0] = (struct pecoff_new_section){ "empty", { NULL, 0 } };
	assert_int_equal(pecoff_append(SPAN_OF(file), many, 1, (struct mspan){ NULL, 0 }, &n), PECOFF_E_KIND);
	for (unsigned e = 0; e <= PECOFF_ERROR_COUNT; e++)
		assert_true(span_str(pecoff_strerror((enum pecoff_error)e)).n > 5);
}

/* Fields of the section .launch, the third, in file and memory. */
#define SECTION (SAMPLE_PE_TABLE + 80)

static void test_find_refuses(void **state)
{
	static const struct {
		size_t at, width;
		uint64_t v;
		enum pecoff_error file, loaded;
	} rows[] = {
		{ 1, 1, 'Y', PECOFF_E_MAGIC, PECOFF_E_MAGIC },
		{ SAMPLE_PE_LFANEW, 4, 0xffffffff, PECOFF_E_SIZE, PECOFF_E_SIZE },
		{ SAMPLE_PE_LFANEW, 4, sizeof(memory) - 3, PECOFF_E_SIZE, PECOFF_E_SIZE },
		{ SAMPLE_PE_SIGNATURE + 3, 1, 1, PECOFF_E_MAGIC, PECOFF_E_MAGIC },
		{ SAMPLE_PE_COFF, 2, 0x14c, PECOFF_E_MAGIC, PECOFF_E_MAGIC },
		{ SAMPLE_PE_COFF + 2, 2, 0, PECOFF_E_HEADER, PECOFF_E_HEADER },
		{ SAMPLE_PE_COFF + 2, 2, 97, PECOFF_E_HEADER, PECOFF_E_HEADER },
		{ SAMPLE_PE_COFF + 2, 2, 96, PECOFF_E_SIZE, PECOFF_E_SIZE },
		{ SAMPLE_PE_COFF + 16, 2, 100, PECOFF_E_SIZE, PECOFF_E_SIZE },
		{ SAMPLE_PE_COFF + 16, 2, 200, PECOFF_E_HEADER, PECOFF_E_HEADER },
		{ SAMPLE_PE_COFF + 16, 2, 0xffff, PECOFF_E_SIZE, PECOFF_E_SIZE },
		{ SAMPLE_PE_OPTIONAL, 2, 0x10b, PECOFF_E_MAGIC, PECOFF_E_MAGIC },
		{ SAMPLE_PE_OPTIONAL + 32, 4, 0x1001, PECOFF_E_HEADER, PECOFF_E_HEADER },
		{ SAMPLE_PE_OPTIONAL + 36, 4, 0, PECOFF_E_HEADER, PECOFF_E_HEADER },
		{ SAMPLE_PE_OPTIONAL + 36, 4, 0x2000, PECOFF_E_HEADER, PECOFF_E_HEADER },
		{ SAMPLE_PE_OPTIONAL + 56, 4, 0xffffffff, PECOFF_E_HEADER, PECOFF_E_HEADER },
		{ SAMPLE_PE_OPTIONAL + 56, 4, 0x300, PECOFF_E_HEADER, PECOFF_E_HEADER },
		{ SAMPLE_PE_OPTIONAL + 56, 4, 0x3000, PECOFF_OK, PECOFF_E_SECTION },
		{ SAMPLE_PE_OPTIONAL + 60, 4, 0x4fff, PECOFF_E_SIZE, PECOFF_E_SECTION },
		{ SAMPLE_PE_OPTIONAL + 60, 4, 0x100, PECOFF_E_SIZE, PECOFF_E_SIZE },
		{ SAMPLE_PE_OPTIONAL + 108, 4, 17, PECOFF_E_HEADER, PECOFF_E_HEADER },
		{ SECTION + 1, 1, 'm', PECOFF_E_SECTION, PECOFF_E_SECTION }, /* one of two */
		{ SECTION + 7, 1, 'x', PECOFF_E_SECTION, PECOFF_E_SECTION },
		{ SECTION, 8, 0x7963696c6f702e, PECOFF_E_TWICE, PECOFF_E_TWICE },
		{ SECTION + 8, 4, 0, PECOFF_E_KIND, PECOFF_E_KIND },
		{ SECTION + 8, 4, 0x201, PECOFF_E_KIND, PECOFF_E_KIND },
		{ SECTION + 12, 4, 0x2000, PECOFF_OK, PECOFF_E_SECTION },
		{ SECTION + 12, 4, 0x3f00, PECOFF_OK, PECOFF_E_SECTION },
		{ SECTION + 12, 4, 0xfffffff0, PECOFF_OK, PECOFF_E_SECTION },
		{ SECTION + 12, 4, 0, PECOFF_OK, PECOFF_E_SECTION },
		{ SECTION + 16, 4, 1, PECOFF_E_KIND, PECOFF_E_KIND },
		{ SECTION + 16, 4, 0xffffffff, PECOFF_E_SECTION, PECOFF_E_SECTION },
		{ SECTION + 20, 4, 0, PECOFF_E_SECTION, PECOFF_OK },
		{ SECTION + 20, 4, 0xffffff00, PECOFF_E_SECTION, PECOFF_OK },
		{ SECTION + 20, 4, 0xb00, PECOFF_E_SECTION, PECOFF_OK },
		{ SECTION + 36, 4, PECOFF_READ | PECOFF_WRITE | PECOFF_INITIALIZED_DATA, PECOFF_E_KIND, PECOFF_E_KIND },
		{ SECTION + 36, 4, PECOFF_READ | PECOFF_EXECUTE | PECOFF_INITIALIZED_DATA, PECOFF_E_KIND, PECOFF_E_KIND },
		{ SECTION + 36, 4, PECOFF_READ | PECOFF_DISCARDABLE | PECOFF_INITIALIZED_DATA, PECOFF_E_KIND, PECOFF_E_KIND },
		{ SECTION + 36, 4, PECOFF_READ, PECOFF_E_KIND, PECOFF_E_KIND },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct embedded e;
		enum pecoff_error in_file, in_memory;

		make();
		sample_put(put, rows[i].at, rows[i].v, rows[i].width);
		sample_put(memory, rows[i].at, rows[i].v, rows[i].width);
		in_file = find_in(put, sizeof(put), PECOFF_FILE, &e);
		in_memory = find_in(memory, sizeof(memory), PECOFF_LOADED, &e);
		if (in_file != rows[i].file || in_memory != rows[i].loaded)
			fail_msg("row %zu: %s; in memory: %s", i, pecoff_strerror(in_file), pecoff_strerror(in_memory));
	}
}

/* Cut off anywhere, and every byte of the headers changed in every bit and to the extremes. find_in() looks at what comes out. */
static void test_mutations(void **state)
{
	static const uint8_t extremes[] = { 0x00, 0x7f, 0x80, 0xff };
	struct embedded e;

	(void)state;
	make();
	for (size_t n = 0; n < sizeof(put); n++)
		if (find_in(put, n, PECOFF_FILE, &e) == PECOFF_OK)
			assert_true(n >= 0x1000);
	for (size_t n = 0; n < sizeof(memory); n += n < 0x400 ? 1 : 7)
		if (find_in(memory, n, PECOFF_LOADED, &e) == PECOFF_OK)
			assert_true(n >= 0x4000 + good.policy.n);
	for (size_t i = 0; i < SAMPLE_PE_TABLE + 160; i++) {
		for (unsigned k = 0; k < 8 + GL_COUNT(extremes); k++) {
			uint8_t was = put[i], v;
			size_t n = 0;

			v = (uint8_t)(k < 8 ? was ^ 1u << k : extremes[k - 8]);
			put[i] = memory[i] = v;
			(void)!find_in(put, sizeof(put), PECOFF_FILE, &e);
			(void)!find_in(memory, sizeof(memory), PECOFF_LOADED, &e);
			(void)!embedded_put(SPAN_OF(put), &good, (struct mspan){ NULL, 0 }, &n);
			put[i] = memory[i] = was;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_what_append_writes),
		cmocka_unit_test(test_append_refuses),
		cmocka_unit_test(test_find_refuses),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests_name("boot pecoff", tests, NULL, NULL);
}
