/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/provision_input.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/build_files.h"
#include "cli/fleet.h"
#include "common/measure.h"
#include "lcp/acm.h"
#include "lcp/policy.h"
#include "tboot-policy/vlp.h"

/* In the output of `geolaunch build`, beside those of cli/build_files.h. */
#define BUILD_VLP BUILD_ESP BUILD_POLICY
#define BUILD_SINIT BUILD_ESP "sinit"
#define BUILD_EXPECTED "expected.json"

struct inputs {
	const struct provision_files *f;
	struct provision_wanted *out;
	struct cli_fault *fault;
	struct fleet_record *host;                                       /* NULL: it is not about a host of a fleet */
	char vlp_path[PATH_MAX], geo_path[PATH_MAX], lcp_path[PATH_MAX]; /* empty: there is none */
	struct span vlp, geo, lcp;                                       /* p NULL: there is none */
	struct vlp policy;
	bool direct; /* the build is for direct mode */
};

void provision_wanted_free(struct provision_wanted *w)
{
	for (size_t i = 0; i < GL_COUNT(w->bytes); i++) {
		free(w->bytes[i]);
		w->bytes[i] = NULL;
	}
}

/* A copy of bytes of the host's record. */
GL_MUST static bool keep(struct inputs *in, enum provision_use use, struct span bytes, struct span *out)
{
	uint8_t *copy = malloc(bytes.n);

	if (!copy)
		return cli_fail(in->fault, CLI_IO, "out of memory: %s", in->f->build);
	memcpy(copy, bytes.p, bytes.n);
	in->out->bytes[use] = copy;
	*out = (struct span){ copy, bytes.n };
	return true;
}

/* `given`: the option that names the file, NULL if it is one of the build. */
GL_MUST static bool load(struct inputs *in, enum provision_use use, const char *given, const char *path, size_t max, struct span *out)
{
	size_t n;

	if (in->host && !given && use != PROVISION_LCP)
		return keep(in, use,
			use == PROVISION_VLP ? (struct span){ in->host->policy, in->host->policy_size }
					     : (struct span){ in->host->content, in->host->content_size },
			out);
	if (!read_file(path, max, &in->out->bytes[use], &n, in->fault))
		return false;
	*out = (struct span){ in->out->bytes[use], n };
	return true;
}

