/* SPDX-License-Identifier: BSD-3-Clause */
/* efi/core/preflight*.c: a host on which a TXT launch works, and one thing of it changed for each finding. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/preflight_host.h"

static void test_good(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		flight_good(type);
		flight_none();
		assert_true(flight.r.has_sinit && !flight.r.sinit_of_bios);
		assert_int_equal(flight.r.sinit.tpm.nv_index_set, 1);
		assert_int_equal(flight.r.policy_type, type);
	}
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < PREFLIGHT_COUNT; i++) {
		const struct preflight_info *info = &preflight_table[i];

		assert_non_null(info->name);
		assert_non_null(info->text);
		assert_in_range(strlen(info->text), 20, 180);
		/* What only is said stops nothing; what tboot would go on after is not made worse under a strict policy. */
		if (info->error == TB_ERR_NONE)
			assert_false(info->stops);
		else
			assert_int_equal(vlp_action(VLP_HALT, info->error), VLP_ACT_HALT);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(info->name, preflight_table[k].name);
	}
}

static void test_processor(void **state)
{
	(void)state;
	flight_good(VLP_HALT);
	flight.f.processor.vendor[2] = 0x444d4163;
	flight_one(PREFLIGHT_CPU_VENDOR);
	flight_good(VLP_HALT);
	flight.f.processor.features = 0x20;
	flight_one(PREFLIGHT_CPU_SMX);
	flight_good(VLP_HALT);
	flight.f.processor.feature_control = 0xff06;
	flight_one(PREFLIGHT_FEATURE_LOCK);
	flight_says("0xff06");
	flight_good(VLP_HALT);
	flight.f.processor.feature_control = 0x7f07;
	flight_one(PREFLIGHT_FEATURE_SENTER);
	flight_good(VLP_HALT);
	flight.f.processor.feature_control = 0xfe07;
	flight_one(PREFLIGHT_FEATURE_SENTER);
	for (uint32_t bit = 0; bit < 9; bit++) {
		flight_good(VLP_HALT);
		flight.f.processor.capabilities = 0x1ff & ~(1u << bit);
		/* ENTERACCS, EXITAC and the gap do not matter. */
		if (bit == 1 || bit == 2 || bit == 3)
			flight_none();
		else
			flight_one(PREFLIGHT_GETSEC);
	}
}

/* VMX is wanted only if tboot holds the other processors with it. */
static void test_vmx(void **state)
{
	(void)state;
	flight_good(VLP_HALT);
	flight.f.processor.features = 0x40;
	flight_none();
	flight.d.txt.tboot.cmdline = SPAN_LITERAL("logging=serial");
	flight_one(PREFLIGHT_CPU_VMX);
	flight_good(VLP_HALT);
	flight.f.processor.feature_control = 0xff05;
	flight_none();
	flight.d.txt.tboot.cmdline = SPAN_LITERAL("ap_wake_mwait=false");
	flight_one(PREFLIGHT_FEATURE_VMX);
}

static void test_chipset(void **state)
{
	static const uint64_t nothing[] = { 0, UINT64_MAX, UINT64_C(0x100001022) };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(nothing); i++) {
		flight_good(VLP_HALT);
		flight.f.chipset.didvid = nothing[i];
		flight.f.heap = flight.f.sinit_area = (struct span){ NULL, 0 };
		flight_one(PREFLIGHT_CHIPSET);
		assert_int_equal(preflight_heap_range(&flight.f.chipset).size, 0);
	}
	flight_good(VLP_HALT);
	flight.f.chipset.ests = 0x01;
	flight_one(PREFLIGHT_TXT_RESET);
	flight_good(VLP_HALT);
	flight.f.chipset.ests = 0x40;
	flight_one(PREFLIGHT_WAKE_ERROR);
	flight_good(VLP_HALT);
	flight.f.chipset.sts = 0x1;
	flight_one(PREFLIGHT_TXT_RUNNING);
}

