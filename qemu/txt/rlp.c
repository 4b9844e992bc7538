/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "qemu/txt/platform_impl.h"

/*
 * The responding processors. After SENTER they sleep until WAKEUP, or a write to the address that SINIT tells, makes them join the MLE. QEMU's
 * processors sleep so after INIT, and wake by SIPI, which starts them in real mode: code of ours leads them into the state that they must have.
 * INIT and SIPI are sent by the bootstrap processor itself, for one instruction of ours, with the shorthand "all but self" (SDM volume 3A, 10.6.1).
 */
#define ICR_LOW 0xfee00300u
#define ICR_INIT 0x000c4500u
#define ICR_SIPI 0x000c4600u
/* Any page below 1 MiB: its content comes back before anybody else runs. */
#define TRAMPOLINE 0x8f000u
#define TRAMPOLINE_SIZE 64
#define SPIN 39
#define GDT_POINTER 48
#define CR0_JOIN (SMX_CR0_PE | 0x10u | SMX_CR0_NE)
#define JOIN_US 10000000

static bool gdb_failed(struct platform *p)
{
	return platform_fail(p, "%s", p->m.gdb.why);
}

/* mov dword [ICR_LOW], value: executed by the processor `cpu`, whose state is as before then. */
static bool send_ipi(struct platform *p, unsigned cpu, uint32_t value)
{
	struct gdb *g = &p->m.gdb;
	uint32_t stub = p->config.chipset.dpr_top - PLATFORM_STUB;
	uint8_t code[16] = { 0xc7, 0x05 };
	struct wr w = wr_init((struct mspan){ code + 2, 8 });
	struct gdb_regs was, now, after;

	wr_le32(&w, ICR_LOW);
	wr_le32(&w, value);
	if (!gdb_regs(g, cpu, &was) || !gdb_write(g, stub, SPAN_OF(code)))
		return gdb_failed(p);
	now = was;
	now.r[GDB_RIP] = stub;
	if (!gdb_regs_write(g, cpu, &was, &now) || !gdb_step(g, cpu) || !gdb_regs(g, cpu, &after))
		return gdb_failed(p);
	if (after.r[GDB_RIP] != stub + 10)
		return platform_fail(p, "the bootstrap processor cannot reach the others: its segments are not flat, or paging is on");
	return gdb_regs_write(g, cpu, &after, &was) || gdb_failed(p);
}

bool platform_park(struct platform *p, unsigned cpu)
{
	for (unsigned i = 0; i < p->m.gdb.cpus; i++)
		if (i != cpu)
			smx_rendezvous(&p->cpu[i]);
	return p->m.gdb.cpus == 1 || send_ipi(p, cpu, ICR_INIT);
}

/* From reset state to protected mode with the segments of TXT.MLE.JOIN; ends in a jump to itself. */
static void make_trampoline(const struct smx_cpu *c, uint8_t out[TRAMPOLINE_SIZE])
{
	struct wr w = wr_init((struct mspan){ out, TRAMPOLINE_SIZE });
	static const uint8_t segments[] = { 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0x8e, 0xe0, 0x8e, 0xe8, 0xeb, 0xfe };

	memset(out, 0, TRAMPOLINE_SIZE);
	wr_bytes(&w, SPAN_LITERAL("\xfa\x2e\x66\x0f\x01\x16")); /* cli; lgdt cs:[GDT_POINTER] */
	wr_le16(&w, GDT_POINTER);
	wr_bytes(&w, SPAN_LITERAL("\x66\xb8")); /* mov eax, CR0_JOIN */
	wr_le32(&w, CR0_JOIN);
	wr_bytes(&w, SPAN_LITERAL("\x0f\x22\xc0\x66\xea")); /* mov cr0, eax; jmp far cs:.. */
	wr_le32(&w, TRAMPOLINE + 25);
	wr_le16(&w, c->cs);
	wr_bytes(&w, SPAN_LITERAL("\x66\xb8")); /* mov ax, ds */
	wr_le16(&w, c->ds);
	wr_bytes(&w, SPAN_OF(segments)); /* mov ds, es, ss, fs, gs, ax; jmp $ */
	assert(w.off == SPIN + 2);
	w.off = GDT_POINTER;
	wr_le16(&w, c->gdt_limit);
	wr_le32(&w, c->gdt_base);
	assert(!w.bad);
}

/* Lets the waiting processors run until each spins at the trampoline's end. */
static bool lead(struct platform *p, uint64_t waiting)
{
	uint64_t deadline = now_us() + JOIN_US;
	struct gdb *g = &p->m.gdb;
	struct gdb_stop stop;
	struct gdb_regs r;

	if (!gdb_break(g, TRAMPOLINE + SPIN, true))
		return gdb_failed(p);
	while (waiting) {
		if (!gdb_continue_some(g, waiting))
			return gdb_failed(p);
		if (!gdb_wait(g, deadline, &stop))
			return platform_fail(
				p, "%s", g->why[0] ? g->why : "a processor does not join the MLE: is the GDT of TXT.MLE.JOIN sound?");
		if (stop.kind == GDB_STOP_EXIT)
			return platform_fail(p, "the machine ended while processors joined the MLE");
		for (unsigned i = 0; i < g->cpus; i++) {
			if (!(waiting >> i & 1))
				continue;
			if (!gdb_regs(g, i, &r))
				return gdb_failed(p);
			if (r.r[GDB_RIP] == TRAMPOLINE + SPIN)
				waiting &= ~((uint64_t)1 << i);
		}
	}
	return gdb_break(g, TRAMPOLINE + SPIN, false) || gdb_failed(p);
}

/* Into the state that smx_join() gave: the rest of it is set already. */
static bool enter(struct platform *p, unsigned cpu)
{
	struct gdb_regs was, now;

	if (!gdb_regs(&p->m.gdb, cpu, &was))
		return gdb_failed(p);
	now = was;
	machine_from_smx(&p->cpu[cpu], &now);
	p->outcome.joined++;
	return gdb_regs_write(&p->m.gdb, cpu, &was, &now) || gdb_failed(p);
}

bool platform_wake(struct platform *p, unsigned cpu)
{
	struct smx_machine s = { .config = &p->config.smx, .chipset = &p->chipset, .memory = &p->memory, .trace = &p->trace };
	uint8_t kept[TRAMPOLINE_SIZE], code[TRAMPOLINE_SIZE];
	struct gdb *g = &p->m.gdb;
	const struct smx_cpu *any = NULL;
	uint64_t waiting = 0;

	for (unsigned i = 0; i < g->cpus; i++) {
		struct smx_result r;

		if (!p->cpu[i].waits_wakeup)
			continue;
		r = smx_join(&s, &p->cpu[i]);
		if (r.outcome == SMX_RESET)
			return platform_txt_reset(p, smx_rule_info(r.rule)->id);
		waiting |= (uint64_t)1 << i;
		any = &p->cpu[i];
	}
	if (!any)
		return true;
	make_trampoline(any, code);
	if (!gdb_read(g, TRAMPOLINE, (struct mspan){ kept, sizeof(kept) }) || !gdb_write(g, TRAMPOLINE, SPAN_OF(code)))
		return gdb_failed(p);
	if (!send_ipi(p, cpu, ICR_SIPI | TRAMPOLINE >> 12) || !lead(p, waiting))
		return false;
	if (!gdb_write(g, TRAMPOLINE, SPAN_OF(kept)))
		return gdb_failed(p);
	for (unsigned i = 0; i < g->cpus; i++)
		if (waiting >> i & 1 && !enter(p, i))
			return false;
	return true;
}
