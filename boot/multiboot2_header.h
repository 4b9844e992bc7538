/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_MULTIBOOT2_HEADER_H
#define GL_BOOT_MULTIBOOT2_HEADER_H

#include "common/span.h"

/*
 * The multiboot2 header of an operating system image: what it wants from its loader.
 * Multiboot2 Specification version 2.0, section 3.1. Little-endian; tags at multiples of 8 from the header's beginning.
 */
#define MB2_HEADER_MAGIC 0xe85250d6u
#define MB2_HEADER_SEARCH ((size_t)32768) /* the header lies completely within these first bytes of the file */
#define MB2_HEADER_ALIGN 8

/* Header tags, 3.1.4 to 3.1.13. Bit 0 of a tag's flags: the loader may ignore it. */
enum mb2_header_tag {
	MB2_HEADER_END = 0,
	MB2_HEADER_REQUEST = 1, /* information request */
	MB2_HEADER_ADDRESS = 2,
	MB2_HEADER_ENTRY = 3,
	MB2_HEADER_CONSOLE = 4,
	MB2_HEADER_FRAMEBUFFER = 5,
	MB2_HEADER_MODULE_ALIGN = 6,
	MB2_HEADER_EFI_BOOT_SERVICES = 7,
	MB2_HEADER_ENTRY_EFI32 = 8,
	MB2_HEADER_ENTRY_EFI64 = 9,
	MB2_HEADER_RELOCATABLE = 10,
	MB2_HEADER_TAG_COUNT
};

enum mb2_preference {
	MB2_PREFER_NONE,
	MB2_PREFER_LOW,
	MB2_PREFER_HIGH,
};

struct mb2_header {
	size_t offset; /* of the header in the file */
	uint32_t tags; /* bit 1 << enum mb2_header_tag for each that is there */
	/* Information tags (enum mb2_tag_type, all under 32) that the image asks for, bit 1 << type; a loader without a required one fails. */
	uint32_t required, wished;
	struct {
		uint32_t header, load, load_end, bss_end; /* physical addresses; the two ends may be 0: 3.1.5 */
	} address;
	uint32_t entry, entry_efi32, entry_efi64; /* physical, for the address it was linked to */
	bool console_required;
	struct {
		uint32_t min, max, align; /* lowest and highest address of the image as a whole (max is its highest byte), power of two */
		enum mb2_preference preference;
	} relocatable;
};

enum mb2_header_error {
	MB2_HEADER_OK,
	MB2_HEADER_E_NONE,         /* no header in the first 32 KiB */
	MB2_HEADER_E_ARCHITECTURE, /* not i386 (0), which x86-64 images use too */
	MB2_HEADER_E_LENGTH,       /* the header leaves file or search range */
	MB2_HEADER_E_TAG_SIZE,     /* a tag that is too small for its type or leaves the header */
	MB2_HEADER_E_TWICE,        /* a second tag of a type */
	MB2_HEADER_E_END,          /* no end tag */
	MB2_HEADER_E_UNKNOWN,      /* a tag that may not be ignored, of a type that this loader does not know */
	MB2_HEADER_E_REQUEST,      /* information is required that this loader does not know */
	MB2_HEADER_E_RELOCATABLE,  /* alignment no power of two, range empty, unknown preference */
	MB2_HEADER_ERROR_COUNT
};

const char *mb2_header_strerror(enum mb2_header_error e);

/*
 * Finds and reads the header: the first place, 8-aligned in the file, whose magic and checksum are right. `out` on success only.
 * Nothing of the file is kept.
 */
GL_MUST enum mb2_header_error mb2_header_parse(struct span file, struct mb2_header *out);

static inline bool mb2_header_has(const struct mb2_header *h, enum mb2_header_tag t)
{
	return (h->tags >> t & 1) != 0;
}

#endif
