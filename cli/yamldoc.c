/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/yamldoc.h"

#include <string.h>

unsigned yamldoc_line(const yaml_node_t *at)
{
	return (unsigned)at->start_mark.line + 1;
}

bool yamldoc_fail(struct yamldoc *y, const yaml_node_t *at, const char *advice, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return cli_fail(y->fault, CLI_INPUT, "%s: %s:%u: %s", what, y->file, yamldoc_line(at), advice);
}

/* Whether a line (from 0) is indented by a tab, which YAML does not allow (YAML 1.2.2, 6.1). libyaml's words do not say so. */
static bool tab_in_front(struct span text, size_t line)
{
	size_t i = 0;

	for (; line > 0 && i < text.n; i++)
		line -= text.p[i] == '\n';
	while (i < text.n && text.p[i] == ' ')
		i++;
	return i < text.n && text.p[i] == '\t';
}

static bool parser_fail(struct yamldoc *y, const yaml_parser_t *p, struct span text)
{
	if (p->error == YAML_MEMORY_ERROR)
		return cli_fail(y->fault, CLI_IO, "out of memory: %s", y->file);
	/* Of the reader's errors (encoding) only the byte offset is known. */
	if (p->error == YAML_READER_ERROR)
		return cli_fail(
			y->fault, CLI_INPUT, "not YAML (%s): %s: byte %zu: write it in UTF-8", p->problem, y->file, p->problem_offset);
	if (p->error == YAML_SCANNER_ERROR && tab_in_front(text, p->problem_mark.line))
		return cli_fail(y->fault, CLI_INPUT, "not YAML (a tab): %s:%zu: indent by spaces", y->file, p->problem_mark.line + 1);
	return cli_fail(y->fault, CLI_INPUT, "not YAML (%s): %s:%zu: see geolaunch-manifest(5)", p->problem ? p->problem : "?", y->file,
		p->problem_mark.line + 1);
}

/* One document only: a second one would be silently ignored. */
static bool only_one(struct yamldoc *y, yaml_parser_t *p, struct span text)
{
	yaml_document_t second;
	yaml_node_t *root;
	bool ok = true;

	if (!yaml_parser_load(p, &second))
		return parser_fail(y, p, text);
	root = yaml_document_get_root_node(&second);
	if (root)
		ok = yamldoc_fail(y, root, "remove it", "a second YAML document");
	yaml_document_delete(&second);
	return ok;
}

bool yamldoc_init(struct yamldoc *y, struct span bytes)
{
	CLEANUP(yaml_parser_delete) yaml_parser_t p;
	bool ok;

	if (!yaml_parser_initialize(&p)) {
		memset(&p, 0, sizeof(p));
		return cli_fail(y->fault, CLI_IO, "out of memory: %s", y->file);
	}
	bytes = cli_skip_bom(bytes);
	yaml_parser_set_input_string(&p, bytes.p, bytes.n);
	if (!yaml_parser_load(&p, &y->doc))
		return parser_fail(y, &p, bytes);
	if (yaml_document_get_root_node(&y->doc))
		ok = only_one(y, &p, bytes);
	else
		ok = cli_fail(y->fault, CLI_INPUT, "the file has no content: %s:1: see geolaunch-manifest(5)", y->file);
	if (!ok)
		yaml_document_delete(&y->doc);
	return ok;
}

void yamldoc_done(struct yamldoc *y)
{
	yaml_document_delete(&y->doc);
}

yaml_node_t *yamldoc_root(struct yamldoc *y)
{
	return yaml_document_get_root_node(&y->doc);
}

/* libyaml gives nodes without a tag these three; any other was written by hand. */
static bool check_tag(struct yamldoc *y, const yaml_node_t *node)
{
	static const char *const known[] = { YAML_STR_TAG, YAML_MAP_TAG, YAML_SEQ_TAG };
	const char *tag = (const char *)node->tag;

	for (size_t i = 0; tag && i < GL_COUNT(known); i++)
		if (!strcmp(tag, known[i]))
			return true;
	return !tag || yamldoc_fail(y, node, "remove the tag", "a YAML tag, %s", tag);
}

static const struct yaml_field *find_field(const struct yaml_field *fields, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].key, key))
			return &fields[i];
	return NULL;
}

static bool unknown_key(
	struct yamldoc *y, const yaml_node_t *key, const char *name, const char *what, const struct yaml_field *fields, size_t n)
{
	char known[256] = "known here:";

	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(known);

		(void)snprintf(known + at, sizeof(known) - at, " %s", fields[i].key);
	}
	return yamldoc_fail(y, key, known, "unknown key \"%s\" in %s", name, what);
}

