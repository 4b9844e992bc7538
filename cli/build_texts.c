/* SPDX-License-Identifier: BSD-3-Clause */
/* What a build writes itself: the stage's rules, the launch description, the policy. */
#include <string.h>
#include <unistd.h>

#include "cli/build_impl.h"
#include "cli/vlp_edit.h"
#include "common/hash.h"
#include "tboot-policy/apply.h"

/* What a TPM must be able to hold in one index (PC Client Platform TPM Profile 1.05, TPM_PT_NV_INDEX_MAX). */
#define NV_MAX 2048

static_assert((int)STAGE_NONFATAL == (int)VLP_NONFATAL && (int)STAGE_CONTINUE == (int)VLP_CONTINUE && (int)STAGE_HALT == (int)VLP_HALT,
	"policy types have the same values");

static bool add_nv_rule(struct build *b, struct stage_rules *r)
{
	const struct manifest_geo *geo = &b->out->manifest.geo;
	struct digests d;

	if (!geo->given)
		return true;
	r->nv[0] = (struct stage_nv){ .index = geo->index, .raw = geo->raw, .pcr = geo->pcr, .any = !geo->verify };
	r->nv_count = 1;
	if (!geo->verify)
		return true;
	r->hash_alg = b->out->manifest.policy_hash;
	measure_nv(ALG_BIT(r->hash_alg), geo->raw, (struct span){ b->out->geo, b->out->geo_size }, &d);
	r->nv[0].hash_count = 1;
	r->hashes_size = alg_table[r->hash_alg].size;
	memcpy(r->hashes, d.d[r->hash_alg], r->hashes_size);
	return true;
}

bool build_write_rules(struct build *b)
{
	const struct manifest *m = &b->out->manifest;
	struct stage_rules r = {
		.policy = (enum stage_policy)m->policy_type, .hypervisor = m->hypervisor, .module_count = m->module_count
	};
	enum stage_rules_error error;
	size_t n = 0;

	r.halt = m->halt_return ? STAGE_REBOOT : STAGE_POWEROFF;
	r.halt_delay = m->halt_delay;
	r.efi_runtime = m->txt.efi_runtime;
	for (size_t i = 0; i < m->module_count && i < GL_COUNT(r.modules); i++)
		r.modules[i] = (struct stage_module){ m->modules[i].role, m->modules[i].mode };
	if (!add_nv_rule(b, &r))
		return false;
	error = stage_rules_write(&r, (struct mspan){ (uint8_t *)b->out->rules, STAGE_RULES_MAX_SIZE }, &n);
	if (error)
		return manifest_fail(m, m->policy_line, "change it; see geolaunch-manifest(5)", b->fault,
			"the stage's rules are not possible: %s", stage_rules_strerror(error));
	b->out->rules[n] = 0;
	b->out->modules[0].cmdline = span_str(b->out->rules);
	return true;
}

static struct description_module describe(const struct build_module *m)
{
	const struct manifest_module *given = m->given;
	struct description_module d = { .role = m->role, .file = span_str(m->file) };

	if (role_table[m->role].member)
		d.path = m->cmdline;
	else
		d.cmdline = m->cmdline;
	d.mode = given ? given->mode : 0;
	return d;
}

/*
 * The policy has no entry for tboot, SINIT module and launch control data, so where a signature is to cover all that runs and what that reads
 * before it measures anything, the description names them by their digests: those of the files as they go to the ESP.
 */
static bool digest_of(struct build *b, enum build_extra which, struct span *out)
{
	const struct source *s = &b->extras[which];
	CLEANUP_FREE uint8_t *bytes = malloc((size_t)s->size + 1);
	struct text hex = TEXT_OF(b->extra_digests[which]);
	struct digests d;

	if (!bytes)
		return cli_fail(b->fault, CLI_IO, "out of memory: %s", s->path);
	if (pread(s->fd, bytes, (size_t)s->size, 0) != (ssize_t)s->size)
		return cli_fail(b->fault, CLI_IO, "cannot read: %s: try again", s->path);
	hash_span(ALG_BIT(ALG_SHA256), (struct span){ bytes, (size_t)s->size }, &d);
	text_bytes(&hex, digest_span(&d, ALG_SHA256));
	*out = span_str(b->extra_digests[which]);
	return true;
}

static bool describe_extra(struct build *b, enum build_extra which, struct description_module *out)
{
	const struct build_module *m = &b->out->extras[which];

	*out = m->given ? describe(m) : (struct description_module){ .role = ROLE_DESCRIPTION };
	return !m->given || !b->options->sign || digest_of(b, which, &out->sha256);
}

