/* SPDX-License-Identifier: BSD-3-Clause */
/* All the ways in which a FIFO (TIS) device can go wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/mmio_bench.h"

static void fifo_must_give_just_the_claimed_size(void **state)
{
	struct bench b;

	(void)state;
	mmio_init(&b, FAKE_TIS, 2);
	b.claimed_size = 99; /* a byte is left over */
	assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_MALFORMED_RESPONSE);
	mmio_works_again(&b);
	b.claimed_size = 51; /* a byte is missing: waited for, not for ever */
	b.fake.now_us = 0;
	assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_IO_ERROR);
	assert_true(b.fake.now_us < 10000000);
	mmio_works_again(&b);
}

static void stuck_fifo_registers_end_in_errors(void **state)
{
	static const struct {
		uint32_t reg, mask, value;
		unsigned skip;
	} table[] = {
		{ TIS_STS, 0xffffffff, 0xffffffff, 0 },
		{ TIS_STS, 0xffffffff, 0xffffffff, 3 },
		{ TIS_STS, 0xffffffff, 0xffffffff, 8 },
		{ TIS_STS, 0xffffffff, 0, 0 },
		{ TIS_STS, 0xffffffff, 0, 3 },
		{ TIS_STS, 0xffffffff, 0, 8 },
		{ TIS_STS, TIS_STS_READY, 0, 0 },                       /* never ready */
		{ TIS_STS, TIS_STS_VALID, 0, 1 },                       /* never valid */
		{ TIS_STS, TIS_STS_EXPECT, TIS_STS_EXPECT, 0 },         /* never has enough */
		{ TIS_STS, TIS_STS_EXPECT, 0, 0 },                      /* has enough at once */
		{ TIS_STS, TIS_STS_DATA_AVAIL, 0, 0 },                  /* no response */
		{ TIS_STS, TIS_STS_DATA_AVAIL, TIS_STS_DATA_AVAIL, 0 }, /* a response without end */
		{ TIS_STS, 0xffff00, 0, 0 },                            /* burst count 0 for ever */
		{ TIS_STS, 0xffff00, 0, 3 },
		{ TIS_STS, 0xffff00, 0, 6 },
		{ TIS_STS, TIS_STS_GO, TIS_STS_GO, 0 },
		{ TIS_STS, 1, 1, 4 },
		{ TIS_ACCESS, 0xff, 0xff, 0 },
		{ TIS_ACCESS, 0xff, 0, 0 },
		{ TIS_DATA_FIFO, 0xff, 0xff, 0 }, /* claims 4 GiB */
		{ TIS_DATA_FIFO, 0xff, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		struct bench b;
		TSS2_RC rc;

		mmio_init(&b, FAKE_TIS, 2);
		mmio_stick(&b, table[i].reg, table[i].mask, table[i].value, table[i].skip);
		rc = mmio_exchange(&b);
		if (rc == TSS2_RC_SUCCESS)
			fail_msg("row %zu: success", i);
		assert_true((rc & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER);
		mmio_works_again(&b);
	}
}

static void lost_fifo_writes_end_in_errors(void **state)
{
	static const struct {
		uint32_t reg, mask, value;
	} table[] = {
		{ TIS_STS, TIS_STS_READY, TIS_STS_READY }, { TIS_STS, TIS_STS_GO, TIS_STS_GO }, { TIS_DATA_FIFO, 0, 0 },
		{ TIS_DATA_FIFO, 0xff, 0x7e }, /* one byte of the command */
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		struct bench b;

		mmio_init(&b, FAKE_TIS, 2);
		b.target = tpm_register(2, table[i].reg);
		b.mask = table[i].mask;
		b.value = table[i].value;
		b.fake.swallow = mmio_swallow_target;
		assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_IO_ERROR);
		assert_int_equal(b.fake.executed, 0);
		mmio_works_again(&b);
	}
}

/* One byte at a time, with a wait before each: given up as a whole, not byte by byte. */
static uint32_t slow_burst(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	struct bench *b = f->hook_ctx;

	if (offset != tpm_register(2, TIS_STS))
		return v;
	b->skip++;
	return b->skip % 24 ? v & ~0xffff00u : (v & ~0xffff00u) | 0x100;
}

static void dripping_fifo_is_given_up(void **state)
{
	struct bench b;

	(void)state;
	mmio_init(&b, FAKE_TIS, 2);
	b.answer_size = 4000;
	b.fake.mangle = slow_burst;
	assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_IO_ERROR);
	assert_true(b.fake.now_us < 20000000);
	mmio_works_again(&b);
}

/* A response that somebody left behind does not become the answer to our command. */
static void left_over_response_is_dropped(void **state)
{
	(void)state;
	for (unsigned lazy = 0; lazy < 2; lazy++) {
		struct bench b;

		mmio_init(&b, FAKE_TIS, 2);
		b.fake.state = FAKE_COMPLETION;
		b.fake.response_n = 200;
		memset(b.fake.response, 0x55, 200);
		b.fake.lazy_ready = lazy;
		assert_int_equal(mmio_exchange(&b), TSS2_RC_SUCCESS);
		assert_int_equal(b.fake.executed, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fifo_must_give_just_the_claimed_size),
		cmocka_unit_test(stuck_fifo_registers_end_in_errors),
		cmocka_unit_test(lost_fifo_writes_end_in_errors),
		cmocka_unit_test(dripping_fifo_is_given_up),
		cmocka_unit_test(left_over_response_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
