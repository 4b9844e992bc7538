/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_TPM_TALK_H
#define GL_TESTS_TPM_TALK_H

#include "tests/fuzz/tpm_use.h"

/* A TCTI whose TPM says what the input has: responses with a 16-bit length in front of each. */

struct tpm_talk {
	TSS2_TCTI_CONTEXT_COMMON_V2 common; /* must come first */
	struct rd input;
	unsigned good; /* so many commands get good answers first, those of a start with all banks: 2 or 0 */
	unsigned commands;
	void (*watch)(struct tpm_talk *t, struct span command); /* sees each command; may be NULL */
	size_t size, before, written;                           /* of the content that is being written */
	struct exact last;                                      /* what `next` points into */
	struct span next;
};

static inline TSS2_RC tpm_talk_transmit(TSS2_TCTI_CONTEXT *c, size_t n, const uint8_t *command)
{
	/* clang-format off */
	static const uint8_t banks[] = {
		0x80, 0x01, 0, 0, 0, 43, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 4,
		0, 0x04, 3, 0xff, 0xff, 0xff, 0, 0x0b, 3, 0xff, 0xff, 0xff, 0, 0x0c, 3, 0xff, 0xff, 0xff, 0, 0x0d, 3, 0xff, 0xff, 0xff,
	};
	/* clang-format on */
	static const uint8_t property[] = { 0x80, 0x01, 0, 0, 0, 27, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 1, 0x2c, 0, 0, 0, 64 };
	struct tpm_talk *t = (struct tpm_talk *)c;

	must(n >= 10 && n <= 4096, "size of a command");
	if (t->watch)
		t->watch(t, (struct span){ command, n });
	/* 96 PCRs one at a time, four times over, each tried a hundred times */
	must(++t->commands < 200000, "an end of it");
	if (t->good > 0) {
		t->next = t->good == 2 ? SPAN_OF(banks) : SPAN_OF(property);
		t->good--;
		return TSS2_RC_SUCCESS;
	}
	exact_free(&t->last);
	t->next = exact_copy(&t->last, rd_bytes(&t->input, rd_le16(&t->input) & 0x0fff));
	return t->next.n == 0 ? TSS2_TCTI_RC_IO_ERROR : TSS2_RC_SUCCESS;
}

static inline TSS2_RC tpm_talk_receive(TSS2_TCTI_CONTEXT *c, size_t *n, uint8_t *response, int32_t timeout)
{
	struct tpm_talk *t = (struct tpm_talk *)c;

	(void)timeout;
	if (response) {
		if (*n < t->next.n)
			return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
		memcpy(response, t->next.p, t->next.n);
	}
	*n = t->next.n;
	return TSS2_RC_SUCCESS;
}

/* Its TCTI; exact_free(&t->last) when done. */
static inline TSS2_TCTI_CONTEXT *tpm_talk_start(struct tpm_talk *t, struct rd input, unsigned good)
{
	t->input = input;
	t->good = good;
	t->common.v1.version = 2;
	t->common.v1.transmit = tpm_talk_transmit;
	t->common.v1.receive = tpm_talk_receive;
	return (TSS2_TCTI_CONTEXT *)t;
}

#endif
