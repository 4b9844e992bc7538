/* SPDX-License-Identifier: BSD-3-Clause */
/* The stage's smaller parts: memory, policy, heap log, shared page, power. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/eventlog.h"
#include "common/hash.h"
#include "stage/core/heaplog.h"
#include "stage/core/policy.h"
#include "stage/core/power.h"
#include "tests/unit/boot_samples.h"
#include "tests/unit/stage_world.h"

/* ---- memory, beside a map with a byte per page ---- */

#define PAGES 64u
#define PAGE UINT64_C(4096)

static struct txt_range pages(unsigned first, unsigned count)
{
	return (struct txt_range){ first * PAGE, count * PAGE };
}

static void assert_same(const struct stage_memory *m, const uint8_t *map)
{
	uint8_t seen[PAGES] = { 0 };

	for (size_t i = 0; i < m->count; i++) {
		assert_true(m->free[i].size > 0);
		if (i > 0)
			assert_true(m->free[i].base > m->free[i - 1].base + m->free[i - 1].size);
		memset(seen + m->free[i].base / PAGE, 1, m->free[i].size / PAGE);
	}
	assert_memory_equal(seen, map, PAGES);
}

static void test_memory_model(void **state)
{
	(void)state;
	srand(7);
	for (unsigned round = 0; round < 500; round++) {
		struct stage_memory m = { .count = 0 };
		uint8_t map[PAGES] = { 0 };

		for (unsigned step = 0; step < 40; step++) {
			unsigned first = (unsigned)rand() % PAGES, count = (unsigned)rand() % (PAGES - first) % 16;
			uint32_t at;

			switch (rand() % 3) {
			case 0:
				stage_memory_add(&m, pages(first, count));
				memset(map + first, 1, count);
				break;
			case 1:
				stage_memory_remove(&m, pages(first, count));
				memset(map + first, 0, count);
				break;
			default:
				if (!count || !stage_memory_take(&m,
						      &(struct stage_want){ .size = count * PAGE - 1,
							      .low = first * PAGE,
							      .high = PAGES * PAGE,
							      .align = PAGE << rand() % 3,
							      .top = rand() % 2 },
						      &at))
					break;
				assert_true(at >= first * PAGE && at / PAGE + count <= PAGES);
				for (unsigned i = 0; i < count; i++)
					assert_int_equal(map[at / PAGE + i], 1);
				memset(map + at / PAGE, 0, count);
			}
			assert_same(&m, map);
		}
	}
}

static void test_memory_edges(void **state)
{
	struct stage_memory m = { .count = 0 };
	uint32_t at = 1;

	(void)state;
	/* Added inwards, removed outwards. */
	stage_memory_add(&m, (struct txt_range){ 1, 3 * PAGE });
	assert_int_equal(m.count, 1);
	assert_true(m.free[0].base == PAGE && m.free[0].size == 2 * PAGE);
	stage_memory_remove(&m, (struct txt_range){ 2 * PAGE + 5, 1 });
	assert_true(m.count == 1 && m.free[0].size == PAGE);
	/* Nothing above 4 GiB, nothing that wraps. */
	stage_memory_add(&m, (struct txt_range){ UINT64_C(1) << 32, PAGE });
	stage_memory_add(&m, (struct txt_range){ 16 * PAGE, UINT64_MAX });
	assert_int_equal(m.count, 1);
	stage_memory_add(&m, (struct txt_range){ UINT32_MAX - 2 * PAGE, UINT64_C(1) << 40 });
	assert_true(m.count == 2 && m.free[1].base + m.free[1].size == UINT64_C(1) << 32);
	/* What wraps takes all from its base on. */
	stage_memory_remove(&m, (struct txt_range){ 2 * PAGE, UINT64_MAX });
	assert_true(m.count == 1 && m.free[0].base == PAGE);
	/* Impossible wishes. */
	assert_false(stage_memory_take(&m, &(struct stage_want){ .size = 0, .high = PAGES * PAGE }, &at));
	assert_false(stage_memory_take(&m, &(struct stage_want){ .size = UINT64_MAX, .high = UINT64_MAX }, &at));
	assert_false(stage_memory_take(&m, &(struct stage_want){ .size = 1, .high = 2 * PAGE - 1 }, &at));
	assert_false(stage_memory_take(&m, &(struct stage_want){ .size = 1, .low = PAGE + 1, .high = 4 * PAGE }, &at));
	assert_int_equal(at, 1);
	assert_false(stage_memory_take_at(&m, (struct txt_range){ PAGE, PAGE + 1 }));
	assert_false(stage_memory_take_at(&m, (struct txt_range){ PAGE, 0 }));
	assert_true(stage_memory_take_at(&m, (struct txt_range){ PAGE, 1 }));
	assert_int_equal(m.count, 0);
	/* A full table loses free memory, never invents any. */
	for (unsigned i = 0; i < 2 * STAGE_MEMORY_RANGES; i++)
		stage_memory_add(&m, pages(2 * i, 1));
	assert_int_equal(m.count, STAGE_MEMORY_RANGES);
	stage_memory_remove(&m, pages(1, 1));
	assert_int_equal(m.count, STAGE_MEMORY_RANGES);
}

