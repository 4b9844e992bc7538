/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/beside.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *beside_find(const char *variable, const char *const *places)
{
	const char *environment = getenv(variable);
	char self[PATH_MAX + 1], *slash, *path = NULL;
	ssize_t n;

	if (environment && *environment)
		return strdup(environment);
	n = readlink("/proc/self/exe", self, PATH_MAX);
	self[n < 0 ? 0 : n] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	for (size_t i = 0; places[i]; i++) {
		free(path);
		if (asprintf(&path, "%s/%s", slash ? self : ".", places[i]) < 0)
			return NULL;
		if (access(path, R_OK) == 0)
			break;
	}
	return path;
}

/* A build tree first: it is nearer to whoever works in one. */
char *beside_efi(void)
{
	static const char *const places[] = { "../efi/geolaunch.efi", "../lib/geolaunch/geolaunch.efi", NULL };

	return beside_find("GEOLAUNCH_EFI", places);
}

char *beside_stage(void)
{
	static const char *const places[] = { "../stage/geolaunch-stage.elf", "../lib/geolaunch/geolaunch-stage.elf", NULL };

	return beside_find("GEOLAUNCH_STAGE", places);
}
