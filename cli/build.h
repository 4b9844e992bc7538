/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_BUILD_H
#define GL_CLI_BUILD_H

#include "boot/pecoff.h"
#include "cli/expected.h"
#include "cli/manifest.h"
#include "common/stage_rules.h"

/*
 * From a manifest to what a host needs:
 *
 *   DIR/expected.json
 *   DIR/geo.bin                             what the geo NV index shall hold; only with a geo entry, for `provision`
 *   DIR/esp/EFI/BOOT/BOOTX64.EFI            geolaunch.efi
 *   DIR/esp/EFI/geolaunch/geolaunch.efi     the same
 *   DIR/esp/EFI/geolaunch/launch.conf       launch description (common/description.h), module 0 of direct mode
 *   DIR/esp/EFI/geolaunch/policy.vlp        the policy
 *   DIR/esp/EFI/geolaunch/linux or xen, kernel, initrd, vmm, file-0, ...
 *
 * and in txt mode:
 *
 *   DIR/lcp.pol                             what the owner's LCP index shall hold; only with a launch control policy, for `provision`
 *   DIR/esp/EFI/geolaunch/tboot, sinit, lcp
 *   DIR/esp/EFI/geolaunch/stage             module 0
 *
 * A signed build has launch description and policy in geolaunch.efi as well (boot/embedded.h), and those are the ones that count.
 * Xen and tboot are unpacked if they are gzip'ed: GRUB, their usual loader, hands them on like that, and so they are measured. Of tboot the
 * runs of zeros are left out (elf_pack.h).
 * The same inputs give the same bytes, but for the time in a signature.
 */

struct build_options {
	const char *manifest;
	const char *output;
	const char *efi;         /* geolaunch.efi */
	const char *stage;       /* of mode txt; NULL: the one that the manifest names, else the one beside this program */
	const char *sign;        /* PEM file with the key that signs geolaunch.efi; NULL: not signed */
	const char *certificate; /* that of the key, PEM; with `sign` only */
	bool force;
};

/* A module as built; number 0 is the launch description, in txt mode the stage. */
struct build_module {
	char file[16];                       /* name in EFI/geolaunch */
	const struct manifest_module *given; /* in the manifest; NULL for the launch description */
	const char *from;                    /* where the bytes come from; NULL for the launch description */
	enum role role;
	uint8_t pcr;
	struct span cmdline; /* as measured */
	uint64_t size;
	struct digests image;    /* of the bytes, for the banks and the policy's algorithm */
	struct digests measured; /* what is extended, the same algorithms */
};

/* What txt mode has besides the modules. */
enum build_extra { BUILD_TBOOT, BUILD_SINIT, BUILD_LCP_DATA, BUILD_EXTRAS };

struct build_result {
	struct manifest manifest;
	struct build_module modules[1 + MANIFEST_MAX_MODULES];
	size_t module_count;
	struct build_module extras[BUILD_EXTRAS]; /* given NULL: there is none; nothing measured */
	char *stage;                              /* the stage as found; NULL: the manifest names it */
	char rules[STAGE_RULES_MAX_SIZE + 1];     /* the stage's; "" in direct mode */
	char *efi;                                /* geolaunch.efi as found */
	uint64_t efi_size;
	struct digests efi_digest;                /* SHA-256 */
	struct digests efi_authenticode;          /* SHA-256, as the firmware makes it: what dbx names; `banks` 0: there is none */
	enum pecoff_error efi_authenticode_error; /* why there is none */
	char unusual_key[64];                     /* of the certificate, for people, if firmware need not know its kind; else "" */
	uint8_t *geo;                             /* expected content of the NV index, geo_size bytes */
	size_t geo_size;
	size_t policy_size;
	struct expected expected;
	char *leftover; /* the replaced directory, if it could not be removed; else NULL */
};

/* Builds. `out` must be zeroed and is to be freed in any case. */
GL_MUST bool build_run(const struct build_options *options, struct build_result *out, struct cli_fault *fault);

/*
 * Only the policy: the bytes that build_run() would write to policy.vlp. Needs neither geolaunch.efi nor an output directory; `buf` of
 * VLP_MAX_SIZE bytes is always enough.
 */
GL_MUST bool build_policy(const char *manifest, struct mspan buf, size_t *n, struct cli_fault *fault);

void build_free(struct build_result *r);

#endif
