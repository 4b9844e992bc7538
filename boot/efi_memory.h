/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_EFI_MEMORY_H
#define GL_BOOT_EFI_MEMORY_H

#include "common/cursor.h"

/*
 * EFI_MEMORY_DESCRIPTOR, of which the firmware's memory map is made: UEFI specification 2.10, 7.2.3. Little-endian: u32 type, u32 unused, u64
 * physical address, u64 virtual address, u64 pages, u64 attributes, and whatever later versions add, so that a map says how large its
 * descriptors are.
 */
#define EFI_DESCRIPTOR_MIN 40
#define EFI_PAGE 4096u
#define EFI_PAGE_BITS 12

/* EFI_MEMORY_TYPE, 7.2.1. */
enum efi_memory_type {
	EFI_RESERVED = 0,
	EFI_LOADER_CODE = 1,
	EFI_LOADER_DATA = 2,
	EFI_BOOT_CODE = 3,
	EFI_BOOT_DATA = 4,
	EFI_RUNTIME_CODE = 5,
	EFI_RUNTIME_DATA = 6,
	EFI_CONVENTIONAL = 7,
	EFI_UNUSABLE = 8,
	EFI_ACPI_RECLAIM = 9,
	EFI_ACPI_NVS = 10,
	EFI_MEMORY_TYPES /* those above are known; the firmware may have others */
};

struct efi_descriptor {
	uint32_t type;
	uint64_t base, pages, attributes;
};

/* Reads the descriptor at `p`, of which EFI_DESCRIPTOR_MIN bytes must be there. Nothing of it is checked. */
struct efi_descriptor efi_descriptor_read(const uint8_t *p);

/* Changes type, address and number of pages of the descriptor at `p`; all else stays. */
void efi_descriptor_set(uint8_t *p, uint32_t type, uint64_t base, uint64_t pages);

/* Memory that is free for an operating system without looking: conventional, and what a loader has taken. */
static inline bool efi_memory_is_free(uint32_t type)
{
	return type == EFI_LOADER_CODE || type == EFI_LOADER_DATA || type == EFI_CONVENTIONAL;
}

#endif
