/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/custom.h"
#include "lcp/element_layout.h"
#include "lcp/print.h"

static void print_pcrs(const struct lcp_pcr_info *info, unsigned indent, struct text *t)
{
	bool first = true;

	lcp_print_name(t, indent, "pcrs");
	for (size_t i = 0; i < info->select.n * 8; i++) {
		if (!(info->select.p[i / 8] >> i % 8 & 1))
			continue;
		if (!first)
			text_char(t, ',');
		first = false;
		text_u64(t, i);
	}
	text_char(t, '\n');
}

static void print_pcr_infos(const struct lcp_element *e, unsigned indent, struct text *t)
{
	struct lcp_pcr_infos it = lcp_pcr_infos_in(e);
	struct lcp_pcr_info info;

	for (unsigned i = 0; lcp_pcr_infos_left(&it); i++) {
		enum lcp_error error = lcp_pcr_infos_next(&it, &info);

		if (error) {
			lcp_print_name(t, indent, "error");
			text_str(t, lcp_strerror(error));
			text_char(t, '\n');
			return;
		}
		lcp_print_number(t, indent, "pcr_info", i);
		lcp_print_alg(t, indent + 2, "hash_alg", info.hash_alg);
		print_pcrs(&info, indent + 2, t);
		if (e->type == LCP_ELEMENT_PCONF)
			lcp_print_hex(t, indent + 2, "locality", info.locality, 2);
		lcp_print_bytes(t, indent + 2, "digest", info.digest);
	}
}

static void print_field(const struct lcp_element *e, enum lcp_element_field field, unsigned indent, struct text *t)
{
	switch (field) {
	case LCP_FIELD_SINIT_MIN:
		lcp_print_hex(t, indent, "sinit_min_version", e->sinit_min_version, 2);
		break;
	case LCP_FIELD_ALG_LEGACY:
	case LCP_FIELD_ALG:
		lcp_print_alg(t, indent, "hash_alg", e->hash_alg);
		break;
	case LCP_FIELD_FALLBACK:
		lcp_print_bytes(t, indent, "fallback_hash", e->fallback);
		break;
	case LCP_FIELD_COUNT:
		lcp_print_number(t, indent, lcp_element_has(lcp_element_layout(e->type), LCP_FIELD_HASHES) ? "num_hashes" : "num_pcr_infos",
			e->count);
		break;
	case LCP_FIELD_HASHES:
		for (unsigned i = 0; lcp_element_hash(e, i).n; i++)
			lcp_print_bytes(t, indent + 2, "hash", lcp_element_hash(e, i));
		break;
	case LCP_FIELD_PCR_INFOS:
		print_pcr_infos(e, indent + 2, t);
		break;
	case LCP_FIELD_UUID:
		lcp_print_name(t, indent, "uuid");
		lcp_uuid_print(e->uuid, t);
		text_char(t, '\n');
		break;
	case LCP_FIELD_DATA:
		lcp_print_number(t, indent, "data_size", e->data.n);
		lcp_print_bytes(t, indent, "data", e->data);
		break;
	default:
		break;
	}
}

static bool any_reserved(const struct lcp_element *e)
{
	for (size_t i = 0; i < LCP_ELEMENT_RESERVED_MAX; i++)
		if (e->reserved[i])
			return true;
	return false;
}

void lcp_element_print(const struct lcp_element *e, unsigned indent, struct text *t)
{
	const struct lcp_element_layout *layout = lcp_element_layout(e->type);

	lcp_print_name(t, indent, "type");
	text_str(t, layout ? layout->name : "unknown");
	text_str(t, " (");
	text_hex(t, e->type, 2);
	text_str(t, ")\n");
	lcp_print_hex(t, indent, "control", e->control, 8);
	if (!layout)
		layout = &lcp_element_unknown;
	for (size_t i = 0; layout->fields[i] != LCP_FIELD_END; i++)
		print_field(e, layout->fields[i], indent, t);
	if (any_reserved(e))
		lcp_print_bytes(t, indent, "reserved", SPAN_OF(e->reserved));
}
