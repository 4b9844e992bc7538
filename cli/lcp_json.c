/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/lcp.h"
#include "lcp/custom.h"
#include "lcp/digest.h"
#include "lcp/element_layout.h"

json_t *lcp_json_alg(uint16_t tpm_id)
{
	const char *name = lcp_alg_name(tpm_id);

	return name ? json_string(name) : json_sprintf("0x%04x", tpm_id);
}

static json_t *version_json(uint16_t version)
{
	return json_sprintf("%u.%u", version >> 8, version & 0xff);
}

/* {"value": N, "names": [...]} with what `print` writes, split at its commas. */
static json_t *mask_json(uint32_t mask, const char *printed)
{
	CLEANUP_JSON json_t *names = json_array();

	for (const char *s = printed; mask && *s;) {
		size_t n = strcspn(s, ",");

		(void)json_array_append_new(names, json_stringn(s, n));
		s += n + (s[n] == ',');
	}
	return json_pack("{s:I, s:O}", "value", (json_int_t)mask, "names", names);
}

json_t *lcp_json_hash_mask(uint16_t mask)
{
	char buf[256] = "";
	struct text t = TEXT_OF(buf);

	lcp_hash_mask_print(mask, &t);
	return mask_json(mask, buf);
}

json_t *lcp_json_sign_mask(uint32_t mask)
{
	char buf[512] = "";
	struct text t = TEXT_OF(buf);

	lcp_sign_mask_print(mask, &t);
	return mask_json(mask, buf);
}

static json_t *control_json(uint32_t control)
{
	return json_pack("{s:I, s:b, s:b, s:b, s:b}", "value", (json_int_t)control, "npw", (control & LCP_CONTROL_NPW) != 0, "sinit_caps",
		(control & LCP_CONTROL_SINIT_CAPS) != 0, "owner_enforced", (control & LCP_CONTROL_OWNER_ENFORCED) != 0, "aux_delete",
		(control & LCP_CONTROL_AUX_DELETE) != 0);
}

json_t *lcp_json_policy(const struct lcp_policy *p)
{
	CLEANUP_JSON json_t *counters = json_array();
	const char *type = lcp_policy_type_name(p->type);

	for (unsigned i = 0; i < LCP_MAX_LISTS; i++)
		(void)json_array_append_new(counters, json_integer(p->revocation[i]));
	return json_pack("{s:o, s:o, s:o, s:i, s:O, s:o, s:i, s:i, s:o, s:o, s:o, s:i, s:i, s:o}", "version", version_json(p->version),
		"hash_alg", lcp_json_alg(p->hash_alg), "type", type ? json_string(type) : json_sprintf("0x%02x", p->type),
		"sinit_min_version", p->sinit_min_version, "revocation_counters", counters, "control", control_json(p->control),
		"max_sinit_min_version", p->max_sinit_min_version, "max_biosac_min_version", p->max_biosac_min_version, "hash_alg_mask",
		lcp_json_hash_mask(p->hash_mask), "sign_alg_mask", lcp_json_sign_mask(p->sign_mask), "aux_hash_alg_mask",
		lcp_json_hash_mask(p->aux_hash_mask), "reserved1", p->reserved1, "reserved2", p->reserved2, "hash",
		cli_json_hex(lcp_policy_hash(p)));
}

/* ---- elements ---- */

static json_t *element_control_json(uint32_t control)
{
	return json_pack("{s:I, s:b, s:b, s:b}", "value", (json_int_t)control, "override_ps", (control & LCP_ELEMENT_OVERRIDE_PS) != 0,
		"stm_required", (control & LCP_ELEMENT_STM_REQUIRED) != 0, "oem_pcr", (control & LCP_ELEMENT_OEM_PCR) != 0);
}

static json_t *hashes_json(const struct lcp_element *e)
{
	CLEANUP_JSON json_t *out = json_array();

	for (unsigned i = 0; lcp_element_hash(e, i).n > 0; i++)
		(void)json_array_append_new(out, cli_json_hex(lcp_element_hash(e, i)));
	return json_incref(out);
}

static json_t *pcr_info_json(const struct lcp_element *e, const struct lcp_pcr_info *info)
{
	CLEANUP_JSON json_t *pcrs = json_array();
	CLEANUP_JSON json_t *out = NULL;

	for (size_t i = 0; i < info->select.n * 8; i++)
		if (info->select.p[i / 8] >> i % 8 & 1)
			(void)json_array_append_new(pcrs, json_integer((json_int_t)i));
	out = json_pack("{s:o, s:O, s:o, s:o}", "hash_alg", lcp_json_alg(info->hash_alg), "pcrs", pcrs, "select",
		cli_json_hex(info->select), "digest", cli_json_hex(info->digest));
	if (e->type == LCP_ELEMENT_PCONF && json_object_set_new(out, "locality", json_integer(info->locality)) != 0)
		return NULL;
	return json_incref(out);
}

static json_t *pcr_infos_json(const struct lcp_element *e)
{
	struct lcp_pcr_infos it = lcp_pcr_infos_in(e);
	CLEANUP_JSON json_t *out = json_array();
	struct lcp_pcr_info info;

	while (lcp_pcr_infos_left(&it)) {
		enum lcp_error error = lcp_pcr_infos_next(&it, &info);

		(void)json_array_append_new(out, error ? json_pack("{s:s}", "error", lcp_strerror(error)) : pcr_info_json(e, &info));
	}
	return json_incref(out);
}

