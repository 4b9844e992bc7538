/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TXT heap as a guest leaves it, and the policies in the TPM. Input: u8 which NV indices there are (bit 0 AUX, 1 supplier, 2 owner), of each
 * u16 size and content, then the heap from its base on, which says where policy data lie. It is taken apart and shown, and SINIT runs over it on
 * a machine in which everything else is sound. Whatever it says, nothing is written but one of the event logs, the field for its end, and
 * SinitMleData, and a launch leaves what can be read again.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/txt_heap.h"
#include "common/eventlog.h"
#include "lcp/acm_make.h"
#include "lcp/acm_measure.h"
#include "qemu/txt/sinit.h"
#include "tests/fuzz/exact.h"

#define RAM 0x200000u
#define TOP 0xcc000000u
#define HEAP (TOP - 0x400000u)
#define HEAP_SIZE 0x20000u
#define SINIT_BASE (TOP - 0x200000u)
#define PTAB 0x100000u
#define MLE 0x110000u
#define PAGES 4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t ram[RAM], heap[HEAP_SIZE], module[0x8000];
/* What was written in the last run, or put there. */
struct dirt {
	size_t from, to;
};

static struct dirt ram_dirt = { RAM, 0 }, heap_dirt = { HEAP_SIZE, 0 };

/* What may be written: the logs that the guest names, in each four bytes of OsSinitData, and what lies behind that table. */
static struct writable {
	unsigned count;
	struct txt_range log[HEAP_MAX_LOGS + 1];
	struct txt_range end[HEAP_MAX_LOGS + 1];
	struct txt_range rest;
} writable;

/* The indices that exist, p NULL for the others. */
enum nv { NV_AUX, NV_PS, NV_PO, NV_COUNT };

static const uint32_t nv_numbers[NV_COUNT] = { 0x01c10102, 0x01c10103, 0x01c10106 };
static struct span nv_content[NV_COUNT];

static void note(struct dirt *d, size_t from, size_t n)
{
	d->from = from < d->from ? from : d->from;
	d->to = from + n > d->to ? from + n : d->to;
}

/* To clear all of it would take longer than the rest. */
static void clear(struct dirt *d, uint8_t *all, size_t size)
{
	if (d->from < d->to)
		memset(all + d->from, 0, d->to - d->from);
	*d = (struct dirt){ size, 0 };
}

static uint8_t *place(uint64_t at, size_t n)
{
	if (at < RAM && n <= RAM - at)
		return ram + at;
	if (at >= HEAP && at < HEAP + HEAP_SIZE && n <= HEAP + HEAP_SIZE - at)
		return heap + (at - HEAP);
	return NULL;
}

static bool read_memory(void *ctx, uint64_t at, struct mspan out)
{
	uint8_t *p = place(at, out.n);

	(void)ctx;
	if (p)
		memcpy(out.p, p, out.n);
	return p != NULL;
}

static bool may_write(struct txt_range r)
{
	bool ok = txt_range_contains(writable.rest, r);

	for (unsigned i = 0; i < writable.count; i++)
		ok = ok || txt_range_contains(writable.log[i], r) || txt_range_contains(writable.end[i], r);
	return ok;
}

static bool write_memory(void *ctx, uint64_t at, struct span in)
{
	uint8_t *p = place(at, in.n);

	(void)ctx;
	if (!may_write((struct txt_range){ at, in.n }))
		abort();
	if (!p)
		return false;
	memcpy(p, in.p, in.n);
	if (at < RAM)
		note(&ram_dirt, (size_t)at, in.n);
	else
		note(&heap_dirt, (size_t)(at - HEAP), in.n);
	return true;
}

static uint32_t banks(void *ctx, alg_set *out)
{
	(void)ctx;
	*out = ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256);
	return 0;
}

static uint32_t hash_sequence(void *ctx, struct span data)
{
	(void)ctx;
	return data.n == ACM_DRTM_SIZE ? 0 : TXT_TPM_SILENT;
}

static uint32_t extend(void *ctx, unsigned pcr, const struct digests *d)
{
	(void)ctx;
	if ((pcr != 17 && pcr != 18) || !d->banks)
		abort();
	return 0;
}

static const struct span *nv_at(uint32_t index)
{
	for (size_t i = 0; i < NV_COUNT; i++)
		if (nv_numbers[i] == index)
			return &nv_content[i];
	abort(); /* no other one is asked for */
}

