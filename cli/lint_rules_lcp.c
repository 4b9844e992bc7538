/* SPDX-License-Identifier: BSD-3-Clause */

/* Launch control: what SINIT will say to policy, policy data, MLE and PCRs. */

#include "cli/lint_impl.h"

#define SDG "Intel TXT SDG 315168-016 "

/* tboot copies the policy data into this much room: tboot 1.10.5 tboot/include/txt/heap.h, os_mle_data_t.lcp_po_data. */
#define DATA_MAX 65536

/* Which lint rule tells of a refusal; all others are told by the general one. */
enum topic {
	GENERAL,
	TOPIC_MLE,
	TOPIC_PCONF,
	TOPIC_HASH,
	TOPIC_SIGN,
	TOPIC_VERSION,
	TOPIC_DIGEST,
	TOPIC_NO_DATA,
	TOPIC_SIGNATURE,
	TOPIC_OPEN
};

static const uint8_t topics[LCP_RULE_COUNT] = {
	[LCP_RULE_MLE] = TOPIC_MLE,
	[LCP_RULE_PCONF] = TOPIC_PCONF,
	[LCP_RULE_PCONF_OVERRIDE] = TOPIC_PCONF,
	[LCP_RULE_POLICY_HASH_ALG] = TOPIC_HASH,
	[LCP_RULE_NO_HASH_MASK] = TOPIC_HASH,
	[LCP_RULE_HASH_NOT_APPROVED] = TOPIC_HASH,
	[LCP_RULE_NO_SIGN_MASK] = TOPIC_SIGN,
	[LCP_RULE_AUX_REVOKED] = TOPIC_VERSION,
	[LCP_RULE_SINIT_REVOKED_PS] = TOPIC_VERSION,
	[LCP_RULE_SINIT_REVOKED_PO] = TOPIC_VERSION,
	[LCP_RULE_SINIT_REVOKED_ELEMENT] = TOPIC_VERSION,
	[LCP_RULE_DATA_DIGEST] = TOPIC_DIGEST,
	[LCP_RULE_NO_DATA] = TOPIC_NO_DATA,
	[LCP_RULE_LIST_SIGNATURE] = TOPIC_SIGNATURE,
	[LCP_RULE_INPUT] = TOPIC_OPEN,
};

static void at(struct lint_run *run, const struct lcp_at *a)
{
	const char *owner = lcp_owner_name(a->owner);

	if (a->list < 0)
		lint_where(run, "%s's policy", owner);
	else if (a->element < 0)
		lint_where(run, "%s's policy data, list %d", owner, a->list);
	else
		lint_where(run, "%s's policy data, list %d, element %d", owner, a->list, a->element);
}

static void refusal(const struct lint_world *w, struct lint_run *run, enum topic topic)
{
	const struct lcp_verdict *v = &w->verdict;
	const char *rule = lcp_rule_info(v->rule)->text;

	if (!w->txt || !w->judged || v->allowed || topics[v->rule] != topic)
		return;
	at(run, &v->at);
	if (topic == TOPIC_OPEN)
		lint_found(run, "Here: %s.", rule);
	else
		lint_found(run, "Here: %s; TXT.ERRORCODE will be 0x%08x.", rule, lcp_verdict_code(v));
}

/* clang-format off */
static void check_general(const struct lint_world *w, struct lint_run *run) { refusal(w, run, GENERAL); }
static void check_mle(const struct lint_world *w, struct lint_run *run) { refusal(w, run, TOPIC_MLE); }
static void check_pconf(const struct lint_world *w, struct lint_run *run) { refusal(w, run, TOPIC_PCONF); }
static void check_hash(const struct lint_world *w, struct lint_run *run) { refusal(w, run, TOPIC_HASH); }
static void check_version(const struct lint_world *w, struct lint_run *run) { refusal(w, run, TOPIC_VERSION); }
static void check_digest(const struct lint_world *w, struct lint_run *run) { refusal(w, run, TOPIC_DIGEST); }
static void check_no_data(const struct lint_world *w, struct lint_run *run) { refusal(w, run, TOPIC_NO_DATA); }
static void check_signature(const struct lint_world *w, struct lint_run *run) { refusal(w, run, TOPIC_SIGNATURE); }
static void check_open(const struct lint_world *w, struct lint_run *run) { refusal(w, run, TOPIC_OPEN); }
/* clang-format on */

