/* SPDX-License-Identifier: BSD-3-Clause */
#include "txt/tboot_line.h"
#include "common/hex.h"

/* In the order in which tboot compares. */
/* clang-format off */
static const char *const options[] = {
	"loglvl", "logging", "serial", "vga_delay", "ap_wake_mwait", "pcr_map", "min_ram", "call_racm", "measure_nv", "extpol", "ignore_prev_err",
	"force_tpm2_legacy_log", "save_vtd", "dump_memmap",
};
/* clang-format on */

#define VALUE_MAX 63

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool begins_with(const char *s, struct span part)
{
	for (size_t i = 0; i < part.n; i++)
		if (!s[i] || (uint8_t)s[i] != part.p[i])
			return false;
	return true;
}

static const char *option_named(struct span name)
{
	for (size_t i = 0; name.n > 0 && i < GL_COUNT(options); i++)
		if (begins_with(options[i], name))
			return options[i];
	return NULL;
}

uint64_t tboot_line_number(struct span value)
{
	unsigned base = 10;
	uint64_t v = 0;
	size_t i = 0;

	if (value.n > 1 && value.p[0] == '0') {
		base = value.p[1] == 'x' || value.p[1] == 'X' ? 16 : 8;
		i = base == 16 ? 2 : 1;
	}
	for (; i < value.n; i++) {
		int d = hex_digit(value.p[i]);

		if (d < 0 || (unsigned)d >= base)
			break;
		v = v * base + (unsigned)d;
		if (v > UINT32_MAX)
			return UINT32_MAX;
	}
	return v;
}

static void take(struct tboot_line *t, const char *name, struct span value)
{
	struct span option = span_str(name);

	if (span_is_str(option, "ap_wake_mwait")) {
		t->mwait = !span_is_str(value, "false");
	} else if (span_is_str(option, "ignore_prev_err")) {
		t->ignore_previous_error = span_is_str(value, "true");
	} else if (span_is_str(option, "call_racm")) {
		t->racm = span_is_str(value, "true") || span_is_str(value, "check");
	} else if (span_is_str(option, "min_ram")) {
		t->min_ram = tboot_line_number(value);
	} else if (span_is_str(option, "extpol")) {
		t->fixed = !span_is_str(value, "agile") && !span_is_str(value, "embedded");
		t->known = false;
		for (unsigned a = 0; a < ALG_COUNT; a++)
			if (span_is_str(value, alg_table[a].name)) {
				t->known = true;
				t->extpol = (enum alg)a;
			}
	}
}

static void take_word(struct tboot_line *t, struct span word)
{
	size_t n = 0;
	struct span value;
	const char *name;

	while (n < word.n && word.p[n] != '=')
		n++;
	if (n == word.n)
		return;
	value = (struct span){ word.p + n + 1, word.n - n - 1 };
	if (value.n > VALUE_MAX)
		value.n = VALUE_MAX;
	name = option_named((struct span){ word.p, n });
	if (name && value.n)
		take(t, name, value);
}

void tboot_line_parse(struct span line, struct tboot_line *out)
{
	size_t at = 0;

	*out = (struct tboot_line){ .ignore_previous_error = true, .fixed = true, .known = true, .extpol = ALG_SHA256 };
	if (line.n > TBOOT_LINE_MAX)
		line.n = TBOOT_LINE_MAX;
	while (at < line.n) {
		size_t from = at;

		while (at < line.n && !is_space(line.p[at]))
			at++;
		if (at > from)
			take_word(out, (struct span){ line.p + from, at - from });
		else
			at++;
	}
}
