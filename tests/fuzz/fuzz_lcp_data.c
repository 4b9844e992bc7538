/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy data files: encode(decode(b)) = b, all that holds for their lists, and where errors are said to be exists. */
#include "lcp/custom.h"
#include "lcp_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is a UUID's text is printed as it was, but for the case of its digits; an element with it is found by it. */
static void check_uuid(struct span in)
{
	char out[64];
	struct text t = TEXT_OF(out);
	uint8_t uuid[LCP_UUID_SIZE], back[LCP_UUID_SIZE];
	struct lcp_element e;
	struct span payload;

	if (lcp_uuid_parse((struct span){ in.p, in.n < LCP_UUID_TEXT_SIZE ? in.n : LCP_UUID_TEXT_SIZE }, uuid))
		return;
	lcp_uuid_print(uuid, &t);
	if (t.n != LCP_UUID_TEXT_SIZE || lcp_uuid_parse(span_str(out), back) || memcmp(uuid, back, sizeof(uuid)) != 0)
		abort();
	lcp_custom_wrap(uuid, 0, in, &e);
	if (lcp_custom_unwrap(&e, uuid, &payload) || payload.p != in.p || payload.n != in.n)
		abort();
	back[0] ^= 1;
	if (lcp_custom_unwrap(&e, back, &payload) == LCP_OK)
		abort();
}

/* A policy with the data's hash matches, one with another does not, one with an algorithm that cannot be computed is refused. */
static void check_policy(const struct lcp_data *d, const struct digests *digest, uint16_t id)
{
	struct lcp_policy p = { .hash_alg = id, .hash_size = (uint8_t)lcp_digest_size(id) };
	bool matches = false;
	enum alg a;

	if (!alg_by_id(id, &a)) {
		if (lcp_policy_matches_data(&p, d, &matches) == LCP_OK)
			abort();
		return;
	}
	memcpy(p.hash, digest->d[a], p.hash_size);
	if (lcp_policy_matches_data(&p, d, &matches) || !matches)
		abort();
	p.hash[0] ^= 1;
	if (lcp_policy_matches_data(&p, d, &matches) || matches)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct mspan buf;
	static char out[1 << 16];
	static struct lcp_data d;
	struct text t = TEXT_OF(out);
	struct span in = { data, size }, payload;
	struct lcp_where where = { -2, -2 };
	struct digests digest;
	size_t n = 0, at = LCP_DATA_HEADER_SIZE;

	if (size > CHECK_BUFFER)
		return 0;
	check_uuid(in);
	if (lcp_data_decode(in, &d, &where)) {
		if (where.list < -1 || where.list >= LCP_MAX_LISTS || where.element != -1)
			abort();
		return 0;
	}
	buf = exact_span(&x, size);
	if (lcp_data_encode(&d, buf, &n) || n != size || memcmp(buf.p, data, n) != 0)
		abort();
	if (lcp_data_encode(&d, exact_span(&x, size - 1), &n) == LCP_OK)
		abort();
	for (unsigned i = 0; i < d.list_count; i++) {
		size_t used = 0;

		if (lcp_list_encode(&d.lists[i], (struct mspan){ NULL, 0 }, &used))
			abort();
		check_list(&d.lists[i], (struct span){ data + at, used });
		at += used;
	}
	lcp_data_print(&d, &t);
	if (lcp_data_hash(&d, ALG_SET_ALL, &digest))
		abort();
	for (unsigned id = LCP_ALG_SHA1; id <= LCP_ALG_SM3_256; id++)
		check_policy(&d, &digest, (uint16_t)id);
	if (lcp_data_validate(&d, &where) && (where.list < -1 || where.list >= d.list_count))
		abort();
	if (lcp_custom_find_data(&d, lcp_uuid_tboot, &payload, &where) == LCP_OK &&
		(where.list < 0 || where.element < 0 || payload.p < data || payload.p + payload.n > data + size))
		abort();
	return 0;
}
