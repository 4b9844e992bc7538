/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_MANIFEST_IMPL_H
#define GL_CLI_MANIFEST_IMPL_H

#include "cli/manifest.h"
#include "common/stage_rules.h"

/* Shared by the parts of manifest.h; nobody else includes this. */

#define FILE_MAX_LENGTH 4096
#define AT(type, member) .offset = offsetof(struct type, member)
#define PCR_RANGE .min = PCR_DRTM_FIRST, .max = PCR_DRTM_LAST

/* What the keys say, before it is put in order. */
struct raw_file {
	struct yaml_text file, path;
	struct yaml_number mode, pcr;
	unsigned line;
};

/* A file that is started, with its command line if it has one. */
struct raw_program {
	struct yaml_text file, cmdline;
	unsigned line;
};

struct raw_hypervisor {
	struct yaml_number kind, pcr, efi_runtime;
	struct yaml_text file, cmdline, initrd;
	struct raw_program kernel;
};

struct raw_geo {
	struct yaml_number index, kind, verify, pcr;
};

struct raw_lcp {
	struct yaml_text data, policy;
	unsigned line;
};

struct raw {
	struct yaml_number version, mode, on_halt, halt_delay;
	struct yaml_number policy_type;
	struct yaml_number policy_hash;
	unsigned policy_line;
	struct yaml_text name;
	alg_set banks;
	unsigned banks_line;
	struct raw_hypervisor hypervisor;
	struct raw_file vmm;
	struct raw_file files[MANIFEST_MAX_MODULES];
	size_t file_count;
	struct raw_geo raw_geo;
	struct manifest_geo geo;
	struct raw_program tboot, sinit, stage;
	struct raw_lcp lcp;
	struct manifest_platform platform;
};

/* Takes the text out of `t`. */
struct yaml_text manifest_move_text(struct yaml_text *t);

uint64_t manifest_number_or(const struct yaml_number *n, uint64_t otherwise);

bool manifest_take_pcr(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target); /* struct yaml_number */
bool manifest_take_geo(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target); /* struct raw */

/* ---- mode txt ---- */

bool manifest_take_tboot(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target);    /* struct raw_program */
bool manifest_take_file(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target);     /* struct raw_program */
bool manifest_take_lcp(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target);      /* struct raw_lcp */
bool manifest_take_platform(struct yamldoc *y, yaml_node_t *value, const struct yaml_field *f, void *target); /* struct manifest_platform */

/* Takes what belongs to mode txt out of `r`; refuses it in another mode, and what contradicts itself. */
GL_MUST bool manifest_add_txt(struct manifest *m, struct raw *r, struct cli_fault *fault);

void manifest_free_platform(struct manifest_platform *p);
void manifest_free_txt(struct manifest *m);

#endif
