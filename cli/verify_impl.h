/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_VERIFY_IMPL_H
#define GL_CLI_VERIFY_IMPL_H

#include "cli/verify.h"

/* Shared by the parts of verify(); nobody else includes this. */

/* How PCR 17-22 came to be. */
enum verify_start {
	VERIFY_START_EXPECTED,   /* nothing shows that they did not begin as expected */
	VERIFY_START_UNMEASURED, /* all FF: no launch of any kind */
	VERIFY_START_CAPPED,     /* a dynamic launch was expected, and they were capped from FF instead */
	VERIFY_START_RESET,      /* a dynamic launch was expected, and they were extended from FF: there was none */
};

struct verify_job {
	const struct verify_input *in;
	const struct expected *expected;
	const struct pcrs *tpm;
	struct verify_result *r;
	unsigned by_bank[ALG_COUNT]; /* verdicts, bit 1 << enum verify_verdict */
	enum verify_start start;
	bool from_zero; /* a value of PCR 17-19, which nothing but a dynamic launch resets, is known to have begun with zeros */
	bool muted;     /* nothing is noted: what is looked at is not believed */
};

/* Whether what is looked at began with zeros: a dynamic launch was expected, and nothing shows that it did not take place. */
GL_MUST static inline bool verify_begins_with_zeros(const struct verify_job *j)
{
	return j->expected->drtm && j->start == VERIFY_START_EXPECTED;
}

/* Whether a dynamic launch was expected, and the values show that there was none. */
GL_MUST static inline bool verify_lacks_launch(const struct verify_job *j)
{
	return j->expected->drtm && j->start != VERIFY_START_EXPECTED;
}

#define VERIFY_PCRS (PCR_DRTM_LAST - PCR_DRTM_FIRST + 1)

/* Notes a verdict for each bank of `banks`. Neither this nor the following functions do anything while j->muted. */
void verify_note(struct verify_job *j, alg_set banks, enum verify_verdict v);

/* Notes that the launch was capped, and what the reason says about the content. */
void verify_note_cap(struct verify_job *j, alg_set banks, enum cap why);

/* What a reason for a cap says about the content; VERIFY_CAPPED: nothing. */
extern const enum verify_verdict verify_cap_category[CAP_COUNT];

/* What a difference in this event is a mismatch of; VERIFY_VERDICT_COUNT for a closing event, which only follows others. */
enum verify_verdict verify_category(const struct expected_event *e);
/* The same for an event that nobody expects. */
enum verify_verdict verify_type_category(uint32_t type);

/* What only a dynamic launch measures: SINIT's events. */
GL_MUST bool verify_is_of_sinit(const struct expected_event *e);

GL_MUST bool verify_expects(const struct expected *e, uint32_t type);

/* Judges values that show at once that nothing was launched; sets j->start. */
void verify_judge_start(struct verify_job *j);

/* To be called when the values are known to begin with FF though a dynamic launch was expected. */
void verify_judge_reset(struct verify_job *j);

/* Adds a sentence, once. */
void verify_explain(struct verify_job *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds the name of a module that differs, once. */
void verify_add_module(struct verify_job *j, const char *name);

/* Judges by the values alone: what can be known about a launch without its log. */
void verify_by_pcrs(struct verify_job *j);

enum verify_log_use {
	VERIFY_LOG_EXPLAINS, /* the log is that of this launch: its events are all there is to know */
	VERIFY_LOG_DOUBTFUL, /* it does not lead to the TPM's values: go by the values alone */
	VERIFY_LOG_NONE,     /* not a log at all */
};

/* Replays the log, compares it with TPM and expected events. VERIFY_LOG_NONE: one line in `error`. */
GL_MUST enum verify_log_use verify_by_log(struct verify_job *j, char *error, size_t cap);

#endif
