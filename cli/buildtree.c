/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/buildtree_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/embedded.h"
#include "cli/build_files.h"
#include "cli/files.h"
#include "cli/fleet.h"
#include "common/hash.h"

#define AGAIN "run 'geolaunch build' again"

bool build_check_wrong(struct build_check *c, const char *file, const char *what)
{
	return cli_fail(c->fault, CLI_INPUT, "%s: %s/esp/EFI/geolaunch/%s: " AGAIN, what, c->path, file);
}

/* ---- finding the files ---- */

/* The folders are just these; a name more means that somebody put it there, or that this geolaunch is too old for the build. */
GL_MUST static bool only(const struct esp_folder *f, const char *const *allowed, struct cli_fault *fault)
{
	CLEANUP(esp_free_names) char **names = NULL;

	if (!esp_names(f, &names, fault))
		return false;
	for (size_t i = 0; names[i]; i++) {
		size_t k = 0;

		while (allowed[k] && strcmp(allowed[k], names[i]) != 0)
			k++;
		if (!allowed[k])
			return cli_fail(fault, CLI_INPUT, "\"%.200s\" is nothing that geolaunch knows how to install: %s: " AGAIN, names[i],
				f->path);
	}
	return true;
}

GL_MUST static bool enter(
	const struct esp_folder *in, const char *name, const char *const *allowed, struct esp_folder *out, struct cli_fault *fault)
{
	if (!esp_enter(in, name, false, out, fault))
		return false;
	if (out->fd < 0)
		return cli_fail(fault, CLI_INPUT, "no folder \"%s\": %s: name a directory that 'geolaunch build' made", name, in->path);
	return !allowed || only(out, allowed, fault);
}

/* A file of the build as a source, with its digests. */
GL_MUST static bool take_source(struct build_check *c, const struct esp_folder *f, const char *name, struct source *s, struct digests *d)
{
	struct stat st;

	if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		return cli_fail(c->fault, CLI_INPUT, "a link, and not a regular file: %s/%s: " AGAIN, f->path, name);
	if (!esp_source(f, name, s, c->fault))
		return false;
	if (s->fd < 0 || s->size == 0 || s->size > UINT32_MAX)
		return cli_fail(c->fault, CLI_INPUT, "%s: %s/%s: " AGAIN,
			s->fd < 0 ? "no such file" : "the file is empty or too large for FAT", f->path, name);
	return source_copy(s, NULL, 0, c->out->expected.banks | ALG_BIT(ALG_SHA256), d, c->stop, c->fault);
}

GL_MUST static bool add_file(struct build_check *c, const struct esp_folder *f, const char *name)
{
	CLEANUP(source_close) struct source s = SOURCE_NONE;
	struct build_tree *out = c->out;
	struct digests d;
	size_t at;

	if (!take_source(c, f, name, &s, &d))
		return false;
	if (!slot_list_add(&out->list, span_str(name), digest_span(&d, ALG_SHA256).p))
		return cli_fail(c->fault, CLI_INPUT, "\"%.200s\" cannot be a file of a slot (name, or more than %d files): %s: " AGAIN,
			name, SLOT_LIST_MAX_FILES, f->path);
	for (at = out->list.count - 1; at > 0 && strcmp(out->list.files[at].name, name) != 0; at--) {
		out->sources[at] = out->sources[at - 1];
		c->images[at] = c->images[at - 1];
	}
	out->sources[at] = s;
	c->images[at] = d;
	s = SOURCE_NONE;
	return true;
}

/* BOOTX64.EFI is what the firmware starts by default: it must not be another application than the one of the launch. */
GL_MUST static bool check_default(struct build_check *c, const struct esp_folder *boot, const struct digests *application)
{
	CLEANUP(source_close) struct source s = SOURCE_NONE;
	struct digests d;

	if (!take_source(c, boot, "BOOTX64.EFI", &s, &d))
		return false;
	return span_equal(digest_span(&d, ALG_SHA256), digest_span(application, ALG_SHA256)) ||
	       cli_fail(c->fault, CLI_INPUT, "not the same file as EFI/geolaunch/" SLOT_APPLICATION ": %s/BOOTX64.EFI: " AGAIN, boot->path);
}

bool build_check_find(const struct build_check *c, struct span name, size_t *out)
{
	for (size_t i = 0; i < c->out->list.count; i++)
		if (span_is_str(name, c->out->list.files[i].name)) {
			*out = i;
			return true;
		}
	return false;
}

