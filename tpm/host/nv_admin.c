/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpm/host/nv_admin.h"

#include <string.h>

#include "tpm/tpm_run.h"

bool nv_auth_set(struct nv_auth *a, struct span value)
{
	if (value.n > sizeof(a->bytes))
		return false;
	nv_auth_wipe(a);
	if (value.n > 0)
		memcpy(a->bytes, value.p, value.n);
	a->size = (uint16_t)value.n;
	return true;
}

void nv_auth_wipe(struct nv_auth *a)
{
	tpm_wipe(a, sizeof(*a));
}

static struct span auth_span(const struct nv_auth *a)
{
	return (struct span){ a->bytes, a->size < sizeof(a->bytes) ? a->size : sizeof(a->bytes) };
}

static TPMI_RH_NV_AUTH auth_handle(enum nv_by by, uint32_t index)
{
	return by == NV_BY_OWNER ? (TPMI_RH_NV_AUTH)TPM2_RH_OWNER : index;
}

/* The arguments of any of the commands, and their passwords in the form that SYS wants. */
struct admin {
	TPMI_RH_NV_AUTH handle;
	uint32_t index;
	TSS2L_SYS_AUTH_COMMAND auth;
	TPM2B_AUTH index_auth;
	TPM2B_NV_PUBLIC public;
	TPM2B_MAX_NV_BUFFER data;
	UINT16 offset;
};

static void admin_wipe(struct admin *a)
{
	tpm_wipe(a, sizeof(*a));
}

/* Runs the command; then no password is left in the SYS context. */
GL_MUST static TSS2_RC run(struct tpm *t, TSS2_RC (*op)(TSS2_SYS_CONTEXT *sys, void *args), struct admin *a)
{
	TSS2_RC rc = tpm_run(t, op, a);

	tpm_scrub(t);
	return rc;
}

/* All of these commands answer with no parameters. */
static TSS2_RC checked(TSS2_SYS_CONTEXT *sys, TSS2_RC rc, const TSS2L_SYS_AUTH_RESPONSE *answer)
{
	if (rc == TSS2_RC_SUCCESS && (!tpm_password_answered(answer) || !tpm_parameters_are(sys, 0)))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

static TSS2_RC define_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct admin *a = args;
	TSS2L_SYS_AUTH_RESPONSE answer = { .count = 0 };

	return checked(sys, Tss2_Sys_NV_DefineSpace(sys, a->handle, &a->auth, &a->index_auth, &a->public, &answer), &answer);
}

static TSS2_RC undefine_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct admin *a = args;
	TSS2L_SYS_AUTH_RESPONSE answer = { .count = 0 };

	return checked(sys, Tss2_Sys_NV_UndefineSpace(sys, a->handle, a->index, &a->auth, &answer), &answer);
}

static TSS2_RC write_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct admin *a = args;
	TSS2L_SYS_AUTH_RESPONSE answer = { .count = 0 };

	return checked(sys, Tss2_Sys_NV_Write(sys, a->handle, a->index, &a->auth, &a->data, a->offset, &answer), &answer);
}

static TSS2_RC write_lock_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct admin *a = args;
	TSS2L_SYS_AUTH_RESPONSE answer = { .count = 0 };

	return checked(sys, Tss2_Sys_NV_WriteLock(sys, a->handle, a->index, &a->auth, &answer), &answer);
}

TSS2_RC nv_define(struct tpm *t, const struct nv_space *space, const struct nv_auth *owner, const struct nv_auth *index_auth)
{
	__attribute__((cleanup(admin_wipe))) struct admin a = { .handle = TPM2_RH_OWNER, .index = space->index };
	TPMS_NV_PUBLIC *p = &a.public.nvPublic;
	struct span own = auth_span(index_auth);

	if (space->policy.n > sizeof(p->authPolicy.buffer))
		return TSS2_SYS_RC_BAD_VALUE;
	tpm_password(&a.auth, auth_span(owner));
	a.index_auth.size = (UINT16)own.n;
	memcpy(a.index_auth.buffer, own.p, own.n);
	p->nvIndex = space->index;
	p->nameAlg = space->name_alg;
	p->attributes = space->attributes;
	p->dataSize = space->size;
	p->authPolicy.size = (UINT16)space->policy.n;
	if (space->policy.n > 0)
		memcpy(p->authPolicy.buffer, space->policy.p, space->policy.n);
	return run(t, define_op, &a);
}

TSS2_RC nv_undefine(struct tpm *t, uint32_t index, const struct nv_auth *owner)
{
	__attribute__((cleanup(admin_wipe))) struct admin a = { .handle = TPM2_RH_OWNER, .index = index };

	tpm_password(&a.auth, auth_span(owner));
	return run(t, undefine_op, &a);
}

TSS2_RC nv_write(struct tpm *t, uint32_t index, enum nv_by by, const struct nv_auth *auth, struct span content)
{
	__attribute__((cleanup(admin_wipe))) struct admin a = { .handle = auth_handle(by, index), .index = index };
	size_t done = 0;

	if (content.n > UINT16_MAX || t->nv_buffer_max == 0)
		return TSS2_SYS_RC_BAD_VALUE;
	tpm_password(&a.auth, auth_span(auth));
	/* Also an empty content is written once: the index counts as written then. */
	do {
		size_t piece = content.n - done < t->nv_buffer_max ? content.n - done : t->nv_buffer_max;
		TSS2_RC rc;

		a.offset = (UINT16)done;
		a.data.size = (UINT16)piece;
		if (piece > 0)
			memcpy(a.data.buffer, content.p + done, piece);
		rc = run(t, write_op, &a);
		if (rc != TSS2_RC_SUCCESS)
			return rc;
		done += piece;
	} while (done < content.n);
	return TSS2_RC_SUCCESS;
}

TSS2_RC nv_read(struct tpm *t, uint32_t index, enum nv_by by, const struct nv_auth *auth, struct mspan out)
{
	TSS2_RC rc = tpm_nv_read_as(t, auth_handle(by, index), auth_span(auth), index, out);

	tpm_scrub(t);
	return rc;
}

TSS2_RC nv_write_lock(struct tpm *t, uint32_t index, enum nv_by by, const struct nv_auth *auth)
{
	__attribute__((cleanup(admin_wipe))) struct admin a = { .handle = auth_handle(by, index), .index = index };

	tpm_password(&a.auth, auth_span(auth));
	return run(t, write_lock_op, &a);
}
