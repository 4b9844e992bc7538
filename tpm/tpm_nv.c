/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tpm/tpm_run.h"

struct nv_public {
	uint32_t index;
	TPM2B_NV_PUBLIC public;
	TPM2B_NAME name;
};

static TSS2_RC nv_public_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct nv_public *p = args;
	size_t n;
	TSS2_RC rc;

	memset(&p->public, 0, sizeof(p->public));
	memset(&p->name, 0, sizeof(p->name));
	rc = Tss2_Sys_NV_ReadPublic(sys, p->index, NULL, &p->public, &p->name, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	/* index 4, name algorithm 2, attributes 4, policy, size 2; each TPM2B has 2 more */
	n = 14u + p->public.nvPublic.authPolicy.size;
	if (p->public.size != n || !tpm_parameters_are(sys, 2 + n + 2 + p->name.size))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

TSS2_RC tpm_nv_public(struct tpm *t, uint32_t index, struct tpm_nv_public *out)
{
	struct nv_public p = { .index = index };
	const TPMS_NV_PUBLIC *v = &p.public.nvPublic;
	TSS2_RC rc = tpm_run(t, nv_public_op, &p);

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	if (v->nvIndex != index || v->authPolicy.size > sizeof(out->policy))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	memset(out, 0, sizeof(*out));
	out->attributes = v->attributes;
	out->size = v->dataSize;
	out->name_alg = v->nameAlg;
	out->policy_size = v->authPolicy.size;
	memcpy(out->policy, v->authPolicy.buffer, v->authPolicy.size);
	return TSS2_RC_SUCCESS;
}

struct nv_read {
	TPMI_RH_NV_AUTH auth;
	uint32_t index;
	struct span password;
	UINT16 size, offset;
	TPM2B_MAX_NV_BUFFER data;
};

static TSS2_RC nv_read_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct nv_read *p = args;
	TSS2L_SYS_AUTH_COMMAND auth;
	TSS2L_SYS_AUTH_RESPONSE answer = { .count = 0 };
	TSS2_RC rc;

	p->data.size = 0;
	tpm_password(&auth, p->password);
	rc = Tss2_Sys_NV_Read(sys, p->auth, p->index, &auth, p->size, p->offset, &p->data, &answer);
	tpm_wipe(&auth, sizeof(auth));
	if (rc == TSS2_RC_SUCCESS && (!tpm_password_answered(&answer) || p->data.size != p->size || !tpm_parameters_are(sys, 2u + p->size)))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

TSS2_RC tpm_nv_read_as(struct tpm *t, TPMI_RH_NV_AUTH auth, struct span password, uint32_t index, struct mspan out)
{
	struct nv_read p = { .auth = auth, .index = index, .password = password };
	size_t done = 0;

	if (out.n > UINT16_MAX || t->nv_buffer_max == 0)
		return TSS2_SYS_RC_BAD_VALUE;
	/* Also an empty content is read once: whether it may be read is an answer too. */
	do {
		TSS2_RC rc;

		p.offset = (UINT16)done;
		p.size = (UINT16)(out.n - done < t->nv_buffer_max ? out.n - done : t->nv_buffer_max);
		rc = tpm_run(t, nv_read_op, &p);
		if (rc != TSS2_RC_SUCCESS) {
			if (out.n > 0)
				memset(out.p, 0, out.n);
			return rc;
		}
		if (p.size > 0)
			memcpy(out.p + done, p.data.buffer, p.size);
		done += p.size;
	} while (done < out.n);
	return TSS2_RC_SUCCESS;
}

TSS2_RC tpm_nv_read(struct tpm *t, uint32_t index, uint8_t *buf, size_t size)
{
	return tpm_nv_read_as(t, index, (struct span){ NULL, 0 }, index, (struct mspan){ buf, size });
}
