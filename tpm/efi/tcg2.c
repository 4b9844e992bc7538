/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpm/efi/tcg2.h"

#include <string.h>

#include "common/cursor.h"

#define TCTI_MAGIC UINT64_C(0x474c54504d544347)
#define HEADER_SIZE 10u

/* Offsets of EFI_TCG2_BOOT_SERVICE_CAPABILITY, TCG EFI Protocol Specification 6.4.4. */
static_assert(sizeof(struct tcg2_capability) == 36, "size of EFI_TCG2_BOOT_SERVICE_CAPABILITY");
static_assert(offsetof(struct tcg2_capability, hash_algorithm_bitmap) == 8, "HashAlgorithmBitmap");
static_assert(offsetof(struct tcg2_capability, tpm_present) == 16, "TPMPresentFlag");
static_assert(offsetof(struct tcg2_capability, max_command_size) == 18, "MaxCommandSize");
static_assert(offsetof(struct tcg2_capability, active_pcr_banks) == 32, "ActivePcrBanks");

static struct tcg2_tcti *tcti_of(TSS2_TCTI_CONTEXT *context)
{
	struct tcg2_tcti *t = (struct tcg2_tcti *)context;

	return t && t->common.v1.magic == TCTI_MAGIC ? t : NULL;
}

/* SubmitCommand waits for the TPM: the whole exchange happens here. */
static TSS2_RC transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command)
{
	struct tcg2_tcti *t = tcti_of(context);
	struct rd r;
	UINT32 n;

	if (!t)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (!command)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (size < HEADER_SIZE)
		return TSS2_TCTI_RC_BAD_VALUE;
	if (t->response_size != 0)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	if (size > t->max_command)
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	/* Whatever the firmware leaves unwritten must not look like the last response. */
	memset(t->response, 0, sizeof(t->response));
	if (t->watch)
		t->watch(t->watch_ctx, true);
	/* The protocol has no const; the firmware does not write to the command. */
	t->status = t->tcg2->submit_command(t->tcg2, (UINT32)size, (UINT8 *)(uintptr_t)command, t->max_response, t->response);
	if (t->watch)
		t->watch(t->watch_ctx, false);
	if (t->status != EFI_SUCCESS)
		return TSS2_TCTI_RC_IO_ERROR;
	/* The size is told nowhere but in the header. */
	r = rd_init((struct span){ t->response, HEADER_SIZE });
	(void)rd_be16(&r);
	n = rd_be32(&r);
	if (n < HEADER_SIZE || n > t->max_response)
		return TSS2_TCTI_RC_MALFORMED_RESPONSE;
	t->response_size = n;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *response, int32_t timeout)
{
	struct tcg2_tcti *t = tcti_of(context);

	if (!t)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (!size)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (timeout < TSS2_TCTI_TIMEOUT_BLOCK)
		return TSS2_TCTI_RC_BAD_VALUE;
	if (t->response_size == 0)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	/* Tss2_Sys_ExecuteFinish() asks for the size first. */
	if (!response || *size < t->response_size) {
		*size = t->response_size;
		return response ? TSS2_TCTI_RC_INSUFFICIENT_BUFFER : TSS2_RC_SUCCESS;
	}
	memcpy(response, t->response, t->response_size);
	*size = t->response_size;
	t->response_size = 0;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC cancel(TSS2_TCTI_CONTEXT *context)
{
	struct tcg2_tcti *t = tcti_of(context);

	if (!t)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (t->response_size == 0)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	t->response_size = 0;
	return TSS2_RC_SUCCESS;
}

static void finalize(TSS2_TCTI_CONTEXT *context)
{
	(void)cancel(context);
}

static TSS2_RC set_locality(TSS2_TCTI_CONTEXT *context, uint8_t locality)
{
	if (!tcti_of(context))
		return TSS2_TCTI_RC_BAD_CONTEXT;
	return locality == 0 ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_NOT_SUPPORTED;
}

EFI_STATUS tcg2_tcti_init(struct tcg2_tcti *t, struct tcg2_protocol *tcg2)
{
	struct tcg2_capability c;
	EFI_STATUS status;

	memset(t, 0, sizeof(*t));
	memset(&c, 0, sizeof(c));
	c.size = sizeof(c);
	status = tcg2->get_capability(tcg2, &c);
	if (status != EFI_SUCCESS)
		return EFI_ERROR(status) ? status : EFI_DEVICE_ERROR;
	if (!c.tpm_present || c.max_command_size < HEADER_SIZE || c.max_response_size < HEADER_SIZE)
		return EFI_UNSUPPORTED;
	t->common.v1.magic = TCTI_MAGIC;
	t->common.v1.version = 2;
	t->common.v1.transmit = transmit;
	t->common.v1.receive = receive;
	t->common.v1.finalize = finalize;
	t->common.v1.cancel = cancel;
	t->common.v1.setLocality = set_locality;
	t->tcg2 = tcg2;
	t->max_command = c.max_command_size;
	/* edk2 refuses a response buffer that is larger than what it reported. */
	t->max_response = c.max_response_size < sizeof(t->response) ? c.max_response_size : (UINT32)sizeof(t->response);
	return EFI_SUCCESS;
}
