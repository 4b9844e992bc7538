/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/provision_input.h"
#include "cli/provision_tpm.h"
#include "cli/secret.h"

#define COMMAND "provision"
#define HELP "'geolaunch provision --help'"
/* In place of a TCTI: plan as if the TPM were empty. */
#define NO_TPM "none"

struct options {
	struct provision_files files;
	const char *tcti;
	const char *owner_auth;
	bool replace, dry_run, check;
	bool json;
	bool help;
};

/* What is done with one index. */
struct work {
	struct provision_index wanted;
	struct provision_found found;
	struct provision_step step;
};

enum {
	OPTION_HOST = 256,
	OPTION_VLP,
	OPTION_LCP,
	OPTION_GEO,
	OPTION_GEO_INDEX,
	OPTION_ERROR_INDEX,
	OPTION_NO_VLP,
	OPTION_NO_GEO,
	OPTION_INDEX_SET,
	OPTION_SINIT,
	OPTION_TCTI,
	OPTION_OWNER_AUTH,
	OPTION_REPLACE,
	OPTION_DRY_RUN,
	OPTION_CHECK,
	OPTION_JSON
};

static const struct option long_options[] = {
	{ "host", required_argument, NULL, OPTION_HOST },
	{ "vlp", required_argument, NULL, OPTION_VLP },
	{ "lcp", required_argument, NULL, OPTION_LCP },
	{ "geo", required_argument, NULL, OPTION_GEO },
	{ "geo-index", required_argument, NULL, OPTION_GEO_INDEX },
	{ "error-index", no_argument, NULL, OPTION_ERROR_INDEX },
	{ "no-vlp", no_argument, NULL, OPTION_NO_VLP },
	{ "no-geo", no_argument, NULL, OPTION_NO_GEO },
	{ "index-set", required_argument, NULL, OPTION_INDEX_SET },
	{ "sinit", required_argument, NULL, OPTION_SINIT },
	{ "tcti", required_argument, NULL, OPTION_TCTI },
	{ "owner-auth", required_argument, NULL, OPTION_OWNER_AUTH },
	{ "replace", no_argument, NULL, OPTION_REPLACE },
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch provision [BUILD-DIR] [OPTIONS]\n"
	       "\n"
	       "Writes policies and geo tag into the TPM's NV indices, or compares them.\n"
	       "Run again after an interruption, it does what is missing.\n"
	       "\n"
	       "what:\n"
	       "      BUILD-DIR          output of 'geolaunch build': its geo tag, and in mode txt\n"
	       "                         its policies\n"
	       "      --host NAME        host of a fleet, see geolaunch-fleet(1); BUILD-DIR is then\n"
	       "                         the fleet's directory\n"
	       "      --vlp FILE         verified launch policy (instead of the one in BUILD-DIR)\n"
	       "      --lcp FILE         owner's launch control policy\n"
	       "      --geo FILE         content of the geo index (instead of BUILD-DIR's)\n"
	       "      --geo-index N      geo index (default: the policy's, else 0x01c10110)\n"
	       "      --error-index      tboot's error index, too\n"
	       "      --no-vlp           do not write the policy\n"
	       "      --no-geo           do not write the geo index\n"
	       "where:\n"
	       "      --sinit FILE       the host's SINIT module, which tells the index set\n"
	       "                         (default: the one in BUILD-DIR, if there is one)\n"
	       "      --index-set N      0 (0x01200001, 0x01400001, 0x01200002) or\n"
	       "                         1 (0x01c10131, 0x01c10106, 0x01c10132)\n"
	       "      --tcti STR         the TPM: device:/dev/tpm0, swtpm:path=SOCKET, ...\n"
	       "                         (default: the kernel's device)\n"
	       "      --owner-auth FILE  file with the owner's password; - asks for it\n"
	       "                         (default: the empty password)\n"
	       "how:\n"
	       "      --replace          change indices that hold something else\n"
	       "      --dry-run          show what would be done; '--tcti none' takes the TPM\n"
	       "                         for empty\n"
	       "      --check            only compare; exit code 5 if something differs\n"
	       "      --json             report as JSON\n"
	       "  -h, --help             this text\n");
}

