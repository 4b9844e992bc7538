/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/apply_machine.h"

#define KERNEL "console=ttyS0 root=/dev/vda"
#define VMM_PATH "/usr/bin/vmm"
#define FILE_PATH "/etc/vm/vm.json"
#define GEO 0x01c10110u

static const struct machine_module modules[] = {
	{ ROLE_DESCRIPTION, "launch.conf", "", "geolaunch 1" },
	{ ROLE_HYPERVISOR, "linux", KERNEL, "the kernel" },
	{ ROLE_INITRD, "initrd", "", "the initrd" },
	{ ROLE_VMM, "vmm", VMM_PATH, "the VM manager" },
	{ ROLE_FILE, "file-0", FILE_PATH, "the VM" },
};

static const alg_set bank_sets[] = {
	ALG_BIT(ALG_SHA256), ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256), ALG_BIT(ALG_SHA384), ALG_SET_ALL,
};

#define EVENTS_POLICY "17 policy", "18 policy"
#define EVENT_0 "17 module 0 description launch.conf"
#define EVENT_1 "19 module 1 hypervisor linux"
#define EVENT_2 "19 module 2 initrd initrd"
#define EVENT_3 "20 module 3 vmm vmm"
#define EVENT_4 "21 module 4 file file-0"
#define EVENTS_MODULES EVENT_0, EVENT_1, EVENT_2, EVENT_3, EVENT_4
#define EVENT_NV "22 nv 0x01c10110"
#define EVENT_CLOSING "17 closing"
#define EVENTS_ALL EVENTS_POLICY, EVENTS_MODULES, EVENT_NV, EVENT_CLOSING

/* What the policies of these tests list. */
static struct digests_of_modules {
	uint8_t module[GL_COUNT(modules)][DIGEST_MAX];
	uint8_t nv[DIGEST_MAX];
} good;

static const uint8_t wrong[DIGEST_MAX] = { 0x5a };
static struct machine m;

static struct span bytes_of(size_t i)
{
	return span_str(modules[i].bytes);
}

static void set_up(uint8_t type, enum alg hash, alg_set banks)
{
	machine_init(&m, type, hash, banks);
	for (size_t i = 0; i < GL_COUNT(modules); i++)
		oracle_module_digest(hash, span_str(modules[i].cmdline), bytes_of(i), good.module[i]);
	oracle_hash(hash, m.nv, (struct span){ NULL, 0 }, (struct span){ NULL, 0 }, good.nv);
}

/* The policy that build writes. */
static void usual_entries(void)
{
	static const uint8_t pcrs[] = { VLP_PCR_NONE, 19, 19, 20, 21 };

	for (uint8_t i = 0; i < GL_COUNT(modules); i++)
		machine_entry(&m, i, pcrs[i], i ? good.module[i] : NULL);
	machine_nv_entry(&m, false, GEO, good.nv);
}

static void usual(uint8_t type)
{
	set_up(type, ALG_SHA256, ALG_BIT(ALG_SHA256));
	usual_entries();
}

static enum vlp_action run_usual(void)
{
	return machine_run(&m, modules, GL_COUNT(modules));
}

static void oracle_to_nv(struct oracle *o)
{
	oracle_reset(o, m.banks);
	oracle_policy(o, 17, 1, m.apply.policy_bytes);
	oracle_policy(o, 18, 1, m.apply.policy_bytes);
	oracle_module(o, 17, span_str(""), bytes_of(0));
	oracle_module(o, 19, span_str(KERNEL), bytes_of(1));
	oracle_module(o, 19, span_str(""), bytes_of(2));
	oracle_module(o, 20, span_str(VMM_PATH), bytes_of(3));
	oracle_module(o, 21, span_str(FILE_PATH), bytes_of(4));
}

