/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/expected_choose.h"

#include "common/eventlog.h"

/* Every group has at least two choices, and all together at most EXPECTED_MAX_COMBINATIONS. */
#define GROUPS_MAX 12
static_assert(1u << GROUPS_MAX == EXPECTED_MAX_COMBINATIONS, "as many groups as can be");
static_assert(EXPECTED_MAX_ALTERNATIVES < 32, "a bit for each choice");

/* Events of one type choose together. */
struct group {
	uint32_t type;
	size_t count;  /* of choices */
	size_t chosen; /* 0: the event's own digests */
};

struct job {
	struct expected *e;
	const struct pcrs *tpm;
	alg_set banks; /* in which there is something to compare */
	struct group groups[GROUPS_MAX];
	size_t group_count;
	struct digests closing; /* of the values that PCR 19-22 have; banks 0: not known */
};

static struct group *group_of(struct job *j, uint32_t type)
{
	for (size_t i = 0; i < j->group_count; i++)
		if (j->groups[i].type == type)
			return &j->groups[i];
	return NULL;
}

static void find_groups(struct job *j)
{
	for (size_t i = 0; i < j->e->event_count; i++) {
		const struct expected_event *v = &j->e->events[i];

		if (v->alternative_count > 0 && !group_of(j, v->type) && j->group_count < GROUPS_MAX)
			j->groups[j->group_count++] = (struct group){ .type = v->type, .count = 1 + v->alternative_count };
	}
}

static const struct digests *choice(const struct expected_event *v, size_t chosen)
{
	return chosen > 0 && chosen <= v->alternative_count ? &v->alternatives[chosen - 1].digests : &v->digests;
}

static const struct digests *digests_of(struct job *j, const struct expected_event *v)
{
	const struct group *g = v->alternative_count ? group_of(j, v->type) : NULL;

	return g ? choice(v, g->chosen) : &v->digests;
}

/* Does the PCR come out as in the TPM? `closing` replaces the digest of a closing event unless NULL. */
static bool leads_to_tpm(struct job *j, unsigned pcr, const struct digests *closing)
{
	struct pcrs p;

	pcrs_reset_dynamic(&p, j->banks, j->e->drtm);
	for (size_t i = 0; i < j->e->event_count; i++) {
		const struct expected_event *v = &j->e->events[i];

		if (v->pcr == pcr && !pcrs_extend(&p, pcr, closing && v->type == MEASURE_CLOSING ? closing : digests_of(j, v)))
			return false;
	}
	for (enum alg a = 0; a < ALG_COUNT; a++)
		if (j->banks & ALG_BIT(a) && !span_equal(pcr_value(&p, a, pcr), pcr_value(j->tpm, a, pcr)))
			return false;
	return true;
}

static unsigned score(struct job *j)
{
	bool first = leads_to_tpm(j, 17, NULL) || (j->closing.banks && leads_to_tpm(j, 17, &j->closing));

	return (unsigned)first + (unsigned)leads_to_tpm(j, 18, NULL);
}

/* The next combination; false after the last one, which is followed by the first. */
static bool next(struct job *j)
{
	for (size_t i = 0; i < j->group_count; i++) {
		j->groups[i].chosen = (j->groups[i].chosen + 1) % j->groups[i].count;
		if (j->groups[i].chosen != 0)
			return true;
	}
	return false;
}

static bool is_event(const struct event *e, const struct digests *d)
{
	return e->digests.banks & d->banks && digests_agree(&e->digests, d);
}

/* The log is read once: its size and that of the list of choices are somebody else's. */
static void choose_by_log(struct job *j, struct span log)
{
	uint32_t seen[EXPECTED_MAX_EVENTS] = { 0 }; /* bit per choice */
	struct eventlog_reader r;
	struct event e;

	if (eventlog_open(&r, log) == EVENTLOG_MALFORMED)
		return;
	while (eventlog_next(&r, &e) == EVENTLOG_EVENT)
		for (size_t i = 0; i < j->e->event_count && i < GL_COUNT(seen); i++) {
			const struct expected_event *v = &j->e->events[i];

			for (size_t c = 0; v->alternative_count && v->pcr == e.pcr && v->type == e.type && c <= v->alternative_count; c++)
				if (is_event(&e, choice(v, c)))
					seen[i] |= (uint32_t)1 << c;
		}
	for (size_t i = 0; i < j->e->event_count && i < GL_COUNT(seen); i++) {
		struct group *g = seen[i] ? group_of(j, j->e->events[i].type) : NULL;

		if (g && (size_t)__builtin_ctz(seen[i]) < g->count)
			g->chosen = (size_t)__builtin_ctz(seen[i]);
	}
}

static void take(struct expected_event *v, size_t chosen)
{
	struct expected_alternative *a = &v->alternatives[chosen - 1], own = { v->digests, v->from, v->from_count };

	v->digests = a->digests;
	v->from = a->from;
	v->from_count = a->from_count;
	*a = own;
}

static void take_all(struct job *j)
{
	struct expected *e = j->e;

	for (size_t i = 0; i < e->event_count; i++) {
		struct expected_event *v = &e->events[i];
		const struct group *g = v->alternative_count ? group_of(j, v->type) : NULL;

		if (g && g->chosen > 0 && g->chosen <= v->alternative_count)
			take(v, g->chosen);
	}
	pcrs_reset_dynamic(&e->pcrs, e->banks, e->drtm);
	for (size_t i = 0; i < e->event_count; i++)
		if (!pcrs_extend(&e->pcrs, e->events[i].pcr, &e->events[i].digests))
			e->pcrs.known[0] = e->pcrs.known[1] = e->pcrs.known[2] = e->pcrs.known[3] = 0;
}

void expected_choose(struct expected *e, const struct pcrs *tpm, bool has_log, struct span log)
{
	struct job j = { .e = e, .tpm = tpm, .banks = e->banks & tpm->banks };
	size_t best[GROUPS_MAX] = { 0 };
	unsigned best_score = 0;

	find_groups(&j);
	if (j.group_count == 0)
		return;
	for (enum alg a = 0; a < ALG_COUNT; a++)
		if (!pcr_known(tpm, a, 17) || !pcr_known(tpm, a, 18))
			j.banks &= ~ALG_BIT(a);
	if (!measure_closing(j.banks, tpm, &j.closing))
		j.closing.banks = 0;
	do {
		unsigned s = j.banks ? score(&j) : 0;

		if (s <= best_score)
			continue;
		best_score = s;
		for (size_t i = 0; i < j.group_count; i++)
			best[i] = j.groups[i].chosen;
	} while (best_score < 2 && next(&j));
	for (size_t i = 0; i < j.group_count; i++)
		j.groups[i].chosen = best[i];
	if (best_score == 0 && has_log)
		choose_by_log(&j, log);
	take_all(&j);
}
