/* SPDX-License-Identifier: BSD-3-Clause */
/* The register TCTI on both interfaces: detection, localities, sequence of calls, and all the ways in which a device can go wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "common/cursor.h"
#include "tests/unit/fake_tpm_mmio.h"
#include "tpm/mmio_regs.h"

#define COMMAND_SIZE 34

struct bench {
	struct fake_tpm fake;
	struct tpm_mmio_tcti tcti;
	/* what the TPM answers */
	size_t answer_size;             /* bytes that come out */
	uint32_t claimed_size;          /* in the header; 0: answer_size */
	/* for the hooks */
	uint32_t target, mask, value;
	unsigned skip;                  /* reads of the target that stay as they are */
};

static const uint8_t command[COMMAND_SIZE] = { 0x80, 0x01, 0, 0, 0, COMMAND_SIZE, 0, 0, 1, 0x7e, 1, 2, 3 };

static size_t answer(void *ctx, uint8_t locality, struct span c, struct mspan out)
{
	const struct bench *b = ctx;
	uint32_t claimed = b->claimed_size ? b->claimed_size : (uint32_t)b->answer_size;

	assert_int_equal(c.n, COMMAND_SIZE);
	assert_memory_equal(c.p, command, COMMAND_SIZE);
	assert_true(b->answer_size <= out.n);
	memset(out.p, 0xa0 + locality, b->answer_size);
	memcpy(out.p, (const uint8_t[]){ 0x80, 0x01 }, 2);
	for (unsigned i = 0; i < 4; i++)
		out.p[2 + i] = (uint8_t)(claimed >> 8 * (3 - i));
	memset(out.p + 6, 0, 4);
	return b->answer_size;
}

static void init(struct bench *b, enum fake_kind kind, uint8_t locality)
{
	enum tpm_interface i = kind == FAKE_TIS ? TPM_INTERFACE_FIFO : TPM_INTERFACE_CRB;

	memset(b, 0, sizeof(*b));
	fake_tpm_init(&b->fake, kind, answer, b);
	b->fake.hook_ctx = b;
	b->answer_size = 100;
	assert_int_equal(tpm_locality_take(&b->fake.mmio, i, 0, locality), TPM_LOCALITY_OK);
	tpm_mmio_tcti_init(&b->tcti, &b->fake.mmio, i, locality);
}

static TSS2_RC transmit(struct bench *b)
{
	return Tss2_Tcti_Transmit(tpm_mmio_tcti_context(&b->tcti), sizeof(command), command);
}

static TSS2_RC receive(struct bench *b, size_t *size, uint8_t *response, int32_t timeout)
{
	return Tss2_Tcti_Receive(tpm_mmio_tcti_context(&b->tcti), size, response, timeout);
}

/* As SYS does it. */
static TSS2_RC exchange(struct bench *b)
{
	uint8_t response[TPM_RESPONSE_MAX];
	size_t size = 0;
	TSS2_RC rc = transmit(b);

	if (rc == TSS2_RC_SUCCESS)
		rc = receive(b, &size, NULL, TSS2_TCTI_TIMEOUT_BLOCK);
	if (rc == TSS2_RC_SUCCESS)
		rc = receive(b, &size, response, TSS2_TCTI_TIMEOUT_BLOCK);
	if (rc == TSS2_RC_SUCCESS) {
		assert_int_equal(size, b->answer_size);
		if (size > TPM_HEADER_SIZE)
			assert_int_equal(response[size - 1], 0xa0 + b->fake.active);
	}
	return rc;
}

/* The device is as it should be again: the next command must get through. */
static void assert_works_again(struct bench *b)
{
	b->fake.mangle = NULL;
	b->fake.swallow = NULL;
	b->fake.burst = 64;
	b->fake.busy_us = 1000;
	b->answer_size = 50;
	b->claimed_size = 0;
	b->fake.buffer_address[0] = b->fake.buffer_address[1] = 0;
	b->fake.buffer_size[0] = b->fake.buffer_size[1] = TPM_MMIO_LOCALITY_SIZE - CRB_DATA;
	assert_int_equal(exchange(b), TSS2_RC_SUCCESS);
}

