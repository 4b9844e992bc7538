/* SPDX-License-Identifier: BSD-3-Clause */
/* slots.conf, the list of a slot, and load options: one good text of each, and every way to spoil it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/bootentry.h"
#include "cli/slot_list.h"
#include "common/slots.h"

#define A "0123456789abcdef"
#define B "fedcba9876543210"
#define TWO "geolaunch-slots 1\nstart entry\ncurrent " A "\nprevious " B "\n"
#define ONE "geolaunch-slots 1\nstart removable\ncurrent " A "\n"

/* ---- slots.conf ---- */

static void test_slots(void **state)
{
	uint8_t buf[SLOTS_MAX_SIZE];
	struct slots s;
	size_t n;

	(void)state;
	assert_true(slots_parse(span_str(TWO), &s));
	assert_int_equal(s.start, SLOTS_ENTRY);
	assert_string_equal(s.current, A);
	assert_string_equal(s.previous, B);
	n = slots_write(&s, (struct mspan){ buf, sizeof(buf) });
	assert_true(span_equal((struct span){ buf, n }, span_str(TWO)));
	assert_true(slots_parse(span_str(ONE), &s));
	assert_int_equal(s.start, SLOTS_REMOVABLE);
	assert_string_equal(s.previous, "");
	n = slots_write(&s, (struct mspan){ buf, sizeof(buf) });
	assert_true(span_equal((struct span){ buf, n }, span_str(ONE)));
	assert_true(slots_parse(span_str("geolaunch-slots 1\nstart none\ncurrent " A "\n"), &s));
	assert_int_equal(s.start, SLOTS_NOTHING);
}

static void test_slots_writes_nothing_wrong(void **state)
{
	struct slots bad[] = {
		{ .current = "" },
		{ .current = "0123456789ABCDEF" },
		{ .current = A, .previous = A },
		{ .current = A, .previous = "0" },
		{ .start = SLOTS_START_COUNT, .current = A },
	};
	struct slots good = { .current = A, .previous = B };
	uint8_t buf[SLOTS_MAX_SIZE];

	(void)state;
	for (size_t i = 0; i < GL_COUNT(bad); i++)
		assert_int_equal(slots_write(&bad[i], (struct mspan){ buf, sizeof(buf) }), 0);
	/* text.h ends every text in NUL */
	for (size_t n = 0; n <= sizeof(TWO) - 1; n++)
		assert_int_equal(slots_write(&good, (struct mspan){ buf, n }), 0);
	assert_int_equal(slots_write(&good, (struct mspan){ buf, sizeof(TWO) }), sizeof(TWO) - 1);
}

/* Whatever is cut off, added or changed makes it no slots.conf; but a digit of a name may be another digit. */
static void test_slots_spoiled(void **state)
{
	struct slots s, untouched;
	char text[sizeof(TWO) + 1];

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	for (size_t n = 0; n < sizeof(TWO) - 1; n++) {
		s = untouched;
		/* without its last line it is one with no previous slot */
		assert_int_equal(slots_parse((struct span){ (const uint8_t *)TWO, n }, &s), n == strlen(TWO) - strlen("previous " B "\n"));
		if (n != strlen(TWO) - strlen("previous " B "\n"))
			assert_memory_equal(&s, &untouched, sizeof(s));
	}
	for (size_t at = 0; at < sizeof(TWO) - 1; at++)
		for (unsigned c = 0; c < 256; c++) {
			bool digit = strchr("0123456789abcdef", (int)c) && c;
			bool in_name = (at >= strlen(TWO) - 17 && at < strlen(TWO) - 1) ||
			               (at >= strlen(TWO) - 17 - 10 - 16 && at < strlen(TWO) - 17 - 10);

			memcpy(text, TWO, sizeof(TWO));
			text[at] = (char)c;
			assert_int_equal(slots_parse((struct span){ (const uint8_t *)text, sizeof(TWO) - 1 }, &s),
				(char)c == TWO[at] || (in_name && digit));
		}
	assert_false(slots_parse(span_str(TWO "\n"), &s));
	assert_false(slots_parse(span_str(TWO "x"), &s));
	assert_false(slots_parse(span_str(ONE "previous " A "\n"), &s));
	assert_false(slots_parse(span_str("geolaunch-slots 1\nstart entry\ncurrent ..\\..\\..\\..\\..x\n"), &s));
	assert_false(slots_parse(span_str("geolaunch-slots 1\nstart entries\ncurrent " A "\n"), &s));
}

