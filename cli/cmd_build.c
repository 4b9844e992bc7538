/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/build.h"
#include "cli/cli.h"
#include "common/text.h"

#define COMMAND "build"
/* Where geolaunch.efi lies beside this program: installed (PREFIX/bin, PREFIX/lib), and in the build tree (build/host, build/efi). */
static const char *const beside[] = { "/../lib/geolaunch/geolaunch.efi", "/../efi/geolaunch.efi" };

struct options {
	struct build_options build;
	bool json;
	bool help;
};

enum { OPTION_EFI = 256, OPTION_JSON, OPTION_FORCE };

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "efi", required_argument, NULL, OPTION_EFI },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch build MANIFEST -o DIR [--efi FILE] [--json] [--force]\n"
	       "\n"
	       "Makes the EFI system partition's tree (DIR/esp) and the expected measurements\n"
	       "(DIR/expected.json) from a manifest, see geolaunch-manifest(5).\n"
	       "\n"
	       "  -o, --output DIR  directory to make; it appears complete or not at all\n"
	       "      --efi FILE    geolaunch.efi (default: $GEOLAUNCH_EFI, else\n"
	       "                    ../lib/geolaunch/geolaunch.efi beside this program)\n"
	       "      --json        print the summary as JSON\n"
	       "      --force       replace the output of an earlier build\n"
	       "  -h, --help        this text\n");
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:h", long_options, NULL)) != -1) {
		switch (option) {
		case 'o':
			o->build.output = optarg;
			break;
		case OPTION_EFI:
			o->build.efi = optarg;
			break;
		case OPTION_JSON:
			o->json = true;
			break;
		case OPTION_FORCE:
			o->build.force = true;
			break;
		case 'h':
			o->help = true;
			return CLI_OK;
		default:
			return cli_usage_error(COMMAND, argc, argv, option, "'geolaunch build --help'");
		}
	}
	if (argc - optind != 1) {
		cli_error(COMMAND, "%s: give one: see 'geolaunch build --help'", optind < argc ? "more than one manifest" : "no manifest");
		return CLI_USAGE;
	}
	if (!o->build.output || !*o->build.output) {
		cli_error(COMMAND, "no output directory: name it with -o: see 'geolaunch build --help'");
		return CLI_USAGE;
	}
	o->build.manifest = argv[optind];
	return CLI_OK;
}

/* `room` holds the path if it is one of those beside this program. */
static const char *efi_file(const struct options *o, char room[PATH_MAX + 64])
{
	const char *environment = getenv("GEOLAUNCH_EFI");
	ssize_t n;
	char *slash;

	if (o->build.efi)
		return o->build.efi;
	if (environment && *environment)
		return environment;
	n = readlink("/proc/self/exe", room, PATH_MAX);
	room[n < 0 ? 0 : n] = 0;
	slash = strrchr(room, '/');
	for (size_t i = GL_COUNT(beside); slash && i-- > 0;) {
		strcpy(slash, beside[i]);
		if (access(room, R_OK) == 0)
			return room;
	}
	if (!slash)
		strcpy(room, beside[0]);
	return room;
}

/* ---- warnings ---- */

/*
 * Links to folders of /usr in every initrd with merged /usr. The kernel, unpacking a member below one of them, replaces the link by an
 * empty folder (boot/cpio.h), and the host finds no shell.
 */
static const char *const usr_links[] = { "/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/" };

static bool add_warning(json_t *list, struct cli_fault *fault, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool add_warning(json_t *list, struct cli_fault *fault, const char *format, ...)
{
	json_t *text;
	va_list args;

	va_start(args, format);
	text = json_vsprintf(format, args);
	va_end(args);
	return json_array_append_new(list, text) == 0 || cli_fail(fault, CLI_IO, "out of memory: warnings");
}

/* Each is one line: what, where, what to do. */
static bool find_warnings(const struct build_result *r, json_t *list, struct cli_fault *fault)
{
	const struct manifest *m = &r->manifest;

	if (r->leftover && !add_warning(list, fault, "the replaced directory could not be removed: %s: remove it yourself", r->leftover))
		return false;
	for (size_t i = 0; i < m->module_count; i++) {
		const struct yaml_text *path = &m->modules[i].path;
		size_t k = 0;

		while (path->s && k < GL_COUNT(usr_links) && strncmp(path->s, usr_links[k], strlen(usr_links[k])) != 0)
			k++;
		if (path->s && k < GL_COUNT(usr_links) &&
		    !add_warning(list, fault, "an initrd whose %.*s is a link to /usr would lose it to this member: %s:%u: use \"/usr%s\"",
				 (int)strlen(usr_links[k]) - 1, usr_links[k], m->file, path->line, path->s))
			return false;
	}
	return true;
}

/* ---- summary for people ---- */

/* The policy's bank, or the first one if that is not predicted. */
static enum alg shown_bank(const struct manifest *m)
{
	enum alg a = ALG_SHA1;

	if (m->banks & ALG_BIT(m->policy_hash))
		return m->policy_hash;
	while (a < ALG_SHA512 && !(m->banks & ALG_BIT(a)))
		a++;
	return a;
}

static void print_bytes(struct span s, size_t limit)
{
	for (size_t i = 0; i < s.n && i < limit; i++)
		printf("%02x", s.p[i]);
}

static void print_module(const struct build_result *r, unsigned number, enum alg bank)
{
	const struct build_module *m = &r->modules[number];
	char buf[32];
	struct text size = TEXT_OF(buf);

	text_size(&size, m->size);
	printf("%6u  %-11s %-11s %10s  %3u  ", number, role_table[m->role].name, m->file, buf, m->pcr);
	print_bytes(digest_span(&m->measured, bank), 8);
	printf("  %s\n", m->given ? m->given->file.s : "");
}

static void print_summary(const struct build_options *o, const struct build_result *r)
{
	const struct manifest *m = &r->manifest;
	enum alg bank = shown_bank(m);

	printf("%s: %s, mode direct, policy %s with %s, %zu bytes\n\n", o->output, m->name, vlp_type_name(m->policy_type),
	       alg_table[m->policy_hash].name, r->policy_size);
	printf("module  role        file              size  PCR  %-16s  from\n", alg_table[bank].name);
	for (unsigned i = 0; i < r->module_count; i++)
		print_module(r, i, bank);
	if (m->geo.given)
		printf("\ngeo: NV index 0x%08x, %s, %zu bytes, PCR %u, %s, %s%s\n", m->geo.index, m->geo.raw ? "nv_raw" : "nv", r->geo_size,
		       m->geo.pcr, m->geo.verify ? "verified" : "measured only", r->expected.country[0] ? "country " : "no geo tag of ours",
		       r->expected.country);
	else
		printf("\ngeo: none\n");
	printf("\nexpected (%s; the others are in expected.json):\n", alg_table[bank].name);
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
		printf("  PCR %u  ", pcr);
		print_bytes(pcr_value(&r->expected.pcrs, bank, pcr), DIGEST_MAX);
		printf("\n");
	}
	printf("\nDirect mode: these values prove no dynamic launch (no D-RTM).\n");
}

