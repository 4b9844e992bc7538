/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/multiboot2_header.h"
#include "boot/multiboot2_info.h"
#include "tests/unit/boot_samples.h"

/* ---------------------------------------------------------------- header */

static uint8_t file[SAMPLE_XEN_SIZE];

static enum mb2_header_error parse(size_t n, struct mb2_header *h)
{
	uint8_t *copy = malloc(n ? n : 1);
	enum mb2_header_error e;

	assert_non_null(copy);
	memcpy(copy, file, n);
	e = mb2_header_parse((struct span){ copy, n }, h);
	free(copy);
	return e;
}

static void test_header(void **state)
{
	struct mb2_header h;

	(void)state;
	sample_xen(file);
	assert_int_equal(parse(sizeof(file), &h), MB2_HEADER_OK);
	assert_int_equal(h.offset, SAMPLE_MB2_OFFSET);
	assert_int_equal(h.tags, 1u << 1 | 1u << 6 | 1u << 10 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 9);
	assert_int_equal(h.required, 1u << MB2_BASIC_MEMINFO | 1u << MB2_MMAP);
	assert_int_equal(h.wished, 0);
	assert_int_equal(h.entry_efi64, SAMPLE_XEN_ENTRY_EFI64);
	assert_int_equal(h.relocatable.min, 0x200000);
	assert_int_equal(h.relocatable.max, 0xffffffff);
	assert_int_equal(h.relocatable.align, 0x200000);
	assert_int_equal(h.relocatable.preference, MB2_PREFER_HIGH);
	assert_false(h.console_required);
	for (size_t n = 0; n < SAMPLE_MB2_OFFSET + 136; n++)
		assert_int_equal(parse(n, &h), n < SAMPLE_MB2_OFFSET + 16 ? MB2_HEADER_E_NONE : MB2_HEADER_E_LENGTH);
}

static void test_header_refused(void **state)
{
	/* clang-format off */
	static const struct {
		size_t tag, at, width; /* at: in the tag */
		uint64_t v;
		enum mb2_header_error e;
	} rows[] = {
		{ SAMPLE_MB2_OFFSET, 0, 4, 0xe85250d7, MB2_HEADER_E_NONE },
		{ SAMPLE_MB2_OFFSET, 4, 4, 4, MB2_HEADER_E_ARCHITECTURE },
		{ SAMPLE_MB2_OFFSET, 8, 4, 15, MB2_HEADER_E_LENGTH },
		{ SAMPLE_MB2_OFFSET, 8, 4, SAMPLE_XEN_SIZE - SAMPLE_MB2_OFFSET + 1, MB2_HEADER_E_LENGTH },
		{ SAMPLE_MB2_OFFSET, 8, 4, 0xffffffff, MB2_HEADER_E_LENGTH }, { SAMPLE_MB2_OFFSET, 8, 4, 16, MB2_HEADER_E_END },
		{ SAMPLE_MB2_OFFSET, 8, 4, 128, MB2_HEADER_E_END },
		{ SAMPLE_MB2_REQUEST, 4, 4, 0, MB2_HEADER_E_TAG_SIZE }, { SAMPLE_MB2_REQUEST, 4, 4, 7, MB2_HEADER_E_TAG_SIZE },
		{ SAMPLE_MB2_REQUEST, 4, 4, 0xffffffff, MB2_HEADER_E_TAG_SIZE },
		{ SAMPLE_MB2_RELOCATABLE, 4, 4, 23, MB2_HEADER_E_TAG_SIZE }, { SAMPLE_MB2_ENTRY_EFI64, 4, 4, 11, MB2_HEADER_E_TAG_SIZE },
		{ SAMPLE_MB2_CONSOLE, 4, 4, 8, MB2_HEADER_E_TAG_SIZE },
		{ SAMPLE_MB2_MODULE_ALIGN, 0, 2, 7, MB2_HEADER_E_TWICE },
		{ SAMPLE_MB2_MODULE_ALIGN, 0, 2, 11, MB2_HEADER_E_UNKNOWN }, { SAMPLE_MB2_MODULE_ALIGN, 0, 2, 0xffff, MB2_HEADER_E_UNKNOWN },
		{ SAMPLE_MB2_REQUEST, 12, 4, 32, MB2_HEADER_E_REQUEST }, { SAMPLE_MB2_REQUEST, 8, 4, 0xffffffff, MB2_HEADER_E_REQUEST },
		{ SAMPLE_MB2_RELOCATABLE, 16, 4, 0, MB2_HEADER_E_RELOCATABLE },
		{ SAMPLE_MB2_RELOCATABLE, 16, 4, 0x300000, MB2_HEADER_E_RELOCATABLE },
		{ SAMPLE_MB2_RELOCATABLE, 20, 4, 3, MB2_HEADER_E_RELOCATABLE },
		{ SAMPLE_MB2_RELOCATABLE, 12, 4, 0x1fffff, MB2_HEADER_E_RELOCATABLE },
		/* without consequence: an optional tag of unknown type, an end that comes early */
		{ SAMPLE_MB2_CONSOLE, 0, 2, 77, MB2_HEADER_OK }, { SAMPLE_MB2_FRAMEBUFFER, 0, 2, 0, MB2_HEADER_OK },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct mb2_header h, untouched;

		memset(&h, 0xa5, sizeof(h));
		untouched = h;
		sample_xen(file);
		sample_put(file, rows[i].tag + rows[i].at, rows[i].v, rows[i].width);
		if (rows[i].tag == SAMPLE_MB2_OFFSET && rows[i].at > 0)
			sample_mb2_sign(file);
		if (parse(sizeof(file), &h) != rows[i].e)
			fail_msg("row %zu: %s", i, mb2_header_strerror(parse(sizeof(file), &h)));
		if (rows[i].e != MB2_HEADER_OK)
			assert_memory_equal(&h, &untouched, sizeof(h));
	}
}

