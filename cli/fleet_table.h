/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_FLEET_TABLE_H
#define GL_CLI_FLEET_TABLE_H

#include "cli/cli.h"

/*
 * The hosts of a fleet: a table in CSV, cli/csv.h. The first line names the columns, in any order:
 *
 *   name         of the host: 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit; no two that differ in case only
 *   country, subdivision, site, latitude, longitude
 *                its geo tag, as in the manifest; subdivision, site and both coordinates may be missing or empty
 *   content      instead of these: the content of the geo index in hexadecimal
 */

#define FLEET_TABLE_MAX_SIZE ((size_t)512 << 20)
#define FLEET_MAX_HOSTS 4000000
#define FLEET_NAME_MAX 64

struct fleet_host {
	char name[FLEET_NAME_MAX + 1];
	uint16_t content_size;
	uint32_t line;  /* in the table */
	size_t content; /* where it begins in `contents` */
};

struct fleet_table {
	struct fleet_host *hosts; /* sorted by name, bytewise */
	size_t count;
	bool has_content; /* the table says what the geo index holds */
	uint8_t *contents;
};

static inline struct span fleet_content(const struct fleet_table *t, const struct fleet_host *h)
{
	return h->content_size ? (struct span){ t->contents + h->content, h->content_size } : (struct span){ NULL, 0 };
}

/* True for what a host may be called. */
GL_MUST bool fleet_name_valid(const char *name);

/* Reads a table; `file` names it in messages. `out` on success only. Faults: CLI_INPUT with "FILE:LINE", CLI_IO. */
GL_MUST bool fleet_table_parse(const char *file, struct span text, struct fleet_table *out, struct cli_fault *fault);
GL_MUST bool fleet_table_load(const char *file, struct fleet_table *out, struct cli_fault *fault);

/* Safe on a zeroed structure. */
void fleet_table_free(struct fleet_table *t);

#endif
