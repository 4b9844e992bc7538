/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/pe.h"

#include <string.h>

#include "common/cursor.h"

/* MS-DOS stub: "MZ", and at 0x3c where the PE signature is (3.1, 3.2) */
#define DOS_MAGIC 0x5a4d
#define DOS_PE 0x3c
#define PE_MAGIC 0x00004550u
/* COFF file header (3.3), optional header (3.4.1, 3.4.2), section table (4) */
#define MACHINE_AMD64 0x8664
#define OPTIONAL_MAGIC_64 0x20b
#define OPTIONAL_MIN 72 /* up to the subsystem's end */
#define SECTION_SIZE 40
#define SECTION_NAME 8
#define SECTION_CODE 0x00000020u
#define SECTION_EXECUTE 0x20000000u
/* EFI application, boot service driver, runtime driver */
#define SUBSYSTEM_FIRST 10
#define SUBSYSTEM_LAST 12

struct headers {
	struct span optional, sections;
	uint16_t machine, section_count;
};

static enum pe_error take_headers(struct span head, struct headers *h)
{
	struct rd r = rd_init(head), file;
	uint32_t at;
	uint16_t optional;

	if (rd_le16(&r) != DOS_MAGIC)
		return PE_E_NONE;
	(void)rd_bytes(&r, DOS_PE - 2);
	at = rd_le32(&r);
	if (r.bad || at > head.n)
		return PE_E_NONE;
	file = rd_init((struct span){ head.p + at, head.n - at });
	if (rd_le32(&file) != PE_MAGIC)
		return PE_E_NONE;
	h->machine = rd_le16(&file);
	h->section_count = rd_le16(&file);
	(void)rd_bytes(&file, 4 + 4 + 4); /* time, symbols */
	optional = rd_le16(&file);
	(void)rd_le16(&file); /* characteristics */
	h->optional = rd_bytes(&file, optional);
	if (file.bad)
		return PE_E_NONE;
	h->sections = rd_bytes(&file, (size_t)h->section_count * SECTION_SIZE);
	return file.bad ? PE_E_SECTIONS : PE_OK;
}

static enum pe_error take_optional(struct span bytes, struct pe *pe)
{
	struct rd r = rd_init(bytes);
	uint16_t magic = rd_le16(&r), subsystem;

	if (bytes.n < OPTIONAL_MIN || magic != OPTIONAL_MAGIC_64)
		return PE_E_OPTIONAL;
	(void)rd_bytes(&r, 2 + 4 + 4 + 4); /* linker, sizes of code and data */
	pe->entry = rd_le32(&r);
	(void)rd_bytes(&r, 4 + 8 + 4 + 4 + 6 * 2 + 4); /* bases, alignments, versions */
	pe->size = rd_le32(&r);
	(void)rd_bytes(&r, 4 + 4); /* size of headers, checksum */
	subsystem = rd_le16(&r);
	if (r.bad)
		return PE_E_OPTIONAL;
	if (subsystem < SUBSYSTEM_FIRST || subsystem > SUBSYSTEM_LAST)
		return PE_E_SUBSYSTEM;
	return pe->size == 0 || pe->size > PE_MAX_IMAGE || pe->entry >= pe->size ? PE_E_SIZE : PE_OK;
}

static enum pe_error take_sections(const struct headers *h, struct pe *pe)
{
	struct rd r = rd_init(h->sections);

	for (unsigned i = 0; i < h->section_count; i++) {
		uint32_t memory, at, file, flags;

		(void)rd_bytes(&r, SECTION_NAME);
		memory = rd_le32(&r);
		at = rd_le32(&r);
		file = rd_le32(&r);
		(void)rd_bytes(&r, 4 + 4 + 4 + 2 + 2);
		flags = rd_le32(&r);
		/* Tools that leave the size in memory 0 mean the one in the file. */
		if (memory == 0)
			memory = file;
		if (!(flags & (SECTION_CODE | SECTION_EXECUTE)) || memory == 0)
			continue;
		if (at > pe->size || memory > pe->size - at)
			return PE_E_SECTIONS;
		if (pe->code_count == IMAGE_MAX_RANGES)
			return PE_E_MANY;
		pe->code[pe->code_count++] = (struct pe_range){ at, memory };
	}
	return r.bad ? PE_E_SECTIONS : pe->code_count ? PE_OK : PE_E_NO_CODE;
}

enum pe_error pe_parse(struct span head, struct pe *out)
{
	struct headers h = { 0 };
	struct pe pe = { 0 };
	enum pe_error e;

	if (head.n > PE_HEADERS)
		head.n = PE_HEADERS;
	e = take_headers(head, &h);
	if (e == PE_OK && h.machine != MACHINE_AMD64)
		e = PE_E_MACHINE;
	if (e == PE_OK)
		e = take_optional(h.optional, &pe);
	if (e == PE_OK)
		e = take_sections(&h, &pe);
	if (e == PE_OK)
		*out = pe;
	return e;
}

bool pe_has_code(const struct pe *pe, uint64_t offset)
{
	for (size_t i = 0; i < pe->code_count; i++)
		if (offset >= pe->code[i].at && offset - pe->code[i].at < pe->code[i].size)
			return true;
	return false;
}

enum pe_error pe_find(const struct txt_memory *m, uint64_t at, struct pe_found *out)
{
	uint64_t page = at & ~(uint64_t)(PE_PAGE - 1);
	enum pe_error nearest = PE_E_NONE;

	for (uint64_t back = 0; back <= PE_LOOK_BACK && back <= page; back += PE_PAGE) {
		uint8_t magic[2], head[PE_HEADERS];
		enum pe_error e;
		struct pe pe;

		if (!m->read(m->ctx, page - back, (struct mspan){ magic, sizeof(magic) }))
			break;
		if (magic[0] != 'M' || magic[1] != 'Z' || !m->read(m->ctx, page - back, (struct mspan){ head, sizeof(head) }))
			continue;
		e = pe_parse(SPAN_OF(head), &pe);
		if (e == PE_OK && pe_has_code(&pe, at - (page - back))) {
			out->base = page - back;
			out->pe = pe;
			memcpy(out->head, head, sizeof(head));
			return PE_OK;
		}
		if (nearest == PE_E_NONE && e != PE_OK)
			nearest = e;
	}
	return nearest;
}

const char *pe_strerror(enum pe_error e)
{
	static const char *const text[PE_ERRORS] = {
		[PE_OK] = "all is well",
		[PE_E_NONE] = "there are no PE headers",
		[PE_E_MACHINE] = "it is not for x86-64",
		[PE_E_OPTIONAL] = "its optional header is too short or none of a 64-bit image",
		[PE_E_SUBSYSTEM] = "it is no EFI application or driver",
		[PE_E_SIZE] = "its size is 0 or above 64 MiB, or its entry lies outside",
		[PE_E_SECTIONS] = "its section table or a section with code does not lie in it",
		[PE_E_MANY] = "it has more than 64 sections with code",
		[PE_E_NO_CODE] = "it has no section with code",
	};

	return e < PE_ERRORS ? text[e] : "unknown error";
}
