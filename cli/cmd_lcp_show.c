/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/lcp.h"
#include "common/cursor.h"

#define COMMAND "lcp show"
#define HELP "'geolaunch lcp show --help'"

enum kind { POLICY, LIST, ELEMENT, DATA, UNKNOWN };

static const char *const kind_names[UNKNOWN] = { "policy", "list", "element", "data" };

struct options {
	const char *file;
	enum kind kind;
	bool json;
	bool help;
};

/* What a file was decoded to. */
struct decoded {
	enum kind kind;
	enum lcp_error valid;
	struct lcp_where where;
	struct lcp_policy policy;
	struct lcp_list list;
	struct lcp_element element;
	struct lcp_data data;
};

enum { OPTION_JSON = 256, OPTION_TYPE };

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "type", required_argument, NULL, OPTION_TYPE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch lcp show [--json] [--type T] FILE\n"
	       "\n"
	       "Shows a policy, a policy list, an element or a policy data file, with every field, and says\n"
	       "which rule it violates, if one.\n"
	       "\n"
	       "      --json    print as JSON\n"
	       "      --type T  policy, list, element, data (default: recognised)\n"
	       "  -h, --help    this text\n");
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_JSON:
			o->json = true;
			break;
		case OPTION_TYPE:
			o->kind = POLICY;
			while (o->kind < UNKNOWN && strcmp(kind_names[o->kind], optarg) != 0)
				o->kind++;
			if (o->kind == UNKNOWN) {
				cli_error(COMMAND, "--type %s: not one of policy, list, element, data", optarg);
				return CLI_USAGE;
			}
			break;
		case 'h':
			o->help = true;
			return CLI_OK;
		default:
			return cli_usage_error(COMMAND, argc, argv, option, HELP);
		}
	}
	if (argc - optind != 1) {
		cli_error(COMMAND, "give one file: see " HELP);
		return CLI_USAGE;
	}
	o->file = argv[optind];
	return CLI_OK;
}

/* Of bytes that fit none, what they begin with decides which error is told. */
static enum kind recognise(struct span s)
{
	static const enum kind kinds[FILE_KIND_COUNT] = { [FILE_UNKNOWN] = UNKNOWN,
		[FILE_LCP_POLICY] = POLICY,
		[FILE_LCP_LIST] = LIST,
		[FILE_LCP_ELEMENT] = ELEMENT,
		[FILE_LCP_DATA] = DATA,
		[FILE_VLP] = UNKNOWN,
		[FILE_ACM] = UNKNOWN,
		[FILE_ELF] = UNKNOWN,
		[FILE_PE] = UNKNOWN,
		[FILE_GZIP] = UNKNOWN };
	enum file_kind kind = file_kind(s);
	struct rd r = rd_init(s);
	uint16_t version = rd_le16(&r);

	if (kind != FILE_UNKNOWN)
		return kinds[kind];
	if (lcp_list_version_name(version))
		return s.n <= LCP_POLICY_MAX_SIZE && version >= LCP_POLICY_3_0 ? POLICY : LIST;
	return version >= LCP_POLICY_2_0 && version <= LCP_POLICY_3_2 ? POLICY : UNKNOWN;
}

static bool unknown(const char *path, struct span s, struct cli_fault *fault)
{
	static const char *const shows[FILE_KIND_COUNT] = {
		[FILE_VLP] = ": 'geolaunch vlp show' shows it", [FILE_ACM] = ": 'geolaunch acm show' shows it"
	};
	enum file_kind kind = file_kind(s);

	return cli_fail(fault, CLI_INPUT, "%s: neither a policy, a list, an element nor a policy data file%s%s%s", path,
		kind ? ": this is " : "", kind ? file_kind_name(kind) : "", shows[kind] ? shows[kind] : "");
}

