/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/expected_choose.h"
#include "cli/fleet.h"
#include "cli/host_tpm.h"
#include "cli/livelog.h"
#include "cli/pcrfile.h"
#include "cli/verify.h"
#include "cli/verify_geo.h"
#include "common/eventlog.h"

#define COMMAND "verify"
#define HELP "'geolaunch verify --help'"

struct options {
	const char *expected;
	const char *host;
	const char *tcti;
	const char *pcrs;
	const char *log;
	alg_set required; /* banks without which nothing is judged */
	bool no_log;
	bool json;
	bool quiet;
	bool full;
	bool help;
};

enum { OPTION_HOST = 256, OPTION_TCTI, OPTION_PCRS, OPTION_LOG, OPTION_NO_LOG, OPTION_JSON, OPTION_FULL, OPTION_BANKS };

static const struct option long_options[] = {
	{ "host", required_argument, NULL, OPTION_HOST },
	{ "tcti", required_argument, NULL, OPTION_TCTI },
	{ "pcrs", required_argument, NULL, OPTION_PCRS },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "no-log", no_argument, NULL, OPTION_NO_LOG },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ "full", no_argument, NULL, OPTION_FULL },
	{ "require-banks", required_argument, NULL, OPTION_BANKS },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch verify EXPECTED [--tcti STR | --pcrs FILE] [--log FILE | --no-log]\n"
	       "       geolaunch verify FLEET --host NAME ...\n"
	       "                        [--require-banks LIST] [--json] [--quiet] [--full]\n"
	       "\n"
	       "Compares expected measurements with a TPM's PCR 17-22 and the launch's event log.\n"
	       "\n"
	       "      --host NAME  host of a fleet, see geolaunch-fleet(1)\n"
	       "      --tcti STR   the TPM: device:/dev/tpm0, swtpm:path=SOCKET, ...\n"
	       "                   (default: the kernel's device)\n"
	       "      --pcrs FILE  PCR values instead of a TPM: JSON as qemu/run writes it, or\n"
	       "                   the output of tpm2_pcrread\n"
	       "      --log FILE   the event log (default: this host's, if the TPM is this host's)\n"
	       "      --no-log     judge by the PCR values alone\n"
	       "      --require-banks LIST\n"
	       "                   fail unless these banks (with commas) are expected and active\n"
	       "      --json       report as JSON\n"
	       "  -q, --quiet      no output, only the exit code\n"
	       "      --full       whole PCR values in the table\n"
	       "  -h, --help       this text\n"
	       "\n"
	       "exit codes (the highest that holds): ");
	for (unsigned v = 0; v < VERIFY_VERDICT_COUNT; v++)
		printf("%s%s %d", v ? (v % 4 ? ", " : ",\n  ") : "\n  ", verify_verdict_table[v].name, verify_verdict_table[v].exit_code);
	printf("\n");
}

/* "sha256,sha384" */
GL_MUST static bool parse_banks(const char *list, alg_set *out)
{
	alg_set banks = 0;

	for (;;) {
		size_t n = strcspn(list, ",");
		enum alg a;

		if (!alg_by_name((struct span){ (const uint8_t *)list, n }, &a))
			return false;
		banks |= ALG_BIT(a);
		if (!list[n])
			break;
		list += n + 1;
	}
	*out = banks;
	return true;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":qh", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_HOST:
			o->host = optarg;
			break;
		case OPTION_TCTI:
			o->tcti = optarg;
			break;
		case OPTION_PCRS:
			o->pcrs = optarg;
			break;
		case OPTION_LOG:
			o->log = optarg;
			break;
		case OPTION_NO_LOG:
			o->no_log = true;
			break;
		case OPTION_JSON:
			o->json = true;
			break;
		case OPTION_FULL:
			o->full = true;
			break;
		case OPTION_BANKS:
			if (!parse_banks(optarg, &o->required)) {
				cli_error(COMMAND, "--require-banks %s: name sha1, sha256, sha384 or sha512, with commas between them",
					optarg);
				return CLI_USAGE;
			}
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'h':
			o->help = true;
			return CLI_OK;
		default:
			return cli_usage_error(COMMAND, argc, argv, option, HELP);
		}
	}
	if (argc - optind != 1) {
		cli_error(COMMAND, "give one file of expected measurements: see " HELP);
		return CLI_USAGE;
	}
	if ((o->tcti && o->pcrs) || (o->log && o->no_log)) {
		cli_error(COMMAND, "%s: see " HELP, o->tcti && o->pcrs ? "either --tcti or --pcrs" : "either --log or --no-log");
		return CLI_USAGE;
	}
	o->expected = argv[optind];
	return CLI_OK;
}

