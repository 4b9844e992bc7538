/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/verify_search.h"

#include <stdlib.h>

/* Tries beyond this many events in one PCR are left out: no launch has as many, and they grow with the square. */
#define SEARCH_MAX 256

void search_end(struct search *w)
{
	for (size_t i = 0; i < VERIFY_PCRS; i++)
		free(w->chain[i].v);
}

GL_MUST static bool make_chains(struct search *w)
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

static const struct digests *digests_of(const struct search *w, const struct expected_event *e)
{
	return e->type == MEASURE_CLOSING && w->zeros != w->j->expected->drtm ? &w->end : &e->digests;
}

/*
 * Decides from where PCR 17-22 are looked at, and whether with SINIT's events. The expected values are for the expected beginning; from
 * another one they are computed.
 */
static void begin_with(struct search *w, bool zeros, bool sinit)
{
	const struct expected *x = w->j->expected;

	w->zeros = zeros;
	for (size_t i = 0; i < VERIFY_PCRS; i++)
		w->chain[i].n = 0;
	pcrs_reset_dynamic(&w->wanted, w->j->r->compared, zeros);
	for (size_t i = 0; i < x->event_count; i++) {
		const struct expected_event *e = &x->events[i];
		struct search_chain *c;

		if (e->pcr < PCR_DRTM_FIRST || e->pcr > PCR_DRTM_LAST || (!sinit && verify_is_of_sinit(e)))
			continue;
		c = search_chain_of(w, e->pcr);
		c->v[c->n++] = e;
		if (e->type == MEASURE_CLOSING && !measure_closing(w->j->r->compared, &w->wanted, &w->end))
			w->end.banks = 0;
		extend(&w->wanted, e->pcr, digests_of(w, e));
	}
	if (zeros == x->drtm)
		w->wanted = x->pcrs;
}

static void extend_events(struct search *w, struct pcrs *p, unsigned pcr, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct expected_event *e = search_chain_of(w, pcr)->v[i];

		extend(p, pcr, e->type == MEASURE_CLOSING ? &w->closing : &e->digests);
	}
}

static bool is_actual(const struct search *w, const struct pcrs *p, unsigned pcr)
{
	return pcr_known(p, w->a, pcr) && span_equal(pcr_value(p, w->a, pcr), pcr_value(w->j->tpm, w->a, pcr));
}

/* Tries all reasons behind the value `before`, which is that after `reached` events. */
GL_MUST static bool find_cap_at(struct search *w, unsigned pcr, const struct pcrs *before, size_t reached)
{
	size_t n = search_chain_of(w, pcr)->n;

	for (unsigned why = 0; why < CAP_COUNT; why++) {
		struct search_finding found = { .state = SEARCH_CAPPED, .why = (enum cap)why, .halted = true, .reached = reached };
		struct pcrs capped = *before, next;

		extend(&capped, pcr, &w->cap[why]);
		/* A halt in this very PCR: the cap in place of the measurement, then the one that all PCRs get. */
		next = capped;
		extend(&next, pcr, &w->cap[why]);
		found.twice = is_actual(w, &next, pcr);
		if (found.twice || is_actual(w, &capped, pcr)) {
			*search_finding_of(w, pcr) = found;
			return true;
		}
		if (reached == n || n > SEARCH_MAX)
			continue;
		/* The launch went on. */
		found.halted = false;
		extend_events(w, &capped, pcr, reached + 1, n);
		if (is_actual(w, &capped, pcr)) {
			*search_finding_of(w, pcr) = found;
			return true;
		}
	}
	return false;
}

/*
 * Whether the value is that of the first expected events alone. Where one of them has no digest in this bank it leads to no other value:
 * then the most of them.
 */
GL_MUST static bool find_prefix(struct search *w, unsigned pcr)
{
	struct search_finding *f = search_finding_of(w, pcr);
	struct pcrs p;

	pcrs_reset_dynamic(&p, ALG_BIT(w->a), w->zeros);
	for (size_t i = 0; i < search_chain_of(w, pcr)->n; i++) {
		if (is_actual(w, &p, pcr))
			*f = (struct search_finding){
				.state = f->state == SEARCH_UNTOUCHED || i == 0 ? SEARCH_UNTOUCHED : SEARCH_BROKEN_OFF, .reached = i
			};
		extend(&p, pcr, digests_of(w, search_chain_of(w, pcr)->v[i]));
	}
	return f->state == SEARCH_UNTOUCHED || f->state == SEARCH_BROKEN_OFF;
}

static void find(struct search *w, unsigned pcr)
{
	struct search_finding *f = search_finding_of(w, pcr);
	const struct search_chain *c = search_chain_of(w, pcr);
	struct pcrs p;

	*f = (struct search_finding){ .state = SEARCH_AS_EXPECTED };
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
	f->state = is_actual(w, &p, pcr) ? SEARCH_FOLLOWS : SEARCH_OTHER;
}

/*
 * A cap at the end of a PCR can be the halt or stand for the last event. A halt caps all of 17-22, so one that others lack is no halt.
 */
static void settle_halts(struct search *w)
{
	bool all = true;

	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
		const struct search_finding *f = search_finding_of(w, pcr);

		all = all && (f->state == SEARCH_OTHER || (f->state == SEARCH_CAPPED && f->halted));
	}
	for (unsigned pcr = PCR_DRTM_FIRST; !all && pcr <= PCR_DRTM_LAST; pcr++) {
		struct search_finding *f = search_finding_of(w, pcr);

		if (f->state == SEARCH_CAPPED && f->halted && !f->twice && f->reached + 1 == search_chain_of(w, pcr)->n)
			f->halted = false;
	}
}

/* What the closing event would be of the values that PCR 19-22 have now. */
static void close_over(struct search *w)
{
	if (!measure_closing(ALG_BIT(w->a), w->j->tpm, &w->closing))
		w->closing.banks = 0;
}

/* Whether one of PCR 17 to `last` holds, in some bank, what can come of the beginning that was chosen. */
static bool is_any_known(struct search *w, unsigned last)
{
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; w->j->r->compared & ALG_BIT(a) && pcr <= last; pcr++) {
			w->a = (enum alg)a;
			close_over(w);
			find(w, pcr);
			if (search_finding_of(w, pcr)->state != SEARCH_OTHER)
				return true;
		}
	return false;
}

/* Without a launch there are no events of SINIT either, unless somebody made them up. */
void search_beginning(struct search *w)
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

void search_bank(struct search *w)
{
	close_over(w);
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++)
		find(w, pcr);
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= 19; pcr++)
		w->j->from_zero |= w->zeros && search_finding_of(w, pcr)->state != SEARCH_OTHER;
	settle_halts(w);
}

bool search_begin(struct search *w, struct verify_job *j)
{
	*w = (struct search){ .j = j };
	for (unsigned why = 0; why < CAP_COUNT; why++)
		measure_cap(ALG_SET_ALL, (enum cap)why, &w->cap[why]);
	return make_chains(w);
}
