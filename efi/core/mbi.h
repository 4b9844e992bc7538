/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_MBI_H
#define GL_EFI_CORE_MBI_H

#include "efi/core/efi_map.h"

/* The multiboot2 information for tboot, as GRUB gives it on a UEFI host whose boot services are gone (Multiboot2 Specification 2.0, 3.6). */

/*
 * tboot edits the information in place: its memory map and command line grow, and it says "YIKES" once they grow by more than what was
 * taken out before. It takes out ELF sections first, so a tag of these, without any section, is the room that it has.
 */
#define MBI_TBOOT_ROOM ((size_t)1024)

struct mbi {
	struct span cmdline;
	const struct mb2_module *modules;
	size_t module_count;
	const struct mb2_memory *memory; /* by rising address */
	size_t memory_count;
	struct span efi_map;
	uint32_t descriptor_size, descriptor_version;
	uint64_t system_table;
	struct span rsdp_old, rsdp_new;            /* empty: there is none */
	const struct mb2_framebuffer *framebuffer; /* NULL: none that can be described */
};

/* Writes it into `buf` (p a multiple of 8; with buf.p NULL it is only counted). `*n` on success only. */
GL_MUST bool mbi_write(const struct mbi *m, struct mspan buf, size_t *n);

#endif
