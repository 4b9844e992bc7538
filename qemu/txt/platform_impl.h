/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_PLATFORM_IMPL_H
#define GL_TXT_PLATFORM_IMPL_H

#include "qemu/txt/platform.h"

/* Between the files of platform.h. Functions return false if the machine is gone or something failed; p->why then tells. */
struct platform {
	struct platform_config config;
	struct machine m;
	struct link link;
	struct image image;
	struct traps traps;
	struct txt_trace trace;
	struct chipset chipset;
	struct smx_cpu cpu[GDB_CPUS];
	struct sinit_platform sinit;
	struct txt_memory memory;
	struct txt_tpm tpm;
	struct platform_outcome outcome;
	uint8_t shown[2][CHIPSET_SPACE_SIZE];   /* the register spaces as the guest was shown them last */
	bool breakpoints;               /* set already */
	bool armed;                     /* the MLE has been entered since the last reset */
	bool reset_seen;                /* the monitor has told of a reset that was not looked at yet */
	bool ended;                     /* the monitor has told of QEMU's end */
	uint64_t start_us;
	char why[200];
};

/* Where, below the top of the DMA protected range, code of ours lies and the responding processors' wake-up address is. */
#define PLATFORM_STUB 4096
#define PLATFORM_WAKEUP 64

GL_MUST bool platform_fail(struct platform *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* arm.c: the machine stands at the MLE's entry and becomes a TXT platform. */
GL_MUST bool platform_arm(struct platform *p);

/* processor.c: the processor `cpu` stands at an instruction that traps. */
GL_MUST bool platform_trap(struct platform *p, unsigned cpu, struct gdb_regs *regs, const struct trap *t);

/* launch.c: SENTER was accepted by the processor; `acm` is the module. */
GL_MUST bool platform_launch(struct platform *p, unsigned cpu, struct gdb_regs *regs, struct span acm);
/* A TXT reset: the machine is reset, the chipset's registers stay. */
GL_MUST bool platform_txt_reset(struct platform *p, const char *rule);

/* rlp.c: SENTER puts the other processors to sleep. */
GL_MUST bool platform_park(struct platform *p, unsigned cpu);
/* Those that sleep join the MLE, as TXT.MLE.JOIN says. */
GL_MUST bool platform_wake(struct platform *p, unsigned cpu);

/* registers.c: the guest has written to the register spaces. */
GL_MUST bool platform_absorb(struct platform *p);
/* Shows the registers to the guest. */
void platform_render(struct platform *p);
/* Lets the TPM's localities follow the chipset's. */
GL_MUST bool platform_localities(struct platform *p);

#endif
