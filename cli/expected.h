/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_EXPECTED_H
#define GL_CLI_EXPECTED_H

#include "common/measure.h"
#include "common/pcr.h"

/*
 * expected.json: what a launch is expected to measure, written by `build`, read by `verify`.
 *
 * {
 *   "format": "geolaunch-expected-1",
 *   "name": "demo",                      host class or host
 *   "mode": "direct",                    or "txt"
 *   "drtm": false,                       PCR 17-22 start from all FF (false) or from zero (true)
 *   "country": "DE",                     from the geo tag; null if there is none or it is no record of ours
 *   "policy": { "type": "halt", "hash": "sha256" },
 *   "banks": [ "sha1", "sha256", "sha384", "sha512" ],
 *   "events": [ {
 *       "pcr": 17, "type": 1440, "type_name": "EV_GEOLAUNCH_POLICY", "name": "policy",
 *       "digests": { "sha256": "<hex>", ... },
 *       "provenance": { "kind": "computed", "from": [ "policy.vlp" ] },    kind: computed | given | captured | assumed;
 *                                        from: for people
 *       "alternatives": [ { "digests": { ... }, "from": [ "another.log" ] } ]          only if there are any
 *   } ... ],                             in the order in which they are extended
 *   "pcrs": { "sha256": { "17": "<hex>", ..., "22": "<hex>" }, ... }
 * }
 *
 * An event has digests only for the banks that whoever measures it extends: tboot extends one, SINIT and we all. Alternatives are further
 * values that are just as good: platforms differ in what SINIT measures of them. Where several events of one type have some, they have
 * equally many, and the same one holds for all of them (SINIT measures some things into both PCR 17 and 18). "pcrs" are the values with
 * the first choice of each; with another one, that of PCR 17 or 18 is another one, too.
 *
 * "from" of a module is its file and, if not empty, the command line that is hashed with it: [ "vmlinuz", "cmdline: quiet" ], for what
 * is put into the initrd [ "vmm", "path: /usr/bin/vmm" ]. Of an NV index its content's file or "geo.tag", of the closing event PCRs.
 */

#define EXPECTED_FORMAT "geolaunch-expected-1"

/* Behind the name of a log in "from": it was captured with another SINIT module than the one that measures here. */
#define EXPECTED_OTHER_SINIT ", of another SINIT module"

/* True if a text of "from" ends in it. */
GL_MUST bool expected_of_other_sinit(const char *from);

enum provenance {
	PROVENANCE_COMPUTED, /* from the files or earlier events named */
	PROVENANCE_GIVEN,    /* a value that the manifest states */
	PROVENANCE_CAPTURED, /* from the log of a host */
	PROVENANCE_ASSUMED,
	PROVENANCE_COUNT
};

#define EXPECTED_MAX_EVENTS 4096
#define EXPECTED_MAX_ALTERNATIVES 15 /* of an event */
/* Most combinations of alternatives in a file. */
#define EXPECTED_MAX_COMBINATIONS 4096u

struct expected_alternative {
	struct digests digests; /* same banks as the event's own */
	char **from;
	size_t from_count;
};

struct expected_event {
	unsigned pcr;
	uint32_t type;
	char *name;
	struct digests digests;
	enum provenance provenance;
	char **from; /* from_count strings: files or values */
	size_t from_count;
	struct expected_alternative *alternatives;
	size_t alternative_count;
};

struct expected {
	char *name;
	char *mode; /* "direct" or "txt" */
	bool drtm;
	char country[3];     /* "" if unknown */
	uint8_t policy_type; /* enum vlp_type */
	enum alg policy_hash;
	alg_set banks;
	struct expected_event *events;
	size_t event_count;
	struct pcrs pcrs; /* final values of 17-22 */
};

void expected_free(struct expected *e);

/* Reads and checks a whole file: every key known, digests of the right size, and the final values are those of the events. On
 * failure false, nothing in `out`, and one line in `error` (static or in `out_error`, capacity `cap`). */
GL_MUST bool expected_load(const char *path, struct expected *out, char *error, size_t cap);

/* The same for bytes at hand; `path` is only a name for messages. */
GL_MUST bool expected_parse(const char *path, struct span text, struct expected *out, char *error, size_t cap);

/* The JSON text, allocated; the caller frees it. NULL if memory runs out. */
char *expected_text(const struct expected *e);

#endif
