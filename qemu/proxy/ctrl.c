/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/proxy/ctrl.h"

#include "common/cursor.h"

#define NUMBER_SIZE 4 /* of the command number before a request's body */

/*
 * Sizes in bytes. `*_length_at` is the offset of a 32-bit length that counts the bytes behind the fixed part; 0 means that
 * there is none (no message has it at its very start).
 */
struct ctrl_info {
	const char *name;
	uint8_t request; /* fixed part of the request, with the command number */
	uint8_t request_length_at;
	uint8_t response; /* fixed part of the response */
	uint8_t response_length_at;
	bool no_result; /* the response does not start with a result */
};

static const struct ctrl_info ctrl_table[CTRL_COMMAND_END] = {
	[CTRL_GET_CAPABILITY] = { "GET_CAPABILITY", 4, 0, 8, 0, true },
	[CTRL_INIT] = { "INIT", 8, 0, 4, 0, false },
	[CTRL_SHUTDOWN] = { "SHUTDOWN", 4, 0, 4, 0, false },
	[CTRL_GET_TPMESTABLISHED] = { "GET_TPMESTABLISHED", 4, 0, 8, 0, false },
	[CTRL_SET_LOCALITY] = { "SET_LOCALITY", 8, 0, 4, 0, false },
	[CTRL_HASH_START] = { "HASH_START", 4, 0, 4, 0, false },
	[CTRL_HASH_DATA] = { "HASH_DATA", 8, 4, 4, 0, false },
	[CTRL_HASH_END] = { "HASH_END", 4, 0, 4, 0, false },
	[CTRL_CANCEL_TPM_CMD] = { "CANCEL_TPM_CMD", 4, 0, 4, 0, false },
	[CTRL_STORE_VOLATILE] = { "STORE_VOLATILE", 4, 0, 4, 0, false },
	[CTRL_RESET_TPMESTABLISHED] = { "RESET_TPMESTABLISHED", 8, 0, 4, 0, false },
	[CTRL_GET_STATEBLOB] = { "GET_STATEBLOB", 16, 0, 16, 12, false },
	[CTRL_SET_STATEBLOB] = { "SET_STATEBLOB", 16, 12, 4, 0, false },
	[CTRL_STOP] = { "STOP", 4, 0, 4, 0, false },
	[CTRL_GET_CONFIG] = { "GET_CONFIG", 4, 0, 8, 0, false },
	[CTRL_SET_DATAFD] = { "SET_DATAFD", 4, 0, 4, 0, false },
	[CTRL_SET_BUFFERSIZE] = { "SET_BUFFERSIZE", 8, 0, 16, 0, false },
	[CTRL_GET_INFO] = { "GET_INFO", 20, 0, 12, 8, false },
	[CTRL_LOCK_STORAGE] = { "LOCK_STORAGE", 8, 0, 4, 0, false },
};
static_assert(CTRL_LOCK_STORAGE == 0x13, "command numbers are those of tpm_ioctl.h");

static uint32_t be32_at(struct span in, size_t off)
{
	struct rd r = rd_init(in);

	(void)rd_bytes(&r, off);
	return rd_be32(&r);
}

/* `fixed` bytes and, if `length_at` is set, as many more as the length there says. */
static enum frame frame_of(struct span in, size_t fixed, size_t length_at, size_t *size)
{
	size_t total = fixed;

	if (in.n < fixed)
		return FRAME_MORE;
	if (length_at && __builtin_add_overflow(total, be32_at(in, length_at), &total))
		return FRAME_BAD;
	if (total > CTRL_MESSAGE_MAX)
		return FRAME_BAD;
	if (in.n < total)
		return FRAME_MORE;
	*size = total;
	return FRAME_WHOLE;
}

bool ctrl_request_command(struct span in, enum ctrl_command *out)
{
	uint32_t number;

	if (in.n < NUMBER_SIZE)
		return false;
	number = be32_at(in, 0);
	if (number < CTRL_GET_CAPABILITY || number >= CTRL_COMMAND_END)
		return false;
	*out = (enum ctrl_command)number;
	return true;
}

enum frame ctrl_request_frame(struct span in, size_t *size)
{
	enum ctrl_command command;

	if (in.n < NUMBER_SIZE)
		return FRAME_MORE;
	if (!ctrl_request_command(in, &command))
		return FRAME_BAD;
	return frame_of(in, ctrl_table[command].request, ctrl_table[command].request_length_at, size);
}

enum frame ctrl_response_frame(enum ctrl_command command, struct span in, size_t *size)
{
	const struct ctrl_info *info = &ctrl_table[command];

	if (!info->no_result && in.n >= 4 && be32_at(in, 0) != 0) {
		*size = in.n < info->response ? in.n : info->response;
		return FRAME_WHOLE;
	}
	return frame_of(in, info->response, info->response_length_at, size);
}

uint32_t ctrl_result(enum ctrl_command command, struct span response)
{
	return ctrl_table[command].no_result ? 0 : be32_at(response, 0);
}

const char *ctrl_name(enum ctrl_command command)
{
	return ctrl_table[command].name;
}
