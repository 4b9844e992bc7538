/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/acm_make.h"

#include "common/cursor.h"
#include "lcp/acm_layout.h"

#define LIST_ALIGNMENT 16

static const uint16_t usual_algs[] = { 0x0004, 0x000b, 0x000c };

struct acm_recipe acm_recipe_sinit(uint8_t tpm_nv_index_set)
{
	return (struct acm_recipe){
		.size = 0x10000,
		.chipset_id = 0xb001,
		.date = 0x20220101,
		.error_entry_point = 0x500,
		.gdt_limit = 0x1f,
		.gdt_base = 0x4c0,
		.seg_sel = 8,
		.entry_point = 0x500,
		.chipset_type = ACM_SINIT,
		.info_version = 5,
		.os_sinit_data_version = 7,
		.min_mle_header_version = 0x20000,
		.capabilities =
			ACM_CAP_RLP_WAKE_GETSEC | ACM_CAP_RLP_WAKE_MONITOR | ACM_CAP_ECX_PGTBL | ACM_CAP_PCR_MAP_DA | ACM_CAP_TCG_EVENT_LOG,
		.acm_version = 0x10,
		.acm_revision = { 1, 0, 0 },
		.tpm_extend_policy = ACM_TPM_EXTEND_AGILE | ACM_TPM_EXTEND_EMBEDDED,
		.tpm_family = ACM_TPM_PTT_20,
		.tpm_nv_index_set = tpm_nv_index_set,
		.tpm_algs = usual_algs,
		.tpm_alg_count = GL_COUNT(usual_algs),
	};
}

static void fill(struct wr *w, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n && !w->bad; i++)
		wr_u8(w, value);
}

static void write_header(struct wr *w, const struct acm_recipe *r, const struct acm_layout *l, uint32_t scratch)
{
	wr_le16(w, ACM_TYPE_CHIPSET);
	wr_le16(w, r->subtype);
	wr_le32(w, l->length);
	wr_le32(w, r->header_version);
	wr_le16(w, r->chipset_id);
	wr_le16(w, r->flags);
	wr_le32(w, ACM_VENDOR_INTEL);
	wr_le32(w, r->date);
	wr_le32(w, r->size / 4);
	wr_le16(w, r->txt_svn);
	wr_le16(w, r->se_svn);
	wr_le32(w, r->code_control);
	wr_le32(w, r->error_entry_point);
	wr_le32(w, r->gdt_limit);
	wr_le32(w, r->gdt_base);
	wr_le32(w, r->seg_sel);
	wr_le32(w, r->entry_point);
	fill(w, 64, 0);
	wr_le32(w, l->key / 4);
	wr_le32(w, scratch);
	fill(w, l->key, r->fill);
	if (l->exponent)
		wr_le32(w, 65537);
	fill(w, (size_t)l->signature + l->second_key + l->second_signature, r->fill);
	fill(w, l->reserved, 0);
}

static void write_chipsets(struct wr *w, const struct acm_chipset *c, size_t count)
{
	wr_le32(w, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		wr_le32(w, c[i].flags);
		wr_le16(w, c[i].vendor_id);
		wr_le16(w, c[i].device_id);
		wr_le16(w, c[i].revision_id);
		wr_le16(w, c[i].register_mask);
		wr_le32(w, c[i].extended_id);
	}
}

static void write_processors(struct wr *w, const struct acm_recipe *r)
{
	wr_le32(w, (uint32_t)r->processor_count);
	for (size_t i = 0; i < r->processor_count; i++) {
		wr_le32(w, r->processors[i].fms);
		wr_le32(w, r->processors[i].fms_mask);
		wr_le64(w, r->processors[i].platform_id);
		wr_le64(w, r->processors[i].platform_mask);
	}
}

static void write_tpm(struct wr *w, const struct acm_recipe *r)
{
	wr_le32(w, (r->tpm_extend_policy & 3u) | (r->tpm_family & 0xfu) << 2 | (r->tpm_nv_index_set & 1u) << 6);
	wr_le16(w, (uint16_t)r->tpm_alg_count);
	for (size_t i = 0; i < r->tpm_alg_count; i++)
		wr_le16(w, r->tpm_algs[i]);
}

static uint32_t aligned(uint64_t offset)
{
	return (uint32_t)((offset + LIST_ALIGNMENT - 1) / LIST_ALIGNMENT * LIST_ALIGNMENT);
}

