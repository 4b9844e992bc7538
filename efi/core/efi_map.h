/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_EFI_MAP_H
#define GL_EFI_CORE_EFI_MAP_H

#include "boot/efi_memory.h"
#include "boot/multiboot2_info.h"

/*
 * The firmware's memory map as GetMemoryMap() gives it (boot/efi_memory.h; each descriptor has `descriptor_size` bytes), in the order of
 * addresses and by what the memory is to us.
 */
#define EFI_MAP_MAX 1024

enum efi_map_kind {
	EFI_MAP_FREE,   /* can be allocated now */
	EFI_MAP_LOADER, /* taken by a boot loader, us among others; free memory for an operating system */
	EFI_MAP_BOOT,   /* boot services'; free memory once they are gone */
	EFI_MAP_ACPI,   /* ACPI tables */
	EFI_MAP_NVS,
	EFI_MAP_BAD,
	EFI_MAP_RESERVED,
	EFI_MAP_KIND_COUNT
};

struct efi_region {
	uint64_t base, size; /* bytes, multiples of a page; size is not 0 */
	enum efi_map_kind kind;
};

struct efi_map {
	size_t count;
	struct efi_region regions[EFI_MAP_MAX]; /* by rising address, without overlaps, neighbours of a kind in one */
};

enum efi_map_error {
	EFI_MAP_OK,
	EFI_MAP_E_DESCRIPTOR, /* size of descriptors, or of all */
	EFI_MAP_E_RANGE,      /* an address that is no multiple of a page, or a region that leaves the address space */
	EFI_MAP_E_OVERLAP,
	EFI_MAP_E_MANY, /* over EFI_MAP_MAX regions */
	EFI_MAP_ERROR_COUNT
};

const char *efi_map_strerror(enum efi_map_error e);

/* Reads a map. `out` is valid on success only. Descriptors of no pages are left out. */
GL_MUST enum efi_map_error efi_map_read(struct span bytes, size_t descriptor_size, struct efi_map *out);

/* True for memory that an operating system may use as it likes. */
static inline bool efi_map_is_ram(enum efi_map_kind k)
{
	return k == EFI_MAP_FREE || k == EFI_MAP_LOADER || k == EFI_MAP_BOOT;
}

/*
 * The map of a loader's information: the same regions by enum mb2_memory_type, neighbours of a type in one. RAM does not go over 4 GiB in one
 * entry: tboot takes that for an error. `*count` entries; false if there are more than `max`.
 */
GL_MUST bool efi_map_to_mb2(const struct efi_map *map, struct mb2_memory *out, size_t max, size_t *count);

/*
 * Puts neighbouring descriptors of memory that is free for an operating system without looking (conventional, loader code and data, with
 * the same attributes) into one of conventional memory; boot services' are left, as tables may lie there. In place; returns the new size.
 * `bytes` was accepted by efi_map_read(); descriptors stay in their order, which must be that of addresses, else nothing is joined.
 */
size_t efi_map_join(struct mspan bytes, size_t descriptor_size);

#endif
