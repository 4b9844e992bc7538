/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/cli.h"
#include "cli/expected_impl.h"
#include "common/eventlog.h"
#include "tboot-policy/vlp.h"

#define EXPECTED_MAX_SIZE (16u << 20)

const char *const expected_provenance_names[PROVENANCE_COUNT] = {
	[PROVENANCE_COMPUTED] = "computed",
	[PROVENANCE_GIVEN] = "given",
	[PROVENANCE_CAPTURED] = "captured",
	[PROVENANCE_ASSUMED] = "assumed",
};

const char *expected_type_name(uint32_t type)
{
	const char *name = event_type_name(type);

	return name ? name : "unknown";
}

static void free_from(char **from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(from[i]);
	free(from);
}

static void free_event(struct expected_event *e)
{
	free(e->name);
	free_from(e->from, e->from_count);
	for (size_t i = 0; i < e->alternative_count; i++)
		free_from(e->alternatives[i].from, e->alternatives[i].from_count);
	free(e->alternatives);
}

void expected_free(struct expected *e)
{
	free(e->name);
	free(e->mode);
	for (size_t i = 0; i < e->event_count; i++)
		free_event(&e->events[i]);
	free(e->events);
	memset(e, 0, sizeof(*e));
}

/* ---- reading ---- */

/* Where in the file we are, for the one line that is printed if something is wrong. */
struct reader {
	const char *path;
	char *error;
	size_t cap;
	char place[64]; /* "events[3]." */
};

static bool fail(struct reader *r, const char *what, const char *advice)
{
	(void)snprintf(r->error, r->cap, "%s%s: %s: %s", r->place, what, r->path, advice);
	return false;
}

static bool wrong(struct reader *r, const char *what)
{
	return fail(r, what, "make it anew with 'geolaunch build'");
}

static bool out_of_memory(struct reader *r)
{
	return fail(r, "out of memory", "close other programs");
}

/* An object with just these keys (NULL at the end); which of them are missing shows when they are taken. */
static bool known_keys(struct reader *r, json_t *o, const char *what, const char *const *keys)
{
	const char *key;
	json_t *value;

	char text[160];

	if (!json_is_object(o)) {
		(void)snprintf(text, sizeof(text), "%s is missing or no object", what);
		return wrong(r, text);
	}
	json_object_foreach(o, key, value) {
		size_t i = 0;

		while (keys[i] && strcmp(keys[i], key) != 0)
			i++;
		if (!keys[i]) {
			(void)snprintf(text, sizeof(text), "%s has the unknown key \"%.60s\"", what, key);
			return wrong(r, text);
		}
	}
	return true;
}

/* Text without control characters; the caller frees it. */
static char *take_string(struct reader *r, json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	char text[80];
	char *out;

	(void)snprintf(text, sizeof(text), "\"%s\" is missing or no plain text", key);
	if (!s) {
		(void)wrong(r, text);
		return NULL;
	}
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			(void)wrong(r, text);
			return NULL;
		}
	out = strdup(s);
	if (!out)
		(void)out_of_memory(r);
	return out;
}

static bool take_choice(struct reader *r, json_t *o, const char *key, const char *const *names, size_t n, size_t *out)
{
	const char *s = json_string_value(json_object_get(o, key));
	char text[80];

	for (size_t i = 0; s && i < n; i++)
		if (!strcmp(s, names[i])) {
			*out = i;
			return true;
		}
	(void)snprintf(text, sizeof(text), "\"%s\" is missing or has an unknown value", key);
	return wrong(r, text);
}

static bool take_integer(struct reader *r, json_t *o, const char *key, uint32_t min, uint32_t max, uint32_t *out)
{
	json_t *v = json_object_get(o, key);
	char text[80];

	if (json_is_integer(v) && json_integer_value(v) >= (json_int_t)min && json_integer_value(v) <= (json_int_t)max) {
		*out = (uint32_t)json_integer_value(v);
		return true;
	}
	(void)snprintf(text, sizeof(text), "\"%s\" is missing, no number, or out of range", key);
	return wrong(r, text);
}

