/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_BUILD_FILES_H
#define GL_CLI_BUILD_FILES_H

#include "cli/cli.h"
#include "common/description.h"

/* Which files lie in a build's esp/EFI/geolaunch. */

#define BUILD_DESCRIPTION "launch.conf"
#define BUILD_DEFAULT "EFI/BOOT/BOOTX64.EFI" /* below esp */

/* geolaunch.efi, launch.conf and what this names: what a build puts there, and nothing else. */
GL_MUST bool build_file_named(const struct description *d, struct span name);

/* Names in `folder`, sorted, that it does not hold for a launch; see esp_free_names(). None if there is no such folder. */
GL_MUST bool build_files_others(const char *folder, const struct description *d, char ***out, struct cli_fault *fault);

/*
 * What a launch needs beside its modules and is not in the build directory: geolaunch.efi, under both names, and what `d`, if not NULL,
 * names. Names below esp/EFI/geolaunch, or with their folder below esp; see esp_free_names().
 */
GL_MUST bool build_files_missing(const char *build, const struct description *d, char ***out, struct cli_fault *fault);

#endif