/* Where the files are; one in the build directory that is not there counts as not given. */
GL_MUST static bool find(struct inputs *in, const char *given, const char *name, char path[PATH_MAX])
{
	const char *build = in->f->build;
	int n;

	path[0] = 0;
	if (!given && !build)
		return true;
	if (given)
		n = snprintf(path, PATH_MAX, "%s", given);
	else if (in->host) /* for messages only */
		n = snprintf(path, PATH_MAX, "%s of host %s in %s", name, in->host->name, build);
	else
		n = snprintf(path, PATH_MAX, "%s/%s", build, name);
	if (n >= PATH_MAX)
		return cli_fail(in->fault, CLI_USAGE, "the path is too long: %.100s...", given ? given : build);
	if (!given && !in->host && access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		path[0] = 0;
	return true;
}

/* A file that all hosts of a fleet have alike; empty if there is none. */
GL_MUST static bool find_common(struct inputs *in, const char *name, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/common/%s", in->f->build, name) >= PATH_MAX)
		return cli_fail(in->fault, CLI_USAGE, "the path is too long: %.100s...", in->f->build);
	if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		path[0] = 0;
	return true;
}

static bool is_direct(const struct expected *e)
{
	return !strcmp(e->mode, "direct");
}

/* The record of a host, which stands for policy and geo content of a build. */
GL_MUST static bool find_host(struct inputs *in)
{
	CLEANUP(fleet_close) struct fleet fleet = FLEET_NONE;
	CLEANUP(expected_free) struct expected e = { .name = NULL };
	const struct provision_files *f = in->f;

	if (!f->host && f->build && fleet_is(f->build))
		return cli_fail(in->fault, CLI_USAGE, "this is a fleet: %s: name one of its hosts with --host", f->build);
	if (!f->host)
		return !f->build || fleet_refuse(f->build, in->fault);
	if (!f->build)
		return cli_fail(in->fault, CLI_USAGE, "--host %s: give the fleet's directory", f->host);
	in->host = calloc(1, sizeof(*in->host));
	if (!in->host)
		return cli_fail(in->fault, CLI_IO, "out of memory: %s", f->build);
	if (!fleet_open(f->build, &fleet, in->fault) || !fleet_find(&fleet, f->host, in->host, &e, in->fault))
		return false;
	in->direct = is_direct(&e);
	return true;
}

/* What the build is for. A directory without expected.json has a policy at least, or load_vlp() refuses it. */
GL_MUST static bool find_mode(struct inputs *in)
{
	CLEANUP(expected_free) struct expected e = { .name = NULL };
	char path[PATH_MAX], error[512];

	if (!in->f->build || in->host)
		return true;
	if (!find(in, NULL, BUILD_EXPECTED, path))
		return false;
	if (!path[0])
		return true;
	if (!expected_load(path, &e, error, sizeof(error)))
		return cli_fail(in->fault, CLI_INPUT, "%s", error);
	in->direct = is_direct(&e);
	return true;
}

/* ---- policies ---- */

GL_MUST static bool load_vlp(struct inputs *in)
{
	enum vlp_error e;
	int where = -1;

	if (!find(in, in->f->vlp, BUILD_VLP, in->vlp_path))
		return false;
	if (!in->vlp_path[0])
		return !in->f->build ||
		       cli_fail(in->fault, CLI_INPUT, "this is no output of 'geolaunch build': %s: there is no " BUILD_VLP, in->f->build);
	if (!load(in, PROVISION_VLP, in->f->vlp, in->vlp_path, VLP_MAX_SIZE, &in->vlp))
		return false;
	e = vlp_decode(in->vlp, &in->policy);
	if (!e)
		e = vlp_validate(&in->policy, &where);
	if (!e)
		return true;
	return where >= 0
	               ? cli_fail(in->fault, CLI_INPUT, "the policy cannot be used: %s: entry %d: %s", in->vlp_path, where, vlp_strerror(e))
	               : cli_fail(in->fault, CLI_INPUT, "the policy cannot be used: %s: %s", in->vlp_path, vlp_strerror(e));
}

GL_MUST static bool load_lcp(struct inputs *in)
{
	struct lcp_policy p;
	enum lcp_error e;

	if (!(in->host && !in->f->lcp ? find_common(in, BUILD_LCP, in->lcp_path) : find(in, in->f->lcp, BUILD_LCP, in->lcp_path)))
		return false;
	if (!in->lcp_path[0])
		return true;
	if (!load(in, PROVISION_LCP, in->f->lcp, in->lcp_path, LCP_POLICY_MAX_SIZE, &in->lcp))
		return false;
	e = lcp_policy_decode(in->lcp, &p);
	if (!e)
		e = lcp_policy_validate(&p);
	if (e)
		return cli_fail(in->fault, CLI_INPUT, "the launch control policy cannot be used: %s: %s", in->lcp_path, lcp_strerror(e));
	return !lcp_policy_is_legacy(&p) ||
	       cli_fail(in->fault, CLI_INPUT, "the launch control policy is for TPM 1.2: %s: version %u.%u, a TPM 2.0 needs 3.0 to 3.2",
		       in->lcp_path, p.version >> 8, p.version & 0xffu);
}

/* ---- geo tag ---- */

static bool is_nv(const struct vlp_entry *e)
{
	return e->module == VLP_MODULE_NV || e->module == VLP_MODULE_NV_RAW;
}

/* The first NV entry, or the one for `index`. */
static const struct vlp_entry *nv_entry(const struct inputs *in, uint32_t index)
{
	for (unsigned i = 0; in->vlp.p && i < in->policy.entry_count; i++) {
		const struct vlp_entry *e = &in->policy.entries[i];

		if (is_nv(e) && (index == 0 || e->nv_index == index))
			return e;
	}
	return NULL;
}

/* Would the launch accept it? */
GL_MUST static bool check_geo(struct inputs *in, uint32_t index)
{
	const struct vlp_entry *e = nv_entry(in, index);
	bool raw = e && e->module == VLP_MODULE_NV_RAW;
	struct digests d;

	if (in->geo.n == 0)
		return cli_fail(in->fault, CLI_INPUT, "the geo content is empty: %s", in->geo_path);
	if (!e)
		return true;
	if (raw && in->geo.n != 32 && in->geo.n != 48 && in->geo.n != 64)
		return cli_fail(
			in->fault, CLI_INPUT, "the policy's nv_raw entry wants 32, 48 or 64 bytes: %s has %zu", in->geo_path, in->geo.n);
	measure_nv(ALG_SET_ALL, raw, in->geo, &d);
	return vlp_entry_allows(&in->policy, e, &d) ||
	       cli_fail(in->fault, CLI_INPUT, "the launch would fail: %s demands another content of NV index 0x%08x than %s has",
		       in->vlp_path, index, in->geo_path);
}

GL_MUST static bool load_geo(struct inputs *in, uint32_t *index)
{
	const struct vlp_entry *first;

	*index = in->f->geo_index;
	if (in->f->no_geo)
		return true;
	if (!find(in, in->f->geo, BUILD_GEO, in->geo_path))
		return false;
	first = nv_entry(in, 0);
	if (in->host && !in->f->geo && in->host->content_size == 0)
		in->geo_path[0] = 0;
	if (!in->geo_path[0] && in->f->build && first)
		return cli_fail(in->fault, CLI_INPUT,
			"the policy measures NV index 0x%08x, but its content is not there: %s/" BUILD_GEO
			": build anew, name it with --geo, or leave it alone with --no-geo",
			first->nv_index, in->f->build);
	if (!in->geo_path[0])
		return *index == 0 ||
		       cli_fail(in->fault, CLI_USAGE, "--geo-index 0x%08x: there is no geo content to write: name it with --geo", *index);
	if (*index && first && !nv_entry(in, *index))
		return cli_fail(in->fault, CLI_INPUT,
			"--geo-index 0x%08x: the policy measures NV index 0x%08x, and not that one: %s: leave the option out", *index,
			first->nv_index, in->vlp_path);
	if (*index == 0)
		*index = first ? first->nv_index : GEO_INDEX_DEFAULT;
	return load(in, PROVISION_GEO, in->f->geo, in->geo_path, GEO_NV_MAX, &in->geo) && check_geo(in, *index);
}

/* ---- index set ---- */

GL_MUST static bool set_of_sinit(struct inputs *in, const char *path, int *set)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	enum acm_error e;
	struct acm a;
	size_t n;

	if (!read_file(path, ACM_MAX_SIZE, &bytes, &n, in->fault))
		return false;
	e = acm_decode((struct span){ bytes, n }, &a);
	if (e)
		return cli_fail(in->fault, CLI_INPUT, "this is no authenticated code module: %s: %s", path, acm_strerror(e));
	if (a.info.chipset_type != ACM_SINIT)
		return cli_fail(in->fault, CLI_INPUT, "this is no SINIT module, but %s: %s",
			acm_chipset_type_name(a.info.chipset_type) ? acm_chipset_type_name(a.info.chipset_type) : "of another type", path);
	if (!a.tpm_algs.present)
		return cli_fail(in->fault, CLI_INPUT,
			"the module says nothing about TPMs: %s: it is too old for TPM 2.0; take the host's, or tell the "
			"set with --index-set",
			path);
	if (!(a.tpm.family & (ACM_TPM_DISCRETE_20 | ACM_TPM_PTT_20)))
		return cli_fail(in->fault, CLI_INPUT, "the module does not support TPM 2.0: %s: family 0x%x", path, a.tpm.family);
	*set = a.tpm.nv_index_set;
	return true;
}

