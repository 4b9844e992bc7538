/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/verify_impl.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * Judging a launch by its PCR values alone. A launch that halted leaves no log, but what it extended is known: a prefix of the
 * expected events of each PCR, and then a cap, or nothing if the TPM took no cap either. So for each PCR such histories are tried until
 * one leads to the value in the TPM.
 */

enum state {
	AS_EXPECTED,
	FOLLOWS,    /* as expected but for the closing event, which binds the values that PCR 19-22 really have */
	UNTOUCHED,  /* still at its start value, though something was expected */
	BROKEN_OFF, /* as expected, but its last expected events are missing */
	CAPPED,
	OTHER,
};

struct finding {
	enum state state;
	enum cap why;   /* CAPPED: the reason, */
	bool halted;    /* whether nothing came after it, */
	size_t reached; /* and how many expected events came before it; BROKEN_OFF: how many there are at most; UNTOUCHED: 0 */
	bool twice;     /* it is there twice: for the measurement, and for the halt */
};

/* Tries beyond this many events in one PCR are left out: no launch has as many, and they grow with the square. */
#define SEARCH_MAX 256

/* The expected events of one PCR, in their order. */
struct chain {
	const struct expected_event **v;
	size_t n;
};

struct view {
	struct verify_job *j;
	enum alg a;         /* the bank that is looked at */
	bool zeros;         /* the PCRs are taken to begin with zeros, not FF */
	struct pcrs wanted; /* what all that is expected then leads to, */
	struct digests end; /* with this closing event */
	struct chain chain[VERIFY_PCRS];
	struct finding found[VERIFY_PCRS];
	struct digests closing; /* of the values that PCR 19-22 have in the TPM */
	alg_set unclosed;       /* banks in which PCR 17 ends before the closing event */
	struct digests cap[CAP_COUNT];
};

static struct chain *chain_of(struct view *w, unsigned pcr)
{
	return &w->chain[pcr - PCR_DRTM_FIRST];
}

static struct finding *finding_of(struct view *w, unsigned pcr)
{
	return &w->found[pcr - PCR_DRTM_FIRST];
}

static void free_chains(struct view *w)
{
	for (size_t i = 0; i < VERIFY_PCRS; i++)
		free(w->chain[i].v);
}

GL_MUST static bool make_chains(struct view *w)
{
	for (size_t i = 0; i < VERIFY_PCRS; i++) {
		w->chain[i].v = calloc(w->j->expected->event_count + 1, sizeof(const struct expected_event *));
		if (!w->chain[i].v)
			return false;
	}
	return true;
}

static void extend(struct pcrs *p, unsigned pcr, const struct digests *d)
{
	/* It fails only for numbers out of range. */
	if (!pcrs_extend(p, pcr, d))
		p->known[0] = p->known[1] = p->known[2] = p->known[3] = 0;
}

static const struct digests *digests_of(const struct view *w, const struct expected_event *e)
{
	return e->type == MEASURE_CLOSING && w->zeros != w->j->expected->drtm ? &w->end : &e->digests;
}

/*
 * Decides from where PCR 17-22 are looked at, and whether with SINIT's events. The expected values are for the expected beginning; from
 * another one they are computed.
 */
static void begin_with(struct view *w, bool zeros, bool sinit)
{
	const struct expected *x = w->j->expected;

	w->zeros = zeros;
	for (size_t i = 0; i < VERIFY_PCRS; i++)
		w->chain[i].n = 0;
	pcrs_reset_dynamic(&w->wanted, w->j->r->compared, zeros);
	for (size_t i = 0; i < x->event_count; i++) {
		const struct expected_event *e = &x->events[i];
		struct chain *c;

		if (e->pcr < PCR_DRTM_FIRST || e->pcr > PCR_DRTM_LAST || (!sinit && verify_is_of_sinit(e)))
			continue;
		c = chain_of(w, e->pcr);
		c->v[c->n++] = e;
		if (e->type == MEASURE_CLOSING && !measure_closing(w->j->r->compared, &w->wanted, &w->end))
			w->end.banks = 0;
		extend(&w->wanted, e->pcr, digests_of(w, e));
	}
	if (zeros == x->drtm)
		w->wanted = x->pcrs;
}

static void extend_events(struct view *w, struct pcrs *p, unsigned pcr, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct expected_event *e = chain_of(w, pcr)->v[i];

		extend(p, pcr, e->type == MEASURE_CLOSING ? &w->closing : &e->digests);
	}
}

