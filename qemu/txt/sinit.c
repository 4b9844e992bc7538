/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/sinit.h"

#include <stdlib.h>
#include <string.h>

#include "lcp/acm_measure.h"
#include "qemu/txt/sinit_run.h"

#define SDM "Intel SDM 2D 7.3 GETSEC[SENTER]"
#define SDG "Intel TXT SDG 315168-016 "

void sinit_bios_acm(uint8_t out[32], uint32_t date, uint16_t chipset, uint32_t svn, uint32_t control)
{
	struct wr w = wr_init((struct mspan){ out, 32 });

	wr_le32(&w, 0);
	wr_le32(&w, date);
	wr_le32(&w, chipset);
	wr_le32(&w, svn);
	wr_le64(&w, 0);
	wr_le32(&w, control);
	wr_le32(&w, 0);
}

enum txt_rule sinit_fail(struct sinit *s, enum txt_rule rule, const char *format, ...)
{
	const struct txt_rule_info *info = txt_rule_info(rule);
	char detail[TXT_TRACE_DETAIL];
	va_list args;

	va_start(args, format);
	if (vsnprintf(detail, sizeof(detail), format, args) < 0)
		detail[0] = 0;
	va_end(args);
	txt_trace_add(s->in->trace, TXT_SINIT, TXT_FAIL, info->id, info->source, info->deduced, "%s%s%s", info->text, detail[0] ? ": " : "",
		detail);
	return rule;
}

void sinit_pass(struct sinit *s, const char *id, const char *source, const char *format, ...)
{
	char detail[TXT_TRACE_DETAIL];
	va_list args;

	va_start(args, format);
	if (vsnprintf(detail, sizeof(detail), format, args) < 0)
		detail[0] = 0;
	va_end(args);
	txt_trace_add(s->in->trace, TXT_SINIT, TXT_PASS, id, source, false, "%s", detail);
}

enum txt_rule sinit_tpm(struct sinit *s, uint32_t rc, const char *what)
{
	if (rc == 0)
		return TXT_OK;
	if (rc == TXT_TPM_SILENT)
		return sinit_fail(s, TXT_RULE_TPM_SILENT, "%s", what);
	return sinit_fail(s, rc == TXT_TPM_RC_LOCALITY ? TXT_RULE_TPM_LOCALITY : TXT_RULE_TPM_ERROR, "%s: TPM return code 0x%03x", what,
		(unsigned)rc);
}

/* The processor's part: all processors have met, then the TPM gets the module's digest at locality 4. */
static enum txt_rule measure_module(struct sinit *s)
{
	uint8_t data[ACM_DRTM_SIZE];
	enum txt_rule rule;

	for (unsigned i = 0; i < s->in->chipset->config.threads; i++)
		chipset_join(s->in->chipset, i, true);
	if (acm_decode(s->in->acm, &s->acm))
		return sinit_fail(s, TXT_RULE_ACM_FORMAT, "%s", acm_strerror(acm_decode(s->in->acm, &s->acm)));
	acm_drtm_data(&s->acm, s->in->edx, data);
	rule = sinit_tpm(s, s->in->tpm->hash_sequence(s->in->tpm->ctx, SPAN_OF(data)), "_TPM_Hash_Start, _Data, _End");
	if (rule)
		return rule;
	s->out->measured = true;
	txt_trace_add(s->in->trace, TXT_TPM, TXT_INFO, "drtm", SDM, false,
		"D-RTM sequence at locality 4: PCR 17-22 are 0, PCR 17 is extended with the module's digest and EDX 0x%08x",
		(unsigned)s->in->edx);
	return TXT_OK;
}

static enum txt_rule ask_policy(struct sinit *s)
{
	const struct sinit_policy_question q = {
		.policy = { [SINIT_PO] = { s->policy[SINIT_PO].p, s->policy[SINIT_PO].n },
			[SINIT_PS] = { s->policy[SINIT_PS].p, s->policy[SINIT_PS].n } },
		.data = { [SINIT_PO] = { s->data[SINIT_PO].p, s->data[SINIT_PO].n },
			[SINIT_PS] = { s->data[SINIT_PS].p, s->data[SINIT_PS].n } },
		.acm = &s->acm,
		.npw = s->in->platform->npw,
		.mle = &s->out->mle_hash,
		.pcrs = &s->pcrs,
	};
	struct sinit_policy_answer *a = &s->answer;

