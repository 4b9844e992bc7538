/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_ENV_H
#define GL_EFI_ENV_H

#include <efi.h>

#include "common/span.h"
#include "efi/hardware.h"
#include "tpm/mmio.h"

/*
 * What the firmware gives us, handed down as a parameter so that the whole application also runs in front of a fake system table.
 * gnu-efi's library (and its globals) is not used.
 */
struct efi_env {
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *st;
	EFI_BOOT_SERVICES *bs;
	const struct tpm_mmio *mmio; /* registers of the TPM */
	uint64_t (*ticks)(void);     /* a counter that never goes back: the TSC */
	uint64_t ticks_start;
	uint64_t ticks_per_ms; /* never 0 */
	/* Calls what was loaded to `entry` with EAX and EBX set: the multiboot2 machine state of x86-64 EFI with boot services. */
	void (*enter)(uint64_t entry, uint32_t eax, uint32_t ebx);
	const struct hardware *hardware; /* processor, chipset, memory */
	struct span handoff_code;        /* efi/handoff.S */
};

/* Vendor GUID of what we publish: event log variable and configuration table. */
#define GEOLAUNCH_GUID \
	{ \
		0x7a1b6f3e, 0x52c4, 0x4d0e, \
		{ \
			0x9b, 0x57, 0x3c, 0x1f, 0xd2, 0xa0, 0x8e, 0x64 \
		} \
	}

/* Microseconds since the application started. */
static inline uint64_t env_now_us(const struct efi_env *e)
{
	return (e->ticks() - e->ticks_start) * 1000 / e->ticks_per_ms;
}

/* The application; returns only if the host was not started: an error status, never success. */
GL_MUST EFI_STATUS app_run(struct efi_env *env);

/* Rounds up to pages; false if it does not fit. */
GL_MUST static inline bool env_pages(size_t bytes, UINTN *pages)
{
	if (bytes > SIZE_MAX - 4095)
		return false;
	*pages = (bytes + 4095) / 4096;
	return true;
}

#endif
