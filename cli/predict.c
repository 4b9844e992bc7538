/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/predict.h"

#include <string.h>

#include "tboot-policy/apply.h"

/* What apply.h sees as the TPM. `kind`, `from` describe what is being measured just now. */
struct run {
	const struct predict_input *in;
	struct expected *out;
	enum provenance kind;
	const char *const *from;
	size_t from_count;
	char *hashed;           /* allocated text of a module's `from` */
	bool failed;            /* out of memory */
	struct apply apply;
};

static bool add_provenance(struct run *r, struct expected_event *e)
{
	e->provenance = r->kind;
	e->from = calloc(r->from_count + 1, sizeof(*e->from));
	for (size_t i = 0; e->from && i < r->from_count; i++) {
		e->from[i] = strdup(r->from[i]);
		if (!e->from[i])
			return false;
		e->from_count++;
	}
	return e->from != NULL;
}

static bool run_extend(void *ctx, unsigned pcr, uint32_t type, struct span name, const struct digests *d)
{
	struct run *r = ctx;
	struct expected *out = r->out;
	struct expected_event *more = reallocarray(out->events, out->event_count + 1, sizeof(*more));

	r->failed = true;
	if (!more)
		return false;
	out->events = more;
	more += out->event_count++;
	*more = (struct expected_event){ .pcr = pcr, .type = type, .digests = *d };
	more->name = strndup((const char *)name.p, name.n);
	if (!more->name || !add_provenance(r, more) || !pcrs_extend(&out->pcrs, pcr, d))
		return false;
	r->failed = false;
	return true;
}

static bool run_read_pcrs(void *ctx, struct pcrs *out)
{
	struct run *r = ctx;

	*out = r->out->pcrs;
	return true;
}

static enum apply_nv_status run_read_nv(void *ctx, uint32_t index, struct mspan buf, size_t *n)
{
	struct run *r = ctx;

	for (size_t i = 0; i < r->in->nv_count; i++) {
		const struct predict_nv *nv = &r->in->nv[i];

		if (nv->index != index)
			continue;
		*n = nv->content.n;
		if (*n > buf.n)
			return APPLY_NV_SIZE;
		memcpy(buf.p, nv->content.p, *n);
		r->kind = nv->provenance;
		r->from = &nv->from;
		r->from_count = 1;
		return APPLY_NV_OK;
	}
	return APPLY_NV_MISSING;
}

static const struct apply_ops ops = {
	.extend = run_extend,
	.read_pcrs = run_read_pcrs,
	.read_nv = run_read_nv,
};

static void run_end(struct run **r)
{
	if (*r)
		free((*r)->hashed);
	free(*r);
}

/* Says in `from` what is hashed: the file and, if there is one, the command line, which for a member of the initrd is its path. */
static bool name_sources(struct run *r, const struct predict_module *m, const char *from[2])
{
	char *text = NULL;

	from[0] = m->from;
	r->from = from;
	r->from_count = 1;
	if (m->cmdline.n == 0)
		return true;
	if (asprintf(&text, "%s: %.*s", role_table[m->role].member ? "path" : "cmdline", (int)m->cmdline.n, (const char *)m->cmdline.p) < 0) {
		r->failed = true;
		return false;
	}
	free(r->hashed);
	r->hashed = text;
	from[1] = text;
	r->from_count = 2;
	return true;
}

static bool run_modules(struct run *r)
{
	for (size_t i = 0; i < r->in->module_count; i++) {
		const char *from[2];
		const struct predict_module *m = &r->in->modules[i];
		const struct apply_module am = {
			.number = (unsigned)i,
			.role = m->role,
			.file = span_str(m->file),
			.cmdline = m->cmdline,
			.image = m->image,
		};

		if (!name_sources(r, m, from) || apply_module(&r->apply, &am) != VLP_ACT_CONTINUE)
			return false;
		r->from_count = 0;
	}
	return true;
}

static bool run_steps(struct run *r)
{
	static const char *const closing_from[] = { "PCR 19", "PCR 20", "PCR 21", "PCR 22" };

	r->kind = PROVENANCE_COMPUTED;
	r->from = &r->in->policy_from;
	r->from_count = 1;
	if (apply_policy(&r->apply) != VLP_ACT_CONTINUE || !run_modules(r) || apply_modules_end(&r->apply) != VLP_ACT_CONTINUE ||
	    apply_nv(&r->apply) != VLP_ACT_CONTINUE)
		return false;
	r->kind = PROVENANCE_COMPUTED;
	r->from = closing_from;
	r->from_count = GL_COUNT(closing_from);
	return apply_closing(&r->apply) == VLP_ACT_CONTINUE;
}

bool predict(const struct predict_input *in, struct expected *out, struct cli_fault *fault)
{
	CLEANUP(run_end) struct run *r = calloc(1, sizeof(*r));
	bool done;

	if (!r)
		return cli_fail(fault, CLI_IO, "out of memory: prediction");
	*r = (struct run){ .in = in, .out = out };
	r->apply = (struct apply){ .policy = in->policy, .policy_bytes = in->policy_bytes, .banks = in->banks, .ops = &ops, .ctx = r };
	out->banks = in->banks;
	out->drtm = in->drtm;
	pcrs_reset_dynamic(&out->pcrs, in->banks, in->drtm);
	done = run_steps(r);
	if (r->failed)
		return cli_fail(fault, CLI_IO, "out of memory: prediction");
	/* With policy type nonfatal a mismatch would go on; it is one all the same. */
	if (!done || r->apply.error != TB_ERR_NONE)
		return cli_fail(fault, CLI_IO, "prediction ends in a cap (%s): this is a fault of geolaunch: please report it with the manifest",
				cap_table[r->apply.why].name);
	return true;
}
