/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/acm.h"
#include "lcp/print.h"

const struct acm_cap acm_caps[] = {
	{ "rlp_wake_getsec", 0, 1 },
	{ "rlp_wake_monitor", 1, 1 },
	{ "ecx_pgtbl", 2, 1 },
	{ "stm", 3, 1 },
	{ "pcr_map_no_legacy", 4, 1 },
	{ "pcr_map_da", 5, 1 },
	{ "platform_type", 6, 2 },
	{ "max_phy_addr", 8, 1 },
	{ "tcg_event_log_format", 9, 1 },
	{ "cbnt_supported", 10, 1 },
	{ "tpr_support", 14, 1 },
};

const size_t acm_cap_count = GL_COUNT(acm_caps);

static const struct {
	uint8_t type;
	const char *name;
} chipset_types[] = {
	{ ACM_BIOS, "BIOS" },
	{ ACM_SINIT, "SINIT" },
	{ ACM_BIOS_REVOCATION, "BIOS revocation" },
	{ ACM_SINIT_REVOCATION, "SINIT revocation" },
};

static const char *const platforms[] = { "any", "client", "server" };

const char *acm_chipset_type_name(uint8_t type)
{
	for (size_t i = 0; i < GL_COUNT(chipset_types); i++)
		if (chipset_types[i].type == type)
			return chipset_types[i].name;
	return NULL;
}

const char *acm_platform_name(unsigned type)
{
	return type < GL_COUNT(platforms) ? platforms[type] : NULL;
}

static void print_named(struct text *t, unsigned indent, const char *name, uint64_t v, const char *meaning)
{
	lcp_print_name(t, indent, name);
	text_hex(t, v, 1);
	if (meaning) {
		text_str(t, " (");
		text_str(t, meaning);
		text_char(t, ')');
	}
	text_char(t, '\n');
}

/* yyyy-mm-dd; the digits are the value's hexadecimal ones. */
static void print_date(struct text *t, uint32_t bcd)
{
	lcp_print_name(t, 0, "date");
	for (unsigned i = 0; i < 8; i++) {
		if (i == 4 || i == 6)
			text_char(t, '-');
		text_char(t, "0123456789abcdef"[bcd >> (28 - 4 * i) & 0xf]);
	}
	text_char(t, '\n');
}

static void print_header(const struct acm *a, struct text *t)
{
	const struct acm_header *h = &a->header;

	print_named(t, 0, "type", h->type, "chipset");
	print_named(t, 0, "subtype", h->subtype, h->subtype == 0 ? "TXT" : h->subtype == ACM_SUBTYPE_RESET ? "execute at reset" : NULL);
	lcp_print_name(t, 0, "header_version");
	text_u64(t, h->version >> 16);
	text_char(t, '.');
	text_u64(t, h->version & 0xffff);
	text_char(t, '\n');
	lcp_print_number(t, 0, "header_length", (uint64_t)h->length * 4);
	lcp_print_hex(t, 0, "chipset_id", h->chipset_id, 4);
	lcp_print_hex(t, 0, "flags", h->flags, 4);
	lcp_print_number(t, 2, "pre_production", (h->flags & ACM_FLAG_PRE_PRODUCTION) != 0);
	lcp_print_number(t, 2, "debug_signed", (h->flags & ACM_FLAG_DEBUG_SIGNED) != 0);
	lcp_print_hex(t, 0, "vendor", h->vendor, 4);
	print_date(t, h->date);
	lcp_print_number(t, 0, "size", a->bytes.n);
	if (a->padding)
		lcp_print_number(t, 0, "padding", a->padding);
	lcp_print_number(t, 0, "txt_svn", h->txt_svn);
	lcp_print_number(t, 0, "se_svn", h->se_svn);
	lcp_print_hex(t, 0, "code_control", h->code_control, 1);
	lcp_print_hex(t, 0, "error_entry_point", h->error_entry_point, 8);
	lcp_print_name(t, 0, "gdt");
	text_hex(t, h->gdt_base, 8);
	text_str(t, ", limit ");
	text_hex(t, h->gdt_limit, 1);
	text_str(t, "\nentry_point: ");
	text_hex(t, h->seg_sel, 8);
	text_char(t, ':');
	text_hex(t, h->entry_point, 8);
	text_char(t, '\n');
	lcp_print_number(t, 0, "key_size", (uint64_t)h->key_size * 4);
	lcp_print_number(t, 0, "scratch_size", (uint64_t)h->scratch_size * 4);
}

void acm_print_uuid(const uint8_t uuid[ACM_UUID_SIZE], struct text *t)
{
	static const uint8_t order[ACM_UUID_SIZE] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < sizeof(order); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text_char(t, '-');
		text_bytes(t, (struct span){ uuid + order[i], 1 });
	}
}

