/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/cli.h"

json_t *cli_json_text(const char *s)
{
	json_t *out = s ? json_string(s) : json_null();
	CLEANUP_FREE char *escaped = NULL;
	size_t n = 0;

	if (out)
		return out;
	escaped = malloc(sizeof("\\xHH") * strlen(s) + 1);
	if (!escaped)
		return NULL;
	while (*s) {
		size_t length = 0;

		/* One character has at most 4 bytes; no part of one is valid. */
		for (size_t k = 1; k <= strnlen(s, 4) && length == 0; k++) {
			CLEANUP_JSON json_t *valid = json_stringn(s, k);

			length = valid ? k : 0;
		}
		if (length > 0) {
			memcpy(escaped + n, s, length);
			n += length;
			s += length;
		} else
			n += (size_t)snprintf(escaped + n, sizeof("\\xHH"), "\\x%02x", (unsigned char)*s++);
	}
	escaped[n] = 0;
	return json_string(escaped);
}

json_t *cli_json_vtext(const char *format, va_list args)
{
	CLEANUP_FREE char *text = NULL;

	if (vasprintf(&text, format, args) < 0) {
		text = NULL;
		return NULL;
	}
	return cli_json_text(text);
}

json_t *cli_json_hex(struct span bytes)
{
	CLEANUP_FREE char *hex = malloc(2 * bytes.n + 1);

	if (!hex)
		return NULL;
	hex[0] = 0;
	for (size_t i = 0; i < bytes.n; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", bytes.p[i]);
	return json_string(hex);
}

json_t *cli_json_digests(const struct digests *d)
{
	CLEANUP_JSON json_t *out = json_object();

	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (d->banks & ALG_BIT(a) && json_object_set_new(out, alg_table[a].name, cli_json_hex(digest_span(d, a))) != 0)
			return NULL;
	return json_incref(out);
}

static json_t *json_bank(const struct pcrs *p, enum alg a, unsigned first, unsigned last)
{
	CLEANUP_JSON json_t *out = json_object();

	for (unsigned pcr = first; pcr <= last; pcr++) {
		char key[8];

		if (!pcr_known(p, a, pcr))
			continue;
		(void)snprintf(key, sizeof(key), "%u", pcr);
		if (json_object_set_new(out, key, cli_json_hex(pcr_value(p, a, pcr))) != 0)
			return NULL;
	}
	return json_incref(out);
}

json_t *cli_json_pcrs(const struct pcrs *p, unsigned first, unsigned last)
{
	CLEANUP_JSON json_t *out = json_object();

	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (p->banks & ALG_BIT(a) && json_object_set_new(out, alg_table[a].name, json_bank(p, a, first, last)) != 0)
			return NULL;
	return json_incref(out);
}

json_t *cli_json_banks(alg_set banks)
{
	CLEANUP_JSON json_t *out = json_array();

	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (banks & ALG_BIT(a) && json_array_append_new(out, json_string(alg_table[a].name)) != 0)
			return NULL;
	return json_incref(out);
}

/* Of reals, which are coordinates only: enough for 1e-7 degrees, and as few as give 8.2 and not 8.1999999999999993. */
#define DECIMALS 15

bool cli_json_print(const json_t *v, struct cli_fault *fault)
{
	if (!v)
		return cli_fail(fault, CLI_IO, "out of memory: JSON output");
	if (json_dumpf(v, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(DECIMALS)) != 0 || putchar('\n') == EOF)
		return cli_fail(fault, CLI_IO, "cannot write: standard output: is the disk full?");
	return cli_flush(fault);
}
