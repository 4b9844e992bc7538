/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_HOT_H
#define GL_TXT_HOT_H

#include "common/span.h"

/*
 * Loops that can run anywhere. QEMU's TCG translates each instruction of a page with a breakpoint by itself, so that a loop there takes some 50
 * times as long; where it stands does not matter to a loop that copies or clears memory.
 */
#define HOT_LOOP_MAX 64

struct hot_loop {
	uint32_t at;   /* first instruction */
	uint32_t size; /* in bytes, up to HOT_LOOP_MAX; behind it the code goes on */
};

/*
 * The loop in which the processor is at `eip`, 32-bit code: a string instruction with a REP prefix, or instructions without any branch up to
 * a conditional jump back to the first of them. `code` is memory from `base` on, with `eip` in it. False: there is none of this kind.
 */
GL_MUST bool hot_loop_find(struct span code, uint32_t base, uint32_t eip, struct hot_loop *out);

#endif
