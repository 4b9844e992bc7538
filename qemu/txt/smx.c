/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/smx.h"

#include "qemu/txt/smx_acm.h"

#define SDM "Intel SDM 2D 7.3 "
/* A new EFLAGS has only the bit that is always 1. */
#define EFLAGS_CLEAR 0x2u
#define DR7_CLEAR 0x400u

static const char *const leaf_names[SMX_LEAVES] = {
	[SMX_CAPABILITIES] = "CAPABILITIES",
	[SMX_ENTERACCS] = "ENTERACCS",
	[SMX_EXITAC] = "EXITAC",
	[SMX_SENTER] = "SENTER",
	[SMX_SEXIT] = "SEXIT",
	[SMX_PARAMETERS] = "PARAMETERS",
	[SMX_SMCTRL] = "SMCTRL",
	[SMX_WAKEUP] = "WAKEUP",
};

const char *smx_leaf_name(uint32_t leaf)
{
	return leaf < SMX_LEAVES && leaf_names[leaf] ? leaf_names[leaf] : "reserved";
}

struct smx_config smx_config_usual(void)
{
	return (struct smx_config){
		.cpuid_smx = true,
		.cpuid_vmx = true,
		.capabilities = 0x1fd,
		.acm_version_mask = 0xffffffffu,
		.acm_version = 0,
		.acm_max_size = 0x40000,
		.acm_memory_types = 0x4100, /* uncacheable, write-back */
		.preserves_mce = true,
		.scrtm = true,
		.feature_control = 0xff07,
		.tpm = true,
	};
}

static struct smx_result result(enum smx_outcome outcome)
{
	return (struct smx_result){ outcome, SMX_OK };
}

struct smx_result smx_broken(struct smx_machine *m, uint32_t leaf, enum smx_rule rule)
{
	static const char *const faults[] = { "", "#UD", "#GP(0)", "TXT shutdown" };
	const struct smx_rule_info *info = smx_rule_info(rule);

	txt_trace_add(m->trace, TXT_CPU, TXT_FAIL, info->id, info->source, info->deduced, "GETSEC[%s]: %s: %s", smx_leaf_name(leaf),
		info->text, faults[info->fault]);
	if (info->fault != SMX_SHUTDOWN)
		return (struct smx_result){ SMX_FAULT, rule };
	chipset_shutdown(m->chipset, info->shutdown);
	return (struct smx_result){ SMX_RESET, rule };
}

/* What each leaf asks of the processor, besides SMXE and that it is there. One row a condition, in the SDM's order. */
enum need {
	NEED_CHIPSET = 1 << 0,
	NEED_NO_VMX = 1 << 1,
	NEED_PE = 1 << 2,
	NEED_CACHE = 1 << 3,
	NEED_NE = 1 << 4,
	NEED_RING0 = 1 << 5, /* and no virtual 8086 mode */
	NEED_BSP = 1 << 6,
	NEED_OUT = 1 << 7, /* outside of a measured environment */
	NEED_IN = 1 << 8,
	NEED_NO_SMM = 1 << 9,
};

#define NEED_MODE (NEED_PE | NEED_RING0 | NEED_NO_SMM | NEED_CHIPSET)

static const unsigned needs[SMX_LEAVES] = {
	[SMX_ENTERACCS] = NEED_MODE | NEED_NO_VMX | NEED_CACHE | NEED_NE | NEED_BSP | NEED_OUT,
	[SMX_SENTER] = NEED_MODE | NEED_NO_VMX | NEED_CACHE | NEED_NE | NEED_BSP | NEED_OUT,
	[SMX_SEXIT] = NEED_MODE | NEED_NO_VMX | NEED_BSP | NEED_IN,
	[SMX_SMCTRL] = NEED_PE | NEED_RING0 | NEED_NO_SMM | NEED_IN,
	[SMX_WAKEUP] = NEED_MODE | NEED_NO_VMX | NEED_BSP | NEED_IN,
};

