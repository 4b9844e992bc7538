/* SPDX-License-Identifier: BSD-3-Clause */
#include "txt/sinit_events.h"

const struct sinit_event sinit_events[] = {
	{ SINIT_PCR_DETAILS, 0x402, SINIT_DRTM, .by_cpu = true, .name = "HASH_START" },
	{ SINIT_PCR_DETAILS, 0x40a, SINIT_BIOS_ACM, .name = "BIOSAC_REG_DATA" },
	{ SINIT_PCR_DETAILS, 0x40b, SINIT_SCRTM, .name = "CPU_SCRTM_STAT" },
	{ SINIT_PCR_DETAILS, 0x40c, SINIT_LCP_CONTROL, .name = "LCP_CONTROL_HASH" },
	{ SINIT_PCR_DETAILS, 0x412, SINIT_LCP_DETAILS, .name = "LCP_DETAILS_HASH" },
	{ SINIT_PCR_DETAILS, 0x40e, SINIT_STM, .name = "STM_HASH" },
	{ SINIT_PCR_DETAILS, 0x40f, SINIT_CAPABILITIES, .name = "OSSINITDATA_CAP_HASH" },
	{ SINIT_PCR_DETAILS, 0x404, SINIT_MLE, .silent = true, .name = "MLE_HASH" },
	{ SINIT_PCR_DETAILS, 0x414, SINIT_NV_INFO, .name = "NV_INFO_HASH" },
	{ SINIT_PCR_AUTHORITIES, 0x410, SINIT_PUBLIC_KEY, .silent = true, .name = "SINIT_PUBKEY_HASH" },
	{ SINIT_PCR_AUTHORITIES, 0x40b, SINIT_SCRTM, .name = "CPU_SCRTM_STAT" },
	{ SINIT_PCR_AUTHORITIES, 0x40f, SINIT_CAPABILITIES, .name = "OSSINITDATA_CAP_HASH" },
	{ SINIT_PCR_AUTHORITIES, 0x40c, SINIT_LCP_CONTROL, .name = "LCP_CONTROL_HASH" },
	{ SINIT_PCR_AUTHORITIES, 0x413, SINIT_LCP_AUTHORITIES, .name = "LCP_AUTHORITIES_HASH" },
	{ SINIT_PCR_AUTHORITIES, 0x414, SINIT_NV_INFO, .name = "NV_INFO_HASH" },
};

const size_t sinit_event_count = GL_COUNT(sinit_events);

const struct sinit_event *sinit_event_find(unsigned pcr, uint32_t type)
{
	for (size_t i = 0; i < sinit_event_count; i++)
		if (sinit_events[i].pcr == pcr && sinit_events[i].type == type)
			return &sinit_events[i];
	return NULL;
}

static struct span measured(const struct sinit_event *e, const struct sinit_values *v)
{
	static const uint8_t zero;

	return v->data[e->value].n ? v->data[e->value] : SPAN_OF(zero);
}

struct span sinit_event_data(const struct sinit_event *e, const struct sinit_values *v)
{
	return e->silent ? (struct span){ NULL, 0 } : measured(e, v);
}

void sinit_event_digest(const struct sinit_event *e, const struct sinit_values *v, alg_set banks, struct digests *out)
{
	if (e->value != SINIT_MLE) {
		hash_span(banks, measured(e, v), out);
		return;
	}
	*out = *v->mle;
	out->banks &= banks;
}

static void put_public(struct wr *w, const struct sinit_nv_public *p)
{
	wr_u8(w, p->exists);
	if (!p->exists)
		return;
	w->bad |= p->policy.n > DIGEST_MAX;
	wr_be32(w, p->index);
	wr_be16(w, p->name_alg);
	wr_be32(w, p->attributes);
	wr_be16(w, (uint16_t)p->policy.n);
	wr_bytes(w, p->policy);
	wr_be16(w, p->size);
}

size_t sinit_nv_info(const struct sinit_nv_public indices[3], uint8_t out[SINIT_NV_INFO_MAX])
{
	struct wr w = wr_init((struct mspan){ out, SINIT_NV_INFO_MAX });

	for (size_t i = 0; i < 3; i++)
		put_public(&w, &indices[i]);
	return w.bad ? 0 : w.off;
}
