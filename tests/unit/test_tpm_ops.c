/* SPDX-License-Identifier: BSD-3-Clause */
/* Start, retries, errors, extends: tpm.c in front of a TPM that answers what the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/hash.h"
#include "tests/unit/fake_tpm_talk.h"

/* ---- banks ---- */

static void banks_are_those_with_all_dynamic_pcrs(void **state)
{
	static const struct {
		uint16_t id[3];
		uint32_t select[3];
		uint8_t size;
		alg_set banks;
		bool unknown;
	} table[] = {
		{ { 0x0b }, { 0xffffff }, 3, ALG_BIT(ALG_SHA256), false },
		{ { 0x0b }, { 0x7e0000 }, 3, ALG_BIT(ALG_SHA256), false },
		{ { 0x04, 0x0b, 0x0c }, { 0, 0xffffff, 0 }, 3, ALG_BIT(ALG_SHA256), false },
		{ { 0x04, 0x0b, 0x0c }, { 0xffffff, 0xffffff, 0x3e0000 }, 3, ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256), true },
		{ { 0x0b }, { 0x7c0000 }, 3, 0, true },
		{ { 0x0b }, { 0x020000 }, 3, 0, true },
		{ { 0x0b }, { 0x01ffff }, 3, 0, false },
		{ { 0x0b, 0x12 }, { 0xffffff, 0xffffff }, 3, ALG_BIT(ALG_SHA256), true }, /* SM3 */
		{ { 0x0b, 0x12 }, { 0xffffff, 0x00ffff }, 3, ALG_BIT(ALG_SHA256), false },
		{ { 0x0b, 0x27 }, { 0xffffff, 0 }, 3, ALG_BIT(ALG_SHA256), false },
		{ { 0x0b }, { 0xffffff }, 4, ALG_BIT(ALG_SHA256), false },
		{ { 0x0b }, { 0xffff }, 2, 0, false },
		{ { 0 }, { 0 }, 0, 0, false },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < GL_COUNT(table); i++) {
		b->fake.bank_count = 0;
		for (unsigned n = 0; n < 3 && table[i].id[n]; n++)
			talk_add_bank(&b->fake, table[i].id[n], table[i].select[n], table[i].size);
		assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
		if (b->tpm.banks != table[i].banks || b->tpm.unknown_banks != table[i].unknown)
			fail_msg("row %zu: banks %#x, unknown %d", i, b->tpm.banks, b->tpm.unknown_banks);
	}
	b->fake.more = true;
	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	assert_true(b->tpm.unknown_banks);
}

static void doubtful_bank_lists_are_refused(void **state)
{
	struct bench *b = *state;

	talk_add_bank(&b->fake, 0x0b, 0xffffff, 3); /* SHA-256 twice */
	assert_int_equal(talk_init(b), TSS2_SYS_RC_MALFORMED_RESPONSE);
	assert_null(b->tpm.sys);
	b->fake.bank_count--;
	b->fake.banks[0].select_size = 5;
	assert_int_not_equal(talk_init(b), TSS2_RC_SUCCESS);
	b->fake.banks[0].select_size = 3;
	for (unsigned i = b->fake.bank_count; i < 17; i++)
		talk_add_bank(&b->fake, (uint16_t)(0x100 + i), 0, 3);
	assert_int_not_equal(talk_init(b), TSS2_RC_SUCCESS);
	b->fake.bank_count = 16;
	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
}

static void nv_buffer_max_is_bounded(void **state)
{
	static const uint32_t table[][2] = { { 1024, 1024 }, { 768, 768 }, { 1, 1 }, { 2048, 2048 }, { 2049, 2048 }, { 0xffffffff, 2048 },
		{ 0, 512 } };
	struct bench *b = *state;

	for (size_t i = 0; i < GL_COUNT(table); i++) {
		b->fake.nv_max = table[i][0];
		assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
		assert_int_equal(b->tpm.nv_buffer_max, table[i][1]);
	}
}

/* ---- retries and errors ---- */

static void busy_tpm_is_asked_again(void **state)
{
	static const TSS2_RC again[] = { TPM2_RC_RETRY, TPM2_RC_YIELDED, TPM2_RC_TESTING, TPM2_RC_NV_RATE, 0xb0922 };
	static const TSS2_RC never[] = { TPM2_RC_LOCKOUT, TPM2_RC_LOCALITY, TPM2_RC_FAILURE, TPM2_RC_INITIALIZE, TPM2_RC_CANCELED, 0x18b };
	struct bench *b = *state;
	struct digests d;

	hash_span(ALG_SET_ALL, SPAN_LITERAL("x"), &d);
	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(again); i++) {
		b->fake.busy_code = again[i];
		b->fake.busy = 5;
		b->fake.delays = b->fake.commands = 0;
		assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_RC_SUCCESS);
		assert_int_equal(b->fake.delays, 5);
		assert_int_equal(b->fake.commands, 6);
	}
	for (size_t i = 0; i < GL_COUNT(never); i++) {
		b->fake.busy_code = never[i];
		b->fake.busy = 1;
		b->fake.delays = 0;
		assert_int_equal(tpm_extend(&b->tpm, 17, &d), never[i]);
		assert_int_equal(b->fake.delays, 0);
		/* and the next command works */
		assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_RC_SUCCESS);
	}
}

