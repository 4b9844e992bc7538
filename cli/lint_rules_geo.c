/* SPDX-License-Identifier: BSD-3-Clause */

/* The NV entries of the policy: is the index there, readable, and what it should be? */

#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include "cli/lint_impl.h"
#include "geo/geo.h"
#include "tboot-policy/apply.h"

/* One NV entry at a time. */
typedef void check_entry(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run);

static void each(const struct lint_world *w, struct lint_run *run, bool needs_index, check_entry *check)
{
	if (w->policy_error || (needs_index && !w->f->has_tpm))
		return;
	for (unsigned i = 0; i < w->policy.entry_count; i++) {
		const struct vlp_entry *e = &w->policy.entries[i];
		const struct lint_nv *nv = lint_find_nv(w->f, e->nv_index);

		if (lint_entry_is_nv(e) && (nv || !needs_index))
			check(w, e, nv, run);
	}
}

static void missing(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	if (w->f->has_tpm && !nv && geo_index_possible(e->nv_index))
		lint_found_nv(run, e->nv_index, "%s", "");
}

static void check_missing(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, false, missing);
}

static bool is_digest_size(size_t n)
{
	/* As apply.h does, which takes no SHA-1 for a tag. */
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (a != ALG_SHA1 && alg_table[a].size == n)
			return true;
	return false;
}

static void raw_size(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	(void)w;
	if (e->module == VLP_MODULE_NV_RAW && !is_digest_size(nv->size))
		lint_found_nv(run, e->nv_index, "It has %u bytes.", nv->size);
}

static void check_raw_size(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, true, raw_size);
}

static void unreadable(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	const char *why = lint_nv_unreadable_at_launch(nv);

	(void)w;
	if (why && nv->size <= APPLY_NV_MAX && nv->size > 0)
		lint_found_nv(run, e->nv_index, "Here: %s.", why);
}

static void check_unreadable(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, true, unreadable);
}

static void lockout(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	(void)w;
	if (!(nv->attributes & TPMA_NV_NO_DA))
		lint_found_nv(run, e->nv_index, "%s", "");
}

static void check_lockout(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, true, lockout);
}

static void platform(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	(void)w;
	if (nv->attributes & (TPMA_NV_PLATFORMCREATE | TPMA_NV_PPWRITE))
		lint_found_nv(run, e->nv_index, "Its attributes have %s.",
			nv->attributes & TPMA_NV_PLATFORMCREATE ? "platformcreate" : "ppwrite");
}

static void check_platform(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, true, platform);
}

/* What differs, for the reader, as far as the expected content is at hand: geo.bin counts only if it is what is expected to be measured. */
static void tell_difference(
	const struct lint_world *w, const struct expected_event *event, bool raw, const struct lint_nv *nv, struct text *t)
{
	const char *country = w->f->expected->country;
	struct geo_tag found, wanted;
	struct digests d;

	text_str(t, "");
	if (geo_decode(nv->content, &found) != GEO_OK) {
		text_str(t, "It is no geo tag of ours.");
		return;
	}
	if (event && w->f->geo_content.p && geo_decode(w->f->geo_content, &wanted) == GEO_OK) {
		measure_nv(ALG_SET_ALL, raw, w->f->geo_content, &d);
		if (digests_agree(&event->digests, &d)) {
			text_str(t, "What differs: ");
			geo_difference_text(&found, &wanted, t);
			text_char(t, '.');
			return;
		}
	}
	if (!country[0])
		return;
	text_str(t, strcmp(found.country, country) ? "It says " : "The country is as expected, ");
	text_str(t, found.country);
	text_str(t, strcmp(found.country, country) ? ", the build expects " : "; something else in the tag differs");
	text_str(t, strcmp(found.country, country) ? country : "");
	text_char(t, '.');
}

static void content(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	const struct expected_event *event = lint_expected_nv(w->f, e);
	bool raw = e->module == VLP_MODULE_NV_RAW;
	char buf[512];
	struct text t = TEXT_OF(buf);
	struct digests d;
	enum alg alg;

	if (!nv->content.p)
		return;
	measure_nv(ALG_SET_ALL, raw, nv->content, &d);
	if (!(alg_by_id(w->policy.hash_alg, &alg) && !vlp_entry_allows(&w->policy, e, &d)) &&
		(!event || digests_agree(&event->digests, &d)))
		return;
	tell_difference(w, event, raw, nv, &t);
	lint_found_nv(run, e->nv_index, "%s", buf);
}

static void check_content(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, true, content);
}

