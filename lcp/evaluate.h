/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_EVALUATE_H
#define GL_LCP_EVALUATE_H

#include "common/hash.h"
#include "common/pcr.h"
#include "lcp/acm.h"
#include "lcp/data.h"
#include "lcp/txt_error.h"

/*
 * Launch control as SINIT does it: do the policies of owner and supplier allow this launch, by which element, and if not, which rule
 * stops it. docs/LCP-EVALUATION.md has each rule with its source; not all of SINIT is public, so some rules are deduced, and the
 * table of rules (evaluate_rules.c) says which.
 *
 * Everything here is bytes in, verdict out; signatures are verified by whom the caller names (lcp/host/sign.h has OpenSSL).
 */

/* Who wrote a policy. */
enum lcp_owner {
	LCP_PO, /* platform owner, NV index 0x01c10106 */
	LCP_PS, /* platform supplier, NV index 0x01c10103 */
	LCP_OWNERS
};

/* What elements are about; each is decided for itself. */
enum lcp_subject {
	LCP_SUBJECT_MLE,
	LCP_SUBJECT_PCONF,    /* the owner's, with the supplier's where these are not enforced separately */
	LCP_SUBJECT_PCONF_PS, /* the supplier's, enforced by the owner's policy */
	LCP_SUBJECT_STM,
	LCP_SUBJECT_SBIOS,
	LCP_SUBJECTS
};

enum lcp_rule {
	LCP_ALLOWED,

	/* the indices */
	LCP_RULE_PS_MISSING, /* SINIT demands a supplier policy */
	LCP_RULE_PO_MISSING, /* the supplier's policy demands an owner policy */
	LCP_RULE_DATA_WITHOUT_PO,
	LCP_RULE_POLICY_SIZE,
	LCP_RULE_POLICY_VERSION,
	LCP_RULE_POLICY_HASH_ALG,
	LCP_RULE_POLICY_TYPE,
	LCP_RULE_AUX_DELETION,
	LCP_RULE_NO_HASH_MASK,
	LCP_RULE_HASH_NOT_APPROVED,
	LCP_RULE_NO_SIGN_MASK,
	LCP_RULE_AUX_MASK,     /* not exactly one algorithm */
	LCP_RULE_AUX_MASK_ALG, /* one that SINIT does not have */

	/* the modules */
	LCP_RULE_NPW_NO_POLICY,
	LCP_RULE_NPW,
	LCP_RULE_AUX_REVOKED,
	LCP_RULE_SINIT_REVOKED_PS,
	LCP_RULE_SINIT_REVOKED_PO,
	LCP_RULE_SINIT_REVOKED_ELEMENT,

	/* the policy data */
	LCP_RULE_NO_DATA,
	LCP_RULE_DATA_SIGNATURE,
	LCP_RULE_DATA_HEADER,
	LCP_RULE_DATA_SIZE,
	LCP_RULE_DATA_DIGEST,
	LCP_RULE_LIST_VERSION,
	LCP_RULE_LIST_SIZE,
	LCP_RULE_LIST_SIG_ALG,
	LCP_RULE_LIST_KEY_SIZE,
	LCP_RULE_LIST_KEY_SIZE_ECDSA,
	LCP_RULE_LIST_KEY_SIZE_SM2,
	LCP_RULE_LIST_SIGNATURE,
	LCP_RULE_LIST_REVOKED, /* these two only stand for a list (lcp_verdict.lists): its elements then match nothing */
	LCP_RULE_LIST_NOT_APPROVED,
	LCP_RULE_ELEMENT_HASH_ALG,
	LCP_RULE_ELEMENT_SIZE,
	LCP_RULE_PCR_INFO,

	/* the elements */
	LCP_RULE_ELEMENT_DISALLOWED, /* what matches is in a list, or has a hash algorithm, that does not count */
	LCP_RULE_MLE,
	LCP_RULE_PCONF,
	LCP_RULE_PCONF_OVERRIDE,
	LCP_RULE_STM,
	LCP_RULE_STM_REQUIRED,
	LCP_RULE_SBIOS,
	LCP_RULE_AUTOPROMOTION,

	/* the caller */
	LCP_RULE_INPUT, /* a digest or PCR that matters was not given: the question is open */
	LCP_RULE_COUNT
};