	if (!s->in->policy || !s->in->policy->evaluate) {
		txt_trace_add(
			s->in->trace, TXT_SINIT, TXT_INFO, "lcp", SDG "3.2", false, "launch control is left out: every policy allows");
		a->allowed = true;
		return TXT_OK;
	}
	a->why[0] = 0;
	s->in->policy->evaluate(s->in->policy->ctx, &q, a);
	txt_trace_add(s->in->trace, TXT_SINIT, a->allowed ? TXT_PASS : TXT_FAIL, a->allowed ? "lcp" : a->rule,
		a->allowed ? SDG "3.2" : a->source, !a->allowed && a->deduced, "%s%s%s",
		a->allowed ? "launch control allows the launch" : a->text, a->why[0] ? ": " : "", a->why);
	return a->allowed ? TXT_OK : TXT_RULE_LCP;
}

static enum txt_rule hash_mle(struct sinit *s)
{
	const struct mle_header *h = &s->mle.header;

	if (!mle_hash(s->in->memory, &s->mle, ALG_SET_ALL, &s->out->mle_hash))
		return sinit_fail(s, TXT_RULE_MACHINE, "the MLE at 0x%llx", (unsigned long long)s->mle.first_physical);
	s->out->has_mle_hash = true;
	sinit_pass(s, "mle-hash", SDG "2.2", "linear 0x%x to 0x%x is hashed", (unsigned)h->start, (unsigned)h->end);
	return TXT_OK;
}

/* One after the other until one fails. */
static enum txt_rule run(struct sinit *s)
{
	static enum txt_rule (*const steps[])(struct sinit * s) = {
		measure_module,
		sinit_check_module,
		sinit_check_chipset,
		sinit_check_heap,
		sinit_check_tpm,
		sinit_check_acpi,
		sinit_check_mle,
		hash_mle,
		sinit_read_policies,
		ask_policy,
		sinit_measure,
		sinit_hand_over,
	};
	enum txt_rule rule = TXT_OK;

	for (size_t i = 0; i < GL_COUNT(steps) && !rule; i++)
		rule = steps[i](s);
	return rule;
}

static void refuse(struct sinit *s, enum txt_rule rule)
{
	const struct sinit_policy_answer *a = &s->answer;

	s->out->rule = rule;
	s->out->errorcode = rule == TXT_RULE_LCP ? txt_sinit_errorcode(a->class, a->major, a->minor) : txt_rule_errorcode(rule);
	chipset_set_error(s->in->chipset, s->out->errorcode);
	if (s->out->measured)
		sinit_cap(s);
	txt_trace_add(s->in->trace, TXT_SINIT, TXT_INFO, "txt-reset", SDG "B.1.3", false, "TXT.ERRORCODE 0x%08x, TXT reset",
		(unsigned)s->out->errorcode);
}

void sinit_run(const struct sinit_input *in, struct sinit_result *out)
{
	struct sinit *s = calloc(1, sizeof(*s));
	struct mspan *owned[] = { &s->heap, &s->policy[0], &s->policy[1], &s->data[0], &s->data[1], &s->dmar, &s->madt, &s->mcfg };
	enum txt_rule rule;

	*out = (struct sinit_result){ .rule = TXT_RULE_MACHINE, .errorcode = txt_rule_errorcode(TXT_RULE_MACHINE) };
	if (!s)
		return;
	s->in = in;
	s->out = out;
	rule = run(s);
	if (rule) {
		refuse(s, rule);
	} else {
		out->launched = true;
		out->rule = TXT_OK;
		out->errorcode = 0;
		out->entry = (uint32_t)s->mle.entry_physical;
		out->ptab = (uint32_t)s->mle.ptab;
		out->banks = s->extended;
	}
	for (size_t i = 0; i < GL_COUNT(owned); i++)
		free(owned[i]->p);
	txtlog_free(&s->log);
	free(s);
}
