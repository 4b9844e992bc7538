/* SPDX-License-Identifier: BSD-3-Clause */
/* GETSEC: what each leaf does, and every rule that stops it. */
#include <stdio.h>
#include <stdlib.h>

#include "evp.h"
#include "txt_rule_cases.h"
#include "txt_world.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	w.machine = (struct smx_machine){ .config = &w.smx, .chipset = &w.chipset, .memory = &w.memory, .trace = &w.trace };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(&w);
	return 0;
}

/* In a measured environment, ready for the leaf. */
static void in_mle(uint32_t leaf)
{
	w.cpu.senter = true;
	w.cpu.eax = leaf;
	w.cpu.ebx = 0;
}

/* clang-format off */
static void no_smx(void) { w.smx.cpuid_smx = false; }
static void smxe(void) { w.cpu.smxe = false; }
static void leaf_1(void) { w.cpu.eax = 1; }
static void leaf_9(void) { w.cpu.eax = 9; }
static void leaf_huge(void) { w.cpu.eax = 0xffffffff; }
static void leaf_not_had(void) { w.smx.capabilities &= ~(1u << SMX_SENTER); }
static void chipset(void) { w.smx.capabilities &= ~1u; }
static void vmx(void) { w.cpu.vmx_root = true; }
static void pe(void) { w.cpu.cr0 &= ~SMX_CR0_PE; }
static void cd(void) { w.cpu.cr0 |= SMX_CR0_CD; }
static void nw(void) { w.cpu.cr0 |= SMX_CR0_NW; }
static void ne(void) { w.cpu.cr0 &= ~SMX_CR0_NE; }
static void cpl(void) { w.cpu.cpl = 3; }
static void vm86(void) { w.cpu.eflags |= SMX_EFLAGS_VM; }
static void bsp(void) { w.cpu.apic_base &= ~(uint64_t)SMX_APIC_BASE_BSP; }
static void in_mle_already(void) { w.cpu.senter = true; }
static void smm(void) { w.cpu.in_smm = true; }
static void tpm(void) { w.smx.tpm = false; }
static void edx(void) { w.cpu.edx = 1; }
static void feature_lock(void) { w.smx.feature_control &= ~1ull; }
static void feature_senter(void) { w.smx.feature_control &= ~0x8000ull; }
static void feature_functions(void) { w.smx.senter_functions = 1; w.cpu.edx = 1; w.smx.feature_control &= ~0x100ull; }
static void txt_reset(void) { w.chipset.value[CHIPSET_ESTS] = CHIPSET_ESTS_TXT_RESET; }
static void mce(void) { w.smx.preserves_mce = false; w.cpu.uncorrected_mce = true; }
static void mcip(void) { w.cpu.mcg_status = SMX_MCG_STATUS_MCIP; }
static void acm_alignment(void) { w.cpu.ebx += 64; }
static void acm_size(void) { w.cpu.ecx += 32; }
static void acm_small(void) { w.cpu.ecx = 1152; }
static void acm_zero(void) { w.cpu.ecx = 0; }
static void acm_large(void) { w.cpu.ecx = 0x40040; }
static void acm_4g(void) { w.cpu.ebx = 0xfffff000; }
static void acm_nowhere(void) { w.cpu.ebx = 0x80000000; }
static void acm_version(void) { world_put(&w, WORLD_SINIT + 8, 0x30000, 4); }
static void acm_module_type(void) { world_put(&w, WORLD_SINIT, 3, 2); }
static void acm_claimed(void) { w.cpu.ecx -= 64; }
static void acm_header(void) { world_put(&w, WORLD_SINIT + 4, 0xffffffff, 4); }
static void acm_scratch(void) { world_put(&w, WORLD_SINIT + 124, 0x10000, 4); }
static void acm_key_size(void) { world_put(&w, WORLD_SINIT + 120, 0x40000000, 4); }
static void acm_key(void) { w.dpr[WORLD_SINIT - WORLD_HEAP + 130]++; }
static void acm_control(void) { world_put(&w, WORLD_SINIT + 32, 0x100, 4); }
static void acm_gdt_low(void) { world_put(&w, WORLD_SINIT + 44, 0x100, 4); }
static void acm_gdt_high(void) { world_put(&w, WORLD_SINIT + 40, 0xffffffff, 4); }
/* clang-format on */
static void acm_gdt_limit(void)
{
	w.recipe.size = 0x20000;
	world_build(&w);
	w.cpu.ecx = w.recipe.size;
	world_put(&w, WORLD_SINIT + 40, 0x10000, 4);
}
/* clang-format off */
static void acm_entry_low(void) { world_put(&w, WORLD_SINIT + 52, 0x4bf, 4); }
static void acm_entry_high(void) { world_put(&w, WORLD_SINIT + 52, 0x10000, 4); }
static void acm_sel_null(void) { world_put(&w, WORLD_SINIT + 48, 0, 4); }
static void acm_sel_rpl(void) { world_put(&w, WORLD_SINIT + 48, 11, 4); }
static void acm_sel_limit(void) { world_put(&w, WORLD_SINIT + 48, 24, 4); }
static void sexit_outside(void) { w.cpu.eax = SMX_SEXIT; }
static void wakeup_outside(void) { w.cpu.eax = SMX_WAKEUP; }
static void smctrl_outside(void) { w.cpu.eax = SMX_SMCTRL; }
static void sexit_vmx(void) { in_mle(SMX_SEXIT); w.cpu.vmx_root = true; }
static void sexit_cpl(void) { in_mle(SMX_SEXIT); w.cpu.cpl = 1; }
static void wakeup_ap(void) { in_mle(SMX_WAKEUP); bsp(); }
static void smctrl_ebx(void) { in_mle(SMX_SMCTRL); w.cpu.ebx = 1; }
static void exitac(void) { w.cpu.eax = SMX_EXITAC; }
static void enteraccs_key(void) { w.cpu.eax = SMX_ENTERACCS; acm_key(); }
/* clang-format on */

