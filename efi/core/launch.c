/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/launch.h"

#include <string.h>

#include "efi/core/launch_file.h"
#include "efi/core/launch_report.h"

/* Large enough that the firmware's per-call cost vanishes, small enough that the bytes are still in a cache when they are hashed. */
#define PIECE ((size_t)256 * 1024)
/* More than any file of a launch has; keeps all sums far from wrapping. */
#define FILE_MAX ((uint64_t)4 * 1024 * 1024 * 1024 - 4096)

struct launch_file launch_open_file(struct launch *l, struct span name)
{
	struct launch_file f = { .io = LAUNCH_IO_MISSING };
	uint64_t size = 0;

	f.io = l->ops->open(l->ctx, name, &f.file, &size);
	if (f.io != LAUNCH_IO_OK) {
		f.file = NULL;
		if (f.io == LAUNCH_IO_ERROR)
			report_unreadable(l, name);
		return f;
	}
	if (size == 0 || size > FILE_MAX) {
		report_file(l, name, size ? "cannot be read: larger than a file of a launch can be" : "cannot be read: it is empty");
		l->ops->close(l->ctx, f.file);
		return (struct launch_file){ .io = LAUNCH_IO_ERROR };
	}
	f.size = (size_t)size;
	return f;
}

void launch_close_file(struct launch *l, struct launch_file *f)
{
	if (f->file)
		l->ops->close(l->ctx, f->file);
	f->file = NULL;
}

/* Reads the whole file into its place, each piece hashed while it is at hand. `out` may be NULL. Closes the file. */
enum launch_io launch_read_file(struct launch *l, struct launch_file *f, struct span name, alg_set algs, struct digests *out)
{
	struct hash h;
	uint64_t start = l->ops->now_us(l->ctx), shown = 0;

	hash_init(&h, algs);
	for (size_t off = 0; off < f->size && f->io == LAUNCH_IO_OK;) {
		size_t n = f->size - off < PIECE ? f->size - off : PIECE;
		uint64_t t0 = l->ops->now_us(l->ctx), t1;

		f->io = l->ops->read(l->ctx, name, f->file, f->place + off, n);
		t1 = l->ops->now_us(l->ctx);
		l->read_us += t1 - t0;
		if (f->io != LAUNCH_IO_OK) {
			report_unreadable(l, name);
			break;
		}
		if (out)
			hash_update(&h, (struct span){ f->place + off, n });
		off += n;
		t0 = l->ops->now_us(l->ctx);
		l->hash_us += t0 - t1;
		if (report_progress(l, name, off, f->size, t0 - start, &shown))
			shown = t0 - start;
	}
	launch_close_file(l, f);
	if (f->io == LAUNCH_IO_OK && out)
		hash_final(&h, out);
	return f->io;
}

/* A small file as a whole, into memory of its own. */
enum launch_io launch_read_small(struct launch *l, struct span name, size_t max, struct span *out)
{
	struct launch_file f = launch_open_file(l, name);

	if (f.io == LAUNCH_IO_OK && f.size > max) {
		report_file(l, name, "cannot be read: larger than a file of this kind can be");
		launch_close_file(l, &f);
		return LAUNCH_IO_ERROR;
	}
	if (f.io == LAUNCH_IO_OK) {
		f.place = l->ops->alloc(l->ctx, f.size);
		if (!f.place) {
			report_no_memory(l, name, f.size);
			launch_close_file(l, &f);
			return LAUNCH_IO_ERROR;
		}
		f.io = launch_read_file(l, &f, name, 0, NULL);
	}
	if (f.io == LAUNCH_IO_OK)
		*out = (struct span){ f.place, f.size };
	return f.io;
}

static enum launch_prepared get_description(struct launch *l, struct span name)
{
	if (l->embedded.description.n) {
		l->ops->line(l->ctx, "geolaunch: launch description and policy are those in geolaunch.efi");
		l->description_bytes = l->embedded.description;
		return LAUNCH_PREPARED;
	}
	if (l->secure_boot) {
		report_file(l, name,
			"Secure Boot is on, and no signature covers this file: put it into geolaunch.efi with 'geolaunch build --sign'");
		return LAUNCH_UNSIGNED_DESCRIPTION;
	}
	switch (launch_read_small(l, name, DESCRIPTION_MAX_SIZE, &l->description_bytes)) {
	case LAUNCH_IO_OK:
		return LAUNCH_PREPARED;
	case LAUNCH_IO_MISSING:
		report_file(l, name, "not found on the volume that geolaunch.efi was started from: install a build again");
		return LAUNCH_NO_DESCRIPTION;
	default:
		return LAUNCH_NO_DESCRIPTION;
	}
}

