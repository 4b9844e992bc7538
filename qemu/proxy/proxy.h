/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_PROXY_PROXY_H
#define GL_PROXY_PROXY_H

#include <stdio.h>

#include "qemu/proxy/ctrl.h"
#include "qemu/proxy/fault.h"
#include "qemu/proxy/sock.h"
#include "qemu/proxy/tpm_message.h"

/*
 * The state of one connection of QEMU to swtpm through the proxy.
 *
 *   QEMU  -- control (unix socket) -->  proxy  -- control -->  swtpm
 *         -- data (descriptor)     -->         -- data    -->
 *
 * Control commands are passed on one at a time and answered before the next. On the data channel at most one TPM command is
 * under way. What the proxy itself asks of the TPM it asks only while none is.
 */
struct proxy {
	FILE *trace;           /* NULL: none */
	const char *pcrs_path; /* NULL: none */
	struct fault_rule *faults;
	size_t fault_count;

	int qemu, swtpm; /* control channels */
	int guest, tpm;  /* data channels; -1: not there (yet) */
	int passed;      /* descriptor that came along for SET_DATAFD */
	struct buffer qemu_in, swtpm_in, guest_in, tpm_in;

	unsigned locality;  /* as last set by QEMU */
	unsigned open;      /* localities whose commands pass: bit n */
	bool gate;          /* a reset of the machine closes all but locality 0 */
	size_t buffer_size; /* of the TPM interface, as last negotiated */
	bool guest_started; /* the first INIT was answered: from here on commands are the guest's */
	bool hanging;       /* the guest's last command was not answered (fault rule "hang") */
	bool running;       /* between INIT and STOP or SHUTDOWN */
	bool held;          /* TPM commands of the guest wait */
	bool pcrs_good;     /* the PCR file holds values */
	bool failed;        /* nothing sensible can follow; the reason was printed */

	uint64_t start_us;
	uint64_t count; /* TPM commands of the guest so far */
	struct {
		bool busy; /* a TPM command of the guest is with swtpm */
		uint64_t seq, sent_us;
		unsigned locality;
		size_t n;
		uint8_t command[TPM_MESSAGE_MAX];
	} flight;
};

#define LOCALITIES 5
#define LOCALITIES_ALL ((1u << LOCALITIES) - 1)
#define LOCALITIES_RESET 1u /* with the gate, until somebody opens others */

/* Waits of the proxy, in milliseconds. */
#define CONTROL_MS 30000 /* swtpm's answer to a control command: INIT self-tests */
#define OWN_MS 5000      /* an answer to a TPM command of our own; the end of the guest's last one */
#define SEND_MS 5000     /* a peer that does not read */

/* relay.c: the data channel */

/* The guest's or the TPM's data socket can be read. */
void relay_guest_ready(struct proxy *p);
void relay_tpm_ready(struct proxy *p);
/* Passes on the guest's next command if nothing is in its way. The main loop calls it every turn, and only the main loop. */
void relay_pump(struct proxy *p);
/* The guest ends the command that it waits for. */
void relay_cancel(struct proxy *p);
/* True if a whole command waits, so that the guest's socket need not be read now. */
GL_MUST bool relay_parked(const struct proxy *p);
/* Waits until no command of the guest is under way. False if the TPM does not answer in time. */
GL_MUST bool relay_drain(struct proxy *p);
/* A pcr_exchange (pcr_read.h) over the data channel; `context` is the proxy. Not traced, not subject to fault rules. */
GL_MUST bool relay_exchange(void *context, struct span command, struct mspan room, struct span *response);
/*
 * One TPM command for whoever plays the chipset, at a locality that the guest need not have, while the guest's commands are held. Traced, subject
 * to fault rules. The response may be no sound one (fault rules). False: none; `why` says so in one line.
 */
GL_MUST bool relay_platform(
	struct proxy *p, unsigned locality, struct span command, struct mspan room, struct span *response, char *why, size_t why_size);

/* control.c: the control channel */

/* QEMU's control socket can be read. False once QEMU is gone. */
GL_MUST bool control_ready(struct proxy *p);
/*
 * Sends one control request to swtpm, with descriptor `pass` if >= 0, and waits for the response, which stays in p->swtpm_in
 * until the next call. False (and p->failed) if there is none.
 */
GL_MUST bool control_ask(struct proxy *p, struct span request, int pass, struct span *response);
/* Makes swtpm take commands as coming from this locality; QEMU is not told. False: it refuses or is gone. */
GL_MUST bool control_locality(struct proxy *p, unsigned locality);
/* D-RTM sequence HASH_START, HASH_DATA.., HASH_END with no TPM command in between. Failures: one line in `why`. */
GL_MUST bool control_hash(struct proxy *p, struct span data, char *why, size_t why_size);

/* snapshot.c: PCR values */

/* Reads the PCRs; one line of JSON for the caller to free, NULL if memory runs out. `ok` tells whether it holds values. */
char *snapshot_json(struct proxy *p, const char *when, bool *ok);
/* Writes the PCR file, if one is wanted and the TPM runs. Values once written are replaced only by values. */
void snapshot_write(struct proxy *p, const char *when);

/* command.c: the command socket */

#define COMMAND_CLIENTS 4

/* Commands and their answers are lines; see tpmproxy --help. */
struct command_client {
	int fd;
	struct buffer in;
};

/* The client's socket can be read: answers all whole lines; closes it at its end or on a malformed line. */
void command_ready(struct proxy *p, struct command_client *c);

#endif
