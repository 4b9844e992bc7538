/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What QEMU, swtpm and the command line can say to tpmproxy. The first byte of the input chooses:
 *   0  requests on the control channel
 *   1  a response on it, to the command whose number the next byte gives
 *   2  the TPM's answers to the PCR reader: pieces of the input, each with a 16-bit length (little-endian) in front
 *   3  TPM commands, each of which a fault rule answers; the rule is a piece like these, and comes first
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/proxy/ctrl.h"
#include "qemu/proxy/fault.h"
#include "qemu/proxy/pcr_read.h"
#include "qemu/proxy/report.h"
#include "qemu/proxy/tpm_message.h"
#include "tests/fuzz/exact.h"

#define UNTOUCHED ((size_t)-7)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "violated: %s\n", what);
	abort();
}

/* ---- framing ---- */

typedef enum frame look(const void *context, struct span in, size_t *size);

static enum frame look_request(const void *context, struct span in, size_t *size)
{
	(void)context;
	return ctrl_request_frame(in, size);
}

static enum frame look_response(const void *context, struct span in, size_t *size)
{
	return ctrl_response_frame(*(const enum ctrl_command *)context, in, size);
}

static enum frame look_tpm(const void *context, struct span in, size_t *size)
{
	(void)context;
	return tpm_frame(in, size);
}

/* A look at the first `n` bytes of the stream, in memory of just that size. Long ones are not copied for each of their messages. */
static enum frame look_at(look *l, const void *context, struct span in, size_t n, size_t *size)
{
	__attribute__((cleanup(exact_free))) struct exact x = { .count = 0 };

	in.n = n;
	return l(context, n <= TPM_MESSAGE_MAX ? exact_copy(&x, in) : in, size);
}

/* Takes one message off, a copy in `x`; false if there is none. Where the stream was cut into packets must not matter. */
static bool take_message(look *l, const void *context, struct span *in, size_t max, struct exact *x, struct span *message)
{
	size_t size = UNTOUCHED, again = UNTOUCHED;
	enum frame f = look_at(l, context, *in, in->n, &size);

	if (f != FRAME_WHOLE) {
		must(size == UNTOUCHED, "no size without a message");
		return false;
	}
	must(size > 0 && size <= in->n && size <= max, "size of a message");
	must(look_at(l, context, *in, size, &again) == FRAME_WHOLE && again == size, "a message alone is whole");
	exact_free(x);
	*message = exact_copy(x, (struct span){ in->p, size });
	*in = (struct span){ in->p + size, in->n - size };
	return true;
}

static void must_need_all(look *l, const void *context, struct span message)
{
	size_t size = UNTOUCHED;

	for (size_t n = 0; n < message.n; n += 1 + n / 8)
		must(look_at(l, context, message, n, &size) == FRAME_MORE, "a part of a message is no message");
	must(look_at(l, context, message, message.n - 1, &size) == FRAME_MORE, "all but one byte is no message");
	must(size == UNTOUCHED, "no size without a message");
}

static void requests(struct span in)
{
	__attribute__((cleanup(exact_free))) struct exact x = { .count = 0 };
	struct span message;
	enum ctrl_command command;

	while (take_message(look_request, NULL, &in, CTRL_MESSAGE_MAX, &x, &message)) {
		must_need_all(look_request, NULL, message);
		must(ctrl_request_command(message, &command) && ctrl_name(command), "a whole request is of a known command");
	}
}

static void response(struct rd *input)
{
	__attribute__((cleanup(exact_free))) struct exact x = { .count = 0 };
	enum ctrl_command command = (enum ctrl_command)(1 + rd_u8(input) % (CTRL_COMMAND_END - 1));
	struct span in = rd_bytes(input, rd_left(input)), message;

	/* An error may be cut: what is there is the response. */
	if (take_message(look_response, &command, &in, CTRL_MESSAGE_MAX, &x, &message) && ctrl_result(command, message) == 0)
		must_need_all(look_response, &command, message);
}

/* ---- PCR reader ---- */

struct tpm_side {
	struct rd input;
	unsigned commands;
	struct exact last; /* the last answer */
};

static struct span take_piece(struct rd *input)
{
	return rd_bytes(input, rd_le16(input) & 0x1fff);
}

static bool exchange(void *context, struct span command, struct mspan room, struct span *out)
{
	struct tpm_side *t = context;
	struct tpm_header h;
	struct span piece = take_piece(&t->input);

	must(tpm_header(command, &h) && h.size == command.n, "a command of its own size");
	must(++t->commands <= 1 + ALG_COUNT * PCR_COUNT, "an end of it");
	if (piece.n == 0 || piece.n > room.n)
		return false;
	exact_free(&t->last);
	*out = exact_copy(&t->last, piece);
	return true;
}

static void pcr_reader(struct rd input)
{
	static struct pcrs pcrs, before;
	struct tpm_side t = { .input = input };
	char why[80] = "";
	char *json;
	bool good;

	memset(&pcrs, 0x5a, sizeof(pcrs));
	before = pcrs;
	good = pcr_read_all(exchange, &t, &pcrs, why, sizeof(why));
	exact_free(&t.last);
	if (!good) {
		must(memcmp(&pcrs, &before, sizeof(pcrs)) == 0, "nothing written after a failure");
		must(*why && !strchr(why, '\n'), "one line says why");
		return;
	}
	must(!(pcrs.banks & ~ALG_SET_ALL), "banks");
	for (enum alg a = 0; a < ALG_COUNT; a++)
		must((pcrs.known[a] != 0) == ((pcrs.banks & ALG_BIT(a)) != 0) && pcrs.known[a] >> PCR_COUNT == 0, "PCRs that were read");
	json = pcrs_json(&pcrs, "fuzz", t.commands, NULL);
	must(json && !strchr(json, '\n'), "one line of JSON");
	free(json);
}

/* ---- fault rules ---- */

static void faults(struct rd *input)
{
	__attribute__((cleanup(exact_free))) struct exact x = { .count = 0 };
	struct span text = take_piece(input), in, message;
	struct fault_rule rule;
	const char *why = NULL;
	char *line = strndup(text.n ? (const char *)text.p : "", text.n);
	bool good = line && fault_parse(line, &rule, &why);
	uint8_t room[TPM_MESSAGE_MAX];

	free(line);
	must(good || !line || (why && *why), "a reason");
	in = rd_bytes(input, rd_left(input));
	while (take_message(look_tpm, NULL, &in, TPM_MESSAGE_MAX, &x, &message)) {
		size_t n = UNTOUCHED;
		struct tpm_header h;

		must_need_all(look_tpm, NULL, message);
		must(tpm_header(message, &h) && tpm_command_name(h.code), "a whole command has a header");
		if (!good)
			continue;
		must(fault_next(&rule, 1, h.code, 2) == NULL || rule.seen > 0, "what fires was seen");
		must(fault_response(&rule, message, (struct mspan){ room, sizeof(room) }, &n), "every fault has its answer");
		must(n <= sizeof(room) && (n == 0 || n >= TPM_HEADER_SIZE), "size of an answer");
		must(rule.action == FAULT_HUGE || n == 0 || (tpm_header((struct span){ room, n }, &h) && h.size == n),
			"an answer of its own size");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd input = rd_init((struct span){ data, size });

	switch (rd_u8(&input) % 4) {
	case 0:
		requests(rd_bytes(&input, rd_left(&input)));
		break;
	case 1:
		response(&input);
		break;
	case 2:
		pcr_reader(input);
		break;
	default:
		faults(&input);
	}
	return 0;
}
