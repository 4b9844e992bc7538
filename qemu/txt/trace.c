/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/trace.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const who_names[TXT_WHO_COUNT] = {
	[TXT_CPU] = "cpu",
	[TXT_CHIPSET] = "chipset",
	[TXT_TPM] = "tpm",
	[TXT_SINIT] = "sinit",
};

static const char *const verdict_names[] = {
	[TXT_INFO] = "info",
	[TXT_PASS] = "pass",
	[TXT_FAIL] = "fail",
};

const char *txt_who_name(enum txt_who who)
{
	return who_names[who];
}

const char *txt_verdict_name(enum txt_verdict v)
{
	return verdict_names[v];
}

/* Guests can get their bytes into details: nothing but printable ASCII leaves. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
}

static bool keep(struct txt_trace *t, const struct txt_trace_record *r)
{
	if (t->count >= TXT_TRACE_MAX)
		return false;
	if (t->count == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 64;
		struct txt_trace_record *grown = reallocarray(t->records, cap, sizeof(*grown));

		if (!grown)
			return false;
		t->records = grown;
		t->cap = cap;
	}
	t->records[t->count++] = *r;
	return true;
}

void txt_trace_add(struct txt_trace *t, enum txt_who who, enum txt_verdict verdict, const char *rule, const char *source, bool deduced,
	const char *format, ...)
{
	struct txt_trace_record r = { .who = who, .verdict = verdict, .deduced = deduced, .rule = rule, .source = source };
	va_list args;

	if (!t)
		return;
	va_start(args, format);
	if (vsnprintf(r.detail, sizeof(r.detail), format, args) < 0)
		r.detail[0] = 0;
	va_end(args);
	make_printable(r.detail);
	if (!keep(t, &r))
		t->dropped++;
	if (t->sink)
		t->sink(t->ctx, &r);
}

const struct txt_trace_record *txt_trace_failure(const struct txt_trace *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->records[i].verdict == TXT_FAIL)
			return &t->records[i];
	return NULL;
}

void txt_trace_free(struct txt_trace *t)
{
	free(t->records);
	t->records = NULL;
	t->count = t->cap = t->dropped = 0;
}

bool txt_trace_print_record(FILE *f, const struct txt_trace_record *r)
{
	static const char *const words[] = { [TXT_INFO] = "", [TXT_PASS] = "ok", [TXT_FAIL] = "FAIL" };
	bool sourced = r->source[0] != 0;

	return fprintf(f, "%-8s %-4s  %s: %s%s%s%s%s\n", txt_who_name(r->who), words[r->verdict], r->rule, r->detail, sourced ? " [" : "",
		       r->source, sourced && r->deduced ? "; deduced" : "", sourced ? "]" : "") >= 0;
}

bool txt_trace_print(FILE *f, const struct txt_trace *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (!txt_trace_print_record(f, &t->records[i]))
			return false;
	return t->dropped == 0 || fprintf(f, "(%zu more records were not kept)\n", t->dropped) >= 0;
}

static json_t *record_json(const struct txt_trace_record *r)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:b,s:s}", "who", txt_who_name(r->who), "verdict", txt_verdict_name(r->verdict), "rule", r->rule,
		"source", r->source, "deduced", r->deduced, "detail", r->detail);
}

char *txt_trace_json(const struct txt_trace *t)
{
	json_t *list = json_array();
	bool good = list != NULL;
	char *line = NULL;

	for (size_t i = 0; good && i < t->count; i++)
		good = json_array_append_new(list, record_json(&t->records[i])) == 0;
	if (good)
		line = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	return line;
}
