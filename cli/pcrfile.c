/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/pcrfile.h"

#include <ctype.h>
#include <string.h>

#include "cli/cli.h"

struct error {
	char *p;
	size_t cap;
};

static bool fail(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct error *e, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(e->p, e->cap, format, ap);
	va_end(ap);
	return false;
}

/* Hexadecimal digits, of either case, with or without 0x in front. */
GL_MUST static bool set_value(struct pcrs *p, enum alg a, uint64_t pcr, const char *hex, struct error *e)
{
	if (p->known[a] >> pcr & 1)
		return fail(e, "PCR %u of bank %s is given twice", (unsigned)pcr, alg_table[a].name);
	if (hex[0] == '0' && (hex[1] == 'x' || hex[1] == 'X'))
		hex += 2;
	if (!cli_unhex(hex, p->v[a][pcr], alg_table[a].size))
		return fail(e, "PCR %u of bank %s: the value is not %u hexadecimal digits", (unsigned)pcr, alg_table[a].name,
			2u * alg_table[a].size);
	p->known[a] |= 1u << pcr;
	p->banks |= ALG_BIT(a);
	return true;
}

GL_MUST static bool parse_json_bank(const json_t *bank, enum alg a, struct pcrs *p, struct error *e)
{
	const char *key;
	json_t *value;

	if (!json_is_object(bank))
		return fail(e, "\"pcrs\": bank \"%s\" is not an object", alg_table[a].name);
	json_object_foreach((json_t *)(uintptr_t)bank, key, value) {
		uint64_t pcr;

		/* One spelling per number: "017" and "0x11" are not ours. */
		if (!cli_number(key, PCR_COUNT - 1, &pcr) || (key[0] == '0' && key[1]))
			return fail(
				e, "\"pcrs\": bank \"%s\": \"%s\" is not a PCR number from 0 to %d", alg_table[a].name, key, PCR_COUNT - 1);
		if (!json_is_string(value))
			return fail(e, "PCR %u of bank %s: the value is not a string", (unsigned)pcr, alg_table[a].name);
		if (!set_value(p, a, pcr, json_string_value(value), e))
			return false;
	}
	return true;
}

/* Names of banks in either case: "SHA256". Those of other algorithms are passed over, as tpm2-tools, 5.4, call them. */
enum bank_kind { BANK_NONE, BANK_OTHER, BANK_OURS };

GL_MUST static enum bank_kind find_bank(struct span name, enum alg *out)
{
	static const char *const others[] = { "sm3_256", "sha3_256", "sha3_384", "sha3_512" };
	uint8_t lower[16];

	if (name.n > sizeof(lower))
		return BANK_NONE;
	for (size_t i = 0; i < name.n; i++)
		lower[i] = (uint8_t)tolower(name.p[i]);
	name.p = lower;
	if (alg_by_name(name, out))
		return BANK_OURS;
	for (size_t i = 0; i < GL_COUNT(others); i++)
		if (span_equal(name, span_str(others[i])))
			return BANK_OTHER;
	return BANK_NONE;
}

/* A bank that went unread could hold the very values that differ. */
GL_MUST static bool no_bank(struct error *e, struct span name)
{
	return fail(e, "no PCR bank is called \"%.*s\" (sha1, sha256, sha384, sha512)", name.n < 40 ? (int)name.n : 40, name.p);
}

/* jansson does not tell where a key stands: the first place that looks like it. 0: none, as where it is written with escapes. */
GL_MUST static unsigned line_of_key(struct span json, const char *name)
{
	char quoted[48];
	int n = snprintf(quoted, sizeof(quoted), "\"%.40s\"", name);
	const uint8_t *at = memmem(json.p, json.n, quoted, (size_t)n);
	unsigned line = 1;

	for (const uint8_t *p = json.p; at && p < at; p++)
		line += *p == '\n';
	return at ? line : 0;
}

GL_MUST static bool no_bank_json(struct error *e, struct span json, const char *name)
{
	char text[192];
	struct error inner = { text, sizeof(text) };
	unsigned line = line_of_key(json, name);

	if (!line || no_bank(&inner, span_str(name)))
		return no_bank(e, span_str(name));
	return fail(e, "line %u: %s", line, text);
}

