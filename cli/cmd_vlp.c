/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/cmd_vlp.h"

#include <getopt.h>
#include <string.h>

enum verb { CREATE, ADD, DEL, SHOW, CHECK, DIFF, WRAP, UNWRAP, VERB_COUNT };

static const struct {
	const char *name;
	int files;
	const char *missing;
	bool (*run)(const struct vlp_args *a, int *code, struct cli_fault *fault);
} verbs[VERB_COUNT] = {
	[CREATE] = { "create", 1, "name one policy file", vlp_create },
	[ADD] = { "add", 1, "name one policy file", vlp_add },
	[DEL] = { "del", 1, "name one policy file", vlp_del },
	[SHOW] = { "show", 1, "name one policy file", vlp_show },
	[CHECK] = { "check", 1, "name one policy file", vlp_check_file },
	[DIFF] = { "diff", 2, "name two policy files", vlp_diff },
	[WRAP] = { "wrap", 1, "name one policy file", vlp_wrap },
	[UNWRAP] = { "unwrap", 1, "name one file with an element, a list or policy data", vlp_unwrap },
};

#define VERB(v) (1u << (v))

/* Where an option goes: text and flags to their place, the others to `given`. */
static const struct {
	const char *name;
	unsigned verbs;
	enum { TEXT, FLAG, GIVEN } kind;
	size_t offset;
	enum vlp_given_kind given;
} options[] = {
	{ "type", VERB(CREATE), TEXT, offsetof(struct vlp_args, type), 0 },
	{ "alg", VERB(CREATE), TEXT, offsetof(struct vlp_args, alg), 0 },
	{ "ctrl", VERB(CREATE) | VERB(WRAP), TEXT, offsetof(struct vlp_args, ctrl), 0 },
	{ "from-manifest", VERB(CREATE), TEXT, offsetof(struct vlp_args, manifest), 0 },
	{ "update", VERB(CREATE), FLAG, offsetof(struct vlp_args, update), 0 },
	{ "force", VERB(CREATE) | VERB(WRAP) | VERB(UNWRAP), FLAG, offsetof(struct vlp_args, force), 0 },
	{ "num", VERB(ADD) | VERB(DEL), TEXT, offsetof(struct vlp_args, num), 0 },
	{ "nv-index", VERB(ADD) | VERB(DEL), TEXT, offsetof(struct vlp_args, nv_index), 0 },
	{ "nv-raw", VERB(ADD), FLAG, offsetof(struct vlp_args, nv_raw), 0 },
	{ "pcr", VERB(ADD), TEXT, offsetof(struct vlp_args, pcr), 0 },
	{ "hash", VERB(ADD), GIVEN, 0, VLP_GIVEN_HASH },
	{ "image", VERB(ADD), GIVEN, 0, VLP_GIVEN_IMAGE },
	{ "content", VERB(ADD), GIVEN, 0, VLP_GIVEN_CONTENT },
	{ "cmdline", VERB(ADD), TEXT, offsetof(struct vlp_args, cmdline), 0 },
	{ "no-decompress", VERB(ADD), FLAG, offsetof(struct vlp_args, no_decompress), 0 },
	{ "at", VERB(ADD), TEXT, offsetof(struct vlp_args, at), 0 },
	{ "pos", VERB(DEL), TEXT, offsetof(struct vlp_args, pos), 0 },
	{ "all", VERB(DEL), FLAG, offsetof(struct vlp_args, all), 0 },
	{ "output", VERB(WRAP) | VERB(UNWRAP), TEXT, offsetof(struct vlp_args, output), 0 },
	{ "json", VERB(SHOW) | VERB(CHECK) | VERB(DIFF), FLAG, offsetof(struct vlp_args, json), 0 },
	{ "strict", VERB(CHECK), FLAG, offsetof(struct vlp_args, strict), 0 },
	{ "help", VERB(VERB_COUNT) - 1, FLAG, offsetof(struct vlp_args, help), 0 },
};

/* getopt_long()'s value for options[i]; above every character. */
#define OPTION_BASE 256