/* Optional requests are wishes; an unknown one among them does not matter. */
static void test_header_wishes(void **state)
{
	struct mb2_header h;

	(void)state;
	sample_xen(file);
	sample_put(file, SAMPLE_MB2_REQUEST + 2, 1, 2);
	sample_put(file, SAMPLE_MB2_REQUEST + 12, 99, 4);
	assert_int_equal(parse(sizeof(file), &h), MB2_HEADER_OK);
	assert_int_equal(h.required, 0);
	assert_int_equal(h.wished, 1u << MB2_BASIC_MEMINFO);
}

/* The header must lie within 32 KiB, at a multiple of 8, and a wrong checksum is no header. */
static void test_header_search(void **state)
{
	static uint8_t big[MB2_HEADER_SEARCH + 4096];
	struct mb2_header h;

	(void)state;
	sample_xen(file);
	for (size_t at = 0; at + 136 <= sizeof(big); at += at % 8 ? 4 : 1020) {
		bool good = at % 8 == 0 && at + 136 <= MB2_HEADER_SEARCH;

		memset(big, 0, sizeof(big));
		memcpy(big + at, file + SAMPLE_MB2_OFFSET, 136);
		assert_int_equal(mb2_header_parse((struct span){ big, sizeof(big) }, &h) == MB2_HEADER_OK, good);
		if (good)
			assert_int_equal(h.offset, at);
	}
	sample_put(file, SAMPLE_MB2_CHECKSUM, 1, 4);
	assert_int_equal(parse(sizeof(file), &h), MB2_HEADER_E_NONE);
}

/* ---------------------------------------------------------------- information */

static const struct mb2_memory map[] = {
	{ 0, 0x9f000, MB2_MEMORY_AVAILABLE },
	{ 0x100000, 0x3ff00000, MB2_MEMORY_AVAILABLE },
	{ 0xfed20000, 0x20000, MB2_MEMORY_RESERVED },
};

static void put_all(struct mb2_writer *w)
{
	struct mb2_module m = { 0x1000000, 0x1800001, SPAN_LITERAL("kernel console=hvc0") };
	struct mb2_framebuffer f = { .address = 0x80000000,
		.pitch = 4096,
		.width = 1024,
		.height = 768,
		.bits = 32,
		.type = MB2_FRAMEBUFFER_RGB,
		.red = { 16, 8 },
		.green = { 8, 8 },
		.blue = { 0, 8 } };
	uint8_t efi[96] = { 7 };

	mb2_put_cmdline(w, SPAN_LITERAL("xen loglvl=all"));
	mb2_put_loader_name(w, SPAN_LITERAL("geolaunch"));
	mb2_put_module(w, &m);
	m = (struct mb2_module){ 0x2000000, 0x2000000, { NULL, 0 } };
	mb2_put_module(w, &m);
	mb2_put_basic_meminfo(w, 636, 1047552);
	mb2_put_mmap(w, map, GL_COUNT(map));
	mb2_put_number(w, MB2_EFI64, 0x123456789aull);
	mb2_put_number(w, MB2_EFI32, 0x89abcdef);
	mb2_put_efi_mmap(w, 48, 1, SPAN_OF(efi));
	mb2_put(w, MB2_EFI_BOOT_SERVICES, (struct span){ NULL, 0 });
	mb2_put_number(w, MB2_EFI64_IMAGE, UINT64_MAX);
	mb2_put(w, MB2_ACPI_NEW, SPAN_LITERAL("RSD PTR 36 bytes of something, or so"));
	mb2_put_framebuffer(w, &f);
	mb2_put_number(w, MB2_LOAD_BASE, 0x3b000000);
}

