/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/acm_layout.h"

#include "common/cursor.h"

/* SDG 315168-016, A.1.1, for 0.0 and 3.0. 4.0 has an XMSS signature besides (public ACM parsers agree on it). */
/* clang-format off */
static const struct acm_layout layouts[] = {
	{ .version = 0x00000, .length = 161, .key = 256, .exponent = 4, .signature = 256, .scratch = 143 },
	{ .version = 0x30000, .length = 224, .key = 384, .signature = 384, .scratch = 208 },
	{ .version = 0x40000, .length = 928, .key = 384, .signature = 384, .second_key = 64, .second_signature = 2692, .reserved = 60,
		.scratch = 896 },
};
/* clang-format on */

static_assert(ACM_COMMON_SIZE + 256 + 4 + 256 == 161 * 4, "header 0.0");
static_assert(ACM_COMMON_SIZE + 384 + 384 == 224 * 4, "header 3.0");
static_assert(ACM_COMMON_SIZE + 384 + 384 + 64 + 2692 + 60 == 928 * 4, "header 4.0");
static_assert(ACM_MIN_SIZE == (161 + 143) * 4, "acm_hdr_t");

#define EXPONENT_FIXED 65537

/* 7fc03aaa-46a7-18db-2eac-698f8d417f5a, the first three numbers little-endian. */
/* clang-format off */
const uint8_t acm_uuid[ACM_UUID_SIZE] = {
	0xaa, 0x3a, 0xc0, 0x7f, 0xa7, 0x46, 0xdb, 0x18, 0x2e, 0xac, 0x69, 0x8f, 0x8d, 0x41, 0x7f, 0x5a,
};
/* clang-format on */

#define INFO_VERSION_MIN 3
#define INFO_VERSION_PROCESSORS 4
#define INFO_VERSION_TPM 5

const struct acm_layout *acm_layout_of(uint32_t header_version)
{
	for (size_t i = 0; i < GL_COUNT(layouts); i++)
		if (layouts[i].version == header_version)
			return &layouts[i];
	return NULL;
}

bool acm_layout_known(uint32_t header_version)
{
	return acm_layout_of(header_version) != NULL;
}

/* ---- header ---- */

static void read_common(struct rd *r, struct acm_header *h)
{
	h->type = rd_le16(r);
	h->subtype = rd_le16(r);
	h->length = rd_le32(r);
	h->version = rd_le32(r);
	h->chipset_id = rd_le16(r);
	h->flags = rd_le16(r);
	h->vendor = rd_le32(r);
	h->date = rd_le32(r);
	h->size = rd_le32(r);
	h->txt_svn = rd_le16(r);
	h->se_svn = rd_le16(r);
	h->code_control = rd_le32(r);
	h->error_entry_point = rd_le32(r);
	h->gdt_limit = rd_le32(r);
	h->gdt_base = rd_le32(r);
	h->seg_sel = rd_le32(r);
	h->entry_point = rd_le32(r);
	(void)rd_bytes(r, 64);
	h->key_size = rd_le32(r);
	h->scratch_size = rd_le32(r);
}

static void read_keys(struct rd *r, const struct acm_layout *l, struct acm_header *h)
{
	h->public_key = rd_bytes(r, l->key);
	h->exponent = l->exponent ? rd_le32(r) : EXPONENT_FIXED;
	h->signature = rd_bytes(r, l->signature);
	h->second_key = rd_bytes(r, l->second_key);
	h->second_signature = rd_bytes(r, l->second_signature);
}

/* Is the file as large as it says, or larger by as much as tboot lets pass? */
static bool size_fits(size_t file, uint64_t module)
{
	return file == module || (file > module && file - module >= ACM_PADDING_MIN && file - module <= ACM_PADDING_MAX);
}

static enum acm_error decode_header(struct span file, struct acm *a)
{
	struct rd r = rd_init(file);
	struct acm_header *h = &a->header;
	uint64_t size;

