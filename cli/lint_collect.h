/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_LINT_COLLECT_H
#define GL_CLI_LINT_COLLECT_H

#include "cli/lint.h"
#include "cli/lint_tpm.h"
#include "common/description.h"

/* From files and a TPM to the facts that the rules look at. */

struct lint_sources {
	const char *build; /* output of `geolaunch build`; NULL: only a dump is wanted */
	const char *tcti;
	const char *nv_dump;
	const char *write_nv_dump; /* needs tcti */
	const char *sinit;
	const char *lcp[LCP_OWNERS];
	const char *lcp_data[LCP_OWNERS];
	const char *tboot; /* file, for the MLE's digest */
	const char *tboot_cmdline;
	uint32_t tboot_version; /* 0: not told */
	struct digests mle;     /* digests as given; banks 0: none */
	struct acm_platform platform;
};

/* Facts, and what they point to. */
struct lint_collected {
	struct lint_facts facts;
	struct expected expected;
	struct lint_module *modules; /* their `file`s are allocated, too */
	struct lint_tpm tpm;
	struct description *description; /* launch.conf; NULL: it cannot be read. Its spans point into description_text */
	uint8_t *description_text;
	size_t description_size;
	char **others; /* NULL: not looked for */
	char **missing;
	char *refusal;
	struct stage_rules rules;
	char *tboot_cmdline, *tboot_path, *sinit_path, *lcp_data_path; /* of a build for txt mode */
	uint8_t *policy, *geo, *sinit, *build_lcp, *lcp[LCP_OWNERS], *lcp_data[LCP_OWNERS];
};

/* `out` must be zeroed and is to be freed in any case. */
GL_MUST bool lint_collect(const struct lint_sources *s, struct lint_collected *out, struct cli_fault *fault);

/* Safe on a zeroed structure; fit for CLEANUP(). */
void lint_collected_free(struct lint_collected *c);

#endif
