/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/build.h"

#include <string.h>

#include "cli/build_impl.h"
#include "cli/files.h"
#include "cli/slot_list.h"

/* The firmware starts the first if nothing else is configured (UEFI 2.10, 3.5.1.1); the second is for a boot entry. */
static const char *const efi_files[] = { "esp/" BUILD_DEFAULT, BUILD_ESP SLOT_APPLICATION };

static void close_all(struct source *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		source_close(&s[i]);
}

static void build_end(struct build **p)
{
	struct build *b = *p;

	if (!b)
		return;
	tree_end(&b->tree);
	source_close(&b->efi);
	source_close(&b->geo);
	source_close(&b->lcp_policy);
	close_all(b->sources, GL_COUNT(b->sources));
	close_all(b->extras, GL_COUNT(b->extras));
	close_all(b->logs, GL_COUNT(b->logs));
	for (size_t i = 0; i < GL_COUNT(b->extra_bytes); i++)
		free(b->extra_bytes[i].p);
	for (size_t i = 0; i < GL_COUNT(b->log_bytes); i++)
		free(b->log_bytes[i].p);
	free(b->lcp_policy_bytes.p);
	free(b->plain.p);
	interrupt_release(&b->stop);
	free(b);
}

/* ---- names ---- */

/* The bytes of its command line, by the rule that whoever measures it uses, too. */
static struct span cmdline_of(const struct manifest_module *given)
{
	const struct description_module m = { .role = given->role, .cmdline = span_str(given->cmdline.s), .path = span_str(given->path.s) };

	return description_module_cmdline(&m);
}

static void list_module(struct build_module *m, const struct manifest *manifest, const struct manifest_module *given, unsigned nth_file)
{
	const char *name = build_role_file(given->role, manifest->hypervisor);

	*m = (struct build_module){
		.given = given, .from = given->file.s, .role = given->role, .pcr = given->pcr, .cmdline = cmdline_of(given)
	};
	if (name)
		(void)snprintf(m->file, sizeof(m->file), "%s", name);
	else
		(void)snprintf(m->file, sizeof(m->file), BUILD_NUMBERED "%u", nth_file);
}

static void list_txt(struct build_result *out)
{
	static const struct manifest_module lcp = { .role = ROLE_LCP };
	const struct manifest *m = &out->manifest;

	list_module(&out->modules[0], m, &m->txt.stage, 0);
	list_module(&out->extras[BUILD_TBOOT], m, &m->txt.tboot, 0);
	if (m->txt.sinit.file.s)
		list_module(&out->extras[BUILD_SINIT], m, &m->txt.sinit, 0);
	if (m->txt.lcp_data.s) {
		list_module(&out->extras[BUILD_LCP_DATA], m, &lcp, 0);
		out->extras[BUILD_LCP_DATA].from = m->txt.lcp_data.s;
	}
}

static void list_modules(struct build_result *out)
{
	unsigned files = 0;

	if (out->manifest.mode == DESCRIPTION_TXT) {
		list_txt(out);
	} else {
		out->modules[0] = (struct build_module){ .role = ROLE_DESCRIPTION, .pcr = role_table[ROLE_DESCRIPTION].pcr };
		(void)snprintf(out->modules[0].file, sizeof(out->modules[0].file), "%s", BUILD_DESCRIPTION);
	}
	for (size_t i = 0; i < out->manifest.module_count; i++) {
		const struct manifest_module *given = &out->manifest.modules[i];

		list_module(&out->modules[i + 1], &out->manifest, given, files);
		files += given->role == ROLE_FILE;
	}
	out->module_count = out->manifest.module_count + 1;
}

/* ---- the tree ---- */

static bool copy_module(struct build *b, const struct source *s, struct build_module *m)
{
	CLEANUP_FD int fd = -1;
	char name[64];

	(void)snprintf(name, sizeof(name), BUILD_ESP "%s", m->file);
	fd = tree_create(&b->tree, name, b->fault);
	return fd >= 0 && source_copy(s, &fd, 1, b->algs, &m->image, &b->stop, b->fault) && tree_close(&b->tree, name, &fd, b->fault);
}

static bool copy_efi(struct build *b)
{
	CLEANUP_FD int boot = tree_create(&b->tree, efi_files[0], b->fault);
	CLEANUP_FD int own = boot < 0 ? -1 : tree_create(&b->tree, efi_files[1], b->fault);
	const int fds[] = { boot, own };

	if (boot < 0 || own < 0)
		return false;
	return source_copy(&b->efi, fds, GL_COUNT(fds), ALG_BIT(ALG_SHA256), &b->out->efi_digest, &b->stop, b->fault) &&
	       tree_close(&b->tree, efi_files[0], &boot, b->fault) && tree_close(&b->tree, efi_files[1], &own, b->fault);
}

/* What firmware would look up in dbx, of the file as it is in the tree. */
static bool look_at_efi(struct build *b)
{
	struct build_result *out = b->out;
	CLEANUP_FREE uint8_t *bytes = NULL;
	CLEANUP_FREE char *path = NULL;
	size_t n = 0;

	out->efi_authenticode_error = PECOFF_E_SIZE;
	if (out->efi_size > PECOFF_MAX_SIZE)
		return true;
	if (asprintf(&path, "%s/%s", b->tree.tmp, efi_files[1]) < 0) {
		path = NULL;
		return cli_fail(b->fault, CLI_IO, "out of memory: build");
	}
	if (!read_file(path, PECOFF_MAX_SIZE, &bytes, &n, b->fault))
		return false;
	out->efi_authenticode_error = pecoff_authenticode((struct span){ bytes, n }, ALG_BIT(ALG_SHA256), &out->efi_authenticode);
	return true;
}

