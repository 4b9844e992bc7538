/* SPDX-License-Identifier: BSD-3-Clause */
#include "geo/geo.h"

#include <string.h>

#include "common/cursor.h"

#define FLAG_COORDINATES 0x1u
#define COUNTRY_SIZE 2
#define SUBDIVISION_SIZE 4
/* ISO 3166-2: up to three characters behind the hyphen. */
#define SUBDIVISION_MAX 3
#define LATITUDE_MAX 900000000
#define LONGITUDE_MAX 1800000000

static_assert(GEO_TAG_SIZE == 4 + 2 + 2 + COUNTRY_SIZE + SUBDIVISION_SIZE + 2 + 4 + 4 + GEO_SITE_MAX, "the record of geo.h");

static const char magic[4] = { 'G', 'E', 'O', '1' };

static const char *const messages[GEO_ERROR_COUNT] = {
	[GEO_OK] = "no error",
	[GEO_E_SIZE] = "a geo tag has 64 bytes and says so at offset 4",
	[GEO_E_MAGIC] = "the content does not begin with GEO1: not a geo tag of ours, but it can be measured all the same",
	[GEO_E_FLAGS] = "unknown flags (offset 6)",
	[GEO_E_COUNTRY] = "the country is not two capital letters (ISO 3166-1 alpha-2, offset 8)",
	[GEO_E_SUBDIVISION] = "the subdivision is not up to three capital letters or digits (ISO 3166-2 behind the hyphen, offset 10)",
	[GEO_E_RESERVED] = "the reserved bytes are not 0 (offset 14)",
	[GEO_E_COORDINATES] =
		"the coordinates are out of range (90 degrees north or south, 180 east or west; offset 16) or lack their flag",
	[GEO_E_SITE] = "the site is not up to 40 printable ASCII characters, padded with NUL (offset 24)",
};

const char *geo_strerror(enum geo_error e)
{
	return (unsigned)e < GEO_ERROR_COUNT ? messages[e] : "unknown geo tag error";
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_upper_or_digit(char c)
{
	return is_upper(c) || (c >= '0' && c <= '9');
}

static bool is_printable(char c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* Length of a string that is expected to end within `max` characters; max + 1 if it does not. */
static size_t length(const char *s, size_t max)
{
	size_t n = 0;

	while (n <= max && s[n])
		n++;
	return n;
}

static bool all(const char *s, bool (*test)(char c))
{
	for (; *s; s++)
		if (!test(*s))
			return false;
	return true;
}

static enum geo_error check(const struct geo_tag *tag)
{
	if (length(tag->country, COUNTRY_SIZE) != COUNTRY_SIZE || !all(tag->country, is_upper))
		return GEO_E_COUNTRY;
	if (length(tag->subdivision, SUBDIVISION_MAX) > SUBDIVISION_MAX || !all(tag->subdivision, is_upper_or_digit))
		return GEO_E_SUBDIVISION;
	if (tag->latitude < -LATITUDE_MAX || tag->latitude > LATITUDE_MAX || tag->longitude < -LONGITUDE_MAX ||
		tag->longitude > LONGITUDE_MAX)
		return GEO_E_COORDINATES;
	if (!tag->has_coordinates && (tag->latitude || tag->longitude))
		return GEO_E_COORDINATES;
	if (length(tag->site, GEO_SITE_MAX) > GEO_SITE_MAX || !all(tag->site, is_printable))
		return GEO_E_SITE;
	return GEO_OK;
}

/* Copies a NUL-padded field. False if something follows the first NUL. */
static bool take_padded(struct span field, char *out)
{
	size_t n = 0;

	while (n < field.n && field.p[n])
		n++;
	for (size_t i = n; i < field.n; i++)
		if (field.p[i])
			return false;
	memcpy(out, field.p, n);
	return true;
}

enum geo_error geo_decode(struct span bytes, struct geo_tag *out)
{
	struct geo_tag tag = { .has_coordinates = false };
	struct rd r = rd_init(bytes);
	struct span head = rd_bytes(&r, sizeof(magic));

	if (r.bad || !head.p || memcmp(head.p, magic, sizeof(magic)) != 0)
		return GEO_E_MAGIC;

	uint16_t size = rd_le16(&r);

	if (bytes.n != GEO_TAG_SIZE || size != GEO_TAG_SIZE)
		return GEO_E_SIZE;

	/* The length is right, so none of the reads below can fail. */
	uint16_t flags = rd_le16(&r);
	struct span country = rd_bytes(&r, COUNTRY_SIZE);
	struct span subdivision = rd_bytes(&r, SUBDIVISION_SIZE);
	uint16_t reserved = rd_le16(&r);

	tag.has_coordinates = flags & FLAG_COORDINATES;
	tag.latitude = (int32_t)rd_le32(&r);
	tag.longitude = (int32_t)rd_le32(&r);

	struct span site = rd_bytes(&r, GEO_SITE_MAX);

	if (!rd_done(&r))
		return GEO_E_SIZE;
	if (flags & ~FLAG_COORDINATES)
		return GEO_E_FLAGS;
	if (!take_padded(country, tag.country))
		return GEO_E_COUNTRY;
	if (!take_padded(subdivision, tag.subdivision))
		return GEO_E_SUBDIVISION;
	if (reserved)
		return GEO_E_RESERVED;
	if (!take_padded(site, tag.site))
		return GEO_E_SITE;

	enum geo_error error = check(&tag);

	if (!error)
		*out = tag;
	return error;
}

static void put_padded(struct wr *w, const char *s, size_t size)
{
	size_t n = length(s, size - 1);

	wr_bytes(w, (struct span){ (const uint8_t *)s, n });
	for (; n < size; n++)
		wr_u8(w, 0);
}

enum geo_error geo_encode(const struct geo_tag *tag, uint8_t out[GEO_TAG_SIZE])
{
	struct wr w = wr_init((struct mspan){ out, GEO_TAG_SIZE });
	enum geo_error error = check(tag);

	if (error)
		return error;
	wr_bytes(&w, SPAN_OF(magic));
	wr_le16(&w, GEO_TAG_SIZE);
	wr_le16(&w, tag->has_coordinates ? FLAG_COORDINATES : 0);
	put_padded(&w, tag->country, COUNTRY_SIZE);
	put_padded(&w, tag->subdivision, SUBDIVISION_SIZE);
	wr_le16(&w, 0);
	wr_le32(&w, (uint32_t)tag->latitude);
	wr_le32(&w, (uint32_t)tag->longitude);
	put_padded(&w, tag->site, GEO_SITE_MAX);
	return GEO_OK;
}
