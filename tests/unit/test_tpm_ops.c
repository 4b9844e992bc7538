/* SPDX-License-Identifier: BSD-3-Clause */
/* tpm.c in front of a TPM that answers what the test wants: retries, errors, and responses that must not be believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/cursor.h"
#include "common/hash.h"
#include "tpm/tpm.h"

#define INDEX 0x01c10110u
#define EVIL_MAX 4096

/* A response under construction. */
struct answer {
	uint8_t b[EVIL_MAX];
	size_t n;
};

static void put(struct answer *a, uint64_t v, unsigned width)
{
	for (unsigned i = width; i-- > 0;)
		a->b[a->n++] = (uint8_t)(v >> 8 * i);
}

static void begin(struct answer *a, uint16_t tag, uint32_t code)
{
	a->n = 0;
	put(a, tag, 2);
	put(a, 0, 4);
	put(a, code, 4);
}

static void end(struct answer *a)
{
	size_t n = a->n;

	a->n = 2;
	put(a, n, 4);
	a->n = n;
}

/*
 * A TPM behind a TCTI: capabilities, PCR_Read and NV answered as the fields say, everything else by `code`.
 */
struct fake {
	TSS2_TCTI_CONTEXT_COMMON_V2 common;
	struct answer out;
	bool waiting;
	unsigned commands, cancels, delays;
	/* errors */
	unsigned busy;                  /* so many commands are answered by `busy_code` first */
	TSS2_RC busy_code;
	TSS2_RC transmit_error, receive_error;
	unsigned errors;                /* how many of these */
	/* content */
	struct {
		uint16_t id;
		uint8_t select[4], select_size;
	} banks[17];
	unsigned bank_count;
	bool more;
	uint32_t nv_max;                /* 0: the property is not there */
	unsigned per_read;              /* digests of one PCR_Read */
	uint32_t counter_step;
	uint32_t counter;
	uint16_t nv_size;
	/* spoils a finished response; false: leave it */
	void (*spoil)(struct fake *f, uint32_t command);
	unsigned spoil_after;
	int spoil_arg;
};

static void answer_capability(struct fake *f, struct rd *r)
{
	struct answer *a = &f->out;
	uint32_t capability = rd_be32(r);

	begin(a, 0x8001, 0);
	put(a, f->more, 1);
	put(a, capability, 4);
	if (capability == TPM2_CAP_PCRS) {
		put(a, f->bank_count, 4);
		for (unsigned i = 0; i < f->bank_count; i++) {
			put(a, f->banks[i].id, 2);
			put(a, f->banks[i].select_size, 1);
			for (unsigned n = 0; n < f->banks[i].select_size; n++)
				put(a, f->banks[i].select[n], 1);
		}
	} else {
		put(a, 1, 4);
		put(a, f->nv_max ? TPM2_PT_NV_BUFFER_MAX : 0x100, 4);
		put(a, f->nv_max, 4);
	}
	end(a);
}

/* The value of a PCR in this TPM. */
static uint8_t pcr_byte(uint16_t id, unsigned pcr)
{
	return (uint8_t)(id * 16 + pcr);
}

static void answer_pcr_read(struct fake *f, struct rd *r)
{
	struct answer *a = &f->out;
	struct answer digests = { .n = 0 };
	uint32_t count = rd_be32(r);
	unsigned done = 0;

	begin(a, 0x8001, 0);
	put(a, f->counter, 4);
	f->counter += f->counter_step;
	put(a, count, 4);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t id = rd_be16(r);
		uint8_t n = rd_u8(r);
		enum alg alg;

		assert_true(alg_by_id(id, &alg));
		put(a, id, 2);
		put(a, n, 1);
		for (unsigned k = 0; k < n; k++) {
			uint8_t wanted = rd_u8(r), got = 0;

			for (unsigned bit = 0; bit < 8; bit++) {
				if (!(wanted >> bit & 1) || done >= f->per_read)
					continue;
				got |= (uint8_t)(1u << bit);
				done++;
				put(&digests, alg_table[alg].size, 2);
				for (unsigned x = 0; x < alg_table[alg].size; x++)
					put(&digests, pcr_byte(id, k * 8 + bit), 1);
			}
			put(a, got, 1);
		}
	}
	put(a, done, 4);
	memcpy(a->b + a->n, digests.b, digests.n);
	a->n += digests.n;
	end(a);
}

