/* SPDX-License-Identifier: BSD-3-Clause */
/* All the ways in which a CRB device can go wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/mmio_bench.h"

static void crb_buffers_must_lie_in_the_page(void **state)
{
	const uint32_t page = TPM_MMIO_BASE + 2 * TPM_MMIO_LOCALITY_SIZE;
	const struct {
		uint32_t address, size;
	} table[] = {
		{ 0x00100000, 4096 },                /* memory */
		{ TPM_MMIO_BASE + CRB_DATA, 0xf80 }, /* another locality's */
		{ page, 4096 },                      /* over the registers */
		{ page + 0x7f, 100 },
		{ page + CRB_DATA, 0xf81 }, /* one byte over the end */
		{ page + CRB_DATA + 1, 0xf80 },
		{ page + 0xfff, 10 },
		{ page + 0x1000, 0 },
		{ page + 0x1000, 16 },
		{ page + CRB_DATA, 9 }, /* no room for a header */
		{ page + CRB_DATA, 0xffffffff },
		{ 0xffffffff, 0xf80 },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		for (unsigned which = 0; which < 2; which++) {
			struct bench b;

			mmio_init(&b, FAKE_CRB, 2);
			b.fake.buffer_address[which] = table[i].address;
			b.fake.buffer_size[which] = table[i].size;
			assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_IO_ERROR);
			assert_int_equal(b.fake.executed, which);
			mmio_works_again(&b);
		}
	}
}

static void crb_buffer_above_4_gib_is_refused(void **state)
{
	static const uint32_t high[] = { CRB_CTRL_CMD_HADDR, CRB_CTRL_RSP_HADDR };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(high); i++) {
		struct bench b;

		mmio_init(&b, FAKE_CRB, 2);
		mmio_stick(&b, high[i], 0xffffffff, 1, 0);
		assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_IO_ERROR);
		mmio_works_again(&b);
	}
}

static void crb_sizes_bound_command_and_response(void **state)
{
	struct bench b;

	(void)state;
	mmio_init(&b, FAKE_CRB, 2);
	b.fake.buffer_size[0] = MMIO_COMMAND_SIZE - 1;
	assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
	assert_int_equal(b.fake.executed, 0);
	b.fake.buffer_size[0] = MMIO_COMMAND_SIZE;
	assert_int_equal(mmio_exchange(&b), TSS2_RC_SUCCESS);
	b.fake.buffer_size[1] = 99;
	assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_MALFORMED_RESPONSE);
	mmio_works_again(&b);
	/* QEMU's: 3968 bytes, of which all can be used */
	b.answer_size = 3968;
	assert_int_equal(mmio_exchange(&b), TSS2_RC_SUCCESS);
}

