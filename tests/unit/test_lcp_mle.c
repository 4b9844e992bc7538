/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cursor.h"
#include "evp.h"
#include "lcp/mle_hash.h"

/* What the ELF files here are made of. */
struct segment {
	uint64_t address;
	uint64_t memory; /* size in memory */
	size_t file;     /* size in the file */
};

struct recipe {
	bool wide; /* ELF64 */
	uint16_t machine;
	struct segment segments[20];
	unsigned segment_count;
	size_t header; /* where the MLE header lies in the image */
	uint32_t length, start, end, cmdline_start, cmdline_end;
};

static const struct recipe plain = {
	.machine = 3,
	.segments = { { 0x800000, 0x3000, 0x2000 } },
	.segment_count = 1,
	.header = 0x40,
	.length = 52,
	.start = 0x100,
	.end = 0x2800,
	.cmdline_start = 0x1000,
	.cmdline_end = 0x1200,
};

static const uint8_t uuid[16] = { 0x5a, 0xac, 0x82, 0x90, 0x6f, 0x47, 0xa7, 0x74, 0x0f, 0x5c, 0x55, 0xa2, 0xcb, 0x51, 0xb6, 0x42 };

static uint8_t elf[1 << 16], image[1 << 16];

static void write_header(struct wr *w, const struct recipe *r)
{
	wr_bytes(w, SPAN_OF(uuid));
	wr_le32(w, r->length);
	wr_le32(w, 0x20001);
	wr_le32(w, 0x10);
	wr_le32(w, 0);
	wr_le32(w, r->start);
	wr_le32(w, r->end);
	wr_le32(w, 0x627);
	wr_le32(w, r->cmdline_start);
	wr_le32(w, r->cmdline_end);
}

/* The image as it will lie in memory; what is not in a file is zero. */
static size_t lay_out(const struct recipe *r)
{
	uint64_t base = r->segments[0].address, size = 0;
	struct wr w = wr_init((struct mspan){ image + r->header, sizeof(image) - r->header });

	memset(image, 0, sizeof(image));
	for (unsigned i = 0; i < r->segment_count; i++) {
		const struct segment *s = &r->segments[i];

		for (size_t k = 0; k < s->file; k++)
			image[s->address - base + k] = (uint8_t)(k * 7 + i + 1);
		if (s->memory)
			size = s->address - base + s->memory;
	}
	write_header(&w, r);
	assert_true(size <= sizeof(image) && !w.bad);
	return (size_t)size;
}

/* The file: headers, then the segments' bytes. */
static struct span build(const struct recipe *r)
{
	struct wr w = wr_init((struct mspan){ elf, sizeof(elf) });
	size_t ehsize = r->wide ? 64 : 52, phsize = r->wide ? 56 : 32, word = r->wide ? 8 : 4;
	size_t data = ehsize + phsize * (r->segment_count + 1);

	lay_out(r);
	wr_bytes(&w, SPAN_LITERAL("\x7f"
				  "ELF"));
	wr_u8(&w, r->wide ? 2 : 1);
	wr_u8(&w, 1);
	wr_u8(&w, 1);
	for (unsigned i = 7; i < 16; i++)
		wr_u8(&w, 0);
	wr_le16(&w, 2);
	wr_le16(&w, r->machine);
	wr_le32(&w, 1);
	wr_le(&w, r->segments[0].address, word);
	wr_le(&w, ehsize, word);
	wr_le(&w, 0, word);
	wr_le32(&w, 0);
	wr_le16(&w, (uint16_t)ehsize);
	wr_le16(&w, (uint16_t)phsize);
	wr_le16(&w, (uint16_t)(r->segment_count + 1));
	while (w.off < ehsize)
		wr_u8(&w, 0);
	/* the last program header is no PT_LOAD */
	for (unsigned i = 0; i <= r->segment_count; i++) {
		struct segment s = i < r->segment_count ? r->segments[i] : (struct segment){ 0, 0, 0 };

		wr_le32(&w, i < r->segment_count ? 1 : 4);
		if (r->wide)
			wr_le32(&w, 5);
		wr_le(&w, data, word);
		wr_le(&w, s.address + 0xc0000000, word); /* the virtual address is of no interest */
		wr_le(&w, s.address, word);
		wr_le(&w, s.file, word);
		wr_le(&w, s.memory, word);
		if (!r->wide)
			wr_le32(&w, 5);
		wr_le(&w, 0x1000, word);
		data += s.file;
	}
	for (unsigned i = 0; i < r->segment_count; i++)
		wr_bytes(&w, (struct span){ image + (r->segments[i].address - r->segments[0].address), r->segments[i].file });
	assert_false(w.bad);
	assert_int_equal(w.off, data);
	return wr_span(&w);
}