/* ---- hooks ---- */

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

static bool swallow_target(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	const struct bench *b = f->hook_ctx;

	return offset == b->target && (b->mask == 0 || (v & b->mask) == b->value);
}

static void stick(struct bench *b, uint32_t reg, uint32_t mask, uint32_t value, unsigned skip)
{
	b->target = tpm_register(b->tcti.locality, reg);
	b->mask = mask;
	b->value = value;
	b->skip = skip;
	b->fake.mangle = stuck_bits;
}

/* ---- detection ---- */

static uint32_t everything_is(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	const uint32_t *value = f->hook_ctx;

	(void)offset;
	(void)v;
	return *value;
}

static void interfaces_are_told_apart(void **state)
{
	struct fake_tpm f;

	(void)state;
	fake_tpm_init(&f, FAKE_TIS, answer, NULL);
	assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_FIFO);
	f.tpm12 = true;
	assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_TIS12);
	fake_tpm_init(&f, FAKE_CRB, answer, NULL);
	assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_CRB);

	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		fake_tpm_init(&f, kind, answer, NULL);
		f.gate[0] = FAKE_ONES;
		assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_NONE);
		f.gate[0] = FAKE_ZEROS;
		assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_NONE);
	}
}

static bool no_writes(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	(void)f;
	fail_msg("write of %#x to %#x", v, offset);
	return true;
}

/* Any register values at all: an answer, and nothing written. */
static void detection_only_reads(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		struct fake_tpm f;
		uint32_t value;
		enum tpm_interface result;

		x = x * 1664525 + 1013904223;
		value = i < 256 ? i : x;
		fake_tpm_init(&f, i & 1 ? FAKE_TIS : FAKE_CRB, answer, NULL);
		f.swallow = no_writes;
		f.mangle = everything_is;
		f.hook_ctx = &value;
		result = tpm_interface(&f.mmio);
		assert_true(result >= TPM_INTERFACE_NONE && result <= TPM_INTERFACE_CRB);
	}
}

/* ---- localities ---- */

static void closed_localities_are_left_alone(void **state)
{
	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		enum tpm_interface i = kind == FAKE_TIS ? TPM_INTERFACE_FIFO : TPM_INTERFACE_CRB;

		for (enum fake_gate gate = FAKE_ONES; gate <= FAKE_ZEROS; gate++) {
			struct fake_tpm f;

			fake_tpm_init(&f, kind, answer, NULL);
			f.gate[2] = gate;
			assert_int_equal(tpm_locality_take(&f.mmio, i, 0, 2), TPM_LOCALITY_CLOSED);
			assert_int_equal(f.active, 0);
		}
	}
}

static void locality_moves_and_comes_back(void **state)
{
	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		enum tpm_interface i = kind == FAKE_TIS ? TPM_INTERFACE_FIFO : TPM_INTERFACE_CRB;
		struct fake_tpm f;

		fake_tpm_init(&f, kind, answer, NULL);
		assert_int_equal(tpm_locality_take(&f.mmio, i, 0, 2), TPM_LOCALITY_OK);
		assert_int_equal(f.active, 2);
		assert_int_equal(f.seized, 0);
		assert_int_equal(tpm_locality_give_back(&f.mmio, i, 2, 0), TPM_LOCALITY_OK);
		assert_int_equal(f.active, 0);

		/* to the one that is held already */
		assert_int_equal(tpm_locality_take(&f.mmio, i, 0, 0), TPM_LOCALITY_OK);
		assert_int_equal(tpm_locality_give_back(&f.mmio, i, 0, 0), TPM_LOCALITY_OK);
		assert_int_equal(f.active, 0);

		/* nobody holds any */
		f.active = -1;
		assert_int_equal(tpm_locality_take(&f.mmio, i, 0, 2), TPM_LOCALITY_OK);
		assert_int_equal(f.active, 2);
	}
}

