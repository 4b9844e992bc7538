/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/mmio_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

const uint8_t mmio_command[MMIO_COMMAND_SIZE] = { 0x80, 0x01, 0, 0, 0, MMIO_COMMAND_SIZE, 0, 0, 1, 0x7e, 1, 2, 3 };

size_t mmio_answer(void *ctx, uint8_t locality, struct span c, struct mspan out)
{
	const struct bench *b = ctx;
	uint32_t claimed = b->claimed_size ? b->claimed_size : (uint32_t)b->answer_size;

	assert_int_equal(c.n, MMIO_COMMAND_SIZE);
	assert_memory_equal(c.p, mmio_command, MMIO_COMMAND_SIZE);
	assert_true(b->answer_size <= out.n);
	memset(out.p, 0xa0 + locality, b->answer_size);
	memcpy(out.p, (const uint8_t[]){ 0x80, 0x01 }, 2);
	for (unsigned i = 0; i < 4; i++)
		out.p[2 + i] = (uint8_t)(claimed >> 8 * (3 - i));
	memset(out.p + 6, 0, 4);
	return b->answer_size;
}

void mmio_init(struct bench *b, enum fake_kind kind, uint8_t locality)
{
	enum tpm_interface i = kind == FAKE_TIS ? TPM_INTERFACE_FIFO : TPM_INTERFACE_CRB;

	memset(b, 0, sizeof(*b));
	fake_tpm_init(&b->fake, kind, mmio_answer, b);
	b->fake.hook_ctx = b;
	b->answer_size = 100;
	assert_int_equal(tpm_locality_take(&b->fake.mmio, i, 0, locality), TPM_LOCALITY_OK);
	tpm_mmio_tcti_init(&b->tcti, &b->fake.mmio, i, locality);
}

TSS2_RC mmio_transmit(struct bench *b)
{
	return Tss2_Tcti_Transmit(tpm_mmio_tcti_context(&b->tcti), sizeof(mmio_command), mmio_command);
}

TSS2_RC mmio_receive(struct bench *b, size_t *size, uint8_t *response, int32_t timeout)
{
	return Tss2_Tcti_Receive(tpm_mmio_tcti_context(&b->tcti), size, response, timeout);
}

TSS2_RC mmio_exchange(struct bench *b)
{
	uint8_t response[TPM_RESPONSE_MAX];
	size_t size = 0;
	TSS2_RC rc = mmio_transmit(b);

	if (rc == TSS2_RC_SUCCESS)
		rc = mmio_receive(b, &size, NULL, TSS2_TCTI_TIMEOUT_BLOCK);
	if (rc == TSS2_RC_SUCCESS)
		rc = mmio_receive(b, &size, response, TSS2_TCTI_TIMEOUT_BLOCK);
	if (rc == TSS2_RC_SUCCESS) {
		assert_int_equal(size, b->answer_size);
		if (size > TPM_HEADER_SIZE)
			assert_int_equal(response[size - 1], 0xa0 + b->fake.active);
	}
	return rc;
}

void mmio_works_again(struct bench *b)
{
	b->fake.mangle = NULL;
	b->fake.swallow = NULL;
	b->fake.burst = 64;
	b->fake.busy_us = 1000;
	b->answer_size = 50;
	b->claimed_size = 0;
	b->fake.buffer_address[0] = b->fake.buffer_address[1] = 0;
	b->fake.buffer_size[0] = b->fake.buffer_size[1] = TPM_MMIO_LOCALITY_SIZE - CRB_DATA;
	assert_int_equal(mmio_exchange(b), TSS2_RC_SUCCESS);
}

static uint32_t stuck_bits(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	struct bench *b = f->hook_ctx;

	if (offset != b->target)
		return v;
	if (b->skip > 0) {
		b->skip--;
		return v;
	}
	return (v & ~b->mask) | b->value;
}

bool mmio_swallow_target(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	const struct bench *b = f->hook_ctx;

	return offset == b->target && (b->mask == 0 || (v & b->mask) == b->value);
}

void mmio_stick(struct bench *b, uint32_t reg, uint32_t mask, uint32_t value, unsigned skip)
{
	b->target = tpm_register(b->tcti.locality, reg);
	b->mask = mask;
	b->value = value;
	b->skip = skip;
	b->fake.mangle = stuck_bits;
}
