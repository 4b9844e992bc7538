/* SPDX-License-Identifier: BSD-3-Clause */
/* Which platform a module fits, what is printed of it, and what cannot be made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "acm_samples.h"

static struct acm_platform platform(void)
{
	return (struct acm_platform){
		.has_didvid = true,
		.vendor_id = 0x8086,
		.device_id = 0xb001,
		.revision_id = 1,
		.has_cpu = true,
		.fms = 0x906ea,
		.has_platform_id = true,
		.platform_id = 0x10000000000000,
		.has_fusing = true,
		.production = true,
	};
}

static void platforms_are_matched_as_tboot_does(void **state)
{
	(void)state;
	struct acm_recipe r = acm_sample();
	struct acm_platform p = platform();
	uint8_t *bytes = acm_sample_bytes(&r);
	struct acm a;

	assert_int_equal(acm_decode((struct span){ bytes, ACM_SAMPLE_SIZE }, &a), ACM_OK);
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	/* nothing known: nothing compared */
	assert_int_equal(acm_match(&a, &(struct acm_platform){ .has_cpu = false }), ACM_MATCHES);

	/* the plain revision must be equal */
	p.revision_id = 3;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_CHIPSET);
	/* a mask must share a bit: 6 has 2 and 4 */
	p.device_id = 0xb00c;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	p.revision_id = 9;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_CHIPSET);
	p.revision_id = 4;
	p.vendor_id = 0x1022;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_CHIPSET);

	p = platform();
	p.fms = 0x906a4;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_PROCESSOR);
	p.platform_id = 0x4000000000000;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	/* bits outside of the mask do not count */
	p.platform_id = 0x4000000000fff;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	p.has_platform_id = false;
	p.platform_id = 0;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	p.fms = 0x506e3;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_PROCESSOR);

	p = platform();
	p.production = false;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_FUSING);
	a.header.flags = ACM_FLAG_DEBUG_SIGNED;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	p.production = true;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_FUSING);
	a.header.flags = 0;

	/* the first thing that does not fit */
	p.platform_type = ACM_PLATFORM_SERVER;
	p.production = false;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_PLATFORM_TYPE);
	a.info.capabilities |= ACM_PLATFORM_SERVER << 6;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_FUSING);
	p.production = true;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	p.platform_type = ACM_PLATFORM_CLIENT;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_PLATFORM_TYPE);
	a.info.version = 4;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	free(bytes);
}

static void the_second_chipset_list_masks_the_device(void **state)
{
	(void)state;
	static const struct acm_chipset second = { .vendor_id = 0x8086, .device_id = 0xb000, .register_mask = 0xff00 };
	struct acm_recipe r = acm_sample();
	struct acm_platform p = platform();
	uint8_t *bytes;
	struct acm a;

	r.info_version = 9;
	r.chipsets2 = &second;
	r.chipset2_count = 1;
	bytes = acm_sample_bytes(&r);
	assert_int_equal(acm_decode((struct span){ bytes, ACM_SAMPLE_SIZE }, &a), ACM_OK);
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	acm_sample_put(bytes + a.chipsets2.offset + 6, 2, 0xb100);
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_CHIPSET2);
	free(bytes);
}

/* ---- the rest ---- */

static void print_says_what_matters(void **state)
{
	(void)state;
	/* clang-format off */
	static const char *const parts[] = {
		"type: 0x2 (chipset)\n", "header_version: 0.0\n", "date: 2022-01-01\n", "size: 2048\n", "entry_point: 0x00000008:0x00000500\n",
		"  uuid: 7fc03aaa-46a7-18db-2eac-698f8d417f5a\n", "chipset_acm_type: 0x1 (SINIT)\n", "    platform_type: 0x0 (any)\n",
		"  0x8086:0xb00c, revision mask 0x6, flags 0x1, extended id 0xdeadbeef\n",
		"family/model/stepping 0x906a0 under 0xfff3ff0, platform id 0x4000000000000 under 0x1c000000000000\n",
		"extend_policy: 0x3 (agile commands, embedded software)\n", "family: 0x8 (firmware TPM 2.0)\n", "nv_index_set: 1\n",
		"    alg: sha384\n",
	};
	/* clang-format on */
	char buf[4096];
	struct text t = TEXT_OF(buf);
	struct acm_recipe r = acm_sample();
	uint8_t *p = acm_sample_bytes(&r);
	struct acm a;

	assert_int_equal(acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a), ACM_OK);
	acm_print(&a, &t);
	assert_false(t.cut);
	for (size_t i = 0; i < GL_COUNT(parts); i++)
		if (!strstr(buf, parts[i]))
			fail_msg("not printed: %s\n%s", parts[i], buf);
	free(p);
}

static void every_error_has_words(void **state)
{
	(void)state;
	for (int e = 0; e < ACM_ERROR_COUNT; e++) {
		assert_true(strlen(acm_strerror((enum acm_error)e)) > 5);
		for (int other = 0; other < e; other++)
			assert_string_not_equal(acm_strerror((enum acm_error)e), acm_strerror((enum acm_error)other));
	}
	assert_string_equal(acm_strerror(ACM_ERROR_COUNT), "unknown error");
	for (int m = 0; m < ACM_MATCH_COUNT; m++)
		assert_true(strlen(acm_match_text((enum acm_match)m)) > 5);
}

static void what_cannot_be_made_is_refused(void **state)
{
	(void)state;
	static uint8_t buf[ACM_SAMPLE_SIZE];
	struct acm_recipe r = acm_sample();

	assert_int_equal(acm_make(&r, (struct mspan){ buf, ACM_SAMPLE_SIZE - 4 }), ACM_E_BUFFER);
	r.size = ACM_SAMPLE_SIZE - 2;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, r.size }), ACM_E_BUFFER);
	r.size = 1212;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, r.size }), ACM_E_BUFFER);
	/* no room for the last list */
	r.size = ACM_SAMPLE_TPM + 8;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, r.size }), ACM_E_BUFFER);
	r = acm_sample();
	r.header_version = 0x10000;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, ACM_SAMPLE_SIZE }), ACM_E_HEADER_VERSION);
	r = acm_sample();
	r.header_version = 0x40000;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, ACM_SAMPLE_SIZE }), ACM_E_BUFFER);
	r = acm_sample();
	r.info_version = 2;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, ACM_SAMPLE_SIZE }), ACM_E_INFO_VERSION);
	r = acm_sample();
	r.scratch = 0xfffffff0;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, ACM_SAMPLE_SIZE }), ACM_E_BUFFER);
	r = acm_sample();
	r.chipset_count = 0x10000000;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, ACM_SAMPLE_SIZE }), ACM_E_BUFFER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(platforms_are_matched_as_tboot_does),
		cmocka_unit_test(the_second_chipset_list_masks_the_device),
		cmocka_unit_test(print_says_what_matters),
		cmocka_unit_test(every_error_has_words),
		cmocka_unit_test(what_cannot_be_made_is_refused),
	};

	return cmocka_run_group_tests_name("acm match", tests, NULL, NULL);
}