static enum smx_rule check_needs(const struct smx_machine *m, const struct smx_cpu *c, unsigned need)
{
	const struct {
		unsigned need;
		bool broken;
		enum smx_rule rule;
	} rows[] = {
		{ NEED_NO_VMX, c->vmx_root, SMX_RULE_VMX },
		{ NEED_PE, !(c->cr0 & SMX_CR0_PE), SMX_RULE_PE },
		{ NEED_CACHE, c->cr0 & SMX_CR0_CD, SMX_RULE_CD },
		{ NEED_CACHE, c->cr0 & SMX_CR0_NW, SMX_RULE_NW },
		{ NEED_NE, !(c->cr0 & SMX_CR0_NE), SMX_RULE_NE },
		{ NEED_RING0, c->cpl != 0, SMX_RULE_CPL },
		{ NEED_RING0, c->eflags & SMX_EFLAGS_VM, SMX_RULE_VM86 },
		{ NEED_BSP, !(c->apic_base & SMX_APIC_BASE_BSP), SMX_RULE_BSP },
		{ NEED_CHIPSET, !(m->config->capabilities & 1), SMX_RULE_CHIPSET },
		{ NEED_OUT, c->senter, SMX_RULE_IN_MLE },
		{ NEED_IN, !c->senter, SMX_RULE_NOT_IN_MLE },
		{ NEED_NO_SMM, c->in_smm, SMX_RULE_SMM },
	};

	for (size_t i = 0; i < GL_COUNT(rows); i++)
		if ((rows[i].need & need) && rows[i].broken)
			return rows[i].rule;
	return SMX_OK;
}

/* PARAMETERS: EBX selects, the type in EAX bits 4:0 says what the answer is. Type 0 ends the list. */
static void parameters(const struct smx_config *f, struct smx_cpu *c)
{
	const struct {
		uint32_t eax, ebx, ecx;
	} answers[] = {
		{ 1, f->acm_version_mask, f->acm_version },
		{ 2 | (f->acm_max_size & ~0x1fu), 0, 0 },
		{ 3 | (f->acm_memory_types & ~0x1fu), 0, 0 },
		{ 4 | (f->senter_functions & 0x7f) << 8, 0, 0 },
		{ 5 | (f->scrtm ? 0x20u : 0) | (f->preserves_mce ? 0x40u : 0), 0, 0 },
	};
	uint32_t i = c->ebx;
	bool there = i < GL_COUNT(answers);

	c->eax = there ? answers[i].eax : 0;
	c->ebx = there ? answers[i].ebx : 0;
	c->ecx = there ? answers[i].ecx : 0;
}

static enum smx_rule check_senter(const struct smx_machine *m, const struct smx_cpu *c)
{
	const struct smx_config *f = m->config;
	uint64_t enabled = f->feature_control >> 8 & 0x7f;

	if (!f->tpm)
		return SMX_RULE_TPM;
	if (c->edx & ~(f->senter_functions & 0x7f))
		return SMX_RULE_EDX;
	if (!(f->feature_control & SMX_FEATURE_LOCK))
		return SMX_RULE_FEATURE_LOCK;
	if (!(f->feature_control & SMX_FEATURE_SENTER))
		return SMX_RULE_FEATURE_SENTER;
	if (c->edx & ~enabled)
		return SMX_RULE_FEATURE_FUNCTIONS;
	return SMX_OK;
}

static enum smx_rule check_machine_checks(const struct smx_machine *m, const struct smx_cpu *c)
{
	if (chipset_get(m->chipset, CHIPSET_ESTS) & CHIPSET_ESTS_TXT_RESET)
		return SMX_RULE_TXT_RESET;
	if (!m->config->preserves_mce && c->uncorrected_mce)
		return SMX_RULE_MCE;
	if (c->mcg_status & SMX_MCG_STATUS_MCIP)
		return SMX_RULE_MCIP;
	return SMX_OK;
}

static struct smx_result enter(struct smx_machine *m, struct smx_cpu *c, uint32_t leaf)
{
	enum smx_rule rule = leaf == SMX_SENTER ? check_senter(m, c) : SMX_OK;

