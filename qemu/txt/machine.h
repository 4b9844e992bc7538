/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_MACHINE_H
#define GL_TXT_MACHINE_H

#include "qemu/txt/gdb.h"
#include "txt/heap.h"
#include "qemu/txt/shm.h"
#include "qemu/txt/smx.h"

/* QEMU's memory and processors in the terms of the model. */
#define MACHINE_MAX_RAM 64

struct machine {
	struct gdb gdb;
	struct qmp qmp;
	struct shm regs;                       /* both TXT register spaces */
	struct shm area;                       /* heap and SINIT area */
	struct txt_range ram[MACHINE_MAX_RAM]; /* in ascending order */
	unsigned ram_count;
};

/*
 * RAM out of the monitor's "info mtree -f": the flat view of the address space "memory", regions of type ram whose name is `name` ("pc.ram").
 * Neighbours are put together. False if there is none, or more than fit.
 */
GL_MUST bool machine_parse_ram(const char *text, const char *name, struct txt_range *out, unsigned max, unsigned *count);

/* Fills m->ram. */
GL_MUST bool machine_find_ram(struct machine *m, const char *name, char *why, size_t why_size);

/* RAM as memory descriptor records; returns how many. */
unsigned machine_mdrs(const struct machine *m, struct heap_mdr *out, unsigned max);

/* Guest memory: RAM through the gdbstub, the shared area directly, nothing else. */
struct txt_memory machine_memory(struct machine *m);

/* The processor's registers into the model's, without what is only the model's. */
void machine_to_smx(const struct gdb_regs *r, struct smx_cpu *out);

/* General registers, EIP and EFLAGS back. The upper halves of those whose lower ones are as they were stay. */
void machine_from_smx(const struct smx_cpu *c, struct gdb_regs *out);

#endif
