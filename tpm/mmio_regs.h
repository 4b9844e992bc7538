/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TPM_MMIO_REGS_H
#define GL_TPM_MMIO_REGS_H

#include "tpm/mmio.h"

/*
 * What the two register interfaces of a TPM have in common; only for the mmio_*.c files and their tests.
 * Registers, bits and time limits: TCG PC Client Platform TPM Profile (PTP) 1.05, chapter 6.
 */

/* FIFO (TIS): offsets in the page of a locality. */
#define TIS_ACCESS 0x000u
#define TIS_INTF_CAPABILITY 0x014u
#define TIS_STS 0x018u /* status in bits 0-7, burst count in 8-23 */
#define TIS_DATA_FIFO 0x024u
#define TPM_INTERFACE_ID 0x030u /* FIFO and CRB */
#define TIS_DID_VID 0xf00u

#define TIS_ACCESS_VALID 0x80u
#define TIS_ACCESS_ACTIVE 0x20u /* read: the locality has the TPM; write: gives it up, or takes a request back */
#define TIS_ACCESS_SEIZED 0x10u
#define TIS_ACCESS_SEIZE 0x08u
#define TIS_ACCESS_PENDING 0x04u
#define TIS_ACCESS_REQUEST 0x02u
#define TIS_ACCESS_ESTABLISHMENT 0x01u

#define TIS_STS_VALID 0x80u /* DATA_AVAIL and EXPECT can be relied on */
#define TIS_STS_READY 0x40u
#define TIS_STS_GO 0x20u /* written only */
#define TIS_STS_DATA_AVAIL 0x10u
#define TIS_STS_EXPECT 0x08u
#define TIS_STS_READ_ZERO 0x23u /* GO, responseRetry and a reserved bit: always read as 0 */

/* CRB */
#define CRB_LOC_STATE 0x000u
#define CRB_LOC_CTRL 0x008u
#define CRB_LOC_STS 0x00cu
#define CRB_INTERFACE_ID_HIGH 0x034u /* vendor and device */
#define CRB_CTRL_REQ 0x040u
#define CRB_CTRL_STS 0x044u
#define CRB_CTRL_CANCEL 0x048u
#define CRB_CTRL_START 0x04cu
#define CRB_CTRL_CMD_SIZE 0x058u
#define CRB_CTRL_CMD_LADDR 0x05cu
#define CRB_CTRL_CMD_HADDR 0x060u
#define CRB_CTRL_RSP_SIZE 0x064u
#define CRB_CTRL_RSP_LADDR 0x068u
#define CRB_CTRL_RSP_HADDR 0x06cu
#define CRB_DATA 0x080u /* first byte that can belong to a buffer */

#define CRB_LOC_STATE_ASSIGNED 0x02u
#define CRB_LOC_STATE_ACTIVE(v) ((v) >> 2 & 7u)
#define CRB_LOC_STATE_VALID 0x80u
#define CRB_LOC_CTRL_REQUEST 0x01u
#define CRB_LOC_CTRL_RELINQUISH 0x02u
#define CRB_LOC_STS_GRANTED 0x01u
#define CRB_CTRL_REQ_READY 0x01u
#define CRB_CTRL_REQ_IDLE 0x02u
#define CRB_CTRL_STS_ERROR 0x01u
#define CRB_CTRL_STS_IDLE 0x02u

/* Time limits of PTP 1.05, table "Timeouts"; C is longer on the FIFO, as TIS had it, and costs nothing where all is well. */
#define TPM_TIMEOUT_A_US 750000u
#define TPM_TIMEOUT_B_US 2000000u
#define TPM_TIMEOUT_C_US 200000u
#define TPM_TIMEOUT_C_FIFO_US 750000u
#define TPM_TIMEOUT_D_US 30000u
/* No command of a launch makes a key, so all are done in about a second; a TPM that takes 20 will never answer. */
#define TPM_DURATION_MAX_US 20000000u

#define TPM_HEADER_SIZE 10u
#define TPM_RESPONSE_MAX 4096u

/* Offset of a register of a locality. */
static inline uint32_t tpm_register(uint8_t locality, uint32_t offset)
{
	return (uint32_t)locality * TPM_MMIO_LOCALITY_SIZE + offset;
}

/*
 * A wait with an end: `left_us` counts the delays. Long ones end by the clock, too: a machine that is often interrupted takes many times
 * its delays. Short ones do not, as they would then end with the first interruption.
 */
struct tpm_wait {
	const struct tpm_mmio *m;
	uint32_t left_us;
	uint32_t step_us;
	uint64_t until_us; /* 0: no clock */
};

static inline struct tpm_wait tpm_wait(const struct tpm_mmio *m, uint32_t limit_us)
{
	bool by_clock = m->now_us && limit_us >= TPM_TIMEOUT_B_US;

	return (struct tpm_wait){ .m = m, .left_us = limit_us, .step_us = 10, .until_us = by_clock ? m->now_us(m->ctx) + limit_us : 0 };
}

/* Lets some time pass; false once the limit is used up. Steps grow to 1 ms, so that short waits end soon and long ones cost little. */
GL_MUST static inline bool tpm_wait_more(struct tpm_wait *w)
{
	uint32_t us = w->step_us < w->left_us ? w->step_us : w->left_us;

	if (us == 0 || (w->until_us != 0 && w->m->now_us(w->m->ctx) >= w->until_us))
		return false;
	w->m->delay_us(w->m->ctx, us);
	w->left_us -= us;
	w->step_us = w->step_us < 500 ? w->step_us * 2 : 1000;
	return true;
}

/*
 * One way to move a command and its response. All but `open` and `held` work on a locality that is held. Results are TCTI codes;
 * whoever gets an error calls abort() next, which leaves the TPM ready for another command if it can be done at all.
 */
struct tpm_mmio_ops {
	bool (*open)(const struct tpm_mmio *m, uint8_t locality); /* its registers answer */
	bool (*held)(const struct tpm_mmio *m, uint8_t locality);
	void (*request)(const struct tpm_mmio *m, uint8_t locality);
	void (*relinquish)(const struct tpm_mmio *m, uint8_t locality);
	TSS2_RC (*send)(const struct tpm_mmio *m, uint8_t locality, struct span command);
	/* TSS2_TCTI_RC_TRY_AGAIN if the command is still running after `limit_us`. */
	TSS2_RC (*wait)(const struct tpm_mmio *m, uint8_t locality, uint32_t limit_us);
	/* Bytes of the response, in order: `offset` is where the last piece ended. */
	TSS2_RC (*read)(const struct tpm_mmio *m, uint8_t locality, size_t offset, struct mspan out);
	TSS2_RC (*end)(const struct tpm_mmio *m, uint8_t locality); /* after the last byte */
	void (*abort)(const struct tpm_mmio *m, uint8_t locality);
};

extern const struct tpm_mmio_ops tpm_fifo_ops;
extern const struct tpm_mmio_ops tpm_crb_ops;

/* NULL for TPM_INTERFACE_NONE. */
const struct tpm_mmio_ops *tpm_mmio_ops(enum tpm_interface interface);

#endif
