/* SPDX-License-Identifier: BSD-3-Clause */
/* What description_write() refuses. That it writes what was read: test_description.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/description.h"
#include "tests/unit/description_texts.h"

/* Each line breaks one thing in a good description. */
static void assert_refused(const struct description *x, enum description_error error, size_t number)
{
	uint8_t buf[4096];
	size_t n = 4711, module = 4711;

	assert_int_equal(description_validate(x, &module), error);
	assert_int_equal(module, number);
	assert_int_equal(description_write(x, (struct mspan){ buf, sizeof(buf) }, &n), error);
	assert_int_equal(n, 4711);
}

static void test_write_refuses(void **state)
{
	(void)state;
	static struct description base, x;

	assert_int_equal(description_parse(SPAN_LITERAL(good), &base, NULL), DESCRIPTION_OK);
#define REFUSED(change, error, number) \
	do { \
		x = base; \
		change; \
		assert_refused(&x, error, number); \
	} while (0)
	REFUSED(x.mode = DESCRIPTION_MODE_COUNT, DESCRIPTION_E_MODE, 0);
	REFUSED(x.on_halt = DESCRIPTION_ON_HALT_COUNT, DESCRIPTION_E_ON_HALT, 0);
	REFUSED(x.halt_delay = 301, DESCRIPTION_E_HALT_DELAY, 0);
	REFUSED(x.policy = SPAN_LITERAL(""), DESCRIPTION_E_FILE, 0);
	REFUSED(x.policy = SPAN_LITERAL("p\non-halt return"), DESCRIPTION_E_FILE, 0);
	REFUSED(x.module_count = 0, DESCRIPTION_E_FIRST, 0);
	REFUSED(x.modules[0].role = ROLE_COUNT, DESCRIPTION_E_ROLE, 1);
	REFUSED(x.modules[0].role = ROLE_FILE, DESCRIPTION_E_FIRST, 1);
	REFUSED(x.modules[2].role = ROLE_KERNEL, DESCRIPTION_E_KERNEL, 3);
	REFUSED(x.modules[2].role = ROLE_DESCRIPTION, DESCRIPTION_E_ROLE, 3);
	REFUSED(x.modules[2].role = ROLE_TBOOT, DESCRIPTION_E_TXT, 3);
	REFUSED(x.hypervisor = HYPERVISOR_COUNT, DESCRIPTION_E_KIND, 0);
	REFUSED(x.hypervisor = HYPERVISOR_XEN, DESCRIPTION_E_KERNEL, 2);
	REFUSED((x.hypervisor = HYPERVISOR_XEN, x.module_count = 1), DESCRIPTION_E_KERNEL, 0);
	REFUSED(x.mode = DESCRIPTION_TXT, DESCRIPTION_E_TXT, 0);
	REFUSED((x.txt.lcp = (struct description_module){ .role = ROLE_LCP, .file = SPAN_LITERAL("l") }), DESCRIPTION_E_TXT, 0);
	REFUSED(x.modules[0].cmdline = SPAN_LITERAL("x\nmodule file"), DESCRIPTION_E_CMDLINE, 1);
	REFUSED(x.modules[0].path = SPAN_LITERAL("/x"), DESCRIPTION_E_FIELD, 1);
	REFUSED(x.modules[0].mode = 1, DESCRIPTION_E_FIELD, 1);
	REFUSED(x.modules[1].cmdline = SPAN_LITERAL("x"), DESCRIPTION_E_FIELD, 2);
	REFUSED(x.modules[2].cmdline = SPAN_LITERAL("x"), DESCRIPTION_E_FIELD, 3);
	REFUSED(x.modules[2].path = SPAN_LITERAL(""), DESCRIPTION_E_PATH, 3);
	REFUSED(x.modules[2].path = SPAN_LITERAL("/x\nmode 0777"), DESCRIPTION_E_PATH, 3);
	REFUSED(x.modules[2].mode = 01000, DESCRIPTION_E_FILE_MODE, 3);
	REFUSED(x.modules[2].file = SPAN_LITERAL("a/b"), DESCRIPTION_E_FILE, 3);
	REFUSED(x.modules[4].path = SPAN_LITERAL("/usr/bin"), DESCRIPTION_E_PATH_TAKEN, 5);
	assert_int_equal(description_parse(SPAN_LITERAL(txt), &base, NULL), DESCRIPTION_OK);
	REFUSED(x.mode = DESCRIPTION_DIRECT, DESCRIPTION_E_TXT, 0);
	REFUSED(x.txt.tboot.file.n = 0, DESCRIPTION_E_TXT, 0);
	REFUSED(x.txt.stage.file.n = 0, DESCRIPTION_E_TXT, 0);
	REFUSED(x.txt.sinit.role = ROLE_LCP, DESCRIPTION_E_TXT, 0);
	REFUSED(x.txt.sinit.cmdline = SPAN_LITERAL("x"), DESCRIPTION_E_FIELD, 0);
	REFUSED(x.txt.tboot.path = SPAN_LITERAL("/x"), DESCRIPTION_E_FIELD, 0);
	REFUSED(x.txt.tboot.sha256 = SPAN_LITERAL(HEX_63), DESCRIPTION_E_DIGEST, 0);
	REFUSED(x.txt.stage.sha256 = SPAN_LITERAL(HEX_64), DESCRIPTION_E_FIELD, 0);
	REFUSED(x.modules[0].sha256 = SPAN_LITERAL(HEX_64), DESCRIPTION_E_FIELD, 1);
	REFUSED(x.txt.tboot.cmdline = SPAN_LITERAL("\t"), DESCRIPTION_E_CMDLINE, 0);
	REFUSED(x.txt.lcp.file = SPAN_LITERAL("."), DESCRIPTION_E_FILE, 0);
	REFUSED(x.txt.stage.cmdline.n = 0, DESCRIPTION_E_RULES, 0);
	REFUSED(x.halt_delay = 8, DESCRIPTION_E_RULES_DIFFER, 0);
	REFUSED(x.modules[3].mode = 0, DESCRIPTION_E_RULES_DIFFER, 0);
	REFUSED(x.module_count = 3, DESCRIPTION_E_RULES_DIFFER, 0);
#undef REFUSED
}

static void test_small_buffer(void **state)
{
	(void)state;
	static struct description d;
	uint8_t buf[sizeof(good)];
	size_t n = 4711;

	assert_int_equal(description_parse(SPAN_LITERAL(good), &d, NULL), DESCRIPTION_OK);
	for (size_t size = 0; size < sizeof(good) - 1; size++)
		assert_int_equal(description_write(&d, (struct mspan){ buf, size }, &n), DESCRIPTION_E_BUFFER);
	assert_int_equal(n, 4711);
	assert_int_equal(description_write(&d, (struct mspan){ buf, sizeof(good) - 1 }, &n), DESCRIPTION_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_refuses),
		cmocka_unit_test(test_small_buffer),
	};

	return cmocka_run_group_tests_name("description_write", tests, NULL, NULL);
}