static void test_good(void **state)
{
	(void)state;
	for (size_t b = 0; b < GL_COUNT(bank_sets); b++)
		for (enum alg hash = 0; hash < ALG_COUNT; hash++)
			for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
				struct oracle o;

				set_up(type, hash, bank_sets[b]);
				usual_entries();
				assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
				assert_int_equal(m.apply.error, TB_ERR_NONE);
				machine_expect(&m, EVENTS_ALL, NULL);
				oracle_to_nv(&o);
				oracle_nv(&o, 22, false, m.nv);
				oracle_closing(&o);
				oracle_assert(&o, &m.pcrs);
			}
}

static void test_good_reports(void **state)
{
	static const char *const want[] = { EVENTS_POLICY, EVENTS_MODULES, EVENT_NV, EVENT_CLOSING };

	(void)state;
	usual(VLP_HALT);
	assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
	assert_int_equal(m.report_n, GL_COUNT(want));
	for (size_t i = 0; i < GL_COUNT(want); i++)
		assert_string_equal(m.report[i], want[i]);
}

static void test_no_reports_wanted(void **state)
{
	struct apply_ops ops;

	(void)state;
	usual(VLP_NONFATAL);
	ops = *m.apply.ops;
	ops.report = NULL;
	m.apply.ops = &ops;
	m.nv = span_str("elsewhere");
	assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
	machine_expect(&m, EVENTS_ALL, NULL);
	assert_int_equal(m.report_n, 0);
}

static void test_control_bit_clear(void **state)
{
	struct oracle o;

	(void)state;
	usual(VLP_HALT);
	m.policy.control = 0;
	assert_int_equal(apply_policy(&m.apply), VLP_ACT_CONTINUE);
	oracle_reset(&o, m.banks);
	oracle_policy(&o, 17, 0, m.apply.policy_bytes);
	oracle_policy(&o, 18, 0, m.apply.policy_bytes);
	oracle_assert(&o, &m.pcrs);
}

/* tboot 1.10.5, policy.c: continue, unmeasured, halt; a row per error number, a column per type nonfatal, continue, halt. */
static const char table[TB_ERR_MAX][4] = {
	[TB_ERR_NONE] = "ccc",
	[TB_ERR_FIXED] = "chh",
	[TB_ERR_GENERIC] = "chh",
	[TB_ERR_DMA_CORRUPTION_DETECTED] = "chh",
	[TB_ERR_TPM_NOT_READY] = "uhh",
	[TB_ERR_SMX_NOT_SUPPORTED] = "uhh",
	[TB_ERR_VMX_NOT_SUPPORTED] = "uhh",
	[TB_ERR_VTD_NOT_SUPPORTED] = "chh",
	[TB_ERR_TXT_NOT_SUPPORTED] = "uhh",
	[TB_ERR_MODULE_VERIFICATION_FAILED] = "cch",
	[TB_ERR_MODULES_NOT_IN_POLICY] = "chh",
	[TB_ERR_POLICY_INVALID] = "cch",
	[TB_ERR_POLICY_NOT_PRESENT] = "cch",
	[TB_ERR_SINIT_NOT_PRESENT] = "uhh",
	[TB_ERR_ACMOD_VERIFY_FAILED] = "uhh",
	[TB_ERR_POST_LAUNCH_VERIFICATION] = "chh",
	[TB_ERR_S3_INTEGRITY] = "chh",
	[TB_ERR_FATAL] = "hhh",
	[TB_ERR_NV_VERIFICATION_FAILED] = "cch",
	[TB_ERR_PREV_TXT_ERROR] = "chh",
};

static enum vlp_action action_of(enum tb_error e, uint8_t type)
{
	return table[e][type] == 'c' ? VLP_ACT_CONTINUE : table[e][type] == 'u' ? VLP_ACT_UNMEASURED : VLP_ACT_HALT;
}

