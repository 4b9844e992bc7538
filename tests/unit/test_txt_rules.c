/* SPDX-License-Identifier: BSD-3-Clause */
/* Every rule of SINIT broken by itself: one change to a launch that succeeds, and just this rule and its error code come of it. */
#include <stdio.h>
#include <stdlib.h>

#include "evp.h"
#include "lcp/txt_error.h"
#include "txt_rule_cases.h"
#include "txt_world.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(&w);
	return 0;
}

/* Before world_build(): fields. After it: bytes in memory. */
/* clang-format off */
static void acm_type(void) { w.recipe.chipset_type = ACM_BIOS; }
static void acm_chipset(void) { w.chipset.config.didvid = 0x00000001b0028086; }
static void acm_area(void) { w.chipset.config.sinit_size = 0x8000; }
static void ranges(void) { w.chipset.config.heap_base++; }
static void ranges_overlap(void) { w.chipset.config.heap_size = 0x300000; }
static void ranges_small(void) { w.chipset.config.heap_size = 0x10000; }
static void no_dpr(void) { w.chipset.config.dpr_size = 0; }
static void dpr_lock(void) { w.chipset.config.dpr_lock = false; }
static void dpr_covers(void) { w.chipset.config.dpr_size = 0x300000; }
static void dma_remapping(void) { w.platform.dma_remapping = true; }
static void os_version_4(void) { w.os_version = 3; }
static void os_version_8(void) { w.os_version = 8; }
static void os_version_acm(void) { w.recipe.os_sinit_data_version = 6; }
static void no_log(void) { w.tcg_log = false; }
static void log_banks(void) { w.tcg_log = false; w.log_count = 1; w.log_algs[0] = 0x000b; w.log_size = 4096; }
static void log_twice(void) { w.tcg_log = false; w.log_count = 2; w.log_algs[0] = w.log_algs[1] = 0x000b; w.log_size = 4096; }
static void log_element_8(void) { w.recipe.capabilities &= ~ACM_CAP_TCG_EVENT_LOG; }
static void log_small(void) { w.log_size = 50; }
static void log_full(void) { w.log_size = 1000; }
static void rsdp_high(void) { w.rsdp = 0x100000000; }
static void rsdp_wrong(void) { w.rsdp = 0x5000; }
static void pmr_lo_base(void) { w.pmr_lo.base = 0x1000; }
static void pmr_lo_size(void) { w.pmr_lo.size = 0x1001000; }
static void pmr_hi(void) { w.pmr_hi = (struct txt_range){ 0x100000000, 0x1000 }; }
static void pmr_lo_4g(void) { w.pmr_lo = (struct txt_range){ 0, 0x100200000 }; }
static void pmr_hi_low(void) { w.pmr_hi = (struct txt_range){ 0x80000000, 0x200000 }; }
static void caps_no_wake(void) { w.os_capabilities = 0; }
static void caps_both(void) { w.os_capabilities = 3; }
static void caps_not_had(void) { w.recipe.capabilities &= ~ACM_CAP_RLP_WAKE_MONITOR; }
static void caps_pcr_map(void) { w.os_capabilities |= ACM_CAP_PCR_MAP_NO_LEGACY; }
static void tpm_banks(void) { w.os_flags = 1; w.recipe.tpm_alg_count = 1; w.banks = ALG_BIT(ALG_SHA256); }
static void no_aux(void) { w.platform.needs_aux = true; }
static void no_ps(void) { w.platform.needs_ps = true; }
static void mle_uuid(void) { w.header.uuid[15]++; }
static void mle_old(void) { w.header.version = 0x10001; }
static void mle_new(void) { w.header.version = 0x30000; }
static void mle_length(void) { w.header.length = 48; }
static void mle_length_past(void) { w.header.length = WORLD_MLE_SIZE; }
static void mle_first_page(void) { w.header.first_page = 0x800; }
static void mle_first_page_behind(void) { w.header.first_page = 0x2000; }
static void mle_start(void) { w.header.start = w.header.end; }
static void mle_end(void) { w.header.end = WORLD_MLE_SIZE + 1; }
static void mle_end_page(void) { w.header.end = WORLD_MLE_SIZE - 4096; }
static void mle_size_zero(void) { w.mle_size = 0; }
static void mle_size_large(void) { w.mle_size = MLE_MAX_SIZE + 1; }
static void mle_entry_before(void) { w.header.entry = 0xfff; }
static void mle_entry_behind(void) { w.header.entry = w.header.end; }
static void mle_cmdline(void) { w.header.cmdline_end = WORLD_MLE_SIZE + 1; }
static void mle_cmdline_order(void) { w.header.cmdline_end = w.header.cmdline_start - 1; }
static void mle_wake(void) { w.header.capabilities &= ~3u; }
static void mle_header_behind(void) { w.mle_header = WORLD_MLE_SIZE; }
static void mle_header_end(void) { w.mle_header = WORLD_MLE_SIZE - 43; }
static void mle_header_wrap(void) { w.mle_header = UINT64_MAX; }
static void pt_base(void) { w.ptab += 8; }
static void pt_4g(void) { w.ptab = 0x100000000; }
static void pt_memory(void) { w.ptab = 0xb0000; }
static void pt_heap(void) { w.ptab = WORLD_HEAP; }
static void pt_sinit(void) { w.ptab = WORLD_SINIT; }
static void pt_unprotected(void) { w.pmr_lo = (struct txt_range){ 0x600000, 0x200000 }; }

