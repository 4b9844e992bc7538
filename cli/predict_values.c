/* SPDX-License-Identifier: BSD-3-Clause */

/* What SINIT measures, as far as module, policies and manifest tell it. */

#include <string.h>

#include "cli/predict_nv.h"
#include "cli/predict_sinit_impl.h"

/* EDX of GETSEC[SENTER]: tboot 1.10.5 asks for nothing special (tboot/txt/txt.c). */
#define SENTER_EDX 0u

static void add_choice(struct predict_value *v, struct span bytes)
{
	v->choices[v->count++] = bytes;
}

static void set(struct predict_job *j, enum sinit_value which, enum provenance kind, const char *const *from, size_t n, struct span bytes)
{
	struct predict_value *v = &j->values[which];

	v->kind = kind;
	for (size_t i = 0; i < n && v->from_count < PREDICT_FROM_MAX; i++)
		if (from[i])
			v->from[v->from_count++] = from[i];
	add_choice(v, bytes);
}

#define SET(j, which, kind, bytes, ...) \
	set(j, which, kind, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *), \
		bytes)

static struct span le32(uint8_t out[4], uint32_t v)
{
	struct wr w = wr_init((struct mspan){ out, 4 });

	wr_le32(&w, v);
	return wr_span(&w);
}

/*
 * What tboot asks of SINIT: tboot 1.10.5, tboot/txt/txt.c init_txt_heap(). Its own capabilities without the choices, of which it makes:
 * the wake-up by MONITOR if SINIT has it, no page table in ECX, the only PCR mapping of TPM 2.0, SINIT's TCG event log if it writes one.
 */
static uint32_t os_sinit_capabilities(const struct acm *a, uint32_t mle)
{
	const uint32_t chosen = ACM_CAP_RLP_WAKE_GETSEC | ACM_CAP_RLP_WAKE_MONITOR | ACM_CAP_ECX_PGTBL | ACM_CAP_PCR_MAP_NO_LEGACY |
	                        ACM_CAP_PCR_MAP_DA | ACM_CAP_TCG_EVENT_LOG;

	return (mle & ~chosen) | (a->info.capabilities & ACM_CAP_TCG_EVENT_LOG) |
	       (a->info.capabilities & ACM_CAP_RLP_WAKE_MONITOR ? ACM_CAP_RLP_WAKE_MONITOR : ACM_CAP_RLP_WAKE_GETSEC);
}

static void set_of_module(struct predict_job *j)
{
	const char *sinit = j->in->sinit.from;

	if (!j->has_acm)
		return;
	acm_drtm_data(&j->acm, SENTER_EDX, j->drtm);
	SET(j, SINIT_DRTM, PROVENANCE_COMPUTED, SPAN_OF(j->drtm), sinit);
	SET(j, SINIT_PUBLIC_KEY, PROVENANCE_COMPUTED, j->acm.header.public_key, sinit);
	SET(j, SINIT_CAPABILITIES, PROVENANCE_COMPUTED, le32(j->capabilities, os_sinit_capabilities(&j->acm, j->mle.capabilities)),
		j->in->tboot.from, sinit);
}

/* What another module measured of its platform need not be what this one will: said wherever it is taken from. */
static bool mark_logs(struct predict_job *j)
{
	const struct sinit_event *start = sinit_event_find(SINIT_PCR_DETAILS, SINIT_EVTYPE_HASH_START);
	const struct sinit_values values = { .data[SINIT_DRTM] = SPAN_OF(j->drtm) };

	for (size_t i = 0; j->has_acm && start && i < j->log_count; i++) {
		struct digests logged = predict_log_find(&j->logs[i], SINIT_PCR_DETAILS, SINIT_EVTYPE_HASH_START)->digests, d;

		sinit_event_digest(start, &values, logged.banks, &d);
		if (digests_equal(&logged, &d))
			continue;
		if (asprintf(&j->log_names[i], "%s" EXPECTED_OTHER_SINIT, j->logs[i].name) < 0) {
			j->log_names[i] = NULL;
			return predict_no_memory(j->fault);
		}
		j->logs[i].name = j->log_names[i];
	}
	return true;
}

