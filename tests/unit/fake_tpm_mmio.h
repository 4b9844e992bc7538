/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_FAKE_TPM_MMIO_H
#define GL_TESTS_FAKE_TPM_MMIO_H

#include "tpm/mmio.h"

/*
 * A TPM behind its registers, FIFO (TIS) or CRB, with five localities. It behaves as PTP describes: states, bursts, EXPECT, who has the
 * TPM, who waits for it. Commands go to `execute`. Time is what delays and accesses add up to; past `limit_us` the test fails, so a
 * driver that waits for ever is found at once.
 */

#define FAKE_LOCALITIES 5

enum fake_kind { FAKE_TIS, FAKE_CRB };

enum fake_gate {
	FAKE_OPEN,
	FAKE_ONES, /* reads all ones, writes are dropped */
	FAKE_ZEROS,
};

struct fake_tpm;

/* Executes a command at a locality; gives the size of the response in `out`, or that there will never be one. */
#define FAKE_NO_RESPONSE ((size_t)-1)
typedef size_t (*fake_execute)(void *ctx, uint8_t locality, struct span command, struct mspan out);

struct fake_tpm {
	struct tpm_mmio mmio; /* to be handed to the driver */
	enum fake_kind kind;
	uint64_t now_us, limit_us;
	uint64_t accesses;
	fake_execute execute;
	void *execute_ctx;

	/* how the device is made */
	enum fake_gate gate[FAKE_LOCALITIES];
	bool tpm12;                 /* TIS: the registers of a TPM 1.2 */
	bool never_grant;           /* requests stay pending */
	bool lazy_ready;            /* TIS: commandReady ends a response but needs a second write to become ready */
	unsigned burst;             /* TIS: burst count, 1..65535 */
	uint32_t busy_us;           /* duration of a command */
	bool stuck;                 /* a command that never ends cannot be ended either */
	uint32_t buffer_address[2]; /* CRB: command, response; 0 = inside the page of the locality */
	uint32_t buffer_size[2];

	/* what tests do to it: change a value that is read, swallow a write (true = dropped) */
	uint32_t (*mangle)(struct fake_tpm *f, uint32_t offset, uint32_t v);
	bool (*swallow)(struct fake_tpm *f, uint32_t offset, uint32_t v);
	void *hook_ctx;

	/* state */
	int active;       /* locality that has the TPM, -1 none */
	unsigned pending; /* localities that wait, a bit each */
	unsigned seized;
	enum { FAKE_IDLE, FAKE_READY, FAKE_RECEPTION, FAKE_EXECUTION, FAKE_COMPLETION } state;
	uint8_t command[4096];
	size_t command_n;
	uint8_t response[4096]; /* CRB: the data buffer, for commands too */
	size_t response_n, response_off;
	uint64_t done_at;
	uint32_t crb_cancel;

	/* what happened */
	unsigned executed, cancelled;
	int last_locality;
};

/* A device in which the firmware holds locality 0. */
void fake_tpm_init(struct fake_tpm *f, enum fake_kind kind, fake_execute execute, void *ctx);

#endif
