/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_GEO_NV_H
#define GL_CLI_GEO_NV_H

#include "cli/host_tpm.h"
#include "geo/geo.h"
#include "tpm/host/nv_admin.h"

/* What `geolaunch geo` does to the geo NV index of an open TPM. All results are owned by the caller; faults are one line. */

/* What a changing action did: nothing is done twice. */
struct geo_nv_done {
	bool changed;     /* false: it was so already */
	size_t size;      /* of the content in bytes, if the index is there */
	bool until_reset; /* locked, but the lock ends with the next reset of the TPM: write_stclear without writedefine */
};

/* What a command needs behind its name to be about this index: " --index 0x...", or nothing for the default. Text for one line of faults. */
struct geo_nv_option {
	char text[24];
};
struct geo_nv_option geo_nv_option(uint32_t index);

/* Defines it with our attributes; fine if it is there with these and that size already. */
GL_MUST bool geo_nv_define(
	struct host_tpm *h, uint32_t index, uint16_t size, const struct nv_auth *owner, struct geo_nv_done *out, struct cli_fault *fault);

/* Writes the whole content and reads it back if the index lets anybody read. */
GL_MUST bool geo_nv_write(struct host_tpm *h, uint32_t index, struct span content, const struct nv_auth *owner, struct geo_nv_done *out,
	struct cli_fault *fault);

/* Sets the write lock. With our attributes it holds until the index is undefined; out->until_reset tells if not. */
GL_MUST bool geo_nv_lock(struct host_tpm *h, uint32_t index, const struct nv_auth *owner, struct geo_nv_done *out, struct cli_fault *fault);

/* Removes it; fine if it is not there. */
GL_MUST bool geo_nv_undefine(
	struct host_tpm *h, uint32_t index, const struct nv_auth *owner, struct geo_nv_done *out, struct cli_fault *fault);

/* Everything about an index that is there. */
struct geo_nv_view {
	struct tpm_nv_public public;
	bool has_content;
	uint8_t content[GEO_NV_MAX]; /* public.size bytes, if has_content */
	bool is_tag;                 /* the content is a record of ours */
	struct geo_tag tag;
	bool boot_readable; /* the boot chain will be able to read it, tried and found true */
	char boot[256];     /* the same in words, and what to do */
};

/* Reads public area and content: as the boot chain does, else by the owner if the attributes let him. */
GL_MUST bool geo_nv_read(struct host_tpm *h, uint32_t index, const struct nv_auth *owner, struct geo_nv_view *out, struct cli_fault *fault);

#endif
