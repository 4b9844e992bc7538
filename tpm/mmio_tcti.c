/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/cursor.h"
#include "tpm/mmio_regs.h"

#define TCTI_MAGIC UINT64_C(0x474c54504d4d4d49)

/* tpm_mmio_tcti.state */
enum {
	STATE_IDLE,
	STATE_SENT,   /* the TPM works, or has its response ready */
	STATE_HEADER, /* the header of the response is read, the rest is not */
};

static struct tpm_mmio_tcti *tcti_of(TSS2_TCTI_CONTEXT *context)
{
	struct tpm_mmio_tcti *t = (struct tpm_mmio_tcti *)context;

	return t && t->common.v1.magic == TCTI_MAGIC ? t : NULL;
}

/* Ends the exchange: the TPM is made ready for another command. */
static TSS2_RC fail(struct tpm_mmio_tcti *t, TSS2_RC rc)
{
	tpm_mmio_ops(t->interface)->abort(t->mmio, t->locality);
	t->state = STATE_IDLE;
	return rc;
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command)
{
	struct tpm_mmio_tcti *t = tcti_of(context);
	const struct tpm_mmio_ops *ops;
	TSS2_RC rc;

	if (!t)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (!command)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (size < TPM_HEADER_SIZE)
		return TSS2_TCTI_RC_BAD_VALUE;
	if (t->state != STATE_IDLE)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	ops = tpm_mmio_ops(t->interface);
	if (!ops)
		return TSS2_TCTI_RC_NO_CONNECTION;
	if (!ops->held(t->mmio, t->locality))
		return TSS2_TCTI_RC_NOT_PERMITTED;
	rc = ops->send(t->mmio, t->locality, (struct span){ command, size });
	if (rc != TSS2_RC_SUCCESS)
		return fail(t, rc);
	t->state = STATE_SENT;
	return TSS2_RC_SUCCESS;
}

GL_MUST static TSS2_RC receive_header(struct tpm_mmio_tcti *t, int32_t timeout)
{
	const struct tpm_mmio_ops *ops = tpm_mmio_ops(t->interface);
	uint32_t limit = TPM_DURATION_MAX_US;
	struct rd r;
	TSS2_RC rc;

	if (timeout >= 0 && (uint32_t)timeout < TPM_DURATION_MAX_US / 1000)
		limit = (uint32_t)timeout * 1000;
	rc = ops->wait(t->mmio, t->locality, limit);
	if (rc == TSS2_TCTI_RC_TRY_AGAIN && timeout != TSS2_TCTI_TIMEOUT_BLOCK)
		return rc; /* the caller's limit, not ours */
	if (rc == TSS2_TCTI_RC_TRY_AGAIN) {
		t->silent = true;
		return fail(t, TSS2_TCTI_RC_IO_ERROR);
	}
	if (rc == TSS2_RC_SUCCESS)
		rc = ops->read(t->mmio, t->locality, 0, (struct mspan){ t->header, sizeof(t->header) });
	if (rc != TSS2_RC_SUCCESS)
		return fail(t, rc);
	r = rd_init(SPAN_OF(t->header));
	(void)rd_be16(&r);
	t->response_size = rd_be32(&r);
	if (t->response_size < TPM_HEADER_SIZE || t->response_size > TPM_RESPONSE_MAX)
		return fail(t, TSS2_TCTI_RC_MALFORMED_RESPONSE);
	t->state = STATE_HEADER;
	return TSS2_RC_SUCCESS;
}

/* Tss2_Sys_ExecuteFinish() calls twice, first without a buffer to learn the size. */
static TSS2_RC receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *response, int32_t timeout)
{
	struct tpm_mmio_tcti *t = tcti_of(context);
	const struct tpm_mmio_ops *ops;
	TSS2_RC rc;

	if (!t)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (!size)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (timeout < TSS2_TCTI_TIMEOUT_BLOCK)
		return TSS2_TCTI_RC_BAD_VALUE;
	if (t->state == STATE_IDLE)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	if (t->state == STATE_SENT) {
		rc = receive_header(t, timeout);
		if (rc != TSS2_RC_SUCCESS)
			return rc;
	}
	if (!response || *size < t->response_size) {
		*size = t->response_size;
		return response ? TSS2_TCTI_RC_INSUFFICIENT_BUFFER : TSS2_RC_SUCCESS;
	}

	ops = tpm_mmio_ops(t->interface);
	memcpy(response, t->header, sizeof(t->header));
	rc = ops->read(
		t->mmio, t->locality, TPM_HEADER_SIZE, (struct mspan){ response + TPM_HEADER_SIZE, t->response_size - TPM_HEADER_SIZE });
	if (rc == TSS2_RC_SUCCESS)
		rc = ops->end(t->mmio, t->locality);
	if (rc != TSS2_RC_SUCCESS)
		return fail(t, rc);
	*size = t->response_size;
	t->state = STATE_IDLE;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC cancel(TSS2_TCTI_CONTEXT *context)
{
	struct tpm_mmio_tcti *t = tcti_of(context);

	if (!t)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (t->state == STATE_IDLE)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	return fail(t, TSS2_RC_SUCCESS);
}

static void finalize(TSS2_TCTI_CONTEXT *context)
{
	(void)cancel(context);
}

static TSS2_RC set_locality(TSS2_TCTI_CONTEXT *context, uint8_t locality)
{
	struct tpm_mmio_tcti *t = tcti_of(context);

	if (!t)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (t->state != STATE_IDLE)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	if (locality > 4)
		return TSS2_TCTI_RC_BAD_VALUE;
	t->locality = locality;
	return TSS2_RC_SUCCESS;
}

void tpm_mmio_tcti_init(struct tpm_mmio_tcti *t, const struct tpm_mmio *m, enum tpm_interface interface, uint8_t locality)
{
	memset(t, 0, sizeof(*t));
	t->common.v1.magic = TCTI_MAGIC;
	t->common.v1.version = 2;
	t->common.v1.transmit = transmit;
	t->common.v1.receive = receive;
	t->common.v1.finalize = finalize;
	t->common.v1.cancel = cancel;
	t->common.v1.setLocality = set_locality;
	t->mmio = m;
	t->interface = interface;
	t->locality = locality;
}
