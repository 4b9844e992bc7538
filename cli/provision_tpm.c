/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/provision_tpm.h"

#include <tss2/tss2_tpm2_types.h>

static const char *what_for(char *buf, size_t cap, const char *verb, const struct provision_index *wanted)
{
	(void)snprintf(buf, cap, "cannot %s NV index 0x%08x (%s)", verb, wanted->index, provision_uses[wanted->use].name);
	return buf;
}

GL_MUST static bool failed(struct cli_fault *fault, const char *verb, const struct provision_index *wanted, TSS2_RC rc)
{
	char buf[96];

	if (tpm_rc_base(rc) == TPM2_RC_SIZE)
		return cli_fail(fault, CLI_TPM,
			"%s: this TPM's NV indices cannot have %zu bytes; use a shorter policy hash or fewer modules",
			what_for(buf, sizeof(buf), verb, wanted), wanted->content.n);
	return host_tpm_fail(fault, what_for(buf, sizeof(buf), verb, wanted), rc);
}

bool provision_look(struct host_tpm *h, const struct provision_index *wanted, struct provision_found *out, struct cli_fault *fault)
{
	TSS2_RC rc = tpm_nv_public(&h->tpm, wanted->index, &out->public);

	out->present = rc == TSS2_RC_SUCCESS;
	out->read = PROVISION_NOT_READ;
	if (tpm_rc_base(rc) == TPM2_RC_HANDLE)
		return true;
	if (rc != TSS2_RC_SUCCESS)
		return failed(fault, "read the public area of", wanted, rc);
	if (!provision_public_fits(wanted, &out->public) || !(out->public.attributes & TPMA_NV_WRITTEN))
		return true;
	rc = tpm_nv_read(&h->tpm, wanted->index, out->content, out->public.size);
	switch (tpm_rc_base(rc)) {
	case TSS2_RC_SUCCESS:
		out->read = PROVISION_READ;
		return true;
	/* no_da: a wrong password is a plain BAD_AUTH and does not count */
	case TPM2_RC_BAD_AUTH:
	case TPM2_RC_AUTH_FAIL:
		out->read = PROVISION_REFUSED;
		return true;
	default:
		return failed(fault, "read", wanted, rc);
	}
}

GL_MUST static bool define(struct host_tpm *h, const struct provision_index *wanted, const struct nv_auth *owner, struct cli_fault *fault)
{
	const struct nv_auth empty = { .size = 0 };
	/* clang-format off */
	const struct nv_space space = {
		.index = wanted->index, .attributes = wanted->attributes, .size = (uint16_t)wanted->content.n, .name_alg = TPM2_ALG_SHA256,
	};
	/* clang-format on */
	TSS2_RC rc = nv_define(&h->tpm, &space, owner, &empty);

	return rc == TSS2_RC_SUCCESS || failed(fault, "define", wanted, rc);
}

GL_MUST static bool undefine(struct host_tpm *h, const struct provision_index *wanted, const struct nv_auth *owner, struct cli_fault *fault)
{
	TSS2_RC rc = nv_undefine(&h->tpm, wanted->index, owner);

	return rc == TSS2_RC_SUCCESS || failed(fault, "undefine", wanted, rc);
}

GL_MUST static bool write_content(
	struct host_tpm *h, const struct provision_index *wanted, const struct nv_auth *owner, struct cli_fault *fault)
{
	const struct nv_auth empty = { .size = 0 };
	bool by_owner = wanted->attributes & TPMA_NV_OWNERWRITE;
	TSS2_RC rc = nv_write(&h->tpm, wanted->index, by_owner ? NV_BY_OWNER : NV_BY_INDEX, by_owner ? owner : &empty, wanted->content);

	return rc == TSS2_RC_SUCCESS || failed(fault, "write", wanted, rc);
}

/* Allocated: a found index is larger than what belongs on the stack of many callers. */
GL_MUST static bool verify(struct host_tpm *h, const struct provision_index *wanted, struct cli_fault *fault)
{
	CLEANUP_FREE struct provision_found *found = malloc(sizeof(*found));
	struct provision_step step;

	if (!found)
		return cli_fail(fault, CLI_IO, "out of memory");
	if (!provision_look(h, wanted, found, fault))
		return false;
	step = provision_plan(wanted, found);
	return step.action == PROVISION_KEEP || cli_fail(fault, CLI_TPM, "NV index 0x%08x (%s) was written, but then was not as wanted: %s",
							wanted->index, provision_uses[wanted->use].name, step.reason);
}

bool provision_do(struct host_tpm *h, const struct provision_index *wanted, enum provision_action action, const struct nv_auth *owner,
	struct cli_fault *fault)
{
	switch (action) {
	case PROVISION_KEEP:
		return true;
	case PROVISION_REDEFINE:
		if (!undefine(h, wanted, owner, fault))
			return false;
		/* fallthrough */
	case PROVISION_DEFINE:
		if (!define(h, wanted, owner, fault))
			return false;
		/* fallthrough */
	case PROVISION_FINISH:
	case PROVISION_REWRITE:
		return write_content(h, wanted, owner, fault) && verify(h, wanted, fault);
	case PROVISION_BLOCKED:
	case PROVISION_ACTION_COUNT:
		break;
	}
	return cli_fail(fault, CLI_IO, "internal error: action %d", (int)action);
}
