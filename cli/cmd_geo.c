/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/geo_nv.h"
#include "cli/provision.h"
#include "cli/secret.h"

#define COMMAND "geo"
#define HELP "'geolaunch geo --help'"

enum action { DEFINE, WRITE, READ, LOCK, UNDEFINE, ACTION_COUNT };

static const char *const action_names[ACTION_COUNT] = { "define", "write", "read", "lock", "undefine" };

struct options {
	enum action action;
	uint32_t index;
	uint16_t size;
	const char *tcti;
	const char *owner_auth;
	const char *file;
	const char *country, *subdivision, *site, *latitude, *longitude;
	bool has_size;
	bool json;
	bool help;
};

enum {
	OPTION_TCTI = 256,
	OPTION_INDEX,
	OPTION_SIZE,
	OPTION_OWNER_AUTH,
	OPTION_FILE,
	OPTION_COUNTRY,
	OPTION_SUBDIVISION,
	OPTION_SITE,
	OPTION_LATITUDE,
	OPTION_LONGITUDE,
	OPTION_JSON
};

static const struct option long_options[] = {
	{ "tcti", required_argument, NULL, OPTION_TCTI },
	{ "index", required_argument, NULL, OPTION_INDEX },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "owner-auth", required_argument, NULL, OPTION_OWNER_AUTH },
	{ "file", required_argument, NULL, OPTION_FILE },
	{ "country", required_argument, NULL, OPTION_COUNTRY },
	{ "subdivision", required_argument, NULL, OPTION_SUBDIVISION },
	{ "site", required_argument, NULL, OPTION_SITE },
	{ "latitude", required_argument, NULL, OPTION_LATITUDE },
	{ "longitude", required_argument, NULL, OPTION_LONGITUDE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch geo define   [--size N] [OPTIONS]\n"
	       "       geolaunch geo write    --file FILE | --country CC [--subdivision SUB]\n"
	       "                              [--site NAME] [--latitude D --longitude D]\n"
	       "                              [OPTIONS]\n"
	       "       geolaunch geo read     [OPTIONS]\n"
	       "       geolaunch geo lock     [OPTIONS]\n"
	       "       geolaunch geo undefine [OPTIONS]\n"
	       "\n"
	       "Keeps the geo tag in an NV index of the TPM.\n"
	       "\n"
	       "      --index N          NV index (default 0x01c10110)\n"
	       "      --tcti STR         the TPM: device:/dev/tpm0, swtpm:path=SOCKET, ...\n"
	       "                         (default: the kernel's device)\n"
	       "      --owner-auth FILE  file with the owner's password; - asks for it\n"
	       "                         (default: the empty password)\n"
	       "      --json             report as JSON\n"
	       "  -h, --help             this text\n"
	       "define:\n"
	       "      --size N           bytes of content (default 64, a geo tag)\n"
	       "write:\n"
	       "      --file FILE        any content of just the index's size\n"
	       "      --country CC       two letters (ISO 3166-1), for a geo tag\n"
	       "      --subdivision SUB  the part behind the hyphen (ISO 3166-2)\n"
	       "      --site NAME        up to 40 characters\n"
	       "      --latitude D       degrees north, at most 7 decimals\n"
	       "      --longitude D      degrees east, at most 7 decimals\n");
}

GL_MUST static bool misused(const char *what)
{
	cli_error(COMMAND, "%s: see " HELP, what);
	return false;
}

GL_MUST static bool parse_index(const char *s, uint32_t *out)
{
	uint64_t v;

	if (!cli_number(s, UINT32_MAX, &v)) {
		cli_error(COMMAND, "--index %s: not a number such as 0x01c10110", s);
		return false;
	}
	*out = (uint32_t)v;
	if (*out == GEO_INDEX_TPM12) {
		cli_error(COMMAND,
			"--index %s: this is the geo index of TPM 1.2; in a TPM 2.0 it lies among the permanent handles "
			"and cannot be defined: use 0x%08x",
			s, GEO_INDEX_DEFAULT);
		return false;
	}
	if (!geo_index_possible(*out)) {
		cli_error(COMMAND, "--index %s: NV indices of a TPM 2.0 lie in 0x01000000-0x01ffffff", s);
		return false;
	}
	return true;
}

GL_MUST static bool parse_size(const char *s, struct options *o)
{
	uint64_t v;

	if (!cli_number(s, GEO_NV_MAX, &v) || v == 0) {
		cli_error(COMMAND, "--size %s: a content has 1 to %d bytes", s, GEO_NV_MAX);
		return false;
	}
	o->size = (uint16_t)v;
	o->has_size = true;
	return true;
}

