/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/bzimage.h"

#include "boot/align.h"
#include "common/cursor.h"

#define SECTOR 512u
#define DEFAULT_SETUP_SECTORS 4 /* if setup_sects is 0 */
#define BOOT_SIGNATURE 0xaa55u
#define HEADER_MAGIC 0x53726448u /* "HdrS" */
#define LOADED_HIGH 0x01u        /* loadflags */
#define PROTOCOL_XLOADFLAGS 0x020c

/* Offsets in the file, boot.rst "Details of Header Fields". */
enum {
	SETUP_SECTS = 0x1f1,
	SYSSIZE = 0x1f4,
	BOOT_FLAG = 0x1fe,
	JUMP_DISTANCE = 0x201, /* the header ends at 0x202 + this */
	MAGIC = 0x202,
	VERSION = 0x206,
	LOADFLAGS = 0x211,
	CODE32_START = 0x214,
	INITRD_ADDR_MAX = 0x22c,
	KERNEL_ALIGNMENT = 0x230,
	RELOCATABLE = 0x234,
	MIN_ALIGNMENT = 0x235,
	XLOADFLAGS = 0x236,
	CMDLINE_SIZE = 0x238,
	PREF_ADDRESS = 0x258,
	INIT_SIZE = 0x260,
	HEADER_LEAST_END = 0x264, /* behind init_size */
	HEADER_MOST_END = 0x290,  /* where the zero page's next field, edd_mbr_sig_buffer, begins */
};

static_assert(SETUP_SECTS == BZIMAGE_HEADER_OFFSET, "the setup header begins with setup_sects");
static_assert(HEADER_MOST_END - BZIMAGE_HEADER_OFFSET >= BZIMAGE_HEADER_MAX, "room in the zero page");

const char *bzimage_strerror(enum bzimage_error e)
{
	static const char *const texts[BZIMAGE_ERROR_COUNT] = {
		[BZIMAGE_OK] = "no error",
		[BZIMAGE_E_MAGIC] = "no Linux kernel image (bzImage)",
		[BZIMAGE_E_OLD] = "a Linux kernel older than 2.6.31, whose boot protocol does not tell the memory that it needs",
		[BZIMAGE_E_LOW] = "a Linux zImage, which must be loaded below 1 MiB",
		[BZIMAGE_E_HEADER] = "a Linux kernel whose setup header has an invalid length",
		[BZIMAGE_E_SIZE] = "a Linux kernel that is cut off",
		[BZIMAGE_E_ALIGNMENT] = "a Linux kernel that wants an impossible alignment",
		[BZIMAGE_E_INIT_SIZE] = "a Linux kernel that wants less memory than it has bytes, or memory beyond 4 GiB",
	};

	return texts[(size_t)e < BZIMAGE_ERROR_COUNT ? e : BZIMAGE_E_MAGIC];
}

/* `file` holds the whole header when these are called with offsets below HEADER_LEAST_END. */
static uint64_t field(struct span file, size_t at, size_t width)
{
	struct rd r = rd_init(file);

	(void)rd_bytes(&r, at);
	return rd_le(&r, width);
}

bool bzimage_is(struct span file)
{
	return file.n >= HEADER_LEAST_END && field(file, BOOT_FLAG, 2) == BOOT_SIGNATURE && field(file, MAGIC, 4) == HEADER_MAGIC;
}

enum bzimage_error bzimage_parse(struct span file, struct bzimage *out)
{
	size_t setup, header_end, kernel;
	struct bzimage b = { 0 };

	if (!bzimage_is(file))
		return BZIMAGE_E_MAGIC;
	b.protocol = (uint16_t)field(file, VERSION, 2);
	if (b.protocol < BZIMAGE_MIN_PROTOCOL)
		return BZIMAGE_E_OLD;
	if (!(field(file, LOADFLAGS, 1) & LOADED_HIGH))
		return BZIMAGE_E_LOW;
	header_end = MAGIC + (size_t)field(file, JUMP_DISTANCE, 1);
	if (header_end < HEADER_LEAST_END || header_end > file.n)
		return BZIMAGE_E_HEADER;
	if (header_end > BZIMAGE_HEADER_OFFSET + BZIMAGE_HEADER_MAX)
		header_end = BZIMAGE_HEADER_OFFSET + BZIMAGE_HEADER_MAX;
	b.header = (struct span){ file.p + BZIMAGE_HEADER_OFFSET, header_end - BZIMAGE_HEADER_OFFSET };

	setup = (size_t)field(file, SETUP_SECTS, 1);
	setup = ((setup ? setup : DEFAULT_SETUP_SECTORS) + 1) * SECTOR;
	/* syssize counts 16 bytes, rounded up; a signature may follow the code, so the file may be longer. */
	kernel = (size_t)field(file, SYSSIZE, 4);
	if (setup >= file.n || header_end > setup || kernel == 0 || kernel > (file.n - setup + 15) / 16)
		return BZIMAGE_E_SIZE;
	/* All of it: what the boot protocol calls the protected-mode code is the rest of the file. */
	b.kernel = (struct span){ file.p + setup, file.n - setup };

	b.code32_start = (uint32_t)field(file, CODE32_START, 4);
	b.initrd_max = (uint32_t)field(file, INITRD_ADDR_MAX, 4);
	b.relocatable = field(file, RELOCATABLE, 1) != 0;
	b.alignment = (uint32_t)field(file, KERNEL_ALIGNMENT, 4);
	if (field(file, MIN_ALIGNMENT, 1) > 31)
		return BZIMAGE_E_ALIGNMENT;
	b.min_alignment = (uint32_t)1 << field(file, MIN_ALIGNMENT, 1);
	b.pref_address = field(file, PREF_ADDRESS, 8);
	b.init_size = (uint32_t)field(file, INIT_SIZE, 4);
	b.cmdline_size = (uint32_t)field(file, CMDLINE_SIZE, 4);
	b.xloadflags = b.protocol >= PROTOCOL_XLOADFLAGS ? (uint16_t)field(file, XLOADFLAGS, 2) : 0;
	if (b.relocatable && (!align_is_power(b.alignment) || b.min_alignment > b.alignment))
		return BZIMAGE_E_ALIGNMENT;
	if (b.init_size < b.kernel.n || b.pref_address > UINT32_MAX || b.init_size > UINT32_MAX - (uint32_t)b.pref_address)
		return BZIMAGE_E_INIT_SIZE;
	*out = b;
	return BZIMAGE_OK;
}
