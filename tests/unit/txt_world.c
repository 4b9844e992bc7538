/* SPDX-License-Identifier: BSD-3-Clause */
#include "txt_world.h"

#include <stdlib.h>
#include <string.h>

#include "evp.h"

static const struct acm_chipset chipsets[] = { { .flags = 0, .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1 } };
static const struct acm_processor processors[] = { { .fms = 0, .fms_mask = 0 } };
static const uint16_t algs[] = { 0x0004, 0x000b, 0x000c, 0x000d };

uint8_t *world_at(struct world *w, uint64_t at, size_t n)
{
	if (at < WORLD_RAM && n <= WORLD_RAM - at)
		return w->ram + at;
	if (at >= WORLD_HEAP && at < WORLD_TOP && n <= WORLD_TOP - at)
		return w->dpr + (at - WORLD_HEAP);
	return NULL;
}

static bool alive(struct world *w)
{
	if (w->reads_left > 1)
		w->reads_left--;
	return w->reads_left != 1;
}

static bool read_memory(void *ctx, uint64_t at, struct mspan out)
{
	uint8_t *p = world_at(ctx, at, out.n);

	if (!p || !alive(ctx))
		return false;
	memcpy(out.p, p, out.n);
	return true;
}

static bool write_memory(void *ctx, uint64_t at, struct span in)
{
	uint8_t *p = world_at(ctx, at, in.n);

	if (!p || !alive(ctx))
		return false;
	memcpy(p, in.p, in.n);
	return true;
}

void world_put(struct world *w, uint64_t at, uint64_t v, size_t width)
{
	struct wr out = wr_init((struct mspan){ world_at(w, at, width), width });

	assert_non_null(out.s.p);
	wr_le(&out, v, width);
}

uint64_t world_get(struct world *w, uint64_t at, size_t width)
{
	struct rd r = rd_init((struct span){ world_at(w, at, width), width });

	assert_non_null(r.s.p);
	return rd_le(&r, width);
}

uint64_t world_pte(unsigned page)
{
	return WORLD_PTAB + 0x2000 + 8 * (uint64_t)page;
}

/* ---- the TPM ---- */

static uint32_t command(struct world *w)
{
	return ++w->commands == w->fail_at ? w->fail_rc : 0;
}

static uint32_t tpm_banks(void *ctx, alg_set *out)
{
	struct world *w = ctx;
	uint32_t rc = command(w);

	if (!rc)
		*out = w->banks;
	return rc;
}

/* The dynamic PCRs; what the firmware measured is in the others: PCR i has all bytes i + 1. */
static void reset_pcrs(struct world *w, bool drtm)
{
	pcrs_reset_dynamic(&w->pcrs, w->banks, drtm);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		w->pcrs.known[a] |= 0xffff;
		for (unsigned i = 0; i < 16; i++)
			memset(w->pcrs.v[a][i], (int)i + 1, DIGEST_MAX);
	}
}

static uint32_t tpm_hash(void *ctx, struct span data)
{
	struct world *w = ctx;
	uint32_t rc = command(w);
	struct digests d = { .banks = w->banks };

	if (rc)
		return rc;
	reset_pcrs(w, true);
	for (enum alg a = 0; a < ALG_COUNT; a++)
		evp(a, data, d.d[a]);
	w->drtm = true;
	return pcrs_extend(&w->pcrs, 17, &d) ? 0 : TXT_TPM_SILENT;
}

static uint32_t tpm_extend(void *ctx, unsigned pcr, const struct digests *d)
{
	struct world *w = ctx;
	uint32_t rc = command(w);

	if (rc)
		return rc;
	w->extends++;
	return pcrs_extend(&w->pcrs, pcr, d) ? 0 : TXT_TPM_SILENT;
}

static struct world_nv *find(struct world *w, uint32_t index)
{
	for (size_t i = 0; i < WORLD_NV; i++)
		if (w->nv[i].exists && w->nv[i].public.index == index)
			return &w->nv[i];
	return NULL;
}

