/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/multiboot2_info.h"

#include "boot/efi_memory.h"

#define MMAP_FIXED 8     /* entry size, entry version */
#define EFI_MMAP_FIXED 8 /* descriptor size, descriptor version */
#define BASE_MEMORY_MAP_VERSION 0

static_assert(MB2_MMAP_ENTRY == 8 + 8 + 4 + 4, "base, length, type, reserved");

/* ---------------------------------------------------------------- writer */

/* Patches the total size in, which is known at the end only. */
static void patch_size(struct mb2_writer *m)
{
	struct wr head = wr_init((struct mspan){ m->w.s.p, 4 });

	if (m->w.s.p)
		wr_le32(&head, (uint32_t)m->w.off);
}

void mb2_begin(struct mb2_writer *m, struct mspan buf)
{
	m->w = wr_init(buf);
	m->w.bad = !buf.p;
	wr_le64(&m->w, 0);
}

void mb2_begin_measure(struct mb2_writer *m)
{
	m->w = wr_measure();
	wr_le64(&m->w, 0);
}

bool mb2_end(struct mb2_writer *m, size_t *n)
{
	mb2_put(m, MB2_END, (struct span){ NULL, 0 });
	if (m->w.bad || m->w.off > UINT32_MAX)
		return false;
	patch_size(m);
	*n = m->w.off;
	return true;
}

static void begin_tag(struct mb2_writer *m, uint32_t type, size_t content)
{
	if (content > UINT32_MAX - MB2_TAG_FIXED)
		m->w.bad = true;
	wr_le32(&m->w, type);
	wr_le32(&m->w, (uint32_t)(MB2_TAG_FIXED + content));
}

static void end_tag(struct mb2_writer *m)
{
	wr_le(&m->w, 0, (size_t)-m->w.off % MB2_ALIGN);
}

void mb2_put(struct mb2_writer *m, uint32_t type, struct span content)
{
	begin_tag(m, type, content.n);
	wr_bytes(&m->w, content);
	end_tag(m);
}

/* Text, its NUL. */
static void put_text(struct mb2_writer *m, struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == 0)
			m->w.bad = true;
	wr_bytes(&m->w, text);
	wr_u8(&m->w, 0);
}

static void put_text_tag(struct mb2_writer *m, uint32_t type, struct span text)
{
	begin_tag(m, type, text.n + 1);
	put_text(m, text);
	end_tag(m);
}

void mb2_put_cmdline(struct mb2_writer *m, struct span text)
{
	put_text_tag(m, MB2_CMDLINE, text);
}

void mb2_put_loader_name(struct mb2_writer *m, struct span text)
{
	put_text_tag(m, MB2_LOADER_NAME, text);
}

void mb2_put_module(struct mb2_writer *m, const struct mb2_module *module)
{
	if (module->end < module->start)
		m->w.bad = true;
	begin_tag(m, MB2_MODULE, 8 + module->string.n + 1);
	wr_le32(&m->w, module->start);
	wr_le32(&m->w, module->end);
	put_text(m, module->string);
	end_tag(m);
}

void mb2_put_basic_meminfo(struct mb2_writer *m, uint32_t lower, uint32_t upper)
{
	begin_tag(m, MB2_BASIC_MEMINFO, 8);
	wr_le32(&m->w, lower);
	wr_le32(&m->w, upper);
	end_tag(m);
}

void mb2_put_mmap(struct mb2_writer *m, const struct mb2_memory *entries, size_t count)
{
	if (count > UINT32_MAX / MB2_MMAP_ENTRY - 1) {
		m->w.bad = true;
		return;
	}
	begin_tag(m, MB2_MMAP, MMAP_FIXED + count * MB2_MMAP_ENTRY);
	wr_le32(&m->w, MB2_MMAP_ENTRY);
	wr_le32(&m->w, BASE_MEMORY_MAP_VERSION);
	for (size_t i = 0; i < count; i++) {
		wr_le64(&m->w, entries[i].base);
		wr_le64(&m->w, entries[i].size);
		wr_le32(&m->w, entries[i].type);
		wr_le32(&m->w, 0);
	}
	end_tag(m);
}

