/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Event logs: what is read lies inside of the log and goes forward, and is replayed. Events of a crypto-agile log, written again by ours, read
 * the same and fill the PCRs the same.
 */
#include <stdlib.h>
#include <string.h>

#include "common/eventlog.h"

#define AGAIN_MAX ((size_t)1 << 20)

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

/* What can be written of a log's events: those with a digest for every bank. */
static void write_again(struct span log)
{
	static uint8_t room[AGAIN_MAX];
	struct eventlog_reader r, again;
	struct eventlog out;
	struct event e, f;
	struct pcrs p, q;
	bool same = true;
	size_t events = 0;

	if (eventlog_open(&r, log) != EVENTLOG_EVENT || r.format != EVENTLOG_CRYPTO_AGILE || !r.banks)
		return;
	check(eventlog_begin(&out, (struct mspan){ room, sizeof(room) }, r.banks));
	while (eventlog_next(&r, &e) == EVENTLOG_EVENT) {
		bool whole = (r.banks & ~e.digests.banks) == 0;
		size_t before = out.n;

		/* The event at the beginning is Spec ID, which is there already. */
		if (e.offset == 0)
			continue;
		if (eventlog_append(&out, e.pcr, e.type, &e.digests, e.data)) {
			check(whole && out.n > before);
			events++;
		} else {
			check(out.n == before && (!whole || e.data.n + 1024 > sizeof(room) - before));
			same = false;
		}
	}
	pcrs_reset_dynamic(&p, r.banks, true);
	q = p;
	check(eventlog_replay(eventlog_bytes(&out), &q) == EVENTLOG_END);
	if (!same)
		return;
	(void)!eventlog_replay(log, &p);
	check(memcmp(&p, &q, sizeof(p)) == 0);
	check(eventlog_open(&r, log) == EVENTLOG_EVENT && eventlog_open(&again, eventlog_bytes(&out)) == EVENTLOG_EVENT);
	check(eventlog_next(&r, &e) == EVENTLOG_EVENT && eventlog_next(&again, &f) == EVENTLOG_EVENT);
	for (; events > 0; events--) {
		check(eventlog_next(&r, &e) == EVENTLOG_EVENT && eventlog_next(&again, &f) == EVENTLOG_EVENT);
		check(e.pcr == f.pcr && e.type == f.type && span_equal(e.data, f.data) && digests_equal(&e.digests, &f.digests));
	}
	check(eventlog_next(&again, &f) == EVENTLOG_END);
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
	write_again(log);
	return 0;
}
