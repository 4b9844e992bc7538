/* SPDX-License-Identifier: BSD-3-Clause */

/* What will happen at launch, in sentences, as far as the facts tell. */

#include <stdio.h>
#include <string.h>

#include "cli/build_files.h"
#include "cli/lint_impl.h"
#include "cli/slot_list.h"
#include "geo/geo.h"
#include "tboot-policy/action.h"

struct story {
	const struct lint_world *w;
	struct lint_report *out;
	const struct vlp *policy; /* what is obeyed; NULL: not known */
	bool tboot;               /* tboot obeys it, else geolaunch.efi */
	bool compares;            /* modules are compared at all */
	bool stopped;
};

/* How the type answers an error: the launch stops, or what becomes of it. */
static const char *consequence(struct story *s, enum tb_error error)
{
	switch (vlp_action(s->policy->type, error)) {
	case VLP_ACT_HALT:
		s->stopped = true;
		return "the launch stops here";
	case VLP_ACT_UNMEASURED:
		return "the host is started unmeasured";
	default:
		return "the launch goes on";
	}
}

static void pcr_text(uint8_t pcr, char *buf, size_t cap)
{
	if (pcr == VLP_PCR_NONE)
		(void)snprintf(buf, cap, "no PCR");
	else
		(void)snprintf(buf, cap, "PCR %u", pcr);
}

static void say_module(struct story *s, const struct lint_module *m)
{
	const struct vlp_entry *e = vlp_find_module(s->policy, m->number);
	/* In front of tboot the stage stands where direct mode has the description. */
	bool stage = s->tboot && s->w->direct && m->number == 0;
	const char *role = stage ? "in place of launch.conf" : role_table[m->role].name;
	const char *file = stage ? "geolaunch's stage" : m->file;
	char pcr[16], also[40] = "";

	if (!e) {
		lint_say(s->out, "Module %u, %s (%s), has no entry in the policy: %s.", m->number, file, role,
			consequence(s, TB_ERR_MODULES_NOT_IN_POLICY));
		return;
	}
	pcr_text(e->pcr, pcr, sizeof(pcr));
	if (m->number == 0) {
		if (e->pcr != VLP_PCR_NONE)
			(void)snprintf(also, sizeof(also), ", by its entry also to %s", pcr);
		(void)snprintf(pcr, sizeof(pcr), "PCR 17");
	}
	if (!m->present)
		lint_say(s->out, "Module %u, %s (%s), is missing: %s.", m->number, file, role,
			consequence(s, TB_ERR_MODULE_VERIFICATION_FAILED));
	else if (e->hash_type == VLP_HASH_ANY)
		lint_say(s->out, "Module %u, %s (%s), goes to %s%s; nothing is compared.", m->number, file, role, pcr, also);
	else if (!s->compares)
		lint_say(s->out, "Module %u, %s (%s), goes to %s%s; its hashes in the policy count for nothing.", m->number, file, role,
			pcr, also);
	else if (!vlp_entry_allows(s->policy, e, &m->measured) || (s->tboot && s->policy->hash_alg != s->w->f->tboot.extpol_alg))
		lint_say(s->out, "Module %u, %s (%s), goes to %s%s and is none of those that the policy allows: %s.", m->number, file, role,
			pcr, also, consequence(s, TB_ERR_MODULE_VERIFICATION_FAILED));
	else
		lint_say(s->out, "Module %u, %s (%s), goes to %s%s and is the one that the policy demands.", m->number, file, role, pcr,
			also);
}

static void say_modules(struct story *s)
{
	for (size_t i = 0; i < s->w->f->module_count && !s->stopped; i++)
		say_module(s, &s->w->f->modules[i]);
}

