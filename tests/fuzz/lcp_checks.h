/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_LCP_CHECKS_H
#define GL_TESTS_LCP_CHECKS_H

#include <stdlib.h>
#include <string.h>

#include "lcp/digest.h"
#include "tests/fuzz/exact.h"

/* What holds for elements and lists, for the fuzz targets that meet them. */

#define CHECK_BUFFER (1 << 20)

/* What the encoder makes of a selection that was read reads the same; PCRs that are not known have no composite. */
static inline void check_pcr_info(const struct lcp_pcr_info *info)
{
	uint8_t buf[LCP_PCR_INFO_MAX], composite[LCP_DIGEST_MAX];
	uint32_t mask = lcp_pcr_info_mask(info);
	struct lcp_pcr_infos it = { { buf, 0 }, false };
	struct lcp_pcr_info again;
	struct pcrs known;

	if (lcp_pcr_info_encode(info->hash_alg, mask, info->digest, (struct mspan){ buf, sizeof(buf) }, &it.left.n))
		return;
	if (lcp_pcr_infos_next(&it, &again) || lcp_pcr_infos_left(&it) || again.hash_alg != info->hash_alg ||
		lcp_pcr_info_mask(&again) != mask || !span_equal(again.digest, info->digest))
		abort();
	if (lcp_pcr_info_encode(info->hash_alg, mask, info->digest, (struct mspan){ buf, 8 }, &it.left.n) == LCP_OK)
		abort();
	memset(&known, 0, sizeof(known));
	known.banks = ALG_BIT(ALG_SHA256);
	known.known[ALG_SHA256] = mask;
	if (!lcp_pcr_composite(&known, ALG_SHA256, mask, composite))
		abort();
	known.known[ALG_SHA256] = mask & (mask - 1);
	if (lcp_pcr_composite(&known, ALG_SHA256, mask, composite))
		abort();
}

static inline void check_element(struct span bytes)
{
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct mspan buf;
	struct lcp_element e;
	struct lcp_pcr_infos it;
	size_t n = 0, infos = 0;

	if (lcp_element_decode(bytes, &e))
		return;
	buf = exact_span(&x, bytes.n);
	if (lcp_element_encode(&e, buf, &n) || n != bytes.n || memcmp(buf.p, bytes.p, n) != 0)
		abort();
	/* A byte less than that is refused. */
	if (lcp_element_encode(&e, exact_span(&x, n - 1), &n) == LCP_OK)
		abort();
	for (it = lcp_pcr_infos_in(&e); lcp_pcr_infos_left(&it); infos++) {
		struct lcp_pcr_info info;

		if (lcp_pcr_infos_next(&it, &info))
			abort();
		check_pcr_info(&info);
	}
	if (infos && infos != e.count)
		abort();
	for (unsigned i = 0; i < e.count; i++)
		if (e.hashes.n && lcp_element_hash(&e, i).n != lcp_digest_size(e.hash_alg))
			abort();
	if (lcp_element_hash(&e, e.count).n)
		abort();
	if (lcp_element_validate(&e) == LCP_OK && (!lcp_element_type_name(e.type) || e.control & ~LCP_ELEMENT_CONTROL_ALL))
		abort();
}

/* The digests against those of the encoded bytes. */
static inline void check_list_digests(const struct lcp_list *l, struct span bytes)
{
	struct digests have, want;
	size_t covered = lcp_list_signed_size(l);

	hash_span(ALG_BIT(ALG_SHA256), lcp_list_signed(l) ? l->sig.key : bytes, &want);
	if (lcp_list_hash(l, ALG_BIT(ALG_SHA256), &have) || !digests_equal(&have, &want))
		abort();
	if (!lcp_list_signed(l)) {
		if (covered || lcp_list_signed_hash(l, ALG_BIT(ALG_SHA256), &have) == LCP_OK)
			abort();
		return;
	}
	if (covered == 0 || covered > bytes.n)
		abort();
	hash_span(ALG_BIT(ALG_SHA256), (struct span){ bytes.p, covered }, &want);
	if (lcp_list_signed_hash(l, ALG_BIT(ALG_SHA256), &have) || !digests_equal(&have, &want))
		abort();
}

static inline void check_list(const struct lcp_list *l, struct span bytes)
{
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct mspan buf = exact_span(&x, bytes.n);
	struct lcp_elements it = lcp_elements_in(l->elements);
	int count = 0, where = -2;
	size_t n = 0;
	enum lcp_error e;

	if (lcp_list_encode(l, buf, &n) || n != bytes.n || memcmp(buf.p, bytes.p, n) != 0)
		abort();
	if (lcp_list_encode(l, exact_span(&x, n - 1), &n) == LCP_OK)
		abort();
	for (; lcp_elements_left(&it); count++) {
		struct span one;

		if (lcp_elements_next(&it, &one))
			abort();
		check_element(one);
	}
	e = lcp_list_validate(l, &where);
	if (e ? where < -1 || where >= count : where != -2 || !lcp_list_version_name(l->version))
		abort();
	check_list_digests(l, bytes);
}

#endif
