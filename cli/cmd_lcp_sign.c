/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "cli/lcp.h"
#include "cli/secret.h"
#include "lcp/host/sign.h"

#define SIGN "lcp sign"
#define SIGN_HELP "'geolaunch lcp sign --help'"
#define VERIFY "lcp verify"
#define VERIFY_HELP "'geolaunch lcp verify --help'"
#define SIGNATURE_MAX 4096

struct options {
	const char *list;
	const char *output;
	const char *key;
	const char *public_key;
	const char *engine;
	const char *provider;
	const char *passphrase;
	const char *signature;
	bool print_data;
	bool force;
	struct lcp_sign_how how;
	bool help;
};

/* clang-format off */
enum {
	OPTION_KEY = 256, OPTION_PUBLIC, OPTION_ENGINE, OPTION_PROVIDER, OPTION_PASSPHRASE, OPTION_SCHEME, OPTION_HASH, OPTION_REVOCATION,
	OPTION_PRINT, OPTION_SIGNATURE, OPTION_JSON, OPTION_FORCE
};
/* clang-format on */

static const struct option sign_long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "key", required_argument, NULL, OPTION_KEY },
	{ "public-key", required_argument, NULL, OPTION_PUBLIC },
	{ "engine", required_argument, NULL, OPTION_ENGINE },
	{ "provider", required_argument, NULL, OPTION_PROVIDER },
	{ "passphrase", required_argument, NULL, OPTION_PASSPHRASE },
	{ "scheme", required_argument, NULL, OPTION_SCHEME },
	{ "hash", required_argument, NULL, OPTION_HASH },
	{ "revocation", required_argument, NULL, OPTION_REVOCATION },
	{ "print-data", no_argument, NULL, OPTION_PRINT },
	{ "signature", required_argument, NULL, OPTION_SIGNATURE },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_sign_help(void)
{
	printf("usage: geolaunch lcp sign LIST --key KEY [OPTIONS]\n"
	       "       geolaunch lcp sign LIST --public-key KEY --print-data [OPTIONS] > DATA\n"
	       "       geolaunch lcp sign LIST --public-key KEY --signature FILE [OPTIONS]\n"
	       "\n"
	       "Signs a policy list with RSA (2048 or 3072 bits) or ECDSA (P-256, P-384). With --print-data\n"
	       "the bytes to be signed are written out, and the list stays as it is; a signature made\n"
	       "elsewhere is put in with --signature.\n"
	       "\n"
	       "      --key KEY          private key: a PEM file, or a URI (pkcs11:..., file:...)\n"
	       "      --public-key KEY   public key, for signing elsewhere: PEM file or URI\n"
	       "      --engine NAME      OpenSSL engine that has the key, such as pkcs11\n"
	       "      --provider NAME    OpenSSL provider to load\n"
	       "      --passphrase FILE  passphrase or PIN: the content of the file; - asks\n"
	       "      --scheme S         rsassa, rsapss, ecdsa (default: by key and list version)\n"
	       "      --hash ALG         what is hashed with (default sha256, for P-384 sha384)\n"
	       "      --revocation N     revocation counter (default 0)\n"
	       "      --print-data       write the bytes to be signed to the output\n"
	       "      --signature FILE   big-endian: RSA raw, ECDSA DER or r and s\n"
	       "  -o, --output FILE      the signed list (default: the same file), or the bytes to be\n"
	       "                         signed (default: standard output); - for standard output\n"
	       "      --force            replace a file that exists, other than the list itself\n"
	       "  -h, --help             this text\n");
}

GL_MUST static bool parse_scheme(const char *s, uint16_t *out, struct cli_fault *fault)
{
	static const uint16_t schemes[] = { LCP_ALG_RSASSA, LCP_ALG_RSAPSS, LCP_ALG_ECDSA };

	for (size_t i = 0; i < GL_COUNT(schemes); i++) {
		if (strcmp(s, lcp_alg_name(schemes[i])) == 0) {
			*out = schemes[i];
			return true;
		}
	}
	return cli_fail(fault, CLI_USAGE, "--scheme %s: not one of rsassa, rsapss, ecdsa", s);
}