/* ---- policy ---- */

static void test_policy(void **state)
{
	static const char text[] =
		"geolaunch-stage 1 policy=continue hypervisor=linux modules=hypervisor nv=0x01c10110,nv,22,sha1,"
		"000102030405060708090a0b0c0d0e0f10111213,ffffffffffffffffffffffffffffffffffffffff nv=0x01c10111,nv_raw,21,any halt=poweroff,0";
	struct stage_rules rules;
	struct vlp p;

	(void)state;
	assert_int_equal(stage_rules_parse(span_str(text), &rules, NULL), STAGE_RULES_OK);
	stage_policy(&rules, &p);
	assert_int_equal(vlp_validate(&p, NULL), VLP_OK);
	assert_int_equal(p.type, VLP_CONTINUE);
	assert_int_equal(p.hash_alg, 4);
	assert_int_equal(p.entry_count, 2);
	assert_true(p.entries[0].module == VLP_MODULE_NV && p.entries[0].pcr == 22 && p.entries[0].hash_type == VLP_HASH_IMAGE);
	assert_true(p.entries[0].hash_count == 2 && p.entries[0].hashes.n == 40 && p.entries[0].hashes.p[1] == 1);
	assert_true(p.entries[1].module == VLP_MODULE_NV_RAW && p.entries[1].pcr == 21 && p.entries[1].hash_type == VLP_HASH_ANY);
	assert_int_equal(p.entries[1].nv_index, 0x01c10111);
}

/* ---- heap log ---- */

static struct txt_range heap_range(void)
{
	return (struct txt_range){ STAGE_HEAP, STAGE_HEAP_SIZE };
}

