/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/vlp_edit.h"

#include <string.h>

void vlp_edit_begin(struct vlp *out, uint8_t type, enum alg alg, uint32_t control)
{
	*out = (struct vlp){ .version = VLP_VERSION, .type = type, .hash_alg = alg_table[alg].tpm_id, .control = control };
}

static bool is_nv(uint8_t module)
{
	return module == VLP_MODULE_NV || module == VLP_MODULE_NV_RAW;
}

int vlp_edit_find(const struct vlp *p, uint8_t module, uint32_t nv_index)
{
	for (int i = 0; i < p->entry_count; i++) {
		const struct vlp_entry *e = &p->entries[i];

		if (is_nv(module) ? is_nv(e->module) && e->nv_index == nv_index : e->module == module)
			return i;
	}
	return -1;
}

/* Size of the policy's digests; 0 if nobody knows the algorithm, and then nothing fits. */
static size_t digest_size(const struct vlp *p)
{
	enum alg alg;

	return alg_by_id(p->hash_alg, &alg) ? alg_table[alg].size : 0;
}

static enum vlp_error set_hashes(const struct vlp *p, struct vlp_entry *e, struct span hashes)
{
	size_t size = digest_size(p);

	if (!size)
		return VLP_E_ALG;
	if (hashes.n % size != 0)
		return VLP_E_HASH_COUNT;
	if (hashes.n / size > UINT8_MAX)
		return VLP_E_SIZE;
	e->hashes = hashes;
	e->hash_count = (uint8_t)(hashes.n / size);
	e->hash_type = e->hash_count ? VLP_HASH_IMAGE : VLP_HASH_ANY;
	return VLP_OK;
}

/* Takes the changed policy over, if it may be. */
static enum vlp_error accept_change(struct vlp *p, const struct vlp *changed, unsigned entry)
{
	enum vlp_error before = vlp_validate(p, NULL), after = vlp_validate(changed, NULL);
	enum vlp_error error = vlp_validate_part(changed, (int)entry);
	size_t size = 0;

	if (!error)
		error = vlp_encode(changed, (struct mspan){ NULL, 0 }, &size);
	if (!error && size > VLP_MAX_SIZE)
		error = VLP_E_SIZE;
	if (!error && (before == VLP_OK || before == VLP_E_NO_ENTRIES))
		error = after;
	if (!error)
		*p = *changed;
	return error;
}

enum vlp_error vlp_edit_insert(struct vlp *p, unsigned at, const struct vlp_entry *entry)
{
	struct vlp changed = *p;
	struct vlp_entry *e = &changed.entries[at];
	enum vlp_error error;

	if (p->entry_count == VLP_MAX_ENTRIES || at > p->entry_count)
		return VLP_E_SIZE;
	memmove(e + 1, e, (p->entry_count - at) * sizeof(*e));
	*e = *entry;
	changed.entry_count++;
	error = set_hashes(p, e, entry->hashes);
	return error ? error : accept_change(p, &changed, at);
}

enum vlp_error vlp_edit_extend(struct vlp *p, unsigned entry, uint8_t pcr, struct span hashes, struct mspan room)
{
	struct vlp changed = *p;
	struct vlp_entry *e = &changed.entries[entry];
	struct span old = hashes.n ? e->hashes : (struct span){ NULL, 0 };
	enum vlp_error error;

	if (hashes.n > room.n || old.n > room.n - hashes.n)
		return VLP_E_SIZE;
	if (old.n)
		memcpy(room.p, old.p, old.n);
	if (hashes.n)
		memcpy(room.p + old.n, hashes.p, hashes.n);
	e->pcr = pcr;
	error = set_hashes(p, e, (struct span){ room.p, old.n + hashes.n });
	return error ? error : accept_change(p, &changed, entry);
}

void vlp_edit_remove(struct vlp *p, unsigned entry)
{
	struct vlp_entry *e = &p->entries[entry];

	p->entry_count--;
	memmove(e, e + 1, (p->entry_count - entry) * sizeof(*e));
}

enum vlp_error vlp_edit_remove_hash(struct vlp *p, unsigned entry, unsigned pos, struct mspan room)
{
	struct vlp_entry *e = &p->entries[entry];
	size_t size = digest_size(p), at = pos * size;
	struct span rest;

	if (!size || pos >= e->hash_count || e->hashes.n != e->hash_count * size)
		return VLP_E_HASH_COUNT;
	if (e->hash_count == 1) {
		vlp_edit_remove(p, entry);
		return VLP_OK;
	}
	if (room.n < e->hashes.n - size)
		return VLP_E_BUFFER;
	rest = (struct span){ e->hashes.p + at + size, e->hashes.n - at - size };
	memcpy(room.p, e->hashes.p, at);
	memcpy(room.p + at, rest.p, rest.n);
	e->hashes = (struct span){ room.p, at + rest.n };
	e->hash_count--;
	return VLP_OK;
}
