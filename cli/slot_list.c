/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/slot_list.h"

#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "common/hash.h"
#include "common/text.h"

#define FIRST_LINE "# geolaunch 1 "

static_assert(sizeof(FIRST_LINE) + SLOT_LABEL_MAX + (size_t)SLOT_LIST_MAX_FILES * (64 + 2 + DESCRIPTION_MAX_FILE + 1) <= SLOT_LIST_MAX_SIZE,
	"every list fits");

static bool label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

void slot_list_label(struct slot_list *l, const char *text)
{
	size_t n = 0;

	for (; n < SLOT_LABEL_MAX && text[n]; n++)
		l->label[n] = label_char(text[n]) ? text[n] : '_';
	if (n == 0)
		l->label[n++] = '_';
	l->label[n] = 0;
}

bool slot_list_add(struct slot_list *l, struct span name, const uint8_t digest[32])
{
	struct slot_file f = { .name = "" };
	size_t at = l->count;

	if (l->count == SLOT_LIST_MAX_FILES || !description_file_valid(name))
		return false;
	memcpy(f.name, name.p, name.n);
	memcpy(f.digest, digest, sizeof(f.digest));
	if (!strcasecmp(f.name, SLOT_LIST_FILE) || !strcasecmp(f.name, SLOT_TEMPORARY))
		return false;
	for (size_t i = 0; i < l->count; i++)
		if (!strcasecmp(l->files[i].name, f.name))
			return false;
	for (; at > 0 && strcmp(l->files[at - 1].name, f.name) > 0; at--)
		l->files[at] = l->files[at - 1];
	l->files[at] = f;
	l->count++;
	return true;
}

size_t slot_list_write(const struct slot_list *l, struct mspan buf)
{
	struct text t = { .p = (char *)buf.p, .cap = buf.n };

	text_str(&t, FIRST_LINE);
	text_str(&t, l->label);
	text_char(&t, '\n');
	for (size_t i = 0; i < l->count; i++) {
		text_bytes(&t, SPAN_OF(l->files[i].digest));
		text_str(&t, "  ");
		text_str(&t, l->files[i].name);
		text_char(&t, '\n');
	}
	return t.cut ? 0 : t.n;
}

GL_MUST static bool take_line(struct span *text, struct span *line)
{
	const uint8_t *end = text->n ? memchr(text->p, '\n', text->n) : NULL;

	if (!end)
		return false;
	*line = (struct span){ text->p, (size_t)(end - text->p) };
	*text = (struct span){ end + 1, text->n - line->n - 1 };
	return true;
}

GL_MUST static bool parse_file(struct span line, struct slot_list *out)
{
	char hex[65];
	uint8_t digest[32];
	struct span name;

	if (line.n <= 66 || line.p[64] != ' ' || line.p[65] != ' ')
		return false;
	memcpy(hex, line.p, 64);
	hex[64] = 0;
	name = (struct span){ line.p + 66, line.n - 66 };
	/* What was added in its place must have come last: a list has one text only. */
	return cli_unhex(hex, digest, sizeof(digest)) && strspn(hex, "0123456789abcdef") == 64 && slot_list_add(out, name, digest) &&
	       span_is_str(name, out->files[out->count - 1].name);
}

bool slot_list_parse(struct span text, struct slot_list *out)
{
	const size_t first = sizeof(FIRST_LINE) - 1;
	struct span line;

	out->count = 0;
	if (text.n > SLOT_LIST_MAX_SIZE || !take_line(&text, &line) || line.n <= first || line.n - first > SLOT_LABEL_MAX ||
		memcmp(line.p, FIRST_LINE, first) != 0)
		return false;
	for (size_t i = first; i < line.n; i++)
		if (!label_char((char)line.p[i]))
			return false;
	memcpy(out->label, line.p + first, line.n - first);
	out->label[line.n - first] = 0;
	while (text.n > 0)
		if (!take_line(&text, &line) || !parse_file(line, out))
			return false;
	return out->count > 0;
}

void slot_list_slot(struct span text, char out[SLOT_NAME_SIZE + 1])
{
	struct text t = { .p = out, .cap = SLOT_NAME_SIZE + 1 };
	struct digests d;

	hash_span(ALG_BIT(ALG_SHA256), text, &d);
	text_bytes(&t, (struct span){ digest_span(&d, ALG_SHA256).p, SLOT_NAME_SIZE / 2 });
}
