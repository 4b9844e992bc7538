/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/lcp.h"
#include "cli/lint_collect.h"
#include "cli/output.h"

#define COMMAND "lint"
#define HELP "'geolaunch lint --help'"
#define WIDTH 100

struct options {
	struct lint_sources from;
	bool force; /* from.write_nv_dump may be replaced */
	bool json;
	bool help;
};

enum {
	OPTION_TCTI = 256,
	OPTION_NV_DUMP,
	OPTION_WRITE_NV_DUMP,
	OPTION_FORCE,
	OPTION_SINIT,
	OPTION_OWNER,
	OPTION_SUPPLIER,
	OPTION_DATA,
	OPTION_SUPPLIER_DATA,
	OPTION_TBOOT,
	OPTION_CMDLINE,
	OPTION_VERSION,
	OPTION_MLE,
	OPTION_DIDVID,
	OPTION_CPU,
	OPTION_JSON
};

static const struct option long_options[] = {
	{ "tcti", required_argument, NULL, OPTION_TCTI },
	{ "nv-dump", required_argument, NULL, OPTION_NV_DUMP },
	{ "write-nv-dump", required_argument, NULL, OPTION_WRITE_NV_DUMP },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "sinit", required_argument, NULL, OPTION_SINIT },
	{ "lcp-owner", required_argument, NULL, OPTION_OWNER },
	{ "lcp-supplier", required_argument, NULL, OPTION_SUPPLIER },
	{ "lcp-data", required_argument, NULL, OPTION_DATA },
	{ "lcp-supplier-data", required_argument, NULL, OPTION_SUPPLIER_DATA },
	{ "tboot", required_argument, NULL, OPTION_TBOOT },
	{ "tboot-cmdline", required_argument, NULL, OPTION_CMDLINE },
	{ "tboot-version", required_argument, NULL, OPTION_VERSION },
	{ "mle-hash", required_argument, NULL, OPTION_MLE },
	{ "didvid", required_argument, NULL, OPTION_DIDVID },
	{ "cpu", required_argument, NULL, OPTION_CPU },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch lint BUILD-DIR [--tcti STR | --nv-dump FILE] [OPTIONS]\n"
	       "       geolaunch lint --tcti STR --write-nv-dump FILE [--force]\n"
	       "\n"
	       "Looks at build, TPM, SINIT, launch control policy and tboot together, and says what is\n"
	       "wrong and what will happen at launch. What is not given is not looked at.\n"
	       "\n"
	       "      --tcti STR                the TPM: device:/dev/tpm0, swtpm:path=SOCKET, ...\n"
	       "      --nv-dump FILE            what --write-nv-dump wrote, instead of a TPM\n"
	       "      --write-nv-dump FILE      write what the TPM holds to a file\n"
	       "      --force                   replace that file if it exists\n"
	       "      --sinit FILE              the host's SINIT module\n"
	       "      --didvid V:D:R            chipset that SINIT must fit, such as 8086:b00c:1\n"
	       "      --cpu FMS[:ID]            processor that SINIT must fit, such as 906a4\n"
	       "      --lcp-owner FILE          owner's launch control policy, in place of the TPM's and the\n"
	       "                                build's\n"
	       "      --lcp-supplier FILE       supplier's, in place of the TPM's\n"
	       "      --lcp-data FILE           owner's policy data file\n"
	       "      --lcp-supplier-data FILE  supplier's\n"
	       "      --tboot FILE              tboot.gz, whose digest launch control asks for\n"
	       "      --mle-hash ALG:HEX        that digest, instead of the file\n"
	       "      --tboot-cmdline STR       tboot's command line\n"
	       "      --tboot-version V         tboot's version (default 1.10.5)\n"
	       "      --json                    report as JSON\n"
	       "  -h, --help                    this text\n"
	       "\n"
	       "Exit code 20: there are errors, not only warnings.\n");
}

/* ---- options ---- */

