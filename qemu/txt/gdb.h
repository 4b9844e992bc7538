/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_GDB_H
#define GL_TXT_GDB_H

#include "qemu/proxy/sock.h"
#include "qemu/txt/gdb_packet.h"

/*
 * A client of QEMU's gdbstub over a unix socket. The machine stops when it connects. Every call but gdb_wait() waits at most GDB_MS for
 * an answer; after a failure the connection is of no use, `why` tells in one line, and all further calls fail at once.
 */
#define GDB_MS 20000
#define GDB_CPUS 64

struct gdb {
	int fd; /* -1: closed */
	struct buffer in;
	bool running; /* told to go on, and not stopped since */
	unsigned cpus;
	unsigned selected; /* the processor that `g` and `P` are about; GDB_CPUS: none */
	uint64_t packets;  /* sent so far */
	char why[160];     /* "" while all is well */
};

/*
 * Connects (`ms`: how long to try while nobody listens), agrees on the protocol, switches memory access to physical addresses, and counts
 * the processors. gdb_close() is due afterwards in any case.
 */
GL_MUST bool gdb_open(struct gdb *g, const char *path, int ms);

/* Lets the machine run without us: stops it if need be, takes all break- and watchpoints away, and goes. */
GL_MUST bool gdb_detach(struct gdb *g);

/* Closes the connection; the machine stays as it is. */
void gdb_close(struct gdb *g);

GL_MUST bool gdb_regs(struct gdb *g, unsigned cpu, struct gdb_regs *out);
/* Writes the registers that differ between the two. */
GL_MUST bool gdb_regs_write(struct gdb *g, unsigned cpu, const struct gdb_regs *was, const struct gdb_regs *now);

/*
 * Memory by physical address, in pieces. Where there is neither memory nor device QEMU reads zeros or ones and drops writes: who cares
 * asks before.
 */
GL_MUST bool gdb_read(struct gdb *g, uint64_t at, struct mspan out);
GL_MUST bool gdb_write(struct gdb *g, uint64_t at, struct span in);

/* A breakpoint at a linear address, on all processors. */
GL_MUST bool gdb_break(struct gdb *g, uint64_t at, bool on);
/* A watchpoint for writes to `n` bytes from a linear address on, on all processors. The write has happened when the machine stops. */
GL_MUST bool gdb_watch(struct gdb *g, uint64_t at, unsigned n, bool on);
/* The same for reads: the value has been read when the machine stops, and EIP is behind the instruction. */
GL_MUST bool gdb_watch_reads(struct gdb *g, uint64_t at, unsigned n, bool on);

/* Lets all processors run. */
GL_MUST bool gdb_continue(struct gdb *g);
/* Lets those processors run whose bit is set; the others stay where they are. */
GL_MUST bool gdb_continue_some(struct gdb *g, uint64_t cpus);
/* One instruction on one processor; the others stay where they are. */
GL_MUST bool gdb_step(struct gdb *g, unsigned cpu);
/* Stops a running machine and waits for it; another stop may come first. */
GL_MUST bool gdb_interrupt(struct gdb *g, struct gdb_stop *out);

/* Waits for the stop of a running machine. False with `why` empty: not yet, `deadline` (of now_us()) is over. */
GL_MUST bool gdb_wait(struct gdb *g, uint64_t deadline, struct gdb_stop *out);

#endif
