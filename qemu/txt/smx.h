/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_SMX_H
#define GL_TXT_SMX_H

#include "lcp/acm.h"
#include "qemu/txt/chipset.h"

/*
 * The processor's side of TXT, on a structure with its registers: the feature bits, the MSRs and CR4.SMXE, and the GETSEC instruction with all its
 * leaves. Intel SDM volume 2D, chapter 7 "Safer Mode Extensions Reference" (325462-083); what a broken rule does is in the operation section of
 * each leaf there. Whoever drives the machine fills the structure from its registers, calls, and writes it back.
 */

/* CPUID.1:ECX */
#define SMX_CPUID_VMX 0x20u
#define SMX_CPUID_SMX 0x40u
#define SMX_CR4_SMXE 0x4000u
#define SMX_CR4_VMXE 0x2000u

#define SMX_CR0_PE 0x00000001u
#define SMX_CR0_NE 0x00000020u
#define SMX_CR0_WP 0x00010000u
#define SMX_CR0_AM 0x00040000u
#define SMX_CR0_NW 0x20000000u
#define SMX_CR0_CD 0x40000000u
#define SMX_CR0_PG 0x80000000u
#define SMX_EFLAGS_VM 0x00020000u

#define SMX_MSR_PLATFORM_ID 0x017u
#define SMX_MSR_APIC_BASE 0x01bu
#define SMX_APIC_BASE_BSP 0x100u
#define SMX_MSR_FEATURE_CONTROL 0x03au
#define SMX_MSR_SMM_MONITOR_CTL 0x09bu
#define SMX_MSR_MCG_CAP 0x179u
#define SMX_MSR_MCG_STATUS 0x17au
#define SMX_MCG_STATUS_MCIP 0x4u
/* IA32_FEATURE_CONTROL: locked, VMX inside and outside of SMX, all functions of SENTER, SENTER itself. */
#define SMX_FEATURE_LOCK 0x0001u
#define SMX_FEATURE_VMX_IN_SMX 0x0002u
#define SMX_FEATURE_VMX_OUT_SMX 0x0004u
#define SMX_FEATURE_SENTER_FUNCTIONS 0x7f00u
#define SMX_FEATURE_SENTER 0x8000u

enum smx_leaf {
	SMX_CAPABILITIES = 0,
	SMX_ENTERACCS = 2,
	SMX_EXITAC = 3,
	SMX_SENTER = 4,
	SMX_SEXIT = 5,
	SMX_PARAMETERS = 6,
	SMX_SMCTRL = 7,
	SMX_WAKEUP = 8,
	SMX_LEAVES
};

/* What the processor can do. smx_config_usual() has all leaves and the values of a client processor. */
struct smx_config {
	bool cpuid_smx, cpuid_vmx;              /* feature bits that the guest sees */
	uint32_t capabilities;                  /* answer of CAPABILITIES: bit 0 a TXT chipset is there, bit n leaf n */
	uint32_t acm_version_mask, acm_version; /* PARAMETERS type 1: versions of modules that it takes */
	uint32_t acm_max_size;                  /* type 2, in bytes */
	uint32_t acm_memory_types;              /* type 3, bits 8-12 and 14 */
	uint32_t senter_functions;              /* type 4: bits of SENTER's EDX that it has, 7 bits */
	bool scrtm;                             /* type 5: processor-based S-CRTM */
	bool preserves_mce;                     /* type 5: machine check errors do not stop SENTER */
	uint64_t feature_control, platform_id;
	bool tpm;     /* a TPM is there */
	uint32_t fms; /* CPUID(1).EAX */
};

struct smx_config smx_config_usual(void);

/* One logical processor. */
struct smx_cpu {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp;
	uint32_t eip, eflags, cr0, cr4; /* cr4 as the machine has it: without SMXE */
	uint64_t efer;
	uint32_t dr7;
	unsigned cpl;
	uint64_t apic_base; /* MSR 0x1b */
	uint64_t mcg_status;
	bool uncorrected_mce; /* some IA32_MCi_STATUS says so */
	bool in_smm, vmx_root;
	unsigned number; /* from 0; 0 is the bootstrap processor */

	/* Not in the machine's registers: kept here between calls. */
	bool smxe;         /* CR4.SMXE as the guest set it */
	bool senter;       /* SENTERFLAG: in the measured environment */
	bool smi_masked;   /* since SENTER, until SMCTRL */
	bool waits_wakeup; /* a responding processor: in SENTER's sleep state until WAKEUP */

	/* Set by smx_enter_mle() and smx_join(): flat segments with these selectors; gdt_set tells that GDTR is to be loaded. */
	bool flat, gdt_set;
	uint16_t cs, ds;
	uint32_t gdt_base;
	uint16_t gdt_limit;
};

