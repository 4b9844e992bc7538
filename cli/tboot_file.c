/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/tboot_file.h"

#include <stdlib.h>
#include <string.h>

#include "boot/tboot_image.h"
#include "common/cursor.h"

#define TBOOT_BASE 0x800000u
#define ELF_HEADER 52
#define ELF_PROGRAM_HEADER 32
#define PAGE 4096u

bool tboot_file_is_flat(struct span file)
{
	struct tboot_image image;

	return tboot_image_plan(file, &image, NULL) == TBOOT_IMAGE_OK && image.flat;
}

/* gABI, figures 4-3 and 5-1: an executable for i386 with one segment that can do everything, whose bytes begin in the second page. */
static void write_headers(uint32_t entry, uint32_t address, uint32_t bytes, uint32_t memory, struct wr *w)
{
	wr_bytes(w, SPAN_LITERAL("\177ELF\1\1\1\0\0\0\0\0\0\0\0\0"));
	wr_le16(w, 2);
	wr_le16(w, 3);
	wr_le32(w, 1);
	wr_le32(w, entry);
	wr_le32(w, ELF_HEADER);
	wr_le32(w, 0);
	wr_le32(w, 0);
	wr_le16(w, ELF_HEADER);
	wr_le16(w, ELF_PROGRAM_HEADER);
	wr_le16(w, 1);
	wr_le16(w, 0);
	wr_le32(w, 0);
	wr_le32(w, 1);
	wr_le32(w, PAGE + address % PAGE);
	wr_le32(w, address);
	wr_le32(w, address);
	wr_le32(w, bytes);
	wr_le32(w, memory);
	wr_le32(w, 7);
	wr_le32(w, PAGE);
}

bool tboot_file_elf(struct span file, uint8_t **out, size_t *n)
{
	struct tboot_image image;
	const struct elf_segment *s = &image.segments[0];
	size_t below = 0, size;
	uint32_t address;
	struct wr w;
	uint8_t *p;

	if (tboot_image_plan(file, &image, NULL) != TBOOT_IMAGE_OK || !image.flat)
		return false;
	if (s->address < TBOOT_BASE && TBOOT_BASE - s->address < s->file_size)
		below = (size_t)(TBOOT_BASE - s->address);
	address = (uint32_t)(s->address + below);
	size = PAGE + address % PAGE + s->file_size - below;
	p = calloc(1, size);
	if (!p)
		return false;
	w = wr_init((struct mspan){ p, PAGE });
	write_headers(image.entry, address, (uint32_t)(s->file_size - below), (uint32_t)(s->memory_size - below), &w);
	memcpy(p + PAGE + address % PAGE, file.p + s->offset + below, s->file_size - below);
	*out = p;
	*n = size;
	return true;
}
