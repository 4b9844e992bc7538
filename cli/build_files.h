/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_BUILD_FILES_H
#define GL_CLI_BUILD_FILES_H

#include "cli/cli.h"
#include "common/description.h"

/* Which folders and files lie in a build, cli/build.h. */

#define BUILD_GEO "geo.bin"
#define BUILD_LCP "lcp.pol"
#define BUILD_DEFAULT "EFI/BOOT/BOOTX64.EFI" /* below esp */
#define BUILD_ESP "esp/EFI/geolaunch/"
/* There: */
#define BUILD_DESCRIPTION "launch.conf"
#define BUILD_POLICY "policy.vlp"
#define BUILD_NUMBERED "file-" /* and a number: those of the manifest's "files" */

/* From the outside in; NULL at the end. */
extern const char *const build_folders[];

/* The name of a role's file; NULL: it is numbered. */
const char *build_role_file(enum role role, enum hypervisor hypervisor);

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
