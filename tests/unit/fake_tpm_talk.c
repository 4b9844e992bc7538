/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/fake_tpm_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/cursor.h"

void talk_put(struct answer *a, uint64_t v, unsigned width)
{
	for (unsigned i = width; i-- > 0;)
		a->b[a->n++] = (uint8_t)(v >> 8 * i);
}

void talk_begin(struct answer *a, uint16_t tag, uint32_t code)
{
	a->n = 0;
	talk_put(a, tag, 2);
	talk_put(a, 0, 4);
	talk_put(a, code, 4);
}

void talk_end(struct answer *a)
{
	size_t n = a->n;

	a->n = 2;
	talk_put(a, n, 4);
	a->n = n;
}

static void answer_capability(struct fake *f, struct rd *r)
{
	struct answer *a = &f->out;
	uint32_t capability = rd_be32(r);

	talk_begin(a, 0x8001, 0);
	talk_put(a, f->more, 1);
	talk_put(a, capability, 4);
	if (capability == TPM2_CAP_PCRS) {
		talk_put(a, f->bank_count, 4);
		for (unsigned i = 0; i < f->bank_count; i++) {
			talk_put(a, f->banks[i].id, 2);
			talk_put(a, f->banks[i].select_size, 1);
			for (unsigned n = 0; n < f->banks[i].select_size; n++)
				talk_put(a, f->banks[i].select[n], 1);
		}
	} else {
		talk_put(a, 1, 4);
		talk_put(a, f->nv_max ? TPM2_PT_NV_BUFFER_MAX : 0x100, 4);
		talk_put(a, f->nv_max, 4);
	}
	talk_end(a);
}

/* The value of a PCR in this TPM. */
uint8_t talk_pcr_byte(uint16_t id, unsigned pcr)
{
	return (uint8_t)(id * 16 + pcr);
}

static void answer_pcr_read(struct fake *f, struct rd *r)
{
	struct answer *a = &f->out;
	struct answer digests = { .n = 0 };
	uint32_t count = rd_be32(r);
	unsigned done = 0;

	talk_begin(a, 0x8001, 0);
	talk_put(a, f->counter, 4);
	f->counter += f->counter_step;
	talk_put(a, count, 4);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t id = rd_be16(r);
		uint8_t n = rd_u8(r);
		enum alg alg;

		assert_true(alg_by_id(id, &alg));
		talk_put(a, id, 2);
		talk_put(a, n, 1);
		for (unsigned k = 0; k < n; k++) {
			uint8_t wanted = rd_u8(r), got = 0;

			for (unsigned bit = 0; bit < 8; bit++) {
				if (!(wanted >> bit & 1) || done >= f->per_read)
					continue;
				got |= (uint8_t)(1u << bit);
				done++;
				talk_put(&digests, alg_table[alg].size, 2);
				for (unsigned x = 0; x < alg_table[alg].size; x++)
					talk_put(&digests, (uint8_t)(talk_pcr_byte(id, k * 8 + bit) + (f->drift ? f->counter : 0)), 1);
			}
			talk_put(a, got, 1);
		}
	}
	talk_put(a, done, 4);
	memcpy(a->b + a->n, digests.b, digests.n);
	a->n += digests.n;
	talk_end(a);
}

static void answer_nv_public(struct fake *f)
{
	struct answer *a = &f->out;

	talk_begin(a, 0x8001, 0);
	talk_put(a, 14, 2);
	talk_put(a, FAKE_INDEX, 4);
	talk_put(a, TPM2_ALG_SHA256, 2);
	talk_put(a, TPMA_NV_AUTHREAD, 4);
	talk_put(a, 0, 2);
	talk_put(a, f->nv_size, 2);
	talk_put(a, 34, 2);
	talk_put(a, TPM2_ALG_SHA256, 2);
	for (unsigned i = 0; i < 32; i++)
		talk_put(a, i, 1);
	talk_end(a);
}

static void with_session(struct answer *a)
{
	talk_put(a, 0, 2);
	talk_put(a, 1, 1);
	talk_put(a, 0, 2);
	talk_end(a);
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
	talk_begin(a, 0x8002, 0);
	talk_put(a, 2u + size, 4);
	talk_put(a, size, 2);
	for (unsigned i = 0; i < size; i++)
		talk_put(a, (offset + i) * 3u, 1);
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
		talk_begin(&f->out, 0x8001, f->busy_code);
		talk_end(&f->out);
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
		talk_begin(&f->out, 0x8002, 0);
		talk_put(&f->out, 0, 4);
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

TSS2_RC talk_init(struct bench *b)
{
	b->tpm.delay_ms = delay_ms;
	b->tpm.delay_ctx = &b->fake;
	return tpm_init(&b->tpm, (TSS2_TCTI_CONTEXT *)&b->fake);
}

void talk_add_bank(struct fake *f, uint16_t id, uint32_t select, uint8_t select_size)
{
	f->banks[f->bank_count].id = id;
	f->banks[f->bank_count].select_size = select_size;
	for (unsigned i = 0; i < 4; i++)
		f->banks[f->bank_count].select[i] = (uint8_t)(select >> 8 * i);
	f->bank_count++;
}

int talk_set_up(void **state)
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
		talk_add_bank(&b->fake, alg_table[a].tpm_id, 0xffffff, 3);
	return 0;
}

int talk_tear_down(void **state)
{
	struct bench *b = *state;

	tpm_done(&b->tpm);
	free(b);
	return 0;
}

void talk_spoil_cut(struct fake *f, uint32_t command)
{
	(void)command;
	f->out.n -= (size_t)f->spoil_arg;
	talk_end(&f->out);
}

void talk_spoil_longer(struct fake *f, uint32_t command)
{
	(void)command;
	memset(f->out.b + f->out.n, 0, (size_t)f->spoil_arg);
	f->out.n += (size_t)f->spoil_arg;
	talk_end(&f->out);
}
