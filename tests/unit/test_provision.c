/* SPDX-License-Identifier: BSD-3-Clause */
/* What has to be done to an NV index, from how it shall be and how it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <tss2/tss2_tpm2_types.h>

#include "cli/provision.h"

static uint8_t content[70];
static struct provision_index wanted;
static struct provision_found found;

/* The index is there, written, and as wanted. */
static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i + 1);
	wanted = (struct provision_index){
		.use = PROVISION_LCP,
		.index = 0x01c10106,
		.attributes = 0x0204000a,
		.content = { content, sizeof(content) },
	};
	memset(&found, 0, sizeof(found));
	found.present = true;
	found.public = (struct tpm_nv_public){ .attributes = 0x2204000a, .size = sizeof(content), .name_alg = TPM2_ALG_SHA256 };
	found.read = PROVISION_READ;
	memcpy(found.content, content, sizeof(content));
	return 0;
}

static void expect(enum provision_action action, const char *reason)
{
	struct provision_step s = provision_plan(&wanted, &found);

	assert_int_equal(s.action, action);
	assert_non_null(strstr(s.reason, reason));
}

static void equal_is_kept(void **state)
{
	(void)state;
	expect(PROVISION_KEEP, "as wanted");
	/* a lock does not matter then */
	found.public.attributes |= TPMA_NV_WRITELOCKED;
	expect(PROVISION_KEEP, "as wanted");
}

static void absent_is_defined(void **state)
{
	(void)state;
	found.present = false;
	expect(PROVISION_DEFINE, "not defined");
}

static void never_written_is_finished(void **state)
{
	(void)state;
	found.public.attributes &= ~(uint32_t)TPMA_NV_WRITTEN;
	found.read = PROVISION_NOT_READ;
	expect(PROVISION_FINISH, "never written");
	found.public.attributes |= TPMA_NV_WRITELOCKED;
	expect(PROVISION_REDEFINE, "locked");
}

/* Cut after any number of bytes. */
static void partly_written_is_finished(void **state)
{
	(void)state;
	for (size_t n = 1; n < sizeof(content); n++) {
		memcpy(found.content, content, n);
		memset(found.content + n, 0xff, sizeof(content) - n);
		expect(PROVISION_FINISH, "not written to its end");
		/* one byte that no interrupted write leaves */
		found.content[sizeof(content) - 1] = 0;
		expect(PROVISION_REWRITE, "other content");
	}
	/* nothing of it is ours */
	memset(found.content, 0xff, sizeof(content));
	expect(PROVISION_REWRITE, "other content");
	/* locked in the middle: only undefining helps */
	memcpy(found.content, content, 10);
	found.public.attributes |= TPMA_NV_WRITELOCKED;
	expect(PROVISION_REDEFINE, "locked");
}

static void other_content_is_rewritten(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(content); i++) {
		found.content[i] ^= 1;
		expect(PROVISION_REWRITE, "other content");
		found.content[i] ^= 1;
	}
	found.content[0] ^= 1;
	found.public.attributes |= TPMA_NV_WRITELOCKED;
	expect(PROVISION_REDEFINE, "locked, and other content");
}

static void other_public_area_is_redefined(void **state)
{
	(void)state;
	found.public.size = 71;
	expect(PROVISION_REDEFINE, "size");
	set_up(NULL);
	found.public.name_alg = TPM2_ALG_SHA384;
	expect(PROVISION_REDEFINE, "name algorithm");
	set_up(NULL);
	found.public.policy_size = 32;
	expect(PROVISION_REDEFINE, "policy");
	/* every attribute counts but those that use sets: WRITTEN, WRITELOCKED, READLOCKED (TPM 2.0 Library, part 2, 13.4) */
	assert_int_equal(provision_state_bits, 0x30000800);
	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t mask = 1u << bit;

		set_up(NULL);
		found.public.attributes ^= mask;
		if (mask & provision_state_bits)
			assert_true(provision_public_fits(&wanted, &found.public));
		else if (mask & (TPMA_NV_PLATFORMCREATE | TPMA_NV_POLICY_DELETE))
			expect(PROVISION_BLOCKED, mask == TPMA_NV_PLATFORMCREATE ? "firmware" : "policy");
		else
			expect(PROVISION_REDEFINE, "attributes");
	}
	/* the one of which field reports warn: firmware could change the policy */
	set_up(NULL);
	found.public.attributes |= TPMA_NV_PPWRITE;
	expect(PROVISION_REDEFINE, "attributes");
}