static uint32_t tpm_nv_public(void *ctx, uint32_t index, struct txt_nv_public *out, bool *exists)
{
	struct world_nv *nv = find(ctx, index);
	uint32_t rc = command(ctx);

	if (rc)
		return rc;
	*exists = nv != NULL;
	if (nv)
		*out = nv->public;
	return 0;
}

static uint32_t tpm_nv_read(void *ctx, uint32_t index, struct mspan out)
{
	struct world_nv *nv = find(ctx, index);
	uint32_t rc = command(ctx);

	if (rc)
		return rc;
	assert_non_null(nv);
	assert_int_equal(out.n, nv->public.size);
	memcpy(out.p, nv->content, out.n);
	return 0;
}

static uint32_t tpm_pcr_read(void *ctx, struct pcrs *out)
{
	struct world *w = ctx;
	uint32_t rc = command(w);

	if (!rc)
		*out = w->pcrs;
	return rc;
}

void world_define(struct world *w, unsigned slot, uint32_t index, uint32_t attributes, struct span policy, struct span content)
{
	struct world_nv *nv = &w->nv[slot];

	assert_true(content.n <= sizeof(nv->content) && policy.n <= DIGEST_MAX);
	memset(nv, 0, sizeof(*nv));
	nv->exists = true;
	nv->public = (struct txt_nv_public){
		.index = index, .name_alg = 0x000b, .attributes = attributes, .policy_size = (uint8_t)policy.n, .size = (uint16_t)content.n
	};
	memcpy(nv->public.policy, policy.p, policy.n);
	memcpy(nv->content, content.p, content.n);
}

/* ---- memory ---- */

static void build_acm(struct world *w)
{
	uint8_t *at = world_at(w, WORLD_SINIT, w->recipe.size);
	uint8_t digest[DIGEST_MAX];
	struct acm acm;

	assert_int_equal(acm_make(&w->recipe, (struct mspan){ at, w->recipe.size }), ACM_OK);
	assert_int_equal(acm_decode((struct span){ at, w->recipe.size }, &acm), ACM_OK);
	evp(ALG_SHA256, acm.header.public_key, digest);
	memcpy(w->chipset.config.public_key, digest, sizeof(w->chipset.config.public_key));
}

static void put_checksum(uint8_t *p, size_t n, size_t at)
{
	uint8_t sum = 0;

	p[at] = 0;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	p[at] = (uint8_t)-sum;
}

static void put_table(struct world *w, uint64_t at, const char *name, uint32_t n)
{
	uint8_t *p = world_at(w, at, n);

	memcpy(p, name, 4);
	world_put(w, at + 4, n, 4);
	put_checksum(p, n, 9);
}

static void build_acpi(struct world *w)
{
	uint8_t *rsdp = world_at(w, WORLD_RSDP, 36);

	world_put(w, WORLD_XSDT + 36, WORLD_MADT, 8);
	world_put(w, WORLD_XSDT + 44, WORLD_DMAR, 8);
	put_table(w, WORLD_XSDT, "XSDT", 52);
	put_table(w, WORLD_MADT, "APIC", 44);
	memset(world_at(w, WORLD_DMAR + 36, 64), 0x26, 64);
	put_table(w, WORLD_DMAR, "DMAR", 100);
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = 2;
	world_put(w, WORLD_RSDP + 20, 36, 4);
	world_put(w, WORLD_RSDP + 24, WORLD_XSDT, 8);
	put_checksum(rsdp, 20, 8);
	put_checksum(rsdp, 36, 32);
}

static void build_mle(struct world *w)
{
	const struct mle_header *h = &w->header;
	struct wr out = wr_init((struct mspan){ world_at(w, WORLD_MLE + WORLD_MLE_HEADER, 52), 52 });

	world_put(w, WORLD_PTAB, (WORLD_PTAB + 0x1000) | 1, 8);
	world_put(w, WORLD_PTAB + 0x1000, (WORLD_PTAB + 0x2000) | 1, 8);
	world_put(w, WORLD_PTAB + 0x1008, (WORLD_PTAB + 0x3000) | 1, 8);
	for (unsigned i = 0; i < WORLD_PAGES; i++)
		world_put(w, world_pte(i), (WORLD_MLE + i * 4096u) | 1, 8);
	for (unsigned i = 0; i < WORLD_MLE_SIZE; i++)
		w->ram[WORLD_MLE + i] = (uint8_t)(i * 13 + i / 4096);
	wr_bytes(&out, SPAN_OF(h->uuid));
	wr_le32(&out, h->length);
	wr_le32(&out, h->version);
	wr_le32(&out, h->entry);
	wr_le32(&out, h->first_page);
	wr_le32(&out, h->start);
	wr_le32(&out, h->end);
	wr_le32(&out, h->capabilities);
	wr_le32(&out, h->cmdline_start);
	wr_le32(&out, h->cmdline_end);
	assert_false(out.bad);
}

