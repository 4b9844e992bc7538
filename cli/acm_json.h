/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_ACM_JSON_H
#define GL_CLI_ACM_JSON_H

#include "cli/cli.h"
#include "lcp/acm.h"

/* A module as JSON: keys as in geolaunch-acm(1). NULL if memory runs out. */
json_t *acm_json(const struct acm *a);

/* The bits that ACM_CAP_* name, {"value": N, "<name>": N, ...}. NULL if memory runs out. */
json_t *acm_capabilities_json(uint32_t caps);

#endif
