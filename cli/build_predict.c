/* SPDX-License-Identifier: BSD-3-Clause */
/* What a build expects of the launch. */
#include <string.h>

#include "cli/build_impl.h"
#include "cli/predict.h"

static struct predict_file file_of(const struct build_bytes *b, const struct yaml_text *name)
{
	return (struct predict_file){ .bytes = { b->p, b->n }, .from = b->p ? name->s : NULL };
}

static struct predict_sinit_input sinit_input(const struct build *b)
{
	const struct manifest *m = &b->out->manifest;
	struct predict_sinit_input in = {
		.manifest = m,
		.sinit = file_of(&b->extra_bytes[BUILD_SINIT], &m->txt.sinit.file),
		.tboot = file_of(&b->extra_bytes[BUILD_TBOOT], &m->txt.tboot.file),
		.tboot_cmdline = span_str(m->txt.tboot.cmdline.s),
		.lcp_policy = file_of(&b->lcp_policy_bytes, &m->txt.lcp_policy),
		.lcp_data = file_of(&b->extra_bytes[BUILD_LCP_DATA], &m->txt.lcp_data),
	};

	for (size_t i = 0; i < m->platform.log_count; i++)
		in.logs[i] = file_of(&b->log_bytes[i], &m->platform.logs[i]);
	return in;
}

bool build_choose_banks(struct build *b)
{
	const struct predict_sinit_input in = sinit_input(b);

	b->banks = b->out->manifest.banks;
	return !build_is_txt(b) || predict_sinit_banks(&in, &b->banks, b->fault);
}

/* Whether it tells a country: only our own record does. */
static void find_country(struct build_result *out)
{
	struct geo_tag tag;

	if (out->geo && geo_decode((struct span){ out->geo, out->geo_size }, &tag) == GEO_OK)
		memcpy(out->expected.country, tag.country, sizeof(out->expected.country));
}

bool build_predict(struct build *b)
{
	struct build_result *out = b->out;
	const struct manifest *m = &out->manifest;
	struct predict_module modules[1 + MANIFEST_MAX_MODULES];
	const struct predict_nv nv = {
		.index = m->geo.index,
		.content = { out->geo, out->geo_size },
		.provenance = m->geo.has_tag ? PROVENANCE_GIVEN : PROVENANCE_COMPUTED,
		.from = m->geo.has_tag ? "geo.tag" : m->geo.file.s,
	};
	const struct predict_sinit_input sinit = sinit_input(b);
	const struct predict_input in = {
		.policy = &b->policy,
		.policy_bytes = { b->policy_bytes, out->policy_size },
		.policy_from = BUILD_POLICY,
		.banks = b->banks,
		.txt = build_is_txt(b),
		.modules = modules,
		.module_count = out->module_count,
		.nv = &nv,
		.nv_count = m->geo.given,
	};

	for (size_t i = 0; i < out->module_count; i++) {
		const struct build_module *bm = &out->modules[i];

		modules[i] = (struct predict_module){
			.role = bm->role,
			.file = bm->file,
			.cmdline = bm->cmdline,
			.image = &bm->image,
			.from = bm->from ? bm->from : bm->file,
		};
	}
	out->expected.name = strdup(m->name);
	out->expected.mode = strdup(description_mode_name(m->mode));
	if (!out->expected.name || !out->expected.mode)
		return cli_fail(b->fault, CLI_IO, "out of memory: prediction");
	out->expected.policy_type = m->policy_type;
	out->expected.policy_hash = m->policy_hash;
	find_country(out);
	predict_begin(&out->expected, b->banks, build_is_txt(b));
	if (build_is_txt(b) && !predict_sinit(&sinit, &out->expected, b->fault))
		return false;
	return predict(&in, &out->expected, b->fault);
}
