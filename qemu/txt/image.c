/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/image.h"

#include <string.h>

#include "common/cursor.h"

/* ELF: identification bytes, types */
#define EI_CLASS 4
#define EI_DATA 5
#define ELFCLASS32 1
#define ELFDATA2LSB 1
#define ET_EXEC 2
#define EM_386 3
#define PT_LOAD 1
#define PF_X 1u
#define PHDR_SIZE 32
#define SHDR_SIZE 40
#define SHT_PROGBITS 1
#define SHF_ALLOC 2u
#define SHF_EXECINSTR 4u

#define MB2_MAGIC 0xe85250d6u
#define MB2_HEADER 16
#define MB2_ALIGN 8
#define MB2_TAG_END 0
#define MB2_TAG_ENTRY 3
#define MB2_TAG_RELOCATABLE 10

struct header {
	uint32_t entry, phoff, shoff;
	uint16_t phentsize, phnum, shentsize, shnum;
};

static bool sub(struct span s, uint64_t offset, uint64_t size, struct span *out)
{
	if (offset > s.n || size > s.n - offset)
		return false;
	*out = (struct span){ s.p + offset, (size_t)size };
	return true;
}

static enum image_error take_header(struct span file, struct header *h)
{
	struct rd r = rd_init(file);
	struct span ident = rd_bytes(&r, 16);
	uint16_t type, machine;

	if (r.bad || memcmp(ident.p, "\177ELF", 4) != 0)
		return IMAGE_E_ELF;
	if (ident.p[EI_CLASS] != ELFCLASS32 || ident.p[EI_DATA] != ELFDATA2LSB)
		return IMAGE_E_CLASS;
	type = rd_le16(&r);
	machine = rd_le16(&r);
	(void)rd_le32(&r);
	h->entry = rd_le32(&r);
	h->phoff = rd_le32(&r);
	h->shoff = rd_le32(&r);
	(void)rd_bytes(&r, 4 + 2);
	h->phentsize = rd_le16(&r);
	h->phnum = rd_le16(&r);
	h->shentsize = rd_le16(&r);
	h->shnum = rd_le16(&r);
	if (r.bad)
		return IMAGE_E_ELF;
	if (machine != EM_386)
		return IMAGE_E_MACHINE;
	return type == ET_EXEC ? IMAGE_OK : IMAGE_E_TYPE;
}

static enum image_error add(struct image_range *list, size_t *count, uint32_t at, struct span bytes)
{
	if (bytes.n == 0)
		return IMAGE_OK;
	if (*count == IMAGE_MAX_RANGES)
		return IMAGE_E_MANY;
	list[(*count)++] = (struct image_range){ at, bytes };
	return IMAGE_OK;
}

struct segment {
	uint32_t vaddr;
	uint32_t paddr;
	uint32_t memsz;
};

/* The image's segments, and `seg` for the translation of section addresses. Executable ones also become code. */
static enum image_error take_segments(struct span file, const struct header *h, struct image *m, struct segment *seg, size_t *seg_count)
{
	struct span table;
	struct rd r;

	if (h->phentsize != PHDR_SIZE || !sub(file, h->phoff, (uint64_t)h->phnum * PHDR_SIZE, &table))
		return IMAGE_E_HEADERS;
	r = rd_init(table);
	for (unsigned i = 0; i < h->phnum; i++) {
		uint32_t type = rd_le32(&r), offset = rd_le32(&r), vaddr = rd_le32(&r), paddr = rd_le32(&r);
		uint32_t filesz = rd_le32(&r), memsz = rd_le32(&r), flags = rd_le32(&r), end;
		struct span bytes;
		enum image_error e;

		(void)rd_le32(&r);
		if (type != PT_LOAD || memsz == 0)
			continue;
		if (filesz > memsz || !sub(file, offset, filesz, &bytes) || __builtin_add_overflow(paddr, memsz, &end))
			return IMAGE_E_SEGMENT;
		if (*seg_count == IMAGE_MAX_RANGES)
			return IMAGE_E_MANY;
		seg[(*seg_count)++] = (struct segment){ vaddr, paddr, memsz };
		e = add(m->segments, &m->segment_count, paddr, bytes);
		if (e == IMAGE_OK && flags & PF_X)
			e = add(m->code, &m->code_count, paddr, bytes);
		if (e != IMAGE_OK)
			return e;
	}
	return m->code_count ? IMAGE_OK : IMAGE_E_NO_CODE;
}

static bool physical(const struct segment *seg, size_t n, uint32_t vaddr, uint32_t *out)
{
	for (size_t i = 0; i < n; i++)
		if (vaddr >= seg[i].vaddr && vaddr - seg[i].vaddr < seg[i].memsz) {
			*out = seg[i].paddr + (vaddr - seg[i].vaddr);
			return true;
		}
	return false;
}

/* Section headers know better than segments what is code; a file need not have any. */
static enum image_error take_sections(
	struct span file, const struct header *h, struct image *m, const struct segment *seg, size_t seg_count)
{
	struct image_range code[IMAGE_MAX_RANGES];
	size_t count = 0;
	struct span table;
	struct rd r;

