/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_TRAPS_H
#define GL_TXT_TRAPS_H

#include "qemu/txt/image.h"

/*
 * The instructions of an MLE or of a boot loader that only a TXT processor executes, or that tell that there is none. Found by disassembly with
 * capstone: a linear sweep over all code, and a descent along jumps and calls from the entry, which reads code between data aright. What is
 * found are addresses to stop at; whoever stops there decodes again, so an address that is no instruction does no harm.
 */
enum trap_kind {
	TRAP_CPUID,
	TRAP_RDMSR,
	TRAP_WRMSR,
	TRAP_GETSEC,
	TRAP_CR4_READ,  /* mov r32, cr4; mov r64, cr4 in 64-bit mode */
	TRAP_CR4_WRITE, /* mov cr4, r32 */
	TRAP_KINDS
};

struct trap {
	uint64_t at;
	uint8_t kind;   /* enum trap_kind */
	uint8_t length; /* of the instruction, with prefixes */
	uint8_t reg;    /* TRAP_CR4_*: 0 EAX, 1 ECX, 2 EDX, 3 EBX, 4 ESP, 5 EBP, 6 ESI, 7 EDI; in 64-bit mode also 8 R8 to 15 R15 */
};

struct traps {
	struct trap *list; /* by ascending address */
	size_t count, cap;
};

/* Longest x86 instruction. */
#define TRAP_BYTES 15

/* How the processor reads its code. */
enum trap_mode { TRAP_MODE_32, TRAP_MODE_64 };

/* Code to look through, at most IMAGE_MAX_RANGES pieces, and where it is entered: more than one place is known of a program that runs. */
struct trap_code {
	enum trap_mode mode;
	const struct image_range *code;
	size_t count;
	uint64_t entry[2];
	size_t entries;
};

/* False: out of memory, or capstone does not work. traps_free() is due in any case. */
GL_MUST bool traps_find(const struct trap_code *c, struct traps *out);
/* The same for an MLE. */
GL_MUST bool traps_find_in_image(const struct image *m, struct traps *out);
void traps_free(struct traps *t);

/* NULL if there is none at this address. */
const struct trap *traps_at(const struct traps *t, uint64_t at);

/* What the instruction at the start of `bytes` is; false if it is none that traps. */
GL_MUST bool trap_decode(struct span bytes, enum trap_mode mode, struct trap *out);

/* "cpuid", "mov r32, cr4" */
const char *trap_name(enum trap_kind k);

#endif
