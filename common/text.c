/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/text.h"

static const char hex_digits[] = "0123456789abcdef";

/* Appends `c`, or only ends the text if `c` is NUL. */
void text_char(struct text *t, char c)
{
	if (t->cap == 0 || t->n >= t->cap - 1) {
		t->cut = t->cut || c != '\0';
		if (t->cap > 0)
			t->p[t->cap - 1] = '\0';
		return;
	}
	t->p[t->n] = c;
	if (c != '\0')
		t->p[++t->n] = '\0';
}

void text_str(struct text *t, const char *s)
{
	text_char(t, '\0');
	for (; s && *s; s++)
		text_char(t, *s);
}

void text_span(struct text *t, struct span s)
{
	text_char(t, '\0');
	for (size_t i = 0; i < s.n; i++)
		text_char(t, s.p[i] >= 0x20 && s.p[i] <= 0x7e ? (char)s.p[i] : '?');
}

void text_pad(struct text *t, size_t width)
{
	size_t column = 0;

	while (column < t->n && t->p[t->n - 1 - column] != '\n')
		column++;
	do {
		text_char(t, ' ');
		column++;
	} while (column < width && !t->cut);
}

void text_u64(struct text *t, uint64_t v)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = hex_digits[v % 10];
		v /= 10;
	} while (v > 0);
	while (n > 0)
		text_char(t, digits[--n]);
}

void text_hex(struct text *t, uint64_t v, unsigned digits)
{
	unsigned n = 16;

	while (n > 1 && n > digits && v >> 4 * (n - 1) == 0)
		n--;
	text_str(t, "0x");
	for (; digits > 16; digits--)
		text_char(t, '0');
	while (n-- > 0)
		text_char(t, hex_digits[v >> 4 * n & 0xf]);
}

void text_bytes(struct text *t, struct span s)
{
	text_char(t, '\0');
	for (size_t i = 0; i < s.n; i++) {
		text_char(t, hex_digits[s.p[i] >> 4]);
		text_char(t, hex_digits[s.p[i] & 0xf]);
	}
}

void text_size(struct text *t, uint64_t bytes)
{
	static const char *const units[] = { " KiB", " MiB", " GiB", " TiB", " PiB", " EiB" };
	unsigned unit = 0;

	if (bytes < 1024) {
		text_u64(t, bytes);
		text_str(t, " B");
		return;
	}
	while (unit + 1 < GL_COUNT(units) && bytes >> 10 * (unit + 2) > 0)
		unit++;

	uint64_t whole = bytes >> 10 * (unit + 1);
	uint64_t tenths = ((bytes >> 10 * unit & 1023) * 10 + 512) >> 10;

	if (tenths == 10) {
		whole++;
		tenths = 0;
	}
	if (whole == 1024 && unit + 1 < GL_COUNT(units)) {
		whole = 1;
		unit++;
	}
	text_u64(t, whole);
	text_char(t, '.');
	text_u64(t, tenths);
	text_str(t, units[unit]);
}
