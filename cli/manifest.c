/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/manifest_impl.h"

#define NAME_MAX_LENGTH 64

static const char *const mode_names[] = { "direct", "txt", NULL };
static const char *const type_names[] = { "nonfatal", "continue", "halt", NULL };
static const char *const alg_names[] = { "sha1", "sha256", "sha384", "sha512", NULL };
static const char *const halt_names[] = { "poweroff", "return", NULL };
static const char *const kind_names[] = { "linux", "xen", NULL };

static_assert(VLP_NONFATAL == 0 && VLP_CONTINUE == 1 && VLP_HALT == 2, "type_names is indexed by enum vlp_type");
static_assert(DESCRIPTION_DIRECT == 0 && DESCRIPTION_TXT == 1, "mode_names is indexed by enum description_mode");
static_assert(HYPERVISOR_LINUX == 0 && HYPERVISOR_XEN == 1, "kind_names is indexed by enum hypervisor");
static_assert(ALG_SHA1 == 0 && ALG_SHA512 == 3 && ALG_COUNT == 4, "alg_names is indexed by enum alg");

/* ---- single values ---- */

uint64_t manifest_number_or(const struct yaml_number *n, uint64_t otherwise)
{
	return n->line ? n->v : otherwise;
}

bool manifest_take_pcr(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	const char *s = yamldoc_plain(y, value, f->key);
	uint64_t v;

	if (!s)
		return false;
	if (cli_number(s, UINT64_MAX, &v) && (v < f->min || v > f->max))
		return yamldoc_fail(y, value, "use one of the dynamic PCRs, 17 to 22", "PCR %.40s cannot hold a launch measurement", s);
	return yaml_take_number(y, value, f, target);
}

/* Octal with or without a leading 0, as chmod takes it. */
static bool take_mode(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	const char *s = yamldoc_plain(y, value, f->key);
	struct yaml_number *out = target;
	size_t n;

	if (!s)
		return false;
	n = strlen(s);
	if (n < 3 || n > 4 || strspn(s, "01234567") != n || strtoul(s, NULL, 8) > DESCRIPTION_MAX_FILE_MODE)
		return yamldoc_fail(y, value, "give three octal digits after a 0, like 0644", "\"mode\" cannot be \"%.40s\"", s);
	*out = (struct yaml_number){ strtoul(s, NULL, 8), yamldoc_line(value) };
	return true;
}

static bool take_path(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct yaml_text *out = target;

	if (!yaml_take_text(y, value, f, target))
		return false;
	return description_path_valid(span_str(out->s)) || yamldoc_fail(y, value, "write it as /dir/file, without //, . and ..",
								   "path \"%.100s\" is not absolute and normalised", out->s);
}

/* With these Linux would start with another initrd than the measured one, or with none (Documentation/admin-guide/kernel-parameters). */
static const struct {
	const char *option, *why, *advice;
} refused_options[] = {
	{ "initrd=", "loads a file that nobody measures", "name the file as \"initrd\" of the hypervisor" },
	{ "initrdmem=", "takes an initrd from memory that nobody measures", "name the file as \"initrd\" of the hypervisor" },
	{ "noinitrd", "leaves out what is measured: the initrd, the VM manager and the files", "remove it" },
};

/* A Linux command line. */
static bool check_options(struct yamldoc *y, yaml_node_t *value, const char *line)
{
	for (size_t i = 0; i < GL_COUNT(refused_options); i++)
		if (strstr(line, refused_options[i].option))
			return yamldoc_fail(y, value, refused_options[i].advice, "\"%s\" in cmdline %s", refused_options[i].option,
				refused_options[i].why);
	return true;
}

static bool take_linux_cmdline(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct yaml_text *out = target;

	return yaml_take_text(y, value, f, target) && check_options(y, value, out->s);
}

static bool take_banks(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct raw *r = target;
	alg_set *out = &r->banks;
	yaml_node_t *item;

	r->banks_line = yamldoc_line(value);
	if (!yamldoc_sequence(y, value, f->key))
		return false;
	for (size_t i = 0; (item = yamldoc_item(y, value, i)); i++) {
		const struct yaml_field bank = { .key = "banks", .names = alg_names };
		struct yaml_number a;

		if (!yaml_take_choice(y, item, &bank, &a))
			return false;
		if (*out & ALG_BIT(a.v))
			return yamldoc_fail(y, item, "remove one of them", "bank %s is given twice", alg_names[a.v]);
		*out |= ALG_BIT(a.v);
	}
	return *out || yamldoc_fail(y, value, "name a bank or remove the key", "\"banks\" is empty");
}

/* ---- mappings ---- */

