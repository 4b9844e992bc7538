/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/lint_collect.h"

#include <string.h>
#include <unistd.h>

#include "cli/build_files.h"
#include "cli/buildtree.h"
#include "cli/esp.h"
#include "cli/files.h"
#include "cli/fleet.h"
#include "cli/lcp.h"
#include "cli/lint_impl.h"
#include "cli/vlp_image.h"
#include "geo/geo.h"
#include "lcp/host/sign.h"
#include "lcp/mle_hash.h"

#define ESP "esp/EFI/geolaunch"
/* tboot reads 2124 bytes of a policy; what is larger is to be told, not refused. */
#define POLICY_FILE_MAX (1u << 20)

void lint_collected_free(struct lint_collected *c)
{
	for (size_t i = 0; i < c->facts.module_count; i++)
		free((void *)(uintptr_t)c->modules[i].file);
	free(c->modules);
	expected_free(&c->expected);
	lint_tpm_free(&c->tpm);
	free(c->description);
	free(c->description_text);
	esp_free_names(&c->others);
	esp_free_names(&c->missing);
	free(c->refusal);
	free(c->tboot_cmdline);
	free(c->tboot_path);
	free(c->sinit_path);
	free(c->lcp_data_path);
	free(c->policy);
	free(c->geo);
	free(c->sinit);
	free(c->build_lcp);
	for (unsigned o = 0; o < LCP_OWNERS; o++) {
		free(c->lcp[o]);
		free(c->lcp_data[o]);
	}
	*c = (struct lint_collected){ .modules = NULL };
}