bool build_tree_top(const char *path, struct esp_folder *out, struct cli_fault *fault)
{
	out->path = strdup(path);
	out->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (out->path && out->fd >= 0) || cli_fail(fault, CLI_IO, "cannot open: %s: %s", path, strerror(errno));
}

GL_MUST static bool find_files(struct build_check *c)
{
	static const char *const in_esp[] = { "EFI", NULL }, *const in_efi[] = { "BOOT", "geolaunch", NULL };
	static const char *const in_boot[] = { "BOOTX64.EFI", NULL };
	CLEANUP(esp_leave) struct esp_folder top = ESP_NO_FOLDER, esp = ESP_NO_FOLDER, efi = ESP_NO_FOLDER, boot = ESP_NO_FOLDER;
	CLEANUP(esp_leave) struct esp_folder home = ESP_NO_FOLDER;
	CLEANUP(esp_free_names) char **names = NULL;
	size_t at;

	if (!build_tree_top(c->path, &top, c->fault) || !enter(&top, "esp", in_esp, &esp, c->fault) ||
		!enter(&esp, "EFI", in_efi, &efi, c->fault) || !enter(&efi, "BOOT", in_boot, &boot, c->fault) ||
		!enter(&efi, "geolaunch", NULL, &home, c->fault) || !esp_names(&home, &names, c->fault))
		return false;
	for (size_t i = 0; names[i]; i++)
		if (!add_file(c, &home, names[i]))
			return false;
	if (!build_check_find(c, SPAN_LITERAL(SLOT_APPLICATION), &at))
		return build_check_wrong(c, SLOT_APPLICATION, "no such file");
	if (source_kind(&c->out->sources[at]) != SOURCE_PE)
		return build_check_wrong(c, SLOT_APPLICATION, "this is no EFI application for x86-64");
	return check_default(c, &boot, &c->images[at]);
}

/* ---- comparing with expected.json ---- */

bool build_check_read(struct build_check *c, struct span name, struct mspan buf, size_t *n)
{
	const struct source *s;
	struct digests d;
	size_t at;
	char text[DESCRIPTION_MAX_FILE + 1];

	(void)snprintf(text, sizeof(text), "%.*s", (int)name.n, (const char *)name.p);
	if (!build_check_find(c, name, &at))
		return build_check_wrong(c, text, "no such file");
	s = &c->out->sources[at];
	if (s->size > buf.n)
		return build_check_wrong(c, text, "the file is too large");
	*n = (size_t)s->size;
	if (pread(s->fd, buf.p, *n, 0) != (ssize_t)*n)
		return cli_fail(c->fault, CLI_IO, "cannot read: %s: %s", s->path, errno ? strerror(errno) : "it changed meanwhile");
	hash_span(ALG_BIT(ALG_SHA256), (struct span){ buf.p, *n }, &d);
	return span_equal(digest_span(&d, ALG_SHA256), digest_span(&c->images[at], ALG_SHA256)) ||
	       cli_fail(c->fault, CLI_IO, "the file changed while it was read: %s: try again when it is finished", s->path);
}

GL_MUST static bool same_in_all_banks(const struct digests *expected, const struct digests *have)
{
	return expected->banks != 0 && (expected->banks & have->banks) == expected->banks && digests_agree(expected, have);
}

bool build_check_expects(const struct expected *e, const struct digests *d)
{
	for (size_t i = 0; i < e->event_count; i++) {
		const struct expected_event *event = &e->events[i];

		if (same_in_all_banks(&event->digests, d))
			return true;
		for (size_t k = 0; k < event->alternative_count; k++)
			if (same_in_all_banks(&event->alternatives[k].digests, d))
				return true;
	}
	return false;
}

bool build_check_module(struct build_check *c, const struct description_module *m)
{
	struct digests measured;
	char name[DESCRIPTION_MAX_FILE + 1];
	size_t at;

	(void)snprintf(name, sizeof(name), "%.*s", (int)m->file.n, (const char *)m->file.p);
	if (!build_check_find(c, m->file, &at))
		return build_check_wrong(c, name, "launch.conf names this file, but it is not there");
	measure_module(c->images[at].banks, description_module_cmdline(m), &c->images[at], &measured);
	if (!build_check_expects(&c->out->expected, &measured))
		return build_check_wrong(c, name, "expected.json does not expect this file to be measured");
	c->matched++;
	return true;
}

