/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_LINT_WORLD_H
#define GL_TESTS_LINT_WORLD_H

#include "cli/lint.h"
#include "lcp/acm_make.h"

/*
 * Facts for lint_check() made up in memory: a host on which everything is right, with TXT, tboot, launch control and a geo tag. A test
 * changes one thing in the parts, lint_world_make() puts them together, the test may change the facts, then lint_world_check().
 */

enum { NV_VLP, NV_PO, NV_PS, NV_ERROR, NV_GEO, NV_OTHER, NV_MAX };

struct lint_world_part {
	bool present;
	struct lint_nv nv; /* content is set by lint_world_make() unless `kept` */
	bool kept;
	uint8_t bytes[8192];
};

#define WORLD_MODULES 3
#define WORLD_EVENTS 64

struct lint_facts_world {
	struct lint_facts f;
	struct lint_report report;

	struct vlp policy;
	uint8_t module_hash[WORLD_MODULES][DIGEST_MAX];
	uint8_t geo_hash[DIGEST_MAX];
	uint8_t policy_bytes[4096];
	size_t policy_size; /* 0: encode the policy */
	struct lint_module modules[40];
	size_t module_count;
	uint8_t geo[64];

	struct expected expected;
	struct expected_event events[WORLD_EVENTS];

	struct lint_world_part nv[NV_MAX];
	struct lint_nv found[NV_MAX];
	struct pcrs pcrs;

	struct acm_recipe sinit;
	struct acm_chipset chipset;
	struct acm_processor processor;
	uint8_t sinit_bytes[0x10000];

	struct lcp_policy po;
	bool no_po; /* no policy, no data */
	bool no_data;
	bool po_hash_kept; /* po.hash is the test's */
	bool signature_valid;
	struct lcp_list list;
	uint16_t element_alg;
	struct digests mle_listed; /* by the MLE element */
	uint32_t mle_type;
	bool no_mle_element;
	bool has_custom;
	struct span custom; /* p NULL: the build's policy */
	uint8_t elements[8192], data[0x12000], po_bytes[LCP_POLICY_MAX_SIZE];
	uint8_t key[256], signature[256];
};

struct lint_facts_world *lint_world_new(void);
void lint_world_make(struct lint_facts_world *w);
void lint_world_check(struct lint_facts_world *w);
void lint_world_free(struct lint_facts_world *w);

/* Gives the list a signature with this revocation counter. */
void lint_world_sign(struct lint_facts_world *w, uint16_t counter);

/* The number of findings of a rule. */
size_t lint_world_found(const struct lint_facts_world *w, const char *id);

/* True if a sentence about the launch has this part. */
bool lint_world_says(const struct lint_facts_world *w, const char *part);

/* Prints all of the report, for a test that fails. */
void lint_world_print(const struct lint_facts_world *w);

#endif