static const struct smx_case {
	void (*change)(void);
	enum smx_rule rule;
	unsigned code; /* of the TXT shutdown */
} cases[] = {
#define CASE(f, r, code) { f, SMX_RULE_##r, code },
	SMX_CASES(CASE)
};

static void check(const struct smx_case *c)
{
	struct smx_cpu before;
	struct smx_result r;

	c->change();
	before = w.cpu;
	r = smx_getsec(&w.machine, &w.cpu);
	if (r.rule != c->rule)
		fprintf(stderr, "%s instead of %s\n", smx_rule_info(r.rule)->id, smx_rule_info(c->rule)->id);
	assert_int_equal(r.rule, c->rule);
	/* A fault leaves everything as it was. */
	assert_memory_equal(&before, &w.cpu, sizeof(before));
	assert_string_equal(txt_trace_failure(&w.trace)->rule, smx_rule_info(c->rule)->id);
	if (!c->code) {
		assert_int_equal(r.outcome, SMX_FAULT);
		assert_true(smx_rule_info(r.rule)->fault == SMX_UD || smx_rule_info(r.rule)->fault == SMX_GP);
		assert_int_equal(chipset_get(&w.chipset, CHIPSET_ERRORCODE), 0);
		return;
	}
	assert_int_equal(r.outcome, SMX_RESET);
	assert_int_equal(smx_rule_info(r.rule)->fault, SMX_SHUTDOWN);
	assert_int_equal(chipset_get(&w.chipset, CHIPSET_ERRORCODE), 0x80000000u | c->code);
	assert_true(chipset_get(&w.chipset, CHIPSET_ESTS) & CHIPSET_ESTS_TXT_RESET);
	/* Nothing was measured. */
	assert_false(w.drtm);
}

static void test_each_rule(void **state)
{
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		teardown(state);
		setup(state);
		if (cases[i].change == acm_version)
			w.smx.acm_version_mask = 0xffff0000;
		check(&cases[i]);
	}
}