	if (file.n < ACM_MIN_SIZE)
		return ACM_E_TRUNCATED;
	read_common(&r, h);
	size = (uint64_t)h->size * 4;
	if (!size_fits(file.n, size))
		return ACM_E_SIZE;
	a->bytes = (struct span){ file.p, (size_t)size };
	a->padding = file.n - (size_t)size;
	if (h->type != ACM_TYPE_CHIPSET)
		return ACM_E_TYPE;
	if (h->vendor != ACM_VENDOR_INTEL)
		return ACM_E_VENDOR;

	const struct acm_layout *layout = acm_layout_of(h->version);

	r = rd_init(a->bytes);
	(void)rd_bytes(&r, ACM_COMMON_SIZE);
	if (layout)
		read_keys(&r, layout, h);
	return r.bad ? ACM_E_HEADER : ACM_OK;
}

/* ---- info table ---- */

/* `offset` may be anything the file says: 64 bits, so that nothing wraps. */
static struct rd reader_at(const struct acm *a, uint64_t offset)
{
	struct rd r = rd_init(a->bytes);

	if (offset > a->bytes.n)
		r.bad = true;
	else
		(void)rd_bytes(&r, (size_t)offset);
	return r;
}

static uint64_t info_offset(const struct acm *a)
{
	return ((uint64_t)a->header.length + a->header.scratch_size) * 4;
}

static enum acm_error decode_info(struct acm *a)
{
	struct rd r = reader_at(a, info_offset(a));
	struct acm_info *info = &a->info;
	struct span uuid = rd_bytes(&r, ACM_UUID_SIZE), revision;

	info->chipset_type = rd_u8(&r);
	info->version = rd_u8(&r);
	info->length = rd_le16(&r);
	info->chipset_list = rd_le32(&r);
	info->os_sinit_data_version = rd_le32(&r);
	info->min_mle_header_version = rd_le32(&r);
	info->capabilities = rd_le32(&r);
	info->acm_version = rd_u8(&r);
	revision = rd_bytes(&r, sizeof(info->acm_revision));
	info->processor_list = rd_le32(&r);
	info->tpm_list = rd_le32(&r);
	if (r.bad)
		return ACM_E_INFO;
	if (!span_equal(uuid, SPAN_OF(acm_uuid)))
		return ACM_E_UUID;
	if (info->version < INFO_VERSION_MIN)
		return ACM_E_INFO_VERSION;
	for (size_t i = 0; i < uuid.n; i++)
		info->uuid[i] = uuid.p[i];
	for (size_t i = 0; i < revision.n; i++)
		info->acm_revision[i] = revision.p[i];
	return ACM_OK;
}

/* ---- lists ---- */

/* A count of `width` bytes and as many elements; `start` is where the reader's span begins in the module. */
static bool read_list(struct rd *r, uint64_t start, size_t width, size_t element, struct acm_list *out)
{
	uint32_t count = (uint32_t)rd_le(r, width);
	size_t offset = r->off;

	/* count * element fits 64 bits, but size_t may have 32 */
	if (r->bad || count > rd_left(r) / element)
		return false;
	*out = (struct acm_list){
		.present = true,
		.offset = (uint32_t)(start + offset),
		.count = count,
		.bytes = rd_bytes(r, count * element),
	};
	return true;
}

static bool read_tpm(struct rd *r, uint64_t start, struct acm *a)
{
	uint32_t caps = rd_le32(r);

	a->tpm = (struct acm_tpm){
		.extend_policy = caps & 3,
		.family = caps >> 2 & 0xf,
		.nv_index_set = caps >> 6 & 1,
		.capabilities = caps,
	};
	return read_list(r, start, 2, ACM_TPM_ALG_SIZE, &a->tpm_algs);
}

/* Up to info table version 8: the table has the offsets. */
static enum acm_error decode_lists_by_offset(struct acm *a)
{
	struct rd r = reader_at(a, a->info.chipset_list);

	if (!read_list(&r, 0, 4, ACM_CHIPSET_SIZE, &a->chipsets))
		return ACM_E_CHIPSETS;
	r = reader_at(a, a->info.processor_list);
	if (a->info.version >= INFO_VERSION_PROCESSORS && !read_list(&r, 0, 4, ACM_PROCESSOR_SIZE, &a->processors))
		return ACM_E_PROCESSORS;
	r = reader_at(a, a->info.tpm_list);
	if (a->info.version >= INFO_VERSION_TPM && !read_tpm(&r, 0, a))
		return ACM_E_TPM;
	return ACM_OK;
}

