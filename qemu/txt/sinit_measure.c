/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/hash.h"
#include "qemu/txt/sinit_run.h"

#define SDG "Intel TXT SDG 315168-016 "

/* SDG appendix F, table of event types; the order is that of a real machine's log. */
enum event_type {
	EVTYPE_HASH_START = 0x402,
	EVTYPE_MLE_HASH = 0x404,
	EVTYPE_BIOSAC_REG_DATA = 0x40a,
	EVTYPE_CPU_SCRTM_STAT = 0x40b,
	EVTYPE_LCP_CONTROL_HASH = 0x40c,
	EVTYPE_STM_HASH = 0x40e,
	EVTYPE_OSSINITDATA_CAP_HASH = 0x40f,
	EVTYPE_SINIT_PUBKEY_HASH = 0x410,
	EVTYPE_LCP_DETAILS_HASH = 0x412,
	EVTYPE_LCP_AUTHORITIES_HASH = 0x413,
	EVTYPE_NV_INFO_HASH = 0x414,
};

#define PCR_DETAILS 17
#define PCR_AUTHORITIES 18

/* A value for each event; which of them an event takes is in the table below. */
struct values {
	uint8_t drtm[SINIT_DRTM_SIZE];
	uint8_t scrtm[4], control[4], capabilities[4];
	uint8_t nv_info[SINIT_NV_INFO_MAX];
	size_t nv_info_size;
};

static struct span bios_acm(const struct sinit *s, const struct values *v)
{
	(void)v;
	return SPAN_OF(s->in->platform->bios_acm);
}

static struct span drtm(const struct sinit *s, const struct values *v)
{
	(void)s;
	return SPAN_OF(v->drtm);
}

static struct span scrtm(const struct sinit *s, const struct values *v)
{
	(void)s;
	return SPAN_OF(v->scrtm);
}

static struct span control(const struct sinit *s, const struct values *v)
{
	(void)s;
	return SPAN_OF(v->control);
}

static struct span capabilities(const struct sinit *s, const struct values *v)
{
	(void)s;
	return SPAN_OF(v->capabilities);
}

static struct span nv_info(const struct sinit *s, const struct values *v)
{
	(void)s;
	return (struct span){ v->nv_info, v->nv_info_size };
}

/* What is not there is measured as a zero byte. */
static struct span or_zero(const uint8_t *p, size_t n)
{
	static const uint8_t zero;

	return n ? (struct span){ p, n } : SPAN_OF(zero);
}

static struct span none(const struct sinit *s, const struct values *v)
{
	(void)s;
	(void)v;
	return or_zero(NULL, 0);
}

static struct span details(const struct sinit *s, const struct values *v)
{
	(void)v;
	return or_zero(s->answer.details, s->answer.details_size);
}

static struct span authorities(const struct sinit *s, const struct values *v)
{
	(void)v;
	return or_zero(s->answer.authorities, s->answer.authorities_size);
}

/* No data in the log: the digest is computed over the bytes that the event is about. */
static struct span public_key(const struct sinit *s, const struct values *v)
{
	(void)v;
	return s->acm.header.public_key;
}

/* SDG 1.10 (PCR 17, 18 with TPM 2.0) and the log of a real machine. */
static const struct measurement {
	uint8_t pcr;
	uint16_t type;
	struct span (*data)(const struct sinit *s, const struct values *v);     /* NULL: the MLE's digests */
	bool silent;                    /* the data are not in the log */
	bool by_cpu;                    /* extended by the processor already: logged only */
	const char *name;
} events[] = {
	{ PCR_DETAILS, EVTYPE_HASH_START, drtm, .by_cpu = true, .name = "HASH_START" },
	{ PCR_DETAILS, EVTYPE_BIOSAC_REG_DATA, bios_acm, .name = "BIOSAC_REG_DATA" },
	{ PCR_DETAILS, EVTYPE_CPU_SCRTM_STAT, scrtm, .name = "CPU_SCRTM_STAT" },
	{ PCR_DETAILS, EVTYPE_LCP_CONTROL_HASH, control, .name = "LCP_CONTROL_HASH" },
	{ PCR_DETAILS, EVTYPE_LCP_DETAILS_HASH, details, .name = "LCP_DETAILS_HASH" },
	{ PCR_DETAILS, EVTYPE_STM_HASH, none, .name = "STM_HASH" },
	{ PCR_DETAILS, EVTYPE_OSSINITDATA_CAP_HASH, capabilities, .name = "OSSINITDATA_CAP_HASH" },
	{ PCR_DETAILS, EVTYPE_MLE_HASH, NULL, .silent = true, .name = "MLE_HASH" },
	{ PCR_DETAILS, EVTYPE_NV_INFO_HASH, nv_info, .name = "NV_INFO_HASH" },
	{ PCR_AUTHORITIES, EVTYPE_SINIT_PUBKEY_HASH, public_key, .silent = true, .name = "SINIT_PUBKEY_HASH" },
	{ PCR_AUTHORITIES, EVTYPE_CPU_SCRTM_STAT, scrtm, .name = "CPU_SCRTM_STAT" },
	{ PCR_AUTHORITIES, EVTYPE_OSSINITDATA_CAP_HASH, capabilities, .name = "OSSINITDATA_CAP_HASH" },
	{ PCR_AUTHORITIES, EVTYPE_LCP_CONTROL_HASH, control, .name = "LCP_CONTROL_HASH" },
	{ PCR_AUTHORITIES, EVTYPE_LCP_AUTHORITIES_HASH, authorities, .name = "LCP_AUTHORITIES_HASH" },
	{ PCR_AUTHORITIES, EVTYPE_NV_INFO_HASH, nv_info, .name = "NV_INFO_HASH" },
};

