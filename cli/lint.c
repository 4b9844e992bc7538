/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/lint.h"

#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include "cli/cli.h"
#include "cli/lint_impl.h"
#include "lcp/custom.h"

const char *const lint_severity_names[LINT_SEVERITY_COUNT] = { "error", "warning", "info" };

const struct lint_group lint_groups[LINT_GROUPS] = {
	{ "Build", lint_build_rules, &lint_build_rule_count },
	{ "Launch policy", lint_vlp_rules, &lint_vlp_rule_count },
	{ "NV indices of the policies", lint_nv_rules, &lint_nv_rule_count },
	{ "Geo index", lint_geo_rules, &lint_geo_rule_count },
	{ "tboot", lint_tboot_rules, &lint_tboot_rule_count },
	{ "SINIT", lint_acm_rules, &lint_acm_rule_count },
	{ "Launch control policy", lint_lcp_rules, &lint_lcp_rule_count },
};

struct lint_run {
	struct lint_report *report;
	const struct lint_rule *rule;
	char where[128];
};

static void free_world(struct lint_world **w)
{
	free(*w);
}

/* ---- collecting findings ---- */

void lint_where(struct lint_run *run, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(run->where, sizeof(run->where), format, ap);
	va_end(ap);
}

/* File names and options may be anything; the reports are plain text. */
static void make_plain(char *s)
{
	for (; s && *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

static void add_finding(struct lint_run *run, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));

static void add_finding(struct lint_run *run, const char *format, va_list ap)
{
	struct lint_report *r = run->report;
	struct lint_finding *grown = realloc(r->findings, (r->finding_count + 1) * sizeof(*grown));
	struct lint_finding f = { .rule = run->rule, .where = strdup(run->where) };

	if (grown)
		r->findings = grown;
	if (vasprintf(&f.detail, format, ap) < 0)
		f.detail = NULL;
	make_plain(f.where);
	make_plain(f.detail);
	if (grown && f.where && f.detail) {
		r->findings[r->finding_count++] = f;
		return;
	}
	free(f.where);
	free(f.detail);
	r->out_of_memory = true;
}

void lint_found(struct lint_run *run, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_finding(run, format, ap);
	va_end(ap);
}

void lint_found_nv(struct lint_run *run, uint32_t index, const char *format, ...)
{
	va_list ap;

	lint_where(run, "NV index 0x%08x", index);
	va_start(ap, format);
	add_finding(run, format, ap);
	va_end(ap);
}

bool lint_found_error(const struct lint_run *run, const struct lint_rule *rules, size_t count)
{
	for (size_t i = 0; i < run->report->finding_count; i++) {
		const struct lint_rule *r = run->report->findings[i].rule;

		if (r->severity == LINT_ERROR && r >= rules && r < rules + count)
			return true;
	}
	return false;
}

void lint_say(struct lint_report *r, const char *format, ...)
{
	char **grown = realloc(r->launch, (r->launch_count + 1) * sizeof(*grown));
	char *text = NULL;
	va_list ap;
	int n;

	if (grown)
		r->launch = grown;
	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (grown && n >= 0) {
		make_plain(text);
		r->launch[r->launch_count++] = text;
		return;
	}
	if (n >= 0)
		free(text);
	r->out_of_memory = true;
}

size_t lint_count(const struct lint_report *r, enum lint_severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < r->finding_count; i++)
		n += r->findings[i].rule->severity == severity;
	return n;
}

void lint_report_free(struct lint_report *r)
{
	for (size_t i = 0; i < r->finding_count; i++) {
		free(r->findings[i].where);
		free(r->findings[i].detail);
	}
	for (size_t i = 0; i < r->launch_count; i++)
		free(r->launch[i]);
	free(r->findings);
	free(r->launch);
	*r = (struct lint_report){ .findings = NULL };
}

/* ---- what follows from the facts ---- */

