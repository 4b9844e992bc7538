/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_FAULTY_TPM_H
#define GL_TESTS_FAULTY_TPM_H

#include "tests/unit/fake_tpm_mmio.h"
#include "tests/unit/oracle.h"
#include "tests/unit/swtpm_process.h"

/*
 * A real software TPM of which one command goes wrong. Most wrong answers are those of tpmproxy (qemu/proxy/fault.h), so that what is
 * swept here and in whole machines is the same; those that no QEMU passes on are made here.
 */
enum fault_kind {
	FAULT_KIND_RETRY,   /* TPM_RC_RETRY; the same command again works */
	FAULT_KIND_FAILURE, /* TPM_RC_FAILURE */
	FAULT_KIND_LOCKOUT, /* TPM_RC_LOCKOUT */
	FAULT_KIND_GARBAGE, /* success with a body of FF bytes */
	FAULT_KIND_NOISE,   /* the right size, and nothing else that makes sense */
	FAULT_KIND_SHORT,   /* success that ends after the header */
	FAULT_KIND_LONG,    /* success in the largest size */
	FAULT_KIND_HUGE,    /* a header that claims 4 GiB - 1 */
	FAULT_KIND_HANG,    /* no answer until the driver ends the command */
	FAULT_KIND_DEAD,    /* no answer, whatever anybody does, to this one and all later ones */
	FAULT_KIND_CLOSED,  /* as QEMU answers when swtpm is gone: a TPM 1.2's failure, to this one and all later ones */
	FAULT_KIND_COUNT
};

extern const char *const fault_kind_name[FAULT_KIND_COUNT];

/* Later commands meet no TPM either. */
static inline bool fault_kind_lasts(enum fault_kind k)
{
	return k == FAULT_KIND_DEAD || k == FAULT_KIND_CLOSED;
}

#define FAULTY_TRACE_MAX 128

struct faulty_tpm {
	struct swtpm_process swtpm;
	struct fake_tpm *registers; /* made stuck by a TPM that is dead */
	enum fault_kind kind;
	unsigned at;    /* the command that goes wrong, from 1; 0 none */
	bool late;      /* the TPM executes it, only the answer is wrong */
	bool gone;      /* no command reaches the TPM any more */
	unsigned count; /* of commands */
	struct {
		uint32_t code, handle; /* handle: 0 if there is none */
		uint8_t locality;
	} trace[FAULTY_TRACE_MAX];
	struct oracle taken; /* PCR 17-22 by what the TPM executed with success */
};

/* Starts the TPM, with NV indices of this content. */
void faulty_start(struct faulty_tpm *f);
void faulty_define(struct faulty_tpm *f, uint32_t index, struct span content);
void faulty_stop(struct faulty_tpm *f);

/* A new machine: PCRs as after power on, or after a dynamic launch; no command has been sent yet, none goes wrong. */
void faulty_reset(struct faulty_tpm *f, struct fake_tpm *registers, bool drtm);

/* Fits fake_tpm.execute; the context is the faulty_tpm. */
size_t faulty_execute(void *ctx, uint8_t locality, struct span command, struct mspan out);

/* The real values of PCR 0-23, past all faults. Fails the test unless 17-22 are what the TPM took (`taken`). */
void faulty_pcrs(struct faulty_tpm *f, struct pcrs *out);

#endif
