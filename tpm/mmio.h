/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TPM_MMIO_H
#define GL_TPM_MMIO_H

#include <tss2/tss2_tcti.h>

#include "common/span.h"

/*
 * TCTI over the registers of a TPM at a locality: FIFO (TIS) and CRB interface.
 * TCG PC Client Platform TPM Profile Specification for TPM 2.0, 1.05, chapter 6.
 */

#define TPM_MMIO_BASE 0xFED40000u
#define TPM_MMIO_LOCALITY_SIZE 0x1000u

/* How registers are reached: real memory in EFI and stage, a model of the device in tests. `offset` counts from TPM_MMIO_BASE. */
struct tpm_mmio {
	uint8_t (*read8)(void *ctx, uint32_t offset);
	uint32_t (*read32)(void *ctx, uint32_t offset);
	void (*write8)(void *ctx, uint32_t offset, uint8_t v);
	void (*write32)(void *ctx, uint32_t offset, uint32_t v);
	void (*delay_us)(void *ctx, unsigned us);
	void *ctx;
	uint64_t (*now_us)(void *ctx); /* a clock, so that delays that take longer do not add up; may be NULL */
};

enum tpm_interface {
	TPM_INTERFACE_NONE,  /* nothing answers at locality 0 */
	TPM_INTERFACE_TIS12, /* FIFO of a TPM 1.2 */
	TPM_INTERFACE_FIFO,
	TPM_INTERFACE_CRB,
};

/* Looks at TPM_INTERFACE_ID and the FIFO registers of locality 0; writes nothing. */
GL_MUST enum tpm_interface tpm_interface(const struct tpm_mmio *m);

enum tpm_locality_result {
	TPM_LOCALITY_OK,
	TPM_LOCALITY_CLOSED,  /* its registers read all ones or all zeros: the chipset or the TPM does not let us in */
	TPM_LOCALITY_TIMEOUT, /* requested, never granted */
};

struct tpm_mmio_tcti {
	TSS2_TCTI_CONTEXT_COMMON_V2 common; /* must come first */
	const struct tpm_mmio *mmio;
	enum tpm_interface interface;
	uint8_t locality;
	uint8_t state;
	bool silent; /* the TPM took a command and gave no response in its time; whoever else asks it will wait in vain, too */
	uint32_t response_size;
	uint8_t header[10];
};

/* Prepares the TCTI (memory and `m` stay the caller's). No register is touched. */
void tpm_mmio_tcti_init(struct tpm_mmio_tcti *t, const struct tpm_mmio *m, enum tpm_interface interface, uint8_t locality);

static inline TSS2_TCTI_CONTEXT *tpm_mmio_tcti_context(struct tpm_mmio_tcti *t)
{
	return (TSS2_TCTI_CONTEXT *)t;
}

/*
 * Takes a locality from whoever holds one: relinquishes `from` first (the firmware's, 0), then requests `to`. On failure `from` is
 * requested again, so that the firmware can go on.
 */
GL_MUST enum tpm_locality_result tpm_locality_take(const struct tpm_mmio *m, enum tpm_interface interface, uint8_t from, uint8_t to);

/* Gives it up without asking for another: nobody holds the TPM then. */
void tpm_locality_release(const struct tpm_mmio *m, enum tpm_interface interface, uint8_t held);

/* Gives it back: relinquishes `held`, requests `to` and waits for it. Firmware that measures later depends on it. */
GL_MUST enum tpm_locality_result tpm_locality_give_back(const struct tpm_mmio *m, enum tpm_interface interface, uint8_t held, uint8_t to);

#endif