/* ---- input ---- */

/* And the content of the geo index, if it is at hand. */
GL_MUST static bool get_expected(const struct options *o, struct expected *out, struct geo_content *geo, struct cli_fault *fault)
{
	char error[512];
	struct stat st;

	if (o->host) {
		CLEANUP(fleet_close) struct fleet fleet = FLEET_NONE;
		CLEANUP_FREE struct fleet_record *record = malloc(sizeof(*record));

		if (!record)
			return cli_fail(fault, CLI_IO, "out of memory: %s", o->host);
		if (!fleet_open(o->expected, &fleet, fault) || !fleet_find(&fleet, o->host, record, out, fault))
			return false;
		memcpy(geo->bytes, record->content, record->content_size);
		geo->n = record->content_size;
		return true;
	}
	if (fleet_is(o->expected))
		return cli_fail(fault, CLI_USAGE, "this is a fleet: %s: name one of its hosts with --host", o->expected);
	if (access(o->expected, R_OK) != 0)
		return cli_fail(
			fault, CLI_IO, "cannot open: %s: %s: give the expected.json of 'geolaunch build'", o->expected, strerror(errno));
	if (stat(o->expected, &st) == 0 && S_ISDIR(st.st_mode))
		return cli_fail(fault, CLI_INPUT, "this is a directory: %s: give the expected.json in it", o->expected);
	if (!expected_load(o->expected, out, error, sizeof(error)))
		return cli_fail(fault, CLI_INPUT, "%s", error);
	verify_geo_load(o->expected, geo);
	return true;
}

GL_MUST static bool get_pcrs(const struct options *o, struct pcrs *out, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	CLEANUP(host_tpm_close) struct host_tpm h = { .tcti = NULL };
	char error[256];
	size_t n;
	TSS2_RC rc;

	if (o->pcrs) {
		if (!read_file(o->pcrs, PCRFILE_MAX, &bytes, &n, fault))
			return false;
		return pcrfile_parse((struct span){ bytes, n }, out, error, sizeof(error)) ||
		       cli_fail(fault, CLI_INPUT, "%s: %s: " PCRFILE_ADVICE, o->pcrs, error);
	}
	if (!host_tpm_open(&h, o->tcti, fault))
		return false;
	rc = tpm_read_pcrs(&h.tpm, PCR_DRTM_FIRST, PCR_DRTM_LAST, out);
	return rc == TSS2_RC_SUCCESS || host_tpm_fail(fault, "cannot read PCR 17-22", rc);
}

/* Whether this host's own log is looked for: it belongs to this host's TPM only. */
static bool own_log(const struct options *o)
{
	return !o->log && !o->no_log && !o->tcti && !o->pcrs;
}

GL_MUST static bool get_log(const struct options *o, struct livelog *out, struct cli_fault *fault)
{
	struct eventlog_reader reader;
	size_t n;

	*out = (struct livelog){ .kind = LIVELOG_NONE };
	if (o->log) {
		if (!read_file(o->log, LIVELOG_MAX, &out->bytes, &n, fault))
			return false;
		out->kind = LIVELOG_OURS;
		out->log = (struct span){ out->bytes, n };
		if (eventlog_open(&reader, out->log) != EVENTLOG_MALFORMED)
			return true;
		return cli_fail(fault, CLI_INPUT, "%s: %s: take one from the host with 'geolaunch log --live --raw-out FILE'", o->log,
			reader.error);
	}
	return !own_log(o) || livelog_find_launch("", out, fault);
}

/* Who did not choose to judge without a log is told so. */
GL_MUST static bool tell_no_log(const struct options *o, const struct expected *e, const struct livelog *log, struct verify_result *r)
{
	char buf[256];

	if (!own_log(o) || log->kind != LIVELOG_NONE)
		return true;
	if (e->drtm && log->unseen)
		(void)snprintf(buf, sizeof(buf),
			"No log was compared: /dev/mem, through which that of the TXT heap is read, cannot be used (%s): run as root, without "
			"kernel lockdown, or give --log.",
			strerror(log->unseen));
	else
		(void)snprintf(buf, sizeof(buf), "No log was compared: this host has none of a launch.");
	return verify_result_explain(r, buf);
}

/* ---- JSON ---- */

