/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/pcr.h"

#include <string.h>

#include "common/hash.h"

void pcrs_reset_dynamic(struct pcrs *p, alg_set banks, bool drtm)
{
	memset(p, 0, sizeof(*p));
	p->banks = banks & ALG_SET_ALL;
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		if (!(p->banks & ALG_BIT(a)))
			continue;
		for (unsigned i = PCR_DRTM_FIRST; i <= PCR_DRTM_LAST; i++) {
			memset(p->v[a][i], drtm ? 0x00 : 0xff, alg_table[a].size);
			p->known[a] |= UINT32_C(1) << i;
		}
	}
}

bool pcrs_extend(struct pcrs *p, unsigned pcr, const struct digests *d)
{
	if (pcr >= PCR_COUNT)
		return false;
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		struct hash h;
		struct digests out;

		if (!pcr_known(p, a, pcr) || !(d->banks & ALG_BIT(a)))
			continue;
		hash_init(&h, ALG_BIT(a));
		hash_update(&h, pcr_value(p, a, pcr));
		hash_update(&h, digest_span(d, a));
		hash_final(&h, &out);
		memcpy(p->v[a][pcr], out.d[a], alg_table[a].size);
	}
	return true;
}

bool pcrs_equal(const struct pcrs *x, const struct pcrs *y, alg_set banks, unsigned first, unsigned last)
{
	for (enum alg a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = first; banks & ALG_BIT(a) && pcr <= last; pcr++)
			if (!span_equal(pcr_value(x, a, pcr), pcr_value(y, a, pcr)))
				return false;
	return true;
}

bool pcr_is_all(const struct pcrs *p, enum alg a, unsigned pcr, uint8_t byte)
{
	if (!pcr_known(p, a, pcr))
		return false;

	struct span v = pcr_value(p, a, pcr);

	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != byte)
			return false;
	return true;
}
