/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/cursor.h"
#include "lcp/data.h"

enum lcp_error lcp_data_encode(const struct lcp_data *d, struct mspan buf, size_t *n)
{
	struct wr w = buf.p ? wr_init(buf) : wr_measure();

	if (d->list_count > LCP_MAX_LISTS)
		return LCP_E_DATA_LISTS;
	wr_bytes(&w, SPAN_LITERAL(LCP_DATA_SIGNATURE));
	wr_bytes(&w, SPAN_OF(d->reserved));
	wr_u8(&w, d->list_count);
	for (unsigned i = 0; i < d->list_count && !w.bad; i++) {
		const struct lcp_list *l = &d->lists[i];
		struct mspan left = { buf.p ? buf.p + w.off : NULL, buf.p ? buf.n - w.off : 0 };
		size_t size = 0;
		enum lcp_error error = lcp_list_encode(l, left, &size);

		if (error)
			return error;
		if (lcp_list_signed(l) && l->sig.block.n == 0)
			return LCP_E_SIG_UNSIGNED;
		/* The bytes are in place. */
		w.off += size;
	}
	if (w.bad)
		return LCP_E_BUFFER;
	*n = w.off;
	return LCP_OK;
}
