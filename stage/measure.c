/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/measure.h"

#define LOCALITY 2
#define LINE 160

static void say(struct measure *m, const char *what, TSS2_RC rc)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	tpm_rc_line("geolaunch-stage", what, rc, &t);
	m->line(buf);
}

/*
 * The TPM first: what finds no room in the log is lost there only, and the policy decides whether the launch may go on without it.
 * Caps are extended in any case.
 */
static bool op_extend(void *ctx, unsigned pcr, uint32_t type, struct span name, const struct digests *d)
{
	struct measure *m = ctx;
	TSS2_RC rc = tpm_extend(&m->tpm, pcr, d);

	if (rc != TSS2_RC_SUCCESS) {
		say(m, "the TPM refused to extend a PCR", rc);
		return false;
	}
	if (!m->has_log || !heaplog_append(&m->log, pcr, type, d, name))
		m->log_lost = true;
	return true;
}

static bool op_read_pcrs(void *ctx, struct pcrs *out)
{
	struct measure *m = ctx;
	TSS2_RC rc = tpm_read_pcrs(&m->tpm, PCR_DRTM_FIRST, PCR_DRTM_LAST, out);

	if (rc != TSS2_RC_SUCCESS)
		say(m, "the TPM did not give its PCR values", rc);
	return rc == TSS2_RC_SUCCESS;
}

static enum apply_nv_status op_read_nv(void *ctx, uint32_t index, struct mspan buf, size_t *n)
{
	struct measure *m = ctx;
	struct tpm_nv_public pub;
	TSS2_RC rc = tpm_nv_public(&m->tpm, index, &pub);

	if (rc != TSS2_RC_SUCCESS) {
		say(m, "the NV index cannot be looked at", rc);
		return tpm_rc_base(rc) == TPM2_RC_HANDLE ? APPLY_NV_MISSING : APPLY_NV_UNREADABLE;
	}
	if (pub.size > buf.n)
		return APPLY_NV_SIZE;
	rc = tpm_nv_read(&m->tpm, index, buf.p, pub.size);
	if (rc != TSS2_RC_SUCCESS) {
		say(m, "the NV index cannot be read with empty authorization", rc);
		return APPLY_NV_UNREADABLE;
	}
	*n = pub.size;
	return APPLY_NV_OK;
}

static void op_report(void *ctx, const struct apply_report *r)
{
	struct measure *m = ctx;
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "geolaunch-stage: ");
	if (r->pcr != VLP_PCR_NONE) {
		text_str(&t, "PCR ");
		text_u64(&t, r->pcr);
		text_char(&t, ' ');
	}
	text_span(&t, r->name);
	if (r->error != TB_ERR_NONE) {
		text_str(&t, ": ");
		text_str(&t, cap_table[r->why].meaning);
	}
	m->line(buf);
}

/* clang-format off */
const struct apply_ops measure_ops = {
	.extend = op_extend, .read_pcrs = op_read_pcrs, .read_nv = op_read_nv, .report = op_report,
};
/* clang-format on */

static const char closed[] = "geolaunch-stage: TPM locality 2 is closed, as it always is before a dynamic launch";

bool measure_open(struct measure *m, const struct tpm_mmio *mmio, void (*line)(const char *text))
{
	enum tpm_locality_result taken;
	TSS2_RC rc;

	m->mmio = mmio;
	m->line = line;
	m->interface = tpm_interface(mmio);
	if (m->interface != TPM_INTERFACE_FIFO && m->interface != TPM_INTERFACE_CRB) {
		line("geolaunch-stage: no TPM 2.0 at 0xfed40000");
		return false;
	}
	taken = tpm_locality_take(mmio, m->interface, LOCALITY, LOCALITY);
	if (taken != TPM_LOCALITY_OK) {
		line(taken == TPM_LOCALITY_CLOSED ? closed : "geolaunch-stage: TPM locality 2 was requested but never granted");
		return false;
	}
	m->holding = true;
	tpm_mmio_tcti_init(&m->tcti, mmio, m->interface, LOCALITY);
	rc = tpm_init(&m->tpm, tpm_mmio_tcti_context(&m->tcti));
	/* A chipset may leave the registers readable and have the TPM refuse what comes through them. */
	if (tpm_rc_base(rc) == TPM2_RC_LOCALITY) {
		line(closed);
		return false;
	}
	if (rc != TSS2_RC_SUCCESS) {
		say(m, "the TPM does not answer as a TPM 2.0 should", rc);
		return false;
	}
	if (!m->tpm.banks)
		line("geolaunch-stage: no PCR bank with SHA-1, SHA-256, SHA-384 or SHA-512 is active");
	return m->tpm.banks != 0;
}

/* The events are in the PCRs, but nobody could explain their values. */
static enum vlp_action check_log(struct measure *m, struct apply *a)
{
	if (!m->log_lost)
		return VLP_ACT_CONTINUE;
	m->line("geolaunch-stage: the event log is full or missing: some events are in the PCRs only");
	return apply_error(a, TB_ERR_POST_LAUNCH_VERIFICATION, CAP_TPM_ERROR);
}

enum vlp_action measure_launch(struct measure *m, const struct stage_rules *rules, struct vlp *policy, struct apply *a)
{
	enum vlp_action act;

	stage_policy(rules, policy);
	a->policy = policy;
	a->banks = m->tpm.banks;
	a->ops = &measure_ops;
	a->ctx = m;
	act = apply_nv(a);
	if (act == VLP_ACT_CONTINUE)
		act = apply_closing(a);
	return act == VLP_ACT_CONTINUE ? check_log(m, a) : act;
}

void measure_close(struct measure *m)
{
	if (m->holding)
		tpm_locality_release(m->mmio, m->interface, LOCALITY);
	m->holding = false;
}
