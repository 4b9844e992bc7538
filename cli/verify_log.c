/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/verify_impl.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "common/eventlog.h"

/* Judging a launch by its event log: replay it, see whether it leads to the TPM's values, then compare event by event. */

/* Far more than modules, policy and firmware make; keeps the comparison short whatever a log holds. */
#define MAX_ITEMS 4096u

struct item {
	unsigned pcr;
	uint32_t type;
	struct digests digests;
	struct span data; /* inside the log; the event's name, if it is ours */
	bool later;       /* behind the closing event */
};

struct logged {
	struct verify_job *j;
	struct item *v; /* the measurements of PCR 17-22 */
	size_t n;
	uint32_t missing[ALG_COUNT]; /* bit per PCR: some event has no digest in this bank */
	bool closed;
	bool halted;           /* it ends in caps without a subject */
	alg_set closing_wrong; /* banks in which the closing event is not that of PCR 19-22 before it */
	size_t first_key;      /* position of the first difference found so far */
};

/* Copies bytes of a log for people's eyes; cut if too long. */
static const char *printable(struct span s, char *buf, size_t cap)
{
	struct text t = { .p = buf, .cap = cap };

	text_str(&t, "");
	text_span(&t, s);
	return buf;
}

static const char *type_name(uint32_t type)
{
	const char *name = event_type_name(type);

	return name ? name : "an event of unknown type";
}

/* ---- reading and replay ---- */

GL_MUST static bool add_item(struct logged *l, const struct event *e)
{
	struct item *v = reallocarray(l->v, l->n + 1, sizeof(*v));

	if (!v) {
		l->j->r->out_of_memory = true;
		return false;
	}
	l->v = v;
	l->v[l->n++] = (struct item){ .pcr = e->pcr, .type = e->type, .digests = e->digests, .data = e->data, .later = l->closed };
	return true;
}

/* The closing event binds what PCR 19-22 are at this point. */
static void check_closing(struct logged *l, const struct event *e)
{
	struct pcrs *replay = &l->j->r->log;
	struct digests d;
	alg_set banks = l->j->r->compared;

	if (l->closed)
		return;
	l->closed = true;
	if (!measure_closing(banks, replay, &d)) {
		l->closing_wrong = banks;
		return;
	}
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (banks & e->digests.banks & ALG_BIT(a) &&
			!span_equal(digest_span(&d, (enum alg)a), digest_span(&e->digests, (enum alg)a)))
			l->closing_wrong |= ALG_BIT(a);
}

static void replay_event(struct logged *l, const struct event *e)
{
	struct verify_result *r = l->j->r;

	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (e->missing & ALG_BIT(a))
			l->missing[a] |= 1u << e->pcr;
	if (e->type == MEASURE_CLOSING)
		check_closing(l, e);
	if (!add_item(l, e) || !pcrs_extend(&r->log, e->pcr, &e->digests))
		r->out_of_memory = true;
}

/* Reads all of the log; false, and the reason noted, if it breaks off. */
GL_MUST static bool read_log(struct logged *l, struct eventlog_reader *reader)
{
	struct verify_job *j = l->j;
	enum eventlog_status s;
	struct event e;

	pcrs_reset_dynamic(&j->r->log, j->r->compared, verify_begins_with_zeros(j));
	while ((s = eventlog_next(reader, &e)) == EVENTLOG_EVENT && !j->r->out_of_memory) {
		if (e.type == EV_NO_ACTION || e.pcr < PCR_DRTM_FIRST || e.pcr > PCR_DRTM_LAST)
			continue;
		if (l->n == MAX_ITEMS) {
			verify_explain(j, "The log has more than %u events for PCR 17-22; no launch makes that many.", MAX_ITEMS);
			return false;
		}
		replay_event(l, &e);
	}
	for (unsigned a = 0; a < ALG_COUNT; a++)
		j->r->log.known[a] &= ~l->missing[a];
	if (s == EVENTLOG_MALFORMED)
		verify_explain(j, "The log is broken at byte %zu: %s.", reader->error_offset, reader->error);
	return s != EVENTLOG_MALFORMED;
}

/* Whether the log, replayed from zeros or FF, leads to the TPM's values of the PCRs that nothing but a dynamic launch resets. */
GL_MUST static bool leads_to_tpm(const struct verify_job *j, bool zeros)
{
	const uint32_t bits = 7u << PCR_DRTM_FIRST;
	struct pcrs p;

	pcrs_reset_dynamic(&p, j->r->compared, zeros);
	/* As far as it can be read. */
	(void)!eventlog_replay(j->in->log, &p);
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (j->r->compared & ALG_BIT(a) && (p.known[a] & bits) != bits)
			return false;
	return pcrs_equal(&p, j->tpm, j->r->compared, PCR_DRTM_FIRST, 19);
}

