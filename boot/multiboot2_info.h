/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_MULTIBOOT2_INFO_H
#define GL_BOOT_MULTIBOOT2_INFO_H

#include "common/cursor.h"

/*
 * The multiboot2 information that a loader hands to the image it starts: written here for tboot, Xen and the stage, read here by the
 * stage. Multiboot2 Specification version 2.0, section 3.6. Little-endian:
 *
 *   u32 total size, u32 reserved | tags, each u32 type, u32 size (with these 8 bytes, without padding), content, padding to 8 | end tag
 *
 * The image gets the magic in EAX and the information's physical address, a multiple of 8, in EBX (3.2 to 3.5).
 */
#define MB2_MAGIC 0x36d76289u
#define MB2_ALIGN 8
#define MB2_FIXED 8     /* total size and reserved word */
#define MB2_TAG_FIXED 8 /* type and size */

enum mb2_tag_type {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_LOADER_NAME = 2,
	MB2_MODULE = 3,
	MB2_BASIC_MEMINFO = 4,
	MB2_BOOT_DEVICE = 5,
	MB2_MMAP = 6,
	MB2_VBE = 7,
	MB2_FRAMEBUFFER = 8,
	MB2_ELF_SECTIONS = 9,
	MB2_APM = 10,
	MB2_EFI32 = 11, /* physical address of the EFI system table */
	MB2_EFI64 = 12,
	MB2_SMBIOS = 13,
	MB2_ACPI_OLD = 14, /* copy of the RSDP, ACPI 1.0 */
	MB2_ACPI_NEW = 15, /* copy of the RSDP, ACPI 2.0 or later */
	MB2_NETWORK = 16,
	MB2_EFI_MMAP = 17,
	MB2_EFI_BOOT_SERVICES = 18, /* ExitBootServices() was not called */
	MB2_EFI32_IMAGE = 19,       /* image handle */
	MB2_EFI64_IMAGE = 20,
	MB2_LOAD_BASE = 21, /* physical address that a relocatable image was loaded to */
};

/* Types of memory map entries, 3.6.8; the same numbers as e820's. */
enum mb2_memory_type {
	MB2_MEMORY_AVAILABLE = 1,
	MB2_MEMORY_RESERVED = 2,
	MB2_MEMORY_ACPI = 3, /* reclaimable once ACPI tables were read */
	MB2_MEMORY_NVS = 4,
	MB2_MEMORY_BAD = 5,
};

struct mb2_memory {
	uint64_t base, size; /* bytes, physical */
	uint32_t type;
};

#define MB2_MMAP_ENTRY 24

struct mb2_module {
	uint32_t start, end; /* physical; end is the first byte behind it */
	struct span string;  /* without NUL */
};

enum mb2_framebuffer_type {
	MB2_FRAMEBUFFER_INDEXED,
	MB2_FRAMEBUFFER_RGB,
	MB2_FRAMEBUFFER_TEXT,
};

struct mb2_framebuffer {
	uint64_t address;
	uint32_t pitch, width, height; /* bytes a line; pixels, or characters in text mode */
	uint8_t bits;                  /* of a pixel */
	uint8_t type;                  /* enum mb2_framebuffer_type */
	struct {
		uint8_t position, size; /* bits of a pixel; RGB only */
	} red, green, blue;
};

/* ---------------------------------------------------------------- writer */

/*
 * Fills a buffer tag by tag: mb2_begin(), tags in any order, mb2_end(). Errors stick and show in mb2_end(), so that a loader is a column
 * of calls. With wr_measure() as cursor nothing is written and mb2_end() gives the size that is needed.
 */
struct mb2_writer {
	struct wr w;
};

void mb2_begin(struct mb2_writer *m, struct mspan buf);
/* As mb2_begin(), but only counts. */
void mb2_begin_measure(struct mb2_writer *m);
/* Ends and sets the total size. `*n` is it, on success only; false if the buffer was too small or a value did not fit its tag. */
GL_MUST bool mb2_end(struct mb2_writer *m, size_t *n);