static void put_logs(struct world *w, struct wr *out)
{
	uint64_t at = w->log;

	if (w->tcg_log) {
		wr_le32(out, HEAP_EXT_LOG_TCG);
		wr_le32(out, 8 + 20);
		wr_le64(out, at);
		wr_le32(out, w->log_size);
		wr_le64(out, 0);
	}
	if (!w->log_count)
		return;
	wr_le32(out, HEAP_EXT_LOG_2);
	wr_le32(out, 8 + 4 + 24 * w->log_count);
	wr_le32(out, w->log_count);
	for (unsigned i = 0; i < w->log_count; i++) {
		wr_le16(out, w->log_algs[i]);
		wr_le16(out, 0);
		wr_le64(out, at + i * (uint64_t)w->log_size);
		wr_le32(out, w->log_size);
		wr_le64(out, 0);
	}
}

static void put_os_sinit(struct world *w, struct wr *out)
{
	wr_le32(out, w->os_version);
	wr_le32(out, w->os_flags);
	wr_le64(out, w->ptab);
	wr_le64(out, w->mle_size);
	wr_le64(out, w->mle_header);
	wr_le64(out, w->pmr_lo.base);
	wr_le64(out, w->pmr_lo.size);
	wr_le64(out, w->pmr_hi.base);
	wr_le64(out, w->pmr_hi.size);
	wr_le64(out, w->lcp.base);
	wr_le64(out, w->lcp.size);
	wr_le32(out, w->os_capabilities);
	if (w->os_version >= 5)
		wr_le64(out, w->rsdp);
	if (w->os_version < 6)
		return;
	put_logs(w, out);
	wr_le32(out, HEAP_EXT_END);
	wr_le32(out, 8);
}

static void build_heap(struct world *w)
{
	const struct heap_bios bios = { .version = 6, .processors = 1, .mle_flags = HEAP_BIOS_MLE_CLIENT, .bios_version = { 2, 1, 0 } };
	struct mspan heap = { world_at(w, WORLD_HEAP, 0x100000), 0x100000 };
	/* tboot keeps its logs in its own table. */
	const size_t os_mle = 8 + 4 * (size_t)WORLD_LOG_SIZE;
	struct wr size = wr_measure();
	size_t n;

	assert_true(heap_bios_encode(&bios, heap, &n));
	w->log = WORLD_HEAP + n + 8;
	world_put(w, WORLD_HEAP + n, os_mle, 8);
	n += os_mle;
	w->os_sinit = WORLD_HEAP + n + 8;
	put_os_sinit(w, &size);
	world_put(w, WORLD_HEAP + n, size.off + 8, 8);

	struct wr out = wr_init((struct mspan){ heap.p + n + 8, heap.n - n - 8 });

	put_os_sinit(w, &out);
	assert_false(out.bad);
}