static void find_indices(struct lint_world *w)
{
	const struct lint_facts *f = w->f;
	/* clang-format off */
	const struct lint_nv **uses[LINT_USES] = {
		[LINT_USE_VLP] = w->vlp, [LINT_USE_PO] = w->po, [LINT_USE_PS] = w->ps, [LINT_USE_AUX] = w->aux,
		[LINT_USE_ERROR] = w->error,
	};
	/* clang-format on */

	for (unsigned use = 0; use < LINT_USES; use++)
		for (unsigned set = 0; set < 2; set++)
			uses[use][set] = lint_find_nv(f, lint_indices[use][set]);
	/* Without SINIT: the set that is in use, else the newer one. */
	w->set_known = f->sinit_file && f->sinit.tpm_algs.present;
	w->set = w->set_known ? f->sinit.tpm.nv_index_set != 0 : !((w->vlp[0] || w->po[0]) && !w->vlp[1] && !w->po[1]);
}

/* Takes the policy apart that these bytes begin with, if tboot would obey it. `policy`: its bytes. */
GL_MUST static bool obeyed(struct span bytes, struct vlp *out, struct span *policy)
{
	struct vlp p;
	size_t n;

	/* tboot's buffer has no more room: tboot/common/policy.c, read_policy_from_tpm() */
	if (bytes.n > VLP_MAX_SIZE)
		bytes.n = VLP_MAX_SIZE;
	if (!bytes.p || vlp_decode_prefix(bytes, &p, &n) != VLP_OK || !lint_tboot_accepts(&p))
		return false;
	*out = p;
	*policy = (struct span){ bytes.p, n };
	return true;
}

static void find_custom(struct lint_world *w)
{
	const struct lint_facts *f = w->f;

	if (!f->lcp_data[LCP_PO].p)
		return;
	w->data_error = lcp_data_decode(f->lcp_data[LCP_PO], &w->data, &w->data_at);
	w->data_decoded = w->data_error == LCP_OK;
	w->has_custom = w->data_decoded && lcp_custom_find_data(&w->data, lcp_uuid_tboot, &w->custom, &w->custom_at) == LCP_OK;
}

/* set_policy(): NV first, then the custom element of a policy of type list, then the default. */
static void find_source(struct lint_world *w)
{
	const struct lint_nv *nv = w->vlp[w->set], *po = w->po[w->set];
	struct span custom;

	if (!w->f->has_tpm)
		return;
	if (nv && !lint_nv_unreadable_at_launch(nv) && !(nv->attributes & TPMA_NV_PPWRITE)) {
		if (!nv->content.p)
			return;
		if (obeyed(nv->content, &w->effective, &w->nv_policy)) {
			w->has_effective = true;
			w->source = LINT_POLICY_NV;
			return;
		}
	}
	if (w->lcp_unknown[LCP_PO] && w->has_custom)
		return;
	w->source = LINT_POLICY_DEFAULT;
	if (po && !lint_nv_unreadable_at_launch(po) && !(po->attributes & TPMA_NV_PPWRITE) && w->lcp_decoded[LCP_PO] &&
		w->lcp_policy[LCP_PO].type == LCP_POLICY_LIST && w->has_custom && obeyed(w->custom, &w->effective, &custom)) {
		w->has_effective = true;
		w->source = LINT_POLICY_CUSTOM;
	}
}

static void find_lcp(struct lint_world *w)
{
	const struct lint_nv *nv[LCP_OWNERS] = { [LCP_PO] = w->po[w->set], [LCP_PS] = w->ps[w->set] };

	for (unsigned o = 0; o < LCP_OWNERS; o++) {
		const char *why = nv[o] ? lint_nv_unreadable_at_launch(nv[o]) : NULL;
		size_t used;

		w->lcp[o] = w->f->lcp[o];
		/* Where a TPM was looked at, what SINIT will find in it counts. */
		if (!w->lcp[o].p && !w->f->has_tpm && o == LCP_PO)
			w->lcp[o] = w->f->build_lcp;
		if (!w->lcp[o].p && nv[o] && !why) {
			w->lcp[o] = nv[o]->content;
			w->lcp_unknown[o] = !nv[o]->content.p;
		}
		if (!w->lcp[o].p && o == LCP_PO)
			w->po_unreadable = why;
		w->lcp_decoded[o] = w->lcp[o].p && lcp_policy_decode_prefix(w->lcp[o], &w->lcp_policy[o], &used) == LCP_OK;
	}
}

