/* SPDX-License-Identifier: BSD-3-Clause */
/* Policies: encode(decode(b)) = b; what is sound has a known size and is understood throughout. */
#include <stdlib.h>
#include <string.h>

#include "tboot-policy/vlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vlp policy;
/* as large as the format can say, far over what is allowed */
static uint8_t buf[VLP_HEADER_SIZE + VLP_MAX_ENTRIES * (VLP_ENTRY_SIZE + 255 * DIGEST_MAX)];
static char out[1 << 16];

static void check_entry(const struct vlp_entry *e)
{
	struct digests d = { .banks = ALG_SET_ALL };
	enum alg alg;

	if (!alg_by_id(policy.hash_alg, &alg))
		abort();
	/* the last hash of an entry is one that it allows */
	if (e->hash_type == VLP_HASH_IMAGE)
		memcpy(d.d[alg], e->hashes.p + e->hashes.n - alg_table[alg].size, alg_table[alg].size);
	if (!vlp_entry_allows(&policy, e, &d))
		abort();
	/* nothing stands in front of it */
	if (e->module <= VLP_MODULE_MAX && vlp_find_module(&policy, e->module) != e)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text t = TEXT_OF(out);
	size_t n = 0;

	enum vlp_error decoded = vlp_decode((struct span){ data, size }, &policy);

	if (!vlp_strerror(decoded)[0])
		abort();
	if (decoded)
		return 0;
	if (vlp_encode(&policy, (struct mspan){ buf, sizeof(buf) }, &n) || n != size || (n && memcmp(buf, data, n) != 0))
		abort();
	vlp_print(&policy, &t);

	int where = -2;
	enum vlp_error e = vlp_validate(&policy, &where);

	if (e) {
		if (where < -1 || where >= policy.entry_count)
			abort();
		return 0;
	}
	if (size > VLP_MAX_SIZE || strstr(out, "unknown"))
		abort();
	for (unsigned i = 0; i < policy.entry_count; i++)
		check_entry(&policy.entries[i]);
	return 0;
}
