/* SPDX-License-Identifier: BSD-3-Clause */

/* Where tboot and SINIT look for their policies: the NV indices of the two sets. */

#include <tss2/tss2_tpm2_types.h>

#include "cli/lint_impl.h"

#define POLICY_C "tboot 1.10.5 tboot/common/policy.c"
#define TPM_20_C "tboot 1.10.5 tboot/common/tpm_20.c"

/* tboot's tb_error_t, of which it reads and writes this much. */
#define ERROR_SIZE 4

/* Rules here are about tboot and SINIT in front of a TPM that was looked at. */
static bool applies(const struct lint_world *w)
{
	return w->txt && w->f->has_tpm;
}

static void check_set(const struct lint_world *w, struct lint_run *run)
{
	unsigned other = !w->set;

	if (!applies(w) || !w->set_known)
		return;
	if (w->vlp[other] && !w->vlp[w->set])
		lint_found_nv(run, w->vlp[other]->index, "SINIT's index set is %u: tboot looks for its policy in 0x%08x.", w->set,
			lint_indices[LINT_USE_VLP][w->set]);
	if (w->po[other] && !w->po[w->set])
		lint_found_nv(run, w->po[other]->index, "SINIT's index set is %u: SINIT looks for the owner's policy in 0x%08x.", w->set,
			lint_indices[LINT_USE_PO][w->set]);
}

static void check_ppwrite(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv[] = { w->vlp[w->set], w->po[w->set] };

	if (!applies(w))
		return;
	for (size_t i = 0; i < GL_COUNT(nv); i++)
		if (nv[i] && nv[i]->attributes & TPMA_NV_PPWRITE)
			lint_found_nv(run, nv[i]->index, "It is the index of %s.",
				i == 0 ? "tboot's policy" : "the owner's launch control policy");
}

static void check_vlp_unreadable(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->vlp[w->set];
	const char *why = nv ? lint_nv_unreadable_at_launch(nv) : NULL;

	/* clear_stclear has a rule of its own. */
	if (applies(w) && why && !(nv->attributes & TPMA_NV_CLEAR_STCLEAR))
		lint_found_nv(run, nv->index, "Here: %s.", why);
}

static void check_both_sets(const struct lint_world *w, struct lint_run *run)
{
	if (applies(w) && w->vlp[0] && w->vlp[1])
		lint_found_nv(run, w->vlp[!w->set]->index, "%s index set %u, so 0x%08x counts.",
			w->set_known ? "SINIT says" : "Without SINIT's word (--sinit) this takes", w->set, w->vlp[w->set]->index);
}

static void check_both_places(const struct lint_world *w, struct lint_run *run)
{
	if (applies(w) && w->vlp[w->set] && w->has_custom)
		lint_found_nv(run, w->vlp[w->set]->index, "The custom element is element %d of list %d; %s.", w->custom_at.element,
			w->custom_at.list,
			w->source == LINT_POLICY_NV        ? "the index wins"
			: w->source == LINT_POLICY_CUSTOM  ? "what is in the index is no policy for tboot, so the custom element wins"
			: w->source == LINT_POLICY_UNKNOWN ? "which one counts cannot be said, as what is in the TPM is not known"
							   : "tboot can use neither and takes its default policy");
}

static void check_other_policy(const struct lint_world *w, struct lint_run *run)
{
	if (!applies(w) || !w->nv_policy.p || span_equal(w->nv_policy, w->f->policy_bytes))
		return;
	lint_found_nv(
		run, w->vlp[w->set]->index, "The index has %zu bytes of policy, policy.vlp %zu.", w->nv_policy.n, w->f->policy_bytes.n);
}

static void check_malformed(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->vlp[w->set];

	if (!applies(w) || !nv || !nv->content.p || w->nv_policy.p || nv->attributes & TPMA_NV_PPWRITE || lint_nv_unreadable_at_launch(nv))
		return;
	lint_found_nv(run, nv->index, "%s",
		nv->content.n >= 2 && nv->content.p[0] == 0 && nv->content.p[1] == 3
			? "It looks like a launch control policy, which belongs into the index of the owner's policy."
			: "");
}

