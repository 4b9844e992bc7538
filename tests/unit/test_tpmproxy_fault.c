/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "qemu/proxy/fault.h"
#include "qemu/proxy/tpm_message.h"

#define EXTEND 0x182
#define NV_READ 0x14E

static struct fault_rule parsed(const char *text)
{
	struct fault_rule rule;
	const char *why;

	if (!fault_parse(text, &rule, &why))
		fail_msg("%s: %s", text, why);
	return rule;
}

static void test_parse(void **state)
{
	struct fault_rule r = parsed("0x182=rc:0x907");

	(void)state;
	assert_int_equal(r.cc, EXTEND);
	assert_false(r.any);
	assert_false(r.at_locality);
	assert_int_equal(r.nth, 0);
	assert_int_equal(r.action, FAULT_RC);
	assert_int_equal(r.rc, 0x907);

	r = parsed("nv_read@2#17=drop");
	assert_int_equal(r.cc, NV_READ);
	assert_true(r.at_locality);
	assert_int_equal(r.locality, 2);
	assert_int_equal(r.nth, 17);
	assert_int_equal(r.action, FAULT_DROP);

	r = parsed("*#4294967295@0=silent");
	assert_true(r.any);
	assert_int_equal(r.nth, 4294967295u);
	assert_int_equal(r.locality, 0);

	assert_int_equal(parsed("386=short").cc, EXTEND);
	assert_int_equal(parsed("PCR_Extend=garbage").action, FAULT_GARBAGE);
	assert_int_equal(parsed("PCR_Extend=long").action, FAULT_LONG);
	assert_int_equal(parsed("PCR_Extend=huge").action, FAULT_HUGE);
	assert_int_equal(parsed("PCR_Extend=hang").action, FAULT_HANG);
	assert_int_equal(parsed("TPM_Extend=rc:4294967295").rc, 0xFFFFFFFF);
	r = parsed("GetCapability@2#2=reply:00fe");
	assert_int_equal(r.action, FAULT_REPLY);
	assert_int_equal(r.reply_size, 2);
	assert_int_equal(r.reply[1], 0xfe);
}

static void test_parse_refuses(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		"", "=", "PCR_Extend", "PCR_Extend=", "PCR_Extend=rc", "PCR_Extend=rc:", "PCR_Extend=rc:0", "PCR_Extend=rc:0x",
		"PCR_Extend=rc:0x100000000", "PCR_Extend=rc:-1", "PCR_Extend=rc:5 ", "PCR_Extend=rc: 5", "PCR_Extend=explode",
		"PCR_Extend=reply", "PCR_Extend=reply:", "PCR_Extend=reply:0", "PCR_Extend=reply:0g", "PCR_Extend=reply:0A", "PCR_Extend=reply:00 ",
		"PCR_Extend=drop ", "PCR_Extend=Drop", "PCR_Exten=drop", "PCR_Extend2=drop", "=drop", "0=drop", "0xg=drop", "**=drop",
		"*#=drop", "*#0=drop", "*#-1=drop", "*#1#2=drop", "*#4294967296=drop", "*#1x=drop", "*@=drop", "*@5=drop",
		"*@12=drop", "*@1@1=drop", "*@a=drop", "* =drop", "*=drop=drop", "99999999999999999999=drop",
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(bad); i++) {
		struct fault_rule rule = { .nth = 42 };
		const char *why = NULL;

		if (fault_parse(bad[i], &rule, &why))
			fail_msg("accepted: '%s'", bad[i]);
		assert_non_null(why);
		assert_int_equal(rule.nth, 42);
	}
}

static void test_counting(void **state)
{
	struct fault_rule rules[] = { parsed("PCR_Extend@2#2=drop"), parsed("*#4=silent"), parsed("NV_Read=short") };

	(void)state;
	assert_null(fault_next(rules, 3, EXTEND, 2));                 /* first extend at 2 */
	assert_null(fault_next(rules, 3, EXTEND, 0));                 /* another locality does not count */
	assert_ptr_equal(fault_next(rules, 3, EXTEND, 2), &rules[0]); /* the second */
	assert_ptr_equal(fault_next(rules, 3, EXTEND, 2), &rules[1]); /* the fourth of all */
	assert_null(fault_next(rules, 3, EXTEND, 2));                 /* both are spent */
	assert_ptr_equal(fault_next(rules, 3, NV_READ, 0), &rules[2]);
	assert_ptr_equal(fault_next(rules, 3, NV_READ, 3), &rules[2]); /* every time */
	assert_null(fault_next(NULL, 0, EXTEND, 2));
}

