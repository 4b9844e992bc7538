/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TBOOT_POLICY_APPLY_H
#define GL_TBOOT_POLICY_APPLY_H

#include "action.h"
#include "common/measure.h"

/*
 * Applies a policy: measures policy, modules, NV indices and the closing event in their order, compares, caps what failed, and
 * says whether the launch may go on. The same code runs in front of a TPM (EFI application) and of computed PCRs (predictor), so
 * both do the same extends by construction.
 */

/* Content of an NV index as far as it could be had. */
enum apply_nv_status {
	APPLY_NV_OK,
	APPLY_NV_MISSING,    /* not defined */
	APPLY_NV_UNREADABLE, /* defined, but not readable with empty auth, not written, locked, or the TPM failed */
	APPLY_NV_SIZE,       /* larger than the buffer */
};

#define APPLY_NV_MAX 4096 /* tboot's buffer, policy.c nv_buf */

/* Something that was measured, for the reader's eyes. */
struct apply_report {
	uint32_t type;                 /* enum measure_type */
	unsigned pcr;                  /* VLP_PCR_NONE: nowhere */
	struct span name;              /* the event's name */
	const struct digests *digests; /* what was extended */
	enum tb_error error;           /* TB_ERR_NONE: fine */
	enum cap why;                  /* valid if error is not TB_ERR_NONE */
};

struct apply_ops {
	/* Extends the digests into the PCR, in every bank that they hold, and logs the event. False if the TPM did not take it. */
	bool (*extend)(void *ctx, unsigned pcr, uint32_t type, struct span name, const struct digests *d);
	/* PCR 17-22 of every bank as they are now. False if they could not be read. */
	bool (*read_pcrs)(void *ctx, struct pcrs *out);
	/* Reads a whole NV index with empty auth into `buf`; `*n` is its size. */
	enum apply_nv_status (*read_nv)(void *ctx, uint32_t index, struct mspan buf, size_t *n);
	/* May be NULL. */
	void (*report)(void *ctx, const struct apply_report *r);
};

struct apply {
	const struct vlp *policy;
	struct span policy_bytes; /* as found on disk */
	alg_set banks;            /* every bank that is extended; the policy's own algorithm need not be among them */
	const struct apply_ops *ops;
	void *ctx;
	/* the error that stopped the launch, else the first that marred it */
	enum tb_error error;
	enum cap why;
	unsigned modules;         /* seen so far */
	uint8_t nv[APPLY_NV_MAX]; /* content of the index at hand */
	struct pcrs pcrs;         /* as read back for the closing event */
};

struct apply_module {
	unsigned number; /* mod_num; must count up from 0 without a gap */
	enum role role;
	struct span file; /* its name, for the event */
	struct span cmdline;
	const struct digests *image; /* for banks and the policy's algorithm; NULL: the file could not be read */
};

/* The algorithms that digests given to apply_module() must hold: all banks and the policy's own. */
alg_set apply_algs(const struct apply *a);

/*
 * The steps, to be called in this order. Each returns what the policy says; after VLP_ACT_HALT all of PCR 17-22 are capped already and
 * nothing more may be called. A TPM that does not take an extend is fatal whatever the policy type (nothing could be trusted).
 */
GL_MUST enum vlp_action apply_policy(struct apply *a);
GL_MUST enum vlp_action apply_module(struct apply *a, const struct apply_module *m);
/* Modules that the policy names but that did not come. */
GL_MUST enum vlp_action apply_modules_end(struct apply *a);
GL_MUST enum vlp_action apply_nv(struct apply *a);
GL_MUST enum vlp_action apply_closing(struct apply *a);

/* Caps PCR 17-22, as far as the TPM lets us; also for errors outside of these steps. False if some cap was refused. */
GL_MUST bool apply_cap_all(const struct apply_ops *ops, void *ctx, alg_set banks, enum cap why);

/* Decides on an error found outside of these steps (for example a host that cannot be started); caps on halt. */
GL_MUST enum vlp_action apply_error(struct apply *a, enum tb_error error, enum cap why);

#endif
