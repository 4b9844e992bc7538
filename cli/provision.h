/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PROVISION_H
#define GL_CLI_PROVISION_H

#include "cli/cli.h"
#include "common/text.h"
#include "geo/geo.h"
#include "tpm/tpm.h"

/*
 * Which NV indices a host needs, and what has to be done to a TPM so that it has them. Pure: no TPM, no files.
 * Indices: tboot 1.10.5, tboot/common/tpm_20.c, tpm20_init(); attributes and sizes: geolaunch-provision(1).
 */

/* In the order in which they are written: what makes a launch stricter comes last. */
enum provision_use {
	PROVISION_ERROR, /* tboot's memory of its last error */
	PROVISION_GEO,
	PROVISION_VLP,
	PROVISION_LCP, /* owner's launch control policy */
	PROVISION_USE_COUNT
};

struct provision_use_info {
	const char *name;    /* "vlp" */
	uint32_t index[2];   /* by index set; of geo both are the default */
	uint32_t attributes; /* TPMA_NV as defined */
};

extern const struct provision_use_info provision_uses[PROVISION_USE_COUNT];

/* Whether SINIT or tboot uses the index itself, in either set: those above but that of geo, the supplier's policy, TXT's AUX index. */
GL_MUST bool provision_reserved(uint32_t index);

/* The error index: tboot's tb_error_t is 4 bytes of it, its documents define 8. TB_ERR_FIXED says that no error is pending. */
#define PROVISION_ERROR_SIZE 8
#define PROVISION_ERROR_FIXED 1

#define PROVISION_CONTENT_MAX GEO_NV_MAX

/* An index as it shall be. Name algorithm SHA-256, no policy, empty password; its size is that of the content. */
struct provision_index {
	enum provision_use use;
	uint32_t index;
	uint32_t attributes;
	struct span content; /* the owner's */
	bool any_content;    /* it only has to be written: tboot changes it at every boot */
};

enum provision_read {
	PROVISION_NOT_READ, /* the public area is not as wanted anyway, or nothing was written */
	PROVISION_READ,
	PROVISION_REFUSED, /* the index's empty password does not open it */
};

/* An index as it is. */
struct provision_found {
	bool present;
	struct tpm_nv_public public;
	enum provision_read read;
	uint8_t content[PROVISION_CONTENT_MAX]; /* public.size bytes if read */
};

enum provision_action {
	PROVISION_KEEP,
	PROVISION_DEFINE,   /* define and write */
	PROVISION_FINISH,   /* defined as wanted, but not written, or not to its end: write */
	PROVISION_REWRITE,  /* defined as wanted with another content: write */
	PROVISION_REDEFINE, /* undefine, define and write */
	PROVISION_BLOCKED,  /* would have to be undefined, but the owner cannot */
	PROVISION_ACTION_COUNT
};

struct provision_step {
	enum provision_action action;
	const char *reason; /* in words, constant */
};

/* Attribute bits that using an index sets, not defining it: written, write-locked, read-locked. */
extern const uint32_t provision_state_bits;

/* True if public area and thus size and access are as wanted, whatever the content: only then its content is worth a read. */
GL_MUST bool provision_public_fits(const struct provision_index *wanted, const struct tpm_nv_public *p);

/* What is otherwise, in words ("other attributes"); NULL: nothing. */
const char *provision_public_difference(const struct provision_index *wanted, const struct tpm_nv_public *p);

/* What has to be done, and why. */
struct provision_step provision_plan(const struct provision_index *wanted, const struct provision_found *found);

/* True for actions that destroy something: they need --replace. */
GL_MUST bool provision_destroys(enum provision_action a);

const char *provision_action_name(enum provision_action a);

/* TPMS_NV_PUBLIC as TPM2_NV_DefineSpace gets it (TPM 2.0 Library part 2, 13.5), big-endian. */
#define PROVISION_PUBLIC_SIZE 14
void provision_public_area(const struct provision_index *wanted, uint8_t out[PROVISION_PUBLIC_SIZE]);

#endif
