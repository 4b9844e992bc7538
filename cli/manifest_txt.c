/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a manifest for mode txt. */
#include <string.h>

#include "cli/lint.h"
#include "cli/manifest_impl.h"
#include "cli/provision.h"
#include "common/cursor.h"

/* ---- files ---- */

static const struct yaml_field tboot_fields[] = {
	{ .key = "file", .required = true, .take = yaml_take_text, AT(raw_program, file), .min = 1, .max = FILE_MAX_LENGTH },
	{ .key = "cmdline", .take = yaml_take_text, AT(raw_program, cmdline), .max = DESCRIPTION_MAX_CMDLINE },
};

static const struct yaml_field file_fields[] = {
	{ .key = "file", .required = true, .take = yaml_take_text, AT(raw_program, file), .min = 1, .max = FILE_MAX_LENGTH },
};

static const struct yaml_field lcp_fields[] = {
	{ .key = "data", .required = true, .take = yaml_take_text, AT(raw_lcp, data), .min = 1, .max = FILE_MAX_LENGTH },
	{ .key = "policy", .required = true, .take = yaml_take_text, AT(raw_lcp, policy), .min = 1, .max = FILE_MAX_LENGTH },
};

bool manifest_take_tboot(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct raw_program *out = target;

	out->line = yamldoc_line(value);
	return yamldoc_map(y, value, f->key, tboot_fields, GL_COUNT(tboot_fields), out);
}

bool manifest_take_file(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct raw_program *out = target;

	out->line = yamldoc_line(value);
	return yamldoc_map(y, value, f->key, file_fields, GL_COUNT(file_fields), out);
}

bool manifest_take_lcp(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct raw_lcp *out = target;

	out->line = yamldoc_line(value);
	return yamldoc_map(y, value, f->key, lcp_fields, GL_COUNT(lcp_fields), out);
}

/* ---- platform ---- */

/* A value, or a list of up to MANIFEST_MAX_CHOICES: calls `take` for each. */
static bool take_choices(struct yamldoc *y, yaml_node_t *value, const char *key, struct manifest_platform *p,
	bool (*take)(struct yamldoc *y, yaml_node_t *item, struct manifest_platform *p))
{
	yaml_node_t *item;
	size_t n = 0;

	if (value->type != YAML_SEQUENCE_NODE)
		return take(y, value, p);
	if (!yamldoc_sequence(y, value, key))
		return false;
	for (; (item = yamldoc_item(y, value, n)); n++) {
		if (n == MANIFEST_MAX_CHOICES)
			return yamldoc_fail(
				y, item, "split the class of hosts", "\"%s\" has more than %d values", key, MANIFEST_MAX_CHOICES);
		if (!take(y, item, p))
			return false;
	}
	return n > 0 || yamldoc_fail(y, value, "name one or remove the key", "\"%s\" is empty", key);
}

static bool take_log(struct yamldoc *y, yaml_node_t *item, struct manifest_platform *p)
{
	static const struct yaml_field one = { .key = "log", .min = 1, .max = FILE_MAX_LENGTH };

	return yaml_take_text(y, item, &one, &p->logs[p->log_count++]);
}

static bool take_logs(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	return take_choices(y, value, f->key, target, take_log);
}

static bool take_bios(struct yamldoc *y, yaml_node_t *item, struct manifest_platform *p)
{
	const char *s = yamldoc_scalar(y, item, "bios_acm");
	uint8_t *out = p->bios_acm[p->bios_acm_count];

	if (!s)
		return false;
	if (!cli_unhex(s, out, MANIFEST_BIOS_ACM_SIZE))
		return yamldoc_fail(y, item, "give the data of BIOSAC_REG_DATA, 64 hexadecimal digits in quotes",
			"\"bios_acm\" cannot be \"%.80s\"", s);
	for (size_t i = 0; i < p->bios_acm_count; i++)
		if (!memcmp(out, p->bios_acm[i], MANIFEST_BIOS_ACM_SIZE))
			return yamldoc_fail(y, item, "remove one of them", "\"bios_acm\" has a value twice");
	p->bios_acm_count++;
	return true;
}

