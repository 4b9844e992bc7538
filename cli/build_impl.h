/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_BUILD_IMPL_H
#define GL_CLI_BUILD_IMPL_H

#include "cli/build.h"
#include "cli/build_files.h"
#include "cli/predict_sinit.h"
#include "cli/source.h"
#include "cli/tree.h"

/* Shared by the parts of build.h; nobody else includes this. */

/* Files of mode txt that are read as a whole, besides being copied. */
struct build_bytes {
	uint8_t *p;
	size_t n;
};

struct build {
	const struct build_options *options;
	struct build_result *out;
	struct cli_fault *fault;
	bool policy_only;
	alg_set algs; /* the banks and the policy's algorithm */
	alg_set banks;
	struct source efi, geo;
	struct source sources[1 + MANIFEST_MAX_MODULES]; /* by module number */
	struct source extras[BUILD_EXTRAS];              /* by enum build_extra */
	struct source lcp_policy, logs[MANIFEST_MAX_CHOICES];
	struct build_bytes extra_bytes[BUILD_EXTRAS], lcp_policy_bytes, log_bytes[MANIFEST_MAX_CHOICES];
	struct build_bytes plain; /* geolaunch.efi, if it is to be signed */
	struct tree tree;
	struct interrupt stop;
	uint8_t description[DESCRIPTION_MAX_SIZE];
	size_t description_size;
	struct vlp policy; /* its hashes are those of out->modules and geo_measured */
	struct digests geo_measured;
	char extra_digests[BUILD_EXTRAS][65]; /* SHA-256, for a description that is signed; else empty */
	uint8_t policy_bytes[VLP_MAX_SIZE];
};

static inline bool build_is_txt(const struct build *b)
{
	return b->out->manifest.mode == DESCRIPTION_TXT;
}

/* build_inputs.c: opens and checks what the manifest names. */
GL_MUST bool build_open_inputs(struct build *b);
/* The content that the NV index is expected to have. */
GL_MUST bool build_read_geo(struct build *b);

/* build_texts.c: the stage's rules, launch description, policy. */
GL_MUST bool build_write_rules(struct build *b);
GL_MUST bool build_write_description(struct build *b);
void build_measure_modules(struct build *b);
GL_MUST bool build_write_policy(struct build *b);

/* build_sign.c: is there all that signing needs; then geolaunch.efi with description and policy inside, signed, under both names. */
GL_MUST bool build_check_sign(struct build *b);
GL_MUST bool build_sign(struct build *b, const char *const names[2]);

/* build_certificate.c: would firmware know the key of this certificate. */
GL_MUST bool build_check_certificate(struct build *b);

/* build_predict.c */
GL_MUST bool build_choose_banks(struct build *b);
GL_MUST bool build_predict(struct build *b);

#endif