static void answer_nv_public(struct fake *f)
{
	struct answer *a = &f->out;

	begin(a, 0x8001, 0);
	put(a, 14, 2);
	put(a, INDEX, 4);
	put(a, TPM2_ALG_SHA256, 2);
	put(a, TPMA_NV_AUTHREAD, 4);
	put(a, 0, 2);
	put(a, f->nv_size, 2);
	put(a, 34, 2);
	put(a, TPM2_ALG_SHA256, 2);
	for (unsigned i = 0; i < 32; i++)
		put(a, i, 1);
	end(a);
}

static void with_session(struct answer *a)
{
	put(a, 0, 2);
	put(a, 1, 1);
	put(a, 0, 2);
	end(a);
}

static void answer_nv_read(struct fake *f, struct rd *r)
{
	struct answer *a = &f->out;
	uint16_t size, offset;

	(void)rd_bytes(r, 8 + 4 + 9);
	size = rd_be16(r);
	offset = rd_be16(r);
	assert_true(rd_done(r));
	assert_true(size + offset <= f->nv_size);
	begin(a, 0x8002, 0);
	put(a, 2u + size, 4);
	put(a, size, 2);
	for (unsigned i = 0; i < size; i++)
		put(a, (offset + i) * 3u, 1);
	with_session(a);
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *c, size_t n, const uint8_t *command)
{
	struct fake *f = (struct fake *)c;
	struct rd r = rd_init((struct span){ command, n });
	uint32_t code;

	if (f->waiting)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	f->commands++;
	if (f->transmit_error && f->errors > 0) {
		f->errors--;
		return f->transmit_error;
	}
	(void)rd_be16(&r);
	assert_int_equal(rd_be32(&r), n);
	code = rd_be32(&r);
	f->waiting = true;
	if (f->busy > 0) {
		f->busy--;
		begin(&f->out, 0x8001, f->busy_code);
		end(&f->out);
		return TSS2_RC_SUCCESS;
	}
	switch (code) {
	case TPM2_CC_GetCapability:
		answer_capability(f, &r);
		break;
	case TPM2_CC_PCR_Read:
		answer_pcr_read(f, &r);
		break;
	case TPM2_CC_NV_ReadPublic:
		answer_nv_public(f);
		break;
	case TPM2_CC_NV_Read:
		answer_nv_read(f, &r);
		break;
	case TPM2_CC_PCR_Extend:
		begin(&f->out, 0x8002, 0);
		put(&f->out, 0, 4);
		with_session(&f->out);
		break;
	default:
		fail_msg("unexpected command %#x", code);
	}
	if (f->spoil && f->spoil_after-- == 0)
		f->spoil(f, code);
	return TSS2_RC_SUCCESS;
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *c, size_t *n, uint8_t *response, int32_t timeout)
{
	struct fake *f = (struct fake *)c;

	(void)timeout;
	if (!f->waiting)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	if (f->receive_error && f->errors > 0) {
		f->errors--;
		return f->receive_error;
	}
	if (response) {
		assert_true(*n >= f->out.n);
		memcpy(response, f->out.b, f->out.n);
		f->waiting = false;
	}
	*n = f->out.n;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC cancel(TSS2_TCTI_CONTEXT *c)
{
	struct fake *f = (struct fake *)c;

	f->cancels++;
	f->waiting = false;
	return TSS2_RC_SUCCESS;
}

static void delay_ms(void *ctx, unsigned ms)
{
	struct fake *f = ctx;

	assert_int_equal(ms, 20);
	f->delays++;
}

struct bench {
	struct fake fake;
	struct tpm tpm;
};

static TSS2_RC init(struct bench *b)
{
	b->tpm.delay_ms = delay_ms;
	b->tpm.delay_ctx = &b->fake;
	return tpm_init(&b->tpm, (TSS2_TCTI_CONTEXT *)&b->fake);
}

static void add_bank(struct fake *f, uint16_t id, uint32_t select, uint8_t select_size)
{
	f->banks[f->bank_count].id = id;
	f->banks[f->bank_count].select_size = select_size;
	for (unsigned i = 0; i < 4; i++)
		f->banks[f->bank_count].select[i] = (uint8_t)(select >> 8 * i);
	f->bank_count++;
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	*state = b;
	b->fake.common.v1.magic = 1;
	b->fake.common.v1.version = 2;
	b->fake.common.v1.transmit = transmit;
	b->fake.common.v1.receive = receive;
	b->fake.common.v1.cancel = cancel;
	b->fake.nv_max = 1024;
	b->fake.per_read = 8;
	b->fake.nv_size = 64;
	for (enum alg a = 0; a < ALG_COUNT; a++)
		add_bank(&b->fake, alg_table[a].tpm_id, 0xffffff, 3);
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	tpm_done(&b->tpm);
	free(b);
	return 0;
}

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
		{ { 0x0b, 0x12 }, { 0xffffff, 0xffffff }, 3, ALG_BIT(ALG_SHA256), true },       /* SM3 */
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
			add_bank(&b->fake, table[i].id[n], table[i].select[n], table[i].size);
		assert_int_equal(init(b), TSS2_RC_SUCCESS);
		if (b->tpm.banks != table[i].banks || b->tpm.unknown_banks != table[i].unknown)
			fail_msg("row %zu: banks %#x, unknown %d", i, b->tpm.banks, b->tpm.unknown_banks);
	}
	b->fake.more = true;
	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	assert_true(b->tpm.unknown_banks);
}

