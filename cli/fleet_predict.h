/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_FLEET_PREDICT_H
#define GL_CLI_FLEET_PREDICT_H

#include "cli/cli.h"
#include "cli/expected.h"
#include "common/stage_rules.h"
#include "tboot-policy/vlp.h"

/*
 * The prediction for a host out of that for another one, which differs in nothing but the content of the geo index. What changes is the
 * digest in the policy's NV entry, hence the policy's measurement, the index's, and the closing one; all other events stay. In mode txt the
 * stage's rules hold that digest, too, so the stage's measurement and the digest of it in the policy change as well. Only the PCRs that these
 * go into are computed again.
 */

#define FLEET_MAX_EVENTS 512

/* What an event's digests follow from. */
enum fleet_event {
	FLEET_FIXED,
	FLEET_POLICY,
	FLEET_STAGE,
	FLEET_NV,
	FLEET_CLOSING,
};

/* The common part, made once and then only read: by several threads, if need be. */
struct fleet_common {
	const struct expected *expected;
	alg_set banks;
	enum alg hash; /* the policy's */
	uint32_t control;
	bool has_nv, raw, verified; /* the policy has an entry for an NV index; it holds a digest */
	uint32_t nv_index;
	size_t nv_digest; /* where that is in the policy */
	bool txt;
	struct digests stage_image;           /* mode txt: of the stage's file */
	size_t stage_digest;                  /* where the stage's measurement is in the policy; with `verified` only */
	char rules[STAGE_RULES_MAX_SIZE + 1]; /* the stage's */
	size_t rules_digest;                  /* where the digest's text is in them; with `verified` only */
	uint8_t policy[VLP_MAX_SIZE];
	size_t policy_size;
	uint8_t kinds[FLEET_MAX_EVENTS]; /* enum fleet_event, by event */
	uint32_t changing;               /* PCRs, a bit each */
	struct pcrs fixed;               /* the others' final values, and the changing ones' first */
};

/* What a host has of its own. */
struct fleet_result {
	uint8_t policy[VLP_MAX_SIZE]; /* common->policy_size bytes */
	struct digests policy_digest, stage_digest, nv_digest, closing_digest;
	char rules[STAGE_RULES_MAX_SIZE + 1]; /* mode txt: the stage's */
	struct pcrs pcrs;                     /* final values of 17-22 */
};

/* What a build for mode txt has besides: its rules are in its launch description. */
struct fleet_txt {
	struct span description;
	struct digests stage; /* of the stage's file, for the banks and the policy's algorithm */
};

/*
 * `txt` is NULL in mode direct. `expected` and `policy` are those of one host, `content` what its geo index holds (no bytes: it has none). They must agree with each other,
 * and a computation from them must end in the same values: else CLI_INPUT, with `where` in the message. `expected` stays the caller's and must
 * live as long as `out`.
 */
GL_MUST bool fleet_common_make(const struct expected *expected, struct span policy, struct span content, const struct fleet_txt *txt,
	const char *where, struct fleet_common *out, struct cli_fault *fault);

/* May the index hold this? NULL, or what is wrong with it. */
const char *fleet_content_wrong(const struct fleet_common *c, size_t n);

/* Computes a host. `content` has passed fleet_content_wrong(). False if the common part is not as fleet_common_make() leaves it. */
GL_MUST bool fleet_predict(const struct fleet_common *c, struct span content, struct fleet_result *out);

/* The digests of an event for a host: its own, or the common ones. */
const struct digests *fleet_event_digests(const struct fleet_common *c, size_t event, const struct fleet_result *r);

/* The whole of a host's expected.json. `out` is to be freed in any case. */
GL_MUST bool fleet_expected(const struct fleet_common *c, const struct fleet_result *r, const char *name, struct span content,
	struct expected *out, struct cli_fault *fault);

#endif
