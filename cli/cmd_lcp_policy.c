/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/lcp.h"
#include "lcp/digest.h"

#define COMMAND "lcp policy"
#define HELP "'geolaunch lcp policy --help'"
/* What the masks approve if nothing is said: what every SINIT for TPM 2.0 has. */
#define DEFAULT_SIGN_MASK 0x000030c8u
#define DEFAULT_MAX_SINIT_MIN 0xff

struct options {
	const char *output;
	bool force;
	const char *data;
	struct lcp_policy policy;
	enum alg alg;
	bool has_hashes;
	bool has_aux;
	bool help;
};

/* clang-format off */
enum {
	OPTION_VERSION = 256, OPTION_ALG, OPTION_TYPE, OPTION_DATA, OPTION_MIN, OPTION_MAX, OPTION_REVOCATION, OPTION_CONTROL, OPTION_NPW,
	OPTION_CAPS, OPTION_OWNER, OPTION_AUX_DELETE, OPTION_HASHES, OPTION_SIGNS, OPTION_AUX, OPTION_FORCE
};
/* clang-format on */

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "version", required_argument, NULL, OPTION_VERSION },
	{ "alg", required_argument, NULL, OPTION_ALG },
	{ "type", required_argument, NULL, OPTION_TYPE },
	{ "data", required_argument, NULL, OPTION_DATA },
	{ "min-version", required_argument, NULL, OPTION_MIN },
	{ "max-sinit-min", required_argument, NULL, OPTION_MAX },
	{ "revocation", required_argument, NULL, OPTION_REVOCATION },
	{ "control", required_argument, NULL, OPTION_CONTROL },
	{ "npw", no_argument, NULL, OPTION_NPW },
	{ "sinit-caps", no_argument, NULL, OPTION_CAPS },
	{ "owner-enforced", no_argument, NULL, OPTION_OWNER },
	{ "aux-delete", no_argument, NULL, OPTION_AUX_DELETE },
	{ "hash-mask", required_argument, NULL, OPTION_HASHES },
	{ "sign-mask", required_argument, NULL, OPTION_SIGNS },
	{ "aux-mask", required_argument, NULL, OPTION_AUX },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch lcp policy create -o POLICY --type any [OPTIONS]\n"
	       "       geolaunch lcp policy create -o POLICY --type list --data DATA [OPTIONS]\n"
	       "\n"
	       "Makes the policy that goes into the TPM.\n"
	       "\n"
	       "  -o, --output POLICY    the policy; - for standard output\n"
	       "      --force            replace a file that exists\n"
	       "      --type T           any, or list: only what the lists of the policy data allow\n"
	       "      --data DATA        the policy data file, whose digest the policy gets\n"
	       "      --version V        3.0, 3.1, 3.2 (default)\n"
	       "      --alg ALG          hash algorithm: sha1, sha256 (default), sha384, sha512\n"
	       "      --min-version N    oldest SINIT that may launch (default 0)\n"
	       "      --max-sinit-min N  limit for revocation by the AUX index (default 255: none)\n"
	       "      --revocation N,... revocation counters of the lists (default 0)\n"
	       "      --npw              allow modules that are not production worthy\n"
	       "      --sinit-caps       measure OsSinitData.Capabilities into PCR 17\n"
	       "      --owner-enforced   owner policy: enforce the supplier's PCONF elements;\n"
	       "                         supplier policy: demand an owner policy\n"
	       "      --aux-delete       have the AUX index deleted; nothing launches while it is set\n"
	       "      --control N        PolicyControl as a number, instead of these four\n"
	       "      --hash-mask LIST   approved hash algorithms: names, or a number (default --alg)\n"
	       "      --sign-mask LIST   approved signature algorithms: names such as rsa-2048-sha256,\n"
	       "                         ecdsa-p256, or a number (default: RSA and ECDSA without SHA-1)\n"
	       "      --aux-mask LIST    AuxHashAlgMask, not in 3.2 (default: 3.0 --alg, else none)\n"
	       "  -h, --help             this text\n");
}

static bool mask_of_hash(struct span name, uint32_t *bit)
{
	const struct lcp_hash_info *h = lcp_hash_by_name(name);

	*bit = h ? h->mask : 0;
	return h != NULL;
}

