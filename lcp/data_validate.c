/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/data.h"

static enum lcp_error check(const struct lcp_data *d, struct lcp_where *at)
{
	*at = (struct lcp_where){ .list = -1, .element = -1 };
	if (d->list_count == 0 || d->list_count > LCP_MAX_LISTS)
		return LCP_E_DATA_LISTS;
	for (size_t i = 0; i < sizeof(d->reserved); i++)
		if (d->reserved[i])
			return LCP_E_DATA_RESERVED;
	for (unsigned i = 0; i < d->list_count; i++) {
		const struct lcp_list *l = &d->lists[i];
		enum lcp_error error;

		at->list = (int)i;
		error = lcp_list_validate(l, &at->element);
		if (error)
			return error;
		if (lcp_list_signed(l) && l->sig.block.n == 0)
			return LCP_E_SIG_UNSIGNED;
	}
	return LCP_OK;
}

enum lcp_error lcp_data_validate(const struct lcp_data *d, struct lcp_where *where)
{
	struct lcp_where at;
	enum lcp_error error = check(d, &at);

	if (error && where)
		*where = at;
	return error;
}
