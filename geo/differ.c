/* SPDX-License-Identifier: BSD-3-Clause */
#include "geo/geo.h"

#include <string.h>

#define DEGREE 10000000

/* 1e-7 degrees with as many decimals as are needed: "8.6821". */
static void degrees(struct text *t, int32_t v)
{
	uint64_t magnitude = v < 0 ? (uint64_t)(-(int64_t)v) : (uint64_t)v, rest = magnitude % DEGREE;

	if (v < 0)
		text_char(t, '-');
	text_u64(t, magnitude / DEGREE);
	if (rest)
		text_char(t, '.');
	for (uint64_t digit = DEGREE / 10; rest; digit /= 10) {
		text_char(t, (char)('0' + rest / digit));
		rest %= digit;
	}
}

static void coordinates(struct text *t, const struct geo_tag *tag)
{
	if (!tag->has_coordinates) {
		text_str(t, "none");
		return;
	}
	degrees(t, tag->latitude);
	text_char(t, ' ');
	degrees(t, tag->longitude);
}

static void field(struct text *t, const char *name, bool first)
{
	text_str(t, first ? "" : "; ");
	text_str(t, name);
	text_char(t, ' ');
}

static bool string(struct text *t, const char *name, const char *found, const char *expected, bool first)
{
	if (!strcmp(found, expected))
		return first;
	field(t, name, first);
	text_str(t, *found ? found : "none");
	text_str(t, ", expected ");
	text_str(t, *expected ? expected : "none");
	return false;
}

void geo_difference_text(const struct geo_tag *found, const struct geo_tag *expected, struct text *t)
{
	bool first = string(t, "country", found->country, expected->country, true);

	first = string(t, "subdivision", found->subdivision, expected->subdivision, first);
	first = string(t, "site", found->site, expected->site, first);
	if (found->has_coordinates == expected->has_coordinates && found->latitude == expected->latitude &&
		found->longitude == expected->longitude)
		return;
	field(t, "coordinates", first);
	coordinates(t, found);
	text_str(t, ", expected ");
	coordinates(t, expected);
}
