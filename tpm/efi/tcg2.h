/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TPM_EFI_TCG2_H
#define GL_TPM_EFI_TCG2_H

#include <efi.h>
#include <tss2/tss2_tcti.h>

#include "common/span.h"

/*
 * EFI_TCG2_PROTOCOL (TCG EFI Protocol Specification 1.00, family 2.0, chapter 6), of which gnu-efi has no header, and a TCTI over its
 * SubmitCommand: always locality 0.
 *
 * Never call HashLogExtendEvent for PCR 17-22: edk2 takes the TPM's refusal for a dead TPM and stops measuring for the rest of the boot.
 */

#define TCG2_PROTOCOL_GUID \
	{ \
		0x607f766c, 0x7455, 0x42be, \
		{ \
			0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f \
		} \
	}
/* EFI_TCG_PROTOCOL: its presence without TCG2 means a TPM 1.2. */
#define TCG_PROTOCOL_GUID \
	{ \
		0xf541796d, 0xa62e, 0x4954, \
		{ \
			0xa7, 0x75, 0x95, 0x84, 0xf6, 0x1b, 0x9c, 0xdd \
		} \
	}

struct tcg2_version {
	UINT8 major, minor;
};

struct tcg2_capability {
	UINT8 size;
	struct tcg2_version structure_version, protocol_version;
	UINT32 hash_algorithm_bitmap;
	UINT32 supported_event_logs;
	BOOLEAN tpm_present;
	UINT16 max_command_size, max_response_size;
	UINT32 manufacturer_id;
	UINT32 number_of_pcr_banks;
	UINT32 active_pcr_banks;
};

struct tcg2_protocol {
	EFI_STATUS(EFIAPI *get_capability)(struct tcg2_protocol *self, struct tcg2_capability *out);
	void *get_event_log;
	void *hash_log_extend_event;
	EFI_STATUS(EFIAPI *submit_command)(struct tcg2_protocol *self, UINT32 in_size, UINT8 *in, UINT32 out_size, UINT8 *out);
	void *get_active_pcr_banks;
	void *set_active_pcr_banks;
	void *get_result_of_set_active_pcr_banks;
};

struct tcg2_tcti {
	TSS2_TCTI_CONTEXT_COMMON_V2 common; /* must come first */
	struct tcg2_protocol *tcg2;
	EFI_STATUS status; /* of the last SubmitCommand */
	UINT32 max_command, max_response;
	UINT32 response_size;                  /* 0: none waiting */
	void (*watch)(void *ctx, bool begins); /* around each SubmitCommand, which may wait for ever; NULL: nobody */
	void *watch_ctx;
	UINT8 response[4096];
};

/* Prepares the TCTI; EFI_UNSUPPORTED if the protocol reports no TPM. */
GL_MUST EFI_STATUS tcg2_tcti_init(struct tcg2_tcti *t, struct tcg2_protocol *tcg2);

#endif