bool yamldoc_map(struct yamldoc *y, yaml_node_t *map, const char *what, const struct yaml_field *fields, size_t n, void *target)
{
	uint64_t seen = 0;

	if (n > 64 || map->type != YAML_MAPPING_NODE)
		return yamldoc_fail(y, map, "write it as lines of \"key: value\"", "%s is no mapping", what);
	if (!check_tag(y, map))
		return false;
	for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_document_get_node(&y->doc, pair->key);
		yaml_node_t *value = yaml_document_get_node(&y->doc, pair->value);
		const char *name = yamldoc_scalar(y, key, "key");
		const struct yaml_field *f;
		uint64_t bit;

		if (!name)
			return false;
		f = find_field(fields, n, name);
		if (!f)
			return unknown_key(y, key, name, what, fields, n);
		bit = (uint64_t)1 << (f - fields);
		if (seen & bit)
			return yamldoc_fail(y, key, "remove one of them", "key \"%s\" is given twice in %s", name, what);
		seen |= bit;
		if (!f->take(y, value, f, (char *)target + f->offset))
			return false;
	}
	for (size_t i = 0; i < n; i++)
		if (fields[i].required && !(seen >> i & 1))
			return yamldoc_fail(y, map, "add it; see geolaunch-manifest(5)", "%s has no \"%s\"", what, fields[i].key);
	return true;
}

bool yamldoc_sequence(struct yamldoc *y, yaml_node_t *node, const char *what)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return yamldoc_fail(y, node, "write it as [a, b] or as lines that begin with \"- \"", "\"%s\" is no list", what);
	return check_tag(y, node);
}

yaml_node_t *yamldoc_item(struct yamldoc *y, yaml_node_t *sequence, size_t i)
{
	yaml_node_item_t *start = sequence->data.sequence.items.start;

	if (i >= (size_t)(sequence->data.sequence.items.top - start))
		return NULL;
	return yaml_document_get_node(&y->doc, start[i]);
}

const char *yamldoc_scalar(struct yamldoc *y, yaml_node_t *node, const char *what)
{
	const char *s = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE) {
		(void)yamldoc_fail(y, node, "give one value", "\"%s\" is no single value", what);
		return NULL;
	}
	if (!check_tag(y, node))
		return NULL;
	if (strlen(s) != node->data.scalar.length) {
		(void)yamldoc_fail(y, node, "remove it", "\"%s\" holds a NUL character", what);
		return NULL;
	}
	return s;
}

const char *yamldoc_plain(struct yamldoc *y, yaml_node_t *node, const char *what)
{
	const char *s = yamldoc_scalar(y, node, what);

	if (s && node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
		(void)yamldoc_fail(y, node, "write it without quotes", "\"%s\" is text, not a number or true or false", what);
		return NULL;
	}
	return s;
}

bool yaml_take_text(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	const char *s = yamldoc_scalar(y, value, f->key);
	struct yaml_text *out = target;

	if (!s)
		return false;
	/* YAML's null: a key whose value was forgotten. */
	if (value->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (!*s || !strcmp(s, "~") || !strcmp(s, "null")))
		return yamldoc_fail(y, value, "give a value or remove the key", "\"%s\" has no value", f->key);
	if (strlen(s) < f->min)
		return yamldoc_fail(y, value, "give a value", "\"%s\" is empty", f->key);
	if (strlen(s) > f->max)
		return yamldoc_fail(y, value, "make it shorter", "\"%s\" has %zu characters, at most %llu are possible", f->key, strlen(s),
			(unsigned long long)f->max);
	for (const char *c = s; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return yamldoc_fail(
				y, value, "use printable ASCII on one line", "\"%s\" holds the byte 0x%02x", f->key, (unsigned char)*c);
	out->s = strdup(s);
	out->line = yamldoc_line(value);
	return out->s || cli_fail(y->fault, CLI_IO, "out of memory: %s", y->file);
}

bool yaml_take_number(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	const char *s = yamldoc_plain(y, value, f->key);
	struct yaml_number *out = target;
	char advice[80];
	uint64_t v;

	if (!s)
		return false;
	(void)snprintf(
		advice, sizeof(advice), "give a whole number from %llu to %llu", (unsigned long long)f->min, (unsigned long long)f->max);
	if (!cli_number(s, UINT64_MAX, &v))
		return yamldoc_fail(y, value, advice, "\"%s\" is no number: \"%.40s\"", f->key, s);
	if (v < f->min || v > f->max)
		return yamldoc_fail(y, value, advice, "\"%s\" is out of range: %.40s", f->key, s);
	*out = (struct yaml_number){ v, yamldoc_line(value) };
	return true;
}

bool yaml_take_choice(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	const char *s = yamldoc_scalar(y, value, f->key);
	struct yaml_number *out = target;
	char advice[128] = "use one of:";

	if (!s)
		return false;
	for (uint64_t i = 0; f->names[i]; i++) {
		size_t at = strlen(advice);

		if (!strcmp(s, f->names[i])) {
			*out = (struct yaml_number){ i, yamldoc_line(value) };
			return true;
		}
		(void)snprintf(advice + at, sizeof(advice) - at, " %s", f->names[i]);
	}
	return yamldoc_fail(y, value, advice, "\"%s\" cannot be \"%.40s\"", f->key, s);
}

bool yaml_take_bool(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	const char *s = yamldoc_plain(y, value, f->key);
	struct yaml_number *out = target;

	if (!s)
		return false;
	if (strcmp(s, "true") != 0 && strcmp(s, "false") != 0)
		return yamldoc_fail(y, value, "use true or false", "\"%s\" cannot be \"%.40s\"", f->key, s);
	*out = (struct yaml_number){ *s == 't', yamldoc_line(value) };
	return true;
}
