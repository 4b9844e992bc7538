/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/acm_json.h"

static json_t *header_json(const struct acm *a)
{
	const struct acm_header *h = &a->header;
	char date[16], version[16];

	(void)snprintf(date, sizeof(date), "%04x-%02x-%02x", h->date >> 16, h->date >> 8 & 0xff, h->date & 0xff);
	(void)snprintf(version, sizeof(version), "%u.%u", h->version >> 16, h->version & 0xffff);
	return json_pack("{s:i, s:i, s:s, s:I, s:i, s:i, s:b, s:b, s:I, s:s, s:I, s:I, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"type", (int)h->type, "subtype", (int)h->subtype, "version", version, "length", (json_int_t)h->length, "chipset_id",
		(int)h->chipset_id, "flags", (int)h->flags, "pre_production", (h->flags & ACM_FLAG_PRE_PRODUCTION) != 0, "debug_signed",
		(h->flags & ACM_FLAG_DEBUG_SIGNED) != 0, "vendor", (json_int_t)h->vendor, "date", date, "size", (json_int_t)a->bytes.n,
		"padding", (json_int_t)a->padding, "txt_svn", (int)h->txt_svn, "se_svn", (int)h->se_svn, "code_control",
		(json_int_t)h->code_control, "error_entry_point", (json_int_t)h->error_entry_point, "gdt_limit", (json_int_t)h->gdt_limit,
		"gdt_base", (json_int_t)h->gdt_base, "seg_sel", (json_int_t)h->seg_sel, "entry_point", (json_int_t)h->entry_point,
		"key_size", (json_int_t)h->key_size, "scratch_size", (json_int_t)h->scratch_size);
}

json_t *acm_capabilities_json(uint32_t caps)
{
	CLEANUP_JSON json_t *out = json_pack("{s:I}", "value", (json_int_t)caps);

	for (size_t i = 0; i < acm_cap_count; i++) {
		uint32_t v = caps >> acm_caps[i].shift & ((1u << acm_caps[i].bits) - 1);

		if (json_object_set_new(out, acm_caps[i].name, json_integer(v)) != 0)
			return NULL;
	}
	return json_incref(out);
}

static json_t *info_json(const struct acm_info *info)
{
	char revision[16], uuid[40];
	struct text t = TEXT_OF(uuid);

	acm_print_uuid(info->uuid, &t);
	(void)snprintf(revision, sizeof(revision), "%x.%x.%x", info->acm_revision[0], info->acm_revision[1], info->acm_revision[2]);
	return json_pack("{s:s, s:i, s:s?, s:i, s:i, s:I, s:I, s:o, s:i, s:s}", "uuid", uuid, "chipset_acm_type", (int)info->chipset_type,
		"chipset_acm_type_name", acm_chipset_type_name(info->chipset_type), "version", (int)info->version, "length",
		(int)info->length, "os_sinit_data_version", (json_int_t)info->os_sinit_data_version, "min_mle_header_version",
		(json_int_t)info->min_mle_header_version, "capabilities", acm_capabilities_json(info->capabilities), "acm_version",
		(int)info->acm_version, "acm_revision", revision);
}

static json_t *chipsets_json(const struct acm_list *l)
{
	CLEANUP_JSON json_t *out = l->present ? json_array() : json_null();

	for (uint32_t i = 0; i < l->count; i++) {
		struct acm_chipset c = acm_chipset_at(l, i);

		if (json_array_append_new(out, json_pack("{s:I, s:i, s:i, s:i, s:i, s:I}", "flags", (json_int_t)c.flags, "vendor_id",
						       (int)c.vendor_id, "device_id", (int)c.device_id, "revision_id", (int)c.revision_id,
						       "register_mask", (int)c.register_mask, "extended_id", (json_int_t)c.extended_id)) !=
			0)
			return NULL;
	}
	return json_incref(out);
}

static json_t *processors_json(const struct acm *a)
{
	CLEANUP_JSON json_t *out = a->processors.present ? json_array() : json_null();

	for (uint32_t i = 0; i < a->processors.count; i++) {
		struct acm_processor p = acm_processor_at(a, i);
		char id[24], mask[24];

		/* 64 bits without sign: not JSON's integers */
		(void)snprintf(id, sizeof(id), "0x%llx", (unsigned long long)p.platform_id);
		(void)snprintf(mask, sizeof(mask), "0x%llx", (unsigned long long)p.platform_mask);
		if (json_array_append_new(out, json_pack("{s:I, s:I, s:s, s:s}", "fms", (json_int_t)p.fms, "fms_mask",
						       (json_int_t)p.fms_mask, "platform_id", id, "platform_mask", mask)) != 0)
			return NULL;
	}
	return json_incref(out);
}

static json_t *tpm_json(const struct acm *a)
{
	CLEANUP_JSON json_t *algs = json_array();

	if (!a->tpm_algs.present)
		return json_null();
	for (uint32_t i = 0; i < a->tpm_algs.count; i++)
		if (json_array_append_new(algs, json_integer(acm_tpm_alg_at(a, i))) != 0)
			return NULL;
	return json_pack("{s:I, s:i, s:i, s:i, s:O}", "capabilities", (json_int_t)a->tpm.capabilities, "extend_policy",
		(int)a->tpm.extend_policy, "family", (int)a->tpm.family, "nv_index_set", (int)a->tpm.nv_index_set, "algorithms", algs);
}

static json_t *signature_json(const struct acm_header *h)
{
	CLEANUP_JSON json_t *out = NULL;

	if (!acm_layout_known(h->version))
		return json_null();
	out = json_pack("{s:o, s:I, s:o}", "public_key", cli_json_hex(h->public_key), "exponent", (json_int_t)h->exponent, "signature",
		cli_json_hex(h->signature));
	if (h->second_key.n && (json_object_set_new(out, "xmss_public_key", cli_json_hex(h->second_key)) != 0 ||
				       json_object_set_new(out, "xmss_signature", cli_json_hex(h->second_signature)) != 0))
		return NULL;
	return json_incref(out);
}

json_t *acm_json(const struct acm *a)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "header", header_json(a), "info", info_json(&a->info), "chipsets",
		chipsets_json(&a->chipsets), "chipsets2", chipsets_json(&a->chipsets2), "processors", processors_json(a), "tpm",
		tpm_json(a), "signature", signature_json(&a->header));
}
