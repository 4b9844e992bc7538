/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/fleet_predict.h"

#include <string.h>

#include "geo/geo.h"
#include "tboot-policy/apply.h"

/* ---- the common part ---- */

/* The policy's NV entry. More than one would need more than one content for each host. */
static const char *look_at_policy(struct fleet_common *c)
{
	CLEANUP_FREE struct vlp *p = calloc(1, sizeof(*p));
	int where;

	if (!p)
		return "out of memory";
	if (vlp_decode((struct span){ c->policy, c->policy_size }, p) || vlp_validate(p, &where) || !alg_by_id(p->hash_alg, &c->hash))
		return "the policy cannot be used";
	c->control = p->control;
	for (unsigned i = 0; i < p->entry_count; i++) {
		const struct vlp_entry *e = &p->entries[i];

		if (e->module != VLP_MODULE_NV && e->module != VLP_MODULE_NV_RAW)
			continue;
		if (c->has_nv || e->hash_count > 1)
			return "the policy has several values for NV indices";
		c->has_nv = true;
		c->raw = e->module == VLP_MODULE_NV_RAW;
		c->verified = e->hash_type == VLP_HASH_IMAGE;
		c->nv_index = e->nv_index;
		c->nv_digest = c->verified ? (size_t)(e->hashes.p - c->policy) : 0;
	}
	return NULL;
}

static enum fleet_event kind_of(const struct fleet_common *c, const struct expected_event *e)
{
	if (e->type == MEASURE_POLICY)
		return c->verified ? FLEET_POLICY : FLEET_FIXED;
	if (e->type == MEASURE_NV)
		return FLEET_NV;
	return e->type == MEASURE_CLOSING ? FLEET_CLOSING : FLEET_FIXED;
}

static const char *look_at_events(struct fleet_common *c)
{
	const struct expected *e = c->expected;
	bool closed = false;

	if (strcmp(e->mode, "direct") != 0)
		return "a fleet is for mode direct";
	if (e->event_count > FLEET_MAX_EVENTS)
		return "too many events";
	for (size_t i = 0; i < e->event_count; i++) {
		enum fleet_event kind = kind_of(c, &e->events[i]);

		if (e->events[i].alternative_count)
			return "an event has several values";
		/* Then the values that are closed over are the final ones of the PCRs that do not change. */
		if (closed && kind != FLEET_CLOSING)
			return "an event follows the closing one";
		closed = kind == FLEET_CLOSING;
		c->kinds[i] = (uint8_t)kind;
		if (kind != FLEET_FIXED)
			c->changing |= 1u << e->events[i].pcr;
	}
	return NULL;
}

static void set_first_values(struct fleet_common *c)
{
	struct pcrs first;

	pcrs_reset_dynamic(&first, c->banks, c->expected->drtm);
	c->fixed = c->expected->pcrs;
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++)
		for (unsigned a = 0; c->changing >> pcr & 1 && a < ALG_COUNT; a++)
			memcpy(c->fixed.v[a][pcr], first.v[a][pcr], sizeof(first.v[a][pcr]));
}

/* Does the host that the common part comes from come out of it again? */
static const char *check(const struct fleet_common *c, struct span content)
{
	CLEANUP_FREE struct fleet_result *r = calloc(1, sizeof(*r));
	const struct expected *e = c->expected;

	if (!r)
		return "out of memory";
	if (c->has_nv != (content.n > 0) || fleet_content_wrong(c, content.n))
		return "the content of the geo index is not what the policy measures";
	if (!fleet_predict(c, content, r) || memcmp(r->policy, c->policy, c->policy_size) != 0)
		return "the policy is not that of the geo index's content";
	for (size_t i = 0; i < e->event_count; i++)
		if (!digests_equal(fleet_event_digests(c, i, r), &e->events[i].digests))
			return "the expected measurements are not those of the policy and the geo index's content";
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; c->banks & ALG_BIT(a) && pcr <= PCR_DRTM_LAST; pcr++)
			if (!span_equal(pcr_value(&r->pcrs, a, pcr), pcr_value(&e->pcrs, a, pcr)))
				return "the expected values are not those of the events";
	return NULL;
}

bool fleet_common_make(const struct expected *expected, struct span policy, struct span content, const char *where,
	struct fleet_common *out, struct cli_fault *fault)
{
	const char *wrong;

	if (policy.n > sizeof(out->policy))
		return cli_fail(fault, CLI_INPUT, "the policy is larger than %zu bytes: %s: make it anew", sizeof(out->policy), where);
	memset(out, 0, sizeof(*out));
	out->expected = expected;
	out->banks = expected->banks;
	memcpy(out->policy, policy.p, policy.n);
	out->policy_size = policy.n;
	wrong = look_at_policy(out);
	if (!wrong)
		wrong = look_at_events(out);
	if (!wrong) {
		set_first_values(out);
		wrong = check(out, content);
	}
	return !wrong || cli_fail(fault, CLI_INPUT, "%s: %s: make it anew with 'geolaunch build --fleet'", wrong, where);
}

