/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_PE_H
#define GL_TXT_PE_H

#include "qemu/txt/image.h"
#include "qemu/txt/ops.h"

/*
 * A 64-bit UEFI image as the firmware has loaded it: headers at its base, sections at their virtual addresses. Microsoft PE/COFF
 * specification 8.3, chapters 2-4; UEFI specification 2.10, 2.1. Pure; the bytes are the guest's and hostile.
 */
#define PE_PAGE 4096u
/* Images are at least page-aligned; headers are wanted in one page. */
#define PE_HEADERS PE_PAGE
#define PE_MAX_IMAGE ((uint32_t)64 << 20)

struct pe_range {
	uint32_t at, size; /* in the image */
};

struct pe {
	uint32_t size;  /* of the image in memory, at most PE_MAX_IMAGE */
	uint32_t entry; /* from its base */
	size_t code_count;
	struct pe_range code[IMAGE_MAX_RANGES]; /* sections that are executable or hold code, within the image, none empty */
};

/* One value per rule; pe_strerror() in words. */
enum pe_error {
	PE_OK,
	PE_E_NONE, /* no PE headers here at all */
	PE_E_MACHINE,
	PE_E_OPTIONAL,
	PE_E_SUBSYSTEM,
	PE_E_SIZE,
	PE_E_SECTIONS,
	PE_E_MANY,
	PE_E_NO_CODE,
	PE_ERRORS
};

const char *pe_strerror(enum pe_error e);

/* `head`: what lies at the base, up to PE_HEADERS bytes. `out` on success only. */
GL_MUST enum pe_error pe_parse(struct span head, struct pe *out);

/* A loaded image: where, what it says of itself, and the bytes that say it. */
struct pe_found {
	uint64_t base;
	struct pe pe;
	uint8_t head[PE_HEADERS];
};

/* How far below an address its image's headers are looked for, in bytes. */
#define PE_LOOK_BACK ((uint64_t)16 << 20)

/*
 * The image in whose code the physical address `at` lies: the nearest one whose headers stand at a page's start below it, in memory without holes.
 * `out` on success only; else the error of the nearest headers that are none, PE_E_NONE if there are not even such.
 */
GL_MUST enum pe_error pe_find(const struct txt_memory *m, uint64_t at, struct pe_found *out);

/* True if the offset from the image's base lies in one of the ranges with code. */
GL_MUST bool pe_has_code(const struct pe *pe, uint64_t offset);

#endif
