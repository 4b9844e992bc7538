/* SPDX-License-Identifier: BSD-3-Clause */
/* FIFO (TIS) interface: PTP 1.05, 6.5 (registers 6.5.2, state transitions 6.5.3.4). */
#include "tpm/mmio_regs.h"

/* All waiting within one command or one response: even a TPM that gives a byte at a time comes to an end. */
#define TRANSFER_MAX_US TPM_TIMEOUT_B_US

static uint8_t access_read(const struct tpm_mmio *m, uint8_t locality)
{
	return m->read8(m->ctx, tpm_register(locality, TIS_ACCESS));
}

static void access_write(const struct tpm_mmio *m, uint8_t locality, uint8_t v)
{
	m->write8(m->ctx, tpm_register(locality, TIS_ACCESS), v);
}

static bool fifo_open(const struct tpm_mmio *m, uint8_t locality)
{
	uint8_t access = access_read(m, locality);

	return access != 0x00 && access != 0xff;
}

static bool fifo_held(const struct tpm_mmio *m, uint8_t locality)
{
	const uint8_t both = TIS_ACCESS_VALID | TIS_ACCESS_ACTIVE;
	uint8_t access = access_read(m, locality);

	return access != 0xff && (access & both) == both;
}

static void fifo_request(const struct tpm_mmio *m, uint8_t locality)
{
	access_write(m, locality, TIS_ACCESS_REQUEST);
}

static void fifo_relinquish(const struct tpm_mmio *m, uint8_t locality)
{
	access_write(m, locality, TIS_ACCESS_ACTIVE);
}

struct status {
	uint8_t flags;
	uint16_t burst;
};

/* False if these cannot be the bits of a status register: the locality was lost, or nothing is there any more. */
GL_MUST static bool status_read(const struct tpm_mmio *m, uint8_t locality, struct status *out)
{
	uint32_t v = m->read32(m->ctx, tpm_register(locality, TIS_STS));

	if (v & TIS_STS_READ_ZERO)
		return false;
	*out = (struct status){ .flags = (uint8_t)v, .burst = (uint16_t)(v >> 8) };
	return true;
}

static void status_write(const struct tpm_mmio *m, uint8_t locality, uint8_t v)
{
	m->write8(m->ctx, tpm_register(locality, TIS_STS), v);
}

/* Waits until all bits of `mask` are set; TRY_AGAIN at the end of the time. */
GL_MUST static TSS2_RC status_wait(const struct tpm_mmio *m, uint8_t locality, uint8_t mask, uint32_t limit_us, struct status *out)
{
	struct tpm_wait w = tpm_wait(m, limit_us);
	struct status s;

	do {
		if (!status_read(m, locality, &s))
			return TSS2_TCTI_RC_IO_ERROR;
		if ((s.flags & mask) == mask) {
			*out = s;
			return TSS2_RC_SUCCESS;
		}
	} while (tpm_wait_more(&w));
	return TSS2_TCTI_RC_TRY_AGAIN;
}

/* Waits for room or for bytes, with the flags in `mask`. */
GL_MUST static TSS2_RC burst_wait(const struct tpm_mmio *m, uint8_t locality, uint8_t mask, struct tpm_wait *w, size_t *burst)
{
	struct status s;

	do {
		if (!status_read(m, locality, &s))
			return TSS2_TCTI_RC_IO_ERROR;
		if ((s.flags & mask) == mask && s.burst > 0) {
			*burst = s.burst;
			return TSS2_RC_SUCCESS;
		}
	} while (tpm_wait_more(w));
	return TSS2_TCTI_RC_IO_ERROR;
}

/* The flag EXPECT after some bytes went in. */
GL_MUST static TSS2_RC expect_is(const struct tpm_mmio *m, uint8_t locality, bool wanted)
{
	struct status s;
	TSS2_RC rc = status_wait(m, locality, TIS_STS_VALID, TPM_TIMEOUT_C_FIFO_US, &s);

	if (rc != TSS2_RC_SUCCESS)
		return TSS2_TCTI_RC_IO_ERROR;
	return !(s.flags & TIS_STS_EXPECT) == !wanted ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_IO_ERROR;
}

GL_MUST static TSS2_RC bytes_write(const struct tpm_mmio *m, uint8_t locality, struct span b, struct tpm_wait *w)
{
	while (b.n > 0) {
		size_t burst;
		TSS2_RC rc = burst_wait(m, locality, 0, w, &burst);

		if (rc != TSS2_RC_SUCCESS)
			return rc;
		for (; burst > 0 && b.n > 0; burst--, b.p++, b.n--)
			m->write8(m->ctx, tpm_register(locality, TIS_DATA_FIFO), *b.p);
	}
	return TSS2_RC_SUCCESS;
}

