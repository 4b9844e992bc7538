/* SPDX-License-Identifier: BSD-3-Clause */
/* The files that go into a build: opened, unpacked and checked before anything is written. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/beside.h"
#include "cli/build_impl.h"
#include "cli/elf_pack.h"
#include "cli/files.h"
#include "cli/lcp.h"
#include "cli/tboot_file.h"
#include "lcp/acm.h"
#include "tboot-policy/apply.h"

#define LOG_MAX ((size_t)1 << 20)
#define TBOOT_MAX ((size_t)64 << 20)
#define STAGE_MAX ((size_t)1 << 20) /* ours has less than 100 KiB */
/* tboot 1.10.5, include/txt/heap.h, MAX_LCP_PO_DATA_SIZE */
#define TBOOT_LCP_MAX ((size_t)64 << 10)

/* Replaces the file by these bytes, in memory. */
static bool replace(struct source *s, struct span bytes, struct cli_fault *fault)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || !write_all(fd, bytes) || lseek(fd, 0, SEEK_SET) != 0) {
		cli_closep(&fd);
		return cli_fail(fault, CLI_IO, "cannot copy to memory: %s: %s", s->path, strerror(errno));
	}
	(void)close(s->fd);
	s->fd = fd;
	s->size = bytes.n;
	return true;
}

/* Replaces a gzip'ed file by its content. */
static bool unpack(struct source *s, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes image = { NULL, 0 };

	if (source_kind(s) != SOURCE_GZIP)
		return true;
	return lcp_read_image(s->path, &image, fault) && replace(s, lcp_bytes_span(&image), fault);
}

