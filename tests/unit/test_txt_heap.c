/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "evp.h"
#include "qemu/txt/acpi.h"
#include "txt/heap.h"

/* The heap of a real machine, see tests/data/real-txt. */
static uint8_t real[0x16c12];

static void load_real(void)
{
	FILE *f = fopen("tests/data/real-txt/txt-heap.bin", "rb");

	assert_non_null(f);
	assert_int_equal(fread(real, 1, sizeof(real), f), sizeof(real));
	fclose(f);
}

static struct span with_size(const struct heap_location *l)
{
	return (struct span){ l->content.p - 8, l->content.n + 8 };
}

static void test_real_heap(void **state)
{
	static const struct heap_mdr mdrs[] = {
		{ { 0, 0xa0000 }, HEAP_MDR_GOOD },
		{ { 0x100000, 0xf00000 }, HEAP_MDR_GOOD },
		{ { 0x1000000, 0x6eb00000 }, HEAP_MDR_GOOD },
		{ { 0x70000000, 0x8000000 }, HEAP_MDR_SMM_NO_OVERLAY },
		{ { 0x80000000, 0x10000000 }, HEAP_MDR_PCIE_CONFIG },
		{ { 0x100000000, 0xb40000000 }, HEAP_MDR_GOOD },
	};
	struct heap_tables t;
	enum heap_table where;
	struct heap_bios b;
	struct heap_os_sinit o;
	struct heap_sinit_mle s;

	(void)state;
	load_real();
	assert_int_equal(heap_locate(SPAN_OF(real), 4, &t, &where), TXT_OK);
	assert_int_equal(t.table[HEAP_OS_MLE].offset, 0x2c);
	assert_int_equal(t.table[HEAP_OS_MLE].content.n, 0x15118);
	assert_int_equal(t.table[HEAP_OS_SINIT].offset, 0x1514c);
	assert_int_equal(t.table[HEAP_SINIT_MLE].offset, 0x151d4);

	assert_int_equal(heap_bios_decode(t.table[HEAP_BIOS].content, &b), TXT_OK);
	assert_int_equal(b.version, 3);
	assert_int_equal(b.bios_sinit_size, 0x40000);
	assert_int_equal(b.lcp_base, 0x6fb00000);
	assert_int_equal(b.lcp_size, 0x300c);
	assert_int_equal(b.processors, 0x48);

	assert_int_equal(heap_os_sinit_decode(t.table[HEAP_OS_SINIT].content, &o), TXT_OK);
	assert_int_equal(o.version, 7);
	assert_int_equal(o.flags, HEAP_OS_SINIT_EMBEDDED);
	assert_int_equal(o.ptab, 0x801000);
	assert_int_equal(o.mle_size, 0x46000);
	assert_int_equal(o.mle_header, 0x1a1e0);
	assert_int_equal(o.pmr_lo.size, 0x66a00000);
	assert_int_equal(o.pmr_hi.base, 0x100c00000);
	assert_int_equal(o.capabilities, 0x201);
	assert_true(o.has_tcg_log);
	assert_int_equal(o.tcg_log.base, 0x1014c);
	assert_int_equal(o.tcg_log.size, 0x2000);
	assert_int_equal(o.tcg_log.next, 0x6ba);
	assert_int_equal(o.log_count, 0);
	assert_false(o.has_tpr);

	assert_int_equal(heap_sinit_mle_decode(with_size(&t.table[HEAP_SINIT_MLE]), &s), TXT_OK);
	assert_int_equal(s.version, 9);
	assert_int_equal(s.rlp_wakeup, 0x6fec2c20);
	assert_int_equal(s.mdr_count, GL_COUNT(mdrs));
	for (uint32_t i = 0; i < s.mdr_count; i++) {
		struct heap_mdr m = heap_mdr_at(&s, i);

		assert_int_equal(m.type, mdrs[i].type);
		assert_int_equal(m.range.base, mdrs[i].range.base);
		assert_int_equal(m.range.size, mdrs[i].range.size);
	}
	assert_int_equal(s.dmar.n, 0x1e0);
	assert_memory_equal(s.dmar.p, "DMAR", 4);
	assert_true(acpi_table_good(s.dmar));
	assert_memory_equal(s.madt.p, "APIC", 4);
	assert_true(acpi_table_good(s.madt));
	assert_memory_equal(s.mcfg.p, "MCFG", 4);
	assert_true(acpi_table_good(s.mcfg));
}