static void doubtful_bank_lists_are_refused(void **state)
{
	struct bench *b = *state;

	add_bank(&b->fake, 0x0b, 0xffffff, 3);  /* SHA-256 twice */
	assert_int_equal(init(b), TSS2_SYS_RC_MALFORMED_RESPONSE);
	assert_null(b->tpm.sys);
	b->fake.bank_count--;
	b->fake.banks[0].select_size = 5;
	assert_int_not_equal(init(b), TSS2_RC_SUCCESS);
	b->fake.banks[0].select_size = 3;
	for (unsigned i = b->fake.bank_count; i < 17; i++)
		add_bank(&b->fake, (uint16_t)(0x100 + i), 0, 3);
	assert_int_not_equal(init(b), TSS2_RC_SUCCESS);
	b->fake.bank_count = 16;
	assert_int_equal(init(b), TSS2_RC_SUCCESS);
}

static void nv_buffer_max_is_bounded(void **state)
{
	static const uint32_t table[][2] = { { 1024, 1024 }, { 768, 768 }, { 1, 1 }, { 2048, 2048 }, { 2049, 2048 }, { 0xffffffff, 2048 }, { 0, 512 } };
	struct bench *b = *state;

	for (size_t i = 0; i < GL_COUNT(table); i++) {
		b->fake.nv_max = table[i][0];
		assert_int_equal(init(b), TSS2_RC_SUCCESS);
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
	assert_int_equal(init(b), TSS2_RC_SUCCESS);
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
	assert_int_equal(init(b), TSS2_RC_SUCCESS);
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
	assert_int_equal(init(b), TSS2_RC_SUCCESS);
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
	assert_int_equal(init(b), TSS2_TCTI_RC_IO_ERROR);
	assert_null(b->tpm.sys);
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_SYS_RC_BAD_VALUE);
	assert_int_equal(tpm_nv_read(&b->tpm, INDEX, NULL, 0), TSS2_SYS_RC_BAD_VALUE);
}

static void spoil_tag_12(struct fake *f, uint32_t command)
{
	(void)command;
	begin(&f->out, 0x00c4, (uint32_t)f->spoil_arg);
	end(&f->out);
}

static void tpm_12_is_told_apart(void **state)
{
	static const int codes[] = { 0x1e, 0x26, 0x0a, 0 };
	struct bench *b = *state;

	for (size_t i = 0; i < GL_COUNT(codes); i++) {
		b->fake.spoil = spoil_tag_12;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = codes[i];
		assert_int_equal(init(b), TPM2_RC_BAD_TAG);
	}
}