/* A tag of any type as it is: `content` without type and size. */
void mb2_put(struct mb2_writer *m, uint32_t type, struct span content);
/* Text without NUL; refused if it has one in it. */
void mb2_put_cmdline(struct mb2_writer *m, struct span text);
void mb2_put_loader_name(struct mb2_writer *m, struct span text);
void mb2_put_module(struct mb2_writer *m, const struct mb2_module *module);
/* In KiB: memory below 1 MiB, and from 1 MiB up to the first hole. */
void mb2_put_basic_meminfo(struct mb2_writer *m, uint32_t lower, uint32_t upper);
void mb2_put_mmap(struct mb2_writer *m, const struct mb2_memory *entries, size_t count);
void mb2_put_framebuffer(struct mb2_writer *m, const struct mb2_framebuffer *f);
/* A tag that holds one number: EFI32, EFI32_IMAGE, LOAD_BASE (32 bits), EFI64, EFI64_IMAGE (64 bits). */
void mb2_put_number(struct mb2_writer *m, enum mb2_tag_type type, uint64_t value);
/* The map as GetMemoryMap() gave it. */
void mb2_put_efi_mmap(struct mb2_writer *m, uint32_t descriptor_size, uint32_t descriptor_version, struct span map);

/* ---------------------------------------------------------------- reader */

/* Information that mb2_info_open() found whole. */
struct mb2_info {
	struct span tags; /* from the first tag up to the end tag, without it */
};

enum mb2_info_error {
	MB2_INFO_OK,
	MB2_INFO_E_SIZE, /* total size too small, or more than there is */
	MB2_INFO_E_TAG,  /* a tag that leaves the whole, or is too small for its own header */
	MB2_INFO_E_END,  /* no end tag */
	MB2_INFO_ERROR_COUNT
};

const char *mb2_info_strerror(enum mb2_info_error e);

/* The total size that the first 8 bytes claim; for who has no more than an address. 0 if there are not even 8 bytes. */
GL_MUST uint32_t mb2_info_size(struct span first);

/*
 * Checks the frame: every tag lies inside, an end tag closes it. The contents of the tags are checked by the getters below.
 * Bytes behind the total size are ignored. `out` on success only, its spans lie in `bytes`.
 */
GL_MUST enum mb2_info_error mb2_info_open(struct span bytes, struct mb2_info *out);

struct mb2_tag {
	uint32_t type;
	struct span content; /* without type, size and padding */
};

/* Walks the tags; starts as { .info = info }. Always ends. */
struct mb2_tags {
	const struct mb2_info *info;
	size_t off;
};

GL_MUST bool mb2_next(struct mb2_tags *it, struct mb2_tag *out);
/* The first tag of a type. */
GL_MUST bool mb2_find(const struct mb2_info *info, uint32_t type, struct mb2_tag *out);

/* Getters: false if the tag is of another type or its content is not what the type needs; `out` on success only. */

/* Text of CMDLINE or LOADER_NAME, up to its NUL, which must be there. */
GL_MUST bool mb2_get_text(const struct mb2_tag *t, struct span *out);
/* end is at least start. */
GL_MUST bool mb2_get_module(const struct mb2_tag *t, struct mb2_module *out);
GL_MUST bool mb2_get_basic_meminfo(const struct mb2_tag *t, uint32_t *lower, uint32_t *upper);
/* A tag that holds one number, see mb2_put_number(). */
GL_MUST bool mb2_get_number(const struct mb2_tag *t, uint64_t *out);
GL_MUST bool mb2_get_framebuffer(const struct mb2_tag *t, struct mb2_framebuffer *out);

/* A memory map in a tag: entries of `entry_size` bytes, which may grow in later versions of the specification. */
struct mb2_mmap {
	size_t entry_size, count;
	struct span entries;
};

GL_MUST bool mb2_get_mmap(const struct mb2_tag *t, struct mb2_mmap *out);
/* Entry `i` < count. Base and size are as the loader wrote them: base + size may wrap. */
struct mb2_memory mb2_mmap_entry(const struct mb2_mmap *m, size_t i);

struct mb2_efi_mmap {
	uint32_t descriptor_size, descriptor_version;
	struct span map; /* a whole number of descriptors */
};

GL_MUST bool mb2_get_efi_mmap(const struct mb2_tag *t, struct mb2_efi_mmap *out);

/* ---------------------------------------------------------------- filter */

/* Copies every tag whose type is not in `drop` (bit 1 << type; types from 32 on are kept) and is no end tag. */
void mb2_copy_without(struct mb2_writer *m, const struct mb2_info *info, uint32_t drop);

#endif
