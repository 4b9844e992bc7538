/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_VLP_CHECK_H
#define GL_CLI_VLP_CHECK_H

#include "tboot-policy/vlp.h"

/* What is wrong with a policy or worth a second look. The ids are stable, see geolaunch-vlp(1). Pure. */

struct vlp_rule {
	const char *id;
	bool error; /* the policy breaks the format's rules; else a warning */
	const char *text;
};

/* Called for each finding; `entry` is its number, or -1. */
typedef void vlp_found(void *ctx, const struct vlp_rule *rule, int entry);

/* The rule behind an error of the codec. */
struct vlp_rule vlp_rule_of_error(enum vlp_error error);

/* Finds all that can be said, in the order of the file: header, then entry by entry. */
void vlp_check(const struct vlp *p, vlp_found *found, void *ctx);

#endif
