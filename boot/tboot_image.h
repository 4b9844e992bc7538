/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_TBOOT_IMAGE_H
#define GL_BOOT_TBOOT_IMAGE_H

#include "boot/elf.h"
#include "boot/multiboot2_header.h"

/*
 * tboot as a file, and what it wants in memory. Two forms: tboot.gz, unpacked, is an ELF image with a multiboot2 header; tboot.mb2 is a PE
 * file that can be signed, whose multiboot2 header has an address tag and is loaded as it stands (Multiboot2 Specification 2.0, 3.1.5).
 * Either has to lie at the addresses that it was linked to.
 */

/* Nothing of tboot may lie below: real mode's memory, and what tboot itself uses there (its copies of the memory maps, 0x50000 up). */
#define TBOOT_LOW 0x100000u
/* Plain tboot 1.10.5 takes 35 MiB. */
#define TBOOT_MAX_SIZE ((uint64_t)512 << 20)

struct tboot_image {
	uint32_t entry;     /* physical, where it is entered in 32-bit mode */
	uint32_t low, high; /* [low, high) holds all segments */
	bool flat;          /* loaded by the address tag */
	size_t count;
	struct elf_segment segments[ELF_MAX_SEGMENTS]; /* by rising address, without overlaps, in [low, high) */
};

/* One value per violated rule. */
enum tboot_image_error {
	TBOOT_IMAGE_OK,
	TBOOT_IMAGE_E_HEADER,        /* no multiboot2 header that can be obeyed; `why` says it */
	TBOOT_IMAGE_E_ELF,           /* no address tag and no ELF image */
	TBOOT_IMAGE_E_ADDRESS,       /* an address tag whose addresses do not go together or leave the file */
	TBOOT_IMAGE_E_ENTRY,         /* no entry, or one outside of what is loaded */
	TBOOT_IMAGE_E_BOOT_SERVICES, /* wants boot services: no tboot */
	TBOOT_IMAGE_E_RANGE,         /* below 1 MiB, above 4 GiB or too large */
	TBOOT_IMAGE_ERROR_COUNT
};

/* What is wrong, for people. */
const char *tboot_image_strerror(enum tboot_image_error e);

/* Reads the headers. `out` on success only. `why`, if not NULL, gets on failure the text of the part that failed. */
GL_MUST enum tboot_image_error tboot_image_plan(struct span file, struct tboot_image *out, const char **why);

#endif