static void test_heaplog_append(void **state)
{
	struct stage_scene *s = scene_new();
	size_t start = scene_heap(s, ALG_SET_ALL & ~ALG_BIT(ALG_SHA512)), events = 0;
	struct heaplog l;
	struct digests d;
	struct eventlog_reader r;
	struct event e;

	(void)state;
	assert_int_equal(heaplog_open(&s->world, heap_range(), &l), STAGE_OK);
	assert_int_equal(l.next, start);
	hash_span(ALG_SET_ALL, SPAN_LITERAL("y"), &d);
	/* The bank that the log does not name is left out; what none of both has cannot be logged. */
	assert_true(heaplog_append(&l, 22, 0x5a2, &d, SPAN_LITERAL("nv 0x01c10110")));
	d.banks = ALG_BIT(ALG_SHA512);
	assert_false(heaplog_append(&l, 22, 0x5a2, &d, SPAN_LITERAL("z")));
	d.banks = ALG_SET_ALL;
	for (events = 1; heaplog_append(&l, 17, 0x5a3, &d, SPAN_LITERAL("closing")); events++)
		assert_int_equal(sample_get(s->ram, STAGE_HEAP + 40 + 124, 4), l.next);
	assert_true(events > 10);
	/* Full: as it was, also behind its end. */
	assert_int_equal(sample_get(s->ram, STAGE_HEAP + 40 + 124, 4), l.next);
	for (size_t i = l.next; i < STAGE_LOG_SIZE + 64; i++)
		assert_int_equal(s->ram[STAGE_LOG + i], 0);
	assert_int_equal(eventlog_open(&r, (struct span){ s->ram + STAGE_LOG, l.next }), EVENTLOG_EVENT);
	for (size_t i = 0; i < 3 + events; i++) {
		assert_int_equal(eventlog_next(&r, &e), EVENTLOG_EVENT);
		if (i < 3)
			continue;
		assert_int_equal(e.digests.banks, ALG_SET_ALL & ~ALG_BIT(ALG_SHA512));
		assert_true(span_is_str(e.data, i == 3 ? "nv 0x01c10110" : "closing") && e.pcr == (i == 3 ? 22u : 17u));
		assert_memory_equal(e.digests.d[ALG_SHA384], d.d[ALG_SHA384], 48);
	}
	assert_int_equal(eventlog_next(&r, &e), EVENTLOG_END);
	/* Opened again it goes on where it was. */
	assert_int_equal(heaplog_open(&s->world, heap_range(), &l), STAGE_OK);
	scene_free(s);
}

static void test_heaplog_refused(void **state)
{
	static const struct {
		size_t at, width;
		uint64_t v;
		enum stage_error e;
	} rows[] = {
		{ 0, 8, 7, STAGE_E_HEAP }, { 0, 8, STAGE_HEAP_SIZE, STAGE_E_HEAP }, { 40, 8, UINT64_MAX, STAGE_E_HEAP },
		{ 40 + 8, 4, 3, STAGE_E_HEAP }, { 40 + 104, 4, 27, STAGE_E_HEAP }, { 40 + 100, 4, 99, STAGE_E_HEAP },
		{ 40 + 100, 4, 4, STAGE_E_LOG }, /* no log at all */
		{ 40 + 108, 8, STAGE_RAM - 4095, STAGE_E_LOG }, { 40 + 108, 8, UINT64_C(1) << 40, STAGE_E_LOG },
		{ 40 + 116, 4, 64, STAGE_E_LOG }, { 40 + 116, 4, 0, STAGE_E_LOG }, { 40 + 124, 4, 4097, STAGE_E_LOG },
		{ 40 + 124, 4, 0, STAGE_E_LOG }, { 40 + 124, 4, 100, STAGE_E_LOG }, { 40 + 120, 4, 1, STAGE_E_LOG },
		{ 40 + 120, 4, 4096, STAGE_E_LOG }, { 0x2000, 4, 17, STAGE_OK }, /* an EV_NO_ACTION goes into no PCR */
		{ 0x2000 + 4, 4, 0x500, STAGE_E_LOG },                           /* no crypto-agile log */
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct stage_scene *s = scene_new();
		struct heaplog l = { .next = 4711 };

		(void)scene_heap(s, ALG_SET_ALL);
		sample_put(s->ram, STAGE_HEAP + rows[i].at, rows[i].v, rows[i].width);
		if (heaplog_open(&s->world, heap_range(), &l) != rows[i].e)
			fail_msg("row %zu: %s", i, stage_strerror(heaplog_open(&s->world, heap_range(), &l)));
		if (rows[i].e != STAGE_OK)
			assert_int_equal(l.next, 4711);
		scene_free(s);
	}
}

