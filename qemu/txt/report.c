/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *hex32(uint32_t v)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08" PRIx32, v);
	return json_string(text);
}

static json_t *digests(const struct digests *d)
{
	json_t *out = json_object();

	for (enum alg a = 0; a < ALG_COUNT; a++) {
		char text[2 * DIGEST_MAX + 1];
		struct text t = TEXT_OF(text);

		if (!(d->banks & ALG_BIT(a)))
			continue;
		text[0] = '\0';
		text_bytes(&t, digest_span(d, a));
		(void)json_object_set_new(out, alg_table[a].name, json_string(text));
	}
	return out;
}

static json_t *stops(const struct platform_outcome *o)
{
	json_t *out = json_object();

	for (enum trap_kind k = 0; k < TRAP_KINDS; k++)
		(void)json_object_set_new(out, trap_name(k), json_integer((json_int_t)o->stops[k]));
	(void)json_object_set_new(out, "registers", json_integer((json_int_t)o->watches));
	(void)json_object_set_new(out, "loops", json_integer(o->loops));
	(void)json_object_set_new(out, "other", json_integer((json_int_t)o->others));
	return out;
}

static json_t *seconds(uint64_t us)
{
	uint64_t ms = us / 1000;

	return us ? json_real((double)ms / 1000) : json_null();
}

static json_t *trace(const struct platform *p)
{
	char *text = txt_trace_json(platform_trace(p));
	json_t *out = text ? json_loads(text, 0, NULL) : NULL;

	free(text);
	return out ? out : json_array();
}

/* The last record of the rule that was broken last. A policy's rule is told by its own name there: then the last failure of any. */
static const struct txt_trace_record *last_failure(const struct txt_trace *t, const char *rule)
{
	const struct txt_trace_record *any = NULL;

	for (size_t i = t->count; rule && i > 0; i--) {
		const struct txt_trace_record *r = &t->records[i - 1];

		if (r->verdict == TXT_FAIL && strcmp(r->rule, rule) == 0)
			return r;
		if (r->verdict == TXT_FAIL && !any)
			any = r;
	}
	return any;
}

char *txt_report_json(const struct platform *p, const char *failure)
{
	const struct platform_outcome *o = platform_outcome(p);
	const struct txt_trace_record *bad = last_failure(platform_trace(p), o->rule);
	json_t *out = json_object();
	char *text;

	const struct {
		const char *key;
		json_t *value;
	} rows[] = {
		{ "senter", json_string(platform_senter_name(o->senter)) },
		{ "txt_errorcode", hex32((uint32_t)chipset_get(platform_chipset(p), CHIPSET_ERRORCODE)) },
		{ "rule", o->rule ? json_string(o->rule) : json_null() },
		{ "why", bad && o->senter != PLATFORM_LAUNCHED ? json_string(bad->detail) : json_null() },
		{ "drtm", json_boolean(o->drtm) },
		{ "mle_hash", o->has_mle_hash ? digests(&o->mle_hash) : json_object() },
		{ "secrets", json_boolean(chipset_secrets(platform_chipset(p))) },
		{ "senters", json_integer(o->senters) },
		{ "launches", json_integer(o->launches) },
		{ "sexits", json_integer(o->sexits) },
		{ "loaders", json_integer(o->loaders) },
		{ "joined", json_integer(o->joined) },
		{ "txt_resets", json_integer(o->txt_resets) },
		{ "resets", json_integer(o->resets) },
		{ "shutdown", o->shutdown[0] ? json_string(o->shutdown) : json_null() },
		{ "stops", stops(o) },
		{ "entry_s", seconds(o->armed_us) },
		{ "handling_s", seconds(o->handling_us) },
		{ "senter_s", seconds(o->senter_us) },
		{ "failure", failure ? json_string(failure) : json_null() },
		{ "trace", trace(p) },
	};

	for (size_t i = 0; i < GL_COUNT(rows); i++)
		if (json_object_set_new(out, rows[i].key, rows[i].value) != 0) {
			json_decref(out);
			return NULL;
		}
	text = json_dumps(out, JSON_COMPACT);
	json_decref(out);
	return text;
}
