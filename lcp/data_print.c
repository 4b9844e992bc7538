/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/data.h"
#include "lcp/print.h"

void lcp_data_print(const struct lcp_data *d, struct text *t)
{
	lcp_print_number(t, 0, "num_lists", d->list_count);
	for (unsigned i = 0; i < d->list_count; i++) {
		lcp_print_number(t, 0, "list", i);
		lcp_list_print(&d->lists[i], 2, t);
	}
}
