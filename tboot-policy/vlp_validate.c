/* SPDX-License-Identifier: BSD-3-Clause */
#include "tboot-policy/vlp.h"

/* Largest PCR number of a PC Client TPM; tb_policy.h TB_POL_MAX_PCR. */
#define PCR_LAST 23

/* clang-format off */
static const char *const messages[VLP_ERROR_COUNT] = {
	[VLP_OK] = "no error",
	[VLP_E_TRUNCATED] = "the policy ends inside its header, an entry or a hash (tboot include/tb_policy.h, tb_policy_t, tb_policy_entry_t)",
	[VLP_E_TRAILING] = "there are bytes behind the last entry (tboot include/tb_policy.h, tb_policy_t.num_entries)",
	[VLP_E_VERSION] = "the version is not 2 (tboot include/tb_policy.h, tb_policy_t.version)",
	[VLP_E_TYPE] = "the policy type is none of nonfatal, continue, halt (tboot include/tb_policy.h, TB_POLTYPE_*)",
	[VLP_E_ALG] = "the hash algorithm is none of sha1, sha256, sha384, sha512 (tboot include/tb_policy.h, tb_policy_t.hash_alg; "
		"include/hash.h, TB_HALG_*)",
	[VLP_E_CONTROL] = "policy_control has unknown bits (tboot include/tb_policy.h, TB_POLCTL_*)",
	[VLP_E_RESERVED] = "the reserved field is not 0 (tboot include/tb_policy.h, tb_policy_t.reserved)",
	[VLP_E_NO_ENTRIES] = "the policy has no entries (tboot include/tb_policy.h, tb_policy_t.num_entries)",
	[VLP_E_MODULE] = "the module number is not 0-127, any, nv or nv_raw (tboot include/tb_policy.h, TB_POL_MOD_NUM_*)",
	[VLP_E_PCR] = "the PCR is not 0-23 or none (tboot include/tb_policy.h, TB_POL_MAX_PCR, TB_POL_PCR_NONE)",
	[VLP_E_HASH_TYPE] = "the hash type is not any or image (tboot include/tb_policy.h, TB_HTYPE_*)",
	[VLP_E_HASH_COUNT] = "an entry of type any has hashes, one of type image has none, or the number does not fit their size "
		"(tboot include/tb_policy.h, tb_policy_entry_t.num_hashes)",
	[VLP_E_NV_INDEX] = "an NV entry needs a TPM 2.0 NV index, 0x01000000-0x01ffffff, and others need 0 (tboot include/tb_policy.h, "
		"tb_policy_entry_t.nv_index; TPM 2.0 Library part 2, 7.2, TPM_HT_NV_INDEX)",
	[VLP_E_DUPLICATE] = "the module number or NV index has an entry already, only the first would count "
		"(tboot include/tb_policy.h, find_policy_entry)",
	[VLP_E_SHADOWED] = "the entry stands behind the one for any module and would never be used "
		"(tboot include/tb_policy.h, TB_POL_MOD_NUM_ANY, find_policy_entry)",
	[VLP_E_SIZE] = "the policy is larger than 2124 bytes (tboot include/tb_policy.h, MAX_TB_POLICY_SIZE)",
	[VLP_E_BUFFER] = "the policy does not fit the buffer",
};
/* clang-format on */

const char *vlp_strerror(enum vlp_error e)
{
	return (unsigned)e < VLP_ERROR_COUNT ? messages[e] : "unknown policy error";
}

static bool is_nv(const struct vlp_entry *e)
{
	return e->module == VLP_MODULE_NV || e->module == VLP_MODULE_NV_RAW;
}

/* Handles of NV indices have the type 01 in their first byte: TPM 2.0 Library part 2, 7.2, TPM_HT_NV_INDEX. */
static bool is_nv_handle(uint32_t handle)
{
	return handle >> 24 == 0x01;
}

static bool same_subject(const struct vlp_entry *a, const struct vlp_entry *b)
{
	if (is_nv(a) && is_nv(b))
		return a->nv_index == b->nv_index;
	return a->module == b->module;
}

static enum vlp_error check_header(const struct vlp *p, enum alg *alg)
{
	if (p->version != VLP_VERSION)
		return VLP_E_VERSION;
	if (p->type > VLP_HALT)
		return VLP_E_TYPE;
	if (p->hash_alg > UINT8_MAX || !alg_by_id(p->hash_alg, alg))
		return VLP_E_ALG;
	if (p->control & ~VLP_CONTROL_EXTEND_PCR17)
		return VLP_E_CONTROL;
	if (p->reserved)
		return VLP_E_RESERVED;
	if (!p->entry_count)
		return VLP_E_NO_ENTRIES;
	return VLP_OK;
}

static enum vlp_error check_entry(const struct vlp_entry *e, size_t digest_size)
{
	if (e->module > VLP_MODULE_MAX && e->module != VLP_MODULE_ANY && !is_nv(e))
		return VLP_E_MODULE;
	if (e->pcr > PCR_LAST && e->pcr != VLP_PCR_NONE)
		return VLP_E_PCR;
	if (e->hash_type != VLP_HASH_ANY && e->hash_type != VLP_HASH_IMAGE)
		return VLP_E_HASH_TYPE;
	if ((e->hash_type == VLP_HASH_ANY) != (e->hash_count == 0) || e->hashes.n != e->hash_count * digest_size)
		return VLP_E_HASH_COUNT;
	if (is_nv(e) ? !is_nv_handle(e->nv_index) : e->nv_index != 0)
		return VLP_E_NV_INDEX;
	return VLP_OK;
}

/* The rules that concern an entry and those before it. */
static enum vlp_error check_predecessors(const struct vlp *p, unsigned i)
{
	const struct vlp_entry *e = &p->entries[i];

	for (unsigned j = 0; j < i; j++)
		if (same_subject(&p->entries[j], e))
			return VLP_E_DUPLICATE;
	for (unsigned j = 0; j < i; j++)
		if (p->entries[j].module == VLP_MODULE_ANY && !is_nv(e))
			return VLP_E_SHADOWED;
	return VLP_OK;
}

/* Header and size: what no single entry can be blamed for. */
static enum vlp_error check_whole(const struct vlp *p, enum alg *alg)
{
	enum vlp_error error = check_header(p, alg);
	size_t size;

	if (!error)
		error = vlp_encode(p, (struct mspan){ NULL, 0 }, &size);
	if (error)
		return error;
	return size > VLP_MAX_SIZE ? VLP_E_SIZE : VLP_OK;
}

enum vlp_error vlp_validate_part(const struct vlp *p, int part)
{
	enum alg alg;
	enum vlp_error error;

	if (part < 0)
		return check_whole(p, &alg);
	if (part >= p->entry_count || p->hash_alg > UINT8_MAX || !alg_by_id(p->hash_alg, &alg))
		return VLP_OK;
	error = check_entry(&p->entries[part], alg_table[alg].size);
	return error ? error : check_predecessors(p, (unsigned)part);
}

static enum vlp_error check(const struct vlp *p, int *at)
{
	enum alg alg;
	enum vlp_error error = check_header(p, &alg);

	*at = -1;
	if (error)
		return error;
	for (int i = 0; i < p->entry_count; i++) {
		*at = i;
		error = vlp_validate_part(p, i);
		if (error)
			return error;
	}
	*at = -1;
	return check_whole(p, &alg);
}

enum vlp_error vlp_validate(const struct vlp *p, int *where)
{
	int at;
	enum vlp_error error = check(p, &at);

	if (error && where)
		*where = at;
	return error;
}