/* ---- extend ---- */

static void extend_wants_all_active_banks(void **state)
{
	struct bench *b = *state;
	struct digests d;

	hash_span(ALG_SET_ALL & ~ALG_BIT(ALG_SHA384), SPAN_LITERAL("x"), &d);
	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	b->fake.commands = 0;
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_SYS_RC_BAD_VALUE);
	hash_span(ALG_SET_ALL, SPAN_LITERAL("x"), &d);
	assert_int_equal(tpm_extend(&b->tpm, 24, &d), TSS2_SYS_RC_BAD_VALUE);
	b->tpm.banks = 0;
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_SYS_RC_BAD_VALUE);
	assert_int_equal(b->fake.commands, 0);
}

static void spoil_cut(struct fake *f, uint32_t command)
{
	(void)command;
	f->out.n -= (size_t)f->spoil_arg;
	end(&f->out);
}

static void spoil_longer(struct fake *f, uint32_t command)
{
	(void)command;
	memset(f->out.b + f->out.n, 0, (size_t)f->spoil_arg);
	f->out.n += (size_t)f->spoil_arg;
	end(&f->out);
}

static void spoil_no_session(struct fake *f, uint32_t command)
{
	(void)command;
	begin(&f->out, 0x8001, 0);
	end(&f->out);
}

static void spoil_parameters(struct fake *f, uint32_t command)
{
	(void)command;
	f->out.n = 10;
	put(&f->out, (uint32_t)f->spoil_arg, 4);
	put(&f->out, 0, 8);
	end(&f->out);
}

static void extend_believes_only_a_whole_answer(void **state)
{
	static const struct {
		void (*spoil)(struct fake *f, uint32_t command);
		int arg;
	} table[] = {
		{ spoil_no_session, 0 }, { spoil_cut, 1 }, { spoil_cut, 5 }, { spoil_cut, 9 },
		{ spoil_parameters, 1 }, { spoil_parameters, 3 }, { spoil_parameters, -1 }, { spoil_parameters, -14 },
	};
	struct bench *b = *state;
	struct digests d;

	hash_span(ALG_SET_ALL, SPAN_LITERAL("x"), &d);
	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		b->fake.spoil = table[i].spoil;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = table[i].arg;
		if (tpm_extend(&b->tpm, 17, &d) == TSS2_RC_SUCCESS)
			fail_msg("row %zu: success", i);
		assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_RC_SUCCESS);
	}
}

/* ---- PCR_Read ---- */

static void check_pcrs(const struct pcrs *p, unsigned first, unsigned last)
{
	assert_int_equal(p->banks, ALG_SET_ALL);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		for (unsigned i = 0; i < PCR_COUNT; i++) {
			assert_int_equal(pcr_known(p, a, i), i >= first && i <= last);
			if (i >= first && i <= last)
				assert_true(pcr_is_all(p, a, i, pcr_byte(alg_table[a].tpm_id, i)));
		}
	}
}

static void pcrs_come_in_any_pieces(void **state)
{
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	for (unsigned n = 1; n <= 8; n++) {
		b->fake.per_read = n;
		assert_int_equal(tpm_read_pcrs(&b->tpm, 0, 23, &p), TSS2_RC_SUCCESS);
		check_pcrs(&p, 0, 23);
		assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);
		check_pcrs(&p, 17, 22);
		assert_int_equal(tpm_read_pcrs(&b->tpm, 8, 8, &p), TSS2_RC_SUCCESS);
		check_pcrs(&p, 8, 8);
	}
	b->fake.commands = 0;
	b->fake.per_read = 8;
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);
	assert_int_equal(b->fake.commands, 3);
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 24, &p), TSS2_SYS_RC_BAD_VALUE);
	assert_int_equal(tpm_read_pcrs(&b->tpm, 18, 17, &p), TSS2_SYS_RC_BAD_VALUE);
}

/* Nothing at all comes: no endless loop. */
static void no_progress_is_an_error(void **state)
{
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	b->fake.per_read = 0;
	memset(&p, 0xff, sizeof(p));
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_SYS_RC_MALFORMED_RESPONSE);
	assert_int_equal(p.banks, 0);
	assert_int_equal(p.known[ALG_SHA256], 0);
}