static bool is_actual(const struct view *w, const struct pcrs *p, unsigned pcr)
{
	return pcr_known(p, w->a, pcr) && span_equal(pcr_value(p, w->a, pcr), pcr_value(w->j->tpm, w->a, pcr));
}

/* Tries all reasons behind the value `before`, which is that after `reached` events. */
GL_MUST static bool find_cap_at(struct view *w, unsigned pcr, const struct pcrs *before, size_t reached)
{
	size_t n = chain_of(w, pcr)->n;

	for (unsigned why = 0; why < CAP_COUNT; why++) {
		struct finding found = { .state = CAPPED, .why = (enum cap)why, .halted = true, .reached = reached };
		struct pcrs capped = *before, next;

		extend(&capped, pcr, &w->cap[why]);
		/* A halt in this very PCR: the cap in place of the measurement, then the one that all PCRs get. */
		next = capped;
		extend(&next, pcr, &w->cap[why]);
		found.twice = is_actual(w, &next, pcr);
		if (found.twice || is_actual(w, &capped, pcr)) {
			*finding_of(w, pcr) = found;
			return true;
		}
		if (reached == n || n > SEARCH_MAX)
			continue;
		/* The launch went on. */
		found.halted = false;
		extend_events(w, &capped, pcr, reached + 1, n);
		if (is_actual(w, &capped, pcr)) {
			*finding_of(w, pcr) = found;
			return true;
		}
	}
	return false;
}

/*
 * Whether the value is that of the first expected events alone. Where one of them has no digest in this bank it leads to no other value:
 * then the most of them.
 */
GL_MUST static bool find_prefix(struct view *w, unsigned pcr)
{
	struct finding *f = finding_of(w, pcr);
	struct pcrs p;

	pcrs_reset_dynamic(&p, ALG_BIT(w->a), w->zeros);
	for (size_t i = 0; i < chain_of(w, pcr)->n; i++) {
		if (is_actual(w, &p, pcr))
			*f = (struct finding){ .state = f->state == UNTOUCHED || i == 0 ? UNTOUCHED : BROKEN_OFF, .reached = i };
		extend(&p, pcr, digests_of(w, chain_of(w, pcr)->v[i]));
	}
	return f->state == UNTOUCHED || f->state == BROKEN_OFF;
}

static void find(struct view *w, unsigned pcr)
{
	struct finding *f = finding_of(w, pcr);
	const struct chain *c = chain_of(w, pcr);
	struct pcrs p;

	*f = (struct finding){ .state = AS_EXPECTED };
	if (is_actual(w, &w->wanted, pcr) || find_prefix(w, pcr))
		return;
	pcrs_reset_dynamic(&p, ALG_BIT(w->a), w->zeros);
	/* A halt behind the closing event changed PCR 19-22, so what that event bound is not what they are now: the expected digest. */
	for (size_t i = 0; i <= c->n; i++) {
		if (find_cap_at(w, pcr, &p, i))
			return;
		if (i < c->n)
			extend(&p, pcr, digests_of(w, c->v[i]));
	}
	pcrs_reset_dynamic(&p, ALG_BIT(w->a), w->zeros);
	extend_events(w, &p, pcr, 0, c->n);
	f->state = is_actual(w, &p, pcr) ? FOLLOWS : OTHER;
}

/*
 * A cap at the end of a PCR can be the halt or stand for the last event. A halt caps all of 17-22, so one that others lack is no halt.
 */
static void settle_halts(struct view *w)
{
	bool all = true;

	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
		const struct finding *f = finding_of(w, pcr);

		all = all && (f->state == OTHER || (f->state == CAPPED && f->halted));
	}
	for (unsigned pcr = PCR_DRTM_FIRST; !all && pcr <= PCR_DRTM_LAST; pcr++) {
		struct finding *f = finding_of(w, pcr);

		if (f->state == CAPPED && f->halted && !f->twice && f->reached + 1 == chain_of(w, pcr)->n)
			f->halted = false;
	}
}

/* True if the value of the PCR shows that its `i`th expected event was extended as expected. */
static bool seen(struct view *w, unsigned pcr, size_t i)
{
	const struct finding *f = finding_of(w, pcr);

	switch (f->state) {
	case AS_EXPECTED:
	case FOLLOWS:
		return true;
	case CAPPED:
		return f->halted ? i < f->reached : i != f->reached;
	case BROKEN_OFF:
		return i < f->reached;
	default:
		return false;
	}
}

