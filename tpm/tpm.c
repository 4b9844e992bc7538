/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpm/tpm.h"

#include <string.h>

#include "tpm/tpm_run.h"

/* A TPM that asks to try again gets 2 s: self-tests and the first NV access after a start take less. */
#define TRIES_MAX 100
#define TRY_DELAY_MS 20

#define PCR_MASK_DRTM (((UINT32_C(1) << (PCR_DRTM_LAST + 1)) - 1) & ~((UINT32_C(1) << PCR_DRTM_FIRST) - 1))

/* Used when the TPM does not name its limit; every TPM 2.0 takes at least this. */
#define NV_PIECE_DEFAULT 512

/* ---- one command ---- */

static TSS2_RC sys_start(struct tpm *t, TSS2_TCTI_CONTEXT *tcti)
{
	TSS2_ABI_VERSION abi = TSS2_ABI_VERSION_CURRENT;
	TSS2_SYS_CONTEXT *sys = (TSS2_SYS_CONTEXT *)t->room;

	return Tss2_Sys_Initialize(sys, sizeof(t->room), tcti, &abi);
}

/* SYS stays in the middle of an exchange that failed and would refuse every command from then on. */
static void sys_recover(struct tpm *t)
{
	TSS2_TCTI_CONTEXT *tcti = NULL;

	if (Tss2_Sys_GetTctiContext(t->sys, &tcti) != TSS2_RC_SUCCESS)
		return;
	(void)Tss2_Tcti_Cancel(tcti);
	(void)sys_start(t, tcti);
}

void tpm_scrub(struct tpm *t)
{
	TSS2_TCTI_CONTEXT *tcti = NULL;

	if (!t->sys || Tss2_Sys_GetTctiContext(t->sys, &tcti) != TSS2_RC_SUCCESS)
		return;
	tpm_wipe(t->room, sizeof(t->room));
	(void)sys_start(t, tcti);
}

