/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/fleet_predict.h"

#include <string.h>

#include "common/description.h"
#include "common/eventlog.h"
#include "geo/geo.h"
#include "tboot-policy/apply.h"

/* ---- the common part ---- */

/* Where the digest's text lies in the rules that the stage gets; it must be there once. */
static const char *look_at_rules(struct fleet_common *c, const struct fleet_txt *txt)
{
	CLEANUP_FREE struct description *d = calloc(1, sizeof(*d));
	CLEANUP_FREE struct stage_rules *r = calloc(1, sizeof(*r));
	char hex[2 * DIGEST_MAX + 1];
	struct text t = TEXT_OF(hex);
	struct span line;
	const char *at;

	if (!d || !r)
		return "out of memory";
	if (description_parse(txt->description, d, NULL) != DESCRIPTION_OK || d->mode != DESCRIPTION_TXT)
		return "the launch description cannot be used";
	line = d->txt.stage.cmdline;
	if (line.n > STAGE_RULES_MAX_SIZE || stage_rules_parse(line, r, NULL) != STAGE_RULES_OK || r->nv_count != c->has_nv)
		return "the stage's rules are not those of the policy";
	memcpy(c->rules, line.p, line.n);
	c->stage_image = txt->stage;
	if (!c->verified)
		return NULL;
	text_bytes(&t, (struct span){ c->policy + c->nv_digest, alg_table[c->hash].size });
	at = strstr(c->rules, hex);
	if (!at || strstr(at + 1, hex) || !c->stage_digest)
		return "the stage's rules are not those of the policy";
	c->rules_digest = (size_t)(at - c->rules);
	return NULL;
}

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

		if (c->txt && e->module == 0 && e->hash_count == 1)
			c->stage_digest = (size_t)(e->hashes.p - c->policy);
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
	bool policy = c->txt ? e->type == EV_TBOOT && !strcmp(e->name, "policy") : e->type == MEASURE_POLICY;
	bool stage = c->txt && e->type == EV_TBOOT && !strncmp(e->name, "module 0 ", strlen("module 0 "));

	if (policy || stage)
		return !c->verified ? FLEET_FIXED : stage ? FLEET_STAGE : FLEET_POLICY;
	if (e->type == MEASURE_NV)
		return FLEET_NV;
	return e->type == MEASURE_CLOSING ? FLEET_CLOSING : FLEET_FIXED;
}