static bool policy_seen(struct view *w)
{
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++)
		for (size_t i = 0; i < chain_of(w, pcr)->n; i++)
			if (verify_category(chain_of(w, pcr)->v[i]) == VERIFY_POLICY_MISMATCH && seen(w, pcr, i))
				return true;
	return false;
}

static bool chain_has(const struct chain *c, enum verify_verdict category)
{
	for (size_t i = 0; i < c->n; i++)
		if (verify_category(c->v[i]) == category)
			return true;
	return false;
}

/* With PCR 17 as expected its closing event proves that PCR 19-22 were so, too, at the end of the launch. */
static bool closed_as_expected(struct view *w)
{
	return finding_of(w, PCR_DRTM_FIRST)->state == AS_EXPECTED && chain_has(chain_of(w, PCR_DRTM_FIRST), VERIFY_VERDICT_COUNT);
}

/* Names those modules of the PCR that were not seen. One of them differs, or all; or what the closing event in the same PCR bound. */
static void blame_modules(struct view *w, unsigned pcr)
{
	const struct chain *c = chain_of(w, pcr);
	bool closing = chain_has(c, VERIFY_VERDICT_COUNT);
	char *buf = NULL;
	size_t size = 0, count = 0;
	FILE *f = open_memstream(&buf, &size);

	if (!f) {
		w->j->r->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < c->n; i++) {
		if (verify_category(c->v[i]) != VERIFY_MODULE_MISMATCH)
			continue;
		fprintf(f, "%s\"%s\"", count++ ? ", " : "", c->v[i]->name);
		verify_add_module(w->j, c->v[i]->name);
	}
	if (fclose(f) == 0 && count > 0 && (pcr < 19 || !closed_as_expected(w)))
		verify_explain(w->j, "PCR %u is not as expected: %s%s %s%s (bytes or command line).%s", pcr, count > 1 ? "of " : "", buf,
			count > 1 ? "at least one " : "", closing ? "may differ" : "differs",
			closing ? " Or none of these, and PCR 20-22 were others when the launch was closed: they can be made anew." : "");
	free(buf);
}

static void judge_unexpected(struct view *w, unsigned pcr)
{
	/* clang-format off */
	static const enum verify_verdict by_pcr[VERIFY_PCRS] = {
		VERIFY_POLICY_MISMATCH, VERIFY_POLICY_MISMATCH, VERIFY_MODULE_MISMATCH,
		VERIFY_MODULE_MISMATCH, VERIFY_MODULE_MISMATCH, VERIFY_GEO_MISMATCH,
	};
	/* clang-format on */

	verify_note(w->j, ALG_BIT(w->a), by_pcr[pcr - PCR_DRTM_FIRST]);
	verify_explain(w->j, "PCR %u should be as it was at the start, but something was measured into it.", pcr);
}

static void judge_content(struct view *w, unsigned pcr, bool policy_ok)
{
	const struct chain *c = chain_of(w, pcr);
	alg_set bank = ALG_BIT(w->a);

	if (chain_has(c, VERIFY_POLICY_MISMATCH) && (!policy_ok || c->n == 1)) {
		verify_note(w->j, bank, VERIFY_POLICY_MISMATCH);
		verify_explain(
			w->j, "PCR %u is not as expected: the launch policy was another one; without a log nothing more can be said.", pcr);
		return;
	}
	if (chain_has(c, VERIFY_MODULE_MISMATCH)) {
		verify_note(w->j, bank, VERIFY_MODULE_MISMATCH);
		blame_modules(w, pcr);
	}
	if (chain_has(c, VERIFY_GEO_MISMATCH)) {
		verify_note(w->j, bank, VERIFY_GEO_MISMATCH);
		if (!closed_as_expected(w))
			verify_explain(w->j, "PCR %u is not as expected: the geo tag is another one.", pcr);
	}
}

/*
 * What is missing was not measured; nothing that was measured differs. Events without a digest in this bank are not known to be missing.
 * The closing event follows all others, so its lack is of interest if it is the only one: w->unclosed.
 */
