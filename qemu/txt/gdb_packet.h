/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_GDB_PACKET_H
#define GL_TXT_GDB_PACKET_H

#include "common/span.h"
#include "qemu/proxy/frame.h"

/*
 * The remote protocol of gdb as bytes: packets "$body#cs", and what the bodies say that QEMU's stub sends for x86-64. Pure.
 * Source: GDB manual, appendix E; QEMU 7.2 gdbstub/gdbstub.c and target/i386/gdbstub.c. The stub is a process of another
 * origin: nothing it says is believed unchecked.
 */

/* Largest body that is sent or taken. QEMU 7.2 holds 4096 bytes; a register packet with AVX is about 1.4 KiB. */
#define GDB_BODY_MAX 16384
#define GDB_FRAME_MAX (GDB_BODY_MAX + 4)
/* Bytes of memory in one packet. */
#define GDB_CHUNK 1024

/* Writes "$body#cs". The body must hold no '$', '#' or '}': ours never do. False if `out` is too small or the body holds one. */
GL_MUST bool gdb_packet_make(struct span body, struct mspan out, size_t *n);

/*
 * Looks for one packet at the start of `in`, behind any acknowledgements. FRAME_WHOLE sets `body` (in `in`, escapes not undone) and
 * `used`, the bytes to drop; FRAME_MORE sets `used` to the acknowledgements. FRAME_BAD: a wrong checksum, or too long.
 */
GL_MUST enum frame gdb_packet_take(struct span in, struct span *body, size_t *used);

/* Numbers of registers in the stub's order. Segments and EFLAGS have four bytes, all others eight. */
/* clang-format off */
enum gdb_reg {
	GDB_RAX, GDB_RBX, GDB_RCX, GDB_RDX, GDB_RSI, GDB_RDI, GDB_RBP, GDB_RSP,
	GDB_R8, GDB_R9, GDB_R10, GDB_R11, GDB_R12, GDB_R13, GDB_R14, GDB_R15,
	GDB_RIP, GDB_EFLAGS, GDB_CS, GDB_SS, GDB_DS, GDB_ES, GDB_FS, GDB_GS,
	GDB_FS_BASE, GDB_GS_BASE, GDB_K_GS_BASE, GDB_CR0, GDB_CR2, GDB_CR3, GDB_CR4, GDB_CR8, GDB_EFER,
	GDB_REGS
};
/* clang-format on */

struct gdb_regs {
	uint64_t r[GDB_REGS];
};

/* "rax" */
const char *gdb_reg_name(enum gdb_reg r);
/* Of the value in packets, in bytes: 4 or 8. */
size_t gdb_reg_size(enum gdb_reg r);

/* Takes a body of `g` apart: hexadecimal, at least GDB_REGS registers; what follows them is not looked at. */
GL_MUST bool gdb_regs_parse(struct span body, struct gdb_regs *out);

/* Hexadecimal digits to bytes; false unless there are just 2 * out.n of them. */
GL_MUST bool gdb_hex_parse(struct span text, struct mspan out);

enum gdb_stop_kind {
	GDB_STOP_TRAP,      /* breakpoint or step */
	GDB_STOP_WATCH,     /* a write watchpoint: `address` is that of the watchpoint, not of the access */
	GDB_STOP_READ,      /* a read watchpoint; `address` as before */
	GDB_STOP_INTERRUPT, /* we asked for it, or somebody stopped the machine */
	GDB_STOP_OTHER,     /* another signal */
	GDB_STOP_EXIT       /* the machine is gone */
};

struct gdb_stop {
	enum gdb_stop_kind kind;
	unsigned cpu; /* from 0 */
	unsigned signal;
	uint64_t address;
};

/* A stop reply: S05, T05thread:01;watch:fed20000;, T05rwatch:fed30110;, W00, X06. Anything else is false. */
GL_MUST bool gdb_stop_parse(struct span body, struct gdb_stop *out);

#endif
