/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_SWEEP_VERDICT_H
#define GL_TESTS_SWEEP_VERDICT_H

#include "cli/verify.h"

/* What `geolaunch verify` makes of a launch in which something went wrong, when one in which nothing did is what was expected. */
struct sweep_verdict {
	struct expected expected;
	struct expected_event events[64];
	char names[64][192];
	struct verify_result r;
};

/* Expects the launch with these PCR values and this log, from PCR 17-22 after a dynamic launch or without one. */
void sweep_expect(struct sweep_verdict *v, const struct pcrs *pcrs, struct span log, bool drtm);

/* Compares; log.n 0: none. Fails the test if there is nothing to compare. */
void sweep_verify(struct sweep_verdict *v, const struct pcrs *pcrs, struct span log);

/*
 * Fails the test unless the verdicts are exactly these (1 << VERIFY_.. each), the exit code is that of the highest, and nothing but them
 * agrees or is capped.
 */
void sweep_expect_verdicts(const struct sweep_verdict *v, unsigned verdicts);

/*
 * What has to be said of a launch that ended behind the first `taken` expected events and left no cap, by the types of the others alone:
 * the policy, modules, the geo tag that are missing, and with the closing event the end of the log. Fails the test unless the modules
 * that are named are the missing ones.
 */
unsigned sweep_missing(const struct sweep_verdict *v, size_t taken);

/* Adds {"mode": ..} to $GEOLAUNCH_RESULTS/sweep.jsonl, if that is set. */
struct sweep_record {
	const char *mode;    /* "direct-core" */
	const char *command; /* "PCR_Extend" */
	unsigned index;      /* of the command in a good launch, from 1 */
	const char *kind, *policy, *outcome;
	bool late, locality0_back;
};
void sweep_record(const struct sweep_verdict *v, const struct sweep_record *r);

#endif