static bool take_banks(struct reader *r, json_t *list, alg_set *out)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item) {
		enum alg a;

		if (!json_is_string(item) || !alg_by_name(span_str(json_string_value(item)), &a) || *out & ALG_BIT(a))
			return wrong(r, "\"banks\" has an unknown bank or one twice");
		*out |= ALG_BIT(a);
	}
	return *out || wrong(r, "\"banks\" is missing or empty");
}

/* {"sha256": "<hex>"}: at least one, all of banks that the file names. */
static bool take_digests(struct reader *r, json_t *o, alg_set banks, struct digests *out)
{
	const char *name;
	json_t *value;

	json_object_foreach(o, name, value) {
		enum alg a;

		if (!alg_by_name(span_str(name), &a) || !(banks & ALG_BIT(a)))
			return wrong(r, "\"digests\" names a bank that \"banks\" has not");
		if (!json_is_string(value) || !cli_unhex(json_string_value(value), out->d[a], alg_table[a].size))
			return wrong(r, "a digest is no hexadecimal text of its bank's size");
		out->banks |= ALG_BIT(a);
	}
	return out->banks || wrong(r, "\"digests\" is missing or empty");
}

static bool take_from(struct reader *r, json_t *list, char ***from, size_t *n)
{
	size_t i;
	json_t *item;

	if (!json_is_array(list))
		return wrong(r, "\"from\" is no list");
	*from = calloc(json_array_size(list) + 1, sizeof(**from));
	if (!*from)
		return out_of_memory(r);
	json_array_foreach(list, i, item) {
		if (!json_is_string(item))
			return wrong(r, "\"from\" holds something else than texts");
		(*from)[i] = strdup(json_string_value(item));
		if (!(*from)[i])
			return out_of_memory(r);
		++*n;
	}
	return true;
}

static bool take_alternative(struct reader *r, json_t *o, alg_set banks, struct expected_event *e)
{
	static const char *const keys[] = { "digests", "from", NULL };
	struct expected_alternative *out = &e->alternatives[e->alternative_count++];

	if (!known_keys(r, o, "an alternative", keys) || !take_digests(r, json_object_get(o, "digests"), banks, &out->digests))
		return false;
	if (out->digests.banks != e->digests.banks)
		return wrong(r, "an alternative has other banks than the event");
	return take_from(r, json_object_get(o, "from"), &out->from, &out->from_count);
}

static bool take_alternatives(struct reader *r, json_t *list, alg_set banks, struct expected_event *e)
{
	size_t i;
	json_t *item;

	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > EXPECTED_MAX_ALTERNATIVES)
		return wrong(r, "\"alternatives\" is no list, empty or too long");
	e->alternatives = calloc(json_array_size(list), sizeof(*e->alternatives));
	if (!e->alternatives)
		return out_of_memory(r);
	json_array_foreach(list, i, item)
		if (!take_alternative(r, item, banks, e))
			return false;
	return true;
}

static bool take_provenance(struct reader *r, json_t *o, struct expected_event *out)
{
	static const char *const keys[] = { "kind", "from", NULL };
	size_t kind;

	if (!known_keys(r, o, "provenance", keys) || !take_choice(r, o, "kind", expected_provenance_names, PROVENANCE_COUNT, &kind))
		return false;
	out->provenance = (enum provenance)kind;
	return take_from(r, json_object_get(o, "from"), &out->from, &out->from_count);
}

