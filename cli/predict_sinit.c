/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/predict_sinit.h"

#include <string.h>

#include "cli/predict_impl.h"
#include "cli/predict_log.h"
#include "cli/predict_nv.h"
#include "lcp/acm_measure.h"
#include "lcp/host/sign.h"
#include "lcp/measured.h"
#include "lcp/mle_hash.h"
#include "txt/sinit_events.h"

/* EDX of GETSEC[SENTER]: tboot 1.10.5 asks for nothing special (tboot/txt/txt.c). */
#define SENTER_EDX 0u
#define FROM_MAX 4

/* The values that SINIT_VALUES can have, each with where it comes from; `count` 0: only the logs know. */
struct value {
	enum provenance kind;
	const char *from[FROM_MAX];
	size_t from_count;
	struct span choices[MANIFEST_MAX_CHOICES];
	const char *choice_from[MANIFEST_MAX_CHOICES]; /* of an alternative; NULL: from[0] */
	size_t count;
};

struct job {
	const struct predict_sinit_input *in;
	struct expected *out;
	struct cli_fault *fault;
	bool has_acm;
	struct acm acm;
	struct lcp_mle mle;
	char *cmdline;                         /* "cmdline: ..." */
	char *log_names[MANIFEST_MAX_CHOICES]; /* of logs of another module */
	struct digests mle_digests;
	struct lcp_measured lcp;
	struct predict_log logs[MANIFEST_MAX_CHOICES];
	size_t log_count;
	struct value values[SINIT_VALUES];
	uint8_t drtm[ACM_DRTM_SIZE], control[4], capabilities[4], scrtm[2][4];
	uint8_t nv_info[MANIFEST_MAX_CHOICES][SINIT_NV_INFO_MAX];
};

static void end_job(struct job **j)
{
	if (*j)
		free((*j)->cmdline);
	for (size_t i = 0; *j && i < GL_COUNT((*j)->log_names); i++)
		free((*j)->log_names[i]);
	free(*j);
}

static bool no_memory(struct cli_fault *fault)
{
	return cli_fail(fault, CLI_IO, "out of memory: prediction");
}

/* ---- reading the inputs ---- */

static bool read_sinit(struct job *j)
{
	const struct manifest_module *m = &j->in->manifest->txt.sinit;
	enum acm_error e;

	if (!j->in->sinit.bytes.p)
		return true;
	e = acm_decode(j->in->sinit.bytes, &j->acm);
	if (e)
		return manifest_fail(j->in->manifest, m->file.line, "give a SINIT module (*.bin, *.acm)", j->fault,
			"\"%.200s\" is none: %s", m->file.s, acm_strerror(e));
	if (j->acm.info.chipset_type != ACM_SINIT)
		return manifest_fail(j->in->manifest, m->file.line, "give a SINIT module (*.bin, *.acm)", j->fault,
			"\"%.200s\" is a module of another kind", m->file.s);
	if (!acm_layout_known(j->acm.header.version) || !j->acm.tpm_algs.present)
		return manifest_fail(j->in->manifest, m->file.line, "leave it out and give a \"log\" to \"platform\"", j->fault,
			"\"%.200s\" is too old or too new to tell what a TPM 2.0 would get from it", m->file.s);
	j->has_acm = true;
	return true;
}

static bool read_logs(struct job *j)
{
	for (; j->log_count < GL_COUNT(j->in->logs) && j->in->logs[j->log_count].bytes.p; j->log_count++) {
		const struct predict_file *f = &j->in->logs[j->log_count];
		const struct manifest *m = j->in->manifest;
		struct cli_fault wrong;

		if (!predict_log_read(f->from, f->bytes, &j->logs[j->log_count], &wrong))
			return manifest_fail(m, m->platform.logs[j->log_count].line,
				"take one from a host with 'geolaunch log --live --raw-out FILE'", j->fault, "%s", wrong.text);
	}
	return true;
}

