/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "boot/pecoff.h"
#include "boot/pecoff_impl.h"
#include "common/cursor.h"

static uint32_t align(uint64_t v, uint32_t alignment)
{
	/* At most PECOFF_MAX_SIZE both, so this fits. */
	return (uint32_t)((v + alignment - 1) & ~((uint64_t)alignment - 1));
}

/*
 * The ends of what is there, in memory and in the file. An Authenticode hash takes headers and sections and then everything behind the sum
 * of their sizes: only if they follow one another without a gap does it take every byte once.
 */
static enum pecoff_error find_ends(struct span file, const struct pecoff *pe, uint64_t *memory_end, uint32_t *file_end)
{
	uint64_t end = pe->headers_size;

	*memory_end = pe->headers_size;
	for (unsigned i = 0; i < pe->section_count; i++) {
		struct pecoff_section s;

		if (!pecoff_section(file, pe, i, &s))
			return PECOFF_E_SIZE;
		if (s.address > PECOFF_MAX_SIZE || s.virtual_size > PECOFF_MAX_SIZE || s.raw_size > PECOFF_MAX_SIZE)
			return PECOFF_E_SECTION;
		if (s.address < *memory_end)
			return PECOFF_E_SECTION;
		*memory_end = (uint64_t)s.address + (s.virtual_size > s.raw_size ? s.virtual_size : s.raw_size);
		if (s.raw_size == 0)
			continue;
		if (s.raw_offset != end)
			return PECOFF_E_LAYOUT;
		end += s.raw_size;
		if (end > file.n)
			return PECOFF_E_SIZE;
	}
	*file_end = (uint32_t)end;
	return *memory_end <= PECOFF_MAX_SIZE ? PECOFF_OK : PECOFF_E_SECTION;
}

static bool all_zero(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i])
			return false;
	return true;
}

static enum pecoff_error check(
	struct span file, const struct pecoff *pe, const struct pecoff_new_section *sections, size_t count, uint32_t file_end)
{
	uint32_t table_end = pe->table + pe->section_count * PECOFF_SECTION_SIZE;
	struct span there;

	if (pe->signature_offset || pe->signature_size)
		return PECOFF_E_SIGNED;
	if (pe->symbols && pe->symbols < file_end)
		return PECOFF_E_LAYOUT;
	if (count > PECOFF_MAX_SECTIONS - pe->section_count || pe->headers_size - table_end < count * PECOFF_SECTION_SIZE ||
		!all_zero((struct span){ file.p + table_end, count * PECOFF_SECTION_SIZE }))
		return PECOFF_E_ROOM;
	for (size_t i = 0; i < count; i++) {
		size_t name = span_str(sections[i].name).n;
		enum pecoff_error e;

		if (name == 0 || name > PECOFF_NAME_SIZE || sections[i].bytes.n == 0 || sections[i].bytes.n > PECOFF_MAX_SIZE)
			return PECOFF_E_KIND;
		e = pecoff_find(file, pe, PECOFF_FILE, sections[i].name, &there);
		if (e != PECOFF_OK || there.n)
			return PECOFF_E_TWICE;
	}
	return PECOFF_OK;
}

static void put_section(
	struct mspan out, uint32_t offset, const struct pecoff_new_section *s, uint32_t address, uint32_t raw_size, uint32_t raw_offset)
{
	struct wr w = wr_init((struct mspan){ out.p + offset, PECOFF_SECTION_SIZE });
	struct span name = span_str(s->name);

	wr_bytes(&w, name);
	for (size_t i = name.n; i < PECOFF_NAME_SIZE; i++)
		wr_u8(&w, 0);
	wr_le32(&w, (uint32_t)s->bytes.n);
	wr_le32(&w, address);
	wr_le32(&w, raw_size);
	wr_le32(&w, raw_offset);
	wr_le(&w, 0, 8);
	wr_le32(&w, 0);
	wr_le32(&w, PECOFF_INITIALIZED_DATA | PECOFF_READ);
}

/* The image checksum (ImageHlp, CheckSumMappedFile()): a sum of 16-bit words with the carries added, and the file's length. */
static uint32_t checksum(struct span file)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < file.n; i += 2) {
		sum += (uint32_t)(file.p[i] | (i + 1 < file.n ? file.p[i + 1] : 0) << 8);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum + (uint32_t)file.n;
}

enum pecoff_error pecoff_append(struct span file, const struct pecoff_new_section *sections, size_t count, struct mspan out, size_t *n)
{
	uint32_t file_end = 0, raw = 0, added = 0;
	uint64_t memory = 0, total;
	struct pecoff pe;
	enum pecoff_error e = pecoff_parse(file, &pe);

	if (e == PECOFF_OK)
		e = find_ends(file, &pe, &memory, &file_end);
	if (e == PECOFF_OK)
		e = check(file, &pe, sections, count, file_end);
	if (e != PECOFF_OK)
		return e;
	/* Each at most PECOFF_MAX_SIZE, and not more of them than a header has room for. */
	total = file.n;
	for (size_t i = 0; i < count; i++)
		total += align(sections[i].bytes.n, pe.file_alignment);
	if (total > PECOFF_MAX_SIZE)
		return PECOFF_E_SIZE;
	if (!out.p) {
		*n = (size_t)total;
		return PECOFF_OK;
	}
	if (total > out.n)
		return PECOFF_E_BUFFER;
	memcpy(out.p, file.p, file_end);
	raw = file_end;
	for (size_t i = 0; i < count; i++) {
		uint32_t size = align(sections[i].bytes.n, pe.file_alignment), address = align(memory, pe.section_alignment);

		if ((uint64_t)address + size > PECOFF_MAX_SIZE)
			return PECOFF_E_SIZE;
		put_section(out, pe.table + (pe.section_count + (uint32_t)i) * PECOFF_SECTION_SIZE, &sections[i], address, size, raw);
		memcpy(out.p + raw, sections[i].bytes.p, sections[i].bytes.n);
		memset(out.p + raw + sections[i].bytes.n, 0, size - sections[i].bytes.n);
		raw += size;
		added += size;
		memory = (uint64_t)address + size;
	}
	memcpy(out.p + raw, file.p + file_end, file.n - file_end);
	put_le(out.p + pe.coff + PECOFF_SECTION_COUNT, pe.section_count + count, 2);
	if (pe.symbols)
		put_le(out.p + pe.coff + PECOFF_SYMBOLS, pe.symbols + added, 4);
	put_le(out.p + pe.optional + PECOFF_DATA_SIZE, pe.data_size + added, 4);
	put_le(out.p + pe.optional + PECOFF_IMAGE_SIZE, align(memory, pe.section_alignment), 4);
	put_le(out.p + pe.optional + PECOFF_CHECKSUM, 0, 4);
	put_le(out.p + pe.optional + PECOFF_CHECKSUM, checksum((struct span){ out.p, (size_t)total }), 4);
	*n = (size_t)total;
	return PECOFF_OK;
}
