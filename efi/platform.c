/* SPDX-License-Identifier: BSD-3-Clause */
#include "platform.h"

#define FIRMWARE_LOCALITY 0
#define LAUNCH_LOCALITY 2

static const char *const texts[PLATFORM_STATE_COUNT] = {
	[PLATFORM_READY] = "TPM 2.0, locality 2 open",
	[PLATFORM_NO_TPM] = "no TPM found: fit one or enable it in the firmware's setup",
	[PLATFORM_TPM12] =
		"the TPM is a TPM 1.2, which cannot be measured into: a TPM 2.0 is needed (look for a mode switch in the firmware's setup)",
	[PLATFORM_NO_REGISTERS] =
		"the TPM has no registers at 0xfed40000, so locality 2 cannot be reached: use a TPM with FIFO or CRB registers there",
	[PLATFORM_LOCALITY_CLOSED] = "TPM locality 2 is closed, so PCR 17-22 cannot be extended: this host needs txt mode",
	[PLATFORM_LOCALITY_BUSY] = "TPM locality 2 was requested but never granted: something else holds the TPM",
	[PLATFORM_TPM_ERROR] = "the TPM does not answer as a TPM 2.0 should",
	[PLATFORM_TPM_SILENT] =
		"the TPM took a command and does not answer: power the host off and on; if that does not help, replace the TPM",
	[PLATFORM_NO_BANK] = "no PCR bank with SHA-1, SHA-256, SHA-384 or SHA-512 is active: activate one in the firmware's setup",
};

const char *platform_text(enum platform_state s)
{
	return s < PLATFORM_STATE_COUNT ? texts[s] : "unknown state";
}

static void delay_ms(void *ctx, unsigned ms)
{
	((struct efi_env *)ctx)->bs->Stall((UINTN)ms * 1000);
}

static void watch(void *ctx, bool begins)
{
	struct guard *g = ctx;

	if (begins)
		guard_begin(g, GUARD_TPM, SPAN_LITERAL("TPM"));
	else
		guard_end(g);
}

/* What the firmware says about the TPM when its registers cannot be used: reads through locality 0. */
static void open_through_firmware(struct efi_env *env, struct guard *g, struct platform *p, struct tcg2_protocol *tcg2)
{
	if (!tcg2 || EFI_ERROR(tcg2_tcti_init(&p->tcg2_tcti, tcg2)))
		return;
	p->tcg2_tcti.watch = watch;
	p->tcg2_tcti.watch_ctx = g;
	p->tpm.delay_ms = delay_ms;
	p->tpm.delay_ctx = env;
	p->firmware_tpm = tpm_init(&p->tpm, (TSS2_TCTI_CONTEXT *)&p->tcg2_tcti) == TSS2_RC_SUCCESS;
}

static enum platform_state open_registers(struct efi_env *env, struct platform *p)
{
	switch (tpm_locality_take(env->mmio, p->interface, FIRMWARE_LOCALITY, LAUNCH_LOCALITY)) {
	case TPM_LOCALITY_OK:
		break;
	case TPM_LOCALITY_CLOSED:
		return PLATFORM_LOCALITY_CLOSED;
	default:
		return PLATFORM_LOCALITY_BUSY;
	}
	p->holding = true;
	tpm_mmio_tcti_init(&p->mmio_tcti, env->mmio, p->interface, LAUNCH_LOCALITY);
	p->tpm.delay_ms = delay_ms;
	p->tpm.delay_ctx = env;
	p->rc = tpm_init(&p->tpm, tpm_mmio_tcti_context(&p->mmio_tcti));
	/* A chipset may leave the registers readable and have the TPM refuse what comes through them. */
	if (tpm_rc_base(p->rc) == TPM2_RC_LOCALITY) {
		p->rc = TSS2_RC_SUCCESS;
		return PLATFORM_LOCALITY_CLOSED;
	}
	if (p->rc != TSS2_RC_SUCCESS)
		return p->mmio_tcti.silent ? PLATFORM_TPM_SILENT : PLATFORM_TPM_ERROR;
	return p->tpm.banks ? PLATFORM_READY : PLATFORM_NO_BANK;
}

enum platform_state platform_open(struct efi_env *env, struct guard *g, struct platform *p)
{
	EFI_GUID tcg2_guid = TCG2_PROTOCOL_GUID, tcg_guid = TCG_PROTOCOL_GUID;
	struct tcg2_protocol *tcg2 = NULL;
	void *tcg = NULL;

	if (EFI_ERROR(env->bs->LocateProtocol(&tcg2_guid, NULL, (void **)&tcg2)))
		tcg2 = NULL;
	if (EFI_ERROR(env->bs->LocateProtocol(&tcg_guid, NULL, &tcg)))
		tcg = NULL;
	p->holding = false;
	p->firmware_tpm = false;
	p->rc = TSS2_RC_SUCCESS;
	p->interface = tpm_interface(env->mmio);
	if (p->interface == TPM_INTERFACE_TIS12 || (tcg && !tcg2)) {
		p->state = PLATFORM_TPM12;
		return p->state;
	}
	if (p->interface == TPM_INTERFACE_NONE)
		p->state = tcg2 ? PLATFORM_NO_REGISTERS : PLATFORM_NO_TPM;
	else
		p->state = open_registers(env, p);
	if (p->state != PLATFORM_READY) {
		if (p->holding) {
			tpm_done(&p->tpm);
			(void)!platform_give_back(env, p);
		}
		if (p->state != PLATFORM_TPM_SILENT)
			open_through_firmware(env, g, p, tcg2);
		/* edk2 installs TCG2 only with a TPM, but other firmware may say "not present" in its capability. */
		if (p->state == PLATFORM_NO_REGISTERS && !p->firmware_tpm)
			p->state = PLATFORM_NO_TPM;
	}
	return p->state;
}

bool platform_give_back(struct efi_env *env, struct platform *p)
{
	if (!p->holding)
		return true;
	p->holding = false;
	return tpm_locality_give_back(env->mmio, p->interface, LAUNCH_LOCALITY, FIRMWARE_LOCALITY) == TPM_LOCALITY_OK;
}

bool platform_take_again(struct efi_env *env, struct platform *p)
{
	if (p->state != PLATFORM_READY || p->holding)
		return p->holding;
	p->holding = tpm_locality_take(env->mmio, p->interface, FIRMWARE_LOCALITY, LAUNCH_LOCALITY) == TPM_LOCALITY_OK;
	return p->holding;
}
