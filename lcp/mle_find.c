/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/cursor.h"
#include "lcp/mle_image.h"

/* ELF specification, ELF header and program header. */
#define ELF_IDENT_SIZE 16
#define ELF_CLASS_32 1
#define ELF_CLASS_64 2
#define ELF_LITTLE_ENDIAN 1
#define ELF_EXECUTABLE 2
#define ELF_386 3
#define ELF_X86_64 62
#define ELF_CURRENT 1
#define ELF_LOAD 1

/* Where the fields stand in the two classes. */
static const struct elf_layout {
	uint8_t class;
	uint8_t word; /* width of addresses and offsets */
	uint8_t phoff;
	uint8_t phentsize; /* phnum stands behind it */
	uint8_t ph_size;
	uint8_t p_offset;
	uint8_t p_paddr;
	uint8_t p_filesz;
	uint8_t p_memsz;
} elf_layouts[] = {
	{ ELF_CLASS_32, 4, 28, 42, 32, 4, 12, 16, 20 },
	{ ELF_CLASS_64, 8, 32, 54, 56, 8, 24, 32, 40 },
};

/* SDG 2.1; tboot 1.10.5 include/mle.h, MLE_HDR_UUID: 9082ac5a-476f-74a7-5c0f-55a2cb51b642, as it lies in memory. */
static const uint8_t mle_uuid[16] = { 0x5a, 0xac, 0x82, 0x90, 0x6f, 0x47, 0xa7, 0x74, 0x0f, 0x5c, 0x55, 0xa2, 0xcb, 0x51, 0xb6, 0x42 };

static_assert(LCP_MLE_HEADER_SIZE == 16 + 9 * 4, "MLE header");
static_assert(LCP_MLE_OLD_HEADER_SIZE == 16 + 7 * 4, "MLE header without command line");

/* Reads `width` bytes at `offset`; sets *bad if they are not there. */
static uint64_t field(struct span s, uint64_t offset, size_t width, bool *bad)
{
	struct rd r;

	if (offset > s.n) {
		*bad = true;
		return 0;
	}
	r = rd_init((struct span){ s.p + offset, s.n - (size_t)offset });

	uint64_t v = rd_le(&r, width);

	*bad = *bad || r.bad;
	return v;
}

/* NULL if it is not an ELF file of the kind that can be an MLE. */
static const struct elf_layout *elf_layout(struct span elf)
{
	static const uint8_t magic[4] = { 0x7f, 'E', 'L', 'F' };
	bool bad = false;
	uint64_t type = field(elf, 16, 2, &bad), machine = field(elf, 18, 2, &bad), version = field(elf, 20, 4, &bad);

	if (bad || memcmp(elf.p, magic, sizeof(magic)) != 0 || elf.p[5] != ELF_LITTLE_ENDIAN || type != ELF_EXECUTABLE ||
		(machine != ELF_386 && machine != ELF_X86_64) || version != ELF_CURRENT)
		return NULL;
	for (size_t i = 0; i < GL_COUNT(elf_layouts); i++)
		if (elf_layouts[i].class == elf.p[4])
			return &elf_layouts[i];
	return NULL;
}

/* One PT_LOAD, at its physical address. */
static enum lcp_error add_segment(struct span elf, const struct elf_layout *l, struct span ph, struct lcp_mle *m)
{
	bool bad = false;
	uint64_t offset = field(ph, l->p_offset, l->word, &bad), address = field(ph, l->p_paddr, l->word, &bad);
	uint64_t filesz = field(ph, l->p_filesz, l->word, &bad), memsz = field(ph, l->p_memsz, l->word, &bad);
	uint64_t last = 0;

	if (bad || offset > elf.n || filesz > elf.n - offset || filesz > memsz || memsz > UINT64_MAX - address)
		return LCP_E_MLE_SEGMENTS;
	if (memsz == 0)
		return LCP_OK;
	if (m->segment_count == LCP_MLE_MAX_SEGMENTS)
		return LCP_E_MLE_SEGMENTS;
	if (m->segment_count > 0) {
		const struct lcp_mle_segment *before = &m->segments[m->segment_count - 1];

		last = before->offset + before->size;
	}
	if (address < last)
		return LCP_E_MLE_SEGMENTS;
	m->segments[m->segment_count++] = (struct lcp_mle_segment){ address, memsz, { elf.p + offset, (size_t)filesz } };
	return LCP_OK;
}

static enum lcp_error find_segments(struct span elf, struct lcp_mle *m)
{
	const struct elf_layout *l = elf_layout(elf);
	bool bad = false;
	uint64_t phoff, phentsize, phnum;

