/* SPDX-License-Identifier: BSD-3-Clause */
/* The register TCTI on both interfaces: detection, localities, sequence of calls, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/mmio_bench.h"

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
	fake_tpm_init(&f, FAKE_TIS, mmio_answer, NULL);
	assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_FIFO);
	f.tpm12 = true;
	assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_TIS12);
	fake_tpm_init(&f, FAKE_CRB, mmio_answer, NULL);
	assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_CRB);

	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		fake_tpm_init(&f, kind, mmio_answer, NULL);
		f.gate[0] = FAKE_ONES;
		assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_NONE);
		f.gate[0] = FAKE_ZEROS;
		assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_NONE);
	}
}

static uint32_t access_is(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	return offset == TIS_ACCESS ? *(const uint32_t *)f->hook_ctx : v;
}

/* All but TPM_ACCESS looks well. */
static void fifo_without_access_is_none(void **state)
{
	static uint32_t values[] = { 0xff, 0x00, 0x21 };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(values); i++) {
		struct fake_tpm f;

		fake_tpm_init(&f, FAKE_TIS, mmio_answer, NULL);
		f.mangle = access_is;
		f.hook_ctx = &values[i];
		assert_int_equal(tpm_interface(&f.mmio), TPM_INTERFACE_NONE);
	}
}

static bool no_writes(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	(void)f;
	fail_msg("write of %#x to %#x", v, offset);
	return true;
}

/* Any register values at all: an mmio_answer, and nothing written. */
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
		fake_tpm_init(&f, i & 1 ? FAKE_TIS : FAKE_CRB, mmio_answer, NULL);
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

			fake_tpm_init(&f, kind, mmio_answer, NULL);
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

		fake_tpm_init(&f, kind, mmio_answer, NULL);
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

		fake_tpm_init(&f, kind, mmio_answer, NULL);
		f.swallow = no_locality_2;
		assert_int_equal(tpm_locality_take(&f.mmio, i, 0, 2), TPM_LOCALITY_TIMEOUT);
		assert_int_equal(f.active, 0);
		assert_int_equal(f.pending, 0);
		assert_true(f.now_us >= TPM_TIMEOUT_A_US && f.now_us < 2 * TPM_TIMEOUT_A_US);

		/* somebody at locality 3 holds the TPM and does not let go: our requests wait, and end */
		fake_tpm_init(&f, kind, mmio_answer, NULL);
		f.active = 3;
		assert_int_equal(tpm_locality_take(&f.mmio, i, 0, 2), TPM_LOCALITY_TIMEOUT);
		assert_int_equal(f.active, 3);
		assert_int_equal(f.pending, 1); /* locality 0, the firmware's: it comes next */
		assert_int_equal(tpm_locality_give_back(&f.mmio, i, 2, 0), TPM_LOCALITY_TIMEOUT);
	}
}

