/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/lcp.h"
#include "lcp/acm.h"
#include "lcp/host/sign.h"
#include "lcp/mle_hash.h"

#define COMMAND "lcp evaluate"
#define HELP "'geolaunch lcp evaluate --help'"

/* Options with a value that is taken as it is. */
enum text_option { PO, PS, PO_DATA, PS_DATA, MLE_FILE, CMDLINE, SINIT, TEXT_COUNT };

struct options {
	const char *text[TEXT_COUNT];
	enum lcp_pcr_source pcr_source;
	const char *pcrs; /* NULL: none */
	struct lcp_platform platform;
	bool has_sinit_version;
	bool rules;
	bool json;
	bool help;
};

/* clang-format off */
enum {
	OPTION_TEXT = 256,
	OPTION_MLE = OPTION_TEXT + TEXT_COUNT, OPTION_STM, OPTION_BIOS, OPTION_AUX_BIOS, OPTION_AUX_VERSION, OPTION_TCTI, OPTION_LOG,
	OPTION_PCR_FILE, OPTION_SINIT_VERSION, OPTION_NPW, OPTION_NEEDS_PS, OPTION_CHECKS_AUX, OPTION_ERROR_CLASS, OPTION_RULES, OPTION_JSON
};
/* clang-format on */

static const struct option long_options[] = {
	{ "po", required_argument, NULL, OPTION_TEXT + PO },
	{ "ps", required_argument, NULL, OPTION_TEXT + PS },
	{ "po-data", required_argument, NULL, OPTION_TEXT + PO_DATA },
	{ "ps-data", required_argument, NULL, OPTION_TEXT + PS_DATA },
	{ "mle-file", required_argument, NULL, OPTION_TEXT + MLE_FILE },
	{ "cmdline", required_argument, NULL, OPTION_TEXT + CMDLINE },
	{ "sinit", required_argument, NULL, OPTION_TEXT + SINIT },
	{ "mle", required_argument, NULL, OPTION_MLE },
	{ "stm", required_argument, NULL, OPTION_STM },
	{ "bios", required_argument, NULL, OPTION_BIOS },
	{ "aux-bios", required_argument, NULL, OPTION_AUX_BIOS },
	{ "aux-version", required_argument, NULL, OPTION_AUX_VERSION },
	{ "tcti", required_argument, NULL, OPTION_TCTI },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "pcr-file", required_argument, NULL, OPTION_PCR_FILE },
	{ "sinit-version", required_argument, NULL, OPTION_SINIT_VERSION },
	{ "npw", no_argument, NULL, OPTION_NPW },
	{ "needs-ps", no_argument, NULL, OPTION_NEEDS_PS },
	{ "checks-aux-mask", no_argument, NULL, OPTION_CHECKS_AUX },
	{ "error-class", required_argument, NULL, OPTION_ERROR_CLASS },
	{ "rules", no_argument, NULL, OPTION_RULES },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch lcp evaluate [--po POLICY [--po-data DATA]] [--ps POLICY [--ps-data DATA]]\n"
	       "                              --sinit FILE|--sinit-version N [OPTIONS]\n"
	       "\n"
	       "Says whether SINIT allows a launch under these policies, by which elements, and if not,\n"
	       "which rule stops it, with the TXT error code.\n"
	       "\n"
	       "      --po POLICY         owner policy: the content of its NV index\n"
	       "      --ps POLICY         supplier policy\n"
	       "      --po-data DATA      the owner's policy data file\n"
	       "      --ps-data DATA      the supplier's\n"
	       "      --mle ALG:HEX       digest of the measured launch environment; one per algorithm\n"
	       "      --mle-file FILE     compute it from the file instead\n"
	       "      --cmdline STR       command line for --mle-file\n"
	       "      --tcti STR          PCR values from a TPM\n"
	       "      --log FILE          from an event log, replayed\n"
	       "      --pcr-file FILE     from a file (JSON or tpm2_pcrread's output)\n"
	       "      --stm ALG:HEX       there is an STM with this digest\n"
	       "      --bios ALG:HEX      digest of the BIOS\n"
	       "      --aux-bios ALG:HEX  digest of the BIOS that the AUX index has\n"
	       "      --aux-version N     SINIT version below which the AUX index revokes\n"
	       "      --sinit FILE        SINIT: its version, algorithms, and whether it is NPW\n"
	       "      --sinit-version N   its version, without the file\n"
	       "      --npw               SINIT or the BIOS ACM is not production worthy\n"
	       "      --needs-ps          this SINIT works only with a supplier policy\n"
	       "      --checks-aux-mask   this SINIT looks at AuxHashAlgMask\n"
	       "      --error-class N     class in which this SINIT reports launch control (default 0x2e)\n"
	       "      --rules             only list the rules\n"
	       "      --json              print as JSON\n"
	       "  -h, --help              this text\n"
	       "\n"
	       "Exit code 0: allowed, 6: denied, 3: an input is wrong or missing.\n");
}

