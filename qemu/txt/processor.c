/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "qemu/txt/platform_impl.h"

/* Instructions whose own length is that of GETSEC and WRMSR, and which fault or are harmless. */
#define PATCH_SIZE 2

static bool gdb_failed(struct platform *p)
{
	return platform_fail(p, "%s", p->m.gdb.why);
}

/* Lets the machine execute the instruction itself. */
static bool native(struct platform *p, unsigned cpu, uint64_t at)
{
	struct gdb *g = &p->m.gdb;
	struct gdb_regs after;

	if (!gdb_step(g, cpu) || !gdb_regs(g, cpu, &after))
		return gdb_failed(p);
	if (after.r[GDB_RIP] != at)
		return true;
	/* A stub that does not step over its own breakpoints. */
	if (!gdb_break(g, at, false) || !gdb_step(g, cpu) || !gdb_break(g, at, true))
		return gdb_failed(p);
	return true;
}

/*
 * #GP(0) at this instruction: MOV SS, AX with a null selector in its place, whose #GP(0) has the same frame (SDM volume 2B, MOV). The step ends
 * at the first instruction of the guest's handler; AX gets its value back there.
 */
static bool raise_gp(struct platform *p, unsigned cpu, const struct gdb_regs *regs)
{
	static const uint8_t mov_ss_ax[PATCH_SIZE] = { 0x8e, 0xd0 };
	uint64_t at = regs->r[GDB_RIP];
	struct gdb *g = &p->m.gdb;
	struct gdb_regs null = *regs, after, back;
	uint8_t kept[PATCH_SIZE];

	null.r[GDB_RAX] = 0;
	if (!gdb_read(g, at, (struct mspan){ kept, sizeof(kept) }) || !gdb_write(g, at, SPAN_OF(mov_ss_ax)) ||
	    !gdb_regs_write(g, cpu, regs, &null) || !gdb_step(g, cpu) || !gdb_write(g, at, SPAN_OF(kept)) || !gdb_regs(g, cpu, &after))
		return gdb_failed(p);
	back = after;
	back.r[GDB_RAX] = regs->r[GDB_RAX];
	return gdb_regs_write(g, cpu, &after, &back) || gdb_failed(p);
}

/* The processor refuses. #UD is what the machine itself says to GETSEC. */
static bool raise(struct platform *p, unsigned cpu, const struct gdb_regs *regs, enum smx_rule rule)
{
	const struct smx_rule_info *info = smx_rule_info(rule);

	p->outcome.rule = info->id;
	return info->fault == SMX_GP ? raise_gp(p, cpu, regs) : native(p, cpu, regs->r[GDB_RIP]);
}

/* Behind the instruction, with the model's registers. */
static bool next(struct platform *p, unsigned cpu, const struct gdb_regs *regs, const struct trap *t)
{
	struct gdb_regs now = *regs;

	machine_from_smx(&p->cpu[cpu], &now);
	now.r[GDB_RIP] = regs->r[GDB_RIP] + t->length;
	return gdb_regs_write(&p->m.gdb, cpu, regs, &now) || gdb_failed(p);
}

static bool do_cpuid(struct platform *p, unsigned cpu, struct gdb_regs *regs)
{
	struct gdb_regs after, now;
	uint32_t ecx;

	if (!native(p, cpu, regs->r[GDB_RIP]))
		return false;
	if ((uint32_t)regs->r[GDB_RAX] != 1)
		return true;
	if (!gdb_regs(&p->m.gdb, cpu, &after))
		return gdb_failed(p);
	now = after;
	ecx = (uint32_t)after.r[GDB_RCX];
	smx_cpuid(&p->config.smx, 1, &ecx);
	now.r[GDB_RCX] = ecx;
	return gdb_regs_write(&p->m.gdb, cpu, &after, &now) || gdb_failed(p);
}

static bool do_msr(struct platform *p, unsigned cpu, struct gdb_regs *regs, const struct trap *t)
{
	uint32_t msr = (uint32_t)regs->r[GDB_RCX];
	uint64_t value = (uint32_t)regs->r[GDB_RAX] | regs->r[GDB_RDX] << 32;
	struct smx_result r;

	if (t->kind == TRAP_WRMSR) {
		r = smx_wrmsr(&p->config.smx, msr, value);
		return r.outcome == SMX_FAULT ? raise(p, cpu, regs, r.rule) : native(p, cpu, regs->r[GDB_RIP]);
	}
	r = smx_rdmsr(&p->config.smx, msr, &value);
	if (r.outcome == SMX_NATIVE)
		return native(p, cpu, regs->r[GDB_RIP]);
	p->cpu[cpu].eax = (uint32_t)value;
	p->cpu[cpu].edx = (uint32_t)(value >> 32);
	return next(p, cpu, regs, t);
}