/* The D-RTM sequence is no command, not even a strange one. */
static void test_hash_is_no_command(void **state)
{
	struct fault_rule rules[] = { parsed("_TPM_Hash=rc:0x101"), parsed("*=drop") };

	(void)state;
	assert_ptr_equal(fault_next(rules, 1, FAULT_CC_HASH, 4), &rules[0]);
	assert_null(fault_next(rules, 1, 0xffffffff, 0));
	assert_ptr_equal(fault_next(rules, 2, 0xffffffff, 0), &rules[1]);
	assert_null(fault_next(&rules[1], 1, FAULT_CC_HASH, 4));
}

/* A rule counts also when another one acts. */
static void test_first_rule_acts(void **state)
{
	struct fault_rule rules[] = { parsed("PCR_Extend#1=drop"), parsed("*#1=silent"), parsed("PCR_Extend#2=short") };

	(void)state;
	assert_ptr_equal(fault_next(rules, 3, EXTEND, 0), &rules[0]);
	assert_ptr_equal(fault_next(rules, 3, EXTEND, 0), &rules[2]);
	assert_null(fault_next(rules, 3, EXTEND, 0));
}

static const uint8_t with_sessions[10] = { 0x80, 0x02, 0, 0, 0, 10, 0, 0, 0x01, 0x82 };
static const uint8_t no_sessions[10] = { 0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x7E };
static const uint8_t tpm12_auth[10] = { 0x00, 0xC2, 0, 0, 0, 10, 0, 0, 0, 0xCF };

static struct span answered(const char *text, const uint8_t command[10], uint8_t *room, size_t cap)
{
	struct fault_rule rule = parsed(text);
	size_t size = 9999;

	assert_true(fault_response(&rule, (struct span){ command, 10 }, (struct mspan){ room, cap }, &size));
	assert_true(size <= cap);
	return (struct span){ room, size };
}

static void assert_header(struct span s, uint16_t tag, uint32_t claimed, uint32_t rc)
{
	struct tpm_header h;

	assert_true(tpm_header(s, &h));
	assert_int_equal(h.tag, tag);
	assert_int_equal(h.size, claimed);
	assert_int_equal(h.code, rc);
}

static void test_responses(void **state)
{
	uint8_t room[4096];
	struct span s;

	(void)state;
	s = answered("*=rc:0x907", with_sessions, room, sizeof(room));
	assert_int_equal(s.n, 10);
	assert_header(s, 0x8001, 10, 0x907);
	s = answered("*=rc:0x18b", tpm12_auth, room, sizeof(room));
	assert_header(s, 0x00C4, 10, 0x18B);
	s = answered("*=short", with_sessions, room, sizeof(room));
	assert_int_equal(s.n, 10);
	assert_header(s, 0x8002, 10, 0);
	assert_header(answered("*=short", no_sessions, room, sizeof(room)), 0x8001, 10, 0);
	assert_header(answered("*=short", tpm12_auth, room, sizeof(room)), 0x00C5, 10, 0);
	s = answered("*=garbage", no_sessions, room, sizeof(room));
	assert_int_equal(s.n, FAULT_GARBAGE_SIZE);
	assert_header(s, 0x8001, FAULT_GARBAGE_SIZE, 0);
	assert_int_equal(s.p[10], 0xFF);
	assert_int_equal(s.p[FAULT_GARBAGE_SIZE - 1], 0xFF);
	s = answered("*=reply:0102", with_sessions, room, sizeof(room));
	assert_int_equal(s.n, 12);
	assert_header(s, 0x8002, 12, 0);
	assert_memory_equal(s.p + 10, "\x01\x02", 2);
	s = answered("*=long", no_sessions, room, 3968);
	assert_int_equal(s.n, 3968);
	assert_header(s, 0x8001, 3968, 0);
	s = answered("*=huge", no_sessions, room, sizeof(room));
	assert_int_equal(s.n, 10);
	assert_header(s, 0x8001, 0xFFFFFFFF, 0);
	assert_int_equal(answered("*=drop", no_sessions, room, sizeof(room)).n, 0);
	assert_int_equal(answered("*=hang", no_sessions, room, sizeof(room)).n, 0);
	assert_int_equal(answered("*=silent", no_sessions, room, sizeof(room)).n, 0);
}

static void test_response_needs_room(void **state)
{
	struct fault_rule garbage = parsed("*=garbage"), rc = parsed("*=rc:1");
	uint8_t room[FAULT_GARBAGE_SIZE];
	size_t size = 5;

	(void)state;
	assert_false(fault_response(&garbage, (struct span){ no_sessions, 10 }, (struct mspan){ room, sizeof(room) - 1 }, &size));
	assert_false(fault_response(&rc, (struct span){ no_sessions, 10 }, (struct mspan){ room, 9 }, &size));
	assert_false(fault_response(&rc, (struct span){ no_sessions, 9 }, (struct mspan){ room, sizeof(room) }, &size));
	assert_int_equal(size, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_counting),
		cmocka_unit_test(test_hash_is_no_command),
		cmocka_unit_test(test_first_rule_acts),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_response_needs_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