/* ---- options ---- */

GL_MUST static bool misused(const char *what)
{
	cli_error(COMMAND, "%s: see " HELP, what);
	return false;
}

static const char **text_option(struct options *o, int option)
{
	switch (option) {
	case OPTION_HOST:
		return &o->files.host;
	case OPTION_VLP:
		return &o->files.vlp;
	case OPTION_LCP:
		return &o->files.lcp;
	case OPTION_GEO:
		return &o->files.geo;
	case OPTION_SINIT:
		return &o->files.sinit;
	case OPTION_TCTI:
		return &o->tcti;
	case OPTION_OWNER_AUTH:
		return &o->owner_auth;
	default:
		return NULL;
	}
}

static bool *flag_option(struct options *o, int option)
{
	switch (option) {
	case OPTION_ERROR_INDEX:
		return &o->files.error_index;
	case OPTION_NO_VLP:
		return &o->files.no_vlp;
	case OPTION_NO_GEO:
		return &o->files.no_geo;
	case OPTION_REPLACE:
		return &o->replace;
	case OPTION_DRY_RUN:
		return &o->dry_run;
	case OPTION_CHECK:
		return &o->check;
	case OPTION_JSON:
		return &o->json;
	case 'h':
		return &o->help;
	default:
		return NULL;
	}
}

GL_MUST static bool parse_number(struct options *o, int option, const char *s)
{
	uint64_t v;

	if (option == OPTION_INDEX_SET) {
		if (!cli_number(s, 1, &v)) {
			cli_error(COMMAND, "--index-set %s: there are 0 and 1", s);
			return false;
		}
		o->files.index_set = (int)v;
		return true;
	}
	if (!cli_number(s, UINT32_MAX, &v) || !geo_index_possible((uint32_t)v)) {
		cli_error(COMMAND, "--geo-index %s: NV indices of a TPM 2.0 lie in 0x01000000-0x01ffffff", s);
		return false;
	}
	o->files.geo_index = (uint32_t)v;
	return true;
}

GL_MUST static bool check_options(const struct options *o)
{
	const struct provision_files *f = &o->files;

	if (o->check && (o->dry_run || o->replace))
		return misused("--check changes nothing: not together with --dry-run or --replace");
	if (f->no_vlp && f->vlp)
		return misused("--vlp and --no-vlp contradict each other");
	if (f->no_geo && (f->geo || f->geo_index))
		return misused("--no-geo contradicts --geo and --geo-index");
	if (o->tcti && !strcmp(o->tcti, NO_TPM) && !o->dry_run)
		return misused("--tcti none is for --dry-run only");
	return true;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		const char **text = text_option(o, option);
		bool *flag = flag_option(o, option);

		if (text)
			*text = optarg;
		else if (flag)
			*flag = true;
		else if (option != OPTION_INDEX_SET && option != OPTION_GEO_INDEX)
			return cli_usage_error(COMMAND, argc, argv, option, HELP);
		else if (!parse_number(o, option, optarg))
			return CLI_USAGE;
		if (o->help)
			return CLI_OK;
	}
	if (argc - optind > 1) {
		cli_error(COMMAND, "more than one build directory: give one: see " HELP);
		return CLI_USAGE;
	}
	o->files.build = optind < argc ? argv[optind] : NULL;
	return check_options(o) ? CLI_OK : CLI_USAGE;
}

/* ---- report ---- */