static void judge_missing(struct view *w, unsigned pcr)
{
	const struct finding *found = finding_of(w, pcr);
	const struct chain *c = chain_of(w, pcr);
	char *buf = NULL;
	size_t size = 0, count = 0;
	FILE *f = open_memstream(&buf, &size);

	if (!f) {
		w->j->r->out_of_memory = true;
		return;
	}
	for (size_t i = found->reached; i < c->n; i++) {
		enum verify_verdict v = verify_category(c->v[i]);

		if (!(c->v[i]->digests.banks & ALG_BIT(w->a)))
			continue;
		fprintf(f, "%s\"%s\"", count++ ? ", " : "", c->v[i]->name);
		if (v == VERIFY_VERDICT_COUNT)
			w->unclosed |= ALG_BIT(w->a);
		else
			verify_note(w->j, ALG_BIT(w->a), v == VERIFY_GEO_MISMATCH ? VERIFY_GEO_MISSING : v);
		if (v == VERIFY_MODULE_MISMATCH)
			verify_add_module(w->j, c->v[i]->name);
	}
	if (fclose(f) == 0 && count > 0)
		verify_explain(w->j, "PCR %u %s: not measured: %s.", pcr,
			found->state == UNTOUCHED ? "is as it was at the start" : "is as expected up to where it breaks off", buf);
	free(buf);
}

/* One sentence for all PCRs that ended in the same cap. */
static void explain_caps(struct view *w)
{
	for (unsigned why = 0; why < CAP_COUNT; why++) {
		char buf[64];
		struct text t = TEXT_OF(buf);

		text_str(&t, "");
		for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
			const struct finding *f = finding_of(w, pcr);

			if (f->state != CAPPED || f->why != why)
				continue;
			verify_note_cap(w->j, ALG_BIT(w->a), f->why);
			if (!f->halted) {
				const struct expected_event *e = chain_of(w, pcr)->v[f->reached];

				if (verify_category(e) == VERIFY_MODULE_MISMATCH)
					verify_add_module(w->j, e->name);
				verify_explain(w->j, "PCR %u holds the cap \"%s\" in place of \"%s\": %s.", pcr, cap_table[why].name,
					e->name, cap_table[why].meaning);
				continue;
			}
			text_str(&t, t.n ? ", " : "");
			text_u64(&t, pcr);
		}
		if (t.n)
			verify_explain(w->j, "The launch was stopped with the cap \"%s\" (PCR %s): %s.", cap_table[why].name, buf,
				cap_table[why].meaning);
	}
}

/*
 * The place where a halted launch stopped, if no PCR holds anything unknown: the first expected event of the kind that the reason
 * speaks of which was not seen.
 */
static void explain_stop(struct view *w)
{
	const struct expected *e = w->j->expected;
	size_t at[VERIFY_PCRS] = { 0 };
	unsigned kinds = 0;

	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
		const struct finding *f = finding_of(w, pcr);

		if (f->state != CAPPED)
			continue;
		if (!f->halted)
			return;
		kinds |= 1u << verify_cap_category[f->why];
	}
	for (size_t i = 0; i < e->event_count; i++) {
		const struct expected_event *v = &e->events[i];
		enum verify_verdict category = verify_category(v);

		if (v->pcr < PCR_DRTM_FIRST || v->pcr > PCR_DRTM_LAST || seen(w, v->pcr, at[v->pcr - PCR_DRTM_FIRST]++))
			continue;
		if (category == VERIFY_GEO_MISMATCH && kinds >> VERIFY_GEO_MISSING & 1)
			kinds |= 1u << VERIFY_GEO_MISMATCH;
		if (category == VERIFY_VERDICT_COUNT || !(kinds >> category & 1))
			continue;
		if (category == VERIFY_MODULE_MISMATCH)
			verify_add_module(w->j, v->name);
		verify_explain(w->j, "It stopped at \"%s\", or at one after it.", v->name);
		return;
	}
}

static void explain_later_change(struct view *w)
{
	for (unsigned pcr = 19; closed_as_expected(w) && pcr <= PCR_DRTM_LAST; pcr++)
		if (finding_of(w, pcr)->state != AS_EXPECTED)
			verify_explain(w->j,
				"PCR %u was changed after the launch: the closing event in PCR 17 still binds the expected value.", pcr);
}