static bool read_tboot(struct job *j)
{
	const struct manifest_module *m = &j->in->manifest->txt.tboot;
	enum lcp_error e = lcp_mle_find(j->in->tboot.bytes, &j->mle);

	if (e)
		return manifest_fail(j->in->manifest, m->file.line, "give tboot (Debian: /boot/tboot.gz)", j->fault,
			"\"%.200s\" is no tboot: %s", m->file.s, lcp_strerror(e));
	e = lcp_mle_digest(&j->mle, &j->in->tboot_cmdline, ALG_SET_ALL, &j->mle_digests);
	if (e)
		return manifest_fail(j->in->manifest, m->cmdline.line, "make it shorter", j->fault, "tboot's cmdline of %zu characters: %s",
			j->in->tboot_cmdline.n, lcp_strerror(e));
	if (asprintf(&j->cmdline, "cmdline: %.*s", (int)j->in->tboot_cmdline.n, (const char *)j->in->tboot_cmdline.p) < 0) {
		j->cmdline = NULL;
		return no_memory(j->fault);
	}
	return true;
}

static bool begin(struct job *j, const struct predict_sinit_input *in, struct cli_fault *fault)
{
	j->in = in;
	j->fault = fault;
	return read_sinit(j) && read_logs(j) && read_tboot(j);
}

/* Without the owner's policy the supplier's may permit a module that is not production worthy, and only the platform has that one. */
static struct lcp_acm acm_for_lcp(const struct job *j)
{
	struct lcp_acm acm = j->has_acm ? lcp_acm_of(&j->acm) : (struct lcp_acm){ .version = UINT8_MAX };

	if (!j->in->lcp_policy.bytes.p && (j->log_count > 0 || j->in->manifest->platform.ps.n > 0))
		acm.npw = false;
	return acm;
}

/* What SINIT would say, if it says no. */
static bool fail_lcp(struct job *j, const struct lcp_verdict *v)
{
	const struct manifest *m = j->in->manifest;
	const struct lcp_rule_info *rule = lcp_rule_info(v->rule);
	unsigned line = m->txt.lcp_policy.s ? m->txt.lcp_policy.line : m->txt.sinit.file.line;
	enum lcp_outcome mle = v->by[LCP_SUBJECT_MLE].outcome;

	if (v->rule != LCP_RULE_INPUT)
		return manifest_fail(m, line, "see 'geolaunch lcp evaluate'", j->fault, "launch control would deny this launch: %s (%s)",
			rule->text, rule->id);
	if (mle == LCP_MATCH || mle == LCP_NO_ELEMENT)
		return manifest_fail(m, line, "leave PCONF and SBIOS elements out of a policy that is built with", j->fault,
			"launch control asks for values of the platform that no manifest has, so nothing can be predicted");
	return manifest_fail(m, line, "use another hash algorithm there", j->fault,
		"launch control asks for a digest by an algorithm that is not known here, so nothing can be predicted");
}

/* Asks what SINIT would: a launch that the policy denies is not to be predicted. */
static bool evaluate_lcp(struct job *j)
{
	const struct lcp_platform p = {
		.policy = { [LCP_PO] = j->in->lcp_policy.bytes },
		.data = { [LCP_PO] = j->in->lcp_data.bytes },
		.acm = acm_for_lcp(j),
		.mle = j->mle_digests,
		.verify = lcp_openssl_verify,
	};
	CLEANUP_FREE struct lcp_verdict *v = calloc(1, sizeof(*v));

	if (!v)
		return no_memory(j->fault);
	lcp_evaluate(&p, v);
	if (!v->allowed)
		return fail_lcp(j, v);
	lcp_measured(v, p.data, &j->lcp);
	return true;
}

/* ---- values ---- */

static void add_choice(struct value *v, struct span bytes)
{
	v->choices[v->count++] = bytes;
}