static void give_back_to_a_closed_locality_is_told(void **state)
{
	struct bench b;

	(void)state;
	mmio_init(&b, FAKE_TIS, 2);
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

			mmio_init(&b, kind, locality);
			for (size_t i = 0; i < GL_COUNT(sizes); i++) {
				b.answer_size = sizes[i];
				assert_int_equal(mmio_exchange(&b), TSS2_RC_SUCCESS);
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

		mmio_init(&b, kind, 2);
		c = tpm_mmio_tcti_context(&b.tcti);
		assert_int_equal(mmio_receive(&b, &size, response, -1), TSS2_TCTI_RC_BAD_SEQUENCE);
		assert_int_equal(Tss2_Tcti_Cancel(c), TSS2_TCTI_RC_BAD_SEQUENCE);
		assert_int_equal(Tss2_Tcti_Transmit(c, 9, mmio_command), TSS2_TCTI_RC_BAD_VALUE);
		assert_int_equal(Tss2_Tcti_Transmit(c, 10, NULL), TSS2_TCTI_RC_BAD_REFERENCE);
		assert_int_equal(Tss2_Tcti_SetLocality(c, 5), TSS2_TCTI_RC_BAD_VALUE);
		assert_int_equal(mmio_transmit(&b), TSS2_RC_SUCCESS);
		assert_int_equal(mmio_transmit(&b), TSS2_TCTI_RC_BAD_SEQUENCE);
		assert_int_equal(Tss2_Tcti_SetLocality(c, 1), TSS2_TCTI_RC_BAD_SEQUENCE);
		assert_int_equal(mmio_receive(&b, NULL, response, -1), TSS2_TCTI_RC_BAD_REFERENCE);
		assert_int_equal(mmio_receive(&b, &size, response, -2), TSS2_TCTI_RC_BAD_VALUE);

		/* too small a buffer: the size is told, nothing is lost */
		size = 99;
		assert_int_equal(mmio_receive(&b, &size, response, -1), TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
		assert_int_equal(size, 100);
		assert_int_equal(mmio_receive(&b, &size, response, -1), TSS2_RC_SUCCESS);
		assert_int_equal(mmio_receive(&b, &size, response, -1), TSS2_TCTI_RC_BAD_SEQUENCE);

		b.tcti.common.v1.magic++;
		assert_int_equal(mmio_transmit(&b), TSS2_TCTI_RC_BAD_CONTEXT);
		assert_int_equal(mmio_receive(&b, &size, response, -1), TSS2_TCTI_RC_BAD_CONTEXT);
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

		mmio_init(&b, kind, 2);
		b.fake.busy_us = 5000000;
		assert_int_equal(mmio_transmit(&b), TSS2_RC_SUCCESS);
		assert_int_equal(mmio_receive(&b, &size, NULL, 0), TSS2_TCTI_RC_TRY_AGAIN);
		assert_int_equal(mmio_receive(&b, &size, NULL, 100), TSS2_TCTI_RC_TRY_AGAIN);
		assert_true(b.fake.now_us < 1000000);
		assert_int_equal(mmio_receive(&b, &size, NULL, 10000), TSS2_RC_SUCCESS);
		assert_int_equal(size, 100);
		assert_int_equal(Tss2_Tcti_Cancel(tpm_mmio_tcti_context(&b.tcti)), TSS2_RC_SUCCESS);
		mmio_works_again(&b);

		b.fake.busy_us = 5000000;
		assert_int_equal(mmio_transmit(&b), TSS2_RC_SUCCESS);
		assert_int_equal(Tss2_Tcti_Cancel(tpm_mmio_tcti_context(&b.tcti)), TSS2_RC_SUCCESS);
		assert_int_equal(b.fake.cancelled, 1);
		mmio_works_again(&b);

		b.fake.busy_us = 5000000;
		assert_int_equal(mmio_transmit(&b), TSS2_RC_SUCCESS);
		Tss2_Tcti_Finalize(tpm_mmio_tcti_context(&b.tcti));
		assert_int_equal(b.fake.cancelled, 2);
		mmio_works_again(&b);
	}
}

/* A slow TPM is waited for; one that never ends is cancelled after 20 s. */
static void long_commands_have_an_end(void **state)
{
	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		struct bench b;

		mmio_init(&b, kind, 2);
		b.fake.busy_us = 19000000;
		assert_int_equal(mmio_exchange(&b), TSS2_RC_SUCCESS);
		b.fake.busy_us = 4000000000;
		b.fake.now_us = 0;
		assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_IO_ERROR);
		assert_true(b.fake.now_us >= TPM_DURATION_MAX_US && b.fake.now_us < TPM_DURATION_MAX_US + 10000000);
		assert_int_equal(b.fake.cancelled, 1);
		mmio_works_again(&b);
	}
}

/* On a machine that is interrupted so often that every delay takes five times as long. */
static uint64_t fast_clock(void *ctx)
{
	return ((struct fake_tpm *)ctx)->now_us * 5;
}