/* In direct mode a policy in the TPM is read by nobody, so it is written only if it was named. */
static bool wants_vlp(const struct inputs *in)
{
	return in->vlp.p && !in->f->no_vlp && (in->f->vlp || !in->direct);
}

/*
 * The module of the build, which is the one that the host will use, against a set that was told. A host whose firmware has a newer one needs
 * that one's name, as --sinit. One that says nothing about sets contradicts nothing.
 */
GL_MUST static bool check_told_set(struct inputs *in, const char *of_build)
{
	struct cli_fault ignored, *fault = in->fault;
	bool says;
	int set = -1;

	in->fault = &ignored;
	says = set_of_sinit(in, of_build, &set);
	in->fault = fault;
	return !says || set == in->f->index_set ||
	       cli_fail(fault, CLI_INPUT,
		       "the build's SINIT module uses index set %d, but --index-set says %d: %s: leave the option out, or name the module "
		       "that the host uses with --sinit",
		       set, in->f->index_set, of_build);
}

/* Names what needs the index set, and how to do without, if that leaves anything to do. */
GL_MUST static bool fail_no_set(struct inputs *in)
{
	const char *what = wants_vlp(in) ? "the policy" : in->lcp.p ? "the launch control policy" : "--error-index";
	bool dispensable = wants_vlp(in) && !in->f->vlp && !in->lcp.p && !in->f->error_index;

	return cli_fail(in->fault, CLI_USAGE,
		"which index set? %s needs one: name the host's SINIT module with --sinit, or tell 0 or 1 with --index-set%s", what,
		dispensable && in->geo.p ? " (only the geo index: --no-vlp)" : "");
}