static void print_info(const struct acm *a, struct text *t)
{
	const struct acm_info *info = &a->info;

	text_str(t, "info_table:\n");
	lcp_print_name(t, 2, "uuid");
	acm_print_uuid(info->uuid, t);
	text_char(t, '\n');
	print_named(t, 2, "chipset_acm_type", info->chipset_type, acm_chipset_type_name(info->chipset_type));
	lcp_print_number(t, 2, "version", info->version);
	lcp_print_number(t, 2, "length", info->length);
	lcp_print_number(t, 2, "os_sinit_data_version", info->os_sinit_data_version);
	lcp_print_hex(t, 2, "min_mle_header_version", info->min_mle_header_version, 8);
	lcp_print_hex(t, 2, "capabilities", info->capabilities, 8);
	for (size_t i = 0; i < acm_cap_count; i++) {
		uint32_t v = info->capabilities >> acm_caps[i].shift & ((1u << acm_caps[i].bits) - 1);

		if (acm_caps[i].bits > 1)
			print_named(t, 4, acm_caps[i].name, v, acm_platform_name(v));
		else
			lcp_print_number(t, 4, acm_caps[i].name, v);
	}
	lcp_print_number(t, 2, "acm_version", info->acm_version);
	lcp_print_name(t, 2, "acm_revision");
	for (size_t i = 0; i < sizeof(info->acm_revision); i++) {
		if (i)
			text_char(t, '.');
		text_bytes(t, (struct span){ info->acm_revision + i, 1 });
	}
	text_char(t, '\n');
}

static void print_chipsets(const struct acm_list *l, const char *name, bool masked, struct text *t)
{
	if (!l->present)
		return;
	lcp_print_number(t, 0, name, l->count);
	for (uint32_t i = 0; i < l->count && !t->cut; i++) {
		struct acm_chipset c = acm_chipset_at(l, i);

		text_str(t, "  ");
		text_hex(t, c.vendor_id, 4);
		text_char(t, ':');
		text_hex(t, c.device_id, 4);
		text_str(t, masked ? ", register mask " : c.flags & 1 ? ", revision mask " : ", revision ");
		text_hex(t, masked ? c.register_mask : c.revision_id, 1);
		text_str(t, ", flags ");
		text_hex(t, c.flags, 1);
		text_str(t, ", extended id ");
		text_hex(t, c.extended_id, 1);
		text_char(t, '\n');
	}
}

static void print_processors(const struct acm *a, struct text *t)
{
	if (!a->processors.present)
		return;
	lcp_print_number(t, 0, "processors", a->processors.count);
	for (uint32_t i = 0; i < a->processors.count && !t->cut; i++) {
		struct acm_processor p = acm_processor_at(a, i);

		text_str(t, "  family/model/stepping ");
		text_hex(t, p.fms, 1);
		text_str(t, " under ");
		text_hex(t, p.fms_mask, 1);
		text_str(t, ", platform id ");
		text_hex(t, p.platform_id, 1);
		text_str(t, " under ");
		text_hex(t, p.platform_mask, 1);
		text_char(t, '\n');
	}
}

struct bit_name {
	uint32_t bit;
	const char *name;
};

static const struct bit_name families[] = {
	{ ACM_TPM_DISCRETE_12, "discrete TPM 1.2" },
	{ ACM_TPM_DISCRETE_20, "discrete TPM 2.0" },
	{ ACM_TPM_PTT_20, "firmware TPM 2.0" },
};

static const struct bit_name policies[] = {
	{ ACM_TPM_EXTEND_AGILE, "agile commands" },
	{ ACM_TPM_EXTEND_EMBEDDED, "embedded software" },
};

/* "0x3 (agile commands, embedded software)" */
static void print_bits(struct text *t, unsigned indent, const char *name, uint32_t v, const struct bit_name *rows, size_t count)
{
	const char *separator = " (";

	lcp_print_name(t, indent, name);
	text_hex(t, v, 1);
	for (size_t i = 0; i < count; i++) {
		if (!(v & rows[i].bit))
			continue;
		text_str(t, separator);
		text_str(t, rows[i].name);
		separator = ", ";
	}
	text_str(t, *separator == ',' ? ")\n" : "\n");
}

static void print_tpm(const struct acm *a, struct text *t)
{
	if (!a->tpm_algs.present)
		return;
	text_str(t, "tpm:\n");
	print_bits(t, 2, "extend_policy", a->tpm.extend_policy, policies, GL_COUNT(policies));
	print_bits(t, 2, "family", a->tpm.family, families, GL_COUNT(families));
	lcp_print_number(t, 2, "nv_index_set", a->tpm.nv_index_set);
	lcp_print_number(t, 2, "algorithms", a->tpm_algs.count);
	for (uint32_t i = 0; i < a->tpm_algs.count && !t->cut; i++)
		lcp_print_alg(t, 4, "alg", acm_tpm_alg_at(a, i));
}

void acm_print(const struct acm *a, struct text *t)
{
	print_header(a, t);
	print_info(a, t);
	print_chipsets(&a->chipsets, "chipsets", false, t);
	print_chipsets(&a->chipsets2, "chipsets2", true, t);
	print_processors(a, t);
	print_tpm(a, t);
}