/* What the SINIT at hand is and can do. A zeroed field means the value in brackets. */
struct lcp_acm {
	uint8_t version;        /* AcmVersion of its information table, which SINITMinVersion is compared with */
	bool npw;               /* it, or the BIOS ACM, is not production worthy */
	bool needs_ps;          /* refuses to work without a supplier policy */
	bool checks_aux_mask;   /* looks at AuxHashAlgMask (SINITs with autopromotion) */
	uint16_t policy_min;    /* versions of LCP_POLICY2 [3.0] */
	uint16_t policy_max;    /* [3.2] */
	uint8_t list_max_major; /* newest list that it reads [3] */
	uint16_t hash_mask;     /* hash algorithms that it has, bits as in LcpHashAlgMask [all that we can compute] */
	uint32_t sign_mask;     /* the same for LcpSignAlgMask [RSA 2048 and 3072, ECDSA, SM2] */
	uint8_t error_class;    /* of TXT.ERRORCODE for launch control [TXT_CLASS_LCP]; older SINITs: TXT_CLASS_LCP_OLD */
};

/* As much of it as a SINIT module says of itself. NULL: it is not known, and then its version is no reason to refuse anything. */
struct lcp_acm lcp_acm_of(const struct acm *sinit);

/* Verifies the signature of a signed list and says with which hash algorithm it was made. False: it is wrong, or cannot be verified. */
struct lcp_verify_ops {
	bool (*verify)(void *ctx, const struct lcp_list *l, uint16_t *hash_alg);
	void *ctx;
};

/* A launch. What is not there is empty. */
struct lcp_platform {
	struct span policy[LCP_OWNERS]; /* content of the NV index; p NULL: there is none */
	struct span data[LCP_OWNERS];   /* policy data file */
	struct lcp_acm acm;
	struct digests mle; /* for the algorithms that are known; banks 0: none */
	bool has_stm;
	struct digests stm;
	struct digests bios;     /* of the start-up code of the BIOS */
	struct digests aux_bios; /* the BIOS's digest that autopromotion keeps in the AUX index; banks 0: none */
	bool has_aux_version;
	uint8_t aux_version;          /* SINIT version below which the AUX index revokes */
	const struct pcrs *pcrs;      /* may be NULL */
	struct lcp_verify_ops verify; /* verify NULL: no signature is valid */
};

/* Where in the policies; list and element count from 0, -1: not in one. */
struct lcp_at {
	enum lcp_owner owner;
	int list;
	int element;
};

enum lcp_outcome {
	LCP_NOT_ASKED,  /* the evaluation ended before */
	LCP_NO_ELEMENT, /* no policy says anything about it */
	LCP_MATCH,
	LCP_NO_MATCH
};

struct lcp_decision {
	enum lcp_outcome outcome;
	struct lcp_at at; /* of the element that matches */
	int index;        /* which digest or PCR info of it; -1: the fallback hash of an SBIOS element */
};

struct lcp_verdict {
	bool allowed;
	enum lcp_rule rule;     /* LCP_ALLOWED, or the first one that stops the launch */
	struct lcp_at at;       /* where it is violated */
	enum lcp_error format;  /* the rule is about a format: which part of it; else LCP_OK */
	struct txt_error error; /* what TXT.ERRORCODE would say; all 0 if allowed, and with LCP_RULE_INPUT */
	struct lcp_decision by[LCP_SUBJECTS];
	bool present[LCP_OWNERS]; /* the policy was decoded */
	struct lcp_policy policy[LCP_OWNERS];
	uint8_t list_count[LCP_OWNERS];
	enum lcp_rule lists[LCP_OWNERS][LCP_MAX_LISTS]; /* why a list's elements do not count; LCP_ALLOWED: they do */
	uint16_t hash_mask;                             /* effective masks */
	uint32_t sign_mask;
};

/* Always fills `out`. */
void lcp_evaluate(const struct lcp_platform *p, struct lcp_verdict *out);

/* TXT.ERRORCODE as SINIT would leave it; 0 if the launch is not denied. */
uint32_t lcp_verdict_code(const struct lcp_verdict *v);

/* A row of the table of rules. */
struct lcp_rule_info {
	const char *id;   /* "mle-mismatch"; as the JSON output and docs/LCP-EVALUATION.md have it */
	const char *text; /* what is wrong */
	const char *source;
	bool deduced;        /* no public document says just this */
	bool launch_control; /* `class` is that of launch control, see struct lcp_acm */
	uint8_t class;
	uint8_t major[LCP_OWNERS]; /* by whose policy it is violated in */
	uint8_t minor[LCP_OWNERS];
};

/* Never NULL. */
const struct lcp_rule_info *lcp_rule_info(enum lcp_rule rule);

/* "owner", "supplier". */
const char *lcp_owner_name(enum lcp_owner owner);
/* "mle", "pconf", "pconf-supplier", "stm", "sbios". */
const char *lcp_subject_name(enum lcp_subject subject);

#endif
