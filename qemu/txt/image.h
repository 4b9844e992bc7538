/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_IMAGE_H
#define GL_TXT_IMAGE_H

#include "common/span.h"

/*
 * The MLE as a loader sees it: a 32-bit ELF file (System V ABI, chapter 4; i386 supplement) that may carry a multiboot2 header (Multiboot2
 * Specification 2.0, 3.1) or a multiboot one, loaded at its physical addresses. Says where execution begins and where code may be.
 */
#define IMAGE_MAX_RANGES 64
#define IMAGE_MULTIBOOT2_AREA 32768

struct image_range {
	uint64_t at; /* physical address */
	struct span bytes;
};

struct image {
	uint32_t entry;   /* physical address at which the loader enters */
	bool relocatable; /* a multiboot2 loader may put it elsewhere (tag 10) */
	size_t segment_count, code_count;
	struct image_range segments[IMAGE_MAX_RANGES]; /* PT_LOAD, what the file has of them */
	struct image_range code[IMAGE_MAX_RANGES];     /* executable sections; without section headers, executable segments */
};

/* One value per rule; image_strerror() in words. */
enum image_error {
	IMAGE_OK,
	IMAGE_E_ELF,
	IMAGE_E_CLASS,
	IMAGE_E_MACHINE,
	IMAGE_E_TYPE,
	IMAGE_E_HEADERS,
	IMAGE_E_SEGMENT,
	IMAGE_E_SECTION,
	IMAGE_E_MANY,
	IMAGE_E_NO_CODE,
	IMAGE_E_ENTRY,
	IMAGE_E_MULTIBOOT2,
	IMAGE_ERRORS
};

const char *image_strerror(enum image_error e);

/* Spans point into `file`. `out` on success only. */
GL_MUST enum image_error image_parse(struct span file, struct image *out);

/* The file's bytes at a physical address: up to `n` of them, fewer at the end of a segment, none outside. */
struct span image_at(const struct image *m, uint64_t at, size_t n);

#endif
