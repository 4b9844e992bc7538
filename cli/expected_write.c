/* SPDX-License-Identifier: BSD-3-Clause */
/* The half of expected.h that writes. */
#include <string.h>

#include "cli/cli.h"
#include "cli/expected_impl.h"
#include "tboot-policy/vlp.h"

static json_t *from_json(char *const *from, size_t n)
{
	CLEANUP_JSON json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(out, cli_json_text(from[i])) != 0)
			return NULL;
	return json_incref(out);
}

/* NULL if there are none, too: it is then left out. */
static json_t *alternatives_json(const struct expected_event *e)
{
	CLEANUP_JSON json_t *out = e->alternative_count ? json_array() : NULL;

	for (size_t i = 0; i < e->alternative_count; i++) {
		const struct expected_alternative *a = &e->alternatives[i];

		if (json_array_append_new(out, json_pack("{s:o, s:o}", "digests", cli_json_digests(&a->digests), "from",
						       from_json(a->from, a->from_count))) != 0)
			return NULL;
	}
	return json_incref(out);
}

static json_t *event_json(const struct expected_event *e)
{
	CLEANUP_JSON json_t *out = json_pack("{s:i, s:I, s:s, s:s, s:o, s:{s:s, s:o}}", "pcr", (int)e->pcr, "type", (json_int_t)e->type,
		"type_name", expected_type_name(e->type), "name", e->name, "digests", cli_json_digests(&e->digests), "provenance", "kind",
		expected_provenance_names[e->provenance], "from", from_json(e->from, e->from_count));

	if (e->alternative_count && json_object_set_new(out, "alternatives", alternatives_json(e)) != 0)
		return NULL;
	return json_incref(out);
}

static json_t *events_json(const struct expected *e)
{
	CLEANUP_JSON json_t *out = json_array();

	for (size_t i = 0; i < e->event_count; i++)
		if (json_array_append_new(out, event_json(&e->events[i])) != 0)
			return NULL;
	return json_incref(out);
}

bool expected_of_other_sinit(const char *from)
{
	size_t n = strlen(from), tail = strlen(EXPECTED_OTHER_SINIT);

	return n >= tail && !strcmp(from + n - tail, EXPECTED_OTHER_SINIT);
}

char *expected_text(const struct expected *e)
{
	CLEANUP_JSON json_t *root = json_pack("{s:s, s:s, s:s, s:b, s:s?, s:{s:s, s:s}, s:o, s:o, s:o}", "format", EXPECTED_FORMAT, "name",
		e->name, "mode", e->mode, "drtm", (int)e->drtm, "country", e->country[0] ? e->country : NULL, "policy", "type",
		vlp_type_name(e->policy_type), "hash", alg_table[e->policy_hash].name, "banks", cli_json_banks(e->banks), "events",
		events_json(e), "pcrs", cli_json_pcrs(&e->pcrs, PCR_DRTM_FIRST, PCR_DRTM_LAST));
	CLEANUP_FREE char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	char *out = NULL;

	if (!text || asprintf(&out, "%s\n", text) < 0)
		return NULL;
	return out;
}