static void acm_damaged(void) { world_put(&w, WORLD_SINIT + 16, 0x8087, 4); }
static void wake_error(void) { w.chipset.value[CHIPSET_ESTS] = CHIPSET_ESTS_WAKE_ERROR; }
static void bios_size(void) { world_put(&w, WORLD_HEAP, 0x100001, 8); }
static void bios_tiny(void) { world_put(&w, WORLD_HEAP, 7, 8); }
static void bios_short(void) { world_put(&w, WORLD_HEAP, 20, 8); world_put(&w, WORLD_HEAP + 20, 8, 8); world_put(&w, WORLD_HEAP + 28, 8, 8); }
static void bios_version(void) { world_put(&w, WORLD_HEAP + 8, 7, 4); }
static void bios_element(void) { world_put(&w, WORLD_HEAP + 44 + 4, 7, 4); }
static void bios_element_end(void) { world_put(&w, WORLD_HEAP + 44 + 4, 22, 4); }
static void os_size(void) { world_put(&w, w.os_sinit - 8, 90, 8); }
static void os_past(void) { world_put(&w, w.os_sinit - 8, UINT64_MAX, 8); }
static void os_element_type(void) { world_put(&w, w.os_sinit + 92, 200, 4); }
static void os_element_size(void) { world_put(&w, w.os_sinit + 96, 27, 4); }
static void os_element_huge(void) { world_put(&w, w.os_sinit + 96, 0xfffffff8, 4); }
static void os_element_end(void) { world_put(&w, w.os_sinit - 8, 8 + 92 + 28, 8); }
static void os_full(void) { world_put(&w, w.os_sinit - 8, 0x100000 - (w.os_sinit - 8 - WORLD_HEAP), 8); }
/* clang-format on */
/* Element 13 for no TPR, another one, the end: in the space of element 8. */
static void os_tpr(void)
{
	static const uint32_t words[] = { HEAP_EXT_TPR, 12, 0, HEAP_EXT_CUSTOM, 16, 0, 0, HEAP_EXT_END, 8 };

	for (size_t i = 0; i < GL_COUNT(words); i++)
		world_put(&w, w.os_sinit + 92 + 4 * i, words[i], 4);
}

/* clang-format off */
static void log_in_sinit(void) { world_put(&w, w.os_sinit + 100, WORLD_SINIT, 8); }
static void log_in_table(void) { world_put(&w, w.os_sinit + 100, w.os_sinit, 8); }
static void log_high(void) { world_put(&w, w.os_sinit + 100, 0x100000000, 8); }
static void log_first(void) { world_put(&w, w.os_sinit + 112, WORLD_LOG_SIZE, 4); }
static void log_in_mle(void) { world_put(&w, w.os_sinit + 100, WORLD_MLE + 0x5800, 8); }
static void log_in_pt(void) { world_put(&w, w.os_sinit + 100, WORLD_PTAB + 0x3ff0 - WORLD_LOG_SIZE, 8); }
static void rsdp_sum(void) { w.ram[WORLD_RSDP + 8]++; }
static void xsdt_sum(void) { w.ram[WORLD_XSDT + 9]++; }
static void no_dmar(void) { w.ram[WORLD_DMAR]++; }
static void dmar_sum(void) { w.ram[WORLD_DMAR + 40]++; }
static void nv_set(void) { world_define(&w, 0, 0x01c10102, 0x62044408, SPAN_LITERAL(""), SPAN_LITERAL("short")); }
static void nv_po(void) { static const uint8_t large[1100]; world_define(&w, 0, 0x01c10106, 0x2204000a, SPAN_LITERAL(""), SPAN_OF(large)); }
static void nv_ps(void) { static const uint8_t large[1100]; world_define(&w, 0, 0x01c10103, 0x2204000a, SPAN_LITERAL(""), SPAN_OF(large)); }

