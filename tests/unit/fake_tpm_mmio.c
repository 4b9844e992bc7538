/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/fake_tpm_mmio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/cursor.h"
#include "tpm/mmio_regs.h"

#define CRB_SIZE (TPM_MMIO_LOCALITY_SIZE - CRB_DATA)

static void tick(struct fake_tpm *f, uint64_t us)
{
	f->now_us += us;
	f->accesses++;
	if (f->now_us > f->limit_us)
		fail_msg("the driver hangs: %llu us, %llu accesses", (unsigned long long)f->now_us, (unsigned long long)f->accesses);
}

static void delay_us(void *ctx, unsigned us)
{
	tick(ctx, us);
}

/* ---- localities ---- */

static void grant(struct fake_tpm *f, unsigned l)
{
	f->pending &= ~(1u << l);
	f->active = (int)l;
}

static void request(struct fake_tpm *f, unsigned l)
{
	if (f->active == (int)l)
		return;
	if (f->active < 0 && !f->never_grant)
		grant(f, l);
	else
		f->pending |= 1u << l;
}

static void relinquish(struct fake_tpm *f, unsigned l)
{
	f->pending &= ~(1u << l);
	if (f->active != (int)l)
		return;
	f->active = -1;
	f->state = FAKE_IDLE;
	for (unsigned n = FAKE_LOCALITIES; n-- > 0 && f->active < 0;)
		if (f->pending >> n & 1)
			grant(f, n);
}

static void seize(struct fake_tpm *f, unsigned l)
{
	if (f->active < 0 || (int)l > f->active) {
		if (f->active >= 0)
			f->seized |= 1u << f->active;
		f->state = FAKE_IDLE;
		grant(f, l);
	}
}

/* ---- commands ---- */

static size_t header_size(const uint8_t *p, size_t n)
{
	struct rd r = rd_init((struct span){ p, n });

	(void)rd_be16(&r);
	return rd_be32(&r);
}

static void run_command(struct fake_tpm *f)
{
	uint8_t out[sizeof(f->response)];
	size_t n = f->execute(
		f->execute_ctx, (uint8_t)f->active, (struct span){ f->command, f->command_n }, (struct mspan){ out, sizeof(out) });

	f->executed++;
	f->last_locality = f->active;
	if (n == FAKE_NO_RESPONSE) {
		f->done_at = UINT64_MAX;
		return;
	}
	assert_true(n <= sizeof(out));
	memcpy(f->response, out, n);
	f->response_n = n;
	f->response_off = 0;
	f->state = FAKE_COMPLETION;
}

/* Lets a command finish whose time has come. */
static void settle(struct fake_tpm *f)
{
	if (f->state == FAKE_EXECUTION && f->now_us >= f->done_at)
		run_command(f);
}

static void start(struct fake_tpm *f)
{
	f->state = FAKE_EXECUTION;
	f->done_at = f->now_us + f->busy_us;
}

static void cancel_command(struct fake_tpm *f)
{
	static const uint8_t cancelled[] = { 0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x09, 0x09 };

	if (f->stuck)
		return;
	f->cancelled++;
	memcpy(f->response, cancelled, sizeof(cancelled));
	f->response_n = sizeof(cancelled);
	f->response_off = 0;
	f->state = FAKE_COMPLETION;
}

/* ---- TIS ---- */

static bool wants_more(const struct fake_tpm *f)
{
	return f->command_n < TPM_HEADER_SIZE || f->command_n < header_size(f->command, f->command_n);
}

static uint32_t tis_status(struct fake_tpm *f)
{
	uint32_t v = TIS_STS_VALID | f->burst << 8 | (f->tpm12 ? 0 : 1u << 26);

	settle(f);
	switch (f->state) {
	case FAKE_IDLE:
		return v & ~0xffff00u;
	case FAKE_READY:
		return v | TIS_STS_READY;
	case FAKE_RECEPTION:
		return v | (wants_more(f) ? TIS_STS_EXPECT : 0);
	case FAKE_EXECUTION:
		return v & ~(0xffff00u | TIS_STS_VALID);
	case FAKE_COMPLETION:
		return v | (f->response_off < f->response_n ? TIS_STS_DATA_AVAIL : 0);
	}
	return 0;
}