/* Where an option's value goes as it is; NULL: it is no such option. */
static const char **text_option(struct options *o, int option)
{
	switch (option) {
	case OPTION_TCTI:
		return &o->from.tcti;
	case OPTION_NV_DUMP:
		return &o->from.nv_dump;
	case OPTION_WRITE_NV_DUMP:
		return &o->from.write_nv_dump;
	case OPTION_SINIT:
		return &o->from.sinit;
	case OPTION_OWNER:
		return &o->from.lcp[LCP_PO];
	case OPTION_SUPPLIER:
		return &o->from.lcp[LCP_PS];
	case OPTION_DATA:
		return &o->from.lcp_data[LCP_PO];
	case OPTION_SUPPLIER_DATA:
		return &o->from.lcp_data[LCP_PS];
	case OPTION_TBOOT:
		return &o->from.tboot;
	case OPTION_CMDLINE:
		return &o->from.tboot_cmdline;
	default:
		return NULL;
	}
}

/* Hexadecimal without 0x up to a colon or the end; *s moves behind it, or becomes NULL at the end. */
GL_MUST static bool take_hex(const char **s, uint64_t max, uint64_t *out)
{
	size_t n = *s ? strcspn(*s, ":") : 0;
	char buf[24];

	if (n == 0 || n > 16)
		return false;
	(void)snprintf(buf, sizeof(buf), "0x%.*s", (int)n, *s);
	*s = (*s)[n] ? *s + n + 1 : NULL;
	return cli_number(buf, max, out);
}

GL_MUST static bool take_didvid(const char *s, struct acm_platform *p, struct cli_fault *fault)
{
	const char *at = s;
	uint64_t vendor, device, revision;

	if (!take_hex(&at, UINT16_MAX, &vendor) || !take_hex(&at, UINT16_MAX, &device) || !take_hex(&at, UINT16_MAX, &revision) || at)
		return cli_fail(fault, CLI_USAGE, "--didvid %s: not vendor, device and revision such as 8086:b00c:1", s);
	p->has_didvid = true;
	p->vendor_id = (uint16_t)vendor;
	p->device_id = (uint16_t)device;
	p->revision_id = (uint16_t)revision;
	return true;
}

GL_MUST static bool take_cpu(const char *s, struct acm_platform *p, struct cli_fault *fault)
{
	const char *at = s;
	uint64_t fms, id = 0;

	if (!take_hex(&at, UINT32_MAX, &fms) || (at && !take_hex(&at, UINT64_MAX, &id)) || at)
		return cli_fail(fault, CLI_USAGE, "--cpu %s: not family/model/stepping and platform id such as 906a4:1c000000000000", s);
	p->has_cpu = true;
	p->fms = (uint32_t)fms;
	p->has_platform_id = strchr(s, ':') != NULL;
	p->platform_id = id;
	return true;
}

GL_MUST static bool take_option(struct options *o, int option, struct cli_fault *fault)
{
	const char **text = text_option(o, option);

	if (text) {
		*text = optarg;
		return true;
	}
	switch (option) {
	case OPTION_VERSION:
		return lint_version_parse(optarg, &o->from.tboot_version) ||
		       cli_fail(fault, CLI_USAGE, "--tboot-version %s: not a version such as 1.10.5", optarg);
	case OPTION_MLE:
		return lcp_option_digest("--mle-hash", optarg, &o->from.mle, fault);
	case OPTION_DIDVID:
		return take_didvid(optarg, &o->from.platform, fault);
	case OPTION_CPU:
		return take_cpu(optarg, &o->from.platform, fault);
	case OPTION_FORCE:
		o->force = true;
		return true;
	default:
		o->json = true;
		return true;
	}
}

static const char *misuse(int argc, const struct options *o)
{
	const struct lint_sources *s = &o->from;

	if (argc - optind > 1)
		return "more than one build directory";
	if (s->tcti && s->nv_dump)
		return "either --tcti or --nv-dump";
	if (s->write_nv_dump && !s->tcti)
		return "--write-nv-dump needs --tcti";
	if (o->force && !s->write_nv_dump)
		return "--force is for --write-nv-dump only";
	if (argc == optind && !s->write_nv_dump)
		return "no build directory";
	if (s->tboot && s->mle.banks)
		return "either --tboot or --mle-hash";
	if (s->lcp_data[LCP_PS] && !s->lcp[LCP_PS] && !s->tcti && !s->nv_dump)
		return "--lcp-supplier-data needs the supplier's policy";
	return NULL;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	struct cli_fault fault;
	const char *problem;
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
			return cli_report(COMMAND, &fault);
	}
	problem = misuse(argc, o);
	if (problem) {
		cli_error(COMMAND, "%s: see " HELP, problem);
		return CLI_USAGE;
	}
	o->from.build = optind < argc ? argv[optind] : NULL;
	return CLI_OK;
}