/* ---- a host ---- */

const char *fleet_content_wrong(const struct fleet_common *c, size_t n)
{
	if (!c->has_nv)
		return n ? "the manifest has no geo entry" : NULL;
	if (n == 0)
		return "the geo index needs a content";
	if (n > APPLY_NV_MAX)
		return "the content is larger than what is read at boot";
	return c->raw && n != 32 && n != 48 && n != 64 ? "nv_raw content has 32, 48 or 64 bytes" : NULL;
}

const struct digests *fleet_event_digests(const struct fleet_common *c, size_t event, const struct fleet_result *r)
{
	switch ((enum fleet_event)c->kinds[event]) {
	case FLEET_POLICY:
		return &r->policy_digest;
	case FLEET_NV:
		return &r->nv_digest;
	case FLEET_CLOSING:
		return &r->closing_digest;
	case FLEET_FIXED:
		break;
	}
	return &c->expected->events[event].digests;
}

/* The policy with this content's digest in it. */
static void make_policy(const struct fleet_common *c, struct span content, struct fleet_result *out)
{
	memcpy(out->policy, c->policy, c->policy_size);
	if (c->has_nv)
		measure_nv(c->banks | ALG_BIT(c->hash), c->raw, content, &out->nv_digest);
	if (c->verified)
		memcpy(out->policy + c->nv_digest, out->nv_digest.d[c->hash], alg_table[c->hash].size);
	out->nv_digest.banks = c->banks;
	measure_policy(c->banks, c->control, (struct span){ out->policy, c->policy_size }, &out->policy_digest);
}

bool fleet_predict(const struct fleet_common *c, struct span content, struct fleet_result *out)
{
	const struct expected *e = c->expected;
	bool closed = false;

	make_policy(c, content, out);
	out->pcrs = c->fixed;
	for (size_t i = 0; i < e->event_count; i++) {
		if (!(c->changing >> e->events[i].pcr & 1))
			continue;
		if (c->kinds[i] == FLEET_CLOSING && !closed) {
			if (!measure_closing(c->banks, &out->pcrs, &out->closing_digest))
				return false;
			closed = true;
		}
		if (!pcrs_extend(&out->pcrs, e->events[i].pcr, fleet_event_digests(c, i, out)))
			return false;
	}
	return true;
}

/* ---- expected.json ---- */

static bool copy_strings(const struct expected_event *e, char *const *from, size_t count, struct expected_event *out)
{
	out->name = strdup(e->name);
	out->from = calloc(count + 1, sizeof(*out->from));
	if (!out->name || !out->from)
		return false;
	for (size_t i = 0; i < count; i++) {
		out->from[i] = strdup(from[i]);
		if (!out->from[i])
			return false;
		out->from_count++;
	}
	return true;
}

/* As `build` would describe it: a tag is given by the manifest; other content has come by the table alone. */
static bool copy_event(const struct fleet_common *c, size_t i, const struct fleet_result *r, bool is_tag, struct expected_event *out)
{
	const struct expected_event *e = &c->expected->events[i];
	char tag[] = "geo.tag", content[] = "content";
	char *given[] = { is_tag ? tag : content };
	bool own = c->kinds[i] == FLEET_NV;

	*out = (struct expected_event){
		.pcr = e->pcr,
		.type = e->type,
		.digests = *fleet_event_digests(c, i, r),
		.provenance = own ? PROVENANCE_GIVEN : e->provenance,
	};
	return copy_strings(e, own ? given : e->from, own ? 1 : e->from_count, out);
}

bool fleet_expected(const struct fleet_common *c, const struct fleet_result *r, const char *name, struct span content, struct expected *out,
	struct cli_fault *fault)
{
	const struct expected *e = c->expected;
	struct geo_tag tag = { .country = "" };
	bool is_tag = content.n > 0 && geo_decode(content, &tag) == GEO_OK;

	*out = (struct expected){
		.name = strdup(name),
		.mode = strdup(e->mode),
		.drtm = e->drtm,
		.policy_type = e->policy_type,
		.policy_hash = e->policy_hash,
		.banks = e->banks,
		.events = calloc(e->event_count + 1, sizeof(*out->events)),
		.pcrs = r->pcrs,
	};
	memcpy(out->country, tag.country, sizeof(out->country));
	if (!out->name || !out->mode || !out->events)
		return cli_fail(fault, CLI_IO, "out of memory: %s", name);
	while (out->event_count < e->event_count) {
		size_t i = out->event_count++;

		if (!copy_event(c, i, r, is_tag, &out->events[i]))
			return cli_fail(fault, CLI_IO, "out of memory: %s", name);
	}
	return true;
}
