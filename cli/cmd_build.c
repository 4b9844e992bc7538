/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/beside.h"
#include "cli/build.h"
#include "cli/cli.h"
#include "cli/cmd_build_fleet.h"
#include "cli/tree.h"
#include "common/text.h"

#define COMMAND "build"

struct options {
	struct build_options build;
	const char *fleet;
	bool json;
	bool help;
};

enum { OPTION_EFI = 256, OPTION_STAGE, OPTION_FLEET, OPTION_SIGN, OPTION_CERT, OPTION_JSON, OPTION_FORCE };

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "efi", required_argument, NULL, OPTION_EFI },
	{ "fleet", required_argument, NULL, OPTION_FLEET },
	{ "stage", required_argument, NULL, OPTION_STAGE },
	{ "sign", required_argument, NULL, OPTION_SIGN },
	{ "cert", required_argument, NULL, OPTION_CERT },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch build MANIFEST -o DIR [--efi FILE] [--stage FILE]\n"
	       "                       [--sign KEY --cert CERT] [--fleet TABLE] [--json] [--force]\n"
	       "\n"
	       "Makes the EFI system partition's tree (DIR/esp) and the expected measurements\n"
	       "(DIR/expected.json) from a manifest, see geolaunch-manifest(5).\n"
	       "\n"
	       "  -o, --output DIR  directory to make; it appears complete or not at all\n"
	       "      --efi FILE    geolaunch.efi (default: $GEOLAUNCH_EFI, else\n"
	       "                    ../lib/geolaunch/geolaunch.efi beside this program)\n"
	       "      --stage FILE  geolaunch-stage.elf, for mode txt (default: that of the\n"
	       "                    manifest, else $GEOLAUNCH_STAGE, else beside geolaunch.efi)\n"
	       "      --fleet TABLE build for every host of the table (CSV), see\n"
	       "                    geolaunch-fleet(1)\n"
	       "      --sign KEY    put launch description and policy into geolaunch.efi and sign\n"
	       "                    that for Secure Boot, with sbsign; KEY is a PEM file\n"
	       "      --cert CERT   the key's certificate, PEM\n"
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
		case OPTION_FLEET:
			o->fleet = optarg;
			break;
		case OPTION_STAGE:
			o->build.stage = optarg;
			break;
		case OPTION_SIGN:
			o->build.sign = optarg;
			break;
		case OPTION_CERT:
			o->build.certificate = optarg;
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
	if (!o->build.sign != !o->build.certificate) {
		cli_error(COMMAND, "--sign and --cert go together: name key and certificate: see 'geolaunch build --help'");
		return CLI_USAGE;
	}
	if (o->build.sign && o->fleet) {
		cli_error(COMMAND,
			"--sign is for one host: the hosts of a fleet have policies of their own: build them one by one to sign them");
		return CLI_USAGE;
	}
	o->build.manifest = argv[optind];
	return CLI_OK;
}

/* ---- warnings ---- */

/*
 * Links to folders of /usr in every initrd with merged /usr. The kernel, unpacking a member below one of them, replaces the link by an
 * empty folder (boot/cpio.h), and the host finds no shell.
 */
static const char *const usr_links[] = { "/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/" };

bool cmd_build_add_warning(json_t *list, struct cli_fault *fault, const char *format, ...)
{
	json_t *text;
	va_list args;

	va_start(args, format);
	text = cli_json_vtext(format, args);
	va_end(args);
	return json_array_append_new(list, text) == 0 || cli_fail(fault, CLI_IO, "out of memory: warnings");
}

static bool names_log(char *const *from, size_t count, const char *log)
{
	size_t n = strlen(log);

	for (size_t i = 0; i < count; i++)
		if (!strncmp(from[i], log, n) && !strcmp(from[i] + n, EXPECTED_OTHER_SINIT))
			return true;
	return false;
}