/* ---- log against TPM ---- */

/* One sentence for all PCRs that differ in the same banks. */
static void explain_banks(struct logged *l, const alg_set banks[VERIFY_PCRS], const char *what)
{
	for (size_t i = 0; i < VERIFY_PCRS; i++) {
		char names[64], buf[64];
		struct text t = TEXT_OF(buf);
		bool first = true;

		text_str(&t, "");
		for (size_t k = 0; k < VERIFY_PCRS; k++) {
			if (banks[k] != banks[i])
				continue;
			first = first && k >= i;
			text_str(&t, t.n ? ", " : "");
			text_u64(&t, k + PCR_DRTM_FIRST);
		}
		verify_bank_names(banks[i], names, sizeof(names));
		if (banks[i] && first)
			verify_explain(l->j, "%s PCR %s (%s).", what, buf, names);
	}
}

/* Bit per PCR - 17: it differs from the TPM, or cannot be replayed, in some bank. */
static unsigned compare_with_tpm(struct logged *l)
{
	struct verify_job *j = l->j;
	alg_set wrong[VERIFY_PCRS] = { 0 }, unknown[VERIFY_PCRS] = { 0 };
	unsigned differ = 0;

	for (size_t i = 0; i < VERIFY_PCRS; i++) {
		unsigned pcr = PCR_DRTM_FIRST + (unsigned)i;

		for (unsigned a = 0; a < ALG_COUNT; a++) {
			if (!(j->r->compared & ALG_BIT(a)))
				continue;
			if (!pcr_known(&j->r->log, (enum alg)a, pcr))
				unknown[i] |= ALG_BIT(a);
			else if (!span_equal(pcr_value(&j->r->log, (enum alg)a, pcr), pcr_value(j->tpm, (enum alg)a, pcr)))
				wrong[i] |= ALG_BIT(a);
		}
		if (wrong[i] | unknown[i])
			differ |= 1u << i;
	}
	explain_banks(l, unknown, "The log has events without a digest and cannot be replayed for");
	explain_banks(l, wrong, "The log does not lead to the TPM's values of");
	return differ;
}

/* ---- log against expected ---- */

/* What the log calls the event: only our events have a name in their data. */
static const char *item_name(const struct item *it, char *buf, size_t cap)
{
	return printable(measure_by_type(it->type) ? it->data : span_str(type_name(it->type)), buf, cap);
}

/* Remembers the difference that comes first in the order of the expected events. */
static void note_first(struct logged *l, size_t key, enum verify_difference what, const struct expected_event *e, const struct item *it)
{
	struct verify_first_difference *f = &l->j->r->first;

	/* One of its own only follows from what was not expected in front of it. */
	key += e && e->type == MEASURE_CLOSING;
	if (f->what != VERIFY_SAME && l->first_key <= key)
		return;
	l->first_key = key;
	*f = (struct verify_first_difference){ .what = what };
	if (e) {
		f->pcr = e->pcr;
		f->type = e->type;
		printable(span_str(e->name), f->name, sizeof(f->name));
		f->expected = e->digests;
	}
	if (it) {
		f->pcr = it->pcr;
		item_name(it, f->found, sizeof(f->found));
		f->log = it->digests;
	}
	if (it && !e) {
		f->type = it->type;
		item_name(it, f->name, sizeof(f->name));
	}
}

/* The closing event follows all others, whatever comes before or behind it in its own PCR. */
static size_t key_of(const struct logged *l, const struct expected_event *e)
{
	return e && e->type != MEASURE_CLOSING ? (size_t)(e - l->j->expected->events) : l->j->expected->event_count;
}

static void note_category(struct logged *l, alg_set banks, enum verify_verdict v, const char *module)
{
	if (v == VERIFY_VERDICT_COUNT)
		return;
	verify_note(l->j, banks, v);
	if (v == VERIFY_MODULE_MISMATCH)
		verify_add_module(l->j, module);
}

/* Where tboot was to measure and a launch without it did, there is geolaunch.efi's type in place of tboot's. */
static bool same_name(const struct logged *l, const struct expected_event *e, const struct item *it)
{
	bool instead =
		l->j->start == VERIFY_START_RESET && e->type == EV_TBOOT && (it->type == MEASURE_POLICY || it->type == MEASURE_MODULE);

	return (e->type == it->type || instead) && (!measure_by_type(it->type) || span_is_str(it->data, e->name));
}