static uint8_t buf[2048];

static size_t make(void)
{
	struct mb2_writer w;
	size_t n = 0, measured = 0;

	mb2_begin_measure(&w);
	put_all(&w);
	assert_true(mb2_end(&w, &measured));
	memset(buf, 0xa5, sizeof(buf));
	mb2_begin(&w, (struct mspan){ buf, measured });
	put_all(&w);
	assert_true(mb2_end(&w, &n));
	assert_int_equal(n, measured);
	assert_int_equal(n % 8, 0);
	assert_int_equal(buf[n], 0xa5);
	return n;
}

static void test_info_golden(void **state)
{
	static const uint8_t expected[] =
		"\x38\0\0\0\0\0\0\0"
		"\1\0\0\0\x0c\0\0\0abc\0\0\0\0\0"
		"\3\0\0\0\x12\0\0\0\0\0\x10\0\1\0\x10\0x\0\0\0\0\0\0\0"
		"\0\0\0\0\x08\0\0"; /* and the literal's NUL */
	struct mb2_module m = { 0x100000, 0x100001, SPAN_LITERAL("x") };
	struct mb2_writer w;
	size_t n = 0;

	(void)state;
	mb2_begin(&w, (struct mspan){ buf, sizeof(buf) });
	mb2_put_cmdline(&w, SPAN_LITERAL("abc"));
	mb2_put_module(&w, &m);
	assert_true(mb2_end(&w, &n));
	assert_int_equal(n, sizeof(expected));
	assert_memory_equal(buf, expected, n);
}

static void test_info_read(void **state)
{
	size_t n = make();
	struct mb2_info info;
	struct mb2_tag t;
	struct mb2_module m;
	struct mb2_framebuffer f;
	struct mb2_mmap mm;
	struct mb2_efi_mmap em;
	struct mb2_tags it = { .info = &info };
	struct span text;
	uint32_t lower = 0, upper = 0;
	uint64_t v = 0;
	unsigned tags = 0, modules = 0;

	(void)state;
	assert_int_equal(mb2_info_size((struct span){ buf, 8 }), n);
	assert_int_equal(mb2_info_size((struct span){ buf, 7 }), 0);
	assert_int_equal(mb2_info_open((struct span){ buf, sizeof(buf) }, &info), MB2_INFO_OK);
	assert_true(mb2_find(&info, MB2_CMDLINE, &t) && mb2_get_text(&t, &text) && span_is_str(text, "xen loglvl=all"));
	assert_false(mb2_get_module(&t, &m));
	assert_true(mb2_find(&info, MB2_LOADER_NAME, &t) && mb2_get_text(&t, &text) && span_is_str(text, "geolaunch"));
	assert_true(mb2_find(&info, MB2_MODULE, &t) && mb2_get_module(&t, &m));
	assert_int_equal(m.start, 0x1000000);
	assert_int_equal(m.end, 0x1800001);
	assert_true(span_is_str(m.string, "kernel console=hvc0"));
	assert_false(mb2_get_text(&t, &text));
	assert_true(mb2_find(&info, MB2_BASIC_MEMINFO, &t) && mb2_get_basic_meminfo(&t, &lower, &upper));
	assert_int_equal(lower, 636);
	assert_int_equal(upper, 1047552);
	assert_true(mb2_find(&info, MB2_MMAP, &t) && mb2_get_mmap(&t, &mm));
	assert_int_equal(mm.count, GL_COUNT(map));
	for (size_t i = 0; i < mm.count; i++) {
		struct mb2_memory e = mb2_mmap_entry(&mm, i);

		assert_int_equal(e.base, map[i].base);
		assert_int_equal(e.size, map[i].size);
		assert_int_equal(e.type, map[i].type);
	}
	assert_true(mb2_find(&info, MB2_EFI64, &t) && mb2_get_number(&t, &v));
	assert_int_equal(v, 0x123456789aull);
	assert_true(mb2_find(&info, MB2_EFI32, &t) && mb2_get_number(&t, &v));
	assert_int_equal(v, 0x89abcdef);
	assert_true(mb2_find(&info, MB2_EFI_MMAP, &t) && mb2_get_efi_mmap(&t, &em));
	assert_int_equal(em.descriptor_size, 48);
	assert_int_equal(em.map.n, 96);
	assert_true(mb2_find(&info, MB2_FRAMEBUFFER, &t) && mb2_get_framebuffer(&t, &f));
	assert_int_equal(f.pitch, 4096);
	assert_int_equal(f.red.position, 16);
	assert_int_equal(f.blue.size, 8);
	assert_true(mb2_find(&info, MB2_LOAD_BASE, &t) && mb2_get_number(&t, &v));
	assert_false(mb2_find(&info, MB2_APM, &t));
	while (mb2_next(&it, &t)) {
		tags++;
		modules += t.type == MB2_MODULE;
	}
	assert_int_equal(tags, 14);
	assert_int_equal(modules, 2);
}