/* The hash must be that of the laid-out image with the command line put into it. */
static void assert_hash(const struct recipe *r, const char *cmdline)
{
	struct span file = build(r), text = span_str(cmdline);
	struct digests d;
	size_t size = lay_out(r);

	assert_true(size >= r->end);
	if (cmdline) {
		memset(image + r->cmdline_start, 0, r->cmdline_end - r->cmdline_start);
		memcpy(image + r->cmdline_start, cmdline, text.n);
	}
	assert_int_equal(lcp_mle_hash(file, cmdline ? &text : NULL, ALG_SET_ALL, &d), LCP_OK);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		uint8_t want[DIGEST_MAX];

		evp(a, (struct span){ image + r->start, r->end - r->start }, want);
		assert_memory_equal(d.d[a], want, alg_table[a].size);
	}
}

static void assert_both(const struct recipe *r)
{
	struct recipe wide = *r;

	wide.wide = true;
	wide.machine = 62;
	assert_hash(r, NULL);
	assert_hash(r, "logging=serial,vga");
	assert_hash(&wide, "");
}

static void test_plain(void **state)
{
	(void)state;
	struct recipe r = plain;
	char longest[0x200];

	assert_both(&r);
	memset(longest, 'x', sizeof(longest));
	longest[0x1ff] = '\0';
	assert_hash(&r, longest);
	r.header = 0x1fd0; /* its end is in the part that the file does not have */
	r.cmdline_start = r.cmdline_end = 0;
	assert_hash(&r, NULL);
}

static void test_segments(void **state)
{
	(void)state;
	struct recipe r = plain;

	/* one behind the other, with zeros and a gap between them; the command line lies in the second */
	r.segments[0] = (struct segment){ 0x100000, 0x1000, 0x800 };
	r.segments[1] = (struct segment){ 0x101000, 0x800, 0x300 };
	r.segments[2] = (struct segment){ 0x102000, 0x1000, 0x1000 };
	r.segment_count = 3;
	assert_both(&r);
	/* the header across two segments */
	r.segments[0] = (struct segment){ 0x100000, 0x50, 0x50 };
	r.segments[1] = (struct segment){ 0x100050, 0x2fb0, 0x2fb0 };
	r.segment_count = 2;
	assert_both(&r);
	r.segments[0] = (struct segment){ 0x100000, 0x4a, 0x4a };
	r.segments[1] = (struct segment){ 0x10004a, 0x2fb6, 0x2fb6 };
	assert_both(&r);
	/* an empty segment counts for nothing */
	r.segments[2] = (struct segment){ 0x100010, 0, 0 };
	r.segment_count = 3;
	assert_both(&r);
}