/* Whether one of PCR 17 to `last` holds, in some bank, what can come of the beginning that was chosen. */
static bool is_any_known(struct view *w, unsigned last)
{
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; w->j->r->compared & ALG_BIT(a) && pcr <= last; pcr++) {
			w->a = (enum alg)a;
			if (!measure_closing(ALG_BIT(a), w->j->tpm, &w->closing))
				w->closing.banks = 0;
			find(w, pcr);
			if (finding_of(w, pcr)->state != OTHER)
				return true;
		}
	return false;
}

/*
 * PCR 17-19 get zeros from nothing but a dynamic launch, and no PCR of 17-22 gets FF from anything but a reset of the platform. So one
 * value that is reached from FF, and none in 17-19 that is reached from zeros, shows that there was no launch. Without one there are no
 * events of SINIT either, unless somebody made them up.
 */
static void find_beginning(struct view *w)
{
	bool reset;

	begin_with(w, verify_begins_with_zeros(w->j), true);
	if (!w->zeros || is_any_known(w, 19))
		return;
	begin_with(w, false, true);
	reset = is_any_known(w, PCR_DRTM_LAST);
	if (!is_any_known(w, PCR_DRTM_FIRST)) {
		begin_with(w, false, false);
		reset = reset || is_any_known(w, PCR_DRTM_LAST);
	}
	if (reset)
		verify_judge_reset(w->j);
	else
		begin_with(w, true, true);
}

/* tboot measures into one bank only. What others measured into the rest in its place has nothing that it could be compared with. */
static bool lacks_bank(struct view *w, unsigned pcr)
{
	const struct chain *c = chain_of(w, pcr);

	for (size_t i = 0; i < c->n; i++)
		if (w->j->start == VERIFY_START_RESET && !(c->v[i]->digests.banks & ALG_BIT(w->a)))
			return true;
	return false;
}

static void judge_bank(struct view *w)
{
	bool policy_ok, unknown = false;

	if (!measure_closing(ALG_BIT(w->a), w->j->tpm, &w->closing))
		w->closing.banks = 0;
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++)
		find(w, pcr);
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= 19; pcr++)
		w->j->from_zero |= w->zeros && finding_of(w, pcr)->state != OTHER;
	settle_halts(w);
	policy_ok = policy_seen(w);
	explain_caps(w);
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
		enum state s = finding_of(w, pcr)->state;

		if ((s != OTHER && s != UNTOUCHED && s != BROKEN_OFF) || lacks_bank(w, pcr))
			continue;
		unknown = true;
		if (pcr_is_all(w->j->tpm, w->a, pcr, 0x00) && !w->j->expected->drtm)
			verify_explain(w->j, "PCR %u is all zero: it was reset at locality 2 or above.", pcr);
		if (chain_of(w, pcr)->n == 0)
			judge_unexpected(w, pcr);
		else if (s != OTHER)
			judge_missing(w, pcr);
		else
			judge_content(w, pcr, policy_ok);
	}
	if (!unknown)
		explain_stop(w);
	explain_later_change(w);
}

/*
 * All was measured but the closing event: the launch broke off behind its last measurement, as with a TPM that did not answer any more, and
 * what came then is not known. Said of all banks at once, as tboot measures into one of them only, and so may more be missing in that one.
 */
static void judge_unclosed(struct view *w)
{
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (w->j->by_bank[a] & ~(1u << VERIFY_NO_DRTM | 1u << VERIFY_LOG_MISMATCH))
			return;
	if (!w->unclosed)
		return;
	verify_note(w->j, w->unclosed, VERIFY_LOG_MISMATCH);
	verify_explain(
		w->j, "All was measured as expected, but the launch was not closed: it broke off, or what came then was not to be seen.");
}

void verify_by_pcrs(struct verify_job *j)
{
	struct view *w = calloc(1, sizeof(*w));

	if (!w) {
		j->r->out_of_memory = true;
		return;
	}
	w->j = j;
	for (unsigned why = 0; why < CAP_COUNT; why++)
		measure_cap(ALG_SET_ALL, (enum cap)why, &w->cap[why]);
	if (make_chains(w)) {
		find_beginning(w);
		for (unsigned a = 0; a < ALG_COUNT; a++)
			if (j->r->compared & ALG_BIT(a)) {
				w->a = (enum alg)a;
				judge_bank(w);
			}
		judge_unclosed(w);
	} else {
		j->r->out_of_memory = true;
	}
	free_chains(w);
	free(w);
}