void mb2_put_framebuffer(struct mb2_writer *m, const struct mb2_framebuffer *f)
{
	bool rgb = f->type == MB2_FRAMEBUFFER_RGB;

	/* A palette would have to follow. */
	if (f->type == MB2_FRAMEBUFFER_INDEXED)
		m->w.bad = true;
	begin_tag(m, MB2_FRAMEBUFFER, 24 + (rgb ? 6 : 0));
	wr_le64(&m->w, f->address);
	wr_le32(&m->w, f->pitch);
	wr_le32(&m->w, f->width);
	wr_le32(&m->w, f->height);
	wr_u8(&m->w, f->bits);
	wr_u8(&m->w, f->type);
	/* u16 in the specification's multiboot2.h, which loaders and kernels follow, u8 in the text of 3.6.12. */
	wr_le16(&m->w, 0);
	if (rgb) {
		wr_u8(&m->w, f->red.position);
		wr_u8(&m->w, f->red.size);
		wr_u8(&m->w, f->green.position);
		wr_u8(&m->w, f->green.size);
		wr_u8(&m->w, f->blue.position);
		wr_u8(&m->w, f->blue.size);
	}
	end_tag(m);
}

/* Bytes of the number in a tag that holds one, 0 for the others. */
static size_t number_size(uint32_t type)
{
	/* clang-format off */
	static const uint8_t sizes[] = {
		[MB2_EFI32] = 4, [MB2_EFI64] = 8, [MB2_EFI32_IMAGE] = 4, [MB2_EFI64_IMAGE] = 8, [MB2_LOAD_BASE] = 4,
	};
	/* clang-format on */

	return type < GL_COUNT(sizes) ? sizes[type] : 0;
}

void mb2_put_number(struct mb2_writer *m, enum mb2_tag_type type, uint64_t value)
{
	size_t size = number_size(type);

	if (size == 0 || (size == 4 && value > UINT32_MAX))
		m->w.bad = true;
	begin_tag(m, type, size);
	wr_le(&m->w, value, size);
	end_tag(m);
}

void mb2_put_efi_mmap(struct mb2_writer *m, uint32_t descriptor_size, uint32_t descriptor_version, struct span map)
{
	if (map.n > UINT32_MAX / 2) {
		m->w.bad = true;
		return;
	}
	begin_tag(m, MB2_EFI_MMAP, EFI_MMAP_FIXED + map.n);
	wr_le32(&m->w, descriptor_size);
	wr_le32(&m->w, descriptor_version);
	wr_bytes(&m->w, map);
	end_tag(m);
}

/* ---------------------------------------------------------------- reader */

const char *mb2_info_strerror(enum mb2_info_error e)
{
	static const char *const texts[MB2_INFO_ERROR_COUNT] = {
		[MB2_INFO_OK] = "no error",
		[MB2_INFO_E_SIZE] = "the multiboot2 information has an invalid size",
		[MB2_INFO_E_TAG] = "a tag of the multiboot2 information has an invalid size",
		[MB2_INFO_E_END] = "the multiboot2 information has no end tag",
	};

	return texts[(size_t)e < MB2_INFO_ERROR_COUNT ? e : MB2_INFO_E_SIZE];
}

uint32_t mb2_info_size(struct span first)
{
	struct rd r = rd_init(first);
	uint32_t size = rd_le32(&r);

	return first.n < MB2_FIXED ? 0 : size;
}

/* The tag at the reader, which then stands at the next one. */
static bool read_tag(struct rd *r, struct mb2_tag *out)
{
	uint32_t type = rd_le32(r), size = rd_le32(r);

	if (r->bad || size < MB2_TAG_FIXED || size - MB2_TAG_FIXED > rd_left(r))
		return false;
	*out = (struct mb2_tag){ type, rd_bytes(r, size - MB2_TAG_FIXED) };
	/* A last tag without its padding is no harm; what comes next does not fit then. */
	(void)rd_bytes(r, (size_t)-r->off % MB2_ALIGN);
	return true;
}

enum mb2_info_error mb2_info_open(struct span bytes, struct mb2_info *out)
{
	size_t total = mb2_info_size(bytes);
	struct mb2_tag t;
	struct rd r;

	if (total < MB2_FIXED + MB2_TAG_FIXED || total > bytes.n)
		return MB2_INFO_E_SIZE;
	r = rd_init((struct span){ bytes.p + MB2_FIXED, total - MB2_FIXED });
	for (;;) {
		size_t at = r.off;

		if (rd_left(&r) < MB2_TAG_FIXED)
			return MB2_INFO_E_END;
		if (!read_tag(&r, &t))
			return MB2_INFO_E_TAG;
		if (t.type == MB2_END) {
			*out = (struct mb2_info){ { r.s.p, at } };
			return MB2_INFO_OK;
		}
	}
}

bool mb2_next(struct mb2_tags *it, struct mb2_tag *out)
{
	struct rd r = rd_init(it->info->tags);

	r.off = it->off;
	if (it->off >= it->info->tags.n || !read_tag(&r, out))
		return false;
	it->off = r.off;
	return true;
}

bool mb2_find(const struct mb2_info *info, uint32_t type, struct mb2_tag *out)
{
	struct mb2_tags it = { .info = info };
	struct mb2_tag t;

	while (mb2_next(&it, &t))
		if (t.type == type) {
			*out = t;
			return true;
		}
	return false;
}

