/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/lcp.h"
#include "lcp/mle_hash.h"

#define COMMAND "lcp mle-hash"
#define HELP "'geolaunch lcp mle-hash --help'"

enum { OPTION_ALG = 256, OPTION_CMDLINE };

static const struct option long_options[] = {
	{ "alg", required_argument, NULL, OPTION_ALG },
	{ "cmdline", required_argument, NULL, OPTION_CMDLINE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch lcp mle-hash [--alg ALG] [--cmdline STR] FILE\n"
	       "\n"
	       "Prints the digest that SINIT will compute over a measured launch environment, such\n"
	       "as /boot/tboot.gz, in hexadecimal. A file that is gzip'ed is unpacked first.\n"
	       "\n"
	       "      --alg ALG      sha1, sha256 (default), sha384, sha512\n"
	       "      --cmdline STR  the command line that the boot loader will give (default: none)\n"
	       "  -h, --help         this text\n");
}

GL_MUST static bool print_hash(const char *path, enum alg a, const char *cmdline, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes image = { NULL, 0 };
	struct span text = span_str(cmdline);
	struct lcp_mle mle;
	struct digests d;
	enum lcp_error error;

	if (!lcp_read_mle(path, &image, fault))
		return false;
	error = lcp_mle_find(lcp_bytes_span(&image), &mle);
	/* Without a command line the area is cleared all the same, if there is one: the loader does so. */
	if (!error)
		error = lcp_mle_digest(&mle, !*cmdline && mle.cmdline_start == mle.cmdline_end ? NULL : &text, ALG_BIT(a), &d);
	if (error)
		return lcp_refuse(fault, path, error);
	for (size_t i = 0; i < alg_table[a].size; i++)
		printf("%02x", d.d[a][i]);
	printf("\n");
	return cli_flush(fault);
}

static int run(int argc, char **argv)
{
	struct cli_fault fault = { .code = CLI_OK };
	const char *cmdline = "";
	enum alg a = ALG_SHA256;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == 'h')
			return lcp_finish(COMMAND, cli_help(print_help, &fault), &fault);
		if (option == OPTION_CMDLINE)
			cmdline = optarg;
		else if (option != OPTION_ALG)
			return cli_usage_error(COMMAND, argc, argv, option, HELP);
		else if (!lcp_option_alg("--alg", optarg, &a, &fault))
			return lcp_finish(COMMAND, false, &fault);
	}
	if (argc - optind != 1) {
		cli_error(COMMAND, "give one file: see " HELP);
		return CLI_USAGE;
	}
	return lcp_finish(COMMAND, print_hash(argv[optind], a, cmdline, &fault), &fault);
}

const struct lcp_action lcp_action_mle_hash = { "mle-hash", COMMAND, "the digest of a measured launch environment", run };
