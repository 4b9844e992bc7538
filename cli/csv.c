/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/csv.h"

#include <string.h>

static const char *const errors[CSV_ERROR_COUNT] = {
	[CSV_OK] = "no error",
	[CSV_E_BYTE] = "a character that is not printable ASCII",
	[CSV_E_QUOTE] = "a quote in a field that does not begin with one",
	[CSV_E_OPEN] = "a quoted field that does not end on its line",
	[CSV_E_BEHIND] = "text behind a closing quote",
	[CSV_E_FIELDS] = "too many fields",
};

const char *csv_strerror(enum csv_error e)
{
	return errors[e];
}

bool csv_line(struct span *rest, struct span *line)
{
	const uint8_t *end;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	*line = (struct span){ rest->p, end ? (size_t)(end - rest->p) : rest->n };
	*rest = (struct span){ rest->p + line->n + (end != NULL), rest->n - line->n - (end != NULL) };
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* One quoted field from `*at`, behind its opening quote; `*at` is then behind its closing quote. */
static enum csv_error take_quoted(char *line, size_t n, size_t *at, char **out)
{
	size_t to = *at;

	*out = line + to;
	for (size_t i = *at; i < n; i++) {
		if (line[i] == '"' && (i + 1 == n || line[i + 1] != '"')) {
			line[to] = 0;
			*at = i + 1;
			return *at < n && line[*at] != ',' ? CSV_E_BEHIND : CSV_OK;
		}
		i += line[i] == '"';
		line[to++] = line[i];
	}
	return CSV_E_OPEN;
}

static enum csv_error take_plain(char *line, size_t n, size_t *at, char **out)
{
	*out = line + *at;
	for (; *at < n && line[*at] != ','; ++*at)
		if (line[*at] == '"')
			return CSV_E_QUOTE;
	return CSV_OK;
}

enum csv_error csv_split(char *line, size_t n, char *fields[CSV_MAX_FIELDS], size_t *count)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			return CSV_E_BYTE;
	*count = 0;
	for (;;) {
		bool quoted = at < n && line[at] == '"';
		enum csv_error e;

		if (*count == CSV_MAX_FIELDS)
			return CSV_E_FIELDS;
		at += quoted;
		e = (quoted ? take_quoted : take_plain)(line, n, &at, &fields[*count]);
		if (e)
			return e;
		++*count;
		/* A plain field ends here; behind a quoted one its end is written already, and this is the comma. */
		if (at == n) {
			line[n] = 0;
			return CSV_OK;
		}
		line[at++] = 0;
	}
}