static void tis_ready(struct fake_tpm *f)
{
	if (f->state == FAKE_EXECUTION && f->stuck)
		return;
	if (f->state == FAKE_EXECUTION)
		f->cancelled++;
	f->state = f->lazy_ready && f->state > FAKE_READY ? FAKE_IDLE : FAKE_READY;
	f->command_n = 0;
	f->response_n = f->response_off = 0;
}

static uint32_t tis_read(struct fake_tpm *f, unsigned l, uint32_t r)
{
	bool active = f->active == (int)l;

	switch (r) {
	case TIS_ACCESS:
		return TIS_ACCESS_VALID | TIS_ACCESS_ESTABLISHMENT | (active ? TIS_ACCESS_ACTIVE : 0) |
		       (f->seized >> l & 1 ? TIS_ACCESS_SEIZED : 0) | (f->pending & ~(1u << l) ? TIS_ACCESS_PENDING : 0) |
		       (f->pending >> l & 1 ? TIS_ACCESS_REQUEST : 0);
	case TIS_INTF_CAPABILITY:
		return f->tpm12 ? 0x20000697 : 0x30000697;
	case TPM_INTERFACE_ID:
		return f->tpm12 ? 0xffffffff : 0x00002100;
	case TIS_DID_VID:
		return 0x00011014;
	case TIS_STS:
		return active ? tis_status(f) : 0xffffffff;
	case TIS_DATA_FIFO:
		settle(f);
		if (!active || f->state != FAKE_COMPLETION || f->response_off >= f->response_n)
			return 0xff;
		return f->response[f->response_off++];
	default:
		return 0xffffffff;
	}
}

static void tis_write(struct fake_tpm *f, unsigned l, uint32_t r, uint32_t v)
{
	settle(f);
	if (r == TIS_ACCESS) {
		if (v & TIS_ACCESS_ACTIVE)
			relinquish(f, l);
		if (v & TIS_ACCESS_SEIZED)
			f->seized &= ~(1u << l);
		if (v & TIS_ACCESS_SEIZE)
			seize(f, l);
		if (v & TIS_ACCESS_REQUEST)
			request(f, l);
		return;
	}
	if (f->active != (int)l)
		return;
	if (r == TIS_STS && v & TIS_STS_READY)
		tis_ready(f);
	if (r == TIS_STS && v & TIS_STS_GO && f->state == FAKE_RECEPTION && !wants_more(f))
		start(f);
	if (r == TIS_DATA_FIFO && (f->state == FAKE_READY || f->state == FAKE_RECEPTION)) {
		f->state = FAKE_RECEPTION;
		if (wants_more(f) && f->command_n < sizeof(f->command))
			f->command[f->command_n++] = (uint8_t)v;
	}
}

/* ---- CRB ---- */

static uint32_t crb_address(const struct fake_tpm *f, unsigned l, unsigned which)
{
	if (f->buffer_address[which])
		return f->buffer_address[which];
	return TPM_MMIO_BASE + l * TPM_MMIO_LOCALITY_SIZE + CRB_DATA;
}

static uint32_t crb_read(struct fake_tpm *f, unsigned l, uint32_t r)
{
	bool active = f->active == (int)l;

	settle(f);
	switch (r) {
	case CRB_LOC_STATE:
		return CRB_LOC_STATE_VALID | (f->active >= 0 ? CRB_LOC_STATE_ASSIGNED | (uint32_t)f->active << 2 : 0);
	case CRB_LOC_STS:
		return (active ? CRB_LOC_STS_GRANTED : 0) | (f->seized >> l & 1) << 1;
	case TPM_INTERFACE_ID:
		return 0x00006011;
	case CRB_INTERFACE_ID_HIGH:
		return 0x00011014;
	case CRB_CTRL_STS:
		return f->state == FAKE_IDLE ? CRB_CTRL_STS_IDLE : 0;
	case CRB_CTRL_CANCEL:
		return f->crb_cancel;
	case CRB_CTRL_START:
		return f->state == FAKE_EXECUTION;
	case CRB_CTRL_CMD_SIZE:
		return f->buffer_size[0];
	case CRB_CTRL_CMD_LADDR:
		return crb_address(f, l, 0);
	case CRB_CTRL_RSP_SIZE:
		return f->buffer_size[1];
	case CRB_CTRL_RSP_LADDR:
		return crb_address(f, l, 1);
	default:
		return 0;
	}
}

