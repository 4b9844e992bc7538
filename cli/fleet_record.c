/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/fleet_record.h"

#include <string.h>

#define NAME_START "{\"name\":\""

/* Name, policy and index at their largest, with the values of every bank. */
static_assert(2 * (GEO_NV_MAX + VLP_MAX_SIZE) + 6 * (2 * (20 + 32 + 48 + 64) + ALG_COUNT * 8) + 512 <= FLEET_RECORD_MAX,
	"a line has room for every record");

/* ---- writing ---- */

void fleet_header_write(size_t count, struct text *t)
{
	text_str(t, "{\"format\":\"" FLEET_FORMAT "\",\"count\":");
	text_u64(t, count);
	text_str(t, "}\n");
}

static void write_pcrs(const struct pcrs *p, struct text *t)
{
	const char *bank_comma = "";

	text_str(t, "\"pcrs\":{");
	for (unsigned a = 0; a < ALG_COUNT; a++) {
		if (!(p->banks & ALG_BIT(a)))
			continue;
		text_str(t, bank_comma);
		bank_comma = ",";
		text_char(t, '"');
		text_str(t, alg_table[a].name);
		text_str(t, "\":{");
		for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
			text_str(t, pcr == PCR_DRTM_FIRST ? "\"" : ",\"");
			text_u64(t, pcr);
			text_str(t, "\":\"");
			text_bytes(t, pcr_value(p, a, pcr));
			text_char(t, '"');
		}
		text_char(t, '}');
	}
	text_char(t, '}');
}

void fleet_record_write(const struct fleet_common *c, const struct fleet_result *r, const char *name, struct span content, struct text *t)
{
	struct geo_tag tag;
	bool is_tag = content.n > 0 && geo_decode(content, &tag) == GEO_OK;

	/* What is put in as it is: names are of letters, digits and . _ - alone, countries of letters. */
	text_str(t, NAME_START);
	text_str(t, name);
	text_str(t, "\",\"country\":");
	text_str(t, is_tag ? "\"" : "null");
	text_str(t, is_tag ? tag.country : "");
	text_str(t, is_tag ? "\",\"geo\":" : ",\"geo\":");
	text_str(t, content.n ? "\"" : "null");
	text_bytes(t, content);
	text_str(t, content.n ? "\",\"policy\":\"" : ",\"policy\":\"");
	text_bytes(t, (struct span){ r->policy, c->policy_size });
	text_str(t, "\",");
	write_pcrs(&r->pcrs, t);
	text_str(t, "}\n");
}

/* ---- reading ---- */

bool fleet_header_parse(struct span line, uint64_t *count)
{
	CLEANUP_JSON json_t *o = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	const char *format = json_string_value(json_object_get(o, "format"));
	json_t *n = json_object_get(o, "count");

	if (!format || strcmp(format, FLEET_FORMAT) != 0 || json_object_size(o) != 2 || !json_is_integer(n) || json_integer_value(n) < 0)
		return false;
	*count = (uint64_t)json_integer_value(n);
	return true;
}

struct span fleet_record_name(struct span line)
{
	const struct span start = SPAN_LITERAL(NAME_START);
	const uint8_t *end;

	if (line.n <= start.n || memcmp(line.p, start.p, start.n) != 0)
		return (struct span){ NULL, 0 };
	line = (struct span){ line.p + start.n, line.n - start.n };
	end = memchr(line.p, '"', line.n);
	return (struct span){ line.p, end ? (size_t)(end - line.p) : 0 };
}

GL_MUST static bool take_bytes(json_t *v, uint8_t *out, size_t max, size_t *n)
{
	const char *s = json_string_value(v);

	*n = s ? strlen(s) / 2 : 0;
	return s && *n > 0 && *n <= max && strlen(s) == 2 * *n && cli_unhex(s, out, *n);
}

GL_MUST static bool take_pcrs(json_t *o, alg_set banks, struct pcrs *out)
{
	*out = (struct pcrs){ .banks = banks };
	for (unsigned a = 0; a < ALG_COUNT; a++) {
		json_t *values = json_object_get(o, alg_table[a].name);

		if (!(banks & ALG_BIT(a)))
			continue;
		for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
			char key[8];
			size_t n;

			(void)snprintf(key, sizeof(key), "%u", pcr);
			if (!take_bytes(json_object_get(values, key), out->v[a][pcr], alg_table[a].size, &n) || n != alg_table[a].size)
				return false;
			out->known[a] |= 1u << pcr;
		}
		if (json_object_size(values) != PCR_DRTM_LAST - PCR_DRTM_FIRST + 1)
			return false;
	}
	return json_object_size(o) == (size_t)__builtin_popcount(banks);
}

/* What "country" says follows from the content; something else would be believed by those who read no more than that. */
GL_MUST static bool country_agrees(json_t *v, struct span content)
{
	struct geo_tag tag;

	if (content.n > 0 && geo_decode(content, &tag) == GEO_OK)
		return json_is_string(v) && !strcmp(json_string_value(v), tag.country);
	return json_is_null(v);
}

const char *fleet_record_parse(struct span line, alg_set banks, struct fleet_record *out)
{
	CLEANUP_JSON json_t *o = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(o, "name"));
	json_t *geo = json_object_get(o, "geo");

	if (!o || json_object_size(o) != 5)
		return "no record of a host";
	if (!name || !fleet_name_valid(name) || !span_equal(fleet_record_name(line), span_str(name)))
		return "\"name\" is no name, or does not come first";
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	out->content_size = 0;
	if (!json_is_null(geo) && !take_bytes(geo, out->content, sizeof(out->content), &out->content_size))
		return "\"geo\" is no content of an index";
	if (!country_agrees(json_object_get(o, "country"), (struct span){ out->content, out->content_size }))
		return "\"country\" is not that of \"geo\"";
	if (!take_bytes(json_object_get(o, "policy"), out->policy, sizeof(out->policy), &out->policy_size))
		return "\"policy\" is no policy";
	return take_pcrs(json_object_get(o, "pcrs"), banks, &out->pcrs) ? NULL : "\"pcrs\" lacks values, or has too many";
}