static void test_every_error(void **state)
{
	(void)state;
	for (enum tb_error e = TB_ERR_FIXED; e < TB_ERR_MAX; e++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			struct oracle o;

			set_up(type, ALG_SHA256, ALG_SET_ALL);
			assert_int_equal(apply_error(&m.apply, e, CAP_START_FAILED), action_of(e, type));
			assert_int_equal(m.apply.error, e);
			assert_int_equal(m.apply.why, CAP_START_FAILED);
			oracle_reset(&o, m.banks);
			if (action_of(e, type) == VLP_ACT_HALT) {
				machine_expect_capped(&m, "start-failed", NULL);
				oracle_caps(&o, "start-failed");
			} else {
				machine_expect(&m, NULL);
			}
			oracle_assert(&o, &m.pcrs);
		}
}

/* What people are told: what stopped the launch, else what went wrong first. */
static void test_error_kept(void **state)
{
	(void)state;
	set_up(VLP_NONFATAL, ALG_SHA256, ALG_SET_ALL);
	assert_int_equal(apply_error(&m.apply, TB_ERR_MODULE_VERIFICATION_FAILED, CAP_MODULE_MISMATCH), VLP_ACT_CONTINUE);
	assert_int_equal(apply_error(&m.apply, TB_ERR_NV_VERIFICATION_FAILED, CAP_NV_MISMATCH), VLP_ACT_CONTINUE);
	assert_int_equal(m.apply.error, TB_ERR_MODULE_VERIFICATION_FAILED);
	assert_int_equal(m.apply.why, CAP_MODULE_MISMATCH);
	assert_int_equal(apply_error(&m.apply, TB_ERR_FATAL, CAP_START_FAILED), VLP_ACT_HALT);
	assert_int_equal(m.apply.error, TB_ERR_FATAL);
	assert_int_equal(m.apply.why, CAP_START_FAILED);
}

/* ---------------------------------------------------------------- modules */

static bool goes_on(enum tb_error e, uint8_t type)
{
	return action_of(e, type) == VLP_ACT_CONTINUE;
}

static void test_module_mismatch(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		bool on = goes_on(TB_ERR_MODULE_VERIFICATION_FAILED, type);

		usual(type);
		m.policy.entries[2].hashes.p = wrong;
		assert_int_equal(run_usual(), on ? VLP_ACT_CONTINUE : VLP_ACT_HALT);
		assert_int_equal(m.apply.error, TB_ERR_MODULE_VERIFICATION_FAILED);
		assert_int_equal(m.apply.why, CAP_MODULE_MISMATCH);
		assert_string_equal(m.report[4], EVENT_2 " ! module-mismatch");
		/* Measured as it is, right or wrong. */
		if (on)
			machine_expect(&m, EVENTS_ALL, NULL);
		else
			machine_expect_capped(&m, "module-mismatch", EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, NULL);
	}
}

static void test_module_unreadable(void **state)
{
	struct machine_module some[GL_COUNT(modules)];

	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		usual(type);
		memcpy(some, modules, sizeof(modules));
		some[3].bytes = NULL;
		if (goes_on(TB_ERR_MODULE_VERIFICATION_FAILED, type)) {
			assert_int_equal(machine_run(&m, some, GL_COUNT(some)), VLP_ACT_CONTINUE);
			machine_expect(&m, EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, "20 cap module-unreadable module 3 vmm vmm", EVENT_4,
				EVENT_NV, EVENT_CLOSING, NULL);
		} else {
			assert_int_equal(machine_run(&m, some, GL_COUNT(some)), VLP_ACT_HALT);
			machine_expect_capped(&m, "module-unreadable", EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2,
				"20 cap module-unreadable module 3 vmm vmm", NULL);
		}
		assert_int_equal(m.apply.why, CAP_MODULE_UNREADABLE);
		assert_string_equal(m.report[5], "20 cap module-unreadable module 3 vmm vmm ! module-unreadable");
	}
}