/* Without an owner's policy the supplier's counts, which only a log shows. */
static void set_lcp(struct predict_job *j)
{
	const char *policy = j->in->lcp_policy.from, *data = j->in->lcp_data.from;
	enum provenance kind = policy ? PROVENANCE_COMPUTED : PROVENANCE_ASSUMED;

	if (!policy && j->log_count > 0)
		return;
	if (!policy)
		policy = "no launch control policy";
	SET(j, SINIT_LCP_CONTROL, kind, le32(j->control, j->lcp.control), policy);
	SET(j, SINIT_LCP_DETAILS, kind, ((struct span){ j->lcp.details, j->lcp.details_size }), policy, data);
	SET(j, SINIT_LCP_AUTHORITIES, kind, ((struct span){ j->lcp.authorities, j->lcp.authorities_size }), policy, data);
}

/* Whether this log's event is one of the values. */
static bool is_a_choice(const struct predict_job *j, const struct sinit_event *e, const struct event *logged)
{
	const struct manifest_platform *p = &j->in->manifest->platform;

	for (size_t i = 0; i < p->bios_acm_count; i++) {
		const struct sinit_values values = { .data[SINIT_BIOS_ACM] = SPAN_OF(p->bios_acm[i]) };
		struct digests d;

		sinit_event_digest(e, &values, logged->digests.banks, &d);
		if (digests_equal(&logged->digests, &d))
			return true;
	}
	return false;
}

/* What is given goes before what was logged; a host whose log is given must not measure something else. */
static bool check_bios_acm(const struct predict_job *j)
{
	const struct sinit_event *e = sinit_event_find(SINIT_PCR_DETAILS, SINIT_EVTYPE_BIOSAC);
	const struct manifest *m = j->in->manifest;

	for (size_t i = 0; e && m->platform.bios_acm_count && i < j->log_count; i++) {
		const struct event *logged = predict_log_find(&j->logs[i], SINIT_PCR_DETAILS, SINIT_EVTYPE_BIOSAC);

		if (logged && !is_a_choice(j, e, logged))
			return manifest_fail(m, m->platform.bios_acm_line, "remove \"bios_acm\": the log has it", j->fault,
				"\"bios_acm\" is not what this host measured: %s", j->logs[i].name);
	}
	return true;
}

static void set_of_platform(struct predict_job *j)
{
	const struct manifest_platform *p = &j->in->manifest->platform;

	for (size_t i = 0; i < p->bios_acm_count; i++)
		add_choice(&j->values[SINIT_BIOS_ACM], SPAN_OF(p->bios_acm[i]));
	j->values[SINIT_BIOS_ACM].kind = PROVENANCE_GIVEN;
	j->values[SINIT_BIOS_ACM].from[0] = "platform.bios_acm";
	j->values[SINIT_BIOS_ACM].from_count = 1;
	if (p->scrtm.line) {
		SET(j, SINIT_SCRTM, PROVENANCE_GIVEN, le32(j->scrtm[0], (uint32_t)p->scrtm.v), "platform.scrtm");
	} else if (j->log_count == 0) {
		SET(j, SINIT_SCRTM, PROVENANCE_ASSUMED, le32(j->scrtm[0], 1), "processor-based S-CRTM");
		add_choice(&j->values[SINIT_SCRTM], le32(j->scrtm[1], 0));
	}
	if (j->log_count == 0)
		SET(j, SINIT_STM, PROVENANCE_ASSUMED, ((struct span){ NULL, 0 }), "no SMI transfer monitor");
}

/* ---- NV_INFO ---- */

/* Without an owner's policy what is measured of launch control comes from the log, where another owner's must not have ruled. */
static bool check_owner(const struct predict_job *j)
{
	const struct manifest *m = j->in->manifest;

	for (size_t i = 0; !j->in->lcp_policy.bytes.p && i < j->log_count; i++) {
		const struct event *e = predict_log_find(&j->logs[i], SINIT_PCR_DETAILS, SINIT_EVTYPE_NV_INFO);
		struct span logged[PREDICT_NV_ENTRIES];

		if (e && predict_nv_split(e->data, logged) && predict_nv_exists(logged[PREDICT_NV_PO]))
			return manifest_fail(m, m->platform.logs[i].line, "name it, or take a log of a host without", j->fault,
				"\"%.200s\" is of a host with an owner's launch control policy, but there is no \"lcp\"",
				m->platform.logs[i].s);
	}
	return true;
}