static json_t *strings_json(const struct verify_strings *s)
{
	CLEANUP_JSON json_t *out = json_array();

	for (size_t i = 0; i < s->n; i++)
		if (json_array_append_new(out, cli_json_text(s->v[i])) != 0)
			return NULL;
	return json_incref(out);
}

static json_t *verdicts_json(const struct verify_result *r)
{
	CLEANUP_JSON json_t *out = json_array();

	for (unsigned v = 0; v < VERIFY_VERDICT_COUNT; v++)
		if (r->verdicts >> v & 1 && json_array_append_new(out, json_string(verify_verdict_table[v].name)) != 0)
			return NULL;
	return json_incref(out);
}

static json_t *difference_json(const struct verify_first_difference *d)
{
	const char *name = event_type_name(d->type);

	if (d->what == VERIFY_SAME)
		return json_null();
	return json_pack("{s:i, s:I, s:s?, s:s, s:s, s:s?, s:o, s:o}", "pcr", (int)d->pcr, "type", (json_int_t)d->type, "type_name", name,
		"name", d->name, "what", verify_difference_name[d->what], "found", d->found[0] ? d->found : NULL, "expected",
		d->expected.banks ? cli_json_digests(&d->expected) : json_null(), "log",
		d->log.banks ? cli_json_digests(&d->log) : json_null());
}

static json_t *value_json(const struct pcrs *p, enum alg a, unsigned pcr)
{
	return pcr_known(p, a, pcr) ? cli_json_hex(pcr_value(p, a, pcr)) : json_null();
}

static json_t *pcrs_json(const struct verify_result *r, const struct pcrs *predicted, const struct pcrs *tpm)
{
	CLEANUP_JSON json_t *out = json_object();

	for (unsigned a = 0; a < ALG_COUNT; a++) {
		json_t *bank;

		if (!(r->compared & ALG_BIT(a)))
			continue;
		bank = json_object();
		if (json_object_set_new(out, alg_table[a].name, bank) != 0)
			return NULL;
		for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
			char key[8];

			(void)snprintf(key, sizeof(key), "%u", pcr);
			if (json_object_set_new(bank, key,
				    json_pack("{s:o, s:o, s:o}", "predicted", value_json(predicted, (enum alg)a, pcr), "log",
					    value_json(&r->log, (enum alg)a, pcr), "tpm", value_json(tpm, (enum alg)a, pcr))) != 0)
				return NULL;
		}
	}
	return json_incref(out);
}

GL_MUST static bool report_json(const struct expected *e, const struct pcrs *tpm, const struct verify_result *r, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *root = json_pack("{s:o, s:b, s:b, s:s, s:s?, s:o, s:s?, s:o, s:o, s:o}", "verdicts", verdicts_json(r), "agree",
		r->agree, "drtm", r->drtm, "mode", e->mode, "country", r->geo_agrees && e->country[0] ? e->country : NULL, "modules",
		strings_json(&r->modules), "capped", r->capped ? cap_table[r->why].name : NULL, "explanation",
		strings_json(&r->explanation), "first_difference", difference_json(&r->first), "pcrs", pcrs_json(r, &e->pcrs, tpm));

	return cli_json_print(root, fault);
}

/* ---- text ---- */

/* A cell of the table: "= " or "!=" against the prediction, and the value. */
static void print_cell(const struct pcrs *p, const struct pcrs *predicted, enum alg a, unsigned pcr, size_t bytes)
{
	bool known = pcr_known(p, a, pcr);
	struct span v = pcr_value(p, a, pcr);

	if (p != predicted)
		printf("  %s ", !known ? "  " : span_equal(v, pcr_value(predicted, a, pcr)) ? "= " : "!=");
	for (size_t i = 0; known && i < bytes && i < v.n; i++)
		printf("%02x", v.p[i]);
	if (!known)
		printf("%-*s", (int)(2 * bytes), "-");
}

static void print_row(
	const struct verify_result *r, const struct pcrs *predicted, const struct pcrs *tpm, enum alg a, unsigned pcr, size_t bytes)
{
	printf("%-7s %2u  ", alg_table[a].name, pcr);
	print_cell(predicted, predicted, a, pcr, bytes);
	print_cell(&r->log, predicted, a, pcr, bytes);
	print_cell(tpm, predicted, a, pcr, bytes);
	printf("\n");
}