GL_MUST static bool check_policy(struct build_check *c)
{
	struct digests measured;
	char name[DESCRIPTION_MAX_FILE + 1];
	struct span policy;

	(void)snprintf(name, sizeof(name), "%.*s", (int)c->description.policy.n, (const char *)c->description.policy.p);
	if (!build_check_read(c, c->description.policy, (struct mspan){ c->policy_bytes, sizeof(c->policy_bytes) }, &c->policy_size))
		return false;
	policy = (struct span){ c->policy_bytes, c->policy_size };
	if (vlp_decode(policy, &c->policy) != VLP_OK)
		return build_check_wrong(c, name, "this is no launch policy");
	measure_policy(c->out->expected.banks, c->policy.control, policy, &measured);
	return build_check_expects(&c->out->expected, &measured) ||
	       build_check_wrong(c, name, "expected.json does not expect this policy to be measured");
}

/* Events of modules by the names that build gives them, whoever measures them. */
static size_t expected_modules(const struct expected *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->event_count; i++)
		n += !strncmp(e->events[i].name, "module ", strlen("module "));
	return n;
}

/* What geolaunch.efi brings itself is what counts at boot, so it must be what the files say. After check_policy(). */
GL_MUST static bool check_embedded(struct build_check *c, struct span description)
{
	static const char *const wrong[] = {
		[EMBEDDED_OTHER_DESCRIPTION] = "the launch description in it is not that of launch.conf",
		[EMBEDDED_OTHER_POLICY] = "the policy in it is not that of policy.vlp",
		[EMBEDDED_DAMAGED] = "the file is damaged",
	};
	const struct embedded beside = { description, { c->policy_bytes, c->policy_size } };
	CLEANUP_FREE uint8_t *bytes = malloc(PECOFF_MAX_SIZE);
	enum embedded_match match;
	size_t n = 0;

	if (!bytes)
		return cli_fail(c->fault, CLI_IO, "out of memory: %s", c->path);
	if (!build_check_read(c, SPAN_LITERAL(SLOT_APPLICATION), (struct mspan){ bytes, PECOFF_MAX_SIZE }, &n))
		return false;
	match = embedded_compare((struct span){ bytes, n }, &beside);
	return match <= EMBEDDED_SAME || build_check_wrong(c, SLOT_APPLICATION, wrong[match]);
}

/* Nothing vouches for what the launch does not name. */
GL_MUST static bool check_names(struct build_check *c)
{
	for (size_t i = 0; i < c->out->list.count; i++) {
		const char *name = c->out->list.files[i].name;

		if (!build_file_named(&c->description, span_str(name)))
			return cli_fail(c->fault, CLI_INPUT,
				"no build makes this, launch.conf does not name it: %s/esp/EFI/geolaunch/%s: remove it, or " AGAIN, c->path,
				name);
	}
	return true;
}

GL_MUST static bool check_launch(struct build_check *c)
{
	static const struct description_module itself = { .role = ROLE_DESCRIPTION,
		.file = { (const uint8_t *)BUILD_DESCRIPTION, sizeof(BUILD_DESCRIPTION) - 1 } };
	struct description *d = &c->description;
	enum description_error error;
	size_t n = 0, line;
	char why[256];

	if (!build_check_read(c, itself.file, (struct mspan){ c->description_text, sizeof(c->description_text) }, &n))
		return false;
	error = description_parse((struct span){ c->description_text, n }, d, &line);
	if (error) {
		(void)snprintf(why, sizeof(why), "line %zu: %s", line, description_strerror(error));
		return build_check_wrong(c, BUILD_DESCRIPTION, why);
	}
	if (strcmp(description_mode_name(d->mode), c->out->expected.mode) != 0)
		return build_check_wrong(c, BUILD_DESCRIPTION, "expected.json is for another mode");
	if (!check_names(c))
		return false;
	/* Number 0 is the description itself, in txt mode the stage. */
	if (!(d->mode == DESCRIPTION_TXT ? build_check_txt(c) : build_check_module(c, &itself)))
		return false;
	for (size_t i = 0; i < d->module_count; i++)
		if (!build_check_module(c, &d->modules[i]))
			return false;
	if (expected_modules(&c->out->expected) != c->matched)
		return build_check_wrong(c, BUILD_DESCRIPTION, "expected.json expects other modules than this names");
	return check_policy(c) && check_embedded(c, (struct span){ c->description_text, n });
}

