/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_MACHINE_H
#define GL_STAGE_MACHINE_H

#include "stage/core/plan.h"
#include "tpm/mmio.h"

/* The machine below the stage: memory, TPM and TXT registers, serial line, time. i386, one processor, interrupts off. */

/* To be called first. */
void machine_init(void);

extern const struct stage_world machine_world;
extern const struct tpm_mmio machine_tpm;

void machine_delay_ms(void *ctx, unsigned ms);

/* What TXT's public registers say: SDG 315168, appendix B (TXT.HEAP.BASE, TXT.SINIT.BASE and their sizes). */
struct txt_range machine_txt_heap(void);
struct txt_range machine_txt_sinit(void);
/* TXT.STS: SENTER took place, and no SEXIT since. */
bool machine_txt_senter_done(void);

/* The stage's own memory, with its stack. */
struct txt_range machine_image(void);

/* One line on the first serial port, if there is one. It is set up as tboot left it. */
void machine_line(const char *text);

/* entry.S */
_Noreturn void stage_leave(const struct stage_jump *to);
_Noreturn void stage_main(uint32_t magic, uint32_t info);

/* For when there is no tboot to do it: powers off, or with NULL resets. Comes back if the machine does not obey. */
void machine_power(const struct tboot_sleep *sleep);

/* Stops for good. */
_Noreturn void machine_stop(void);

#endif