static void pt_pd_hole(void) { world_put(&w, WORLD_PTAB, 0, 8); }
static void pt_hole(void) { world_put(&w, WORLD_PTAB + 0x1008, 0, 8); }
static void pt_large(void) { world_put(&w, WORLD_PTAB + 0x1008, 0x600000 | 0x81, 8); }
static void pt_reserved(void) { world_put(&w, WORLD_PTAB + 0x1000, (WORLD_PTAB + 0x2000) | 0x8000000000000001, 8); }
static void page_reserved(void) { world_put(&w, world_pte(5), (WORLD_MLE + 5 * 4096) | 0x8000000000000001, 8); }
static void pt_order(void) { world_put(&w, WORLD_PTAB + 0x1008, (WORLD_PTAB + 0x2000) | 1, 8); }
static void pt_order_pd(void) { world_put(&w, WORLD_PTAB, (WORLD_PTAB - 0x1000) | 1, 8); }
static void page_hole(void) { world_put(&w, world_pte(599), 0, 8); }
static void page_first_hole(void) { world_put(&w, world_pte(0), 0, 8); }
static void page_4g(void) { world_put(&w, world_pte(599), 0x100000001, 8); }
static void page_order(void) { world_put(&w, world_pte(7), (WORLD_MLE + 5 * 4096) | 1, 8); }
static void page_twice(void) { world_put(&w, world_pte(7), (WORLD_MLE + 6 * 4096) | 1, 8); }
static void page_table(void) { world_put(&w, world_pte(0), (WORLD_PTAB + 0x3000) | 1, 8); }
static void page_table_pdpt(void) { world_put(&w, world_pte(0), WORLD_PTAB | 1, 8); }
static void page_below(void) { world_put(&w, world_pte(0), 0x300001, 8); }
static void page_memory(void) { world_put(&w, world_pte(599), 0x80000001, 8); }
static void page_heap(void) { world_put(&w, world_pte(599), WORLD_HEAP | 1, 8); }
static void page_sinit(void) { world_put(&w, world_pte(599), WORLD_SINIT | 1, 8); }
static void page_unprotected(void) { w.pmr_lo.size = 0x600000; }
static void page_extra(void) { world_put(&w, world_pte(600), 0x700001, 8); }
static void page_extra_table(void) { world_put(&w, WORLD_PTAB + 0x1010, 0x700001, 8); }
static void xsdt_length(void) { world_put(&w, WORLD_XSDT + 4, 35, 4); }
static void dmar_huge(void) { world_put(&w, WORLD_DMAR + 4, 0x10001, 4); }
/* clang-format on */
static void acm_tpr_wraps(void)
{
	static const uint32_t words[] = { HEAP_EXT_TPR, 28, 1, 0x1000, 0, 0xfffff000, 0xffffffff, HEAP_EXT_END, 8 };

	for (size_t i = 0; i < GL_COUNT(words); i++)
		world_put(&w, w.os_sinit + 92 + 4 * i, words[i], 4);
	world_put(&w, w.os_sinit - 8, 8 + 92 + 36, 8);
}
/* clang-format off */
static void acm_has_tpr(void) { w.recipe.capabilities |= ACM_CAP_TPR; }
static void log_7(void) { w.tcg_log = false; w.log_count = 4; w.log_size = 4096; memcpy(w.log_algs, "\x04\0\x0b\0\x0c\0\x0d\0", 8); }
static void log_7_unusable(void) { world_put(&w, w.os_sinit + 92 + 12 + 24 + 4, 0x100000000, 8); }
static void log_7_small(void) { log_7(); w.log_size = 600; }
static void embedded_only(void) { w.recipe.tpm_extend_policy = ACM_TPM_EXTEND_EMBEDDED; w.recipe.tpm_alg_count = 1; w.banks = ALG_BIT(ALG_SHA256); }
static void lcp_high(void) { w.lcp = (struct txt_range){ 0xfffff000, 0x1001 }; }
static void lcp_large(void) { w.lcp = (struct txt_range){ 0x1000, 0x100000 }; }
static void lcp_nowhere(void) { w.lcp = (struct txt_range){ 0x80000000, 0x100 }; }
static void processor(void) { w.platform.fms = 0x306a9; }
/* clang-format on */

