/* SPDX-License-Identifier: BSD-3-Clause */

/* Engines are old, but Debian 12 has the PKCS#11 engine and no PKCS#11 provider. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "lcp/host/key.h"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CLEANUP(f) __attribute__((cleanup(f)))

bool lcp_key_fail(struct lcp_key_error *why, const char *format, ...)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	if (reason && n >= 0 && (size_t)n < sizeof(why->text))
		(void)snprintf(why->text + n, sizeof(why->text) - (size_t)n, ": %s", reason);
	ERR_clear_error();
	return false;
}

void lcp_key_freep(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

/* pem_password_cb: without a passphrase nobody is asked. */
static int give_passphrase(char *buf, int size, int writing, void *ctx)
{
	const struct span *s = ctx;

	(void)writing;
	if (!s->p || size < 0 || s->n > (size_t)size)
		return -1;
	memcpy(buf, s->p, s->n);
	return (int)s->n;
}

static void free_method(UI_METHOD **m)
{
	UI_destroy_method(*m);
}

static void close_store(OSSL_STORE_CTX **c)
{
	(void)OSSL_STORE_close(*c);
}

static void free_engine(ENGINE **e)
{
	(void)ENGINE_free(*e);
}

static void free_info(OSSL_STORE_INFO **i)
{
	OSSL_STORE_INFO_free(*i);
}

static void free_bio(BIO **b)
{
	(void)BIO_free(*b);
}

/* Providers stay loaded until the program ends, as their keys need them. */
#define PROVIDERS_MAX 8
static OSSL_PROVIDER *providers[PROVIDERS_MAX];
static size_t provider_count;

static void unload_providers(void)
{
	while (provider_count > 0)
		(void)OSSL_PROVIDER_unload(providers[--provider_count]);
}

static bool load_one(const char *name)
{
	OSSL_PROVIDER *provider;

	if (OSSL_PROVIDER_available(NULL, name))
		return true;
	if (provider_count == PROVIDERS_MAX || (provider_count == 0 && !OPENSSL_atexit(unload_providers)))
		return false;
	provider = OSSL_PROVIDER_load(NULL, name);
	if (provider)
		providers[provider_count++] = provider;
	return provider != NULL;
}

/* Loading one turns the default one off, so that is loaded too. */
static bool load_provider(const char *name, struct lcp_key_error *why)
{
	if (!name || (load_one("default") && load_one(name)))
		return true;
	return lcp_key_fail(why, "OpenSSL has no provider %s", name);
}

static bool open_by_engine(const struct lcp_key_source *s, bool private, EVP_PKEY **out, struct lcp_key_error *why)
{
	CLEANUP(free_method) UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
	CLEANUP(free_engine) ENGINE *e = NULL;
	struct span pin = s->passphrase;

	ENGINE_load_dynamic();
	e = ENGINE_by_id(s->engine);
	if (!e)
		return lcp_key_fail(why, "OpenSSL has no engine %s: install it (Debian: libengine-pkcs11-openssl)", s->engine);
	/* Engines that know the command leave the messages to us. */
	(void)ENGINE_ctrl_cmd_string(e, "QUIET", NULL, 1);
	if (!ui || !ENGINE_init(e))
		return lcp_key_fail(why, "OpenSSL's engine %s does not start", s->engine);
	*out = private ? ENGINE_load_private_key(e, s->name, ui, &pin) : ENGINE_load_public_key(e, s->name, ui, &pin);
	/* The key holds the engine from here on. */
	(void)ENGINE_finish(e);
	return *out || lcp_key_fail(why, "%s: the engine %s does not find or give this key (is the PIN right?)", s->name, s->engine);
}

static EVP_PKEY *key_of(const OSSL_STORE_INFO *info, bool private)
{
	switch (OSSL_STORE_INFO_get_type(info)) {
	case OSSL_STORE_INFO_PKEY:
		return OSSL_STORE_INFO_get1_PKEY(info);
	case OSSL_STORE_INFO_PUBKEY:
		return private ? NULL : OSSL_STORE_INFO_get1_PUBKEY(info);
	case OSSL_STORE_INFO_CERT:
		return private ? NULL : X509_get_pubkey(OSSL_STORE_INFO_get0_CERT(info));
	default:
		return NULL;
	}
}

static bool open_by_store(const struct lcp_key_source *s, bool private, EVP_PKEY **out, struct lcp_key_error *why)
{
	CLEANUP(free_method) UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
	CLEANUP(close_store) OSSL_STORE_CTX *store = NULL;
	struct span passphrase = s->passphrase;

	store = ui ? OSSL_STORE_open(s->name, ui, &passphrase, NULL, NULL) : NULL;
	if (!store)
		return lcp_key_fail(why, "%s: cannot be opened", s->name);
	while (!*out && !OSSL_STORE_eof(store)) {
		CLEANUP(free_info) OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info)
			*out = key_of(info, private);
		else if (OSSL_STORE_error(store))
			break;
	}
	/* A file that is no key at all ends in an error too, as does one that cannot be decrypted. */
	return *out || lcp_key_fail(why, "%s: no %s key in it, or not with this passphrase", s->name, private ? "private" : "public");
}

static bool open_pem(const struct lcp_key_source *s, bool private, EVP_PKEY **out, struct lcp_key_error *why)
{
	CLEANUP(free_bio) BIO *file = BIO_new_file(s->name, "r");
	struct span passphrase = s->passphrase;

	if (!file)
		return lcp_key_fail(why, "%s: cannot be opened", s->name);
	if (!private) {
		*out = PEM_read_bio_PUBKEY(file, NULL, give_passphrase, &passphrase);
		if (*out)
			return true;
	}
	ERR_clear_error();
	/* What else there may be: certificates, private keys of all kinds. */
	return open_by_store(s, private, out, why);
}

static bool is_file(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0;
}

static bool open_key(const struct lcp_key_source *s, bool private, EVP_PKEY **out, struct lcp_key_error *why)
{
	EVP_PKEY *key = NULL;
	bool ok;

	ERR_clear_error();
	if (!load_provider(s->provider, why))
		return false;
	if (s->engine)
		ok = open_by_engine(s, private, &key, why);
	else if (is_file(s->name))
		ok = open_pem(s, private, &key, why);
	else
		ok = open_by_store(s, private, &key, why);
	if (ok)
		*out = key;
	return ok;
}

bool lcp_key_private(const struct lcp_key_source *s, EVP_PKEY **out, struct lcp_key_error *why)
{
	return open_key(s, true, out, why);
}

bool lcp_key_public(const struct lcp_key_source *s, EVP_PKEY **out, struct lcp_key_error *why)
{
	return open_key(s, false, out, why);
}
