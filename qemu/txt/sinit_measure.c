/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/acm_measure.h"
#include "qemu/txt/sinit_run.h"
#include "txt/sinit_events.h"

#define SDG "Intel TXT SDG 315168-016 "

static struct sinit_nv_public nv_public(const struct sinit *s, enum sinit_index i)
{
	const struct txt_nv_public *p = &s->nv[i];

	return (struct sinit_nv_public){ .exists = s->nv_exists[i],
		.index = p->index,
		.name_alg = p->name_alg,
		.attributes = p->attributes,
		.policy = { p->policy, p->policy_size },
		.size = p->size };
}

/* What an event is about; some of it is put together in `room`. */
struct room {
	uint8_t drtm[ACM_DRTM_SIZE];
	uint8_t scrtm[4], control[4], capabilities[4];
	uint8_t nv_info[SINIT_NV_INFO_MAX];
};

static struct span le32(uint8_t out[4], uint32_t v)
{
	struct wr w = wr_init((struct mspan){ out, 4 });

	wr_le32(&w, v);
	return wr_span(&w);
}

static struct sinit_values values(const struct sinit *s, struct room *room)
{
	const struct sinit_nv_public nv[3] = { nv_public(s, SINIT_NV_AUX), nv_public(s, SINIT_NV_PS), nv_public(s, SINIT_NV_PO) };
	struct sinit_values v = { .mle = &s->out->mle_hash };

	acm_drtm_data(&s->acm, s->in->edx, room->drtm);
	v.data[SINIT_DRTM] = SPAN_OF(room->drtm);
	v.data[SINIT_BIOS_ACM] = SPAN_OF(s->in->platform->bios_acm);
	v.data[SINIT_SCRTM] = le32(room->scrtm, s->in->platform->scrtm);
	v.data[SINIT_LCP_CONTROL] = le32(room->control, s->answer.control);
	v.data[SINIT_LCP_DETAILS] = (struct span){ s->answer.details, s->answer.details_size };
	v.data[SINIT_LCP_AUTHORITIES] = (struct span){ s->answer.authorities, s->answer.authorities_size };
	v.data[SINIT_CAPABILITIES] = le32(room->capabilities, s->os.capabilities);
	v.data[SINIT_NV_INFO] = (struct span){ room->nv_info, sinit_nv_info(nv, room->nv_info) };
	v.data[SINIT_PUBLIC_KEY] = s->acm.header.public_key;
	return v;
}

static enum txt_rule measure_one(struct sinit *s, const struct sinit_values *v, const struct sinit_event *e)
{
	struct span data = sinit_event_data(e, v);
	struct digests d;
	enum txt_rule rule = TXT_OK;

	sinit_event_digest(e, v, s->extended, &d);
	if (!e->by_cpu)
		rule = sinit_tpm(s, s->in->tpm->extend(s->in->tpm->ctx, e->pcr, &d), e->name);
	if (rule)
		return rule;
	txt_trace_add(s->in->trace, TXT_TPM, TXT_INFO, "extend", SDG "1.10, F", false, "PCR %u: %s (0x%03x), %zu bytes%s", e->pcr, e->name,
		e->type, data.n, e->by_cpu ? ", done by the processor" : "");
	rule = txtlog_append(&s->log, e->pcr, e->type, &d, data);
	return rule ? sinit_fail(s, rule, "%s", e->name) : TXT_OK;
}

/* Extends both PCRs with the digest 1, as a number in the log's byte order, in these banks. */
static uint32_t cap(struct sinit *s, alg_set banks)
{
	struct digests one = { .banks = banks };
	uint32_t rc;

	for (enum alg a = 0; a < ALG_COUNT; a++)
		one.d[a][0] = 1;
	rc = s->in->tpm->extend(s->in->tpm->ctx, SINIT_PCR_DETAILS, &one);
	return rc ? rc : s->in->tpm->extend(s->in->tpm->ctx, SINIT_PCR_AUTHORITIES, &one);
}

/* Banks that the module cannot hash for must not stay open to whoever comes next. */
static enum txt_rule cap_others(struct sinit *s)
{
	alg_set others = s->active & ~s->extended;

	if (!others)
		return TXT_OK;
	txt_trace_add(s->in->trace, TXT_TPM, TXT_INFO, "cap-banks", "Intel NP-SEAMLDR 1.5 Core/Include/AcmErr.h ERR_PCR_BANKS_CAPPED", true,
		"PCR 17 and 18 are capped in the banks 0x%x, which the module does not have", (unsigned)others);
	return sinit_tpm(s, cap(s, others), "cap");
}

enum txt_rule sinit_measure(struct sinit *s)
{
	struct room room;
	struct sinit_values v = values(s, &room);
	enum txt_rule rule = TXT_OK;

	for (size_t i = 0; i < sinit_event_count && !rule; i++)
		rule = measure_one(s, &v, &sinit_events[i]);
	return rule ? rule : cap_others(s);
}

void sinit_cap(struct sinit *s)
{
	alg_set banks = s->active;
	uint32_t rc;

	if (!banks && s->in->tpm->banks(s->in->tpm->ctx, &banks))
		banks = 0;
	if (!banks)
		return;
	rc = cap(s, banks);
	s->out->capped = rc == 0;
	txt_trace_add(s->in->trace, TXT_TPM, TXT_INFO, "cap", SDG "F, EVTYPE_CAP_VALUE", true,
		rc ? "PCR 17 and 18 could not be capped: 0x%03x" : "PCR 17 and 18 are capped in all banks", (unsigned)rc);
}
