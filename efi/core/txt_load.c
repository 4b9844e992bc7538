/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/txt_load.h"

#include <string.h>

#include "boot/elf.h"
#include "efi/core/launch_file.h"

#define LINE 200
#define PREFIX_BYTES 6

static void found(struct txt_load *t, enum preflight_id id, const struct description_module *m, const char *why)
{
	char buf[PREFLIGHT_DETAIL];
	struct text d = TEXT_OF(buf);

	text_str(&d, role_table[m->role].name);
	text_str(&d, ", file ");
	text_span(&d, m->file);
	if (why) {
		text_str(&d, ": ");
		text_str(&d, why);
	}
	preflight_add(t->report, id, &d);
}

static void found_io(struct txt_load *t, const struct description_module *m, enum launch_io io)
{
	found(t, PREFLIGHT_MODULE_FILE, m, io == LAUNCH_IO_MISSING ? "not found" : "cannot be read");
}

/*
 * The policy has no entry for tboot, SINIT module and launch control data; SINIT measures or checks them. But tboot reads the other two before,
 * and believes what they say of their sizes.
 */
static void compare_named(struct txt_load *t, const struct description_module *m, const struct digests *image, enum preflight_id differs)
{
	char buf[2 * DIGEST_MAX + 1];
	struct text hex = TEXT_OF(buf);

	if (!m->sha256.n) {
		if (t->l->secure_boot)
			found(t, PREFLIGHT_SECURE_BOOT, m, NULL);
		return;
	}
	text_bytes(&hex, digest_span(image, ALG_SHA256));
	if (!span_is_str(m->sha256, buf))
		found(t, differs, m, NULL);
}

static void add(struct txt_load *t, const struct description_module *m)
{
	struct txt_load_module *to = &t->modules[t->count++];

	*to = (struct txt_load_module){ .module = m, .kind = TXT_LOAD_NUMBERED, .file = launch_open_file(t->l, m->file) };
	if (to->file.io != LAUNCH_IO_OK)
		found_io(t, m, to->file.io);
}

static void add_copy(struct txt_load *t, const struct description_module *m, struct span bytes)
{
	struct digests image = { 0 };

	if (!m->file.n)
		return;
	if (m->sha256.n)
		hash_span(ALG_BIT(ALG_SHA256), bytes, &image);
	compare_named(t, m, &image, PREFLIGHT_FILE_DIFFERS);
	t->modules[t->count++] =
		(struct txt_load_module){ .module = m, .kind = TXT_LOAD_COPY, .bytes = bytes, .file = { .size = bytes.n } };
}

void txt_load_open(struct txt_load *t, struct span sinit, struct span lcp)
{
	const struct description *d = &t->l->description;

	t->tboot_file = launch_open_file(t->l, d->txt.tboot.file);
	if (t->tboot_file.io != LAUNCH_IO_OK)
		found_io(t, &d->txt.tboot, t->tboot_file.io);
	add(t, &d->txt.stage);
	for (size_t i = 0; i < d->module_count; i++)
		add(t, &d->modules[i]);
	if (sinit.n)
		add_copy(t, &d->txt.sinit, sinit);
	if (lcp.n)
		add_copy(t, &d->txt.lcp, lcp);
}

void txt_load_close(struct txt_load *t)
{
	launch_close_file(t->l, &t->tboot_file);
	for (size_t i = 0; i < t->count; i++)
		launch_close_file(t->l, &t->modules[i].file);
}

static void print(
	struct txt_load *t, unsigned number, const struct txt_load_module *m, enum alg a, const struct digests *d, const char *verdict)
{
	char buf[LINE];
	struct text line = TEXT_OF(buf);

	text_str(&line, "  ");
	name_module(&line, number, m->module->role, m->module->file);
	text_pad(&line, 44);
	text_size(&line, m->file.size);
	text_pad(&line, 55);
	text_str(&line, alg_table[a].name);
	text_char(&line, ' ');
	text_bytes(&line, (struct span){ digest_span(d, a).p, PREFIX_BYTES });
	text_pad(&line, 76);
	text_str(&line, verdict);
	t->l->ops->line(t->l->ctx, buf);
}

