/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_PCR_H
#define GL_COMMON_PCR_H

#include "alg.h"

#define PCR_COUNT 24
#define PCR_DRTM_FIRST 17
#define PCR_DRTM_LAST 22

/* The values of all PCRs in the banks of `banks`; a bit in known[a] says whether PCR i of bank a has a value. */
struct pcrs {
	alg_set banks;
	uint32_t known[ALG_COUNT];
	uint8_t v[ALG_COUNT][PCR_COUNT][DIGEST_MAX];
};

/*
 * Values of the dynamic PCRs before the first extend (TCG PC Client Platform TPM Profile, 4.6.2):
 * all FF after TPM2_Startup if no dynamic launch took place, all zero after one. Only 17-22 are set to known.
 */
void pcrs_reset_dynamic(struct pcrs *p, alg_set banks, bool drtm);

/* PCR := H(PCR || digest) in each bank that both know (TPM 2.0 Library part 1, 17.3). False if `pcr` is out of range. */
GL_MUST bool pcrs_extend(struct pcrs *p, unsigned pcr, const struct digests *d);

GL_MUST static inline bool pcr_known(const struct pcrs *p, enum alg a, unsigned pcr)
{
	return pcr < PCR_COUNT && p->banks & ALG_BIT(a) && p->known[a] >> pcr & 1;
}

static inline struct span pcr_value(const struct pcrs *p, enum alg a, unsigned pcr)
{
	return (struct span){ p->v[a][pcr], alg_table[a].size };
}

/* True if PCR `first` to `last` have the same values in each of these banks. Looks at values only, not at what is known. */
GL_MUST bool pcrs_equal(const struct pcrs *x, const struct pcrs *y, alg_set banks, unsigned first, unsigned last);

/* True if all bytes of the value are `byte` (0xFF: never extended, no dynamic launch; 0x00: after one). */
GL_MUST bool pcr_is_all(const struct pcrs *p, enum alg a, unsigned pcr, uint8_t byte);

#endif
