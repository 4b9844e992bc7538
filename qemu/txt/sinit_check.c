/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "qemu/txt/sinit_run.h"

#define SDG "Intel TXT SDG 315168-016 "
#define FOUR_GIB 0x100000000ull
#define MIB 0x100000u
#define PMR_STEP 0x200000u
#define PRODUCTION 0x80000000u
/* Least sizes of heap and SINIT area: what tboot and modules need. SDG 4.? leaves them to the BIOS guide. */
#define HEAP_SMALLEST 0x20000u
#define WAKES (ACM_CAP_RLP_WAKE_GETSEC | ACM_CAP_RLP_WAKE_MONITOR)
#define PCR_MAPS (ACM_CAP_PCR_MAP_NO_LEGACY | ACM_CAP_PCR_MAP_DA)

#define U64(v) ((unsigned long long)(v))

enum txt_rule sinit_check_module(struct sinit *s)
{
	const struct chipset *c = s->in->chipset;
	uint64_t didvid = chipset_get(c, CHIPSET_DIDVID);
	const struct acm_platform p = {
		.has_didvid = true,
		.vendor_id = (uint16_t)didvid,
		.device_id = (uint16_t)(didvid >> 16),
		.revision_id = (uint16_t)(didvid >> 32),
		.has_cpu = s->in->platform->fms != 0,
		.fms = s->in->platform->fms,
		.has_platform_id = true,
		.platform_id = s->in->platform->platform_id,
		.has_fusing = true,
		.production = chipset_get(c, CHIPSET_VER_QPIIF) & PRODUCTION,
	};
	struct txt_range area = chipset_sinit(c), module = { s->in->acm_base, s->in->acm.n };
	enum acm_match match;

	if (s->acm.info.chipset_type != ACM_SINIT)
		return sinit_fail(s, TXT_RULE_ACM_TYPE, "type %u", s->acm.info.chipset_type);
	if (!txt_range_contains(area, module))
		return sinit_fail(s, TXT_RULE_ACM_AREA, "0x%llx+0x%llx, the area is 0x%llx+0x%llx", U64(module.base), U64(module.size),
			U64(area.base), U64(area.size));
	match = acm_match(&s->acm, &p);
	if (match == ACM_NO_MATCH_PROCESSOR)
		return sinit_fail(s, TXT_RULE_ACM_PROCESSOR, "%s", acm_match_text(match));
	if (match != ACM_MATCHES)
		return sinit_fail(s, TXT_RULE_ACM_CHIPSET, "%s", acm_match_text(match));
	sinit_pass(s, "acm", SDG "A.1", "the module is a SINIT for this platform, and lies in the SINIT area");
	return TXT_OK;
}

enum txt_rule sinit_check_chipset(struct sinit *s)
{
	const struct chipset *c = s->in->chipset;
	struct txt_range heap = chipset_heap(c), sinit = chipset_sinit(c), dpr = chipset_dpr(c);

	if (chipset_get(c, CHIPSET_ESTS) & CHIPSET_ESTS_WAKE_ERROR)
		return sinit_fail(s, TXT_RULE_WAKE_ERROR, "TXT.ESTS 0x%02llx", U64(chipset_get(c, CHIPSET_ESTS)));
	if (heap.base == 0 || heap.base % 4096 || heap.base + heap.size > FOUR_GIB || sinit.base + sinit.size > FOUR_GIB || dpr.size == 0 ||
		txt_range_overlaps(heap, sinit))
		return sinit_fail(s, TXT_RULE_RANGES, "heap 0x%llx+0x%llx, SINIT 0x%llx+0x%llx, DPR 0x%llx+0x%llx", U64(heap.base),
			U64(heap.size), U64(sinit.base), U64(sinit.size), U64(dpr.base), U64(dpr.size));
	if (heap.size < HEAP_SMALLEST)
		return sinit_fail(s, TXT_RULE_RANGES_SMALL, "heap of 0x%llx bytes", U64(heap.size));
	if (!(chipset_get(c, CHIPSET_DPR) & CHIPSET_DPR_LOCK))
		return sinit_fail(s, TXT_RULE_DPR_LOCK, "TXT.DPR 0x%08llx", U64(chipset_get(c, CHIPSET_DPR)));
	if (!txt_range_contains(dpr, heap) || !txt_range_contains(dpr, sinit))
		return sinit_fail(s, TXT_RULE_DPR_COVERS, "DPR 0x%llx+0x%llx", U64(dpr.base), U64(dpr.size));
	if (s->in->platform->dma_remapping)
		return sinit_fail(s, TXT_RULE_DMA_REMAPPING, "%s", "");
	sinit_pass(s, "chipset", SDG "B.1", "heap 0x%llx+0x%llx and SINIT area lie in the locked DPR 0x%llx+0x%llx", U64(heap.base),
		U64(heap.size), U64(dpr.base), U64(dpr.size));
	return TXT_OK;
}

