/* SPDX-License-Identifier: BSD-3-Clause */
/* What tboot hands over, with one thing of it wrong: stage/core/handover.c, plan*.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/boot_samples.h"
#include "tests/unit/stage_world.h"

struct spoil {
	const char *name;
	void (*how)(struct stage_scene *s);
	enum stage_error e;
};

/* clang-format off */
static void bad_rules(struct stage_scene *s) { s->line[0] = 'G'; }
static void no_mmap(struct stage_scene *s) { s->mmap_count = 0; }
static void more_modules(struct stage_scene *s) { s->module_count++; s->modules[4] = s->modules[3]; }
static void less_modules(struct stage_scene *s) { s->module_count--; }
static void empty_module(struct stage_scene *s) { s->modules[2].n = 0; }
static void over_tboot(struct stage_scene *s) { s->mmap[3].type = 1; s->modules[3].shift = STAGE_TBOOT - STAGE_MODULES; }
static void over_heap(struct stage_scene *s) { s->modules[3].shift = STAGE_HEAP - 0x10000 - STAGE_MODULES; }
static void lowest(struct stage_scene *s) { s->modules[3].shift = 0x400u - (STAGE_MODULES + 0x16000u); }
static void module_in_rest(struct stage_scene *s) { s->mmap[4].base = STAGE_MODULES + 0x1000; s->mmap[4].size = 0x1000000; }
static void info_in_rest(struct stage_scene *s) { s->mmap[4].base = STAGE_MODULES; s->mmap[4].size = 0x1000000; }
static void bad_path(struct stage_scene *s) { strcpy(s->modules[2].string, "usr/bin/vmm"); }
static void same_path(struct stage_scene *s) { strcpy(s->modules[2].string, s->modules[3].string); }
static void long_line(struct stage_scene *s) { memset(s->modules[0].string, 'x', 2048); }
static void no_kernel(struct stage_scene *s) { s->kernel[0x202] = 0; }
static void no_memory(struct stage_scene *s) { s->mmap[4].size = 0x1000000; s->mmap[6].type = s->mmap[7].type = s->mmap[9].type = 2; }
/* clang-format on */
static void many_ranges(struct stage_scene *s)
{
	while (s->mmap_count < 130) {
		s->mmap[s->mmap_count] = (struct mb2_memory){ 0x200000000 + s->mmap_count * 0x10000, 0x1000, 2 };
		s->mmap_count++;
	}
}

static void test_refused(void **state)
{
	/* clang-format off */
	static const struct spoil rows[] = {
		{ "rules", bad_rules, STAGE_E_RULES }, { "no map", no_mmap, STAGE_E_MMAP },
		{ "one more", more_modules, STAGE_E_MODULE_COUNT }, { "one less", less_modules, STAGE_E_MODULE_COUNT },
		{ "empty", empty_module, STAGE_E_MODULE }, { "over tboot", over_tboot, STAGE_E_OVERLAP },
		{ "over heap", over_heap, STAGE_E_OVERLAP }, { "lowest", lowest, STAGE_E_MODULE },
		{ "module outside", module_in_rest, STAGE_E_MODULE }, { "information outside", info_in_rest, STAGE_E_MODULE },
		{ "path", bad_path, STAGE_E_MEMBER }, { "same path", same_path, STAGE_E_MEMBER },
		{ "long line", long_line, STAGE_E_CMDLINE }, { "kernel", no_kernel, STAGE_E_KERNEL }, { "memory", no_memory, STAGE_E_KERNEL_PLACE },
		{ "ranges", many_ranges, STAGE_E_E820 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct stage_scene *s = scene_host(false);
		enum stage_error e;

		rows[i].how(s);
		scene_build(s);
		e = scene_plan(s);
		if (e != rows[i].e)
			fail_msg("%s: %s", rows[i].name, stage_strerror(e));
		scene_free(s);
	}
}

/* Where fields of the tag's content lie (Multiboot2 specification, 3.6.12). */
enum { FB_ADDRESS = 0, FB_PITCH = 8, FB_WIDTH = 12, FB_HEIGHT = 16, FB_BITS = 20, FB_TYPE = 21, FB_RED = 24, FB_GREEN = 26, FB_BLUE = 28 };

/* A kernel must not be made to draw over memory or registers, nor beyond the picture that was looked at. */
static void test_framebuffer(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		struct { size_t at; uint64_t value; size_t size; } put[2];
		bool good;
	} rows[] = {
		{ "as it is", { { 0 } }, true },
		{ "elsewhere", { { FB_ADDRESS, 0xc0000000, 8 } }, true },
		{ "memory", { { FB_ADDRESS, 0x2000000, 8 } }, false },
		{ "tboot", { { FB_ADDRESS, STAGE_TBOOT, 8 } }, false },
		{ "TXT heap", { { FB_ADDRESS, STAGE_HEAP, 8 }, { FB_HEIGHT, 1, 4 } }, false },
		{ "APIC", { { FB_ADDRESS, 0xfee00000, 8 }, { FB_HEIGHT, 1, 4 } }, false },
		{ "up to the registers", { { FB_ADDRESS, 0xfebff000, 8 }, { FB_HEIGHT, 1, 4 } }, true },
		{ "into the registers", { { FB_ADDRESS, 0xfebff001, 8 }, { FB_HEIGHT, 1, 4 } }, false },
		{ "last of the registers", { { FB_ADDRESS, 0xfeffffff, 8 }, { FB_HEIGHT, 1, 4 } }, false },
		{ "memory above 4 GiB", { { FB_ADDRESS, 0xfff00000, 8 } }, false },
		{ "wraps", { { FB_ADDRESS, UINT64_MAX - 4, 8 } }, false },
		{ "full line", { { FB_PITCH, 4096, 4 }, { FB_WIDTH, 1024, 4 } }, true },
		{ "line too long", { { FB_WIDTH, 1025, 4 } }, false },
		{ "line of one byte", { { FB_PITCH, 1, 4 } }, false },
		{ "width wraps", { { FB_WIDTH, 0x40000001, 4 } }, false },
		{ "no width", { { FB_WIDTH, 0, 4 } }, false },
		{ "no height", { { FB_HEIGHT, 0, 4 } }, false },
		{ "16 bits", { { FB_BITS, 16, 1 }, { FB_RED, 0x0308, 2 } }, true },
		{ "8 bits", { { FB_BITS, 8, 1 } }, false },
		{ "64 bits", { { FB_BITS, 64, 1 } }, false },
		{ "text", { { FB_TYPE, 2, 1 } }, false },
		{ "red outside", { { FB_RED, 25, 1 } }, false },
		{ "green outside", { { FB_GREEN, 255, 1 } }, false },
		{ "blue too wide", { { FB_BLUE + 1, 33, 1 } }, false },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct stage_scene *s = scene_host(true);
		struct mb2_info given;
		struct mb2_tag t;

		scene_build(s);
		assert_int_equal(mb2_info_open((struct span){ s->ram + STAGE_INFO, 65536 }, &given), MB2_INFO_OK);
		assert_true(mb2_find(&given, MB2_FRAMEBUFFER, &t));
		for (size_t k = 0; k < GL_COUNT(rows[i].put); k++)
			if (rows[i].put[k].size)
				sample_put(s->ram, (size_t)(t.content.p - s->ram) + rows[i].put[k].at, rows[i].put[k].value,
					rows[i].put[k].size);
		assert_int_equal(scene_load(s), STAGE_OK);
		if (s->handover.has_framebuffer != rows[i].good)
			fail_msg("%s", rows[i].name);
		assert_int_equal(mb2_info_open((struct span){ s->ram + s->jump.ebx, 65536 }, &given), MB2_INFO_OK);
		assert_int_equal(mb2_find(&given, MB2_FRAMEBUFFER, &t), rows[i].good);
		scene_free(s);
	}
}