/* The machine's processor has no SMXE: the bit is kept here, and stripped from what it gets to see. */
static bool do_cr4(struct platform *p, unsigned cpu, struct gdb_regs *regs, const struct trap *t)
{
	/* Register numbers of instructions in the stub's order. */
	static const enum gdb_reg order[8] = { GDB_RAX, GDB_RCX, GDB_RDX, GDB_RBX, GDB_RSP, GDB_RBP, GDB_RSI, GDB_RDI };
	enum gdb_reg reg = order[t->reg];
	struct gdb *g = &p->m.gdb;
	struct gdb_regs after, now = *regs;
	struct smx_result r;

	if (t->kind == TRAP_CR4_READ) {
		if (!native(p, cpu, regs->r[GDB_RIP]))
			return false;
		if (!gdb_regs(g, cpu, &after))
			return gdb_failed(p);
		now = after;
		now.r[reg] = smx_cr4_read(&p->cpu[cpu], after.r[reg]);
		return gdb_regs_write(g, cpu, &after, &now) || gdb_failed(p);
	}
	r = smx_cr4_write(&p->config.smx, &p->cpu[cpu], regs->r[reg], &now.r[reg]);
	if (r.outcome == SMX_FAULT)
		return native(p, cpu, regs->r[GDB_RIP]);
	if (!gdb_regs_write(g, cpu, regs, &now))
		return gdb_failed(p);
	if (!native(p, cpu, regs->r[GDB_RIP]))
		return false;
	if (!gdb_regs(g, cpu, &after))
		return gdb_failed(p);
	now = after;
	if (after.r[GDB_RIP] == regs->r[GDB_RIP] + t->length)
		now.r[reg] = regs->r[reg];
	return gdb_regs_write(g, cpu, &after, &now) || gdb_failed(p);
}

static void free_acm(struct smx_machine *m)
{
	free(m->acm);
}

static bool do_getsec(struct platform *p, unsigned cpu, struct gdb_regs *regs, const struct trap *t)
{
	__attribute__((cleanup(free_acm))) struct smx_machine s = {
		.config = &p->config.smx, .chipset = &p->chipset, .memory = &p->memory, .trace = &p->trace,
	};
	bool senter = (uint32_t)regs->r[GDB_RAX] == SMX_SENTER;
	struct smx_result r = smx_getsec(&s, &p->cpu[cpu]);
	uint64_t from = now_us();
	bool ok;

	p->outcome.senters += senter;
	switch (r.outcome) {
	case SMX_NEXT:
		return next(p, cpu, regs, t);
	case SMX_LEFT:
		p->outcome.sexits++;
		platform_render(p);
		return platform_localities(p) && next(p, cpu, regs, t);
	case SMX_WAKE_OTHERS:
		return platform_wake(p, cpu) && next(p, cpu, regs, t);
	case SMX_RUN_SINIT:
		ok = platform_launch(p, cpu, regs, (struct span){ s.acm, s.acm_size });
		p->outcome.senter_us += now_us() - from;
		return ok;
	case SMX_RESET:
		if (senter)
			p->outcome.senter = PLATFORM_RESET;
		return platform_txt_reset(p, smx_rule_info(r.rule)->id);
	case SMX_RUN_BIOS_ACM:
		return platform_fail(p, "the guest entered a BIOS ACM, which is not modelled");
	case SMX_FAULT:
		if (senter)
			p->outcome.senter = PLATFORM_REFUSED;
		return raise(p, cpu, regs, r.rule);
	case SMX_NATIVE:
		break;
	}
	return native(p, cpu, regs->r[GDB_RIP]);
}

bool platform_trap(struct platform *p, unsigned cpu, struct gdb_regs *regs, const struct trap *t)
{
	p->outcome.stops[t->kind]++;
	machine_to_smx(regs, &p->cpu[cpu]);
	switch ((enum trap_kind)t->kind) {
	case TRAP_CPUID:
		return do_cpuid(p, cpu, regs);
	case TRAP_RDMSR:
	case TRAP_WRMSR:
		return do_msr(p, cpu, regs, t);
	case TRAP_CR4_READ:
	case TRAP_CR4_WRITE:
		return do_cr4(p, cpu, regs, t);
	case TRAP_GETSEC:
		return do_getsec(p, cpu, regs, t);
	case TRAP_KINDS:
		break;
	}
	return native(p, cpu, regs->r[GDB_RIP]);
}