static void set(struct job *j, enum sinit_value which, enum provenance kind, const char *const *from, size_t n, struct span bytes)
{
	struct value *v = &j->values[which];

	v->kind = kind;
	for (size_t i = 0; i < n && v->from_count < FROM_MAX; i++)
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

static void set_of_module(struct job *j)
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
static bool mark_logs(struct job *j)
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
			return no_memory(j->fault);
		}
		j->logs[i].name = j->log_names[i];
	}
	return true;
}

/* Without an owner's policy the supplier's counts, which only a log shows. */
static void set_lcp(struct job *j)
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
static bool is_a_choice(const struct job *j, const struct sinit_event *e, const struct event *logged)
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
static bool check_bios_acm(struct job *j)
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

static void set_of_platform(struct job *j)
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
static bool check_owner(struct job *j)
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

static bool has_choice(const struct value *v, struct span bytes)
{
	for (size_t i = 0; i < v->count; i++)
		if (span_equal(v->choices[i], bytes))
			return true;
	return false;
}

/* With these entries. `log`: where those come from that are not given; NULL: they are assumed. */
static void add_nv_info(struct job *j, const char *log, const struct span parts[PREDICT_NV_ENTRIES])
{
	const struct manifest_platform *p = &j->in->manifest->platform;
	const char *policy = j->in->lcp_policy.from;
	struct value *v = &j->values[SINIT_NV_INFO];
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
			     : "no AUX index",
		p->ps.given ? "platform.ps"
		: log       ? log
			    : "no PS index",
		policy ? policy : "no PO index");
}

/* AUX and PS as given, else as in each of the logs; PO as it will be. */
static void set_nv_info(struct job *j)
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

/* ---- events ---- */

static bool add_value(struct job *j, const struct sinit_event *e, const struct value *v)
{
	const struct predict_from f = { v->kind, v->from, v->from_count };

	for (size_t i = 0; i < v->count; i++) {
		struct sinit_values values = { .mle = &j->mle_digests };
		struct digests d;

		values.data[e->value] = v->choices[i];
		sinit_event_digest(e, &values, j->out->banks, &d);
		if (i == 0 ? !predict_add(j->out, e->pcr, e->type, span_str(e->name), &d, &f)
			   : !predict_add_alternative(j->out, &d, v->choice_from[i] ? v->choice_from[i] : v->from[0]))
			return no_memory(j->fault);
	}
	return true;
}

/* Logs in which an event of this type differs from that of all logs before. The first event of the type decides for all. */
static unsigned different_logs(const struct job *j, uint32_t type)
{
	unsigned first = 0, out = 1;
	const struct event *own;

	while (j->logs[0].events[first].type != type)
		first++;
	own = &j->logs[0].events[first];
	for (size_t i = 1; i < j->log_count; i++) {
		const struct event *e = predict_log_find(&j->logs[i], own->pcr, type);
		bool known = false;

		for (size_t k = 0; e && k < i; k++) {
			const struct event *other = predict_log_find(&j->logs[k], own->pcr, type);

			known |= other && digests_equal(&other->digests, &e->digests);
		}
		if (e && !known)
			out |= 1u << i;
	}
	return out;
}

/* As in txt/sinit_events.c, also for events that are not there. */
static const char *short_name(uint32_t type)
{
	static const char prefix[] = "EVTYPE_";
	const char *name = event_type_name(type);

	if (!name)
		return "unknown event of SINIT";
	return strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name + sizeof(prefix) - 1 : name;
}

