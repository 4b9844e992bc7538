/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "qemu/txt/platform_impl.h"

/* Instructions whose own length is that of GETSEC and WRMSR, and which fault with the value here in RAX. */
#define PATCH_SIZE 2
static const struct {
	uint8_t code[PATCH_SIZE];
	uint64_t rax;
} general_protection[] = {
	/* MOV SS, AX with a null selector (SDM volume 2B, MOV). 64-bit mode allows that. */
	[TRAP_MODE_32] = { { 0x8e, 0xd0 }, 0 },
	/* MOV AL, [RAX] with an address that is not canonical (SDM volume 1, 3.3.7.1). */
	[TRAP_MODE_64] = { { 0x8a, 0x00 }, UINT64_C(1) << 63 },
};

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
 * #GP(0) at this instruction: another one in its place, whose #GP(0) has the same frame. The step ends at the first instruction of the guest's
 * handler; RAX gets its value back there.
 */
static bool raise_gp(struct platform *p, unsigned cpu, const struct gdb_regs *regs)
{
	enum trap_mode mode = platform_in_long_mode(regs) ? TRAP_MODE_64 : TRAP_MODE_32;
	struct span code = SPAN_OF(general_protection[mode].code);
	uint64_t at = regs->r[GDB_RIP];
	struct gdb *g = &p->m.gdb;
	struct gdb_regs faulting = *regs, after, back;
	uint8_t kept[PATCH_SIZE];

	faulting.r[GDB_RAX] = general_protection[mode].rax;
	if (!gdb_read(g, at, (struct mspan){ kept, sizeof(kept) }) || !gdb_write(g, at, code) || !gdb_regs_write(g, cpu, regs, &faulting) ||
		!gdb_step(g, cpu) || !gdb_write(g, at, SPAN_OF(kept)) || !gdb_regs(g, cpu, &after))
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

/* A rule of registers other than GETSEC's, which tells its own. */
static bool refuse(struct platform *p, unsigned cpu, const struct gdb_regs *regs, enum smx_rule rule, const char *what, uint32_t number)
{
	const struct smx_rule_info *info = smx_rule_info(rule);

	txt_trace_add(&p->trace, TXT_CPU, TXT_FAIL, info->id, info->source, info->deduced, "%s 0x%x: %s: #GP(0)", what, (unsigned)number,
		info->text);
	return raise(p, cpu, regs, rule);
}

/* Behind the instruction, with the model's registers. EAX and EDX, which RDMSR writes, and EAX, which GETSEC does, lose their upper halves. */
static bool next(struct platform *p, unsigned cpu, const struct gdb_regs *regs, const struct trap *t)
{
	struct gdb_regs now = *regs;

	machine_from_smx(&p->cpu[cpu], &now);
	now.r[GDB_RAX] = p->cpu[cpu].eax;
	if (t->kind == TRAP_RDMSR)
		now.r[GDB_RDX] = p->cpu[cpu].edx;
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
	/* Only the machine has this one; SENTER asks for it. */
	if (t->kind == TRAP_WRMSR && (uint32_t)regs->r[GDB_RCX] == SMX_MSR_MCG_STATUS)
		p->cpu[cpu].mcg_status = (uint32_t)regs->r[GDB_RAX] | regs->r[GDB_RDX] << 32;

	uint32_t msr = (uint32_t)regs->r[GDB_RCX];
	uint64_t value = (uint32_t)regs->r[GDB_RAX] | regs->r[GDB_RDX] << 32;
	struct smx_result r;

	if (t->kind == TRAP_WRMSR) {
		r = smx_wrmsr(&p->config.smx, msr, value);
		return r.outcome == SMX_FAULT ? refuse(p, cpu, regs, r.rule, "WRMSR", msr) : native(p, cpu, regs->r[GDB_RIP]);
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
	/* clang-format off */
	static const enum gdb_reg order[16] = {
		GDB_RAX, GDB_RCX, GDB_RDX, GDB_RBX, GDB_RSP, GDB_RBP, GDB_RSI, GDB_RDI,
		GDB_R8, GDB_R9, GDB_R10, GDB_R11, GDB_R12, GDB_R13, GDB_R14, GDB_R15,
	};
	/* clang-format on */
	enum gdb_reg reg = order[t->reg & 15];
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
	/* The machine, whose CR4 has no such bit, says the same. */
	if (r.outcome == SMX_FAULT)
		return refuse(p, cpu, regs, r.rule, "CR4", (uint32_t)regs->r[reg]);
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
	/* clang-format off */
	__attribute__((cleanup(free_acm))) struct smx_machine s = {
		.config = &p->config.smx, .chipset = &p->chipset, .memory = &p->memory, .trace = &p->trace,
	};
	/* clang-format on */
	bool senter = (uint32_t)regs->r[GDB_RAX] == SMX_SENTER;
	struct smx_result r = smx_getsec(&s, &p->cpu[cpu]);
	unsigned resets = p->outcome.txt_resets;
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
		if (!platform_wake(p, cpu))
			return false;
		/* A reset machine's registers are no longer ours to write. */
		return p->outcome.txt_resets != resets || next(p, cpu, regs, t);
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
	/* All but CPUID and GETSEC are for ring 0: the machine itself refuses. */
	if (p->cpu[cpu].cpl != 0 && t->kind != TRAP_CPUID && t->kind != TRAP_GETSEC)
		return native(p, cpu, regs->r[GDB_RIP]);
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