static uint32_t nv_public(void *ctx, uint32_t index, struct txt_nv_public *out, bool *exists)
{
	const struct span *content = nv_at(index);

	(void)ctx;
	*exists = content->p != NULL;
	if (*exists)
		*out = (struct txt_nv_public){ .index = index, .name_alg = 11, .attributes = 0x22040006, .size = (uint16_t)content->n };
	return 0;
}

static uint32_t nv_read(void *ctx, uint32_t index, struct mspan out)
{
	const struct span *content = nv_at(index);

	(void)ctx;
	if (!content->p || content->n != out.n)
		abort();
	memcpy(out.p, content->p, out.n);
	return 0;
}

static uint32_t pcr_read(void *ctx, struct pcrs *out)
{
	alg_set active;

	(void)banks(ctx, &active);
	pcrs_reset_dynamic(out, active, true);
	for (unsigned a = 0; a < ALG_COUNT; a++)
		out->known[a] = active & ALG_BIT(a) ? 0xff : 0;
	return 0;
}

static void put(uint64_t at, uint64_t v, size_t width)
{
	struct wr w = wr_init((struct mspan){ ram + at, width });

	wr_le(&w, v, width);
}

static void sum_up(uint64_t at, size_t n, size_t where)
{
	uint8_t sum = 0;

	ram[at + where] = 0;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + ram[at + i]);
	ram[at + where] = (uint8_t)-sum;
}

/* ACPI tables and an MLE of four pages. */
static void build(void)
{
	static const uint32_t header[] = { 0x9082ac5a, 0x74a7476f, 0xa2555c0f, 0x42b651cb, 52, 0x20002, 0x1000, 0, 0, PAGES * MLE_PAGE,
		0x227, 0, 0 };

	clear(&ram_dirt, ram, RAM);
	memcpy(ram + 0xf0000, "RSD PTR ", 8);
	put(0xf0000 + 16, 0x80000, 4);
	sum_up(0xf0000, 20, 8);
	memcpy(ram + 0x80000, "RSDT", 4);
	put(0x80004, 40, 4);
	put(0x80000 + 36, 0x81000, 4);
	sum_up(0x80000, 40, 9);
	memcpy(ram + 0x81000, "DMAR", 4);
	put(0x81004, 48, 4);
	sum_up(0x81000, 48, 9);
	put(PTAB, (PTAB + 0x1000) | 1, 8);
	put(PTAB + 0x1000, (PTAB + 0x2000) | 1, 8);
	for (unsigned i = 0; i < PAGES; i++)
		put(PTAB + 0x2000 + 8 * i, (MLE + i * MLE_PAGE) | 1, 8);
	for (size_t i = 0; i < GL_COUNT(header); i++)
		put(MLE + 0x100 + 4 * i, header[i], 4);
}

static void make_module(struct chipset_config *c)
{
	static const struct acm_chipset chipsets[] = { { .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1 } };
	static const struct acm_processor processors[] = { { .fms = 0 } };
	struct acm_recipe recipe = acm_recipe_sinit(1);

	recipe.size = sizeof(module);
	recipe.chipsets = chipsets;
	recipe.chipset_count = 1;
	recipe.processors = processors;
	recipe.processor_count = 1;
	recipe.capabilities |= ACM_CAP_TPR;
	if (acm_make(&recipe, (struct mspan){ module, sizeof(module) }))
		abort();
	c->heap_size = HEAP_SIZE;
}

/* What the guest says about logs; `content` is where OsSinitData's begins. */
static void note_logs(const struct heap_os_sinit *o, uint64_t content)
{
	for (unsigned i = 0; i < o->log_count + o->has_tcg_log; i++) {
		const struct heap_log *l = i < o->log_count ? &o->logs[i] : &o->tcg_log;

		writable.log[writable.count] = (struct txt_range){ l->base, l->size };
		writable.end[writable.count++] = (struct txt_range){ content + l->next_at, 4 };
	}
}

/* What was read can be written, and then says the same. */
static void check_bios(const struct heap_bios *b)
{
	uint8_t table[256];
	struct heap_bios back;
	size_t n = 0;

	if (b->version < HEAP_BIOS_MIN || b->version > HEAP_BIOS_MAX || !heap_bios_encode(b, (struct mspan){ table, sizeof(table) }, &n) ||
		heap_bios_decode((struct span){ table + 8, n - 8 }, &back) != TXT_OK || back.version != b->version ||
		back.lcp_base != b->lcp_base || back.lcp_size != b->lcp_size || back.mle_flags != b->mle_flags)
		abort();
	if (heap_bios_encode(b, (struct mspan){ table, n - 1 }, &n))
		abort();
}