/* SinitMleData written again from what was read is the same table, byte by byte. */
static void test_real_sinit_mle_again(void **state)
{
	static uint8_t out[sizeof(real)];
	struct heap_mdr mdrs[HEAP_MAX_MDRS];
	struct heap_tables t;
	enum heap_table where;
	struct heap_sinit_mle s;
	size_t n;

	(void)state;
	load_real();
	assert_int_equal(heap_locate(SPAN_OF(real), 4, &t, &where), TXT_OK);
	assert_int_equal(heap_sinit_mle_decode(with_size(&t.table[HEAP_SINIT_MLE]), &s), TXT_OK);
	for (uint32_t i = 0; i < s.mdr_count; i++)
		mdrs[i] = heap_mdr_at(&s, i);
	s.mdrs = mdrs;
	assert_true(heap_sinit_mle_encode(&s, (struct mspan){ out, sizeof(out) }, &n));
	assert_int_equal(n, with_size(&t.table[HEAP_SINIT_MLE]).n);
	assert_memory_equal(out, with_size(&t.table[HEAP_SINIT_MLE]).p, n);
	/* Into too little: no. */
	assert_false(heap_sinit_mle_encode(&s, (struct mspan){ out, n - 1 }, &n));
}

static void test_bios_data(void **state)
{
	static const size_t sizes[] = { [2] = 36, [3] = 44, [4] = 66, [5] = 66, [6] = 66 };
	uint8_t out[100];
	size_t n;

	(void)state;
	for (uint32_t v = HEAP_BIOS_MIN; v <= HEAP_BIOS_MAX; v++) {
		const struct heap_bios b = { .version = v,
			.bios_sinit_size = 5,
			.lcp_base = 6,
			.lcp_size = 7,
			.processors = 8,
			.sinit_flags = 9,
			.mle_flags = 10,
			.bios_version = { 1, 2, 3 } };
		struct heap_tables t;
		enum heap_table where;
		struct heap_bios back;

		assert_true(heap_bios_encode(&b, (struct mspan){ out, sizeof(out) }, &n));
		assert_int_equal(n, sizes[v]);
		assert_int_equal(heap_locate((struct span){ out, n }, 1, &t, &where), TXT_OK);
		assert_int_equal(t.table[HEAP_OS_MLE].offset, n);
		assert_int_equal(heap_bios_decode(t.table[HEAP_BIOS].content, &back), TXT_OK);
		assert_int_equal(back.version, v);
		assert_int_equal(back.bios_sinit_size, 5);
		assert_int_equal(back.lcp_base, 6);
		assert_int_equal(back.lcp_size, 7);
		assert_int_equal(back.processors, 8);
		assert_int_equal(back.sinit_flags, v >= 3 ? 9 : 0);
		assert_int_equal(back.mle_flags, v >= 3 ? 10 : 0);
		assert_false(heap_bios_encode(&b, (struct mspan){ out, n - 1 }, &n));
	}

	const struct heap_bios old = { .version = 1 }, new = { .version = 7 };

	assert_false(heap_bios_encode(&old, (struct mspan){ out, sizeof(out) }, &n));
	assert_false(heap_bios_encode(&new, (struct mspan){ out, sizeof(out) }, &n));
}

/* A heap that is cut anywhere is not taken apart, and nothing is read behind the cut (the sanitizer looks). */
static void test_cut_anywhere(void **state)
{
	struct heap_tables t;
	enum heap_table where = HEAP_BIOS;

	(void)state;
	load_real();
	for (size_t n = 0; n < sizeof(real); n += n < 0x15140 && n > 0x40 ? 997 : 1) {
		enum txt_rule r = heap_locate((struct span){ real, n }, 4, &t, &where);

		assert_int_equal(r, TXT_RULE_HEAP_TABLE_SIZE);
		if (n >= 0x1514c + 8 && n < 0x151d4)
			assert_int_equal(where, HEAP_OS_SINIT);
	}
}