static void tpm12(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	(void)w;
	(void)nv;
	if (e->nv_index == GEO_INDEX_TPM12)
		lint_found_nv(run, e->nv_index, "%s", "");
}

static void check_tpm12(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, false, tpm12);
}

static void too_large(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	(void)w;
	if (nv->size > APPLY_NV_MAX || nv->size == 0)
		lint_found_nv(run, e->nv_index, "It has %u bytes.", nv->size);
}

static void check_too_large(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, true, too_large);
}

static void open_to_all(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	(void)w;
	if (lint_nv_open_to_all(nv))
		lint_found_nv(run, e->nv_index, "%s", "");
}

static void check_open(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, true, open_to_all);
}

static void check_none(const struct lint_world *w, struct lint_run *run)
{
	if (w->policy_error)
		return;
	for (unsigned i = 0; i < w->policy.entry_count; i++)
		if (lint_entry_is_nv(&w->policy.entries[i]))
			return;
	lint_where(run, "policy.vlp");
	lint_found(run, "%s", "");
}

static void unlocked(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	(void)w;
	if (nv->attributes & TPMA_NV_WRITTEN && !lint_nv_locked(nv) && !lint_nv_open_to_all(nv))
		lint_found_nv(run, e->nv_index, "%s", "");
}

static void check_unlocked(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, true, unlocked);
}

/* Attributes that keep the owner from undefining and defining the index. */
static void owner_open(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	if (w->f->owner_open && !(nv->attributes & (TPMA_NV_PLATFORMCREATE | TPMA_NV_POLICY_DELETE)))
		lint_found_nv(run, e->nv_index, "%s", "");
}

static void check_owner_open(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, true, owner_open);
}

static void unexpected(const struct lint_world *w, const struct vlp_entry *e, const struct lint_nv *nv, struct lint_run *run)
{
	(void)nv;
	if (e->pcr != VLP_PCR_NONE && !lint_expected_nv(w->f, e))
		lint_found_nv(run, e->nv_index, "%s", "");
}

static void check_unexpected(const struct lint_world *w, struct lint_run *run)
{
	each(w, run, false, unexpected);
}

static void remark_country(const struct lint_world *w, struct lint_run *run, enum geo_country kind)
{
	char buf[160];
	struct text t = TEXT_OF(buf);

	if (!w->f->expected->country[0] || geo_country(w->f->expected->country) != kind || !geo_country_remark(w->f->expected->country, &t))
		return;
	lint_where(run, "expected.json");
	lint_found(run, "Here: %s.", buf);
}

static void check_country(const struct lint_world *w, struct lint_run *run)
{
	remark_country(w, run, GEO_COUNTRY_UNKNOWN);
}

static void check_user_country(const struct lint_world *w, struct lint_run *run)
{
	remark_country(w, run, GEO_COUNTRY_USER);
}

