/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_LIVELOG_H
#define GL_CLI_LIVELOG_H

#include "cli/cli.h"

/* No event log is larger: TXT's has 8 KiB, firmware's 64 KiB to a few hundred, ours 64 KiB. */
#define LIVELOG_MAX (16u << 20)

enum livelog_kind {
	LIVELOG_OURS,     /* published by geolaunch.efi */
	LIVELOG_TXT,      /* of the dynamic launch, given by the kernel or out of the TXT heap */
	LIVELOG_FIRMWARE, /* PCR 0-15 only: nothing about the launch */
	LIVELOG_NONE
};

struct livelog {
	enum livelog_kind kind;
	char *path;      /* where it was found */
	uint8_t *bytes;  /* of the file, or of the heap's log */
	struct span log; /* the log inside of `bytes` */
	int unseen;      /* errno, if the heap could not be looked into: there may be a log of a launch */
};

/*
 * Looks for this host's event log under `root` ("" for the running system), in the order of enum livelog_kind, and reads the first that
 * is there; `kind` says LIVELOG_NONE if none is. False and a fault if one is there but cannot be read. To be freed either way.
 */
GL_MUST bool livelog_find(const char *root, struct livelog *out, struct cli_fault *fault);

/* The same, but for the log of a launch only: the firmware's is not looked at. */
GL_MUST bool livelog_find_launch(const char *root, struct livelog *out, struct cli_fault *fault);

void livelog_free(struct livelog *l);

#endif
