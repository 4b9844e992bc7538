/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/measured.h"

#include <string.h>

#include "lcp/digest.h"

static void add(uint8_t *buf, size_t *n, struct span s)
{
	if (s.n > 0 && s.n <= LCP_MEASURED_MAX - *n) {
		memcpy(buf + *n, s.p, s.n);
		*n += s.n;
	}
}

/* The digest that matched: a hash of the element, its fallback, or a PCR info's. Empty if it cannot be found again. */
static struct span matched_digest(struct span bytes, int index)
{
	struct lcp_element e;
	struct lcp_pcr_info info;

	if (lcp_element_decode(bytes, &e))
		return (struct span){ NULL, 0 };
	if (e.pcr_infos.n == 0)
		return index < 0 ? e.fallback : lcp_element_hash(&e, (unsigned)index);

	struct lcp_pcr_infos it = lcp_pcr_infos_in(&e);

	for (int i = 0; lcp_pcr_infos_left(&it); i++) {
		if (lcp_pcr_infos_next(&it, &info))
			break;
		if (i == index)
			return info.digest;
	}
	return (struct span){ NULL, 0 };
}

static struct span element_bytes(const struct lcp_list *l, int number)
{
	struct lcp_elements it = lcp_elements_in(l->elements);
	struct span bytes = { NULL, 0 };

	for (int i = 0; i <= number; i++)
		if (!lcp_elements_left(&it) || lcp_elements_next(&it, &bytes))
			return (struct span){ NULL, 0 };
	return bytes;
}

void lcp_measured(const struct lcp_verdict *v, const struct span data[LCP_OWNERS], struct lcp_measured *out)
{
	*out = (struct lcp_measured){
		.control = v->present[LCP_PO]   ? v->policy[LCP_PO].control
		           : v->present[LCP_PS] ? v->policy[LCP_PS].control
		                                : 0,
	};
	for (enum lcp_subject i = 0; i < LCP_SUBJECTS; i++) {
		const struct lcp_decision *by = &v->by[i];
		struct digests d;
		struct lcp_data decoded;
		enum alg a;

		if (by->outcome != LCP_MATCH || lcp_data_decode(data[by->at.owner], &decoded, NULL) || by->at.list < 0 ||
			by->at.list >= decoded.list_count)
			continue;

		const struct lcp_list *l = &decoded.lists[by->at.list];
		struct span element = element_bytes(l, by->at.element);

		if (element.n)
			add(out->details, &out->details_size, matched_digest(element, by->index));
		/* A list is named as the policy names it: by the digest that goes into PolicyHash. */
		if (alg_by_id(v->policy[by->at.owner].hash_alg, &a) && !lcp_list_hash(l, ALG_BIT(a), &d))
			add(out->authorities, &out->authorities_size, digest_span(&d, a));
	}
}
