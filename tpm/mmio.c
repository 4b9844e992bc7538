/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpm/mmio.h"

#include "tpm/mmio_regs.h"

#define ALL_ONES 0xffffffffu

static bool answers(uint32_t v)
{
	return v != 0 && v != ALL_ONES;
}

static enum tpm_interface fifo_interface(const struct tpm_mmio *m, uint32_t id)
{
	uint32_t capability = m->read32(m->ctx, TIS_INTF_CAPABILITY);
	uint8_t access = m->read8(m->ctx, TIS_ACCESS);

	if (access == 0xff || !(access & TIS_ACCESS_VALID) || !answers(m->read32(m->ctx, TIS_DID_VID)) || !answers(capability))
		return TPM_INTERFACE_NONE;

	/* InterfaceVersion: 0 is TIS 1.21, 2 is TIS 1.3, both of a TPM 1.2; 3 is that of a TPM 2.0. InterfaceType 0 came with PTP. */
	if ((capability >> 28 & 7) == 3 || (answers(id) && (id & 0xf) == 0))
		return TPM_INTERFACE_FIFO;
	return TPM_INTERFACE_TIS12;
}

enum tpm_interface tpm_interface(const struct tpm_mmio *m)
{
	uint32_t id = m->read32(m->ctx, TPM_INTERFACE_ID);

	if ((id & 0xf) != 1)
		return fifo_interface(m, id);
	if (!answers(m->read32(m->ctx, CRB_INTERFACE_ID_HIGH)) || !tpm_crb_ops.open(m, 0))
		return TPM_INTERFACE_NONE;
	return TPM_INTERFACE_CRB;
}

const struct tpm_mmio_ops *tpm_mmio_ops(enum tpm_interface interface)
{
	static const struct tpm_mmio_ops *const table[] = {
		[TPM_INTERFACE_TIS12] = &tpm_fifo_ops,
		[TPM_INTERFACE_FIFO] = &tpm_fifo_ops,
		[TPM_INTERFACE_CRB] = &tpm_crb_ops,
	};

	return (unsigned)interface < GL_COUNT(table) ? table[interface] : NULL;
}

static bool request_and_wait(const struct tpm_mmio *m, const struct tpm_mmio_ops *ops, uint8_t locality)
{
	struct tpm_wait w = tpm_wait(m, TPM_TIMEOUT_A_US);

	ops->request(m, locality);
	while (!ops->held(m, locality))
		if (!tpm_wait_more(&w))
			return false;
	return true;
}

enum tpm_locality_result tpm_locality_take(const struct tpm_mmio *m, enum tpm_interface interface, uint8_t from, uint8_t to)
{
	const struct tpm_mmio_ops *ops = tpm_mmio_ops(interface);

	if (!ops || !ops->open(m, to))
		return TPM_LOCALITY_CLOSED;
	/* While `from` has the TPM, a request of `to` stays pending for ever. */
	if (from != to)
		ops->relinquish(m, from);
	if (request_and_wait(m, ops, to))
		return TPM_LOCALITY_OK;
	if (from != to) {
		/* Also takes the request back: else `to` would get the TPM at a time when nobody expects it. */
		ops->relinquish(m, to);
		(void)request_and_wait(m, ops, from);
	}
	return TPM_LOCALITY_TIMEOUT;
}

void tpm_locality_release(const struct tpm_mmio *m, enum tpm_interface interface, uint8_t held)
{
	const struct tpm_mmio_ops *ops = tpm_mmio_ops(interface);
	struct tpm_wait w = tpm_wait(m, TPM_TIMEOUT_A_US);

	if (!ops)
		return;
	ops->relinquish(m, held);
	while (ops->held(m, held))
		if (!tpm_wait_more(&w))
			return;
}

enum tpm_locality_result tpm_locality_give_back(const struct tpm_mmio *m, enum tpm_interface interface, uint8_t held, uint8_t to)
{
	const struct tpm_mmio_ops *ops = tpm_mmio_ops(interface);

	if (!ops)
		return TPM_LOCALITY_CLOSED;
	if (held != to)
		ops->relinquish(m, held);
	if (!ops->open(m, to))
		return TPM_LOCALITY_CLOSED;
	return request_and_wait(m, ops, to) ? TPM_LOCALITY_OK : TPM_LOCALITY_TIMEOUT;
}