static void say_nv_content(struct story *s, const struct vlp_entry *e, const struct lint_nv *nv, const char *who, const char *pcr)
{
	const char *why = lint_nv_unreadable_at_launch(nv);
	bool raw = e->module == VLP_MODULE_NV_RAW;
	char place[64] = "";
	struct geo_tag tag;
	struct digests d;

	if (why) {
		lint_say(s->out, "%s reads NV index 0x%08x for %s; %s: a cap is measured, and %s.", who, e->nv_index, pcr, why,
			consequence(s, TB_ERR_NV_VERIFICATION_FAILED));
		return;
	}
	if (!nv->content.p) {
		lint_say(s->out, "%s reads NV index 0x%08x for %s; its content was not looked at.", who, e->nv_index, pcr);
		return;
	}
	measure_nv(ALG_SET_ALL, raw, nv->content, &d);
	if (geo_decode(nv->content, &tag) == GEO_OK)
		(void)snprintf(place, sizeof(place), ", a geo tag for %s%s%s", tag.country, tag.subdivision[0] ? "-" : "", tag.subdivision);
	if (vlp_entry_allows(s->policy, e, &d))
		lint_say(s->out, "%s measures NV index 0x%08x (%zu bytes%s) into %s%s.", who, e->nv_index, nv->content.n, place, pcr,
			e->hash_type == VLP_HASH_ANY ? "; nothing is compared" : "; it is what the policy demands");
	else
		lint_say(s->out, "%s measures NV index 0x%08x (%zu bytes%s) into %s; it is not what the policy demands: %s.", who,
			e->nv_index, nv->content.n, place, pcr, consequence(s, TB_ERR_NV_VERIFICATION_FAILED));
}

static void say_nv(struct story *s, const char *who)
{
	for (unsigned i = 0; i < s->policy->entry_count && !s->stopped; i++) {
		const struct vlp_entry *e = &s->policy->entries[i];
		const struct lint_nv *nv = lint_find_nv(s->w->f, e->nv_index);
		char pcr[16];

		if (!lint_entry_is_nv(e))
			continue;
		pcr_text(e->pcr, pcr, sizeof(pcr));
		if (!s->w->f->has_tpm)
			lint_say(s->out, "%s measures NV index 0x%08x into %s; no TPM was looked at.", who, e->nv_index, pcr);
		else if (!nv)
			lint_say(s->out, "NV index 0x%08x is not defined: a cap is measured into %s, and %s.", e->nv_index, pcr,
				consequence(s, TB_ERR_NV_VERIFICATION_FAILED));
		else
			say_nv_content(s, e, nv, who, pcr);
	}
}

static void say_end(struct story *s, const char *who)
{
	for (size_t i = 0; !s->stopped && i < s->w->f->expected->event_count; i++)
		if (s->w->f->expected->events[i].type == MEASURE_CLOSING) {
			lint_say(s->out, "%s closes: PCR 19-22 are bound to PCR 17. Then the host starts.", who);
			return;
		}
	if (!s->stopped)
		lint_say(s->out, "Then the host starts.");
}

static const char *type_name(const struct vlp *p)
{
	const char *name = vlp_type_name(p->type);

	return name ? name : "unknown";
}

/* ---- direct mode ---- */

static void tell_direct(const struct lint_world *w, struct lint_report *out)
{
	struct story s = { .w = w, .out = out, .policy = &w->policy, .compares = true };
	int where;
	enum vlp_error error = w->policy_error ? w->policy_error : vlp_validate(&w->policy, &where);

	lint_say(out,
		"This build is for direct mode: geolaunch.efi measures and starts the host. There is no dynamic launch, and PCR 17-22 begin with "
		"all FF.");
	if (error) {
		lint_say(out, "geolaunch.efi refuses the policy (%s), caps PCR 17-22 and stops.", vlp_strerror(error));
		return;
	}
	if (w->f->embedded > EMBEDDED_SAME)
		lint_say(out, "geolaunch.efi does not go by these files (GL-BUILD-013). By them it would do this:");
	lint_say(out, "geolaunch.efi obeys %s, whatever is in the TPM: type %s, %s, %u entries. It goes to PCR 17 and 18.",
		w->f->embedded == EMBEDDED_SAME ? "the policy in it, the same as policy.vlp" : "policy.vlp beside it",
		type_name(&w->policy), lint_alg_name(w->policy.hash_alg), w->policy.entry_count);
	say_modules(&s);
	if (!s.stopped)
		say_nv(&s, "geolaunch.efi");
	say_end(&s, "geolaunch.efi");
}

