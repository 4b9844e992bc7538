/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_EVENTLOG_H
#define GL_COMMON_EVENTLOG_H

#include "alg.h"
#include "pcr.h"

/*
 * TCG event logs. Written: crypto-agile (TCG PC Client Platform Firmware Profile 1.05, 10.2 and 10.4.5).
 * Read: crypto-agile; SHA-1 only (TCG_PCR_EVENT); TXT's variants of both (Intel TXT SDG 315168, appendix on the event log).
 * All integers are little-endian.
 */

/* ---- writing ---- */

struct eventlog {
	struct mspan buf; /* the caller's */
	size_t n;         /* bytes in use */
	alg_set banks;
};

/* Starts a log in `buf` with the Spec ID Event03 for `banks`. False, and nothing usable, if it does not fit. */
GL_MUST bool eventlog_begin(struct eventlog *l, struct mspan buf, alg_set banks);

/* Appends one TCG_PCR_EVENT2 with the digests of the log's banks. False, the log as it was, if a digest is missing or it does not fit. */
GL_MUST bool eventlog_append(struct eventlog *l, uint32_t pcr, uint32_t type, const struct digests *d, struct span data);

static inline struct span eventlog_bytes(const struct eventlog *l)
{
	return (struct span){ l->buf.p, l->n };
}

/* ---- reading ---- */

enum eventlog_format {
	EVENTLOG_CRYPTO_AGILE,
	EVENTLOG_SHA1,          /* TCG_PCR_EVENT throughout */
	EVENTLOG_TXT_CONTAINER, /* "TXT Event Container", TPM 1.2 */
};

enum eventlog_status {
	EVENTLOG_EVENT,     /* one event was read */
	EVENTLOG_END,       /* no more: end of bytes or zero padding only */
	EVENTLOG_MALFORMED, /* reader.error says what, reader.error_offset where; reading stops for good */
};

struct event {
	size_t offset; /* of its first byte in the log */
	uint32_t pcr;
	uint32_t type;
	struct digests digests; /* those of known algorithms */
	/*
	 * Banks that the log leaves open: no digest, and extended all the same for all we know. Firmware, SINIT and we ourselves extend every
	 * active bank; tboot (EV_TBOOT in a crypto-agile log) just those that it logs.
	 */
	alg_set missing;
	struct span data; /* inside the log */
};

struct eventlog_reader {
	struct span log;
	size_t off; /* of the next event */
	size_t end; /* behind the last event: padding only from here */
	enum eventlog_format format;
	alg_set banks; /* known algorithms named by the Spec ID event */
	struct {
		uint16_t id;
		uint16_t size;
	} algs[16]; /* all algorithms named by it */
	size_t alg_count;
	const char *error;
	size_t error_offset;
};

/* Looks at the beginning of `log` (which stays the caller's) and prepares to read. EVENTLOG_MALFORMED if it is no log at all. */
GL_MUST enum eventlog_status eventlog_open(struct eventlog_reader *r, struct span log);

/* Reads the next event. The Spec ID event itself is the first one given (type EV_NO_ACTION, no digests). */
GL_MUST enum eventlog_status eventlog_next(struct eventlog_reader *r, struct event *out);

#define EV_NO_ACTION 0x3u
/* tboot's type for all that it extends: events without data (tboot 1.10.5, include/tb_policy.h). */
#define EV_TBOOT 0x501u

/* Name of an event type: TCG's, TXT's (0x400-0x4FF), tboot's, Linux Secure Launch's, ours; NULL if unknown. */
const char *event_type_name(uint32_t type);

/*
 * What an event does to the PCRs; nothing if its type is EV_NO_ACTION. Where it lacks its digest (event.missing) its PCR cannot be replayed
 * and becomes unknown in this bank. TXT: EVTYPE_HASH_START (0x402) on PCR 17 is extended like any other.
 */
void eventlog_extend(const struct event *e, struct pcrs *p);

/* Replays the log over `p`, whose start values are the caller's: all of it, or up to where it cannot be read (EVENTLOG_MALFORMED). */
GL_MUST enum eventlog_status eventlog_replay(struct span log, struct pcrs *p);

#endif