static void write_info(struct wr *w, const struct acm_recipe *r, uint32_t at)
{
	bool by_offset = r->info_version < ACM_INFO_VERSION_LISTS;
	uint32_t chipsets = aligned((uint64_t)at + ACM_INFO_SIZE);
	uint32_t processors = aligned(chipsets + 4 + (uint64_t)r->chipset_count * ACM_CHIPSET_SIZE);
	uint32_t tpm = aligned(processors + 4 + (uint64_t)r->processor_count * ACM_PROCESSOR_SIZE);

	wr_bytes(w, SPAN_OF(acm_uuid));
	wr_u8(w, r->chipset_type);
	wr_u8(w, r->info_version);
	wr_le16(w, ACM_INFO_SIZE);
	wr_le32(w, by_offset ? chipsets : 0);
	wr_le32(w, r->os_sinit_data_version);
	wr_le32(w, r->min_mle_header_version);
	wr_le32(w, r->capabilities);
	wr_u8(w, r->acm_version);
	wr_bytes(w, SPAN_OF(r->acm_revision));
	wr_le32(w, by_offset && r->info_version >= 4 ? processors : 0);
	wr_le32(w, by_offset && r->info_version >= 5 ? tpm : 0);
	if (!by_offset)
		return;
	fill(w, chipsets - w->off, 0);
	write_chipsets(w, r->chipsets, r->chipset_count);
	if (r->info_version >= 4) {
		fill(w, processors - w->off, 0);
		write_processors(w, r);
	}
	if (r->info_version >= 5) {
		fill(w, tpm - w->off, 0);
		write_tpm(w, r);
	}
}

static void write_list_header(struct wr *w, uint32_t id, size_t body)
{
	wr_le32(w, id);
	wr_le32(w, (uint32_t)(ACM_LIST_HEADER_SIZE + body));
	wr_le32(w, 1);
}

static void write_lists(struct wr *w, const struct acm_recipe *r)
{
	write_list_header(w, ACM_LIST_PROCESSORS, 4 + r->processor_count * ACM_PROCESSOR_SIZE);
	write_processors(w, r);
	write_list_header(w, ACM_LIST_CHIPSETS, 4 + r->chipset_count * ACM_CHIPSET_SIZE);
	write_chipsets(w, r->chipsets, r->chipset_count);
	if (r->chipset2_count) {
		write_list_header(w, ACM_LIST_CHIPSETS2, 4 + r->chipset2_count * ACM_CHIPSET_SIZE);
		write_chipsets(w, r->chipsets2, r->chipset2_count);
	}
	write_list_header(w, ACM_LIST_TPM, 6 + r->tpm_alg_count * ACM_TPM_ALG_SIZE);
	write_tpm(w, r);
	write_list_header(w, ACM_LIST_END, 0);
}

enum acm_error acm_make(const struct acm_recipe *r, struct mspan out)
{
	const struct acm_layout *l = acm_layout_of(r->header_version);
	struct wr w = wr_init(out);
	uint32_t scratch;

	if (!l)
		return ACM_E_HEADER_VERSION;
	if (r->info_version < 3)
		return ACM_E_INFO_VERSION;
	if (out.n != r->size || r->size % 4 != 0 || r->size < ACM_MIN_SIZE || r->tpm_alg_count > UINT16_MAX)
		return ACM_E_BUFFER;
	scratch = r->scratch ? r->scratch : l->scratch;
	/* no table can then reach over 32 bits */
	if (((uint64_t)l->length + scratch) * 4 + ACM_INFO_SIZE > r->size || r->chipset_count > r->size / ACM_CHIPSET_SIZE ||
		r->chipset2_count > r->size / ACM_CHIPSET_SIZE || r->processor_count > r->size / ACM_PROCESSOR_SIZE)
		return ACM_E_BUFFER;
	write_header(&w, r, l, scratch);
	fill(&w, (size_t)scratch * 4, 0);
	write_info(&w, r, (l->length + scratch) * 4);
	if (r->info_version >= ACM_INFO_VERSION_LISTS)
		write_lists(&w, r);
	if (w.bad)
		return ACM_E_BUFFER;
	fill(&w, r->size - w.off, 0);
	return w.bad ? ACM_E_BUFFER : ACM_OK;
}