static bool mask_of_sign(struct span name, uint32_t *bit)
{
	const struct lcp_sign_info *s = lcp_sign_by_name(name);

	*bit = s ? s->mask : 0;
	return s != NULL;
}

/* Names with commas between, or one number. */
GL_MUST static bool parse_mask(
	const char *option, const char *value, uint64_t max, bool (*find)(struct span, uint32_t *), uint32_t *out, struct cli_fault *fault)
{
	uint64_t number;

	if (cli_number(value, max, &number)) {
		*out = (uint32_t)number;
		return true;
	}
	*out = 0;
	for (const char *s = value;; s++) {
		size_t n = strcspn(s, ",");
		uint32_t bit;

		if (!find((struct span){ (const uint8_t *)s, n }, &bit))
			return cli_fail(fault, CLI_USAGE, "%s %s: not a number, and %.*s is no algorithm: see geolaunch-lcp(1)", option,
				value, (int)n, s);
		*out |= bit;
		s += n;
		if (!*s)
			return true;
	}
}

GL_MUST static bool parse_revocation(const char *value, struct lcp_policy *p, struct cli_fault *fault)
{
	const char *s = value;

	for (unsigned i = 0; i < LCP_MAX_LISTS; i++) {
		size_t n = strcspn(s, ",");
		char number[16] = "";
		uint64_t v;

		if (n >= sizeof(number))
			break;
		memcpy(number, s, n);
		if (!cli_number(number, UINT16_MAX, &v))
			break;
		p->revocation[i] = (uint16_t)v;
		s += n;
		if (!*s)
			return true;
		s++;
	}
	return cli_fail(fault, CLI_USAGE, "--revocation %s: not one to eight numbers from 0 to 65535 with commas between", value);
}

/* Flags of PolicyControl; 0: the option is none. */
static uint32_t control_bit(int option)
{
	switch (option) {
	case OPTION_NPW:
		return LCP_CONTROL_NPW;
	case OPTION_CAPS:
		return LCP_CONTROL_SINIT_CAPS;
	case OPTION_OWNER:
		return LCP_CONTROL_OWNER_ENFORCED;
	case OPTION_AUX_DELETE:
		return LCP_CONTROL_AUX_DELETE;
	default:
		return 0;
	}
}

GL_MUST static bool take_number(const char *option, uint64_t max, uint64_t *v, struct cli_fault *fault)
{
	return lcp_option_number(option, optarg, max, v, fault);
}

GL_MUST static bool take_mask(struct options *o, int option, struct cli_fault *fault)
{
	uint32_t mask;

	if (option == OPTION_SIGNS)
		return parse_mask("--sign-mask", optarg, UINT32_MAX, mask_of_sign, &o->policy.sign_mask, fault);
	if (!parse_mask(option == OPTION_AUX ? "--aux-mask" : "--hash-mask", optarg, UINT16_MAX, mask_of_hash, &mask, fault))
		return false;
	if (option == OPTION_HASHES) {
		o->policy.hash_mask = (uint16_t)mask;
		o->has_hashes = true;
		return true;
	}
	o->policy.aux_hash_mask = (uint16_t)mask;
	o->has_aux = true;
	return true;
}

GL_MUST static bool take_option(struct options *o, int option, struct cli_fault *fault)
{
	struct lcp_policy *p = &o->policy;
	uint64_t v = 0;

	p->control |= control_bit(option);
	if (control_bit(option))
		return true;
	switch (option) {
	case 'o':
		o->output = optarg;
		return true;
	case OPTION_FORCE:
		o->force = true;
		return true;
	case OPTION_DATA:
		o->data = optarg;
		return true;
	case OPTION_ALG:
		return lcp_option_alg("--alg", optarg, &o->alg, fault);
	case OPTION_VERSION:
		return (lcp_policy_version_by_name(span_str(optarg), &p->version) && !lcp_policy_is_legacy(p)) ||
		       cli_fail(fault, CLI_USAGE, "--version %s: not one of 3.0, 3.1, 3.2", optarg);
	case OPTION_TYPE:
		return lcp_policy_type_by_name(span_str(optarg), &p->type) ||
		       cli_fail(fault, CLI_USAGE, "--type %s: not list or any", optarg);
	case OPTION_REVOCATION:
		return parse_revocation(optarg, p, fault);
	case OPTION_MIN:
		if (!take_number("--min-version", UINT8_MAX, &v, fault))
			return false;
		p->sinit_min_version = (uint8_t)v;
		return true;
	case OPTION_MAX:
		if (!take_number("--max-sinit-min", UINT8_MAX, &v, fault))
			return false;
		p->max_sinit_min_version = (uint8_t)v;
		return true;
	case OPTION_CONTROL:
		if (!take_number("--control", UINT32_MAX, &v, fault))
			return false;
		p->control |= (uint32_t)v;
		return true;
	default:
		return take_mask(o, option, fault);
	}
}

