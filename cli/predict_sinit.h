/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PREDICT_SINIT_H
#define GL_CLI_PREDICT_SINIT_H

#include "cli/expected.h"
#include "cli/manifest.h"

/*
 * Prediction of what SINIT measures in front of tboot: txt/sinit_events.h with values from the SINIT file, tboot and its command line, the
 * launch control policy, and what the manifest says of the platform. With a log of such a host the events are those of the log, in its
 * order; what can be computed is computed, the rest taken from it. Several logs, or values, are alternatives.
 */

/* A file that was read; p NULL: not given. */
struct predict_file {
	struct span bytes;
	const char *from;
};

struct predict_sinit_input {
	const struct manifest *manifest; /* places for messages; platform values */
	struct predict_file sinit;
	struct predict_file tboot; /* unpacked; always given */
	struct span tboot_cmdline;
	struct predict_file lcp_policy, lcp_data;
	struct predict_file logs[MANIFEST_MAX_CHOICES];
};

/*
 * The banks to predict: those of the manifest that the module, or the log, has. A fault if the manifest asks for another one. Also checks
 * that the files are what they should be.
 */
GL_MUST bool predict_sinit_banks(const struct predict_sinit_input *in, alg_set *out, struct cli_fault *fault);

/* Adds the events to `out`, whose banks are those of predict_sinit_banks(). */
GL_MUST bool predict_sinit(const struct predict_sinit_input *in, struct expected *out, struct cli_fault *fault);

#endif