static enum launch_prepared prepare_description(struct launch *l)
{
	struct span name = SPAN_LITERAL(LAUNCH_DESCRIPTION_FILE);
	size_t line = 0;
	enum description_error e;
	enum launch_prepared p = get_description(l, name);

	if (p != LAUNCH_PREPARED)
		return p;
	e = description_parse(l->description_bytes, &l->description, &line);
	if (e != DESCRIPTION_OK) {
		report_file_line(l, name, line, description_strerror(e));
		return LAUNCH_BAD_DESCRIPTION;
	}
	return LAUNCH_PREPARED;
}

static enum launch_prepared get_policy(struct launch *l, struct span name)
{
	if (l->embedded.policy.n) {
		l->policy_bytes = l->embedded.policy;
		return LAUNCH_PREPARED;
	}
	switch (launch_read_small(l, name, LAUNCH_POLICY_MAX, &l->policy_bytes)) {
	case LAUNCH_IO_OK:
		return LAUNCH_PREPARED;
	case LAUNCH_IO_MISSING:
		report_file(l, name, "the launch policy is missing: install a build again");
		return LAUNCH_NO_POLICY;
	default:
		return LAUNCH_NO_POLICY;
	}
}

static enum launch_prepared prepare_policy(struct launch *l)
{
	struct span name = l->description.policy;
	enum launch_prepared p = get_policy(l, name);
	enum vlp_error e;

	if (p != LAUNCH_PREPARED)
		return p;
	e = vlp_decode(l->policy_bytes, &l->policy);
	if (e == VLP_OK)
		e = vlp_validate(&l->policy, NULL);
	if (e != VLP_OK) {
		report_file(l, name, vlp_strerror(e));
		return LAUNCH_BAD_POLICY;
	}
	return LAUNCH_PREPARED;
}

enum launch_prepared launch_prepare(struct launch *l)
{
	enum launch_prepared p = prepare_description(l);

	if (p == LAUNCH_PREPARED)
		p = prepare_policy(l);
	return p;
}

enum cap launch_cap(enum launch_prepared p)
{
	static const enum cap caps[LAUNCH_PREPARED_COUNT] = {
		[LAUNCH_NO_DESCRIPTION] = CAP_DESCRIPTION_MISSING,
		[LAUNCH_BAD_DESCRIPTION] = CAP_DESCRIPTION_INVALID,
		[LAUNCH_UNSIGNED_DESCRIPTION] = CAP_DESCRIPTION_UNSIGNED,
		[LAUNCH_NO_POLICY] = CAP_POLICY_MISSING,
		[LAUNCH_BAD_POLICY] = CAP_POLICY_INVALID,
	};

	return caps[p < LAUNCH_PREPARED_COUNT ? p : LAUNCH_BAD_POLICY];
}

static bool is_member(const struct launch *l, size_t i)
{
	return role_table[l->description.modules[i].role].member;
}

/* Collects the members whose files are (still) readable and lays out the initrd for them. */
static bool lay_out(struct launch *l)
{
	size_t total = 0;

	l->member_count = 0;
	l->initrd_file = 0;
	l->initrd_size = 0;
	for (size_t i = 0; i < l->description.module_count; i++) {
		const struct description_module *m = &l->description.modules[i];

		if (l->files[i].io != LAUNCH_IO_OK)
			continue;
		if (m->role == ROLE_INITRD)
			l->initrd_file = l->files[i].size;
		if (!is_member(l, i))
			continue;
		l->member_module[l->member_count] = i;
		l->members[l->member_count++] = (struct cpio_member){ .path = m->path, .mode = m->mode, .size = l->files[i].size };
	}
	if (!l->initrd_file && !l->member_count)
		return true;
	if (cpio_layout(l->initrd_file, l->members, l->member_count, &total) != CPIO_OK)
		return false;
	l->initrd_size = total;
	return true;
}

