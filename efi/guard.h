/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_GUARD_H
#define GL_EFI_GUARD_H

#include "env.h"

/*
 * An end for calls that have none. A file is read by calls that return when the firmware's driver has the data, and some wait for ever
 * for a disk that does not answer (edk2's VirtioBlkDxe does); a TPM that does not answer is waited for by minutes. So a timer runs
 * beside each such call.
 * What it calls interrupts the driver, which cannot be called again, so it must end the machine.
 */
#define GUARD_SECONDS 30 /* for one call, of 256 KiB at most; what Linux gives a disk for a command */

/* Who does not answer. */
enum guard_of {
	GUARD_DISK,
	GUARD_IMAGE, /* a program that the firmware reads and, with a TPM, measures */
	GUARD_TPM,   /* asked through the firmware; at its registers we count the time ourselves */
};

struct guard {
	struct efi_env *env;
	EFI_EVENT event; /* NULL: the firmware has no timer for us, its watchdog stands in, which resets the machine without a word */
	bool watchdog;   /* it is armed by us */
	enum guard_of of;
	struct span what;           /* that is being read */
	void (*expired)(void *ctx); /* at TPL_NOTIFY: console, Stall(), ResetSystem() and our own registers only; does not return */
	void *ctx;
};

/* The guard must stay where it is until guard_close(). */
void guard_open(struct guard *g, struct efi_env *env, void (*expired)(void *ctx), void *ctx);
void guard_close(struct guard *g);

/* Around every call that reads the disk or asks the TPM. `what` for the one line that says what was read, must stay until guard_end(). */
void guard_begin(struct guard *g, enum guard_of of, struct span what);
void guard_end(struct guard *g);

#endif