/* DIR/NAME, allocated; NULL if memory runs out. */
static char *path_in(const char *folder, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static bool no_memory(struct cli_fault *fault)
{
	return cli_fail(fault, CLI_IO, "out of memory: lint");
}

GL_MUST static bool read_span(const char *path, size_t max, uint8_t **bytes, struct span *out, struct cli_fault *fault)
{
	if (!path)
		return true;
	if (!read_file(path, max, bytes, &out->n, fault))
		return false;
	out->p = *bytes;
	return true;
}

/* ---- build directory ---- */

GL_MUST static bool read_expected(const char *build, struct lint_collected *c, struct cli_fault *fault)
{
	CLEANUP_FREE char *path = path_in(build, "expected.json");
	char error[512];

	if (!path)
		return no_memory(fault);
	if (!check_folder(build, "give the output directory of 'geolaunch build'", fault))
		return false;
	if (!fleet_refuse(build, fault))
		return false;
	if (access(path, R_OK) != 0)
		return cli_fail(
			fault, CLI_INPUT, "%s: there is no expected.json to read: give the output directory of 'geolaunch build'", build);
	if (!expected_load(path, &c->expected, error, sizeof(error)))
		return cli_fail(fault, CLI_INPUT, "%s", error);
	c->facts.expected = &c->expected;
	return true;
}

GL_MUST static bool read_policy(const char *build, struct lint_collected *c, struct cli_fault *fault)
{
	CLEANUP_FREE char *path = path_in(build, ESP "/policy.vlp");

	return path ? read_span(path, POLICY_FILE_MAX, &c->policy, &c->facts.policy_bytes, fault) : no_memory(fault);
}

/* What cannot be read only leaves a finding without its details. */
GL_MUST static bool read_geo(const char *build, struct lint_collected *c, struct cli_fault *fault)
{
	CLEANUP_FREE char *path = path_in(build, "geo.bin");
	struct cli_fault ignored;

	if (!path)
		return no_memory(fault);
	if (!read_span(path, GEO_NV_MAX, &c->geo, &c->facts.geo_content, &ignored))
		c->facts.geo_content = (struct span){ NULL, 0 };
	return true;
}

/* "module 1 hypervisor linux": number, role, file. False for any other name. */
GL_MUST static bool parse_name(const char *name, struct lint_module *m)
{
	const char *role, *file;
	char *end;
	unsigned long number;

	if (strncmp(name, "module ", 7) != 0 || name[7] < '0' || name[7] > '9')
		return false;
	number = strtoul(name + 7, &end, 10);
	role = end + 1;
	if (number > VLP_MODULE_MAX || *end != ' ')
		return false;
	file = strchr(role, ' ');
	if (!file || !role_by_name((struct span){ (const uint8_t *)role, (size_t)(file - role) }, &m->role))
		return false;
	file++;
	/* The name becomes a path. */
	if (!description_file_valid(span_str(file)))
		return false;
	m->number = (unsigned)number;
	m->file = file;
	return true;
}

/* Modules as expected.json lists them; module 0 may be there twice. */
GL_MUST static bool list_modules(struct lint_collected *c, struct cli_fault *fault)
{
	c->modules = calloc(c->expected.event_count + 1, sizeof(*c->modules));
	if (!c->modules)
		return no_memory(fault);
	c->facts.modules = c->modules;
	for (size_t i = 0; i < c->expected.event_count; i++) {
		struct lint_module m = { .number = 0 };

		if (!lint_is_module(&c->expected.events[i]))
			continue;
		if (!parse_name(c->expected.events[i].name, &m))
			return cli_fail(
				fault, CLI_INPUT, "expected.json: \"%s\" is no name of a module: build again", c->expected.events[i].name);
		if (lint_module(&c->facts, m.number))
			continue;
		m.file = strdup(m.file);
		if (!m.file)
			return no_memory(fault);
		c->modules[c->facts.module_count++] = m;
	}
	return true;
}

/* What is measured as the module's command line; empty if the description does not have the module. */
static struct span cmdline_of(const struct description *d, unsigned number)
{
	if (number > d->module_count)
		return (struct span){ NULL, 0 };
	/* in direct mode there is no stage, and its command line is empty */
	return description_module_cmdline(number == 0 ? &d->txt.stage : &d->modules[number - 1]);
}

GL_MUST static bool measure_file(
	const char *folder, const struct description *d, struct lint_module *m, alg_set algs, struct cli_fault *fault)
{
	CLEANUP_FREE char *path = path_in(folder, m->file);
	struct digests image;

	if (!path)
		return no_memory(fault);
	m->present = access(path, F_OK) == 0;
	if (!m->present || !d)
		return true;
	if (!vlp_image_hash(path, false, algs, &image, fault))
		return false;
	measure_module(algs, cmdline_of(d, m->number), &image, &m->measured);
	return true;
}

/* One that is missing or wrong is a finding, not a fault, and what depends on it is then not looked at. */
GL_MUST static bool read_description(const char *build, struct lint_collected *c, struct cli_fault *fault)
{
	CLEANUP_FREE struct description *d = calloc(1, sizeof(*d));
	CLEANUP_FREE char *path = path_in(build, ESP "/launch.conf");
	struct lint_facts *f = &c->facts;
	size_t n;

	if (!d || !path)
		return no_memory(fault);
	f->no_description = true;
	if (access(path, F_OK) != 0)
		return true;
	if (!read_file(path, DESCRIPTION_MAX_SIZE, &c->description_text, &n, fault))
		return false;
	c->description_size = n;
	f->description_error = description_parse((struct span){ c->description_text, n }, d, &f->description_line);
	if (f->description_error)
		return true;
	f->no_description = false;
	c->description = d;
	d = NULL;
	return true;
}

/* Without a description nobody can tell. */
GL_MUST static bool list_others(const char *build, struct lint_collected *c, struct cli_fault *fault)
{
	CLEANUP_FREE char *folder = path_in(build, ESP);

	if (!c->description)
		return true;
	if (!folder)
		return no_memory(fault);
	if (!build_files_others(folder, c->description, &c->others, fault))
		return false;
	c->facts.others = (const char *const *)c->others;
	return true;
}

GL_MUST static bool list_missing(const char *build, struct lint_collected *c, struct cli_fault *fault)
{
	if (!build_files_missing(build, c->description, &c->missing, fault))
		return false;
	c->facts.missing = (const char *const *)c->missing;
	return true;
}

/* What install looks at, by install's own eyes. */
GL_MUST static bool ask_install(const char *build, struct lint_collected *c, struct cli_fault *fault)
{
	CLEANUP_FREE struct build_tree *tree = calloc(1, sizeof(*tree));
	struct interrupt held; /* no signal is: there is nothing to clean up */
	struct cli_fault why;

	if (!tree)
		return no_memory(fault);
	(void)sigemptyset(&held.held);
	if (!build_tree_open(build, &held, tree, &why))
		c->refusal = strdup(why.text);
	build_tree_close(tree);
	c->facts.refusal = c->refusal;
	return true;
}

/* After description and policy. */
GL_MUST static bool read_embedded(const char *build, struct lint_collected *c, struct cli_fault *fault)
{
	CLEANUP_FREE char *path = path_in(build, ESP "/geolaunch.efi");
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t n;

	if (!path)
		return no_memory(fault);
	if (access(path, F_OK) != 0)
		return true;
	if (!read_file(path, PECOFF_MAX_SIZE, &bytes, &n, fault))
		return false;
	c->facts.embedded = embedded_compare(
		(struct span){ bytes, n }, &(struct embedded){ { c->description_text, c->description_size }, c->facts.policy_bytes });
	return true;
}

/* A file of the build for txt mode, unless the user named another one. */
GL_MUST static bool default_file(const char *build, const char *name, char **path, const char **source, struct cli_fault *fault)
{
	if (*source)
		return true;
	*path = path_in(build, name);
	if (!*path)
		return no_memory(fault);
	if (access(*path, F_OK) == 0)
		*source = *path;
	return true;
}

GL_MUST static bool read_build_lcp(const char *build, struct lint_collected *c, struct cli_fault *fault)
{
	CLEANUP_FREE char *path = path_in(build, "lcp.pol");

	if (!path)
		return no_memory(fault);
	return access(path, F_OK) != 0 || read_span(path, LCP_FILE_MAX, &c->build_lcp, &c->facts.build_lcp, fault);
}

/* tboot, its command line, SINIT and launch control policy of a build for txt mode. */
GL_MUST static bool add_txt(struct lint_sources *s, struct lint_collected *c, struct cli_fault *fault)
{
	const struct description *d = c->description;

	if (strcmp(c->expected.mode, "txt") != 0)
		return true;
	/* A digest of --mle-hash stands for the file. */
	if ((!s->mle.banks && !default_file(s->build, ESP "/tboot", &c->tboot_path, &s->tboot, fault)) ||
		!default_file(s->build, ESP "/sinit", &c->sinit_path, &s->sinit, fault) ||
		!default_file(s->build, ESP "/lcp", &c->lcp_data_path, &s->lcp_data[LCP_PO], fault) || !read_build_lcp(s->build, c, fault))
		return false;
	if (!d || d->mode != DESCRIPTION_TXT)
		return true;
	if (stage_rules_parse(d->txt.stage.cmdline, &c->rules, NULL) == STAGE_RULES_OK)
		c->facts.rules = &c->rules;
	if (s->tboot_cmdline)
		return true;
	s->tboot_cmdline = c->tboot_cmdline = strndup((const char *)d->txt.tboot.cmdline.p, d->txt.tboot.cmdline.n);
	return s->tboot_cmdline || no_memory(fault);
}

GL_MUST static bool measure_modules(const char *build, struct lint_collected *c, struct cli_fault *fault)
{
	CLEANUP_FREE char *folder = path_in(build, ESP);
	alg_set algs = c->expected.banks | ALG_BIT(c->expected.policy_hash);
	enum alg alg;

	if (!folder)
		return no_memory(fault);
	/* The policy may have been replaced by one of another algorithm. */
	if (c->facts.policy_bytes.n > 2 && alg_by_id(c->facts.policy_bytes.p[2], &alg))
		algs |= ALG_BIT(alg);
	for (size_t i = 0; i < c->facts.module_count; i++)
		if (!measure_file(folder, c->description, &c->modules[i], algs, fault))
			return false;
	return true;
}

/* ---- TPM ---- */

/* Indices that the policy names. */
static size_t policy_indices(const struct lint_facts *f, uint32_t out[VLP_MAX_ENTRIES])
{
	CLEANUP_FREE struct vlp *p = malloc(sizeof(*p));
	size_t n = 0;

	if (!p || vlp_decode(f->policy_bytes, p) != VLP_OK)
		return 0;
	for (unsigned i = 0; i < p->entry_count; i++)
		if (lint_entry_is_nv(&p->entries[i]))
			out[n++] = p->entries[i].nv_index;
	return n;
}

GL_MUST static bool ask_tpm(const struct lint_sources *s, struct lint_collected *c, struct cli_fault *fault)
{
	CLEANUP(host_tpm_close) struct host_tpm h = { .tcti = NULL };
	uint32_t indices[VLP_MAX_ENTRIES];

	return host_tpm_open(&h, s->tcti, fault) && lint_tpm_read(&h, indices, policy_indices(&c->facts, indices), &c->tpm, fault);
}

GL_MUST static bool look_at_tpm(const struct lint_sources *s, struct lint_collected *c, struct cli_fault *fault)
{
	struct lint_facts *f = &c->facts;

	if (!s->tcti && !s->nv_dump)
		return true;
	if (s->tcti ? !ask_tpm(s, c, fault) : !lint_dump_read(s->nv_dump, &c->tpm, fault))
		return false;
	f->has_tpm = true;
	f->banks = c->tpm.banks;
	f->unknown_banks = c->tpm.unknown_banks;
	f->owner_open = c->tpm.owner == HOST_OWNER_OPEN;
	f->nv = c->tpm.nv;
	f->nv_count = c->tpm.nv_count;
	f->pcrs = &c->tpm.pcrs;
	return !s->write_nv_dump || lint_dump_write(s->write_nv_dump, &c->tpm, fault);
}

/* ---- SINIT, launch control, tboot ---- */

GL_MUST static bool read_sinit(const char *path, struct lint_collected *c, struct cli_fault *fault)
{
	struct span file = { NULL, 0 };
	enum acm_error e;

	if (!path)
		return true;
	if (!read_span(path, ACM_MAX_SIZE, &c->sinit, &file, fault))
		return false;
	e = acm_decode(file, &c->facts.sinit);
	if (e)
		return cli_fail(fault, CLI_INPUT, "this is no authenticated code module: %s: %s", path, acm_strerror(e));
	c->facts.sinit_file = path;
	return true;
}

/* That it cannot be computed is a finding, not a fault. */
GL_MUST static bool hash_mle(const struct lint_sources *s, struct lint_facts *f, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes image = { NULL, 0 };
	struct span text = span_str(s->tboot_cmdline ? s->tboot_cmdline : "");
	struct lcp_mle mle;

	f->mle = s->mle;
	/* Its command line is part of the digest. */
	if (!s->tboot || (f->no_description && !s->tboot_cmdline))
		return true;
	if (!lcp_read_mle(s->tboot, &image, fault))
		return false;
	f->mle_error = lcp_mle_find(lcp_bytes_span(&image), &mle);
	if (!f->mle_error) {
		f->mle_pointers = lcp_mle_unmeasured_pointers(&mle);
		f->mle_error =
			lcp_mle_digest(&mle, text.n == 0 && mle.cmdline_start == mle.cmdline_end ? NULL : &text, ALG_SET_ALL, &f->mle);
	}
	f->mle_failed = f->mle_error != LCP_OK;
	return true;
}

bool lint_collect(const struct lint_sources *given, struct lint_collected *out, struct cli_fault *fault)
{
	struct lint_sources with_defaults = *given, *s = &with_defaults;
	struct lint_facts *f = &out->facts;

	if (s->build &&
		(!read_expected(s->build, out, fault) || !read_policy(s->build, out, fault) || !read_geo(s->build, out, fault) ||
			!list_modules(out, fault) || !read_description(s->build, out, fault) || !list_others(s->build, out, fault) ||
			!list_missing(s->build, out, fault) || !read_embedded(s->build, out, fault) || !ask_install(s->build, out, fault) ||
			!add_txt(s, out, fault) || !measure_modules(s->build, out, fault)))
		return false;
	if (!read_sinit(s->sinit, out, fault))
		return false;
	if ((s->platform.has_didvid || s->platform.has_cpu) && !s->sinit)
		return cli_fail(fault, CLI_USAGE, "--didvid and --cpu need a SINIT module, and the build has none: name it with --sinit");
	for (unsigned o = 0; o < LCP_OWNERS; o++)
		if (!read_span(s->lcp[o], LCP_FILE_MAX, &out->lcp[o], &f->lcp[o], fault) ||
			!read_span(s->lcp_data[o], LCP_FILE_MAX, &out->lcp_data[o], &f->lcp_data[o], fault))
			return false;
	if (!hash_mle(s, f, fault))
		return false;
	f->platform = s->platform;
	f->verify = lcp_openssl_verify;
	f->has_tboot_version = s->tboot_version != 0;
	f->tboot_version = s->tboot_version ? s->tboot_version : LINT_TBOOT_DEFAULT;
	lint_tboot_parse(s->tboot_cmdline, f->tboot_version, &f->tboot);
	if (f->no_description && !s->tboot_cmdline)
		f->tboot.extpol = LINT_EXTPOL_UNTOLD;
	return look_at_tpm(s, out, fault);
}
