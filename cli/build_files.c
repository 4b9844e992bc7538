/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/build_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cli/buildtree.h"

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
