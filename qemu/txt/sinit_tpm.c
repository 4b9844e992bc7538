/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "lcp/acm_measure.h"
#include "lcp/txt_error.h"
#include "qemu/txt/sinit_run.h"

#define SDG "Intel TXT SDG 315168-016 "
#define FOUR_GIB 0x100000000ull
/* AUX: 40 bytes and two SHA-1 digests at least (104 bytes with SHA-256 on real machines). */
#define AUX_MIN 80

bool sinit_indices(uint8_t set, struct sinit_indices *out)
{
	static const struct sinit_indices sets[] = {
		{ .aux = 0x01800003, .ps = 0x01800001, .po = 0x01400001 },
		{ .aux = 0x01c10102, .ps = 0x01c10103, .po = 0x01c10106 },
	};

	if (set >= GL_COUNT(sets))
		return false;
	*out = sets[set];
	return true;
}

static enum txt_rule choose_banks(struct sinit *s)
{
	s->extended = acm_banks(&s->acm, s->os.flags & HEAP_OS_SINIT_EMBEDDED, s->active);
	if (!s->extended)
		return sinit_fail(s, TXT_RULE_TPM_BANKS, "active 0x%x, the module has 0x%x", (unsigned)s->active,
			(unsigned)acm_banks(&s->acm, true, ALG_SET_ALL));
	return TXT_OK;
}

static enum txt_rule open_log(struct sinit *s)
{
	bool tcg = s->os.has_tcg_log && s->acm.info.capabilities & ACM_CAP_TCG_EVENT_LOG;
	enum txt_rule rule;

	if (s->os.has_tcg_log && !tcg && s->os.log_count == 0)
		return sinit_fail(s, TXT_RULE_HEAP_ELEMENT_TYPE, "element 8, but the module does not write TCG event logs");
	rule = txtlog_open(&s->log, &s->os, tcg, s->extended);
	if (rule)
		return sinit_fail(s, rule, "element %d", tcg ? HEAP_EXT_LOG_TCG : HEAP_EXT_LOG_2);
	for (unsigned i = 0; i < s->log.count; i++) {
		struct txt_range r = txtlog_range(&s->log, i), heap = chipset_heap(s->in->chipset), sinit = chipset_sinit(s->in->chipset);
		struct txt_range own = { heap.base + s->tables.table[HEAP_OS_SINIT].offset,
			heap.size - s->tables.table[HEAP_OS_SINIT].offset };

		/* The log may lie in the launcher's own table, where tboot has it, but not over what SINIT reads or writes. */
		if (txt_range_overlaps(r, sinit) || txt_range_overlaps(r, own) ||
			txt_range_overlaps(r, (struct txt_range){ heap.base, s->tables.table[HEAP_OS_MLE].offset }))
			return sinit_fail(s, TXT_RULE_HEAP_LOG, "0x%llx+0x%llx", (unsigned long long)r.base, (unsigned long long)r.size);
	}
	return TXT_OK;
}

static enum txt_rule look_at_index(struct sinit *s, enum sinit_index i, uint32_t index)
{
	static const char *const names[] = { [SINIT_NV_AUX] = "AUX", [SINIT_NV_PS] = "PS", [SINIT_NV_PO] = "PO" };
	static const enum txt_rule rules[] = {
		[SINIT_NV_AUX] = TXT_RULE_NV_AUX, [SINIT_NV_PS] = TXT_RULE_NV_PS, [SINIT_NV_PO] = TXT_RULE_NV_PO
	};
	const struct sinit_platform *p = s->in->platform;
	enum txt_rule rule;

