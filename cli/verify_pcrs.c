/* SPDX-License-Identifier: BSD-3-Clause */

/* Judging a launch by its PCR values alone. */

#include <stdio.h>
#include <stdlib.h>

#include "cli/verify_search.h"

/* True if the value of the PCR shows that its `i`th expected event was extended as expected. */
static bool seen(struct search *w, unsigned pcr, size_t i)
{
	const struct search_finding *f = search_finding_of(w, pcr);

	switch (f->state) {
	case SEARCH_AS_EXPECTED:
	case SEARCH_FOLLOWS:
		return true;
	case SEARCH_CAPPED:
		return f->halted ? i < f->reached : i != f->reached;
	case SEARCH_BROKEN_OFF:
		return i < f->reached;
	default:
		return false;
	}
}

static bool policy_seen(struct search *w)
{
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++)
		for (size_t i = 0; i < search_chain_of(w, pcr)->n; i++)
			if (verify_category(search_chain_of(w, pcr)->v[i]) == VERIFY_POLICY_MISMATCH && seen(w, pcr, i))
				return true;
	return false;
}

static bool chain_has(const struct search_chain *c, enum verify_verdict category)
{
	for (size_t i = 0; i < c->n; i++)
		if (verify_category(c->v[i]) == category)
			return true;
	return false;
}

/* With PCR 17 as expected its closing event proves that PCR 19-22 were so, too, at the end of the launch. */
static bool closed_as_expected(struct search *w)
{
	return search_finding_of(w, PCR_DRTM_FIRST)->state == SEARCH_AS_EXPECTED &&
	       chain_has(search_chain_of(w, PCR_DRTM_FIRST), VERIFY_VERDICT_COUNT);
}

/* Names those modules of the PCR that were not seen. One of them differs, or all; or what the closing event in the same PCR bound. */
static void blame_modules(struct search *w, unsigned pcr)
{
	const struct search_chain *c = search_chain_of(w, pcr);
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

static void judge_unexpected(struct search *w, unsigned pcr)
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

static void judge_content(struct search *w, unsigned pcr, bool policy_ok)
{
	const struct search_chain *c = search_chain_of(w, pcr);
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
static void judge_missing(struct search *w, unsigned pcr)
{
	const struct search_finding *found = search_finding_of(w, pcr);
	const struct search_chain *c = search_chain_of(w, pcr);
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
	/* What the closing event proves was measured; explain_later_change() says what became of it. */
	if (fclose(f) == 0 && count > 0 && (pcr < 19 || !closed_as_expected(w)))
		verify_explain(w->j, "PCR %u %s: not measured: %s.", pcr,
			found->state == SEARCH_UNTOUCHED ? "is as it was at the start" : "is as expected up to where it breaks off", buf);
	free(buf);
}

/* One sentence for all PCRs that ended in the same cap. */
static void explain_caps(struct search *w)
{
	for (unsigned why = 0; why < CAP_COUNT; why++) {
		char buf[64];
		struct text t = TEXT_OF(buf);

		text_str(&t, "");
		for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
			const struct search_finding *f = search_finding_of(w, pcr);

			if (f->state != SEARCH_CAPPED || f->why != why)
				continue;
			verify_note_cap(w->j, ALG_BIT(w->a), f->why);
			if (!f->halted) {
				const struct expected_event *e = search_chain_of(w, pcr)->v[f->reached];

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
static void explain_stop(struct search *w)
{
	const struct expected *e = w->j->expected;
	size_t at[VERIFY_PCRS] = { 0 };
	unsigned kinds = 0;

	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
		const struct search_finding *f = search_finding_of(w, pcr);

		if (f->state != SEARCH_CAPPED)
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

static void explain_later_change(struct search *w)
{
	for (unsigned pcr = 19; closed_as_expected(w) && pcr <= PCR_DRTM_LAST; pcr++)
		if (search_finding_of(w, pcr)->state != SEARCH_AS_EXPECTED)
			verify_explain(w->j,
				"PCR %u was changed after the launch: the closing event in PCR 17 still binds the expected value.", pcr);
}

/* tboot measures into one bank only. What others measured into the rest in its place has nothing that it could be compared with. */
static bool lacks_bank(struct search *w, unsigned pcr)
{
	const struct search_chain *c = search_chain_of(w, pcr);

	for (size_t i = 0; i < c->n; i++)
		if (w->j->start == VERIFY_START_RESET && !(c->v[i]->digests.banks & ALG_BIT(w->a)))
			return true;
	return false;
}

static void judge_bank(struct search *w)
{
	bool policy_ok, unknown = false;

	search_bank(w);
	policy_ok = policy_seen(w);
	explain_caps(w);
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
		enum search_state s = search_finding_of(w, pcr)->state;

		if ((s != SEARCH_OTHER && s != SEARCH_UNTOUCHED && s != SEARCH_BROKEN_OFF) || lacks_bank(w, pcr))
			continue;
		unknown = true;
		if (pcr_is_all(w->j->tpm, w->a, pcr, 0x00) && !w->j->expected->drtm)
			verify_explain(w->j, "PCR %u is all zero: it was reset at locality 2 or above.", pcr);
		if (search_chain_of(w, pcr)->n == 0)
			judge_unexpected(w, pcr);
		else if (s != SEARCH_OTHER)
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
static void judge_unclosed(struct search *w)
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
	struct search *w = calloc(1, sizeof(*w));

	if (!w) {
		j->r->out_of_memory = true;
		return;
	}
	if (search_begin(w, j)) {
		search_beginning(w);
		for (unsigned a = 0; a < ALG_COUNT; a++)
			if (j->r->compared & ALG_BIT(a)) {
				w->a = (enum alg)a;
				judge_bank(w);
			}
		judge_unclosed(w);
	} else {
		j->r->out_of_memory = true;
	}
	search_end(w);
	free(w);
}
