/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/lint_tpm.h"

#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include "cli/lint_impl.h"
#include "geo/geo.h"
#include "tpm/tpm_run.h"

/* PCRs of the firmware: what PCONF elements select. */
#define STATIC_LAST 7

static void free_bytes(struct span s)
{
	free((void *)(uintptr_t)s.p);
}

void lint_tpm_free(struct lint_tpm *t)
{
	for (size_t i = 0; i < t->nv_count; i++) {
		free_bytes(t->nv[i].policy);
		free_bytes(t->nv[i].content);
	}
	free(t->nv);
	*t = (struct lint_tpm){ .nv = NULL };
}

GL_MUST static bool copy(struct span *s)
{
	uint8_t *p = NULL;

	if (s->n) {
		p = malloc(s->n);
		if (!p)
			return false;
		memcpy(p, s->p, s->n);
	}
	s->p = p;
	return true;
}

bool lint_tpm_add(struct lint_tpm *t, const struct lint_nv *nv, struct cli_fault *fault)
{
	struct lint_nv *grown = realloc(t->nv, (t->nv_count + 1) * sizeof(*grown));
	struct lint_nv added = *nv;

	if (grown)
		t->nv = grown;
	if (!grown || !copy(&added.policy))
		return cli_fail(fault, CLI_IO, "out of memory: NV indices");
	if (!copy(&added.content)) {
		free_bytes(added.policy);
		return cli_fail(fault, CLI_IO, "out of memory: NV indices");
	}
	t->nv[t->nv_count++] = added;
	return true;
}

/* ---- a TPM ---- */

struct handles {
	uint32_t first;
	TPMI_YES_NO more;
	TPMS_CAPABILITY_DATA data;
};

static TSS2_RC handles_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct handles *h = args;
	TSS2_RC rc;

	memset(&h->data, 0, sizeof(h->data));
	rc = Tss2_Sys_GetCapability(sys, NULL, TPM2_CAP_HANDLES, h->first, TPM2_MAX_CAP_HANDLES, &h->more, &h->data, NULL);
	if (rc == TSS2_RC_SUCCESS && (h->data.capability != TPM2_CAP_HANDLES || h->data.data.handles.count > TPM2_MAX_CAP_HANDLES))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

static enum lint_read read_status(TSS2_RC rc)
{
	switch (tpm_rc_base(rc)) {
	case TPM2_RC_SUCCESS:
		return LINT_READ_OK;
	case TPM2_RC_AUTH_FAIL:
	case TPM2_RC_BAD_AUTH:
		return LINT_READ_PASSWORD;
	case TPM2_RC_LOCKOUT:
		return LINT_READ_LOCKOUT;
	default:
		return LINT_READ_FAILED;
	}
}

/* A wrong password counts against the lockout limit, so nothing is tried on others' indices that are not exempt. */
static bool of_interest(const struct tpm_nv_public *p, uint32_t index, const uint32_t *more, size_t count)
{
	if (p->attributes & TPMA_NV_NO_DA)
		return true;
	for (unsigned use = 0; use < LINT_USES; use++)
		if (index == lint_indices[use][0] || index == lint_indices[use][1])
			return true;
	for (size_t i = 0; i < count; i++)
		if (index == more[i])
			return true;
	return false;
}

GL_MUST static bool read_index(
	struct host_tpm *h, uint32_t index, const uint32_t *more, size_t count, struct lint_tpm *t, struct cli_fault *fault)
{
	struct lint_nv nv = { .index = index };
	struct tpm_nv_public p;
	uint8_t content[GEO_NV_MAX];
	enum geo_readable r;
	TSS2_RC rc = tpm_nv_public(&h->tpm, index, &p);

	if (rc != TSS2_RC_SUCCESS)
		return host_tpm_fail(fault, "cannot read the public area of an NV index", rc);
	nv.attributes = p.attributes;
	nv.size = p.size;
	nv.name_alg = p.name_alg;
	nv.policy = (struct span){ p.policy, p.policy_size };
	r = geo_readable(p.attributes, p.size);
	if ((r == GEO_READABLE || r == GEO_READABLE_DA) && of_interest(&p, index, more, count)) {
		nv.read = read_status(tpm_nv_read(&h->tpm, index, content, p.size));
		if (nv.read == LINT_READ_OK)
			nv.content = (struct span){ content, p.size };
	}
	return lint_tpm_add(t, &nv, fault);
}

bool lint_tpm_read(struct host_tpm *h, const uint32_t *more, size_t count, struct lint_tpm *t, struct cli_fault *fault)
{
	struct handles list = { .first = TPM2_NV_INDEX_FIRST, .more = TPM2_YES };
	TSS2_RC rc;

	t->banks = h->tpm.banks;
	t->unknown_banks = h->tpm.unknown_banks;
	t->owner = host_tpm_owner(h);
	while (list.more) {
		const TPML_HANDLE *found = &list.data.data.handles;

		rc = tpm_run(&h->tpm, handles_op, &list);
		if (rc != TSS2_RC_SUCCESS)
			return host_tpm_fail(fault, "cannot list the NV indices", rc);
		for (uint32_t i = 0; i < found->count; i++) {
			/* They come in ascending order: whatever the TPM says, this ends. */
			if (found->handle[i] < list.first || found->handle[i] > TPM2_NV_INDEX_LAST || t->nv_count >= LINT_NV_MAX)
				return cli_fail(fault, CLI_TPM, "the TPM's list of NV indices is malformed");
			if (!read_index(h, found->handle[i], more, count, t, fault))
				return false;
			list.first = found->handle[i] + 1;
		}
		if (found->count == 0)
			break;
	}
	rc = tpm_read_pcrs(&h->tpm, 0, STATIC_LAST, &t->pcrs);
	return rc == TSS2_RC_SUCCESS || host_tpm_fail(fault, "cannot read PCR 0-7", rc);
}
