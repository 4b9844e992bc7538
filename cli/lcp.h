/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_LCP_H
#define GL_CLI_LCP_H

#include "cli/cli.h"
#include "cli/file_kind.h"
#include "cli/output.h"
#include "lcp/data.h"
#include "lcp/evaluate.h"

/* What the subcommands of `geolaunch lcp` have in common. */

/* No policy file of any kind is larger: the heap has 64 KiB for one. */
#define LCP_FILE_MAX (16u << 20)

/* One action of `geolaunch lcp`: argv[0] is its name. `command` is "lcp NAME", for messages. */
struct lcp_action {
	const char *name;
	const char *command;
	const char *summary;
	int (*run)(int argc, char **argv);
};

extern const struct lcp_action lcp_action_mle_hash;
extern const struct lcp_action lcp_action_element;
extern const struct lcp_action lcp_action_list;
extern const struct lcp_action lcp_action_policy;
extern const struct lcp_action lcp_action_data;
extern const struct lcp_action lcp_action_sign;
extern const struct lcp_action lcp_action_verify;
extern const struct lcp_action lcp_action_show;
extern const struct lcp_action lcp_action_evaluate;

/* ---- files ---- */

struct lcp_bytes {
	uint8_t *p;
	size_t n;
};

void lcp_bytes_free(struct lcp_bytes *b);
#define CLEANUP_BYTES CLEANUP(lcp_bytes_free)

static inline struct span lcp_bytes_span(const struct lcp_bytes *b)
{
	return (struct span){ b->p, b->n };
}

GL_MUST bool lcp_read(const char *path, struct lcp_bytes *out, struct cli_fault *fault);

/* Reads a file and unpacks it if it begins with the magic of gzip (RFC 1952, 2.3.1). At most 256 MiB either way. */
GL_MUST bool lcp_read_image(const char *path, struct lcp_bytes *out, struct cli_fault *fault);

/* The same for a measured launch environment: a tboot.mb2 becomes an ELF file (cli/tboot_file.h). */
GL_MUST bool lcp_read_mle(const char *path, struct lcp_bytes *out, struct cli_fault *fault);

/* Appends to bytes that are allocated. */
GL_MUST bool lcp_append(struct lcp_bytes *b, struct span s, struct cli_fault *fault);

GL_MUST bool lcp_read_list(const char *path, struct lcp_bytes *bytes, struct lcp_list *out, struct cli_fault *fault);

/* output_check(); the file that is changed, if it is one, may be named as output, too, and is the default (NULL). */
GL_MUST bool lcp_check_output(const char *output, const char *changed, bool force, struct cli_fault *fault);

/* Fault CLI_INPUT with the rule that is violated. Returns false. */
bool lcp_refuse(struct cli_fault *fault, const char *what, enum lcp_error error);
/* The same of a file, which may be of another kind. */
bool lcp_refuse_file(struct cli_fault *fault, const char *path, const struct lcp_bytes *bytes, enum file_kind wanted, enum lcp_error error);

/* Encodes, checking every rule first, and writes. A list that was read from a file and changed goes there (`output` NULL, or that file). */
GL_MUST bool lcp_put_element(const char *path, const struct lcp_element *e, struct cli_fault *fault);
GL_MUST bool lcp_put_list(const char *output, const char *changed, const struct lcp_list *l, struct cli_fault *fault);

/* ---- options ---- */

/* The value of an option: a hash algorithm that we can compute; a TPM_ALG_ID; a number. Usage faults name option and value. */
GL_MUST bool lcp_option_alg(const char *option, const char *value, enum alg *out, struct cli_fault *fault);
GL_MUST bool lcp_option_hash_id(const char *option, const char *value, uint16_t *out, struct cli_fault *fault);
GL_MUST bool lcp_option_number(const char *option, const char *value, uint64_t max, uint64_t *out, struct cli_fault *fault);
/* "sha256:<hex>" into the digests. */
GL_MUST bool lcp_option_digest(const char *option, const char *value, struct digests *d, struct cli_fault *fault);
/* PCR numbers "0,2,4-7" as a mask, below 24. */
GL_MUST bool lcp_option_pcrs(const char *option, const char *value, uint32_t *mask, struct cli_fault *fault);

/* Prints a fault of the command, if there is one, and gives the exit code. */
int lcp_finish(const char *command, bool ok, const struct cli_fault *fault);

/* ---- PCR values ---- */

enum lcp_pcr_source {
	LCP_PCRS_TPM,  /* `where`: TCTI configuration */
	LCP_PCRS_LOG,  /* `where`: an event log, which is replayed from the reset values of PCR 0-7 */
	LCP_PCRS_FILE, /* `where`: JSON or the output of tpm2_pcrread */
};

GL_MUST bool lcp_get_pcrs(enum lcp_pcr_source source, const char *where, struct pcrs *out, struct cli_fault *fault);

/* ---- JSON ---- */

json_t *lcp_json_policy(const struct lcp_policy *p);
json_t *lcp_json_element(struct span bytes);
json_t *lcp_json_list(const struct lcp_list *l);
json_t *lcp_json_data(const struct lcp_data *d);
/* Name of an algorithm, or "0x0099". */
json_t *lcp_json_alg(uint16_t tpm_id);
json_t *lcp_json_hash_mask(uint16_t mask);
json_t *lcp_json_sign_mask(uint32_t mask);

#endif
