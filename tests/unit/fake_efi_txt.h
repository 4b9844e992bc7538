/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_FAKE_EFI_TXT_H
#define GL_TESTS_FAKE_EFI_TXT_H

#include "tests/unit/fake_efi_scene.h"

/* The scene of fake_efi_scene.h as a host for mode txt: machine, tboot, SINIT and stage, with which a launch works up to the jump. */

#define EFI_TXT_CMDLINE "console=ttyS0 root=/dev/vda1"
#define EFI_TXT_EXITS_MAX 8

extern struct efi_txt {
	char conf[4096];
	uint8_t policy[512], heap[4096], sinit[0x10000], stage[5000], tboot[0x5000], rsdp[36], xsdt[44], dmar[48];
	size_t policy_n;
	uint32_t features;
	uint64_t didvid;
	uint32_t errorcode;
	EFI_STATUS exit_status[EFI_TXT_EXITS_MAX];
	unsigned exits, left;
	uint32_t changed; /* a page that an ExitBootServices() that failed has left to the runtime; 0 none */
	uint8_t *block;
	unsigned msrs_before_cpuid, cpuids, reads_before_didvid, reads;
} efi_txt;

/* All is well, with a policy of this type. */
void efi_txt_good(uint8_t type);
/* Another SINIT module, for a chipset with this device number. */
void efi_txt_sinit(uint16_t device);

bool efi_txt_says(const char *text);
/* tboot is entered with all that it wants, in its place. */
void efi_txt_expect_started(void);
/* Not started; every page, file and the TPM locality are the firmware's again. */
void efi_txt_expect_halted(void);

#endif
