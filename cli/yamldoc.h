/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_YAMLDOC_H
#define GL_CLI_YAMLDOC_H

#include <yaml.h>

#include "cli/cli.h"

/*
 * One YAML document read strictly against tables of known keys. Every fault has code CLI_INPUT and the form
 * "what is wrong: FILE:LINE: what to do".
 */

struct yamldoc {
	const char *file; /* name for messages */
	yaml_document_t doc;
	struct cli_fault *fault;
};

/* A scalar and where it stands. `s` is allocated; NULL and line 0 if it was not given. */
struct yaml_text {
	char *s;
	unsigned line;
};

struct yaml_number {
	uint64_t v;
	unsigned line;
};

/* A key of a mapping. `take` stores the value at `target` + offset. */
struct yaml_field {
	const char *key;
	bool required;
	bool (*take)(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target);
	size_t offset;
	uint64_t min, max;        /* numbers: the value; texts: the length */
	const char *const *names; /* choices, NULL at the end */
};

/* Parses; `y->file` and `y->fault` must be set. yamldoc_done() is to be called on success only. */
GL_MUST bool yamldoc_init(struct yamldoc *y, struct span bytes);
void yamldoc_done(struct yamldoc *y);

yaml_node_t *yamldoc_root(struct yamldoc *y);
unsigned yamldoc_line(const yaml_node_t *at);

/* Says what is wrong where and returns false. `advice` may not be empty. */
bool yamldoc_fail(struct yamldoc *y, const yaml_node_t *at, const char *advice, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Takes a mapping with the keys of `fields` only, each at most once, the required ones at least once. `what` names it in messages. */
GL_MUST bool yamldoc_map(struct yamldoc *y, yaml_node_t *map, const char *what, const struct yaml_field *fields, size_t n, void *target);

/* The items of a sequence, one after the other: NULL at the end. False from yamldoc_sequence() if it is none. */
GL_MUST bool yamldoc_sequence(struct yamldoc *y, yaml_node_t *node, const char *what);
yaml_node_t *yamldoc_item(struct yamldoc *y, yaml_node_t *sequence, size_t i);

/* A scalar's text without NUL inside, for `take` functions; NULL after a fault. It belongs to the document. */
const char *yamldoc_scalar(struct yamldoc *y, yaml_node_t *node, const char *what);
/* The same for what must be a plain (not quoted) scalar: numbers, true, false. */
const char *yamldoc_plain(struct yamldoc *y, yaml_node_t *node, const char *what);

/* Ready-made `take` functions. */
bool yaml_take_text(
	struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target); /* struct yaml_text, printable ASCII */
bool yaml_take_number(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target); /* struct yaml_number */
bool yaml_take_choice(
	struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target); /* struct yaml_number: index in names */
bool yaml_take_bool(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target); /* struct yaml_number: 0 or 1 */

#endif
