/* SPDX-License-Identifier: BSD-3-Clause */
/* Event logs: what is read lies inside of the log and goes forward, and is replayed. */
#include <stdlib.h>
#include <string.h>

#include "common/eventlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_event(const struct eventlog_reader *r, const struct event *e, size_t size, const uint8_t *data, size_t last)
{
	check(e->offset >= last && e->offset < r->off && r->off <= size);
	check(e->data.n == 0 || (e->data.p >= data + e->offset && e->data.n <= (size_t)(data + r->off - e->data.p)));
	check(e->type == EV_NO_ACTION || e->pcr < PCR_COUNT);
	check((e->digests.banks & ~r->banks) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span log = { data, size };
	struct eventlog_reader r;
	struct event e;
	struct pcrs p, read;
	enum eventlog_status status = eventlog_open(&r, log);
	size_t last = 0;

	pcrs_reset_dynamic(&read, ALG_SET_ALL, true);
	check(status == EVENTLOG_EVENT || status == EVENTLOG_MALFORMED);
	while (status == EVENTLOG_EVENT) {
		status = eventlog_next(&r, &e);
		if (status == EVENTLOG_EVENT) {
			check_event(&r, &e, size, data, last);
			eventlog_extend(&e, &read);
			last = r.off;
		}
	}
	check(eventlog_next(&r, &e) == status);
	check(status == EVENTLOG_END || (r.error && r.error_offset <= size));

	pcrs_reset_dynamic(&p, ALG_SET_ALL, true);
	check(eventlog_replay(log, &p) == status);
	check(memcmp(&p, &read, sizeof(p)) == 0);
	return 0;
}
