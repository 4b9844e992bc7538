/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy data files: encode(decode(b)) = b, all that holds for their lists, and where errors are said to be exists. */
#include "lcp/custom.h"
#include "lcp_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[CHECK_BUFFER];
	static char out[1 << 16];
	static struct lcp_data d;
	struct text t = TEXT_OF(out);
	struct span in = { data, size }, payload;
	struct lcp_where where = { -2, -2 };
	struct digests digest;
	size_t n = 0, at = LCP_DATA_HEADER_SIZE;

	if (size > CHECK_BUFFER)
		return 0;
	if (lcp_data_decode(in, &d, &where)) {
		if (where.list < -1 || where.list >= LCP_MAX_LISTS || where.element != -1)
			abort();
		return 0;
	}
	if (lcp_data_encode(&d, (struct mspan){ buf, sizeof(buf) }, &n) || n != size || memcmp(buf, data, n) != 0)
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
	if (lcp_data_validate(&d, &where) && (where.list < -1 || where.list >= d.list_count))
		abort();
	if (lcp_custom_find_data(&d, lcp_uuid_tboot, &payload, &where) == LCP_OK &&
		(where.list < 0 || where.element < 0 || payload.p < data || payload.p + payload.n > data + size))
		abort();
	return 0;
}