/* The command line area before, across, around and behind the MLE. */
static void test_cmdline_area(void **state)
{
	(void)state;
	static const uint32_t areas[][2] = {
		{ 0x80, 0xf0 },
		{ 0xf8, 0x140 },
		{ 0x100, 0x200 },
		{ 0x90, 0x2ff0 },
		{ 0x2700, 0x2800 },
		{ 0x27f8, 0x2900 },
		{ 0x2800, 0x2900 },
		{ 0x2900, 0x2a00 },
	};

	for (size_t i = 0; i < GL_COUNT(areas); i++) {
		struct recipe r = plain;

		r.cmdline_start = areas[i][0];
		r.cmdline_end = areas[i][1];
		assert_both(&r);
	}
}

static void test_cmdline_refused(void **state)
{
	(void)state;
	struct recipe r = plain;
	char text[0x201];
	struct span s = { (const uint8_t *)text, 0x200 };
	struct digests d;

	memset(text, 'x', sizeof(text));
	assert_int_equal(lcp_mle_hash(build(&r), &s, ALG_SET_ALL, &d), LCP_E_MLE_CMDLINE);
	s.n = 0x100;
	text[0x80] = '\0';
	assert_int_equal(lcp_mle_hash(build(&r), &s, ALG_SET_ALL, &d), LCP_E_MLE_CMDLINE);
	s.n = 0;
	r.cmdline_start = r.cmdline_end;
	assert_int_equal(lcp_mle_hash(build(&r), &s, ALG_SET_ALL, &d), LCP_E_MLE_CMDLINE);
	assert_int_equal(lcp_mle_hash(build(&r), NULL, ALG_SET_ALL, &d), LCP_OK);
	/* an old header has no area */
	r = plain;
	r.length = 44;
	assert_int_equal(lcp_mle_hash(build(&r), &s, ALG_SET_ALL, &d), LCP_E_MLE_CMDLINE);
	assert_int_equal(lcp_mle_hash(build(&r), NULL, ALG_SET_ALL, &d), LCP_OK);
}

static void test_find(void **state)
{
	(void)state;
	struct lcp_mle m;

	assert_int_equal(lcp_mle_find(build(&plain), &m), LCP_OK);
	assert_int_equal(m.size, 0x3000);
	assert_int_equal(m.segment_count, 1);
	assert_int_equal(m.segments[0].offset, 0);
	assert_int_equal(m.segments[0].size, 0x3000);
	assert_int_equal(m.segments[0].file.n, 0x2000);
	assert_int_equal(m.header, 0x40);
	assert_int_equal(m.length, 52);
	assert_int_equal(m.version, 0x20001);
	assert_int_equal(m.entry, 0x10);
	assert_int_equal(m.start, 0x100);
	assert_int_equal(m.end, 0x2800);
	assert_int_equal(m.capabilities, 0x627);
	assert_int_equal(m.cmdline_start, 0x1000);
	assert_int_equal(m.cmdline_end, 0x1200);
}

static void assert_refused(const struct recipe *r, enum lcp_error error)
{
	struct lcp_mle m;

	memset(&m, 0x5a, sizeof(m));
	assert_int_equal(lcp_mle_find(build(r), &m), error);
	assert_int_equal(m.version, 0x5a5a5a5a);
}

