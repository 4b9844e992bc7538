/* SPDX-License-Identifier: BSD-3-Clause */
#include "tboot-policy/vlp.h"

const struct vlp_entry *vlp_find_module(const struct vlp *p, unsigned module)
{
	for (unsigned i = 0; i < p->entry_count; i++) {
		const struct vlp_entry *e = &p->entries[i];

		/* Numbers above 127 mean other things, so no module can claim such an entry. */
		if ((module <= VLP_MODULE_MAX && e->module == module) || e->module == VLP_MODULE_ANY)
			return e;
	}
	return NULL;
}

bool vlp_entry_allows(const struct vlp *p, const struct vlp_entry *e, const struct digests *d)
{
	enum alg alg;

	if (e->hash_type == VLP_HASH_ANY)
		return true;
	if (e->hash_type != VLP_HASH_IMAGE || !alg_by_id(p->hash_alg, &alg) || !(d->banks & ALG_BIT(alg)))
		return false;

	struct span digest = digest_span(d, alg);

	for (size_t at = 0; digest.n <= e->hashes.n - at; at += digest.n)
		if (span_equal((struct span){ e->hashes.p + at, digest.n }, digest))
			return true;
	return false;
}