static const struct yaml_field policy_fields[] = {
	{ .key = "type", .required = true, .take = yaml_take_choice, AT(raw, policy_type), .names = type_names },
	{ .key = "hash", .take = yaml_take_choice, AT(raw, policy_hash), .names = alg_names },
};

static bool take_policy(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct raw *r = target;

	r->policy_line = yamldoc_line(value);
	return yamldoc_map(y, value, f->key, policy_fields, GL_COUNT(policy_fields), target);
}

static const struct yaml_field kernel_fields[] = {
	{ .key = "file", .required = true, .take = yaml_take_text, AT(raw_program, file), .min = 1, .max = FILE_MAX_LENGTH },
	{ .key = "cmdline", .take = take_linux_cmdline, AT(raw_program, cmdline), .max = DESCRIPTION_MAX_KERNEL_CMDLINE },
};

static bool take_kernel(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct raw_program *out = target;

	out->line = yamldoc_line(value);
	return yamldoc_map(y, value, f->key, kernel_fields, GL_COUNT(kernel_fields), out);
}

static const struct yaml_field hypervisor_fields[] = {
	{ .key = "kind", .required = true, .take = yaml_take_choice, AT(raw_hypervisor, kind), .names = kind_names },
	{ .key = "file", .required = true, .take = yaml_take_text, AT(raw_hypervisor, file), .min = 1, .max = FILE_MAX_LENGTH },
	{ .key = "cmdline", .take = yaml_take_text, AT(raw_hypervisor, cmdline), .max = DESCRIPTION_MAX_CMDLINE },
	{ .key = "kernel", .take = take_kernel, AT(raw_hypervisor, kernel) },
	{ .key = "initrd", .take = yaml_take_text, AT(raw_hypervisor, initrd), .min = 1, .max = FILE_MAX_LENGTH },
	{ .key = "pcr", .take = manifest_take_pcr, AT(raw_hypervisor, pcr), PCR_RANGE },
	{ .key = "efi_runtime", .take = yaml_take_bool, AT(raw_hypervisor, efi_runtime) },
};

static yaml_node_t *value_of(struct yamldoc *y, yaml_node_t *map, const char *key)
{
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(&y->doc, p->key);

		if (span_is_str((struct span){ k->data.scalar.value, k->data.scalar.length }, key))
			return yaml_document_get_node(&y->doc, p->value);
	}
	return map;
}

/* Which keys there can be depends on the kind, and so does what a command line may hold. */
static bool take_hypervisor(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct raw_hypervisor *h = target;
	bool xen;

	if (!yamldoc_map(y, value, f->key, hypervisor_fields, GL_COUNT(hypervisor_fields), target))
		return false;
	xen = h->kind.v == HYPERVISOR_XEN;
	if (xen && !h->kernel.file.s)
		return yamldoc_fail(y, value, "add \"kernel\", the Linux that runs as dom0", "hypervisor of kind xen has no \"kernel\"");
	if (!xen && h->kernel.file.s)
		return yamldoc_fail(
			y, value_of(y, value, "kernel"), "remove it, or use kind xen", "hypervisor of kind linux is itself the kernel");
	if (xen && manifest_number_or(&h->efi_runtime, 0))
		return yamldoc_fail(y, value_of(y, value, "efi_runtime"), "remove it",
			"hypervisor of kind xen never gets EFI's runtime services from the stage");
	return xen || !h->cmdline.s || check_options(y, value_of(y, value, "cmdline"), h->cmdline.s);
}

static const struct yaml_field file_fields[] = {
	{ .key = "file", .required = true, .take = yaml_take_text, AT(raw_file, file), .min = 1, .max = FILE_MAX_LENGTH },
	{ .key = "path", .required = true, .take = take_path, AT(raw_file, path), .min = 1, .max = DESCRIPTION_MAX_PATH },
	{ .key = "mode", .take = take_mode, AT(raw_file, mode) },
	{ .key = "pcr", .take = manifest_take_pcr, AT(raw_file, pcr), PCR_RANGE },
};

static bool take_file(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	struct raw_file *out = target;

	out->line = yamldoc_line(value);
	return yamldoc_map(y, value, f->key, file_fields, GL_COUNT(file_fields), out);
}

static bool take_files(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target)
{
	static const struct yaml_field entry = { .key = "an entry of files" };
	struct raw *r = target;
	yaml_node_t *item;

	if (!yamldoc_sequence(y, value, f->key))
		return false;
	for (size_t i = 0; (item = yamldoc_item(y, value, i)); i++) {
		if (r->file_count == GL_COUNT(r->files))
			return yamldoc_fail(y, item, "put several files into the initrd", "more than %d modules", MANIFEST_MAX_MODULES);
		/* Counted first: whatever it holds after a fault is freed. */
		if (!take_file(y, item, &entry, &r->files[r->file_count++]))
			return false;
	}
	return true;
}

