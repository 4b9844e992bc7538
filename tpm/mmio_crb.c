/* SPDX-License-Identifier: BSD-3-Clause */
/* CRB interface: PTP 1.05, 6.4 (registers 6.4.2, state transitions 6.4.3). */
#include "tpm/mmio_regs.h"

#define ALL_ONES 0xffffffffu

static uint32_t crb_get(const struct tpm_mmio *m, uint8_t locality, uint32_t offset)
{
	return m->read32(m->ctx, tpm_register(locality, offset));
}

static void crb_put(const struct tpm_mmio *m, uint8_t locality, uint32_t offset, uint32_t v)
{
	m->write32(m->ctx, tpm_register(locality, offset), v);
}

static bool crb_open(const struct tpm_mmio *m, uint8_t locality)
{
	uint32_t state = crb_get(m, locality, CRB_LOC_STATE);

	return state != 0 && state != ALL_ONES;
}

static bool crb_held(const struct tpm_mmio *m, uint8_t locality)
{
	const uint32_t both = CRB_LOC_STATE_VALID | CRB_LOC_STATE_ASSIGNED;
	uint32_t state = crb_get(m, locality, CRB_LOC_STATE);
	uint32_t status = crb_get(m, locality, CRB_LOC_STS);

	return state != ALL_ONES && (state & both) == both && CRB_LOC_STATE_ACTIVE(state) == locality && status != ALL_ONES &&
	       status & CRB_LOC_STS_GRANTED;
}

static void crb_request(const struct tpm_mmio *m, uint8_t locality)
{
	crb_put(m, locality, CRB_LOC_CTRL, CRB_LOC_CTRL_REQUEST);
}

static void crb_relinquish(const struct tpm_mmio *m, uint8_t locality)
{
	crb_put(m, locality, CRB_LOC_CTRL, CRB_LOC_CTRL_RELINQUISH);
}

/* Waits until the bits of `mask` in a register are `value`. */
GL_MUST static TSS2_RC crb_wait_for(
	const struct tpm_mmio *m, uint8_t locality, uint32_t offset, uint32_t mask, uint32_t value, uint32_t limit_us)
{
	struct tpm_wait w = tpm_wait(m, limit_us);

	do {
		uint32_t v = crb_get(m, locality, offset);

		if (v == ALL_ONES)
			return TSS2_TCTI_RC_IO_ERROR;
		if ((v & mask) == value)
			return TSS2_RC_SUCCESS;
	} while (tpm_wait_more(&w));
	return TSS2_TCTI_RC_TRY_AGAIN;
}

/*
 * A buffer as the registers name it. It must lie in the page of the locality, behind the registers: an address from elsewhere would
 * let the TPM choose what memory we write to.
 */
struct buffer {
	uint32_t offset; /* from TPM_MMIO_BASE */
	uint32_t size;
};

GL_MUST static TSS2_RC crb_buffer(
	const struct tpm_mmio *m, uint8_t locality, uint32_t size_register, uint32_t low_register, struct buffer *out)
{
	uint32_t page = tpm_register(locality, 0);
	uint32_t size = crb_get(m, locality, size_register);
	uint32_t low = crb_get(m, locality, low_register);
	uint32_t high = crb_get(m, locality, low_register + 4);
	uint32_t first = TPM_MMIO_BASE + page + CRB_DATA;
	uint32_t room = TPM_MMIO_LOCALITY_SIZE - CRB_DATA;

	if (high != 0 || low < first || low - first > room || size > room - (low - first) || size < TPM_HEADER_SIZE)
		return TSS2_TCTI_RC_IO_ERROR;
	*out = (struct buffer){ .offset = low - TPM_MMIO_BASE, .size = size };
	return TSS2_RC_SUCCESS;
}

GL_MUST static TSS2_RC crb_idle(const struct tpm_mmio *m, uint8_t locality)
{
	crb_put(m, locality, CRB_CTRL_REQ, CRB_CTRL_REQ_IDLE);
	return crb_wait_for(m, locality, CRB_CTRL_STS, CRB_CTRL_STS_IDLE, CRB_CTRL_STS_IDLE, TPM_TIMEOUT_C_US);
}