static json_t *uuid_json(const struct lcp_element *e)
{
	char buf[LCP_UUID_TEXT_SIZE + 1] = "";
	struct text t = TEXT_OF(buf);

	lcp_uuid_print(e->uuid, &t);
	return json_string(buf);
}

static bool set(json_t *o, const char *name, json_t *value)
{
	return json_object_set_new(o, name, value) == 0;
}

static bool set_field(json_t *o, const struct lcp_element *e, const struct lcp_element_layout *layout, enum lcp_element_field field)
{
	switch (field) {
	case LCP_FIELD_SINIT_MIN:
		return set(o, "sinit_min_version", json_integer(e->sinit_min_version));
	case LCP_FIELD_ALG_LEGACY:
	case LCP_FIELD_ALG:
		return set(o, "hash_alg", lcp_json_alg(e->hash_alg));
	case LCP_FIELD_FALLBACK:
		return set(o, "fallback_hash", cli_json_hex(e->fallback));
	case LCP_FIELD_COUNT:
		return set(o, lcp_element_has(layout, LCP_FIELD_HASHES) ? "num_hashes" : "num_pcr_infos", json_integer(e->count));
	case LCP_FIELD_HASHES:
		return set(o, "hashes", hashes_json(e));
	case LCP_FIELD_PCR_INFOS:
		return set(o, "pcr_infos", pcr_infos_json(e));
	case LCP_FIELD_UUID:
		return set(o, "uuid", uuid_json(e));
	case LCP_FIELD_DATA:
		return set(o, "data", cli_json_hex(e->data));
	default:
		return true;
	}
}

static bool set_reserved(json_t *o, const struct lcp_element *e, const struct lcp_element_layout *layout)
{
	size_t n = 0;

	for (size_t i = 0; layout->fields[i] != LCP_FIELD_END; i++)
		n += layout->fields[i] == LCP_FIELD_RESERVED;
	return n == 0 || set(o, "reserved", cli_json_hex((struct span){ e->reserved, n }));
}

json_t *lcp_json_element(struct span bytes)
{
	const struct lcp_element_layout *layout;
	struct lcp_element e;
	enum lcp_error error = lcp_element_decode(bytes, &e);
	CLEANUP_JSON json_t *out = NULL;
	const char *name;

	if (error)
		return json_pack("{s:I, s:s}", "size", (json_int_t)bytes.n, "error", lcp_strerror(error));
	name = lcp_element_type_name(e.type);
	layout = lcp_element_layout(e.type) ? lcp_element_layout(e.type) : &lcp_element_unknown;
	out = json_pack("{s:I, s:I, s:s?, s:o}", "size", (json_int_t)bytes.n, "type", (json_int_t)e.type, "type_name", name, "control",
		element_control_json(e.control));
	for (size_t i = 0; layout->fields[i] != LCP_FIELD_END; i++)
		if (!set_field(out, &e, layout, layout->fields[i]))
			return NULL;
	return set_reserved(out, &e, layout) ? json_incref(out) : NULL;
}

/* ---- lists and data ---- */

static json_t *signature_json(const struct lcp_list *l)
{
	const struct lcp_signature *s = &l->sig;

	if (!lcp_list_signed(l))
		return json_null();
	return json_pack("{s:i, s:o, s:I, s:I, s:o, s:I, s:[iii], s:o, s:o, s:I}", "revocation_counter", s->revocation, "key_alg",
		lcp_json_alg(s->key_alg), "key_bits", (json_int_t)s->key_bits, "exponent", (json_int_t)s->exponent, "hash_alg",
		lcp_json_alg(lcp_list_sig_hash_alg(l)), "reserved", (json_int_t)s->reserved, "versions", s->version[0], s->version[1],
		s->version[2], "key", cli_json_hex(s->key), "signature", s->block.n ? cli_json_hex(s->block) : json_null(), "signed_size",
		(json_int_t)lcp_list_signed_size(l));
}

static json_t *list_digests_json(const struct lcp_list *l)
{
	struct digests d;

	return lcp_list_hash(l, ALG_SET_ALL, &d) ? json_null() : cli_json_digests(&d);
}

json_t *lcp_json_list(const struct lcp_list *l)
{
	CLEANUP_JSON json_t *elements = json_array();
	struct lcp_elements it = lcp_elements_in(l->elements);
	struct span bytes;

	while (lcp_elements_left(&it) && lcp_elements_next(&it, &bytes) == LCP_OK)
		(void)json_array_append_new(elements, lcp_json_element(bytes));
	return json_pack("{s:o, s:o, s:i, s:I, s:O, s:o, s:o}", "version", version_json(l->version), "sig_alg", lcp_json_alg(l->sig_alg),
		"reserved", l->reserved, "policy_elements_size", (json_int_t)l->elements.n, "elements", elements, "signature",
		signature_json(l), "digests", list_digests_json(l));
}

json_t *lcp_json_data(const struct lcp_data *d)
{
	CLEANUP_JSON json_t *lists = json_array();
	struct digests digests;
	bool hashed = lcp_data_hash(d, ALG_SET_ALL, &digests) == LCP_OK;

	for (unsigned i = 0; i < d->list_count; i++)
		(void)json_array_append_new(lists, lcp_json_list(&d->lists[i]));
	return json_pack("{s:i, s:o, s:O, s:o}", "num_lists", d->list_count, "reserved", cli_json_hex(SPAN_OF(d->reserved)), "lists", lists,
		"digests", hashed ? cli_json_digests(&digests) : json_null());
}
