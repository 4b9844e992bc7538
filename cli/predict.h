/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PREDICT_H
#define GL_CLI_PREDICT_H

#include "cli/cli.h"
#include "cli/expected.h"
#include "tboot-policy/vlp.h"

/*
 * Prediction: the steps of tboot-policy/apply.h, which the EFI application and the stage run in front of the TPM, in front of computed
 * PCRs. Nothing here knows what is extended where. In txt mode SINIT's events come first (predict_sinit.h), then those of tboot, which
 * measures policy and modules by the same rules into one bank, then the stage's.
 */

struct predict_module {
	enum role role;
	const char *file; /* name on the ESP, as the event has it */
	struct span cmdline;
	const struct digests *image; /* for the banks and the policy's algorithm */
	const char *from;            /* provenance: where the bytes come from */
};

struct predict_nv {
	uint32_t index;
	struct span content;
	enum provenance provenance;
	const char *from;
};

struct predict_input {
	const struct vlp *policy;
	struct span policy_bytes;
	const char *policy_from;
	alg_set banks;
	bool txt; /* policy and modules by tboot, into the bank of the policy's algorithm; the rest by the stage */
	const struct predict_module *modules; /* from module 0 on */
	size_t module_count;
	const struct predict_nv *nv; /* what the TPM will hold */
	size_t nv_count;
};

/* Sets banks, drtm and start values of `out`, the caller's, zeroed; expected_free() in any case. */
void predict_begin(struct expected *out, alg_set banks, bool drtm);

/*
 * Adds events to `out` and extends its PCRs. A prediction that would cap something is a fault: the inputs were then not put together from
 * each other.
 */
GL_MUST bool predict(const struct predict_input *in, struct expected *out, struct cli_fault *fault);

#endif