/* Runs with all rights before there is an operating system, and the firmware never gets to see it. */
static bool is_program(enum role role)
{
	return role == ROLE_TBOOT || role == ROLE_STAGE || role == ROLE_HYPERVISOR || role == ROLE_KERNEL;
}

/* What tboot will make of it: policy.c verify_module(). */
static void compare(struct txt_load *t, unsigned number, const struct txt_load_module *m, enum alg a, const struct digests *image)
{
	const struct vlp_entry *e = vlp_find_module(&t->l->policy, number);
	struct digests d;
	bool ok;

	measure_module(ALG_BIT(a), description_module_cmdline(m->module), image, &d);
	if (t->l->secure_boot && is_program(m->module->role) &&
		!launch_is_pinned(t->l, number, description_module_cmdline(m->module), image))
		found(t, PREFLIGHT_SECURE_BOOT, m->module, NULL);
	ok = e && vlp_entry_allows(&t->l->policy, e, &d);
	print(t, number, m, a, &d, ok ? "ok" : e ? "NOT ALLOWED" : "NOT IN THE POLICY");
	if (!ok)
		found(t, e ? PREFLIGHT_MODULE_DIFFERS : PREFLIGHT_MODULE_UNLISTED, m->module, NULL);
}

static void read_tboot(struct txt_load *t)
{
	const struct description_module *m = &t->l->description.txt.tboot;
	struct digests image;
	enum launch_io io = launch_read_file(t->l, &t->tboot_file, m->file, ALG_BIT(ALG_SHA256), &image);
	enum tboot_image_error e;
	const char *why = NULL;

	if (io != LAUNCH_IO_OK) {
		found_io(t, m, io);
		return;
	}
	compare_named(t, m, &image, PREFLIGHT_TBOOT_DIFFERS);
	e = tboot_image_plan((struct span){ t->tboot_file.place, t->tboot_file.size }, &t->tboot, &why);
	if (e != TBOOT_IMAGE_OK)
		found(t, PREFLIGHT_TBOOT_IMAGE, m, why ? why : tboot_image_strerror(e));
}

/* tboot goes on after an image that it cannot make out. */
static void check_stage(struct txt_load *t, const struct txt_load_module *m)
{
	struct elf_plan plan;
	enum elf_error e = elf_plan((struct span){ m->file.place, m->file.size }, &plan);

	if (e == ELF_OK && plan.is64)
		e = ELF_E_CLASS;
	if (e != ELF_OK)
		found(t, PREFLIGHT_STAGE_IMAGE, m->module, elf_strerror(e));
}

/* Entries for modules that do not come. */
static void look_for_missing(struct txt_load *t)
{
	const struct vlp *policy = &t->l->policy;

	for (size_t i = 0; i < policy->entry_count; i++) {
		char buf[32];
		struct text d = TEXT_OF(buf);

		if (policy->entries[i].module > VLP_MODULE_MAX || policy->entries[i].module <= t->l->description.module_count)
			continue;
		text_str(&d, "module ");
		text_u64(&d, policy->entries[i].module);
		preflight_add(t->report, PREFLIGHT_MODULE_MISSING, &d);
	}
}

void txt_load_read(struct txt_load *t)
{
	enum alg a = ALG_SHA256;

	/* vlp_validate() let no other algorithm pass. */
	if (!alg_by_id(t->l->policy.hash_alg, &a))
		a = ALG_SHA256;
	read_tboot(t);
	for (size_t i = 0; i < t->count; i++) {
		struct txt_load_module *m = &t->modules[i];
		struct digests image;
		enum launch_io io;

		if (txt_load_is_copy(m)) {
			memcpy(m->file.place, m->bytes.p, m->bytes.n);
			continue;
		}
		io = launch_read_file(t->l, &m->file, m->module->file, ALG_BIT(a), &image);
		if (io == LAUNCH_IO_OK)
			compare(t, (unsigned)i, m, a, &image);
		else
			found_io(t, m->module, io);
		if (io == LAUNCH_IO_OK && m->module->role == ROLE_STAGE)
			check_stage(t, m);
	}
	look_for_missing(t);
}
