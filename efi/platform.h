/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_PLATFORM_H
#define GL_EFI_PLATFORM_H

#include "common/text.h"
#include "env.h"
#include "guard.h"
#include "tpm/efi/tcg2.h"
#include "tpm/tpm.h"

/* What this platform can do for a launch. */
enum platform_state {
	PLATFORM_READY, /* locality 2 is ours, banks are known */
	PLATFORM_NO_TPM,
	PLATFORM_TPM12,
	PLATFORM_NO_REGISTERS,    /* the firmware knows a TPM, but not at the standard registers */
	PLATFORM_LOCALITY_CLOSED, /* registers of locality 2 read all ones or zeros: before SENTER on Intel hosts; CRB without localities */
	PLATFORM_LOCALITY_BUSY,   /* requested, never granted */
	PLATFORM_TPM_ERROR,       /* the TPM does not answer as it should; `rc` */
	PLATFORM_TPM_SILENT,      /* it does not answer at all */
	PLATFORM_NO_BANK,         /* no active bank with SHA-1 or SHA-2 */
	PLATFORM_STATE_COUNT
};

struct platform {
	enum platform_state state;
	enum tpm_interface interface;
	TSS2_RC rc;     /* of the last TPM operation that failed */
	bool holding;   /* locality 2 is ours, the firmware waits for its locality 0 */
	struct tpm tpm; /* at locality 2 if ready, else over TCG2 at locality 0 if `firmware_tpm` */
	bool firmware_tpm;
	struct tpm_mmio_tcti mmio_tcti;
	struct tcg2_tcti tcg2_tcti;
};

/*
 * Finds the TPM, takes locality 2 from the firmware and asks for the banks. If locality 2 is not to be had, the firmware keeps its
 * locality and `p->tpm` works through EFI_TCG2_PROTOCOL (reads only make sense there), watched by `g`. A silent TPM is not asked that
 * way: the firmware would wait for it by minutes.
 */
enum platform_state platform_open(struct efi_env *env, struct guard *g, struct platform *p);

/* One line for people: what this platform cannot do, and what to do. */
const char *platform_text(enum platform_state s);

/*
 * Gives locality 0 back to the firmware, which measures what is loaded later; harmless if nothing is held. False if the firmware's
 * locality did not come back.
 */
GL_MUST bool platform_give_back(struct efi_env *env, struct platform *p);

/* Takes locality 2 again after platform_give_back(), to cap what could not be started. */
GL_MUST bool platform_take_again(struct efi_env *env, struct platform *p);

#endif
