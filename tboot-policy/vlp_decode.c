/* SPDX-License-Identifier: BSD-3-Clause */
#include "tboot-policy/vlp.h"

#include "common/cursor.h"

static_assert(VLP_HEADER_SIZE == 1 + 1 + 1 + 4 + 4 + 1, "tb_policy_t");
static_assert(VLP_ENTRY_SIZE == 1 + 1 + 1 + 4 + 1, "tb_policy_entry_t");
static_assert(VLP_MAX_SIZE == VLP_HEADER_SIZE + 8 * (VLP_ENTRY_SIZE + 4 * DIGEST_MAX), "MAX_TB_POLICY_SIZE");

static struct vlp_entry read_entry(struct rd *r, size_t digest_size)
{
	struct vlp_entry e = { 0 };

	e.module = rd_u8(r);
	e.pcr = rd_u8(r);
	e.hash_type = rd_u8(r);
	e.nv_index = rd_le32(r);
	e.hash_count = rd_u8(r);
	e.hashes = rd_bytes(r, e.hash_count * digest_size);
	return e;
}

/* `used` NULL: there may be nothing behind the policy. */
static enum vlp_error decode(struct span bytes, struct vlp *out, size_t *used)
{
	struct rd r = rd_init(bytes);
	uint8_t version = rd_u8(&r);
	uint8_t type = rd_u8(&r);
	uint8_t hash_alg = rd_u8(&r);
	uint32_t control = rd_le32(&r);
	uint32_t reserved = rd_le32(&r);
	uint8_t count = rd_u8(&r);
	enum alg alg;

	if (r.bad)
		return VLP_E_TRUNCATED;
	if (!alg_by_id(hash_alg, &alg))
		return VLP_E_ALG;

	/* A first walk to see that all is there, so that nothing is written otherwise. */
	struct rd probe = r;
	size_t digest_size = alg_table[alg].size;

	for (unsigned i = 0; i < count; i++)
		(void)read_entry(&probe, digest_size);
	if (probe.bad)
		return VLP_E_TRUNCATED;
	if (!used && !rd_done(&probe))
		return VLP_E_TRAILING;

	out->version = version;
	out->type = type;
	out->hash_alg = hash_alg;
	out->control = control;
	out->reserved = reserved;
	out->entry_count = count;
	for (unsigned i = 0; i < count; i++)
		out->entries[i] = read_entry(&r, digest_size);
	if (used)
		*used = r.off;
	return VLP_OK;
}

enum vlp_error vlp_decode(struct span bytes, struct vlp *out)
{
	return decode(bytes, out, NULL);
}

enum vlp_error vlp_decode_prefix(struct span bytes, struct vlp *out, size_t *used)
{
	return decode(bytes, out, used);
}
