/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/digest.h"

#include "lcp/list_layout.h"

/* Takes what `write` makes of the list into the stream; heads are small. */
static void hash_head(struct hash *h, const struct lcp_list *l, void (*write)(struct wr *, const struct lcp_list *))
{
	uint8_t buf[LCP_SIG_HEAD_MAX];
	struct wr w = wr_init((struct mspan){ buf, sizeof(buf) });

	static_assert(LCP_LIST_HEADER_SIZE <= LCP_SIG_HEAD_MAX, "both heads fit");
	write(&w, l);
	hash_update(h, wr_span(&w));
}

enum lcp_error lcp_list_hash(const struct lcp_list *l, alg_set banks, struct digests *out)
{
	struct hash h;
	enum lcp_error error = lcp_list_encodable(l);

	if (error)
		return error;
	hash_init(&h, banks);
	if (lcp_list_signed(l)) {
		hash_update(&h, l->sig.key);
	} else {
		hash_head(&h, l, lcp_list_write_head);
		hash_update(&h, l->elements);
	}
	hash_final(&h, out);
	return LCP_OK;
}

/* The data's digest for one algorithm. */
static enum lcp_error hash_lists(const struct lcp_data *d, enum alg a, struct digests *out)
{
	struct hash h;

	hash_init(&h, ALG_BIT(a));
	for (unsigned i = 0; i < d->list_count; i++) {
		struct digests list;
		enum lcp_error error = lcp_list_hash(&d->lists[i], ALG_BIT(a), &list);

		if (error)
			return error;
		hash_update(&h, digest_span(&list, a));
	}
	hash_final(&h, out);
	return LCP_OK;
}

enum lcp_error lcp_data_hash(const struct lcp_data *d, alg_set banks, struct digests *out)
{
	struct digests all = { .banks = banks & ALG_SET_ALL };

	if (d->list_count > LCP_MAX_LISTS)
		return LCP_E_DATA_LISTS;
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		struct digests one;
		enum lcp_error error;

		if (!(banks & ALG_BIT(a)))
			continue;
		error = hash_lists(d, a, &one);
		if (error)
			return error;
		for (size_t i = 0; i < alg_table[a].size; i++)
			all.d[a][i] = one.d[a][i];
	}
	*out = all;
	return LCP_OK;
}

enum lcp_error lcp_policy_matches_data(const struct lcp_policy *p, const struct lcp_data *d, bool *matches)
{
	struct digests all;
	enum lcp_error error;
	enum alg a;

	if (!alg_by_id(p->hash_alg, &a))
		return LCP_E_ALG;
	error = lcp_data_hash(d, ALG_BIT(a), &all);
	if (error)
		return error;
	*matches = span_equal(digest_span(&all, a), lcp_policy_hash(p));
	return LCP_OK;
}

/* Below 3.0 the key is signed too. */
static struct span signed_key(const struct lcp_list *l)
{
	return l->version >> 8 < 3 ? l->sig.key : (struct span){ NULL, 0 };
}

size_t lcp_list_signed_size(const struct lcp_list *l)
{
	struct wr w = wr_measure();

	if (!lcp_list_signed(l) || lcp_list_signable(l))
		return 0;
	lcp_list_write_head(&w, l);
	wr_bytes(&w, l->elements);
	lcp_list_write_sig_head(&w, l);
	wr_bytes(&w, signed_key(l));
	return w.off;
}

enum lcp_error lcp_list_signed_hash(const struct lcp_list *l, alg_set banks, struct digests *out)
{
	struct hash h;
	enum lcp_error error = lcp_list_signable(l);

	if (error)
		return error;
	if (!lcp_list_signed(l))
		return LCP_E_LIST_SIG_ALG;
	hash_init(&h, banks);
	hash_head(&h, l, lcp_list_write_head);
	hash_update(&h, l->elements);
	hash_head(&h, l, lcp_list_write_sig_head);
	hash_update(&h, signed_key(l));
	hash_final(&h, out);
	return LCP_OK;
}