static const struct rule_case {
	const char *name;
	void (*before)(void), (*after)(void);
	enum txt_rule rule;
	uint32_t code; /* 0: that of the rule */
} cases[] = {
#define BEFORE(f, r) { #f, f, NULL, TXT_RULE_##r, 0 },
#define AFTER(f, r) { #f, NULL, f, TXT_RULE_##r, 0 },
#define BOTH(name, f, g, r, code) { #name, f, g, TXT_RULE_##r, code },
	SINIT_CASES(BEFORE, AFTER, BOTH)
};

static void check(const struct rule_case *c)
{
	uint32_t want = c->code ? c->code : txt_rule_errorcode(c->rule);
	const struct txt_trace_record *failure;
	struct txt_error e;

	if (c->before)
		c->before();
	world_build(&w);
	if (c->after)
		c->after();
	assert_int_equal(world_senter(&w), SMX_OK);
	if (w.result.rule != c->rule) {
		fprintf(stderr, "%s:\n", c->name);
		(void)!txt_trace_print(stderr, &w.trace);
	}
	assert_int_equal(w.result.rule, c->rule);
	assert_false(w.result.launched);
	assert_int_equal(w.result.errorcode, want);
	assert_int_equal(chipset_get(&w.chipset, CHIPSET_ERRORCODE), want);
	assert_false(w.chipset.private_open);
	assert_false(w.chipset.mem_config_locked);
	e = txt_error_decode(want);
	assert_int_equal(e.source, TXT_ERROR_ACM);
	assert_int_equal(e.acm_type, TXT_ACM_SINIT);
	failure = txt_trace_failure(&w.trace);
	assert_non_null(failure);
	assert_string_equal(failure->rule, txt_rule_info(c->rule)->id);
}

static void test_each_rule(void **state)
{
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		teardown(state);
		setup(state);
		check(&cases[i]);
	}
}

static void test_names_are_unique(void **state)
{
	(void)state;
	for (enum txt_rule r = 0; r < TXT_RULE_COUNT; r++)
		for (enum txt_rule k = r + 1; k < TXT_RULE_COUNT; k++)
			assert_string_not_equal(txt_rule_info(r)->id, txt_rule_info(k)->id);
}

static void test_processor(void **state)
{
	static const struct acm_processor other[] = { { .fms = 0x406e0, .fms_mask = 0xfff3ff0 } };

	(void)state;
	w.recipe.processors = other;
	processor();
	world_build(&w);
	assert_int_equal(world_senter(&w), SMX_OK);
	assert_int_equal(w.result.rule, TXT_RULE_ACM_PROCESSOR);
}

static bool read_all_but_heap(void *ctx, uint64_t at, struct mspan out)
{
	uint8_t *p = world_at(ctx, at, out.n);

	if (!p || at == WORLD_HEAP)
		return false;
	memcpy(out.p, p, out.n);
	return true;
}

static void test_heap_unreadable(void **state)
{
	(void)state;
	w.memory.read = read_all_but_heap;
	assert_int_equal(world_senter(&w), SMX_OK);
	assert_int_equal(w.result.rule, TXT_RULE_HEAP_UNREADABLE);
}

/* What looks odd and is allowed. */
static void test_allowed(void **state)
{
	(void)state;
	w.header = (struct mle_header){ .length = 52,
		.version = 0x20001,
		.entry = 0x1000,
		.start = 0x1000,
		.end = WORLD_MLE_SIZE,
		.capabilities = 2,
		.cmdline_start = 0,
		.cmdline_end = 0 };
	memcpy(w.header.uuid, "\x5a\xac\x82\x90\x6f\x47\xa7\x74\x0f\x5c\x55\xa2\xcb\x51\xb6\x42", 16);
	w.rsdp = 0; /* legacy boot: SINIT looks for the RSDP */
	w.platform.copy_madt = true;
	w.platform.copy_mcfg = true; /* there is none */
	world_build(&w);
	/* Pages may lie apart. */
	for (unsigned i = 300; i < WORLD_PAGES; i++)
		world_put(&w, world_pte(i), (WORLD_MLE + 0x100000 + i * 4096u) | 1, 8);
	assert_int_equal(world_senter(&w), SMX_OK);
	assert_true(w.result.launched);
}

