/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/predict_impl.h"
#include "common/eventlog.h"
#include "tboot-policy/apply.h"

static char **copy_texts(const char *const *from, size_t n)
{
	char **out = calloc(n + 1, sizeof(*out));

	for (size_t i = 0; out && i < n; i++) {
		out[i] = strdup(from[i]);
		if (out[i])
			continue;
		while (i > 0)
			free(out[--i]);
		free(out);
		return NULL;
	}
	return out;
}

bool predict_add(struct expected *out, unsigned pcr, uint32_t type, struct span name, const struct digests *d, const struct predict_from *f)
{
	struct expected_event *more = reallocarray(out->events, out->event_count + 1, sizeof(*more));

	if (!more)
		return false;
	out->events = more;
	more += out->event_count++;
	*more = (struct expected_event){ .pcr = pcr, .type = type, .digests = *d, .provenance = f->kind };
	more->name = strndup((const char *)name.p, name.n);
	more->from = copy_texts(f->from, f->n);
	more->from_count = more->from ? f->n : 0;
	return more->name && more->from && pcrs_extend(&out->pcrs, pcr, d);
}

bool predict_add_alternative(struct expected *out, const struct digests *d, const char *from)
{
	struct expected_event *e = &out->events[out->event_count - 1];
	struct expected_alternative *more = reallocarray(e->alternatives, e->alternative_count + 1, sizeof(*more));

	if (!more)
		return false;
	e->alternatives = more;
	more += e->alternative_count++;
	*more = (struct expected_alternative){ .digests = *d, .from = copy_texts(&from, 1) };
	more->from_count = more->from != NULL;
	return more->from != NULL;
}

/* What apply.h sees as the TPM. `f` describes what is being measured just now. */
struct run {
	const struct predict_input *in;
	struct expected *out;
	struct predict_from f;
	char *hashed; /* allocated text of a module's `from` */
	bool tboot;   /* it is tboot that measures */
	bool failed;  /* out of memory */
	struct apply apply;
};

static bool run_extend(void *ctx, unsigned pcr, uint32_t type, struct span name, const struct digests *d)
{
	struct run *r = ctx;

	if (predict_add(r->out, pcr, r->tboot ? EV_TBOOT : type, name, d, &r->f))
		return true;
	r->failed = true;
	return false;
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
		r->f = (struct predict_from){ nv->provenance, &nv->from, 1 };
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
	r->f = (struct predict_from){ PROVENANCE_COMPUTED, from, 1 };
	if (m->cmdline.n == 0)
		return true;
	if (asprintf(&text, "%s: %.*s", role_table[m->role].member ? "path" : "cmdline", (int)m->cmdline.n, (const char *)m->cmdline.p) <
		0) {
		r->failed = true;
		return false;
	}
	free(r->hashed);
	r->hashed = text;
	from[1] = text;
	r->f.n = 2;
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
		r->f.n = 0;
	}
	return true;
}

/* tboot knows one bank; in direct mode all are the same. */
static bool run_policy_and_modules(struct run *r)
{
	enum alg own = ALG_SHA256;

	r->f = (struct predict_from){ PROVENANCE_COMPUTED, &r->in->policy_from, 1 };
	if (r->in->txt && !alg_by_id(r->in->policy->hash_alg, &own))
		return false;
	r->tboot = r->in->txt;
	r->apply.banks = r->in->txt ? ALG_BIT(own) : r->in->banks;
	return apply_policy(&r->apply) == VLP_ACT_CONTINUE && run_modules(r) && apply_modules_end(&r->apply) == VLP_ACT_CONTINUE;
}

static bool run_steps(struct run *r)
{
	static const char *const closing_from[] = { "PCR 19", "PCR 20", "PCR 21", "PCR 22" };

	if (!run_policy_and_modules(r))
		return false;
	r->tboot = false;
	r->apply.banks = r->in->banks;
	if (apply_nv(&r->apply) != VLP_ACT_CONTINUE)
		return false;
	r->f = (struct predict_from){ PROVENANCE_COMPUTED, closing_from, GL_COUNT(closing_from) };
	return apply_closing(&r->apply) == VLP_ACT_CONTINUE;
}

void predict_begin(struct expected *out, alg_set banks, bool drtm)
{
	out->banks = banks;
	out->drtm = drtm;
	pcrs_reset_dynamic(&out->pcrs, banks, drtm);
}

bool predict(const struct predict_input *in, struct expected *out, struct cli_fault *fault)
{
	CLEANUP(run_end) struct run *r = calloc(1, sizeof(*r));
	bool done;

	if (!r)
		return cli_fail(fault, CLI_IO, "out of memory: prediction");
	*r = (struct run){ .in = in, .out = out };
	r->apply = (struct apply){ .policy = in->policy, .policy_bytes = in->policy_bytes, .ops = &ops, .ctx = r };
	done = run_steps(r);
	if (r->failed)
		return cli_fail(fault, CLI_IO, "out of memory: prediction");
	/* With policy type nonfatal a mismatch would go on; it is one all the same. */
	if (!done || r->apply.error != TB_ERR_NONE)
		return cli_fail(fault, CLI_IO,
			"prediction ends in a cap (%s): this is a fault of geolaunch: please report it with the manifest",
			cap_table[r->apply.why].name);
	return true;
}
