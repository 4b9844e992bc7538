/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_PROXY_FAULT_H
#define GL_PROXY_FAULT_H

#include "common/span.h"

/*
 * Fault rules: which TPM commands are not passed on, and what is answered instead.
 *
 *   CC[@LOCALITY][#N]=ACTION
 *
 * CC is a command code (0x182), a name (PCR_Extend), * for any, or _TPM_Hash for the D-RTM sequence, which then fails whatever the
 * action. N is the Nth command that the rule matches, from 1; without it every one. ACTION is one of
 *   rc:CODE   a well-formed error response with this return code, 1 to 0xFFFFFFFF
 *   reply:HEX a success response whose parameters are these bytes, up to FAULT_REPLY_MAX
 *   drop      close the data connection: QEMU then answers the guest with a failure, now and later
 *   silent    no answer at all
 *   hang      no answer until the guest ends the command; then TPM_RC_CANCELED (0x909)
 *   short     a success response that ends after the header
 *   garbage   a success response of 64 bytes whose body is all FF
 *   long      the same in the largest size that the interface holds
 *   huge      a response header that claims 4 GiB - 1 bytes; QEMU waits for the rest, so the guest sees silence
 */
enum fault_action { FAULT_RC, FAULT_REPLY, FAULT_DROP, FAULT_SILENT, FAULT_HANG, FAULT_SHORT, FAULT_GARBAGE, FAULT_LONG, FAULT_HUGE };

#define FAULT_GARBAGE_SIZE 64
#define FAULT_REPLY_MAX 64u

/* Stands for the D-RTM sequence, which is no command. No command has it: tboot, for one, sends 0xffffffff. */
#define FAULT_CC_HASH (UINT64_C(1) << 32)

struct fault_rule {
	bool any; /* any command code */
	uint64_t cc;
	bool at_locality;
	unsigned locality;
	uint32_t nth; /* 0: every match */
	enum fault_action action;
	uint32_t rc;                    /* for FAULT_RC */
	uint8_t reply[FAULT_REPLY_MAX]; /* for FAULT_REPLY */
	size_t reply_size;
	uint32_t seen; /* matches so far */
};

/* Parses one rule. On failure `why` is a constant string that says what is wrong, and `out` is not written. */
GL_MUST bool fault_parse(const char *text, struct fault_rule *out, const char **why);

/* Shows a command to all rules (each counts its own matches) and returns the first one that fires, or NULL. */
const struct fault_rule *fault_next(struct fault_rule *rules, size_t count, uint64_t cc, unsigned locality);

/*
 * Writes the answer to `command` (a whole TPM command) into `out`, whose size is the largest response of the interface,
 * and sets `size`; 0 for drop, silent and hang. False if `out` is too small or `command` has no header.
 */
GL_MUST bool fault_response(const struct fault_rule *rule, struct span command, struct mspan out, size_t *size);

const char *fault_action_name(enum fault_action action);

#endif
