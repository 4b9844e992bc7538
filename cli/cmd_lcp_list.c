/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/lcp.h"

/* `lcp list` and `lcp data`: both put files one behind the other under a header. */

#define LIST "lcp list"
#define LIST_HELP "'geolaunch lcp list --help'"
#define DATA "lcp data"
#define DATA_HELP "'geolaunch lcp data --help'"

enum { OPTION_VERSION = 256, OPTION_DROP, OPTION_FORCE };

/* ---- lists ---- */

struct list_options {
	bool add;
	uint16_t version;
	const char *output;
	bool drop;
	bool force;
	char **files;
	int file_count;
	bool help;
};

static const struct option list_long_options[] = {
	{ "version", required_argument, NULL, OPTION_VERSION },
	{ "output", required_argument, NULL, 'o' },
	{ "drop-signature", no_argument, NULL, OPTION_DROP },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_list_help(void)
{
	printf("usage: geolaunch lcp list create [--version V] [--force] -o LIST ELEMENT...\n"
	       "       geolaunch lcp list add [-o LIST [--force]] [--drop-signature] LIST ELEMENT...\n"
	       "\n"
	       "Makes a policy list of elements, or adds elements to one.\n"
	       "\n"
	       "      --version V       2.0, 2.1 (default) or 3.0\n"
	       "  -o, --output LIST     the list; - for standard output; add: default is the same file\n"
	       "      --force           replace a file that exists\n"
	       "      --drop-signature  add: to a signed list, which then is unsigned\n"
	       "  -h, --help            this text\n");
}

static int check_list_options(int argc, char **argv, struct list_options *o)
{
	bool create = optind < argc && strcmp(argv[optind], "create") == 0;

	o->add = optind < argc && strcmp(argv[optind], "add") == 0;
	if (!create && !o->add) {
		cli_error(LIST, "say create or add: see " LIST_HELP);
		return CLI_USAGE;
	}
	o->files = argv + optind + 1;
	o->file_count = argc - optind - 1;
	if (o->file_count < (o->add ? 2 : 1)) {
		cli_error(LIST, "%s: see " LIST_HELP, o->add ? "name a list and at least one element" : "name at least one element");
		return CLI_USAGE;
	}
	if (create && (!o->output || o->drop)) {
		cli_error(LIST, "%s: see " LIST_HELP, o->drop ? "--drop-signature is for add" : "no output file: name it with -o");
		return CLI_USAGE;
	}
	if (o->add && o->version) {
		cli_error(LIST, "--version is for create: see " LIST_HELP);
		return CLI_USAGE;
	}
	return CLI_OK;
}

static int parse_list_options(int argc, char **argv, struct list_options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:h", list_long_options, NULL)) != -1) {
		switch (option) {
		case 'o':
			o->output = optarg;
			break;
		case OPTION_DROP:
			o->drop = true;
			break;
		case OPTION_FORCE:
			o->force = true;
			break;
		case OPTION_VERSION:
			if (!lcp_list_version_by_name(span_str(optarg), &o->version) || o->version < LCP_LIST_2_0) {
				cli_error(LIST, "--version %s: not one of 2.0, 2.1, 3.0", optarg);
				return CLI_USAGE;
			}
			break;
		case 'h':
			o->help = true;
			return CLI_OK;
		default:
			return cli_usage_error(LIST, argc, argv, option, LIST_HELP);
		}
	}
	return check_list_options(argc, argv, o);
}

/* Appends the file of one element, or of several one behind the other. */
GL_MUST static bool append_element(const char *path, struct lcp_bytes *out, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes file = { NULL, 0 };
	struct lcp_elements it;

	if (!lcp_read(path, &file, fault))
		return false;
	if (file.n == 0)
		return lcp_refuse(fault, path, LCP_E_ELEMENT_TRUNCATED);
	it = lcp_elements_in(lcp_bytes_span(&file));
	while (lcp_elements_left(&it)) {
		struct lcp_element e;
		struct span bytes = { NULL, 0 };
		enum lcp_error error = lcp_elements_next(&it, &bytes);

		if (!error)
			error = lcp_element_decode(bytes, &e);
		if (!error)
			error = lcp_element_validate(&e);
		if (error)
			return lcp_refuse_file(fault, path, &file, FILE_LCP_ELEMENT, error);
	}
	return lcp_append(out, lcp_bytes_span(&file), fault);
}

GL_MUST static bool begin_list(
	const struct list_options *o, struct lcp_list *l, struct lcp_bytes *file, struct lcp_bytes *elements, struct cli_fault *fault)
{
	if (!o->add) {
		*l = (struct lcp_list){ .version = o->version ? o->version : LCP_LIST_2_1, .sig_alg = LCP_ALG_NULL };
		return true;
	}
	if (!lcp_read_list(o->files[0], file, l, fault))
		return false;
	if (lcp_list_signed(l) && !o->drop)
		return cli_fail(fault, CLI_INPUT,
			"%s: the list is signed: its signature would no longer hold: give --drop-signature and sign it "
			"again",
			o->files[0]);
	l->sig_alg = LCP_ALG_NULL;
	memset(&l->sig, 0, sizeof(l->sig));
	return lcp_append(elements, l->elements, fault);
}