static json_t *work_json(const struct work *w)
{
	const struct provision_index *wanted = &w->wanted;
	uint8_t area[PROVISION_PUBLIC_SIZE];
	char index[16], buf[GEO_ATTRIBUTES_MAX];
	struct text names = TEXT_OF(buf);

	(void)snprintf(index, sizeof(index), "0x%08x", wanted->index);
	text_str(&names, "");
	geo_attributes_text(wanted->attributes, &names);
	provision_public_area(wanted, area);
	return json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:n, s:o, s:o?, s:s, s:b, s:s}", "use", provision_uses[wanted->use].name, "index",
		index, "size", (json_int_t)wanted->content.n, "attributes", (json_int_t)wanted->attributes, "attribute_names", buf,
		"name_alg", "sha256", "policy", "public_area", cli_json_hex(SPAN_OF(area)), "content",
		wanted->any_content ? json_null() : cli_json_hex(wanted->content), "action", provision_action_name(w->step.action),
		"needs_replace", provision_destroys(w->step.action), "reason", w->step.reason);
}

/* What was done as a whole. */
struct outcome {
	bool changed;
	enum host_owner owner;
};

static json_t *report_json(
	const struct options *o, const struct provision_wanted *wanted, const struct work *work, const struct outcome *done)
{
	CLEANUP_JSON json_t *list = json_array();

	for (size_t i = 0; i < wanted->count; i++)
		if (json_array_append_new(list, work_json(&work[i])) != 0)
			return NULL;
	return json_pack("{s:o, s:b, s:b, s:b, s:o, s:O}", "index_set",
		wanted->index_set < 0 ? json_null() : json_integer(wanted->index_set), "dry_run", o->dry_run, "check", o->check, "changed",
		done->changed, "owner_password_empty",
		done->owner == HOST_OWNER_UNKNOWN ? json_null() : json_boolean(done->owner == HOST_OWNER_OPEN), "indices", list);
}

/* What happened, or would happen, to an index. */
static const char *verb(const struct options *o, enum provision_action a)
{
	/* clang-format off */
	static const char *const done[PROVISION_ACTION_COUNT] = {
		[PROVISION_KEEP] = "unchanged", [PROVISION_DEFINE] = "defined and written", [PROVISION_FINISH] = "written",
		[PROVISION_REWRITE] = "rewritten", [PROVISION_REDEFINE] = "redefined and written", [PROVISION_BLOCKED] = "blocked",
	};
	/* clang-format on */

	if (o->check)
		return a == PROVISION_KEEP ? "equal" : "differs";
	return o->dry_run ? provision_action_name(a) : done[a];
}

static void print_work(const struct options *o, const struct work *w)
{
	uint8_t area[PROVISION_PUBLIC_SIZE];
	char buf[GEO_ATTRIBUTES_MAX];
	struct text t = TEXT_OF(buf);

	printf("%-5s  0x%08x  %4zu bytes  %s (%s%s)\n", provision_uses[w->wanted.use].name, w->wanted.index, w->wanted.content.n,
		verb(o, w->step.action), w->step.reason,
		o->dry_run && provision_destroys(w->step.action) && !o->replace ? "; needs --replace" : "");
	if (!o->dry_run)
		return;
	text_str(&t, "");
	geo_attributes_text(w->wanted.attributes, &t);
	printf("       attributes 0x%08x %s\n       public area ", w->wanted.attributes, buf);
	provision_public_area(&w->wanted, area);
	for (size_t i = 0; i < sizeof(area); i++)
		printf("%02x", area[i]);
	printf("\n");
}

GL_MUST static bool report(const struct options *o, const struct provision_wanted *wanted, const struct work *work,
	const struct outcome *done, struct cli_fault *fault)
{
	if (done->changed && done->owner == HOST_OWNER_OPEN)
		cli_error(COMMAND,
			"warning: the owner's password is empty: whoever is root on this host can write these indices anew: "
			"give the owner one with 'tpm2_changeauth -c owner file:FILE', FILE without a line end (printf %%s)");
	if (o->json) {
		CLEANUP_JSON json_t *root = report_json(o, wanted, work, done);

		return cli_json_print(root, fault);
	}
	if (wanted->index_set >= 0)
		printf("index set %d%s\n", wanted->index_set, wanted->set_from_sinit ? ", as the SINIT module says" : "");
	for (size_t i = 0; i < wanted->count; i++)
		print_work(o, &work[i]);
	if (wanted->vlp_not_here)
		printf("vlp    not for the TPM: in direct mode geolaunch.efi obeys policy.vlp on the EFI system partition\n");
	return cli_flush(fault);
}

