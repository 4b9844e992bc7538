/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "efi/core/preflight_impl.h"
#include "geo/geo.h"
#include "lcp/custom.h"

/* TPM NV indices of a SINIT module's index set (TPM info list): SDG 315168-016, appendix J; tboot 1.10.5, tpm_20.c. */
static const struct {
	uint32_t vlp, owner;
} index_sets[] = {
	{ 0x01200001, 0x01400001 },
	{ 0x01c10131, 0x01c10106 },
};

#define NV_PPWRITE UINT32_C(1) /* TPMA_NV_PPWRITE: TPM 2.0 Library part 2, 13.4 */

static void put_index(struct text *t, uint32_t index)
{
	text_str(t, "NV index ");
	text_hex(t, index, 8);
}

static void found_index(struct preflight *p, enum preflight_id id, uint32_t index, const char *why)
{
	char buf[PREFLIGHT_DETAIL];
	struct text t = TEXT_OF(buf);

	put_index(&t, index);
	if (why) {
		text_str(&t, ": ");
		text_str(&t, why);
	}
	preflight_add(p->out, id, &t);
}

/* Why an index that is defined cannot be read with its own empty authorization. */
static const char *unreadable(const struct preflight_nv *nv)
{
	enum geo_readable r = geo_readable(nv->attributes, nv->size);

	return nv->state == PREFLIGHT_NV_ATTRIBUTES && r > GEO_READABLE_DA ? geo_readable_text(r)
	                                                                   : "the TPM refuses to read it with empty authorization";
}

/* ---- launch policy ---- */

/* tboot reads the whole index and takes the policy that its beginning is (policy.c verify_policy()); bytes behind it do not matter. */
static enum vlp_error read_policy(struct preflight *p, struct span found)
{
	size_t used;
	enum vlp_error e = vlp_decode_prefix(found, p->vlp, &used);

	return e == VLP_OK ? vlp_validate(p->vlp, NULL) : e;
}

/* What the index holds, and whether it is the build's policy. True if it is a policy. */
static bool check_vlp_bytes(struct preflight *p, struct span found, uint32_t index)
{
	const struct preflight_facts *f = p->f;
	enum vlp_error e;

	if (found.n >= f->policy_bytes.n && span_equal((struct span){ found.p, f->policy_bytes.n }, f->policy_bytes))
		return true;
	e = read_policy(p, found);
	if (e != VLP_OK) {
		found_index(p, PREFLIGHT_VLP_INVALID, index, vlp_strerror(e));
		return false;
	}
	/* The policy that the owner wrote rules, not a file that anybody may have put there. */
	p->out->policy_type = p->vlp->type;
	found_index(p, PREFLIGHT_VLP_DIFFERS, index, NULL);
	return true;
}

/*
 * The policy can also come within the owner's launch control data, as an element of its own (policy.c unwrap_lcp_policy()): its UUID and
 * its bytes. Whether the data are sound is for SINIT to say; here it is enough that the policy is in them.
 */
static bool vlp_in_lcp(const struct preflight *p)
{
	struct span data = p->f->lcp, policy = p->f->policy_bytes;

	for (size_t at = 0; data.n >= LCP_UUID_SIZE + policy.n && at <= data.n - LCP_UUID_SIZE - policy.n; at++)
		if (span_equal((struct span){ data.p + at, LCP_UUID_SIZE }, SPAN_OF(lcp_uuid_tboot)) &&
			span_equal((struct span){ data.p + at + LCP_UUID_SIZE, policy.n }, policy))
			return true;
	return false;
}

static bool is_lcp_data(struct span s)
{
	return s.n >= LCP_DATA_HEADER_SIZE &&
	       span_equal((struct span){ s.p, 32 }, (struct span){ (const uint8_t *)LCP_DATA_SIGNATURE, 32 });
}

/* What firmware may write tboot takes for no policy of the owner's (policy.c check_index_attribute()). */
static bool is_firmwares(const struct preflight_nv *nv)
{
	return nv->attributes & NV_PPWRITE;
}

/* True if there is a policy in the index. */
static bool check_vlp(struct preflight *p, uint32_t index)
{
	struct preflight_nv *nv = p->nv;

	p->ops->read_nv(p->ctx, index, nv);
	switch (nv->state) {
	case PREFLIGHT_NV_OK:
		if (is_firmwares(nv)) {
			found_index(p, PREFLIGHT_VLP_UNREADABLE, index, "its attributes have ppwrite");
			break;
		}
		return check_vlp_bytes(p, (struct span){ nv->content, nv->size }, index);
	case PREFLIGHT_NV_MISSING:
		if (!vlp_in_lcp(p))
			found_index(p, PREFLIGHT_VLP_MISSING, index, NULL);
		break;
	default:
		found_index(p, PREFLIGHT_VLP_UNREADABLE, index, unreadable(nv));
		break;
	}
	return false;
}

/*
 * Where tboot will find no policy, the file on the ESP would decide whether the host may start without a launch. But whoever writes that
 * file also chooses the SINIT module, and with it where is looked: any policy that the owner wrote rules, if it is stricter.
 */