GL_MUST static bool make_list(const struct list_options *o, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes file = { NULL, 0 };
	CLEANUP_BYTES struct lcp_bytes elements = { NULL, 0 };
	struct lcp_list l;

	if (!lcp_check_output(o->output, o->add ? o->files[0] : NULL, o->force, fault) || !begin_list(o, &l, &file, &elements, fault))
		return false;
	for (int i = o->add; i < o->file_count; i++)
		if (!append_element(o->files[i], &elements, fault))
			return false;
	l.elements = lcp_bytes_span(&elements);
	return lcp_put_list(o->output, o->add ? o->files[0] : NULL, &l, fault);
}

static int run_list(int argc, char **argv)
{
	struct list_options o = { .version = 0 };
	struct cli_fault fault = { .code = CLI_OK };
	int code = parse_list_options(argc, argv, &o);

	if (code != CLI_OK)
		return code;
	if (o.help) {
		print_list_help();
		return lcp_finish(LIST, cli_flush(&fault), &fault);
	}
	return lcp_finish(LIST, make_list(&o, &fault), &fault);
}

const struct lcp_action lcp_action_list = { "list", LIST, "make a policy list of elements", run_list };

/* ---- policy data ---- */

static const struct option data_long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_data_help(void)
{
	printf("usage: geolaunch lcp data create -o DATA [--force] LIST...\n"
	       "\n"
	       "Makes the policy data file, which the boot loader gives to SINIT, of one to eight lists.\n"
	       "\n"
	       "  -o, --output DATA  the file; - for standard output\n"
	       "      --force        replace a file that exists\n"
	       "  -h, --help         this text\n");
}

/* Lists point into their files. */
struct lists {
	struct lcp_bytes files[LCP_MAX_LISTS];
	struct lcp_data data;
};

static void free_lists(struct lists *l)
{
	for (size_t i = 0; i < GL_COUNT(l->files); i++)
		lcp_bytes_free(&l->files[i]);
}

static bool refuse_data(char **paths, struct lcp_where where, enum lcp_error error, struct cli_fault *fault)
{
	char what[512] = "the policy data is not written";

	if (where.list >= 0 && where.element >= 0)
		(void)snprintf(what, sizeof(what), "%s: element %d", paths[where.list], where.element);
	else if (where.list >= 0)
		(void)snprintf(what, sizeof(what), "%s", paths[where.list]);
	return lcp_refuse(fault, what, error);
}

GL_MUST static bool make_data(const char *output, bool force, char **paths, int count, struct cli_fault *fault)
{
	CLEANUP(free_lists) struct lists l = { .data = { .list_count = 0 } };
	CLEANUP_BYTES struct lcp_bytes out = { NULL, 0 };
	struct lcp_where where = { -1, -1 };
	enum lcp_error error;
	size_t n = 0;

	if (!output_check(output, force, fault))
		return false;
	for (int i = 0; i < count; i++, l.data.list_count++)
		if (!lcp_read_list(paths[i], &l.files[i], &l.data.lists[i], fault))
			return false;
	error = lcp_data_validate(&l.data, &where);
	if (!error)
		error = lcp_data_encode(&l.data, (struct mspan){ NULL, 0 }, &n);
	if (error)
		return refuse_data(paths, where, error, fault);
	out.p = malloc(n);
	if (!out.p)
		return cli_fail(fault, CLI_IO, "out of memory");
	error = lcp_data_encode(&l.data, (struct mspan){ out.p, n }, &n);
	return error ? refuse_data(paths, where, error, fault) : output_write(output, (struct span){ out.p, n }, fault);
}

static int run_data(int argc, char **argv)
{
	struct cli_fault fault = { .code = CLI_OK };
	const char *output = NULL;
	bool force = false;
	int option, count;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:h", data_long_options, NULL)) != -1) {
		if (option == 'h') {
			print_data_help();
			return lcp_finish(DATA, cli_flush(&fault), &fault);
		}
		if (option != 'o' && option != OPTION_FORCE)
			return cli_usage_error(DATA, argc, argv, option, DATA_HELP);
		if (option == 'o')
			output = optarg;
		force = force || option == OPTION_FORCE;
	}
	count = argc - optind - 1;
	if (count < 0 || strcmp(argv[optind], "create") != 0) {
		cli_error(DATA, "say create: see " DATA_HELP);
		return CLI_USAGE;
	}
	if (!output || count < 1 || count > LCP_MAX_LISTS) {
		cli_error(DATA, "%s: see " DATA_HELP, !output ? "no output file: name it with -o" : "name one to eight lists");
		return CLI_USAGE;
	}
	return lcp_finish(DATA, make_data(output, force, argv + optind + 1, count, &fault), &fault);
}

const struct lcp_action lcp_action_data = { "data", DATA, "make the policy data file of lists", run_data };
