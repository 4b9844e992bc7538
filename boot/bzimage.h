/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_BZIMAGE_H
#define GL_BOOT_BZIMAGE_H

#include "common/span.h"

/*
 * The setup header of a Linux kernel image for x86: Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
 * Little-endian. Only what the 32-bit boot protocol needs, for kernels since 2.6.31 (protocol 2.10, which tells the memory that is needed).
 */
#define BZIMAGE_HEADER_OFFSET 0x1f1 /* of the setup header, in the file and in the zero page */
#define BZIMAGE_MIN_PROTOCOL 0x020a
/* Bytes from BZIMAGE_HEADER_OFFSET that the zero page takes over at most: up to its e820 counter's successors, boot_params.hdr. */
#define BZIMAGE_HEADER_MAX 0x7f

/* xloadflags */
#define BZIMAGE_XLF_64 0x0001u /* 64-bit entry at 0x200 */
#define BZIMAGE_XLF_ABOVE_4G 0x0002u
#define BZIMAGE_XLF_EFI_HANDOVER_32 0x0004u
#define BZIMAGE_XLF_EFI_HANDOVER_64 0x0008u

struct bzimage {
	uint16_t protocol;     /* 0x020f = 2.15 */
	struct span header;    /* setup header from BZIMAGE_HEADER_OFFSET on, to be copied to the zero page; lies in the file */
	struct span kernel;    /* protected-mode code; lies in the file */
	uint32_t code32_start; /* default load address, and 32-bit entry */
	bool relocatable;
	uint32_t alignment;     /* of the load address, a power of two; at least min_alignment if relocatable */
	uint32_t min_alignment; /* power of two */
	uint64_t pref_address;  /* preferred load address; the only one if not relocatable */
	uint32_t init_size;     /* bytes from the load address on that the kernel needs before it looks at the memory map; >= kernel.n */
	uint32_t cmdline_size;  /* longest command line, without NUL */
	uint32_t initrd_max;    /* highest address that a byte of the initrd may have */
	uint16_t xloadflags;    /* 0 before protocol 2.12 */
};

enum bzimage_error {
	BZIMAGE_OK,
	BZIMAGE_E_MAGIC,  /* no boot sector signature or no HdrS */
	BZIMAGE_E_OLD,    /* protocol before 2.10 */
	BZIMAGE_E_LOW,    /* not to be loaded high (zImage) */
	BZIMAGE_E_HEADER, /* the header leaves its room */
	BZIMAGE_E_SIZE,   /* the setup code, or the kernel behind it, is not whole in the file */
	BZIMAGE_E_ALIGNMENT,
	BZIMAGE_E_INIT_SIZE, /* less than the kernel itself, or beyond 4 GiB */
	BZIMAGE_ERROR_COUNT
};

const char *bzimage_strerror(enum bzimage_error e);

/* True if `file` carries the magic of a bzImage (which says nothing about the rest). */
GL_MUST bool bzimage_is(struct span file);

/* Reads and checks the header. `out` on success only; its spans lie in `file`. */
GL_MUST enum bzimage_error bzimage_parse(struct span file, struct bzimage *out);

#endif
