/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/predict_sinit.h"

#include "cli/predict_sinit_impl.h"
#include "lcp/host/sign.h"

static void end_job(struct predict_job **j)
{
	if (*j)
		free((*j)->cmdline);
	for (size_t i = 0; *j && i < GL_COUNT((*j)->log_names); i++)
		free((*j)->log_names[i]);
	free(*j);
}

bool predict_no_memory(struct cli_fault *fault)
{
	return cli_fail(fault, CLI_IO, "out of memory: prediction");
}

/* ---- reading the inputs ---- */

static bool read_sinit(struct predict_job *j)
{
	const struct manifest_module *m = &j->in->manifest->txt.sinit;
	enum acm_error e;

	if (!j->in->sinit.bytes.p)
		return true;
	e = acm_decode(j->in->sinit.bytes, &j->acm);
	if (e)
		return manifest_fail(j->in->manifest, m->file.line, "give a SINIT module (*.bin, *.acm)", j->fault,
			"\"%.200s\" is none: %s", m->file.s, acm_strerror(e));
	if (j->acm.info.chipset_type != ACM_SINIT)
		return manifest_fail(j->in->manifest, m->file.line, "give a SINIT module (*.bin, *.acm)", j->fault,
			"\"%.200s\" is a module of another kind", m->file.s);
	if (!acm_layout_known(j->acm.header.version) || !j->acm.tpm_algs.present)
		return manifest_fail(j->in->manifest, m->file.line, "leave it out and give a \"log\" to \"platform\"", j->fault,
			"\"%.200s\" is too old or too new to tell what a TPM 2.0 would get from it", m->file.s);
	j->has_acm = true;
	return true;
}

static bool read_logs(struct predict_job *j)
{
	for (; j->log_count < GL_COUNT(j->in->logs) && j->in->logs[j->log_count].bytes.p; j->log_count++) {
		const struct predict_file *f = &j->in->logs[j->log_count];
		const struct manifest *m = j->in->manifest;
		struct cli_fault wrong;

		if (!predict_log_read(f->from, f->bytes, &j->logs[j->log_count], &wrong))
			return manifest_fail(m, m->platform.logs[j->log_count].line,
				"take one from a host with 'geolaunch log --live --raw-out FILE'", j->fault, "%s", wrong.text);
	}
	return true;
}

static bool read_tboot(struct predict_job *j)
{
	const struct manifest_module *m = &j->in->manifest->txt.tboot;
	enum lcp_error e = lcp_mle_find(j->in->tboot.bytes, &j->mle);

	if (e)
		return manifest_fail(j->in->manifest, m->file.line, "give tboot (Debian: /boot/tboot.gz)", j->fault,
			"\"%.200s\" is no tboot: %s", m->file.s, lcp_strerror(e));
	e = lcp_mle_digest(&j->mle, &j->in->tboot_cmdline, ALG_SET_ALL, &j->mle_digests);
	if (e)
		return manifest_fail(j->in->manifest, m->cmdline.line, "make it shorter", j->fault, "tboot's cmdline of %zu characters: %s",
			j->in->tboot_cmdline.n, lcp_strerror(e));
	if (asprintf(&j->cmdline, "cmdline: %.*s", (int)j->in->tboot_cmdline.n, (const char *)j->in->tboot_cmdline.p) < 0) {
		j->cmdline = NULL;
		return predict_no_memory(j->fault);
	}
	return true;
}

static bool begin(struct predict_job *j, const struct predict_sinit_input *in, struct cli_fault *fault)
{
	j->in = in;
	j->fault = fault;
	return read_sinit(j) && read_logs(j) && read_tboot(j);
}

/* Without the owner's policy the supplier's may permit a module that is not production worthy, and only the platform has that one. */
static struct lcp_acm acm_for_lcp(const struct predict_job *j)
{
	struct lcp_acm acm = lcp_acm_of(j->has_acm ? &j->acm : NULL);

