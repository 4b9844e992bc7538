/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/boot_samples.h"

#include <string.h>

void sample_put(uint8_t *buf, size_t at, uint64_t v, size_t width)
{
	struct wr w = wr_init((struct mspan){ buf + at, width });

	wr_le(&w, v, width);
}

uint64_t sample_get(const uint8_t *buf, size_t at, size_t width)
{
	struct rd r = rd_init((struct span){ buf + at, width });

	return rd_le(&r, width);
}

void sample_mb2_sign(uint8_t *buf)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 12; i += 4)
		sum += (uint32_t)sample_get(buf, SAMPLE_MB2_OFFSET + i, 4);
	sample_put(buf, SAMPLE_MB2_CHECKSUM, 0 - (uint64_t)sum, 4);
}

static void put_mb2(uint8_t *buf)
{
	struct wr w = wr_init((struct mspan){ buf + SAMPLE_MB2_OFFSET, 136 });
	/* clang-format off */
	static const struct {
		uint16_t type, flags;
		uint32_t size;
		uint32_t words[4];
	} tags[] = {
		{ 1, 0, 16, { 4, 6 } }, { 6, 0, 8, { 0 } }, { 10, 1, 24, { SAMPLE_XEN_LINK, 0xffffffff, 0x200000, 2 } }, { 4, 1, 12, { 2 } },
		{ 5, 1, 20, { 0 } }, { 7, 1, 8, { 0 } }, { 9, 1, 12, { SAMPLE_XEN_ENTRY_EFI64 } }, { 0, 0, 8, { 0 } },
	};
	/* clang-format on */

	wr_le32(&w, 0xe85250d6);
	wr_le32(&w, 0);
	wr_le32(&w, 136);
	wr_le32(&w, 0);
	for (size_t i = 0; i < GL_COUNT(tags); i++) {
		wr_le16(&w, tags[i].type);
		wr_le16(&w, tags[i].flags);
		wr_le32(&w, tags[i].size);
		for (size_t k = 0; k < (tags[i].size - 8) / 4; k++)
			wr_le32(&w, tags[i].words[k]);
		wr_le(&w, 0, -w.off % 8);
	}
	sample_mb2_sign(buf);
}

void sample_xen(uint8_t *buf)
{
	struct wr w = wr_init((struct mspan){ buf, SAMPLE_XEN_SIZE });

	for (size_t i = 0; i < SAMPLE_XEN_SIZE; i++)
		buf[i] = (uint8_t)(i * 7 + (i >> 8));
	memset(buf, 0, 0x200);
	wr_bytes(&w, SPAN_LITERAL("\177ELF\1\1\1\0\0\0\0\0\0\0\0\0"));
	wr_le16(&w, 2); /* ET_EXEC */
	wr_le16(&w, 3); /* EM_386 */
	wr_le32(&w, 1);
	wr_le32(&w, SAMPLE_XEN_LINK);
	wr_le32(&w, 52); /* program headers */
	wr_le32(&w, 0);
	wr_le32(&w, 0);
	wr_le16(&w, 52);
	wr_le16(&w, 32);
	wr_le16(&w, 2);
	wr_le16(&w, 0);
	wr_le16(&w, 0);
	wr_le16(&w, 0);
	/* PT_LOAD: offset, virtual, physical, file size, memory size, flags, align */
	for (size_t i = 0; i < 8; i++)
		wr_le32(&w, ((const uint32_t[]){ 1, 0, SAMPLE_XEN_LINK, SAMPLE_XEN_LINK, SAMPLE_XEN_SIZE, SAMPLE_XEN_MEMORY, 7, 0x40 })[i]);
	for (size_t i = 0; i < 8; i++)
		wr_le32(&w, ((const uint32_t[]){ 4, 0x80, 0x1000, 0x1000, 0x24, 0x24, 4, 4 })[i]);
	put_mb2(buf);
}

void sample_bzimage(uint8_t *buf)
{
	memset(buf, 0, 2048);
	for (size_t i = 2048; i < SAMPLE_BZIMAGE_SIZE; i++)
		buf[i] = (uint8_t)(i * 5);
	sample_put(buf, 0x1f1, 3, 1);
	sample_put(buf, 0x1f4, (SAMPLE_BZIMAGE_SIZE - 2048) / 16, 4);
	sample_put(buf, 0x1fe, 0xaa55, 2);
	sample_put(buf, 0x200, 0x6aeb, 2); /* jump over the header, which ends at 0x26c */
	memcpy(buf + 0x202, "HdrS", 4);
	sample_put(buf, 0x206, 0x20f, 2);
	sample_put(buf, 0x211, 1, 1);
	sample_put(buf, 0x214, 0x100000, 4);
	sample_put(buf, 0x22c, 0x7fffffff, 4);
	sample_put(buf, 0x230, 0x200000, 4);
	sample_put(buf, 0x234, 1, 1);
	sample_put(buf, 0x235, 21, 1);
	sample_put(buf, 0x236, 0x7f, 2);
	sample_put(buf, 0x238, 2047, 4);
	sample_put(buf, 0x258, 0x1000000, 8);
	sample_put(buf, 0x260, 0x2000000, 4);
}
