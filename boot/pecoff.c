/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/pecoff.h"

#include <string.h>

#include "boot/align.h"
#include "boot/pecoff_impl.h"
#include "common/cursor.h"

static const char *const messages[PECOFF_ERROR_COUNT] = {
	[PECOFF_OK] = "no error",
	[PECOFF_E_SIZE] = "the PE file is cut off, or larger than 64 MiB",
	[PECOFF_E_MAGIC] = "this is no PE32+ image for x86-64",
	[PECOFF_E_HEADER] = "the PE headers say what cannot be",
	[PECOFF_E_SECTION] = "a PE section leaves the image or overlaps another",
	[PECOFF_E_TWICE] = "the PE image has two sections of one name",
	[PECOFF_E_KIND] = "the PE section is not read-only data that the file holds as a whole",
	[PECOFF_E_SIGNED] = "the PE image is signed already",
	[PECOFF_E_LAYOUT] = "the PE file has bytes between its sections, which a signature would not cover",
	[PECOFF_E_ROOM] = "the PE headers have no room for further sections",
	[PECOFF_E_BUFFER] = "the PE file does not fit the buffer",
	[PECOFF_E_CERTIFICATES] = "the certificate table is not the end of the PE file",
};

const char *pecoff_strerror(enum pecoff_error e)
{
	return (unsigned)e < PECOFF_ERROR_COUNT ? messages[e] : "unknown PE error";
}

static struct span at(struct span image, uint32_t offset)
{
	return offset <= image.n ? (struct span){ image.p + offset, image.n - offset } : (struct span){ NULL, 0 };
}

/* Optional header, 3.4: up to the data directories, of which the fifth (4) is the certificate table. */
static void read_optional(struct rd *r, struct pecoff *pe, uint16_t *magic, uint32_t *directories)
{
	*magic = rd_le16(r);
	(void)rd_bytes(r, PECOFF_DATA_SIZE - 2);
	pe->data_size = rd_le32(r);
	(void)rd_bytes(r, PECOFF_SECTION_ALIGNMENT - PECOFF_DATA_SIZE - 4);
	pe->section_alignment = rd_le32(r);
	pe->file_alignment = rd_le32(r);
	(void)rd_bytes(r, PECOFF_IMAGE_SIZE - PECOFF_SECTION_ALIGNMENT - 8);
	pe->image_size = rd_le32(r);
	pe->headers_size = rd_le32(r);
	(void)rd_bytes(r, PECOFF_DIRECTORY_COUNT - PECOFF_IMAGE_SIZE - 8);
	*directories = rd_le32(r);
	if (*directories > PECOFF_CERTIFICATES) {
		(void)rd_bytes(r, (size_t)PECOFF_CERTIFICATES * 8);
		pe->certificates = pe->optional + (uint32_t)r->off;
		pe->signature_offset = rd_le32(r);
		pe->signature_size = rd_le32(r);
	}
}

static enum pecoff_error read_coff(struct span image, struct pecoff *pe, uint16_t *optional_size)
{
	struct rd r = rd_init(image);
	uint16_t magic = rd_le16(&r), machine;
	struct span signature;

	(void)rd_bytes(&r, PECOFF_OFFSET - 2);
	pe->coff = rd_le32(&r);
	if (r.bad || magic != 0x5a4d)
		return r.bad ? PECOFF_E_SIZE : PECOFF_E_MAGIC;
	r = rd_init(at(image, pe->coff));
	signature = rd_bytes(&r, 4);
	machine = rd_le16(&r);
	if (r.bad)
		return PECOFF_E_SIZE;
	if (!span_equal(signature, (struct span){ (const uint8_t *)"PE\0\0", 4 }) || machine != 0x8664)
		return PECOFF_E_MAGIC;
	pe->coff += 4;
	pe->section_count = rd_le16(&r);
	(void)rd_le32(&r);
	pe->symbols = rd_le32(&r);
	(void)rd_le32(&r);
	*optional_size = rd_le16(&r);
	(void)rd_le16(&r);
	pe->optional = pe->coff + PECOFF_COFF_SIZE;
	pe->table = pe->optional + *optional_size;
	return r.bad ? PECOFF_E_SIZE : PECOFF_OK;
}

enum pecoff_error pecoff_parse(struct span image, struct pecoff *out)
{
	struct pecoff pe = { .section_count = 0 };
	uint16_t optional_size = 0, magic = 0;
	uint32_t directories = 0;
	enum pecoff_error e = PECOFF_E_SIZE;
	struct rd r;

