/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/acm_json.h"
#include "cli/cli.h"
#include "cli/machine.h"
#include "lcp/acm.h"

#define COMMAND "acm"
#define HELP "'geolaunch acm --help'"

struct options {
	const char *file;
	struct acm_platform platform;
	bool this_machine;
	bool compare; /* something to compare with was given */
	bool json;
	bool help;
};

enum { OPTION_DIDVID = 256, OPTION_CPU, OPTION_FUSED, OPTION_THIS_MACHINE, OPTION_JSON };

static const struct option long_options[] = {
	{ "didvid", required_argument, NULL, OPTION_DIDVID },
	{ "cpu", required_argument, NULL, OPTION_CPU },
	{ "fused", required_argument, NULL, OPTION_FUSED },
	{ "this-machine", no_argument, NULL, OPTION_THIS_MACHINE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch acm show FILE [OPTIONS]\n"
	       "\n"
	       "Shows an authenticated code module (SINIT, BIOS ACM): header, info table, lists of\n"
	       "chipsets, processors and TPMs; and whether it fits a platform.\n"
	       "\n"
	       "      --didvid V:D:R     chipset to compare with: vendor, device and revision of\n"
	       "                         TXT.DIDVID, hexadecimal, for example 8086:b00c:1\n"
	       "      --cpu FMS[:ID]     processor to compare with: EAX of CPUID leaf 1, platform id\n"
	       "                         (MSR 0x17), hexadecimal, for example 906a4:1c000000000000\n"
	       "      --fused KIND       chipset's fusing to compare with: production or debug\n"
	       "      --this-machine     compare with this machine's registers (as root)\n"
	       "      --json             report as JSON\n"
	       "  -h, --help             this text\n"
	       "\n"
	       "Exit code 5: the module does not fit the platform.\n");
}

/* Hexadecimal with or without 0x up to `end` or the string's end; *s moves behind it. */
GL_MUST static bool take_hex(const char **s, char end, uint64_t max, uint64_t *out)
{
	const char *stop = strchr(*s, end);
	size_t n = stop ? (size_t)(stop - *s) : strlen(*s);
	char buf[24] = "0x";

	if (n >= sizeof(buf) - 2)
		return false;
	if (n > 2 && (*s)[0] == '0' && (*s)[1] == 'x')
		memcpy(buf, *s, n);
	else
		memcpy(buf + 2, *s, n);
	*s += stop ? n + 1 : n;
	return cli_number(buf, max, out);
}

GL_MUST static bool parse_didvid(const char *s, struct acm_platform *p)
{
	const char *at = s;
	uint64_t vendor, device, revision;

	if (!take_hex(&at, ':', UINT16_MAX, &vendor) || !take_hex(&at, ':', UINT16_MAX, &device) ||
		!take_hex(&at, '\0', UINT16_MAX, &revision)) {
		cli_error(COMMAND, "--didvid %s: not vendor, device and revision such as 8086:b00c:1", s);
		return false;
	}
	p->has_didvid = true;
	p->vendor_id = (uint16_t)vendor;
	p->device_id = (uint16_t)device;
	p->revision_id = (uint16_t)revision;
	return true;
}

GL_MUST static bool parse_cpu(const char *s, struct acm_platform *p)
{
	const char *at = s;
	uint64_t fms, id = 0;

	p->has_platform_id = strchr(s, ':') != NULL;
	if (!take_hex(&at, ':', UINT32_MAX, &fms) || (p->has_platform_id && !take_hex(&at, '\0', UINT64_MAX, &id))) {
		cli_error(COMMAND, "--cpu %s: not family/model/stepping and platform id such as 906a4:1c000000000000", s);
		return false;
	}
	p->has_cpu = true;
	p->fms = (uint32_t)fms;
	p->platform_id = id;
	return true;
}

GL_MUST static bool parse_fused(const char *s, struct acm_platform *p)
{
	p->has_fusing = true;
	p->production = strcmp(s, "production") == 0;
	if (p->production || strcmp(s, "debug") == 0)
		return true;
	cli_error(COMMAND, "--fused %s: not production or debug", s);
	return false;
}