static void put_public(struct wr *w, const struct txt_nv_public *p)
{
	wr_u8(w, p != NULL);
	if (!p)
		return;
	wr_be32(w, p->index);
	wr_be16(w, p->name_alg);
	wr_be32(w, p->attributes);
	wr_be16(w, p->policy_size);
	wr_bytes(w, (struct span){ p->policy, p->policy_size });
	wr_be16(w, p->size);
}

size_t sinit_nv_info(const struct txt_nv_public *const indices[3], uint8_t out[SINIT_NV_INFO_MAX])
{
	struct wr w = wr_init((struct mspan){ out, SINIT_NV_INFO_MAX });

	for (size_t i = 0; i < 3; i++)
		put_public(&w, indices[i]);
	return w.off;
}

static void le32(uint8_t out[4], uint32_t v)
{
	struct wr w = wr_init((struct mspan){ out, 4 });

	wr_le32(&w, v);
}

static void fill(const struct sinit *s, struct values *v)
{
	const struct txt_nv_public *indices[3];

	for (size_t i = 0; i < GL_COUNT(indices); i++)
		indices[i] = s->nv_exists[i] ? &s->nv[i] : NULL;
	sinit_drtm_data(&s->acm, s->in->edx, v->drtm);
	le32(v->scrtm, s->in->platform->scrtm);
	le32(v->control, s->answer.control);
	le32(v->capabilities, s->os.capabilities);
	v->nv_info_size = sinit_nv_info(indices, v->nv_info);
}

static enum txt_rule measure_one(struct sinit *s, const struct values *v, const struct measurement *e)
{
	struct span data = { NULL, 0 };
	struct digests d;
	enum txt_rule rule = TXT_OK;

	if (e->data) {
		data = e->data(s, v);
		hash_span(s->extended, data, &d);
	} else {
		d = s->out->mle_hash;
		d.banks = s->extended;
	}
	if (!e->by_cpu)
		rule = sinit_tpm(s, s->in->tpm->extend(s->in->tpm->ctx, e->pcr, &d), e->name);
	if (rule)
		return rule;
	txt_trace_add(s->in->trace, TXT_TPM, TXT_INFO, "extend", SDG "1.10, F", false, "PCR %u: %s (0x%03x), %zu bytes%s", e->pcr, e->name, e->type,
		e->silent ? 0 : data.n, e->by_cpu ? ", done by the processor" : "");
	rule = txtlog_append(&s->log, e->pcr, e->type, &d, e->silent ? (struct span){ NULL, 0 } : data);
	return rule ? sinit_fail(s, rule, "%s", e->name) : TXT_OK;
}

/* Extends both PCRs with the digest 1, as a number in the log's byte order, in these banks. */
static uint32_t cap(struct sinit *s, alg_set banks)
{
	struct digests one = { .banks = banks };
	uint32_t rc;

	for (enum alg a = 0; a < ALG_COUNT; a++)
		one.d[a][0] = 1;
	rc = s->in->tpm->extend(s->in->tpm->ctx, PCR_DETAILS, &one);
	return rc ? rc : s->in->tpm->extend(s->in->tpm->ctx, PCR_AUTHORITIES, &one);
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
	struct values v;
	enum txt_rule rule = TXT_OK;

	fill(s, &v);
	for (size_t i = 0; i < GL_COUNT(events) && !rule; i++)
		rule = measure_one(s, &v, &events[i]);
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