GL_MUST static bool decode(const char *path, struct span s, struct decoded *d, struct cli_fault *fault)
{
	enum lcp_error error = LCP_OK;

	d->where = (struct lcp_where){ -1, -1 };
	switch (d->kind) {
	case POLICY:
		error = lcp_policy_decode(s, &d->policy);
		d->valid = error ? error : lcp_policy_validate(&d->policy);
		break;
	case LIST:
		error = lcp_list_decode(s, &d->list);
		d->valid = error ? error : lcp_list_validate(&d->list, &d->where.element);
		break;
	case ELEMENT:
		error = lcp_element_decode(s, &d->element);
		d->valid = error ? error : lcp_element_validate(&d->element);
		break;
	case DATA:
		error = lcp_data_decode(s, &d->data, &d->where);
		d->valid = error ? error : lcp_data_validate(&d->data, &d->where);
		break;
	case UNKNOWN:
		return unknown(path, s, fault);
	}
	return !error || lcp_refuse(fault, path, error);
}

static json_t *content_json(const struct decoded *d, struct span bytes)
{
	switch (d->kind) {
	case POLICY:
		return lcp_json_policy(&d->policy);
	case LIST:
		return lcp_json_list(&d->list);
	case ELEMENT:
		return lcp_json_element(bytes);
	default:
		return lcp_json_data(&d->data);
	}
}

GL_MUST static bool print_json(const struct options *o, const struct decoded *d, struct span bytes, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *out =
		json_pack("{s:o, s:s, s:I, s:b, s:s?, s:o?, s:o?, s:o}", "file", cli_json_text(o->file), "kind", kind_names[d->kind],
			"size", (json_int_t)bytes.n, "valid", d->valid == LCP_OK, "error", d->valid ? lcp_strerror(d->valid) : NULL,
			"error_list", d->where.list >= 0 ? json_integer(d->where.list) : NULL, "error_element",
			d->where.element >= 0 ? json_integer(d->where.element) : NULL, kind_names[d->kind], content_json(d, bytes));

	return cli_json_print(out, fault);
}

static void print_text(const struct decoded *d, struct text *t)
{
	switch (d->kind) {
	case POLICY:
		lcp_policy_print(&d->policy, t);
		break;
	case LIST:
		text_str(t, "list:\n");
		lcp_list_print(&d->list, 2, t);
		break;
	case ELEMENT:
		text_str(t, "element:\n");
		lcp_element_print(&d->element, 2, t);
		break;
	default:
		lcp_data_print(&d->data, t);
		break;
	}
}

GL_MUST static bool show(const struct options *o, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes file = { NULL, 0 };
	CLEANUP_FREE struct decoded *d = calloc(1, sizeof(*d));
	CLEANUP_FREE char *buf = NULL;
	struct text t = { .cap = 0 };

	if (!lcp_read(o->file, &file, fault))
		return false;
	/* Every byte becomes two digits; names and line ends of the shortest fields are below this. */
	t.cap = 16 * file.n + 65536;
	t.p = buf = malloc(t.cap);
	if (!d || !buf)
		return cli_fail(fault, CLI_IO, "out of memory");
	buf[0] = 0;
	d->kind = o->kind == UNKNOWN ? recognise(lcp_bytes_span(&file)) : o->kind;
	if (!decode(o->file, lcp_bytes_span(&file), d, fault))
		return false;
	if (o->json)
		return print_json(o, d, lcp_bytes_span(&file), fault);
	print_text(d, &t);
	(void)fputs(buf, stdout);
	if (!cli_flush(fault))
		return false;
	return d->valid == LCP_OK || lcp_refuse(fault, o->file, d->valid);
}

static int run(int argc, char **argv)
{
	struct options o = { .kind = UNKNOWN };
	struct cli_fault fault = { .code = CLI_OK };
	int code = parse_options(argc, argv, &o);

	if (code != CLI_OK)
		return code;
	if (o.help)
		return lcp_finish(COMMAND, cli_help(print_help, &fault), &fault);
	return lcp_finish(COMMAND, show(&o, &fault), &fault);
}

const struct lcp_action lcp_action_show = { "show", COMMAND, "show policy, list, element or data", run };
