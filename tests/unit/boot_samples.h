/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_BOOT_SAMPLES_H
#define GL_TESTS_BOOT_SAMPLES_H

#include "common/cursor.h"

/* Boot images for tests: good ones, to be spoilt field by field. */

/* Offsets in the images below. */
#define SAMPLE_XEN_SIZE 0x2000u
#define SAMPLE_XEN_LINK 0x200000u /* physical address of the first segment, with the first byte of the file */
#define SAMPLE_XEN_MEMORY 0x5000u /* bytes in memory */
#define SAMPLE_XEN_ENTRY_EFI64 (SAMPLE_XEN_LINK + 0x1234u)
#define SAMPLE_MB2_OFFSET 0x100u /* of the multiboot2 header in the file */
#define SAMPLE_MB2_CHECKSUM (SAMPLE_MB2_OFFSET + 12)
/* Of its tags, in the file. */
enum {
	SAMPLE_MB2_REQUEST = SAMPLE_MB2_OFFSET + 16,
	SAMPLE_MB2_MODULE_ALIGN = SAMPLE_MB2_OFFSET + 32,
	SAMPLE_MB2_RELOCATABLE = SAMPLE_MB2_OFFSET + 40,
	SAMPLE_MB2_CONSOLE = SAMPLE_MB2_OFFSET + 64,
	SAMPLE_MB2_FRAMEBUFFER = SAMPLE_MB2_OFFSET + 80,
	SAMPLE_MB2_BOOT_SERVICES = SAMPLE_MB2_OFFSET + 104,
	SAMPLE_MB2_ENTRY_EFI64 = SAMPLE_MB2_OFFSET + 112,
	SAMPLE_MB2_END = SAMPLE_MB2_OFFSET + 128,
};

/* An ELF image as Xen is one: one segment, multiboot2 header, relocatable, 64-bit EFI entry. Fills SAMPLE_XEN_SIZE bytes. */
void sample_xen(uint8_t *buf);
/* Sets the checksum of the header in `buf` right again. */
void sample_mb2_sign(uint8_t *buf);

/* A bzImage of `size` bytes (at least 4096): 3 setup sectors, protocol 2.15. */
#define SAMPLE_BZIMAGE_SIZE 8192u
void sample_bzimage(uint8_t *buf);

void sample_put(uint8_t *buf, size_t at, uint64_t v, size_t width);
uint64_t sample_get(const uint8_t *buf, size_t at, size_t width);

#endif
