/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_MANIFEST_H
#define GL_CLI_MANIFEST_H

#include "cli/yamldoc.h"
#include "common/description.h"
#include "geo/geo.h"
#include "tboot-policy/vlp.h"

/*
 * The manifest: what a host class launches, written by the user in YAML. Keys, defaults and limits: geolaunch-manifest(5).
 * Lines are kept, so that what is found wrong later (a missing file) can be reported with its place.
 */

#define MANIFEST_MAX_SIZE (1u << 20)
#define MANIFEST_MAX_MODULES DESCRIPTION_MAX_MODULES /* module 0, the launch description or the stage, is not counted */

struct manifest_module {
	enum role role;
	struct yaml_text file;    /* relative to the manifest */
	struct yaml_text cmdline; /* hypervisor, kernel, tboot only; may be NULL */
	struct yaml_text path;    /* members of the initrd only: absolute, normalised */
	unsigned mode;            /* of a member */
	uint8_t pcr;
};

struct manifest_geo {
	bool given;
	unsigned line;
	uint32_t index;
	bool raw;    /* nv_raw */
	bool verify; /* the policy holds the digest */
	uint8_t pcr;
	struct yaml_text file; /* content from a file, or: */
	bool has_tag;
	unsigned tag_line;
	uint8_t tag[GEO_TAG_SIZE]; /* encoded */
};

/* mode txt: what there is besides the numbered modules. file.s is NULL where nothing was given. */
struct manifest_txt {
	struct manifest_module tboot;          /* its command line is complete: with extpol= */
	struct manifest_module sinit;          /* none: the firmware carries one */
	struct manifest_module stage;          /* none: the one that came with geolaunch */
	struct yaml_text lcp_data, lcp_policy; /* both or none */
	bool efi_runtime;                      /* Linux gets what EFI left, which nobody measures */
};

#define MANIFEST_MAX_CHOICES 8
#define MANIFEST_BIOS_ACM_SIZE 32
/* TPMS_NV_PUBLIC without its own size. */
#define MANIFEST_NV_PUBLIC_MAX (4 + 2 + 4 + 2 + DIGEST_MAX + 2)

/* An NV index of the platform's maker, as the log has it. */
struct manifest_nv {
	bool given;
	uint8_t bytes[MANIFEST_NV_PUBLIC_MAX]; /* the marshalled public area */
	size_t n;                              /* 0: there is no such index */
};

/* mode txt: what SINIT measures of the platform, which nobody can compute. */
struct manifest_platform {
	unsigned line;                               /* 0: not given */
	struct yaml_text logs[MANIFEST_MAX_CHOICES]; /* event logs of such hosts */
	size_t log_count;
	uint8_t bios_acm[MANIFEST_MAX_CHOICES][MANIFEST_BIOS_ACM_SIZE];
	size_t bios_acm_count;
	unsigned bios_acm_line;
	struct yaml_number scrtm; /* line 0: not given */
	struct manifest_nv aux, ps;
};

struct manifest {
	char *file; /* the manifest's own name */
	char *name;
	enum description_mode mode;
	enum hypervisor hypervisor;
	uint8_t policy_type; /* enum vlp_type */
	enum alg policy_hash;
	unsigned policy_line;
	alg_set banks;
	unsigned banks_line; /* 0: not given */
	bool halt_return;    /* on_halt: return */
	unsigned halt_delay; /* seconds */
	/* In the order of the launch: hypervisor, kernel, initrd, vmm, files. Module i has number i + 1. */
	struct manifest_module modules[MANIFEST_MAX_MODULES];
	size_t module_count;
	struct manifest_geo geo;
	struct manifest_txt txt;
	struct manifest_platform platform;
};

/* Checks everything that can be checked without opening other files. `file` names the manifest in messages. `out` on success only. */
GL_MUST bool manifest_parse(const char *file, struct span bytes, struct manifest *out, struct cli_fault *fault);

/* Reads and parses. */
GL_MUST bool manifest_load(const char *file, struct manifest *out, struct cli_fault *fault);

void manifest_free(struct manifest *m);

/* "WHAT: FILE:LINE: ADVICE" with CLI_INPUT; returns false. */
bool manifest_fail(const struct manifest *m, unsigned line, const char *advice, struct cli_fault *fault, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
