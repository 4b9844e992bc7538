/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/lcp.h"

/* clang-format off */
static const struct lcp_action *const actions[] = {
	&lcp_action_mle_hash, &lcp_action_element, &lcp_action_list, &lcp_action_policy, &lcp_action_data, &lcp_action_sign,
	&lcp_action_verify, &lcp_action_show, &lcp_action_evaluate,
};
/* clang-format on */

static void print_help(void)
{
	printf("usage: geolaunch lcp ACTION [ARGUMENTS]\n"
	       "\n"
	       "Launch control policies, which SINIT obeys: makes, signs, shows and evaluates them.\n"
	       "\n"
	       "actions:\n");
	for (size_t i = 0; i < GL_COUNT(actions); i++)
		printf("  %-9s %s\n", actions[i]->name, actions[i]->summary);
	printf("\n'geolaunch lcp ACTION --help' shows the options of an action; see also geolaunch-lcp(1).\n");
}

static int run(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	struct cli_fault fault;

	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return lcp_finish("lcp", cli_help(print_help, &fault), &fault);
	for (size_t i = 0; i < GL_COUNT(actions); i++)
		if (!strcmp(word, actions[i]->name))
			return actions[i]->run(argc - 1, argv + 1);
	if (*word)
		cli_error("lcp", "unknown action: %s: see 'geolaunch lcp --help'", word);
	else
		cli_error("lcp", "no action given: see 'geolaunch lcp --help'");
	return CLI_USAGE;
}

const struct cli_command cmd_lcp = { "lcp", "make, sign, show and evaluate launch control policies", run };
