/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_PROXY_TPM_MESSAGE_H
#define GL_PROXY_TPM_MESSAGE_H

#include "common/span.h"
#include "qemu/proxy/frame.h"

/*
 * TPM commands and responses as bytes: a header {tag u16, size u32, code u32}, big-endian, then the rest.
 * TPM 2.0 Library part 1, 18; TPM 1.2 Main part 2, 6.
 */
#define TPM_HEADER_SIZE 10

/* Largest command or response that is taken. swtpm and QEMU's TIS hold 4096 bytes. */
#define TPM_MESSAGE_MAX 8192

enum tpm_tag {
	TPM_TAG_COMMAND_12 = 0x00C1, /* TPM_TAG_RQU_COMMAND; 0x00C2 and 0x00C3 with one and two sessions */
	TPM_TAG_COMMAND_12_AUTH2 = 0x00C3,
	TPM_TAG_RESPONSE_12 = 0x00C4,
	TPM_TAG_NO_SESSIONS = 0x8001,
	TPM_TAG_SESSIONS = 0x8002,
};

struct tpm_header {
	uint16_t tag;
	uint32_t size; /* of the whole message, in bytes, as claimed by the message */
	uint32_t code; /* command code or return code */
};

/* Reads the header; false if there are fewer than TPM_HEADER_SIZE bytes. The size is not compared with the bytes. */
GL_MUST bool tpm_header(struct span in, struct tpm_header *out);

/* Looks for one command or response at the start of a stream; FRAME_BAD if its claimed size is impossible. */
GL_MUST enum frame tpm_frame(struct span in, size_t *size);

/* Name of a command code as in TPM 2.0 Library part 2, 6.5.2, without TPM_CC_; of TPM 1.2 ordinals with TPM_; or "unknown". */
const char *tpm_command_name(uint32_t code);

/* Finds a command code by that name, in any case of letters. */
GL_MUST bool tpm_command_by_name(struct span name, uint32_t *code);

#endif
