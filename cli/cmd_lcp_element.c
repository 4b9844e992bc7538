/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <getopt.h>
#include <string.h>

#include "cli/lcp.h"
#include "lcp/custom.h"

#define COMMAND "lcp element"
#define HELP "'geolaunch lcp element --help'"
/* tboot's tools take 32; the format has 16 bits for the number. */
#define INFOS_MAX 64

enum kind { MLE, PCONF, SBIOS, STM, CUSTOM, KIND_COUNT };

static const struct {
	const char *name;
	uint32_t type;
} kinds[KIND_COUNT] = {
	[MLE] = { "mle", LCP_ELEMENT_MLE2 },
	[PCONF] = { "pconf", LCP_ELEMENT_PCONF2 },
	[SBIOS] = { "sbios", LCP_ELEMENT_SBIOS2 },
	[STM] = { "stm", LCP_ELEMENT_STM2 },
	[CUSTOM] = { "custom", LCP_ELEMENT_CUSTOM2 },
};

struct options {
	enum kind kind;
	const char *output;
	bool force;
	enum alg alg;
	uint32_t control;
	uint8_t min_version;
	bool has_min_version;
	uint32_t pcrs; /* mask */
	const char *fallback;
	const char *uuid;
	const char *data;
	struct lcp_bytes hashes;
	const char **given; /* values of --hash and --hash-file, in order */
	bool *is_file;
	size_t given_count;
	struct {
		enum lcp_pcr_source source;
		const char *where;
	} infos[INFOS_MAX];
	size_t info_count;
	const char *pcr_values[PCR_COUNT]; /* of --pcr; NULL: not given */
	bool help;
};

/* clang-format off */
enum {
	OPTION_ALG = 256, OPTION_CONTROL, OPTION_MIN, OPTION_HASH, OPTION_HASH_FILE, OPTION_FALLBACK, OPTION_PCRS, OPTION_PCR, OPTION_TCTI,
	OPTION_LOG, OPTION_PCR_FILE, OPTION_UUID, OPTION_DATA, OPTION_FORCE
};
/* clang-format on */

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "alg", required_argument, NULL, OPTION_ALG },
	{ "control", required_argument, NULL, OPTION_CONTROL },
	{ "min-version", required_argument, NULL, OPTION_MIN },
	{ "hash", required_argument, NULL, OPTION_HASH },
	{ "hash-file", required_argument, NULL, OPTION_HASH_FILE },
	{ "fallback", required_argument, NULL, OPTION_FALLBACK },
	{ "pcrs", required_argument, NULL, OPTION_PCRS },
	{ "pcr", required_argument, NULL, OPTION_PCR },
	{ "tcti", required_argument, NULL, OPTION_TCTI },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "pcr-file", required_argument, NULL, OPTION_PCR_FILE },
	{ "uuid", required_argument, NULL, OPTION_UUID },
	{ "data", required_argument, NULL, OPTION_DATA },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch lcp element mle|stm -o FILE --hash HEX... [OPTIONS]\n"
	       "       geolaunch lcp element sbios -o FILE --fallback HEX [--hash HEX...]\n"
	       "       geolaunch lcp element pconf -o FILE --pcrs LIST --tcti STR|--log FILE|--pcr-file FILE...\n"
	       "       geolaunch lcp element pconf -o FILE --pcr N:HEX...\n"
	       "       geolaunch lcp element custom -o FILE --uuid UUID --data FILE\n"
	       "\n"
	       "Makes a policy element (MLE2, PCONF2, SBIOS2, STM2, CUSTOM2).\n"
	       "\n"
	       "  -o, --output FILE     the element; - for standard output\n"
	       "      --force           replace a file that exists\n"
	       "      --alg ALG         hash algorithm: sha1, sha256 (default), sha384, sha512\n"
	       "      --control N       PolEltControl (default 0)\n"
	       "      --min-version N   mle: oldest SINIT that may launch (default 0)\n"
	       "      --hash HEX        a digest; may be repeated\n"
	       "      --hash-file FILE  digests from a file, one a line in hexadecimal\n"
	       "      --fallback HEX    sbios: the fallback digest\n"
	       "      --pcrs LIST       pconf: PCRs to select, such as 0,2,4-7\n"
	       "      --tcti STR        pconf: their values from a TPM\n"
	       "      --log FILE        pconf: from an event log, replayed\n"
	       "      --pcr-file FILE   pconf: from a file (JSON or tpm2_pcrread's output)\n"
	       "      --pcr N:HEX       pconf: one PCR's value; may be repeated, all together\n"
	       "                        are one PCR info\n"
	       "      --uuid UUID       custom: the UUID, or 'tboot' for a launch policy of tboot's\n"
	       "      --data FILE       custom: the content\n"
	       "  -h, --help            this text\n");
}

