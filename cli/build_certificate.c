/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether firmware would know the key of a signed build, by its certificate: the key itself is sbsign's alone. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "cli/build_impl.h"

#define CERTIFICATE_MAX ((size_t)1 << 20)
/* What every firmware with Secure Boot knows. */
#define RSA_BITS 2048

static void free_bio(BIO **b)
{
	(void)BIO_free(*b);
}

static void free_certificate(X509 **c)
{
	X509_free(*c);
}

/* pem_password_cb: a certificate that is encrypted is none; nobody is asked. */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf, (void)size, (void)writing, (void)ctx;
	return -1;
}

/* The first in the file, as sbsign takes it. */
bool build_check_certificate(struct build *b)
{
	const char *path = b->options->certificate;
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t n = 0;

	if (!read_file(path, CERTIFICATE_MAX, &bytes, &n, b->fault))
		return false;
	CLEANUP(free_bio) BIO *bio = BIO_new_mem_buf(bytes, (int)n);
	CLEANUP(free_certificate) X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
	const EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;

	ERR_clear_error();
	if (!key)
		return cli_fail(b->fault, CLI_INPUT,
			"this is no certificate, or one with an unknown key: %s: name the key's certificate, PEM", path);
	const char *type = EVP_PKEY_get0_type_name(key);
	int bits = EVP_PKEY_get_bits(key);
	bool rsa = EVP_PKEY_is_a(key, "RSA");

	if ((rsa || EVP_PKEY_is_a(key, "RSA-PSS")) && bits < RSA_BITS)
		return cli_fail(b->fault, CLI_INPUT,
			"a key of %d bits is too short for RSA, and firmware does not believe it: %s: use one of %d bits", bits, path,
			RSA_BITS);
	if (!rsa && !EVP_PKEY_is_a(key, "EC"))
		return cli_fail(b->fault, CLI_INPUT,
			"sbsign cannot sign an EFI program with a key of the kind %s: %s: use RSA with %d bits (RSA with more and EC only where the "
			"firmware is known to believe them)",
			type ? type : "unknown", path, RSA_BITS);
	if (!rsa || bits != RSA_BITS)
		(void)snprintf(b->out->unusual_key, sizeof(b->out->unusual_key), "%s, %d bits", type ? type : "unknown", bits);
	return true;
}