	if (!j->in->lcp_policy.bytes.p && (j->log_count > 0 || j->in->manifest->platform.ps.n > 0))
		acm.npw = false;
	return acm;
}

/* What SINIT would say, if it says no. */
static bool fail_lcp(struct predict_job *j, const struct lcp_verdict *v)
{
	const struct manifest *m = j->in->manifest;
	const struct lcp_rule_info *rule = lcp_rule_info(v->rule);
	unsigned line = m->txt.lcp_policy.s ? m->txt.lcp_policy.line : m->txt.sinit.file.line;
	enum lcp_outcome mle = v->by[LCP_SUBJECT_MLE].outcome;

	if (v->rule != LCP_RULE_INPUT)
		return manifest_fail(m, line, "see 'geolaunch lcp evaluate'", j->fault,
			"launch control would deny this launch: %s (%s); tboot's whole command line is \"%.300s\"", rule->text, rule->id,
			j->cmdline + strlen("cmdline: "));
	if (mle == LCP_MATCH || mle == LCP_NO_ELEMENT)
		return manifest_fail(m, line, "leave PCONF and SBIOS elements out of a policy that is built with", j->fault,
			"launch control asks for values of the platform that no manifest has, so nothing can be predicted");
	return manifest_fail(m, line, "use another hash algorithm there", j->fault,
		"launch control asks for a digest by an algorithm that is not known here, so nothing can be predicted");
}

/* Asks what SINIT would: a launch that the policy denies is not to be predicted. */
static bool evaluate_lcp(struct predict_job *j)
{
	const struct lcp_platform p = {
		.policy = { [LCP_PO] = j->in->lcp_policy.bytes },
		.data = { [LCP_PO] = j->in->lcp_data.bytes },
		.acm = acm_for_lcp(j),
		.mle = j->mle_digests,
		.verify = lcp_openssl_verify,
	};
	CLEANUP_FREE struct lcp_verdict *v = calloc(1, sizeof(*v));

	if (!v)
		return predict_no_memory(j->fault);
	lcp_evaluate(&p, v);
	if (!v->allowed)
		return fail_lcp(j, v);
	lcp_measured(v, p.data, &j->lcp);
	return true;
}

bool predict_sinit_banks(const struct predict_sinit_input *in, alg_set *out, struct cli_fault *fault)
{
	CLEANUP(end_job) struct predict_job *j = calloc(1, sizeof(*j));
	alg_set all = ALG_SET_ALL, banks;
	enum alg a = ALG_SHA1;

	if (!j)
		return predict_no_memory(fault);
	if (!begin(j, in, fault))
		return false;
	if (j->has_acm)
		all = acm_banks(&j->acm, true, ALG_SET_ALL);
	for (size_t i = 0; !j->has_acm && i < j->log_count; i++)
		all &= j->logs[i].banks;
	banks = in->manifest->banks & all;
	if (!(banks & ALG_BIT(in->manifest->policy_hash)))
		return manifest_fail(in->manifest, in->manifest->policy_line, "use another hash", fault,
			"SINIT does not extend bank %s, the policy's hash", alg_table[in->manifest->policy_hash].name);
	while (a < ALG_SHA512 && !(in->manifest->banks & ~all & ALG_BIT(a)))
		a++;
	if (in->manifest->banks_line && in->manifest->banks & ~all)
		return manifest_fail(
			in->manifest, in->manifest->banks_line, "remove it", fault, "SINIT does not extend bank %s", alg_table[a].name);
	*out = banks;
	return true;
}

bool predict_sinit(const struct predict_sinit_input *in, struct expected *out, struct cli_fault *fault)
{
	CLEANUP(end_job) struct predict_job *j = calloc(1, sizeof(*j));

	if (!j)
		return predict_no_memory(fault);
	j->out = out;
	return begin(j, in, fault) && predict_events_check(j) && predict_values_check(j) && evaluate_lcp(j) && predict_values_set(j) &&
	       predict_events_add(j);
}