	if (!l)
		return LCP_E_MLE_ELF;
	phoff = field(elf, l->phoff, l->word, &bad);
	phentsize = field(elf, l->phentsize, 2, &bad);
	phnum = field(elf, (uint64_t)l->phentsize + 2, 2, &bad);
	if (bad)
		return LCP_E_MLE_ELF;
	if (phentsize < l->ph_size || phoff > elf.n || phnum * phentsize > elf.n - phoff)
		return LCP_E_MLE_SEGMENTS;
	for (uint64_t i = 0; i < phnum; i++) {
		struct span ph = { elf.p + phoff + i * phentsize, (size_t)phentsize };
		enum lcp_error error = LCP_OK;

		if (field(ph, 0, 4, &bad) == ELF_LOAD)
			error = add_segment(elf, l, ph, m);
		if (error)
			return error;
	}
	if (m->segment_count == 0)
		return LCP_E_MLE_SEGMENTS;

	/* From physical addresses to offsets in the image. */
	m->base = m->segments[0].offset;
	for (size_t i = 0; i < m->segment_count; i++)
		m->segments[i].offset -= m->base;
	m->size = m->segments[m->segment_count - 1].offset + m->segments[m->segment_count - 1].size;
	return m->size > LCP_MLE_MAX_IMAGE ? LCP_E_MLE_SIZE : LCP_OK;
}

/* The first multiple of 16 where the UUID lies. Some of it comes from the file, so only what touches the file is looked at. */
static bool find_header(struct lcp_mle *m)
{
	uint8_t window[sizeof(mle_uuid)];

	for (size_t i = 0; i < m->segment_count; i++) {
		const struct lcp_mle_segment *s = &m->segments[i];
		uint64_t at = s->offset & ~(uint64_t)(sizeof(window) - 1);

		for (; at < s->offset + s->file.n; at += sizeof(window)) {
			if (!lcp_mle_read(m, at, (struct mspan){ window, sizeof(window) }))
				return false;
			if (memcmp(window, mle_uuid, sizeof(window)) == 0) {
				m->header = at;
				return true;
			}
		}
	}
	return false;
}

static bool in_image(const struct lcp_mle *m, uint32_t start, uint32_t end)
{
	return start <= end && end <= m->size;
}

static enum lcp_error read_header(struct lcp_mle *m)
{
	uint8_t buf[LCP_MLE_HEADER_SIZE] = { 0 };
	struct rd r = rd_init(SPAN_OF(buf));

	if (!lcp_mle_read(m, m->header, (struct mspan){ buf, LCP_MLE_OLD_HEADER_SIZE }))
		return LCP_E_MLE_HEADER;
	(void)rd_bytes(&r, sizeof(mle_uuid));
	m->length = rd_le32(&r);
	m->version = rd_le32(&r);
	m->entry = rd_le32(&r);
	m->first_page = rd_le32(&r);
	m->start = rd_le32(&r);
	m->end = rd_le32(&r);
	m->capabilities = rd_le32(&r);
	if (m->length >= LCP_MLE_HEADER_SIZE) {
		if (!lcp_mle_read(m, m->header, (struct mspan){ buf, sizeof(buf) }))
			return LCP_E_MLE_HEADER;
		m->cmdline_start = rd_le32(&r);
		m->cmdline_end = rd_le32(&r);
	}
	if (m->start == m->end || !in_image(m, m->start, m->end) || !in_image(m, m->cmdline_start, m->cmdline_end))
		return LCP_E_MLE_RANGE;
	return LCP_OK;
}

enum lcp_error lcp_mle_find(struct span elf, struct lcp_mle *out)
{
	struct lcp_mle m = { 0 };
	enum lcp_error error = find_segments(elf, &m);

	if (error)
		return error;
	if (!find_header(&m))
		return LCP_E_MLE_HEADER;
	error = read_header(&m);
	if (error)
		return error;
	*out = m;
	return LCP_OK;
}

size_t lcp_mle_unmeasured_pointers(const struct lcp_mle *m)
{
	size_t count = 0;

	for (size_t i = 0; i < m->segment_count; i++) {
		const struct lcp_mle_segment *s = &m->segments[i];
		struct rd r = rd_init(s->file);

		/* Offsets are multiples of 4 where addresses are. */
		(void)rd_bytes(&r, (size_t)(-(m->base + s->offset) & 3));
		while (!r.bad && rd_left(&r) >= 4) {
			uint64_t at = s->offset + r.off, to = rd_le32(&r) - m->base;

			count += to >= m->start && to < m->end && (at < m->start || at >= m->end);
		}
	}
	return count;
}
