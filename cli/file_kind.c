/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/file_kind.h"

#include "common/cursor.h"
#include "lcp/acm.h"
#include "lcp/data.h"
#include "lcp/policy.h"
#include "tboot-policy/vlp.h"

static const char *const names[FILE_KIND_COUNT] = {
	[FILE_LCP_POLICY] = "a launch control policy",
	[FILE_LCP_LIST] = "a policy list",
	[FILE_LCP_ELEMENT] = "a policy element",
	[FILE_LCP_DATA] = "a policy data file",
	[FILE_VLP] = "a Verified Launch Policy",
	[FILE_ACM] = "an authenticated code module",
	[FILE_ELF] = "an ELF file",
	[FILE_PE] = "an EFI program",
	[FILE_GZIP] = "a gzip file",
};

static bool begins(struct span s, struct span head)
{
	return s.n >= head.n && span_equal((struct span){ s.p, head.n }, head);
}

static bool is_element(struct span s)
{
	struct rd r = rd_init(s);

	return s.n >= LCP_ELEMENT_HEADER_SIZE && rd_le32(&r) == s.n && lcp_element_type_name(rd_le32(&r));
}

/* These are too large for a stack. */
static bool is_list(struct span s)
{
	CLEANUP_FREE struct lcp_list *list = malloc(sizeof(*list));

	return list && lcp_list_decode(s, list) == LCP_OK;
}

static bool is_vlp(struct span s)
{
	CLEANUP_FREE struct vlp *policy = malloc(sizeof(*policy));

	return policy && vlp_decode(s, policy) == VLP_OK;
}

enum file_kind file_kind(struct span s)
{
	struct lcp_policy policy;
	struct acm acm;

	if (!s.p)
		return FILE_UNKNOWN;
	if (begins(s, SPAN_LITERAL(LCP_DATA_SIGNATURE)))
		return FILE_LCP_DATA;
	if (begins(s, SPAN_LITERAL("\x7f"
				   "ELF")))
		return FILE_ELF;
	if (begins(s, SPAN_LITERAL("\x1f\x8b")))
		return FILE_GZIP;
	if (begins(s, SPAN_LITERAL("MZ")))
		return FILE_PE;
	if (is_list(s))
		return FILE_LCP_LIST;
	if (lcp_policy_decode(s, &policy) == LCP_OK)
		return FILE_LCP_POLICY;
	if (is_element(s))
		return FILE_LCP_ELEMENT;
	if (is_vlp(s))
		return FILE_VLP;
	return acm_decode(s, &acm) == ACM_OK ? FILE_ACM : FILE_UNKNOWN;
}

const char *file_kind_name(enum file_kind kind)
{
	return kind < FILE_KIND_COUNT ? names[kind] : NULL;
}

bool file_kind_refuse(struct cli_fault *fault, const char *path, struct span bytes, enum file_kind wanted, const char *wrong)
{
	enum file_kind kind = file_kind(bytes);

	if (kind == FILE_UNKNOWN || kind == wanted)
		return cli_fail(fault, CLI_INPUT, "%s: %s", path, wrong);
	return cli_fail(fault, CLI_INPUT, "%s: %s: this is %s: give %s", path, wrong, names[kind], names[wanted]);
}