/* Where an option's value goes as it is; NULL: it is no such option. */
static const char **text_option(struct options *o, int option)
{
	switch (option) {
	case 'o':
		return &o->output;
	case OPTION_KEY:
		return &o->key;
	case OPTION_PUBLIC:
		return &o->public_key;
	case OPTION_ENGINE:
		return &o->engine;
	case OPTION_PROVIDER:
		return &o->provider;
	case OPTION_PASSPHRASE:
		return &o->passphrase;
	case OPTION_SIGNATURE:
		return &o->signature;
	default:
		return NULL;
	}
}

GL_MUST static bool take_option(struct options *o, int option, struct cli_fault *fault)
{
	const char **text = text_option(o, option);
	uint64_t v = 0;

	if (text) {
		*text = optarg;
		return true;
	}
	switch (option) {
	case OPTION_SCHEME:
		return parse_scheme(optarg, &o->how.sig_alg, fault);
	case OPTION_HASH:
		return lcp_option_hash_id("--hash", optarg, &o->how.hash_alg, fault);
	case OPTION_REVOCATION:
		if (!lcp_option_number("--revocation", optarg, UINT16_MAX, &v, fault))
			return false;
		o->how.revocation = (uint16_t)v;
		return true;
	case OPTION_FORCE:
		o->force = true;
		return true;
	default:
		o->print_data = true;
		return true;
	}
}

static int check_options(int argc, char **argv, struct options *o)
{
	const char *problem = NULL;

	if (argc - optind != 1)
		problem = "give one list";
	else if (!o->key == !o->public_key)
		problem = "give either --key, or --public-key to sign elsewhere";
	else if (o->print_data && o->signature)
		problem = "either --print-data or --signature";
	else if (o->key && o->signature)
		problem = "--signature goes with --public-key";
	else if (o->public_key && !o->print_data && !o->signature)
		problem = "a public key does not sign: give --print-data or --signature";
	if (!problem) {
		o->list = argv[optind];
		return CLI_OK;
	}
	cli_error(SIGN, "%s: see " SIGN_HELP, problem);
	return CLI_USAGE;
}

static int parse_sign_options(int argc, char **argv, struct options *o)
{
	struct cli_fault fault = { .code = CLI_OK };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:h", sign_long_options, NULL)) != -1) {
		if (option == 'h') {
			o->help = true;
			return CLI_OK;
		}
		if (option == '?' || option == ':')
			return cli_usage_error(SIGN, argc, argv, option, SIGN_HELP);
		if (!take_option(o, option, &fault))
			return lcp_finish(SIGN, false, &fault);
	}
	return check_options(argc, argv, o);
}

/* A key that is a file; URIs and names that an engine knows are OpenSSL's affair. */
GL_MUST static bool check_key_file(const char *name, const char *engine, struct cli_fault *fault)
{
	return engine || strchr(name, ':') || access(name, R_OK) == 0 ||
	       cli_fail(fault, CLI_IO, "cannot open: %s: %s", name, strerror(errno));
}

GL_MUST static bool open_key(const struct options *o, EVP_PKEY **out, struct cli_fault *fault)
{
	CLEANUP(secret_wipe) struct secret passphrase = { .n = 0 };
	struct lcp_key_source source = { .name = o->key ? o->key : o->public_key, .engine = o->engine, .provider = o->provider };
	struct lcp_key_error why = { "" };
	bool ok;

	if (!check_key_file(source.name, o->engine, fault))
		return false;
	if (o->passphrase && !secret_get(o->passphrase, "passphrase or PIN", SECRET_MAX, &passphrase, fault))
		return false;
	if (o->passphrase)
		source.passphrase = (struct span){ passphrase.bytes, passphrase.n };
	ok = o->key ? lcp_key_private(&source, out, &why) : lcp_key_public(&source, out, &why);
	return ok || cli_fail(fault, CLI_INPUT, "%s", why.text);
}