/* Rules of the processor, in the order of the SDM's operation sections. */
enum smx_rule {
	SMX_OK,
	SMX_RULE_NO_SMX, /* CPUID has no SMX */
	SMX_RULE_SMXE,
	SMX_RULE_LEAF,
	SMX_RULE_CHIPSET,
	SMX_RULE_VMX,
	SMX_RULE_PE,
	SMX_RULE_CD,
	SMX_RULE_NW,
	SMX_RULE_NE,
	SMX_RULE_CPL,
	SMX_RULE_VM86,
	SMX_RULE_BSP,
	SMX_RULE_IN_MLE, /* SENTERFLAG is set */
	SMX_RULE_NOT_IN_MLE,
	SMX_RULE_NOT_IN_ACM, /* EXITAC outside of a module */
	SMX_RULE_SMM,
	SMX_RULE_TPM,
	SMX_RULE_EDX,
	SMX_RULE_FEATURE_LOCK,
	SMX_RULE_FEATURE_SENTER,
	SMX_RULE_FEATURE_FUNCTIONS,
	SMX_RULE_TXT_RESET, /* TXT.ESTS, TXT_RESET.STS */
	SMX_RULE_MCE,
	SMX_RULE_MCIP,
	SMX_RULE_ACM_ALIGNMENT,
	SMX_RULE_ACM_SIZE, /* no multiple of 64 */
	SMX_RULE_ACM_SMALL,
	SMX_RULE_ACM_LARGE,
	SMX_RULE_ACM_4G,
	SMX_RULE_SMCTRL_EBX,
	/* TXT shutdowns */
	SMX_RULE_ACM_MEMORY,
	SMX_RULE_ACM_VERSION,
	SMX_RULE_ACM_MODULE_TYPE,
	SMX_RULE_ACM_HEADER,
	SMX_RULE_ACM_CLAIMED_SIZE,
	SMX_RULE_ACM_KEY,
	SMX_RULE_ACM_CONTROL,
	SMX_RULE_ACM_GDT,
	SMX_RULE_ACM_ENTRY,
	SMX_RULE_ACM_SEGMENT,
	SMX_RULE_JOIN_MEMORY,
	SMX_RULE_JOIN_LIMIT,
	SMX_RULE_JOIN_SELECTOR,
	/* CR4, MSRs */
	SMX_RULE_CR4,
	SMX_RULE_MSR_LOCKED,
	SMX_RULE_MSR_READ_ONLY,
	SMX_RULES
};

enum smx_fault {
	SMX_NO_FAULT,
	SMX_UD,
	SMX_GP,
	SMX_SHUTDOWN, /* TXT shutdown: a processor code in TXT.ERRORCODE and a reset */
};

struct smx_rule_info {
	const char *id, *text, *source;
	enum smx_fault fault;
	uint8_t shutdown; /* the processor's code, with SMX_SHUTDOWN */
	bool deduced;
};

/* Never NULL. */
const struct smx_rule_info *smx_rule_info(enum smx_rule r);

/* What comes of an instruction. */
enum smx_outcome {
	SMX_NEXT,         /* done: registers are new; go on behind the instruction (EIP is the caller's) */
	SMX_FAULT,        /* raise #UD, or #GP(0), at the instruction: `rule` */
	SMX_RESET,        /* TXT shutdown: chipset_shutdown() was called; reset the machine */
	SMX_RUN_SINIT,    /* SENTER: the module is accepted; call sinit_run() */
	SMX_RUN_BIOS_ACM, /* ENTERACCS: accepted; a BIOS module's functions are not modelled */
	SMX_WAKE_OTHERS,  /* WAKEUP: smx_join() for each processor that waits; then as SMX_NEXT */
	SMX_LEFT,         /* SEXIT: as SMX_NEXT */
	SMX_NATIVE,       /* nothing of ours: let the machine execute it */
};

struct smx_result {
	enum smx_outcome outcome;
	enum smx_rule rule; /* SMX_OK, or the one that is broken */
};

/* Everything that GETSEC looks at. */
struct smx_machine {
	const struct smx_config *config;
	struct chipset *chipset;
	const struct txt_memory *memory;
	struct txt_trace *trace; /* may be NULL */
	/* SENTER and ENTERACCS: the module is copied here (malloc), acm_size bytes; the caller frees it. */
	uint8_t *acm;
	size_t acm_size;
};

/*
 * Executes GETSEC on the processor `cpu`, whose EAX selects the leaf. Registers of `cpu` are changed only as outcome SMX_NEXT, SMX_WAKE_OTHERS
 * and SMX_LEFT say.
 */
GL_MUST struct smx_result smx_getsec(struct smx_machine *m, struct smx_cpu *cpu);

const char *smx_leaf_name(uint32_t leaf);

/*
 * The state in which SINIT leaves the bootstrap processor to the MLE: SDG appendix E, state after SINIT. 32-bit flat, paging off, EFLAGS 2,
 * EIP = EBX = entry, ECX = page table, EBP = base of SINIT, EDX = its parameter; CR4 only SMXE.
 */
void smx_enter_mle(struct smx_cpu *cpu, uint32_t entry, uint32_t ptab, uint32_t sinit_base);

/* A responding processor has got the SENTER message: it waits for WAKEUP. */
void smx_rendezvous(struct smx_cpu *cpu);

/*
 * A waiting processor is woken: it takes its state from the structure that TXT.MLE.JOIN points to {u32 GDT limit, GDT base, selector, EIP} (SDM
 * 7.3, WAKEUP; SDG 2.3). SMX_RESET if that is wrong.
 */
GL_MUST struct smx_result smx_join(struct smx_machine *m, struct smx_cpu *cpu);

/* ---- feature bits, CR4, MSRs ---- */

/* What CPUID returned natively for `leaf` becomes what this processor says. */
void smx_cpuid(const struct smx_config *f, uint32_t leaf, uint32_t *ecx);

/* A read of CR4: the machine's value with the guest's SMXE. */
uint64_t smx_cr4_read(const struct smx_cpu *cpu, uint64_t native);
/* A write: `*native` is what to write instead, without SMXE, which is remembered. SMX_FAULT if SMX is not there. */
GL_MUST struct smx_result smx_cr4_write(const struct smx_config *f, struct smx_cpu *cpu, uint64_t value, uint64_t *native);

/* SMX_NEXT with `*value`, or SMX_NATIVE. */
GL_MUST struct smx_result smx_rdmsr(const struct smx_config *f, uint32_t msr, uint64_t *value);
/* SMX_NATIVE or SMX_FAULT. */
GL_MUST struct smx_result smx_wrmsr(const struct smx_config *f, uint32_t msr, uint64_t value);

#endif