static const char *look_at_events(struct fleet_common *c)
{
	const struct expected *e = c->expected;
	bool closed = false;

	if (strcmp(e->mode, description_mode_name(c->txt ? DESCRIPTION_TXT : DESCRIPTION_DIRECT)) != 0)
		return "the expected measurements are for another mode";
	if (e->event_count > FLEET_MAX_EVENTS)
		return "too many events";
	for (size_t i = 0; i < e->event_count; i++) {
		enum fleet_event kind = kind_of(c, &e->events[i]);

		if (e->events[i].alternative_count && kind != FLEET_FIXED)
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

bool fleet_common_make(const struct expected *expected, struct span policy, struct span content, const struct fleet_txt *txt,
	const char *where, struct fleet_common *out, struct cli_fault *fault)
{
	const char *wrong;

	if (policy.n > sizeof(out->policy))
		return cli_fail(fault, CLI_INPUT, "the policy is larger than %zu bytes: %s: make it anew", sizeof(out->policy), where);
	memset(out, 0, sizeof(*out));
	out->expected = expected;
	out->banks = expected->banks;
	memcpy(out->policy, policy.p, policy.n);
	out->policy_size = policy.n;
	out->txt = txt != NULL;
	wrong = look_at_policy(out);
	if (!wrong && txt)
		wrong = look_at_rules(out, txt);
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
	case FLEET_STAGE:
		return &r->stage_digest;
	case FLEET_NV:
		return &r->nv_digest;
	case FLEET_CLOSING:
		return &r->closing_digest;
	case FLEET_FIXED:
		break;
	}
	return &c->expected->events[event].digests;
}

/* The stage's rules with this content's digest in them, and what tboot measures of the stage then. */
static void make_stage(const struct fleet_common *c, struct fleet_result *out)
{
	char hex[2 * DIGEST_MAX + 1];
	struct text t = TEXT_OF(hex);

	memcpy(out->rules, c->rules, sizeof(out->rules));
	if (!c->verified)
		return;
	text_bytes(&t, digest_span(&out->nv_digest, c->hash));
	memcpy(out->rules + c->rules_digest, hex, t.n);
	measure_module(ALG_BIT(c->hash), span_str(out->rules), &c->stage_image, &out->stage_digest);
	memcpy(out->policy + c->stage_digest, out->stage_digest.d[c->hash], alg_table[c->hash].size);
}

/* The policy with this content's digest in it. */
static void make_policy(const struct fleet_common *c, struct span content, struct fleet_result *out)
{
	/* tboot knows one bank. */
	alg_set banks = c->txt ? ALG_BIT(c->hash) : c->banks;

	memcpy(out->policy, c->policy, c->policy_size);
	if (c->has_nv)
		measure_nv(c->banks | ALG_BIT(c->hash), c->raw, content, &out->nv_digest);
	if (c->verified)
		memcpy(out->policy + c->nv_digest, out->nv_digest.d[c->hash], alg_table[c->hash].size);
	if (c->txt)
		make_stage(c, out);
	out->nv_digest.banks = c->banks;
	measure_policy(banks, c->control, (struct span){ out->policy, c->policy_size }, &out->policy_digest);
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

static bool copy_texts(char *const *from, size_t count, char ***out, size_t *out_count)
{
	*out = calloc(count + 1, sizeof(**out));
	if (!*out)
		return false;
	for (size_t i = 0; i < count; i++) {
		(*out)[i] = strdup(from[i]);
		if (!(*out)[i])
			return false;
		(*out_count)++;
	}
	return true;
}

static bool copy_alternatives(const struct expected_event *e, struct expected_event *out)
{
	if (e->alternative_count == 0)
		return true;
	out->alternatives = calloc(e->alternative_count, sizeof(*out->alternatives));
	if (!out->alternatives)
		return false;
	while (out->alternative_count < e->alternative_count) {
		const struct expected_alternative *from = &e->alternatives[out->alternative_count];
		struct expected_alternative *to = &out->alternatives[out->alternative_count++];

		to->digests = from->digests;
		if (!copy_texts(from->from, from->from_count, &to->from, &to->from_count))
			return false;
	}
	return true;
}

/* As `build` would describe it: a tag is given by the manifest; other content has come by the table alone. */
static bool copy_event(const struct fleet_common *c, size_t i, const struct fleet_result *r, bool is_tag, struct expected_event *out)
{
	const struct expected_event *e = &c->expected->events[i];
	char tag[] = "geo.tag", content[] = "content", cmdline[sizeof(r->rules) + 16];
	char *given[] = { is_tag ? tag : content }, *stage[] = { e->from_count ? e->from[0] : content, cmdline };
	bool own = c->kinds[i] == FLEET_NV;
	char *const *from = e->from;
	size_t from_count = e->from_count;

	if (own) {
		from = given;
		from_count = GL_COUNT(given);
	} else if (c->kinds[i] == FLEET_STAGE) {
		from = stage;
		from_count = GL_COUNT(stage);
	}
	(void)snprintf(cmdline, sizeof(cmdline), "cmdline: %s", c->txt ? r->rules : "");
	*out = (struct expected_event){
		.pcr = e->pcr,
		.type = e->type,
		.digests = *fleet_event_digests(c, i, r),
		.provenance = own ? PROVENANCE_GIVEN : e->provenance,
	};
	out->name = strdup(e->name);
	return out->name && copy_alternatives(e, out) && copy_texts(from, from_count, &out->from, &out->from_count);
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