/* For events of others: what a difference can come from. */
static void explain_sources(struct logged *l, const struct expected_event *e)
{
	CLEANUP_FREE char *buf = NULL;
	size_t size = 0;
	FILE *f = measure_by_type(e->type) ? NULL : open_memstream(&buf, &size);

	if (!f)
		return;
	for (size_t i = 0; i < e->from_count; i++)
		fprintf(f, "%s%s", i ? ", " : "", e->from[i]);
	if (fclose(f) == 0 && e->from_count > 0)
		verify_explain(l->j, "\"%s\" was expected from: %s.", e->name, buf);
}

/* An expected event and the log's event in its place. */
static void compare_pair(struct logged *l, const struct expected_event *e, const struct item *it)
{
	struct verify_job *j = l->j;
	alg_set both = j->r->compared & e->digests.banks & it->digests.banks, wrong = 0;
	char found[192], names[64];

	/* It binds values that begin with FF, which the expected one does not: whether it does so rightly was looked at already. */
	if (e->type == MEASURE_CLOSING && j->start == VERIFY_START_RESET)
		return;
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (both & ALG_BIT(a) && !span_equal(digest_span(&e->digests, (enum alg)a), digest_span(&it->digests, (enum alg)a)))
			wrong |= ALG_BIT(a);
	item_name(it, found, sizeof(found));
	verify_bank_names(wrong, names, sizeof(names));
	if (wrong) {
		note_first(l, key_of(l, e), VERIFY_DIFF_DIGEST, e, it);
		note_category(l, wrong, verify_category(e), e->name);
		if (same_name(l, e, it) && e->type != MEASURE_CLOSING) {
			verify_explain(j, "PCR %u: \"%s\" has another digest than expected (%s).", e->pcr, e->name, names);
			explain_sources(l, e);
		} else if (e->type != MEASURE_CLOSING)
			verify_explain(j, "PCR %u: in place of \"%s\" the log has \"%s\" (%s).", e->pcr, e->name, found, names);
	} else if (!same_name(l, e, it)) {
		note_first(l, key_of(l, e), VERIFY_DIFF_NAME, e, it);
		verify_note(j, j->r->compared, VERIFY_LOG_MISMATCH);
		verify_explain(
			j, "PCR %u: the log calls \"%s\" by another name, \"%s\", though the digest is the same.", e->pcr, e->name, found);
	}
}

static void judge_missing(struct logged *l, const struct expected_event *e)
{
	struct verify_job *j = l->j;

	if (j->start == VERIFY_START_RESET && verify_is_of_sinit(e)) {
		verify_explain(j, "What SINIT measures is missing with the launch.");
		return;
	}
	note_first(l, key_of(l, e), VERIFY_DIFF_MISSING, e, NULL);
	if (e->type == MEASURE_CLOSING)
		verify_note(j, j->r->compared, VERIFY_LOG_MISMATCH);
	else if (e->type == MEASURE_NV)
		verify_note(j, j->r->compared, VERIFY_GEO_MISSING);
	else
		note_category(l, j->r->compared, verify_category(e), e->name);
	verify_explain(j, "PCR %u: \"%s\" is missing from the log.", e->pcr, e->name);
}

static void judge_extra(struct logged *l, const struct expected_event *next, const struct item *it)
{
	char found[192];

	item_name(it, found, sizeof(found));
	note_first(l, key_of(l, next), VERIFY_DIFF_EXTRA, NULL, it);
	if (it->type == MEASURE_CLOSING)
		verify_note(l->j, l->j->r->compared, VERIFY_LOG_MISMATCH);
	else
		note_category(l, l->j->r->compared, verify_type_category(it->type), found);
	verify_explain(l->j, "PCR %u: %s \"%s\" in the log is not expected%s.", it->pcr, type_name(it->type), found,
		it->later ? "; it came after the launch was closed" : "");
}

/* Takes "cap REASON SUBJECT" apart. */
GL_MUST static bool parse_cap(struct span data, enum cap *why, struct span *subject)
{
	for (unsigned c = 0; c < CAP_COUNT; c++) {
		char buf[64];
		struct text t = TEXT_OF(buf);
		struct span head;

		name_cap(&t, (enum cap)c, (struct span){ NULL, 0 });
		head = span_str(buf);
		if (data.n < head.n || !span_equal((struct span){ data.p, head.n }, head))
			continue;
		if (data.n > head.n && data.p[head.n] != ' ')
			continue;
		*why = (enum cap)c;
		*subject = data.n > head.n ? (struct span){ data.p + head.n + 1, data.n - head.n - 1 } : (struct span){ NULL, 0 };
		return true;
	}
	return false;
}

