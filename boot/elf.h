/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_ELF_H
#define GL_BOOT_ELF_H

#include "common/span.h"

/*
 * What an executable ELF image for x86 wants in memory: System V gABI 4.1, chapters 4 (ELF header) and 5 (program header);
 * ELF32 with EM_386, ELF64 with EM_X86_64 (either class with either machine: Xen is an ELF32 file with 64-bit code). Little-endian.
 * Segments go to their *physical* addresses (p_paddr), as boot loaders put them. Nothing is allocated, nothing is copied to plan.
 */

/* Loadable segments that are not empty. Kernels have one to four. */
#define ELF_MAX_SEGMENTS 16
/* Program headers of any type that are looked at. */
#define ELF_MAX_HEADERS 64

struct elf_segment {
	size_t offset;        /* of its bytes in the file */
	size_t file_size;     /* bytes in the file, at most memory_size; the rest of it is zero in memory */
	uint64_t address;     /* physical */
	uint64_t memory_size; /* bytes, not 0 */
	uint64_t virtual_address;
};

struct elf_plan {
	bool is64;          /* class of the file, not of its code */
	uint64_t entry;     /* e_entry */
	uint64_t low, high; /* [low, high) is the least range that holds all segments */
	uint64_t align;     /* largest p_align; a power of two, at least 1 */
	size_t count;
	struct elf_segment segments[ELF_MAX_SEGMENTS]; /* by rising address, without overlaps */
};

/* One value per violated rule. */
enum elf_error {
	ELF_OK,
	ELF_E_MAGIC, /* no ELF file */
	ELF_E_CLASS, /* not ELF32 or ELF64 */
	ELF_E_DATA,  /* not little-endian */
	ELF_E_VERSION,
	ELF_E_TYPE,          /* no executable (ET_EXEC, ET_DYN) */
	ELF_E_MACHINE,       /* not x86 */
	ELF_E_HEADERS,       /* program headers missing, of another size, too many or outside of the file */
	ELF_E_SEGMENT_FILE,  /* a segment's bytes lie outside of the file */
	ELF_E_SEGMENT_SIZE,  /* more bytes in the file than in memory */
	ELF_E_SEGMENT_WRAP,  /* address + size leaves the address space (4 GiB in an ELF32 file) */
	ELF_E_SEGMENT_ALIGN, /* p_align is no power of two, or offset and address differ in it */
	ELF_E_OVERLAP,
	ELF_E_SEGMENTS, /* more than ELF_MAX_SEGMENTS */
	ELF_E_EMPTY,    /* nothing to load */
	ELF_E_ENTRY,    /* the entry lies in no segment */
	ELF_ERROR_COUNT
};

/* What is wrong, for people. */
const char *elf_strerror(enum elf_error e);

/* Reads and checks the headers of `file`. `out` on success only; the file's bytes are not kept. */
GL_MUST enum elf_error elf_plan(struct span file, struct elf_plan *out);

/* True if `file` begins as an ELF file does. */
GL_MUST bool elf_is(struct span file);

/*
 * The physical address of a virtual one (of e_entry: the gABI makes it virtual), by the segment that holds it; `address` itself if it
 * already lies in a segment's physical range. False if it lies in neither.
 */
GL_MUST bool elf_physical(const struct elf_plan *plan, uint64_t address, uint64_t *out);

/*
 * Puts the segments into `memory`, whose first byte stands for the address plan->low and whose size must be at least high - low.
 * Everything in [low, high) that comes from no file byte becomes 0. `file` is that of elf_plan() and may not lie in `memory`.
 * False, and nothing written, if the sizes do not fit.
 */
GL_MUST bool elf_load(struct span file, const struct elf_plan *plan, struct mspan memory);

#endif