static void busy_for_ever_is_an_error(void **state)
{
	struct bench *b = *state;
	struct digests d;

	hash_span(ALG_SET_ALL, SPAN_LITERAL("x"), &d);
	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	b->fake.busy_code = TPM2_RC_TESTING;
	b->fake.busy = 100000;
	b->fake.commands = 0;
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TPM2_RC_TESTING);
	assert_int_equal(b->fake.commands, 100);
	b->tpm.delay_ms = NULL;
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TPM2_RC_TESTING);
	assert_int_equal(b->fake.commands, 200);
}

/* SYS refuses every command after a failed exchange unless it is started afresh. */
static void transport_errors_leave_the_next_command_unharmed(void **state)
{
	struct bench *b = *state;
	struct digests d;
	struct pcrs p;

	hash_span(ALG_SET_ALL, SPAN_LITERAL("x"), &d);
	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	b->fake.transmit_error = TSS2_TCTI_RC_IO_ERROR;
	b->fake.errors = 1;
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_TCTI_RC_IO_ERROR);
	assert_int_equal(b->fake.cancels, 1);
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_RC_SUCCESS);

	b->fake.transmit_error = 0;
	b->fake.receive_error = TSS2_TCTI_RC_IO_ERROR;
	b->fake.errors = 1;
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_TCTI_RC_IO_ERROR);
	assert_int_equal(b->fake.cancels, 2);
	assert_int_equal(p.banks, 0);
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);

	b->fake.errors = 1;
	assert_int_equal(talk_init(b), TSS2_TCTI_RC_IO_ERROR);
	assert_null(b->tpm.sys);
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_SYS_RC_BAD_VALUE);
	assert_int_equal(tpm_nv_read(&b->tpm, FAKE_INDEX, NULL, 0), TSS2_SYS_RC_BAD_VALUE);
}

static void spoil_tag_12(struct fake *f, uint32_t command)
{
	(void)command;
	talk_begin(&f->out, 0x00c4, (uint32_t)f->spoil_arg);
	talk_end(&f->out);
}

static void tpm_12_is_told_apart(void **state)
{
	static const int codes[] = { 0x1e, 0x26, 0x0a, 0 };
	struct bench *b = *state;

	for (size_t i = 0; i < GL_COUNT(codes); i++) {
		b->fake.spoil = spoil_tag_12;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = codes[i];
		assert_int_equal(talk_init(b), TPM2_RC_BAD_TAG);
	}
}

/* ---- extend ---- */

static void extend_wants_all_active_banks(void **state)
{
	struct bench *b = *state;
	struct digests d;

	hash_span(ALG_SET_ALL & ~ALG_BIT(ALG_SHA384), SPAN_LITERAL("x"), &d);
	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	b->fake.commands = 0;
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_SYS_RC_BAD_VALUE);
	hash_span(ALG_SET_ALL, SPAN_LITERAL("x"), &d);
	assert_int_equal(tpm_extend(&b->tpm, 24, &d), TSS2_SYS_RC_BAD_VALUE);
	b->tpm.banks = 0;
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_SYS_RC_BAD_VALUE);
	assert_int_equal(b->fake.commands, 0);
}

static void spoil_no_session(struct fake *f, uint32_t command)
{
	(void)command;
	talk_begin(&f->out, 0x8001, 0);
	talk_end(&f->out);
}

static void spoil_parameters(struct fake *f, uint32_t command)
{
	(void)command;
	f->out.n = 10;
	talk_put(&f->out, (uint32_t)f->spoil_arg, 4);
	talk_put(&f->out, 0, 8);
	talk_end(&f->out);
}

static void extend_believes_only_a_whole_answer(void **state)
{
	/* clang-format off */
	static const struct {
		void (*spoil)(struct fake *f, uint32_t command);
		int arg;
	} table[] = {
		{ spoil_no_session, 0 }, { talk_spoil_cut, 1 }, { talk_spoil_cut, 5 }, { talk_spoil_cut, 9 },
		{ spoil_parameters, 1 }, { spoil_parameters, 3 }, { spoil_parameters, -1 }, { spoil_parameters, -14 },
	};
	/* clang-format on */
	struct bench *b = *state;
	struct digests d;

	hash_span(ALG_SET_ALL, SPAN_LITERAL("x"), &d);
	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		b->fake.spoil = table[i].spoil;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = table[i].arg;
		if (tpm_extend(&b->tpm, 17, &d) == TSS2_RC_SUCCESS)
			fail_msg("row %zu: success", i);
		assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_RC_SUCCESS);
	}
}

static void done_is_safe_at_any_time(void **state)
{
	struct bench *b = *state;

	tpm_done(&b->tpm);
	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	tpm_done(&b->tpm);
	tpm_done(&b->tpm);
	for (size_t i = 0; i < sizeof(b->tpm.room); i++)
		assert_int_equal(b->tpm.room[i], 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, talk_set_up, talk_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(banks_are_those_with_all_dynamic_pcrs),
		TEST(doubtful_bank_lists_are_refused),
		TEST(nv_buffer_max_is_bounded),
		TEST(busy_tpm_is_asked_again),
		TEST(busy_for_ever_is_an_error),
		TEST(transport_errors_leave_the_next_command_unharmed),
		TEST(tpm_12_is_told_apart),
		TEST(extend_wants_all_active_banks),
		TEST(extend_believes_only_a_whole_answer),
		TEST(done_is_safe_at_any_time),
	};

	/* SYS has a word for every response that it refuses. */
	(void)setenv("TSS2_LOG", "all+none", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