/* PCRs that change between the pieces: read again, a few times, then taken as they are. */
static void changing_counter_restarts_a_few_times(void **state)
{
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	b->fake.commands = 0;
	b->fake.counter_step = 1;
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);
	check_pcrs(&p, 17, 22);
	assert_int_equal(b->fake.commands, 4 * 3);
	/* one piece: nothing to be inconsistent with */
	b->fake.commands = 0;
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 18, &p), TSS2_RC_SUCCESS);
	assert_int_equal(b->fake.commands, 1);
}

/*
 * The first response to PCR_Read of 17-22 in four banks: header 10, counter 4, count 4, then per bank id 2, size 1, select 3; the
 * number of digests at 42, the digests (SHA-1: 2 + 20 each) from 46.
 */
static void spoil_byte(struct fake *f, uint32_t command)
{
	assert_int_equal(command, TPM2_CC_PCR_Read);
	f->out.b[f->spoil_arg >> 8] ^= (uint8_t)f->spoil_arg;
}

static void wrong_pcr_answers_are_refused(void **state)
{
	static const struct {
		unsigned at;
		uint8_t flip;
		const char *what;
	} table[] = {
		{ 0, 0x01, "tag" },
		{ 17, 0x01, "fewer banks" }, { 17, 0x10, "more banks" }, { 14, 0x80, "very many banks" },
		{ 19, 0x0f, "another bank first: the same twice" }, { 19, 0x16, "a bank not asked for" }, { 18, 0x40, "unknown bank" },
		{ 20, 0x01, "select size 2" }, { 20, 0x80, "select size 131" },
		{ 21, 0x01, "PCR 0" }, { 22, 0x01, "PCR 8" }, { 23, 0x01, "PCR 16" }, { 23, 0x80, "PCR 23" }, { 23, 0x02, "without 17" },
		{ 29, 0x08, "another in SHA-256" },
		{ 45, 0x01, "a digest more" }, { 45, 0x0f, "a digest less" }, { 42, 0x80, "very many digests" },
		{ 47, 0x01, "size 21" }, { 47, 0x10, "size 4" }, { 46, 0x80, "size 32788" },
	};
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		b->fake.spoil = spoil_byte;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = (int)(table[i].at << 8 | table[i].flip);
		if (tpm_read_pcrs(&b->tpm, 17, 22, &p) == TSS2_RC_SUCCESS)
			fail_msg("%s: success", table[i].what);
		assert_int_equal(p.banks, 0);
		for (enum alg a = 0; a < ALG_COUNT; a++)
			assert_int_equal(p.known[a], 0);
		assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);
		check_pcrs(&p, 17, 22);
	}
}

/* SYS reads on behind the end of a short response, where the last one still lies. */
static void short_pcr_answers_are_refused(void **state)
{
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	for (int n = 1; n < 200; n++) {
		b->fake.spoil = n & 1 ? spoil_cut : spoil_longer;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = n / 2 + 1;
		if (tpm_read_pcrs(&b->tpm, 17, 22, &p) == TSS2_RC_SUCCESS)
			fail_msg("%d bytes %s: success", b->fake.spoil_arg, n & 1 ? "less" : "more");
	}
}

/* ---- NV ---- */

static void nv_public_is_read(void **state)
{
	struct bench *b = *state;
	struct tpm_nv_public p;

	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	assert_int_equal(tpm_nv_public(&b->tpm, INDEX, &p), TSS2_RC_SUCCESS);
	assert_int_equal(p.size, 64);
	assert_int_equal(p.attributes, TPMA_NV_AUTHREAD);
	assert_int_equal(p.name_alg, TPM2_ALG_SHA256);
	assert_int_equal(p.policy_size, 0);
	/* the answer is about another index */
	memset(&p, 0xee, sizeof(p));
	assert_int_equal(tpm_nv_public(&b->tpm, INDEX + 1, &p), TSS2_SYS_RC_MALFORMED_RESPONSE);
	assert_int_equal(p.size, 0xeeee);
	for (int n = 1; n < 62; n++) {
		b->fake.spoil = n & 1 ? spoil_cut : spoil_longer;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = n / 2 + 1;
		assert_int_not_equal(tpm_nv_public(&b->tpm, INDEX, &p), TSS2_RC_SUCCESS);
	}
}