static void print_row_full(const struct verify_result *r, const struct pcrs *predicted, const struct pcrs *tpm, enum alg a, unsigned pcr)
{
	printf("%-7s %2u  predicted     ", alg_table[a].name, pcr);
	print_cell(predicted, predicted, a, pcr, DIGEST_MAX);
	printf("\n%12s%-9s", "", "log");
	print_cell(&r->log, predicted, a, pcr, r->has_log ? DIGEST_MAX : 1);
	printf("\n%12s%-9s", "", "TPM");
	print_cell(tpm, predicted, a, pcr, DIGEST_MAX);
	printf("\n");
}

GL_MUST static bool report_text(
	const struct options *o, const struct expected *e, const struct pcrs *tpm, const struct verify_result *r, struct cli_fault *fault)
{
	const size_t bytes = 8;
	const char *separator = "";

	if (!o->full)
		printf("bank   PCR  %-*s     %-*s     %s\n", (int)(2 * bytes), "predicted", (int)(2 * bytes), "log", "TPM");
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; r->compared & ALG_BIT(a) && pcr <= PCR_DRTM_LAST; pcr++) {
			if (o->full)
				print_row_full(r, &e->pcrs, tpm, (enum alg)a, pcr);
			else
				print_row(r, &e->pcrs, tpm, (enum alg)a, pcr, bytes);
		}
	printf("\nverdict: ");
	for (unsigned v = 0; v < VERIFY_VERDICT_COUNT; v++)
		if (r->verdicts >> v & 1) {
			printf("%s%s", separator, verify_verdict_table[v].name);
			separator = ", ";
		}
	printf("\n");
	for (size_t i = 0; i < r->explanation.n; i++)
		printf("%s\n", r->explanation.v[i]);
	return cli_flush(fault);
}

/* ---- the command ---- */

GL_MUST static bool report(
	const struct options *o, const struct expected *e, const struct pcrs *tpm, const struct verify_result *r, struct cli_fault *fault)
{
	if (o->quiet)
		return true;
	return o->json ? report_json(e, tpm, r, fault) : report_text(o, e, tpm, r, fault);
}

GL_MUST static bool run_verify(const struct options *o, int *code, struct cli_fault *fault)
{
	CLEANUP(expected_free) struct expected e = { .name = NULL };
	CLEANUP(verify_result_free) struct verify_result r = { .verdicts = 0 };
	CLEANUP(livelog_free) struct livelog log = { .kind = LIVELOG_NONE };
	struct geo_content geo = { .n = 0 };
	struct pcrs tpm;
	char error[512];

	if (!get_expected(o, &e, &geo, fault))
		return false;
	if (!get_log(o, &log, fault) || !get_pcrs(o, &tpm, fault))
		return false;
	expected_choose(&e, &tpm, log.kind != LIVELOG_NONE, log.log);

	const struct verify_input in = {
		.expected = &e, .tpm = &tpm, .file = o->pcrs, .has_log = log.kind != LIVELOG_NONE, .log = log.log
	};

	if (!verify(&in, &r, error, sizeof(error)))
		return cli_fail(fault, r.out_of_memory ? CLI_IO : CLI_INPUT, "%s", error);
	if (o->required & ~r.compared) {
		verify_bank_names(o->required & ~r.compared, error, sizeof(error));
		return cli_fail(fault, CLI_INPUT, "required PCR bank not compared: %s: it must be %s and expected by the build", error,
			o->pcrs ? "in the file of PCR values" : "active in the TPM");
	}
	if (!tell_no_log(o, &e, &log, &r))
		return cli_fail(fault, CLI_IO, "out of memory: %s", o->expected);
	if (verify_has(&r, VERIFY_GEO_MISMATCH) && !o->pcrs && !verify_geo_explain(&e, &geo, o->tcti, &r))
		return cli_fail(fault, CLI_IO, "out of memory: %s", o->expected);
	*code = verify_exit_code(&r);
	return report(o, &e, &tpm, &r, fault);
}

static int run(int argc, char **argv)
{
	struct options o = { .expected = NULL };
	struct cli_fault fault = { .code = CLI_OK };
	int verdict = CLI_OK;
	int code = parse_options(argc, argv, &o);
	bool ok;

	if (code != CLI_OK)
		return code;
	ok = o.help ? cli_help(print_help, &fault) : run_verify(&o, &verdict, &fault);
	return ok ? verdict : cli_report(COMMAND, &fault);
}

const struct cli_command cmd_verify = { COMMAND, "compare expected measurements with TPM and event log", run };