/* OsSinitData of versions 4 and 5 end before the elements. */
static void test_os_sinit_versions(void **state)
{
	uint8_t bytes[92] = { 4 };
	struct heap_os_sinit o;

	(void)state;
	assert_int_equal(heap_os_sinit_decode((struct span){ bytes, 84 }, &o), TXT_OK);
	assert_int_equal(o.rsdp, 0);
	assert_int_equal(heap_os_sinit_decode((struct span){ bytes, 83 }, &o), TXT_RULE_HEAP_TABLE_SIZE);
	bytes[0] = 5;
	bytes[84] = 0x77;
	assert_int_equal(heap_os_sinit_decode((struct span){ bytes, 84 }, &o), TXT_RULE_HEAP_TABLE_SIZE);
	assert_int_equal(heap_os_sinit_decode(SPAN_OF(bytes), &o), TXT_OK);
	assert_int_equal(o.rsdp, 0x77);
	bytes[0] = 6;
	assert_int_equal(heap_os_sinit_decode(SPAN_OF(bytes), &o), TXT_RULE_HEAP_ELEMENT_END);
}

/* Elements without end do not make an endless walk. */
static void test_many_elements(void **state)
{
	static uint8_t bytes[92 + 8 * 40] = { 7 };
	struct heap_os_sinit o;

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		bytes[92 + 8 * i] = HEAP_EXT_CUSTOM;
		bytes[96 + 8 * i] = 8;
	}
	assert_int_equal(heap_os_sinit_decode(SPAN_OF(bytes), &o), TXT_RULE_HEAP_ELEMENT_END);
	bytes[92 + 8 * 20] = HEAP_EXT_END;
	assert_int_equal(heap_os_sinit_decode(SPAN_OF(bytes), &o), TXT_OK);
}

/* OsSinitData 7 with the elements that are added. */
static uint8_t table[1024];
static struct wr out;

static void begin(void)
{
	memset(table, 0, sizeof(table));
	table[0] = 7;
	out = wr_init((struct mspan){ table, sizeof(table) });
	out.off = 92;
}

static void add(uint32_t type, uint32_t size)
{
	wr_le32(&out, type);
	wr_le32(&out, size);
}

static void add_tcg(uint32_t size)
{
	add(HEAP_EXT_LOG_TCG, size);
	wr_le64(&out, 0x1000);
	wr_le32(&out, 0x2000);
	wr_le32(&out, 3);
	wr_le32(&out, 4);
}

static void add_logs(uint32_t count, uint32_t size, uint16_t alg)
{
	add(HEAP_EXT_LOG_2, size);
	wr_le32(&out, count);
	for (uint32_t i = 0; i < (size - 12) / 24; i++) {
		wr_le16(&out, (uint16_t)(alg + i));
		wr_le16(&out, 0);
		wr_le64(&out, 0x3000 + i);
		wr_le32(&out, 0x1000);
		wr_le64(&out, 0);
	}
}

static void add_tprs(uint32_t count, uint32_t size)
{
	add(HEAP_EXT_TPR, size);
	wr_le32(&out, count);
	for (uint32_t i = 0; i < (size - 12) / 16; i++) {
		wr_le64(&out, 0x200000 * (uint64_t)i);
		wr_le64(&out, 0x1000);
	}
}

static enum txt_rule finish(struct heap_os_sinit *o)
{
	add(HEAP_EXT_END, 8);
	assert_false(out.bad);
	return heap_os_sinit_decode((struct span){ table, out.off }, o);
}

static void test_log_elements(void **state)
{
	struct heap_os_sinit o;

	(void)state;
	begin();
	add_tcg(28);
	add_logs(2, 60, 4);
	assert_int_equal(finish(&o), TXT_OK);
	assert_true(o.has_tcg_log);
	assert_int_equal(o.tcg_log.base, 0x1000);
	assert_int_equal(o.tcg_log.size, 0x2000);
	assert_int_equal(o.tcg_log.first, 3);
	assert_int_equal(o.tcg_log.first_at, 92 + 8 + 12);
	assert_int_equal(o.tcg_log.next, 4);
	assert_int_equal(o.tcg_log.next_at, 92 + 8 + 16);
	assert_int_equal(o.log_count, 2);
	assert_int_equal(o.logs[1].alg, 5);
	assert_int_equal(o.logs[1].base, 0x3001);
	assert_int_equal(o.logs[1].next_at, 92 + 28 + 12 + 24 + 20);

	begin();
	add_tcg(28);
	add_tcg(28);
	assert_int_equal(finish(&o), TXT_RULE_HEAP_LOG);
	begin();
	add_tcg(27);
	assert_int_equal(finish(&o), TXT_RULE_HEAP_ELEMENT_SIZE);
	begin();
	add_tcg(32);
	assert_int_equal(finish(&o), TXT_RULE_HEAP_ELEMENT_SIZE);
	begin();
	add_logs(1, 36, 4);
	add_logs(1, 36, 5);
	assert_int_equal(finish(&o), TXT_RULE_HEAP_LOG);
	for (size_t i = 0; i < 4; i++) {
		static const uint32_t wrong[][2] = { { 0, 12 }, { 2, 36 }, { 9, 12 + 9 * 24 }, { 0xaaaaaaab, 28 } };

		begin();
		add_logs(wrong[i][0], wrong[i][1], 4);
		assert_int_equal(finish(&o), TXT_RULE_HEAP_ELEMENT_SIZE);
	}
	begin();
	add_logs(2, 60, 4);
	table[92 + 12 + 24] = 4;
	assert_int_equal(finish(&o), TXT_RULE_HEAP_LOG_BANKS);
}