GL_MUST static bool set_pcrs(struct options *o, enum lcp_pcr_source source, struct cli_fault *fault)
{
	if (o->pcrs)
		return cli_fail(fault, CLI_USAGE, "PCR values from more than one place: give one of --tcti, --log, --pcr-file");
	o->pcr_source = source;
	o->pcrs = optarg;
	return true;
}

GL_MUST static bool take_number(const char *name, uint64_t max, uint8_t *out, struct cli_fault *fault)
{
	uint64_t v;

	if (!lcp_option_number(name, optarg, max, &v, fault))
		return false;
	*out = (uint8_t)v;
	return true;
}

GL_MUST static bool take_option(struct options *o, int option, struct cli_fault *fault)
{
	struct lcp_platform *p = &o->platform;

	switch (option) {
	case OPTION_MLE:
		return lcp_option_digest("--mle", optarg, &p->mle, fault);
	case OPTION_STM:
		p->has_stm = true;
		return lcp_option_digest("--stm", optarg, &p->stm, fault);
	case OPTION_BIOS:
		return lcp_option_digest("--bios", optarg, &p->bios, fault);
	case OPTION_AUX_BIOS:
		return lcp_option_digest("--aux-bios", optarg, &p->aux_bios, fault);
	case OPTION_AUX_VERSION:
		p->has_aux_version = true;
		return take_number("--aux-version", UINT8_MAX, &p->aux_version, fault);
	case OPTION_TCTI:
		return set_pcrs(o, LCP_PCRS_TPM, fault);
	case OPTION_LOG:
		return set_pcrs(o, LCP_PCRS_LOG, fault);
	case OPTION_PCR_FILE:
		return set_pcrs(o, LCP_PCRS_FILE, fault);
	case OPTION_SINIT_VERSION:
		o->has_sinit_version = true;
		return take_number("--sinit-version", UINT8_MAX, &p->acm.version, fault);
	case OPTION_ERROR_CLASS:
		return take_number("--error-class", 0x3f, &p->acm.error_class, fault);
	case OPTION_NPW:
		p->acm.npw = true;
		return true;
	case OPTION_NEEDS_PS:
		p->acm.needs_ps = true;
		return true;
	case OPTION_CHECKS_AUX:
		p->acm.checks_aux_mask = true;
		return true;
	case OPTION_RULES:
		o->rules = true;
		return true;
	case OPTION_JSON:
		o->json = true;
		return true;
	default:
		o->text[option - OPTION_TEXT] = optarg;
		return true;
	}
}

static int check_options(int argc, const struct options *o)
{
	const char *problem = NULL;

	if (argc != optind)
		problem = "only options are taken";
	else if (!o->rules && !o->text[SINIT] == !o->has_sinit_version)
		problem = "give either --sinit or --sinit-version";
	else if (o->text[MLE_FILE] && o->platform.mle.banks)
		problem = "either --mle or --mle-file";
	else if (o->text[CMDLINE] && !o->text[MLE_FILE])
		problem = "--cmdline goes with --mle-file";
	if (!problem)
		return CLI_OK;
	cli_error(COMMAND, "%s: see " HELP, problem);
	return CLI_USAGE;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	struct cli_fault fault = { .code = CLI_OK };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == 'h') {
			o->help = true;
			return CLI_OK;
		}
		if (option == '?' || option == ':')
			return cli_usage_error(COMMAND, argc, argv, option, HELP);
		if (!take_option(o, option, &fault))
			return lcp_finish(COMMAND, false, &fault);
	}
	return check_options(argc, o);
}