static bool add_given(struct options *o, const char *value, bool is_file, struct cli_fault *fault)
{
	const char **given = realloc(o->given, (o->given_count + 1) * sizeof(*given));
	bool *kind;

	if (given)
		o->given = given;
	kind = realloc(o->is_file, (o->given_count + 1) * sizeof(*kind));
	if (kind)
		o->is_file = kind;
	if (!given || !kind)
		return cli_fail(fault, CLI_IO, "out of memory");
	o->given[o->given_count] = value;
	o->is_file[o->given_count++] = is_file;
	return true;
}

static bool add_info(struct options *o, enum lcp_pcr_source source, const char *where, struct cli_fault *fault)
{
	if (o->info_count == INFOS_MAX)
		return cli_fail(fault, CLI_USAGE, "more than %d PCR infos", INFOS_MAX);
	o->infos[o->info_count].source = source;
	o->infos[o->info_count++].where = where;
	return true;
}

/* "4:<hex>"; the digits are looked at when the algorithm is known. */
static bool add_pcr(struct options *o, const char *value, struct cli_fault *fault)
{
	char number[4] = "";
	const char *colon = strchr(value, ':');
	uint64_t pcr;

	if (colon && (size_t)(colon - value) < sizeof(number))
		memcpy(number, value, (size_t)(colon - value));
	if (!cli_number(number, PCR_COUNT - 1, &pcr))
		return cli_fail(fault, CLI_USAGE, "--pcr %s: not a PCR and its value, such as 4:9f86d0...", value);
	if (o->pcr_values[pcr])
		return cli_fail(fault, CLI_USAGE, "--pcr %s: this PCR is given twice", value);
	o->pcr_values[pcr] = colon + 1;
	return true;
}

GL_MUST static bool take_option(struct options *o, int option, struct cli_fault *fault)
{
	uint64_t v = 0;

	switch (option) {
	case 'o':
		o->output = optarg;
		return true;
	case OPTION_FORCE:
		o->force = true;
		return true;
	case OPTION_ALG:
		return lcp_option_alg("--alg", optarg, &o->alg, fault);
	case OPTION_CONTROL:
		if (!lcp_option_number("--control", optarg, UINT32_MAX, &v, fault))
			return false;
		o->control = (uint32_t)v;
		return true;
	case OPTION_MIN:
		if (!lcp_option_number("--min-version", optarg, UINT8_MAX, &v, fault))
			return false;
		o->min_version = (uint8_t)v;
		o->has_min_version = true;
		return true;
	case OPTION_HASH:
	case OPTION_HASH_FILE:
		return add_given(o, optarg, option == OPTION_HASH_FILE, fault);
	case OPTION_FALLBACK:
		o->fallback = optarg;
		return true;
	case OPTION_PCRS:
		return lcp_option_pcrs("--pcrs", optarg, &o->pcrs, fault);
	case OPTION_PCR:
		return add_pcr(o, optarg, fault);
	case OPTION_TCTI:
		return add_info(o, LCP_PCRS_TPM, optarg, fault);
	case OPTION_LOG:
		return add_info(o, LCP_PCRS_LOG, optarg, fault);
	case OPTION_PCR_FILE:
		return add_info(o, LCP_PCRS_FILE, optarg, fault);
	case OPTION_UUID:
		o->uuid = optarg;
		return true;
	default:
		o->data = optarg;
		return true;
	}
}

static bool any_pcr(const struct options *o)
{
	for (unsigned i = 0; i < PCR_COUNT; i++)
		if (o->pcr_values[i])
			return true;
	return false;
}

static bool misused(struct cli_fault *fault, const char *text)
{
	return cli_fail(fault, CLI_USAGE, "%s: see " HELP, text);
}

