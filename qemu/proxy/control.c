/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/proxy/proxy.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cursor.h"

#define RESULT_SIZE 4

bool control_ask(struct proxy *p, struct span request, int pass, struct span *response)
{
	uint64_t deadline = now_us() + (uint64_t)CONTROL_MS * 1000;
	enum ctrl_command command;
	enum frame frame = FRAME_MORE;
	size_t size = 0;

	p->swtpm_in.n = 0;
	if (!ctrl_request_command(request, &command))
		return false;
	if (p->swtpm < 0 || !sock_send(p->swtpm, request, pass, SEND_MS))
		frame = FRAME_BAD;
	while (frame == FRAME_MORE) {
		if (!sock_wait(p->swtpm, deadline) || sock_receive(p->swtpm, &p->swtpm_in, NULL) != RECV_SOME)
			frame = FRAME_BAD;
		else
			frame = ctrl_response_frame(command, buffer_span(&p->swtpm_in), &size);
	}
	if (frame == FRAME_BAD || size != p->swtpm_in.n) {
		warnx("swtpm does not answer %s, or answers nonsense", ctrl_name(command));
		p->failed = true;
		return false;
	}
	*response = buffer_span(&p->swtpm_in);
	return true;
}

static struct span result_bytes(uint8_t room[RESULT_SIZE], uint32_t result)
{
	struct wr w = wr_init((struct mspan){ room, RESULT_SIZE });

	wr_be32(&w, result);
	return wr_span(&w);
}

/* QEMU's end of the data channel came along; swtpm gets one of ours in its place. */
static bool set_datafd(struct proxy *p, struct span request, struct span *response)
{
	__attribute__((cleanup(fd_close))) int ours = -1;
	__attribute__((cleanup(fd_close))) int theirs = -1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		warn("cannot make a data channel");
		p->failed = true;
		return false;
	}
	ours = pair[0];
	theirs = pair[1];
	if (!control_ask(p, request, theirs, response))
		return false;
	if (ctrl_result(CTRL_SET_DATAFD, *response) != 0)
		return true;
	fd_close(&p->guest);
	fd_close(&p->tpm);
	p->guest_in.n = p->tpm_in.n = 0;
	p->guest = p->passed;
	p->tpm = ours;
	p->passed = ours = -1;
	return true;
}

/* What a command that swtpm answered with success means to us. */
static void learn(struct proxy *p, enum ctrl_command command, struct span request, struct span response)
{
	struct rd r = rd_init(command == CTRL_SET_BUFFERSIZE ? response : request);
	uint8_t locality;
	uint32_t size;

	(void)rd_be32(&r);
	switch (command) {
	case CTRL_SET_LOCALITY:
		locality = rd_u8(&r);
		if (locality < LOCALITIES)
			p->locality = locality;
		break;
	case CTRL_SET_BUFFERSIZE:
		size = rd_be32(&r);
		if (size >= TPM_HEADER_SIZE && size <= TPM_MESSAGE_MAX)
			p->buffer_size = size;
		break;
	case CTRL_INIT:
		p->running = p->guest_started = true;
		if (p->gate)
			p->open = LOCALITIES_RESET;
		break;
	case CTRL_CANCEL_TPM_CMD:
		relay_cancel(p);
		break;
	case CTRL_STOP:
	case CTRL_SHUTDOWN:
		p->running = false;
		break;
	default:
		break;
	}
}

/* One whole request of QEMU. */
static void handle(struct proxy *p, enum ctrl_command command, struct span request)
{
	uint8_t room[RESULT_SIZE];
	struct span response;
	bool answered;

	if (command == CTRL_SHUTDOWN)
		snapshot_write(p, "shutdown");
	else if (command == CTRL_STOP || command == CTRL_INIT)
		snapshot_write(p, "reset");
	if (p->failed)
		return;
	if (command == CTRL_SET_DATAFD && p->passed < 0) {
		response = result_bytes(room, CTRL_RESULT_BAD_PARAMETER);
		answered = true;
	} else if (command == CTRL_SET_DATAFD) {
		answered = set_datafd(p, request, &response);
	} else {
		answered = control_ask(p, request, -1, &response);
	}
	if (!answered)
		return;
	if (ctrl_result(command, response) == 0)
		learn(p, command, request, response);
	/* If QEMU is gone, the next read of its socket tells. */
	if (!sock_send(p->qemu, response, -1, SEND_MS) && command != CTRL_SHUTDOWN)
		warn("QEMU takes no answer to %s", ctrl_name(command));
}

bool control_ready(struct proxy *p)
{
	enum recv_result got = sock_receive(p->qemu, &p->qemu_in, &p->passed);

	if (got != RECV_SOME)
		return false;
	while (!p->failed) {
		enum ctrl_command command;
		size_t size;

		switch (ctrl_request_frame(buffer_span(&p->qemu_in), &size)) {
		case FRAME_MORE:
			return true;
		case FRAME_BAD:
			warnx("QEMU sent a control command that is unknown or too large: the connection is closed");
			p->failed = true;
			return true;
		case FRAME_WHOLE:
			if (ctrl_request_command(buffer_span(&p->qemu_in), &command))
				handle(p, command, (struct span){ p->qemu_in.p, size });
			buffer_drop(&p->qemu_in, size);
		}
	}
	return true;
}

bool control_locality(struct proxy *p, unsigned locality)
{
	uint8_t room[8];
	struct wr w = wr_init((struct mspan){ room, sizeof(room) });
	struct span response;

	/* The size that QEMU sends: the locality in the first byte of the body. */
	wr_be32(&w, CTRL_SET_LOCALITY);
	wr_u8(&w, (uint8_t)locality);
	wr_bytes(&w, (struct span){ (const uint8_t[3]){ 0 }, 3 });
	return !w.bad && control_ask(p, wr_span(&w), -1, &response) && ctrl_result(CTRL_SET_LOCALITY, response) == 0;
}

static bool hash_step(struct proxy *p, enum ctrl_command command, struct span data, char *why, size_t why_size)
{
	uint8_t room[8 + CTRL_HASH_CHUNK];
	struct wr w = wr_init((struct mspan){ room, sizeof(room) });
	struct span response;
	uint32_t result;

	wr_be32(&w, command);
	if (command == CTRL_HASH_DATA) {
		wr_be32(&w, (uint32_t)data.n);
		wr_bytes(&w, data);
	}
	if (w.bad || !control_ask(p, wr_span(&w), -1, &response)) {
		snprintf(why, why_size, "swtpm does not answer %s", ctrl_name(command));
		return false;
	}
	result = ctrl_result(command, response);
	if (result)
		snprintf(why, why_size, "%s answers 0x%08" PRIx32, ctrl_name(command), result);
	return result == 0;
}

bool control_hash(struct proxy *p, struct span data, char *why, size_t why_size)
{
	struct span none = { NULL, 0 };

	if (!p->running || !relay_drain(p)) {
		snprintf(why, why_size, "%s", p->running ? "a TPM command of the guest does not end" : "the TPM is not running");
		return false;
	}
	if (!hash_step(p, CTRL_HASH_START, none, why, why_size))
		return false;
	while (data.n) {
		struct span part = { data.p, data.n < CTRL_HASH_CHUNK ? data.n : CTRL_HASH_CHUNK };

		if (!hash_step(p, CTRL_HASH_DATA, part, why, why_size))
			return false;
		data.p += part.n;
		data.n -= part.n;
	}
	return hash_step(p, CTRL_HASH_END, none, why, why_size);
}
