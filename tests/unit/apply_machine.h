/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_APPLY_MACHINE_H
#define GL_TESTS_APPLY_MACHINE_H

#include "tboot-policy/apply.h"
#include "tests/unit/oracle.h"

/* What tboot-policy/apply.c works on, with computed PCRs instead of a TPM and a trace of what was asked of it. */

#define MACHINE_TRACE 64

struct machine {
	struct vlp policy;
	alg_set banks;
	struct pcrs pcrs;
	struct apply apply;
	/* faults */
	unsigned fail_at; /* this extend fails, from 1; 0 none */
	bool fail_on;     /* and all after it */
	bool read_fails;
	bool read_incomplete; /* PCR 21 is not among the values */
	enum apply_nv_status nv_status;
	struct span nv;
	/* what happened */
	unsigned extends;
	size_t trace_n;
	char trace[MACHINE_TRACE][128]; /* "17 policy", of the extends that the TPM took */
	size_t report_n;
	char report[MACHINE_TRACE][128]; /* "17 policy", "19 module 1 hypervisor linux ! module-mismatch" */
};

/* A policy without entries, all PCRs all ones, an NV index with some content. */
void machine_init(struct machine *m, uint8_t type, enum alg hash, alg_set banks);

/* Adds an entry; `hash` is NULL for "any", else a digest of the policy's algorithm that must stay. */
void machine_entry(struct machine *m, uint8_t module, uint8_t pcr, const uint8_t *hash);
void machine_nv_entry(struct machine *m, bool raw, uint32_t index, const uint8_t *hash);

struct machine_module {
	enum role role;
	const char *file;
	const char *cmdline;
	const char *bytes; /* NULL: cannot be read */
};

/* All steps of a launch with these modules (numbered from 0), up to the first that does not say "continue". */
enum vlp_action machine_run(struct machine *m, const struct machine_module *modules, size_t count);

/* Fails the test unless the extends were these, in this order; the list ends in NULL. */
void machine_expect(const struct machine *m, ...);
/* The same, and then caps of PCR 17-22 for `reason`. */
void machine_expect_capped(const struct machine *m, const char *reason, ...);

#endif