#define NO_TYPE 0xff

static int parse_options(int argc, char **argv, struct options *o)
{
	struct cli_fault fault = { .code = CLI_OK };
	const char *problem = NULL;
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
	if (argc - optind != 1 || strcmp(argv[optind], "create") != 0)
		problem = "say create";
	else if (!o->output)
		problem = "no output file: name it with -o";
	else if (o->policy.type == NO_TYPE)
		problem = "no type: give --type any or --type list";
	else if ((o->policy.type == LCP_POLICY_LIST) != (o->data != NULL))
		problem = o->data ? "--data is for --type list" : "the type list needs the policy data: name it with --data";
	if (!problem)
		return CLI_OK;
	cli_error(COMMAND, "%s: see " HELP, problem);
	return CLI_USAGE;
}

/* The digest of policy data that is itself sound. */
GL_MUST static bool set_hash(struct options *o, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes bytes = { NULL, 0 };
	struct lcp_data data;
	struct digests d;
	enum lcp_error error;

	if (!lcp_read(o->data, &bytes, fault))
		return false;
	error = lcp_data_decode(lcp_bytes_span(&bytes), &data, NULL);
	if (!error)
		error = lcp_data_validate(&data, NULL);
	if (!error)
		error = lcp_data_hash(&data, ALG_BIT(o->alg), &d);
	if (error)
		return lcp_refuse_file(fault, o->data, &bytes, FILE_LCP_DATA, error);
	memcpy(o->policy.hash, d.d[o->alg], alg_table[o->alg].size);
	return true;
}

GL_MUST static bool make(struct options *o, struct cli_fault *fault)
{
	uint8_t out[LCP_POLICY_MAX_SIZE];
	struct lcp_policy *p = &o->policy;
	enum lcp_error error;
	size_t n = 0;

	p->hash_alg = alg_table[o->alg].tpm_id;
	p->hash_size = alg_table[o->alg].size;
	if (!o->has_hashes)
		p->hash_mask = lcp_hash_by_id(p->hash_alg)->mask;
	if (!o->has_aux && p->version == LCP_POLICY_3_0)
		p->aux_hash_mask = lcp_hash_by_id(p->hash_alg)->mask;
	if (!output_check(o->output, o->force, fault) || (o->data && !set_hash(o, fault)))
		return false;
	error = lcp_policy_validate(p);
	if (!error)
		error = lcp_policy_encode(p, (struct mspan){ out, sizeof(out) }, &n);
	if (error)
		return lcp_refuse(fault, "the policy is not written", error);
	return output_write(o->output, (struct span){ out, n }, fault);
}

static int run(int argc, char **argv)
{
	struct options o = {
		.alg = ALG_SHA256,
		.policy = {
			.version = LCP_POLICY_3_2, .type = NO_TYPE, .max_sinit_min_version = DEFAULT_MAX_SINIT_MIN,
			.sign_mask = DEFAULT_SIGN_MASK,
		},
	};
	struct cli_fault fault = { .code = CLI_OK };
	int code = parse_options(argc, argv, &o);

	if (code != CLI_OK)
		return code;
	if (o.help)
		return lcp_finish(COMMAND, cli_help(print_help, &fault), &fault);
	return lcp_finish(COMMAND, make(&o, &fault), &fault);
}

const struct lcp_action lcp_action_policy = { "policy", COMMAND, "make the policy that goes into the TPM", run };