static void test_heaplog_ranges(void **state)
{
	struct stage_scene *s = scene_new();
	struct heaplog l;

	(void)state;
	(void)scene_heap(s, ALG_SET_ALL);
	assert_int_equal(heaplog_open(&s->world, (struct txt_range){ STAGE_HEAP, 0 }, &l), STAGE_E_HEAP);
	assert_int_equal(heaplog_open(&s->world, (struct txt_range){ STAGE_HEAP, UINT64_MAX }, &l), STAGE_E_HEAP);
	assert_int_equal(heaplog_open(&s->world, (struct txt_range){ STAGE_RAM - 4, 8 }, &l), STAGE_E_HEAP);
	assert_int_equal(heaplog_open(&s->world, (struct txt_range){ UINT64_MAX, 0x10000 }, &l), STAGE_E_HEAP);
	/* A good log that is not in the heap: events would be written over what lies there. */
	memcpy(s->ram + STAGE_MODULES, s->ram + STAGE_LOG, STAGE_LOG_SIZE);
	sample_put(s->ram, STAGE_HEAP + 40 + 108, STAGE_MODULES, 8);
	assert_int_equal(heaplog_open(&s->world, heap_range(), &l), STAGE_E_LOG);
	memcpy(s->ram + STAGE_HEAP + STAGE_HEAP_SIZE - 2048, s->ram + STAGE_LOG, STAGE_LOG_SIZE);
	sample_put(s->ram, STAGE_HEAP + 40 + 108, STAGE_HEAP + STAGE_HEAP_SIZE - 2048, 8);
	assert_int_equal(heaplog_open(&s->world, heap_range(), &l), STAGE_E_LOG);
	sample_put(s->ram, STAGE_HEAP + 40 + 108, STAGE_LOG, 8);
	assert_int_equal(heaplog_open(&s->world, heap_range(), &l), STAGE_OK);
	/* Up to what SINIT left for the kernel, not over it. */
	sample_put(s->ram, STAGE_HEAP + 176, STAGE_LOG - STAGE_HEAP - 176, 8);
	assert_int_equal(heaplog_open(&s->world, heap_range(), &l), STAGE_OK);
	sample_put(s->ram, STAGE_HEAP + 176, STAGE_LOG - STAGE_HEAP - 176 + 1, 8);
	assert_int_equal(heaplog_open(&s->world, heap_range(), &l), STAGE_E_LOG);
	sample_put(s->ram, STAGE_HEAP + 176, 16, 8);
	/* Something that is no event behind the last one. */
	sample_put(s->ram, STAGE_HEAP + 40 + 124, sample_get(s->ram, STAGE_HEAP + 40 + 124, 4) + 1, 4);
	assert_int_equal(heaplog_open(&s->world, heap_range(), &l), STAGE_E_LOG);
	scene_free(s);
}

/* ---- shared page, power ---- */

static void test_shared(void **state)
{
	/* clang-format off */
	static const struct {
		size_t at;
		uint32_t v;
	} rows[] = {
		{ 0, 0 }, { 12, 0 }, { 16, 4 }, { 24, STAGE_TBOOT - 1 }, { 24, STAGE_TBOOT_END }, { 104, 0 }, { 104, STAGE_SHARED + 1 },
		{ 108, STAGE_SHARED + 4095 - STAGE_TBOOT },
	};
	/* clang-format on */
	struct stage_scene *s = scene_new();
	struct tboot_shared t;
	const struct span page = { s->ram + STAGE_SHARED, TBOOT_SHARED_SIZE };

	(void)state;
	scene_linux(s);
	scene_build(s);
	assert_int_equal(tboot_shared_read(page, STAGE_SHARED, &t), STAGE_OK);
	assert_true(t.version == 6 && t.shutdown_entry == STAGE_SHUTDOWN && t.memory.base == STAGE_TBOOT);
	assert_int_equal(tboot_shared_read((struct span){ page.p, 4095 }, STAGE_SHARED, &t), STAGE_E_SHARED);
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		scene_build(s);
		sample_put(s->ram, STAGE_SHARED + rows[i].at, rows[i].v, 4);
		assert_int_equal(tboot_shared_read(page, STAGE_SHARED, &t), STAGE_E_SHARED);
	}
	scene_free(s);
}