/* Lists of the owner's policy data that do not count for this reason. */
static void lists(const struct lint_world *w, struct lint_run *run, enum lcp_rule why)
{
	if (!w->txt || !w->judged)
		return;
	for (int i = 0; i < w->verdict.list_count[LCP_PO] && i < LCP_MAX_LISTS; i++)
		if (w->verdict.lists[LCP_PO][i] == why) {
			at(run, &(struct lcp_at){ LCP_PO, i, -1 });
			lint_found(run, "Here: %s.", lcp_rule_info(why)->text);
		}
}

static void check_sign(const struct lint_world *w, struct lint_run *run)
{
	refusal(w, run, TOPIC_SIGN);
	lists(w, run, LCP_RULE_LIST_NOT_APPROVED);
}

static void check_revoked(const struct lint_world *w, struct lint_run *run)
{
	lists(w, run, LCP_RULE_LIST_REVOKED);
}

static void check_max_version(const struct lint_world *w, struct lint_run *run)
{
	const struct lcp_policy *p = &w->lcp_policy[LCP_PO];

	if (!w->txt || !w->lcp_decoded[LCP_PO] || p->max_sinit_min_version >= p->sinit_min_version)
		return;
	at(run, &(struct lcp_at){ LCP_PO, -1, -1 });
	lint_found(run, "MaxSinitMinVersion is %u, SINITMinVersion %u.", p->max_sinit_min_version, p->sinit_min_version);
}

static void check_any(const struct lint_world *w, struct lint_run *run)
{
	if (!w->txt || !w->lcp_decoded[LCP_PO] || w->lcp_policy[LCP_PO].type != LCP_POLICY_ANY)
		return;
	at(run, &(struct lcp_at){ LCP_PO, -1, -1 });
	lint_found(run, "%s", "");
}

static void check_none(const struct lint_world *w, struct lint_run *run)
{
	if (!w->txt || !(w->f->has_tpm || w->f->lcp_data[LCP_PO].p) || w->lcp[LCP_PO].p || w->po[w->set])
		return;
	/* Data without a policy: other rules tell that SINIT refuses. */
	if (w->f->build_lcp.p || (w->judged && !w->verdict.allowed))
		return;
	lint_found_nv(run, lint_indices[LINT_USE_PO][w->set], "%s", "");
}

static void check_custom(const struct lint_world *w, struct lint_run *run)
{
	if (!w->txt || !w->has_custom || span_equal(w->custom, w->f->policy_bytes))
		return;
	at(run, &(struct lcp_at){ LCP_PO, w->custom_at.list, w->custom_at.element });
	lint_found(run, "It has %zu bytes, policy.vlp %zu.", w->custom.n, w->f->policy_bytes.n);
}

static void check_data_size(const struct lint_world *w, struct lint_run *run)
{
	if (!w->txt || w->f->lcp_data[LCP_PO].n <= DATA_MAX)
		return;
	lint_where(run, "owner's policy data");
	lint_found(run, "It has %zu bytes.", w->f->lcp_data[LCP_PO].n);
}

static void check_format(const struct lint_world *w, struct lint_run *run)
{
	for (unsigned o = 0; w->txt && o < LCP_OWNERS; o++) {
		enum lcp_error e = w->lcp_decoded[o] ? lcp_policy_validate(&w->lcp_policy[o]) : LCP_OK;

		if (!e)
			continue;
		at(run, &(struct lcp_at){ (enum lcp_owner)o, -1, -1 });
		lint_found(run, "Here: %s.", lcp_strerror(e));
	}
}

