/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_LINT_H
#define GL_CLI_LINT_H

#include "boot/embedded.h"
#include "cli/expected.h"
#include "common/description.h"
#include "common/stage_rules.h"
#include "lcp/acm.h"
#include "lcp/evaluate.h"
#include "tboot-policy/vlp.h"

/*
 * Build, TPM, SINIT, launch control policy and tboot seen together: what is wrong, and what will happen at launch. Pure: collected facts
 * in, findings out; no files, no TPM. The rules are constant tables (lint_rules_*.c), of which docs/LINT.md is made.
 */

/* ---- facts ---- */

/* How reading an index with its own empty password, as tboot and geolaunch.efi do, went. */
enum lint_read {
	LINT_READ_NOT_TRIED, /* the public area says that it would fail, or nobody looks at this index at launch */
	LINT_READ_OK,
	LINT_READ_PASSWORD, /* the index has a password */
	LINT_READ_LOCKOUT,  /* the TPM is in dictionary-attack lockout */
	LINT_READ_FAILED,
	LINT_READ_COUNT
};

/* As a dump of NV indices has it: "not-tried", "ok", "password", "lockout", "failed". */
extern const char *const lint_read_names[LINT_READ_COUNT];

/* An NV index that is defined. */
struct lint_nv {
	uint32_t index;
	uint32_t attributes; /* TPMA_NV */
	uint16_t size;       /* of the content in bytes */
	uint16_t name_alg;   /* TPM_ALG_ID */
	struct span policy;
	enum lint_read read;
	struct span content; /* size bytes with LINT_READ_OK, else empty */
};

/* A module of the build, as expected.json names it. */
struct lint_module {
	unsigned number;
	enum role role;
	const char *file;        /* name on the ESP */
	bool present;            /* the file is there; only then: */
	struct digests measured; /* for the banks of the build and the policy's algorithm; banks 0: its command line is not known */
};

enum lint_extpol {
	LINT_EXTPOL_FIXED, /* one algorithm */
	LINT_EXTPOL_AGILE,
	LINT_EXTPOL_EMBEDDED,
	LINT_EXTPOL_UNKNOWN,
	LINT_EXTPOL_UNTOLD, /* the command line stands where it cannot be read */
};

#define LINT_WORD_MAX 64 /* with NUL; tboot's MAX_VALUE_LEN */

/* tboot's command line, as tboot understands it. */
struct lint_tboot {
	bool given;
	bool extpol_given;
	enum lint_extpol extpol;
	uint16_t extpol_alg; /* TPM_ALG_ID, with LINT_EXTPOL_FIXED */
	char extpol_text[LINT_WORD_MAX];
	bool measure_nv;
	bool ignore_prev_err;
	bool call_racm;
	bool pcr_map_legacy; /* asked for */
	bool legacy_log;     /* force_tpm2_legacy_log=true */
	uint64_t min_ram;
	char unknown[LINT_WORD_MAX]; /* the first option that tboot does not know; "" if there is none */
};

/* A version as one number, to compare. */
#define LINT_VERSION(major, minor, patch) ((uint32_t)(major) << 16 | (uint32_t)(minor) << 8 | (uint32_t)(patch))
#define LINT_TBOOT_DEFAULT LINT_VERSION(1, 10, 5)

struct lint_facts {
	/* the build directory */
	const struct expected *expected;
	struct span policy_bytes;        /* policy.vlp */
	struct span geo_content;         /* geo.bin, what the geo index is to hold; p NULL: not there */
	const struct stage_rules *rules; /* the stage's, of a build for txt mode; NULL: none, or they cannot be read */
	const struct lint_module *modules;
	size_t module_count;
	const char *const *others;                /* names of files that the launch does not name, NULL at the end; NULL: not looked for */
	const char *const *missing;               /* what the launch needs beside its modules and is not there, in the same way */
	const char *refusal;                      /* why 'geolaunch install' refuses the build; NULL: it does not, or nobody asked */
	bool no_description;                      /* launch.conf cannot be read, and so no module's command line is known: */
	enum description_error description_error; /* DESCRIPTION_OK: there is none */
	size_t description_line;
	enum embedded_match embedded; /* what geolaunch.efi brings itself, against the files beside it */

	/* the TPM, or a dump of it */
	bool has_tpm;
	alg_set banks;
	bool unknown_banks; /* there are others, of algorithms that we do not know */
	bool owner_open;    /* the owner hierarchy is known to have no password */
	const struct lint_nv *nv;
	size_t nv_count;
	const struct pcrs *pcrs; /* what is known of PCR 0-7; may be NULL */

	/* SINIT */
	const char *sinit_file; /* NULL: not given */
	struct acm sinit;
	struct acm_platform platform; /* to compare it with */

	/* launch control policy; p NULL: not given, and the TPM's counts, where it was looked at, else the build's */
	struct span lcp[LCP_OWNERS];
	struct span build_lcp;            /* the owner's policy that the build was made with, in mode txt; p NULL: none */
	struct span lcp_data[LCP_OWNERS]; /* policy data files */
	struct lcp_verify_ops verify;
	struct digests mle;  /* banks 0: not known */
	size_t mle_pointers; /* into the MLE, which nobody measures; lcp_mle_unmeasured_pointers() */
	bool mle_failed;     /* the digest of the MLE cannot be computed: */
	enum lcp_error mle_error;

	/* tboot */
	struct lint_tboot tboot;
	bool has_tboot_version;
	uint32_t tboot_version; /* LINT_VERSION(); always set */
};

/* Reads a command line as tboot does (tboot/common/cmdline.c); NULL gives the defaults. */
void lint_tboot_parse(const char *cmdline, uint32_t version, struct lint_tboot *out);

/* "1.10.5", "v1.11", "1.11.12". */
GL_MUST bool lint_version_parse(const char *s, uint32_t *out);
void lint_version_print(uint32_t version, struct text *t);

/* ---- rules ---- */

enum lint_severity {
	LINT_ERROR, /* the launch fails, or is not what the owner takes it for */
	LINT_WARNING,
	LINT_INFO,
	LINT_SEVERITY_COUNT
};

extern const char *const lint_severity_names[LINT_SEVERITY_COUNT];

struct lint_world;
struct lint_run;

struct lint_rule {
	const char *id; /* "GL-VLP-001": never changes, never used for something else */
	enum lint_severity severity;
	const char *title;
	const char *text;   /* what will happen, one or more sentences */
	const char *fix;    /* what to do */
	const char *source; /* where it is written */
	void (*check)(const struct lint_world *w, struct lint_run *run);
};

struct lint_group {
	const char *name; /* a heading of docs/LINT.md */
	const struct lint_rule *rules;
	const size_t *count;
};

#define LINT_GROUPS 7
extern const struct lint_group lint_groups[LINT_GROUPS];

/* ---- findings ---- */

struct lint_finding {
	const struct lint_rule *rule;
	char *where;  /* "policy.vlp, entry 2" */
	char *detail; /* further sentences, or "" */
};

struct lint_report {
	struct lint_finding *findings; /* errors first, then in the order of the tables */
	size_t finding_count;
	char **launch; /* sentences, in the order of the launch */
	size_t launch_count;
	bool out_of_memory;
};

/* Runs all rules. `out` is to be freed in any case; false if memory ran out. */
GL_MUST bool lint_check(const struct lint_facts *f, struct lint_report *out);

/* Number of findings of this severity. */
size_t lint_count(const struct lint_report *r, enum lint_severity severity);

/* Safe on a zeroed structure; fit for CLEANUP(). */
void lint_report_free(struct lint_report *r);

#endif