/* commandReady ends whatever goes on. A TPM that held a response may go to Idle by it and be ready only after another one. */
GL_MUST static TSS2_RC make_ready(const struct tpm_mmio *m, uint8_t locality)
{
	struct status s;
	TSS2_RC rc;

	status_write(m, locality, TIS_STS_READY);
	rc = status_wait(m, locality, TIS_STS_READY, TPM_TIMEOUT_D_US, &s);
	if (rc != TSS2_TCTI_RC_TRY_AGAIN)
		return rc;
	status_write(m, locality, TIS_STS_READY);
	return status_wait(m, locality, TIS_STS_READY, TPM_TIMEOUT_B_US, &s);
}

static TSS2_RC fifo_send(const struct tpm_mmio *m, uint8_t locality, struct span command)
{
	struct tpm_wait w = tpm_wait(m, TRANSFER_MAX_US);
	struct span head = { command.p, command.n - 1 };
	struct span last = { command.p + head.n, 1 };
	struct status s;
	TSS2_RC rc;

	if (!status_read(m, locality, &s))
		return TSS2_TCTI_RC_IO_ERROR;
	if (!(s.flags & TIS_STS_READY) && make_ready(m, locality) != TSS2_RC_SUCCESS)
		return TSS2_TCTI_RC_IO_ERROR;

	/* The last byte goes alone: before it the TPM must want more, after it no more, else it did not count as we do. */
	rc = bytes_write(m, locality, head, &w);
	if (rc == TSS2_RC_SUCCESS)
		rc = expect_is(m, locality, true);
	if (rc == TSS2_RC_SUCCESS)
		rc = bytes_write(m, locality, last, &w);
	if (rc == TSS2_RC_SUCCESS)
		rc = expect_is(m, locality, false);
	if (rc == TSS2_RC_SUCCESS)
		status_write(m, locality, TIS_STS_GO);
	return rc;
}

static TSS2_RC fifo_wait(const struct tpm_mmio *m, uint8_t locality, uint32_t limit_us)
{
	struct status s;

	return status_wait(m, locality, TIS_STS_VALID | TIS_STS_DATA_AVAIL, limit_us, &s);
}

GL_MUST static TSS2_RC bytes_read(const struct tpm_mmio *m, uint8_t locality, struct mspan b, struct tpm_wait *w)
{
	while (b.n > 0) {
		size_t burst;
		TSS2_RC rc = burst_wait(m, locality, TIS_STS_VALID | TIS_STS_DATA_AVAIL, w, &burst);

		if (rc != TSS2_RC_SUCCESS)
			return rc;
		for (; burst > 0 && b.n > 0; burst--, b.p++, b.n--)
			*b.p = m->read8(m->ctx, tpm_register(locality, TIS_DATA_FIFO));
	}
	return TSS2_RC_SUCCESS;
}

static TSS2_RC fifo_read(const struct tpm_mmio *m, uint8_t locality, size_t offset, struct mspan out)
{
	struct tpm_wait w = tpm_wait(m, TRANSFER_MAX_US);
	size_t head = out.n > 0 ? out.n - 1 : 0;
	TSS2_RC rc = bytes_read(m, locality, (struct mspan){ out.p, head }, &w);

	(void)offset;
	/* The last byte goes alone here too: a burst count may promise bytes that are not there, DATA_AVAIL may not. */
	if (rc == TSS2_RC_SUCCESS)
		rc = bytes_read(m, locality, (struct mspan){ out.p + head, out.n - head }, &w);
	return rc;
}

static TSS2_RC fifo_end(const struct tpm_mmio *m, uint8_t locality)
{
	struct status s;
	TSS2_RC rc = status_wait(m, locality, TIS_STS_VALID, TPM_TIMEOUT_C_FIFO_US, &s);

	if (rc != TSS2_RC_SUCCESS)
		return TSS2_TCTI_RC_IO_ERROR;
	if (s.flags & TIS_STS_DATA_AVAIL)
		return TSS2_TCTI_RC_MALFORMED_RESPONSE; /* longer than its header says */
	status_write(m, locality, TIS_STS_READY);
	return TSS2_RC_SUCCESS;
}

static void fifo_abort(const struct tpm_mmio *m, uint8_t locality)
{
	(void)!make_ready(m, locality);
}

const struct tpm_mmio_ops tpm_fifo_ops = {
	.open = fifo_open,
	.held = fifo_held,
	.request = fifo_request,
	.relinquish = fifo_relinquish,
	.send = fifo_send,
	.wait = fifo_wait,
	.read = fifo_read,
	.end = fifo_end,
	.abort = fifo_abort,
};