static bool is_tpm_code(TSS2_RC rc)
{
	return (tpm_rc_base(rc) & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER;
}

static bool try_again(TSS2_RC rc)
{
	TSS2_RC base = tpm_rc_base(rc);

	return base == TPM2_RC_RETRY || base == TPM2_RC_YIELDED || base == TPM2_RC_TESTING || base == TPM2_RC_NV_RATE;
}

TSS2_RC tpm_run(struct tpm *t, TSS2_RC (*op)(TSS2_SYS_CONTEXT *sys, void *args), void *args)
{
	TSS2_RC rc;

	if (!t->sys)
		return TSS2_SYS_RC_BAD_SEQUENCE;
	for (unsigned i = 1;; i++) {
		rc = op(t->sys, args);
		if (!try_again(rc) || i >= TRIES_MAX)
			break;
		if (t->delay_ms)
			t->delay_ms(t->delay_ctx, TRY_DELAY_MS);
	}
	if (!is_tpm_code(rc))
		sys_recover(t);
	/* The one meaning that SYS gives to this: the tag of the response is that of a TPM 1.2. */
	return rc == TSS2_SYS_RC_GENERAL_FAILURE ? (TSS2_RC)TPM2_RC_BAD_TAG : rc;
}

bool tpm_parameters_are(TSS2_SYS_CONTEXT *sys, size_t n)
{
	const uint8_t *p = NULL;
	size_t got = 0;

	return Tss2_Sys_GetRpBuffer(sys, &got, &p) == TSS2_RC_SUCCESS && got == n;
}

void tpm_password(TSS2L_SYS_AUTH_COMMAND *out, struct span password)
{
	memset(out, 0, sizeof(*out));
	out->count = 1;
	out->auths[0].sessionHandle = TPM2_RS_PW;
	if (password.n > sizeof(out->auths[0].hmac.buffer))
		return;
	out->auths[0].hmac.size = (UINT16)password.n;
	if (password.n > 0)
		memcpy(out->auths[0].hmac.buffer, password.p, password.n);
}

bool tpm_password_answered(const TSS2L_SYS_AUTH_RESPONSE *r)
{
	return r->count == 1 && r->auths[0].nonce.size == 0 && r->auths[0].hmac.size == 0;
}

/* ---- capabilities ---- */

struct capability {
	TPM2_CAP what;
	UINT32 property, count;
	TPMI_YES_NO more;
	TPMS_CAPABILITY_DATA data;
};

static TSS2_RC capability_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct capability *c = args;
	TSS2_RC rc;

	memset(&c->data, 0, sizeof(c->data));
	rc = Tss2_Sys_GetCapability(sys, NULL, c->what, c->property, c->count, &c->more, &c->data, NULL);
	if (rc == TSS2_RC_SUCCESS && c->data.capability != c->what)
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

static TSS2_RC banks_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct capability *c = args;
	TSS2_RC rc = capability_op(sys, c);

	if (rc == TSS2_RC_SUCCESS && !tpm_parameters_are(sys, 5 + tpm_selections_size(&c->data.data.assignedPCR)))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

GL_MUST static TSS2_RC read_banks(struct tpm *t)
{
	struct capability c = { .what = TPM2_CAP_PCRS, .count = TPM2_NUM_PCR_BANKS };
	const TPML_PCR_SELECTION *l = &c.data.data.assignedPCR;
	alg_set seen = 0, banks = 0;
	bool unknown;
	TSS2_RC rc = tpm_run(t, banks_op, &c);

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	unknown = c.more != 0;
	for (unsigned i = 0; i < l->count; i++) {
		uint32_t mask;
		enum alg a;

		if (!tpm_selection_mask(&l->pcrSelections[i], &mask))
			return TSS2_SYS_RC_MALFORMED_RESPONSE;
		if (!alg_by_id(l->pcrSelections[i].hash, &a)) {
			unknown = unknown || mask & PCR_MASK_DRTM;
			continue;
		}
		if (seen & ALG_BIT(a))
			return TSS2_SYS_RC_MALFORMED_RESPONSE;
		seen |= ALG_BIT(a);
		/* Half a bank can neither be measured into as a whole nor left out. */
		if ((mask & PCR_MASK_DRTM) == PCR_MASK_DRTM)
			banks |= ALG_BIT(a);
		else
			unknown = unknown || mask & PCR_MASK_DRTM;
	}
	t->banks = banks;
	t->unknown_banks = unknown;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC property_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct capability *c = args;
	TSS2_RC rc = capability_op(sys, c);

	if (rc == TSS2_RC_SUCCESS &&
		(c->data.data.tpmProperties.count > 1 || !tpm_parameters_are(sys, 9 + 8 * (size_t)c->data.data.tpmProperties.count)))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

GL_MUST static TSS2_RC read_nv_buffer_max(struct tpm *t)
{
	struct capability c = { .what = TPM2_CAP_TPM_PROPERTIES, .property = TPM2_PT_NV_BUFFER_MAX, .count = 1 };
	const TPML_TAGGED_TPM_PROPERTY *l = &c.data.data.tpmProperties;
	UINT32 v = NV_PIECE_DEFAULT;
	TSS2_RC rc = tpm_run(t, property_op, &c);

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	if (l->count == 1 && l->tpmProperty[0].property == TPM2_PT_NV_BUFFER_MAX && l->tpmProperty[0].value > 0)
		v = l->tpmProperty[0].value;
	t->nv_buffer_max = (uint16_t)(v < TPM2_MAX_NV_BUFFER_SIZE ? v : TPM2_MAX_NV_BUFFER_SIZE);
	return TSS2_RC_SUCCESS;
}

TSS2_RC tpm_init(struct tpm *t, TSS2_TCTI_CONTEXT *tcti)
{
	TSS2_RC rc;

	t->sys = NULL;
	t->banks = 0;
	t->unknown_banks = false;
	t->nv_buffer_max = 0;
	memset(t->room, 0, sizeof(t->room));
	if (Tss2_Sys_GetContextSize(0) > sizeof(t->room))
		return TSS2_SYS_RC_INSUFFICIENT_CONTEXT;
	rc = sys_start(t, tcti);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	t->sys = (TSS2_SYS_CONTEXT *)t->room;
	rc = read_banks(t);
	if (rc == TSS2_RC_SUCCESS)
		rc = read_nv_buffer_max(t);
	if (rc != TSS2_RC_SUCCESS)
		tpm_done(t);
	return rc;
}

void tpm_done(struct tpm *t)
{
	if (!t->sys)
		return;
	Tss2_Sys_Finalize(t->sys);
	tpm_wipe(t->room, sizeof(t->room));
	t->sys = NULL;
}
