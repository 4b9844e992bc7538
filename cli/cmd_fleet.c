/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fleet.h"
#include "cli/tree.h"

#define COMMAND "fleet"
#define HELP "'geolaunch fleet --help'"

enum action { LIST, SHOW, EXTRACT, ACTION_COUNT };

static const char *const action_names[ACTION_COUNT] = { "list", "show", "extract" };

struct options {
	enum action action;
	const char *dir;
	const char *host;
	const char *output;
	bool force;
	bool json;
	bool help;
};

enum { OPTION_FORCE = 256, OPTION_JSON };

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch fleet list    DIR [--json]\n"
	       "       geolaunch fleet show    DIR HOST\n"
	       "       geolaunch fleet extract DIR HOST -o OUT [--force]\n"
	       "\n"
	       "Reads what 'geolaunch build' has made for a fleet, see geolaunch-fleet(1).\n"
	       "\n"
	       "list: the hosts' names, sorted.\n"
	       "show: a host's expected measurements, what 'build' writes as expected.json.\n"
	       "extract: a host's whole build, as if it had been built by itself.\n"
	       "  -o, --output OUT  directory to make; it appears complete or not at all\n"
	       "      --force       replace the output of an earlier build\n"
	       "      --json        list: print a JSON array\n"
	       "  -h, --help        this text\n");
}

static int misused(const char *what)
{
	cli_error(COMMAND, "%s: see " HELP, what);
	return CLI_USAGE;
}

static int check_arguments(int argc, char **argv, struct options *o)
{
	int given = argc - optind;

	if (given < 1)
		return misused("say one of list, show, extract");
	while (o->action < ACTION_COUNT && strcmp(argv[optind], action_names[o->action]) != 0)
		o->action++;
	if (o->action == ACTION_COUNT) {
		cli_error(COMMAND, "%s: not one of list, show, extract", argv[optind]);
		return CLI_USAGE;
	}
	if (given != (o->action == LIST ? 2 : 3))
		return misused(o->action == LIST ? "give the fleet's directory" : "give the fleet's directory and one host");
	if (o->action == EXTRACT && (!o->output || !*o->output))
		return misused("no output directory: name it with -o");
	if (o->action != EXTRACT && (o->output || o->force))
		return misused("--output and --force are for 'fleet extract' only");
	if (o->action != LIST && o->json)
		return misused("--json is for 'fleet list' only: what 'fleet show' prints is JSON");
	o->dir = argv[optind + 1];
	o->host = o->action == LIST ? NULL : argv[optind + 2];
	return CLI_OK;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:h", long_options, NULL)) != -1) {
		switch (option) {
		case 'o':
			o->output = optarg;
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

/* ---- actions ---- */

static bool print_name(void *ctx, struct span line, struct cli_fault *fault)
{
	struct span name = fleet_record_name(line);
	char buf[FLEET_NAME_MAX + 1];
	struct text t = TEXT_OF(buf);

	(void)ctx;
	text_span(&t, name);
	return puts(buf) >= 0 || cli_flush(fault);
}

static bool add_name(void *ctx, struct span line, struct cli_fault *fault)
{
	struct span name = fleet_record_name(line);

	return json_array_append_new(ctx, json_stringn((const char *)name.p, name.n)) == 0 ||
	       cli_fail(fault, CLI_INPUT, "a name that is none of a host, or out of memory");
}

GL_MUST static bool list_json(const struct fleet *f, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *names = json_array();

	return fleet_each(f, add_name, names, fault) && cli_json_print(names, fault);
}

GL_MUST static bool show(const struct fleet *f, const char *host, struct cli_fault *fault)
{
	CLEANUP(expected_free) struct expected e = { .name = NULL };
	CLEANUP_FREE struct fleet_record *record = malloc(sizeof(*record));
	CLEANUP_FREE char *text = NULL;

	if (!record)
		return cli_fail(fault, CLI_IO, "out of memory: %s", host);
	if (!fleet_find(f, host, record, &e, fault))
		return false;
	text = expected_text(&e);
	if (!text)
		return cli_fail(fault, CLI_IO, "out of memory: %s", host);
	(void)fputs(text, stdout);
	return true;
}

GL_MUST static bool extract(const struct fleet *f, const struct options *o, struct cli_fault *fault)
{
	CLEANUP_FREE char *leftover = NULL;

	if (!fleet_extract(f, o->host, o->output, o->force, &leftover, fault))
		return false;
	if (leftover)
		cli_error(COMMAND, "warning: " TREE_LEFTOVER, leftover);
	return true;
}

GL_MUST static bool act(const struct options *o, struct cli_fault *fault)
{
	CLEANUP(fleet_close) struct fleet f = FLEET_NONE;

	if (!fleet_open(o->dir, &f, fault))
		return false;
	switch (o->action) {
	case LIST:
		return o->json ? list_json(&f, fault) : fleet_each(&f, print_name, NULL, fault);
	case SHOW:
		return show(&f, o->host, fault);
	default:
		return extract(&f, o, fault);
	}
}

static int run(int argc, char **argv)
{
	struct options o = { .force = false };
	struct cli_fault fault;
	int rc = parse_options(argc, argv, &o);
	bool ok = true;

	if (rc != CLI_OK)
		return rc;
	if (o.help)
		print_help();
	else
		ok = act(&o, &fault);
	return ok && cli_flush(&fault) ? CLI_OK : cli_report(COMMAND, &fault);
}

const struct cli_command cmd_fleet = { COMMAND, "read what 'build --fleet' has made for many hosts", run };