/* Only the digest was measured: the reason in the text is believed if it is the one behind the digest. */
GL_MUST static bool believe_cap(struct logged *l, const struct item *it, enum cap *why, struct span *subject)
{
	struct digests d;

	if (!parse_cap(it->data, why, subject))
		return false;
	measure_cap(l->j->r->compared & it->digests.banks, *why, &d);
	return digests_agree(&d, &it->digests);
}

/* "module 5" as the subject of a cap stands for the event "module 5 file ...". */
static bool is_subject(const struct expected_event *e, struct span subject)
{
	struct span name = span_str(e->name);

	if (subject.n == 0 || subject.n > name.n || !span_equal((struct span){ name.p, subject.n }, subject))
		return false;
	return subject.n == name.n || name.p[subject.n] == ' ';
}

/* The expected event that the cap stands for, in the events from `i` on of its PCR; NULL if it says none of them. */
static const struct expected_event *find_subject(const struct logged *l, unsigned pcr, size_t i, struct span subject)
{
	const struct expected *e = l->j->expected;

	for (; i < e->event_count; i++)
		if (e->events[i].pcr == pcr && is_subject(&e->events[i], subject))
			return &e->events[i];
	return NULL;
}

/* Returns the expected event that it stands for, or NULL. */
static const struct expected_event *judge_cap(struct logged *l, size_t i, const struct expected_event *next, const struct item *it)
{
	const struct expected_event *e;
	struct span subject = { NULL, 0 };
	char found[192];
	enum cap why = CAP_COUNT;

	printable(it->data, found, sizeof(found));
	if (!believe_cap(l, it, &why, &subject)) {
		note_first(l, key_of(l, next), VERIFY_DIFF_EXTRA, NULL, it);
		verify_note(l->j, l->j->r->compared, VERIFY_LOG_MISMATCH);
		verify_explain(l->j, "PCR %u: the digest of the cap event \"%s\" is not that of its reason.", it->pcr, found);
		return NULL;
	}
	e = find_subject(l, it->pcr, i, subject);
	note_first(l, key_of(l, e ? e : next), VERIFY_DIFF_CAP, e, it);
	verify_note_cap(l->j, l->j->r->compared, why);
	if (e && verify_category(e) == VERIFY_MODULE_MISMATCH)
		verify_add_module(l->j, e->name);
	if (subject.n)
		verify_explain(l->j, "PCR %u: a cap in place of \"%s\": %s.", it->pcr, printable(subject, found, sizeof(found)),
			cap_table[why].meaning);
	else
		verify_explain(l->j, "The launch was stopped and PCR 17-22 capped: %s (%s).", cap_table[why].name, cap_table[why].meaning);
	return e;
}

/* Index of the next expected event of the PCR from `i` on; event_count if there is none. */
static size_t next_expected(const struct logged *l, unsigned pcr, size_t i)
{
	while (i < l->j->expected->event_count && l->j->expected->events[i].pcr != pcr)
		i++;
	return i;
}

static size_t next_item(const struct logged *l, unsigned pcr, size_t k)
{
	while (k < l->n && l->v[k].pcr != pcr)
		k++;
	return k;
}

GL_MUST static bool comes_later(const struct logged *l, size_t k, const struct expected_event *e)
{
	for (k = next_item(l, e->pcr, k); k < l->n; k = next_item(l, e->pcr, k + 1))
		if (same_name(l, e, &l->v[k]))
			return true;
	return false;
}

GL_MUST static bool is_expected_later(const struct logged *l, size_t i, const struct item *it)
{
	for (i = next_expected(l, it->pcr, i); i < l->j->expected->event_count; i = next_expected(l, it->pcr, i + 1))
		if (same_name(l, &l->j->expected->events[i], it))
			return true;
	return false;
}

