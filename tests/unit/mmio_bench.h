/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_MMIO_BENCH_H
#define GL_TESTS_MMIO_BENCH_H

#include "tests/unit/fake_tpm_mmio.h"
#include "tpm/mmio_regs.h"

/* The register TCTI in front of a model of the device that answers with responses of any size. */

#define MMIO_COMMAND_SIZE 34

struct bench {
	struct fake_tpm fake;
	struct tpm_mmio_tcti tcti;
	/* what the TPM answers */
	size_t answer_size;    /* bytes that come out */
	uint32_t claimed_size; /* in the header; 0: answer_size */
	/* for the hooks */
	uint32_t target, mask, value;
	unsigned skip; /* reads of the target that stay as they are */
};

extern const uint8_t mmio_command[MMIO_COMMAND_SIZE];

/* The TPM: fits fake_tpm.execute, its context is the bench. */
size_t mmio_answer(void *ctx, uint8_t locality, struct span command, struct mspan out);

/* A device with the locality taken and a TCTI on it. */
void mmio_init(struct bench *b, enum fake_kind kind, uint8_t locality);

TSS2_RC mmio_transmit(struct bench *b);
TSS2_RC mmio_receive(struct bench *b, size_t *size, uint8_t *response, int32_t timeout);

/* Command and response, as SYS does it; the response is checked. */
TSS2_RC mmio_exchange(struct bench *b);

/* Ends all disturbances: the next command must get through. */
void mmio_works_again(struct bench *b);

/* From the read after the next `skip` on, the bits of `mask` in a register of the locality are `value`. */
void mmio_stick(struct bench *b, uint32_t reg, uint32_t mask, uint32_t value, unsigned skip);

/* For fake_tpm.swallow: writes to `target` are lost, with a mask only those of `value`. */
bool mmio_swallow_target(struct fake_tpm *f, uint32_t offset, uint32_t v);

#endif
