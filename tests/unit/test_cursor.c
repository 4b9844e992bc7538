/* SPDX-License-Identifier: BSD-3-Clause */
#include "evp.h"

#include "common/cursor.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static void test_read_widths(void **state)
{
	(void)state;
	struct rd r = rd_init(SPAN_OF(bytes));

	assert_int_equal(rd_u8(&r), 0x01);
	assert_int_equal(rd_le16(&r), 0x0302);
	assert_int_equal(rd_le32(&r), 0x07060504);
	assert_int_equal(rd_left(&r), 8);
	assert_false(rd_done(&r));
	assert_true(rd_le64(&r) == UINT64_C(0x0f0e0d0c0b0a0908));
	assert_true(rd_done(&r));

	r = rd_init(SPAN_OF(bytes));
	assert_int_equal(rd_be16(&r), 0x0102);
	assert_int_equal(rd_be32(&r), 0x03040506);
	assert_true(rd_be64(&r) == UINT64_C(0x0708090a0b0c0d0e));
	assert_int_equal(rd_left(&r), 1);
}

static void test_read_fails_sticky(void **state)
{
	(void)state;
	struct rd r = rd_init((struct span){ bytes, 3 });

	assert_int_equal(rd_le32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(r.off, 0);
	assert_int_equal(rd_left(&r), 0);
	/* One byte would be there, but the reader has failed. */
	assert_int_equal(rd_u8(&r), 0);
	assert_false(rd_done(&r));

	struct span s = rd_bytes(&r, 0);

	assert_null(s.p);
	assert_int_equal(s.n, 0);
}

static void test_read_lengths(void **state)
{
	(void)state;
	static const size_t too_long[] = { 16, 1000, SIZE_MAX - 1, SIZE_MAX };

	for (size_t i = 0; i < GL_COUNT(too_long); i++) {
		struct rd r = rd_init(SPAN_OF(bytes));

		(void)rd_u8(&r);
		assert_null(rd_bytes(&r, too_long[i]).p);
		assert_true(r.bad);
		assert_int_equal(r.off, 1);
	}

	struct rd r = rd_init(SPAN_OF(bytes));
	struct span all = rd_bytes(&r, sizeof(bytes));

	assert_ptr_equal(all.p, bytes);
	assert_int_equal(all.n, sizeof(bytes));
	assert_true(rd_done(&r));
	assert_int_equal(rd_bytes(&r, 0).n, 0);
	assert_false(r.bad);

	r = rd_init((struct span){ NULL, 0 });
	assert_true(rd_done(&r));
	assert_null(rd_bytes(&r, 0).p);
	assert_true(rd_done(&r));
	assert_int_equal(rd_u8(&r), 0);
	assert_true(r.bad);
}

static void test_write(void **state)
{
	(void)state;
	static const uint8_t want[] = { 1, 3, 2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8 };
	uint8_t buf[16];
	struct wr w = wr_init((struct mspan){ buf, sizeof(buf) });

	memset(buf, 0xee, sizeof(buf));
	wr_u8(&w, 0x01);
	wr_le16(&w, 0x0203);
	wr_le32(&w, 0x04050607);
	wr_le64(&w, UINT64_C(0x08090a0b0c0d0e0f));
	assert_false(w.bad);
	assert_true(span_equal(wr_span(&w), SPAN_OF(want)));

	/* One byte is left: two fail, nothing is written, not even after that. */
	wr_le16(&w, 0);
	assert_true(w.bad);
	wr_u8(&w, 0);
	assert_int_equal(w.off, 15);
	assert_int_equal(buf[15], 0xee);
}

static void test_measure_only(void **state)
{
	(void)state;
	struct wr w = wr_measure();

	wr_le32(&w, 5);
	wr_bytes(&w, SPAN_OF(bytes));
	assert_false(w.bad);
	assert_int_equal(w.off, 4 + sizeof(bytes));

	/* The sum of sizes may not wrap. */
	wr_bytes(&w, (struct span){ bytes, SIZE_MAX - 4 });
	assert_true(w.bad);
	assert_int_equal(w.off, 4 + sizeof(bytes));
}

static void test_span(void **state)
{
	(void)state;
	assert_int_equal(span_str(NULL).n, 0);
	assert_int_equal(span_str("abc").n, 3);
	assert_true(span_is_str(SPAN_LITERAL("abc"), "abc"));
	assert_false(span_is_str(SPAN_LITERAL("abc"), "abd"));
	assert_false(span_is_str(SPAN_LITERAL("abc"), "abcd"));
	assert_false(span_is_str(SPAN_LITERAL("abc"), "ab"));
	assert_true(span_is_str((struct span){ NULL, 0 }, ""));
	assert_int_equal(SPAN_OF(bytes).n, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_widths),
		cmocka_unit_test(test_read_fails_sticky),
		cmocka_unit_test(test_read_lengths),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_measure_only),
		cmocka_unit_test(test_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
