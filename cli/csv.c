/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/csv.h"

#include <stdio.h>
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

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* The character as Unicode has it if these are two or three bytes of UTF-8, as nearly all letters are; else the byte. */
static void name_byte(struct span s, struct text *out)
{
	unsigned c = s.p[0], point = 0;

	if (c >= 0xc2 && c <= 0xdf && s.n >= 2 && s.p[1] >> 6 == 2)
		point = (c & 0x1f) << 6 | (s.p[1] & 0x3f);
	else if (c >> 4 == 0xe && s.n >= 3 && s.p[1] >> 6 == 2 && s.p[2] >> 6 == 2)
		point = (c & 0xf) << 12 | (unsigned)(s.p[1] & 0x3f) << 6 | (s.p[2] & 0x3f);
	if (c == '\t')
		text_str(out, "a tab");
	else if (point) {
		char buf[48];

		(void)snprintf(buf, sizeof(buf), "U+%04X, which is no ASCII", point);
		text_str(out, buf);
	} else {
		text_str(out, "byte ");
		text_hex(out, c, 2);
	}
}

void csv_bad_byte(struct span line, struct text *out)
{
	unsigned field = 1;
	bool quoted = false;

	for (size_t i = 0; i < line.n; i++) {
		quoted ^= line.p[i] == '"';
		field += line.p[i] == ',' && !quoted;
		if (is_plain(line.p[i]))
			continue;
		text_str(out, "field ");
		text_u64(out, field);
		text_str(out, ", character ");
		text_u64(out, i + 1);
		text_str(out, ": ");
		name_byte((struct span){ line.p + i, line.n - i }, out);
		return;
	}
}
