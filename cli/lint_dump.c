/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include "cli/lint_tpm.h"
#include "cli/pcrfile.h"
#include "geo/geo.h"

/* ---- reading ---- */

struct reader {
	const char *path;
	struct lint_tpm *out;
	struct cli_fault *fault;
};

static bool wrong(const struct reader *r, const char *what)
{
	return cli_fail(r->fault, CLI_INPUT, "%s: %s: give a dump of 'geolaunch lint --write-nv-dump'", r->path, what);
}

GL_MUST static bool known_keys(const struct reader *r, json_t *object, const char *const *keys)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		const char *const *k = keys;
		char what[96];

		while (*k && strcmp(*k, key) != 0)
			k++;
		(void)snprintf(what, sizeof(what), "unknown key \"%.40s\"", key);
		if (!*k)
			return wrong(r, what);
	}
	return true;
}

/* Missing or null: `*n` is 0. `room` gets the bytes. */
GL_MUST static bool take_hex(const json_t *v, uint8_t *room, size_t max, size_t *n)
{
	const char *s = json_string_value(v);

	*n = 0;
	if (!v || json_is_null(v))
		return true;
	if (!s || strlen(s) % 2 != 0 || strlen(s) / 2 > max || !cli_unhex(s, room, strlen(s) / 2))
		return false;
	*n = strlen(s) / 2;
	return true;
}

GL_MUST static bool take_number(const json_t *v, uint64_t max, uint64_t *out)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > max)
		return false;
	*out = (uint64_t)json_integer_value(v);
	return true;
}

GL_MUST static bool take_read(const json_t *v, bool has_content, enum lint_read *out)
{
	const char *s = json_string_value(v);
	unsigned i = 0;

	*out = has_content ? LINT_READ_OK : LINT_READ_NOT_TRIED;
	if (!v)
		return true;
	while (s && i < LINT_READ_COUNT && strcmp(lint_read_names[i], s) != 0)
		i++;
	if (!s || i == LINT_READ_COUNT || (i == LINT_READ_OK) != has_content)
		return false;
	*out = (enum lint_read)i;
	return true;
}

GL_MUST static bool take_nv(const struct reader *r, json_t *v)
{
	static const char *const keys[] = { "index", "attributes", "attribute_names", "size", "name_alg", "policy", "read", "content",
		NULL };
	uint64_t index, attributes, size, name_alg = TPM2_ALG_SHA256;
	uint8_t policy[DIGEST_MAX], content[GEO_NV_MAX];
	struct lint_nv nv = { .policy.p = policy, .content.p = content };
	const char *name;
	bool has_content;

	if (!json_is_object(v) || !known_keys(r, v, keys))
		return json_is_object(v) ? false : wrong(r, "\"nv\": not a list of objects");
	name = json_string_value(json_object_get(v, "index"));
	if (!name || !cli_number(name, UINT32_MAX, &index) || !geo_index_possible((uint32_t)index))
		return wrong(r, "\"index\": not a string such as \"0x01c10131\"");
	if (!take_number(json_object_get(v, "attributes"), UINT32_MAX, &attributes))
		return wrong(r, "\"attributes\": not a number of 32 bits");
	if (!take_number(json_object_get(v, "size"), UINT16_MAX, &size))
		return wrong(r, "\"size\": not a number of 16 bits");
	if (json_object_get(v, "name_alg") && !take_number(json_object_get(v, "name_alg"), UINT16_MAX, &name_alg))
		return wrong(r, "\"name_alg\": not a number of 16 bits");
	if (!take_hex(json_object_get(v, "policy"), policy, sizeof(policy), &nv.policy.n))
		return wrong(r, "\"policy\": not up to 64 bytes in hexadecimal");
	has_content = json_is_string(json_object_get(v, "content"));
	if (!take_hex(json_object_get(v, "content"), content, sizeof(content), &nv.content.n) || (has_content && nv.content.n != size))
		return wrong(r, "\"content\": not \"size\" bytes in hexadecimal, at most 4096");
	if (!take_read(json_object_get(v, "read"), has_content, &nv.read))
		return wrong(r, "\"read\": not one of not-tried, ok, password, lockout, failed, or ok without \"content\" or the reverse");
	nv.index = (uint32_t)index;
	nv.attributes = (uint32_t)attributes;
	nv.size = (uint16_t)size;
	nv.name_alg = (uint16_t)name_alg;
	for (size_t i = 0; i < r->out->nv_count; i++)
		if (r->out->nv[i].index == nv.index)
			return wrong(r, "an index is there twice");
	return lint_tpm_add(r->out, &nv, r->fault);
}

GL_MUST static bool take_banks(const struct reader *r, const json_t *v)
{
	if (!json_is_array(v))
		return wrong(r, "\"banks\": not a list");
	for (size_t i = 0; i < json_array_size(v); i++) {
		enum alg a;

		if (!alg_by_name(span_str(json_string_value(json_array_get(v, i))), &a))
			return wrong(r, "\"banks\": not names of algorithms such as \"sha256\"");
		r->out->banks |= ALG_BIT(a);
	}
	return true;
}

