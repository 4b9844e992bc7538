/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_PECOFF_H
#define GL_BOOT_PECOFF_H

#include "common/alg.h"

/*
 * PE32+ images for x86-64, as far as sections are concerned: Microsoft PE and COFF specification, 3 (headers) and 4 (section table).
 * Little-endian. Read as a file, or as the firmware's loader has laid it out in memory.
 */
#define PECOFF_MAX_SECTIONS 96 /* of the specification */
#define PECOFF_NAME_SIZE 8     /* of a section; without an end if all are used */
#define PECOFF_SECTION_SIZE 40
/* Larger files are none of ours, and no sum below wraps. */
#define PECOFF_MAX_SIZE ((uint32_t)64 << 20)

/* Characteristics of a section */
#define PECOFF_INITIALIZED_DATA 0x00000040u
#define PECOFF_DISCARDABLE 0x02000000u
#define PECOFF_EXECUTE 0x20000000u
#define PECOFF_READ 0x40000000u
#define PECOFF_WRITE 0x80000000u

struct pecoff_section {
	uint8_t name[PECOFF_NAME_SIZE];
	uint32_t virtual_size, address; /* in memory, from the image's base */
	uint32_t raw_size, raw_offset;  /* in the file */
	uint32_t characteristics;
};

/* Where things stand in the bytes that were given, and what the headers say. */
struct pecoff {
	uint32_t coff, optional, table; /* offsets of the headers and of the section table */
	unsigned section_count;
	uint32_t symbols; /* file offset of the COFF symbol table, 0 none */
	uint32_t data_size, section_alignment, file_alignment, image_size, headers_size;
	uint32_t certificates;                     /* offset of the headers' entry for the certificate table; 0 they have none */
	uint32_t signature_offset, signature_size; /* of the certificate table; 0 unsigned */
};

/* One value per violated rule. */
enum pecoff_error {
	PECOFF_OK,
	PECOFF_E_SIZE,         /* over PECOFF_MAX_SIZE, or the headers are not whole */
	PECOFF_E_MAGIC,        /* no PE32+ image for x86-64 */
	PECOFF_E_HEADER,       /* alignments, sizes or the number of sections are impossible */
	PECOFF_E_SECTION,      /* a section leaves the image, or overlaps another */
	PECOFF_E_TWICE,        /* two sections of that name */
	PECOFF_E_KIND,         /* the section is no read-only data, or longer than what the file holds of it */
	PECOFF_E_SIGNED,       /* append: the image is signed, and would not be any more */
	PECOFF_E_LAYOUT,       /* append, digest: bytes lie between headers and sections that no signature would cover */
	PECOFF_E_ROOM,         /* append: no room for further sections in the headers */
	PECOFF_E_BUFFER,       /* append: does not fit the caller's buffer */
	PECOFF_E_CERTIFICATES, /* digest: the certificate table is not the end of the file */
	PECOFF_ERROR_COUNT
};

/* What is wrong, for people. */
const char *pecoff_strerror(enum pecoff_error e);

enum pecoff_view {
	PECOFF_FILE,   /* the bytes are the file */
	PECOFF_LOADED, /* ... the image in memory */
};

/* Reads the headers. `out` on success only. */
GL_MUST enum pecoff_error pecoff_parse(struct span image, struct pecoff *out);

/* Section `i`; false if there is no such section. Nothing but its place in the table is checked. */
GL_MUST bool pecoff_section(struct span image, const struct pecoff *pe, unsigned i, struct pecoff_section *out);

/*
 * The bytes of the one section with this name: read-only data, within the image, overlapping no other section. `*out` is empty if there is
 * none (which is PECOFF_OK).
 */
GL_MUST enum pecoff_error pecoff_find(
	struct span image, const struct pecoff *pe, enum pecoff_view view, const char *name, struct span *out);

struct pecoff_new_section {
	const char *name; /* up to PECOFF_NAME_SIZE bytes */
	struct span bytes;
};

/*
 * The file with further sections of read-only data behind its own, all of which the firmware loads and an Authenticode signature covers;
 * what lay behind the sections (COFF symbols) lies behind the new ones. With out.p NULL only `*n` is computed. On failure `*n` is
 * untouched, but the buffer may have been written to.
 */
GL_MUST enum pecoff_error pecoff_append(
	struct span file, const struct pecoff_new_section *sections, size_t count, struct mspan out, size_t *n);

/*
 * The digests that a signature of the file vouches for, and that the firmware looks up in db and dbx: of everything but checksum, entry for
 * the certificate table, and that table (Windows Authenticode Portable Executable Signature Format, 1.0, "Calculating the PE Image Hash").
 * Before and after signing it is the same if the file's length is a multiple of 8; else the signer puts zeros behind it first. Only of a
 * file whose sections lie one behind the other, and whose certificates are its end: of others not all tools make the same. `out` on
 * success only.
 */
GL_MUST enum pecoff_error pecoff_authenticode(struct span file, alg_set algs, struct digests *out);

#endif
