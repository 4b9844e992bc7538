/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PREDICT_SINIT_IMPL_H
#define GL_CLI_PREDICT_SINIT_IMPL_H

#include "cli/predict_log.h"
#include "cli/predict_sinit.h"
#include "lcp/acm_measure.h"
#include "lcp/measured.h"
#include "lcp/mle_hash.h"
#include "txt/sinit_events.h"

/* Shared by the parts of predict_sinit.h: the inputs (predict_sinit.c), what is measured (predict_values.c), as which events (predict_events.c). */

#define PREDICT_FROM_MAX 4

/* The values that SINIT_VALUES can have, each with where it comes from; `count` 0: only the logs know. */
struct predict_value {
	enum provenance kind;
	const char *from[PREDICT_FROM_MAX];
	size_t from_count;
	struct span choices[MANIFEST_MAX_CHOICES];
	const char *choice_from[MANIFEST_MAX_CHOICES]; /* of an alternative; NULL: from[0] */
	size_t count;
};

struct predict_job {
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
	struct predict_value values[SINIT_VALUES];
	uint8_t drtm[ACM_DRTM_SIZE], control[4], capabilities[4], scrtm[2][4];
	uint8_t nv_info[MANIFEST_MAX_CHOICES][SINIT_NV_INFO_MAX];
};

/* False, with the fault: memory ran out. */
bool predict_no_memory(struct cli_fault *fault);

/* What is given must not contradict the logs. */
GL_MUST bool predict_values_check(const struct predict_job *j);

/* Sets all values that do not come from the logs alone. */
GL_MUST bool predict_values_set(struct predict_job *j);

/* Hosts of one class make the same events in the same order. */
GL_MUST bool predict_events_check(const struct predict_job *j);

/* Adds SINIT's events to j->out: as the first log has them, without one as SINIT modules are known to make them. */
GL_MUST bool predict_events_add(struct predict_job *j);

#endif