/* Policy data of size 0 or at address 0 are none. */
static void test_no_policy_data(void **state)
{
	(void)state;
	w.lcp = (struct txt_range){ 0, 0x1000 };
	world_build(&w);
	assert_int_equal(world_senter(&w), SMX_OK);
	assert_true(w.result.launched);
}

/* tboot's way: offsets count from the beginning of its file's image, whose first pages are not mapped. */
static void test_offsets_of_the_image(void **state)
{
	struct digests want;

	(void)state;
	w.header.start = 0x4000;
	w.header.end = 0x4000 + WORLD_MLE_SIZE;
	w.header.cmdline_start += 0x4000;
	w.header.cmdline_end += 0x4000;
	world_build(&w);
	assert_int_equal(world_senter(&w), SMX_OK);
	assert_true(w.result.launched);
	hash_span(ALG_SET_ALL, (struct span){ w.ram + WORLD_MLE, WORLD_MLE_SIZE }, &want);
	assert_true(digests_equal(&want, &w.result.mle_hash));

	/* The command line must lie in what is mapped: up to its end, and no byte more. */
	w.header.cmdline_end = w.header.end;
	world_build(&w);
	assert_int_equal(world_senter(&w), SMX_OK);
	assert_true(w.result.launched);
	w.header.cmdline_end = w.header.end + 1;
	world_build(&w);
	assert_int_equal(world_senter(&w), SMX_OK);
	assert_int_equal(w.result.rule, TXT_RULE_MLE_CMDLINE);
}

/* A machine with an RSDP of revision 0 has 32-bit addresses. */
static void test_rsdt(void **state)
{
	const uint64_t rsdt = WORLD_XSDT + 0x800;
	uint8_t sum = 0;

	(void)state;
	memcpy(world_at(&w, rsdt, 4), "RSDT", 4);
	world_put(&w, rsdt + 4, 44, 4);
	world_put(&w, rsdt + 36, WORLD_MADT, 4);
	world_put(&w, rsdt + 40, WORLD_DMAR, 4);
	for (size_t i = 0; i < 44; i++)
		sum = (uint8_t)(sum + w.ram[rsdt + i]);
	w.ram[rsdt + 9] = (uint8_t)-sum;
	w.ram[WORLD_RSDP + 15] = 0;
	world_put(&w, WORLD_RSDP + 16, rsdt, 4);
	w.ram[WORLD_RSDP + 8] = sum = 0;
	for (size_t i = 0; i < 20; i++)
		sum = (uint8_t)(sum + w.ram[WORLD_RSDP + i]);
	w.ram[WORLD_RSDP + 8] = (uint8_t)-sum;
	assert_int_equal(world_senter(&w), SMX_OK);
	assert_true(w.result.launched);
}

static void test_mle_read(void **state)
{
	const struct mle mle = { .ptab = WORLD_PTAB, .size = WORLD_MLE_SIZE };
	uint8_t bytes[16];

	(void)state;
	assert_true(mle_read(&w.memory, &mle, 4090, (struct mspan){ bytes, 16 }));
	assert_memory_equal(bytes, w.ram + WORLD_MLE + 4090, 16);
	assert_true(mle_read(&w.memory, &mle, WORLD_MLE_SIZE - 16, (struct mspan){ bytes, 16 }));
	assert_false(mle_read(&w.memory, &mle, WORLD_MLE_SIZE - 15, (struct mspan){ bytes, 16 }));
	assert_false(mle_read(&w.memory, &mle, UINT64_MAX - 3, (struct mspan){ bytes, 16 }));
}

static void test_nv_index_sets(void **state)
{
	struct sinit_indices x = { 1, 2, 3 };

	(void)state;
	assert_false(sinit_indices(2, &x));
	assert_int_equal(x.aux, 1);
	assert_true(sinit_indices(0, &x));
	assert_int_equal(x.po, 0x01400001);
	assert_true(sinit_indices(1, &x));
	assert_int_equal(x.aux, 0x01c10102);
	assert_int_equal(x.ps, 0x01c10103);
	assert_int_equal(x.po, 0x01c10106);
}

