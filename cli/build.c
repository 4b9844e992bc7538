/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/build.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/predict.h"
#include "cli/source.h"
#include "cli/tree.h"
#include "cli/vlp_edit.h"
#include "common/hash.h"
#include "tboot-policy/apply.h"

#define ESP "esp/EFI/geolaunch/"
#define DESCRIPTION_FILE "launch.conf"
#define POLICY_FILE "policy.vlp"
#define GEO_FILE "geo.bin"

/* Everything at the top of an output directory. */
static const char *const output_names[] = { "expected.json", GEO_FILE, "esp", NULL };
static const char *const folders[] = { "esp", "esp/EFI", "esp/EFI/BOOT", "esp/EFI/geolaunch" };
/* The firmware starts the first if nothing else is configured (UEFI 2.10, 3.5.1.1); the second is for a boot entry. */
static const char *const efi_files[] = { "esp/EFI/BOOT/BOOTX64.EFI", ESP "geolaunch.efi" };

struct build {
	const struct build_options *options;
	struct build_result *out;
	struct cli_fault *fault;
	alg_set algs;                   /* the banks and the policy's algorithm */
	struct source efi, geo;
	struct source sources[1 + MANIFEST_MAX_MODULES];        /* by module number */
	struct tree tree;
	struct interrupt stop;
	uint8_t description[DESCRIPTION_MAX_SIZE];
	size_t description_size;
	struct vlp policy;              /* its hashes are those of out->modules and geo_measured */
	struct digests geo_measured;
	uint8_t policy_bytes[VLP_MAX_SIZE];
};

static void build_end(struct build **b)
{
	if (!*b)
		return;
	tree_end(&(*b)->tree);
	source_close(&(*b)->efi);
	source_close(&(*b)->geo);
	for (size_t i = 0; i < GL_COUNT((*b)->sources); i++)
		source_close(&(*b)->sources[i]);
	interrupt_release(&(*b)->stop);
	free(*b);
}

/* ---- looking at the inputs ---- */

static void name_module_file(struct build_module *m, unsigned nth_file)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_DESCRIPTION] = DESCRIPTION_FILE, [ROLE_HYPERVISOR] = "linux", [ROLE_INITRD] = "initrd", [ROLE_VMM] = "vmm",
	};

	if (names[m->role])
		(void)snprintf(m->file, sizeof(m->file), "%s", names[m->role]);
	else
		(void)snprintf(m->file, sizeof(m->file), "file-%u", nth_file);
}

static void list_modules(struct build_result *out)
{
	unsigned files = 0;

	out->modules[0] = (struct build_module){ .role = ROLE_DESCRIPTION, .pcr = role_table[ROLE_DESCRIPTION].pcr };
	name_module_file(&out->modules[0], 0);
	for (size_t i = 0; i < out->manifest.module_count; i++) {
		const struct manifest_module *given = &out->manifest.modules[i];
		struct build_module *m = &out->modules[i + 1];

		*m = (struct build_module){ .given = given, .role = given->role, .pcr = given->pcr };
		name_module_file(m, files);
		files += given->role == ROLE_FILE;
	}
	out->module_count = out->manifest.module_count + 1;
}

static bool check_kernel(struct build *b, const struct source *s, const struct yaml_text *file)
{
	static const char *const wrong[] = {
		[SOURCE_OTHER] = "no Linux kernel with an EFI stub for x86-64",
		[SOURCE_PE] = "an EFI program, but no Linux kernel",
		[SOURCE_GZIP] = "compressed with gzip",
		[SOURCE_ELF] = "an ELF file",
	};
	enum source_kind kind = source_kind(s);

	return kind == SOURCE_LINUX ||
	       manifest_fail(&b->out->manifest, file->line, "give a bzImage (Debian: /boot/vmlinuz-*) built with CONFIG_EFI_STUB", b->fault,
			     "\"%.200s\" is %s", file->s, wrong[kind]);
}

