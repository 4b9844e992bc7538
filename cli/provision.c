/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/provision.h"

#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include "common/cursor.h"

/*
 * tboot reads all of them with the index's own empty password: AUTHREAD. It writes the error index the same way: AUTHWRITE. The owner's
 * policy has what SINIT demands (0x0204000A). PPWRITE is nowhere: firmware could change the policy. NO_DA: no lockout before a launch.
 */
#define READABLE (TPMA_NV_AUTHREAD | TPMA_NV_NO_DA)

const struct provision_use_info provision_uses[PROVISION_USE_COUNT] = {
	[PROVISION_ERROR] = { "error", { 0x01200002, 0x01c10132 }, READABLE | TPMA_NV_AUTHWRITE },
	[PROVISION_GEO] = { "geo", { GEO_INDEX_DEFAULT, GEO_INDEX_DEFAULT }, GEO_ATTRIBUTES_DEFAULT },
	[PROVISION_VLP] = { "vlp", { 0x01200001, 0x01c10131 }, READABLE | TPMA_NV_OWNERWRITE },
	[PROVISION_LCP] = { "lcp", { 0x01400001, 0x01c10106 }, READABLE | TPMA_NV_OWNERWRITE | TPMA_NV_POLICYWRITE },
};

bool provision_reserved(uint32_t index)
{
	/* AUX and PS of set 0, then of set 1. */
	static const uint32_t platform[] = { 0x01800003, 0x01800001, 0x01c10102, 0x01c10103 };

	for (size_t i = 0; i < GL_COUNT(platform); i++)
		if (platform[i] == index)
			return true;
	for (unsigned use = 0; use < PROVISION_USE_COUNT; use++)
		if (use != PROVISION_GEO && (provision_uses[use].index[0] == index || provision_uses[use].index[1] == index))
			return true;
	return false;
}

static_assert((READABLE | TPMA_NV_OWNERWRITE | TPMA_NV_POLICYWRITE) == 0x0204000a, "owner policy, field use: 0x0204000A");
static_assert(PROVISION_PUBLIC_SIZE == 4 + 2 + 4 + 2 + 2, "TPMS_NV_PUBLIC without policy");

const uint32_t provision_state_bits = TPMA_NV_WRITTEN | TPMA_NV_WRITELOCKED | TPMA_NV_READLOCKED;

static const struct {
	const char *name;
	bool destroys;
} actions[PROVISION_ACTION_COUNT] = {
	[PROVISION_KEEP] = { "keep", false },
	[PROVISION_DEFINE] = { "define", false },
	[PROVISION_FINISH] = { "write", false },
	[PROVISION_REWRITE] = { "rewrite", true },
	[PROVISION_REDEFINE] = { "redefine", true },
	[PROVISION_BLOCKED] = { "blocked", true },
};

bool provision_destroys(enum provision_action a)
{
	return actions[a].destroys;
}

const char *provision_action_name(enum provision_action a)
{
	return actions[a].name;
}

const char *provision_public_difference(const struct provision_index *wanted, const struct tpm_nv_public *p)
{
	if (p->size != wanted->content.n)
		return "another size";
	if ((p->attributes & ~provision_state_bits) != wanted->attributes)
		return "other attributes";
	if (p->name_alg != TPM2_ALG_SHA256)
		return "another name algorithm";
	if (p->policy_size != 0)
		return "a policy";
	return NULL;
}

bool provision_public_fits(const struct provision_index *wanted, const struct tpm_nv_public *p)
{
	return provision_public_difference(wanted, p) == NULL;
}

/*
 * Written from the beginning, but not to the end: a write of several pieces was interrupted. A TPM has FF in what was never written. At
 * least one byte must be ours, so that an index full of FF is not taken for it.
 */
static bool is_partial(struct span wanted, const uint8_t *found)
{
	size_t same = 0;

	while (same < wanted.n && found[same] == wanted.p[same])
		same++;
	if (same == 0 || same == wanted.n)
		return false;
	for (size_t i = same; i < wanted.n; i++)
		if (found[i] != 0xff)
			return false;
	return true;
}

static struct provision_step redefine(const struct tpm_nv_public *p, const char *reason)
{
	if (p->attributes & TPMA_NV_PLATFORMCREATE)
		return (struct provision_step){ PROVISION_BLOCKED, "made by the platform's firmware, which alone can remove it" };
	if (p->attributes & TPMA_NV_POLICY_DELETE)
		return (struct provision_step){ PROVISION_BLOCKED, "can only be removed under its policy" };
	return (struct provision_step){ PROVISION_REDEFINE, reason };
}

struct provision_step provision_plan(const struct provision_index *wanted, const struct provision_found *found)
{
	const struct tpm_nv_public *p = &found->public;
	const char *difference;

	if (!found->present)
		return (struct provision_step){ PROVISION_DEFINE, "not defined" };
	difference = provision_public_difference(wanted, p);
	if (difference)
		return redefine(p, difference);
	if (!(p->attributes & TPMA_NV_WRITTEN))
		return p->attributes & TPMA_NV_WRITELOCKED ? redefine(p, "locked, and never written")
		                                           : (struct provision_step){ PROVISION_FINISH, "never written" };
	if (found->read != PROVISION_READ)
		return redefine(p, "a password");
	if (wanted->any_content || memcmp(found->content, wanted->content.p, wanted->content.n) == 0)
		return (struct provision_step){ PROVISION_KEEP, "as wanted" };
	if (p->attributes & TPMA_NV_WRITELOCKED)
		return redefine(p, "locked, and other content");
	if (is_partial(wanted->content, found->content))
		return (struct provision_step){ PROVISION_FINISH, "not written to its end" };
	return (struct provision_step){ PROVISION_REWRITE, "other content" };
}

void provision_public_area(const struct provision_index *wanted, uint8_t out[PROVISION_PUBLIC_SIZE])
{
	struct wr w = wr_init((struct mspan){ out, PROVISION_PUBLIC_SIZE });

	wr_be32(&w, wanted->index);
	wr_be16(&w, TPM2_ALG_SHA256);
	wr_be32(&w, wanted->attributes);
	wr_be16(&w, 0);
	wr_be16(&w, (uint16_t)wanted->content.n);
}