static void obey_any(struct preflight *p)
{
	for (size_t i = 0; i < GL_COUNT(index_sets); i++) {
		p->ops->read_nv(p->ctx, index_sets[i].vlp, p->nv);
		if (p->nv->state == PREFLIGHT_NV_OK && !is_firmwares(p->nv) &&
			read_policy(p, (struct span){ p->nv->content, p->nv->size }) == VLP_OK && p->vlp->type > p->out->policy_type)
			p->out->policy_type = p->vlp->type;
	}
}

/* ---- launch control policy ---- */

static void check_lcp_bytes(struct preflight *p, uint32_t index)
{
	struct lcp_policy policy;
	enum lcp_error e;
	size_t used;

	e = lcp_policy_decode_prefix((struct span){ p->nv->content, p->nv->size }, &policy, &used);
	if (e == LCP_OK)
		e = lcp_policy_validate(&policy);
	/* 'geolaunch lcp policy show' tells which rule it breaks: its sentences are too many for here. */
	if (e != LCP_OK)
		found_index(p, PREFLIGHT_LCP_INVALID, index, NULL);
	else if (policy.type == LCP_POLICY_LIST && !p->f->description->txt.lcp.file.n)
		found_index(p, PREFLIGHT_LCP_NO_DATA, index, NULL);
	else if (policy.type != LCP_POLICY_LIST && p->f->description->txt.lcp.file.n)
		found_index(p, PREFLIGHT_LCP_MISSING, index, "the policy in it allows anything");
}

static void check_lcp(struct preflight *p, uint32_t index)
{
	const struct preflight_facts *f = p->f;

	if (f->description->txt.lcp.file.n && (f->lcp_io != LAUNCH_IO_OK || !is_lcp_data(f->lcp))) {
		char name[DESCRIPTION_MAX_FILE + 1];
		struct text t = TEXT_OF(name);

		text_span(&t, f->description->txt.lcp.file);
		preflight_add(p->out, PREFLIGHT_LCP_FILE, &t);
	}
	p->ops->read_nv(p->ctx, index, p->nv);
	switch (p->nv->state) {
	case PREFLIGHT_NV_OK:
		check_lcp_bytes(p, index);
		break;
	case PREFLIGHT_NV_MISSING:
		if (f->description->txt.lcp.file.n)
			found_index(p, PREFLIGHT_LCP_MISSING, index, NULL);
		break;
	default:
		found_index(p, PREFLIGHT_LCP_UNREADABLE, index, unreadable(p->nv));
		break;
	}
}

/* ---- what the stage will measure ---- */

static bool allowed(const struct preflight *p, const struct vlp_entry *e)
{
	struct digests d;
	enum alg a;

	if (e->hash_type == VLP_HASH_ANY)
		return true;
	if (!alg_by_id(p->f->policy->hash_alg, &a))
		return false;
	measure_nv(ALG_BIT(a), e->module == VLP_MODULE_NV_RAW, (struct span){ p->nv->content, p->nv->size }, &d);
	return vlp_entry_allows(p->f->policy, e, &d);
}

static void check_geo(struct preflight *p, const struct vlp_entry *e)
{
	p->ops->read_nv(p->ctx, e->nv_index, p->nv);
	switch (p->nv->state) {
	case PREFLIGHT_NV_OK:
		if (!allowed(p, e))
			found_index(p, PREFLIGHT_GEO_DIFFERS, e->nv_index, NULL);
		break;
	case PREFLIGHT_NV_MISSING:
		found_index(p, PREFLIGHT_GEO_MISSING, e->nv_index, NULL);
		break;
	default:
		if (geo_readable(p->nv->attributes, p->nv->size) == GEO_UNREADABLE_SIZE)
			found_index(p, PREFLIGHT_GEO_SIZE, e->nv_index, NULL);
		else
			found_index(p, PREFLIGHT_GEO_UNREADABLE, e->nv_index, unreadable(p->nv));
		break;
	}
}

void preflight_check_tpm(struct preflight *p)
{
	const struct preflight_facts *f = p->f;
	char buf[PREFLIGHT_DETAIL];
	struct text t = TEXT_OF(buf);
	bool ruled = false;

	if (f->tpm_problem) {
		text_str(&t, f->tpm_problem);
		preflight_add(p->out, PREFLIGHT_TPM, &t);
		return;
	}
	if (p->line.fixed && p->line.known && !(f->banks & ALG_BIT(p->line.extpol))) {
		text_str(&t, alg_table[p->line.extpol].name);
		preflight_add(p->out, PREFLIGHT_TPM_BANK, &t);
	}
	/* Without a module nobody knows which indices will be looked at. */
	if (p->out->has_sinit) {
		size_t set = p->out->sinit.tpm.nv_index_set ? 1 : 0;

		ruled = check_vlp(p, index_sets[set].vlp);
		check_lcp(p, index_sets[set].owner);
	}
	if (!ruled)
		obey_any(p);
	for (size_t i = 0; i < f->policy->entry_count; i++)
		if (f->policy->entries[i].module == VLP_MODULE_NV || f->policy->entries[i].module == VLP_MODULE_NV_RAW)
			check_geo(p, &f->policy->entries[i]);
}