/* Walks expected and logged events of one PCR side by side, pairing them by type and name. */
static void compare_pcr(struct logged *l, unsigned pcr)
{
	const struct expected *x = l->j->expected;
	size_t i = next_expected(l, pcr, 0), k = next_item(l, pcr, 0);
	CLEANUP_FREE bool *capped = calloc(x->event_count + 1, sizeof(*capped));

	if (!capped) {
		l->j->r->out_of_memory = true;
		return;
	}
	while (i < x->event_count || k < l->n) {
		const struct expected_event *e = i < x->event_count ? &x->events[i] : NULL;
		const struct item *it = k < l->n ? &l->v[k] : NULL;

		if (e && capped[i]) {
			i = next_expected(l, pcr, i + 1);
		} else if (it && it->type == MEASURE_CAP) {
			const struct expected_event *subject = judge_cap(l, i, e, it);

			if (subject)
				capped[subject - x->events] = true;
			k = next_item(l, pcr, k + 1);
		} else if (!it || (e && !same_name(l, e, it) && !comes_later(l, k, e) && is_expected_later(l, i, it))) {
			/* After a halt the rest of the launch did not take place. */
			if (e && !l->halted)
				judge_missing(l, e);
			i = next_expected(l, pcr, i + 1);
		} else if (!e || (!same_name(l, e, it) && (comes_later(l, k, e) || e->type != it->type))) {
			judge_extra(l, e, it);
			k = next_item(l, pcr, k + 1);
		} else {
			compare_pair(l, e, it);
			i = next_expected(l, pcr, i + 1);
			k = next_item(l, pcr, k + 1);
		}
	}
}

/* A launch that was stopped ends with a cap without a subject in each PCR, and nothing closes it. */
static bool ends_in_caps(const struct logged *l)
{
	bool last_is_cap[VERIFY_PCRS] = { false };

	for (size_t k = 0; k < l->n; k++) {
		enum cap why;
		struct span subject = { NULL, 0 };

		last_is_cap[l->v[k].pcr - PCR_DRTM_FIRST] =
			l->v[k].type == MEASURE_CAP && parse_cap(l->v[k].data, &why, &subject) && subject.n == 0;
	}
	for (size_t i = 0; i < VERIFY_PCRS; i++)
		if (!last_is_cap[i])
			return false;
	return !l->closed;
}

static void compare_with_expected(struct logged *l)
{
	struct verify_job *j = l->j;
	char names[64];

	l->halted = ends_in_caps(l);
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++)
		compare_pcr(l, pcr);
	if (l->closing_wrong) {
		verify_bank_names(l->closing_wrong, names, sizeof(names));
		verify_note(j, j->r->compared, VERIFY_LOG_MISMATCH);
		verify_explain(j, "The closing event does not bind the values that the log gives PCR 19-22 (%s).", names);
	}
}

static enum verify_log_use judge_log(struct logged *l, char *error, size_t cap)
{
	const unsigned resettable = 1u << (20 - PCR_DRTM_FIRST) | 1u << (21 - PCR_DRTM_FIRST) | 1u << (22 - PCR_DRTM_FIRST);
	struct verify_job *j = l->j;
	struct eventlog_reader reader;
	unsigned differ;
	bool later;

	if (eventlog_open(&reader, j->in->log) == EVENTLOG_MALFORMED) {
		snprintf(error, cap, "the log is no event log: %s", reader.error);
		return VERIFY_LOG_NONE;
	}
	if (verify_begins_with_zeros(j) && !leads_to_tpm(j, true) && leads_to_tpm(j, false))
		verify_judge_reset(j);
	if (!read_log(l, &reader)) {
		verify_note(j, j->r->compared, VERIFY_LOG_MISMATCH);
		return VERIFY_LOG_DOUBTFUL;
	}
	differ = compare_with_tpm(l);
	if (differ)
		verify_note(j, j->r->compared, VERIFY_LOG_MISMATCH);
	j->from_zero = verify_begins_with_zeros(j) && !(differ & ~resettable);
	later = differ && !(differ & ~resettable) && l->closed && !l->closing_wrong;
	if (later)
		verify_explain(j,
			"PCR 20-22 were changed after the launch: PCR 17-19 and the closing event confirm the log, "
			"these PCRs do not.");
	/* What a log says that the TPM does not confirm is no evidence; only the first difference is still shown. */
	j->muted = (differ && !later) || (j->start == VERIFY_START_UNMEASURED && j->expected->drtm);
	compare_with_expected(l);
	j->muted = false;
	return differ && !later ? VERIFY_LOG_DOUBTFUL : VERIFY_LOG_EXPLAINS;
}

enum verify_log_use verify_by_log(struct verify_job *j, char *error, size_t cap)
{
	struct logged l = { .j = j };
	enum verify_log_use use = judge_log(&l, error, cap);

	free(l.v);
	return use;
}