GL_MUST static bool parse_json(struct span bytes, struct pcrs *p, struct error *e)
{
	json_error_t where;
	CLEANUP_JSON json_t *root = json_loadb((const char *)bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &where);
	const char *name;
	json_t *banks, *bank;

	if (!root)
		return fail(e, "line %d: %s", where.line, where.text);
	if (json_object_get(root, "policy"))
		return fail(e, "a prediction of geolaunch's, and no values of a TPM");
	banks = json_object_get(root, "pcrs");
	if (!json_is_object(banks))
		return fail(e, "there is no object \"pcrs\" at its top");
	json_object_foreach(banks, name, bank) {
		enum alg a;
		enum bank_kind kind = find_bank(span_str(name), &a);

		if (kind == BANK_NONE)
			return no_bank_json(e, bytes, name);
		if (kind == BANK_OURS && !parse_json_bank(bank, a, p, e))
			return false;
	}
	return true;
}

static struct span trim(struct span s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
		s.n--;
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	return s;
}

/* Copies what fits a value; anything longer is none. */
GL_MUST static bool copy(struct span s, char *buf, size_t cap)
{
	if (s.n >= cap || memchr(s.p, 0, s.n))
		return false;
	memcpy(buf, s.p, s.n);
	buf[s.n] = 0;
	return true;
}

struct text_state {
	bool in_bank;
	enum bank_kind kind;
	enum alg a;
};

/* "sha256:" or "17: 0x..."; trimmed, not empty. */
GL_MUST static bool parse_line(struct span line, struct text_state *st, struct pcrs *p, struct error *e)
{
	const uint8_t *colon = memchr(line.p, ':', line.n);
	char key[16], value[2 * DIGEST_MAX + 3];
	struct span left, right;
	uint64_t pcr;

	if (!colon)
		return fail(e, "neither JSON nor what tpm2_pcrread prints");
	left = trim((struct span){ line.p, (size_t)(colon - line.p) });
	right = trim((struct span){ colon + 1, (size_t)(line.p + line.n - colon - 1) });
	if (right.n == 0) {
		st->in_bank = left.n > 0;
		st->kind = find_bank(left, &st->a);
		if (!st->in_bank)
			return fail(e, "a bank without a name");
		return st->kind != BANK_NONE || no_bank(e, left);
	}
	if (!st->in_bank)
		return fail(e, "a value before the name of a bank");
	if (!copy(left, key, sizeof(key)) || !cli_number(key, PCR_COUNT - 1, &pcr))
		return fail(e, "no PCR number from 0 to %d before the colon", PCR_COUNT - 1);
	if (st->kind != BANK_OURS)
		return true;
	if (!copy(right, value, sizeof(value)))
		return fail(e, "PCR %u of bank %s: the value is too long", (unsigned)pcr, alg_table[st->a].name);
	return set_value(p, st->a, pcr, value, e);
}

GL_MUST static bool parse_text(struct span bytes, struct pcrs *p, struct error *e)
{
	struct text_state st = { 0 };
	unsigned number = 1;

	for (size_t at = 0; at < bytes.n; number++) {
		const uint8_t *lf = memchr(bytes.p + at, '\n', bytes.n - at);
		size_t n = lf ? (size_t)(lf - bytes.p) - at : bytes.n - at;
		struct span line = trim((struct span){ bytes.p + at, n });
		char text[192];
		struct error inner = { text, sizeof(text) };

		if (line.n > 0 && !parse_line(line, &st, p, &inner))
			return fail(e, "line %u: %s", number, text);
		at += n + 1;
	}
	return true;
}

bool pcrfile_parse(struct span bytes, struct pcrs *out, char *error, size_t cap)
{
	struct error e = { error, cap };
	struct pcrs p = { 0 };
	size_t i = 0;

	bytes = cli_skip_bom(bytes);
	while (i < bytes.n && isspace(bytes.p[i]))
		i++;
	if (i == bytes.n)
		return fail(&e, "it is empty");
	if (bytes.p[i] == '{' ? !parse_json(bytes, &p, &e) : !parse_text(bytes, &p, &e))
		return false;
	if (!p.banks)
		return fail(&e, "no values of a bank that geolaunch knows (sha1, sha256, sha384, sha512)");
	*out = p;
	return true;
}
