/* SPDX-License-Identifier: BSD-3-Clause */

/* SINIT's events, each with its values. */

#include <string.h>

#include "cli/predict_impl.h"
#include "cli/predict_sinit_impl.h"

static bool add_value(struct predict_job *j, const struct sinit_event *e, const struct predict_value *v)
{
	const struct predict_from f = { v->kind, v->from, v->from_count };

	for (size_t i = 0; i < v->count; i++) {
		struct sinit_values values = { .mle = &j->mle_digests };
		struct digests d;

		values.data[e->value] = v->choices[i];
		sinit_event_digest(e, &values, j->out->banks, &d);
		if (i == 0 ? !predict_add(j->out, e->pcr, e->type, span_str(e->name), &d, &f)
			   : !predict_add_alternative(j->out, &d, v->choice_from[i] ? v->choice_from[i] : v->from[0]))
			return predict_no_memory(j->fault);
	}
	return true;
}

/* Logs in which an event of this type differs from that of all logs before. The first event of the type decides for all. */
static unsigned different_logs(const struct predict_job *j, uint32_t type)
{
	unsigned first = 0, out = 1;
	const struct event *own;

	while (j->logs[0].events[first].type != type)
		first++;
	own = &j->logs[0].events[first];
	for (size_t i = 1; i < j->log_count; i++) {
		const struct event *e = predict_log_find(&j->logs[i], own->pcr, type);
		bool known = false;

		for (size_t k = 0; e && k < i; k++) {
			const struct event *other = predict_log_find(&j->logs[k], own->pcr, type);

			known |= other && digests_equal(&other->digests, &e->digests);
		}
		if (e && !known)
			out |= 1u << i;
	}
	return out;
}

/* As in txt/sinit_events.c, also for events that are not there. */
static const char *short_name(uint32_t type)
{
	static const char prefix[] = "EVTYPE_";
	const char *name = event_type_name(type);

	if (!name)
		return "unknown event of SINIT";
	return strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name + sizeof(prefix) - 1 : name;
}

static bool add_captured(struct predict_job *j, const struct event *own)
{
	const char *name = short_name(own->type);
	unsigned logs = different_logs(j, own->type);

	for (size_t i = 0; i < j->log_count; i++) {
		const struct event *e = predict_log_find(&j->logs[i], own->pcr, own->type);
		const struct predict_from f = { PROVENANCE_CAPTURED, &j->logs[i].name, 1 };
		struct digests d;

		if (!(logs >> i & 1))
			continue;
		if (!e || !predict_log_digests(e, j->out->banks, &d))
			return cli_fail(j->fault, CLI_INPUT,
				"the log has no digests of %s for all banks that are predicted: %s: restrict \"banks\"", name,
				j->logs[i].name);
		if (i == 0 ? !predict_add(j->out, own->pcr, own->type, span_str(name), &d, &f)
			   : !predict_add_alternative(j->out, &d, j->logs[i].name))
			return predict_no_memory(j->fault);
	}
	return true;
}

bool predict_events_check(const struct predict_job *j)
{
	for (size_t i = 1; i < j->log_count; i++) {
		const struct predict_log *a = &j->logs[0], *b = &j->logs[i];
		bool same = a->count == b->count;

		for (size_t k = 0; same && k < a->count; k++)
			same = a->events[k].pcr == b->events[k].pcr && a->events[k].type == b->events[k].type;
		if (!same)
			return cli_fail(j->fault, CLI_INPUT,
				"the logs have other events or another order: %s, %s: make a manifest for each", a->name, b->name);
	}
	return true;
}

static bool add_by_log(struct predict_job *j)
{
	for (size_t i = 0; i < j->logs[0].count; i++) {
		const struct event *own = &j->logs[0].events[i];
		const struct sinit_event *e = sinit_event_find(own->pcr, own->type);
		const struct predict_value *v = e ? &j->values[e->value] : NULL;

		if (v && v->count > 0 ? !add_value(j, e, v) : !add_captured(j, own))
			return false;
	}
	return true;
}

static bool add_by_table(struct predict_job *j)
{
	for (size_t i = 0; i < sinit_event_count; i++)
		if (!add_value(j, &sinit_events[i], &j->values[sinit_events[i].value]))
			return false;
	return true;
}

bool predict_events_add(struct predict_job *j)
{
	return j->log_count > 0 ? add_by_log(j) : add_by_table(j);
}
