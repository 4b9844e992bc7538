/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/cli.h"

/* clang-format off */
static const struct cli_command *const commands[] = {
	&cmd_build, &cmd_install, &cmd_geo, &cmd_verify, &cmd_log, &cmd_vlp, &cmd_lcp, &cmd_acm, &cmd_txt, &cmd_provision, &cmd_lint,
	&cmd_fleet,
};
/* clang-format on */

/* What the exit codes mean, for --help; geolaunch(1) says the same. */
static const struct {
	enum cli_exit code;
	const char *meaning;
} exits[] = {
	{ CLI_OK, "done (verify: trusted)" },
	{ CLI_IO, "a file or the system failed" },
	{ CLI_USAGE, "wrong usage" },
	{ CLI_INPUT, "an input is wrong" },
	{ CLI_TPM, "the TPM failed" },
	{ CLI_DIFFERENT, "what is compared differs" },
	{ CLI_DENIED, "lcp evaluate: the launch is denied" },
	{ CLI_NO_DRTM, "verify: no-drtm" },
	{ CLI_GEO_MISSING, "verify: geo-missing" },
	{ CLI_GEO_MISMATCH, "verify: geo-mismatch" },
	{ CLI_MODULE_MISMATCH, "verify: module-mismatch" },
	{ CLI_POLICY_MISMATCH, "verify: policy-mismatch" },
	{ CLI_LOG_MISMATCH, "verify: log-mismatch" },
	{ CLI_CAPPED, "verify: capped" },
	{ CLI_LINT, "lint: there are errors" },
};

static void print_help(void)
{
	printf("usage: geolaunch COMMAND [ARGUMENTS]\n"
	       "       geolaunch help [COMMAND]\n"
	       "       geolaunch --help | --version\n"
	       "\n"
	       "Prepares, predicts and verifies the measured launch of a virtual machine host.\n"
	       "\n"
	       "commands:\n");
	for (size_t i = 0; i < GL_COUNT(commands); i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n'geolaunch COMMAND --help' shows the options of a command; see also geolaunch(1).\n\nexit codes:\n");
	for (size_t i = 0; i < GL_COUNT(exits); i++)
		printf("  %2d  %s\n", exits[i].code, exits[i].meaning);
}

static int finish(void)
{
	struct cli_fault fault;

	return cli_flush(&fault) ? CLI_OK : cli_report("", &fault);
}

static const struct cli_command *find(const char *name)
{
	for (size_t i = 0; i < GL_COUNT(commands); i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	cli_error("", "unknown command: %s: see 'geolaunch --help'", name);
	return CLI_USAGE;
}

/* `geolaunch help build` as `geolaunch build --help`. */
static int help_of(char *name)
{
	static char option[] = "--help";
	char *arguments[] = { name, option, NULL };
	const struct cli_command *command = find(name);

	return command ? command->run(2, arguments) : unknown(name);
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct cli_command *command;

	if (!strcmp(word, "help") && argc > 2)
		return help_of(argv[2]);
	if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) {
		print_help();
		return finish();
	}
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		printf("geolaunch %s\n", GEOLAUNCH_VERSION);
		return finish();
	}
	command = find(word);
	if (command)
		return command->run(argc - 1, argv + 1);
	if (*word)
		return unknown(word);
	cli_error("", "no command given: see 'geolaunch --help'");
	return CLI_USAGE;
}