static const struct yaml_field top_fields[] = {
	{ .key = "version", .required = true, .take = yaml_take_number, AT(raw, version), .min = 1, .max = 1 },
	{ .key = "name", .take = yaml_take_text, AT(raw, name), .min = 1, .max = NAME_MAX_LENGTH },
	{ .key = "mode", .required = true, .take = yaml_take_choice, AT(raw, mode), .names = mode_names },
	{ .key = "policy", .required = true, .take = take_policy },
	{ .key = "banks", .take = take_banks },
	{ .key = "on_halt", .take = yaml_take_choice, AT(raw, on_halt), .names = halt_names },
	{ .key = "halt_delay", .take = yaml_take_number, AT(raw, halt_delay), .max = DESCRIPTION_MAX_HALT_DELAY },
	{ .key = "hypervisor", .required = true, .take = take_hypervisor, AT(raw, hypervisor) },
	{ .key = "vmm", .take = take_file, AT(raw, vmm) },
	{ .key = "files", .take = take_files },
	{ .key = "geo", .take = manifest_take_geo },
	{ .key = "tboot", .take = manifest_take_tboot, AT(raw, tboot) },
	{ .key = "sinit", .take = manifest_take_file, AT(raw, sinit) },
	{ .key = "stage", .take = manifest_take_file, AT(raw, stage) },
	{ .key = "lcp", .take = manifest_take_lcp, AT(raw, lcp) },
	{ .key = "platform", .take = manifest_take_platform, AT(raw, platform) },
};

static void free_raw_file(struct raw_file *f)
{
	free(f->file.s);
	free(f->path.s);
}

static void free_raw_program(struct raw_program *p)
{
	free(p->file.s);
	free(p->cmdline.s);
}

static void free_raw(struct raw *r)
{
	free(r->name.s);
	free(r->hypervisor.file.s);
	free(r->hypervisor.cmdline.s);
	free(r->hypervisor.initrd.s);
	free_raw_program(&r->hypervisor.kernel);
	free_raw_program(&r->tboot);
	free_raw_program(&r->sinit);
	free_raw_program(&r->stage);
	free(r->lcp.data.s);
	free(r->lcp.policy.s);
	manifest_free_platform(&r->platform);
	free_raw_file(&r->vmm);
	for (size_t i = 0; i < r->file_count; i++)
		free_raw_file(&r->files[i]);
	free(r->geo.file.s);
}

static void free_rawp(struct raw **r)
{
	if (*r)
		free_raw(*r);
	free(*r);
}

/* ---- rules that concern more than one key ---- */

/* A path twice, or a file where another path needs a directory. */
static bool check_paths(const struct manifest *m, struct cli_fault *fault)
{
	for (size_t i = 0; i < m->module_count; i++) {
		const struct yaml_text *b = &m->modules[i].path;

		for (size_t j = 0; b->s && j < i; j++) {
			const struct yaml_text *a = &m->modules[j].path;

			if (!a->s || !description_paths_conflict(span_str(a->s), span_str(b->s)))
				continue;
			if (!strcmp(a->s, b->s))
				return manifest_fail(m, b->line, "give each file its own path", fault,
					"path \"%.100s\" is given twice, also on line %u", b->s, a->line);
			return manifest_fail(m, b->line, "change one of them", fault,
				"path \"%.100s\" and that on line %u cannot both be files", b->s, a->line);
		}
	}
	return true;
}

struct yaml_text manifest_move_text(struct yaml_text *t)
{
	struct yaml_text out = *t;

	t->s = NULL;
	return out;
}

static void add_module(struct manifest *m, enum role role, struct yaml_text *file, uint8_t pcr)
{
	m->modules[m->module_count++] = (struct manifest_module){ .role = role, .file = manifest_move_text(file), .pcr = pcr };
}

static void add_member(struct manifest *m, enum role role, struct raw_file *f, unsigned mode)
{
	struct manifest_module *out = &m->modules[m->module_count];

	add_module(m, role, &f->file, (uint8_t)manifest_number_or(&f->pcr, role_table[role].pcr));
	out->path = manifest_move_text(&f->path);
	out->mode = (unsigned)manifest_number_or(&f->mode, mode);
}