static bool has_choice(const struct predict_value *v, struct span bytes)
{
	for (size_t i = 0; i < v->count; i++)
		if (span_equal(v->choices[i], bytes))
			return true;
	return false;
}

/* With these entries. `log`: where those come from that are not given; NULL: they are assumed. */
static void add_nv_info(struct predict_job *j, const char *log, const struct span parts[PREDICT_NV_ENTRIES])
{
	const struct manifest_platform *p = &j->in->manifest->platform;
	const char *policy = j->in->lcp_policy.from;
	struct predict_value *v = &j->values[SINIT_NV_INFO];
	bool given = p->aux.given && p->ps.given;
	struct wr w = wr_init((struct mspan){ j->nv_info[v->count], sizeof(j->nv_info[v->count]) });

	for (size_t i = 0; i < PREDICT_NV_ENTRIES; i++)
		wr_bytes(&w, parts[i]);
	if (has_choice(v, wr_span(&w)))
		return;
	if (v->count > 0) {
		v->choice_from[v->count] = log;
		add_choice(v, wr_span(&w));
		return;
	}
	SET(j, SINIT_NV_INFO,
		given ? PROVENANCE_GIVEN
		: log ? PROVENANCE_CAPTURED
		      : PROVENANCE_ASSUMED,
		wr_span(&w),
		p->aux.given ? "platform.aux"
		: log        ? log
			     : PREDICT_NO_AUX,
		p->ps.given ? "platform.ps"
		: log       ? log
			    : PREDICT_NO_PS,
		policy ? policy : PREDICT_NO_PO);
}

/* AUX and PS as given, else as in each of the logs; PO as it will be. */
static void set_nv_info(struct predict_job *j)
{
	const struct manifest_platform *p = &j->in->manifest->platform;
	struct span logged[MANIFEST_MAX_CHOICES][PREDICT_NV_ENTRIES], po;
	uint8_t aux[1 + MANIFEST_NV_PUBLIC_MAX], ps[1 + MANIFEST_NV_PUBLIC_MAX], owner[SINIT_NV_INFO_MAX];
	bool given = p->aux.given && p->ps.given;

	po = predict_nv_owner(j->in->lcp_policy.bytes, j->has_acm ? &j->acm : NULL, owner);
	if (given || j->log_count == 0) {
		add_nv_info(j, NULL, (const struct span[]){ predict_nv_given(&p->aux, aux), predict_nv_given(&p->ps, ps), po });
		return;
	}
	/* Those of logs that have another form are left as they are. */
	for (size_t i = 0; i < j->log_count; i++) {
		const struct event *e = predict_log_find(&j->logs[i], SINIT_PCR_DETAILS, SINIT_EVTYPE_NV_INFO);

		if (!e || !predict_nv_split(e->data, logged[i]))
			return;
	}
	for (size_t i = 0; i < j->log_count; i++)
		add_nv_info(j, j->logs[i].name,
			(const struct span[]){ p->aux.given ? predict_nv_given(&p->aux, aux) : logged[i][PREDICT_NV_AUX],
				p->ps.given ? predict_nv_given(&p->ps, ps) : logged[i][PREDICT_NV_PS], po });
}

/* ---- all of it ---- */

bool predict_values_check(const struct predict_job *j)
{
	return check_bios_acm(j) && check_owner(j);
}

bool predict_values_set(struct predict_job *j)
{
	set_of_module(j);
	if (!mark_logs(j))
		return false;
	set_lcp(j);
	set_of_platform(j);
	set_nv_info(j);
	SET(j, SINIT_MLE, PROVENANCE_COMPUTED, ((struct span){ NULL, 0 }), j->in->tboot.from, j->cmdline);
	return true;
}
