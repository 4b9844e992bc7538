/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/policy.h"
#include "lcp/print.h"

static const char *const types[] = {
	[LCP_POLICY_LIST] = "list",
	[LCP_POLICY_ANY] = "any",
};

static const struct {
	uint32_t bit;
	const char *name;
} controls[] = {
	{ LCP_CONTROL_NPW, "npw" },
	{ LCP_CONTROL_SINIT_CAPS, "sinit-caps" },
	{ LCP_CONTROL_OWNER_ENFORCED, "owner-enforced" },
	{ LCP_CONTROL_AUX_DELETE, "aux-delete" },
};

static const struct {
	const char *name;
	uint16_t version;
} versions[] = {
	{ "2.0", LCP_POLICY_2_0 },
	{ "2.1", 0x0201 },
	{ "2.2", 0x0202 },
	{ "2.3", 0x0203 },
	{ "2.4", LCP_POLICY_2_4 },
	{ "3.0", LCP_POLICY_3_0 },
	{ "3.1", LCP_POLICY_3_1 },
	{ "3.2", LCP_POLICY_3_2 },
};

const char *lcp_policy_type_name(uint8_t type)
{
	return type < GL_COUNT(types) ? types[type] : NULL;
}

bool lcp_policy_type_by_name(struct span name, uint8_t *out)
{
	for (unsigned i = 0; i < GL_COUNT(types); i++) {
		if (span_is_str(name, types[i])) {
			*out = (uint8_t)i;
			return true;
		}
	}
	return false;
}

bool lcp_policy_version_by_name(struct span name, uint16_t *out)
{
	for (unsigned i = 0; i < GL_COUNT(versions); i++) {
		if (span_is_str(name, versions[i].name)) {
			*out = versions[i].version;
			return true;
		}
	}
	return false;
}

static void print_type(const struct lcp_policy *p, struct text *t)
{
	const char *name = lcp_policy_type_name(p->type);

	lcp_print_name(t, 0, "policy_type");
	if (name) {
		text_str(t, name);
	} else {
		text_str(t, "unknown (");
		text_u64(t, p->type);
		text_char(t, ')');
	}
	text_char(t, '\n');
}

static void print_control(const struct lcp_policy *p, struct text *t)
{
	lcp_print_name(t, 0, "policy_control");
	text_hex(t, p->control, 8);
	for (unsigned i = 0; i < GL_COUNT(controls); i++) {
		if (p->control & controls[i].bit) {
			text_char(t, ' ');
			text_str(t, controls[i].name);
		}
	}
	text_char(t, '\n');
}

static void print_masks(const struct lcp_policy *p, struct text *t)
{
	lcp_print_name(t, 0, "lcp_hash_alg_mask");
	text_hex(t, p->hash_mask, 4);
	text_char(t, ' ');
	lcp_hash_mask_print(p->hash_mask, t);
	text_char(t, '\n');
	lcp_print_name(t, 0, "lcp_sign_alg_mask");
	text_hex(t, p->sign_mask, 8);
	text_char(t, ' ');
	lcp_sign_mask_print(p->sign_mask, t);
	text_char(t, '\n');
	lcp_print_name(t, 0, "aux_hash_alg_mask");
	text_hex(t, p->aux_hash_mask, 4);
	text_char(t, ' ');
	lcp_hash_mask_print(p->aux_hash_mask, t);
	text_char(t, '\n');
}

void lcp_policy_print(const struct lcp_policy *p, struct text *t)
{
	lcp_print_version(t, 0, "version", p->version);
	lcp_print_alg(t, 0, "hash_alg", p->hash_alg);
	print_type(p, t);
	lcp_print_hex(t, 0, "sinit_min_version", p->sinit_min_version, 2);
	lcp_print_name(t, 0, "data_revocation_counters");
	for (unsigned i = 0; i < LCP_MAX_LISTS; i++) {
		if (i)
			text_char(t, ',');
		text_u64(t, p->revocation[i]);
	}
	text_char(t, '\n');
	print_control(p, t);
	lcp_print_hex(t, 0, "max_sinit_min_version", p->max_sinit_min_version, 2);
	lcp_print_hex(t, 0, "max_biosac_min_version", p->max_biosac_min_version, 2);
	if (!lcp_policy_is_legacy(p) || p->hash_mask || p->sign_mask)
		print_masks(p, t);
	if (p->reserved1 || p->reserved2)
		lcp_print_hex(t, 0, "reserved", (uint32_t)p->reserved1 | (uint32_t)p->reserved2 << 8, 2);
	lcp_print_bytes(t, 0, "policy_hash", lcp_policy_hash(p));
}