static void test_power_off(void **state)
{
	struct stage_scene *s = scene_new();
	struct tboot_sleep sleep;
	struct handover *h = &s->handover;
	uint8_t *page = s->ram + STAGE_SHARED;

	(void)state;
	scene_linux(s);
	scene_build(s);
	assert_int_equal(scene_plan(s), STAGE_OK);
	assert_true(power_off_registers(&s->world, h->rsdp, &sleep));
	assert_true(sleep.pm1a.address == 0x604 && sleep.pm1a.value == (5 << 10 | 1 << 13));
	assert_true(sleep.pm1b.address == 0 && sleep.pm1b.value == (7 << 10 | 1 << 13));
	tboot_shared_set((struct mspan){ page, 4096 }, TBOOT_S5, &sleep);
	/* Where Linux writes them: tboot_acpi_sleep_info in struct tboot. */
	assert_int_equal(sample_get(page, 28, 4), TBOOT_S5);
	assert_int_equal(sample_get(page, 32, 4), 1u | 16u << 8 | 2u << 24);
	assert_int_equal(sample_get(page, 36, 8), 0x604);
	assert_int_equal(sample_get(page, 80, 2), 5 << 10 | 1 << 13);
	assert_int_equal(sample_get(page, 82, 2), 7 << 10 | 1 << 13);
	assert_int_equal(sample_get(page, 104, 4), STAGE_TBOOT);
	tboot_shared_set((struct mspan){ page, 4096 }, TBOOT_HALT, NULL);
	assert_int_equal(sample_get(page, 28, 4), TBOOT_HALT);
	assert_int_equal(sample_get(page, 36, 8), 0x604);
	scene_free(s);
}

static void test_power_refused(void **state)
{
	/* clang-format off */
	static const struct {
		uint32_t table;
		size_t at, width;
		uint64_t v;
		bool sum;
	} rows[] = {
		{ STAGE_XSDT, 0, 4, 0, true }, { STAGE_XSDT, 9, 1, 1, false }, { STAGE_XSDT, 4, 4, 35, false }, { STAGE_XSDT, 4, 4, 44, true },
		{ STAGE_XSDT, 4, 4, UINT32_MAX, false }, { STAGE_XSDT, 44, 8, UINT64_MAX, true },
		{ STAGE_FADT, 64, 4, 0, true }, { STAGE_FADT, 64, 4, 0x10000, true }, { STAGE_FADT, 112, 4, 1 << 20, true },
		{ STAGE_FADT, 140, 8, STAGE_FADT, true }, { STAGE_FADT, 40, 4, 0, true }, { STAGE_FADT, 9, 1, 3, false },
		{ STAGE_DSDT, 60, 1, 0x10, true }, { STAGE_DSDT, 64, 1, 'x', true }, { STAGE_DSDT, 65, 1, 0x13, true },
		{ STAGE_DSDT, 67, 1, 1, true }, { STAGE_DSDT, 68, 1, 0x0c, true }, { STAGE_DSDT, 69, 1, 8, true },
		{ STAGE_DSDT, 4, 4, 70, true },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct stage_scene *s = scene_new();
		struct tboot_sleep sleep;

		scene_linux(s);
		scene_build(s);
		assert_int_equal(scene_plan(s), STAGE_OK);
		sample_put(s->ram, rows[i].table + rows[i].at, rows[i].v, rows[i].width);
		if (rows[i].sum)
			scene_sum(s, rows[i].table);
		if (power_off_registers(&s->world, s->handover.rsdp, &sleep))
			fail_msg("row %zu", i);
		scene_free(s);
	}
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_model), cmocka_unit_test(test_memory_edges), cmocka_unit_test(test_policy),
		cmocka_unit_test(test_heaplog_append), cmocka_unit_test(test_heaplog_refused), cmocka_unit_test(test_heaplog_ranges),
		cmocka_unit_test(test_shared), cmocka_unit_test(test_power_off), cmocka_unit_test(test_power_refused),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