static bool print_help(struct cli_fault *fault)
{
	printf("usage: geolaunch vlp create --type nonfatal|continue|halt [--alg ALG] [--ctrl 0|1] FILE\n"
	       "       geolaunch vlp create --from-manifest MANIFEST FILE\n"
	       "       geolaunch vlp create --update [--type TYPE] [--ctrl 0|1] FILE\n"
	       "       geolaunch vlp add    --num N|any [--pcr N|none] --hash any FILE\n"
	       "       geolaunch vlp add    --num N|any [--pcr N|none] [--cmdline STR]\n"
	       "                            --image IMAGE|--hash HEX... FILE\n"
	       "       geolaunch vlp add    --nv-index N [--nv-raw] [--pcr N|none]\n"
	       "                            --content CONTENT|--hash HEX|any... FILE\n"
	       "       geolaunch vlp del    --num N|any | --nv-index N [--pos N | --all] FILE\n"
	       "       geolaunch vlp show   [--json] FILE\n"
	       "       geolaunch vlp check  [--strict] [--json] FILE\n"
	       "       geolaunch vlp diff   [--json] FILE FILE\n"
	       "       geolaunch vlp wrap   [--ctrl N] -o ELEMENT [--force] FILE\n"
	       "       geolaunch vlp unwrap -o FILE [--force] ELEMENT\n"
	       "\n"
	       "Makes, changes and reads tboot's Verified Launch Policy.\n"
	       "\n");
	printf("create:\n"
	       "      --type TYPE      what follows from an error: nonfatal, continue, halt\n"
	       "      --alg ALG        sha1, sha256 (default), sha384, sha512\n"
	       "      --ctrl 0|1       1 (default): the policy is extended into PCR 17 and 18\n"
	       "      --from-manifest MANIFEST\n"
	       "                       the policy that 'geolaunch build' makes\n"
	       "      --update         change type and control of a policy that exists\n"
	       "      --force          replace a file that exists; - is standard output\n"
	       "add:\n"
	       "      --num N          module 0 to 127, or any\n"
	       "      --nv-index N     NV index, in place of a module\n"
	       "      --nv-raw         its content is extended as it is\n"
	       "      --pcr N          0 to 23, or none\n"
	       "      --image IMAGE    hash of a module's file; may be repeated\n"
	       "      --cmdline STR    the command line hashed with each image (default: empty)\n"
	       "      --no-decompress  hash gzip files as they are\n"
	       "      --content FILE   hash of an NV index's content; may be repeated\n"
	       "      --hash HASH      a hash in hexadecimal, may be repeated; or any;\n"
	       "                       or image, which says nothing more than --image\n"
	       "      --at N           number of the new entry (default: the last)\n");
	printf("del:\n"
	       "      --pos N          remove this hash only, counted from 0\n"
	       "      --all            remove the entry with all of its hashes\n"
	       "check:\n"
	       "      --strict         warnings, too, end with exit code 3\n"
	       "wrap, unwrap:\n"
	       "      --ctrl N         control field of the LCP element (default 1)\n"
	       "  -o, --output FILE    file to write; - for standard output\n"
	       "      --force          replace a file that exists\n"
	       "show, check, diff:\n"
	       "      --json           print JSON\n"
	       "  -h, --help           this text\n");
	return cli_flush(fault);
}

bool vlp_misused(struct cli_fault *fault, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return cli_fail(fault, CLI_USAGE, "%s: see " VLP_HELP, what);
}

static bool take_option(struct vlp_args *a, size_t i, const char *value, struct cli_fault *fault)
{
	const char **text;

	switch (options[i].kind) {
	case FLAG:
		*(bool *)((char *)a + options[i].offset) = true;
		return true;
	case TEXT:
		text = (const char **)((char *)a + options[i].offset);
		if (*text)
			return vlp_misused(fault, "--%s is given twice", options[i].name);
		*text = value;
		return true;
	case GIVEN:
		break;
	}
	if (a->given_count == VLP_GIVEN_MAX)
		return vlp_misused(fault, "more than %d hashes: no policy has room for them", VLP_GIVEN_MAX);
	a->given[a->given_count].kind = options[i].given;
	a->given[a->given_count++].value = value;
	return true;
}

/* The table's row behind getopt_long()'s value, -1 if there is none. */
static int option_number(int value)
{
	if (value >= OPTION_BASE)
		return value - OPTION_BASE;
	for (size_t i = 0; i < GL_COUNT(options); i++)
		if ((value == 'h' && !strcmp(options[i].name, "help")) || (value == 'o' && !strcmp(options[i].name, "output")))
			return (int)i;
	return -1;
}

/* argv[0] is the action. False with CLI_USAGE; an empty text: it is said already. */
static bool parse(enum verb verb, int argc, char **argv, struct vlp_args *a, struct cli_fault *fault)
{
	struct option known[GL_COUNT(options) + 1] = { { .name = NULL } };
	const char *letters = verb == WRAP || verb == UNWRAP ? ":ho:" : ":h";
	size_t n = 0;
	int option;

	for (size_t i = 0; i < GL_COUNT(options); i++)
		if (options[i].verbs & VERB(verb))
			known[n++] =
				(struct option){ .name = options[i].name, .has_arg = options[i].kind != FLAG, .val = (int)i + OPTION_BASE };
	opterr = 0;
	while ((option = getopt_long(argc, argv, letters, known, NULL)) != -1) {
		int i = option_number(option);

		if (i < 0) {
			fault->text[0] = 0;
			fault->code = cli_usage_error(VLP_COMMAND, argc, argv, option, VLP_HELP);
			return false;
		}
		if (!take_option(a, (size_t)i, optarg, fault))
			return false;
		if (a->help)
			return true;
	}
	if (argc - optind != verbs[verb].files)
		return vlp_misused(fault, "%s: %s", verbs[verb].name, verbs[verb].missing);
	a->files = argv + optind;
	return true;
}

static bool run_verb(int argc, char **argv, int *code, struct cli_fault *fault)
{
	const char *word = argc > 1 ? argv[1] : "";
	struct vlp_args a = { .help = !strcmp(word, "--help") || !strcmp(word, "-h") };
	enum verb verb = 0;

	while (verb < VERB_COUNT && strcmp(word, verbs[verb].name) != 0)
		verb++;
	if (!a.help && verb == VERB_COUNT)
		return vlp_misused(fault, "%s: say one of create, add, del, show, check, diff, wrap, unwrap", *word ? word : "no action");
	if (!a.help && !parse(verb, argc - 1, argv + 1, &a, fault))
		return false;
	return a.help ? print_help(fault) : verbs[verb].run(&a, code, fault);
}

static int run(int argc, char **argv)
{
	struct cli_fault fault = { .code = CLI_OK };
	int code = CLI_OK;

	if (run_verb(argc, argv, &code, &fault))
		return code;
	return fault.text[0] ? cli_report(VLP_COMMAND, &fault) : (int)fault.code;
}

const struct cli_command cmd_vlp = { VLP_COMMAND, "make, change and read a Verified Launch Policy", run };
