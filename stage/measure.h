/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_MEASURE_H
#define GL_STAGE_MEASURE_H

#include "stage/core/heaplog.h"
#include "stage/core/policy.h"
#include "tboot-policy/apply.h"
#include "tpm/mmio.h"
#include "tpm/tpm.h"

/* The TPM at locality 2 and the TXT heap's log, as tboot-policy/apply.c wants them. */
struct measure {
	const struct tpm_mmio *mmio;
	enum tpm_interface interface;
	bool holding; /* locality 2 is ours */
	struct tpm_mmio_tcti tcti;
	struct tpm tpm;
	bool has_log;
	bool log_lost; /* an event was extended but found no room in the log, or there is no log */
	struct heaplog log;
	void (*line)(const char *text);
};

extern const struct apply_ops measure_ops;

/* Takes locality 2, which tboot gave up, and asks for the banks. False with a line about it; then nothing can be extended. */
GL_MUST bool measure_open(struct measure *m, const struct tpm_mmio *mmio, void (*line)(const char *text));

/*
 * Measures what the rules say: NV indices, then the closing event; then asks the policy about events that found no room in the log.
 * After VLP_ACT_CONTINUE module 1 may be started; else PCR 17-22 are capped and a->why says for what. `a` and `policy` start zeroed.
 */
GL_MUST enum vlp_action measure_launch(struct measure *m, const struct stage_rules *rules, struct vlp *policy, struct apply *a);

/* Gives the TPM up: whoever comes next requests the locality that it wants. */
void measure_close(struct measure *m);

#endif