static void test_previous_error(void **state)
{
	/* clang-format off */
	static const struct { uint32_t code; const char *part; } rows[] = {
		{ 0xc0000471, "SINIT, class 0x7" }, { 0xc00412e1, "launch control policy" }, { 0x8000000e, "memory was changed" },
		{ 0xc0008001, "software after the launch" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		flight_good(VLP_HALT);
		flight.f.chipset.errorcode = rows[i].code;
		flight_check();
		assert_int_equal(flight.r.count, 1);
		assert_int_equal(flight.r.findings[0].id, PREFLIGHT_PREVIOUS_ERROR_NOTE);
		flight_says(rows[i].part);
		assert_int_equal(preflight_action(&flight.r, 0), VLP_ACT_CONTINUE);
		flight.d.txt.tboot.cmdline = SPAN_LITERAL(TBOOT_LINE " ignore_prev_err=false");
		flight_one(PREFLIGHT_PREVIOUS_ERROR);
	}
	/* What tboot takes for success. */
	for (size_t i = 0; i < 4; i++) {
		flight_good(VLP_HALT);
		flight.f.chipset.errorcode = (uint32_t[]){ 0, 0xc0000001, 0xc0000009, 0x40000471 }[i];
		flight.d.txt.tboot.cmdline = SPAN_LITERAL("ap_wake_mwait=true ignore_prev_err=false");
		flight_none();
	}
}

static void test_heap(void **state)
{
	(void)state;
	flight_good(VLP_HALT);
	flight.f.heap.n = 0;
	flight.f.chipset.heap_size = 0;
	flight_check();
	assert_int_equal(flight.r.findings[0].id, PREFLIGHT_HEAP);
	flight_good(VLP_HALT);
	flight.f.chipset.sinit_base = 0;
	flight_check();
	assert_int_equal(flight.r.findings[0].id, PREFLIGHT_HEAP);
	assert_int_equal(preflight_sinit_range(&flight.f.chipset).size, 0);
	/* Ranges that cannot be. */
	for (size_t i = 0; i < 3; i++) {
		flight_good(VLP_HALT);
		flight.f.chipset.heap_base = (uint64_t[]){ UINT64_C(1) << 32, 0xfff80000, 0xc8000000 }[i];
		flight.f.chipset.heap_size = (uint64_t[]){ 0x100000, 0x100000, UINT64_MAX }[i];
		assert_int_equal(preflight_heap_range(&flight.f.chipset).size, 0);
	}
	flight_good(VLP_HALT);
	flight.heap[8] = 99;
	flight_one(PREFLIGHT_HEAP_DATA);
	flight_good(VLP_HALT);
	memset(flight.heap, 0xff, 8);
	flight_one(PREFLIGHT_HEAP_DATA);
}

static void test_acpi(void **state)
{
	(void)state;
	flight_good(VLP_HALT);
	flight.f.acpi = PREFLIGHT_ACPI_NO_DMAR;
	flight_one(PREFLIGHT_VTD);
	flight_good(VLP_HALT);
	flight.f.acpi = PREFLIGHT_ACPI_NO_RSDP;
	flight_one(PREFLIGHT_ACPI);
	flight_good(VLP_HALT);
	flight.f.acpi = PREFLIGHT_ACPI_BROKEN;
	flight_one(PREFLIGHT_ACPI);
}

static void no_tpm20(struct acm_recipe *r)
{
	r->tpm_family = ACM_TPM_DISCRETE_12;
}

static void new_mle(struct acm_recipe *r)
{
	r->min_mle_header_version = 0x20002;
}

static void old_data(struct acm_recipe *r)
{
	r->os_sinit_data_version = 3;
}

static void bios_type(struct acm_recipe *r)
{
	r->chipset_type = ACM_BIOS;
}

static void server(struct acm_recipe *r)
{
	r->capabilities = (r->capabilities & ~ACM_CAP_PLATFORM_TYPE) | 0x80;
}

static void debug_signed(struct acm_recipe *r)
{
	r->flags |= ACM_FLAG_DEBUG_SIGNED;
}

static void test_sinit_file(void **state)
{
	static void (*const unfit[])(struct acm_recipe * r) = { new_mle, old_data, bios_type };
	static void (*const others[])(struct acm_recipe * r) = { server, debug_signed };

	(void)state;
	flight_good(VLP_HALT);
	flight.d.txt.sinit.file.n = 0;
	flight_one(PREFLIGHT_SINIT_MISSING);
	assert_false(flight.r.has_sinit);
	flight_good(VLP_HALT);
	flight.f.sinit_io = LAUNCH_IO_MISSING;
	flight_one(PREFLIGHT_SINIT_FILE);
	flight_good(VLP_HALT);
	flight.f.sinit.n -= 4;
	flight_one(PREFLIGHT_SINIT_INVALID);
	for (size_t i = 0; i < GL_COUNT(unfit); i++) {
		flight_good(VLP_HALT);
		flight.f.sinit = flight_sinit(flight.file, 0x20220101, 1, 0xb001, unfit[i]);
		flight_one(PREFLIGHT_SINIT_INVALID);
	}
	flight_good(VLP_HALT);
	flight.f.sinit = flight_sinit(flight.file, 0x20220101, 1, 0xb002, NULL);
	flight_one(PREFLIGHT_SINIT_MATCH);
	flight_says("0x8086:0xb001 revision 0x1, processor 0x506e3");
	for (size_t i = 0; i < GL_COUNT(others); i++) {
		flight_good(VLP_HALT);
		flight.f.sinit = flight_sinit(flight.file, 0x20220101, 1, 0xb001, others[i]);
		flight_one(PREFLIGHT_SINIT_MATCH);
	}
	/* An older firmware does not say what it is, and one register may stand in for the other. */
	flight_good(VLP_HALT);
	flight.f.sinit = flight_sinit(flight.file, 0x20220101, 1, 0xb001, server);
	flight_heap_version(5, 0);
	flight_none();
	flight_good(VLP_HALT);
	flight.f.chipset.fsbif = 0;
	flight_none();
	flight.f.chipset.fsbif = 0x00000001;
	flight_one(PREFLIGHT_SINIT_MATCH);
	flight_good(VLP_HALT);
	flight.f.chipset.sinit_size = 0x8000;
	flight_one(PREFLIGHT_SINIT_SIZE);
	flight_good(VLP_HALT);
	flight.f.sinit = flight_sinit(flight.file, 0x20220101, 1, 0xb001, no_tpm20);
	flight_one(PREFLIGHT_SINIT_TPM);
}

static void bios_sinit(uint32_t date, uint16_t device)
{
	struct span s = flight_sinit(flight.area, date, 1, device, NULL);

	flight_heap((uint32_t)s.n);
}

/* tboot takes the firmware's module if it fits and is as new. */
static void test_sinit_of_bios(void **state)
{
	(void)state;
	flight_good(VLP_HALT);
	flight.d.txt.sinit.file.n = 0;
	bios_sinit(0x20220101, 0xb001);
	flight_none();
	assert_true(flight.r.has_sinit && flight.r.sinit_of_bios);
	/* Older: the build's. */
	flight_good(VLP_HALT);
	bios_sinit(0x20211231, 0xb001);
	flight_none();
	assert_false(flight.r.sinit_of_bios);
	/* As new and the same bytes: nobody need be told. Newer: the PCRs are not those that were predicted. */
	flight_good(VLP_HALT);
	bios_sinit(0x20220101, 0xb001);
	flight_none();
	flight_good(VLP_HALT);
	bios_sinit(0x20220102, 0xb001);
	flight_check();
	assert_int_equal(flight.r.count, 1);
	assert_int_equal(flight.r.findings[0].id, PREFLIGHT_SINIT_BIOS_NOTE);
	assert_int_equal(preflight_action(&flight.r, 0), VLP_ACT_CONTINUE);
	/* One that does not fit is passed over. */
	flight_good(VLP_HALT);
	bios_sinit(0x20230101, 0xb002);
	flight_none();
	assert_false(flight.r.sinit_of_bios);
	flight_good(VLP_HALT);
	flight.d.txt.sinit.file.n = 0;
	bios_sinit(0x20230101, 0xb002);
	flight_one(PREFLIGHT_SINIT_MISSING);
	/* BiosData claims more than the area holds. */
	flight_good(VLP_HALT);
	flight.d.txt.sinit.file.n = 0;
	flight_heap(0x20001);
	flight_one(PREFLIGHT_SINIT_MISSING);
}

static void test_tpm(void **state)
{
	(void)state;
	flight_good(VLP_HALT);
	flight.f.tpm_problem = "no TPM found: fit one";
	flight_one(PREFLIGHT_TPM);
	flight_says("fit one");
	flight_good(VLP_HALT);
	flight.f.banks = ALG_BIT(ALG_SHA384);
	flight_one(PREFLIGHT_TPM_BANK);
	flight_says("sha256");
	flight.d.txt.tboot.cmdline = SPAN_LITERAL("ap_wake_mwait=true extpol=sha384");
	flight_none();
	flight.d.txt.tboot.cmdline = SPAN_LITERAL("ap_wake_mwait=true extpol=agile");
	flight_none();
}

static void test_line(void **state)
{
	static const char *const lines[] = { "call_racm=true", "call_racm=check", "call_r=true" };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(lines); i++) {
		flight_good(VLP_HALT);
		flight.d.txt.tboot.cmdline = span_str(lines[i]);
		flight_one(PREFLIGHT_TBOOT_LINE);
	}
}

