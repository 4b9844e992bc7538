/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_LINK_H
#define GL_TXT_LINK_H

#include <tss2/tss2_tcti.h>

#include "qemu/proxy/sock.h"
#include "qemu/txt/ops.h"
#include "tpm/tpm.h"

/*
 * The TPM as chipset and SINIT have it, through the command socket of tpmproxy: the D-RTM sequence, TPM commands at any locality,
 * and the gate to the guest's localities. SINIT's commands go out at locality 3 by tpm2-tss.
 */
#define LINK_MS 60000
#define LINK_LOCALITY 3

struct link {
	TSS2_TCTI_CONTEXT_COMMON_V1 tcti; /* first: tpm2-tss hands it back */
	int fd;                           /* -1: closed */
	struct buffer in;
	struct tpm tpm;
	bool ready;      /* `tpm` is initialised: not before SENTER, when the guest has started the TPM */
	size_t answered; /* bytes of the TPM's response at the start of `response` */
	uint8_t response[8192];
	uint32_t commands; /* TPM commands sent at LINK_LOCALITY */
	char why[160];     /* the last failure */
};

/* Connects (`ms`: how long to try). link_close() is due in any case. */
GL_MUST bool link_open(struct link *l, const char *path, int ms);
void link_close(struct link *l);

/* Lets the guest's commands pass at the localities of the mask, bit n; bit 0 must be set. */
GL_MUST bool link_localities(struct link *l, unsigned mask);

/* The operations that sinit_run() wants; they are good as long as `l` is. */
struct txt_tpm link_ops(struct link *l);

#endif
