/* SPDX-License-Identifier: BSD-3-Clause */
/* The manifest's geo entry. */
#include <string.h>

#include "cli/manifest_impl.h"

static const char *const nv_names[] = { "nv", "nv_raw", NULL };

static bool take_index(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct yaml_number *out = target;

	if (!yaml_take_number(y, value, f, target))
		return false;
	if (out->v == GEO_INDEX_TPM12)
		return yamldoc_fail(y, value, "use the default, 0x01c10110",
			"NV index 0x%08x is one of TPM 1.2; a TPM 2.0 cannot define it", GEO_INDEX_TPM12);
	return geo_index_possible((uint32_t)out->v) || yamldoc_fail(y, value, "NV indices are 0x01000000 to 0x01ffffff; default 0x01c10110",
							       "0x%llx is no NV index", (unsigned long long)out->v);
}

struct raw_tag {
	struct yaml_text country, subdivision, site;
	struct yaml_number latitude, longitude; /* two's complement; max is the limit in degrees */
};

static bool take_degrees(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	const char *s = yamldoc_plain(y, value, f->key);
	struct yaml_number *out = target;
	char advice[80];
	int32_t v;

	if (!s)
		return false;
	(void)snprintf(advice, sizeof(advice), "give degrees from -%llu to %llu with at most 7 decimals", (unsigned long long)f->max,
		(unsigned long long)f->max);
	if (!cli_degrees(s, (int)f->max, &v))
		return yamldoc_fail(y, value, advice, "\"%s\" cannot be \"%.40s\"", f->key, s);
	*out = (struct yaml_number){ (uint64_t)v, yamldoc_line(value) };
	return true;
}

/* Longer ones than a tag has room for are told apart from others that are wrong. */
#define PLACE_MAX 80

static bool take_country(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	const struct yaml_text *out = target;
	const char *advice;

	if (!yaml_take_text(y, value, f, target))
		return false;
	advice = geo_country_advice(out->s);
	return !advice || yamldoc_fail(y, value, advice, "\"%s\" cannot be \"%.40s\"", f->key, out->s);
}

static bool take_subdivision(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	const struct yaml_text *out = target;
	char buf[80];
	struct text room = TEXT_OF(buf);
	const char *advice;

	if (!yaml_take_text(y, value, f, target))
		return false;
	advice = geo_subdivision_advice(out->s, &room);
	return !advice || yamldoc_fail(y, value, advice, "\"%s\" cannot be \"%.40s\"", f->key, out->s);
}

static const struct yaml_field tag_fields[] = {
	{ .key = "country", .required = true, .take = take_country, AT(raw_tag, country), .min = 1, .max = PLACE_MAX },
	{ .key = "subdivision", .take = take_subdivision, AT(raw_tag, subdivision), .min = 1, .max = PLACE_MAX },
	{ .key = "site", .take = yaml_take_text, AT(raw_tag, site), .min = 1, .max = GEO_SITE_MAX },
	{ .key = "latitude", .take = take_degrees, AT(raw_tag, latitude), .max = 90 },
	{ .key = "longitude", .take = take_degrees, AT(raw_tag, longitude), .max = 180 },
};

static void free_tag(struct raw_tag *t)
{
	free(t->country.s);
	free(t->subdivision.s);
	free(t->site.s);
}

/* Lengths were checked against the record's fields already. */
static void copy_text(char *out, size_t cap, const struct yaml_text *t)
{
	(void)snprintf(out, cap, "%s", t->s ? t->s : "");
}

static bool take_tag(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	CLEANUP(free_tag) struct raw_tag t = { .latitude.line = 0 };
	struct manifest_geo *geo = target;
	struct geo_tag tag = { .has_coordinates = false };
	enum geo_error error;

	if (!yamldoc_map(y, value, f->key, tag_fields, GL_COUNT(tag_fields), &t))
		return false;
	if (!t.latitude.line != !t.longitude.line)
		return yamldoc_fail(y, value, "give both or none", "tag has only one of latitude and longitude");
	copy_text(tag.country, sizeof(tag.country), &t.country);
	copy_text(tag.subdivision, sizeof(tag.subdivision), &t.subdivision);
	copy_text(tag.site, sizeof(tag.site), &t.site);
	tag.has_coordinates = t.latitude.line != 0;
	tag.latitude = (int32_t)t.latitude.v;
	tag.longitude = (int32_t)t.longitude.v;
	error = geo_encode(&tag, geo->tag);
	if (error != GEO_OK)
		return yamldoc_fail(y, value, "see geolaunch-manifest(5)", "tag is wrong: %s", geo_strerror(error));
	geo->has_tag = true;
	geo->tag_line = yamldoc_line(value);
	return true;
}

static const struct yaml_field geo_fields[] = {
	{ .key = "index", .take = take_index, AT(raw, raw_geo.index), .max = UINT32_MAX },
	{ .key = "kind", .take = yaml_take_choice, AT(raw, raw_geo.kind), .names = nv_names },
	{ .key = "file", .take = yaml_take_text, AT(raw, geo.file), .min = 1, .max = FILE_MAX_LENGTH },
	{ .key = "tag", .take = take_tag, AT(raw, geo) },
	{ .key = "verify", .take = yaml_take_bool, AT(raw, raw_geo.verify) },
	{ .key = "pcr", .take = manifest_take_pcr, AT(raw, raw_geo.pcr), PCR_RANGE },
};

bool manifest_take_geo(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct raw *r = target;
	struct manifest_geo *geo = &r->geo;

	if (!yamldoc_map(y, value, f->key, geo_fields, GL_COUNT(geo_fields), r))
		return false;
	geo->given = true;
	geo->line = yamldoc_line(value);
	geo->index = (uint32_t)manifest_number_or(&r->raw_geo.index, GEO_INDEX_DEFAULT);
	geo->raw = manifest_number_or(&r->raw_geo.kind, 0) == 1;
	geo->verify = manifest_number_or(&r->raw_geo.verify, 1) != 0;
	geo->pcr = (uint8_t)manifest_number_or(&r->raw_geo.pcr, PCR_DRTM_LAST);
	return geo->has_tag != (geo->file.s != NULL) ||
	       yamldoc_fail(y, value, "give the content of the NV index by one of them", "geo has %s \"file\" %s \"tag\"",
		       geo->has_tag ? "both" : "neither", geo->has_tag ? "and" : "nor");
}
