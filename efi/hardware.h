/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_HARDWARE_H
#define GL_EFI_HARDWARE_H

#include "common/span.h"

/* What a TXT launch reads of the machine beyond the firmware, and how it leaves it; a model of it in tests. */
struct hardware {
	void (*cpuid)(uint32_t leaf, uint32_t out[4]);    /* EAX, EBX, ECX, EDX; subleaf 0 */
	uint64_t (*rdmsr)(uint32_t msr);                  /* faults where the register does not exist */
	uint32_t (*capabilities)(void);                   /* GETSEC[CAPABILITIES], index 0; faults without SMX */
	uint64_t (*txt)(uint32_t offset, unsigned width); /* a register of TXT's public space, 0xfed30000 */
	/* Physical memory as bytes; empty if it cannot be addressed. */
	struct span (*memory)(void *ctx, uint64_t base, size_t n);
	/* Runs the code that efi/handoff.c has put at `block`. Boot services are gone. */
	void (*leave)(void *block);
};

/* The machine that we run on. */
extern const struct hardware hardware_real;

#endif
