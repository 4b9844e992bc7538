/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_LINT_IMPL_H
#define GL_CLI_LINT_IMPL_H

#include "cli/lint.h"
#include "cli/predict_nv.h"

/* Shared by the parts of lint_check(); nobody else includes this, but the generator of docs/LINT.md. */

/* Which bytes tboot takes for its policy (tboot/common/policy.c, set_policy()). */
enum lint_policy_source {
	LINT_POLICY_UNKNOWN, /* no TPM was looked at, or not into the index */
	LINT_POLICY_NV,
	LINT_POLICY_CUSTOM,  /* a custom element of the owner's policy data */
	LINT_POLICY_DEFAULT, /* built into tboot */
};

/* An index whose public area SINIT measures (NV_INFO): what expected.json takes for granted of it, against what the TPM has. */
enum lint_assumed {
	LINT_ASSUMED_UNKNOWN, /* the TPM's, or nobody can tell */
	LINT_ASSUMED_NONE,    /* none, but the TPM has one */
	LINT_ASSUMED_OTHER,   /* another one than the TPM has */
};

/* What follows from the facts and more than one rule asks for. */
struct lint_world {
	const struct lint_facts *f;
	bool direct; /* the build is for geolaunch.efi alone */
	bool txt;    /* tboot and SINIT matter */

	enum vlp_error policy_error; /* of policy.vlp */
	struct vlp policy;           /* if VLP_OK */
	bool tboot_accepts;          /* it passes tboot's verify_policy() */

	bool set_known; /* SINIT says which index set counts */
	unsigned set;
	const struct lint_nv *vlp[2], *po[2], *ps[2], *aux[2], *error[2]; /* by index set; NULL: not defined */

	enum lint_assumed assumed[PREDICT_NV_ENTRIES];
	const char *po_difference; /* with LINT_ASSUMED_OTHER: what is otherwise */

	struct span nv_policy; /* the policy in vlp[set], without what lies behind it; p NULL: none that tboot accepts */
	bool has_custom;
	struct span custom; /* the policy in the custom element */
	struct lcp_where custom_at;
	enum lint_policy_source source;
	bool has_effective;
	struct vlp effective; /* what tboot obeys, if it is known and not tboot's default */

	struct span lcp[LCP_OWNERS];  /* launch control policies: given, else the TPM's, without a TPM the build's; p NULL: none */
	const char *po_unreadable;    /* why SINIT cannot read the owner's; NULL: it can, or there is none, or another one is given */
	bool lcp_unknown[LCP_OWNERS]; /* the TPM has one, but it is not known */
	bool lcp_decoded[LCP_OWNERS];
	struct lcp_policy lcp_policy[LCP_OWNERS];
	bool data_decoded;
	struct lcp_data data;
	enum lcp_error data_error;
	struct lcp_where data_at;
	bool supplier_left_out; /* its policy data is not known */
	bool judged;            /* launch control was evaluated */
	struct lcp_verdict verdict;
};

/* Owner's and supplier's launch control policy, TXT's AUX index and tboot's indices, by index set: SDG 315168-016, tboot 1.10.5 tboot/common/tpm_20.c, tpm20_init(). */
enum lint_use { LINT_USE_VLP, LINT_USE_PO, LINT_USE_PS, LINT_USE_AUX, LINT_USE_ERROR, LINT_USES };

extern const uint32_t lint_indices[LINT_USES][2];

/* The index if it is defined, else NULL. */
const struct lint_nv *lint_find_nv(const struct lint_facts *f, uint32_t index);

/* Attributes of an index that everybody can write: with its own password, which is empty. */
GL_MUST bool lint_nv_open_to_all(const struct lint_nv *nv);

/* Whether it is locked against writing for longer than to the next reset. */
GL_MUST bool lint_nv_locked(const struct lint_nv *nv);

/* Why SINIT, tboot and geolaunch.efi cannot read the index at launch, which comes after a reset, as the end of a sentence; NULL: they can. */
const char *lint_nv_unreadable_at_launch(const struct lint_nv *nv);

/* The owner's policy that the TPM is to hold: the given one, else the build's; p NULL: none. */
struct span lint_wanted_po(const struct lint_facts *f);

/* tboot's verify_policy(): which of the format's rules it looks at. */
GL_MUST bool lint_tboot_accepts(const struct vlp *p);

static inline bool lint_entry_is_nv(const struct vlp_entry *e)
{
	return e->module == VLP_MODULE_NV || e->module == VLP_MODULE_NV_RAW;
}

/* Name of a hash algorithm by TPM_ALG_ID, "unknown". */
const char *lint_alg_name(uint16_t tpm_id);

/* "sha1, sha256" */
void lint_banks_text(alg_set banks, char *buf, size_t cap);

/* Why launch.conf cannot be read: "line 5: on-halt is not ...". */
#define LINT_DESCRIPTION_TEXT 256
void lint_description_text(const struct lint_facts *f, char *buf, size_t cap);

/* Hash algorithm with which tboot hashes modules; false if extpol is not one of a single algorithm. */
GL_MUST bool lint_extpol_alg(const struct lint_facts *f, enum alg *out);

/* The event that the build expects of an NV entry; NULL if there is none. */
const struct expected_event *lint_expected_nv(const struct lint_facts *f, const struct vlp_entry *e);

/* Measurements of modules and of the policy, by geolaunch.efi or by tboot. */
GL_MUST bool lint_is_module(const struct expected_event *e);
GL_MUST bool lint_is_policy(const struct expected_event *e);

/* The first event of SINIT of this type in PCR 17; NULL if there is none. */
const struct expected_event *lint_sinit_event(const struct lint_facts *f, uint32_t type);

/* Sets w->assumed. */
void lint_find_assumed(struct lint_world *w);

/* The module of the build; NULL if there is none with this number. */
const struct lint_module *lint_module(const struct lint_facts *f, unsigned number);

/* ---- for rules ---- */

/* Says where the next findings are. */
void lint_where(struct lint_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A finding of the rule at hand; `format` gives further sentences, or is "". */
void lint_found(struct lint_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same where the index is: "NV index 0x01c10131". */
void lint_found_nv(struct lint_run *run, uint32_t index, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Whether a rule of this table has found an error so far. */
GL_MUST bool lint_found_error(const struct lint_run *run, const struct lint_rule *rules, size_t count);

/* A sentence about the launch. */
void lint_say(struct lint_report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds the sentences about the launch. */
void lint_launch(const struct lint_world *w, struct lint_report *out);

extern const struct lint_rule lint_build_rules[], lint_vlp_rules[], lint_nv_rules[], lint_geo_rules[], lint_tboot_rules[], lint_acm_rules[],
	lint_lcp_rules[];
extern const size_t lint_build_rule_count, lint_vlp_rule_count, lint_nv_rule_count, lint_geo_rule_count, lint_tboot_rule_count,
	lint_acm_rule_count, lint_lcp_rule_count;

#endif
