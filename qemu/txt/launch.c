/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/platform_impl.h"

bool platform_txt_reset(struct platform *p, const char *rule)
{
	p->outcome.txt_resets++;
	p->outcome.rule = rule;
	p->outcome.errorcode = (uint32_t)chipset_get(&p->chipset, CHIPSET_ERRORCODE);
	txt_trace_add(&p->trace, TXT_CHIPSET, TXT_INFO, "txt-reset", "Intel TXT SDG 315168-016 B.1.2, B.1.3", false,
		"the machine is reset; TXT.ERRORCODE 0x%08x", p->outcome.errorcode);
	if (!qmp_execute(&p->m.qmp, "system_reset", NULL, NULL))
		return platform_fail(p, "%s", p->m.qmp.why);
	return true;
}

/* The processor's registers as SENTER leaves them. Control registers only where they differ: QEMU's stub writes them with all side effects. */
static bool enter(struct platform *p, unsigned cpu, const struct gdb_regs *regs, const struct sinit_result *r)
{
	struct smx_cpu *c = &p->cpu[cpu];
	struct gdb_regs now = *regs;

	smx_enter_mle(c, r->entry, r->ptab, (uint32_t)regs->r[GDB_RBX]);
	machine_from_smx(c, &now);
	now.r[GDB_CR0] = (regs->r[GDB_CR0] & ~(uint64_t)UINT32_MAX) | c->cr0;
	now.r[GDB_CR4] = (regs->r[GDB_CR4] & ~(uint64_t)UINT32_MAX) | c->cr4;
	now.r[GDB_EFER] = c->efer;
	if (platform_in_long_mode(regs))
		return platform_fail(p, "SENTER in 64-bit mode is not modelled: the loader must leave it before");
	if (!gdb_regs_write(&p->m.gdb, cpu, regs, &now))
		return platform_fail(p, "%s", p->m.gdb.why);
	return true;
}

bool platform_launch(struct platform *p, unsigned cpu, struct gdb_regs *regs, struct span acm)
{
	/* clang-format off */
	const struct sinit_input in = {
		.acm = acm, .acm_base = (uint32_t)regs->r[GDB_RBX], .edx = (uint32_t)regs->r[GDB_RDX], .platform = &p->sinit,
		.chipset = &p->chipset, .memory = &p->memory, .tpm = &p->tpm, .policy = &sinit_lcp, .trace = &p->trace,
	};
	/* clang-format on */
	struct sinit_result r;

	sinit_run(&in, &r);
	if (r.rule == TXT_RULE_MACHINE)
		return platform_fail(p, "the machine failed in SENTER: %s", p->m.gdb.why[0] ? p->m.gdb.why : p->link.why);
	p->outcome.drtm |= r.measured;
	if (r.has_mle_hash) {
		p->outcome.has_mle_hash = true;
		p->outcome.mle_hash = r.mle_hash;
		p->outcome.banks = r.banks;
	}
	if (!r.launched) {
		p->outcome.senter = PLATFORM_RESET;
		return platform_txt_reset(p, txt_rule_info(r.rule)->id);
	}
	platform_render(p);
	if (!platform_localities(p) || !platform_park(p, cpu) || !enter(p, cpu, regs, &r))
		return false;
	p->outcome.senter = PLATFORM_LAUNCHED;
	p->outcome.launches++;
	p->outcome.rule = NULL;
	return true;
}