static bool take_event(struct reader *r, json_t *o, alg_set banks, struct expected_event *out)
{
	static const char *const keys[] = { "pcr", "type", "type_name", "name", "digests", "provenance", "alternatives", NULL };
	CLEANUP_FREE char *named = NULL;
	uint32_t pcr;

	if (!known_keys(r, o, "event", keys) || !take_integer(r, o, "pcr", PCR_DRTM_FIRST, PCR_DRTM_LAST, &pcr) ||
		!take_integer(r, o, "type", 0, UINT32_MAX, &out->type))
		return false;
	out->pcr = pcr;
	named = take_string(r, o, "type_name");
	if (!named)
		return false;
	if (measure_by_type(out->type) && strcmp(named, expected_type_name(out->type)) != 0)
		return wrong(r, "\"type_name\" is not that of \"type\"");
	out->name = take_string(r, o, "name");
	return out->name && take_digests(r, json_object_get(o, "digests"), banks, &out->digests) &&
	       take_provenance(r, json_object_get(o, "provenance"), out) &&
	       take_alternatives(r, json_object_get(o, "alternatives"), banks, out);
}

static bool take_events(struct reader *r, json_t *list, struct expected *out)
{
	size_t i;
	json_t *item;

	if (!json_is_array(list) || json_array_size(list) > EXPECTED_MAX_EVENTS)
		return wrong(r, "\"events\" is missing, no list, or too long");
	out->events = calloc(json_array_size(list) + 1, sizeof(*out->events));
	if (!out->events)
		return out_of_memory(r);
	json_array_foreach(list, i, item) {
		(void)snprintf(r->place, sizeof(r->place), "events[%zu]: ", i);
		out->event_count++;
		if (!take_event(r, item, out->banks, &out->events[i]))
			return false;
		r->place[0] = 0;
	}
	return true;
}

static bool take_bank_values(struct reader *r, json_t *o, enum alg a, struct pcrs *out)
{
	const char *name;
	json_t *value;

	json_object_foreach(o, name, value) {
		uint64_t pcr;

		if (!cli_number(name, PCR_DRTM_LAST, &pcr) || pcr < PCR_DRTM_FIRST || strlen(name) != 2)
			return wrong(r, "\"pcrs\" names something else than PCR 17 to 22");
		if (!json_is_string(value) || !cli_unhex(json_string_value(value), out->v[a][pcr], alg_table[a].size))
			return wrong(r, "a PCR value is no hexadecimal text of its bank's size");
		out->known[a] |= 1u << pcr;
	}
	return true;
}

static bool take_pcrs(struct reader *r, json_t *o, struct expected *out)
{
	const uint32_t all = 0x3fu << PCR_DRTM_FIRST;
	const char *name;
	json_t *value;

	out->pcrs.banks = out->banks;
	json_object_foreach(o, name, value) {
		enum alg a;

		if (!alg_by_name(span_str(name), &a) || !(out->banks & ALG_BIT(a)))
			return wrong(r, "\"pcrs\" has a bank that \"banks\" has not");
		if (!take_bank_values(r, value, a, &out->pcrs))
			return false;
	}
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (out->banks & ALG_BIT(a) && out->pcrs.known[a] != all)
			return wrong(r, "\"pcrs\" lacks values of PCR 17 to 22 in some bank");
	return true;
}

/* Events of one type choose together, and not among too many combinations. */
static bool check_alternatives(struct reader *r, const struct expected *e)
{
	size_t combinations = 1;

	for (size_t i = 0; i < e->event_count; i++) {
		const struct expected_event *v = &e->events[i];
		size_t first = 0;

		if (!v->alternative_count)
			continue;
		while (e->events[first].type != v->type || !e->events[first].alternative_count)
			first++;
		if (e->events[first].alternative_count != v->alternative_count)
			return wrong(r, "events of one type have different numbers of \"alternatives\"");
		combinations *= first == i ? 1 + v->alternative_count : 1;
		if (combinations > EXPECTED_MAX_COMBINATIONS)
			return wrong(r, "there are too many combinations of \"alternatives\"");
	}
	return true;
}