/* Opens every module's file and gives each its place: the kernel its own pages, initrd and members theirs in one initrd. */
static bool place_files(struct launch *l)
{
	for (size_t i = 0; i < l->description.module_count; i++)
		l->files[i] = launch_open_file(l, l->description.modules[i].file);
	if (!lay_out(l))
		return false;
	if (l->initrd_size) {
		l->initrd = l->ops->alloc(l->ctx, l->initrd_size);
		if (!l->initrd) {
			report_no_memory(l, SPAN_LITERAL("initrd with all that goes into it"), l->initrd_size);
			return false;
		}
		l->initrd_room = l->initrd_size;
	}
	for (size_t i = 0; i < l->description.module_count; i++) {
		struct launch_file *f = &l->files[i];

		if (f->io != LAUNCH_IO_OK)
			continue;
		if (l->description.modules[i].role == ROLE_INITRD)
			f->place = l->initrd;
		else if (!is_member(l, i))
			f->place = l->ops->alloc(l->ctx, f->size);
		if (!f->place && !is_member(l, i)) {
			report_no_memory(l, l->description.modules[i].file, f->size);
			return false;
		}
	}
	for (size_t k = 0; k < l->member_count; k++)
		l->files[l->member_module[k]].place = l->initrd + l->members[k].offset;
	return true;
}

/*
 * A file that failed in the middle must not reach the host as a torso: its member is taken out and the later ones move up. Their bytes
 * are the measured ones still, only at another place.
 */
static bool finish_initrd(struct launch *l)
{
	size_t before = l->initrd_size;

	if (!before)
		return true;
	if (!lay_out(l) || l->initrd_size > l->initrd_room)
		return false;
	if (l->initrd_size != before)
		for (size_t k = 0; k < l->member_count; k++) {
			struct launch_file *f = &l->files[l->member_module[k]];

			memmove(l->initrd + l->members[k].offset, f->place, f->size);
			f->place = l->initrd + l->members[k].offset;
		}
	if (!l->initrd_size)
		return true;
	return cpio_write((struct mspan){ l->initrd, l->initrd_size }, l->initrd_file, l->members, l->member_count) == CPIO_OK;
}

/*
 * Module 0: the description itself, which decides what the others are. In txt mode it is the stage, and a host that is started without
 * a launch does not need it; it is compared with the policy all the same.
 */
static enum vlp_action measure_module_zero(struct launch *l, alg_set algs)
{
	const struct description_module *stage = &l->description.txt.stage;
	struct span bytes = l->description_bytes;
	struct digests image;
	bool ok = true;

	if (l->description.mode == DESCRIPTION_TXT)
		ok = launch_read_small(l, stage->file, LAUNCH_STAGE_MAX, &bytes) == LAUNCH_IO_OK;
	l->current_size = ok ? bytes.n : 0;
	if (ok)
		hash_span(algs, bytes, &image);
	if (l->description.mode != DESCRIPTION_TXT)
		return apply_module(&l->apply,
			&(struct apply_module){
				.number = 0, .role = ROLE_DESCRIPTION, .file = SPAN_LITERAL(LAUNCH_DESCRIPTION_FILE), .image = &image });
	return apply_module(&l->apply, &(struct apply_module){ .number = 0,
					       .role = ROLE_STAGE,
					       .file = stage->file,
					       .cmdline = description_module_cmdline(stage),
					       .image = ok ? &image : NULL });
}

bool launch_is_pinned(const struct launch *l, unsigned number, struct span cmdline, const struct digests *image)
{
	const struct vlp_entry *e = vlp_find_module(&l->policy, number);
	struct digests d;
	enum alg a;

	if (!e || e->hash_type != VLP_HASH_IMAGE || !alg_by_id(l->policy.hash_alg, &a) || a == ALG_SHA1)
		return false;
	measure_module(ALG_BIT(a), cmdline, image, &d);
	return vlp_entry_allows(&l->policy, e, &d);
}