	if (!rule)
		rule = check_machine_checks(m, c);
	if (!rule)
		rule = smx_load_acm(m, c);
	if (rule)
		return smx_broken(m, leaf, rule);
	return result(leaf == SMX_SENTER ? SMX_RUN_SINIT : SMX_RUN_BIOS_ACM);
}

static struct smx_result leave(struct smx_machine *m, struct smx_cpu *c)
{
	struct chipset *s = m->chipset;

	c->senter = c->smi_masked = false;
	for (unsigned i = 0; i < s->config.threads; i++)
		chipset_join(s, i, false);
	chipset_close_locality2(s);
	txt_trace_add(m->trace, TXT_CPU, TXT_INFO, "sexit", SDM "GETSEC[SEXIT]", false, "the measured environment is left%s%s",
		chipset_secrets(s) ? "; secrets are still in memory" : "", s->private_open ? "; the private space is still open" : "");
	return result(SMX_LEFT);
}

static struct smx_result simple(struct smx_machine *m, struct smx_cpu *c, uint32_t leaf)
{
	switch (leaf) {
	case SMX_CAPABILITIES:
		c->eax = c->ebx == 0 ? m->config->capabilities : 0;
		break;
	case SMX_PARAMETERS:
		parameters(m->config, c);
		break;
	case SMX_SMCTRL:
		if (c->ebx != 0)
			return smx_broken(m, leaf, SMX_RULE_SMCTRL_EBX);
		c->smi_masked = false;
		break;
	default:
		return smx_broken(m, leaf, SMX_RULE_LEAF);
	}
	txt_trace_add(m->trace, TXT_CPU, TXT_INFO, "getsec", SDM, false, "GETSEC[%s]: EAX 0x%08x", smx_leaf_name(leaf), (unsigned)c->eax);
	return result(SMX_NEXT);
}

struct smx_result smx_getsec(struct smx_machine *m, struct smx_cpu *cpu)
{
	uint32_t leaf = cpu->eax;
	enum smx_rule rule = SMX_OK;

	if (!m->config->cpuid_smx)
		rule = SMX_RULE_NO_SMX;
	else if (!cpu->smxe)
		rule = SMX_RULE_SMXE;
	/* CAPABILITIES itself is there on every processor with SMX; bits 0 and 1 of its answer are no leaves. */
	else if (leaf != SMX_CAPABILITIES && (leaf < 2 || leaf >= SMX_LEAVES || !(m->config->capabilities >> leaf & 1)))
		rule = SMX_RULE_LEAF;
	else if (leaf == SMX_EXITAC)
		rule = SMX_RULE_NOT_IN_ACM;
	else
		rule = check_needs(m, cpu, needs[leaf]);
	if (rule)
		return smx_broken(m, leaf, rule);
	switch (leaf) {
	case SMX_SENTER:
	case SMX_ENTERACCS:
		return enter(m, cpu, leaf);
	case SMX_SEXIT:
		return leave(m, cpu);
	case SMX_WAKEUP:
		txt_trace_add(m->trace, TXT_CPU, TXT_INFO, "wakeup", SDM "GETSEC[WAKEUP]", false, "the other processors are woken");
		return result(SMX_WAKE_OTHERS);
	default:
		return simple(m, cpu, leaf);
	}
}

/* What SENTER, and the way back from the module, make of the processor's mode. */
static void set_mode(struct smx_cpu *c)
{
	c->cr0 = (c->cr0 & ~(SMX_CR0_PG | SMX_CR0_AM | SMX_CR0_WP | SMX_CR0_CD | SMX_CR0_NW)) | SMX_CR0_PE | SMX_CR0_NE;
	c->cr4 = 0;
	c->smxe = true;
	c->efer = 0;
	c->eflags = EFLAGS_CLEAR;
	c->dr7 = DR7_CLEAR;
	c->cpl = 0;
	c->senter = true;
	c->flat = true;
}

void smx_enter_mle(struct smx_cpu *cpu, uint32_t entry, uint32_t ptab, uint32_t sinit_base)
{
	set_mode(cpu);
	cpu->smi_masked = true;
	cpu->eip = cpu->ebx = entry;
	cpu->ecx = ptab;
	cpu->ebp = sinit_base;
}

