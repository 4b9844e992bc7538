/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_MLE_HASH_H
#define GL_LCP_MLE_HASH_H

#include "common/hash.h"
#include "lcp/error.h"

/*
 * The hash by which MLE elements name a measured launch environment: what SINIT will compute over the MLE's pages. The MLE is an ELF file
 * (32 or 64 bit, x86, little-endian, executable, not compressed), whose PT_LOAD segments are laid out in memory; in it lies the MLE
 * header (SDG 2.1; tboot 1.10.5 include/mle.h, mle_hdr_t) at a multiple of 16 bytes from the lowest address. The loader writes the
 * command line into the area that the header names.
 */
#define LCP_MLE_HEADER_SIZE 52
/* Older headers end before the command line area. */
#define LCP_MLE_OLD_HEADER_SIZE 44
#define LCP_MLE_MAX_SEGMENTS 16
/* Largest image in memory that is worked on, in bytes. */
#define LCP_MLE_MAX_IMAGE ((uint64_t)1 << 30)

struct lcp_mle_segment {
	uint64_t offset; /* in the image, from its lowest address */
	uint64_t size;   /* in memory; what the file does not have is zero */
	struct span file;
};

/* Offsets are bytes from the lowest physical address of the image. */
struct lcp_mle {
	uint64_t base; /* the lowest physical address */
	uint64_t size; /* of the image in memory */
	size_t segment_count;
	struct lcp_mle_segment segments[LCP_MLE_MAX_SEGMENTS]; /* in ascending order, without overlap; gaps are zero */
	uint64_t header;                                       /* offset of the MLE header */
	uint32_t length;
	uint32_t version;
	uint32_t entry; /* as in the header */
	uint32_t first_page;
	uint32_t start;
	uint32_t end; /* first byte behind the MLE */
	uint32_t capabilities;
	uint32_t cmdline_start; /* equal: there is no area */
	uint32_t cmdline_end;
};

/* Finds segments and header. Spans point into `elf`. `out` on success only. */
GL_MUST enum lcp_error lcp_mle_find(struct span elf, struct lcp_mle *out);

/*
 * The hash of [start, end). `cmdline` without NUL; it and a NUL must fit the area, else LCP_E_MLE_CMDLINE. The area is zeroed around it.
 * NULL leaves the area as the file has it. As lcp2_mlehash of tboot 1.10.5, but for two inputs where that gives a hash that no launch
 * will have: it puts a command line that does not fit into the area with its first byte zeroed, and it closes gaps between segments.
 */
GL_MUST enum lcp_error lcp_mle_digest(const struct lcp_mle *m, const struct span *cmdline, alg_set banks, struct digests *out);

/*
 * How many words of 4 bytes, at multiples of 4, hold an address in [start, end) but do not lie there: pointers into the MLE that SINIT does not
 * measure. Who loads the MLE can change them; docs/THREAT-MODEL.md, "A loader that changes tboot's data".
 */
size_t lcp_mle_unmeasured_pointers(const struct lcp_mle *m);

/* Both in one. */
GL_MUST enum lcp_error lcp_mle_hash(struct span elf, const struct span *cmdline, alg_set banks, struct digests *out);

#endif
