/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy lists: encode(decode(b)) = b, alone and in front of other bytes; digests are those of the bytes. */
#include "lcp_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[1 << 16];
	struct text t = TEXT_OF(out);
	struct span in = { data, size };
	struct lcp_list l;
	size_t used = 0;

	if (size > CHECK_BUFFER)
		return 0;
	if (lcp_list_decode(in, &l) == LCP_OK) {
		check_list(&l, in);
		lcp_list_print(&l, 0, &t);
	}
	if (lcp_list_decode_prefix(in, &l, &used) == LCP_OK) {
		if (used > size || (lcp_list_signed(&l) && l.sig.block.n == 0))
			abort();
		check_list(&l, (struct span){ data, used });
	}
	return 0;
}