static bool take_bios_acm(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	((struct manifest_platform *)target)->bios_acm_line = yamldoc_line(value);
	return take_choices(y, value, f->key, target, take_bios);
}

/* "none", or the public area in hexadecimal: index, name algorithm, attributes, policy with its size, size of the content. */
static bool take_nv(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	const char *s = yamldoc_scalar(y, value, f->key);
	struct manifest_nv *out = target;
	struct rd r;
	uint16_t policy;

	if (!s)
		return false;
	out->given = true;
	if (!strcmp(s, "none"))
		return true;
	out->n = strlen(s) / 2;
	if (out->n <= sizeof(out->bytes) && cli_unhex(s, out->bytes, out->n)) {
		r = rd_init((struct span){ out->bytes, out->n });
		(void)rd_bytes(&r, 4 + 2 + 4);
		policy = rd_be16(&r);
		(void)rd_bytes(&r, policy);
		(void)rd_be16(&r);
		if (rd_done(&r) && policy <= DIGEST_MAX)
			return true;
	}
	return yamldoc_fail(
		y, value, "give none, or the index's TPMS_NV_PUBLIC in hexadecimal and quotes", "\"%s\" cannot be \"%.200s\"", f->key, s);
}

static const struct yaml_field platform_fields[] = {
	{ .key = "log", .take = take_logs },
	{ .key = "bios_acm", .take = take_bios_acm },
	{ .key = "scrtm", .take = yaml_take_number, AT(manifest_platform, scrtm), .max = UINT32_MAX },
	{ .key = "aux", .take = take_nv, AT(manifest_platform, aux) },
	{ .key = "ps", .take = take_nv, AT(manifest_platform, ps) },
};

bool manifest_take_platform(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct manifest_platform *out = target;

	out->line = yamldoc_line(value);
	return yamldoc_map(y, value, f->key, platform_fields, GL_COUNT(platform_fields), out);
}

void manifest_free_platform(struct manifest_platform *p)
{
	for (size_t i = 0; i < GL_COUNT(p->logs); i++)
		free(p->logs[i].s);
	*p = (struct manifest_platform){ .line = 0 };
}

/* ---- together ---- */

/* tboot extends one bank, that of extpol, with digests that it compares with those of the policy: both must have one algorithm. */
static bool add_tboot_line(struct manifest *m, struct raw_program *tboot, struct cli_fault *fault)
{
	const char *given = tboot->cmdline.s ? tboot->cmdline.s : "", *hash = alg_table[m->policy_hash].name;
	unsigned line = tboot->cmdline.line ? tboot->cmdline.line : tboot->line;
	struct lint_tboot t;
	char *whole = NULL;

	lint_tboot_parse(given, LINT_TBOOT_DEFAULT, &t);
	if (t.extpol_given && (t.extpol != LINT_EXTPOL_FIXED || t.extpol_alg != alg_table[m->policy_hash].tpm_id))
		return manifest_fail(m, line, "remove it: it is set to the policy's hash", fault,
			"extpol=%.40s in tboot's cmdline does not go with the policy, whose hash is %s", t.extpol_text, hash);
	if (t.legacy_log)
		return manifest_fail(
			m, line, "remove it", fault, "force_tpm2_legacy_log in tboot's cmdline leaves the stage without a log to write to");
	if (t.call_racm)
		return manifest_fail(m, line, "remove it", fault, "call_racm in tboot's cmdline starts a revocation module, not a launch");
	if ((t.extpol_given ? asprintf(&whole, "%s", given) : asprintf(&whole, "%s%sextpol=%s", given, *given ? " " : "", hash)) < 0)
		return cli_fail(fault, CLI_IO, "out of memory: %s", m->file);
	m->txt.tboot.cmdline = (struct yaml_text){ whole, line };
	return true;
}

