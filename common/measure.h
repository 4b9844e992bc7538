/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_MEASURE_H
#define GL_COMMON_MEASURE_H

#include "alg.h"
#include "pcr.h"
#include "text.h"

/*
 * What is measured, where, and over which bytes. The EFI application, the stage, the predictor, the verifier and
 * docs/MEASUREMENTS.md all come from the tables in measure.c.
 */

/* Event types of ours, in the range that TXT leaves to the measured environment (0x500-0x5FF; tboot uses 0x501). */
enum measure_type {
	MEASURE_POLICY = 0x5A0,
	MEASURE_MODULE = 0x5A1,
	MEASURE_NV = 0x5A2,
	MEASURE_CLOSING = 0x5A3,
	MEASURE_CAP = 0x5A4,
};

struct measure_info {
	uint32_t type;
	const char *type_name; /* "EV_GEOLAUNCH_POLICY" */
	const char *pcrs;      /* for the document */
	const char *what;
	const char *digest;
	const char *event_data;
	const char *by;
};

extern const struct measure_info measure_table[];
extern const size_t measure_table_count;

/* The row of an event type, NULL if it is none of ours. */
const struct measure_info *measure_by_type(uint32_t type);

/* What a module is to the host; decides its default PCR (DESIGN: 19 what the hypervisor is made of, 20 VM manager, 21 its files). */
enum role {
	ROLE_DESCRIPTION,
	ROLE_HYPERVISOR,
	ROLE_KERNEL,
	ROLE_INITRD,
	ROLE_VMM,
	ROLE_FILE,
	/* txt mode only; of these the stage alone has a number: 0, in place of the description */
	ROLE_TBOOT,
	ROLE_STAGE,
	ROLE_SINIT,
	ROLE_LCP,
	ROLE_COUNT
};

struct role_info {
	const char *name;
	uint8_t pcr;   /* default of the manifest; of tboot, SINIT and LCP data the one that SINIT measures them into */
	bool numbered; /* one of the modules 1.. of the policy */
	bool many;     /* may occur more than once */
	bool member;   /* delivered as a member of the initrd, at the path that its command line names */
};

extern const struct role_info role_table[ROLE_COUNT];

GL_MUST bool role_by_name(struct span name, enum role *out);

/* Why a measurement was replaced by a cap. The names are part of the measured bytes and may never change. */
enum cap {
	CAP_POLICY_MISSING,
	CAP_POLICY_INVALID,
	CAP_DESCRIPTION_MISSING,
	CAP_DESCRIPTION_INVALID,
	CAP_MODULE_MISSING,
	CAP_MODULE_UNREADABLE,
	CAP_MODULE_UNLISTED,
	CAP_MODULE_MISMATCH,
	CAP_NV_MISSING,
	CAP_NV_UNREADABLE,
	CAP_NV_SIZE,
	CAP_NV_MISMATCH,
	CAP_TPM_ERROR,
	CAP_START_FAILED,
	CAP_PREFLIGHT,
	CAP_DESCRIPTION_UNSIGNED,
	CAP_COUNT
};

struct cap_info {
	const char *name;    /* "nv-missing" */
	const char *meaning; /* one line for people */
};

extern const struct cap_info cap_table[CAP_COUNT];

/* Digests, each computed with the bank's own algorithm, for all of `banks`. */

/* tboot's rule for modules, tboot/common/policy.c hash_module(): H( H(cmdline) || H(image) ), `image` from one pass of hash.h. */
void measure_module(alg_set banks, struct span cmdline, const struct digests *image, struct digests *out);

/* tboot's rule for the policy, verify_g_policy(): H( control LE32 || H(policy) ); zeros instead of H(policy) if control bit 0 is clear. */
void measure_policy(alg_set banks, uint32_t control, struct span policy, struct digests *out);

/* H(content); with `raw`, the content itself in each bank whose digest has just that size. */
void measure_nv(alg_set banks, bool raw, struct span content, struct digests *out);

/* H( PCR19 || PCR20 || PCR21 || PCR22 ). False if one of these is not known in a bank of `banks`. */
GL_MUST bool measure_closing(alg_set banks, const struct pcrs *p, struct digests *out);

/* H( "cap " || name ), a constant per reason. */
void measure_cap(alg_set banks, enum cap why, struct digests *out);

/* Event data (ASCII, no NUL): what happened to which subject. Replayable without it. */
void name_policy(struct text *t);
void name_module(struct text *t, unsigned number, enum role role, struct span file);
void name_nv(struct text *t, bool raw, uint32_t index);
void name_closing(struct text *t);
/* "cap <reason>" and, if `subject` is not empty, a blank and the name of what could not be measured. */
void name_cap(struct text *t, enum cap why, struct span subject);

#endif