GL_MUST static bool check_options(const struct options *o, struct cli_fault *fault)
{
	bool pcrs = o->pcrs || o->info_count > 0 || any_pcr(o), hashes = o->given_count > 0;

	if (!o->output)
		return misused(fault, "no output file: name it with -o");
	if (o->has_min_version && o->kind != MLE)
		return misused(fault, "--min-version is for mle only");
	if (!o->fallback != (o->kind != SBIOS))
		return misused(fault, o->fallback ? "--fallback is for sbios only" : "sbios needs a --fallback digest");
	if (hashes && (o->kind == PCONF || o->kind == CUSTOM))
		return misused(fault, "--hash and --hash-file are for mle, sbios and stm");
	if (!hashes && (o->kind == MLE || o->kind == STM))
		return misused(fault, "no digest: give --hash or --hash-file");
	if (pcrs && o->kind != PCONF)
		return misused(fault, "PCRs are for pconf only");
	if (o->kind == PCONF && o->info_count == 0 && !any_pcr(o))
		return misused(fault, "no PCR values: give --tcti, --log, --pcr-file or --pcr");
	if (o->info_count > 0 && !o->pcrs)
		return misused(fault, "which PCRs? Give --pcrs");
	if (o->kind == CUSTOM ? !o->uuid || !o->data : o->uuid || o->data)
		return misused(fault, o->kind == CUSTOM ? "custom needs --uuid and --data" : "--uuid and --data are for custom only");
	return true;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	struct cli_fault fault = { .code = CLI_OK };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:h", long_options, NULL)) != -1) {
		if (option == 'h') {
			o->help = true;
			return CLI_OK;
		}
		if (option == '?' || option == ':')
			return cli_usage_error(COMMAND, argc, argv, option, HELP);
		if (!take_option(o, option, &fault))
			return lcp_finish(COMMAND, false, &fault);
	}
	while (optind < argc && o->kind < KIND_COUNT && strcmp(argv[optind], kinds[o->kind].name) != 0)
		o->kind++;
	if (argc - optind != 1 || o->kind == KIND_COUNT) {
		cli_error(COMMAND, "say one of mle, pconf, sbios, stm, custom: see " HELP);
		return CLI_USAGE;
	}
	return lcp_finish(COMMAND, check_options(o, &fault), &fault);
}

/* ---- digests ---- */

/* Two digits a byte; blanks, as lcp2_mlehash prints them, may stand between bytes. */
static bool parse_digest(const char *s, size_t n, uint8_t *out, size_t size)
{
	size_t done = 0;

	for (size_t i = 0; i < n;) {
		char pair[3] = "";

		if (isblank((unsigned char)s[i])) {
			i++;
			continue;
		}
		if (i + 1 >= n || done == size)
			return false;
		memcpy(pair, s + i, 2);
		if (!cli_unhex(pair, out + done, 1))
			return false;
		done++;
		i += 2;
	}
	return done == size;
}

/* `code`: what a wrong one is a fault of, usage or input. */
static bool add_digest(
	const char *what, enum cli_exit code, const char *s, size_t n, enum alg a, struct lcp_bytes *out, struct cli_fault *fault)
{
	uint8_t digest[DIGEST_MAX];

	if (!parse_digest(s, n, digest, alg_table[a].size))
		return cli_fail(
			fault, code, "%s: a digest of %s has %u hexadecimal digits", what, alg_table[a].name, 2u * alg_table[a].size);
	return lcp_append(out, (struct span){ digest, alg_table[a].size }, fault);
}

/* One digest a line; empty lines are passed over. */
static bool add_digest_file(const char *path, enum alg a, struct lcp_bytes *out, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes file = { NULL, 0 };
	char what[256];
	unsigned line = 1;

	if (!lcp_read(path, &file, fault))
		return false;
	for (size_t at = 0; at < file.n; line++) {
		const char *s = (const char *)file.p + at;
		const char *end = memchr(s, '\n', file.n - at);
		size_t n = end ? (size_t)(end - s) : file.n - at;

		at += n + 1;
		if (n > 0 && s[n - 1] == '\r')
			n--;
		(void)snprintf(what, sizeof(what), "%s: line %u", path, line);
		if (n > 0 && !add_digest(what, CLI_INPUT, s, n, a, out, fault))
			return false;
	}
	return true;
}

GL_MUST static bool collect_hashes(struct options *o, struct cli_fault *fault)
{
	for (size_t i = 0; i < o->given_count; i++) {
		const char *s = o->given[i];

		if (!(o->is_file[i] ? add_digest_file(s, o->alg, &o->hashes, fault)
				    : add_digest("--hash", CLI_USAGE, s, strlen(s), o->alg, &o->hashes, fault)))
			return false;
	}
	return true;
}

static bool make_hashes(struct options *o, struct lcp_element *e, uint8_t fallback[DIGEST_MAX], struct cli_fault *fault)
{
	size_t size = alg_table[o->alg].size;

	if (!collect_hashes(o, fault))
		return false;
	if (o->fallback && !cli_unhex(o->fallback, fallback, size))
		return cli_fail(
			fault, CLI_USAGE, "--fallback: a digest of %s has %zu hexadecimal digits", alg_table[o->alg].name, 2 * size);
	if (o->hashes.n / size > UINT16_MAX)
		return cli_fail(fault, CLI_INPUT, "more than %u digests do not fit an element", UINT16_MAX);
	e->hash_alg = alg_table[o->alg].tpm_id;
	e->hashes = lcp_bytes_span(&o->hashes);
	e->count = (uint16_t)(o->hashes.n / size);
	if (o->fallback)
		e->fallback = (struct span){ fallback, size };
	return true;
}

/* ---- PCRs ---- */