static bool refuse_in_direct(const struct manifest *m, const struct raw *r, struct cli_fault *fault)
{
	/* clang-format off */
	const struct {
		const char *key;
		unsigned line;
	} keys[] = {
		{ "tboot", r->tboot.line }, { "sinit", r->sinit.line }, { "stage", r->stage.line }, { "lcp", r->lcp.line },
		{ "platform", r->platform.line }, { "efi_runtime", r->hypervisor.efi_runtime.line },
	};
	/* clang-format on */

	for (size_t i = 0; i < GL_COUNT(keys); i++)
		if (keys[i].line)
			return manifest_fail(
				m, keys[i].line, "remove it, or set mode to txt", fault, "\"%s\" has no place in mode direct", keys[i].key);
	return true;
}

static bool refuse_geo_index(const struct manifest *m, const struct raw *r, struct cli_fault *fault)
{
	return !m->geo.given || !provision_reserved(m->geo.index) ||
	       manifest_fail(m, r->raw_geo.index.line, "take another, such as the default, 0x01c10110", fault,
		       "NV index 0x%08x is one of those that SINIT and tboot use themselves", m->geo.index);
}

static struct manifest_module module_of(enum role role, struct raw_program *p)
{
	return (struct manifest_module){ .role = role, .file = manifest_move_text(&p->file), .pcr = role_table[role].pcr };
}

bool manifest_add_txt(struct manifest *m, struct raw *r, struct cli_fault *fault)
{
	struct manifest_txt *txt = &m->txt;

	if (m->mode != DESCRIPTION_TXT)
		return refuse_in_direct(m, r, fault);
	if (!refuse_geo_index(m, r, fault))
		return false;
	if (!r->tboot.file.s)
		return manifest_fail(m, r->mode.line, "add \"tboot\", which makes the dynamic launch", fault, "mode txt without \"tboot\"");
	if (!(m->banks & ALG_BIT(m->policy_hash)))
		return manifest_fail(m, m->banks_line, "add it, or use a bank of the list as the policy's hash", fault,
			"\"banks\" lacks %s, the policy's hash and so the only bank that tboot extends", alg_table[m->policy_hash].name);
	if (!r->sinit.file.s && r->platform.log_count == 0)
		return manifest_fail(m, r->mode.line, "add \"sinit\", or for one in the firmware a \"log\" of such a host to \"platform\"",
			fault, "nothing tells which SINIT module will measure");
	if (r->platform.log_count == 0 && r->platform.bios_acm_count == 0)
		return manifest_fail(m, r->platform.line ? r->platform.line : r->mode.line, "add \"platform\" with \"log\" or \"bios_acm\"",
			fault, "nothing tells what SINIT measures of the BIOS ACM");
	txt->tboot = module_of(ROLE_TBOOT, &r->tboot);
	txt->sinit = module_of(ROLE_SINIT, &r->sinit);
	txt->stage = module_of(ROLE_STAGE, &r->stage);
	txt->lcp_data = manifest_move_text(&r->lcp.data);
	txt->lcp_policy = manifest_move_text(&r->lcp.policy);
	txt->efi_runtime = manifest_number_or(&r->hypervisor.efi_runtime, 0) != 0;
	m->platform = r->platform;
	r->platform = (struct manifest_platform){ .line = 0 };
	return add_tboot_line(m, &r->tboot, fault);
}

static void free_module(struct manifest_module *m)
{
	free(m->file.s);
	free(m->cmdline.s);
}

void manifest_free_txt(struct manifest *m)
{
	free_module(&m->txt.tboot);
	free_module(&m->txt.sinit);
	free_module(&m->txt.stage);
	free(m->txt.lcp_data.s);
	free(m->txt.lcp_policy.s);
	manifest_free_platform(&m->platform);
}