/* True if something is expected because of this log, and the log is of another SINIT module. */
static bool is_foreign(const struct expected *x, const char *log)
{
	for (size_t i = 0; i < x->event_count; i++) {
		const struct expected_event *e = &x->events[i];

		if (names_log(e->from, e->from_count, log))
			return true;
		for (size_t k = 0; k < e->alternative_count; k++)
			if (names_log(e->alternatives[k].from, e->alternatives[k].from_count, log))
				return true;
	}
	return false;
}

static bool warn_of_logs(const struct build_result *r, json_t *list, struct cli_fault *fault)
{
	const struct manifest_platform *p = &r->manifest.platform;

	for (size_t i = 0; i < p->log_count; i++)
		if (is_foreign(&r->expected, p->logs[i].s) &&
			!cmd_build_add_warning(list, fault,
				"this log was captured with another SINIT module, which may have measured other things: %s: capture one after "
				"the first launch with this module",
				p->logs[i].s))
			return false;
	return true;
}

/* As docs/REAL-HARDWARE.md has it before the first launch, and forgotten behind it. */
static bool warn_of_zeros(const struct manifest *m, json_t *list, struct cli_fault *fault)
{
	static const uint8_t zeros[MANIFEST_BIOS_ACM_SIZE];

	for (size_t i = 0; i < m->platform.bios_acm_count; i++)
		if (!memcmp(m->platform.bios_acm[i], zeros, sizeof(zeros)))
			return cmd_build_add_warning(list, fault,
				"\"bios_acm\" is all zeros, which no host measures, so PCR 17 is not predicted: %s:%u: name a \"log\" of the "
				"first launch in its place",
				m->file, m->platform.bios_acm_line);
	return true;
}

static bool warn_of_country(const struct build_result *r, json_t *list, struct cli_fault *fault)
{
	char buf[160];
	struct text t = TEXT_OF(buf);

	return !r->expected.country[0] || !geo_country_remark(r->expected.country, &t) ||
	       cmd_build_add_warning(list, fault, "%s: %s:%u", buf, r->manifest.file, r->manifest.geo.line);
}

/* UEFI firmware need only know RSA-2048; many know more. */
static bool warn_of_key(const struct build_options *o, const struct build_result *r, json_t *list, struct cli_fault *fault)
{
	return !r->unusual_key[0] ||
	       cmd_build_add_warning(list, fault,
		       "not every firmware believes a signature by such a key (%s): %s: use RSA with 2048 bits, or try it there",
		       r->unusual_key, o->certificate);
}

/* Each is one line: what, where, what to do. */
bool cmd_build_warnings(const struct build_result *r, json_t *list, struct cli_fault *fault)
{
	const struct manifest *m = &r->manifest;

	if (r->leftover && !cmd_build_add_warning(list, fault, TREE_LEFTOVER, r->leftover))
		return false;
	for (size_t i = 0; i < m->module_count; i++) {
		const struct yaml_text *path = &m->modules[i].path;
		size_t k = 0;

		while (path->s && k < GL_COUNT(usr_links) && strncmp(path->s, usr_links[k], strlen(usr_links[k])) != 0)
			k++;
		if (path->s && k < GL_COUNT(usr_links) &&
			!cmd_build_add_warning(list, fault,
				"an initrd whose %.*s is a link to /usr would lose it to this member: %s:%u: use \"/usr%s\"",
				(int)strlen(usr_links[k]) - 1, usr_links[k], m->file, path->line, path->s))
			return false;
	}
	return warn_of_country(r, list, fault) && warn_of_zeros(m, list, fault) && warn_of_logs(r, list, fault);
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
	printf("  %s\n", m->from ? m->from : "");
}

/* What is measured of these is in the events of SINIT. */
static void print_extras(const struct build_result *r)
{
	for (size_t i = 0; i < BUILD_EXTRAS; i++) {
		const struct build_module *m = &r->extras[i];
		char buf[32];
		struct text size = TEXT_OF(buf);

		text_size(&size, m->size);
		if (m->given)
			printf("        %-11s %-11s %10s                         %s\n", role_table[m->role].name, m->file, buf, m->from);
	}
	if (r->rules[0])
		printf("\ntboot: %s\nstage: %s\n", r->manifest.txt.tboot.cmdline.s, r->rules);
}