static bool given_values(const struct options *o, struct pcrs *out, uint32_t *mask, struct cli_fault *fault)
{
	memset(out, 0, sizeof(*out));
	out->banks = ALG_BIT(o->alg);
	*mask = 0;
	for (unsigned i = 0; i < PCR_COUNT; i++) {
		if (!o->pcr_values[i])
			continue;
		if (!cli_unhex(o->pcr_values[i], out->v[o->alg][i], alg_table[o->alg].size))
			return cli_fail(fault, CLI_USAGE, "--pcr %u: a value in the bank %s has %u hexadecimal digits", i,
				alg_table[o->alg].name, 2u * alg_table[o->alg].size);
		out->known[o->alg] |= 1u << i;
		*mask |= 1u << i;
	}
	if (o->pcrs && o->pcrs != *mask)
		return cli_fail(fault, CLI_USAGE, "--pcrs does not name the PCRs whose values --pcr gives: leave it out");
	return true;
}

static bool add_pcr_info(
	const struct options *o, const struct pcrs *pcrs, uint32_t mask, const char *where, struct lcp_bytes *out, struct cli_fault *fault)
{
	uint8_t digest[LCP_DIGEST_MAX], info[LCP_PCR_INFO_MAX];
	struct span value = { digest, alg_table[o->alg].size };
	enum lcp_error error;
	size_t n = 0;

	if (!lcp_pcr_composite(pcrs, o->alg, mask, digest))
		return cli_fail(fault, CLI_INPUT, "%s: not all of these PCRs have a value in the bank %s", where, alg_table[o->alg].name);
	error = lcp_pcr_info_encode(alg_table[o->alg].tpm_id, mask, value, (struct mspan){ info, sizeof(info) }, &n);
	if (error)
		return lcp_refuse(fault, where, error);
	return lcp_append(out, (struct span){ info, n }, fault);
}

static bool make_pcr_infos(const struct options *o, struct lcp_element *e, struct lcp_bytes *room, struct cli_fault *fault)
{
	struct pcrs pcrs;
	uint32_t mask;

	for (size_t i = 0; i < o->info_count; i++) {
		const char *where = *o->infos[i].where ? o->infos[i].where : "the TPM";

		if (!lcp_get_pcrs(o->infos[i].source, o->infos[i].where, &pcrs, fault) ||
			!add_pcr_info(o, &pcrs, o->pcrs, where, room, fault))
			return false;
		e->count++;
	}
	if (any_pcr(o)) {
		if (!given_values(o, &pcrs, &mask, fault) || !add_pcr_info(o, &pcrs, mask, "--pcr", room, fault))
			return false;
		e->count++;
	}
	e->hash_alg = alg_table[o->alg].tpm_id;
	e->pcr_infos = lcp_bytes_span(room);
	return true;
}

static bool make_custom(const struct options *o, struct lcp_element *e, struct lcp_bytes *room, struct cli_fault *fault)
{
	uint8_t uuid[LCP_UUID_SIZE];
	enum lcp_error error = LCP_OK;

	if (strcmp(o->uuid, "tboot") == 0)
		memcpy(uuid, lcp_uuid_tboot, sizeof(uuid));
	else
		error = lcp_uuid_parse(span_str(o->uuid), uuid);
	if (error)
		return lcp_refuse(fault, "--uuid", error);
	if (!lcp_read(o->data, room, fault))
		return false;
	lcp_custom_wrap(uuid, o->control, lcp_bytes_span(room), e);
	return true;
}

GL_MUST static bool make(struct options *o, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes room = { NULL, 0 };
	struct lcp_element e = { .type = kinds[o->kind].type, .control = o->control, .sinit_min_version = o->min_version };
	uint8_t fallback[DIGEST_MAX];
	bool ok;

	if (!output_check(o->output, o->force, fault))
		return false;
	if (o->kind == PCONF)
		ok = make_pcr_infos(o, &e, &room, fault);
	else if (o->kind == CUSTOM)
		ok = make_custom(o, &e, &room, fault);
	else
		ok = make_hashes(o, &e, fallback, fault);
	return ok && lcp_put_element(o->output, &e, fault);
}

static void free_options(struct options *o)
{
	free(o->given);
	free(o->is_file);
	lcp_bytes_free(&o->hashes);
}

static int run(int argc, char **argv)
{
	CLEANUP(free_options) struct options o = { .alg = ALG_SHA256 };
	struct cli_fault fault = { .code = CLI_OK };
	int code = parse_options(argc, argv, &o);

	if (code != CLI_OK)
		return code;
	if (o.help)
		return lcp_finish(COMMAND, cli_help(print_help, &fault), &fault);
	return lcp_finish(COMMAND, make(&o, &fault), &fault);
}

const struct lcp_action lcp_action_element = { "element", COMMAND, "make a policy element", run };