static void check_too_small(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->vlp[w->set];

	if (applies(w) && nv && nv->size < w->f->policy_bytes.n)
		lint_found_nv(run, nv->index, "The index has %u bytes, policy.vlp %zu.", nv->size, w->f->policy_bytes.n);
}

static void check_default(const struct lint_world *w, struct lint_run *run)
{
	if (!applies(w) || w->source != LINT_POLICY_DEFAULT)
		return;
	lint_found_nv(run, lint_indices[LINT_USE_VLP][w->set], "%s",
		w->vlp[w->set] ? "The index is there, but of no use to tboot."
			       : "The index is not defined, and there is no custom element that tboot would take.");
}

static void check_vlp_da(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->vlp[w->set];

	if (applies(w) && nv && !(nv->attributes & TPMA_NV_NO_DA))
		lint_found_nv(run, nv->index, "%s", "");
}

static void check_open(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv[] = { w->vlp[w->set], w->po[w->set] };

	if (!applies(w))
		return;
	for (size_t i = 0; i < GL_COUNT(nv); i++)
		if (nv[i] && lint_nv_open_to_all(nv[i]))
			lint_found_nv(run, nv[i]->index, "It is the index of %s.",
				i == 0 ? "tboot's policy" : "the owner's launch control policy");
}

static void check_large(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->vlp[w->set];

	if (applies(w) && nv && nv->size > VLP_MAX_SIZE)
		lint_found_nv(run, nv->index, "It has %u bytes.", nv->size);
}

static void check_no_error_index(const struct lint_world *w, struct lint_run *run)
{
	if (applies(w) && !w->error[w->set])
		lint_found_nv(run, lint_indices[LINT_USE_ERROR][w->set], "%s", "");
}

static void check_error_index(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->error[w->set];

	if (!applies(w) || !nv)
		return;
	if (nv->size < ERROR_SIZE)
		lint_found_nv(run, nv->index, "It has %u bytes; tboot writes %d.", nv->size, ERROR_SIZE);
	if ((nv->attributes & (TPMA_NV_AUTHWRITE | TPMA_NV_AUTHREAD)) != (TPMA_NV_AUTHWRITE | TPMA_NV_AUTHREAD))
		lint_found_nv(run, nv->index, "Its attributes lack %s.", nv->attributes & TPMA_NV_AUTHWRITE ? "authread" : "authwrite");
	else if (nv->read == LINT_READ_PASSWORD)
		lint_found_nv(run, nv->index, "It has a password.");
	if (lint_nv_locked(nv))
		lint_found_nv(run, nv->index, "It is locked against writing.");
}

static void check_po_unreadable(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->po[w->set];
	const char *why = nv ? lint_nv_unreadable_at_launch(nv) : NULL;

	if (applies(w) && why)
		lint_found_nv(run, nv->index, "Here: %s.", why);
}

static void check_po_changes_pcrs(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->po[w->set];
	struct span given = lint_wanted_po(w->f);

	if (!applies(w) || !given.p || (nv && nv->size == given.n))
		return;
	if (nv)
		lint_found_nv(run, nv->index, "The index has %u bytes, the policy to be written %zu: it has to be defined anew.", nv->size,
			given.n);
	else
		lint_found_nv(run, lint_indices[LINT_USE_PO][w->set], "It is not defined yet.");
}

static void check_other_po(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->po[w->set];
	struct span given = w->f->lcp[LCP_PO];

	if (applies(w) && given.p && nv && nv->content.p && !span_equal(nv->content, given))
		lint_found_nv(run, nv->index, "%s", "");
}

static void check_no_po(const struct lint_world *w, struct lint_run *run)
{
	if (applies(w) && w->f->build_lcp.p && !w->po[w->set])
		lint_found_nv(run, lint_indices[LINT_USE_PO][w->set], "%s",
			w->f->lcp[LCP_PO].p ? "What is said here about launch control is about the policy of --lcp-owner." : "");
}

static void check_builds_po(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->po[w->set];
	struct span build = w->f->build_lcp;

	if (!applies(w) || !build.p || !nv || lint_nv_unreadable_at_launch(nv))
		return;
	if (nv->size != build.n)
		lint_found_nv(run, nv->index, "The index has %u bytes, the build's policy %zu.", nv->size, build.n);
	else if (nv->content.p && !span_equal(nv->content, build))
		lint_found_nv(run, nv->index, "%s", "");
}