static void test_module_unlisted(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		set_up(type, ALG_SHA256, ALG_SET_ALL);
		for (uint8_t i = 0; i < 4; i++)
			machine_entry(&m, i, i ? 19 : VLP_PCR_NONE, NULL);
		if (goes_on(TB_ERR_MODULES_NOT_IN_POLICY, type)) {
			assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
			machine_expect(&m, EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, "19 module 3 vmm vmm",
				"21 cap module-unlisted module 4 file file-0", EVENT_CLOSING, NULL);
		} else {
			assert_int_equal(run_usual(), VLP_ACT_HALT);
			machine_expect_capped(&m, "module-unlisted", EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, "19 module 3 vmm vmm",
				"21 cap module-unlisted module 4 file file-0", NULL);
		}
		assert_int_equal(m.apply.error, TB_ERR_MODULES_NOT_IN_POLICY);
	}
}

static void test_module_missing(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		usual(type);
		machine_entry(&m, 5, 20, good.module[1]);
		machine_entry(&m, 127, VLP_PCR_NONE, NULL);
		machine_entry(&m, 6, 21, NULL);
		if (goes_on(TB_ERR_MODULE_VERIFICATION_FAILED, type)) {
			assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
			machine_expect(&m, EVENTS_POLICY, EVENTS_MODULES, "20 cap module-missing module 5", "21 cap module-missing module 6",
				EVENT_NV, EVENT_CLOSING, NULL);
			assert_string_equal(m.report[8], "-- cap module-missing module 127 ! module-missing");
		} else {
			assert_int_equal(run_usual(), VLP_ACT_HALT);
			machine_expect_capped(&m, "module-missing", EVENTS_POLICY, EVENTS_MODULES, "20 cap module-missing module 5", NULL);
		}
		assert_int_equal(m.apply.why, CAP_MODULE_MISSING);
	}
}

/* Also one whose entry names no PCR stops the launch. */
static void test_module_missing_without_pcr(void **state)
{
	(void)state;
	usual(VLP_HALT);
	machine_entry(&m, 5, VLP_PCR_NONE, NULL);
	assert_int_equal(run_usual(), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-missing", EVENTS_POLICY, EVENTS_MODULES, NULL);
}

/* An entry for any module or an NV index is none that could be missing. */
static void test_nothing_missing(void **state)
{
	(void)state;
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, VLP_MODULE_ANY, 20, NULL);
	machine_nv_entry(&m, true, GEO, NULL);
	assert_int_equal(apply_policy(&m.apply), VLP_ACT_CONTINUE);
	assert_int_equal(apply_modules_end(&m.apply), VLP_ACT_CONTINUE);
	machine_expect(&m, EVENTS_POLICY, NULL);
}

static void test_any_entry_first(void **state)
{
	(void)state;
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, 1, 19, good.module[1]);
	machine_entry(&m, VLP_MODULE_ANY, 20, NULL);
	/* Never looked at: the entry before matches. */
	machine_entry(&m, 2, 19, wrong);
	assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
	machine_expect(&m, EVENTS_POLICY, EVENT_0, "20 module 0 description launch.conf", EVENT_1, "20 module 2 initrd initrd", EVENT_3,
		"20 module 4 file file-0", EVENT_CLOSING, NULL);
}