GL_MUST static bool parse_platform(int option, struct options *o)
{
	o->compare = true;
	switch (option) {
	case OPTION_DIDVID:
		return parse_didvid(optarg, &o->platform);
	case OPTION_CPU:
		return parse_cpu(optarg, &o->platform);
	default:
		return parse_fused(optarg, &o->platform);
	}
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_DIDVID:
		case OPTION_CPU:
		case OPTION_FUSED:
			if (!parse_platform(option, o))
				return CLI_USAGE;
			break;
		case OPTION_THIS_MACHINE:
			o->this_machine = true;
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
	if (argc - optind != 2 || strcmp(argv[optind], "show") != 0) {
		cli_error(COMMAND, "say show and one file: see " HELP);
		return CLI_USAGE;
	}
	if (o->this_machine && o->compare) {
		cli_error(COMMAND, "either --this-machine or values to compare with, not both: see " HELP);
		return CLI_USAGE;
	}
	o->compare = o->compare || o->this_machine;
	o->file = argv[optind + 1];
	return CLI_OK;
}

/* ---- report ---- */

/* Room for everything: an element of a list takes the more text the fewer bytes it has; an algorithm, 2 bytes, is a line. */
#define TEXT_MIN 4096
#define TEXT_PER_ELEMENT 160

static size_t text_room(const struct acm *a)
{
	return TEXT_MIN + TEXT_PER_ELEMENT * ((size_t)a->chipsets.count + a->chipsets2.count + a->processors.count + a->tpm_algs.count);
}

GL_MUST static bool print_text(
	const struct options *o, const struct acm *a, enum acm_error rule, enum acm_match match, struct cli_fault *fault)
{
	size_t cap = text_room(a);
	CLEANUP_FREE char *buf = malloc(cap);
	struct text t = { .p = buf, .cap = cap };

	if (!buf)
		return cli_fail(fault, CLI_IO, "out of memory: %s", o->file);
	acm_print(a, &t);
	(void)fputs(buf, stdout);
	if (rule)
		printf("warning: %s\n", acm_strerror(rule));
	if (o->compare)
		printf("platform: %s\n", acm_match_text(match));
	return cli_flush(fault);
}

GL_MUST static bool print_json(
	const struct options *o, const struct acm *a, enum acm_error rule, enum acm_match match, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *root = acm_json(a);

	if (!root || json_object_set_new(root, "file", cli_json_text(o->file)) != 0 ||
		json_object_set_new(root, "warning", rule ? json_string(acm_strerror(rule)) : json_null()) != 0)
		return cli_json_print(NULL, fault);
	if (o->compare && json_object_set_new(root, "platform",
				  json_pack("{s:b, s:s}", "matches", match == ACM_MATCHES, "text", acm_match_text(match))) != 0)
		return cli_json_print(NULL, fault);
	return cli_json_print(root, fault);
}

GL_MUST static bool show(struct options *o, enum acm_match *match, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	struct acm a;
	enum acm_error e;
	size_t n;

	if (!read_file(o->file, ACM_MAX_SIZE, &bytes, &n, fault))
		return false;
	e = acm_decode((struct span){ bytes, n }, &a);
	if (e)
		return cli_fail(fault, CLI_INPUT, "this is no authenticated code module: %s: %s", o->file, acm_strerror(e));
	if (o->this_machine && !machine_platform(&o->platform, fault))
		return false;
	*match = o->compare ? acm_match(&a, &o->platform) : ACM_MATCHES;
	e = acm_validate(&a);
	return o->json ? print_json(o, &a, e, *match, fault) : print_text(o, &a, e, *match, fault);
}

static int run(int argc, char **argv)
{
	struct options o = { .json = false };
	enum acm_match match = ACM_MATCHES;
	struct cli_fault fault;
	int rc = parse_options(argc, argv, &o);
	bool ok;

	if (rc != CLI_OK)
		return rc;
	ok = o.help ? cli_help(print_help, &fault) : show(&o, &match, &fault);
	if (!ok)
		return cli_report(COMMAND, &fault);
	return match == ACM_MATCHES ? CLI_OK : CLI_DIFFERENT;
}

const struct cli_command cmd_acm = { COMMAND, "show an authenticated code module (SINIT)", run };
