/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_LINUX_PARAMS_H
#define GL_BOOT_LINUX_PARAMS_H

#include "boot/bzimage.h"

/*
 * The zero page (struct boot_params) that a Linux kernel gets in ESI by the 32-bit boot protocol: Linux, Documentation/arch/x86/boot.rst
 * "32-bit Boot Protocol", Documentation/arch/x86/zero-page.rst, arch/x86/include/uapi/asm/bootparam.h. Little-endian.
 */
#define LINUX_PARAMS_SIZE 4096
#define LINUX_E820_MAX 128

struct linux_e820 {
	uint64_t base, size; /* bytes */
	uint32_t type;       /* 1 usable, 2 reserved, 3 ACPI, 4 NVS, 5 bad */
};

/* A linear framebuffer with direct colours (struct screen_info, include/uapi/linux/screen_info.h). Colours: bits of a pixel. */
struct linux_screen {
	uint64_t address;
	uint64_t size;                 /* bytes */
	uint16_t width, height, pitch; /* pixels, bytes a line */
	uint8_t depth;
	bool efi; /* set up by EFI firmware, not by VESA */
	struct {
		uint8_t position, size;
	} red, green, blue, reserved;
};

/* What EFI left: physical addresses of the system table and of the map that GetMemoryMap() gave. */
struct linux_efi {
	bool is64; /* of the firmware */
	uint64_t system_table;
	uint64_t map;
	uint32_t map_size, descriptor_size, descriptor_version;
};

/* Physical addresses below 4 GiB, as the 32-bit entry needs. */
struct linux_params {
	const struct bzimage *image;
	uint32_t load_address;        /* of the protected-mode code */
	uint32_t cmdline;             /* of a command line that ends in NUL */
	uint32_t initrd, initrd_size; /* 0, 0: none */
	const struct linux_e820 *e820;
	size_t e820_count;                 /* 1 to LINUX_E820_MAX */
	const struct linux_efi *efi;       /* or NULL */
	const struct linux_screen *screen; /* or NULL */
	uint64_t tboot;                    /* of tboot's shared page, or 0 */
	uint64_t rsdp;                     /* of ACPI's RSDP, or 0 */
};

/*
 * Writes the zero page. False, and nothing written, if something does not fit: too many or no e820 entries, initrd above what the
 * kernel allows, initrd that wraps, page smaller than LINUX_PARAMS_SIZE.
 */
GL_MUST bool linux_params_write(const struct linux_params *p, struct mspan page);

#endif