static void judge_launch_control(struct lint_world *w)
{
	const struct lint_facts *f = w->f;
	struct lcp_platform p = {
		.policy = { [LCP_PO] = w->lcp[LCP_PO], [LCP_PS] = w->lcp[LCP_PS] },
		.data = { [LCP_PO] = f->lcp_data[LCP_PO], [LCP_PS] = f->lcp_data[LCP_PS] },
		.acm = lcp_acm_of(f->sinit_file ? &f->sinit : NULL),
		.mle = f->mle,
		.pcrs = f->pcrs,
		.verify = f->verify,
	};

	w->judged = !w->po_unreadable && !w->lcp_unknown[LCP_PO] && !w->lcp_unknown[LCP_PS] &&
	            (f->sinit_file || w->lcp[LCP_PO].p || w->lcp[LCP_PS].p || f->lcp_data[LCP_PO].p);
	/* The supplier's lists lie in the BIOS: without them nothing can be said about them. */
	w->supplier_left_out = w->lcp_decoded[LCP_PS] && w->lcp_policy[LCP_PS].type == LCP_POLICY_LIST && !f->lcp_data[LCP_PS].p;
	if (w->supplier_left_out)
		p.policy[LCP_PS] = (struct span){ NULL, 0 };
	if (w->judged)
		lcp_evaluate(&p, &w->verdict);
}

static bool txt_matters(const struct lint_world *w)
{
	const struct lint_facts *f = w->f;

	/* What is in the TPM's indices for tboot and SINIT does not matter to geolaunch.efi in direct mode. */
	return !w->direct || f->sinit_file || f->tboot.given || f->has_tboot_version || f->lcp[LCP_PO].p || f->lcp[LCP_PS].p ||
	       f->lcp_data[LCP_PO].p;
}

static void derive(struct lint_world *w, const struct lint_facts *f)
{
	*w = (struct lint_world){ .f = f };
	w->direct = !strcmp(f->expected->mode, "direct");
	w->policy_error = vlp_decode(f->policy_bytes, &w->policy);
	w->tboot_accepts = w->policy_error == VLP_OK && lint_tboot_accepts(&w->policy);
	find_indices(w);
	lint_find_assumed(w);
	find_custom(w);
	find_lcp(w);
	find_source(w);
	judge_launch_control(w);
	w->txt = txt_matters(w);
}

/* ---- all of it ---- */

/* Errors first; what is of the same severity stays in the order of the tables. */
static void sort_findings(struct lint_report *r)
{
	for (size_t i = 1; i < r->finding_count; i++) {
		struct lint_finding f = r->findings[i];
		size_t at = i;

		for (; at > 0 && r->findings[at - 1].rule->severity > f.rule->severity; at--)
			r->findings[at] = r->findings[at - 1];
		r->findings[at] = f;
	}
}

bool lint_check(const struct lint_facts *f, struct lint_report *out)
{
	CLEANUP(free_world) struct lint_world *w = malloc(sizeof(*w));
	struct lint_run run = { .report = out };

	*out = (struct lint_report){ .findings = NULL };
	if (!w)
		return false;
	derive(w, f);
	for (size_t g = 0; g < LINT_GROUPS; g++)
		for (size_t i = 0; i < *lint_groups[g].count; i++) {
			run.rule = &lint_groups[g].rules[i];
			run.where[0] = 0;
			run.rule->check(w, &run);
		}
	sort_findings(out);
	lint_launch(w, out);
	return !out->out_of_memory;
}