static void check_data_format(const struct lint_world *w, struct lint_run *run)
{
	struct lcp_where where = w->data_at;
	enum lcp_error e = w->data_error;

	if (!w->txt || !w->f->lcp_data[LCP_PO].p)
		return;
	if (!e)
		e = lcp_data_validate(&w->data, &where);
	if (!e)
		return;
	at(run, &(struct lcp_at){ LCP_PO, where.list, where.element });
	lint_found(run, "Here: %s.", lcp_strerror(e));
}

/* ---- elements ---- */

typedef void check_element(const struct lint_world *w, const struct lcp_element *e, int list, int element, struct lint_run *run);

static void each_element(const struct lint_world *w, struct lint_run *run, check_element *check)
{
	for (int l = 0; w->txt && w->data_decoded && l < w->data.list_count; l++) {
		struct lcp_elements it = lcp_elements_in(w->data.lists[l].elements);

		for (int i = 0; lcp_elements_left(&it); i++) {
			struct lcp_element e;
			struct span bytes;

			if (lcp_elements_next(&it, &bytes) == LCP_OK && lcp_element_decode(bytes, &e) == LCP_OK)
				check(w, &e, l, i, run);
		}
	}
}

static bool has_hashes(const struct lcp_element *e)
{
	return e->type == LCP_ELEMENT_MLE2 || e->type == LCP_ELEMENT_SBIOS2 || e->type == LCP_ELEMENT_STM2;
}

static void element_hash(const struct lint_world *w, const struct lcp_element *e, int list, int element, struct lint_run *run)
{
	const struct lcp_hash_info *h = lcp_hash_by_id(e->hash_alg);

	if (!w->lcp_decoded[LCP_PO] || !has_hashes(e) || !h || w->lcp_policy[LCP_PO].hash_mask & h->mask)
		return;
	at(run, &(struct lcp_at){ LCP_PO, list, element });
	lint_found(run, "It is of the type %s and has %s.", lcp_element_type_name(e->type), h->name);
}

static void check_element_hash(const struct lint_world *w, struct lint_run *run)
{
	each_element(w, run, element_hash);
}

static void legacy(const struct lint_world *w, const struct lcp_element *e, int list, int element, struct lint_run *run)
{
	(void)w;
	if (e->type > LCP_ELEMENT_STM || e->type == LCP_ELEMENT_CUSTOM)
		return;
	at(run, &(struct lcp_at){ LCP_PO, list, element });
	lint_found(run, "It is of the type %s.", lcp_element_type_name(e->type));
}

static void check_legacy(const struct lint_world *w, struct lint_run *run)
{
	each_element(w, run, legacy);
}

static void check_no_mle(const struct lint_world *w, struct lint_run *run)
{
	const struct lcp_decision *d = &w->verdict.by[LCP_SUBJECT_MLE];

	if (!w->txt || !w->judged || !w->lcp_decoded[LCP_PO] || w->lcp_policy[LCP_PO].type != LCP_POLICY_LIST ||
		d->outcome != LCP_NO_ELEMENT)
		return;
	at(run, &(struct lcp_at){ LCP_PO, -1, -1 });
	lint_found(run, "%s", "");
}

static void check_counter(const struct lint_world *w, struct lint_run *run)
{
	if (!w->txt || !w->data_decoded || !w->lcp_decoded[LCP_PO])
		return;
	for (int i = 0; i < w->data.list_count; i++) {
		const struct lcp_list *l = &w->data.lists[i];
		unsigned least = w->lcp_policy[LCP_PO].revocation[i];

		if (!lcp_list_signed(l) || l->sig.revocation <= least)
			continue;
		at(run, &(struct lcp_at){ LCP_PO, i, -1 });
		lint_found(run, "The list has the counter %u, the policy demands %u.", l->sig.revocation, least);
	}
}

static void check_supplier(const struct lint_world *w, struct lint_run *run)
{
	if (!w->txt || !w->supplier_left_out)
		return;
	at(run, &(struct lcp_at){ LCP_PS, -1, -1 });
	lint_found(run, "%s", "");
}