/* How sure the prediction is: what was assumed, and how many values are possible. */
static void print_certainty(const struct expected *e)
{
	size_t sets = 0;

	for (size_t i = 0; i < e->event_count; i++) {
		const struct expected_event *v = &e->events[i];

		sets += v->alternative_count > 0;
		if (v->provenance == PROVENANCE_ASSUMED)
			printf("  assumed for PCR %u: %s: %s%s\n", v->pcr, v->name, v->from_count ? v->from[0] : "",
				v->alternative_count ? ", or another value" : "");
	}
	if (sets)
		printf("  %zu events have alternatives: these are the first of the possible values of PCR 17 and 18\n", sets);
}

static void print_efi(const struct build_options *o, const struct build_result *r)
{
	printf("\n");
	if (o->sign)
		printf("geolaunch.efi: signed with %s; launch description and policy are inside\n", o->certificate);
	if (r->efi_authenticode.banks == 0) {
		printf("geolaunch.efi: no Authenticode digest: %s\n", pecoff_strerror(r->efi_authenticode_error));
		return;
	}
	printf("geolaunch.efi: Authenticode digest, sha256: ");
	print_bytes(digest_span(&r->efi_authenticode, ALG_SHA256), DIGEST_MAX);
	printf("\n");
}

static void print_summary(const struct build_options *o, const struct build_result *r)
{
	const struct manifest *m = &r->manifest;
	enum alg bank = shown_bank(m);

	printf("%s: %s, mode %s, policy %s with %s, %zu bytes\n\n", o->output, m->name, description_mode_name(m->mode),
		vlp_type_name(m->policy_type), alg_table[m->policy_hash].name, r->policy_size);
	printf("module  role        file              size  PCR  %-16s  from\n", alg_table[bank].name);
	for (unsigned i = 0; i < r->module_count; i++)
		print_module(r, i, bank);
	print_extras(r);
	print_efi(o, r);
	if (m->geo.given)
		printf("\ngeo: NV index 0x%08x, %s, %zu bytes, PCR %u, %s, %s%s\n", m->geo.index, m->geo.raw ? "nv_raw" : "nv", r->geo_size,
			m->geo.pcr, m->geo.verify ? "verified" : "measured only",
			r->expected.country[0] ? "country " : "no geo tag of ours", r->expected.country);
	else
		printf("\ngeo: none\n");
	printf("\nexpected (%s; the others are in expected.json):\n", alg_table[bank].name);
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
		printf("  PCR %u  ", pcr);
		print_bytes(pcr_value(&r->expected.pcrs, bank, pcr), DIGEST_MAX);
		printf("\n");
	}
	if (m->mode == DESCRIPTION_DIRECT)
		printf("\nDirect mode: these values prove no dynamic launch (no D-RTM).\n");
	else
		print_certainty(&r->expected);
}

/* ---- the same as JSON ---- */

static json_t *module_json(const struct build_module *m, int number)
{
	CLEANUP_FREE char *cmdline = strndup((const char *)m->cmdline.p ? (const char *)m->cmdline.p : "", m->cmdline.n);
	bool member = role_table[m->role].member;
	char mode[8];

	(void)snprintf(mode, sizeof(mode), "%04o", member ? m->given->mode : 0);
	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:s?, s:I, s:i, s:o}", "number", number, "role", role_table[m->role].name, "file",
		cli_json_text(m->file), "from", cli_json_text(m->from), "cmdline",
		cli_json_text(member || m->cmdline.n == 0 ? NULL : cmdline), "path", cli_json_text(member ? cmdline : NULL), "mode",
		member ? mode : NULL, "size", (json_int_t)m->size, "pcr", (int)m->pcr, "digests", cli_json_digests(&m->measured));
}