static void test_any_entry_with_hashes(void **state)
{
	uint8_t two[64];

	(void)state;
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	memcpy(two, good.module[2], 32);
	memcpy(two + 32, good.module[1], 32);
	machine_entry(&m, 0, VLP_PCR_NONE, NULL);
	machine_entry(&m, VLP_MODULE_ANY, 19, two);
	m.policy.entries[1].hash_count = 2;
	m.policy.entries[1].hashes.n = sizeof(two);
	assert_int_equal(run_usual(), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-mismatch", EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, "19 module 3 vmm vmm", NULL);
}

static void test_pcr_of_the_entry_counts(void **state)
{
	(void)state;
	usual(VLP_HALT);
	m.policy.entries[1].pcr = 22;
	m.policy.entries[3].pcr = VLP_PCR_NONE;
	assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
	machine_expect(&m, EVENTS_POLICY, EVENT_0, "22 module 1 hypervisor linux", EVENT_2, EVENT_4, EVENT_NV, EVENT_CLOSING, NULL);
	/* Compared all the same. */
	usual(VLP_HALT);
	m.policy.entries[3].pcr = VLP_PCR_NONE;
	m.policy.entries[3].hashes.p = wrong;
	assert_int_equal(run_usual(), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-mismatch", EVENTS_POLICY, EVENT_0, EVENT_1, EVENT_2, NULL);
}

/* ---------------------------------------------------------------- module 0 */

static void test_module_zero(void **state)
{
	static const struct machine_module unreadable = { ROLE_DESCRIPTION, "launch.conf", "", NULL };

	(void)state;
	/* Its entry may name another PCR: both are extended. */
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, 0, 18, good.module[0]);
	assert_int_equal(machine_run(&m, modules, 1), VLP_ACT_CONTINUE);
	machine_expect(&m, EVENTS_POLICY, EVENT_0, "18 module 0 description launch.conf", EVENT_CLOSING, NULL);
	/* Listed with another digest. */
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, 0, VLP_PCR_NONE, wrong);
	assert_int_equal(machine_run(&m, modules, 1), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-mismatch", EVENTS_POLICY, EVENT_0, NULL);
	/* Not listed. */
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, 1, 19, NULL);
	assert_int_equal(machine_run(&m, modules, 1), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-unlisted", EVENTS_POLICY, EVENT_0, "17 cap module-unlisted module 0 description launch.conf", NULL);
	/* Unreadable: capped in PCR 17 whatever the entry says. */
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	machine_entry(&m, 0, VLP_PCR_NONE, NULL);
	assert_int_equal(machine_run(&m, &unreadable, 1), VLP_ACT_HALT);
	machine_expect_capped(&m, "module-unreadable", EVENTS_POLICY, "17 cap module-unreadable module 0 description launch.conf", NULL);
}

/* ---------------------------------------------------------------- NV */

static uint8_t nv_bytes[APPLY_NV_MAX + 1];

static bool raw_size(size_t n)
{
	return n == 32 || n == 48 || n == 64;
}

static void test_nv_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 20, 31, 32, 33, 48, 63, 64, 65, APPLY_NV_MAX, APPLY_NV_MAX + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(nv_bytes); i++)
		nv_bytes[i] = (uint8_t)(i * 7 + 1);
	for (size_t s = 0; s < GL_COUNT(sizes); s++)
		for (size_t b = 0; b < GL_COUNT(bank_sets); b++)
			for (int raw = 0; raw <= 1; raw++) {
				bool fits = sizes[s] > 0 && sizes[s] <= APPLY_NV_MAX && (!raw || raw_size(sizes[s]));
				struct oracle o;

				set_up(VLP_CONTINUE, ALG_SHA256, bank_sets[b]);
				machine_nv_entry(&m, raw, GEO, NULL);
				m.nv = (struct span){ nv_bytes, sizes[s] };
				oracle_reset(&o, m.banks);
				assert_int_equal(apply_nv(&m.apply), VLP_ACT_CONTINUE);
				if (fits) {
					oracle_nv(&o, 22, raw, m.nv);
					machine_expect(&m, raw ? "22 nv-raw 0x01c10110" : EVENT_NV, NULL);
					assert_int_equal(m.apply.error, TB_ERR_NONE);
				} else {
					oracle_cap(&o, 22, "nv-size");
					machine_expect(&m, raw ? "22 cap nv-size nv-raw 0x01c10110" : "22 cap nv-size nv 0x01c10110", NULL);
					assert_int_equal(m.apply.error, TB_ERR_NV_VERIFICATION_FAILED);
					assert_int_equal(m.apply.why, CAP_NV_SIZE);
				}
				oracle_assert(&o, &m.pcrs);
			}
}

