/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_CMD_BUILD_FLEET_H
#define GL_CLI_CMD_BUILD_FLEET_H

#include <jansson.h>

#include "cli/build.h"

/* `geolaunch build --fleet TABLE`: builds and reports. Warnings go to standard error. */
GL_MUST bool cmd_build_fleet(const struct build_options *options, const char *table, bool json, struct cli_fault *fault);

GL_MUST bool cmd_build_add_warning(json_t *list, struct cli_fault *fault, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* What is possible in a build but hardly meant: appends texts to the list. */
GL_MUST bool cmd_build_warnings(const struct build_result *r, json_t *list, struct cli_fault *fault);

#endif