const struct lint_rule lint_lcp_rules[] = {
	{ "GL-LCP-001", LINT_ERROR, "SINIT refuses the launch",
		"A rule of launch control stops the launch: SINIT writes the reason to TXT.ERRORCODE and the platform resets.",
		"'geolaunch lcp evaluate' shows the evaluation step by step; 'geolaunch txt decode-error CODE' explains a code.",
		"docs/LCP-EVALUATION.md", check_general },
	{ "GL-LCP-002", LINT_ERROR, "no MLE element allows this tboot",
		"The digest of tboot with its command line is in no MLE element of the lists: SINIT stops the launch and the platform resets. Each "
		"change of tboot or of one character of its command line changes the digest.",
		"Add the digest ('geolaunch lcp mle-hash --cmdline STR FILE') to an MLE element.", SDG "3.3, D.4.7", check_mle },
	{ "GL-LCP-003", LINT_ERROR, "no PCONF element allows these PCR values",
		"PCR 0-7 are not as any PCONF element demands: SINIT stops the launch and the platform resets. Each update of the firmware or its setup "
		"changes these PCRs.",
		"Make the element anew from this machine's values: 'geolaunch lcp element'.", SDG "3.3, D.4.8", check_pconf },
	{ "GL-LCP-004", LINT_ERROR, "the policy's own hash algorithm is not allowed",
		"SINIT looks at LcpHashAlgMask first and refuses the policy: the platform resets.",
		"Make the policy with an algorithm that its mask and SINIT allow: 'geolaunch lcp policy'.", SDG "D.1.3, LcpHashAlgMask",
		check_hash },
	{ "GL-LCP-005", LINT_ERROR, "a list's signature algorithm is not allowed",
		"The policy (LcpSignAlgMask) or SINIT does not approve the algorithm. The list's elements match nothing, as if they were not there; if "
		"the mask is empty, SINIT refuses the policy.",
		"Sign with an approved algorithm, or make the policy with the algorithm in its mask.", SDG "D.1.3, LcpSignAlgMask",
		check_sign },
	{ "GL-LCP-006", LINT_ERROR, "a list is revoked",
		"Its revocation counter is below that of the policy: the list's elements match nothing, as if they were not there.",
		"Sign the list again with a higher counter.", SDG "D.1.3, DataRevocationCounters", check_revoked },
	{ "GL-LCP-007", LINT_ERROR, "SINIT is older than the policy permits",
		"SINIT compares its version with SINITMinVersion and stops the launch: the platform resets.",
		"Use a newer SINIT module, or lower SINITMinVersion.", SDG "D.1.3, SINITMinVersion", check_version },
	{ "GL-LCP-008", LINT_WARNING, "the policy demands a newer SINIT than it lets others demand",
		"MaxSinitMinVersion limits how far a revocation ACM may raise the version that the AUX index demands; the policy itself demands more. "
		"Once the policy is gone, an older SINIT is accepted again.",
		"Set MaxSinitMinVersion at least to SINITMinVersion; 255 is no limit.", SDG "D.1.3, MaxSinitMinVersion",
		check_max_version },
	{ "GL-LCP-009", LINT_ERROR, "the policy data does not belong to the policy",
		"The digest over the lists is not the one in the policy: SINIT stops the launch and the platform resets.",
		"Make the policy anew for this data ('geolaunch lcp policy') and write it, or give the data that belongs to it.",
		SDG "3.3.4, D.1.3, PolicyHash", check_digest },
	{ "GL-LCP-010", LINT_ERROR, "the policy is of type list, and no policy data was given",
		"Without lists nothing is allowed: SINIT stops the launch and the platform resets.",
		"Give tboot the policy data file as a module, and here with --lcp-data.", SDG "D.1.3, PolicyType", check_no_data },
	{ "GL-LCP-011", LINT_ERROR, "a list's signature is wrong",
		"SINIT verifies the signature of every signed list and stops the launch: the platform resets.",
		"Sign the list again: 'geolaunch lcp sign'.", SDG "D.3.2.1", check_signature },
	{ "GL-LCP-012", LINT_ERROR, "an element's hash algorithm is not approved",
		"LcpHashAlgMask of the policy does not have the algorithm of this element, so it matches nothing. If no other element of the type "
		"fits, SINIT stops the launch.",
		"Make the element with an approved algorithm, or the policy with the algorithm in its mask.", SDG "D.1.3, LcpHashAlgMask",
		check_element_hash },
	{ "GL-LCP-013", LINT_ERROR, "the policy for tboot in the policy data is not the one of the build",
		"If tboot takes its policy from the custom element, it enforces and measures another policy than expected.json predicts.",
		"Wrap this build's policy ('geolaunch vlp wrap'), and make list, data and policy anew.",
		"tboot 1.10.5 tboot/common/policy.c unwrap_lcp_policy()", check_custom },
	{ "GL-LCP-014", LINT_ERROR, "the policy data is larger than 64 KiB",
		"tboot has no room for it in the TXT heap and stops before the launch.", "Remove lists or elements.",
		"tboot 1.10.5 tboot/txt/txt.c, init_txt_heap()", check_data_size },
	{ "GL-LCP-015", LINT_WARNING, "older signed lists are still accepted",
		"The list's revocation counter is above what the policy demands: an older list of the same key, with a lower counter, passes too.",
		"If the older lists are to be refused, raise the policy's counter for this list and write the policy again.",
		SDG "D.1.3, DataRevocationCounters", check_counter },
	{ "GL-LCP-016", LINT_WARNING, "the launch control policy breaks a rule of its format",
		"SINIT may refuse the policy, or take a field for something else.", "Make the policy anew with 'geolaunch lcp policy'.",
		SDG "D.1.3", check_format },
	{ "GL-LCP-017", LINT_WARNING, "the policy data breaks a rule of its format",
		"SINIT may refuse the data, or pass over what it does not understand.", "Make the data anew with 'geolaunch lcp data'.",
		SDG "D.2 to D.4", check_data_format },
	{ "GL-LCP-018", LINT_WARNING, "the lists have no MLE element",
		"Nothing in the policy says which MLE may start, so SINIT starts any.",
		"Add an MLE element with the digest of tboot: 'geolaunch lcp mle-hash', 'geolaunch lcp element'.", SDG "3.3",
		check_no_mle },
	{ "GL-LCP-019", LINT_INFO, "the owner's policy is of type any",
		"SINIT starts any MLE on any platform configuration; the policy restricts algorithms and SINIT versions only.",
		"Use the type list to restrict what may start.", SDG "D.1.3, PolicyType", check_any },
	{ "GL-LCP-020", LINT_INFO, "there is no owner's launch control policy",
		"SINIT starts any MLE, unless the supplier's policy restricts it; what was started is seen in the PCRs only.",
		"'geolaunch lcp policy' and 'geolaunch provision --lcp FILE' make one.", SDG "3.3", check_none },
	{ "GL-LCP-021", LINT_WARNING, "it cannot be said whether launch control allows the launch",
		"An element asks for something that was not given here.",
		"Give --tboot and --tboot-cmdline, or --mle-hash, for the MLE's digest; --tcti or --nv-dump for PCR values.",
		"docs/LCP-EVALUATION.md", check_open },
	{ "GL-LCP-022", LINT_WARNING, "an element is of a type for TPM 1.2",
		"The old types have SHA-1 digests only, for which other files can be made, and an old PCONF element matches nothing in front of a TPM 2.0.",
		"Make the element with a type for TPM 2.0 (mle2, pconf2, sbios2, custom2, stm2).", SDG "D.4", check_legacy },
	{ "GL-LCP-023", LINT_INFO, "the supplier's lists are not known",
		"The supplier's policy is of type list; its policy data lies in the BIOS and was not given here. What is said about launch control leaves "
		"the supplier out.",
		"Give the data with --lcp-supplier-data, if you have it.", SDG "D.2", check_supplier },
};
const size_t lint_lcp_rule_count = GL_COUNT(lint_lcp_rules);
