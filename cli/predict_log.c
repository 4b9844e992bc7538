/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/predict_log.h"

#include "common/hash.h"
#include "txt/sinit_events.h"

static bool no_launch(const char *name, struct cli_fault *fault)
{
	return cli_fail(fault, CLI_INPUT, "this is no log of a TXT launch with TPM 2.0: %s", name);
}

/* Whether it is one of SINIT's; false also behind the last of them. */
static bool is_sinits(const struct event *e)
{
	return (e->pcr == SINIT_PCR_DETAILS || e->pcr == SINIT_PCR_AUTHORITIES) && e->type >= SINIT_EVTYPE_FIRST &&
	       e->type <= SINIT_EVTYPE_LAST;
}

bool predict_log_read(const char *name, struct span bytes, struct predict_log *out, struct cli_fault *fault)
{
	struct eventlog_reader reader;
	enum eventlog_status s;
	struct event e;

	*out = (struct predict_log){ .name = name, .banks = ALG_SET_ALL };
	if (eventlog_open(&reader, bytes) == EVENTLOG_MALFORMED)
		return cli_fail(fault, CLI_INPUT, "%s: %s", reader.error, name);
	while ((s = eventlog_next(&reader, &e)) == EVENTLOG_EVENT) {
		if (e.type == EV_NO_ACTION)
			continue;
		if (!is_sinits(&e) || out->count == PREDICT_LOG_EVENTS)
			break;
		out->banks &= e.digests.banks;
		out->events[out->count++] = e;
	}
	if (s == EVENTLOG_MALFORMED)
		return cli_fail(fault, CLI_INPUT, "the log is broken at byte %zu (%s): %s", reader.error_offset, reader.error, name);
	if (!predict_log_find(out, SINIT_PCR_DETAILS, SINIT_EVTYPE_HASH_START) ||
		!predict_log_find(out, SINIT_PCR_DETAILS, SINIT_EVTYPE_MLE_HASH) || !out->banks)
		return no_launch(name, fault);
	return true;
}

const struct event *predict_log_find(const struct predict_log *l, unsigned pcr, uint32_t type)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->events[i].pcr == pcr && l->events[i].type == type)
			return &l->events[i];
	return NULL;
}

bool predict_log_digests(const struct event *e, alg_set banks, struct digests *out)
{
	alg_set missing = banks & ~e->digests.banks;
	struct digests d;

	hash_span(ALG_SET_ALL, e->data, &d);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		if (!(e->digests.banks & ALG_BIT(a)))
			continue;
		if (missing && !span_equal(digest_span(&d, a), digest_span(&e->digests, a)))
			return false;
	}
	*out = missing ? d : e->digests;
	out->banks = banks;
	return true;
}