/* NV_RAW: compared is what the policy's own bank gets, also if that bank is not active. */
static void test_nv_raw_compared(void **state)
{
	(void)state;
	for (size_t b = 0; b < GL_COUNT(bank_sets); b++)
		for (size_t n = 32; n <= 64; n += 16)
			for (enum alg hash = 0; hash < ALG_COUNT; hash++) {
				uint8_t d[DIGEST_MAX];

				memset(nv_bytes, 0xee, n);
				if (n == alg_table[hash].size)
					memcpy(d, nv_bytes, n);
				else
					oracle_hash(hash, (struct span){ nv_bytes, n }, span_str(""), span_str(""), d);
				for (int right = 1; right >= 0; right--) {
					set_up(VLP_HALT, hash, bank_sets[b]);
					machine_nv_entry(&m, true, GEO, d);
					m.nv = (struct span){ nv_bytes, n };
					d[0] ^= (uint8_t)!right;
					assert_int_equal(apply_nv(&m.apply), right ? VLP_ACT_CONTINUE : VLP_ACT_HALT);
					if (right)
						machine_expect(&m, "22 nv-raw 0x01c10110", NULL);
					else
						machine_expect_capped(&m, "nv-mismatch", "22 nv-raw 0x01c10110", NULL);
				}
			}
}

static void test_nv_failures(void **state)
{
	static const struct {
		enum apply_nv_status status;
		enum cap why;
		const char *event;
	} cases[] = {
		{ APPLY_NV_MISSING, CAP_NV_MISSING, "22 cap nv-missing nv 0x01c10110" },
		{ APPLY_NV_UNREADABLE, CAP_NV_UNREADABLE, "22 cap nv-unreadable nv 0x01c10110" },
		{ APPLY_NV_SIZE, CAP_NV_SIZE, "22 cap nv-size nv 0x01c10110" },
		{ (enum apply_nv_status)77, CAP_NV_UNREADABLE, "22 cap nv-unreadable nv 0x01c10110" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			const char *why = cap_table[cases[i].why].name;

			usual(type);
			m.nv_status = cases[i].status;
			if (goes_on(TB_ERR_NV_VERIFICATION_FAILED, type)) {
				assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
				machine_expect(&m, EVENTS_POLICY, EVENTS_MODULES, cases[i].event, EVENT_CLOSING, NULL);
			} else {
				assert_int_equal(run_usual(), VLP_ACT_HALT);
				machine_expect_capped(&m, why, EVENTS_POLICY, EVENTS_MODULES, cases[i].event, NULL);
			}
			assert_int_equal(m.apply.error, TB_ERR_NV_VERIFICATION_FAILED);
			assert_int_equal(m.apply.why, cases[i].why);
		}
}

static void test_nv_mismatch(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		struct oracle o;

		usual(type);
		m.nv = span_str("elsewhere");
		oracle_to_nv(&o);
		oracle_nv(&o, 22, false, m.nv);
		if (goes_on(TB_ERR_NV_VERIFICATION_FAILED, type)) {
			assert_int_equal(run_usual(), VLP_ACT_CONTINUE);
			oracle_closing(&o);
		} else {
			assert_int_equal(run_usual(), VLP_ACT_HALT);
			oracle_caps(&o, "nv-mismatch");
		}
		oracle_assert(&o, &m.pcrs);
		assert_int_equal(m.apply.why, CAP_NV_MISMATCH);
		assert_string_equal(m.report[7], EVENT_NV " ! nv-mismatch");
	}
}

/* ---------------------------------------------------------------- a TPM that fails */

