/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/acm.h"

#define FLAG_REVISION_MASK 1u
/* From this info table version on, tboot compares the platform type. */
#define INFO_VERSION_PLATFORM_TYPE 5

static const char *const texts[ACM_MATCH_COUNT] = {
	[ACM_MATCHES] = "the module fits the platform",
	[ACM_NO_MATCH_PLATFORM_TYPE] = "the module is for another kind of platform (client or server): take the one for this",
	[ACM_NO_MATCH_FUSING] =
		"a debug-signed module on production hardware, or the reverse: take the production module for production hardware",
	[ACM_NO_MATCH_CHIPSET] = "the platform's chipset is not in the module's list: take the module for this chipset",
	[ACM_NO_MATCH_CHIPSET2] = "the platform's chipset is not in the module's second list: take the module for this chipset",
	[ACM_NO_MATCH_PROCESSOR] = "the platform's processor is not in the module's list: take the module for this processor",
};

const char *acm_match_text(enum acm_match m)
{
	return (unsigned)m < ACM_MATCH_COUNT ? texts[m] : "unknown";
}

static bool chipset_listed(const struct acm_list *l, const struct acm_platform *p)
{
	for (uint32_t i = 0; i < l->count; i++) {
		struct acm_chipset c = acm_chipset_at(l, i);
		bool revision = c.flags & FLAG_REVISION_MASK ? (c.revision_id & p->revision_id) != 0 : c.revision_id == p->revision_id;

		if (c.vendor_id == p->vendor_id && c.device_id == p->device_id && revision)
			return true;
	}
	return false;
}

static bool chipset2_listed(const struct acm_list *l, const struct acm_platform *p)
{
	for (uint32_t i = 0; i < l->count; i++) {
		struct acm_chipset c = acm_chipset_at(l, i);

		if (c.vendor_id == p->vendor_id && (p->device_id & c.register_mask) == c.device_id)
			return true;
	}
	return false;
}

static bool processor_listed(const struct acm *a, const struct acm_platform *p)
{
	for (uint32_t i = 0; i < a->processors.count; i++) {
		struct acm_processor c = acm_processor_at(a, i);

		if (c.fms == (p->fms & c.fms_mask) && (!p->has_platform_id || c.platform_id == (p->platform_id & c.platform_mask)))
			return true;
	}
	return false;
}

enum acm_match acm_match(const struct acm *a, const struct acm_platform *p)
{
	unsigned type = (a->info.capabilities & ACM_CAP_PLATFORM_TYPE) / (ACM_CAP_PLATFORM_TYPE & -ACM_CAP_PLATFORM_TYPE);
	bool debug = a->header.flags & ACM_FLAG_DEBUG_SIGNED;

	if (p->platform_type && a->info.version >= INFO_VERSION_PLATFORM_TYPE && type != p->platform_type)
		return ACM_NO_MATCH_PLATFORM_TYPE;
	if (p->has_fusing && p->production == debug)
		return ACM_NO_MATCH_FUSING;
	if (p->has_didvid && a->chipsets.present && !chipset_listed(&a->chipsets, p))
		return ACM_NO_MATCH_CHIPSET;
	if (p->has_didvid && a->chipsets2.present && !chipset2_listed(&a->chipsets2, p))
		return ACM_NO_MATCH_CHIPSET2;
	if (p->has_cpu && a->processors.present && !processor_listed(a, p))
		return ACM_NO_MATCH_PROCESSOR;
	return ACM_MATCHES;
}
