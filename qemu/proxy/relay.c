/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/proxy/proxy.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qemu/proxy/report.h"

/* TPM_RC_LOCALITY, TPM_RC_CANCELED: TPM 2.0 Library part 2, 6.6 */
#define RC_LOCALITY 0x907
#define RC_CANCELED 0x909

/* `response` empty: the command got none. */
static void trace_at(
	struct proxy *p, unsigned locality, uint64_t seq, uint64_t from_us, struct span command, struct span response, const char *fault)
{
	uint64_t now = now_us();
	/* clang-format off */
	struct trace_entry e = {
		.seq = seq, .at_us = from_us - p->start_us, .us = now - from_us, .locality = locality,
		.command = command, .response = response, .fault = fault,
	};
	/* clang-format on */

	if (p->trace && !trace_write(p->trace, &e)) {
		warn("cannot write the trace");
		p->failed = true;
	}
}

static void trace(struct proxy *p, uint64_t seq, uint64_t from_us, struct span command, struct span response, const char *fault)
{
	trace_at(p, p->flight.locality, seq, from_us, command, response, fault);
}

static void guest_gone(struct proxy *p)
{
	fd_close(&p->guest);
	p->guest_in.n = 0;
}

static void answer(struct proxy *p, struct span response)
{
	if (p->guest >= 0 && !sock_send(p->guest, response, -1, SEND_MS))
		guest_gone(p);
}

/* Answers in the TPM's place. */
static void act(struct proxy *p, const struct fault_rule *rule, uint64_t seq, struct span command)
{
	uint8_t room[TPM_MESSAGE_MAX];
	struct span response = { room, 0 };
	uint64_t from = now_us();

	if (!fault_response(rule, command, (struct mspan){ room, p->buffer_size }, &response.n))
		response.n = 0;
	trace(p, seq, from, command, response, fault_action_name(rule->action));
	p->hanging = rule->action == FAULT_HANG;
	if (rule->action == FAULT_DROP)
		guest_gone(p);
	else if (response.n)
		answer(p, response);
}

/*
 * A closed locality is none of the TPM's: its registers read as all ones there, and commands never arrive. QEMU's TIS answers registers itself,
 * so what can be done here is to refuse the command as a TPM does that is asked at a wrong locality.
 */
static void refuse(struct proxy *p, uint64_t seq, struct span command)
{
	static const struct fault_rule closed = { .any = true, .action = FAULT_RC, .rc = RC_LOCALITY };
	uint8_t room[TPM_HEADER_SIZE];
	struct span response = { room, 0 };
	uint64_t from = now_us();

	if (!fault_response(&closed, command, (struct mspan){ room, sizeof(room) }, &response.n))
		response.n = 0;
	trace(p, seq, from, command, response, "closed");
	if (response.n)
		answer(p, response);
}

/* One whole command of the guest, held in p->flight.command. */
static void pass_on(struct proxy *p)
{
	struct span command = { p->flight.command, p->flight.n };
	const struct fault_rule *rule = NULL;
	struct tpm_header h;

	p->flight.locality = p->locality;
	p->flight.seq = 0;
	if (p->guest_started) {
		p->flight.seq = ++p->count;
		if (tpm_header(command, &h))
			rule = fault_next(p->faults, p->fault_count, h.code, p->locality);
	}
	if (!(p->open >> p->flight.locality & 1)) {
		refuse(p, p->flight.seq, command);
		return;
	}
	if (rule) {
		act(p, rule, p->flight.seq, command);
		return;
	}
	p->flight.sent_us = now_us();
	if (p->tpm < 0 || !sock_send(p->tpm, command, -1, SEND_MS)) {
		warnx("swtpm takes no TPM command");
		p->failed = true;
		return;
	}
	p->flight.busy = true;
}

void relay_cancel(struct proxy *p)
{
	static const struct fault_rule cancelled = { .any = true, .action = FAULT_RC, .rc = RC_CANCELED };
	uint8_t room[TPM_HEADER_SIZE];
	struct span response = { room, 0 };

	if (!p->hanging)
		return;
	p->hanging = false;
	if (fault_response(&cancelled, (struct span){ p->flight.command, p->flight.n }, (struct mspan){ room, sizeof(room) }, &response.n))
		answer(p, response);
}

bool relay_parked(const struct proxy *p)
{
	size_t size;

	return tpm_frame(buffer_span(&p->guest_in), &size) == FRAME_WHOLE;
}