/* The list's rules, without those of the signature that is about to come. */
GL_MUST static bool check_unsigned(const char *path, const struct lcp_list *l, struct cli_fault *fault)
{
	struct lcp_list bare = { .version = l->version, .sig_alg = LCP_ALG_NULL, .elements = l->elements };
	enum lcp_error error = lcp_list_validate(&bare, NULL);

	return error == LCP_OK || lcp_refuse(fault, path, error);
}

GL_MUST static bool print_data(const struct options *o, const struct lcp_list *l, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes data = { NULL, 0 };
	struct lcp_key_error why = { "" };

	if (!lcp_sign_data(l, &data.p, &data.n, &why))
		return cli_fail(fault, CLI_INPUT, "%s: %s", o->list, why.text);
	return output_write(o->output ? o->output : "-", lcp_bytes_span(&data), fault);
}

GL_MUST static bool sign(const struct options *o, struct cli_fault *fault)
{
	CLEANUP(lcp_key_freep) EVP_PKEY *key = NULL;
	CLEANUP_BYTES struct lcp_bytes file = { NULL, 0 };
	CLEANUP_BYTES struct lcp_bytes signature = { NULL, 0 };
	struct lcp_sign_room room;
	struct lcp_key_error why = { "" };
	struct lcp_list l;
	uint16_t hash_alg = LCP_ALG_NULL;
	bool ok;

	if (!lcp_check_output(o->print_data && !o->output ? "-" : o->output, o->print_data ? NULL : o->list, o->force, fault) ||
		!lcp_read_list(o->list, &file, &l, fault) || !check_unsigned(o->list, &l, fault) || !open_key(o, &key, fault))
		return false;
	if (!lcp_sign_prepare(&l, key, &o->how, &room, &hash_alg, &why))
		return cli_fail(fault, CLI_INPUT, "%s: %s", o->list, why.text);
	if (o->print_data)
		return print_data(o, &l, fault);
	if (o->signature) {
		if (!read_file(o->signature, SIGNATURE_MAX, &signature.p, &signature.n, fault))
			return false;
		ok = lcp_sign_take(&l, lcp_bytes_span(&signature), hash_alg, &room, &why);
	} else {
		ok = lcp_sign_list(&l, key, hash_alg, &room, &why);
	}
	if (!ok)
		return cli_fail(fault, CLI_INPUT, "%s: %s", o->signature ? o->signature : o->key, why.text);
	return lcp_put_list(o->output, o->list, &l, fault);
}

static int run_sign(int argc, char **argv)
{
	struct options o = { .list = NULL };
	struct cli_fault fault = { .code = CLI_OK };
	int code = parse_sign_options(argc, argv, &o);

	if (code != CLI_OK)
		return code;
	if (o.help) {
		print_sign_help();
		return lcp_finish(SIGN, cli_flush(&fault), &fault);
	}
	return lcp_finish(SIGN, sign(&o, &fault), &fault);
}

const struct lcp_action lcp_action_sign = { "sign", SIGN, "sign a policy list", run_sign };

/* ---- verify ---- */

