/* SPDX-License-Identifier: BSD-3-Clause */
/* Logs of hosts, from which a build takes what it cannot compute: refused with a text, or events that are SINIT's and have digests. */
#include <stdlib.h>

#include "cli/predict_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct predict_log log;
	struct cli_fault fault = { .text = "" };
	struct digests d;

	if (!predict_log_read("x.log", (struct span){ data, size }, &log, &fault)) {
		if (!fault.text[0])
			abort();
		return 0;
	}
	if (log.count == 0 || log.count > PREDICT_LOG_EVENTS || !log.banks)
		abort();
	for (size_t i = 0; i < log.count; i++) {
		const struct event *e = &log.events[i];

		if (!predict_log_find(&log, e->pcr, e->type) || !predict_log_digests(e, log.banks, &d) || d.banks != log.banks)
			abort();
		if (predict_log_digests(e, ALG_SET_ALL, &d) && d.banks != ALG_SET_ALL)
			abort();
	}
	return 0;
}