GL_MUST static bool choose_set(struct inputs *in)
{
	bool needed = wants_vlp(in) || in->lcp.p || in->f->error_index;
	bool told = in->f->sinit || in->f->index_set >= 0;
	char of_build[PATH_MAX] = "";
	const char *sinit = in->f->sinit;
	int set = -1;

	in->out->vlp_not_here = in->direct && !in->f->no_vlp && !in->f->vlp;
	if (in->out->vlp_not_here && !needed && told)
		return cli_fail(in->fault, CLI_USAGE,
			"this build is for direct mode, in which geolaunch.efi obeys the policy on the EFI system partition: no index set "
			"is used: leave out %s, or name a policy for tboot with --vlp",
			in->f->sinit ? "--sinit" : "--index-set");
	if (in->geo.p && !needed && told)
		return cli_fail(in->fault, CLI_USAGE, "nothing is written but the geo index, for which no index set is used: leave out %s",
			in->f->sinit ? "--sinit" : "--index-set");
	if (needed && !sinit && !(in->host ? find_common(in, BUILD_SINIT, of_build) : find(in, NULL, BUILD_SINIT, of_build)))
		return false;
	if (of_build[0] && in->f->index_set >= 0 && !check_told_set(in, of_build))
		return false;
	if (of_build[0] && in->f->index_set < 0)
		sinit = of_build;
	in->out->index_set = in->f->index_set;
	if (sinit) {
		if (!set_of_sinit(in, sinit, &set))
			return false;
		if (in->f->index_set >= 0 && in->f->index_set != set)
			return cli_fail(
				in->fault, CLI_INPUT, "%s uses index set %d, but --index-set says %d", sinit, set, in->f->index_set);
		in->out->index_set = set;
		in->out->set_from_sinit = true;
	}
	return !needed || in->out->index_set >= 0 || fail_no_set(in);
}

/* ---- wanted indices ---- */

static void want(struct inputs *in, enum provision_use use, uint32_t index, struct span content)
{
	in->out->items[in->out->count++] = (struct provision_index){
		.use = use,
		.index = index,
		.attributes = provision_uses[use].attributes,
		.content = content,
		.any_content = use == PROVISION_ERROR,
	};
}

/* The geo index is anybody's choice, those of the others are not. */
GL_MUST static bool check_unique(const struct inputs *in)
{
	const struct provision_index *items = in->out->items;

	for (size_t i = 0; i < in->out->count; i++)
		for (size_t k = 0; k < i; k++)
			if (items[i].index == items[k].index)
				return cli_fail(in->fault, CLI_INPUT,
					"NV index 0x%08x cannot be both the %s index and the %s index: take another for the geo tag, in the "
					"manifest or with --geo-index",
					items[i].index, provision_uses[items[k].use].name, provision_uses[items[i].use].name);
	return true;
}

static void free_inputs(struct inputs **in)
{
	if (*in)
		free((*in)->host);
	free(*in);
}

bool provision_inputs(const struct provision_files *f, struct provision_wanted *out, struct cli_fault *fault)
{
	CLEANUP(free_inputs) struct inputs *in = calloc(1, sizeof(*in));
	uint32_t geo_index;

	if (!in)
		return cli_fail(fault, CLI_IO, "out of memory");
	in->f = f;
	in->out = out;
	in->fault = fault;
	if ((f->build && !check_folder(f->build, "name a directory that 'geolaunch build' made", fault)) || !find_host(in) ||
		!find_mode(in) || !load_vlp(in) || !load_lcp(in) || !load_geo(in, &geo_index) || !choose_set(in))
		return false;

	const uint32_t set = out->index_set == 1;

	if (f->error_index) {
		out->error[0] = PROVISION_ERROR_FIXED;
		want(in, PROVISION_ERROR, provision_uses[PROVISION_ERROR].index[set], SPAN_OF(out->error));
	}
	if (in->geo.p)
		want(in, PROVISION_GEO, geo_index, in->geo);
	if (wants_vlp(in))
		want(in, PROVISION_VLP, provision_uses[PROVISION_VLP].index[set], in->vlp);
	if (in->lcp.p)
		want(in, PROVISION_LCP, provision_uses[PROVISION_LCP].index[set], in->lcp);
	if (!check_unique(in))
		return false;
	if (out->count == 0 && out->vlp_not_here)
		return cli_fail(fault, CLI_USAGE,
			"nothing to provision: this build is for direct mode and has no geo tag: it needs nothing in the TPM");
	return out->count > 0 ||
	       cli_fail(fault, CLI_USAGE, "nothing to provision: give a build directory, or --vlp, --lcp, --geo or --error-index");
}