void world_init(struct world *w)
{
	static const uint8_t uuid[16] = { 0x5a, 0xac, 0x82, 0x90, 0x6f, 0x47, 0xa7, 0x74, 0x0f, 0x5c, 0x55, 0xa2, 0xcb, 0x51, 0xb6, 0x42 };

	memset(w, 0, sizeof(*w));
	w->ram = calloc(1, WORLD_RAM);
	w->dpr = calloc(1, WORLD_DPR);
	assert_true(w->ram && w->dpr);
	w->memory = (struct txt_memory){ read_memory, write_memory, w };
	w->tpm = (struct txt_tpm){ tpm_banks, tpm_hash, tpm_extend, tpm_nv_public, tpm_nv_read, tpm_pcr_read, w };
	w->policy = sinit_lcp;
	w->smx = smx_config_usual();
	w->chipset.config = chipset_config_usual(WORLD_TOP);
	w->chipset.trace = &w->trace;
	w->banks = ALG_SET_ALL;
	w->recipe = acm_recipe_sinit(1);
	w->recipe.chipsets = chipsets;
	w->recipe.chipset_count = GL_COUNT(chipsets);
	w->recipe.processors = processors;
	w->recipe.processor_count = GL_COUNT(processors);
	w->recipe.tpm_algs = algs;
	w->recipe.tpm_alg_count = GL_COUNT(algs);
	w->platform.mdrs[0] = (struct heap_mdr){ { 0, 0xa0000 }, HEAP_MDR_GOOD };
	w->platform.mdrs[1] = (struct heap_mdr){ { 0x100000, WORLD_RAM - 0x100000 }, HEAP_MDR_GOOD };
	w->platform.mdr_count = 2;
	w->platform.scrtm = true;
	w->platform.rlp_wakeup = WORLD_TOP - 64;
	sinit_bios_acm(w->platform.bios_acm, 0x20180824, 0xb007, 0x200, 4);

	w->header = (struct mle_header){ .length = 52,
		.version = 0x20002,
		.entry = WORLD_ENTRY,
		.start = 0x1000,
		.end = WORLD_MLE_SIZE - 100,
		.capabilities = 0x227,
		.cmdline_start = 0x3000,
		.cmdline_end = 0x3400 };
	memcpy(w->header.uuid, uuid, sizeof(uuid));
	w->os_version = 7;
	w->os_capabilities = ACM_CAP_RLP_WAKE_MONITOR | ACM_CAP_TCG_EVENT_LOG;
	w->ptab = WORLD_PTAB;
	w->mle_size = WORLD_MLE_SIZE;
	w->mle_header = WORLD_MLE_HEADER;
	w->rsdp = WORLD_RSDP;
	w->pmr_lo = (struct txt_range){ 0, WORLD_RAM };
	w->tcg_log = true;
	w->log_size = WORLD_LOG_SIZE;

	w->cpu = (struct smx_cpu){ .eax = SMX_SENTER,
		.ebx = WORLD_SINIT,
		.ecx = w->recipe.size,
		.cr0 = SMX_CR0_PE | SMX_CR0_NE | SMX_CR0_PG,
		.eflags = 2,
		.apic_base = 0xfee00000 | SMX_APIC_BASE_BSP,
		.smxe = true };
	world_build(w);
}

void world_build(struct world *w)
{
	struct chipset_config config;

	memset(w->ram, 0, WORLD_RAM);
	memset(w->dpr, 0, WORLD_DPR);
	build_acm(w);
	build_acpi(w);
	build_mle(w);
	build_heap(w);
	config = w->chipset.config;
	chipset_power_on(&w->chipset, &config);
	reset_pcrs(w, false);
	w->commands = w->extends = 0;
	w->drtm = false;
}

void world_free(struct world *w)
{
	txt_trace_free(&w->trace);
	free(w->machine.acm);
	free(w->ram);
	free(w->dpr);
}

enum smx_rule world_senter(struct world *w)
{
	struct smx_result r;

	free(w->machine.acm);
	w->machine = (struct smx_machine){ .config = &w->smx, .chipset = &w->chipset, .memory = &w->memory, .trace = &w->trace };
	w->result = (struct sinit_result){ .rule = TXT_RULE_COUNT };
	r = smx_getsec(&w->machine, &w->cpu);
	if (r.outcome != SMX_RUN_SINIT)
		return r.rule;

	const struct sinit_input in = {
		.acm = { w->machine.acm, w->machine.acm_size },
		.acm_base = w->cpu.ebx,
		.edx = w->cpu.edx,
		.platform = &w->platform,
		.chipset = &w->chipset,
		.memory = &w->memory,
		.tpm = &w->tpm,
		.policy = &w->policy,
		.trace = &w->trace,
	};

	sinit_run(&in, &w->result);
	return SMX_OK;
}