/* Grants requests of locality 2 never. */
static bool no_locality_2(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	uint32_t reg = f->kind == FAKE_TIS ? TIS_ACCESS : CRB_LOC_CTRL;
	uint32_t request = f->kind == FAKE_TIS ? TIS_ACCESS_REQUEST : CRB_LOC_CTRL_REQUEST;

	return offset == tpm_register(2, reg) && v & request;
}

static void refused_locality_leaves_the_firmware_its_own(void **state)
{
	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		enum tpm_interface i = kind == FAKE_TIS ? TPM_INTERFACE_FIFO : TPM_INTERFACE_CRB;
		struct fake_tpm f;

		fake_tpm_init(&f, kind, answer, NULL);
		f.swallow = no_locality_2;
		assert_int_equal(tpm_locality_take(&f.mmio, i, 0, 2), TPM_LOCALITY_TIMEOUT);
		assert_int_equal(f.active, 0);
		assert_int_equal(f.pending, 0);
		assert_true(f.now_us >= TPM_TIMEOUT_A_US && f.now_us < 2 * TPM_TIMEOUT_A_US);

		/* somebody at locality 3 holds the TPM and does not let go: our requests wait, and end */
		fake_tpm_init(&f, kind, answer, NULL);
		f.active = 3;
		assert_int_equal(tpm_locality_take(&f.mmio, i, 0, 2), TPM_LOCALITY_TIMEOUT);
		assert_int_equal(f.active, 3);
		assert_int_equal(f.pending, 1);         /* locality 0, the firmware's: it comes next */
		assert_int_equal(tpm_locality_give_back(&f.mmio, i, 2, 0), TPM_LOCALITY_TIMEOUT);
	}
}

static void give_back_to_a_closed_locality_is_told(void **state)
{
	struct bench b;

	(void)state;
	init(&b, FAKE_TIS, 2);
	b.fake.gate[0] = FAKE_ONES;
	assert_int_equal(tpm_locality_give_back(&b.fake.mmio, TPM_INTERFACE_FIFO, 2, 0), TPM_LOCALITY_CLOSED);
	assert_int_equal(b.fake.active, -1);
	assert_int_equal(tpm_locality_take(&b.fake.mmio, TPM_INTERFACE_NONE, 0, 2), TPM_LOCALITY_CLOSED);
	assert_int_equal(tpm_locality_give_back(&b.fake.mmio, TPM_INTERFACE_NONE, 0, 2), TPM_LOCALITY_CLOSED);
}

/* ---- the exchange ---- */

static void commands_go_through(void **state)
{
	static const size_t sizes[] = { 10, 11, 74, 1000, 3968 };

	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		for (uint8_t locality = 0; locality < 4; locality++) {
			struct bench b;

			init(&b, kind, locality);
			for (size_t i = 0; i < GL_COUNT(sizes); i++) {
				b.answer_size = sizes[i];
				assert_int_equal(exchange(&b), TSS2_RC_SUCCESS);
				assert_int_equal(b.fake.last_locality, locality);
			}
			assert_int_equal(b.fake.executed, GL_COUNT(sizes));
			assert_int_equal(b.fake.cancelled, 0);
		}
	}
}