/* ---- the list ---- */

static const uint8_t digest[32] = { 0xab, 0xcd };
#define DIGEST "abcd000000000000000000000000000000000000000000000000000000000000"
#define LIST "# geolaunch 1 demo\n" DIGEST "  a\n" DIGEST "  b-1\n" DIGEST "  c.d\n"

static struct slot_list list, again;

static void test_list(void **state)
{
	static uint8_t buf[SLOT_LIST_MAX_SIZE];
	size_t n;

	(void)state;
	memset(&list, 0, sizeof(list));
	slot_list_label(&list, "demo");
	assert_true(slot_list_add(&list, span_str("c.d"), digest));
	assert_true(slot_list_add(&list, span_str("a"), digest));
	assert_true(slot_list_add(&list, span_str("b-1"), digest));
	n = slot_list_write(&list, (struct mspan){ buf, sizeof(buf) });
	assert_true(span_equal((struct span){ buf, n }, span_str(LIST)));
	assert_true(slot_list_parse(span_str(LIST), &again));
	assert_int_equal(again.count, 3);
	assert_string_equal(again.label, "demo");
	assert_string_equal(again.files[1].name, "b-1");
	assert_memory_equal(again.files[1].digest, digest, sizeof(digest));
}

static void test_list_names(void **state)
{
	static const char *const bad[] = { "", "A", "a ", "a/b", "..", ".a", "sha256sums", "SHA256SUMS", "geolaunch.new", "Geolaunch.New",
		"\xc3\xa4" };
	char long_name[66];

	(void)state;
	memset(&list, 0, sizeof(list));
	assert_true(slot_list_add(&list, span_str("a"), digest));
	for (size_t i = 0; i < GL_COUNT(bad); i++)
		assert_false(slot_list_add(&list, span_str(bad[i]), digest));
	memset(long_name, 'x', sizeof(long_name));
	assert_false(slot_list_add(&list, (struct span){ (uint8_t *)long_name, 65 }, digest));
	assert_true(slot_list_add(&list, (struct span){ (uint8_t *)long_name, 64 }, digest));
	assert_int_equal(list.count, 2);
}

static void test_list_full(void **state)
{
	static uint8_t buf[SLOT_LIST_MAX_SIZE];
	char name[65];

	(void)state;
	memset(&list, 0, sizeof(list));
	slot_list_label(&list, "a label that is longer than a label may be, and has b\x01lanks");
	assert_int_equal(strlen(list.label), SLOT_LABEL_MAX);
	assert_null(strchr(list.label, ' '));
	for (unsigned i = 0; i < SLOT_LIST_MAX_FILES; i++) {
		memset(name, 'y', 64);
		name[64] = 0;
		name[snprintf(name, sizeof(name), "%u-", i * 7919 % 1000)] = 'y';
		assert_true(slot_list_add(&list, span_str(name), digest));
	}
	assert_false(slot_list_add(&list, span_str("one-more"), digest));
	assert_true(slot_list_parse((struct span){ buf, slot_list_write(&list, (struct mspan){ buf, sizeof(buf) }) }, &again));
	assert_int_equal(again.count, SLOT_LIST_MAX_FILES);
	assert_int_equal(slot_list_write(&list, (struct mspan){ buf, 1000 }), 0);
}

static void test_list_spoiled(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		"", "\n", "# geolaunch 1 demo\n", "# geolaunch 1 \n" DIGEST "  a\n", "# geolaunch 2 demo\n" DIGEST "  a\n",
		"# geolaunch 1 d emo\n" DIGEST "  a\n", DIGEST "  a\n", "# geolaunch 1 demo\n" DIGEST " *a\n", "# geolaunch 1 demo\n" DIGEST " a\n",
		"# geolaunch 1 demo\n" DIGEST "  b\n" DIGEST "  a\n", "# geolaunch 1 demo\n" DIGEST "  a\n" DIGEST "  a\n",
		"# geolaunch 1 demo\n" DIGEST "  A\n" DIGEST "  a\n", "# geolaunch 1 demo\nABCD" "000000000000000000000000000000000000000000000000000000000000  a\n",
		"# geolaunch 1 demo\n" DIGEST "  ../a\n", "# geolaunch 1 demo\n" DIGEST "  SHA256SUMS\n", LIST "\n", LIST "x",
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(bad); i++)
		if (slot_list_parse(span_str(bad[i]), &again))
			fail_msg("accepted: %s", bad[i]);
	/* Cut off, it is a list only behind the line of a file. */
	for (size_t n = 0; n < strlen(LIST); n++)
		assert_int_equal(slot_list_parse((struct span){ (const uint8_t *)LIST, n }, &again),
			n > strlen("# geolaunch 1 demo\n") && LIST[n - 1] == '\n');
}

