/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/cursor.h"
#include "lcp/data.h"

#define SIGNATURE_SIZE 32

static_assert(sizeof(LCP_DATA_SIGNATURE) - 1 == SIGNATURE_SIZE, "FileSignature");
static_assert(SIGNATURE_SIZE + 3 + 1 == LCP_DATA_HEADER_SIZE, "LCP_POLICY_DATA");

static enum lcp_error decode(struct span bytes, struct lcp_data *out, int *at)
{
	struct rd r = rd_init(bytes);
	struct span signature = rd_bytes(&r, SIGNATURE_SIZE);
	struct span reserved = rd_bytes(&r, sizeof(out->reserved));
	uint8_t count = rd_u8(&r);
	struct lcp_list lists[LCP_MAX_LISTS];

	if (r.bad)
		return LCP_E_DATA_TRUNCATED;
	if (!span_equal(signature, SPAN_LITERAL(LCP_DATA_SIGNATURE)))
		return LCP_E_DATA_SIGNATURE;
	if (count > LCP_MAX_LISTS)
		return LCP_E_DATA_LISTS;
	for (unsigned i = 0; i < count; i++) {
		struct span left = { bytes.p + r.off, rd_left(&r) };
		size_t used = 0;
		enum lcp_error error = lcp_list_decode_prefix(left, &lists[i], &used);

		*at = (int)i;
		if (error)
			return error;
		(void)rd_bytes(&r, used);
	}
	*at = -1;
	if (!rd_done(&r))
		return LCP_E_DATA_TRAILING;
	memset(out, 0, sizeof(*out));
	memcpy(out->reserved, reserved.p, reserved.n);
	out->list_count = count;
	memcpy(out->lists, lists, count * sizeof(lists[0]));
	return LCP_OK;
}

enum lcp_error lcp_data_decode(struct span bytes, struct lcp_data *out, struct lcp_where *where)
{
	int at = -1;
	enum lcp_error error = decode(bytes, out, &at);

	if (error && where)
		*where = (struct lcp_where){ .list = at, .element = -1 };
	return error;
}
