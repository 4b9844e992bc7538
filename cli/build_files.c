/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/build_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/buildtree.h"

const char *const build_folders[] = { "esp", "esp/EFI", "esp/EFI/BOOT", "esp/EFI/geolaunch", NULL };

const char *build_role_file(enum role role, enum hypervisor hypervisor)
{
	/* clang-format off */
	static const char *const names[ROLE_COUNT] = {
		[ROLE_DESCRIPTION] = BUILD_DESCRIPTION, [ROLE_KERNEL] = "kernel", [ROLE_INITRD] = "initrd", [ROLE_VMM] = "vmm",
		[ROLE_TBOOT] = "tboot", [ROLE_STAGE] = "stage", [ROLE_SINIT] = "sinit", [ROLE_LCP] = "lcp",
	};
	/* clang-format on */

	return role == ROLE_HYPERVISOR ? hypervisor_name(hypervisor) : names[role];
}

bool build_file_named(const struct description *d, struct span name)
{
	const struct span fixed[] = { SPAN_LITERAL(SLOT_APPLICATION), SPAN_LITERAL(BUILD_DESCRIPTION), d->policy, d->txt.tboot.file,
		d->txt.sinit.file, d->txt.lcp.file, d->txt.stage.file };

	for (size_t i = 0; i < GL_COUNT(fixed); i++)
		if (name.n > 0 && span_equal(name, fixed[i]))
			return true;
	for (size_t i = 0; i < d->module_count; i++)
		if (span_equal(name, d->modules[i].file))
			return true;
	return false;
}

bool build_files_others(const char *folder, const struct description *d, char ***out, struct cli_fault *fault)
{
	CLEANUP(esp_leave) struct esp_folder f = { .fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .path = strdup(folder) };
	CLEANUP(esp_free_names) char **names = NULL;
	size_t n = 0;

	*out = NULL;
	if (!f.path)
		return cli_fail(fault, CLI_IO, "out of memory: %s", folder);
	if (f.fd < 0)
		return errno == ENOENT || cli_fail(fault, CLI_IO, "cannot look into: %s: %s", folder, strerror(errno));
	if (!esp_names(&f, &names, fault))
		return false;
	for (size_t i = 0; names[i]; i++)
		if (build_file_named(d, span_str(names[i])))
			free(names[i]);
		else
			names[n++] = names[i];
	names[n] = NULL;
	*out = names;
	names = NULL;
	return true;
}

bool build_files_missing(const char *build, const struct description *d, char ***out, struct cli_fault *fault)
{
	const struct span none = { NULL, 0 };
	const struct span names[] = { SPAN_LITERAL(BUILD_DEFAULT), SPAN_LITERAL(SLOT_APPLICATION), d ? d->policy : none,
		d ? d->txt.tboot.file : none, d ? d->txt.sinit.file : none, d ? d->txt.lcp.file : none };
	CLEANUP(esp_free_names) char **missing = calloc(GL_COUNT(names) + 1, sizeof(*missing));
	size_t n = 0;

	if (!missing)
		return cli_fail(fault, CLI_IO, "out of memory: %s", build);
	for (size_t i = 0; i < GL_COUNT(names); i++) {
		CLEANUP_FREE char *path = NULL;

		if (!names[i].n)
			continue;
		if (asprintf(&path, "%s/esp/%s%.*s", build, i ? "EFI/geolaunch/" : "", (int)names[i].n, (const char *)names[i].p) < 0) {
			path = NULL;
			return cli_fail(fault, CLI_IO, "out of memory: %s", build);
		}
		if (access(path, F_OK) == 0)
			continue;
		missing[n] = strndup((const char *)names[i].p, names[i].n);
		if (!missing[n++])
			return cli_fail(fault, CLI_IO, "out of memory: %s", build);
	}
	*out = missing;
	missing = NULL;
	return true;
}