GL_MUST static bool take_pcrs(const struct reader *r, struct span bytes, const json_t *v)
{
	char error[256], what[300];

	if (!v)
		return true;
	if (pcrfile_parse(bytes, &r->out->pcrs, error, sizeof(error)))
		return true;
	(void)snprintf(what, sizeof(what), "%s", error);
	return wrong(r, what);
}

bool lint_dump_parse(const char *path, struct span bytes, struct lint_tpm *out, struct cli_fault *fault)
{
	static const char *const keys[] = { "format", "banks", "unknown_banks", "owner_auth_set", "nv", "pcrs", NULL };
	const struct reader r = { path, out, fault };
	json_error_t where;
	struct span json = cli_skip_bom(bytes);
	CLEANUP_JSON json_t *root = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &where);
	const char *format;
	json_t *nv, *unknown, *owner;

	if (!root)
		return cli_fail(fault, CLI_INPUT, "not JSON (%s): %s:%d: give a dump of 'geolaunch lint --write-nv-dump'", where.text, path,
			where.line);
	format = json_string_value(json_object_get(root, "format"));
	if (!format || strcmp(format, LINT_DUMP_FORMAT) != 0)
		return wrong(&r, "not of the format \"" LINT_DUMP_FORMAT "\"");
	unknown = json_object_get(root, "unknown_banks");
	if (!known_keys(&r, root, keys) || !take_banks(&r, json_object_get(root, "banks")))
		return false;
	if (unknown && !json_is_boolean(unknown))
		return wrong(&r, "\"unknown_banks\": not true or false");
	out->unknown_banks = json_is_true(unknown);
	owner = json_object_get(root, "owner_auth_set");
	if (owner && !json_is_boolean(owner))
		return wrong(&r, "\"owner_auth_set\": not true or false");
	if (owner)
		out->owner = json_is_true(owner) ? HOST_OWNER_PASSWORD : HOST_OWNER_OPEN;
	nv = json_object_get(root, "nv");
	if (!json_is_array(nv) || json_array_size(nv) > LINT_NV_MAX)
		return wrong(&r, "\"nv\": not a list of at most 1024 indices");
	for (size_t i = 0; i < json_array_size(nv); i++)
		if (!take_nv(&r, json_array_get(nv, i)))
			return false;
	return take_pcrs(&r, bytes, json_object_get(root, "pcrs"));
}

bool lint_dump_read(const char *path, struct lint_tpm *out, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t n;

	return read_file(path, LINT_DUMP_MAX, &bytes, &n, fault) && lint_dump_parse(path, (struct span){ bytes, n }, out, fault);
}

/* ---- writing ---- */

static json_t *nv_json(const struct lint_nv *nv)
{
	char index[16], buf[GEO_ATTRIBUTES_MAX];
	struct text names = TEXT_OF(buf);

	(void)snprintf(index, sizeof(index), "0x%08x", nv->index);
	text_str(&names, "");
	geo_attributes_text(nv->attributes, &names);
	return json_pack("{s:s, s:I, s:s, s:i, s:i, s:o, s:s, s:o}", "index", index, "attributes", (json_int_t)nv->attributes,
		"attribute_names", buf, "size", (int)nv->size, "name_alg", (int)nv->name_alg, "policy",
		nv->policy.n ? cli_json_hex(nv->policy) : json_null(), "read", lint_read_names[nv->read], "content",
		nv->read == LINT_READ_OK ? cli_json_hex(nv->content) : json_null());
}

char *lint_dump_text(const struct lint_tpm *t)
{
	CLEANUP_JSON json_t *list = json_array(), *root = NULL;
	CLEANUP_FREE char *text = NULL;
	char *line = NULL;
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < t->nv_count; i++)
		ok = json_array_append_new(list, nv_json(&t->nv[i])) == 0;
	if (ok)
		root = json_pack("{s:s, s:o, s:b, s:o*, s:O}", "format", LINT_DUMP_FORMAT, "banks", cli_json_banks(t->banks),
			"unknown_banks", (int)t->unknown_banks, "owner_auth_set",
			t->owner == HOST_OWNER_UNKNOWN ? NULL : json_boolean(t->owner == HOST_OWNER_PASSWORD), "nv", list);
	/* Without a value of any PCR there is nothing that could be read back. */
	if (root && t->pcrs.banks && json_object_set_new(root, "pcrs", cli_json_pcrs(&t->pcrs, 0, PCR_COUNT - 1)) != 0)
		return NULL;
	text = root ? json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
	return text && asprintf(&line, "%s\n", text) >= 0 ? line : NULL;
}

bool lint_dump_write(const char *path, const struct lint_tpm *t, struct cli_fault *fault)
{
	CLEANUP_FREE char *text = lint_dump_text(t);

	return text ? write_file_atomic(path, span_str(text), fault) : cli_fail(fault, CLI_IO, "out of memory: %s", path);
}