static void stuck_crb_registers_end_in_errors(void **state)
{
	static const struct {
		uint32_t reg, mask, value;
		unsigned skip;
	} table[] = {
		{ CRB_LOC_STATE, 0xffffffff, 0xffffffff, 0 }, { CRB_LOC_STATE, CRB_LOC_STATE_VALID, 0, 0 },
		{ CRB_LOC_STATE, 0x1c, 0, 0 }, /* locality 0 has it */
		{ CRB_LOC_STS, 0xffffffff, 0, 0 }, { CRB_LOC_STS, 0xffffffff, 0xffffffff, 0 }, { CRB_CTRL_REQ, 0xffffffff, 0xffffffff, 0 },
		{ CRB_CTRL_REQ, CRB_CTRL_REQ_READY, CRB_CTRL_REQ_READY, 0 }, { CRB_CTRL_STS, CRB_CTRL_STS_ERROR, CRB_CTRL_STS_ERROR, 0 },
		{ CRB_CTRL_STS, CRB_CTRL_STS_ERROR, CRB_CTRL_STS_ERROR, 1 },
		{ CRB_CTRL_STS, CRB_CTRL_STS_ERROR, CRB_CTRL_STS_ERROR, 2 }, /* after the command */
		{ CRB_CTRL_STS, CRB_CTRL_STS_IDLE, CRB_CTRL_STS_IDLE, 0 }, { CRB_CTRL_STS, 0xffffffff, 0xffffffff, 0 },
		{ CRB_CTRL_START, 0xffffffff, 0xffffffff, 0 }, { CRB_CTRL_START, 0xffffffff, 0xffffffff, 2 }, { CRB_CTRL_START, 1, 1, 0 },
		{ CRB_CTRL_START, 1, 1, 2 }, { CRB_CTRL_CMD_SIZE, 0xffffffff, 0xffffffff, 0 }, { CRB_CTRL_CMD_SIZE, 0xffffffff, 0, 0 },
		{ CRB_CTRL_RSP_SIZE, 0xffffffff, 0, 0 }, { CRB_CTRL_RSP_SIZE, 0xffffffff, 50, 1 }, /* shrinks between header and rest */
		{ CRB_CTRL_RSP_LADDR, 0xffffffff, 0x1000, 1 },                                     /* moves between header and rest */
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		struct bench b;
		TSS2_RC rc;

		mmio_init(&b, FAKE_CRB, 2);
		mmio_stick(&b, table[i].reg, table[i].mask, table[i].value, table[i].skip);
		rc = mmio_exchange(&b);
		if (rc == TSS2_RC_SUCCESS)
			fail_msg("row %zu: success", i);
		assert_true((rc & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER);
		mmio_works_again(&b);
	}
}

static void lost_crb_ready_is_an_error(void **state)
{
	struct bench b;

	(void)state;
	mmio_init(&b, FAKE_CRB, 2);
	b.target = tpm_register(2, CRB_CTRL_REQ);
	b.fake.swallow = mmio_swallow_target;
	assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_IO_ERROR);
	assert_int_equal(b.fake.executed, 0);
	mmio_works_again(&b);
}

/* Nothing was started, so the command itself is found in the buffer: its code is not that of success. */
static void lost_crb_start_is_no_success(void **state)
{
	struct bench b;
	uint8_t response[TPM_RESPONSE_MAX];
	size_t size = sizeof(response);

	(void)state;
	mmio_init(&b, FAKE_CRB, 2);
	b.target = tpm_register(2, CRB_CTRL_START);
	b.fake.swallow = mmio_swallow_target;
	assert_int_equal(mmio_transmit(&b), TSS2_RC_SUCCESS);
	if (mmio_receive(&b, &size, response, TSS2_TCTI_TIMEOUT_BLOCK) == TSS2_RC_SUCCESS)
		assert_memory_equal(response + 6, mmio_command + 6, 4);
	assert_int_equal(b.fake.executed, 0);
	mmio_works_again(&b);
}

/* A command of somebody who gave up still runs: it is cancelled, ours goes through. */
static void abandoned_crb_command_is_cancelled(void **state)
{
	struct bench b;

	(void)state;
	mmio_init(&b, FAKE_CRB, 2);
	b.fake.busy_us = 50000000;
	assert_int_equal(mmio_transmit(&b), TSS2_RC_SUCCESS);
	b.fake.busy_us = 1000;
	tpm_mmio_tcti_init(&b.tcti, &b.fake.mmio, TPM_INTERFACE_CRB, 2);
	assert_int_equal(mmio_exchange(&b), TSS2_RC_SUCCESS);
	assert_int_equal(b.fake.cancelled, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crb_buffers_must_lie_in_the_page),
		cmocka_unit_test(crb_buffer_above_4_gib_is_refused),
		cmocka_unit_test(crb_sizes_bound_command_and_response),
		cmocka_unit_test(stuck_crb_registers_end_in_errors),
		cmocka_unit_test(lost_crb_ready_is_an_error),
		cmocka_unit_test(lost_crb_start_is_no_success),
		cmocka_unit_test(abandoned_crb_command_is_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