static bool open_inputs(struct build *b)
{
	const struct manifest *m = &b->out->manifest;

	for (size_t i = 0; i < m->module_count; i++) {
		const struct yaml_text *file = &m->modules[i].file;
		struct source *s = &b->sources[i + 1];

		if (!source_open(m, file, s, b->fault))
			return false;
		b->out->modules[i + 1].size = s->size;
		if (m->modules[i].role == ROLE_HYPERVISOR && !check_kernel(b, s, file))
			return false;
	}
	if (m->geo.file.s && !source_open(m, &m->geo.file, &b->geo, b->fault))
		return false;
	if (!b->options->efi)
		return true;
	if (!source_open_plain(b->options->efi, "name geolaunch.efi with --efi or GEOLAUNCH_EFI", &b->efi, b->fault))
		return false;
	b->out->efi_size = b->efi.size;
	return source_kind(&b->efi) == SOURCE_PE ||
	       cli_fail(b->fault, CLI_INPUT, "this is no EFI application for x86-64: %s: name geolaunch.efi with --efi or GEOLAUNCH_EFI",
			b->options->efi);
}

static bool check_geo_size(struct build *b, size_t n)
{
	const struct manifest *m = &b->out->manifest;

	if (n > APPLY_NV_MAX)
		return manifest_fail(m, m->geo.file.line, "measure a digest of it instead", b->fault,
				     "\"%.200s\" is larger than %d bytes, which is all that is read at boot", m->geo.file.s, APPLY_NV_MAX);
	return !m->geo.raw || n == 32 || n == 48 || n == 64 ||
	       manifest_fail(m, m->geo.file.line, "give 32, 48 or 64 bytes, or use kind nv", b->fault,
			     "\"%.200s\" has %zu bytes, but nv_raw content is extended as a digest", m->geo.file.s, n);
}

/* The content that the NV index is expected to have. Small: read here, before anything is made. */
static bool read_geo(struct build *b)
{
	const struct manifest_geo *geo = &b->out->manifest.geo;
	struct build_result *out = b->out;

	if (!geo->given)
		return true;
	if (geo->has_tag) {
		out->geo = malloc(sizeof(geo->tag));
		out->geo_size = sizeof(geo->tag);
		if (!out->geo)
			return cli_fail(b->fault, CLI_IO, "out of memory: geo tag");
		memcpy(out->geo, geo->tag, sizeof(geo->tag));
		return true;
	}
	if (!check_geo_size(b, (size_t)b->geo.size))
		return false;
	out->geo = malloc((size_t)b->geo.size);
	out->geo_size = (size_t)b->geo.size;
	if (!out->geo)
		return cli_fail(b->fault, CLI_IO, "out of memory: %s", b->geo.path);
	return pread(b->geo.fd, out->geo, out->geo_size, 0) == (ssize_t)out->geo_size ||
	       cli_fail(b->fault, CLI_IO, "cannot read: %s: try again", b->geo.path);
}

/* ---- launch description, policy ---- */

/* Bytes of a module's command line, by the rule that geolaunch.efi uses, too. */
static struct span module_cmdline(const struct build_module *m)
{
	struct description_module dm = { .role = m->role };

	if (!m->given)
		return (struct span){ NULL, 0 };
	dm.cmdline = span_str(m->given->cmdline.s);
	dm.path = span_str(m->given->path.s);
	return description_module_cmdline(&dm);
}

static bool write_description(struct build *b)
{
	const struct build_result *out = b->out;
	CLEANUP_FREE struct description *d = calloc(1, sizeof(*d));
	enum description_error error;
	size_t at = 0;

	if (!d)
		return cli_fail(b->fault, CLI_IO, "out of memory: launch description");
	d->mode = DESCRIPTION_DIRECT;
	d->on_halt = out->manifest.halt_return ? DESCRIPTION_RETURN : DESCRIPTION_POWEROFF;
	d->halt_delay = out->manifest.halt_delay;
	d->policy = SPAN_LITERAL(POLICY_FILE);
	d->module_count = out->manifest.module_count;
	for (size_t i = 0; i < d->module_count; i++) {
		const struct manifest_module *m = &out->manifest.modules[i];

		d->modules[i] = (struct description_module){
			.role = m->role,
			.file = span_str(out->modules[i + 1].file),
			.cmdline = span_str(m->cmdline.s),
			.path = span_str(m->path.s),
			.mode = m->mode,
		};
	}
	error = description_validate(d, &at);
	if (!error)
		error = description_write(d, (struct mspan){ b->description, sizeof(b->description) }, &b->description_size);
	if (error)
		return manifest_fail(&out->manifest, at ? out->manifest.modules[at - 1].file.line : 1, "change it; see geolaunch-manifest(5)",
				     b->fault, "the launch description is not possible: %s", description_strerror(error));
	b->out->modules[0].size = b->description_size;
	hash_span(b->algs, (struct span){ b->description, b->description_size }, &b->out->modules[0].image);
	return true;
}

