/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tpm/tpm_run.h"

/* PCR_Read again from the start if PCRs changed between two pieces; on a host that runs others than those asked for change all the time. */
#define PCR_READS_MAX 5

bool tpm_selection_mask(const TPMS_PCR_SELECTION *s, uint32_t *out)
{
	uint32_t mask = 0;

	if (s->sizeofSelect > sizeof(s->pcrSelect))
		return false;
	for (unsigned i = 0; i < s->sizeofSelect; i++)
		mask |= (uint32_t)s->pcrSelect[i] << 8 * i;
	*out = mask;
	return true;
}

size_t tpm_selections_size(const TPML_PCR_SELECTION *l)
{
	size_t n = 4;

	if (l->count > GL_COUNT(l->pcrSelections))
		return 0;
	for (unsigned i = 0; i < l->count; i++)
		n += 3u + l->pcrSelections[i].sizeofSelect;
	return n;
}

struct extend {
	unsigned pcr;
	TPML_DIGEST_VALUES values;
};

static TSS2_RC extend_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct extend *e = args;
	TSS2L_SYS_AUTH_COMMAND auth;
	TSS2L_SYS_AUTH_RESPONSE answer = { .count = 0 };
	TSS2_RC rc;

	tpm_password(&auth, (struct span){ NULL, 0 });
	rc = Tss2_Sys_PCR_Extend(sys, e->pcr, &auth, &e->values, &answer);
	if (rc == TSS2_RC_SUCCESS && (!tpm_password_answered(&answer) || !tpm_parameters_are(sys, 0)))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

TSS2_RC tpm_extend(struct tpm *t, unsigned pcr, const struct digests *d)
{
	struct extend e = { .pcr = pcr };

	/* The TPM takes digests for inactive banks, or none at all, with success and measures nothing. */
	if (pcr >= PCR_COUNT || t->banks == 0 || t->banks & ~d->banks)
		return TSS2_SYS_RC_BAD_VALUE;
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		if (!(t->banks & ALG_BIT(a)))
			continue;

		TPMT_HA *v = &e.values.digests[e.values.count++];

		v->hashAlg = alg_table[a].tpm_id;
		memcpy(&v->digest, d->d[a], alg_table[a].size);
	}
	return tpm_run(t, extend_op, &e);
}

struct pcr_read {
	TPML_PCR_SELECTION want, got;
	UINT32 counter;
	TPML_DIGEST digests;
};

static TSS2_RC pcr_read_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct pcr_read *p = args;
	size_t n;
	TSS2_RC rc;

	memset(&p->got, 0, sizeof(p->got));
	memset(&p->digests, 0, sizeof(p->digests));
	rc = Tss2_Sys_PCR_Read(sys, NULL, &p->want, &p->counter, &p->got, &p->digests, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	n = 8 + tpm_selections_size(&p->got);
	for (unsigned i = 0; i < p->digests.count && i < GL_COUNT(p->digests.digests); i++)
		n += 2u + p->digests.digests[i].size;
	return tpm_parameters_are(sys, n) ? rc : TSS2_SYS_RC_MALFORMED_RESPONSE;
}

static void select_pcrs(const uint32_t left[ALG_COUNT], TPML_PCR_SELECTION *out)
{
	memset(out, 0, sizeof(*out));
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		if (left[a] == 0)
			continue;

		TPMS_PCR_SELECTION *s = &out->pcrSelections[out->count++];

		s->hash = alg_table[a].tpm_id;
		s->sizeofSelect = PCR_COUNT / 8;
		for (unsigned i = 0; i < PCR_COUNT / 8; i++)
			s->pcrSelect[i] = (BYTE)(left[a] >> 8 * i);
	}
}

/*
 * Stores what came and takes it off `left`. False if the answer is not one to the question: a bank or PCR that was not asked for or
 * comes twice, more or fewer digests than selected, a wrong size, nothing at all. `*same` becomes false if a value is not the one that
 * `out` held before.
 */
GL_MUST static bool take_pcrs(const struct pcr_read *p, uint32_t left[ALG_COUNT], struct pcrs *out, bool *same)
{
	unsigned next = 0;

	if (p->got.count > GL_COUNT(p->got.pcrSelections) || p->digests.count > GL_COUNT(p->digests.digests))
		return false;
	for (unsigned i = 0; i < p->got.count; i++) {
		uint32_t mask;
		enum alg a;

		if (!tpm_selection_mask(&p->got.pcrSelections[i], &mask))
			return false;
		if (mask == 0)
			continue;
		if (!alg_by_id(p->got.pcrSelections[i].hash, &a) || mask & ~left[a])
			return false;
		left[a] &= ~mask;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			if (!(mask >> pcr & 1))
				continue;
			if (next >= p->digests.count || p->digests.digests[next].size != alg_table[a].size)
				return false;
			*same = *same && memcmp(out->v[a][pcr], p->digests.digests[next].buffer, alg_table[a].size) == 0;
			memcpy(out->v[a][pcr], p->digests.digests[next++].buffer, alg_table[a].size);
			out->known[a] |= UINT32_C(1) << pcr;
		}
	}
	return next > 0 && next == p->digests.count;
}

/* All pieces. `*changed`: PCRs changed on the way. `*same`: all values are those that `out` held before. */
GL_MUST static TSS2_RC read_pieces(struct tpm *t, uint32_t pcr_mask, struct pcrs *out, bool *changed, bool *same)
{
	uint32_t left[ALG_COUNT] = { 0 };
	struct pcr_read p;
	UINT32 counter = 0;

	*changed = false;
	*same = true;
	memset(out->known, 0, sizeof(out->known));
	for (enum alg a = 0; a < ALG_COUNT; a++)
		left[a] = t->banks & ALG_BIT(a) ? pcr_mask : 0;
	for (bool first = true;; first = false) {
		TSS2_RC rc;

		select_pcrs(left, &p.want);
		if (p.want.count == 0)
			break;
		rc = tpm_run(t, pcr_read_op, &p);
		if (rc != TSS2_RC_SUCCESS)
			return rc;
		if (!take_pcrs(&p, left, out, same))
			return TSS2_SYS_RC_MALFORMED_RESPONSE;
		*changed = *changed || (!first && p.counter != counter);
		counter = p.counter;
	}
	out->banks = t->banks;
	return TSS2_RC_SUCCESS;
}

TSS2_RC tpm_read_pcrs(struct tpm *t, unsigned first, unsigned last, struct pcrs *out)
{
	uint32_t mask;

	if (first > last || last >= PCR_COUNT || t->banks == 0)
		return TSS2_SYS_RC_BAD_VALUE;
	mask = ((UINT32_C(1) << (last + 1)) - 1) & ~((UINT32_C(1) << first) - 1);
	memset(out, 0, sizeof(*out));
	/* The counter moves for any PCR: that of the running system too. Values that came twice are as good as a counter that stood still. */
	for (unsigned i = 0; i < PCR_READS_MAX; i++) {
		bool changed, same;
		TSS2_RC rc = read_pieces(t, mask, out, &changed, &same);

		if (rc == TSS2_RC_SUCCESS && (!changed || (i > 0 && same)))
			return rc;
		if (rc != TSS2_RC_SUCCESS) {
			memset(out, 0, sizeof(*out));
			return rc;
		}
	}
	memset(out, 0, sizeof(*out));
	return TSS2_TCTI_RC_TRY_AGAIN;
}
