/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_PROXY_REPORT_H
#define GL_PROXY_REPORT_H

#include <stdio.h>

#include "common/pcr.h"

/* What the proxy writes, as JSON: the trace of TPM commands and the PCR values. */

/* One TPM command and what became of it. */
struct trace_entry {
	uint64_t seq;   /* from 1; 0 for what QEMU itself asks before the guest exists */
	uint64_t at_us; /* when the command was complete, since the proxy's start */
	uint64_t us;    /* until the response was complete */
	unsigned locality;
	struct span command;
	struct span response; /* empty: none was given */
	const char *fault;    /* the fault rule's action, or NULL */
};

/*
 * Writes one line and flushes it:
 * {"seq","at_us","us","locality","cc","name","command_size","response_size","rc","command","response"[,"fault"]};
 * "cc" and "rc" as "0x%08x", rc null without a response; command and response in hexadecimal.
 * False if it cannot be written (errno).
 */
GL_MUST bool trace_write(FILE *f, const struct trace_entry *e);

/*
 * {"pcrs":{"sha256":{"0":"<hex>",..},..},"when":..,"commands":N}; with `error` set, "pcrs" is empty and "error" tells why.
 * One line without its end; the caller frees it. NULL if memory runs out.
 */
char *pcrs_json(const struct pcrs *p, const char *when, uint64_t commands, const char *error);

/* Replaces the file by rename, so that it is there whole or not at all. False: errno tells. */
GL_MUST bool file_replace(const char *path, const char *line);
/* The same with just these bytes. */
GL_MUST bool file_replace_bytes(const char *path, struct span bytes);

#endif