static void calls_out_of_order_are_refused(void **state)
{
	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		struct bench b;
		TSS2_TCTI_CONTEXT *c;
		uint8_t response[TPM_RESPONSE_MAX];
		size_t size = sizeof(response);

		init(&b, kind, 2);
		c = tpm_mmio_tcti_context(&b.tcti);
		assert_int_equal(receive(&b, &size, response, -1), TSS2_TCTI_RC_BAD_SEQUENCE);
		assert_int_equal(Tss2_Tcti_Cancel(c), TSS2_TCTI_RC_BAD_SEQUENCE);
		assert_int_equal(Tss2_Tcti_Transmit(c, 9, command), TSS2_TCTI_RC_BAD_VALUE);
		assert_int_equal(Tss2_Tcti_Transmit(c, 10, NULL), TSS2_TCTI_RC_BAD_REFERENCE);
		assert_int_equal(Tss2_Tcti_SetLocality(c, 5), TSS2_TCTI_RC_BAD_VALUE);
		assert_int_equal(transmit(&b), TSS2_RC_SUCCESS);
		assert_int_equal(transmit(&b), TSS2_TCTI_RC_BAD_SEQUENCE);
		assert_int_equal(Tss2_Tcti_SetLocality(c, 1), TSS2_TCTI_RC_BAD_SEQUENCE);
		assert_int_equal(receive(&b, NULL, response, -1), TSS2_TCTI_RC_BAD_REFERENCE);
		assert_int_equal(receive(&b, &size, response, -2), TSS2_TCTI_RC_BAD_VALUE);

		/* too small a buffer: the size is told, nothing is lost */
		size = 99;
		assert_int_equal(receive(&b, &size, response, -1), TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
		assert_int_equal(size, 100);
		assert_int_equal(receive(&b, &size, response, -1), TSS2_RC_SUCCESS);
		assert_int_equal(receive(&b, &size, response, -1), TSS2_TCTI_RC_BAD_SEQUENCE);

		b.tcti.common.v1.magic++;
		assert_int_equal(transmit(&b), TSS2_TCTI_RC_BAD_CONTEXT);
		assert_int_equal(receive(&b, &size, response, -1), TSS2_TCTI_RC_BAD_CONTEXT);
		assert_int_equal(Tss2_Tcti_Cancel(c), TSS2_TCTI_RC_BAD_CONTEXT);
		assert_int_equal(Tss2_Tcti_SetLocality(c, 0), TSS2_TCTI_RC_BAD_CONTEXT);
	}
}

/* The caller's time limit ends the wait, not the command; cancel and finalize end the command. */
static void timeouts_and_cancel(void **state)
{
	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		struct bench b;
		size_t size = 0;

		init(&b, kind, 2);
		b.fake.busy_us = 5000000;
		assert_int_equal(transmit(&b), TSS2_RC_SUCCESS);
		assert_int_equal(receive(&b, &size, NULL, 0), TSS2_TCTI_RC_TRY_AGAIN);
		assert_int_equal(receive(&b, &size, NULL, 100), TSS2_TCTI_RC_TRY_AGAIN);
		assert_true(b.fake.now_us < 1000000);
		assert_int_equal(receive(&b, &size, NULL, 10000), TSS2_RC_SUCCESS);
		assert_int_equal(size, 100);
		assert_int_equal(Tss2_Tcti_Cancel(tpm_mmio_tcti_context(&b.tcti)), TSS2_RC_SUCCESS);
		assert_works_again(&b);

		b.fake.busy_us = 5000000;
		assert_int_equal(transmit(&b), TSS2_RC_SUCCESS);
		assert_int_equal(Tss2_Tcti_Cancel(tpm_mmio_tcti_context(&b.tcti)), TSS2_RC_SUCCESS);
		assert_int_equal(b.fake.cancelled, 1);
		assert_works_again(&b);

		b.fake.busy_us = 5000000;
		assert_int_equal(transmit(&b), TSS2_RC_SUCCESS);
		Tss2_Tcti_Finalize(tpm_mmio_tcti_context(&b.tcti));
		assert_int_equal(b.fake.cancelled, 2);
		assert_works_again(&b);
	}
}