/* Bytes up to the NUL, which must be there. */
static bool text_of(struct span content, struct span *out)
{
	for (size_t i = 0; i < content.n; i++)
		if (content.p[i] == 0) {
			*out = (struct span){ content.p, i };
			return true;
		}
	return false;
}

bool mb2_get_text(const struct mb2_tag *t, struct span *out)
{
	return (t->type == MB2_CMDLINE || t->type == MB2_LOADER_NAME) && text_of(t->content, out);
}

bool mb2_get_module(const struct mb2_tag *t, struct mb2_module *out)
{
	struct rd r = rd_init(t->content);
	struct mb2_module m;

	m.start = rd_le32(&r);
	m.end = rd_le32(&r);
	if (t->type != MB2_MODULE || m.end < m.start || !text_of(rd_bytes(&r, rd_left(&r)), &m.string))
		return false;
	*out = m;
	return true;
}

bool mb2_get_basic_meminfo(const struct mb2_tag *t, uint32_t *lower, uint32_t *upper)
{
	struct rd r = rd_init(t->content);
	uint32_t l = rd_le32(&r), u = rd_le32(&r);

	if (t->type != MB2_BASIC_MEMINFO || r.bad)
		return false;
	*lower = l;
	*upper = u;
	return true;
}

bool mb2_get_number(const struct mb2_tag *t, uint64_t *out)
{
	size_t size = number_size(t->type);
	struct rd r = rd_init(t->content);
	uint64_t v = rd_le(&r, size);

	if (size == 0 || r.bad)
		return false;
	*out = v;
	return true;
}

bool mb2_get_framebuffer(const struct mb2_tag *t, struct mb2_framebuffer *out)
{
	struct rd r = rd_init(t->content);
	struct mb2_framebuffer f = { 0 };

	f.address = rd_le64(&r);
	f.pitch = rd_le32(&r);
	f.width = rd_le32(&r);
	f.height = rd_le32(&r);
	f.bits = rd_u8(&r);
	f.type = rd_u8(&r);
	(void)rd_le16(&r);
	if (f.type == MB2_FRAMEBUFFER_RGB) {
		f.red.position = rd_u8(&r);
		f.red.size = rd_u8(&r);
		f.green.position = rd_u8(&r);
		f.green.size = rd_u8(&r);
		f.blue.position = rd_u8(&r);
		f.blue.size = rd_u8(&r);
	}
	if (t->type != MB2_FRAMEBUFFER || r.bad)
		return false;
	*out = f;
	return true;
}

bool mb2_get_mmap(const struct mb2_tag *t, struct mb2_mmap *out)
{
	struct rd r = rd_init(t->content);
	size_t size = rd_le32(&r);

	(void)rd_le32(&r); /* entry version: later ones only add to the end of an entry */
	if (t->type != MB2_MMAP || r.bad || size < MB2_MMAP_ENTRY || size % MB2_ALIGN != 0 || rd_left(&r) % size != 0)
		return false;
	*out = (struct mb2_mmap){ .entry_size = size, .count = rd_left(&r) / size };
	out->entries = rd_bytes(&r, rd_left(&r));
	return true;
}

struct mb2_memory mb2_mmap_entry(const struct mb2_mmap *m, size_t i)
{
	struct rd r = rd_init((struct span){ m->entries.p + i * m->entry_size, MB2_MMAP_ENTRY });
	struct mb2_memory out;

	out.base = rd_le64(&r);
	out.size = rd_le64(&r);
	out.type = rd_le32(&r);
	return out;
}

bool mb2_get_efi_mmap(const struct mb2_tag *t, struct mb2_efi_mmap *out)
{
	struct rd r = rd_init(t->content);
	struct mb2_efi_mmap m;

	m.descriptor_size = rd_le32(&r);
	m.descriptor_version = rd_le32(&r);
	if (t->type != MB2_EFI_MMAP || r.bad || m.descriptor_size < EFI_DESCRIPTOR_MIN || rd_left(&r) < m.descriptor_size ||
		rd_left(&r) % m.descriptor_size != 0)
		return false;
	m.map = rd_bytes(&r, rd_left(&r));
	*out = m;
	return true;
}

/* ---------------------------------------------------------------- filter */

void mb2_copy_without(struct mb2_writer *m, const struct mb2_info *info, uint32_t drop)
{
	struct mb2_tags it = { .info = info };
	struct mb2_tag t;

	while (mb2_next(&it, &t))
		if (t.type >= 32 || !(drop >> t.type & 1))
			mb2_put(m, t.type, t.content);
}
