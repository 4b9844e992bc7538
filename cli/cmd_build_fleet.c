/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/cmd_build_fleet.h"

#include "cli/fleet.h"
#include "cli/tree.h"

#define COMMAND "build"

static void free_summary(struct fleet_summary **s)
{
	if (*s)
		fleet_summary_free(*s);
	free(*s);
}

GL_MUST static bool warn(const char *table, const struct fleet_summary *s, json_t *list, struct cli_fault *fault)
{
	json_t *text;
	size_t i;

	if (s->leftover && !cmd_build_add_warning(list, fault, TREE_LEFTOVER, s->leftover))
		return false;
	for (size_t k = 0; k < s->odd_count; k++) {
		char buf[160];
		struct text remark = TEXT_OF(buf);

		if (geo_country_remark(s->odd[k].code, &remark) &&
			!cmd_build_add_warning(list, fault, "%s: %s:%u", buf, table, s->odd[k].line))
			return false;
	}
	if (!cmd_build_warnings(&s->common, list, fault))
		return false;
	json_array_foreach(list, i, text)
		cli_error(COMMAND, "warning: %s", json_string_value(text));
	return true;
}

GL_MUST static bool report(
	const struct build_options *o, const char *table, const struct fleet_summary *s, bool json, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *warnings = json_array();
	const struct manifest *m = &s->common.manifest;
	char buf[32];
	struct text size = TEXT_OF(buf);

	if (!warn(table, s, warnings, fault))
		return false;
	if (json) {
		CLEANUP_JSON json_t *v = json_pack("{s:o, s:o, s:s, s:I, s:i, s:s, s:I, s:{s:s, s:s, s:I}, s:b, s:O}", "output",
			cli_json_text(o->output), "table", cli_json_text(table), "mode", s->common.expected.mode, "hosts",
			(json_int_t)s->hosts, "threads", (int)s->threads, "hosts_file", "hosts.jsonl", "hosts_file_size",
			(json_int_t)s->size, "policy", "type", vlp_type_name(m->policy_type), "hash", alg_table[m->policy_hash].name,
			"size", (json_int_t)s->common.policy_size, "geo", (int)m->geo.given, "warnings", warnings);

		return cli_json_print(v, fault);
	}
	text_size(&size, s->size);
	printf("%s: %zu hosts of %s, mode %s, policy %s with %s, %zu bytes each\n"
	       "%s/common: what all have in common\n"
	       "%s/hosts.jsonl: what each has of its own, %s\n",
		o->output, s->hosts, table, s->common.expected.mode, vlp_type_name(m->policy_type), alg_table[m->policy_hash].name,
		s->common.policy_size, o->output, o->output, buf);
	return cli_flush(fault);
}

bool cmd_build_fleet(const struct build_options *options, const char *table, bool json, struct cli_fault *fault)
{
	CLEANUP(free_summary) struct fleet_summary *s = calloc(1, sizeof(*s));

	if (!s)
		return cli_fail(fault, CLI_IO, "out of memory: %s", table);
	if (!fleet_build(options, table, s, fault))
		return false;
	if (report(options, table, s, json, fault))
		return true;
	cli_add_fault(fault, ": %s was made", options->output);
	return false;
}