/* A key that takes a minute is waited for; a TPM that never ends is cancelled after 90 s. */
static void long_commands_have_an_end(void **state)
{
	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		struct bench b;

		init(&b, kind, 2);
		b.fake.busy_us = 80000000;
		assert_int_equal(exchange(&b), TSS2_RC_SUCCESS);
		b.fake.busy_us = 4000000000;
		b.fake.now_us = 0;
		assert_int_equal(exchange(&b), TSS2_TCTI_RC_IO_ERROR);
		assert_true(b.fake.now_us >= TPM_DURATION_MAX_US && b.fake.now_us < TPM_DURATION_MAX_US + 10000000);
		assert_int_equal(b.fake.cancelled, 1);
		assert_works_again(&b);
	}
}

static void lost_locality_is_noticed(void **state)
{
	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		struct bench b;
		size_t size = 0;

		init(&b, kind, 2);
		b.fake.active = 0;
		assert_int_equal(transmit(&b), TSS2_TCTI_RC_NOT_PERMITTED);
		b.fake.active = -1;
		assert_int_equal(transmit(&b), TSS2_TCTI_RC_NOT_PERMITTED);
		b.fake.active = 2;
		b.fake.gate[2] = FAKE_ONES;
		assert_int_equal(transmit(&b), TSS2_TCTI_RC_NOT_PERMITTED);
		b.fake.gate[2] = FAKE_ZEROS;
		assert_int_equal(transmit(&b), TSS2_TCTI_RC_NOT_PERMITTED);

		/* in the middle */
		b.fake.gate[2] = FAKE_OPEN;
		assert_int_equal(transmit(&b), TSS2_RC_SUCCESS);
		b.fake.gate[2] = FAKE_ONES;
		b.fake.now_us = 0;
		assert_int_equal(receive(&b, &size, NULL, -1), TSS2_TCTI_RC_IO_ERROR);
		assert_true(b.fake.now_us < 5000000);
		b.fake.gate[2] = FAKE_OPEN;
		assert_works_again(&b);
	}
}

/* Sizes in the header of the response that cannot be. */
static void response_sizes_are_checked(void **state)
{
	static const uint32_t claims[] = { 1, 9, 4097, 65536, 0x7fffffff, 0xffffffff };

	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		struct bench b;

		init(&b, kind, 2);
		for (size_t i = 0; i < GL_COUNT(claims); i++) {
			b.claimed_size = claims[i];
			assert_int_equal(exchange(&b), TSS2_TCTI_RC_MALFORMED_RESPONSE);
			assert_works_again(&b);
		}
	}
}

/* ---- FIFO only ---- */