static void test_extend_fails(void **state)
{
	/* The extends of a good launch. */
	static const char *const all[] = { EVENTS_ALL };

	(void)state;
	for (unsigned k = 1; k <= GL_COUNT(all); k++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++)
			for (int for_good = 0; for_good <= 1; for_good++) {
				usual(type);
				m.fail_at = k;
				m.fail_on = for_good;
				assert_int_equal(run_usual(), VLP_ACT_HALT);
				assert_int_equal(m.apply.error, TB_ERR_FATAL);
				assert_int_equal(m.apply.why, CAP_TPM_ERROR);
				/* Every cap is tried, even if the TPM takes none. */
				assert_int_equal(m.extends, k + 6);
				assert_int_equal(m.trace_n, k - 1 + (for_good ? 0 : 6));
				for (unsigned i = 0; i < m.trace_n; i++) {
					char cap[32];

					(void)snprintf(cap, sizeof(cap), "%u cap tpm-error", 17 + i - (k - 1));
					assert_string_equal(m.trace[i], i < k - 1 ? all[i] : cap);
				}
				assert_non_null(strstr(m.report[m.report_n - 1], " ! tpm-error"));
			}
}

/* Also if it is a cap that fails, and if that cap would have been no reason to stop. */
static void test_cap_fails(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		usual(type);
		m.nv_status = APPLY_NV_MISSING;
		m.fail_at = 8;
		assert_int_equal(run_usual(), VLP_ACT_HALT);
		machine_expect_capped(&m, "tpm-error", EVENTS_POLICY, EVENTS_MODULES, NULL);
		assert_int_equal(m.apply.why, CAP_TPM_ERROR);
	}
}

static void test_read_pcrs_fails(void **state)
{
	(void)state;
	for (int incomplete = 0; incomplete <= 1; incomplete++)
		for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
			usual(type);
			m.read_fails = !incomplete;
			m.read_incomplete = incomplete;
			assert_int_equal(run_usual(), VLP_ACT_HALT);
			machine_expect_capped(&m, "tpm-error", EVENTS_POLICY, EVENTS_MODULES, EVENT_NV, "17 cap tpm-error closing", NULL);
			assert_int_equal(m.apply.error, TB_ERR_FATAL);
		}
}

static void test_cap_all(void **state)
{
	(void)state;
	set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
	assert_true(apply_cap_all(m.apply.ops, &m, m.banks, CAP_POLICY_INVALID));
	machine_expect_capped(&m, "policy-invalid", NULL);
	for (unsigned k = 1; k <= 6; k++) {
		set_up(VLP_HALT, ALG_SHA256, ALG_SET_ALL);
		m.fail_at = k;
		assert_false(apply_cap_all(m.apply.ops, &m, m.banks, CAP_POLICY_INVALID));
		assert_int_equal(m.extends, 6);
		assert_int_equal(m.trace_n, 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_good_reports),
		cmocka_unit_test(test_no_reports_wanted),
		cmocka_unit_test(test_control_bit_clear),
		cmocka_unit_test(test_every_error),
		cmocka_unit_test(test_error_kept),
		cmocka_unit_test(test_module_mismatch),
		cmocka_unit_test(test_module_unreadable),
		cmocka_unit_test(test_module_unlisted),
		cmocka_unit_test(test_module_missing),
		cmocka_unit_test(test_module_missing_without_pcr),
		cmocka_unit_test(test_nothing_missing),
		cmocka_unit_test(test_any_entry_first),
		cmocka_unit_test(test_any_entry_with_hashes),
		cmocka_unit_test(test_pcr_of_the_entry_counts),
		cmocka_unit_test(test_module_zero),
		cmocka_unit_test(test_nv_sizes),
		cmocka_unit_test(test_nv_raw_compared),
		cmocka_unit_test(test_nv_failures),
		cmocka_unit_test(test_nv_mismatch),
		cmocka_unit_test(test_extend_fails),
		cmocka_unit_test(test_cap_fails),
		cmocka_unit_test(test_read_pcrs_fails),
		cmocka_unit_test(test_cap_all),
	};

	return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