/* ---- TXT ---- */

/* Whether SINIT will find the policy of --lcp-owner in the TPM, as far as is known. */
static bool holds_given(const struct lint_world *w)
{
	const struct lint_nv *nv = w->po[w->set];

	return nv && !lint_nv_unreadable_at_launch(nv) && (!nv->content.p || span_equal(nv->content, w->f->lcp[LCP_PO]));
}

/* False if the launch ends here. */
GL_MUST static bool tell_sinit(const struct lint_world *w, struct lint_report *out)
{
	const struct lcp_verdict *v = &w->verdict;
	const struct lcp_decision *mle = &v->by[LCP_SUBJECT_MLE];

	if (w->f->sinit_file)
		lint_say(out,
			"The processor starts SINIT, %s, version %u, index set %u: the owner's launch control policy is looked for in NV index "
			"0x%08x, tboot's policy in 0x%08x.",
			w->f->sinit_file, w->f->sinit.info.acm_version, w->set, lint_indices[LINT_USE_PO][w->set],
			lint_indices[LINT_USE_VLP][w->set]);
	else
		lint_say(out, "No SINIT module was given; what follows takes index set %u for granted.", w->set);
	if (w->f->has_tpm && w->f->lcp[LCP_PO].p && !holds_given(w))
		lint_say(out,
			"The TPM does not hold the owner's policy of --lcp-owner; what follows takes it as written to NV index 0x%08x.",
			lint_indices[LINT_USE_PO][w->set]);
	if (w->po_unreadable) {
		lint_say(out,
			"SINIT cannot read the owner's launch control policy in NV index 0x%08x (%s): it stops, and the platform resets.",
			w->po[w->set]->index, w->po_unreadable);
		return false;
	}
	if (w->lcp_unknown[LCP_PO] || w->lcp_unknown[LCP_PS])
		lint_say(out, "Whether launch control allows the launch cannot be said: what its policy in the TPM holds is not known.");
	if (!w->judged)
		return true;
	if (!v->allowed) {
		if (v->rule == LCP_RULE_INPUT) {
			lint_say(out, "Whether launch control allows the launch cannot be said: %s.", lcp_rule_info(v->rule)->text);
			return true;
		}
		lint_say(out, "SINIT refuses the launch: %s. TXT.ERRORCODE is 0x%08x, and the platform resets.",
			lcp_rule_info(v->rule)->text, lcp_verdict_code(v));
		return false;
	}
	if (mle->outcome == LCP_MATCH)
		lint_say(out, "Launch control allows the launch: tboot's digest is in list %d, element %d of the %s's policy data.",
			mle->at.list, mle->at.element, lcp_owner_name(mle->at.owner));
	else
		lint_say(out, "Launch control allows the launch; no policy restricts which MLE may start.");
	return true;
}

/* The policy that tboot obeys; NULL: its default, or not known. */
static const struct vlp *tell_policy(const struct lint_world *w, struct lint_report *out, const char *version)
{
	switch (w->source) {
	case LINT_POLICY_NV:
		lint_say(out,
			"tboot %s takes its policy from NV index 0x%08x: type %s, %s, %u entries; it is %s of this build. It goes to PCR 17 and 18.",
			version, w->vlp[w->set]->index, type_name(&w->effective), lint_alg_name(w->effective.hash_alg),
			w->effective.entry_count, span_equal(w->nv_policy, w->f->policy_bytes) ? "the one" : "not the one");
		return &w->effective;
	case LINT_POLICY_CUSTOM:
		lint_say(out,
			"tboot %s takes its policy from the custom element of the owner's policy data: type %s, %s, %u entries. It goes to PCR 17 "
			"and 18.",
			version, type_name(&w->effective), lint_alg_name(w->effective.hash_alg), w->effective.entry_count);
		return &w->effective;
	case LINT_POLICY_DEFAULT:
		lint_say(out,
			"tboot %s finds no policy and takes its default one, type nonfatal: every module goes to PCR 17, nothing is compared, and the "
			"launch goes on whatever is wrong.",
			version);
		return NULL;
	default:
		break;
	}
	if (w->policy_error)
		return NULL;
	lint_say(out, "%s. If tboot %s finds this build's policy (type %s, %s), this happens:",
		w->f->has_tpm ? "Which policy the TPM has for tboot is not known" : "No TPM was looked at (--tcti, --nv-dump)", version,
		type_name(&w->policy), lint_alg_name(w->policy.hash_alg));
	return &w->policy;
}

