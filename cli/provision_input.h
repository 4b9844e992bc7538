/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PROVISION_INPUT_H
#define GL_CLI_PROVISION_INPUT_H

#include "cli/provision.h"

/* From files to wanted indices; everything is checked before a TPM is asked for anything. */

struct provision_files {
	const char *build; /* output of `geolaunch build`; the others may be NULL then */
	const char *host;  /* then `build` is a fleet, and this one of its hosts; else NULL */
	const char *vlp;
	const char *lcp;
	const char *geo;
	const char *sinit;
	bool error_index;
	bool no_vlp, no_geo;
	int index_set;      /* -1: not told */
	uint32_t geo_index; /* 0: that of the policy's NV entry, else the default */
};

struct provision_wanted {
	int index_set; /* -1: no index of a set is wanted */
	bool set_from_sinit;
	bool vlp_not_here; /* the build is for direct mode, where geolaunch.efi obeys the policy on the EFI system partition */
	struct provision_index items[PROVISION_USE_COUNT];
	size_t count;
	uint8_t *bytes[PROVISION_USE_COUNT]; /* contents, by use */
	uint8_t error[PROVISION_ERROR_SIZE];
};

/* `out` must be zeroed and is to be freed in any case. Faults: CLI_USAGE (no index set told), CLI_INPUT, CLI_IO. */
GL_MUST bool provision_inputs(const struct provision_files *f, struct provision_wanted *out, struct cli_fault *fault);

/* Safe on a zeroed structure; fit for CLEANUP(). */
void provision_wanted_free(struct provision_wanted *w);

#endif