static enum vlp_action measure_modules(struct launch *l)
{
	alg_set algs = apply_algs(&l->apply);
	enum vlp_action act = measure_module_zero(l, algs);
	struct digests image;

	for (size_t i = 0; i < l->description.module_count && act == VLP_ACT_CONTINUE; i++) {
		const struct description_module *m = &l->description.modules[i];
		bool ok = l->files[i].io == LAUNCH_IO_OK && launch_read_file(l, &l->files[i], m->file, algs, &image) == LAUNCH_IO_OK;

		l->pinned[i] = ok && launch_is_pinned(l, (unsigned)i + 1, description_module_cmdline(m), &image);
		l->current_size = l->files[i].size;
		act = apply_module(&l->apply, &(struct apply_module){ .number = (unsigned)i + 1,
						      .role = m->role,
						      .file = m->file,
						      .cmdline = description_module_cmdline(m),
						      .image = ok ? &image : NULL });
	}
	return act;
}

static void close_all(struct launch *l)
{
	for (size_t i = 0; i < l->description.module_count; i++)
		launch_close_file(l, &l->files[i]);
}

static bool can_start(const struct launch *l)
{
	return launch_image(l, ROLE_HYPERVISOR).n > 0 &&
	       (l->description.hypervisor != HYPERVISOR_XEN || launch_image(l, ROLE_KERNEL).n > 0);
}

static enum vlp_action measure_all(struct launch *l)
{
	enum vlp_action act = apply_policy(&l->apply);

	if (act == VLP_ACT_CONTINUE && !place_files(l)) {
		l->ops->line(l->ctx, "geolaunch: not enough memory for the modules: give the host more memory or smaller files");
		act = apply_error(&l->apply, TB_ERR_FATAL, CAP_START_FAILED);
	}
	if (act == VLP_ACT_CONTINUE)
		act = measure_modules(l);
	if (act == VLP_ACT_CONTINUE)
		act = apply_modules_end(&l->apply);
	if (act == VLP_ACT_CONTINUE)
		act = apply_nv(&l->apply);
	if (act == VLP_ACT_CONTINUE && (!finish_initrd(l) || !can_start(l))) {
		l->ops->line(l->ctx, "geolaunch: the hypervisor could not be loaded, there is nothing to start");
		act = apply_error(&l->apply, TB_ERR_FATAL, CAP_START_FAILED);
	}
	if (act == VLP_ACT_CONTINUE && l->measured)
		act = apply_closing(&l->apply);
	return act;
}

enum vlp_action launch_measure(struct launch *l, alg_set banks)
{
	enum vlp_action act;

	l->measured = banks != 0;
	l->apply.policy = &l->policy;
	l->apply.policy_bytes = l->policy_bytes;
	l->apply.banks = banks;
	report_bind(l);
	act = measure_all(l);
	close_all(l);
	return act;
}

/* The first module with that role, module_count if there is none. */
static size_t find_role(const struct launch *l, enum role role)
{
	size_t i = 0;

	while (i < l->description.module_count && l->description.modules[i].role != role)
		i++;
	return i;
}

struct span launch_image(const struct launch *l, enum role role)
{
	size_t i = find_role(l, role);

	if (i == l->description.module_count || l->files[i].io != LAUNCH_IO_OK)
		return (struct span){ NULL, 0 };
	return (struct span){ l->files[i].place, l->files[i].size };
}

struct span launch_cmdline(const struct launch *l, enum role role)
{
	size_t i = find_role(l, role);

	return i == l->description.module_count ? (struct span){ NULL, 0 } : l->description.modules[i].cmdline;
}

struct span launch_file_name(const struct launch *l, enum role role)
{
	size_t i = find_role(l, role);

	return i == l->description.module_count ? (struct span){ NULL, 0 } : l->description.modules[i].file;
}

bool launch_host_is_pinned(const struct launch *l)
{
	size_t hypervisor = find_role(l, ROLE_HYPERVISOR), kernel = find_role(l, ROLE_KERNEL), n = l->description.module_count;

	return l->embedded.policy.n != 0 && hypervisor < n && l->pinned[hypervisor] && (kernel == n || l->pinned[kernel]);
}

struct span launch_initrd(const struct launch *l)
{
	return (struct span){ l->initrd, l->initrd_size };
}