void smx_rendezvous(struct smx_cpu *cpu)
{
	cpu->senter = cpu->smi_masked = cpu->waits_wakeup = true;
}

struct smx_result smx_join(struct smx_machine *m, struct smx_cpu *cpu)
{
	uint8_t bytes[16];
	struct rd r = rd_init(SPAN_OF(bytes));

	if (!m->memory->read(m->memory->ctx, chipset_get(m->chipset, CHIPSET_MLE_JOIN), (struct mspan){ bytes, sizeof(bytes) }))
		return smx_broken(m, SMX_WAKEUP, SMX_RULE_JOIN_MEMORY);

	uint32_t limit = rd_le32(&r), base = rd_le32(&r), selector = rd_le32(&r), eip = rd_le32(&r);

	if (limit > 0xffff)
		return smx_broken(m, SMX_WAKEUP, SMX_RULE_JOIN_LIMIT);
	/* Null, a local table's or unprivileged, or without room for it and the next one: code and data. */
	if (selector < 8 || selector & 7 || limit < 15 || selector > limit - 15)
		return smx_broken(m, SMX_WAKEUP, SMX_RULE_JOIN_SELECTOR);
	set_mode(cpu);
	cpu->waits_wakeup = false;
	cpu->gdt_set = true;
	cpu->gdt_base = base;
	cpu->gdt_limit = (uint16_t)limit;
	cpu->cs = (uint16_t)selector;
	cpu->ds = (uint16_t)(selector + 8);
	cpu->eip = eip;
	txt_trace_add(m->trace, TXT_CPU, TXT_PASS, "join", SDM "GETSEC[WAKEUP]", false, "processor %u joins at 0x%08x", cpu->number,
		(unsigned)eip);
	return result(SMX_NEXT);
}

void smx_cpuid(const struct smx_config *f, uint32_t leaf, uint32_t *ecx)
{
	if (leaf != 1)
		return;
	*ecx &= ~(SMX_CPUID_VMX | SMX_CPUID_SMX);
	*ecx |= (f->cpuid_vmx ? SMX_CPUID_VMX : 0) | (f->cpuid_smx ? SMX_CPUID_SMX : 0);
}

uint64_t smx_cr4_read(const struct smx_cpu *cpu, uint64_t native)
{
	return (native & ~(uint64_t)SMX_CR4_SMXE) | (cpu->smxe ? SMX_CR4_SMXE : 0);
}

struct smx_result smx_cr4_write(const struct smx_config *f, struct smx_cpu *cpu, uint64_t value, uint64_t *native)
{
	if ((value & SMX_CR4_SMXE) && !f->cpuid_smx)
		return (struct smx_result){ SMX_FAULT, SMX_RULE_CR4 };
	cpu->smxe = value & SMX_CR4_SMXE;
	*native = value & ~(uint64_t)SMX_CR4_SMXE;
	return result(SMX_NEXT);
}

struct smx_result smx_rdmsr(const struct smx_config *f, uint32_t msr, uint64_t *value)
{
	if (msr == SMX_MSR_FEATURE_CONTROL)
		*value = f->feature_control;
	else if (msr == SMX_MSR_PLATFORM_ID)
		*value = f->platform_id;
	else if (msr == SMX_MSR_SMM_MONITOR_CTL)
		*value = 0;
	else
		return result(SMX_NATIVE);
	return result(SMX_NEXT);
}

struct smx_result smx_wrmsr(const struct smx_config *f, uint32_t msr, uint64_t value)
{
	(void)value;
	if (msr == SMX_MSR_FEATURE_CONTROL && (f->feature_control & SMX_FEATURE_LOCK))
		return (struct smx_result){ SMX_FAULT, SMX_RULE_MSR_LOCKED };
	if (msr == SMX_MSR_PLATFORM_ID)
		return (struct smx_result){ SMX_FAULT, SMX_RULE_MSR_READ_ONLY };
	return result(SMX_NATIVE);
}