/* ---- report for people ---- */

/* Words, wrapped at WIDTH columns, each line behind `indent`. */
static void print_wrapped(const char *first, const char *indent, const char *const *parts)
{
	size_t column = strlen(first), start = column;

	printf("%s", first);
	for (; *parts; parts++) {
		const char *p = *parts;

		while (*p) {
			size_t n = strcspn(p, " ");

			if (column > start && column + 1 + n > WIDTH) {
				printf("\n%s", indent);
				column = start = strlen(indent);
			} else if (column > start) {
				putchar(' ');
				column++;
			}
			printf("%.*s", (int)n, p);
			column += n;
			p += n + (p[n] == ' ');
		}
	}
	putchar('\n');
}

static void print_finding(const struct lint_finding *f)
{
	const struct lint_rule *r = f->rule;

	printf("%s %s: %s\n", lint_severity_names[r->severity], r->id, r->title);
	print_wrapped("  ", "  ", (const char *const[]){ "In", f->where[0] ? f->where : "the whole", NULL });
	print_wrapped("  ", "  ", (const char *const[]){ r->text, f->detail, NULL });
	print_wrapped("  To do: ", "  ", (const char *const[]){ r->fix, NULL });
	printf("\n");
}

static void print_report(const struct lint_report *r)
{
	size_t errors = lint_count(r, LINT_ERROR), warnings = lint_count(r, LINT_WARNING);

	for (size_t i = 0; i < r->finding_count; i++)
		print_finding(&r->findings[i]);
	printf("What will happen at launch:\n");
	for (size_t i = 0; i < r->launch_count; i++)
		print_wrapped("  - ", "    ", (const char *const[]){ r->launch[i], NULL });
	printf("\n%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

/* ---- the same as JSON ---- */

static json_t *finding_json(const struct lint_finding *f)
{
	const struct lint_rule *r = f->rule;
	CLEANUP_FREE char *text = NULL;

	if (asprintf(&text, "%s%s%s", r->text, f->detail[0] ? " " : "", f->detail) < 0) {
		text = NULL;
		return NULL;
	}
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o}", "id", r->id, "severity", lint_severity_names[r->severity], "title", r->title,
		"text", cli_json_text(text), "fix", r->fix, "where", cli_json_text(f->where));
}

static bool print_json(const struct lint_report *r, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *findings = json_array(), *launch = json_array(), *root = NULL;
	bool ok = findings && launch;

	for (size_t i = 0; ok && i < r->finding_count; i++)
		ok = json_array_append_new(findings, finding_json(&r->findings[i])) == 0;
	for (size_t i = 0; ok && i < r->launch_count; i++)
		ok = json_array_append_new(launch, cli_json_text(r->launch[i])) == 0;
	if (ok)
		root = json_pack("{s:O, s:O}", "findings", findings, "launch", launch);
	return cli_json_print(root, fault);
}

/* ---- all of it ---- */

GL_MUST static bool lint(const struct options *o, int *code, struct cli_fault *fault)
{
	CLEANUP(lint_collected_free) struct lint_collected c = { .modules = NULL };
	CLEANUP(lint_report_free) struct lint_report r = { .findings = NULL };

	if (o->from.write_nv_dump && !output_check_file(o->from.write_nv_dump, o->force, fault))
		return false;
	if (!lint_collect(&o->from, &c, fault))
		return false;
	if (!o->from.build)
		return true;
	if (!lint_check(&c.facts, &r))
		return cli_fail(fault, CLI_IO, "out of memory: lint");
	if (lint_count(&r, LINT_ERROR))
		*code = CLI_LINT;
	if (o->json)
		return print_json(&r, fault);
	print_report(&r);
	return cli_flush(fault);
}

static int run(int argc, char **argv)
{
	struct options o = { .json = false };
	struct cli_fault fault;
	int code = CLI_OK;
	int rc = parse_options(argc, argv, &o);
	bool ok;

	if (rc != CLI_OK)
		return rc;
	ok = o.help ? cli_help(print_help, &fault) : lint(&o, &code, &fault);
	return ok ? code : cli_report(COMMAND, &fault);
}

const struct cli_command cmd_lint = { COMMAND, "what is wrong, and what will happen at launch", run };