/* ---- inputs ---- */

struct inputs {
	struct lcp_bytes file[4]; /* PO, PS, PO_DATA, PS_DATA */
	struct pcrs pcrs;
};

static void free_inputs(struct inputs *in)
{
	for (size_t i = 0; i < GL_COUNT(in->file); i++)
		lcp_bytes_free(&in->file[i]);
}

GL_MUST static bool hash_mle(const struct options *o, struct digests *out, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes image = { NULL, 0 };
	struct span text = span_str(o->text[CMDLINE] ? o->text[CMDLINE] : "");
	struct lcp_mle mle;
	enum lcp_error error;

	if (!lcp_read_mle(o->text[MLE_FILE], &image, fault))
		return false;
	error = lcp_mle_find(lcp_bytes_span(&image), &mle);
	if (!error)
		error = lcp_mle_digest(&mle, text.n == 0 && mle.cmdline_start == mle.cmdline_end ? NULL : &text, ALG_SET_ALL, out);
	return !error || lcp_refuse(fault, o->text[MLE_FILE], error);
}

GL_MUST static bool read_sinit(const char *path, struct lcp_acm *acm, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes file = { NULL, 0 };
	struct acm a;
	enum acm_error error;
	struct lcp_acm of;

	if (!read_file(path, ACM_MAX_SIZE, &file.p, &file.n, fault))
		return false;
	error = acm_decode(lcp_bytes_span(&file), &a);
	if (error)
		return cli_fail(fault, CLI_INPUT, "%s: %s", path, acm_strerror(error));
	of = lcp_acm_of(&a);
	acm->version = of.version;
	acm->npw = acm->npw || of.npw;
	acm->hash_mask = of.hash_mask;
	return true;
}

/* One that is damaged is evaluated as SINIT would; one of another kind was named by mistake. */
GL_MUST static bool check_kind(const char *option, const char *path, struct span bytes, enum file_kind wanted, struct cli_fault *fault)
{
	enum file_kind kind = file_kind(bytes);

	return kind == FILE_UNKNOWN || kind == wanted ||
	       cli_fail(fault, CLI_INPUT, "%s %s: this is %s: give %s", option, path, file_kind_name(kind), file_kind_name(wanted));
}

GL_MUST static bool read_inputs(struct options *o, struct inputs *in, struct cli_fault *fault)
{
	static const char *const file_options[] = { [PO] = "--po", [PS] = "--ps", [PO_DATA] = "--po-data", [PS_DATA] = "--ps-data" };
	struct lcp_platform *p = &o->platform;

	static_assert(GL_COUNT(file_options) == GL_COUNT(in->file), "a name for each");
	for (size_t i = 0; i < GL_COUNT(in->file); i++)
		if (o->text[i] && (!lcp_read(o->text[i], &in->file[i], fault) ||
					  !check_kind(file_options[i], o->text[i], lcp_bytes_span(&in->file[i]),
						  i == PO || i == PS ? FILE_LCP_POLICY : FILE_LCP_DATA, fault)))
			return false;
	p->policy[LCP_PO] = lcp_bytes_span(&in->file[PO]);
	p->policy[LCP_PS] = lcp_bytes_span(&in->file[PS]);
	p->data[LCP_PO] = lcp_bytes_span(&in->file[PO_DATA]);
	p->data[LCP_PS] = lcp_bytes_span(&in->file[PS_DATA]);
	p->verify = lcp_openssl_verify;
	if (o->text[SINIT] && !read_sinit(o->text[SINIT], &p->acm, fault))
		return false;
	if (o->text[MLE_FILE] && !hash_mle(o, &p->mle, fault))
		return false;
	if (!o->pcrs)
		return true;
	p->pcrs = &in->pcrs;
	return lcp_get_pcrs(o->pcr_source, o->pcrs, &in->pcrs, fault);
}