static void test_capabilities(void **state)
{
	(void)state;
	w.cpu.eax = SMX_CAPABILITIES;
	w.cpu.ebx = 0;
	w.cpu.cpl = 3; /* any ring may ask */
	assert_int_equal(smx_getsec(&w.machine, &w.cpu).outcome, SMX_NEXT);
	assert_int_equal(w.cpu.eax, 0x1fd);
	w.cpu.eax = SMX_CAPABILITIES;
	w.cpu.ebx = 1;
	assert_int_equal(smx_getsec(&w.machine, &w.cpu).outcome, SMX_NEXT);
	assert_int_equal(w.cpu.eax, 0);
}

static void test_parameters(void **state)
{
	static const struct {
		uint32_t eax, ebx, ecx;
	} want[] = {
		{ 1, 0xffffffff, 0 },
		{ 0x40002, 0, 0 },
		{ 0x4103, 0, 0 },
		{ 0x504, 0, 0 },
		{ 0x65, 0, 0 },
		{ 0, 0, 0 },
		{ 0, 0, 0 },
	};

	(void)state;
	w.smx.senter_functions = 5;
	for (uint32_t i = 0; i < GL_COUNT(want); i++) {
		w.cpu.eax = SMX_PARAMETERS;
		w.cpu.ebx = i;
		w.cpu.ecx = 0x55;
		assert_int_equal(smx_getsec(&w.machine, &w.cpu).outcome, SMX_NEXT);
		assert_int_equal(w.cpu.eax, want[i].eax);
		assert_int_equal(w.cpu.ebx, want[i].ebx);
		assert_int_equal(w.cpu.ecx, want[i].ecx);
	}
}

static void test_senter(void **state)
{
	(void)state;
	assert_int_equal(smx_getsec(&w.machine, &w.cpu).outcome, SMX_RUN_SINIT);
	assert_int_equal(w.machine.acm_size, w.recipe.size);
	assert_memory_equal(w.machine.acm, world_at(&w, WORLD_SINIT, w.recipe.size), w.recipe.size);
	/* tboot's parameter with machine check errors logged: no matter on this processor. */
	w.cpu.uncorrected_mce = true;
	assert_int_equal(smx_getsec(&w.machine, &w.cpu).outcome, SMX_RUN_SINIT);
	w.cpu.eax = SMX_ENTERACCS;
	assert_int_equal(smx_getsec(&w.machine, &w.cpu).outcome, SMX_RUN_BIOS_ACM);
}

static void test_life_of_an_mle(void **state)
{
	(void)state;
	assert_int_equal(world_senter(&w), SMX_OK);
	smx_enter_mle(&w.cpu, w.result.entry, w.result.ptab, WORLD_SINIT);
	assert_true(w.cpu.senter && w.cpu.smi_masked && w.cpu.smxe);
	assert_int_equal(w.cpu.cr4, 0);
	assert_int_equal(w.cpu.eflags, 2);
	assert_int_equal(w.cpu.cr0, SMX_CR0_PE | SMX_CR0_NE);

	w.cpu.eax = SMX_SMCTRL;
	w.cpu.ebx = 0;
	assert_int_equal(smx_getsec(&w.machine, &w.cpu).outcome, SMX_NEXT);
	assert_false(w.cpu.smi_masked);
	w.cpu.eax = SMX_WAKEUP;
	assert_int_equal(smx_getsec(&w.machine, &w.cpu).outcome, SMX_WAKE_OTHERS);

	assert_true(chipset_sts(&w.chipset) & CHIPSET_STS_SENTER_DONE);
	assert_int_equal(chipset_localities(&w.chipset), 1 | 4);
	w.cpu.eax = SMX_SEXIT;
	assert_int_equal(smx_getsec(&w.machine, &w.cpu).outcome, SMX_LEFT);
	assert_false(w.cpu.senter);
	assert_int_equal(chipset_sts(&w.chipset) & (CHIPSET_STS_SENTER_DONE | CHIPSET_STS_SEXIT_DONE), CHIPSET_STS_SEXIT_DONE);
	assert_int_equal(chipset_localities(&w.chipset), 1);
	/* Another launch may follow. */
	w.cpu.eax = SMX_SENTER;
	w.cpu.ebx = WORLD_SINIT;
	w.cpu.ecx = w.recipe.size;
	assert_int_equal(smx_getsec(&w.machine, &w.cpu).outcome, SMX_RUN_SINIT);
}