static void nv_is_read_in_pieces(void **state)
{
	static const uint16_t sizes[] = { 0, 1, 64, 1023, 1024, 1025, 3000 };
	struct bench *b = *state;
	uint8_t buf[3001];

	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(sizes); i++) {
		b->fake.nv_size = sizes[i];
		b->fake.commands = 0;
		memset(buf, 0xee, sizeof(buf));
		assert_int_equal(tpm_nv_read(&b->tpm, INDEX, buf, sizes[i]), TSS2_RC_SUCCESS);
		assert_int_equal(b->fake.commands, sizes[i] == 0 ? 1 : (sizes[i] + 1023) / 1024);
		for (unsigned n = 0; n < sizes[i]; n++)
			assert_int_equal(buf[n], (uint8_t)(n * 3));
		assert_int_equal(buf[sizes[i]], 0xee);
	}
	assert_int_equal(tpm_nv_read(&b->tpm, INDEX, buf, 65536), TSS2_SYS_RC_BAD_VALUE);
}

/* The size of the piece at 14 of the response. */
static void spoil_nv_size(struct fake *f, uint32_t command)
{
	assert_int_equal(command, TPM2_CC_NV_Read);
	f->out.b[14] = (uint8_t)(f->spoil_arg >> 8);
	f->out.b[15] = (uint8_t)f->spoil_arg;
}

static void wrong_nv_pieces_are_refused(void **state)
{
	static const int sizes[] = { 0, 1, 63, 65, 1024, 2048, 2049, 65535 };
	struct bench *b = *state;
	uint8_t buf[3000];

	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(sizes); i++) {
		b->fake.spoil = spoil_nv_size;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = sizes[i];
		memset(buf, 0xee, sizeof(buf));
		assert_int_not_equal(tpm_nv_read(&b->tpm, INDEX, buf, 64), TSS2_RC_SUCCESS);
		assert_int_equal(buf[0], 0);
		assert_int_equal(buf[63], 0);
		assert_int_equal(buf[64], 0xee);
		assert_int_equal(tpm_nv_read(&b->tpm, INDEX, buf, 64), TSS2_RC_SUCCESS);
	}

	/* the third piece of three */
	b->fake.nv_size = 3000;
	b->fake.spoil_after = 2;
	b->fake.spoil_arg = 10;
	assert_int_not_equal(tpm_nv_read(&b->tpm, INDEX, buf, 3000), TSS2_RC_SUCCESS);
	for (unsigned n = 0; n < 3000; n++)
		assert_int_equal(buf[n], 0);

	b->fake.nv_size = 64;
	for (int n = 1; n < 80; n++) {
		b->fake.spoil = spoil_cut;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = n;
		assert_int_not_equal(tpm_nv_read(&b->tpm, INDEX, buf, 64), TSS2_RC_SUCCESS);
	}
}

static void done_is_safe_at_any_time(void **state)
{
	struct bench *b = *state;

	tpm_done(&b->tpm);
	assert_int_equal(init(b), TSS2_RC_SUCCESS);
	tpm_done(&b->tpm);
	tpm_done(&b->tpm);
	for (size_t i = 0; i < sizeof(b->tpm.room); i++)
		assert_int_equal(b->tpm.room[i], 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
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
		TEST(pcrs_come_in_any_pieces),
		TEST(no_progress_is_an_error),
		TEST(changing_counter_restarts_a_few_times),
		TEST(wrong_pcr_answers_are_refused),
		TEST(short_pcr_answers_are_refused),
		TEST(nv_public_is_read),
		TEST(nv_is_read_in_pieces),
		TEST(wrong_nv_pieces_are_refused),
		TEST(done_is_safe_at_any_time),
	};

	/* SYS has a word for every response that it refuses. */
	(void)setenv("TSS2_LOG", "all+none", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