static void test_slot_name(void **state)
{
	char name[SLOT_NAME_SIZE + 1];

	(void)state;
	/* FIPS 180-4: SHA-256 of "abc" */
	slot_list_slot(span_str("abc"), name);
	assert_string_equal(name, "ba7816bf8f01cfea");
	assert_true(slot_name_valid(span_str(name)));
	assert_false(slot_name_valid(span_str("ba7816bf8f01cfe")));
	assert_false(slot_name_valid(span_str("BA7816bf8f01cfea")));
	assert_false(slot_name_valid(span_str("ba7816bf8f01cfea0")));
}

/* ---- load options ---- */

static uint8_t option[512];
static size_t option_size;

/* Attributes, size of the path, description, path. Returns where the path begins. */
static size_t make_option(struct boot_entries *b, const char *file)
{
	static uint8_t partition[] = { 4, 1, 6, 0, 0x11, 0x22 };
	size_t n = 6, path;

	*b = (struct boot_entries){ .partition = partition, .partition_size = sizeof(partition) };
	memset(option, 0, sizeof(option));
	option[0] = 1;
	option[n] = 'x';
	n += 4;
	path = n;
	memcpy(option + n, partition, sizeof(partition));
	n += sizeof(partition);
	option[n] = option[n + 1] = 4;
	option[n + 2] = (uint8_t)(4 + 2 * (strlen(file) + 1));
	n += 4;
	for (size_t i = 0; i <= strlen(file); i++, n += 2)
		option[n] = (uint8_t)file[i];
	memcpy(option + n, "\x7f\xff\x04\x00", 4);
	n += 4;
	option[4] = (uint8_t)(n - path);
	option_size = n;
	return path;
}

static void test_option(void **state)
{
	struct boot_entries b;
	char slot[SLOT_NAME_SIZE + 1] = "untouched";
	size_t path = make_option(&b, "\\EFI\\geolaunch\\" A "\\geolaunch.efi");

	(void)state;
	assert_true(boot_slot(&b, (struct span){ option, option_size }, slot));
	assert_string_equal(slot, A);
	/* what stands behind the path is the application's affair */
	assert_true(boot_slot(&b, (struct span){ option, option_size + 7 }, slot));
	memcpy(slot, "untouched", 10);
	for (size_t n = 0; n < option_size; n++)
		assert_false(boot_slot(&b, (struct span){ option, n }, slot));
	for (size_t at = path; at < option_size; at++) {
		option[at] ^= 0x80;
		assert_false(boot_slot(&b, (struct span){ option, option_size }, slot));
		option[at] ^= 0x80;
	}
	assert_string_equal(slot, "untouched");
	(void)make_option(&b, "\\efi\\GEOLAUNCH\\0123456789ABCDEF\\GeoLaunch.EFI");
	assert_true(boot_slot(&b, (struct span){ option, option_size }, slot));
	assert_string_equal(slot, A);
	(void)make_option(&b, "\\EFI\\geolaunch\\0123456789abcdeg\\geolaunch.efi");
	assert_false(boot_slot(&b, (struct span){ option, option_size }, slot));
	(void)make_option(&b, "\\EFI\\geolaunch\\geolaunch.efi");
	assert_false(boot_slot(&b, (struct span){ option, option_size }, slot));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_slots_writes_nothing_wrong),
		cmocka_unit_test(test_slots_spoiled),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_names),
		cmocka_unit_test(test_list_full),
		cmocka_unit_test(test_list_spoiled),
		cmocka_unit_test(test_slot_name),
		cmocka_unit_test(test_option),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