/* Every buffer that is too small is refused, and nothing is written behind it. */
static void test_info_room(void **state)
{
	size_t n = make();

	(void)state;
	for (size_t room = 0; room < n; room++) {
		struct mb2_writer w;
		size_t got = 4711;

		memset(buf, 0xa5, sizeof(buf));
		mb2_begin(&w, (struct mspan){ buf, room });
		put_all(&w);
		assert_false(mb2_end(&w, &got));
		assert_int_equal(got, 4711);
		assert_int_equal(buf[room], 0xa5);
	}
}

/* A map of nothing, and descriptors larger than the map: no number of them says how much room a copy takes. */
static void test_efi_map_without_entries(void **state)
{
	static const struct {
		uint32_t size;
		size_t n;
		bool good;
	} rows[] = { { 48, 48, true }, { 48, 0, false }, { 0x80000000, 0, false }, { 96, 48, false }, { 24, 48, false }, { 40, 80, true } };
	uint8_t content[8 + 96] = { 0 };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct mb2_tag t = { .type = MB2_EFI_MMAP, .content = { content, 8 + rows[i].n } };
		struct mb2_efi_mmap m;

		sample_put(content, 0, rows[i].size, 4);
		if (mb2_get_efi_mmap(&t, &m) != rows[i].good)
			fail_msg("%u in %zu", rows[i].size, rows[i].n);
	}
}

static void test_info_impossible(void **state)
{
	struct mb2_framebuffer palette = { .type = MB2_FRAMEBUFFER_INDEXED };
	struct mb2_module backwards = { 2, 1, { NULL, 0 } };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct mb2_writer w;
		size_t n;

		mb2_begin(&w, (struct mspan){ buf, sizeof(buf) });
		if (i == 0)
			mb2_put_cmdline(&w, SPAN_LITERAL("a\0b"));
		else if (i == 1)
			mb2_put_framebuffer(&w, &palette);
		else if (i == 2)
			mb2_put_module(&w, &backwards);
		else if (i == 3)
			mb2_put_number(&w, MB2_EFI32, (uint64_t)1 << 32);
		else if (i == 4)
			mb2_put_number(&w, MB2_CMDLINE, 1);
		else
			mb2_put_mmap(&w, map, SIZE_MAX / 4);
		assert_false(mb2_end(&w, &n));
	}
}

/* The frame: sizes of whole and tags, each wrong one refused. */
static void test_info_frame(void **state)
{
	size_t n = make();
	struct mb2_info info;

	(void)state;
	for (size_t k = 0; k < n; k++) {
		/* of just that size */
		uint8_t *copy = malloc(k ? k : 1);

		assert_non_null(copy);
		memcpy(copy, buf, k);
		assert_int_equal(mb2_info_open((struct span){ copy, k }, &info), MB2_INFO_E_SIZE);
		if (k >= 16) {
			sample_put(copy, 0, k, 4);
			assert_int_not_equal(mb2_info_open((struct span){ copy, k }, &info), MB2_INFO_OK);
		}
		free(copy);
	}
	for (uint32_t size = 0; size < 8; size++) {
		(void)make();
		sample_put(buf, 8 + 4, size, 4);
		assert_int_equal(mb2_info_open((struct span){ buf, n }, &info), MB2_INFO_E_TAG);
	}
	(void)make();
	sample_put(buf, 8 + 4, 0xfffffffa, 4);
	assert_int_equal(mb2_info_open((struct span){ buf, n }, &info), MB2_INFO_E_TAG);
	for (uint32_t total = 0; total < 16; total++) {
		(void)make();
		sample_put(buf, 0, total, 4);
		assert_int_equal(mb2_info_open((struct span){ buf, n }, &info), MB2_INFO_E_SIZE);
	}
}