static void test_open(void **state)
{
	struct stage_scene *s = scene_host(false);
	struct handover *h = &s->handover;

	(void)state;
	scene_build(s);
	assert_int_equal(handover_open(&s->world, 0x2badb002, STAGE_INFO, h), STAGE_E_MAGIC);
	assert_int_equal(handover_open(&s->world, MB2_MAGIC, STAGE_INFO + 4, h), STAGE_E_INFO);
	assert_int_equal(handover_open(&s->world, MB2_MAGIC, 0xfffffff8, h), STAGE_E_INFO);
	assert_int_equal(handover_open(&s->world, MB2_MAGIC, STAGE_RAM - 8, h), STAGE_E_INFO);
	sample_put(s->ram, STAGE_INFO, STAGE_INFO_MAX + 1, 4);
	assert_int_equal(handover_open(&s->world, MB2_MAGIC, STAGE_INFO, h), STAGE_E_INFO);
	sample_put(s->ram, STAGE_INFO, 0, 4);
	assert_int_equal(handover_open(&s->world, MB2_MAGIC, STAGE_INFO, h), STAGE_E_INFO);
	scene_build(s);
	s->ram[STAGE_SHARED] ^= 1;
	assert_int_equal(handover_open(&s->world, MB2_MAGIC, STAGE_INFO, h), STAGE_E_SHARED);
	s->ram[STAGE_SHARED] ^= 1;
	sample_put(s->ram, STAGE_INFO + 8, 99, 4); /* no command line */
	assert_int_equal(handover_open(&s->world, MB2_MAGIC, STAGE_INFO, h), STAGE_E_LINE);
	scene_free(s);
}

/* tboot moves as much as the end tag says, over modules that it has measured. */
static void test_end_tag(void **state)
{
	static const struct {
		uint32_t more, tag;
		enum stage_error e;
	} rows[] = { { 0, 8, STAGE_OK }, { 8, 16, STAGE_E_INFO }, { 65536, 8 + 65536, STAGE_E_INFO }, { 8, 8, STAGE_E_INFO },
		{ 1, 8, STAGE_E_INFO } };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct stage_scene *s = scene_host(false);
		uint32_t size;

		scene_build(s);
		size = (uint32_t)sample_get(s->ram, STAGE_INFO, 4);
		assert_int_equal(sample_get(s->ram, STAGE_INFO + size - 8, 8), UINT64_C(8) << 32);
		sample_put(s->ram, STAGE_INFO, size + rows[i].more, 4);
		sample_put(s->ram, STAGE_INFO + size - 4, rows[i].tag, 4);
		assert_int_equal(handover_open(&s->world, MB2_MAGIC, STAGE_INFO, &s->handover), rows[i].e);
		scene_free(s);
	}
}

/* Every error has its words and a reason that can be measured. */
static void test_errors(void **state)
{
	(void)state;
	for (int e = STAGE_OK; e < STAGE_ERROR_COUNT; e++) {
		assert_non_null(stage_strerror((enum stage_error)e));
		assert_true(strlen(stage_strerror((enum stage_error)e)) < 140);
		assert_true(stage_error_cap((enum stage_error)e) < CAP_COUNT);
		if (e != STAGE_OK)
			assert_true(stage_error_cap((enum stage_error)e) != CAP_POLICY_MISSING);
	}
	assert_non_null(stage_strerror((enum stage_error) - 1));
	assert_true(stage_error_cap((enum stage_error) - 1) == CAP_START_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_framebuffer),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_end_tag),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