/* A copy of the heap, so that what was checked is what is used. */
static enum txt_rule read_heap(struct sinit *s)
{
	struct txt_range heap = chipset_heap(s->in->chipset);
	size_t n = heap.size < SINIT_HEAP_MAX ? (size_t)heap.size : SINIT_HEAP_MAX;
	enum heap_table where = HEAP_BIOS;
	enum txt_rule rule;

	s->heap = (struct mspan){ malloc(n), n };
	if (!s->heap.p || !s->in->memory->read(s->in->memory->ctx, heap.base, s->heap))
		return sinit_fail(s, TXT_RULE_HEAP_UNREADABLE, "0x%llx+0x%llx", U64(heap.base), U64(heap.size));
	rule = heap_locate((struct span){ s->heap.p, s->heap.n }, HEAP_SINIT_MLE, &s->tables, &where);
	return rule ? sinit_fail(s, rule, "%s", heap_table_name(where)) : TXT_OK;
}

static enum txt_rule check_pmrs(struct sinit *s)
{
	const struct heap_os_sinit *o = &s->os;

	if (o->pmr_lo.base % PMR_STEP || o->pmr_lo.size % PMR_STEP)
		return sinit_fail(s, TXT_RULE_PMR_LO_ALIGNMENT, "0x%llx+0x%llx", U64(o->pmr_lo.base), U64(o->pmr_lo.size));
	if (o->pmr_hi.base % PMR_STEP || o->pmr_hi.size % PMR_STEP)
		return sinit_fail(s, TXT_RULE_PMR_HI_ALIGNMENT, "0x%llx+0x%llx", U64(o->pmr_hi.base), U64(o->pmr_hi.size));
	if (o->pmr_lo.base > FOUR_GIB || o->pmr_lo.size > FOUR_GIB - o->pmr_lo.base)
		return sinit_fail(s, TXT_RULE_PMR_RANGE, "low 0x%llx+0x%llx", U64(o->pmr_lo.base), U64(o->pmr_lo.size));
	if (o->pmr_hi.size && (o->pmr_hi.base < FOUR_GIB || o->pmr_hi.base + o->pmr_hi.size < o->pmr_hi.base))
		return sinit_fail(s, TXT_RULE_PMR_RANGE, "high 0x%llx+0x%llx", U64(o->pmr_hi.base), U64(o->pmr_hi.size));
	return TXT_OK;
}

static enum txt_rule check_tprs(struct sinit *s)
{
	if (s->os.has_tpr && !(s->acm.info.capabilities & ACM_CAP_TPR))
		return sinit_fail(s, TXT_RULE_TPR, "%s", "the module does not have TPRs");
	for (unsigned i = 0; i < s->os.tpr_count; i++)
		if (s->os.tprs[i].base + s->os.tprs[i].size < s->os.tprs[i].base)
			return sinit_fail(s, TXT_RULE_TPR, "TPR %u", i);
	return TXT_OK;
}

static enum txt_rule check_capabilities(struct sinit *s)
{
	uint32_t want = s->os.capabilities, have = s->acm.info.capabilities, wake = want & WAKES;

