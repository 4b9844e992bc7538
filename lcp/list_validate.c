/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/list_layout.h"

/* Key sizes that TXT takes. */
static const struct {
	uint16_t sig_alg;
	uint16_t key_bits;
	uint8_t last_major; /* of the list's version */
} key_sizes[] = {
	{ LCP_ALG_RSASSA, 1024, 2 },
	{ LCP_ALG_RSASSA, 2048, 3 },
	{ LCP_ALG_RSASSA, 3072, 3 },
	{ LCP_ALG_RSAPSS, 2048, 3 },
	{ LCP_ALG_RSAPSS, 3072, 3 },
	{ LCP_ALG_ECDSA, 256, 3 },
	{ LCP_ALG_ECDSA, 384, 3 },
	{ LCP_ALG_SM2, 256, 3 },
};

/* What is hashed for a signature in 3.0. */
static const struct {
	uint16_t sig_alg;
	uint16_t hash_alg;
} hashes[] = {
	{ LCP_ALG_RSASSA, LCP_ALG_SHA256 },
	{ LCP_ALG_RSASSA, LCP_ALG_SHA384 },
	{ LCP_ALG_RSAPSS, LCP_ALG_SHA256 },
	{ LCP_ALG_RSAPSS, LCP_ALG_SHA384 },
	{ LCP_ALG_ECDSA, LCP_ALG_SHA256 },
	{ LCP_ALG_ECDSA, LCP_ALG_SHA384 },
	{ LCP_ALG_SM2, LCP_ALG_SM3_256 },
};

static bool key_size_known(const struct lcp_list *l)
{
	for (size_t i = 0; i < GL_COUNT(key_sizes); i++)
		if (key_sizes[i].sig_alg == l->sig_alg && key_sizes[i].key_bits == l->sig.key_bits &&
			l->version >> 8 <= key_sizes[i].last_major)
			return true;
	return false;
}

static bool hash_known(const struct lcp_list *l)
{
	for (size_t i = 0; i < GL_COUNT(hashes); i++)
		if (hashes[i].sig_alg == l->sig_alg && hashes[i].hash_alg == l->sig.hash_alg)
			return true;
	return false;
}

/* Below 3.0 there are neither versions nor exponent nor hash algorithm. */
static enum lcp_error check_old_signature(const struct lcp_list *l)
{
	const struct lcp_signature *s = &l->sig;
	const struct lcp_list_sig_alg *alg = lcp_list_sig_alg_by_id(l->version, l->sig_alg);

	if (s->version[0] || s->version[1] || s->version[2] || s->exponent || s->hash_alg)
		return LCP_E_SIG_FIELD;
	if (s->reserved)
		return alg && alg->ecc_head ? LCP_E_SIG_RESERVED : LCP_E_SIG_FIELD;
	return LCP_OK;
}

static enum lcp_error check_signature_3(const struct lcp_list *l)
{
	const struct lcp_signature *s = &l->sig;

	if (s->reserved || (s->key_alg != LCP_ALG_RSA && s->exponent))
		return LCP_E_SIG_FIELD;
	if (s->version[0] != LCP_SIG_VERSION || s->version[1] != LCP_SIG_VERSION || s->version[2] != LCP_SIG_VERSION)
		return LCP_E_SIG_VERSION;
	if (s->key_alg == LCP_ALG_RSA && s->exponent != LCP_SIG_EXPONENT)
		return LCP_E_SIG_EXPONENT;
	return hash_known(l) ? LCP_OK : LCP_E_SIG_HASH_ALG;
}

enum lcp_error lcp_list_signature_validate(const struct lcp_list *l)
{
	const struct lcp_signature *s = &l->sig;

	if (!lcp_list_signed(l)) {
		bool empty = !s->revocation && !s->key_alg && !s->key_bits && !s->exponent && !s->hash_alg && !s->reserved &&
		             !s->version[0] && !s->version[1] && !s->version[2] && !s->key.n && !s->block.n;

		return empty ? LCP_OK : LCP_E_SIG_FIELD;
	}
	if (!key_size_known(l))
		return LCP_E_SIG_KEY_SIZE;
	return l->version >> 8 >= 3 ? check_signature_3(l) : check_old_signature(l);
}

static bool same_subject(const struct lcp_element *a, const struct lcp_element *b)
{
	return a->type == b->type && a->hash_alg == b->hash_alg && a->type != LCP_ELEMENT_CUSTOM && a->type != LCP_ELEMENT_CUSTOM2;
}

/* True if an element of the same kind stands before number `last`. */
static bool has_twin(const struct lcp_list *l, const struct lcp_element *e, int last)
{
	struct lcp_elements it = lcp_elements_in(l->elements);
	struct lcp_element other;
	struct span bytes;

	for (int i = 0; i < last && lcp_elements_left(&it); i++) {
		if (lcp_elements_next(&it, &bytes) || lcp_element_decode(bytes, &other))
			return false;
		if (same_subject(&other, e))
			return true;
	}
	return false;
}

static enum lcp_error check_elements(const struct lcp_list *l, int *at)
{
	struct lcp_elements it = lcp_elements_in(l->elements);

	if (!lcp_elements_left(&it))
		return LCP_E_LIST_EMPTY;
	for (*at = 0; lcp_elements_left(&it); (*at)++) {
		struct span bytes = { NULL, 0 };
		struct lcp_element e;
		enum lcp_error error = lcp_elements_next(&it, &bytes);

		if (!error)
			error = lcp_element_decode(bytes, &e);
		if (!error)
			error = lcp_element_validate(&e);
		if (error)
			return error;
		if (has_twin(l, &e, *at))
			return LCP_E_LIST_DUPLICATE;
	}
	*at = -1;
	return LCP_OK;
}

static enum lcp_error check(const struct lcp_list *l, int *at)
{
	const struct lcp_list_layout *layout = lcp_list_layout(l->version);
	enum lcp_error error;

	*at = -1;
	if (!layout || (l->version & 0xff) > layout->last_minor)
		return LCP_E_LIST_VERSION;
	error = lcp_list_encodable(l);
	if (error)
		return error;
	if (l->reserved)
		return LCP_E_LIST_RESERVED;
	error = lcp_list_signature_validate(l);
	return error ? error : check_elements(l, at);
}

enum lcp_error lcp_list_validate(const struct lcp_list *l, int *where)
{
	int at;
	enum lcp_error error = check(l, &at);

	if (error && where)
		*where = at;
	return error;
}