/* Hypervisor, kernel, initrd, vmm, files. `m->file` must be set. */
static bool add_modules(struct manifest *m, struct raw *r, struct cli_fault *fault)
{
	uint8_t pcr = (uint8_t)manifest_number_or(&r->hypervisor.pcr, role_table[ROLE_HYPERVISOR].pcr);
	unsigned member_line = r->vmm.file.s ? r->vmm.line : r->file_count ? r->files[0].line : 0;
	size_t others = 1u + (r->hypervisor.kernel.file.s != NULL) + (r->hypervisor.initrd.s != NULL) + (r->vmm.file.s != NULL);
	size_t max = m->mode == DESCRIPTION_TXT ? STAGE_RULES_MAX_MODULES : MANIFEST_MAX_MODULES;

	if (member_line && !r->hypervisor.initrd.s)
		return manifest_fail(m, member_line, "add \"initrd\" to the hypervisor", fault,
			"vmm and files travel in the initrd, but the hypervisor has none");
	if (r->file_count > max - others)
		return manifest_fail(m, r->files[max - others].line, "put several files into the initrd", fault, "more than %zu modules%s",
			max, m->mode == DESCRIPTION_TXT ? ", which is all that tboot measures" : "");
	add_module(m, ROLE_HYPERVISOR, &r->hypervisor.file, pcr);
	m->modules[0].cmdline = manifest_move_text(&r->hypervisor.cmdline);
	if (r->hypervisor.kernel.file.s) {
		add_module(m, ROLE_KERNEL, &r->hypervisor.kernel.file, pcr);
		m->modules[1].cmdline = manifest_move_text(&r->hypervisor.kernel.cmdline);
	}
	if (r->hypervisor.initrd.s)
		add_module(m, ROLE_INITRD, &r->hypervisor.initrd, pcr);
	if (r->vmm.file.s)
		add_member(m, ROLE_VMM, &r->vmm, 0755);
	for (size_t i = 0; i < r->file_count; i++)
		add_member(m, ROLE_FILE, &r->files[i], 0644);
	return check_paths(m, fault);
}

static void free_manifestp(struct manifest **m)
{
	if (*m)
		manifest_free(*m);
	free(*m);
}

/* Out of `r`, which is emptied as far as texts are taken over. */
static bool put_in_order(const char *file, struct raw *r, struct manifest *out, struct cli_fault *fault)
{
	CLEANUP(free_manifestp) struct manifest *m = calloc(1, sizeof(*m));

	if (!m)
		return cli_fail(fault, CLI_IO, "out of memory: %s", file);
	m->file = strdup(file);
	m->name = r->name.s ? r->name.s : strdup("host");
	r->name.s = NULL;
	m->mode = (enum description_mode)r->mode.v;
	m->hypervisor = (enum hypervisor)r->hypervisor.kind.v;
	m->policy_type = (uint8_t)r->policy_type.v;
	m->policy_hash = (enum alg)manifest_number_or(&r->policy_hash, ALG_SHA256);
	m->policy_line = r->policy_line;
	m->banks_line = r->banks_line;
	m->banks = r->banks ? r->banks : ALG_SET_ALL;
	m->halt_return = manifest_number_or(&r->on_halt, 0) == 1;
	m->halt_delay = (unsigned)manifest_number_or(&r->halt_delay, 5);
	m->geo = r->geo;
	r->geo.file.s = NULL;
	if (!m->file || !m->name)
		return cli_fail(fault, CLI_IO, "out of memory: %s", file);
	if (!add_modules(m, r, fault) || !manifest_add_txt(m, r, fault))
		return false;
	*out = *m;
	free(m);
	m = NULL;
	return true;
}

bool manifest_parse(const char *file, struct span bytes, struct manifest *out, struct cli_fault *fault)
{
	CLEANUP(free_rawp) struct raw *r = calloc(1, sizeof(*r));
	struct yamldoc y = { .file = file, .fault = fault };
	bool ok;

	if (!r)
		return cli_fail(fault, CLI_IO, "out of memory: %s", file);
	if (!yamldoc_init(&y, bytes))
		return false;
	ok = yamldoc_map(&y, yamldoc_root(&y), "the manifest", top_fields, GL_COUNT(top_fields), r);
	yamldoc_done(&y);
	return ok && put_in_order(file, r, out, fault);
}

bool manifest_load(const char *file, struct manifest *out, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t n;

	return read_file(file, MANIFEST_MAX_SIZE, &bytes, &n, fault) && manifest_parse(file, (struct span){ bytes, n }, out, fault);
}

void manifest_free(struct manifest *m)
{
	free(m->file);
	free(m->name);
	for (size_t i = 0; i < m->module_count; i++) {
		free(m->modules[i].file.s);
		free(m->modules[i].cmdline.s);
		free(m->modules[i].path.s);
	}
	free(m->geo.file.s);
	manifest_free_txt(m);
	memset(m, 0, sizeof(*m));
}

bool manifest_fail(const struct manifest *m, unsigned line, const char *advice, struct cli_fault *fault, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return cli_fail(fault, CLI_INPUT, "%s: %s:%u: %s", what, m->file, line, advice);
}