	if (h->shnum == 0 || h->shoff == 0)
		return IMAGE_OK;
	if (h->shentsize != SHDR_SIZE || !sub(file, h->shoff, (uint64_t)h->shnum * SHDR_SIZE, &table))
		return IMAGE_E_HEADERS;
	r = rd_init(table);
	for (unsigned i = 0; i < h->shnum; i++) {
		uint32_t type, flags, addr, offset, size, at;
		struct span bytes;
		enum image_error e;

		(void)rd_le32(&r);
		type = rd_le32(&r);
		flags = rd_le32(&r);
		addr = rd_le32(&r);
		offset = rd_le32(&r);
		size = rd_le32(&r);
		(void)rd_bytes(&r, 16);
		if (type != SHT_PROGBITS || (flags & (SHF_ALLOC | SHF_EXECINSTR)) != (SHF_ALLOC | SHF_EXECINSTR))
			continue;
		if (!sub(file, offset, size, &bytes) || !physical(seg, seg_count, addr, &at))
			return IMAGE_E_SECTION;
		e = add(code, &count, at, bytes);
		if (e != IMAGE_OK)
			return e;
	}
	if (count) {
		memcpy(m->code, code, sizeof(code));
		m->code_count = count;
	}
	return IMAGE_OK;
}

/* Tags of a multiboot2 header. The entry address tag goes before the ELF header's entry (3.1.7). */
static enum image_error take_tags(struct rd *r, struct image *m)
{
	for (;;) {
		uint16_t type = rd_le16(r);
		uint32_t size;
		struct rd body;

		(void)rd_le16(r);
		size = rd_le32(r);
		if (r->bad || size < 8)
			return IMAGE_E_MULTIBOOT2;
		if (type == MB2_TAG_END)
			return IMAGE_OK;
		body = rd_init(rd_bytes(r, size - 8));
		(void)rd_bytes(r, (0u - size) % MB2_ALIGN);
		if (r->bad)
			return IMAGE_E_MULTIBOOT2;
		if (type == MB2_TAG_ENTRY)
			m->entry = rd_le32(&body);
		if (type == MB2_TAG_RELOCATABLE)
			m->relocatable = true;
		if (body.bad)
			return IMAGE_E_MULTIBOOT2;
	}
}

static enum image_error take_multiboot2(struct span file, struct image *m)
{
	size_t area = file.n < IMAGE_MULTIBOOT2_AREA ? file.n : IMAGE_MULTIBOOT2_AREA;

	for (size_t at = 0; at + MB2_HEADER <= area; at += MB2_ALIGN) {
		struct rd r = rd_init((struct span){ file.p + at, file.n - at });
		uint32_t magic = rd_le32(&r), architecture = rd_le32(&r), length = rd_le32(&r), checksum = rd_le32(&r);
		struct rd tags;

		if (magic != MB2_MAGIC || magic + architecture + length + checksum != 0 || length < MB2_HEADER)
			continue;
		tags = rd_init(rd_bytes(&r, length - MB2_HEADER));
		return r.bad ? IMAGE_E_MULTIBOOT2 : take_tags(&tags, m);
	}
	return IMAGE_OK;
}

/*
 * As our loader takes it (boot/elf.h): an address that is a physical one is no other, though a virtual range may look like it; of several
 * virtual ranges that of the segment with the lowest address counts.
 */
static uint32_t entry_at(const struct segment *seg, size_t n, uint32_t entry)
{
	const struct segment *in = NULL;

	for (size_t i = 0; i < n; i++) {
		if (entry >= seg[i].paddr && entry - seg[i].paddr < seg[i].memsz)
			return entry;
		if (entry >= seg[i].vaddr && entry - seg[i].vaddr < seg[i].memsz && (!in || seg[i].paddr < in->paddr))
			in = &seg[i];
	}
	return in ? in->paddr + (entry - in->vaddr) : entry;
}

enum image_error image_parse(struct span file, struct image *out)
{
	struct segment seg[IMAGE_MAX_RANGES];
	size_t seg_count = 0;
	struct image m = { 0 };
	struct header h;
	enum image_error e = take_header(file, &h);

	if (e == IMAGE_OK)
		e = take_segments(file, &h, &m, seg, &seg_count);
	if (e == IMAGE_OK)
		e = take_sections(file, &h, &m, seg, seg_count);
	if (e != IMAGE_OK)
		return e;
	m.entry = entry_at(seg, seg_count, h.entry);
	e = take_multiboot2(file, &m);
	if (e != IMAGE_OK)
		return e;
	if (image_at(&m, m.entry, 1).n == 0)
		return IMAGE_E_ENTRY;
	*out = m;
	return IMAGE_OK;
}

struct span image_at(const struct image *m, uint64_t at, size_t n)
{
	for (size_t i = 0; i < m->segment_count; i++) {
		const struct image_range *s = &m->segments[i];

		if (at >= s->at && at - s->at < s->bytes.n) {
			size_t left = s->bytes.n - (size_t)(at - s->at);

			return (struct span){ s->bytes.p + (at - s->at), left < n ? left : n };
		}
	}
	return (struct span){ NULL, 0 };
}

const char *image_strerror(enum image_error e)
{
	static const char *const text[IMAGE_ERRORS] = {
		[IMAGE_OK] = "all is well",
		[IMAGE_E_ELF] = "it is no ELF file",
		[IMAGE_E_CLASS] = "it is no 32-bit little-endian ELF file: only 32-bit MLEs are modelled",
		[IMAGE_E_MACHINE] = "it is not for the i386",
		[IMAGE_E_TYPE] = "it is no executable with fixed addresses (ET_EXEC)",
		[IMAGE_E_HEADERS] = "its program or section headers do not lie in the file",
		[IMAGE_E_SEGMENT] = "a segment does not lie in the file or in 4 GiB",
		[IMAGE_E_SECTION] = "a section with code lies in no segment, or not in the file",
		[IMAGE_E_MANY] = "it has more than 64 segments or sections with code",
		[IMAGE_E_NO_CODE] = "it has no executable segment",
		[IMAGE_E_ENTRY] = "its entry lies in no segment",
		[IMAGE_E_MULTIBOOT2] = "its multiboot2 header is malformed",
	};

	return e < IMAGE_ERRORS ? text[e] : "unknown error";
}