/* ---- report ---- */

static const char *const outcome_names[] = {
	[LCP_NOT_ASKED] = "not-asked",
	[LCP_NO_ELEMENT] = "no-element",
	[LCP_MATCH] = "match",
	[LCP_NO_MATCH] = "no-match",
};

static json_t *at_json(struct lcp_at at)
{
	return json_pack("{s:s, s:o, s:o}", "policy", lcp_owner_name(at.owner), "list", at.list < 0 ? json_null() : json_integer(at.list),
		"element", at.element < 0 ? json_null() : json_integer(at.element));
}

static json_t *decisions_json(const struct lcp_verdict *v)
{
	CLEANUP_JSON json_t *out = json_object();

	for (enum lcp_subject s = 0; s < LCP_SUBJECTS; s++) {
		const struct lcp_decision *d = &v->by[s];
		bool match = d->outcome == LCP_MATCH;

		(void)json_object_set_new(out, lcp_subject_name(s),
			json_pack("{s:s, s:o, s:o}", "outcome", outcome_names[d->outcome], "at", match ? at_json(d->at) : json_null(),
				"index", match && d->index >= 0 ? json_integer(d->index) : json_null()));
	}
	return json_incref(out);
}

/* Lists whose elements do not count. */
static json_t *ignored_json(const struct lcp_verdict *v)
{
	CLEANUP_JSON json_t *out = json_array();

	for (enum lcp_owner o = LCP_PO; o < LCP_OWNERS; o++)
		for (int i = 0; i < v->list_count[o]; i++)
			if (v->lists[o][i] != LCP_ALLOWED)
				(void)json_array_append_new(out, json_pack("{s:s, s:i, s:s}", "policy", lcp_owner_name(o), "list", i,
									 "rule", lcp_rule_info(v->lists[o][i])->id));
	return json_incref(out);
}

static json_t *error_json(const struct lcp_verdict *v)
{
	unsigned minor = v->error.minor, list = 0;

	if (v->error.source == TXT_ERROR_NONE)
		return json_null();
	(void)!txt_error_lcp_minor(&v->error, &minor, &list);
	return json_pack("{s:o, s:i, s:i, s:i, s:i}", "code", json_sprintf("0x%08x", lcp_verdict_code(v)), "class", v->error.class, "major",
		v->error.major, "minor", (int)minor, "list", (int)list);
}

static json_t *verdict_json(const struct lcp_verdict *v)
{
	const struct lcp_rule_info *rule = lcp_rule_info(v->rule);

	return json_pack("{s:b, s:s, s:s, s:s, s:b, s:s?, s:o, s:o, s:o, s:o, s:o, s:o}", "allowed", v->allowed, "rule", rule->id, "text",
		rule->text, "source", rule->source, "deduced", rule->deduced, "format", v->format ? lcp_strerror(v->format) : NULL, "at",
		v->allowed ? json_null() : at_json(v->at), "error", error_json(v), "decisions", decisions_json(v), "ignored_lists",
		ignored_json(v), "hash_alg_mask", lcp_json_hash_mask(v->hash_mask), "sign_alg_mask", lcp_json_sign_mask(v->sign_mask));
}

static void print_at(struct lcp_at at)
{
	printf("%s policy", lcp_owner_name(at.owner));
	if (at.list >= 0)
		printf(", list %d", at.list);
	if (at.element >= 0)
		printf(", element %d", at.element);
}

static void print_decision(enum lcp_subject s, const struct lcp_decision *d)
{
	if (d->outcome == LCP_NOT_ASKED)
		return;
	printf("%-15s ", lcp_subject_name(s));
	if (d->outcome == LCP_MATCH) {
		print_at(d->at);
		if (d->index >= 0)
			printf(", entry %d", d->index);
		else if (s == LCP_SUBJECT_SBIOS)
			printf(", fallback hash");
		printf("\n");
	} else {
		printf("%s\n", d->outcome == LCP_NO_ELEMENT ? "no policy says anything" : "no match");
	}
}

