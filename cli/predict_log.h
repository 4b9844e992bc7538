/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PREDICT_LOG_H
#define GL_CLI_PREDICT_LOG_H

#include "cli/cli.h"
#include "common/eventlog.h"

/* What SINIT logged on a host: its events for PCR 17 and 18, in front of those of tboot. */

#define PREDICT_LOG_EVENTS 64

struct predict_log {
	const char *name;                        /* for messages */
	alg_set banks;                           /* that all of its events have */
	struct event events[PREDICT_LOG_EVENTS]; /* data lie in the bytes read */
	size_t count;
};

/* Fault: the bytes are no log, or not one of a TXT launch with TPM 2.0; what is wrong and the name, not what to do. */
GL_MUST bool predict_log_read(const char *name, struct span bytes, struct predict_log *out, struct cli_fault *fault);

/* The event, or NULL. */
const struct event *predict_log_find(const struct predict_log *l, unsigned pcr, uint32_t type);

/*
 * The event's digests for `banks`: those of the log, and where it has none the hash of the event's data, if that is what its other digests
 * are. False if neither can be had.
 */
GL_MUST bool predict_log_digests(const struct event *e, alg_set banks, struct digests *out);

#endif
