/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_TRACE_H
#define GL_TXT_TRACE_H

#include <stdarg.h>
#include <stdio.h>

#include "common/span.h"

/*
 * Every decision of the platform as one record: what no hardware tells. The record names the rule and the document that has it, so that a
 * launch that fails says at which point and why.
 */
enum txt_verdict {
	TXT_INFO, /* something was done or seen */
	TXT_PASS, /* a rule was checked and holds */
	TXT_FAIL, /* a rule is broken */
};

enum txt_who { TXT_CPU, TXT_CHIPSET, TXT_TPM, TXT_SINIT, TXT_WHO_COUNT };

#define TXT_TRACE_DETAIL 200

struct txt_trace_record {
	enum txt_who who;
	enum txt_verdict verdict;
	bool deduced;                  /* no public document says just this */
	const char *rule;              /* "mle-page-order"; a constant */
	const char *source;            /* document and section; a constant, "" if there is none */
	char detail[TXT_TRACE_DETAIL]; /* in words, printable ASCII, cut off if too long */
};

/* Zero it; `sink`, if not NULL, sees each record when it is made. txt_trace_free() when done. */
struct txt_trace {
	struct txt_trace_record *records;
	size_t count, cap;
	size_t dropped; /* not kept: no memory, or more than TXT_TRACE_MAX */
	void (*sink)(void *ctx, const struct txt_trace_record *r);
	void *ctx;
};

/* A guest that writes registers in a loop must not fill the host's memory. */
#define TXT_TRACE_MAX 65536

/* Adds a record. `t` may be NULL: nothing is kept then. Never fails. */
void txt_trace_add(struct txt_trace *t, enum txt_who who, enum txt_verdict verdict, const char *rule, const char *source, bool deduced,
	const char *format, ...) __attribute__((format(printf, 7, 8)));

/* The first record that fails, NULL if there is none. */
const struct txt_trace_record *txt_trace_failure(const struct txt_trace *t);

void txt_trace_free(struct txt_trace *t);

/* "cpu", "chipset", "tpm", "sinit"; "info", "pass", "fail". */
const char *txt_who_name(enum txt_who who);
const char *txt_verdict_name(enum txt_verdict v);

/* One line: "sinit    FAIL  mle-page-order: page 3 at 0x.. lies below page 2 [SDG 2.2.4]". False: write error (errno). */
GL_MUST bool txt_trace_print_record(FILE *f, const struct txt_trace_record *r);
GL_MUST bool txt_trace_print(FILE *f, const struct txt_trace *t);

/*
 * [{"who","verdict","rule","source","deduced","detail"}, ...] as one line; the caller frees it. NULL if memory runs out.
 */
char *txt_trace_json(const struct txt_trace *t);

#endif