static void test_refused(void **state)
{
	(void)state;
	struct recipe r = plain;

	r.start = r.end;
	assert_refused(&r, LCP_E_MLE_RANGE);
	r.start = r.end + 1;
	assert_refused(&r, LCP_E_MLE_RANGE);
	r = plain;
	r.end = 0x3001;
	assert_refused(&r, LCP_E_MLE_RANGE);
	r.end = 0xffffffff;
	assert_refused(&r, LCP_E_MLE_RANGE);
	r = plain;
	r.cmdline_end = 0x3001;
	assert_refused(&r, LCP_E_MLE_RANGE);
	r.cmdline_end = r.cmdline_start - 1;
	assert_refused(&r, LCP_E_MLE_RANGE);
	r = plain;
	r.header = 0x48; /* not at a multiple of 16 */
	assert_refused(&r, LCP_E_MLE_HEADER);
	r.header = 0x2ff0; /* behind what the file has */
	assert_refused(&r, LCP_E_MLE_HEADER);
	r = plain;
	r.segments[0] = (struct segment){ 0x800000, 0x2000, 0x2000 };
	r.header = 0x1fe0; /* it does not end in the image */
	r.end = 0x1000;
	assert_refused(&r, LCP_E_MLE_HEADER);
	r = plain;
	r.machine = 40;
	assert_refused(&r, LCP_E_MLE_ELF);
	r = plain;
	r.segment_count = 2;
	r.segments[1] = (struct segment){ 0x802fff, 0x10, 0 };
	assert_refused(&r, LCP_E_MLE_SEGMENTS);
	r = plain;
	for (; r.segment_count <= LCP_MLE_MAX_SEGMENTS; r.segment_count++)
		r.segments[r.segment_count] = (struct segment){ 0x803000 + r.segment_count * 16, 16, 0 };
	assert_refused(&r, LCP_E_MLE_SEGMENTS);
}

/* Single fields of the ELF headers, at their places in the 32-bit file. */
static void test_elf_fields(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		uint64_t value;
		size_t width;
		enum lcp_error error;
	} cases[] = {
		{ 0, 0x464c457e, 4, LCP_E_MLE_ELF }, { 0, 0x8b1f, 2, LCP_E_MLE_ELF }, /* gzip */
		{ 4, 3, 1, LCP_E_MLE_ELF }, { 5, 2, 1, LCP_E_MLE_ELF }, { 16, 3, 2, LCP_E_MLE_ELF }, { 20, 2, 4, LCP_E_MLE_ELF },
		{ 28, 0xffffffff, 4, LCP_E_MLE_SEGMENTS },                               /* e_phoff */
		{ 42, 31, 2, LCP_E_MLE_SEGMENTS },                                       /* e_phentsize */
		{ 44, 0, 2, LCP_E_MLE_SEGMENTS },                                        /* e_phnum */
		{ 44, 0xffff, 2, LCP_E_MLE_SEGMENTS }, { 52, 2, 4, LCP_E_MLE_SEGMENTS }, /* p_type: no PT_LOAD left */
		{ 56, 0xffffffff, 4, LCP_E_MLE_SEGMENTS },                               /* p_offset */
		{ 56, 117, 4, LCP_E_MLE_SEGMENTS },                                      /* one byte too far */
		{ 68, 0x3001, 4, LCP_E_MLE_SEGMENTS },                                   /* p_filesz above p_memsz */
		{ 72, 0x1fff, 4, LCP_E_MLE_SEGMENTS },                                   /* p_memsz */
		{ 72, 0x40000000, 4, LCP_OK }, { 72, 0x40000001, 4, LCP_E_MLE_SIZE },
		{ 64, 0xffffffff, 4, LCP_OK }, /* p_paddr: only differences count */
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct span file = build(&plain);
		struct wr w = wr_init((struct mspan){ elf + cases[i].at, 8 });
		struct lcp_mle m;
		enum lcp_error error;

		wr_le(&w, cases[i].value, cases[i].width);
		error = lcp_mle_find(file, &m);
		if (error != cases[i].error)
			fail_msg("case %zu: %s", i, lcp_strerror(error));
	}
}

static void test_wide_wraps(void **state)
{
	(void)state;
	struct recipe r = plain;
	struct lcp_mle m;
	struct span file;
	struct wr w;

	r.wide = true;
	r.machine = 62;
	file = build(&r);
	w = wr_init((struct mspan){ elf + 64 + 24, 8 }); /* p_paddr */
	wr_le64(&w, UINT64_MAX - 0x3000);
	assert_int_equal(lcp_mle_find(file, &m), LCP_OK);
	w = wr_init((struct mspan){ elf + 64 + 24, 8 });
	wr_le64(&w, UINT64_MAX - 0x2fff);
	assert_int_equal(lcp_mle_find(file, &m), LCP_E_MLE_SEGMENTS);
	file = build(&r);
	w = wr_init((struct mspan){ elf + 64 + 8, 8 }); /* p_offset */
	wr_le64(&w, UINT64_MAX - 0xfff);
	assert_int_equal(lcp_mle_find(file, &m), LCP_E_MLE_SEGMENTS);
	file = build(&r);
	w = wr_init((struct mspan){ elf + 32, 8 }); /* e_phoff */
	wr_le64(&w, UINT64_MAX);
	assert_int_equal(lcp_mle_find(file, &m), LCP_E_MLE_SEGMENTS);
}