	/* Just one way, and one that the module has. */
	if (wake == 0 || wake == WAKES || (wake & have) != wake)
		return sinit_fail(s, TXT_RULE_CAPS_WAKE, "requested 0x%x, SINIT has 0x%x", (unsigned)want, (unsigned)have);
	/* With TPM 2.0 there is one mapping, details and authorities: the bits are reserved. Asking for it by name is accepted. */
	if (want & PCR_MAPS & ~have)
		return sinit_fail(s, TXT_RULE_CAPS_PCR_MAP, "requested 0x%x, SINIT has 0x%x", (unsigned)want, (unsigned)have);
	return TXT_OK;
}

enum txt_rule sinit_check_heap(struct sinit *s)
{
	enum txt_rule rule = read_heap(s);

	if (rule)
		return rule;
	rule = heap_bios_decode(s->tables.table[HEAP_BIOS].content, &s->bios);
	if (rule)
		return sinit_fail(s, rule, "BiosData");
	rule = heap_os_sinit_decode(s->tables.table[HEAP_OS_SINIT].content, &s->os);
	if (rule)
		return sinit_fail(s, rule, "OsSinitData");
	if (s->os.version > s->acm.info.os_sinit_data_version)
		return sinit_fail(s, TXT_RULE_HEAP_OS_VERSION, "%u, the module knows versions up to %u", (unsigned)s->os.version,
			(unsigned)s->acm.info.os_sinit_data_version);
	if (s->os.rsdp >= FOUR_GIB)
		return sinit_fail(s, TXT_RULE_HEAP_RSDP, "0x%llx", U64(s->os.rsdp));
	rule = check_pmrs(s);
	if (!rule)
		rule = check_tprs(s);
	if (!rule)
		rule = check_capabilities(s);
	if (rule)
		return rule;
	sinit_pass(s, "heap", SDG "C", "BiosData %u, OsSinitData %u: MLE of 0x%llx bytes, page table at 0x%llx, capabilities 0x%x",
		(unsigned)s->bios.version, (unsigned)s->os.version, U64(s->os.mle_size), U64(s->os.ptab), (unsigned)s->os.capabilities);
	return TXT_OK;
}

static void add_range(struct txt_range *list, unsigned *count, unsigned max, struct txt_range r)
{
	if (r.size && *count < max)
		list[(*count)++] = r;
}

enum txt_rule sinit_check_mle(struct sinit *s)
{
	const struct sinit_platform *p = s->in->platform;
	struct mle_request q = {
		.ptab = s->os.ptab,
		.size = s->os.mle_size,
		.header = s->os.mle_header,
		.min_version = s->acm.info.min_mle_header_version,
		.capabilities = s->acm.info.capabilities,
		.heap = chipset_heap(s->in->chipset),
		.sinit = chipset_sinit(s->in->chipset),
	};
	struct mle_where where;
	enum txt_rule rule;

	add_range(q.protect, &q.protect_count, MLE_MAX_PROTECTED, s->os.pmr_lo);
	add_range(q.protect, &q.protect_count, MLE_MAX_PROTECTED, s->os.pmr_hi);
	add_range(q.protect, &q.protect_count, MLE_MAX_PROTECTED, chipset_dpr(s->in->chipset));
	for (unsigned i = 0; i < s->os.tpr_count; i++)
		add_range(q.protect, &q.protect_count, MLE_MAX_PROTECTED, s->os.tprs[i]);
	for (uint32_t i = 0; i < p->mdr_count; i++)
		if (p->mdrs[i].type == HEAP_MDR_GOOD)
			add_range(q.ram, &q.ram_count, MLE_MAX_RAM, p->mdrs[i].range);
	for (unsigned i = 0; i < s->log.count; i++)
		add_range(q.logs, &q.log_count, MLE_MAX_LOGS, txtlog_range(&s->log, i));
	rule = mle_check(s->in->memory, &q, &s->mle, &where);
	if (rule)
		return sinit_fail(s, rule, "linear 0x%llx, physical 0x%llx", U64(where.linear), U64(where.physical));
	sinit_pass(s, "mle", SDG "2.1, 2.2", "%llu pages at 0x%llx, header %u.%u, entry point 0x%llx", U64(s->mle.pages),
		U64(s->mle.first_physical), (unsigned)(s->mle.header.version >> 16), (unsigned)(s->mle.header.version & 0xffff),
		U64(s->mle.entry_physical));
	return TXT_OK;
}