const struct lint_rule lint_geo_rules[] = {
	{ "GL-GEO-001", LINT_ERROR, "the geo index is not defined",
		"The index that the policy names is not in the TPM. A cap is measured in its place (nv-missing), and the type halt stops the launch "
		"with TB_ERR_NV_VERIFICATION_FAILED.",
		"'geolaunch provision BUILD-DIR', or 'geolaunch geo define' and 'geolaunch geo write'.", "docs/MEASUREMENTS.md, caps",
		check_missing },
	{ "GL-GEO-002", LINT_ERROR, "the size of an nv_raw index is not that of a digest",
		"An nv_raw entry is extended as it is, without hashing, into the bank whose digest has just its size, SHA-1's excepted. With any other "
		"size a cap is measured in its place (nv-size), and the type halt stops the launch.",
		"Use 'kind: nv', which hashes any content; or an index of 32, 48 or 64 bytes.",
		"tboot 1.10.5 tboot/common/policy.c verify_nvindex(); docs/MEASUREMENTS.md", check_raw_size },
	{ "GL-GEO-003", LINT_ERROR, "the geo index cannot be read at launch",
		"It is read with its own, empty password at locality 2. If that fails, a cap is measured in its place (nv-unreadable), and the type "
		"halt stops the launch.",
		"Define it anew with authread and without a password, and write it: 'geolaunch geo undefine', 'define', 'write'.",
		"TPM 2.0 Library part 3, TPM2_NV_Read", check_unreadable },
	{ "GL-GEO-004", LINT_WARNING, "the geo index is not exempt from dictionary-attack lockout",
		"A few wrong passwords for anything else in the TPM lock this index too, and then the launch measures a cap or stops.",
		"Define it anew with no_da, as 'geolaunch geo define' does.", "TPM 2.0 Library part 1, 19.8", check_lockout },
	{ "GL-GEO-005", LINT_WARNING, "the geo index belongs to the platform's firmware",
		"Firmware made the index or may write it: the owner does not control what is measured as the host's place, and may be unable to "
		"remove it.",
		"Use an index of the owner's own, such as 0x01c10110, if this one was not meant.", "TPM 2.0 Library part 2, 13.4, TPMA_NV",
		check_platform },
	{ "GL-GEO-006", LINT_ERROR, "the geo index holds something else than the build expects",
		"PCR 22, or the PCR that the entry names, ends in another value, and 'geolaunch verify' says geo-mismatch. If the entry has a hash, "
		"the type halt stops the launch.",
		"Write the tag of the build ('geolaunch geo write --file BUILD-DIR/geo.bin'), or take the build that was made for this place.",
		"docs/MEASUREMENTS.md, events", check_content },
	{ "GL-GEO-007", LINT_ERROR, "0x40000010 is no NV index of a TPM 2.0",
		"It was the geo index of TPM 1.2. In a TPM 2.0 the number lies among the permanent handles and cannot be defined, so the entry can "
		"never be measured. tboot's default policy names it, too, and ignores it.",
		"Use 0x01c10110.", "TPM 2.0 Library part 2, 7.2", check_tpm12 },
	{ "GL-GEO-008", LINT_ERROR, "the geo index is empty or over 4096 bytes",
		"It does not fit the buffer into which it is read at launch: a cap is measured in its place (nv-size), and the type halt stops the "
		"launch.",
		"Define it with the size of the tag, 64 bytes.", "tboot 1.10.5 tboot/common/policy.c nv_buf", check_too_large },
	{ "GL-GEO-009", LINT_WARNING, "everybody can write the geo index",
		"The index can be written with its own password, which is empty: any software that reaches the TPM can move the host to another "
		"place before the next launch.",
		"Define it anew with ownerwrite, as 'geolaunch geo define' does, and lock it.", "TPM 2.0 Library part 2, 13.4, TPMA_NV",
		check_open },
	{ "GL-GEO-010", LINT_INFO, "the policy names no geo index",
		"No geo tag is measured; nothing in the PCRs says where the host stands.", "Add 'geo:' to the manifest if it should.",
		"geolaunch-manifest(5), geo", check_none },
	{ "GL-GEO-011", LINT_INFO, "the geo index is not locked",
		"Who knows the owner's password can write another tag at any time. A lock without writedefine is gone after the next reset.",
		"'geolaunch geo lock' makes it stay until the index is undefined.", "TPM 2.0 Library part 3, TPM2_NV_WriteLock",
		check_unlocked },
	{ "GL-GEO-012", LINT_ERROR, "expected.json does not know the policy's geo index",
		"The launch measures an index that the prediction leaves out: the entry's PCR will end in another value than predicted.",
		"Build again instead of editing policy.vlp in the build directory.", "docs/MEASUREMENTS.md, events", check_unexpected },
	{ "GL-GEO-013", LINT_WARNING, "the owner's password is empty",
		"Whoever is root on the host can undefine the geo index, define it anew and write another place into it, locked or not. The same goes "
		"for the indices of the policies.",
		"Give the owner a password: 'tpm2_changeauth -c owner file:FILE', FILE without a line end (printf %s); then 'geolaunch provision' and 'geo' need --owner-auth.",
		"TPM 2.0 Library part 2, 8.6, TPMA_PERMANENT, ownerAuthSet; part 3, TPM2_NV_UndefineSpace", check_owner_open },
	{ "GL-GEO-014", LINT_WARNING, "the geo tag's country is none of ISO 3166-1",
		"The tag is measured and compared as it is, but nobody who reads it knows which jurisdiction it names.",
		"Write the country's code, such as GB for the United Kingdom, into the manifest and build again. If the code was assigned after this "
		"program was made, leave it.",
		"ISO 3166-1; geo/country.c", check_country },
	{ "GL-GEO-015", LINT_INFO, "the geo tag's country is a code for private use",
		"ISO 3166-1 leaves AA, QM to QZ, XA to XZ and ZZ to users: it says nothing to anybody who does not know what is meant.",
		"Nothing has to be done if every verifier knows.", "ISO 3166-1, 8.1.3", check_user_country },
};
const size_t lint_geo_rule_count = GL_COUNT(lint_geo_rules);
