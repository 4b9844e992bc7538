/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/host_tpm.h"

#include <tss2/tss2_tpm2_types.h>

#include "tpm/host/host_tcti.h"
#include "tpm/tpm_run.h"

/* What to do about answers that users meet. */
static const struct {
	TSS2_RC base;
	const char *advice;
} advices[] = {
	{ TPM2_RC_BAD_AUTH,
		"wrong owner password: give the right one with --owner-auth; if it was set from a file with a line "
		"end, that is part of it: set it anew without (printf %s)" },
	{ TPM2_RC_AUTH_FAIL, "wrong password" },
	{ TPM2_RC_LOCKOUT, "the TPM is in dictionary-attack lockout: wait, or reset the counter with the lockout password" },
	{ TPM2_RC_NV_SPACE, "the TPM's NV memory is full: undefine an index that is not needed" },
	{ TPM2_RC_NV_LOCKED, "the index is locked: undefine it, then define it anew" },
	{ TPM2_RC_HANDLE, "the index is not defined: define it" },
	{ TPM2_RC_HIERARCHY, "the owner hierarchy is disabled: enable it in the firmware's setup" },
	{ TPM2_RC_INITIALIZE, "nobody has started this TPM: firmware or swtpm's flag startup-clear does" },
};

bool host_tpm_fail(struct cli_fault *fault, const char *what, TSS2_RC rc)
{
	char buf[128];
	struct text t = TEXT_OF(buf);
	const char *advice = NULL;

	text_str(&t, "");
	tpm_rc_text(rc, &t);
	for (size_t i = 0; i < GL_COUNT(advices); i++)
		if (tpm_rc_base(rc) == advices[i].base)
			advice = advices[i].advice;
	return cli_fail(fault, CLI_TPM, "%s: %s%s%s", what, buf, advice ? "; " : "", advice ? advice : "");
}

bool host_tpm_open(struct host_tpm *h, const char *conf, struct cli_fault *fault)
{
	char buf[512];
	struct text error = TEXT_OF(buf);
	TSS2_RC rc;

	*h = (struct host_tpm){ .tcti = NULL };
	text_str(&error, "");
	if (host_tcti_open(conf, &h->tcti, &error) != TSS2_RC_SUCCESS)
		return cli_fail(fault, CLI_TPM, "%s", buf);
	h->tpm.delay_ms = host_delay_ms;
	rc = tpm_init(&h->tpm, h->tcti);
	if (rc != TSS2_RC_SUCCESS)
		return host_tpm_fail(fault, "cannot talk to the TPM", rc);
	return true;
}

static TSS2_RC permanent_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	TPMS_CAPABILITY_DATA *data = args;
	TPMI_YES_NO more;

	*data = (TPMS_CAPABILITY_DATA){ .capability = 0 };
	return Tss2_Sys_GetCapability(sys, NULL, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_PERMANENT, 1, &more, data, NULL);
}

enum host_owner host_tpm_owner(struct host_tpm *h)
{
	TPMS_CAPABILITY_DATA data;
	const TPML_TAGGED_TPM_PROPERTY *found = &data.data.tpmProperties;

	if (tpm_run(&h->tpm, permanent_op, &data) != TSS2_RC_SUCCESS || data.capability != TPM2_CAP_TPM_PROPERTIES || found->count != 1 ||
		found->tpmProperty[0].property != TPM2_PT_PERMANENT)
		return HOST_OWNER_UNKNOWN;
	return found->tpmProperty[0].value & TPMA_PERMANENT_OWNERAUTHSET ? HOST_OWNER_PASSWORD : HOST_OWNER_OPEN;
}

void host_tpm_close(struct host_tpm *h)
{
	tpm_done(&h->tpm);
	host_tcti_close(&h->tcti);
}
