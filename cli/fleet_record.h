/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_FLEET_RECORD_H
#define GL_CLI_FLEET_RECORD_H

#include "cli/fleet_predict.h"
#include "cli/fleet_table.h"
#include "geo/geo.h"

/*
 * hosts.jsonl, what each host of a fleet has of its own: JSON, a value on each line.
 *
 * {"format":"geolaunch-fleet-1","count":2}
 * {"name":"fra1-a","country":"DE","geo":"<hex>","policy":"<hex>","pcrs":{"sha256":{"17":"<hex>",...,"22":"<hex>"},...}}
 *
 * One line for each host, sorted by name as bytes, so that a host is found by a search in halves (look(1) does it, too). "geo" is the content
 * of the geo index, null if there is none; "country" is that of its tag, null if it is no record of ours; "policy" is the host's policy.vlp;
 * "pcrs" are the final values to expect.
 */

#define FLEET_FORMAT "geolaunch-fleet-1"
#define FLEET_RECORD_MAX 32768 /* of a line */

struct fleet_record {
	char name[FLEET_NAME_MAX + 1];
	uint8_t content[GEO_NV_MAX];
	size_t content_size;
	uint8_t policy[VLP_MAX_SIZE];
	size_t policy_size;
	struct pcrs pcrs;
};

void fleet_header_write(size_t count, struct text *t);
GL_MUST bool fleet_header_parse(struct span line, uint64_t *count);

/* With the line feed at its end. At most FLEET_RECORD_MAX bytes; t->cut if they do not fit. */
void fleet_record_write(const struct fleet_common *c, const struct fleet_result *r, const char *name, struct span content, struct text *t);

/* The name in a line, without looking at the rest; empty if it is no record. */
struct span fleet_record_name(struct span line);

/* Takes a line apart, without its end. `banks` are those that it must have values for. NULL and `out` filled, or what is wrong. */
GL_MUST const char *fleet_record_parse(struct span line, alg_set banks, struct fleet_record *out);

#endif
