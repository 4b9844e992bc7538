/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "qemu/txt/hot.h"

#define BASE 0x80f580u

/* Code, the place of EIP in it, and the loop: -1 none. */
struct row {
	const char *what;
	uint8_t code[40];
	size_t n;
	uint32_t eip;
	int at, size;
};

#define NOP4 0x90, 0x90, 0x90, 0x90
/* mov edi, [ebx]; add ecx, 4; add ebx, 4; mov [ecx - 4], edi; dec esi: 12 bytes */
#define COPY 0x8b, 0x3b, 0x83, 0xc1, 0x04, 0x83, 0xc3, 0x04, 0x89, 0x79, 0xfc, 0x4e

static const struct row rows[] = {
	{ "rep stosb", { NOP4, 0xf3, 0xaa, 0xc3 }, 7, 4, 4, 2 },
	{ "rep movsd", { NOP4, 0xf3, 0xa5, 0xc3 }, 7, 4, 4, 2 },
	{ "rep movsw", { NOP4, 0xf3, 0x66, 0xa5, 0xc3 }, 8, 4, 4, 3 },
	{ "stosb without rep", { NOP4, 0xaa, 0xc3 }, 6, 4, -1, 0 },
	/* tboot's copy loop */
	{ "at the first instruction", { NOP4, COPY, 0x75, 0xf2, 0xc3 }, 19, 4, 4, 14 },
	{ "in the middle", { NOP4, COPY, 0x75, 0xf2, 0xc3 }, 19, 9, 4, 14 },
	{ "at the jump", { NOP4, COPY, 0x75, 0xf2, 0xc3 }, 19, 16, 4, 14 },
	{ "long jump back", { NOP4, COPY, 0x0f, 0x85, 0xee, 0xff, 0xff, 0xff, 0xc3 }, 23, 4, 4, 18 },
	{ "behind it", { NOP4, COPY, 0x75, 0xf2, 0xc3 }, 19, 18, -1, 0 },
	{ "jump forward", { NOP4, COPY, 0x75, 0x02, 0xc3 }, 19, 4, -1, 0 },
	{ "jump to the middle of an instruction", { NOP4, COPY, 0x75, 0xf3, 0xc3 }, 19, 6, -1, 0 },
	{ "a call inside", { NOP4, 0xe8, 0, 0, 0, 0, 0x75, 0xf9, 0xc3 }, 12, 4, -1, 0 },
	{ "a return inside", { 0x90, 0xc3, 0x90, 0x75, 0xfb, 0xc3 }, 6, 2, -1, 0 },
	{ "a conditional jump inside", { NOP4, 0x90, 0x74, 0x00, 0x90, 0x75, 0xfa, 0xc3 }, 11, 4, -1, 0 },
	{ "privileged", { NOP4, 0x0f, 0x22, 0xe0, 0x75, 0xfb, 0xc3 }, 10, 4, -1, 0 },
	{ "not conditional", { NOP4, 0x90, 0xeb, 0xfd, 0xc3 }, 8, 4, -1, 0 },
	{ "loop instruction", { NOP4, 0x90, 0xe2, 0xfd, 0xc3 }, 8, 4, -1, 0 },
	{ "before what was read", { 0x90, 0x75, 0xf0, 0xc3 }, 4, 0, -1, 0 },
	{ "cut off", { NOP4, 0x83, 0xc1 }, 6, 4, -1, 0 },
	{ "no instruction", { NOP4, 0xff, 0xff, 0xff }, 7, 4, -1, 0 },
};

static void test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		const struct row *r = &rows[i];
		struct hot_loop loop = { 0, 0 };
		bool found = hot_loop_find((struct span){ r->code, r->n }, BASE, BASE + r->eip, &loop);

		if (found != (r->at >= 0) || (found && (loop.at != BASE + (uint32_t)r->at || loop.size != (uint32_t)r->size)))
			fail_msg("%s: %s at +0x%x, %u bytes", r->what, found ? "found" : "none", (unsigned)(loop.at - BASE),
				(unsigned)loop.size);
	}
}

static void test_edges(void **state)
{
	uint8_t code[2 * HOT_LOOP_MAX];
	struct hot_loop loop;

	(void)state;
	memset(code, 0x90, sizeof(code));
	assert_false(hot_loop_find(SPAN_OF(code), BASE, BASE - 1, &loop));
	assert_false(hot_loop_find(SPAN_OF(code), BASE, BASE + sizeof(code), &loop));
	assert_false(hot_loop_find(SPAN_OF(code), BASE, BASE, &loop));
	/* As long as may be, and one more. */
	code[HOT_LOOP_MAX - 2] = 0x75;
	code[HOT_LOOP_MAX - 1] = (uint8_t)-HOT_LOOP_MAX;
	assert_true(hot_loop_find(SPAN_OF(code), BASE, BASE + 5, &loop));
	assert_int_equal(loop.size, HOT_LOOP_MAX);
	memmove(code + 1, code, sizeof(code) - 1);
	code[HOT_LOOP_MAX]--;
	assert_false(hot_loop_find(SPAN_OF(code), BASE, BASE + 5, &loop));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_find), cmocka_unit_test(test_edges) };

	return cmocka_run_group_tests_name("txt_hot", tests, NULL, NULL);
}