static const struct option verify_long_options[] = {
	{ "public-key", required_argument, NULL, OPTION_PUBLIC },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_verify_help(void)
{
	printf("usage: geolaunch lcp verify [--public-key KEY] [--json] LIST|DATA\n"
	       "\n"
	       "Verifies the signatures of a policy list, or of all lists in a policy data file, with the\n"
	       "keys in them.\n"
	       "\n"
	       "      --public-key KEY  each list must be signed with this key\n"
	       "      --json            print the result as JSON\n"
	       "  -h, --help            this text\n");
}

struct verify_options {
	const char *file;
	const char *public_key;
	bool json;
};

/* One list; appends to `out`. False if its signature does not hold. */
static bool verify_one(const struct lcp_list *l, EVP_PKEY *key, unsigned number, json_t *out, bool json)
{
	struct lcp_key_error why = { "" };
	uint16_t hash_alg = LCP_ALG_NULL;
	bool is_signed = lcp_list_signed(l);
	bool valid = is_signed && lcp_sign_verify(l, &hash_alg, &why);
	const char *problem = why.text;

	if (key && !is_signed)
		problem = "the list is not signed";
	if (valid && key && !lcp_sign_is_by(l, key)) {
		problem = "the list was signed with another key";
		valid = false;
	}
	if (json)
		(void)json_array_append_new(
			out, json_pack("{s:i, s:b, s:b, s:s?, s:s?, s:s?}", "list", (int)number, "signed", (int)is_signed, "valid",
				     (int)valid, "scheme", is_signed ? lcp_alg_name(l->sig_alg) : NULL, "hash_alg",
				     valid ? lcp_alg_name(hash_alg) : NULL, "error", *problem ? problem : NULL));
	else if (valid)
		printf("list %u: %s with %u bits and %s: valid\n", number, lcp_alg_name(l->sig_alg), l->sig.key_bits,
			lcp_alg_name(hash_alg));
	else
		printf("list %u: %s\n", number, *problem ? problem : "not signed");
	return valid || (!is_signed && !key);
}

static bool is_data(struct span s)
{
	struct span head = SPAN_LITERAL(LCP_DATA_SIGNATURE);

	return s.n >= head.n && span_equal((struct span){ s.p, head.n }, head);
}

GL_MUST static bool verify(const struct verify_options *o, struct cli_fault *fault)
{
	CLEANUP(lcp_key_freep) EVP_PKEY *key = NULL;
	CLEANUP_BYTES struct lcp_bytes file = { NULL, 0 };
	CLEANUP_JSON json_t *out = json_array();
	struct lcp_data data = { .list_count = 1 };
	struct options how = { .public_key = o->public_key };
	enum lcp_error error;
	bool ok = true, any = false;

	if (!lcp_read(o->file, &file, fault) || (o->public_key && !open_key(&how, &key, fault)))
		return false;
	error = is_data(lcp_bytes_span(&file)) ? lcp_data_decode(lcp_bytes_span(&file), &data, NULL)
	                                       : lcp_list_decode(lcp_bytes_span(&file), &data.lists[0]);
	if (error)
		return lcp_refuse_file(fault, o->file, &file, FILE_LCP_LIST, error);
	for (unsigned i = 0; i < data.list_count; i++) {
		any = any || lcp_list_signed(&data.lists[i]);
		ok = verify_one(&data.lists[i], key, i, out, o->json) && ok;
	}
	if (!(o->json ? cli_json_print(out, fault) : cli_flush(fault)))
		return false;
	/* Nothing signed is nothing verified. */
	return (ok && any) ||
	       cli_fail(fault, CLI_INPUT, "%s: %s", o->file, any ? "a signature is missing or wrong" : "nothing in it is signed");
}

static int run_verify(int argc, char **argv)
{
	struct verify_options o = { .file = NULL };
	struct cli_fault fault = { .code = CLI_OK };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", verify_long_options, NULL)) != -1) {
		if (option == 'h') {
			print_verify_help();
			return lcp_finish(VERIFY, cli_flush(&fault), &fault);
		}
		if (option == OPTION_PUBLIC)
			o.public_key = optarg;
		else if (option == OPTION_JSON)
			o.json = true;
		else
			return cli_usage_error(VERIFY, argc, argv, option, VERIFY_HELP);
	}
	if (argc - optind != 1) {
		cli_error(VERIFY, "give one list or policy data file: see " VERIFY_HELP);
		return CLI_USAGE;
	}
	o.file = argv[optind];
	return lcp_finish(VERIFY, verify(&o, &fault), &fault);
}

const struct lcp_action lcp_action_verify = { "verify", VERIFY, "verify the signatures of lists", run_verify };