static enum acm_error decode_one(struct acm *a, uint32_t id, struct rd *body, uint64_t start)
{
	struct acm_list *list;

	switch (id) {
	case ACM_LIST_CHIPSETS:
	case ACM_LIST_CHIPSETS2:
		list = id == ACM_LIST_CHIPSETS ? &a->chipsets : &a->chipsets2;
		if (list->present)
			return ACM_E_LIST_TWICE;
		return read_list(body, start, 4, ACM_CHIPSET_SIZE, list) ? ACM_OK : ACM_E_CHIPSETS;
	case ACM_LIST_PROCESSORS:
		if (a->processors.present)
			return ACM_E_LIST_TWICE;
		return read_list(body, start, 4, ACM_PROCESSOR_SIZE, &a->processors) ? ACM_OK : ACM_E_PROCESSORS;
	case ACM_LIST_TPM:
		if (a->tpm_algs.present)
			return ACM_E_LIST_TWICE;
		return read_tpm(body, start, a) ? ACM_OK : ACM_E_TPM;
	default:
		return ACM_OK;
	}
}

/* From version 9: lists with a header {id, size with the header, revision} until the one that says end. */
static enum acm_error decode_lists_in_row(struct acm *a)
{
	struct rd r = reader_at(a, info_offset(a) + a->info.length);

	for (;;) {
		uint32_t id = rd_le32(&r), size = rd_le32(&r);
		uint64_t start;
		struct rd body;
		enum acm_error e;

		if (r.bad)
			return ACM_E_LISTS;
		if (id == ACM_LIST_END)
			return ACM_OK;
		(void)rd_le32(&r);
		if (size < ACM_LIST_HEADER_SIZE)
			return ACM_E_LISTS;
		start = r.off;
		body = rd_init(rd_bytes(&r, size - ACM_LIST_HEADER_SIZE));
		if (r.bad)
			return ACM_E_LISTS;
		e = decode_one(a, id, &body, start);
		if (e)
			return e;
	}
}

enum acm_error acm_decode(struct span file, struct acm *out)
{
	struct acm a = { .padding = 0 };
	enum acm_error e = decode_header(file, &a);

	if (!e)
		e = decode_info(&a);
	if (!e)
		e = a.info.version >= ACM_INFO_VERSION_LISTS ? decode_lists_in_row(&a) : decode_lists_by_offset(&a);
	if (!e)
		*out = a;
	return e;
}

/* ---- elements ---- */

static struct rd element_at(const struct acm_list *l, uint32_t i, size_t size)
{
	struct rd r = rd_init(l->bytes);

	if (i >= l->count)
		r.bad = true;
	else
		(void)rd_bytes(&r, i * size);
	return r;
}

struct acm_chipset acm_chipset_at(const struct acm_list *l, uint32_t i)
{
	struct rd r = element_at(l, i, ACM_CHIPSET_SIZE);
	struct acm_chipset c = { .flags = rd_le32(&r) };

	c.vendor_id = rd_le16(&r);
	c.device_id = rd_le16(&r);
	c.revision_id = rd_le16(&r);
	c.register_mask = rd_le16(&r);
	c.extended_id = rd_le32(&r);
	return c;
}

struct acm_processor acm_processor_at(const struct acm *a, uint32_t i)
{
	struct rd r = element_at(&a->processors, i, ACM_PROCESSOR_SIZE);
	struct acm_processor p = { .fms = rd_le32(&r) };

	p.fms_mask = rd_le32(&r);
	p.platform_id = rd_le64(&r);
	p.platform_mask = rd_le64(&r);
	return p;
}

uint16_t acm_tpm_alg_at(const struct acm *a, uint32_t i)
{
	struct rd r = element_at(&a->tpm_algs, i, ACM_TPM_ALG_SIZE);

	return rd_le16(&r);
}
