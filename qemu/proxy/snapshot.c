/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/proxy/proxy.h"

#include <err.h>
#include <stdlib.h>

#include "qemu/proxy/pcr_read.h"
#include "qemu/proxy/report.h"

char *snapshot_json(struct proxy *p, const char *when, bool *ok)
{
	struct pcrs values = { 0 };
	char why[128] = "";

	*ok = false;
	if (!p->running)
		return pcrs_json(&values, when, p->count, "the TPM is not running");
	if (!relay_drain(p))
		return pcrs_json(&values, when, p->count, "a TPM command of the guest does not end");
	*ok = pcr_read_all(relay_exchange, p, &values, why, sizeof(why));
	return pcrs_json(&values, when, p->count, *ok ? NULL : why);
}

void snapshot_write(struct proxy *p, const char *when)
{
	char *line;
	bool ok;

	if (!p->pcrs_path || !p->running)
		return;
	line = snapshot_json(p, when, &ok);
	if (ok || !p->pcrs_good) {
		if (!line || !file_replace(p->pcrs_path, line)) {
			warn("cannot write %s", p->pcrs_path);
			p->failed = true;
		}
		p->pcrs_good = ok;
	}
	free(line);
}
