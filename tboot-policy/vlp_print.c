/* SPDX-License-Identifier: BSD-3-Clause */
#include "tboot-policy/vlp.h"

static const struct {
	const char *name;  /* as tb_polgen --type takes it */
	const char *macro; /* as tb_polgen --show prints it */
} types[] = {
	[VLP_NONFATAL] = { "nonfatal", "TB_POLTYPE_CONT_NON_FATAL" },
	[VLP_CONTINUE] = { "continue", "TB_POLTYPE_CONT_VERIFY_FAIL" },
	[VLP_HALT] = { "halt", "TB_POLTYPE_HALT" },
};

const char *vlp_type_name(uint8_t type)
{
	return type < GL_COUNT(types) ? types[type].name : NULL;
}

bool vlp_type_by_name(struct span name, uint8_t *out)
{
	for (unsigned i = 0; i < GL_COUNT(types); i++) {
		if (span_is_str(name, types[i].name)) {
			*out = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static void field(struct text *t, const char *name)
{
	text_str(t, ", ");
	text_str(t, name);
	text_char(t, ' ');
}

static void unknown(struct text *t, uint64_t value)
{
	text_str(t, "unknown (");
	text_u64(t, value);
	text_char(t, ')');
}

static void print_header(const struct vlp *p, bool known_alg, enum alg alg, struct text *t)
{
	text_str(t, "policy: version ");
	text_u64(t, p->version);
	field(t, "policy_type");
	if (p->type < GL_COUNT(types))
		text_str(t, types[p->type].macro);
	else
		unknown(t, p->type);
	field(t, "hash_alg");
	if (known_alg)
		text_str(t, alg_table[alg].name);
	else
		unknown(t, p->hash_alg);
	field(t, "policy_control");
	text_hex(t, p->control, 8);
	if (p->control & VLP_CONTROL_EXTEND_PCR17)
		text_str(t, " (EXTEND_PCR17)");
	if (p->reserved) {
		field(t, "reserved");
		text_hex(t, p->reserved, 8);
	}
	field(t, "num_entries");
	text_u64(t, p->entry_count);
	text_char(t, '\n');
}

static void print_module(const struct vlp_entry *e, struct text *t)
{
	text_str(t, "mod_num ");
	if (e->module == VLP_MODULE_ANY)
		text_str(t, "any");
	else if (e->module == VLP_MODULE_NV)
		text_str(t, "nv");
	else if (e->module == VLP_MODULE_NV_RAW)
		text_str(t, "nv_raw");
	else if (e->module <= VLP_MODULE_MAX)
		text_u64(t, e->module);
	else
		unknown(t, e->module);
	if (e->nv_index) {
		field(t, "nv_index");
		text_hex(t, e->nv_index, 8);
	}
}

static void print_entry(const struct vlp_entry *e, size_t digest_size, struct text *t)
{
	print_module(e, t);
	field(t, "pcr");
	if (e->pcr == VLP_PCR_NONE)
		text_str(t, "none");
	else
		text_u64(t, e->pcr);
	field(t, "hash_type");
	if (e->hash_type == VLP_HASH_ANY)
		text_str(t, "any");
	else if (e->hash_type == VLP_HASH_IMAGE)
		text_str(t, "image");
	else
		unknown(t, e->hash_type);
	field(t, "num_hashes");
	text_u64(t, e->hash_count);
	for (size_t at = 0; digest_size && digest_size <= e->hashes.n - at; at += digest_size) {
		text_char(t, ' ');
		text_bytes(t, (struct span){ e->hashes.p + at, digest_size });
	}
	text_char(t, '\n');
}

void vlp_print(const struct vlp *p, struct text *t)
{
	enum alg alg = ALG_SHA256;
	bool known_alg = alg_by_id(p->hash_alg, &alg);

	print_header(p, known_alg, alg, t);
	for (unsigned i = 0; i < p->entry_count; i++) {
		text_str(t, "entry ");
		text_u64(t, i);
		text_str(t, ": ");
		print_entry(&p->entries[i], known_alg ? alg_table[alg].size : 0, t);
	}
}