/* The file must agree with itself, or nobody could say which part of it to believe. */
static bool check_replay(struct reader *r, const struct expected *e)
{
	CLEANUP_FREE struct pcrs *p = calloc(1, sizeof(*p));

	if (!p)
		return out_of_memory(r);
	pcrs_reset_dynamic(p, e->banks, e->drtm);
	for (size_t i = 0; i < e->event_count; i++)
		if (!pcrs_extend(p, e->events[i].pcr, &e->events[i].digests))
			return wrong(r, "an event cannot be replayed");
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; e->banks & ALG_BIT(a) && pcr <= PCR_DRTM_LAST; pcr++)
			if (!span_equal(pcr_value(p, a, pcr), pcr_value(&e->pcrs, a, pcr))) {
				char text[80];

				(void)snprintf(text, sizeof(text), "the events do not give the value of PCR %u in bank %s", pcr,
					alg_table[a].name);
				return wrong(r, text);
			}
	return true;
}

static bool take_country(struct reader *r, json_t *v, char out[3])
{
	const char *s = json_string_value(v);

	if (json_is_null(v))
		return true;
	if (!s || strlen(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z')
		return wrong(r, "\"country\" is neither null nor two capital letters");
	memcpy(out, s, 3);
	return true;
}

static bool take_policy(struct reader *r, json_t *o, struct expected *out)
{
	static const char *const keys[] = { "type", "hash", NULL };
	const char *type = json_string_value(json_object_get(o, "type"));
	const char *hash = json_string_value(json_object_get(o, "hash"));

	if (!known_keys(r, o, "policy", keys))
		return false;
	return (type && hash && vlp_type_by_name(span_str(type), &out->policy_type) && alg_by_name(span_str(hash), &out->policy_hash)) ||
	       wrong(r, "\"policy\" has no known type and hash");
}

static bool take_all(struct reader *r, json_t *root, struct expected *out)
{
	static const char *const keys[] = { "format", "name", "mode", "drtm", "country", "policy", "banks", "events", "pcrs", NULL };
	static const char *const modes[] = { "direct", "txt" };
	const char *format = json_string_value(json_object_get(root, "format"));
	json_t *drtm = json_object_get(root, "drtm");
	size_t mode;

	if (!format || strcmp(format, EXPECTED_FORMAT) != 0)
		return fail(r, "this is no " EXPECTED_FORMAT, "give the expected.json of 'geolaunch build'");
	if (!known_keys(r, root, "the file", keys))
		return false;
	out->name = take_string(r, root, "name");
	if (!out->name || !take_choice(r, root, "mode", modes, GL_COUNT(modes), &mode))
		return false;
	out->mode = strdup(modes[mode]);
	if (!out->mode)
		return out_of_memory(r);
	if (!json_is_boolean(drtm))
		return wrong(r, "\"drtm\" is missing or neither true nor false");
	out->drtm = json_is_true(drtm);
	return take_country(r, json_object_get(root, "country"), out->country) && take_policy(r, json_object_get(root, "policy"), out) &&
	       take_banks(r, json_object_get(root, "banks"), &out->banks) && take_events(r, json_object_get(root, "events"), out) &&
	       take_pcrs(r, json_object_get(root, "pcrs"), out) && check_alternatives(r, out) && check_replay(r, out);
}

bool expected_parse(const char *path, struct span text, struct expected *out, char *error, size_t cap)
{
	struct reader r = { .path = path, .error = error, .cap = cap };
	json_error_t where;
	struct span json = cli_skip_bom(text);
	CLEANUP_JSON json_t *root = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &where);
	CLEANUP_FREE struct expected *e = calloc(1, sizeof(*e));

	if (!root) {
		(void)snprintf(
			error, cap, "not JSON (%s): %s:%d: give the expected.json of 'geolaunch build'", where.text, path, where.line);
		return false;
	}
	if (!e)
		return out_of_memory(&r);
	if (!take_all(&r, root, e)) {
		expected_free(e);
		return false;
	}
	*out = *e;
	return true;
}

bool expected_load(const char *path, struct expected *out, char *error, size_t cap)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	struct cli_fault fault;
	size_t n;

	if (read_file(path, EXPECTED_MAX_SIZE, &bytes, &n, &fault))
		return expected_parse(path, (struct span){ bytes, n }, out, error, cap);
	(void)snprintf(error, cap, "%s", fault.text);
	return false;
}
