/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/buildtree_impl.h"
#include "cli/tboot_file.h"
#include "lcp/acm_measure.h"
#include "lcp/host/sign.h"
#include "lcp/measured.h"
#include "lcp/mle_hash.h"
#include "txt/sinit_events.h"

#define FILE_MAX ((size_t)256 << 20)
#define POLICY_MAX 65536

struct bytes {
	uint8_t *p;
	size_t n;
};

static void free_bytes(struct bytes *b)
{
	free(b->p);
}

#define CLEANUP_BYTES CLEANUP(free_bytes)

/* The whole file of a module; none if there is no such module. */
GL_MUST static bool read_module(struct build_check *c, const struct description_module *m, struct bytes *out)
{
	size_t at;

	if (m->file.n == 0)
		return true;
	if (!build_check_find(c, m->file, &at) || build_tree_size(c->out, at) > FILE_MAX)
		return build_check_wrong(c, role_table[m->role].name, "launch.conf names this file, but it is not there or too large");
	out->n = (size_t)build_tree_size(c->out, at);
	out->p = malloc(out->n);
	if (!out->p)
		return cli_fail(c->fault, CLI_IO, "out of memory: %s", c->path);
	return build_check_read(c, m->file, (struct mspan){ out->p, out->n }, &out->n);
}

/* An event of SINIT about this value, which must be expected wherever SINIT makes such an event. */
GL_MUST static bool expects_value(const struct build_check *c, enum sinit_value which, const struct sinit_values *values)
{
	for (size_t i = 0; i < sinit_event_count; i++) {
		struct digests d;

		if (sinit_events[i].value != which)
			continue;
		sinit_event_digest(&sinit_events[i], values, c->out->expected.banks, &d);
		if (build_check_expects(&c->out->expected, &d))
			return true;
	}
	return false;
}

GL_MUST static bool check_tboot(struct build_check *c, struct digests *mle)
{
	CLEANUP_BYTES struct bytes tboot = { NULL, 0 };
	CLEANUP_BYTES struct bytes elf = { NULL, 0 };
	const struct description_module *m = &c->description.txt.tboot;
	const struct bytes *image;

	if (!read_module(c, m, &tboot))
		return false;
	image = tboot_file_elf((struct span){ tboot.p, tboot.n }, &elf.p, &elf.n) ? &elf : &tboot;
	if (lcp_mle_hash((struct span){ image->p, image->n }, &m->cmdline, ALG_SET_ALL, mle) != LCP_OK)
		return build_check_wrong(c, "tboot", "this is no tboot, or its command line is too long");
	return expects_value(c, SINIT_MLE, &(struct sinit_values){ .mle = mle }) ||
	       build_check_wrong(c, "tboot", "expected.json does not expect this file, with its command line, to be measured");
}

GL_MUST static bool check_sinit(struct build_check *c, struct lcp_acm *sinit)
{
	CLEANUP_BYTES struct bytes file = { NULL, 0 };
	uint8_t drtm[ACM_DRTM_SIZE];
	struct sinit_values values = { .mle = NULL };
	struct acm acm;

	*sinit = lcp_acm_of(NULL);
	if (!read_module(c, &c->description.txt.sinit, &file))
		return false;
	if (!file.p)
		return true;
	if (acm_decode((struct span){ file.p, file.n }, &acm) != ACM_OK)
		return build_check_wrong(c, "sinit", "this is no SINIT module");
	*sinit = lcp_acm_of(&acm);
	/* tboot asks SENTER for nothing special: EDX is 0. */
	acm_drtm_data(&acm, 0, drtm);
	values.data[SINIT_DRTM] = SPAN_OF(drtm);
	return expects_value(c, SINIT_DRTM, &values) ||
	       build_check_wrong(c, "sinit", "expected.json does not expect this file to be measured");
}

/* Without the owner's policy beside it (the supplier's counts, which only the host knows) data cannot be judged here. */
GL_MUST static bool check_lcp(struct build_check *c, const struct digests *mle, const struct lcp_acm *sinit)
{
	CLEANUP_BYTES struct bytes data = { NULL, 0 };
	CLEANUP_BYTES struct bytes policy = { NULL, 0 };
	CLEANUP_FREE struct lcp_verdict *v = calloc(1, sizeof(*v));
	CLEANUP(esp_leave) struct esp_folder top = ESP_NO_FOLDER;
	struct lcp_measured measured;
	struct sinit_values values = { .mle = NULL };
	struct lcp_platform p = { .acm = *sinit, .mle = *mle, .verify = lcp_openssl_verify };

	if (!v)
		return cli_fail(c->fault, CLI_IO, "out of memory: %s", c->path);
	if (!build_tree_top(c->path, &top, c->fault) || !read_module(c, &c->description.txt.lcp, &data) ||
		!esp_read(&top, "lcp.pol", POLICY_MAX, &policy.p, &policy.n, c->fault))
		return false;
	if (!data.p || !policy.p)
		return true;
	p.policy[LCP_PO] = (struct span){ policy.p, policy.n };
	p.data[LCP_PO] = (struct span){ data.p, data.n };
	lcp_evaluate(&p, v);
	lcp_measured(v, p.data, &measured);
	values.data[SINIT_LCP_DETAILS] = (struct span){ measured.details, measured.details_size };
	return (v->allowed && expects_value(c, SINIT_LCP_DETAILS, &values)) ||
	       build_check_wrong(c, "lcp", "expected.json does not expect this file, with lcp.pol, to be measured");
}

bool build_check_txt(struct build_check *c)
{
	struct digests mle;
	struct lcp_acm sinit;

	return check_tboot(c, &mle) && check_sinit(c, &sinit) && check_lcp(c, &mle, &sinit) &&
	       build_check_module(c, &c->description.txt.stage);
}