static void long_waits_end_by_the_clock(void **state)
{
	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		struct bench b;

		mmio_init(&b, kind, 2);
		b.fake.mmio.now_us = fast_clock;
		b.fake.busy_us = 4000000000;
		assert_false(b.tcti.silent);
		assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_IO_ERROR);
		assert_true(b.tcti.silent);
		assert_true(b.fake.now_us >= TPM_DURATION_MAX_US / 5 && b.fake.now_us < TPM_DURATION_MAX_US / 5 + 10000000);
		b.fake.busy_us = TPM_DURATION_MAX_US / 5 - 1000000;
		assert_int_equal(mmio_exchange(&b), TSS2_RC_SUCCESS);
		/* Short ones have their whole time. */
		b.fake.busy_us = 1000;
		mmio_works_again(&b);
	}
}

static void lost_locality_is_noticed(void **state)
{
	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		struct bench b;
		size_t size = 0;

		mmio_init(&b, kind, 2);
		b.fake.active = 0;
		assert_int_equal(mmio_transmit(&b), TSS2_TCTI_RC_NOT_PERMITTED);
		b.fake.active = -1;
		assert_int_equal(mmio_transmit(&b), TSS2_TCTI_RC_NOT_PERMITTED);
		b.fake.active = 2;
		b.fake.gate[2] = FAKE_ONES;
		assert_int_equal(mmio_transmit(&b), TSS2_TCTI_RC_NOT_PERMITTED);
		b.fake.gate[2] = FAKE_ZEROS;
		assert_int_equal(mmio_transmit(&b), TSS2_TCTI_RC_NOT_PERMITTED);

		/* in the middle */
		b.fake.gate[2] = FAKE_OPEN;
		assert_int_equal(mmio_transmit(&b), TSS2_RC_SUCCESS);
		b.fake.gate[2] = FAKE_ONES;
		b.fake.now_us = 0;
		assert_int_equal(mmio_receive(&b, &size, NULL, -1), TSS2_TCTI_RC_IO_ERROR);
		assert_true(b.fake.now_us < 5000000);
		assert_false(b.tcti.silent);
		b.fake.gate[2] = FAKE_OPEN;
		mmio_works_again(&b);
	}
}

/* Sizes in the header of the response that cannot be. */
static void response_sizes_are_checked(void **state)
{
	static const uint32_t claims[] = { 1, 9, 4097, 65536, 0x7fffffff, 0xffffffff };

	(void)state;
	for (enum fake_kind kind = FAKE_TIS; kind <= FAKE_CRB; kind++) {
		struct bench b;

		mmio_init(&b, kind, 2);
		for (size_t i = 0; i < GL_COUNT(claims); i++) {
			b.claimed_size = claims[i];
			assert_int_equal(mmio_exchange(&b), TSS2_TCTI_RC_MALFORMED_RESPONSE);
			mmio_works_again(&b);
		}
	}
}

static void no_interface_no_connection(void **state)
{
	struct bench b;

	(void)state;
	mmio_init(&b, FAKE_TIS, 0);
	tpm_mmio_tcti_init(&b.tcti, &b.fake.mmio, TPM_INTERFACE_NONE, 0);
	assert_int_equal(mmio_transmit(&b), TSS2_TCTI_RC_NO_CONNECTION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_are_told_apart),
		cmocka_unit_test(fifo_without_access_is_none),
		cmocka_unit_test(detection_only_reads),
		cmocka_unit_test(closed_localities_are_left_alone),
		cmocka_unit_test(locality_moves_and_comes_back),
		cmocka_unit_test(refused_locality_leaves_the_firmware_its_own),
		cmocka_unit_test(give_back_to_a_closed_locality_is_told),
		cmocka_unit_test(commands_go_through),
		cmocka_unit_test(calls_out_of_order_are_refused),
		cmocka_unit_test(timeouts_and_cancel),
		cmocka_unit_test(long_commands_have_an_end),
		cmocka_unit_test(long_waits_end_by_the_clock),
		cmocka_unit_test(lost_locality_is_noticed),
		cmocka_unit_test(response_sizes_are_checked),
		cmocka_unit_test(no_interface_no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
