/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/linux_params.h"

#include <string.h>

#include "common/cursor.h"

/* Offsets in struct boot_params. */
enum {
	SCREEN_INFO = 0x000,
	TBOOT_ADDR = 0x058,
	ACPI_RSDP_ADDR = 0x070,
	EFI_INFO = 0x1c0,
	ALT_MEM_K = 0x1e0,
	E820_ENTRIES = 0x1e8,
	SENTINEL = 0x1ef,
	TYPE_OF_LOADER = 0x210,
	CODE32_START = 0x214,
	RAMDISK_IMAGE = 0x218,
	RAMDISK_SIZE = 0x21c,
	CMD_LINE_PTR = 0x228,
	E820_TABLE = 0x2d0,
};

/* struct screen_info; what is between the fields written here stays 0. */
enum {
	ORIG_VIDEO_IS_VGA = 0x0f,
	LFB_WIDTH = 0x12,
	CAPABILITIES = 0x36,
	EXT_LFB_BASE = 0x3a,
};

#define VIDEO_TYPE_VLFB 0x23
#define VIDEO_TYPE_EFI 0x70
#define VIDEO_CAPABILITY_64BIT_BASE 2u
#define LOADER_UNDEFINED 0xff /* type_of_loader: none that has a number */
#define E820_ENTRY ((size_t)20)

static_assert(BZIMAGE_HEADER_OFFSET + BZIMAGE_HEADER_MAX <= 0x290, "the header ends before edd_mbr_sig_buffer");
static_assert(E820_TABLE + LINUX_E820_MAX * E820_ENTRY <= LINUX_PARAMS_SIZE, "e820_table");

static void put_screen(struct mspan page, const struct linux_screen *s)
{
	struct wr w = wr_init((struct mspan){ page.p + SCREEN_INFO + LFB_WIDTH, 0x28 });

	put_le(page.p + SCREEN_INFO + ORIG_VIDEO_IS_VGA, s->efi ? VIDEO_TYPE_EFI : VIDEO_TYPE_VLFB, 1);
	wr_le16(&w, s->width);
	wr_le16(&w, s->height);
	wr_le16(&w, s->depth);
	wr_le32(&w, (uint32_t)s->address);
	/* VESA counts 64 KiB, EFI bytes: Linux, drivers/video/fbdev/{vesafb,efifb}.c */
	wr_le32(&w, (uint32_t)(s->efi ? s->size : (s->size + 65535) / 65536));
	wr_le32(&w, 0); /* cl_magic, cl_offset */
	wr_le16(&w, s->pitch);
	wr_u8(&w, s->red.size);
	wr_u8(&w, s->red.position);
	wr_u8(&w, s->green.size);
	wr_u8(&w, s->green.position);
	wr_u8(&w, s->blue.size);
	wr_u8(&w, s->blue.position);
	wr_u8(&w, s->reserved.size);
	wr_u8(&w, s->reserved.position);
	if (s->address > UINT32_MAX) {
		put_le(page.p + SCREEN_INFO + CAPABILITIES, VIDEO_CAPABILITY_64BIT_BASE, 4);
		put_le(page.p + SCREEN_INFO + EXT_LFB_BASE, s->address >> 32, 4);
	}
}

static void put_efi(struct mspan page, const struct linux_efi *e)
{
	struct wr w = wr_init((struct mspan){ page.p + EFI_INFO, 32 });

	wr_bytes(&w, e->is64 ? SPAN_LITERAL("EL64") : SPAN_LITERAL("EL32"));
	wr_le32(&w, (uint32_t)e->system_table);
	wr_le32(&w, e->descriptor_size);
	wr_le32(&w, e->descriptor_version);
	wr_le32(&w, (uint32_t)e->map);
	wr_le32(&w, e->map_size);
	wr_le32(&w, (uint32_t)(e->system_table >> 32));
	wr_le32(&w, (uint32_t)(e->map >> 32));
}

/* KiB above 1 MiB in one piece, for what does not read e820. */
static uint32_t memory_above_1m(const struct linux_params *p)
{
	const uint64_t m = (uint64_t)1 << 20;

	for (size_t i = 0; i < p->e820_count; i++) {
		const struct linux_e820 *e = &p->e820[i];
		uint64_t left;

		if (e->type != 1 || e->base > m || m - e->base >= e->size)
			continue;
		left = (e->size - (m - e->base)) / 1024;
		return left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
	}
	return 0;
}

bool linux_params_write(const struct linux_params *p, struct mspan page)
{
	struct wr w;

	if (page.n < LINUX_PARAMS_SIZE || p->e820_count == 0 || p->e820_count > LINUX_E820_MAX || p->image->header.n > BZIMAGE_HEADER_MAX)
		return false;
	if (p->initrd_size && (p->initrd > p->image->initrd_max || p->initrd_size - 1 > p->image->initrd_max - p->initrd))
		return false;
	memset(page.p, 0, LINUX_PARAMS_SIZE);
	memcpy(page.p + BZIMAGE_HEADER_OFFSET, p->image->header.p, p->image->header.n);
	/* The sentinel stays 0: it says that the page was cleared and only the header copied. */
	put_le(page.p + TYPE_OF_LOADER, LOADER_UNDEFINED, 1);
	put_le(page.p + CODE32_START, p->load_address, 4);
	put_le(page.p + RAMDISK_IMAGE, p->initrd_size ? p->initrd : 0, 4);
	put_le(page.p + RAMDISK_SIZE, p->initrd_size, 4);
	put_le(page.p + CMD_LINE_PTR, p->cmdline, 4);
	put_le(page.p + TBOOT_ADDR, p->tboot, 8);
	put_le(page.p + ACPI_RSDP_ADDR, p->rsdp, 8);
	put_le(page.p + ALT_MEM_K, memory_above_1m(p), 4);
	put_le(page.p + E820_ENTRIES, p->e820_count, 1);
	if (p->screen)
		put_screen(page, p->screen);
	if (p->efi)
		put_efi(page, p->efi);
	w = wr_init((struct mspan){ page.p + E820_TABLE, LINUX_E820_MAX * E820_ENTRY });
	for (size_t i = 0; i < p->e820_count; i++) {
		wr_le64(&w, p->e820[i].base);
		wr_le64(&w, p->e820[i].size);
		wr_le32(&w, p->e820[i].type);
	}
	return true;
}