static void measure_modules(struct build *b)
{
	for (size_t i = 0; i < b->out->module_count; i++) {
		struct build_module *m = &b->out->modules[i];

		measure_module(b->algs, module_cmdline(m), &m->image, &m->measured);
	}
}

/* With `want` the entry demands the digest of the policy's algorithm out of it; without, anything is allowed. */
static enum vlp_error add_entry(struct build *b, struct vlp_entry entry, const struct digests *want)
{
	if (want)
		entry.hashes = digest_span(want, b->out->manifest.policy_hash);
	return vlp_edit_insert(&b->policy, b->policy.entry_count, &entry);
}

static enum vlp_error add_nv_entry(struct build *b)
{
	const struct manifest_geo *geo = &b->out->manifest.geo;
	const struct vlp_entry entry = { .module = geo->raw ? VLP_MODULE_NV_RAW : VLP_MODULE_NV, .pcr = geo->pcr, .nv_index = geo->index };

	measure_nv(b->algs, geo->raw, (struct span){ b->out->geo, b->out->geo_size }, &b->geo_measured);
	return add_entry(b, entry, geo->verify ? &b->geo_measured : NULL);
}

static_assert(1 + MANIFEST_MAX_MODULES + 1 <= VLP_MAX_ENTRIES, "an entry for every module and the NV index");

static enum vlp_error add_entries(struct build *b)
{
	/* tboot's module 0 rule extends it to PCR 17; the entry only lets it pass. */
	enum vlp_error error = add_entry(b, (struct vlp_entry){ .module = 0, .pcr = VLP_PCR_NONE }, NULL);

	for (size_t i = 1; i < b->out->module_count && !error; i++)
		error = add_entry(b, (struct vlp_entry){ .module = (uint8_t)i, .pcr = b->out->modules[i].pcr }, &b->out->modules[i].measured);
	return !error && b->out->manifest.geo.given ? add_nv_entry(b) : error;
}

static bool write_policy(struct build *b)
{
	const struct manifest *m = &b->out->manifest;
	enum vlp_error error;

	vlp_edit_begin(&b->policy, m->policy_type, m->policy_hash, VLP_CONTROL_EXTEND_PCR17);
	error = add_entries(b);
	if (!error)
		error = vlp_encode(&b->policy, (struct mspan){ b->policy_bytes, sizeof(b->policy_bytes) }, &b->out->policy_size);
	if (error == VLP_E_SIZE || error == VLP_E_BUFFER)
		return manifest_fail(m, m->policy_line, "use a shorter policy hash or fewer files", b->fault,
				     "the policy is larger than %d bytes, which is all that tboot and a TPM's NV take", VLP_MAX_SIZE);
	return !error || manifest_fail(m, m->policy_line, "see geolaunch-manifest(5)", b->fault, "the policy is not possible: %s",
				       vlp_strerror(error));
}

/* ---- prediction ---- */

/* Whether it tells a country: only our own record does. */
static void find_country(struct build_result *out)
{
	struct geo_tag tag;

	if (out->geo && geo_decode((struct span){ out->geo, out->geo_size }, &tag) == GEO_OK)
		memcpy(out->expected.country, tag.country, sizeof(out->expected.country));
}

static bool predict_launch(struct build *b)
{
	struct build_result *out = b->out;
	const struct manifest *m = &out->manifest;
	struct predict_module modules[1 + MANIFEST_MAX_MODULES];
	const struct predict_nv nv = {
		.index = m->geo.index,
		.content = { out->geo, out->geo_size },
		.provenance = m->geo.has_tag ? PROVENANCE_GIVEN : PROVENANCE_COMPUTED,
		.from = m->geo.has_tag ? "geo.tag" : m->geo.file.s,
	};
	const struct predict_input in = {
		.policy = &b->policy,
		.policy_bytes = { b->policy_bytes, out->policy_size },
		.policy_from = POLICY_FILE,
		.banks = m->banks,
		.modules = modules,
		.module_count = out->module_count,
		.nv = &nv,
		.nv_count = m->geo.given,
	};

	for (size_t i = 0; i < out->module_count; i++) {
		const struct build_module *bm = &out->modules[i];

		modules[i] = (struct predict_module){
			.role = bm->role,
			.file = bm->file,
			.cmdline = module_cmdline(bm),
			.image = &bm->image,
			.from = bm->given ? bm->given->file.s : bm->file,
		};
	}
	out->expected.name = strdup(m->name);
	out->expected.mode = strdup("direct");
	if (!out->expected.name || !out->expected.mode)
		return cli_fail(b->fault, CLI_IO, "out of memory: prediction");
	out->expected.policy_type = m->policy_type;
	out->expected.policy_hash = m->policy_hash;
	find_country(out);
	return predict(&in, &out->expected, b->fault);
}