static void put_join(uint32_t limit, uint32_t selector)
{
	w.chipset.value[CHIPSET_MLE_JOIN] = 0x5000;
	world_put(&w, 0x5000, limit, 4);
	world_put(&w, 0x5004, 0x123000, 4);
	world_put(&w, 0x5008, selector, 4);
	world_put(&w, 0x500c, 0x456000, 4);
}

static void test_join(void **state)
{
	struct smx_cpu ap = { .number = 1, .cr0 = SMX_CR0_PE | SMX_CR0_PG | SMX_CR0_CD, .apic_base = 0xfee00000 };

	(void)state;
	smx_rendezvous(&ap);
	assert_true(ap.senter && ap.waits_wakeup);
	put_join(0x1f, 8);
	assert_int_equal(smx_join(&w.machine, &ap).outcome, SMX_NEXT);
	assert_false(ap.waits_wakeup);
	assert_int_equal(ap.eip, 0x456000);
	assert_int_equal(ap.gdt_base, 0x123000);
	assert_int_equal(ap.gdt_limit, 0x1f);
	assert_int_equal(ap.cs, 8);
	assert_int_equal(ap.ds, 16);
	assert_int_equal(ap.cr0, SMX_CR0_PE | SMX_CR0_NE);
}

static void test_join_rules(void **state)
{
	static const struct {
		uint32_t limit, selector;
		enum smx_rule rule;
	} rows[] = {
		{ 0x10000, 8, SMX_RULE_JOIN_LIMIT },
		{ 0x1f, 0, SMX_RULE_JOIN_SELECTOR },
		{ 0x1f, 9, SMX_RULE_JOIN_SELECTOR },
		{ 0x1f, 12, SMX_RULE_JOIN_SELECTOR },
		{ 0x1f, 24, SMX_RULE_JOIN_SELECTOR },
		{ 7, 8, SMX_RULE_JOIN_SELECTOR },
	};
	struct smx_cpu ap = { .number = 1 };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		put_join(rows[i].limit, rows[i].selector);
		struct smx_result r = smx_join(&w.machine, &ap);

		assert_int_equal(r.outcome, SMX_RESET);
		assert_int_equal(r.rule, rows[i].rule);
		assert_int_equal(chipset_get(&w.chipset, CHIPSET_ERRORCODE), 0x8000000b);
	}
	w.chipset.value[CHIPSET_MLE_JOIN] = 0x80000000;
	assert_int_equal(smx_join(&w.machine, &ap).rule, SMX_RULE_JOIN_MEMORY);
}

static void test_cpuid(void **state)
{
	uint32_t ecx = 0;

	(void)state;
	smx_cpuid(&w.smx, 1, &ecx);
	assert_int_equal(ecx, 0x60);
	ecx = 0xffffffff;
	w.smx.cpuid_smx = w.smx.cpuid_vmx = false;
	smx_cpuid(&w.smx, 1, &ecx);
	assert_int_equal(ecx, 0xffffff9f);
	ecx = 0xffffffff;
	smx_cpuid(&w.smx, 7, &ecx);
	assert_int_equal(ecx, 0xffffffff);
}