static void tell_hashing(const struct lint_world *w, struct lint_report *out)
{
	switch (w->f->tboot.extpol) {
	case LINT_EXTPOL_FIXED:
		lint_say(out, "tboot hashes with %s and extends this bank only.", lint_alg_name(w->f->tboot.extpol_alg));
		break;
	case LINT_EXTPOL_UNKNOWN:
		lint_say(out, "It cannot be said which banks tboot extends.");
		break;
	default:
		lint_say(out, "tboot extends all banks that it knows and compares no module with the policy.");
		break;
	}
}

static void tell_txt(const struct lint_world *w, struct lint_report *out)
{
	struct story s = { .w = w, .out = out, .tboot = true, .compares = w->f->tboot.extpol == LINT_EXTPOL_FIXED };
	char version[24];
	struct text t = TEXT_OF(version);

	lint_version_print(w->f->tboot_version, &t);
	if (w->direct)
		lint_say(out, "With TXT, tboot in front and the same modules, this happens:");
	if (!tell_sinit(w, out))
		return;
	s.policy = tell_policy(w, out, version);
	if (w->source == LINT_POLICY_DEFAULT || !s.policy)
		return;
	tell_hashing(w, out);
	say_modules(&s);
	if (s.stopped)
		return;
	say_nv(&s, "geolaunch's stage, as tboot ignores the entry,");
	say_end(&s, "geolaunch's stage");
}

/* What the launch needs beside its modules. False if there is more to tell. */
GL_MUST static bool tell_missing(const struct lint_world *w, struct lint_report *out)
{
	bool stops = w->policy_error || w->policy.type == VLP_HALT;
	size_t i;

	for (i = 0; w->f->missing && w->f->missing[i]; i++)
		if (!strcmp(w->f->missing[i], BUILD_DEFAULT))
			lint_say(out, "%s is missing: firmware that starts what is there by default finds nothing.", w->f->missing[i]);
		else if (!strcmp(w->f->missing[i], SLOT_APPLICATION))
			lint_say(out, "%s is missing: nothing is launched.", w->f->missing[i]);
		else
			lint_say(out, "%s is missing: geolaunch.efi launches nothing. It %s.", w->f->missing[i],
				stops ? "stops" : "stops or starts the host unmeasured, as the policy's type says");
	return i > 0;
}

/* Where geolaunch.efi brings a description itself, that counts. False if there is more to tell. */
GL_MUST static bool tell_no_description(const struct lint_world *w, struct lint_report *out)
{
	char why[LINT_DESCRIPTION_TEXT];

	if (!w->f->no_description)
		return false;
	if (w->f->embedded > EMBEDDED_SAME)
		lint_say(out, "geolaunch.efi does not go by these files (GL-BUILD-013). By them it would do this:");
	lint_description_text(w->f, why, sizeof(why));
	lint_say(out, "geolaunch.efi cannot read launch.conf (%s). It caps PCR 17-22, as far as they can be reached, and stops: %s.", why,
		w->direct ? "no host is started" : "neither tboot nor a host is started");
	return true;
}

void lint_launch(const struct lint_world *w, struct lint_report *out)
{
	if (tell_missing(w, out) || tell_no_description(w, out))
		return;
	if (w->direct)
		tell_direct(w, out);
	if (w->txt)
		tell_txt(w, out);
}
