/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_FLEET_H
#define GL_CLI_FLEET_H

#include "cli/build.h"
#include "cli/fleet_record.h"
#include "cli/interrupt.h"

/*
 * A fleet: many hosts that launch the same, but stand in different places.
 *
 *   DIR/common/         what `geolaunch build` makes of the manifest: shared by all, but for policy.vlp, geo.bin and expected.json
 *   DIR/hosts.jsonl     what each host has of its own, cli/fleet_record.h
 *
 * A folder with three files for each host would be easier to look into, but takes several times as long to make and to remove (tests/bench/run
 * has the figure).
 */

#define FLEET_COMMON "common"
/* Below there, and in what is extracted for a host. */
#define FLEET_FILE_POLICY "esp/EFI/geolaunch/policy.vlp"
#define FLEET_FILE_DESCRIPTION "esp/EFI/geolaunch/launch.conf"

struct fleet_summary {
	size_t hosts;
	unsigned threads;
	uint64_t size; /* of hosts.jsonl */
	struct build_result common;
	/* Countries of the table that are none of ISO 3166-1, with the first line that has each. */
	struct fleet_country {
		char code[3];
		uint32_t line;
	} odd[8];
	size_t odd_count; /* more of them are left out */
	char *leftover;   /* the replaced directory, if it could not be removed; else NULL */
};

/* Builds a fleet from a table, cli/fleet_table.h. `out` must be zeroed and is to be freed in any case. */
GL_MUST bool fleet_build(const struct build_options *options, const char *table, struct fleet_summary *out, struct cli_fault *fault);
void fleet_summary_free(struct fleet_summary *s);

/* Computes every host and writes its line to `fd`, with as many threads as there are processors. Used by fleet_build(). */
GL_MUST bool fleet_write(const struct fleet_common *c, const struct fleet_table *t, int fd, const struct interrupt *stop, unsigned *threads,
	struct cli_fault *fault);

/* ---- reading ---- */

struct fleet {
	char *dir;
	char *hosts;          /* name of hosts.jsonl */
	int fd;               /* of it */
	uint64_t first, size; /* where the first host's line begins; of the file */
	uint64_t count;
	struct expected expected;
	struct fleet_common common;
};

#define FLEET_NONE ((struct fleet){ .fd = -1 })

/* True if the directory has a hosts.jsonl: it is a fleet, not one host's build. */
GL_MUST bool fleet_is(const char *dir);

/* True if it is what the hosts of a fleet have in common, however the path is spelled. */
GL_MUST bool fleet_is_common(const char *dir);

/*
 * Where one host's build is wanted: false, with the fault, of a fleet and of what its hosts have in common, which has the manifest's own tag
 * and is none of them.
 */
GL_MUST bool fleet_refuse(const char *dir, struct cli_fault *fault);

/* `out` must be FLEET_NONE and is to be closed in any case. */
GL_MUST bool fleet_open(const char *dir, struct fleet *out, struct cli_fault *fault);
void fleet_close(struct fleet *f);

/* A host, found and computed again: the record must say the same. `expected` is to be freed in any case. */
GL_MUST bool fleet_find(
	const struct fleet *f, const char *name, struct fleet_record *record, struct expected *expected, struct cli_fault *fault);

/* Calls `each` for every line, in their order; it fails when that does. */
GL_MUST bool fleet_each(
	const struct fleet *f, bool (*each)(void *ctx, struct span line, struct cli_fault *fault), void *ctx, struct cli_fault *fault);

/* Makes of a host what `geolaunch build` would: the same files, byte by byte. */
GL_MUST bool fleet_extract(
	const struct fleet *f, const char *name, const char *output, bool force, char **leftover, struct cli_fault *fault);

#endif
