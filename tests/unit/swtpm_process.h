/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_SWTPM_PROCESS_H
#define GL_TESTS_SWTPM_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include "common/span.h"

/* A real software TPM of the test's own: private directory, unix sockets, all four banks; started up and ready. */
struct swtpm_process {
	char dir[64];
	pid_t pid;
	int data, control; /* -1 until swtpm_connect() */
	uint8_t locality;
};

/* Starts it and waits until it listens. Fails the test if swtpm cannot be run. */
void swtpm_start(struct swtpm_process *s);

/* "swtpm:path=..." for the TCTI loader. One user at a time: this or swtpm_connect(). */
void swtpm_tcti_conf(const struct swtpm_process *s, char *out, size_t cap);

/* For swtpm_execute(). */
void swtpm_connect(struct swtpm_process *s);

/* Executes a command at a locality; fits fake_tpm.execute with a struct swtpm_process as context. */
size_t swtpm_execute(void *ctx, uint8_t locality, struct span command, struct mspan out);

/* The D-RTM sequence of locality 4 (HASH_START, HASH_DATA, HASH_END) on the control channel. */
void swtpm_drtm(struct swtpm_process *s, struct span data);

/* A reset of the machine: PCRs as after power on, NV stays. Needs swtpm_connect(). */
void swtpm_reset(struct swtpm_process *s);

/* Ends it and removes its directory. */
void swtpm_stop(struct swtpm_process *s);

#endif