static void test_tpr_elements(void **state)
{
	struct heap_os_sinit o;

	(void)state;
	begin();
	add_tprs(2, 44);
	assert_int_equal(finish(&o), TXT_OK);
	assert_true(o.has_tpr);
	assert_int_equal(o.tpr_count, 2);
	assert_int_equal(o.tprs[1].base, 0x200000);
	assert_int_equal(o.tprs[1].size, 0x1000);
	begin();
	add(HEAP_EXT_TPR, 8);
	assert_int_equal(finish(&o), TXT_OK);
	assert_true(o.has_tpr);
	assert_int_equal(o.tpr_count, 0);
	begin();
	add_tprs(1, 28);
	add_tprs(1, 28);
	assert_int_equal(finish(&o), TXT_RULE_TPR);
	begin();
	add_tprs(1, 12);
	assert_int_equal(finish(&o), TXT_RULE_HEAP_ELEMENT_SIZE);
	begin();
	add_tprs(9, 12 + 9 * 16);
	assert_int_equal(finish(&o), TXT_RULE_HEAP_ELEMENT_SIZE);
}

static void test_element_sizes(void **state)
{
	struct heap_os_sinit o;

	(void)state;
	for (uint32_t size = 0; size < 8; size++) {
		begin();
		add(HEAP_EXT_CUSTOM, size);
		assert_int_equal(finish(&o), TXT_RULE_HEAP_ELEMENT_SIZE);
		begin();
		add(HEAP_EXT_END, size);
		assert_int_equal(heap_os_sinit_decode((struct span){ table, out.off }, &o), TXT_RULE_HEAP_ELEMENT_SIZE);
	}
	begin();
	add(HEAP_EXT_CUSTOM, 17);
	assert_int_equal(finish(&o), TXT_RULE_HEAP_ELEMENT_SIZE);
	begin();
	add(HEAP_EXT_CUSTOM, 12);
	wr_le32(&out, 0);
	assert_int_equal(finish(&o), TXT_OK);
}

/* Bytes that are not there are not read as 0. */
static void test_bios_data_cut(void **state)
{
	const struct heap_bios b = { .version = 6, .processors = 3 };
	uint8_t bytes[100];
	struct heap_bios back;
	size_t n;

	(void)state;
	assert_true(heap_bios_encode(&b, (struct mspan){ bytes, sizeof(bytes) }, &n));
	for (size_t cut = 8; cut < n; cut++)
		assert_int_equal(heap_bios_decode((struct span){ bytes + 8, cut - 8 }, &back), cut < 44 ? TXT_RULE_HEAP_TABLE_SIZE
											       : cut >= 44 + 8 && cut < 44 + 14
												       ? TXT_RULE_HEAP_ELEMENT_SIZE
												       : TXT_RULE_HEAP_ELEMENT_END);
	assert_int_equal(heap_bios_decode((struct span){ bytes + 8, n - 8 }, &back), TXT_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_heap),
		cmocka_unit_test(test_real_sinit_mle_again),
		cmocka_unit_test(test_bios_data),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_os_sinit_versions),
		cmocka_unit_test(test_many_elements),
		cmocka_unit_test(test_log_elements),
		cmocka_unit_test(test_tpr_elements),
		cmocka_unit_test(test_element_sizes),
		cmocka_unit_test(test_bios_data_cut),
	};

	return cmocka_run_group_tests_name("txt_heap", tests, NULL, NULL);
}
