/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * SINIT measures the public areas of three NV indices (NV_INFO). expected.json has but the digest of them all, so what it takes for granted
 * is found by trying: what is told is certain.
 */

#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include "cli/lint_impl.h"
#include "cli/provision.h"
#include "txt/sinit_events.h"

/* The data of NV_INFO for one index. */
struct entry {
	uint8_t bytes[SINIT_NV_INFO_MAX];
	struct span span;
};

/* As SINIT will find the index: what a reset ends is ended. */
static void entry_of(const struct lint_nv *nv, struct entry *out)
{
	struct sinit_nv_public indices[PREDICT_NV_ENTRIES] = { { .exists = nv != NULL } };
	size_t n;

	if (nv) {
		indices[0].index = nv->index;
		indices[0].name_alg = nv->name_alg;
		indices[0].attributes = nv->attributes & ~TPMA_NV_READLOCKED;
		if (!lint_nv_locked(nv))
			indices[0].attributes &= ~TPMA_NV_WRITELOCKED;
		indices[0].policy = nv->policy;
		indices[0].size = nv->size;
	}
	n = sinit_nv_info(indices, out->bytes);
	/* the other two are a zero byte each */
	out->span = (struct span){ out->bytes, n ? n - 2 : 0 };
}

/* One of the values that are expected. */
GL_MUST static bool is_expected(const struct expected_event *e, const struct entry *const parts[PREDICT_NV_ENTRIES])
{
	uint8_t bytes[SINIT_NV_INFO_MAX];
	struct wr w = wr_init((struct mspan){ bytes, sizeof(bytes) });
	struct sinit_values values = { .mle = NULL };
	struct digests d;

	for (size_t i = 0; i < PREDICT_NV_ENTRIES; i++)
		wr_bytes(&w, parts[i]->span);
	if (w.bad)
		return false;
	values.data[SINIT_NV_INFO] = wr_span(&w);
	sinit_event_digest(sinit_event_find(SINIT_PCR_DETAILS, SINIT_EVTYPE_NV_INFO), &values, e->digests.banks, &d);
	if (digests_agree(&d, &e->digests))
		return true;
	for (size_t i = 0; i < e->alternative_count; i++)
		if (digests_agree(&d, &e->alternatives[i].digests))
			return true;
	return false;
}

static bool comes_from(const struct expected_event *e, const char *what)
{
	for (size_t i = 0; i < e->from_count; i++)
		if (!strcmp(e->from[i], what))
			return true;
	return false;
}

/* What is otherwise than 'geolaunch provision' would make it of the build's policy; NULL: nothing. */
static const char *po_difference(const struct lint_facts *f, const struct lint_nv *nv)
{
	const struct provision_index wanted = {
		.use = PROVISION_LCP, .index = nv->index, .attributes = provision_uses[PROVISION_LCP].attributes, .content = f->build_lcp
	};
	const struct tpm_nv_public found = {
		.attributes = nv->attributes, .size = nv->size, .name_alg = nv->name_alg, .policy_size = (uint16_t)nv->policy.n
	};

	return provision_public_difference(&wanted, &found);
}

/* Of AUX and PS of the TPM, which `none` says are taken for not there; with the owner's as the build takes it. */
GL_MUST static bool fits(
	const struct expected_event *e, const struct entry tpm[PREDICT_NV_ENTRIES], const struct entry *owner, bool no_aux, bool no_ps)
{
	static const uint8_t zero[1];
	const struct entry none = { .span = SPAN_OF(zero) };
	const struct entry *const parts[PREDICT_NV_ENTRIES] = {
		[PREDICT_NV_AUX] = no_aux ? &none : &tpm[PREDICT_NV_AUX],
		[PREDICT_NV_PS] = no_ps ? &none : &tpm[PREDICT_NV_PS],
		[PREDICT_NV_PO] = owner,
	};

	return is_expected(e, parts);
}

/* The build's policy, or none, is what is expected of the owner's index; a log of an unknown form may have had another one. */
static void blame_owner(struct lint_world *w, const struct expected_event *e, bool sure)
{
	const struct lint_nv *po = w->po[w->set];

	if (!po)
		return;
	if (!w->f->build_lcp.p) {
		if (sure || comes_from(e, PREDICT_NO_PO))
			w->assumed[PREDICT_NV_PO] = LINT_ASSUMED_NONE;
		return;
	}
	w->po_difference = po_difference(w->f, po);
	if (w->po_difference && (sure || e->provenance != PROVENANCE_CAPTURED || e->from_count >= PREDICT_NV_ENTRIES))
		w->assumed[PREDICT_NV_PO] = LINT_ASSUMED_OTHER;
}

void lint_find_assumed(struct lint_world *w)
{
	const struct lint_facts *f = w->f;
	const struct lint_nv *aux = w->aux[w->set], *ps = w->ps[w->set];
	const struct expected_event *e = lint_sinit_event(f, SINIT_EVTYPE_NV_INFO);
	struct entry tpm[PREDICT_NV_ENTRIES], owner;
	bool no_aux, no_ps, sure = false;

	if (!f->has_tpm || !e || !e->digests.banks)
		return;
	entry_of(aux, &tpm[PREDICT_NV_AUX]);
	entry_of(ps, &tpm[PREDICT_NV_PS]);
	entry_of(w->po[w->set], &tpm[PREDICT_NV_PO]);
	if (fits(e, tpm, &tpm[PREDICT_NV_PO], false, false))
		return;
	owner.span = predict_nv_owner(f->build_lcp, w->set_known ? &f->sinit : NULL, owner.bytes);
	for (unsigned i = 0; i < 4 && !sure; i++) {
		no_aux = i & 1;
		no_ps = i & 2;
		sure = fits(e, tpm, &owner, no_aux, no_ps);
	}
	if (!sure) {
		no_aux = comes_from(e, PREDICT_NO_AUX);
		no_ps = comes_from(e, PREDICT_NO_PS);
	}
	if (no_aux && aux)
		w->assumed[PREDICT_NV_AUX] = LINT_ASSUMED_NONE;
	if (no_ps && ps)
		w->assumed[PREDICT_NV_PS] = LINT_ASSUMED_NONE;
	blame_owner(w, e, sure);
}