/* All prefixes, each in a block of its own size. */
static void test_cut(void **state)
{
	(void)state;
	struct recipe r = plain;
	struct span file;

	r.segments[0].file = 0x100;
	r.end = 0x200;
	r.cmdline_start = r.cmdline_end = 0;
	file = build(&r);
	for (size_t n = 0; n < file.n; n++) {
		uint8_t *copy = malloc(n ? n : 1);
		struct lcp_mle m;

		assert_non_null(copy);
		memcpy(copy, file.p, n);
		assert_int_not_equal(lcp_mle_find((struct span){ copy, n }, &m), LCP_OK);
		free(copy);
	}
}

/* Into the MLE [0x800100, 0x800200), from words outside of it. Segments begin where addresses need not be multiples of 4. */
static void test_unmeasured_pointers(void **state)
{
	static const struct {
		uint64_t at; /* in the image */
		uint32_t word;
		size_t counted;
	} rows[] = {
		{ 0x300, 0x800100, 1 },
		{ 0x300, 0x8001ff, 1 },
		{ 0x300, 0x8000ff, 0 },
		{ 0x300, 0x800200, 0 },
		{ 0x300, 0x100, 0 },
		{ 0x300, 0xffffffff, 0 },
		{ 0xfc, 0x800180, 1 },
		{ 0x100, 0x800180, 0 },
		{ 0x1fc, 0x800180, 0 },
		{ 0x200, 0x800180, 1 },
		{ 0x302, 0x800180, 0 },
		{ 0x1004, 0x800180, 1 },
		{ 0x1005, 0x800180, 0 },
		{ 0x10fc, 0x800180, 1 },
	};
	struct recipe r = plain;

	(void)state;
	r.segments[0] = (struct segment){ 0x800000, 0x800, 0x400 };
	r.segments[1] = (struct segment){ 0x801001, 0x1000, 0xff };
	r.segment_count = 2;
	r.end = 0x200;
	r.cmdline_start = r.cmdline_end = 0;
	for (unsigned wide = 0; wide < 2; wide++)
		for (size_t i = 0; i < GL_COUNT(rows); i++) {
			size_t in_file, before;
			struct span file;
			struct lcp_mle m;
			uint8_t *word;

			r.wide = wide != 0;
			file = build(&r);
			in_file = file.n - 0x400 - 0xff + (size_t)(rows[i].at < 0x1000 ? rows[i].at : 0x400 + rows[i].at - 0x1001);
			assert_int_equal(lcp_mle_find(file, &m), LCP_OK);
			before = lcp_mle_unmeasured_pointers(&m);
			word = elf + in_file;
			for (unsigned k = 0; k < 4; k++)
				word[k] = (uint8_t)(rows[i].word >> (8 * k));
			assert_int_equal(lcp_mle_find(file, &m), LCP_OK);
			assert_int_equal(before, 0);
			if (lcp_mle_unmeasured_pointers(&m) != rows[i].counted)
				fail_msg("row %zu", i);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_cmdline_area),
		cmocka_unit_test(test_cmdline_refused),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_elf_fields),
		cmocka_unit_test(test_wide_wraps),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_unmeasured_pointers),
	};

	return cmocka_run_group_tests_name("lcp_mle", tests, NULL, NULL);
}
