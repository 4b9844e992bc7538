/* SPDX-License-Identifier: BSD-3-Clause */
/* Launch control policies: encode(decode(b)) = b, decode(encode(p)) = p; what is sound prints without an unknown value. */
#include <stdlib.h>
#include <string.h>

#include "lcp/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { data, size };
	struct lcp_policy p, q;
	uint8_t buf[LCP_POLICY_MAX_SIZE];
	char out[2048];
	struct text t = TEXT_OF(out);
	size_t n = 0, used = 0;

	memset(&p, 0, sizeof(p));
	memset(&q, 0, sizeof(q));
	if (lcp_policy_decode_prefix(in, &p, &used)) {
		if (lcp_policy_decode(in, &q) == LCP_OK)
			abort();
		return 0;
	}
	if ((lcp_policy_decode(in, &q) == LCP_OK) != (used == size))
		abort();
	if (lcp_policy_encode(&p, (struct mspan){ buf, sizeof(buf) }, &n) || n != used || memcmp(buf, data, n) != 0)
		abort();
	if (lcp_policy_decode((struct span){ buf, n }, &q) || memcmp(&p, &q, sizeof(p)) != 0)
		abort();
	lcp_policy_print(&p, &t);
	if (t.cut || (lcp_policy_validate(&p) == LCP_OK && strstr(out, "unknown")))
		abort();
	return 0;
}
