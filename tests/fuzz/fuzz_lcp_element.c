/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy elements: encode(decode(b)) = b, counts fit, the walk moves on; any element prints. */
#include "lcp_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[1 << 16];
	struct text t = TEXT_OF(out);
	struct span in = { data, size }, one;
	struct lcp_elements it = lcp_elements_in(in);
	struct lcp_element e;

	if (size > CHECK_BUFFER)
		return 0;
	check_element(in);
	if (lcp_element_decode(in, &e) == LCP_OK)
		lcp_element_print(&e, 2, &t);
	while (lcp_elements_left(&it)) {
		size_t left = it.left.n;

		if (lcp_elements_next(&it, &one) == LCP_OK) {
			if (one.n < LCP_ELEMENT_HEADER_SIZE || it.left.n != left - one.n)
				abort();
			check_element(one);
		} else if (lcp_elements_left(&it)) {
			abort();
		}
	}
	return 0;
}