/* Another size has a rule of its own. */
static void check_po_public(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->po[w->set];

	if (!applies(w) || w->assumed[PREDICT_NV_PO] != LINT_ASSUMED_OTHER || nv->size != w->f->build_lcp.n)
		return;
	lint_found_nv(run, nv->index, "It has %s than the build takes for granted.", w->po_difference);
}

static void check_unexpected_po(const struct lint_world *w, struct lint_run *run)
{
	if (applies(w) && w->assumed[PREDICT_NV_PO] == LINT_ASSUMED_NONE)
		lint_found_nv(run, w->po[w->set]->index, "%s", "");
}

static void check_unexpected_platform(const struct lint_world *w, struct lint_run *run)
{
	if (applies(w) && w->assumed[PREDICT_NV_PS] == LINT_ASSUMED_NONE)
		lint_found_nv(run, w->ps[w->set]->index, "It is the index of the supplier's policy: platform.ps.");
	if (applies(w) && w->assumed[PREDICT_NV_AUX] == LINT_ASSUMED_NONE)
		lint_found_nv(run, w->aux[w->set]->index, "It is TXT's AUX index: platform.aux.");
}

static void check_not_written_back(const struct lint_world *w, struct lint_run *run)
{
	const struct lint_nv *nv = w->vlp[w->set];

	if (applies(w) && nv && nv->attributes & TPMA_NV_CLEAR_STCLEAR)
		lint_found_nv(run, nv->index, "%s", "");
}

static void check_not_used(const struct lint_world *w, struct lint_run *run)
{
	if (w->txt || !w->f->has_tpm)
		return;
	for (unsigned set = 0; set < 2; set++) {
		if (w->vlp[set])
			lint_found_nv(run, w->vlp[set]->index, "%s", "");
		if (w->po[set])
			lint_found_nv(run, w->po[set]->index, "%s", "");
	}
}

/* Of which index set, where the build does not tell, and of a build for direct mode that it is to be tboot's. */
#define WHICH_SET \
	" A build without SINIT module needs --sinit FILE or --index-set N, one for direct mode also --vlp " \
	"BUILD-DIR/esp/EFI/geolaunch/policy.vlp."

