/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/multiboot2_header.h"

#include "boot/align.h"
#include "common/cursor.h"

#define HEADER_FIXED 16 /* magic, architecture, header_length, checksum */
#define TAG_FIXED 8     /* type, flags, size */
#define FLAG_OPTIONAL 1u

const char *mb2_header_strerror(enum mb2_header_error e)
{
	static const char *const texts[MB2_HEADER_ERROR_COUNT] = {
		[MB2_HEADER_OK] = "no error",
		[MB2_HEADER_E_NONE] = "no multiboot2 header in its first 32 KiB",
		[MB2_HEADER_E_ARCHITECTURE] = "its multiboot2 header is not for x86",
		[MB2_HEADER_E_LENGTH] = "its multiboot2 header is longer than the file, or than the 32 KiB that it must lie in",
		[MB2_HEADER_E_TAG_SIZE] = "a tag of its multiboot2 header has an invalid size",
		[MB2_HEADER_E_TWICE] = "a tag of its multiboot2 header occurs twice",
		[MB2_HEADER_E_END] = "its multiboot2 header has no end tag",
		[MB2_HEADER_E_UNKNOWN] = "its multiboot2 header needs something that is unknown here",
		[MB2_HEADER_E_REQUEST] = "its multiboot2 header requires information that is unknown here",
		[MB2_HEADER_E_RELOCATABLE] = "its multiboot2 header wants to be relocated in an impossible way",
	};

	return texts[(size_t)e < MB2_HEADER_ERROR_COUNT ? e : MB2_HEADER_E_NONE];
}

/* Least content of each tag, behind its type, flags and size: 3.1.5 to 3.1.13. */
/* clang-format off */
static const uint8_t content_size[MB2_HEADER_TAG_COUNT] = {
	[MB2_HEADER_ADDRESS] = 16, [MB2_HEADER_ENTRY] = 4, [MB2_HEADER_CONSOLE] = 4, [MB2_HEADER_FRAMEBUFFER] = 12,
	[MB2_HEADER_ENTRY_EFI32] = 4, [MB2_HEADER_ENTRY_EFI64] = 4, [MB2_HEADER_RELOCATABLE] = 16,
};
/* clang-format on */

static enum mb2_header_error read_request(struct rd *r, bool optional, struct mb2_header *h)
{
	while (rd_left(r) >= 4) {
		uint32_t type = rd_le32(r);

		if (type >= 32 && !optional)
			return MB2_HEADER_E_REQUEST;
		if (type < 32)
			*(optional ? &h->wished : &h->required) |= (uint32_t)1 << type;
	}
	return MB2_HEADER_OK;
}

static enum mb2_header_error read_relocatable(struct rd *r, struct mb2_header *h)
{
	uint32_t preference;

	h->relocatable.min = rd_le32(r);
	h->relocatable.max = rd_le32(r);
	h->relocatable.align = rd_le32(r);
	preference = rd_le32(r);
	if (!align_is_power(h->relocatable.align) || h->relocatable.min > h->relocatable.max || preference > MB2_PREFER_HIGH)
		return MB2_HEADER_E_RELOCATABLE;
	h->relocatable.preference = (enum mb2_preference)preference;
	return MB2_HEADER_OK;
}

static enum mb2_header_error read_tag(uint16_t type, uint16_t flags, struct span content, struct mb2_header *h)
{
	bool optional = (flags & FLAG_OPTIONAL) != 0;
	struct rd r = rd_init(content);

	if (type >= MB2_HEADER_TAG_COUNT)
		return optional ? MB2_HEADER_OK : MB2_HEADER_E_UNKNOWN;
	if (content.n < content_size[type])
		return MB2_HEADER_E_TAG_SIZE;
	/* Only requests may come again: one tag of required ones, one of wished ones. */
	if (type != MB2_HEADER_REQUEST && mb2_header_has(h, type))
		return MB2_HEADER_E_TWICE;
	h->tags |= (uint32_t)1 << type;
	switch ((enum mb2_header_tag)type) {
	case MB2_HEADER_REQUEST:
		return read_request(&r, optional, h);
	case MB2_HEADER_RELOCATABLE:
		return read_relocatable(&r, h);
	case MB2_HEADER_ADDRESS:
		h->address.header = rd_le32(&r);
		h->address.load = rd_le32(&r);
		h->address.load_end = rd_le32(&r);
		h->address.bss_end = rd_le32(&r);
		break;
	case MB2_HEADER_ENTRY:
		h->entry = rd_le32(&r);
		break;
	case MB2_HEADER_ENTRY_EFI32:
		h->entry_efi32 = rd_le32(&r);
		break;
	case MB2_HEADER_ENTRY_EFI64:
		h->entry_efi64 = rd_le32(&r);
		break;
	case MB2_HEADER_CONSOLE:
		h->console_required = (rd_le32(&r) & 1) != 0;
		break;
	default: /* being there is all they say; a wished video mode is nobody's promise */
		break;
	}
	return MB2_HEADER_OK;
}

static enum mb2_header_error read_tags(struct span tags, struct mb2_header *h)
{
	struct rd r = rd_init(tags);

	for (;;) {
		uint16_t type = rd_le16(&r), flags = rd_le16(&r);
		uint32_t size = rd_le32(&r);
		enum mb2_header_error e;
		struct span content;

		if (r.bad)
			return MB2_HEADER_E_END;
		if (size < TAG_FIXED)
			return MB2_HEADER_E_TAG_SIZE;
		content = rd_bytes(&r, size - TAG_FIXED);
		if (r.bad)
			return MB2_HEADER_E_TAG_SIZE;
		if (type == MB2_HEADER_END)
			return MB2_HEADER_OK;
		e = read_tag(type, flags, content, h);
		if (e != MB2_HEADER_OK)
			return e;
		/* The padding of the last tag may be missing; then there is no end tag either. */
		(void)rd_bytes(&r, (size_t)-size % MB2_HEADER_ALIGN);
	}
}

enum mb2_header_error mb2_header_parse(struct span file, struct mb2_header *out)
{
	size_t end = file.n < MB2_HEADER_SEARCH ? file.n : MB2_HEADER_SEARCH;

	for (size_t at = 0; at + HEADER_FIXED <= end; at += MB2_HEADER_ALIGN) {
		struct rd r = rd_init((struct span){ file.p + at, HEADER_FIXED });
		uint32_t magic = rd_le32(&r), architecture = rd_le32(&r), length = rd_le32(&r), checksum = rd_le32(&r);
		struct mb2_header h = { .offset = at };
		enum mb2_header_error e;

		if (magic != MB2_HEADER_MAGIC || (uint32_t)(magic + architecture + length + checksum) != 0)
			continue;
		if (architecture != 0)
			return MB2_HEADER_E_ARCHITECTURE;
		if (length < HEADER_FIXED || length > end - at)
			return MB2_HEADER_E_LENGTH;
		e = read_tags((struct span){ file.p + at + HEADER_FIXED, length - HEADER_FIXED }, &h);
		if (e == MB2_HEADER_OK)
			*out = h;
		return e;
	}
	return MB2_HEADER_E_NONE;
}