/* Through idle to ready, both seen: a TPM that no longer takes our writes would show its last response as that to our command. */
GL_MUST static TSS2_RC crb_ready(const struct tpm_mmio *m, uint8_t locality)
{
	TSS2_RC rc = TSS2_RC_SUCCESS;

	if (!(crb_get(m, locality, CRB_CTRL_STS) & CRB_CTRL_STS_IDLE))
		rc = crb_idle(m, locality);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	crb_put(m, locality, CRB_CTRL_REQ, CRB_CTRL_REQ_READY);
	rc = crb_wait_for(m, locality, CRB_CTRL_REQ, CRB_CTRL_REQ_READY, 0, TPM_TIMEOUT_B_US);
	if (rc == TSS2_RC_SUCCESS)
		rc = crb_wait_for(m, locality, CRB_CTRL_STS, CRB_CTRL_STS_IDLE | CRB_CTRL_STS_ERROR, 0, TPM_TIMEOUT_C_US);
	return rc;
}

static void crb_abort(const struct tpm_mmio *m, uint8_t locality)
{
	if (crb_get(m, locality, CRB_CTRL_START) != 0) {
		crb_put(m, locality, CRB_CTRL_CANCEL, 1);
		(void)!crb_wait_for(m, locality, CRB_CTRL_START, ALL_ONES, 0, TPM_TIMEOUT_B_US);
		crb_put(m, locality, CRB_CTRL_CANCEL, 0);
	}
	(void)!crb_idle(m, locality);
}

static TSS2_RC crb_send(const struct tpm_mmio *m, uint8_t locality, struct span command)
{
	struct buffer b;
	TSS2_RC rc;

	if (crb_get(m, locality, CRB_CTRL_START) != 0)
		crb_abort(m, locality); /* still at work for somebody who gave up */
	if (crb_get(m, locality, CRB_CTRL_START) != 0)
		return TSS2_TCTI_RC_IO_ERROR;
	rc = crb_ready(m, locality);
	/* Some TPMs answer for these registers only when they are not idle. */
	if (rc == TSS2_RC_SUCCESS)
		rc = crb_buffer(m, locality, CRB_CTRL_CMD_SIZE, CRB_CTRL_CMD_LADDR, &b);
	if (rc != TSS2_RC_SUCCESS)
		return TSS2_TCTI_RC_IO_ERROR;
	if (command.n > b.size)
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	for (size_t i = 0; i < command.n; i++)
		m->write8(m->ctx, b.offset + (uint32_t)i, command.p[i]);
	/*
	 * Should this write get lost, START reads 0 at once and the command lies where the response is looked for. It then passes for
	 * one whose code is the command's, which is never that of success.
	 */
	crb_put(m, locality, CRB_CTRL_START, 1);
	return TSS2_RC_SUCCESS;
}

static TSS2_RC crb_wait(const struct tpm_mmio *m, uint8_t locality, uint32_t limit_us)
{
	TSS2_RC rc = crb_wait_for(m, locality, CRB_CTRL_START, ALL_ONES, 0, limit_us);

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	return crb_get(m, locality, CRB_CTRL_STS) & CRB_CTRL_STS_ERROR ? TSS2_TCTI_RC_IO_ERROR : TSS2_RC_SUCCESS;
}

static TSS2_RC crb_read(const struct tpm_mmio *m, uint8_t locality, size_t offset, struct mspan out)
{
	struct buffer b;
	TSS2_RC rc = crb_buffer(m, locality, CRB_CTRL_RSP_SIZE, CRB_CTRL_RSP_LADDR, &b);

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	if (offset > b.size || out.n > b.size - offset)
		return TSS2_TCTI_RC_MALFORMED_RESPONSE;
	for (size_t i = 0; i < out.n; i++)
		out.p[i] = m->read8(m->ctx, b.offset + (uint32_t)(offset + i));
	return TSS2_RC_SUCCESS;
}

static TSS2_RC crb_end(const struct tpm_mmio *m, uint8_t locality)
{
	/* The response is there; if the TPM does not go idle now, the next send() will find out. */
	(void)!crb_idle(m, locality);
	return TSS2_RC_SUCCESS;
}

const struct tpm_mmio_ops tpm_crb_ops = {
	.open = crb_open,
	.held = crb_held,
	.request = crb_request,
	.relinquish = crb_relinquish,
	.send = crb_send,
	.wait = crb_wait,
	.read = crb_read,
	.end = crb_end,
	.abort = crb_abort,
};
