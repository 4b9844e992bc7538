/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_SINIT_EVENTS_H
#define GL_TXT_SINIT_EVENTS_H

#include "common/cursor.h"
#include "common/hash.h"

/*
 * What SINIT measures in TPM 2.0 mode, which knows details (PCR 17) and authorities (PCR 18) only: which events, in which order, over which
 * bytes. The model of SINIT measures by this table, the prediction computes with it. Sources: SDG 315168-016, 1.10 and appendix F, table of
 * event types; the order is that of a real machine's log (tests/data/real-txt).
 */
#define SINIT_PCR_DETAILS 17
#define SINIT_PCR_AUTHORITIES 18

/* All of SINIT's types lie here; tboot, Linux and we begin at 0x500. */
#define SINIT_EVTYPE_FIRST 0x400u
#define SINIT_EVTYPE_LAST 0x4ffu
/* Those that others look for. */
#define SINIT_EVTYPE_HASH_START 0x402u
#define SINIT_EVTYPE_MLE_HASH 0x404u
#define SINIT_EVTYPE_BIOSAC 0x40au
#define SINIT_EVTYPE_NV_INFO 0x414u

/* What an event is about. */
enum sinit_value {
	SINIT_DRTM,        /* SHA-256 of the module and EDX: lcp/acm_measure.h */
	SINIT_BIOS_ACM,    /* 32 bytes that the BIOS ACM left */
	SINIT_SCRTM,       /* status of the processor's S-CRTM, 32 bits, little-endian */
	SINIT_LCP_CONTROL, /* PolicyControl, 32 bits, little-endian */
	SINIT_LCP_DETAILS, /* lcp/measured.h */
	SINIT_LCP_AUTHORITIES,
	SINIT_STM,          /* the SMI transfer monitor's digest */
	SINIT_CAPABILITIES, /* those in OsSinitData, 32 bits, little-endian */
	SINIT_MLE,          /* the digests of the measured launch environment */
	SINIT_NV_INFO,      /* public areas of the NV indices: sinit_nv_info() */
	SINIT_PUBLIC_KEY,   /* of the module, as in its header */
	SINIT_VALUES
};

struct sinit_event {
	uint8_t pcr;
	uint16_t type;
	enum sinit_value value;
	bool silent;      /* the log has no data */
	bool by_cpu;      /* extended by GETSEC[SENTER] already: SINIT only logs it */
	const char *name; /* "MLE_HASH" */
};

extern const struct sinit_event sinit_events[];
extern const size_t sinit_event_count;

/* The row of an event, NULL if there is none. */
const struct sinit_event *sinit_event_find(unsigned pcr, uint32_t type);

/* Bytes by value; what is empty is measured as a zero byte. Only of the MLE the digests are asked for. */
struct sinit_values {
	struct span data[SINIT_VALUES];
	const struct digests *mle; /* for all banks that are extended */
};

/* Event data in the log; empty for silent events. */
struct span sinit_event_data(const struct sinit_event *e, const struct sinit_values *v);

void sinit_event_digest(const struct sinit_event *e, const struct sinit_values *v, alg_set banks, struct digests *out);

/* TPMS_NV_PUBLIC (TPM 2.0 Library part 2, 13.6). */
struct sinit_nv_public {
	bool exists;
	uint32_t index;
	uint16_t name_alg;
	uint32_t attributes;
	struct span policy; /* up to DIGEST_MAX bytes */
	uint16_t size;      /* of the content */
};

/*
 * Data of NV_INFO_HASH: for AUX, PS, PO a byte 1 and the public area as the TPM marshals it, or a byte 0. Returns the size; 0 if a policy is
 * longer than it can be.
 */
#define SINIT_NV_INFO_MAX ((size_t)3 * (1 + 4 + 2 + 4 + 2 + DIGEST_MAX + 2))
GL_MUST size_t sinit_nv_info(const struct sinit_nv_public indices[3], uint8_t out[SINIT_NV_INFO_MAX]);

#endif