static bool make_tree(struct build *b)
{
	struct build_result *out = b->out;

	if (!tree_begin(&b->tree, b->fault))
		return false;
	for (size_t i = 0; build_folders[i]; i++)
		if (!tree_mkdir(&b->tree, build_folders[i], b->fault))
			return false;
	if (!b->options->sign && !copy_efi(b))
		return false;
	for (size_t i = build_is_txt(b) ? 0 : 1; i < out->module_count; i++)
		if (!copy_module(b, &b->sources[i], &out->modules[i]))
			return false;
	for (size_t i = 0; i < BUILD_EXTRAS; i++)
		if (out->extras[i].given && !copy_module(b, &b->extras[i], &out->extras[i]))
			return false;
	return true;
}

static bool write_results(struct build *b)
{
	CLEANUP_FREE char *text = expected_text(&b->out->expected);
	const struct build_bytes *lcp = &b->lcp_policy_bytes;

	if (!text)
		return cli_fail(b->fault, CLI_IO, "out of memory: expected.json");
	if ((b->options->sign && !build_sign(b, efi_files)) || !look_at_efi(b))
		return false;
	return tree_write(&b->tree, BUILD_ESP BUILD_DESCRIPTION, (struct span){ b->description, b->description_size }, b->fault) &&
	       tree_write(&b->tree, BUILD_ESP BUILD_POLICY, (struct span){ b->policy_bytes, b->out->policy_size }, b->fault) &&
	       (!b->out->geo || tree_write(&b->tree, BUILD_GEO, (struct span){ b->out->geo, b->out->geo_size }, b->fault)) &&
	       (!lcp->p || tree_write(&b->tree, BUILD_LCP, (struct span){ lcp->p, lcp->n }, b->fault)) &&
	       tree_write(&b->tree, "expected.json", span_str(text), b->fault);
}

static void none(struct source *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s[i] = SOURCE_NONE;
}

static struct build *build_begin(const struct build_options *options, struct build_result *out, struct cli_fault *fault)
{
	struct build *b = malloc(sizeof(*b));

	if (!b) {
		(void)cli_fail(fault, CLI_IO, "out of memory: build");
		return NULL;
	}
	*b = (struct build){ .options = options,
		.out = out,
		.fault = fault,
		.tree = TREE_NONE,
		.efi = SOURCE_NONE,
		.geo = SOURCE_NONE,
		.lcp_policy = SOURCE_NONE };
	none(b->sources, GL_COUNT(b->sources));
	none(b->extras, GL_COUNT(b->extras));
	none(b->logs, GL_COUNT(b->logs));
	interrupt_hold(&b->stop);
	return b;
}

/* The manifest and everything that can be found wrong with it and its files before they are hashed. */
static bool look_at_inputs(struct build *b)
{
	if (!build_open_inputs(b) || (!b->policy_only && !build_choose_banks(b)))
		return false;
	b->algs = b->banks | ALG_BIT(b->out->manifest.policy_hash);
	return build_read_geo(b) && (!build_is_txt(b) || build_write_rules(b)) && build_write_description(b) &&
	       build_write_policy(b) && /* no digests yet, but the policy's size is that of the final one */
	       build_check_sign(b);
}

bool build_run(const struct build_options *options, struct build_result *out, struct cli_fault *fault)
{
	CLEANUP(build_end) struct build *b = build_begin(options, out, fault);

	/* 1. What can be found wrong without writing. */
	if (!b || !manifest_load(options->manifest, &out->manifest, fault))
		return false;
	list_modules(out);
	if (!tree_check(&b->tree, options->output, options->force, TREE_BUILD, fault) || !look_at_inputs(b))
		return false;
	out->efi = strdup(options->efi);
	if (!out->efi)
		return cli_fail(fault, CLI_IO, "out of memory: build");

	/* 2. Copy and hash in one pass. */
	if (!make_tree(b))
		return false;

	/* 3. What follows from the digests. */
	build_measure_modules(b);
	if (!build_write_policy(b) || !build_predict(b) || !write_results(b))
		return false;
	if (interrupted(&b->stop))
		return cli_fail(fault, CLI_IO, "interrupted: %s: nothing was written", options->output);
	return tree_commit(&b->tree, &out->leftover, fault);
}

static void free_result(struct build_result **r)
{
	if (*r)
		build_free(*r);
	free(*r);
}

bool build_policy(const char *manifest, struct mspan buf, size_t *n, struct cli_fault *fault)
{
	const struct build_options options = { .manifest = manifest };
	CLEANUP(free_result) struct build_result *out = calloc(1, sizeof(*out));
	CLEANUP(build_end) struct build *b = out ? build_begin(&options, out, fault) : NULL;

	if (!out)
		return cli_fail(fault, CLI_IO, "out of memory: build");
	if (!b || !manifest_load(manifest, &out->manifest, fault))
		return false;
	b->policy_only = true;
	list_modules(out);
	if (!look_at_inputs(b))
		return false;
	for (size_t i = build_is_txt(b) ? 0 : 1; i < out->module_count; i++)
		if (!source_copy(&b->sources[i], NULL, 0, b->algs, &out->modules[i].image, &b->stop, fault))
			return false;
	build_measure_modules(b);
	if (!build_write_policy(b))
		return false;
	if (out->policy_size > buf.n)
		return cli_fail(fault, CLI_IO, "no room for the policy of: %s", manifest);
	memcpy(buf.p, b->policy_bytes, out->policy_size);
	*n = out->policy_size;
	return true;
}

void build_free(struct build_result *r)
{
	expected_free(&r->expected);
	manifest_free(&r->manifest);
	free(r->efi);
	free(r->stage);
	free(r->geo);
	free(r->leftover);
}