/* Where an option's value goes as it is; NULL: it is no such option. */
static const char **text_option(struct options *o, int option)
{
	switch (option) {
	case OPTION_TCTI:
		return &o->tcti;
	case OPTION_OWNER_AUTH:
		return &o->owner_auth;
	case OPTION_FILE:
		return &o->file;
	case OPTION_COUNTRY:
		return &o->country;
	case OPTION_SUBDIVISION:
		return &o->subdivision;
	case OPTION_SITE:
		return &o->site;
	case OPTION_LATITUDE:
		return &o->latitude;
	case OPTION_LONGITUDE:
		return &o->longitude;
	default:
		return NULL;
	}
}

GL_MUST static bool check_options(const struct options *o)
{
	bool other_tag_parts = o->subdivision || o->site || o->latitude || o->longitude;

	if (o->action != READ && provision_reserved(o->index)) {
		cli_error(COMMAND, "--index 0x%08x: SINIT and tboot use this NV index themselves: 'geolaunch provision' is for it%s",
			o->index, o->action == UNDEFINE ? ", and tpm2_nvundefine removes it" : "");
		return false;
	}
	if (o->has_size && o->action != DEFINE)
		return misused("--size is for 'geo define' only");
	if (o->action != WRITE && (o->file || o->country || other_tag_parts))
		return misused("a content is for 'geo write' only");
	if (o->action == WRITE && o->file && (o->country || other_tag_parts))
		return misused("either --file or the parts of a geo tag, not both");
	if (o->action == WRITE && !o->file && !o->country)
		return misused("nothing to write: give --file, or --country for a geo tag");
	if (!o->latitude != !o->longitude)
		return misused("--latitude and --longitude belong together");
	return true;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		const char **text = text_option(o, option);

		if (text)
			*text = optarg;
		else if (option == OPTION_JSON)
			o->json = true;
		else if (option == 'h')
			o->help = true;
		else if (option != OPTION_INDEX && option != OPTION_SIZE)
			return cli_usage_error(COMMAND, argc, argv, option, HELP);
		else if (option == OPTION_INDEX ? !parse_index(optarg, &o->index) : !parse_size(optarg, o))
			return CLI_USAGE;
		if (o->help)
			return CLI_OK;
	}
	if (argc == optind) {
		cli_error(COMMAND, "say one of define, write, read, lock, undefine: see " HELP);
		return CLI_USAGE;
	}
	while (o->action < ACTION_COUNT && strcmp(argv[optind], action_names[o->action]) != 0)
		o->action++;
	if (o->action == ACTION_COUNT) {
		cli_error(COMMAND, "%s: not one of define, write, read, lock, undefine", argv[optind]);
		return CLI_USAGE;
	}
	if (argc - optind > 1) {
		cli_error(COMMAND, "%s takes options only, not \"%s\"%s: see " HELP, argv[optind], argv[optind + 1],
			o->action == WRITE ? ": --country names the place, or --file its bytes" : "");
		return CLI_USAGE;
	}
	return check_options(o) ? CLI_OK : CLI_USAGE;
}

/* ---- content ---- */

GL_MUST static bool copy_text(const char *option, const char *value, char *out, size_t cap, struct cli_fault *fault)
{
	if (!value)
		return true;
	if (strlen(value) >= cap)
		return cli_fail(fault, CLI_INPUT, "--%s %s: longer than %zu characters", option, value, cap - 1);
	memcpy(out, value, strlen(value) + 1);
	return true;
}

GL_MUST static bool make_tag(const struct options *o, uint8_t out[GEO_TAG_SIZE], struct cli_fault *fault)
{
	struct geo_tag tag = { .has_coordinates = o->latitude != NULL };
	char buf[80];
	struct text room = TEXT_OF(buf);
	const char *advice;
	enum geo_error e;

	advice = geo_country_advice(o->country);
	if (advice)
		return cli_fail(fault, CLI_INPUT, "--country %s: %s", o->country, advice);
	advice = o->subdivision ? geo_subdivision_advice(o->subdivision, &room) : NULL;
	if (advice)
		return cli_fail(fault, CLI_INPUT, "--subdivision %s: %s", o->subdivision, advice);
	if (!copy_text("country", o->country, tag.country, sizeof(tag.country), fault) ||
		!copy_text("subdivision", o->subdivision, tag.subdivision, sizeof(tag.subdivision), fault) ||
		!copy_text("site", o->site, tag.site, sizeof(tag.site), fault))
		return false;
	if (o->latitude && !cli_degrees(o->latitude, 90, &tag.latitude))
		return cli_fail(fault, CLI_INPUT, "--latitude %s: not degrees from -90 to 90 with at most 7 decimals", o->latitude);
	if (o->longitude && !cli_degrees(o->longitude, 180, &tag.longitude))
		return cli_fail(fault, CLI_INPUT, "--longitude %s: not degrees from -180 to 180 with at most 7 decimals", o->longitude);
	e = geo_encode(&tag, out);
	return e == GEO_OK || cli_fail(fault, CLI_INPUT, "geo tag: %s", geo_strerror(e));
}