const struct lint_rule lint_nv_rules[] = {
	{ "GL-NV-001", LINT_ERROR, "the policies lie in the other index set",
		"Each SINIT module names one of two sets of NV indices, and tboot follows it. The policy in the other set is never looked at: tboot "
		"takes its default policy, which verifies nothing, and SINIT sees no owner policy.",
		"Write the policies into SINIT's set: 'geolaunch provision --sinit FILE'; then remove the others (tpm2_nvundefine).",
		TPM_20_C " tpm20_init(); SINIT's TPM info list, tpm_nv_index_set", check_set },
	{ "GL-NV-002", LINT_ERROR, "firmware may write the index (ppwrite)",
		"tboot refuses to take a policy out of an index with this attribute. It goes on to the next place, and in the end to its default "
		"policy, which verifies nothing.",
		"Define the index anew without ppwrite: 'geolaunch provision --replace'.", POLICY_C " check_index_attribute()",
		check_ppwrite },
	{ "GL-NV-003", LINT_ERROR, "tboot cannot read its policy's index",
		"tboot reads with the index's own, empty password. If that fails, it goes on to the custom element of the owner's policy data, and "
		"else to its default policy, which verifies nothing.",
		"Define the index anew with authread and without a password, and write it: 'geolaunch provision --replace'.",
		TPM_20_C " tpm20_nv_read(); " POLICY_C " set_policy()", check_vlp_unreadable },
	{ "GL-NV-004", LINT_WARNING, "there is a policy for tboot in both index sets",
		"Only one counts, and another SINIT module may change which.", "Remove the one that does not count (tpm2_nvundefine).",
		TPM_20_C " tpm20_init()", check_both_sets },
	{ "GL-NV-005", LINT_WARNING, "there is a policy for tboot in its index and in the owner's policy data",
		"tboot looks into its own index first. The custom element of the policy data, which the launch control policy protects, counts only "
		"if there is no usable policy in the index.",
		"Keep one of both: remove the index (tpm2_nvundefine) to use the custom element.", POLICY_C " set_policy()",
		check_both_places },
	{ "GL-NV-006", LINT_ERROR, "the policy in the TPM is not the one of the build",
		"tboot enforces and measures the policy in the TPM: PCR 17 and 18 will not be those of expected.json, and modules of this build may "
		"be refused.",
		"Write this build's policy: 'geolaunch provision BUILD-DIR --replace'." WHICH_SET, POLICY_C " set_policy()",
		check_other_policy },
	{ "GL-NV-007", LINT_ERROR, "what is in tboot's index is no policy for tboot",
		"tboot says \"reading failed\" and goes on to the custom element of the owner's policy data, and else to its default policy, which "
		"verifies nothing.",
		"Write the policy: 'geolaunch provision BUILD-DIR --replace'." WHICH_SET,
		"tboot 1.10.5 include/tb_policy.h verify_policy()", check_malformed },
	{ "GL-NV-008", LINT_ERROR, "the policy does not fit its index",
		"The policy of this build cannot be written into the index as it is defined.",
		"Define the index anew with the policy's size: 'geolaunch provision BUILD-DIR --replace'." WHICH_SET,
		"TPM 2.0 Library part 3, TPM2_NV_Write", check_too_small },
	{ "GL-NV-009", LINT_ERROR, "tboot finds no policy and takes its default policy",
		"The default policy is nonfatal, has no hashes and measures every module into PCR 17: nothing is verified, and PCR 17-22 are not those "
		"of expected.json.",
		"Write the policy into the TPM: 'geolaunch provision BUILD-DIR'." WHICH_SET, POLICY_C " _def_policy_da", check_default },
	{ "GL-NV-010", LINT_WARNING, "the index of tboot's policy is not exempt from dictionary-attack lockout",
		"A few wrong passwords for anything else in the TPM lock this index too; tboot then cannot read it and takes its default policy.",
		"Define the index anew with no_da: 'geolaunch provision --replace'.", "TPM 2.0 Library part 1, 19.8", check_vlp_da },
	{ "GL-NV-011", LINT_WARNING, "everybody can write the index of a policy",
		"The index can be written with its own password, which is empty: any software that reaches the TPM can put another policy there. A "
		"verifier of PCR 17 and 18 sees it after the next launch, nothing prevents it.",
		"Define the index anew with ownerwrite or policywrite instead of authwrite: 'geolaunch provision --replace'.",
		"TPM 2.0 Library part 2, 13.4, TPMA_NV", check_open },
	{ "GL-NV-012", LINT_INFO, "the index of tboot's policy is larger than tboot's buffer",
		"tboot reads its first 2124 bytes and warns on the console. That is no harm, as a policy has no more.",
		"Nothing has to be done.", POLICY_C " read_policy_from_tpm()", check_large },
	{ "GL-NV-013", LINT_INFO, "tboot's error index is not defined",
		"tboot goes on without it, but which error stopped the last launch is forgotten. From version 1.9.8 on tboot looks at the index only "
		"with ignore_prev_err=false.",
		"'geolaunch provision --error-index' defines it.", "tboot 1.10.5 tboot/common/tb_error.c; CHANGELOG 1.9.8",
		check_no_error_index },
	{ "GL-NV-014", LINT_WARNING, "tboot cannot use its error index",
		"tboot reads and writes four bytes with the index's own, empty password. If that fails, the last error is forgotten.",
		"Define it anew: 'geolaunch provision --error-index --replace'.",
		"tboot 1.10.5 tboot/common/tb_error.c write_tb_error_code()", check_error_index },
	{ "GL-NV-015", LINT_ERROR, "SINIT cannot read the owner's launch control policy",
		"SINIT reads the index with its own, empty password. It stops the launch with an error of the class TPM access, and the platform "
		"resets.",
		"Define the index anew with authread, ownerwrite, policywrite and no_da (0x0204000a), and write it: 'geolaunch provision --replace'.",
		"Intel TXT SDG 315168-016 appendix J; TPM 2.0 Library part 2, 13.4", check_po_unreadable },
	{ "GL-NV-016", LINT_WARNING, "defining the owner's index changes PCR 17 and 18",
		"SINIT measures the public areas of the policies' indices (NV_INFO) into PCR 17 and 18: both change when the owner's index is defined "
		"or defined anew. What is sealed to the present values is lost, and reference values have to be taken anew.",
		"Define the index first, then seal and take reference values. Later write the index again instead of defining it anew.",
		"Intel TXT SDG 315168-016, NV_INFO_HASH", check_po_changes_pcrs },
	{ "GL-NV-017", LINT_ERROR, "the owner's policy in the TPM is not the given one",
		"SINIT evaluates the policy in the TPM. All that is said here about launch control is about the given one.",
		"Write it: 'geolaunch provision --lcp FILE --replace'; or leave out --lcp-owner to look at the one in the TPM.",
		"Intel TXT SDG 315168-016 appendix D", check_other_po },
	{ "GL-NV-018", LINT_ERROR, "the index of tboot's policy is forgotten at every reset",
		"With clear_stclear the TPM takes the index for never written after each reset, so tboot can never read it.",
		"Define the index anew: 'geolaunch provision --replace'.", "TPM 2.0 Library part 2, 13.4, TPMA_NV_CLEAR_STCLEAR",
		check_not_written_back },
	{ "GL-NV-019", LINT_INFO, "the TPM holds a policy that direct mode does not look at",
		"tboot and SINIT read this index, geolaunch.efi in direct mode does not: it obeys the policy on the EFI system partition.",
		"Nothing has to be done. With --sinit or --tboot-cmdline this report also tells what a launch by tboot would make of it.",
		"geolaunch-provision(1), indices", check_not_used },
	{ "GL-NV-020", LINT_ERROR, "the TPM has no owner's launch control policy, and the build has one",
		"SINIT finds no policy in the owner's index, and what the build has counts for nothing. With the build's policy data, but no policy, "
		"SINIT refuses the launch and the platform resets; in any case PCR 17 and 18 are not those of expected.json.",
		"Write the build's policy into the TPM: 'geolaunch provision BUILD-DIR'. A build without SINIT module needs --sinit FILE or "
		"--index-set N.",
		"Intel TXT SDG 315168-016 appendix D; docs/LCP-EVALUATION.md", check_no_po },
	{ "GL-NV-021", LINT_ERROR, "the owner's launch control policy in the TPM is not the build's",
		"SINIT evaluates and measures the policy in the TPM: it may refuse this build, and PCR 17 and 18 will not be those of expected.json.",
		"Write the build's policy: 'geolaunch provision BUILD-DIR --replace'. A build without SINIT module needs --sinit FILE or "
		"--index-set N.",
		"Intel TXT SDG 315168-016 appendix D", check_builds_po },
	{ "GL-NV-022", LINT_ERROR, "the owner's index is not defined as the build takes for granted",
		"SINIT measures the public area of the index (NV_INFO), whatever its content: what is predicted for PCR 17 and 18 does not hold on "
		"this TPM.",
		"Define the index anew: 'geolaunch provision BUILD-DIR --replace'. A build without SINIT module needs --sinit FILE or --index-set N.",
		"Intel TXT SDG 315168-016, NV_INFO_HASH; geolaunch-provision(1)", check_po_public },
	{ "GL-NV-023", LINT_ERROR, "the TPM has an owner's launch control policy, and the build has none",
		"SINIT evaluates the policy in the TPM and measures it and its index: what is predicted for PCR 17 and 18 does not hold on this TPM.",
		"Name policy and data under 'lcp' in the manifest and build again, or remove the index (tpm2_nvundefine).",
		"Intel TXT SDG 315168-016, NV_INFO_HASH; geolaunch-manifest(5), lcp", check_unexpected_po },
	{ "GL-NV-024", LINT_ERROR, "the TPM has an index of the platform that the build takes for not there",
		"SINIT measures the public areas of the supplier's policy and of the AUX index (NV_INFO): what is predicted for PCR 17 and 18 does not "
		"hold on this TPM.",
		"Give the public area in the manifest (platform.ps, platform.aux), or name a log of a launch of this host (platform.log), and build "
		"again.",
		"Intel TXT SDG 315168-016, NV_INFO_HASH; geolaunch-manifest(5), platform", check_unexpected_platform },
};
const size_t lint_nv_rule_count = GL_COUNT(lint_nv_rules);