/* More than there is room for must not look like less. */
static void test_many(void **state)
{
	(void)state;
	flight_good(VLP_NONFATAL);
	flight_check();
	for (size_t i = 0; i <= PREFLIGHT_MAX_FINDINGS; i++) {
		preflight_add(&flight.r, PREFLIGHT_SINIT_BIOS_NOTE, NULL);
		assert_int_equal(preflight_action(&flight.r, 0), VLP_ACT_CONTINUE);
	}
	assert_int_equal(flight.r.more, UINT64_C(1) << PREFLIGHT_SINIT_BIOS_NOTE);
	assert_int_equal(flight.r.count, PREFLIGHT_MAX_FINDINGS);
	/* What finds no room counts all the same. */
	preflight_add(&flight.r, PREFLIGHT_MODULE_FILE, NULL);
	assert_int_equal(preflight_action(&flight.r, 0), VLP_ACT_UNMEASURED);
	preflight_add(&flight.r, PREFLIGHT_TBOOT_DIFFERS, NULL);
	flight.r.policy_type = VLP_HALT;
	assert_int_equal(preflight_action(&flight.r, PREFLIGHT_MAX_FINDINGS), VLP_ACT_HALT);
	assert_int_equal(flight.r.count, PREFLIGHT_MAX_FINDINGS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_processor),
		cmocka_unit_test(test_vmx),
		cmocka_unit_test(test_chipset),
		cmocka_unit_test(test_previous_error),
		cmocka_unit_test(test_heap),
		cmocka_unit_test(test_acpi),
		cmocka_unit_test(test_sinit_file),
		cmocka_unit_test(test_sinit_of_bios),
		cmocka_unit_test(test_tpm),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("preflight", tests, NULL, NULL);
}
