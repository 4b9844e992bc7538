/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* IA32_APIC_BASE after reset: SDM volume 3A, 10.4.4 */
#define APIC_BASE_USUAL 0xfee00800u

static bool add_ram(struct txt_range *out, unsigned max, unsigned *count, uint64_t from, uint64_t to)
{
	struct txt_range *last = *count ? &out[*count - 1] : NULL;

	if (to < from || to == UINT64_MAX)
		return false;
	if (last && from < last->base + last->size)
		return false;
	if (last && from == last->base + last->size) {
		last->size += to - from + 1;
		return true;
	}
	if (*count == max)
		return false;
	out[(*count)++] = (struct txt_range){ from, to - from + 1 };
	return true;
}

/*
 * The part of the text that we want looks so (QEMU 7.2, softmmu/memory.c mtree_print_flatview()):
 *   FlatView #1
 *    AS "memory", root: system
 *    Root memory region: system
 *     0000000000000000-000000000009ffff (prio 0, ram): pc.ram
 */
bool machine_parse_ram(const char *text, const char *name, struct txt_range *out, unsigned max, unsigned *count)
{
	bool memory = false;
	unsigned n = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");
		char line[256];
		uint64_t from, to;
		int at = 0;

		snprintf(line, sizeof(line), "%.*s", (int)(length < sizeof(line) ? length : sizeof(line) - 1), text);
		line[strcspn(line, "\r")] = '\0';
		text += length + (text[length] == '\n');
		if (strncmp(line, "FlatView", 8) == 0) {
			if (memory && n)
				break;
			memory = false;
		} else if (strstr(line, " AS \"memory\",")) {
			memory = true;
		}
		/* NOLINTNEXTLINE(cert-err34-c): QEMU's own addresses, 64 bits wide */
		if (!memory || sscanf(line, " %" SCNx64 "-%" SCNx64 " (prio %*d, ram): %n", &from, &to, &at) != 2 || at == 0)
			continue;
		/* "pc.ram @0000000000100000 KVM" */
		if (strncmp(line + at, name, strlen(name)) != 0 || (line[(size_t)at + strlen(name)] & ~' ') != 0)
			continue;
		if (!add_ram(out, max, &n, from, to))
			return false;
	}
	*count = n;
	return n > 0;
}

bool machine_find_ram(struct machine *m, const char *name, char *why, size_t why_size)
{
	char *text;
	bool ok;

	if (!qmp_monitor(&m->qmp, "info mtree -f", &text)) {
		snprintf(why, why_size, "%s", m->qmp.why);
		return false;
	}
	ok = machine_parse_ram(text, name, m->ram, MACHINE_MAX_RAM, &m->ram_count);
	if (!ok)
		snprintf(why, why_size, "the machine's memory map has no RAM of the name %s (--ram)", name);
	free(text);
	return ok;
}

unsigned machine_mdrs(const struct machine *m, struct heap_mdr *out, unsigned max)
{
	unsigned n = 0;

	for (; n < m->ram_count && n < max; n++)
		out[n] = (struct heap_mdr){ .range = m->ram[n], .type = HEAP_MDR_GOOD };
	return n;
}

static uint8_t *in_area(struct machine *m, struct txt_range want)
{
	if (m->area.base && txt_range_contains((struct txt_range){ m->area.base, m->area.size }, want))
		return m->area.bytes + (want.base - m->area.base);
	return NULL;
}

static bool in_ram(const struct machine *m, struct txt_range want)
{
	for (unsigned i = 0; i < m->ram_count; i++)
		if (txt_range_contains(m->ram[i], want))
			return true;
	return false;
}

static bool memory_read(void *ctx, uint64_t at, struct mspan out)
{
	struct machine *m = ctx;
	struct txt_range want = { at, out.n };
	const uint8_t *p = in_area(m, want);

	if (p) {
		memcpy(out.p, p, out.n);
		return true;
	}
	return in_ram(m, want) && gdb_read(&m->gdb, at, out);
}

static bool memory_write(void *ctx, uint64_t at, struct span in)
{
	struct machine *m = ctx;
	struct txt_range want = { at, in.n };
	uint8_t *p = in_area(m, want);

	if (p) {
		memcpy(p, in.p, in.n);
		return true;
	}
	return in_ram(m, want) && gdb_write(&m->gdb, at, in);
}

struct txt_memory machine_memory(struct machine *m)
{
	return (struct txt_memory){ memory_read, memory_write, m };
}

void machine_to_smx(const struct gdb_regs *r, struct smx_cpu *out)
{
	out->eax = (uint32_t)r->r[GDB_RAX];
	out->ebx = (uint32_t)r->r[GDB_RBX];
	out->ecx = (uint32_t)r->r[GDB_RCX];
	out->edx = (uint32_t)r->r[GDB_RDX];
	out->esi = (uint32_t)r->r[GDB_RSI];
	out->edi = (uint32_t)r->r[GDB_RDI];
	out->ebp = (uint32_t)r->r[GDB_RBP];
	out->esp = (uint32_t)r->r[GDB_RSP];
	out->eip = (uint32_t)r->r[GDB_RIP];
	out->eflags = (uint32_t)r->r[GDB_EFLAGS];
	out->cr0 = (uint32_t)r->r[GDB_CR0];
	out->cr4 = (uint32_t)r->r[GDB_CR4];
	out->efer = r->r[GDB_EFER];
	out->cpl = r->r[GDB_CR0] & SMX_CR0_PE ? (unsigned)r->r[GDB_CS] & 3 : 0;
	out->apic_base = APIC_BASE_USUAL | (out->number == 0 ? SMX_APIC_BASE_BSP : 0);
}

void machine_from_smx(const struct smx_cpu *c, struct gdb_regs *out)
{
	/* clang-format off */
	const struct {
		enum gdb_reg reg;
		uint32_t value;
	} rows[] = {
		{ GDB_RAX, c->eax }, { GDB_RBX, c->ebx }, { GDB_RCX, c->ecx }, { GDB_RDX, c->edx }, { GDB_RSI, c->esi }, { GDB_RDI, c->edi },
		{ GDB_RBP, c->ebp }, { GDB_RSP, c->esp }, { GDB_RIP, c->eip }, { GDB_EFLAGS, c->eflags },
	};
	/* clang-format on */

	for (size_t i = 0; i < GL_COUNT(rows); i++)
		if ((uint32_t)out->r[rows[i].reg] != rows[i].value)
			out->r[rows[i].reg] = rows[i].value;
}