/* ---- the tree ---- */

static bool copy_module(struct build *b, size_t number)
{
	struct build_module *m = &b->out->modules[number];
	CLEANUP_FD int fd = -1;
	char name[64];

	(void)snprintf(name, sizeof(name), ESP "%s", m->file);
	fd = tree_create(&b->tree, name, b->fault);
	return fd >= 0 && source_copy(&b->sources[number], &fd, 1, b->algs, &m->image, &b->stop, b->fault) &&
	       tree_close(&b->tree, name, &fd, b->fault);
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

static bool make_tree(struct build *b)
{
	if (!tree_begin(&b->tree, b->fault))
		return false;
	for (size_t i = 0; i < GL_COUNT(folders); i++)
		if (!tree_mkdir(&b->tree, folders[i], b->fault))
			return false;
	if (!copy_efi(b))
		return false;
	for (size_t i = 1; i < b->out->module_count; i++)
		if (!copy_module(b, i))
			return false;
	return true;
}

static bool write_results(struct build *b)
{
	CLEANUP_FREE char *text = expected_text(&b->out->expected);

	if (!text)
		return cli_fail(b->fault, CLI_IO, "out of memory: expected.json");
	return tree_write(&b->tree, ESP DESCRIPTION_FILE, (struct span){ b->description, b->description_size }, b->fault) &&
	       tree_write(&b->tree, ESP POLICY_FILE, (struct span){ b->policy_bytes, b->out->policy_size }, b->fault) &&
	       (!b->out->geo || tree_write(&b->tree, GEO_FILE, (struct span){ b->out->geo, b->out->geo_size }, b->fault)) &&
	       tree_write(&b->tree, "expected.json", span_str(text), b->fault);
}

static struct build *build_begin(const struct build_options *options, struct build_result *out, struct cli_fault *fault)
{
	struct build *b = malloc(sizeof(*b));

	if (!b) {
		(void)cli_fail(fault, CLI_IO, "out of memory: build");
		return NULL;
	}
	*b = (struct build){ .options = options, .out = out, .fault = fault, .tree = TREE_NONE, .efi = SOURCE_NONE, .geo = SOURCE_NONE };
	for (size_t i = 0; i < GL_COUNT(b->sources); i++)
		b->sources[i] = SOURCE_NONE;
	interrupt_hold(&b->stop);
	return b;
}

/* The manifest and everything that can be found wrong with it and its files before they are hashed. */
static bool look_at_inputs(struct build *b)
{
	return open_inputs(b) && read_geo(b) && write_description(b) &&
	       write_policy(b);         /* no digests yet, but the policy's size is that of the final one */
}

bool build_run(const struct build_options *options, struct build_result *out, struct cli_fault *fault)
{
	CLEANUP(build_end) struct build *b = build_begin(options, out, fault);

	/* 1. What can be found wrong without writing. */
	if (!b || !manifest_load(options->manifest, &out->manifest, fault))
		return false;
	list_modules(out);
	b->algs = out->manifest.banks | ALG_BIT(out->manifest.policy_hash);
	if (!tree_check(&b->tree, options->output, options->force, output_names, fault) || !look_at_inputs(b))
		return false;
	out->efi = strdup(options->efi);
	if (!out->efi)
		return cli_fail(fault, CLI_IO, "out of memory: build");

	/* 2. Copy and hash in one pass. */
	if (!make_tree(b))
		return false;

	/* 3. What follows from the digests. */
	measure_modules(b);
	if (!write_policy(b) || !predict_launch(b) || !write_results(b))
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
	list_modules(out);
	b->algs = ALG_BIT(out->manifest.policy_hash);
	if (!look_at_inputs(b))
		return false;
	for (size_t i = 1; i < out->module_count; i++)
		if (!source_copy(&b->sources[i], NULL, 0, b->algs, &out->modules[i].image, &b->stop, fault))
			return false;
	measure_modules(b);
	if (!write_policy(b))
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
	free(r->geo);
	free(r->leftover);
}