/* ---- all of it ---- */

static bool holds(const char *path, const char *name)
{
	CLEANUP_FREE char *inside = NULL;

	if (asprintf(&inside, "%s/%s", path, name) < 0)
		inside = NULL;
	return inside && access(inside, F_OK) == 0;
}

static bool is_esp_tree(const char *path)
{
	return holds(path, "EFI") && !holds(path, "expected.json");
}

static bool holds_at(int fd, const char *name)
{
	return faccessat(fd, name, F_OK, 0) == 0;
}

static bool is_output(int fd)
{
	return (holds_at(fd, "expected.json") && holds_at(fd, "esp/EFI")) ||
	       (holds_at(fd, "hosts.jsonl") && holds_at(fd, "common/esp/EFI"));
}

/* Whether `st` is the directory `name` in `build`. */
static bool is_same(const struct stat *st, const char *build, const char *name)
{
	CLEANUP_FREE char *path = NULL;
	struct stat other;

	if (!build)
		return false;
	if (asprintf(&path, "%s/%s", build, name) < 0)
		path = NULL;
	return path && stat(path, &other) == 0 && st->st_dev == other.st_dev && st->st_ino == other.st_ino;
}

enum build_tree_place build_tree_place(const char *path, const char *build)
{
	CLEANUP_FD int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat here, above;

	if (fd < 0 || fstat(fd, &here) != 0)
		return BUILD_TREE_APART;
	if (is_output(fd))
		return BUILD_TREE_TOP;
	if (is_same(&here, build, "esp") || is_same(&here, build, "esp/EFI"))
		return BUILD_TREE_INSIDE;
	for (;;) {
		int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (up < 0)
			return BUILD_TREE_APART;
		cli_closep(&fd);
		fd = up;
		/* Not beyond what is mounted, nor beyond the top of all, which is its own parent. */
		if (fstat(fd, &above) != 0 || above.st_dev != here.st_dev || above.st_ino == here.st_ino)
			return BUILD_TREE_APART;
		if (is_output(fd) || is_same(&above, build, "."))
			return BUILD_TREE_INSIDE;
		here = above;
	}
}

bool build_tree_open(const char *path, const struct interrupt *stop, struct build_tree *out, struct cli_fault *fault)
{
	CLEANUP_FREE struct build_check *c = calloc(1, sizeof(*c));
	CLEANUP_FREE char *expected = NULL;
	char error[512];

	for (size_t i = 0; i < GL_COUNT(out->sources); i++)
		out->sources[i] = SOURCE_NONE;
	if (!c || asprintf(&expected, "%s/expected.json", path) < 0) {
		expected = NULL;
		return cli_fail(fault, CLI_IO, "out of memory: %s", path);
	}
	*c = (struct build_check){ .out = out, .path = path, .stop = stop, .fault = fault };
	if (!check_folder(path, "name a directory that 'geolaunch build' made", fault))
		return false;
	if (!fleet_refuse(path, fault))
		return false;
	if (is_esp_tree(path))
		return cli_fail(fault, CLI_INPUT,
			"this is the tree of an EFI system partition, and no build: %s: name the directory that 'geolaunch build' made, which holds expected.json and esp",
			path);
	if (!expected_load(expected, &out->expected, error, sizeof(error)))
		return cli_fail(fault, CLI_INPUT, "%s: name a directory that 'geolaunch build' made", error);
	slot_list_label(&out->list, out->expected.name);
	if (!find_files(c) || !check_launch(c))
		return false;
	out->text_size = slot_list_write(&out->list, (struct mspan){ out->text, sizeof(out->text) });
	if (out->text_size == 0)
		return cli_fail(fault, CLI_INPUT, "too many files: %s", path);
	slot_list_slot((struct span){ out->text, out->text_size }, out->slot);
	return true;
}

uint64_t build_tree_size(const struct build_tree *b, size_t i)
{
	return b->sources[i].size;
}

void build_tree_close(struct build_tree *b)
{
	for (size_t i = 0; i < GL_COUNT(b->sources); i++)
		source_close(&b->sources[i]);
	expected_free(&b->expected);
}
