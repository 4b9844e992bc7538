/* SPDX-License-Identifier: BSD-3-Clause */
/* Authenticated code modules: what is read lies inside, and a module made of what was read says the same. */
#include <stdlib.h>
#include <string.h>

#include "lcp/acm_make.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIST_MAX 1024
/* the largest header with its scratch area, rounding, and list headers */
#define MADE_BASE 8192u
#define MADE_MAX (MADE_BASE + LIST_MAX * (16u + 16u + 24u + 2u))

static char out[1 << 18];
static uint8_t made[MADE_MAX];
static struct acm_chipset chipsets[LIST_MAX], chipsets2[LIST_MAX];
static struct acm_processor processors[LIST_MAX];
static uint16_t algs[LIST_MAX];

static void check_list(const struct acm *a, const struct acm_list *l, size_t element)
{
	if (!l->present) {
		if (l->count || l->bytes.n)
			abort();
		return;
	}
	if (l->bytes.n != l->count * element || l->offset > a->bytes.n || l->bytes.n > a->bytes.n - l->offset ||
		l->bytes.p != a->bytes.p + l->offset)
		abort();
}

static void take_chipsets(const struct acm_list *l, struct acm_chipset *to)
{
	for (uint32_t i = 0; i < l->count; i++)
		to[i] = acm_chipset_at(l, i);
}

static struct acm_recipe recipe_of(const struct acm *a)
{
	const struct acm_header *h = &a->header;
	/* clang-format off */
	struct acm_recipe r = {
		.header_version = h->version, .size = MADE_BASE, .subtype = h->subtype, .chipset_id = h->chipset_id, .flags = h->flags,
		.date = h->date, .txt_svn = h->txt_svn, .se_svn = h->se_svn, .code_control = h->code_control,
		.error_entry_point = h->error_entry_point, .gdt_limit = h->gdt_limit, .gdt_base = h->gdt_base, .seg_sel = h->seg_sel,
		.entry_point = h->entry_point, .chipset_type = a->info.chipset_type, .info_version = a->info.version,
		.os_sinit_data_version = a->info.os_sinit_data_version, .min_mle_header_version = a->info.min_mle_header_version,
		.capabilities = a->info.capabilities, .acm_version = a->info.acm_version,
		.chipsets = chipsets, .chipset_count = a->chipsets.count, .chipsets2 = chipsets2, .chipset2_count = a->chipsets2.count,
		.processors = processors, .processor_count = a->processors.count, .tpm_extend_policy = a->tpm.extend_policy,
		.tpm_family = a->tpm.family, .tpm_nv_index_set = a->tpm.nv_index_set, .tpm_algs = algs, .tpm_alg_count = a->tpm_algs.count,
	};
	/* clang-format on */

	r.size += (a->chipsets.count + a->chipsets2.count) * 16 + a->processors.count * 24 + (a->tpm_algs.count + 1) / 2 * 4;
	memcpy(r.acm_revision, a->info.acm_revision, sizeof(r.acm_revision));
	take_chipsets(&a->chipsets, chipsets);
	take_chipsets(&a->chipsets2, chipsets2);
	for (uint32_t i = 0; i < a->processors.count; i++)
		processors[i] = acm_processor_at(a, i);
	for (uint32_t i = 0; i < a->tpm_algs.count; i++)
		algs[i] = acm_tpm_alg_at(a, i);
	return r;
}

static bool same_bytes(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void check_made(const struct acm *a)
{
	struct acm_recipe r;
	struct acm b;

	if (!acm_layout_known(a->header.version) || a->chipsets.count > LIST_MAX || a->chipsets2.count > LIST_MAX ||
		a->processors.count > LIST_MAX || a->tpm_algs.count > LIST_MAX)
		return;
	r = recipe_of(a);
	if (acm_make(&r, (struct mspan){ made, r.size }) || acm_decode((struct span){ made, r.size }, &b))
		abort();
	if (!same_bytes(a->chipsets.bytes, b.chipsets.bytes) || !same_bytes(a->chipsets2.bytes, b.chipsets2.bytes) ||
		!same_bytes(a->processors.bytes, b.processors.bytes) || !same_bytes(a->tpm_algs.bytes, b.tpm_algs.bytes))
		abort();
	if (a->info.capabilities != b.info.capabilities || a->header.entry_point != b.header.entry_point ||
		a->tpm.nv_index_set != b.tpm.nv_index_set || a->info.version != b.info.version)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* clang-format off */
	const struct acm_platform platform = {
		.has_didvid = true, .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1, .has_cpu = true, .fms = 0x906ea,
		.has_platform_id = true, .has_fusing = true, .production = true, .platform_type = ACM_PLATFORM_CLIENT,
	};
	/* clang-format on */
	struct text t = TEXT_OF(out);
	struct acm a;

	if (acm_decode((struct span){ data, size }, &a))
		return 0;
	if (a.bytes.p != data || a.bytes.n + a.padding != size || a.bytes.n != (size_t)a.header.size * 4)
		abort();
	check_list(&a, &a.chipsets, 16);
	check_list(&a, &a.chipsets2, 16);
	check_list(&a, &a.processors, 24);
	check_list(&a, &a.tpm_algs, 2);
	acm_print(&a, &t);
	if (!acm_strerror(acm_validate(&a))[0] || !acm_match_text(acm_match(&a, &platform))[0])
		abort();
	for (uint32_t i = 0; i < a.chipsets2.count; i++) {
		struct acm_chipset c = acm_chipset_at(&a.chipsets2, i);
		const struct acm_platform other = { .has_didvid = true, .vendor_id = c.vendor_id, .device_id = c.device_id };

		/* its own mask leaves it as it is */
		if (!a.chipsets.present && !(c.device_id & ~c.register_mask) && acm_match(&a, &other) != ACM_MATCHES)
			abort();
	}
	if (!acm_match_text(acm_match(&a, &(struct acm_platform){ .has_fusing = true }))[0])
		abort();
	/* a machine that says nothing but its chipset */
	if (!acm_match_text(acm_match(
		    &a, &(struct acm_platform){ .has_didvid = true, .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1 }))[0])
		abort();
	check_made(&a);
	return 0;
}