/* ---- the same as JSON ---- */

static json_t *module_json(const struct build_result *r, unsigned number)
{
	const struct build_module *m = &r->modules[number];
	const struct manifest_module *given = m->given;
	char mode[8];

	(void)snprintf(mode, sizeof(mode), "%04o", given ? given->mode : 0);
	return json_pack("{s:i, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:I, s:i, s:o}", "number", (int)number, "role", role_table[m->role].name,
			 "file", m->file, "from", given ? given->file.s : NULL, "cmdline", given ? given->cmdline.s : NULL,
			 "path", given ? given->path.s : NULL, "mode", given && given->path.s ? mode : NULL, "size", (json_int_t)m->size,
			 "pcr", (int)m->pcr, "digests", cli_json_digests(&m->measured));
}

static json_t *modules_json(const struct build_result *r)
{
	CLEANUP_JSON json_t *out = json_array();

	for (unsigned i = 0; i < r->module_count; i++)
		if (json_array_append_new(out, module_json(r, i)) != 0)
			return NULL;
	return json_incref(out);
}

static json_t *geo_json(const struct build_result *r)
{
	const struct manifest_geo *geo = &r->manifest.geo;
	char index[16];

	if (!geo->given)
		return json_null();
	(void)snprintf(index, sizeof(index), "0x%08x", geo->index);
	return json_pack("{s:s, s:s, s:s?, s:I, s:i, s:b, s:o}", "index", index, "kind", geo->raw ? "nv_raw" : "nv", "from", geo->file.s,
			 "size", (json_int_t)r->geo_size, "pcr", (int)geo->pcr, "verify", (int)geo->verify,
			 "content", cli_json_hex((struct span){ r->geo, r->geo_size }));
}

static json_t *summary_json(const struct build_options *o, const struct build_result *r, json_t *warnings)
{
	const struct manifest *m = &r->manifest;

	return json_pack("{s:s, s:s, s:s, s:b, s:s?, s:{s:s, s:s, s:I}, s:{s:s, s:I, s:o}, s:o, s:o, s:o, s:O}",
		"output", o->output, "name", m->name, "mode", "direct", "drtm", 0,
		"country", r->expected.country[0] ? r->expected.country : NULL,
		"policy", "type", vlp_type_name(m->policy_type), "hash", alg_table[m->policy_hash].name, "size", (json_int_t)r->policy_size,
		"efi", "from", r->efi, "size", (json_int_t)r->efi_size, "digests", cli_json_digests(&r->efi_digest),
		"modules", modules_json(r), "geo", geo_json(r), "pcrs", cli_json_pcrs(&r->expected.pcrs, PCR_DRTM_FIRST, PCR_DRTM_LAST),
		"warnings", warnings);
}

static bool report(const struct options *o, const struct build_result *r, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *warnings = json_array();
	json_t *text;
	size_t i;

	if (!find_warnings(r, warnings, fault))
		return false;
	json_array_foreach(warnings, i, text)
		cli_error(COMMAND, "warning: %s", json_string_value(text));
	if (o->json) {
		CLEANUP_JSON json_t *v = summary_json(&o->build, r, warnings);

		return cli_json_print(v, fault);
	}
	print_summary(&o->build, r);
	return cli_flush(fault);
}

static void free_result(struct build_result **r)
{
	if (*r)
		build_free(*r);
	free(*r);
}

static int run(int argc, char **argv)
{
	CLEANUP(free_result) struct build_result *result = calloc(1, sizeof(*result));
	struct options o = { .json = false };
	char efi[PATH_MAX + 64];
	struct cli_fault fault;
	int rc = parse_options(argc, argv, &o);

	if (rc != CLI_OK)
		return rc;
	if (o.help) {
		print_help();
		if (cli_flush(&fault))
			return CLI_OK;
	} else {
		o.build.efi = efi_file(&o, efi);
		if (!result)
			(void)cli_fail(&fault, CLI_IO, "out of memory: build");
		else if (build_run(&o.build, result, &fault) && report(&o, result, &fault))
			return CLI_OK;
	}
	cli_error(COMMAND, "%s", fault.text);
	return fault.code;
}

const struct cli_command cmd_build = { COMMAND, "make ESP tree and expected measurements from a manifest", run };