/* Said of what is written, whether it came as a file or not. */
static void warn_of_country(struct span content)
{
	char buf[160];
	struct text t = TEXT_OF(buf);
	struct geo_tag tag;

	if (geo_decode(content, &tag) == GEO_OK && geo_country_remark(tag.country, &t))
		cli_error(COMMAND, "warning: %s", buf);
}

/* Allocated. */
GL_MUST static bool get_content(const struct options *o, uint8_t **out, size_t *n, struct cli_fault *fault)
{
	if (o->file)
		return read_file(o->file, GEO_NV_MAX, out, n, fault);
	*out = malloc(GEO_TAG_SIZE);
	*n = GEO_TAG_SIZE;
	return *out ? make_tag(o, *out, fault) : cli_fail(fault, CLI_IO, "out of memory");
}

/* ---- reports ---- */

static const char *const done_texts[ACTION_COUNT][2] = {
	[DEFINE] = { "is defined already", "defined" },
	[WRITE] = { "holds this content already", "written" },
	[LOCK] = { "is locked already", "" },
	[UNDEFINE] = { "is not defined", "undefined" },
};

/* For an index of others, with write_stclear and without writedefine. */
#define UNTIL_RESET "only until the TPM's next reset, as it has write_stclear without writedefine: define it anew for a lock that stays"
static const char *const lock_until_reset[2] = { "is locked already, but " UNTIL_RESET, "locked, but " UNTIL_RESET };

GL_MUST static bool report_done(const struct options *o, const struct geo_nv_done *d, struct cli_fault *fault)
{
	char index[16];

	(void)snprintf(index, sizeof(index), "0x%08x", o->index);
	if (o->json) {
		CLEANUP_JSON json_t *root = json_pack("{s:s, s:s, s:b, s:o*}", "index", index, "action", action_names[o->action], "changed",
			d->changed, "until_reset", o->action == LOCK ? json_boolean(d->until_reset) : NULL);

		return cli_json_print(root, fault);
	}
	if (d->until_reset)
		printf("NV index %s %s\n", index, lock_until_reset[d->changed]);
	else if (o->action == LOCK && d->changed)
		printf("NV index %s locked: it can no longer be written; 'geolaunch geo undefine%s' is the only way back\n", index,
			geo_nv_option(o->index).text);
	else
		printf("NV index %s %s\n", index, done_texts[o->action][d->changed]);
	return cli_flush(fault);
}

/* 1e-7 degrees as JSON would have them. */
static json_t *tag_json(const struct geo_tag *tag)
{
	CLEANUP_JSON json_t *out =
		json_pack("{s:s, s:s, s:s}", "country", tag->country, "subdivision", tag->subdivision, "site", tag->site);

	if (tag->has_coordinates && (json_object_set_new(out, "latitude", json_real(tag->latitude / 1e7)) != 0 ||
					    json_object_set_new(out, "longitude", json_real(tag->longitude / 1e7)) != 0))
		return NULL;
	return json_incref(out);
}

GL_MUST static bool report_view_json(const struct options *o, const struct geo_nv_view *v, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *root = NULL;
	char index[16], buf[GEO_ATTRIBUTES_MAX];
	struct text names = TEXT_OF(buf);
	struct span content = { v->content, v->public.size }, policy = { v->public.policy, v->public.policy_size };

	(void)snprintf(index, sizeof(index), "0x%08x", o->index);
	text_str(&names, "");
	geo_attributes_text(v->public.attributes, &names);
	root = json_pack("{s:s, s:i, s:I, s:s, s:i, s:o, s:o, s:o, s:b, s:s}", "index", index, "size", v->public.size, "attributes",
		(json_int_t)v->public.attributes, "attribute_names", buf, "name_alg", v->public.name_alg, "policy",
		policy.n ? cli_json_hex(policy) : json_null(), "content", v->has_content ? cli_json_hex(content) : json_null(), "tag",
		v->is_tag ? tag_json(&v->tag) : json_null(), "boot_readable", v->boot_readable, "boot", v->boot);
	return cli_json_print(root, fault);
}

