/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_PLATFORM_IMPL_H
#define GL_TXT_PLATFORM_IMPL_H

#include "qemu/txt/pe.h"
#include "qemu/txt/platform.h"

/* A boot loader in 64-bit mode that looks at the chipset. */
struct platform_loader {
	struct traps traps;
	struct pe_found image; /* base 0: none is known */
	unsigned looks;        /* reads of TXT.DIDVID that were looked at since the last reset */
	bool watched;          /* reads of TXT.DIDVID stop the machine */
};

/* A loop of the MLE that runs elsewhere. */
struct platform_shortcut {
	unsigned look_ms; /* how long the MLE may run until we look where it is; 0: nobody looks */
	bool breakpoint;  /* behind the loop: set already */
	bool runs;
	uint32_t back; /* where the MLE goes on behind it */
};

/* Between the files of platform.h. Functions return false if the machine is gone or something failed; p->why then tells. */
struct platform {
	struct platform_config config;
	struct machine m;
	struct link link;
	struct image image;
	struct traps traps; /* of the MLE */
	struct platform_loader loader;
	struct platform_shortcut shortcut;
	struct txt_trace trace;
	struct chipset chipset;
	struct smx_cpu cpu[GDB_CPUS];
	struct sinit_platform sinit;
	struct txt_memory memory;
	struct txt_tpm tpm;
	struct platform_outcome outcome;
	uint8_t shown[2][CHIPSET_SPACE_SIZE]; /* the register spaces as the guest was shown them last */
	bool breakpoints;                     /* in the MLE: set already */
	bool watched;                         /* writes to the registers stop the machine */
	bool armed;                           /* the MLE has been entered since the last reset */
	bool reset_seen;                      /* the monitor has told of a reset that was not looked at yet */
	bool ended;                           /* the monitor has told of QEMU's end */
	uint64_t start_us;
	char why[200];
};

/* Where, below the top of the DMA protected range, code of ours lies and the responding processors' wake-up address is. */
#define PLATFORM_STUB 4096
#define PLATFORM_WAKEUP 64
#define PLATFORM_LOOP_END 2048
#define PLATFORM_LOOP 8192

GL_MUST bool platform_fail(struct platform *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* SDM volume 3A, 2.2.1: IA32_EFER.LMA. */
#define PLATFORM_EFER_LMA 0x400u
static inline bool platform_in_long_mode(const struct gdb_regs *r)
{
	return r->r[GDB_EFER] & PLATFORM_EFER_LMA;
}

/*
 * arm.c: the machine stands before the firmware's first instruction, after power-on or a reset: the register spaces get their place and
 * values. Nothing else is there before the firmware runs, and it never sees the device.
 */
GL_MUST bool platform_at_reset(struct platform *p);
/* The firmware is done with PCI: what a BIOS leaves in memory gets its place, unless it has it; writes to the registers are seen from now on. */
GL_MUST bool platform_bios(struct platform *p);
/* The machine stands at the MLE's entry and becomes a TXT platform. */
GL_MUST bool platform_arm(struct platform *p);

/* loader.c: TXT.DIDVID was read on the processor `cpu`. */
GL_MUST bool platform_loader(struct platform *p, unsigned cpu);
/* Forgets the loader; the next one is looked for, or no more. */
GL_MUST bool platform_loader_reset(struct platform *p);
GL_MUST bool platform_loader_done(struct platform *p);

/* shortcut.c: the MLE runs; before long the machine is stopped to look where it is. Or that has no point any more. */
void platform_look_soon(struct platform *p);
void platform_look_never(struct platform *p);
/* The machine was stopped to look. */
GL_MUST bool platform_look(struct platform *p);
/* The processor stands behind the loop (`yes`) and goes on where it would be. */
GL_MUST bool platform_loop_done(struct platform *p, unsigned cpu, struct gdb_regs *regs, bool *yes);

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
