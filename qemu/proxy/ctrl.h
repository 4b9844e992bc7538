/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_PROXY_CTRL_H
#define GL_PROXY_CTRL_H

#include "common/span.h"
#include "qemu/proxy/frame.h"

/*
 * The control channel between QEMU and swtpm: messages have no length of their own, so their size follows from the
 * command number and, for some, from a length field in the body. All integers are big-endian.
 * Source: swtpm_ioctls(3) and swtpm's include/swtpm/tpm_ioctl.h; sizes are those that QEMU sends (a union of request and
 * response, so one-byte requests take four bytes).
 */
enum ctrl_command {
	CTRL_GET_CAPABILITY = 0x01,
	CTRL_INIT,
	CTRL_SHUTDOWN,
	CTRL_GET_TPMESTABLISHED,
	CTRL_SET_LOCALITY,
	CTRL_HASH_START,
	CTRL_HASH_DATA,
	CTRL_HASH_END,
	CTRL_CANCEL_TPM_CMD,
	CTRL_STORE_VOLATILE,
	CTRL_RESET_TPMESTABLISHED,
	CTRL_GET_STATEBLOB,
	CTRL_SET_STATEBLOB,
	CTRL_STOP,
	CTRL_GET_CONFIG,
	CTRL_SET_DATAFD,
	CTRL_SET_BUFFERSIZE,
	CTRL_GET_INFO,
	CTRL_LOCK_STORAGE,
	CTRL_COMMAND_END
};

/* Largest control message that is taken, in bytes: a TPM state blob is about 16 KiB. */
#define CTRL_MESSAGE_MAX ((size_t)1 << 20)

/* Most bytes of one HASH_DATA message (struct ptm_hdata). */
#define CTRL_HASH_CHUNK 4096

/* Results of ours in the name of swtpm (TPM 1.2 return codes, as swtpm uses them). */
#define CTRL_RESULT_BAD_PARAMETER 0x03

/* The command number at the start of a request; false if it is not there or unknown. */
GL_MUST bool ctrl_request_command(struct span in, enum ctrl_command *out);

/* Looks for one request at the start of `in`. FRAME_WHOLE sets `size` to its bytes, which are then in `in`. */
GL_MUST enum frame ctrl_request_frame(struct span in, size_t *size);

/*
 * Looks for the response to `command`. A response that names an error may be cut after the result, so it ends with
 * what is there; swtpm writes each response at once.
 */
GL_MUST enum frame ctrl_response_frame(enum ctrl_command command, struct span in, size_t *size);

/* The result at the start of a whole response, 0 for GET_CAPABILITY, which has none. */
uint32_t ctrl_result(enum ctrl_command command, struct span response);

const char *ctrl_name(enum ctrl_command command);

#endif
