/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_CMD_VLP_H
#define GL_CLI_CMD_VLP_H

#include "cli/cli.h"
#include "tboot-policy/vlp.h"

/* What the parts of `geolaunch vlp` share. */

#define VLP_COMMAND "vlp"
#define VLP_HELP "'geolaunch vlp --help'"

/* Far above what tboot takes, to look at what went wrong; below it any mistaken file. */
#define VLP_FILE_MAX 65536
/* Values of --image, --content and --hash in one call: more than fit a policy. */
#define VLP_GIVEN_MAX 128

enum vlp_given_kind { VLP_GIVEN_HASH, VLP_GIVEN_IMAGE, VLP_GIVEN_CONTENT };

/* The command line; NULL is what was not given. */
struct vlp_args {
	const char *type, *alg, *ctrl, *manifest;
	const char *num, *nv_index, *pcr, *cmdline, *at, *pos;
	const char *output;
	bool update, force, nv_raw, no_decompress, all, json, strict, help;
	struct {
		enum vlp_given_kind kind;
		const char *value;
	} given[VLP_GIVEN_MAX]; /* in their order */
	size_t given_count;
	char **files; /* as many as the action takes */
};

/* A policy out of a file. */
struct vlp_file {
	uint8_t *bytes;
	size_t n;
	struct vlp policy; /* points into bytes */
};

/* Reads and takes apart; faults with CLI_INPUT if it is none. `out` must be zeroed and is to be freed in any case. */
GL_MUST bool vlp_file_load(const char *path, struct vlp_file *out, struct cli_fault *fault);
void vlp_file_free(struct vlp_file *f);
#define CLEANUP_VLP CLEANUP(vlp_file_free)

/* Fault CLI_INPUT of a file that is none, with what it is. Returns false. */
bool vlp_refuse(const char *path, struct span bytes, enum vlp_error error, struct cli_fault *fault);

/* Encodes and writes at once or not at all. `change`: the policy was read from there. */
GL_MUST bool vlp_file_write(const char *path, bool change, const struct vlp *p, struct cli_fault *fault);

/* For the person who gave wrong options: prints and returns false with CLI_USAGE in the fault. */
bool vlp_misused(struct cli_fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "module 3", "any module", "nv 0x01c10110". */
void vlp_name_entry(const struct vlp_entry *e, struct text *t);

/* The actions. Each returns false with a fault, or true with the exit code in `*code` (which is CLI_OK before). */
GL_MUST bool vlp_create(const struct vlp_args *a, int *code, struct cli_fault *fault);
GL_MUST bool vlp_add(const struct vlp_args *a, int *code, struct cli_fault *fault);
GL_MUST bool vlp_del(const struct vlp_args *a, int *code, struct cli_fault *fault);
GL_MUST bool vlp_show(const struct vlp_args *a, int *code, struct cli_fault *fault);
GL_MUST bool vlp_check_file(const struct vlp_args *a, int *code, struct cli_fault *fault);
GL_MUST bool vlp_diff(const struct vlp_args *a, int *code, struct cli_fault *fault);
GL_MUST bool vlp_wrap(const struct vlp_args *a, int *code, struct cli_fault *fault);
GL_MUST bool vlp_unwrap(const struct vlp_args *a, int *code, struct cli_fault *fault);

#endif