/* Contents that are no contents of their type. */
static void test_info_contents(void **state)
{
	/* clang-format off */
	static const struct {
		uint32_t type;
		struct span content;
	} rows[] = {
		{ MB2_CMDLINE, SPAN_LITERAL("no NUL") }, { MB2_CMDLINE, { NULL, 0 } }, { MB2_MODULE, SPAN_LITERAL("\1\0\0\0\2\0\0\0") },
		{ MB2_MODULE, SPAN_LITERAL("\2\0\0\0\1\0\0\0x\0") }, { MB2_MODULE, SPAN_LITERAL("\1\0\0\0\2\0\0\0x") },
		{ MB2_BASIC_MEMINFO, SPAN_LITERAL("1234567") }, { MB2_MMAP, SPAN_LITERAL("\x18\0\0") },
		{ MB2_MMAP, SPAN_LITERAL("\0\0\0\0\0\0\0\0") }, { MB2_MMAP, SPAN_LITERAL("\x10\0\0\0\0\0\0\0") },
		{ MB2_MMAP, SPAN_LITERAL("\x18\0\0\0\0\0\0\0x") }, { MB2_MMAP, SPAN_LITERAL("\x1c\0\0\0\0\0\0\0") },
		{ MB2_EFI_MMAP, SPAN_LITERAL("\0\0\0\0\1\0\0\0") }, { MB2_EFI_MMAP, SPAN_LITERAL("\x30\0\0\0\1\0\0\0x") },
		{ MB2_EFI64, SPAN_LITERAL("1234567") }, { MB2_EFI32, SPAN_LITERAL("123") },
		{ MB2_FRAMEBUFFER, SPAN_LITERAL("123456789012345678901\1\0\0") },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct mb2_tag t = { rows[i].type, rows[i].content };
		struct span text;
		struct mb2_module m;
		struct mb2_mmap mm;
		struct mb2_efi_mmap em;
		struct mb2_framebuffer f;
		uint32_t a, b;
		uint64_t v;

		if (mb2_get_text(&t, &text) || mb2_get_module(&t, &m) || mb2_get_mmap(&t, &mm) || mb2_get_efi_mmap(&t, &em) ||
			mb2_get_framebuffer(&t, &f) || mb2_get_basic_meminfo(&t, &a, &b) || mb2_get_number(&t, &v))
			fail_msg("row %zu", i);
	}
}

static void test_info_filter(void **state)
{
	static uint8_t out[2048];
	size_t n = make(), k = 0, all = 0;
	struct mb2_info info, filtered;
	struct mb2_writer w;
	struct mb2_tag t;

	(void)state;
	assert_int_equal(mb2_info_open((struct span){ buf, n }, &info), MB2_INFO_OK);
	mb2_begin(&w, (struct mspan){ out, sizeof(out) });
	mb2_copy_without(&w, &info, 0);
	assert_true(mb2_end(&w, &all));
	assert_int_equal(all, n);
	assert_memory_equal(out, buf, n);
	mb2_begin(&w, (struct mspan){ out, sizeof(out) });
	mb2_copy_without(
		&w, &info, 1u << MB2_EFI32 | 1u << MB2_EFI64 | 1u << MB2_EFI_MMAP | 1u << MB2_EFI_BOOT_SERVICES | 1u << MB2_MODULE);
	assert_true(mb2_end(&w, &k));
	assert_int_equal(mb2_info_open((struct span){ out, k }, &filtered), MB2_INFO_OK);
	assert_false(mb2_find(&filtered, MB2_EFI64, &t) || mb2_find(&filtered, MB2_MODULE, &t));
	assert_true(mb2_find(&filtered, MB2_EFI64_IMAGE, &t) && mb2_find(&filtered, MB2_ACPI_NEW, &t));
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header), cmocka_unit_test(test_header_refused), cmocka_unit_test(test_header_wishes),
		cmocka_unit_test(test_header_search), cmocka_unit_test(test_info_golden), cmocka_unit_test(test_info_read),
		cmocka_unit_test(test_info_room), cmocka_unit_test(test_efi_map_without_entries), cmocka_unit_test(test_info_impossible), cmocka_unit_test(test_info_frame),
		cmocka_unit_test(test_info_contents), cmocka_unit_test(test_info_filter),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
