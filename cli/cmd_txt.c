/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cmd_txt_heap.h"
#include "cli/output.h"
#include "lcp/txt_error.h"

#define COMMAND "txt"
#define HELP "'geolaunch txt --help'"

enum action { DECODE_ERROR, HEAP, ACTION_COUNT };

static const char *const action_names[ACTION_COUNT] = { "decode-error", "heap" };

struct options {
	enum action action;
	uint32_t code;
	const char *file;
	const char *log_out;
	bool force; /* log_out may be replaced */
	uint64_t base;
	bool has_base;
	bool json;
	bool help;
};

enum { OPTION_JSON = 256, OPTION_BASE, OPTION_LOG_OUT, OPTION_FORCE };

static const struct option long_options[] = {
	{ "base", required_argument, NULL, OPTION_BASE },
	{ "log-out", required_argument, NULL, OPTION_LOG_OUT },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch txt decode-error CODE [--json]\n"
	       "       geolaunch txt heap FILE [--base ADDR] [--log-out FILE [--force]] [--json]\n"
	       "\n"
	       "decode-error: says in words what a value of the register TXT.ERRORCODE means:\n"
	       "'txt-stat' and the boot loader show it after a launch that ended in a reset.\n"
	       "  CODE              32 bits, for example 0xc0000c71\n"
	       "heap: shows a dump of the TXT heap, the tables that BIOS, boot loader and SINIT\n"
	       "hand to each other.\n"
	       "      --base ADDR   TXT.HEAP.BASE of the machine, to find what the heap points to\n"
	       "      --log-out FILE  write the event log in it to FILE, for 'geolaunch log'\n"
	       "      --force       replace that file if it exists\n"
	       "both:\n"
	       "      --json        report as JSON\n"
	       "  -h, --help        this text\n");
}

static int check_arguments(int argc, char **argv, struct options *o)
{
	uint64_t v;

	while (optind < argc && o->action < ACTION_COUNT && strcmp(argv[optind], action_names[o->action]) != 0)
		o->action++;
	if (argc - optind != 2 || o->action == ACTION_COUNT) {
		cli_error(COMMAND, "say decode-error and one code, or heap and one file: see " HELP);
		return CLI_USAGE;
	}
	if (o->action == HEAP) {
		o->file = argv[optind + 1];
		if (!o->force || o->log_out)
			return CLI_OK;
		cli_error(COMMAND, "--force is for --log-out only: see " HELP);
		return CLI_USAGE;
	}
	if (o->has_base || o->log_out || o->force) {
		cli_error(COMMAND, "--base, --log-out and --force are for 'txt heap' only: see " HELP);
		return CLI_USAGE;
	}
	if (!cli_number(argv[optind + 1], UINT32_MAX, &v)) {
		cli_error(COMMAND, "decode-error %s: not a number of at most 32 bits such as 0xc0000c71", argv[optind + 1]);
		return CLI_USAGE;
	}
	o->code = (uint32_t)v;
	return CLI_OK;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_BASE:
			if (!cli_number(optarg, UINT64_MAX, &o->base)) {
				cli_error(COMMAND, "--base %s: not an address such as 0x6fb20000", optarg);
				return CLI_USAGE;
			}
			o->has_base = true;
			break;
		case OPTION_LOG_OUT:
			o->log_out = optarg;
			break;
		case OPTION_FORCE:
			o->force = true;
			break;
		case OPTION_JSON:
			o->json = true;
			break;
		case 'h':
			o->help = true;
			return CLI_OK;
		default:
			return cli_usage_error(COMMAND, argc, argv, option, HELP);
		}
	}
	return check_arguments(argc, argv, o);
}

static const char *const sources[] = {
	[TXT_ERROR_NONE] = "none",
	[TXT_ERROR_PROCESSOR] = "processor",
	[TXT_ERROR_ACM] = "acm",
	[TXT_ERROR_SOFTWARE] = "software",
};

static json_t *acm_json(const struct txt_error *e)
{
	unsigned minor = e->minor, list = 0;
	bool lcp = txt_error_lcp_minor(e, &minor, &list);

	return json_pack("{s:i, s:s?, s:i, s:s?, s:s?, s:i, s:s?, s:i, s:s?, s:o}", "type", (int)e->acm_type, "type_name",
		txt_error_acm_type_name(e->acm_type), "class", (int)e->class, "class_text", txt_error_class_text(e->class),
		"old_class_text", txt_error_old_class_text(e->class), "major", (int)e->major, "major_text",
		txt_error_major_text(e->class, e->major), "minor", (int)minor, "minor_text",
		txt_error_minor_text(e->class, e->major, minor), "policy_list", lcp ? json_integer(list) : json_null());
}

static json_t *software_json(uint32_t code, const struct txt_error *e)
{
	const struct txt_slaunch *sl = txt_error_slaunch(code);

	return json_pack("{s:i, s:i, s:s?, s:s?}", "low", (int)e->software, "high", (int)e->software_high, "name", sl ? sl->name : NULL,
		"text", sl ? sl->text : NULL);
}

static json_t *code_json(uint32_t code)
{
	struct txt_error e = txt_error_decode(code);
	CLEANUP_JSON json_t *root = NULL;
	char text[16];
	json_t *part = NULL;

	(void)snprintf(text, sizeof(text), "0x%08x", code);
	root = json_pack("{s:s, s:b, s:b, s:s}", "code", text, "valid", e.source != TXT_ERROR_NONE, "success", txt_error_is_success(code),
		"source", sources[e.source]);
	switch (e.source) {
	case TXT_ERROR_NONE:
		return json_incref(root);
	case TXT_ERROR_PROCESSOR:
		part = json_pack("{s:i, s:s?}", "code", (int)e.processor, "text", txt_error_processor_text(e.processor));
		break;
	case TXT_ERROR_ACM:
		part = acm_json(&e);
		break;
	case TXT_ERROR_SOFTWARE:
		part = software_json(code, &e);
		break;
	}
	if (!part || json_object_set_new(root, sources[e.source], part) != 0)
		return NULL;
	return json_incref(root);
}

GL_MUST static bool report(const struct options *o, struct cli_fault *fault)
{
	char buf[2048];
	struct text t = TEXT_OF(buf);

	if (o->action == HEAP)
		return (!o->log_out || output_check_file(o->log_out, o->force, fault)) &&
		       cmd_txt_heap(o->file, o->base, o->log_out, o->json, fault);
	if (o->json) {
		CLEANUP_JSON json_t *v = code_json(o->code);

		return cli_json_print(v, fault);
	}
	txt_error_print(o->code, &t);
	(void)fputs(buf, stdout);
	return cli_flush(fault);
}

static int run(int argc, char **argv)
{
	struct options o = { .json = false };
	struct cli_fault fault;
	int rc = parse_options(argc, argv, &o);
	bool ok;

	if (rc != CLI_OK)
		return rc;
	ok = o.help ? cli_help(print_help, &fault) : report(&o, &fault);
	return ok ? CLI_OK : cli_report(COMMAND, &fault);
}

const struct cli_command cmd_txt = { COMMAND, "decode TXT.ERRORCODE and the TXT heap", run };
