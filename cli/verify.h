/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_VERIFY_H
#define GL_CLI_VERIFY_H

#include "cli/expected.h"

/*
 * What a host's PCR values and event log say about its launch, compared with what was expected. Pure: no files, no TPM.
 */

/* Names, meanings and exit codes are fixed: scripts depend on them. Several can hold at once. */
enum verify_verdict {
	VERIFY_TRUSTED,         /* a dynamic launch, and everything as expected */
	VERIFY_NO_DRTM,         /* no dynamic launch stands behind the values */
	VERIFY_GEO_MISSING,     /* a geo tag was expected and none was measured */
	VERIFY_GEO_MISMATCH,    /* another geo tag, or an unreadable one */
	VERIFY_MODULE_MISMATCH, /* hypervisor, initrd, VM manager, a file or the launch description */
	VERIFY_POLICY_MISMATCH, /* the launch policy */
	VERIFY_LOG_MISMATCH,    /* log, TPM and themselves do not fit together */
	VERIFY_CAPPED,          /* the launch put an error in place of a measurement */
	VERIFY_VERDICT_COUNT
};

struct verify_verdict_info {
	const char *name; /* "geo-missing" */
	int exit_code;
};

extern const struct verify_verdict_info verify_verdict_table[VERIFY_VERDICT_COUNT];

struct verify_input {
	const struct expected *expected;
	const struct pcrs *tpm; /* at least PCR 17-22 of every active bank */
	const char *file;       /* where these come from, if not from a TPM: what it lacks may be active all the same */
	bool has_log;
	struct span log; /* the bytes of an event log, if there is one */
};

/* NUL-terminated strings in printable ASCII, allocated. */
struct verify_strings {
	char **v;
	size_t n;
};

/* How the first event that is not as expected differs. */
enum verify_difference {
	VERIFY_SAME,
	VERIFY_DIFF_DIGEST,
	VERIFY_DIFF_NAME, /* same digests under another name */
	VERIFY_DIFF_MISSING,
	VERIFY_DIFF_EXTRA,
	VERIFY_DIFF_CAP, /* a cap stands in its place */
	VERIFY_DIFFERENCE_COUNT
};

extern const char *const verify_difference_name[VERIFY_DIFFERENCE_COUNT];

struct verify_first_difference {
	enum verify_difference what; /* VERIFY_SAME: there is none (or no log to find it in) */
	unsigned pcr;
	uint32_t type;
	char name[192];          /* of the expected event; of the log's if it is an extra one */
	char found[192];         /* the name that the log has there, "" if none */
	struct digests expected; /* banks 0 if there is none */
	struct digests log;
};

struct verify_result {
	unsigned verdicts; /* bit 1 << enum verify_verdict */
	bool agree;        /* expected, log (if any) and TPM agree in every bank compared */
	bool drtm;         /* a dynamic launch was expected, and the values of PCR 17-19 show one */
	bool geo_agrees;   /* every PCR that holds a geo tag has the expected value in every bank, and PCR 17 binds it */
	bool capped;
	enum cap why;                  /* the first cap's reason, if `capped` */
	alg_set compared;              /* expected and active */
	alg_set inactive;              /* expected, but not active in this TPM */
	alg_set unpredicted;           /* active, but nothing is expected of it */
	struct verify_strings modules; /* names of the modules that differ, or may differ where that is all that can be known */
	struct verify_strings explanation;
	struct verify_first_difference first;
	bool has_log;
	struct pcrs log;    /* the log's replay of 17-22; unknown where it cannot be replayed */
	bool out_of_memory; /* verify() has failed then */
};

/*
 * Compares and decides. False, with one line in `error`, if there is nothing to compare: no expected bank is active, a PCR value is
 * not given, or the log is none. A log that breaks off is evidence, not an error: log-mismatch. The result is to be freed either way.
 */
GL_MUST bool verify(const struct verify_input *in, struct verify_result *out, char *error, size_t cap);

/* Adds a sentence to the explanation; false if memory ran out. */
GL_MUST bool verify_result_explain(struct verify_result *r, const char *sentence);

void verify_result_free(struct verify_result *r);

/* The exit code of the highest verdict. */
int verify_exit_code(const struct verify_result *r);

GL_MUST static inline bool verify_has(const struct verify_result *r, enum verify_verdict v)
{
	return r->verdicts >> v & 1;
}

/* Banks in words: "sha1, sha256". */
void verify_bank_names(alg_set banks, char *buf, size_t cap);

#endif
