/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_FAKE_TPM_TALK_H
#define GL_TESTS_FAKE_TPM_TALK_H

#include "tpm/tpm.h"

#define FAKE_INDEX 0x01c10110u

/* A response under construction. */
struct answer {
	uint8_t b[4096];
	size_t n;
};

/* A TPM behind a TCTI: capabilities, PCR_Read, PCR_Extend and NV reads are answered as the fields say. */
struct fake {
	TSS2_TCTI_CONTEXT_COMMON_V2 common;
	struct answer out;
	bool waiting;
	unsigned commands, cancels, delays;
	/* errors */
	unsigned busy; /* so many commands are answered by `busy_code` first */
	TSS2_RC busy_code;
	TSS2_RC transmit_error, receive_error;
	unsigned errors; /* how many of these */
	/* content */
	struct {
		uint16_t id;
		uint8_t select[8], select_size;
	} banks[17];
	unsigned bank_count;
	bool more;
	uint32_t nv_max;   /* 0: the property is not there */
	unsigned per_read; /* digests of one PCR_Read */
	uint32_t counter_step;
	bool drift; /* the PCRs change with the counter */
	uint32_t counter;
	uint16_t nv_size;
	/* spoils the response after `spoil_after` others */
	void (*spoil)(struct fake *f, uint32_t command);
	unsigned spoil_after;
	int spoil_arg;
};

struct bench {
	struct fake fake;
	struct tpm tpm;
};

/* Writes a response: begin, put in big-endian order; end sets its size. */
void talk_begin(struct answer *a, uint16_t tag, uint32_t code);
void talk_put(struct answer *a, uint64_t v, unsigned width);
void talk_end(struct answer *a);

/* What a PCR of this TPM is filled with. */
uint8_t talk_pcr_byte(uint16_t id, unsigned pcr);

void talk_add_bank(struct fake *f, uint16_t id, uint32_t select, uint8_t select_size);

/* tpm_init() over the fake. */
TSS2_RC talk_init(struct bench *b);

/* For cmocka: a TPM with four whole banks. */
int talk_set_up(void **state);
int talk_tear_down(void **state);

/* Spoilers: spoil_arg bytes less, or more. */
void talk_spoil_cut(struct fake *f, uint32_t command);
void talk_spoil_longer(struct fake *f, uint32_t command);

#endif
