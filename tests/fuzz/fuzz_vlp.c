/* SPDX-License-Identifier: BSD-3-Clause */
/* Policies: encode(decode(b)) = b; what is sound has a known size and is understood throughout. */
#include <stdlib.h>
#include <string.h>

#include "tboot-policy/vlp.h"
#include "tests/fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vlp policy;
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
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct mspan buf;
	size_t n = 0;

	memset(&policy, 0xaa, sizeof(policy));
	enum vlp_error decoded = vlp_decode((struct span){ data, size }, &policy);

	if (!vlp_strerror(decoded)[0])
		abort();
	if (decoded)
		return 0;
	buf = exact_span(&x, size);
	if (vlp_encode(&policy, buf, &n) || n != size || memcmp(buf.p, data, n) != 0)
		abort();
	/* A byte less than that is refused. */
	if (!vlp_encode(&policy, exact_span(&x, size - 1), &n))
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