bool build_write_description(struct build *b)
{
	const struct build_result *out = b->out;
	CLEANUP_FREE struct description *d = calloc(1, sizeof(*d));
	enum description_error error;
	size_t at = 0;

	if (!d)
		return cli_fail(b->fault, CLI_IO, "out of memory: launch description");
	d->mode = out->manifest.mode;
	d->on_halt = out->manifest.halt_return ? DESCRIPTION_RETURN : DESCRIPTION_POWEROFF;
	d->halt_delay = out->manifest.halt_delay;
	d->policy = SPAN_LITERAL(BUILD_POLICY);
	d->hypervisor = out->manifest.hypervisor;
	d->module_count = out->manifest.module_count;
	if (build_is_txt(b)) {
		if (!describe_extra(b, BUILD_TBOOT, &d->txt.tboot) || !describe_extra(b, BUILD_SINIT, &d->txt.sinit) ||
			!describe_extra(b, BUILD_LCP_DATA, &d->txt.lcp))
			return false;
		d->txt.stage = describe(&out->modules[0]);
	}
	for (size_t i = 0; i < d->module_count; i++)
		d->modules[i] = describe(&out->modules[i + 1]);
	error = description_validate(d, &at);
	if (!error)
		error = description_write(d, (struct mspan){ b->description, sizeof(b->description) }, &b->description_size);
	if (error)
		return manifest_fail(&out->manifest, at ? out->manifest.modules[at - 1].file.line : 1,
			"change it; see geolaunch-manifest(5)", b->fault, "the launch description is not possible: %s",
			description_strerror(error));
	if (build_is_txt(b))
		return true;
	b->out->modules[0].size = b->description_size;
	hash_span(b->algs, (struct span){ b->description, b->description_size }, &b->out->modules[0].image);
	return true;
}

void build_measure_modules(struct build *b)
{
	for (size_t i = 0; i < b->out->module_count; i++) {
		struct build_module *m = &b->out->modules[i];

		measure_module(b->algs, m->cmdline, &m->image, &m->measured);
	}
}

/* With `want` the entry demands the digest of the policy's algorithm out of it; without, anything is allowed. */
static enum vlp_error add_entry(struct build *b, struct vlp_entry entry, const struct digests *want)
{
	if (want)
		entry.hashes = digest_span(want, b->out->manifest.policy_hash);
	return vlp_edit_insert(&b->policy, b->policy.entry_count, &entry);
}

static enum vlp_error add_nv_entry(struct build *b)
{
	const struct manifest_geo *geo = &b->out->manifest.geo;
	const struct vlp_entry entry = { .module = geo->raw ? VLP_MODULE_NV_RAW : VLP_MODULE_NV, .pcr = geo->pcr, .nv_index = geo->index };

	measure_nv(b->algs, geo->raw, (struct span){ b->out->geo, b->out->geo_size }, &b->geo_measured);
	return add_entry(b, entry, geo->verify ? &b->geo_measured : NULL);
}

static_assert(1 + MANIFEST_MAX_MODULES + 1 <= VLP_MAX_ENTRIES, "an entry for every module and the NV index");

static enum vlp_error add_entries(struct build *b)
{
	/*
	 * tboot's module 0 rule extends it to PCR 17; the entry only compares. The launch description is compared by nobody: what it names is.
	 */
	enum vlp_error error =
		add_entry(b, (struct vlp_entry){ .module = 0, .pcr = VLP_PCR_NONE }, build_is_txt(b) ? &b->out->modules[0].measured : NULL);

	for (size_t i = 1; i < b->out->module_count && !error; i++)
		error = add_entry(
			b, (struct vlp_entry){ .module = (uint8_t)i, .pcr = b->out->modules[i].pcr }, &b->out->modules[i].measured);
	return !error && b->out->manifest.geo.given ? add_nv_entry(b) : error;
}

bool build_write_policy(struct build *b)
{
	const struct manifest *m = &b->out->manifest;
	enum vlp_error error;

	vlp_edit_begin(&b->policy, m->policy_type, m->policy_hash, VLP_CONTROL_EXTEND_PCR17);
	error = add_entries(b);
	if (!error)
		error = vlp_encode(&b->policy, (struct mspan){ b->policy_bytes, sizeof(b->policy_bytes) }, &b->out->policy_size);
	if (error == VLP_E_SIZE || error == VLP_E_BUFFER)
		return manifest_fail(m, m->policy_line, "use a shorter policy hash or fewer files", b->fault,
			"the policy is larger than %d bytes, which is all that tboot and a TPM's NV take", VLP_MAX_SIZE);
	if (!error && build_is_txt(b) && b->out->policy_size > NV_MAX)
		return manifest_fail(m, m->policy_line, "use a shorter policy hash or fewer files", b->fault,
			"the policy has %zu bytes, more than the %d that every TPM's NV takes", b->out->policy_size, NV_MAX);
	return !error || manifest_fail(m, m->policy_line, "see geolaunch-manifest(5)", b->fault, "the policy is not possible: %s",
				 vlp_strerror(error));
}
