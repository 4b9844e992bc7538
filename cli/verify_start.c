/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/verify_impl.h"
#include "common/eventlog.h"

/* Values of PCR 17-22 that no launch stands behind: as a reset leaves them, or capped from there, or extended from there. */

/* True if every PCR 17-22 is all FF in every bank compared: no dynamic launch, and nobody extended them. */
static bool nothing_measured(const struct verify_job *j)
{
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; j->r->compared & ALG_BIT(a) && pcr <= PCR_DRTM_LAST; pcr++)
			if (!pcr_is_all(j->tpm, (enum alg)a, pcr, 0xff))
				return false;
	return true;
}

/*
 * Where a dynamic launch was expected, there is one thing to say: it did not take place. Policy, modules and geo tag may all be as they
 * should. In mode direct no-drtm says that all else agrees, so all that was expected is missing.
 */
static void judge_nothing_measured(struct verify_job *j)
{
	alg_set banks = j->r->compared;

	verify_explain(j,
		"PCR 17-22 are all FF: since its last reset nothing was measured on this host, "
		"neither by a dynamic launch nor by geolaunch.");
	verify_note(j, banks, VERIFY_NO_DRTM);
	if (j->expected->drtm) {
		verify_explain(j, "No dynamic launch took place, so the values say nothing of the host's policy, modules and geo tag.");
		return;
	}
	verify_note(j, banks, VERIFY_POLICY_MISMATCH);
	if (verify_expects(j->expected, MEASURE_NV))
		verify_note(j, banks, VERIFY_GEO_MISSING);
	for (size_t i = 0; i < j->expected->event_count; i++) {
		if (j->expected->events[i].type != MEASURE_MODULE)
			continue;
		verify_note(j, banks, VERIFY_MODULE_MISMATCH);
		verify_add_module(j, j->expected->events[i].name);
	}
}

/* Whether the PCR never left what it is without a dynamic launch, but for one or two caps of this reason. */
static bool is_ff_capped(const struct verify_job *j, enum alg a, unsigned pcr, const struct digests *cap)
{
	struct pcrs p;

	pcrs_reset_dynamic(&p, ALG_BIT(a), false);
	for (unsigned i = 0; i < 2; i++) {
		if (!pcrs_extend(&p, pcr, cap))
			return false;
		if (span_equal(pcr_value(&p, a, pcr), pcr_value(j->tpm, a, pcr)))
			return true;
	}
	return false;
}

/* geolaunch.efi, when it stops before a dynamic launch or goes on without one, caps all of PCR 17-22 from what they are after a reset. CAP_COUNT: it did not. */
static enum cap without_launch(const struct verify_job *j)
{
	for (enum cap why = 0; j->expected->drtm && why < CAP_COUNT; why++) {
		struct digests d;
		bool all = true;

		measure_cap(j->r->compared, why, &d);
		for (enum alg a = 0; a < ALG_COUNT; a++)
			for (unsigned pcr = PCR_DRTM_FIRST; all && j->r->compared & ALG_BIT(a) && pcr <= PCR_DRTM_LAST; pcr++)
				all = is_ff_capped(j, a, pcr, &d);
		if (all)
			return why;
	}
	return CAP_COUNT;
}

static void judge_without_launch(struct verify_job *j, enum cap why)
{
	verify_explain(j,
		"No dynamic launch took place: PCR 17-22 were capped from their reset values (%s: %s), and the launch was stopped%s.",
		cap_table[why].name, cap_table[why].meaning, why == CAP_PREFLIGHT ? ", or the host was started unmeasured" : "");
	verify_note(j, j->r->compared, VERIFY_NO_DRTM);
	verify_note_cap(j, j->r->compared, why);
}

void verify_judge_start(struct verify_job *j)
{
	enum cap why;

	if (nothing_measured(j)) {
		j->start = VERIFY_START_UNMEASURED;
		judge_nothing_measured(j);
		return;
	}
	why = without_launch(j);
	if (why == CAP_COUNT)
		return;
	j->start = VERIFY_START_CAPPED;
	judge_without_launch(j, why);
}

void verify_judge_reset(struct verify_job *j)
{
	j->start = VERIFY_START_RESET;
	verify_explain(j, "No dynamic launch took place: PCR 17-22 begin with all FF, as a reset leaves them, and not with zeros.");
	verify_note(j, j->r->compared, VERIFY_NO_DRTM);
}

bool verify_is_of_sinit(const struct expected_event *e)
{
	return !measure_by_type(e->type) && e->type != EV_TBOOT;
}
