/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/slots.h"

#include <string.h>

#include "common/hex.h"
#include "common/text.h"

#define FORMAT_LINE "geolaunch-slots 1\n"

static const char *const start_names[SLOTS_START_COUNT] = {
	[SLOTS_ENTRY] = "entry",
	[SLOTS_REMOVABLE] = "removable",
	[SLOTS_NOTHING] = "none",
};

const char *slots_start_name(enum slots_start start)
{
	return start < SLOTS_START_COUNT ? start_names[start] : "?";
}

bool slot_name_valid(struct span name)
{
	if (name.n != SLOT_NAME_SIZE)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (hex_lower(name.p[i]) < 0)
			return false;
	return true;
}

/* Takes `what` from the front. */
GL_MUST static bool take(struct span *text, struct span what)
{
	if (text->n < what.n || !span_equal((struct span){ text->p, what.n }, what))
		return false;
	*text = (struct span){ text->p + what.n, text->n - what.n };
	return true;
}

GL_MUST static bool take_start(struct span *text, enum slots_start *out)
{
	for (unsigned i = 0; i < SLOTS_START_COUNT; i++)
		if (take(text, span_str(start_names[i]))) {
			*out = (enum slots_start)i;
			return take(text, SPAN_LITERAL("\n"));
		}
	return false;
}

GL_MUST static bool take_slot(struct span *text, struct span key, char out[SLOT_NAME_SIZE + 1])
{
	struct span name;

	if (!take(text, key) || text->n < SLOT_NAME_SIZE)
		return false;
	name = (struct span){ text->p, SLOT_NAME_SIZE };
	if (!slot_name_valid(name) || !take(text, name) || !take(text, SPAN_LITERAL("\n")))
		return false;
	memcpy(out, name.p, SLOT_NAME_SIZE);
	out[SLOT_NAME_SIZE] = 0;
	return true;
}

bool slots_parse(struct span text, struct slots *out)
{
	struct slots s = { .start = SLOTS_ENTRY };

	if (!take(&text, SPAN_LITERAL(FORMAT_LINE)) || !take(&text, SPAN_LITERAL("start ")) || !take_start(&text, &s.start) ||
		!take_slot(&text, SPAN_LITERAL("current "), s.current))
		return false;
	if (text.n > 0 && (!take_slot(&text, SPAN_LITERAL("previous "), s.previous) || text.n > 0))
		return false;
	if (memcmp(s.current, s.previous, sizeof(s.current)) == 0)
		return false;
	*out = s;
	return true;
}

size_t slots_write(const struct slots *s, struct mspan buf)
{
	struct text t = { .p = (char *)buf.p, .cap = buf.n };
	struct slots again;

	text_str(&t, FORMAT_LINE "start ");
	text_str(&t, slots_start_name(s->start));
	text_str(&t, "\ncurrent ");
	text_str(&t, s->current);
	if (s->previous[0]) {
		text_str(&t, "\nprevious ");
		text_str(&t, s->previous);
	}
	text_char(&t, '\n');
	/* What cannot be read must not be written. */
	return !t.cut && slots_parse((struct span){ buf.p, t.n }, &again) ? t.n : 0;
}