static void test_copies_of_acpi_tables(void **state)
{
	struct heap_tables t;
	struct heap_sinit_mle s;
	enum heap_table where;
	struct span heap;

	for (unsigned copy = 0; copy < 2; copy++) {
		teardown(state);
		setup(state);
		w.platform.copy_madt = copy;
		assert_int_equal(world_senter(&w), SMX_OK);
		assert_true(w.result.launched);
		heap = (struct span){ world_at(&w, WORLD_HEAP, 0x100000), 0x100000 };
		assert_int_equal(heap_locate(heap, 4, &t, &where), TXT_OK);
		heap.p += t.table[HEAP_SINIT_MLE].offset;
		heap.n = t.table[HEAP_SINIT_MLE].content.n + 8;
		assert_int_equal(heap_sinit_mle_decode(heap, &s), TXT_OK);
		assert_int_equal(s.madt.n, copy ? 44 : 0);
		assert_int_equal(s.mcfg.n, 0);
	}
}

/* The hash follows linear, not physical addresses. */
static void test_scattered_hash(void **state)
{
	static uint8_t linear[WORLD_MLE_SIZE];
	struct digests want;

	(void)state;
	for (unsigned i = 0; i < WORLD_PAGES; i++) {
		uint32_t at = WORLD_MLE + (i + i / 3) * 4096u;

		world_put(&w, world_pte(i), at | 1, 8);
		memset(linear + i * (size_t)4096, (int)i, 4096);
		memset(w.ram + at, (int)i, 4096);
	}

	/* The header's page is the second. */
	struct wr out = wr_init((struct mspan){ world_at(&w, WORLD_MLE + 4096 + WORLD_MLE_HEADER - 0x1000, 52), 52 });

	wr_bytes(&out, SPAN_OF(w.header.uuid));
	for (unsigned i = 0; i < 9; i++)
		wr_le32(&out, (&w.header.length)[i]); /* cppcheck-suppress objectIndex ; nine fields of the same size */
	memcpy(linear + WORLD_MLE_HEADER, out.s.p, 52);
	assert_int_equal(world_senter(&w), SMX_OK);
	assert_true(w.result.launched);
	hash_span(ALG_SET_ALL, (struct span){ linear + 0x1000, WORLD_MLE_SIZE - 100 - 0x1000 }, &want);
	assert_true(digests_equal(&want, &w.result.mle_hash));
}

static void test_all_rules_have_a_case(void **state);

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_each_rule, setup, teardown),
	cmocka_unit_test(test_all_rules_have_a_case),
	cmocka_unit_test(test_names_are_unique),
	cmocka_unit_test_setup_teardown(test_processor, setup, teardown),
	cmocka_unit_test_setup_teardown(test_heap_unreadable, setup, teardown),
	cmocka_unit_test_setup_teardown(test_allowed, setup, teardown),
	cmocka_unit_test_setup_teardown(test_scattered_hash, setup, teardown),
	cmocka_unit_test_setup_teardown(test_no_policy_data, setup, teardown),
	cmocka_unit_test_setup_teardown(test_offsets_of_the_image, setup, teardown),
	cmocka_unit_test_setup_teardown(test_rsdt, setup, teardown),
	cmocka_unit_test_setup_teardown(test_mle_read, setup, teardown),
	cmocka_unit_test(test_nv_index_sets),
	cmocka_unit_test_setup_teardown(test_copies_of_acpi_tables, setup, teardown),
};

/* A rule without a case is a hole in the list; these are broken elsewhere or need another machine. */
static void test_all_rules_have_a_case(void **state)
{
#define HERE(r, f) { TXT_RULE_##r, f },
#define THERE(r, file, f) { TXT_RULE_##r, NULL },
	static const struct {
		enum txt_rule rule;
		void (*test)(void **);
	} elsewhere[] = { { TXT_OK, NULL }, SINIT_ELSEWHERE(HERE, THERE) };

	(void)state;
	for (enum txt_rule r = 0; r < TXT_RULE_COUNT; r++) {
		bool found = false;

		for (size_t i = 0; i < GL_COUNT(cases); i++)
			found = found || cases[i].rule == r;
		for (size_t i = 0; i < GL_COUNT(elsewhere); i++)
			found = found ||
			        (elsewhere[i].rule == r && (!elsewhere[i].test || is_listed(tests, GL_COUNT(tests), elsewhere[i].test)));
		if (!found)
			fprintf(stderr, "no case for %s\n", txt_rule_info(r)->id);
		assert_true(found);
		assert_non_null(txt_rule_info(r)->id);
		assert_non_null(txt_rule_info(r)->text);
		assert_non_null(txt_rule_info(r)->source);
	}
}

int main(void)
{
	return cmocka_run_group_tests_name("txt_rules", tests, NULL, NULL);
}