	rule = sinit_tpm(s, s->in->tpm->nv_public(s->in->tpm->ctx, index, &s->nv[i], &s->nv_exists[i]), "TPM2_NV_ReadPublic");
	if (rule)
		return rule;
	if (!s->nv_exists[i]) {
		if ((i == SINIT_NV_AUX && p->needs_aux) || (i == SINIT_NV_PS && p->needs_ps))
			return sinit_fail(s, rules[i], "index 0x%08x (%s) is not defined", (unsigned)index, names[i]);
		txt_trace_add(s->in->trace, TXT_SINIT, TXT_INFO, "nv-index", SDG "J", false, "index 0x%08x (%s) is not defined",
			(unsigned)index, names[i]);
		return TXT_OK;
	}
	if (s->nv[i].size > SINIT_NV_MAX || (i == SINIT_NV_AUX && s->nv[i].size < AUX_MIN))
		return sinit_fail(s, rules[i], "index 0x%08x (%s) has %u bytes", (unsigned)index, names[i], s->nv[i].size);
	sinit_pass(s, "nv-index", SDG "J", "index 0x%08x (%s), %u bytes, attributes 0x%08x", (unsigned)index, names[i], s->nv[i].size,
		(unsigned)s->nv[i].attributes);
	return TXT_OK;
}

enum txt_rule sinit_check_tpm(struct sinit *s)
{
	struct sinit_indices x;
	enum txt_rule rule;

	rule = sinit_tpm(s, s->in->tpm->banks(s->in->tpm->ctx, &s->active), "TPM2_GetCapability");
	if (!rule)
		rule = choose_banks(s);
	if (!rule)
		rule = open_log(s);
	if (rule)
		return rule;
	if (!sinit_indices(s->acm.tpm.nv_index_set, &x))
		return sinit_fail(s, TXT_RULE_ACM_FORMAT, "NV index set %u", s->acm.tpm.nv_index_set);
	rule = look_at_index(s, SINIT_NV_AUX, x.aux);
	if (!rule)
		rule = look_at_index(s, SINIT_NV_PS, x.ps);
	if (!rule)
		rule = look_at_index(s, SINIT_NV_PO, x.po);
	return rule;
}

static enum txt_rule read_index(struct sinit *s, enum sinit_index i, struct mspan *out)
{
	if (!s->nv_exists[i])
		return TXT_OK;
	/* One byte more, so that an empty index differs from none. */
	*out = (struct mspan){ malloc((size_t)s->nv[i].size + 1), s->nv[i].size };
	if (!out->p)
		return sinit_fail(s, TXT_RULE_MACHINE, "out of memory");
	return sinit_tpm(s, s->in->tpm->nv_read(s->in->tpm->ctx, s->nv[i].index, *out), "TPM2_NV_Read");
}

/* Policy data lie where OsSinitData and BiosData say. */
static enum txt_rule read_data(struct sinit *s, enum sinit_owner owner, struct txt_range r)
{
	struct mspan *out = &s->data[owner];

	if (r.base == 0 || r.size == 0)
		return TXT_OK;
	if (r.size > SINIT_DATA_MAX || r.base > FOUR_GIB || r.base + r.size > FOUR_GIB) {
		s->answer = (struct sinit_policy_answer){ .class = TXT_CLASS_LCP,
			.major = owner == SINIT_PO ? TXT_LCP_PO_INTEGRITY : TXT_LCP_PS_INTEGRITY,
			.minor = TXT_LCP_DATA_ADDRESS };
		return sinit_fail(s, TXT_RULE_LCP, "policy data at 0x%llx+0x%llx lie above 4 GiB or are too large",
			(unsigned long long)r.base, (unsigned long long)r.size);
	}
	*out = (struct mspan){ malloc((size_t)r.size), (size_t)r.size };
	if (!out->p || !s->in->memory->read(s->in->memory->ctx, r.base, *out))
		return sinit_fail(s, TXT_RULE_MACHINE, "policy data at 0x%llx", (unsigned long long)r.base);
	return TXT_OK;
}

enum txt_rule sinit_read_policies(struct sinit *s)
{
	enum txt_rule rule = read_index(s, SINIT_NV_PO, &s->policy[SINIT_PO]);

	if (!rule)
		rule = read_index(s, SINIT_NV_PS, &s->policy[SINIT_PS]);
	if (!rule)
		rule = read_data(s, SINIT_PO, s->os.lcp);
	if (!rule)
		rule = read_data(s, SINIT_PS, (struct txt_range){ s->bios.lcp_base, s->bios.lcp_size });
	if (!rule && (s->policy[SINIT_PO].p || s->policy[SINIT_PS].p))
		rule = sinit_tpm(s, s->in->tpm->pcr_read(s->in->tpm->ctx, &s->pcrs), "TPM2_PCR_Read");
	return rule;
}