	if (image.n <= PECOFF_MAX_SIZE)
		e = read_coff(image, &pe, &optional_size);
	if (e != PECOFF_OK)
		return e;
	r = rd_init(at(image, pe.optional));
	r = rd_init(rd_bytes(&r, optional_size));
	read_optional(&r, &pe, &magic, &directories);
	if (r.bad)
		return PECOFF_E_SIZE;
	if (magic != 0x20b)
		return PECOFF_E_MAGIC;
	if (pe.section_count == 0 || pe.section_count > PECOFF_MAX_SECTIONS || directories > 16 ||
		optional_size < PECOFF_DIRECTORY_COUNT + 4 + directories * 8 || !align_is_power(pe.section_alignment) ||
		!align_is_power(pe.file_alignment) || pe.file_alignment > pe.section_alignment || pe.section_alignment > PECOFF_MAX_SIZE ||
		pe.image_size > PECOFF_MAX_SIZE || pe.headers_size > pe.image_size)
		return PECOFF_E_HEADER;
	if (pe.table > image.n || pe.headers_size > image.n || pe.table > pe.headers_size ||
		pe.headers_size - pe.table < pe.section_count * PECOFF_SECTION_SIZE)
		return PECOFF_E_SIZE;
	*out = pe;
	return PECOFF_OK;
}

bool pecoff_section(struct span image, const struct pecoff *pe, unsigned i, struct pecoff_section *out)
{
	struct rd r;
	struct pecoff_section s;
	struct span name;

	if (i >= pe->section_count)
		return false;
	r = rd_init(at(image, pe->table + i * PECOFF_SECTION_SIZE));
	name = rd_bytes(&r, PECOFF_NAME_SIZE);
	s.virtual_size = rd_le32(&r);
	s.address = rd_le32(&r);
	s.raw_size = rd_le32(&r);
	s.raw_offset = rd_le32(&r);
	(void)rd_bytes(&r, 12);
	s.characteristics = rd_le32(&r);
	if (r.bad || !name.p)
		return false;
	memcpy(s.name, name.p, sizeof(s.name));
	*out = s;
	return true;
}

static bool is_named(const struct pecoff_section *s, const char *name)
{
	struct span want = span_str(name);
	size_t n = 0;

	while (n < sizeof(s->name) && s->name[n])
		n++;
	return span_equal((struct span){ s->name, n }, want);
}

/* What it takes of memory or of the file. */
static void range_of(const struct pecoff_section *s, enum pecoff_view view, uint64_t *from, uint64_t *to)
{
	uint32_t size = s->virtual_size > s->raw_size ? s->virtual_size : s->raw_size;

	*from = view == PECOFF_FILE ? s->raw_offset : s->address;
	*to = *from + (view == PECOFF_FILE ? s->raw_size : size);
}

static enum pecoff_error check_range(
	struct span image, const struct pecoff *pe, enum pecoff_view view, unsigned which, const struct pecoff_section *s)
{
	uint64_t from, to, other_from, other_to;
	struct pecoff_section other;

	range_of(s, view, &from, &to);
	if (from < pe->headers_size || to > (view == PECOFF_FILE ? image.n : pe->image_size) || from + s->virtual_size > image.n)
		return PECOFF_E_SECTION;
	for (unsigned i = 0; i < pe->section_count; i++) {
		if (i == which)
			continue;
		if (!pecoff_section(image, pe, i, &other))
			return PECOFF_E_SIZE;
		range_of(&other, view, &other_from, &other_to);
		/* One that takes nothing is nowhere. */
		if (other_from != other_to && from < other_to && other_from < to)
			return PECOFF_E_SECTION;
	}
	return PECOFF_OK;
}

enum pecoff_error pecoff_find(struct span image, const struct pecoff *pe, enum pecoff_view view, const char *name, struct span *out)
{
	struct pecoff_section s, found = { .raw_size = 0 };
	unsigned which = pe->section_count;
	enum pecoff_error e;

	for (unsigned i = 0; i < pe->section_count; i++) {
		if (!pecoff_section(image, pe, i, &s))
			return PECOFF_E_SIZE;
		if (!is_named(&s, name))
			continue;
		if (which != pe->section_count)
			return PECOFF_E_TWICE;
		which = i;
		found = s;
	}
	if (which == pe->section_count) {
		*out = (struct span){ NULL, 0 };
		return PECOFF_OK;
	}
	if ((found.characteristics & (PECOFF_INITIALIZED_DATA | PECOFF_READ | PECOFF_WRITE | PECOFF_EXECUTE | PECOFF_DISCARDABLE)) !=
			(PECOFF_INITIALIZED_DATA | PECOFF_READ) ||
		found.virtual_size == 0 || found.virtual_size > found.raw_size)
		return PECOFF_E_KIND;
	e = check_range(image, pe, view, which, &found);
	if (e == PECOFF_OK)
		*out = (struct span){ image.p + (view == PECOFF_FILE ? found.raw_offset : found.address), found.virtual_size };
	return e;
}
