/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/cmd_vlp.h"
#include "cli/vlp_check.h"
#include "common/text.h"

/* ---- show ---- */

static const char *alg_name(const struct vlp *p)
{
	enum alg alg;

	return alg_by_id(p->hash_alg, &alg) ? alg_table[alg].name : NULL;
}

static size_t digest_size(const struct vlp *p)
{
	enum alg alg;

	return alg_by_id(p->hash_alg, &alg) ? alg_table[alg].size : 0;
}

static json_t *module_json(const struct vlp_entry *e)
{
	switch (e->module) {
	case VLP_MODULE_ANY:
		return json_string("any");
	case VLP_MODULE_NV:
		return json_string("nv");
	case VLP_MODULE_NV_RAW:
		return json_string("nv_raw");
	default:
		return json_integer(e->module);
	}
}

static json_t *hash_type_json(const struct vlp_entry *e)
{
	if (e->hash_type == VLP_HASH_ANY)
		return json_string("any");
	return e->hash_type == VLP_HASH_IMAGE ? json_string("image") : json_integer(e->hash_type);
}

static json_t *index_json(const struct vlp_entry *e)
{
	char buf[16];

	if (!e->nv_index && e->module != VLP_MODULE_NV && e->module != VLP_MODULE_NV_RAW)
		return json_null();
	(void)snprintf(buf, sizeof(buf), "0x%08x", e->nv_index);
	return json_string(buf);
}

static json_t *hashes_json(const struct vlp *p, const struct vlp_entry *e)
{
	CLEANUP_JSON json_t *out = json_array();
	size_t size = digest_size(p);

	for (size_t at = 0; size && size <= e->hashes.n - at; at += size)
		if (json_array_append_new(out, cli_json_hex((struct span){ e->hashes.p + at, size })) != 0)
			return NULL;
	return json_incref(out);
}

static json_t *entry_json(const struct vlp *p, const struct vlp_entry *e)
{
	return json_pack("{s:o, s:i, s:o, s:o, s:o, s:i, s:o}", "module", module_json(e), "mod_num", (int)e->module, "pcr",
		e->pcr == VLP_PCR_NONE ? json_null() : json_integer(e->pcr), "hash_type", hash_type_json(e), "nv_index", index_json(e),
		"num_hashes", (int)e->hash_count, "hashes", hashes_json(p, e));
}

static json_t *policy_json(const struct vlp_file *f)
{
	const struct vlp *p = &f->policy;
	CLEANUP_JSON json_t *entries = json_array();

	for (unsigned i = 0; i < p->entry_count; i++)
		if (json_array_append_new(entries, entry_json(p, &p->entries[i])) != 0)
			return NULL;
	return json_pack("{s:i, s:o, s:s, s:I, s:b, s:I, s:i, s:i, s:O}", "version", (int)p->version, "policy_type",
		vlp_type_name(p->type) ? json_string(vlp_type_name(p->type)) : json_integer(p->type), "hash_alg", alg_name(p),
		"policy_control", (json_int_t)p->control, "extend_pcr17", (p->control & VLP_CONTROL_EXTEND_PCR17) != 0, "reserved",
		(json_int_t)p->reserved, "size", (int)f->n, "num_entries", (int)p->entry_count, "entries", entries);
}

static bool print_policy(const struct vlp *p, struct cli_fault *fault)
{
	/* Two digits a byte, and what stands in front of and between them. */
	size_t cap = 2 * VLP_FILE_MAX + 512 + VLP_MAX_ENTRIES * 512;
	CLEANUP_FREE char *buf = malloc(cap);
	struct text t = { .p = buf, .cap = cap };

	if (!buf)
		return cli_fail(fault, CLI_IO, "out of memory: policy");
	vlp_print(p, &t);
	(void)fputs(buf, stdout);
	return t.cut ? cli_fail(fault, CLI_IO, "out of memory: policy") : cli_flush(fault);
}

bool vlp_show(const struct vlp_args *a, int *code, struct cli_fault *fault)
{
	CLEANUP_VLP struct vlp_file f = { .bytes = NULL };

	(void)code;
	if (!vlp_file_load(a->files[0], &f, fault))
		return false;
	if (a->json) {
		CLEANUP_JSON json_t *v = policy_json(&f);

		return cli_json_print(v, fault);
	}
	return print_policy(&f.policy, fault);
}

/* ---- check ---- */

struct findings {
	const struct vlp *policy;
	json_t *list; /* each with id, severity, entry (number or null), subject (text or null), text */
	size_t errors, warnings;
	bool failed; /* no memory */
};

static void take_finding(void *ctx, const struct vlp_rule *rule, int entry)
{
	struct findings *f = ctx;
	char buf[64] = "";
	struct text subject = TEXT_OF(buf);

	if (entry >= 0)
		vlp_name_entry(&f->policy->entries[entry], &subject);
	*(rule->error ? &f->errors : &f->warnings) += 1;
	if (json_array_append_new(f->list,
		    json_pack("{s:s, s:s, s:o, s:s?, s:s}", "id", rule->id, "severity", rule->error ? "error" : "warning", "entry",
			    entry >= 0 ? json_integer(entry) : json_null(), "subject", entry >= 0 ? buf : NULL, "text", rule->text)) != 0)
		f->failed = true;
}

static void print_findings(const char *path, const struct findings *f)
{
	size_t i;
	json_t *v;

	json_array_foreach(f->list, i, v) {
		json_t *entry = json_object_get(v, "entry");

		printf("%s: ", json_string_value(json_object_get(v, "severity")));
		if (json_is_integer(entry))
			printf("entry %d (%s): ", (int)json_integer_value(entry), json_string_value(json_object_get(v, "subject")));
		printf("%s [%s]\n", json_string_value(json_object_get(v, "text")), json_string_value(json_object_get(v, "id")));
	}
	if (!f->errors)
		printf("%s: sound, %zu warning%s\n", path, f->warnings, f->warnings == 1 ? "" : "s");
}

static bool report_findings(const struct vlp_args *a, const struct findings *f, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *v = NULL;

	if (f->failed || !f->list)
		return cli_fail(fault, CLI_IO, "out of memory: findings");
	if (!a->json) {
		print_findings(a->files[0], f);
		return cli_flush(fault);
	}
	v = json_pack("{s:b, s:O}", "valid", f->errors == 0, "findings", f->list);
	return cli_json_print(v, fault);
}

bool vlp_check_file(const struct vlp_args *a, int *code, struct cli_fault *fault)
{
	CLEANUP_VLP struct vlp_file f = { .bytes = NULL };
	CLEANUP_JSON json_t *list = json_array();
	struct findings found = { .policy = &f.policy, .list = list };
	enum vlp_error error;

	if (!read_file(a->files[0], VLP_FILE_MAX, &f.bytes, &f.n, fault))
		return false;
	error = vlp_decode((struct span){ f.bytes, f.n }, &f.policy);
	if (error) {
		struct vlp_rule rule = vlp_rule_of_error(error);

		take_finding(&found, &rule, -1);
	} else {
		vlp_check(&f.policy, take_finding, &found);
	}
	if (!report_findings(a, &found, fault))
		return false;
	*code = found.errors || (a->strict && found.warnings) ? CLI_INPUT : CLI_OK;
	return true;
}
