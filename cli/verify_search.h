/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_VERIFY_SEARCH_H
#define GL_CLI_VERIFY_SEARCH_H

#include "cli/verify_impl.h"

/*
 * How the values of PCR 17-22 came about. A launch that halted leaves no log, but what it extended is known: a prefix of the expected events
 * of each PCR, and then a cap, or nothing if the TPM took no cap either. So for each PCR such histories are tried until one leads to the
 * value in the TPM.
 */

enum search_state {
	SEARCH_AS_EXPECTED,
	SEARCH_FOLLOWS,    /* as expected but for the closing event, which binds the values that PCR 19-22 really have */
	SEARCH_UNTOUCHED,  /* still at its start value, though something was expected */
	SEARCH_BROKEN_OFF, /* as expected, but its last expected events are missing */
	SEARCH_CAPPED,
	SEARCH_OTHER,
};

struct search_finding {
	enum search_state state;
	enum cap why;   /* SEARCH_CAPPED: the reason, */
	bool halted;    /* whether nothing came after it, */
	size_t reached; /* and how many expected events came before it; SEARCH_BROKEN_OFF: how many there are at most; SEARCH_UNTOUCHED: 0 */
	bool twice;     /* it is there twice: for the measurement, and for the halt */
};

/* The expected events of one PCR, in their order. */
struct search_chain {
	const struct expected_event **v;
	size_t n;
};

struct search {
	struct verify_job *j;
	enum alg a;         /* the bank that is looked at */
	bool zeros;         /* the PCRs are taken to begin with zeros, not FF */
	struct pcrs wanted; /* what all that is expected then leads to, */
	struct digests end; /* with this closing event */
	struct search_chain chain[VERIFY_PCRS];
	struct search_finding found[VERIFY_PCRS];
	struct digests closing; /* of the values that PCR 19-22 have in the TPM */
	alg_set unclosed;       /* banks in which PCR 17 ends before the closing event */
	struct digests cap[CAP_COUNT];
};

static inline struct search_chain *search_chain_of(struct search *w, unsigned pcr)
{
	return &w->chain[pcr - PCR_DRTM_FIRST];
}

static inline struct search_finding *search_finding_of(struct search *w, unsigned pcr)
{
	return &w->found[pcr - PCR_DRTM_FIRST];
}

/* Allocates what `w` holds; free it with search_end() in any case. `j` must stay. False: memory ran out. */
GL_MUST bool search_begin(struct search *w, struct verify_job *j);
void search_end(struct search *w);

/*
 * Decides with which values PCR 17-22 began. PCR 17-19 get zeros from nothing but a dynamic launch, and no PCR of 17-22 gets FF from anything
 * but a reset of the platform. So one value that is reached from FF, and none in 17-19 that is reached from zeros, shows that there was no
 * launch: verify_judge_reset() is told.
 */
void search_beginning(struct search *w);

/* Looks for the history of each PCR in bank w->a; then their findings count, and w->closing. */
void search_bank(struct search *w);

#endif