static void print_error(const struct lcp_verdict *v)
{
	unsigned minor = v->error.minor, list = 0;

	if (v->error.source == TXT_ERROR_NONE)
		return;
	(void)!txt_error_lcp_minor(&v->error, &minor, &list);
	printf("TXT.ERRORCODE   0x%08x: class 0x%02x, major 0x%02x, minor 0x%02x, list %u\n", lcp_verdict_code(v), v->error.class,
		v->error.major, minor, list);
}

static void print_verdict(const struct lcp_verdict *v)
{
	const struct lcp_rule_info *rule = lcp_rule_info(v->rule);

	printf("%s\n", v->allowed ? "allowed" : v->rule == LCP_RULE_INPUT ? "open" : "denied");
	if (!v->allowed) {
		printf("rule            %s: %s\nwhere           ", rule->id, rule->text);
		print_at(v->at);
		printf("\n");
		if (v->format)
			printf("format          %s\n", lcp_strerror(v->format));
		if (*rule->source)
			printf("source          %s%s\n", rule->source, rule->deduced ? " (deduced)" : "");
	}
	print_error(v);
	for (enum lcp_subject s = 0; s < LCP_SUBJECTS; s++)
		print_decision(s, &v->by[s]);
	for (enum lcp_owner o = LCP_PO; o < LCP_OWNERS; o++)
		for (int i = 0; i < v->list_count[o]; i++)
			if (v->lists[o][i] != LCP_ALLOWED)
				printf("ignored         %s policy, list %d: %s\n", lcp_owner_name(o), i,
					lcp_rule_info(v->lists[o][i])->text);
}

/* ---- list of rules ---- */

static json_t *rule_json(const struct lcp_rule_info *r)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:i, s:{s:i, s:i}, s:{s:i, s:i}}", "rule", r->id, "text", r->text, "source", r->source,
		"deduced", r->deduced, "class", r->launch_control ? TXT_CLASS_LCP : r->class, "owner", "major", r->major[LCP_PO], "minor",
		r->minor[LCP_PO], "supplier", "major", r->major[LCP_PS], "minor", r->minor[LCP_PS]);
}

GL_MUST static bool list_rules(bool json, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *out = json_array();

	for (enum lcp_rule rule = LCP_ALLOWED + 1; rule < LCP_RULE_COUNT; rule++) {
		const struct lcp_rule_info *r = lcp_rule_info(rule);

		if (json)
			(void)json_array_append_new(out, rule_json(r));
		else
			printf("%-22s %s\n", r->id, r->text);
	}
	return json ? cli_json_print(out, fault) : cli_flush(fault);
}

GL_MUST static bool evaluate(struct options *o, int *code, struct cli_fault *fault)
{
	CLEANUP(free_inputs) struct inputs in = { .file = { { NULL, 0 } } };
	CLEANUP_JSON json_t *out = NULL;
	struct lcp_verdict v;

	if (!read_inputs(o, &in, fault))
		return false;
	lcp_evaluate(&o->platform, &v);
	*code = v.allowed ? CLI_OK : v.rule == LCP_RULE_INPUT ? CLI_INPUT : CLI_DENIED;
	if (!o->json) {
		print_verdict(&v);
		return cli_flush(fault);
	}
	out = verdict_json(&v);
	return cli_json_print(out, fault);
}

static int run(int argc, char **argv)
{
	struct options o = { .json = false };
	struct cli_fault fault = { .code = CLI_OK };
	int code = parse_options(argc, argv, &o), verdict = CLI_OK;

	if (code != CLI_OK)
		return code;
	if (o.help)
		return lcp_finish(COMMAND, cli_help(print_help, &fault), &fault);
	code = lcp_finish(COMMAND, o.rules ? list_rules(o.json, &fault) : evaluate(&o, &verdict, &fault), &fault);
	return code != CLI_OK ? code : verdict;
}

const struct lcp_action lcp_action_evaluate = { "evaluate", COMMAND, "does SINIT allow a launch, and if not, why", run };