static void print_hex(const char *label, struct span s)
{
	printf("%-12s", label);
	for (size_t i = 0; i < s.n; i++)
		printf("%s%02x", i > 0 && i % 32 == 0 ? "\n            " : "", s.p[i]);
	printf("\n");
}

static void print_degrees(const char *label, int32_t v)
{
	int64_t magnitude = v < 0 ? -(int64_t)v : v;

	printf("  %-12s%s%lld.%07lld\n", label, v < 0 ? "-" : "", (long long)(magnitude / 10000000), (long long)(magnitude % 10000000));
}

static void print_tag(const struct geo_tag *tag)
{
	printf("geo tag:\n  country     %s\n", tag->country);
	if (tag->subdivision[0])
		printf("  subdivision %s-%s\n", tag->country, tag->subdivision);
	if (tag->site[0])
		printf("  site        %s\n", tag->site);
	if (tag->has_coordinates) {
		print_degrees("latitude", tag->latitude);
		print_degrees("longitude", tag->longitude);
	}
}

GL_MUST static bool report_view(const struct options *o, const struct geo_nv_view *v, struct cli_fault *fault)
{
	char buf[GEO_ATTRIBUTES_MAX];
	struct text names = TEXT_OF(buf);
	enum alg name_alg;

	if (o->json)
		return report_view_json(o, v, fault);
	text_str(&names, "");
	geo_attributes_text(v->public.attributes, &names);
	printf("NV index    0x%08x\nsize        %u bytes\nattributes  %s (0x%08x)\n", o->index, v->public.size, buf, v->public.attributes);
	if (alg_by_id(v->public.name_alg, &name_alg))
		printf("name        %s\n", alg_table[name_alg].name);
	if (v->public.policy_size)
		print_hex("policy", (struct span){ v->public.policy, v->public.policy_size });
	if (v->has_content)
		print_hex("content", (struct span){ v->content, v->public.size });
	else
		printf("content     not readable from here\n");
	if (v->is_tag)
		print_tag(&v->tag);
	printf("at boot     %s\n", v->boot);
	return cli_flush(fault);
}

/* ---- actions ---- */

GL_MUST static bool act(
	const struct options *o, struct host_tpm *h, const struct nv_auth *owner, struct span content, struct cli_fault *fault)
{
	struct geo_nv_done done = { .changed = false };
	struct geo_nv_view view;
	bool ok = false;

	switch (o->action) {
	case DEFINE:
		ok = geo_nv_define(h, o->index, o->size, owner, &done, fault);
		break;
	case WRITE:
		ok = geo_nv_write(h, o->index, content, owner, &done, fault);
		break;
	case READ:
		return geo_nv_read(h, o->index, owner, &view, fault) && report_view(o, &view, fault);
	case LOCK:
		ok = geo_nv_lock(h, o->index, owner, &done, fault);
		break;
	case UNDEFINE:
		ok = geo_nv_undefine(h, o->index, owner, &done, fault);
		break;
	case ACTION_COUNT:
		break;
	}
	return ok && report_done(o, &done, fault);
}

/* All input is checked before the password is asked for, and all that before the TPM is touched. */
GL_MUST static bool run_action(const struct options *o, struct cli_fault *fault)
{
	CLEANUP(host_tpm_close) struct host_tpm h = { .tcti = NULL };
	CLEANUP(nv_auth_wipe) struct nv_auth owner = { .size = 0 };
	CLEANUP_FREE uint8_t *content = NULL;
	size_t n = 0;

	if (o->action == WRITE && !get_content(o, &content, &n, fault))
		return false;
	if (o->owner_auth && !secret_auth(o->owner_auth, "owner password", &owner, fault))
		return false;
	if (!host_tpm_open(&h, o->tcti, fault) || !act(o, &h, &owner, (struct span){ content, n }, fault))
		return false;
	if (o->action == WRITE)
		warn_of_country((struct span){ content, n });
	return true;
}

static int run(int argc, char **argv)
{
	struct options o = { .index = GEO_INDEX_DEFAULT, .size = GEO_TAG_SIZE };
	struct cli_fault fault = { .code = CLI_OK };
	int code = parse_options(argc, argv, &o);
	bool ok;

	if (code != CLI_OK)
		return code;
	ok = o.help ? cli_help(print_help, &fault) : run_action(&o, &fault);
	return ok ? CLI_OK : cli_report(COMMAND, &fault);
}

const struct cli_command cmd_geo = { COMMAND, "define, write, read, lock or undefine the geo NV index", run };