/* Reads it as a whole; it can be copied afterwards. */
static bool read_whole(const struct source *s, size_t max, struct build_bytes *out, struct cli_fault *fault)
{
	if (s->size > max)
		return cli_fail(fault, CLI_INPUT, "larger than %zu bytes: %s: name the right file", max, s->path);
	out->n = (size_t)s->size;
	out->p = malloc(out->n + 1);
	if (!out->p)
		return cli_fail(fault, CLI_IO, "out of memory: %s", s->path);
	return pread(s->fd, out->p, out->n, 0) == (ssize_t)out->n || cli_fail(fault, CLI_IO, "cannot read: %s: try again", s->path);
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

static bool check_elf(struct build *b, struct source *s, const struct yaml_text *file, const char *advice)
{
	return unpack(s, b->fault) && (source_kind(s) == SOURCE_ELF || manifest_fail(&b->out->manifest, file->line, advice, b->fault,
									       "\"%.200s\" is no ELF file", file->s));
}

static bool open_modules(struct build *b)
{
	const struct manifest *m = &b->out->manifest;

	for (size_t i = 0; i < m->module_count; i++) {
		const struct yaml_text *file = &m->modules[i].file;
		struct source *s = &b->sources[i + 1];
		bool xen = m->modules[i].role == ROLE_HYPERVISOR && m->hypervisor == HYPERVISOR_XEN;
		bool kernel = m->modules[i].role == ROLE_KERNEL || (m->modules[i].role == ROLE_HYPERVISOR && !xen);

		if (!source_open(m, file, s, b->fault))
			return false;
		if (kernel && !check_kernel(b, s, file))
			return false;
		if (xen && !check_elf(b, s, file, "give Xen as an ELF file (Debian: /boot/xen-*.gz)"))
			return false;
		b->out->modules[i + 1].size = s->size;
	}
	return true;
}

/* Another ELF file as tboot's module 0 would be a host that stops after SENTER. Ours has the word with which its rules begin. */
static bool is_stage(const struct source *s)
{
	static const char word[] = "geolaunch-stage";
	CLEANUP_FREE uint8_t *bytes = NULL;
	struct build_bytes whole = { NULL, 0 };
	struct cli_fault fault;
	bool done = read_whole(s, STAGE_MAX, &whole, &fault);

	bytes = whole.p;
	return done && memmem(whole.p, whole.n, word, sizeof(word) - 1);
}

/* The stage that the caller names, else the one that the manifest names, else the one that came with this program. */
static bool open_stage(struct build *b)
{
	static const char advice[] = "name geolaunch-stage.elf with --stage or GEOLAUNCH_STAGE";
	const struct manifest *m = &b->out->manifest;
	struct source *s = &b->sources[0];

	if (m->txt.stage.file.s && !b->options->stage) {
		const struct yaml_text *file = &m->txt.stage.file;

		if (!source_open(m, file, s, b->fault) || !check_elf(b, s, file, "give geolaunch-stage.elf"))
			return false;
		if (!is_stage(s))
			return manifest_fail(
				m, file->line, "give geolaunch-stage.elf", b->fault, "\"%.200s\" is not geolaunch's stage", file->s);
		b->out->modules[0].from = m->txt.stage.file.s;
	} else {
		b->out->stage = b->options->stage ? strdup(b->options->stage) : beside_stage();
		if (!b->out->stage)
			return cli_fail(b->fault, CLI_IO, "out of memory: build");
		if (!source_open_plain(b->out->stage, advice, s, b->fault))
			return false;
		if (source_kind(s) != SOURCE_ELF)
			return cli_fail(b->fault, CLI_INPUT, "this is no ELF file: %s: %s", b->out->stage, advice);
		if (!is_stage(s))
			return cli_fail(b->fault, CLI_INPUT, "this is not geolaunch's stage: %s: %s", b->out->stage, advice);
		b->out->modules[0].from = name_in_folder(b->out->stage);
	}
	b->out->modules[0].size = s->size;
	return true;
}

/* One file of mode txt, if it is given. What is written to the disk are the bytes of which the prediction is made, whatever becomes of the file. */
static bool open_extra(struct build *b, enum build_extra which, const struct yaml_text *file, size_t max)
{
	struct source *s = &b->extras[which];
	struct build_bytes *bytes = &b->extra_bytes[which];

	if (!file->s)
		return true;
	if (!source_open(&b->out->manifest, file, s, b->fault))
		return false;
	if (which == BUILD_TBOOT && !unpack(s, b->fault))
		return false;
	b->out->extras[which].size = s->size;
	return read_whole(s, max, bytes, b->fault) && replace(s, (struct span){ bytes->p, bytes->n }, b->fault);
}

/*
 * An ELF file goes onto the disk without its runs of zeros. What is measured is what it is in memory, of which the prediction is made, from
 * the file as it was given. tboot.mb2 stays as it was signed; the prediction is made of an ELF file for the same memory.
 */
static bool take_tboot(struct build *b)
{
	struct source *s = &b->extras[BUILD_TBOOT];
	struct build_bytes *given = &b->extra_bytes[BUILD_TBOOT];
	const struct yaml_text *file = &b->out->manifest.txt.tboot.file;
	const struct span bytes = { given->p, given->n };
	CLEANUP_FREE uint8_t *packed = NULL;
	struct build_bytes elf;
	size_t n;

	if (tboot_file_elf(bytes, &elf.p, &elf.n)) {
		free(given->p);
		*given = elf;
		return true;
	}
	if (source_kind(s) != SOURCE_ELF)
		return manifest_fail(&b->out->manifest, file->line, "give tboot (Debian: /boot/tboot.gz) or a tboot.mb2", b->fault,
			"\"%.200s\" is no ELF file, and no image with a multiboot2 address tag", file->s);
	if (!elf_pack(bytes, &packed, &n))
		return true;
	b->out->extras[BUILD_TBOOT].size = n;
	return replace(s, (struct span){ packed, n }, b->fault);
}

static bool open_txt(struct build *b)
{
	const struct manifest *m = &b->out->manifest;

	if (!open_stage(b))
		return false;
	if (b->policy_only)
		return true;
	if (!open_extra(b, BUILD_TBOOT, &m->txt.tboot.file, TBOOT_MAX) || !take_tboot(b) ||
		!open_extra(b, BUILD_SINIT, &m->txt.sinit.file, ACM_MAX_SIZE) ||
		!open_extra(b, BUILD_LCP_DATA, &m->txt.lcp_data, TBOOT_LCP_MAX))
		return false;
	for (size_t i = 0; i < m->platform.log_count; i++)
		if (!source_open(m, &m->platform.logs[i], &b->logs[i], b->fault) ||
			!read_whole(&b->logs[i], LOG_MAX, &b->log_bytes[i], b->fault))
			return false;
	return !m->txt.lcp_policy.s || (source_open(m, &m->txt.lcp_policy, &b->lcp_policy, b->fault) &&
					       read_whole(&b->lcp_policy, LCP_POLICY_MAX_SIZE, &b->lcp_policy_bytes, b->fault));
}

bool build_open_inputs(struct build *b)
{
	const struct manifest *m = &b->out->manifest;

	if (!open_modules(b) || (build_is_txt(b) && !open_txt(b)))
		return false;
	if (m->geo.file.s && !source_open(m, &m->geo.file, &b->geo, b->fault))
		return false;
	if (b->policy_only)
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
bool build_read_geo(struct build *b)
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