/* ---- run ---- */

GL_MUST static bool plan(const struct options *o, struct host_tpm *h, struct work *work, size_t count, struct cli_fault *fault)
{
	bool no_tpm = o->tcti && !strcmp(o->tcti, NO_TPM);

	if (!no_tpm && !host_tpm_open(h, o->tcti, fault))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!no_tpm && !provision_look(h, &work[i].wanted, &work[i].found, fault))
			return false;
		work[i].step = provision_plan(&work[i].wanted, &work[i].found);
	}
	return true;
}

/* The first index that stands in the way; NULL: none does. */
static const struct work *obstacle(const struct options *o, const struct work *work, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (provision_destroys(work[i].step.action) && (!o->replace || work[i].step.action == PROVISION_BLOCKED))
			return &work[i];
	return NULL;
}

GL_MUST static bool execute(
	const struct options *o, struct host_tpm *h, const struct work *work, size_t count, bool *changed, struct cli_fault *fault)
{
	CLEANUP(nv_auth_wipe) struct nv_auth owner = { .size = 0 };
	const struct work *w = obstacle(o, work, count);

	if (w)
		return cli_fail(fault, CLI_DIFFERENT, "NV index 0x%08x (%s) is not as wanted: %s; nothing was changed%s", w->wanted.index,
			provision_uses[w->wanted.use].name, w->step.reason,
			w->step.action == PROVISION_BLOCKED ? "" : ": --replace changes it");
	for (size_t i = 0; i < count; i++)
		*changed = *changed || work[i].step.action != PROVISION_KEEP;
	if (!*changed)
		return true;
	if (o->owner_auth && !secret_auth(o->owner_auth, "owner password", &owner, fault))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!provision_do(h, &work[i].wanted, work[i].step.action, &owner, fault))
			return false;
	return true;
}

/* `*code` is the exit code if nothing failed. */
GL_MUST static bool provision(const struct options *o, int *code, struct cli_fault *fault)
{
	CLEANUP(provision_wanted_free) struct provision_wanted wanted = { .count = 0 };
	CLEANUP(host_tpm_close) struct host_tpm h = { .tcti = NULL };
	CLEANUP_FREE struct work *work = calloc(PROVISION_USE_COUNT, sizeof(*work));
	struct outcome done = { .changed = false };

	if (!work)
		return cli_fail(fault, CLI_IO, "out of memory");
	if (!provision_inputs(&o->files, &wanted, fault))
		return false;
	for (size_t i = 0; i < wanted.count; i++)
		work[i].wanted = wanted.items[i];
	if (!plan(o, &h, work, wanted.count, fault))
		return false;
	if (o->check) {
		for (size_t i = 0; i < wanted.count; i++)
			if (work[i].step.action != PROVISION_KEEP)
				*code = CLI_DIFFERENT;
	} else if (o->dry_run) {
		*code = obstacle(o, work, wanted.count) ? CLI_DIFFERENT : CLI_OK;
	} else if (!execute(o, &h, work, wanted.count, &done.changed, fault)) {
		return false;
	}
	if (h.tcti)
		done.owner = host_tpm_owner(&h);
	return report(o, &wanted, work, &done, fault);
}

static int run(int argc, char **argv)
{
	struct options o = { .files = { .index_set = -1 } };
	struct cli_fault fault = { .code = CLI_OK };
	int code = parse_options(argc, argv, &o);
	bool ok;

	if (code != CLI_OK)
		return code;
	ok = o.help ? cli_help(print_help, &fault) : provision(&o, &code, &fault);
	return ok ? code : cli_report(COMMAND, &fault);
}

const struct cli_command cmd_provision = { COMMAND, "write policies and geo tag into the TPM, or compare them", run };
