/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_VERIFY_GEO_H
#define GL_CLI_VERIFY_GEO_H

#include "cli/verify.h"
#include "geo/geo.h"

/* The geo tag beside a verdict of geo-mismatch: what was to be measured, if it is at hand. */

#define GEO_CONTENT_FILE "geo.bin" /* beside expected.json, as `geolaunch build` writes it */

struct geo_content {
	uint8_t bytes[GEO_NV_MAX];
	size_t n; /* 0: not at hand */
};

/* Reads geo.bin beside expected.json, if it is there and can be read. */
void verify_geo_load(const char *expected_json, struct geo_content *out);

/*
 * Whether `content` is what the event of NV index `*index` expects; an event of a policy that measures another one has nothing to do with it.
 */
GL_MUST bool verify_geo_index(const struct expected *e, struct span content, uint32_t *index);

/*
 * In what the content of the NV index now, in the TPM named as for host_tpm_open(), differs from what was expected: a sentence more for the
 * result. What cannot be found out is left unsaid. False if memory ran out.
 */
GL_MUST bool verify_geo_explain(const struct expected *e, const struct geo_content *wanted, const char *tcti, struct verify_result *r);

#endif
