/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/build_files.h"
#include "cli/files.h"
#include "cli/fleet.h"
#include "cli/source.h"
#include "cli/tree.h"

struct job {
	const struct fleet *fleet;
	struct cli_fault *fault;
	struct fleet_record record;
	struct expected expected;
	struct tree tree;
	struct interrupt stop;
};

static void job_end(struct job **j)
{
	if (!*j)
		return;
	tree_end(&(*j)->tree);
	expected_free(&(*j)->expected);
	interrupt_release(&(*j)->stop);
	free(*j);
}

static void close_dirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

GL_MUST static bool copy_file(struct job *j, const char *from, const char *name)
{
	CLEANUP(source_close) struct source s = SOURCE_NONE;
	CLEANUP_FD int fd = -1;
	struct digests none;

	if (!source_open_plain(from, "make it anew with 'geolaunch build --fleet'", &s, j->fault))
		return false;
	fd = tree_create(&j->tree, name, j->fault);
	return fd >= 0 && source_copy(&s, &fd, 1, 0, &none, &j->stop, j->fault) && tree_close(&j->tree, name, &fd, j->fault);
}

/* What a host has of its own. */
static bool is_own(const struct job *j, const char *name)
{
	return !strcmp(name, FLEET_FILE_POLICY) || (j->fleet->common.txt && !strcmp(name, FLEET_FILE_DESCRIPTION));
}

/* Not every file system says it with the name. */
static bool is_folder(DIR *d, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* The files of a folder that all hosts have alike. */
GL_MUST static bool copy_folder(struct job *j, const char *folder)
{
	CLEANUP_FREE char *dir = NULL;
	CLEANUP(close_dirp) DIR *d = NULL;
	struct dirent *e;

	if (asprintf(&dir, "%s/" FLEET_COMMON "/%s", j->fleet->dir, folder) < 0)
		return cli_fail(j->fault, CLI_IO, "out of memory: %s", j->fleet->dir);
	if (!tree_mkdir(&j->tree, folder, j->fault))
		return false;
	d = opendir(dir);
	if (!d)
		return cli_fail(j->fault, CLI_IO, "cannot look into: %s: %s", dir, strerror(errno));
	while ((e = readdir(d))) {
		CLEANUP_FREE char *from = NULL;
		CLEANUP_FREE char *name = NULL;

		if (is_folder(d, e))
			continue;
		if (asprintf(&from, "%s/%s", dir, e->d_name) < 0 || asprintf(&name, "%s/%s", folder, e->d_name) < 0)
			return cli_fail(j->fault, CLI_IO, "out of memory: %s", dir);
		if (!is_own(j, name) && !copy_file(j, from, name))
			return false;
	}
	return true;
}

/* Mode txt: the launch description with the host's rules for the stage, which have the size of the common ones. */
GL_MUST static bool write_description(struct job *j, struct span content)
{
	const struct fleet_common *c = &j->fleet->common;
	CLEANUP_FREE struct fleet_result *r = malloc(sizeof(*r));
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FREE uint8_t *text = NULL;
	uint8_t *rules;
	size_t n;

	if (!c->txt)
		return true;
	if (!r || asprintf(&path, "%s/" FLEET_COMMON "/" FLEET_FILE_DESCRIPTION, j->fleet->dir) < 0)
		return cli_fail(j->fault, CLI_IO, "out of memory: %s", j->fleet->dir);
	if (!read_file(path, DESCRIPTION_MAX_SIZE, &text, &n, j->fault))
		return false;
	rules = memmem(text, n, c->rules, strlen(c->rules));
	if (!rules || !fleet_predict(c, content, r))
		return cli_fail(j->fault, CLI_INPUT, "the stage's rules are not those of the fleet: %s: make it anew", path);
	memcpy(rules, r->rules, strlen(c->rules));
	return tree_write(&j->tree, FLEET_FILE_DESCRIPTION, (struct span){ text, n }, j->fault);
}

/* The owner's launch control policy, if there is one. */
GL_MUST static bool copy_lcp(struct job *j)
{
	CLEANUP_FREE char *path = NULL;

	if (asprintf(&path, "%s/" FLEET_COMMON "/" BUILD_LCP, j->fleet->dir) < 0)
		return cli_fail(j->fault, CLI_IO, "out of memory: %s", j->fleet->dir);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return true;
	return copy_file(j, path, BUILD_LCP);
}

GL_MUST static bool write_own(struct job *j)
{
	const struct span content = { j->record.content, j->record.content_size };
	CLEANUP_FREE char *text = expected_text(&j->expected);

	if (!text)
		return cli_fail(j->fault, CLI_IO, "out of memory: expected.json");
	return write_description(j, content) && copy_lcp(j) &&
	       tree_write(&j->tree, FLEET_FILE_POLICY, (struct span){ j->record.policy, j->record.policy_size }, j->fault) &&
	       (content.n == 0 || tree_write(&j->tree, BUILD_GEO, content, j->fault)) &&
	       tree_write(&j->tree, "expected.json", span_str(text), j->fault);
}

bool fleet_extract(const struct fleet *f, const char *name, const char *output, bool force, char **leftover, struct cli_fault *fault)
{
	CLEANUP(job_end) struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return cli_fail(fault, CLI_IO, "out of memory: %s", output);
	j->fleet = f;
	j->fault = fault;
	j->tree = TREE_NONE;
	interrupt_hold(&j->stop);
	if (!tree_check(&j->tree, output, force, TREE_BUILD, fault) || !fleet_find(f, name, &j->record, &j->expected, fault) ||
		!tree_begin(&j->tree, fault))
		return false;
	for (size_t i = 0; build_folders[i]; i++)
		if (!copy_folder(j, build_folders[i]))
			return false;
	if (!write_own(j))
		return false;
	if (interrupted(&j->stop))
		return cli_fail(fault, CLI_IO, "interrupted: %s: nothing was written", output);
	return tree_commit(&j->tree, leftover, fault);
}