static void test_cr4(void **state)
{
	uint64_t native = 0;

	(void)state;
	w.cpu.smxe = false;
	assert_int_equal(smx_cr4_read(&w.cpu, 0x20), 0x20);
	assert_int_equal(smx_cr4_write(&w.smx, &w.cpu, 0x4020, &native).outcome, SMX_NEXT);
	assert_int_equal(native, 0x20);
	assert_int_equal(smx_cr4_read(&w.cpu, native), 0x4020);
	assert_int_equal(smx_cr4_write(&w.smx, &w.cpu, 0x20, &native).outcome, SMX_NEXT);
	assert_int_equal(smx_cr4_read(&w.cpu, native), 0x20);
	w.smx.cpuid_smx = false;
	assert_int_equal(smx_cr4_write(&w.smx, &w.cpu, 0x4000, &native).rule, SMX_RULE_CR4);
	assert_int_equal(native, 0x20);
}

static void test_msrs(void **state)
{
	uint64_t v = 1;

	(void)state;
	assert_int_equal(smx_rdmsr(&w.smx, SMX_MSR_FEATURE_CONTROL, &v).outcome, SMX_NEXT);
	assert_int_equal(v, 0xff07);
	w.smx.platform_id = 0x14000000000000;
	assert_int_equal(smx_rdmsr(&w.smx, SMX_MSR_PLATFORM_ID, &v).outcome, SMX_NEXT);
	assert_int_equal(v, 0x14000000000000);
	assert_int_equal(smx_rdmsr(&w.smx, SMX_MSR_SMM_MONITOR_CTL, &v).outcome, SMX_NEXT);
	assert_int_equal(v, 0);
	assert_int_equal(smx_rdmsr(&w.smx, 0x10, &v).outcome, SMX_NATIVE);
	assert_int_equal(smx_wrmsr(&w.smx, SMX_MSR_FEATURE_CONTROL, 0).rule, SMX_RULE_MSR_LOCKED);
	assert_int_equal(smx_wrmsr(&w.smx, SMX_MSR_PLATFORM_ID, 0).rule, SMX_RULE_MSR_READ_ONLY);
	assert_int_equal(smx_wrmsr(&w.smx, 0x10, 0).outcome, SMX_NATIVE);
}

static void test_all_rules_have_a_case(void **state);

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_each_rule, setup, teardown),
	cmocka_unit_test(test_all_rules_have_a_case),
	cmocka_unit_test_setup_teardown(test_capabilities, setup, teardown),
	cmocka_unit_test_setup_teardown(test_parameters, setup, teardown),
	cmocka_unit_test_setup_teardown(test_senter, setup, teardown),
	cmocka_unit_test_setup_teardown(test_life_of_an_mle, setup, teardown),
	cmocka_unit_test_setup_teardown(test_join, setup, teardown),
	cmocka_unit_test_setup_teardown(test_join_rules, setup, teardown),
	cmocka_unit_test_setup_teardown(test_cpuid, setup, teardown),
	cmocka_unit_test_setup_teardown(test_cr4, setup, teardown),
	cmocka_unit_test_setup_teardown(test_msrs, setup, teardown),
};

static void test_all_rules_have_a_case(void **state)
{
#define HERE(r, f) { SMX_RULE_##r, f },
	static const struct {
		enum smx_rule rule;
		void (*test)(void **);
	} elsewhere[] = { { SMX_OK, NULL }, SMX_ELSEWHERE(HERE) };

	(void)state;
	for (enum smx_rule r = 0; r < SMX_RULES; r++) {
		bool found = false;

		for (size_t i = 0; i < GL_COUNT(cases); i++)
			found = found || cases[i].rule == r;
		for (size_t i = 0; i < GL_COUNT(elsewhere); i++)
			found = found ||
			        (elsewhere[i].rule == r && (!elsewhere[i].test || is_listed(tests, GL_COUNT(tests), elsewhere[i].test)));
		if (!found)
			fprintf(stderr, "no case for %s\n", smx_rule_info(r)->id);
		assert_true(found);
		for (enum smx_rule k = r + 1; k < SMX_RULES; k++)
			assert_string_not_equal(smx_rule_info(r)->id, smx_rule_info(k)->id);
	}
}

int main(void)
{
	return cmocka_run_group_tests_name("txt_smx", tests, NULL, NULL);
}