static void fifo_must_give_just_the_claimed_size(void **state)
{
	struct bench b;

	(void)state;
	init(&b, FAKE_TIS, 2);
	b.claimed_size = 99;    /* a byte is left over */
	assert_int_equal(exchange(&b), TSS2_TCTI_RC_MALFORMED_RESPONSE);
	assert_works_again(&b);
	b.claimed_size = 51;    /* a byte is missing: waited for, not for ever */
	b.fake.now_us = 0;
	assert_int_equal(exchange(&b), TSS2_TCTI_RC_IO_ERROR);
	assert_true(b.fake.now_us < 10000000);
	assert_works_again(&b);
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
		{ TIS_STS, TIS_STS_READY, 0, 0 },               /* never ready */
		{ TIS_STS, TIS_STS_VALID, 0, 1 },               /* never valid */
		{ TIS_STS, TIS_STS_EXPECT, TIS_STS_EXPECT, 0 }, /* never has enough */
		{ TIS_STS, TIS_STS_EXPECT, 0, 0 },              /* has enough at once */
		{ TIS_STS, TIS_STS_DATA_AVAIL, 0, 0 },          /* no response */
		{ TIS_STS, TIS_STS_DATA_AVAIL, TIS_STS_DATA_AVAIL, 0 }, /* a response without end */
		{ TIS_STS, 0xffff00, 0, 0 },                    /* burst count 0 for ever */
		{ TIS_STS, 0xffff00, 0, 3 },
		{ TIS_STS, 0xffff00, 0, 6 },
		{ TIS_STS, TIS_STS_GO, TIS_STS_GO, 0 },
		{ TIS_STS, 1, 1, 4 },
		{ TIS_ACCESS, 0xff, 0xff, 0 },
		{ TIS_ACCESS, 0xff, 0, 0 },
		{ TIS_DATA_FIFO, 0xff, 0xff, 0 },               /* claims 4 GiB */
		{ TIS_DATA_FIFO, 0xff, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		struct bench b;
		TSS2_RC rc;

		init(&b, FAKE_TIS, 2);
		stick(&b, table[i].reg, table[i].mask, table[i].value, table[i].skip);
		rc = exchange(&b);
		if (rc == TSS2_RC_SUCCESS)
			fail_msg("row %zu: success", i);
		assert_true((rc & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER);
		assert_works_again(&b);
	}
}

static void lost_fifo_writes_end_in_errors(void **state)
{
	static const struct {
		uint32_t reg, mask, value;
	} table[] = {
		{ TIS_STS, TIS_STS_READY, TIS_STS_READY },
		{ TIS_STS, TIS_STS_GO, TIS_STS_GO },
		{ TIS_DATA_FIFO, 0, 0 },
		{ TIS_DATA_FIFO, 0xff, 0x7e },          /* one byte of the command */
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		struct bench b;

		init(&b, FAKE_TIS, 2);
		b.target = tpm_register(2, table[i].reg);
		b.mask = table[i].mask;
		b.value = table[i].value;
		b.fake.swallow = swallow_target;
		assert_int_equal(exchange(&b), TSS2_TCTI_RC_IO_ERROR);
		assert_int_equal(b.fake.executed, 0);
		assert_works_again(&b);
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
	init(&b, FAKE_TIS, 2);
	b.answer_size = 4000;
	b.fake.mangle = slow_burst;
	assert_int_equal(exchange(&b), TSS2_TCTI_RC_IO_ERROR);
	assert_true(b.fake.now_us < 20000000);
	assert_works_again(&b);
}

/* A response that somebody left behind does not become the answer to our command. */
static void left_over_response_is_dropped(void **state)
{
	(void)state;
	for (unsigned lazy = 0; lazy < 2; lazy++) {
		struct bench b;

		init(&b, FAKE_TIS, 2);
		b.fake.state = FAKE_COMPLETION;
		b.fake.response_n = 200;
		memset(b.fake.response, 0x55, 200);
		b.fake.lazy_ready = lazy;
		assert_int_equal(exchange(&b), TSS2_RC_SUCCESS);
		assert_int_equal(b.fake.executed, 1);
	}
}

/* ---- CRB only ---- */

static void crb_buffers_must_lie_in_the_page(void **state)
{
	const uint32_t page = TPM_MMIO_BASE + 2 * TPM_MMIO_LOCALITY_SIZE;
	const struct {
		uint32_t address, size;
	} table[] = {
		{ 0x00100000, 4096 },           /* memory */
		{ TPM_MMIO_BASE + CRB_DATA, 0xf80 },    /* another locality's */
		{ page, 4096 },                 /* over the registers */
		{ page + 0x7f, 100 },
		{ page + CRB_DATA, 0xf81 },     /* one byte over the end */
		{ page + CRB_DATA + 1, 0xf80 },
		{ page + 0xfff, 10 },
		{ page + 0x1000, 0 },
		{ page + 0x1000, 16 },
		{ page + CRB_DATA, 9 },         /* no room for a header */
		{ page + CRB_DATA, 0xffffffff },
		{ 0xffffffff, 0xf80 },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		for (unsigned which = 0; which < 2; which++) {
			struct bench b;

			init(&b, FAKE_CRB, 2);
			b.fake.buffer_address[which] = table[i].address;
			b.fake.buffer_size[which] = table[i].size;
			assert_int_equal(exchange(&b), TSS2_TCTI_RC_IO_ERROR);
			assert_int_equal(b.fake.executed, which);
			assert_works_again(&b);
		}
	}
}

static void crb_buffer_above_4_gib_is_refused(void **state)
{
	static const uint32_t high[] = { CRB_CTRL_CMD_HADDR, CRB_CTRL_RSP_HADDR };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(high); i++) {
		struct bench b;

		init(&b, FAKE_CRB, 2);
		stick(&b, high[i], 0xffffffff, 1, 0);
		assert_int_equal(exchange(&b), TSS2_TCTI_RC_IO_ERROR);
		assert_works_again(&b);
	}
}

static void crb_sizes_bound_command_and_response(void **state)
{
	struct bench b;

	(void)state;
	init(&b, FAKE_CRB, 2);
	b.fake.buffer_size[0] = COMMAND_SIZE - 1;
	assert_int_equal(exchange(&b), TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
	assert_int_equal(b.fake.executed, 0);
	b.fake.buffer_size[0] = COMMAND_SIZE;
	assert_int_equal(exchange(&b), TSS2_RC_SUCCESS);
	b.fake.buffer_size[1] = 99;
	assert_int_equal(exchange(&b), TSS2_TCTI_RC_MALFORMED_RESPONSE);
	assert_works_again(&b);
	/* QEMU's: 3968 bytes, of which all can be used */
	b.answer_size = 3968;
	assert_int_equal(exchange(&b), TSS2_RC_SUCCESS);
}

static void stuck_crb_registers_end_in_errors(void **state)
{
	static const struct {
		uint32_t reg, mask, value;
		unsigned skip;
	} table[] = {
		{ CRB_LOC_STATE, 0xffffffff, 0xffffffff, 0 },
		{ CRB_LOC_STATE, CRB_LOC_STATE_VALID, 0, 0 },
		{ CRB_LOC_STATE, 0x1c, 0, 0 },                  /* locality 0 has it */
		{ CRB_LOC_STS, 0xffffffff, 0, 0 },
		{ CRB_LOC_STS, 0xffffffff, 0xffffffff, 0 },
		{ CRB_CTRL_REQ, 0xffffffff, 0xffffffff, 0 },
		{ CRB_CTRL_REQ, CRB_CTRL_REQ_READY, CRB_CTRL_REQ_READY, 0 },
		{ CRB_CTRL_STS, CRB_CTRL_STS_ERROR, CRB_CTRL_STS_ERROR, 0 },
		{ CRB_CTRL_STS, CRB_CTRL_STS_ERROR, CRB_CTRL_STS_ERROR, 1 },
		{ CRB_CTRL_STS, CRB_CTRL_STS_IDLE, CRB_CTRL_STS_IDLE, 0 },
		{ CRB_CTRL_STS, 0xffffffff, 0xffffffff, 0 },
		{ CRB_CTRL_START, 0xffffffff, 0xffffffff, 0 },
		{ CRB_CTRL_START, 0xffffffff, 0xffffffff, 2 },
		{ CRB_CTRL_START, 1, 1, 0 },
		{ CRB_CTRL_START, 1, 1, 2 },
		{ CRB_CTRL_CMD_SIZE, 0xffffffff, 0xffffffff, 0 },
		{ CRB_CTRL_CMD_SIZE, 0xffffffff, 0, 0 },
		{ CRB_CTRL_RSP_SIZE, 0xffffffff, 0, 0 },
		{ CRB_CTRL_RSP_SIZE, 0xffffffff, 50, 1 },       /* shrinks between header and rest */
		{ CRB_CTRL_RSP_LADDR, 0xffffffff, 0x1000, 1 },  /* moves between header and rest */
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		struct bench b;
		TSS2_RC rc;

		init(&b, FAKE_CRB, 2);
		stick(&b, table[i].reg, table[i].mask, table[i].value, table[i].skip);
		rc = exchange(&b);
		if (rc == TSS2_RC_SUCCESS)
			fail_msg("row %zu: success", i);
		assert_true((rc & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER);
		assert_works_again(&b);
	}
}

static void lost_crb_ready_is_an_error(void **state)
{
	struct bench b;

	(void)state;
	init(&b, FAKE_CRB, 2);
	b.target = tpm_register(2, CRB_CTRL_REQ);
	b.fake.swallow = swallow_target;
	assert_int_equal(exchange(&b), TSS2_TCTI_RC_IO_ERROR);
	assert_int_equal(b.fake.executed, 0);
	assert_works_again(&b);
}

/* Nothing was started, so the command itself is found in the buffer: its code is not that of success. */
static void lost_crb_start_is_no_success(void **state)
{
	struct bench b;
	uint8_t response[TPM_RESPONSE_MAX];
	size_t size = sizeof(response);

	(void)state;
	init(&b, FAKE_CRB, 2);
	b.target = tpm_register(2, CRB_CTRL_START);
	b.fake.swallow = swallow_target;
	assert_int_equal(transmit(&b), TSS2_RC_SUCCESS);
	if (receive(&b, &size, response, TSS2_TCTI_TIMEOUT_BLOCK) == TSS2_RC_SUCCESS)
		assert_memory_equal(response + 6, command + 6, 4);
	assert_int_equal(b.fake.executed, 0);
	assert_works_again(&b);
}

/* A command of somebody who gave up still runs: it is cancelled, ours goes through. */
static void abandoned_crb_command_is_cancelled(void **state)
{
	struct bench b;

	(void)state;
	init(&b, FAKE_CRB, 2);
	b.fake.busy_us = 50000000;
	assert_int_equal(transmit(&b), TSS2_RC_SUCCESS);
	b.fake.busy_us = 1000;
	tpm_mmio_tcti_init(&b.tcti, &b.fake.mmio, TPM_INTERFACE_CRB, 2);
	assert_int_equal(exchange(&b), TSS2_RC_SUCCESS);
	assert_int_equal(b.fake.cancelled, 1);
}

static void no_interface_no_connection(void **state)
{
	struct bench b;

	(void)state;
	init(&b, FAKE_TIS, 0);
	tpm_mmio_tcti_init(&b.tcti, &b.fake.mmio, TPM_INTERFACE_NONE, 0);
	assert_int_equal(transmit(&b), TSS2_TCTI_RC_NO_CONNECTION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_are_told_apart),
		cmocka_unit_test(detection_only_reads),
		cmocka_unit_test(closed_localities_are_left_alone),
		cmocka_unit_test(locality_moves_and_comes_back),
		cmocka_unit_test(refused_locality_leaves_the_firmware_its_own),
		cmocka_unit_test(give_back_to_a_closed_locality_is_told),
		cmocka_unit_test(commands_go_through),
		cmocka_unit_test(calls_out_of_order_are_refused),
		cmocka_unit_test(timeouts_and_cancel),
		cmocka_unit_test(long_commands_have_an_end),
		cmocka_unit_test(lost_locality_is_noticed),
		cmocka_unit_test(response_sizes_are_checked),
		cmocka_unit_test(fifo_must_give_just_the_claimed_size),
		cmocka_unit_test(stuck_fifo_registers_end_in_errors),
		cmocka_unit_test(lost_fifo_writes_end_in_errors),
		cmocka_unit_test(dripping_fifo_is_given_up),
		cmocka_unit_test(left_over_response_is_dropped),
		cmocka_unit_test(crb_buffers_must_lie_in_the_page),
		cmocka_unit_test(crb_buffer_above_4_gib_is_refused),
		cmocka_unit_test(crb_sizes_bound_command_and_response),
		cmocka_unit_test(stuck_crb_registers_end_in_errors),
		cmocka_unit_test(lost_crb_ready_is_an_error),
		cmocka_unit_test(lost_crb_start_is_no_success),
		cmocka_unit_test(abandoned_crb_command_is_cancelled),
		cmocka_unit_test(no_interface_no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
