/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/cli.h"
#include "cli/lint.h"
#include "lcp/alg.h"
#include "txt/tboot_line.h"

/* Options of tboot, in the order in which it compares: tboot 1.10.5, tboot/common/cmdline.c, g_tboot_cmdline_options. */
static const struct {
	const char *name;
	uint32_t since; /* CHANGELOG */
} known[] = {
	{ "loglvl", 0 },
	{ "logging", 0 },
	{ "serial", 0 },
	{ "vga_delay", 0 },
	{ "ap_wake_mwait", 0 },
	{ "pcr_map", 0 },
	{ "min_ram", 0 },
	{ "call_racm", 0 },
	{ "measure_nv", 0 },
	{ "extpol", 0 },
	{ "ignore_prev_err", 0 },
	{ "force_pmrs", LINT_VERSION(1, 11, 11) },
	{ "force_tpm2_legacy_log", 0 },
	{ "save_vtd", 0 },
	{ "dump_memmap", 0 },
};

static const struct {
	const char *name;
	enum lint_extpol extpol;
	uint16_t alg;
} policies[] = {
	{ "sha256", LINT_EXTPOL_FIXED, LCP_ALG_SHA256 },
	{ "sha1", LINT_EXTPOL_FIXED, LCP_ALG_SHA1 },
	{ "sha384", LINT_EXTPOL_FIXED, LCP_ALG_SHA384 },
	{ "sha512", LINT_EXTPOL_FIXED, LCP_ALG_SHA512 },
	{ "sm3", LINT_EXTPOL_FIXED, LCP_ALG_SM3_256 },
	{ "agile", LINT_EXTPOL_AGILE, 0 },
	{ "embedded", LINT_EXTPOL_EMBEDDED, 0 },
};

/* tboot compares as many characters as were typed, so an option may be abbreviated; the first that fits counts. */
static const char *find_option(const char *word, size_t n, uint32_t version)
{
	for (size_t i = 0; i < GL_COUNT(known); i++)
		if (version >= known[i].since && strncmp(known[i].name, word, n) == 0)
			return known[i].name;
	return NULL;
}

static void set_extpol(struct lint_tboot *t, const char *value)
{
	t->extpol = LINT_EXTPOL_UNKNOWN;
	t->extpol_alg = 0;
	(void)snprintf(t->extpol_text, sizeof(t->extpol_text), "%s", value);
	for (size_t i = 0; i < GL_COUNT(policies); i++)
		if (!strcmp(policies[i].name, value)) {
			t->extpol = policies[i].extpol;
			t->extpol_alg = policies[i].alg;
		}
}

static void set_option(struct lint_tboot *t, const char *name, const char *value)
{
	bool yes = !strcmp(value, "true");

	if (!strcmp(name, "extpol")) {
		t->extpol_given = true;
		set_extpol(t, value);
	} else if (!strcmp(name, "measure_nv"))
		t->measure_nv = yes;
	else if (!strcmp(name, "ignore_prev_err"))
		t->ignore_prev_err = yes;
	else if (!strcmp(name, "call_racm"))
		t->call_racm = yes || !strcmp(value, "check");
	else if (!strcmp(name, "pcr_map"))
		t->pcr_map_legacy = !strcmp(value, "legacy");
	else if (!strcmp(name, "force_tpm2_legacy_log"))
		t->legacy_log = yes;
	else if (!strcmp(name, "min_ram"))
		t->min_ram = tboot_line_number(span_str(value));
}

/* One word of the command line; without a value tboot passes it over. */
static void take_word(struct lint_tboot *t, const char *word, size_t n, uint32_t version)
{
	const char *equals = memchr(word, '=', n);
	size_t name_size = equals ? (size_t)(equals - word) : n;
	size_t value_size = equals ? n - name_size - 1 : 0;
	const char *name = find_option(word, name_size, version);
	char value[LINT_WORD_MAX];

	if (!name && !t->unknown[0])
		(void)snprintf(t->unknown, sizeof(t->unknown), "%.*s", (int)(name_size < LINT_WORD_MAX ? name_size : LINT_WORD_MAX), word);
	if (!name || !name_size || !value_size)
		return;
	if (value_size > sizeof(value) - 1)
		value_size = sizeof(value) - 1;
	memcpy(value, equals + 1, value_size);
	value[value_size] = 0;
	set_option(t, name, value);
}

void lint_tboot_parse(const char *cmdline, uint32_t version, struct lint_tboot *out)
{
	*out = (struct lint_tboot){ .given = cmdline != NULL, .ignore_prev_err = true };
	set_extpol(out, "sha256");
	for (size_t at = 0; cmdline && cmdline[at] && at < TBOOT_LINE_MAX;) {
		size_t n = strcspn(cmdline + at, " \t\n\r\f\v"), left = TBOOT_LINE_MAX - at;

		if (n)
			take_word(out, cmdline + at, n < left ? n : left, version);
		at += n ? n : 1;
	}
}

bool lint_version_parse(const char *s, uint32_t *out)
{
	uint32_t part[3] = { 0, 0, 0 };

	if (*s == 'v')
		s++;
	for (unsigned i = 0; i < 3; i++) {
		unsigned digits = 0;

		for (; *s >= '0' && *s <= '9' && digits < 3; s++, digits++)
			part[i] = part[i] * 10 + (uint32_t)(*s - '0');
		if (!digits || part[i] > UINT8_MAX)
			return false;
		if (!*s && i > 0) {
			*out = LINT_VERSION(part[0], part[1], part[2]);
			return true;
		}
		if (*s++ != '.')
			return false;
	}
	return false;
}

void lint_version_print(uint32_t version, struct text *t)
{
	text_u64(t, version >> 16);
	text_char(t, '.');
	text_u64(t, version >> 8 & 0xff);
	text_char(t, '.');
	text_u64(t, version & 0xff);
}