static bool add_captured(struct job *j, const struct event *own)
{
	const char *name = short_name(own->type);
	unsigned logs = different_logs(j, own->type);

	for (size_t i = 0; i < j->log_count; i++) {
		const struct event *e = predict_log_find(&j->logs[i], own->pcr, own->type);
		const struct predict_from f = { PROVENANCE_CAPTURED, &j->logs[i].name, 1 };
		struct digests d;

		if (!(logs >> i & 1))
			continue;
		if (!e || !predict_log_digests(e, j->out->banks, &d))
			return cli_fail(j->fault, CLI_INPUT,
				"the log has no digests of %s for all banks that are predicted: %s: restrict \"banks\"", name,
				j->logs[i].name);
		if (i == 0 ? !predict_add(j->out, own->pcr, own->type, span_str(name), &d, &f)
			   : !predict_add_alternative(j->out, &d, j->logs[i].name))
			return no_memory(j->fault);
	}
	return true;
}

/* Hosts of one class make the same events in the same order. */
static bool check_same_order(struct job *j)
{
	for (size_t i = 1; i < j->log_count; i++) {
		const struct predict_log *a = &j->logs[0], *b = &j->logs[i];
		bool same = a->count == b->count;

		for (size_t k = 0; same && k < a->count; k++)
			same = a->events[k].pcr == b->events[k].pcr && a->events[k].type == b->events[k].type;
		if (!same)
			return cli_fail(j->fault, CLI_INPUT,
				"the logs have other events or another order: %s, %s: make a manifest for each", a->name, b->name);
	}
	return true;
}

static bool add_by_log(struct job *j)
{
	for (size_t i = 0; i < j->logs[0].count; i++) {
		const struct event *own = &j->logs[0].events[i];
		const struct sinit_event *e = sinit_event_find(own->pcr, own->type);
		const struct value *v = e ? &j->values[e->value] : NULL;

		if (v && v->count > 0 ? !add_value(j, e, v) : !add_captured(j, own))
			return false;
	}
	return true;
}

static bool add_by_table(struct job *j)
{
	for (size_t i = 0; i < sinit_event_count; i++)
		if (!add_value(j, &sinit_events[i], &j->values[sinit_events[i].value]))
			return false;
	return true;
}

bool predict_sinit_banks(const struct predict_sinit_input *in, alg_set *out, struct cli_fault *fault)
{
	CLEANUP(end_job) struct job *j = calloc(1, sizeof(*j));
	alg_set all = ALG_SET_ALL, banks;
	enum alg a = ALG_SHA1;

	if (!j)
		return no_memory(fault);
	if (!begin(j, in, fault))
		return false;
	if (j->has_acm)
		all = acm_banks(&j->acm, true, ALG_SET_ALL);
	for (size_t i = 0; !j->has_acm && i < j->log_count; i++)
		all &= j->logs[i].banks;
	banks = in->manifest->banks & all;
	if (!(banks & ALG_BIT(in->manifest->policy_hash)))
		return manifest_fail(in->manifest, in->manifest->policy_line, "use another hash", fault,
			"SINIT does not extend bank %s, the policy's hash", alg_table[in->manifest->policy_hash].name);
	while (a < ALG_SHA512 && !(in->manifest->banks & ~all & ALG_BIT(a)))
		a++;
	if (in->manifest->banks_line && in->manifest->banks & ~all)
		return manifest_fail(
			in->manifest, in->manifest->banks_line, "remove it", fault, "SINIT does not extend bank %s", alg_table[a].name);
	*out = banks;
	return true;
}

bool predict_sinit(const struct predict_sinit_input *in, struct expected *out, struct cli_fault *fault)
{
	CLEANUP(end_job) struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return no_memory(fault);
	j->out = out;
	if (!begin(j, in, fault) || !check_same_order(j) || !check_bios_acm(j) || !check_owner(j) || !evaluate_lcp(j))
		return false;
	set_of_module(j);
	if (!mark_logs(j))
		return false;
	set_lcp(j);
	set_of_platform(j);
	set_nv_info(j);
	SET(j, SINIT_MLE, PROVENANCE_COMPUTED, ((struct span){ NULL, 0 }), in->tboot.from, j->cmdline);
	return j->log_count > 0 ? add_by_log(j) : add_by_table(j);
}