void relay_pump(struct proxy *p)
{
	while (!p->held && !p->flight.busy && !p->failed) {
		size_t size;

		switch (tpm_frame(buffer_span(&p->guest_in), &size)) {
		case FRAME_MORE:
			return;
		case FRAME_BAD:
			warnx("the guest sent a TPM command with an impossible size: its data channel is closed");
			guest_gone(p);
			return;
		case FRAME_WHOLE:
			memcpy(p->flight.command, p->guest_in.p, size);
			p->flight.n = size;
			buffer_drop(&p->guest_in, size);
			pass_on(p);
		}
	}
}

void relay_guest_ready(struct proxy *p)
{
	if (sock_receive(p->guest, &p->guest_in, NULL) != RECV_SOME)
		guest_gone(p);
}

/* Receives from swtpm until one response is whole. False if the channel is closed or out of step. */
static bool response_part(struct proxy *p, enum frame *frame, size_t *size)
{
	if (sock_receive(p->tpm, &p->tpm_in, NULL) != RECV_SOME)
		return false;
	*frame = tpm_frame(buffer_span(&p->tpm_in), size);
	return *frame != FRAME_BAD;
}

static void tpm_gone(struct proxy *p)
{
	if (p->running || p->flight.busy) {
		warnx("swtpm closed the data channel or answers nonsense");
		p->failed = true;
	}
	p->flight.busy = false;
	fd_close(&p->tpm);
}

void relay_tpm_ready(struct proxy *p)
{
	enum frame frame;
	size_t size;

	if (!response_part(p, &frame, &size) || !p->flight.busy || (frame == FRAME_WHOLE && size != p->tpm_in.n)) {
		tpm_gone(p);
		return;
	}
	if (frame == FRAME_MORE)
		return;
	p->flight.busy = false;
	/* First the trace: whoever has the answer finds it there. */
	trace(p, p->flight.seq, p->flight.sent_us, (struct span){ p->flight.command, p->flight.n }, buffer_span(&p->tpm_in), NULL);
	answer(p, buffer_span(&p->tpm_in));
	p->tpm_in.n = 0;
}

bool relay_drain(struct proxy *p)
{
	uint64_t deadline = now_us() + (uint64_t)OWN_MS * 1000;

	/* Commands that follow stay with us: only relay_pump() passes them on. */
	while (p->flight.busy && p->tpm >= 0 && !p->failed) {
		if (!sock_wait(p->tpm, deadline))
			break;
		relay_tpm_ready(p);
	}
	return !p->flight.busy && !p->failed;
}

bool relay_exchange(void *context, struct span command, struct mspan room, struct span *response)
{
	struct proxy *p = context;
	uint64_t deadline = now_us() + (uint64_t)OWN_MS * 1000;
	enum frame frame = FRAME_MORE;
	size_t size = 0;

	if (p->tpm < 0 || p->flight.busy || !sock_send(p->tpm, command, -1, SEND_MS))
		return false;
	while (frame == FRAME_MORE)
		if (!sock_wait(p->tpm, deadline) || !response_part(p, &frame, &size)) {
			/* A late answer would be taken for that of the next command. */
			fd_close(&p->tpm);
			p->tpm_in.n = 0;
			return false;
		}
	if (size > room.n || size != p->tpm_in.n)
		return false;
	memcpy(room.p, p->tpm_in.p, size);
	*response = (struct span){ room.p, size };
	p->tpm_in.n = 0;
	return true;
}

bool relay_platform(
	struct proxy *p, unsigned locality, struct span command, struct mspan room, struct span *response, char *why, size_t why_size)
{
	const struct fault_rule *rule = NULL;
	struct tpm_header h;
	uint64_t from = now_us();
	bool ok;

	if (!p->running || !relay_drain(p)) {
		snprintf(why, why_size, "%s", p->running ? "a TPM command of the guest does not end" : "the TPM is not running");
		return false;
	}
	if (tpm_header(command, &h))
		rule = fault_next(p->faults, p->fault_count, h.code, locality);
	if (rule) {
		size_t n;

		if (room.n > p->buffer_size)
			room.n = p->buffer_size;
		ok = fault_response(rule, command, room, &n) && n;
		*response = (struct span){ room.p, ok ? n : 0 };
		trace_at(p, locality, 0, from, command, *response, fault_action_name(rule->action));
		if (!ok)
			snprintf(why, why_size, "the TPM does not answer (fault rule)");
		return ok;
	}
	if (!control_locality(p, locality)) {
		snprintf(why, why_size, "swtpm does not take locality %u", locality);
		return false;
	}
	ok = relay_exchange(p, command, room, response);
	if (!ok) {
		*response = (struct span){ NULL, 0 };
		snprintf(why, why_size, "the TPM does not answer");
	}
	trace_at(p, locality, 0, from, command, *response, NULL);
	if (!control_locality(p, p->locality)) {
		warnx("swtpm does not go back to locality %u", p->locality);
		p->failed = true;
	}
	return ok;
}