static void a_password_is_no_equality(void **state)
{
	(void)state;
	found.read = PROVISION_REFUSED;
	expect(PROVISION_REDEFINE, "password");
}

static void the_error_index_may_hold_anything(void **state)
{
	(void)state;
	wanted.any_content = true;
	memset(found.content, 0x99, sizeof(content));
	expect(PROVISION_KEEP, "as wanted");
	found.public.attributes &= ~(uint32_t)TPMA_NV_WRITTEN;
	found.read = PROVISION_NOT_READ;
	expect(PROVISION_FINISH, "never written");
	found.public.size = 4;
	expect(PROVISION_REDEFINE, "size");
}

/* After an action the index is as wanted, whatever it was: planning again ends. */
static void what_destroys_is_marked(void **state)
{
	(void)state;
	assert_false(provision_destroys(PROVISION_KEEP));
	assert_false(provision_destroys(PROVISION_DEFINE));
	assert_false(provision_destroys(PROVISION_FINISH));
	assert_true(provision_destroys(PROVISION_REWRITE));
	assert_true(provision_destroys(PROVISION_REDEFINE));
	assert_true(provision_destroys(PROVISION_BLOCKED));
	for (int a = 0; a < PROVISION_ACTION_COUNT; a++)
		assert_non_null(provision_action_name((enum provision_action)a));
}

/* TPMA_NV by hand: bit 1 OWNERWRITE, 2 AUTHWRITE, 3 POLICYWRITE, 13 WRITEDEFINE, 18 AUTHREAD, 25 NO_DA. */
static void the_table(void **state)
{
	(void)state;
	static const struct {
		enum provision_use use;
		const char *name;
		uint32_t set0, set1, attributes;
	} rows[] = {
		{ PROVISION_ERROR, "error", 0x01200002, 0x01c10132, 0x02040004 },
		{ PROVISION_GEO, "geo", 0x01c10110, 0x01c10110, 0x02042002 },
		{ PROVISION_VLP, "vlp", 0x01200001, 0x01c10131, 0x02040002 },
		{ PROVISION_LCP, "lcp", 0x01400001, 0x01c10106, 0x0204000a },
	};

	assert_int_equal(GL_COUNT(rows), PROVISION_USE_COUNT);
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		const struct provision_use_info *u = &provision_uses[rows[i].use];

		assert_string_equal(u->name, rows[i].name);
		assert_int_equal(u->index[0], rows[i].set0);
		assert_int_equal(u->index[1], rows[i].set1);
		assert_int_equal(u->attributes, rows[i].attributes);
		/* firmware never writes, and everybody may read */
		assert_false(u->attributes & TPMA_NV_PPWRITE);
		assert_true(u->attributes & TPMA_NV_AUTHREAD);
	}
}

static void public_area(void **state)
{
	(void)state;
	/* clang-format off */
	static const uint8_t bytes[PROVISION_PUBLIC_SIZE] = {
		0x01, 0xc1, 0x01, 0x06, 0x00, 0x0b, 0x02, 0x04, 0x00, 0x0a, 0x00, 0x00, 0x00, 0x46,
	};
	/* clang-format on */
	uint8_t out[PROVISION_PUBLIC_SIZE];

	provision_public_area(&wanted, out);
	assert_memory_equal(out, bytes, sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(equal_is_kept, set_up),
		cmocka_unit_test_setup(absent_is_defined, set_up),
		cmocka_unit_test_setup(never_written_is_finished, set_up),
		cmocka_unit_test_setup(partly_written_is_finished, set_up),
		cmocka_unit_test_setup(other_content_is_rewritten, set_up),
		cmocka_unit_test_setup(other_public_area_is_redefined, set_up),
		cmocka_unit_test_setup(a_password_is_no_equality, set_up),
		cmocka_unit_test_setup(the_error_index_may_hold_anything, set_up),
		cmocka_unit_test_setup(what_destroys_is_marked, set_up),
		cmocka_unit_test_setup(the_table, set_up),
		cmocka_unit_test_setup(public_area, set_up),
	};

	return cmocka_run_group_tests_name("provision", tests, NULL, NULL);
}