static void look(struct span bytes)
{
	struct heap_tables t;
	enum heap_table where;
	struct heap_bios bios;
	struct heap_os_sinit os;
	struct heap_sinit_mle s;

	memset(&writable, 0, sizeof(writable));
	if (heap_locate(bytes, 3, &t, &where))
		return;
	if (heap_bios_decode(t.table[HEAP_BIOS].content, &bios) == TXT_OK)
		check_bios(&bios);
	if (heap_os_sinit_decode(t.table[HEAP_OS_SINIT].content, &os) == TXT_OK)
		note_logs(&os, HEAP + t.table[HEAP_OS_SINIT].offset + 8);
	writable.rest = (struct txt_range){ HEAP + t.table[HEAP_SINIT_MLE].offset, HEAP_SIZE - t.table[HEAP_SINIT_MLE].offset };
	if (heap_locate(bytes, 4, &t, &where))
		return;
	bytes = (struct span){ bytes.p + t.table[HEAP_SINIT_MLE].offset, t.table[HEAP_SINIT_MLE].content.n + 8 };
	if (heap_sinit_mle_decode(bytes, &s) == TXT_OK && s.mdr_count && heap_mdr_at(&s, s.mdr_count - 1).range.size == 1 &&
		s.dmar.n > bytes.n)
		abort();
}

/* What `geolaunch txt heap` does with a dump: refused with one line, or all of it can be shown. */
static void show(struct span dump)
{
	struct txt_heap h;
	struct cli_fault fault;
	const struct heap_log *l;
	json_t *json;

	if (!txt_heap_decode("x", dump, 0, &h, &fault)) {
		if (fault.code != CLI_INPUT || strchr(fault.text, '\n'))
			abort();
		return;
	}
	for (unsigned i = 0; (l = txt_heap_nth_log(&h, i)); i++)
		if (txt_heap_log(&h, l).n > dump.n)
			abort();
	json = txt_heap_json(&h);
	if (!json)
		abort();
	json_decref(json);
}

static void check_launch(void)
{
	struct heap_tables t;
	enum heap_table where;
	struct heap_sinit_mle s;
	struct span bytes = SPAN_OF(heap);

	if (heap_locate(bytes, 4, &t, &where))
		abort();
	bytes = (struct span){ bytes.p + t.table[HEAP_SINIT_MLE].offset, t.table[HEAP_SINIT_MLE].content.n + 8 };
	if (heap_sinit_mle_decode(bytes, &s) || s.mdr_count != 1 || s.dmar.n != 48)
		abort();
}

static void read_nv(struct rd *r, struct exact *x)
{
	uint8_t there = rd_u8(r);

	for (size_t i = 0; i < NV_COUNT; i++) {
		nv_content[i] = (struct span){ NULL, 0 };
		if (there >> i & 1)
			nv_content[i] = exact_piece(x, r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct chipset chipset;
	static struct chipset_config config;
	const struct txt_memory memory = { read_memory, write_memory, NULL };
	const struct txt_tpm tpm = { banks, hash_sequence, extend, nv_public, nv_read, pcr_read, NULL };
	static const struct sinit_platform platform = { .mdrs = { { { 0, RAM }, HEAP_MDR_GOOD } }, .mdr_count = 1 };
	const struct sinit_input in = {
		.acm = SPAN_OF(module),
		.acm_base = SINIT_BASE,
		.platform = &platform,
		.chipset = &chipset,
		.memory = &memory,
		.tpm = &tpm,
		.policy = &sinit_lcp,
	};
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct rd r = rd_init((struct span){ data, size });
	struct sinit_result out;
	struct span bytes;

	if (!config.heap_size) {
		config = chipset_config_usual(TOP);
		make_module(&config);
	}
	read_nv(&r, &x);
	bytes = exact_copy(&x, rd_bytes(&r, rd_left(&r)));
	if (r.bad || bytes.n > HEAP_SIZE)
		return 0;
	show(bytes);
	clear(&heap_dirt, heap, HEAP_SIZE);
	if (bytes.n)
		memcpy(heap, bytes.p, bytes.n);
	note(&heap_dirt, 0, bytes.n);
	look(SPAN_OF(heap));
	build();
	chipset_power_on(&chipset, &config);
	memset(&out, 0xaa, sizeof(out));
	sinit_run(&in, &out);
	if (out.launched != (out.errorcode == 0) || out.launched != (out.rule == TXT_OK))
		abort();
	if (out.launched)
		check_launch();
	return 0;
}
