/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_LINT_TPM_H
#define GL_CLI_LINT_TPM_H

#include "cli/host_tpm.h"
#include "cli/lint.h"

/* What `geolaunch lint` has to know of a TPM: from the TPM itself, or from a dump that another run has written. */

#define LINT_DUMP_FORMAT "geolaunch-nv-1"
/* More than any TPM has; a limit for who reads dumps. */
#define LINT_NV_MAX 1024
#define LINT_DUMP_MAX (16u << 20)

struct lint_tpm {
	struct lint_nv *nv; /* nv_count; owns the bytes of policy and content */
	size_t nv_count;
	alg_set banks;
	bool unknown_banks;
	enum host_owner owner;
	struct pcrs pcrs; /* what is known of PCR 0-7 */
};

/* Safe on a zeroed structure; fit for CLEANUP(). */
void lint_tpm_free(struct lint_tpm *t);

/* Adds an index; copies the bytes. */
GL_MUST bool lint_tpm_add(struct lint_tpm *t, const struct lint_nv *nv, struct cli_fault *fault);

/*
 * Asks a TPM for all of its NV indices, their contents, its banks and PCR 0-7. Contents are read with the index's own, empty password, as at
 * launch: of indices exempt from lockout, of those that tboot and SINIT use, and of the `count` in `more` (which the policy names).
 * `t` must be zeroed and is to be freed in any case.
 */
GL_MUST bool lint_tpm_read(struct host_tpm *h, const uint32_t *more, size_t count, struct lint_tpm *t, struct cli_fault *fault);

/*
 * A dump is JSON:
 *
 * {
 *   "format": "geolaunch-nv-1",
 *   "banks": [ "sha256" ],               active PCR banks
 *   "unknown_banks": false,              may be missing: there are banks of other algorithms
 *   "owner_auth_set": true,              the owner hierarchy has a password; may be missing: not known
 *   "nv": [ {
 *       "index": "0x01c10131",
 *       "attributes": 570818570,         TPMA_NV
 *       "attribute_names": "...",        may be missing; for people
 *       "size": 180,                     bytes
 *       "name_alg": 11,                  TPM_ALG_ID; may be missing: 11
 *       "policy": null,                  authPolicy in hexadecimal; may be missing or null
 *       "read": "ok",                    not-tried, ok, password, lockout, failed; may be missing: what "content" says
 *       "content": "<hex>"               size bytes; null or missing if it was not read
 *   } ... ],
 *   "pcrs": { "sha256": { "0": "<hex>", ... } }          may be missing
 * }
 */
/* Reads and checks; every key must be one of these. `out` zeroed, to be freed in any case. */
GL_MUST bool lint_dump_read(const char *path, struct lint_tpm *out, struct cli_fault *fault);
/* A dump as text: the caller's to free, NULL without memory. lint_dump_parse() of it gives the same. */
char *lint_dump_text(const struct lint_tpm *t);
/* The same for bytes at hand; `path` is only a name for messages. */
GL_MUST bool lint_dump_parse(const char *path, struct span bytes, struct lint_tpm *out, struct cli_fault *fault);

GL_MUST bool lint_dump_write(const char *path, const struct lint_tpm *t, struct cli_fault *fault);

#endif