static void crb_write(struct fake_tpm *f, unsigned l, uint32_t r, uint32_t v)
{
	settle(f);
	if (r == CRB_LOC_CTRL) {
		if (v & CRB_LOC_CTRL_RELINQUISH)
			relinquish(f, l);
		if (v & CRB_LOC_CTRL_REQUEST)
			request(f, l);
		return;
	}
	if (f->active != (int)l)
		return;
	if (r == CRB_CTRL_REQ && v & CRB_CTRL_REQ_READY && f->state != FAKE_EXECUTION)
		f->state = FAKE_READY;
	if (r == CRB_CTRL_REQ && v & CRB_CTRL_REQ_IDLE && f->state != FAKE_EXECUTION)
		f->state = FAKE_IDLE;
	if (r == CRB_CTRL_CANCEL) {
		f->crb_cancel = v;
		if (v == 1 && f->state == FAKE_EXECUTION)
			cancel_command(f);
	}
	if (r == CRB_CTRL_START && v == 1 && (f->state == FAKE_READY || f->state == FAKE_RECEPTION)) {
		f->command_n = header_size(f->response, TPM_HEADER_SIZE);
		assert_true(f->command_n <= CRB_SIZE);
		memcpy(f->command, f->response, f->command_n);
		start(f);
	}
}

/* ---- both ---- */

static uint32_t device_read(struct fake_tpm *f, uint32_t offset, bool byte)
{
	unsigned l = offset / TPM_MMIO_LOCALITY_SIZE;
	uint32_t r = offset % TPM_MMIO_LOCALITY_SIZE;
	uint32_t v;

	assert_true(l < FAKE_LOCALITIES);
	tick(f, 1);
	if (f->gate[l] != FAKE_OPEN)
		v = f->gate[l] == FAKE_ONES ? 0xffffffff : 0;
	else if (f->kind == FAKE_TIS)
		v = tis_read(f, l, r);
	else if (r >= CRB_DATA && byte)
		v = f->active == (int)l ? f->response[r - CRB_DATA] : 0xff;
	else
		v = crb_read(f, l, r);
	if (f->mangle)
		v = f->mangle(f, offset, v);
	return v;
}

static void device_write(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	unsigned l = offset / TPM_MMIO_LOCALITY_SIZE;
	uint32_t r = offset % TPM_MMIO_LOCALITY_SIZE;

	assert_true(l < FAKE_LOCALITIES);
	tick(f, 1);
	if (f->gate[l] != FAKE_OPEN || (f->swallow && f->swallow(f, offset, v)))
		return;
	if (f->kind == FAKE_TIS) {
		tis_write(f, l, r, v);
	} else if (r >= CRB_DATA) {
		if (f->active == (int)l && f->state == FAKE_READY)
			f->response[r - CRB_DATA] = (uint8_t)v;
	} else {
		crb_write(f, l, r, v);
	}
}

static uint8_t read8(void *ctx, uint32_t offset)
{
	return (uint8_t)device_read(ctx, offset, true);
}

static uint32_t read32(void *ctx, uint32_t offset)
{
	return device_read(ctx, offset, false);
}

static void write8(void *ctx, uint32_t offset, uint8_t v)
{
	device_write(ctx, offset, v);
}

static void write32(void *ctx, uint32_t offset, uint32_t v)
{
	device_write(ctx, offset, v);
}

void fake_tpm_init(struct fake_tpm *f, enum fake_kind kind, fake_execute execute, void *ctx)
{
	memset(f, 0, sizeof(*f));
	f->mmio = (struct tpm_mmio){ read8, read32, write8, write32, delay_us, f, NULL };
	f->kind = kind;
	f->limit_us = 600 * UINT64_C(1000000);
	f->execute = execute;
	f->execute_ctx = ctx;
	f->burst = 64;
	f->busy_us = 1000;
	f->buffer_size[0] = f->buffer_size[1] = CRB_SIZE;
	f->active = 0;
	f->last_locality = -1;
	/* As chipsets do: locality 4 is not for software. */
	f->gate[4] = FAKE_ONES;
}