/* tboot, SINIT, LCP data: digests of the files themselves. */
static json_t *extras_json(const struct build_result *r)
{
	CLEANUP_JSON json_t *out = json_object();

	for (size_t i = 0; i < BUILD_EXTRAS; i++) {
		const struct build_module *m = &r->extras[i];
		const char *cmdline = m->given ? m->given->cmdline.s : NULL;

		if (m->given && json_object_set_new(out, role_table[m->role].name,
					json_pack("{s:o, s:o, s:o, s:I, s:o}", "file", cli_json_text(m->file), "from",
						cli_json_text(m->from), "cmdline", cli_json_text(cmdline), "size", (json_int_t)m->size,
						"digests", cli_json_digests(&m->image))) != 0)
			return NULL;
	}
	return json_incref(out);
}

static json_t *modules_json(const struct build_result *r)
{
	CLEANUP_JSON json_t *out = json_array();

	for (unsigned i = 0; i < r->module_count; i++)
		if (json_array_append_new(out, module_json(&r->modules[i], (int)i)) != 0)
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
	return json_pack("{s:s, s:s, s:o, s:I, s:i, s:b, s:o}", "index", index, "kind", geo->raw ? "nv_raw" : "nv", "from",
		cli_json_text(geo->file.s), "size", (json_int_t)r->geo_size, "pcr", (int)geo->pcr, "verify", (int)geo->verify, "content",
		cli_json_hex((struct span){ r->geo, r->geo_size }));
}

static json_t *summary_json(const struct build_options *o, const struct build_result *r, json_t *warnings)
{
	const struct manifest *m = &r->manifest;
	CLEANUP_JSON json_t *out =
		json_pack("{s:o, s:s, s:s, s:b, s:s?, s:{s:s, s:s, s:I}, s:{s:o, s:I, s:o, s:o, s:o}, s:o, s:o, s:o, s:O}", "output",
			cli_json_text(o->output), "name", m->name, "mode", description_mode_name(m->mode), "drtm", (int)r->expected.drtm,
			"country", r->expected.country[0] ? r->expected.country : NULL, "policy", "type", vlp_type_name(m->policy_type),
			"hash", alg_table[m->policy_hash].name, "size", (json_int_t)r->policy_size, "efi", "from", cli_json_text(r->efi),
			"size", (json_int_t)r->efi_size, "digests", cli_json_digests(&r->efi_digest), "authenticode",
			r->efi_authenticode.banks ? cli_json_digests(&r->efi_authenticode) : json_null(), "certificate",
			cli_json_text(o->certificate), "modules", modules_json(r), "geo", geo_json(r), "pcrs",
			cli_json_pcrs(&r->expected.pcrs, PCR_DRTM_FIRST, PCR_DRTM_LAST), "warnings", warnings);

	if (m->mode == DESCRIPTION_TXT && json_object_set_new(out, "txt", extras_json(r)) != 0)
		return NULL;
	return json_incref(out);
}

static bool report(const struct options *o, const struct build_result *r, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *warnings = json_array();
	json_t *text;
	size_t i;

	if (!cmd_build_warnings(r, warnings, fault) || !warn_of_key(&o->build, r, warnings, fault))
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
	CLEANUP_FREE char *efi = NULL;
	struct cli_fault fault;
	int rc = parse_options(argc, argv, &o);
	bool ok;

	if (rc != CLI_OK)
		return rc;
	if (!o.help && !o.build.efi)
		o.build.efi = efi = beside_efi();
	if (o.help)
		ok = cli_help(print_help, &fault);
	else if (!o.build.efi || !result)
		ok = cli_fail(&fault, CLI_IO, "out of memory: build");
	else if (o.fleet)
		ok = cmd_build_fleet(&o.build, o.fleet, o.json, &fault);
	else if (!build_run(&o.build, result, &fault))
		ok = false;
	else {
		ok = report(&o, result, &fault);
		if (!ok)
			cli_add_fault(&fault, ": %s was made", o.build.output);
	}
	return ok ? CLI_OK : cli_report(COMMAND, &fault);
}

const struct cli_command cmd_build = { COMMAND, "make ESP tree and expected measurements from a manifest", run };
