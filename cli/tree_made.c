/* SPDX-License-Identifier: BSD-3-Clause */
/* What a build makes, and so the only things that --force removes. */
#include <errno.h>
#include <fts.h>
#include <string.h>
#include <unistd.h>

#include "cli/build_files.h"
#include "cli/slot_list.h"
#include "cli/tree.h"

#define COMMON "common/"

/* The file that a build of this kind has in any case, and the other kind has not. */
static const char *const markers[] = { [TREE_BUILD] = "expected.json", [TREE_FLEET] = "hosts.jsonl" };
static const char *const kinds[] = { [TREE_BUILD] = "a single host's build", [TREE_FLEET] = "the output of 'geolaunch build --fleet'" };

/* Beside those of roles. */
static const char *const files[] = { "expected.json", BUILD_GEO, BUILD_LCP, "esp/" BUILD_DEFAULT, BUILD_ESP SLOT_APPLICATION,
	BUILD_ESP BUILD_POLICY, NULL };

static bool named(const char *const *names, const char *name)
{
	for (size_t i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* A role's file, in either mode and with either hypervisor, or a numbered one. `name` is that in esp/EFI/geolaunch. */
static bool is_of_role(const char *name)
{
	const size_t n = strlen(BUILD_NUMBERED);

	for (unsigned role = 0; role < ROLE_COUNT; role++)
		for (unsigned h = 0; h < HYPERVISOR_COUNT; h++) {
			const char *own = build_role_file((enum role)role, (enum hypervisor)h);

			if (own && !strcmp(name, own))
				return true;
		}
	return !strncmp(name, BUILD_NUMBERED, n) && name[n] && name[n + strspn(name + n, "0123456789")] == '\0';
}

static bool is_file(const char *name)
{
	const size_t n = strlen(BUILD_ESP);

	return named(files, name) || (!strncmp(name, BUILD_ESP, n) && is_of_role(name + n));
}

/* `name` is relative to the directory; `info` is FTS_D, FTS_F or something that no build makes. */
static bool made(enum tree_kind kind, const char *name, int info)
{
	if (kind == TREE_FLEET) {
		if (info == FTS_F && !strcmp(name, markers[TREE_FLEET]))
			return true;
		if (info == FTS_D && !strcmp(name, "common"))
			return true;
		if (strncmp(name, COMMON, strlen(COMMON)) != 0)
			return false;
		name += strlen(COMMON);
	}
	return (info == FTS_D && named(build_folders, name)) || (info == FTS_F && is_file(name));
}

static bool holds(const char *target, const char *name)
{
	CLEANUP_FREE char *path = NULL;

	if (asprintf(&path, "%s/%s", target, name) < 0) {
		path = NULL;
		return false;
	}
	return access(path, F_OK) == 0;
}

GL_MUST static bool fail_foreign(const char *target, enum tree_kind kind, const char *name, struct cli_fault *fault)
{
	enum tree_kind other = kind == TREE_BUILD ? TREE_FLEET : TREE_BUILD;

	if (!holds(target, markers[kind]) && holds(target, markers[other]))
		return cli_fail(fault, CLI_USAGE,
			"this is %s: %s: --force replaces output of the same kind only: name another directory, or remove it yourself",
			kinds[other], target);
	return cli_fail(fault, CLI_USAGE,
		"it holds \"%.200s\", which no build made: %s: --force replaces earlier output only; remove it yourself", name, target);
}

static void close_ftsp(FTS **f)
{
	if (*f)
		(void)fts_close(*f);
}

bool tree_check_made(const struct tree *t, enum tree_kind kind, struct cli_fault *fault)
{
	const char *target = t->target;
	CLEANUP(close_ftsp) FTS *walk = fts_open((char *const[]){ t->target, NULL }, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	size_t count = 0;
	FTSENT *e;

	if (!walk)
		return cli_fail(fault, CLI_IO, "cannot look into: %s: %s", target, strerror(errno));
	while (errno = 0, (e = fts_read(walk))) {
		const char *name = e->fts_path + strlen(target) + (e->fts_level > 0);

		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
			return cli_fail(fault, CLI_IO, "cannot look into: %s: %s", e->fts_path, strerror(e->fts_errno));
		if (e->fts_info == FTS_DP || e->fts_level == 0)
			continue;
		count++;
		if (!made(kind, name, e->fts_info))
			return fail_foreign(target, kind, name, fault);
	}
	if (errno)
		return cli_fail(fault, CLI_IO, "cannot look into: %s: %s", target, strerror(errno));
	return count == 0 || holds(target, markers[kind]) ||
	       cli_fail(fault, CLI_USAGE,
		       "it holds no \"%s\", so no build made it: %s: --force replaces earlier output only; remove it yourself",
		       markers[kind], target);
}
